//! Function handles: indices into the store's table of functions.
//!
//! An object can not hold a WebAssembly function reference, so it holds the index of a table entry
//! that does. Handles are never taken back; a function has one handle from the runtime, however often
//! it is asked for, and perhaps one more that its own module's instance gave it.

use super::limits::ForHeap;
use super::ready::at_once;
use super::store::{StoreData, with_heap};
use super::{Error, Result};
use crate::layout::object::FUNC_NULL;
use crate::layout::reference::MAX_FUNC_HANDLES;
use wasmtime::{AsContextMut, Func, Ref, Trap};

/// Entries that the table gets at least when it grows.
const GROWTH: u64 = 64;

/// Reserves consecutive handles: the first of them.
pub fn reserve<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>, count: u32) -> Result<u32> {
    let mut cx = cx.as_context_mut();
    let place = super::store::ensure_heap(&mut cx)?;
    let used = with_heap(&mut cx, |state, _| state.handles_used)?;
    let size = place.functions.size(&cx);
    // `FUNC_NULL` is far above.
    let end = used.checked_add(count).filter(|&end| end <= MAX_FUNC_HANDLES).ok_or_else(full)?;
    if u64::from(end) > size {
        let want = (u64::from(end) - size).max(size / 2).max(GROWTH);
        let null = Ref::Func(None);
        let mut grow = |by| {
            // These are no elements of a table of the embedder's.
            let asking = ForHeap::new(&mut cx);
            matches!(at_once(place.functions.grow_async(&mut *asking.0, by, null.clone())), Some(Ok(_)))
        };
        if !grow(want) && !grow(u64::from(end) - size) {
            return Err(full());
        }
    }
    with_heap(&mut cx, |state, _| state.handles_used = end)?;
    Ok(used)
}

#[cold]
fn full() -> Error {
    Error::from(Trap::AllocationTooLarge).context("the table of functions that objects refer to is full")
}

/// The handle of a function.
pub fn handle_of<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>, func: Option<Func>) -> Result<u32> {
    let Some(func) = func else { return Ok(FUNC_NULL) };
    let mut cx = cx.as_context_mut();
    let place = super::store::ensure_heap(&mut cx)?;
    let identity = func.to_raw(&mut cx) as usize;
    if let Some(&handle) = cx.data().gc.func_refs.handles.get(&identity) {
        return Ok(handle);
    }
    let handle = reserve(&mut cx, 1)?;
    place.functions.set(&mut cx, u64::from(handle), Ref::Func(Some(func)))?;
    cx.data_mut().gc.func_refs.handles.insert(identity, handle);
    Ok(handle)
}

/// The function of a handle.
pub fn func_of<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>, handle: u32) -> Result<Option<Func>> {
    let place = super::store::ensure_heap(&mut cx)?;
    match place.functions.get(&mut cx, u64::from(handle)) {
        Some(Ref::Func(func)) => Ok(func),
        _ => Err(Error::new(crate::fault::Error::bug("an object holds a handle of no function"))),
    }
}

/// Whether a function is of a type or, unless exactly, of a declared subtype of it.
pub fn is_of_type<T: 'static>(
    cx: impl wasmtime::AsContext<Data = StoreData<T>>,
    func: &Func,
    to: &wasmtime::FuncType,
    exact: bool,
) -> bool {
    let ty = func.ty(cx);
    if exact { wasmtime::FuncType::eq(&ty, to) } else { is_sub_func(ty, to) }
}

/// Nominal subtyping of the inner engine's function types. (Its own `matches` compares structure,
/// which lowering has flattened.)
pub fn is_sub_func(sub: wasmtime::FuncType, sup: &wasmtime::FuncType) -> bool {
    let mut ty = Some(sub);
    while let Some(sub) = ty {
        if wasmtime::FuncType::eq(&sub, sup) {
            return true;
        }
        ty = sub.supertype();
    }
    false
}
