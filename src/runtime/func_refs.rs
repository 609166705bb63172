//! What lowered code asks about function references: whether one is of a type, and what its handle is.
//!
//! Core WebAssembly can not cast a function reference, and not tell one from another. So these are imports, and calls of
//! them are in loops wherever a function goes from an object to a local or back. What they answer is the same as
//! long as the store lives, so it is looked up by the reference itself, without a look at the function.

use super::handles;
use super::store::StoreData;
use super::{Error, Result};
use crate::layout::object::FUNC_NULL;
use crate::types::TypeId;
use rustc_hash::FxHashMap;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use wasmtime::{AsContextMut, Caller, Func, FuncType, ValRaw, ValType};

/// What was asked before. Functions are known by their addresses, which are theirs as long as the store lives.
#[derive(Default)]
pub struct FuncRefs {
    /// Handles from the runtime.
    pub handles: FxHashMap<usize, u32>,
    /// Whether a function is of a type, or exactly of it.
    casts: FxHashMap<(usize, TypeId, bool), bool>,
}

/// The function of an import `function_cast:…` to a canonical type, whose own type is `ty`.
///
/// # Errors
///
/// When `ty` is no type of such a function: a defect of this crate.
#[expect(unsafe_code, reason = "casts are hot, and the engine's safe way asks for a function's type at each call")]
pub fn caster<T: 'static>(
    mut cx: impl AsContextMut<Data = StoreData<T>>,
    ty: FuncType,
    id: TypeId,
    exact: bool,
) -> Result<Func> {
    let to = ty.result(0).and_then(|ty| ty.as_ref()?.heap_type().as_concrete_func().cloned());
    let shape = ty.params().len() == 1 && ty.param(0).is_some_and(|ty| ty.is_funcref()) && ty.results().len() == 1;
    let to = to.filter(|_| shape);
    let to = to.ok_or_else(|| Error::new(crate::fault::Error::bug("`function_cast` is not to a function type")))?;
    let run = move |mut caller: Caller<'_, StoreData<T>>, values: &mut [MaybeUninit<ValRaw>]| -> Result<()> {
        let Some(slot) = values.first_mut() else { return Err(no_room()) };
        // SAFETY: the one parameter is a function reference, as `shape` says; the engine has written it.
        let func = unsafe { slot.assume_init_ref() }.get_funcref();
        if !func.is_null() && !is_of_type(&mut caller, func, &to, id, exact) {
            slot.write(ValRaw::funcref(null_mut()));
        }
        Ok(())
    };
    // SAFETY: the one result, which has the parameter's place, is a nullable reference to a function of the type `to`. It is
    // the parameter where that is null or of this type, and null otherwise. What was asked before holds still: a `TypeId` is
    // the same inner type in every module that casts (those keep types apart that lowering would make alike) and is
    // never used again, nor is a function's address as long as its store lives.
    Ok(unsafe { Func::new_unchecked(&mut cx, ty, run) })
}

fn is_of_type<T: 'static>(
    caller: &mut Caller<'_, StoreData<T>>,
    func: *mut c_void,
    to: &FuncType,
    id: TypeId,
    exact: bool,
) -> bool {
    let asked = (func as usize, id, exact);
    if let Some(&known) = caller.data().gc.func_refs.casts.get(&asked) {
        return known;
    }
    let is = from_raw(caller, func).is_some_and(|func| handles::is_of_type(&*caller, &func, to, exact));
    caller.data_mut().gc.func_refs.casts.insert(asked, is);
    is
}

/// The function of the import that gives a function's handle.
#[expect(unsafe_code, reason = "as for casts")]
pub fn handler<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>) -> Func {
    let ty = FuncType::new(cx.as_context().engine(), [ValType::FUNCREF], [ValType::I32]);
    let run = |mut caller: Caller<'_, StoreData<T>>, values: &mut [MaybeUninit<ValRaw>]| -> Result<()> {
        let Some(slot) = values.first_mut() else { return Err(no_room()) };
        // SAFETY: the one parameter is a function reference; the engine has written it.
        let func = unsafe { slot.assume_init_ref() }.get_funcref();
        let known = caller.data().gc.func_refs.handles.get(&(func as usize)).copied();
        let handle = match known {
            Some(handle) => handle,
            None if func.is_null() => FUNC_NULL,
            None => {
                let func = from_raw(&mut caller, func);
                handles::handle_of(&mut caller, func)?
            }
        };
        slot.write(ValRaw::u32(handle));
        Ok(())
    };
    // SAFETY: the one result, which has the parameter's place, is an `i32`.
    unsafe { Func::new_unchecked(&mut cx, ty, run) }
}

/// The function that an argument refers to.
#[expect(unsafe_code, reason = "as for casts")]
fn from_raw<T: 'static>(caller: &mut Caller<'_, StoreData<T>>, func: *mut c_void) -> Option<Func> {
    // SAFETY: what callers of this have is an argument that the engine has just passed, of a function of this store.
    unsafe { Func::from_raw(caller, func) }
}

#[cold]
fn no_room() -> Error {
    Error::new(crate::fault::Error::bug("a call without room for its parameter"))
}
