//! The imports that the runtime answers (see `layout/names.rs`).

use super::call_profile::{CallCounts, Marked, Profiled};
use super::cells;
use super::func_refs;
use super::metering;
use super::rtts;
use super::store::{HeapPlace, StoreData, alloc_error, with_heap};
use super::{Error, Result};
use crate::layout::{RttAddr, names};
use crate::lower::output::RuntimeImport;
use crate::types::TypeId;
use std::sync::Arc;
use wasmtime::{AsContextMut, Caller, Extern, Func, Global, GlobalType, Mutability, StoreContextMut, Val, ValType};

/// The functions, made once per store, and when a module first imports them. The engine looks for the trampoline of a
/// function among all modules of a store, at each instantiation, as long as none has one.
#[derive(Clone, Copy, Default)]
pub struct RuntimeFuncs {
    alloc: Option<Func>,
    alloc_array: Option<Func>,
    alloc_descriptor: Option<Func>,
    remember_object: Option<Func>,
    remember_elements: Option<Func>,
    table_grow: Option<Func>,
    function_handle: Option<Func>,
    rtt_sub: Option<Func>,
}

/// The function that is kept in a place, made if there is none.
fn once<T: 'static>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    place: fn(&mut RuntimeFuncs) -> &mut Option<Func>,
    make: impl FnOnce(&mut StoreContextMut<'_, StoreData<T>>) -> Func,
) -> Extern {
    let known = cx.data_mut().gc.place.as_mut().and_then(|heap| *place(&mut heap.funcs));
    let func = known.unwrap_or_else(|| make(cx));
    if let Some(heap) = &mut cx.data_mut().gc.place {
        *place(&mut heap.funcs) = Some(func);
    }
    func.into()
}

fn alloc<T: 'static>(mut cx: Caller<'_, StoreData<T>>, bytes: i32) -> Result<i32> {
    let result = with_heap(&mut cx, |state, mem| state.heap.alloc(mem, &mut state.roots, bytes as u32))?;
    Ok(result.map_err(alloc_error)? as i32)
}

fn alloc_array<T: 'static>(mut cx: Caller<'_, StoreData<T>>, rtt: i32, len: i32) -> Result<i32> {
    let result = with_heap(&mut cx, |state, mem| {
        state.heap.alloc_array(mem, &mut state.roots, RttAddr(rtt as u32), len as u32)
    })?;
    Ok(result.map_err(alloc_error)? as i32)
}

fn alloc_descriptor<T: 'static>(mut cx: Caller<'_, StoreData<T>>, rtt: i32, bytes: i32) -> Result<i32> {
    let result = with_heap(&mut cx, |state, mem| {
        state.heap.alloc_descriptor(mem, &mut state.roots, RttAddr(rtt as u32), bytes as u32)
    })?;
    Ok(result.map_err(alloc_error)? as i32)
}

fn remember_object<T: 'static>(mut cx: Caller<'_, StoreData<T>>, object: i32) -> Result<()> {
    with_heap(&mut cx, |state, mem| state.heap.remember_object(mem, object as u32))
}

fn remember_elements<T: 'static>(mut cx: Caller<'_, StoreData<T>>, array: i32, from: i32, count: i32) -> Result<()> {
    with_heap(&mut cx, |state, mem| state.heap.remember_elements(mem, array as u32, from as u32, count as u32))
}

fn table_grow<T: 'static>(mut cx: Caller<'_, StoreData<T>>, table: i32, delta: i32, init: i32) -> Result<i32> {
    let cost = cx.data().gc.engine.options.table_grow_cost;
    metering::charge(&mut cx, u64::from(cost) * u64::from(delta as u32))?;
    let old = cells::table_grow(&mut cx, table as u32, u64::from(delta as u32), init as u32)?;
    Ok(old.map_or(-1, |old| old as i32))
}

/// What code that is profiled tells of an instance: a number, and what that means.
fn profiled<T: 'static>(
    cx: impl AsContextMut<Data = StoreData<T>>,
    of: Profiled,
    tell: fn(&Profiled, &mut Marked, u32),
) -> Func {
    Func::wrap(cx, move |mut cx: Caller<'_, StoreData<T>>, n: u32| tell(&of, &mut cx.data_mut().gc.marked_call, n))
}

/// What an instance's runtime imports need besides the store.
#[derive(Clone, Copy)]
pub struct InstanceNeeds {
    /// Address of the root area.
    pub area: u32,
    /// First function handle.
    pub function_base: u32,
    /// Identity of the first tag.
    pub tag_base: u32,
    /// Number in the store.
    pub number: u32,
}

/// The definition for a runtime import, `native` being its type in the lowered module.
pub fn resolve<T: 'static>(
    mut cx: impl AsContextMut<Data = StoreData<T>>,
    place: &HeapPlace,
    needs: InstanceNeeds,
    counts: &Arc<CallCounts>,
    import: &RuntimeImport,
    native: wasmtime::ExternType,
) -> Result<Extern> {
    let mut cx = cx.as_context_mut();
    let cx = &mut cx;
    let of = || Profiled { counts: counts.clone(), instance: needs.number };
    Ok(match import.name.as_str() {
        names::HEAP => place.memory.into(),
        names::FUNCTIONS => place.functions.into(),
        names::AREA => constant(&mut *cx, needs.area)?.into(),
        names::FUNCTION_BASE => constant(&mut *cx, needs.function_base)?.into(),
        names::TAG_BASE => constant(&mut *cx, needs.tag_base)?.into(),
        names::INSTANCE => constant(&mut *cx, needs.number)?.into(),
        names::ALLOC => once(cx, |funcs| &mut funcs.alloc, |cx| Func::wrap(cx, alloc::<T>)),
        names::ALLOC_ARRAY => once(cx, |funcs| &mut funcs.alloc_array, |cx| Func::wrap(cx, alloc_array::<T>)),
        names::ALLOC_DESCRIPTOR => {
            once(cx, |funcs| &mut funcs.alloc_descriptor, |cx| Func::wrap(cx, alloc_descriptor::<T>))
        }
        names::REMEMBER_OBJECT => {
            once(cx, |funcs| &mut funcs.remember_object, |cx| Func::wrap(cx, remember_object::<T>))
        }
        names::REMEMBER_ELEMENTS => {
            once(cx, |funcs| &mut funcs.remember_elements, |cx| Func::wrap(cx, remember_elements::<T>))
        }
        names::TABLE_GROW => once(cx, |funcs| &mut funcs.table_grow, |cx| Func::wrap(cx, table_grow::<T>)),
        names::FUNCTION_HANDLE => once(cx, |funcs| &mut funcs.function_handle, |cx| func_refs::handler(cx)),
        names::RTT_SUB => once(cx, |funcs| &mut funcs.rtt_sub, |cx| Func::wrap(cx, rtts::sub::<T>)),
        names::PROFILE_CALL => profiled(&mut *cx, of(), Profiled::call).into(),
        names::PROFILE_ENTRY => profiled(&mut *cx, of(), Profiled::entry).into(),
        name if name.starts_with(names::RTT) => rtt(&mut *cx, import)?.0.into(),
        name if name.starts_with(names::RTT_ID) => rtt(&mut *cx, import)?.1.into(),
        name => match native {
            wasmtime::ExternType::Func(ty) if name.starts_with(names::FUNCTION_CAST) => {
                func_refs::caster(&mut *cx, ty, type_of(import)?, false)?.into()
            }
            wasmtime::ExternType::Func(ty) if name.starts_with(names::FUNCTION_CAST_EXACT) => {
                func_refs::caster(&mut *cx, ty, type_of(import)?, true)?.into()
            }
            wasmtime::ExternType::Func(ty) if name.starts_with(names::FUNC_BIND) => rtts::binder(&mut *cx, ty)?.into(),
            _ => return Err(Error::new(crate::fault::Error::bug(format!("unknown runtime import `{name}`")))),
        },
    })
}

/// The type that an import is about.
fn type_of(import: &RuntimeImport) -> Result<TypeId> {
    import.of_type.ok_or_else(|| of_no_type(import))
}

#[cold]
fn of_no_type(import: &RuntimeImport) -> Error {
    Error::new(crate::fault::Error::bug(format!("`{}` is of no type", import.name)))
}

/// The address and the id of a type's record. A store's instances share their globals.
fn rtt<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>, import: &RuntimeImport) -> Result<(Global, Global)> {
    let mut cx = cx.as_context_mut();
    let id = type_of(import)?;
    if let Some(&known) = cx.data().gc.rtt_globals.get(&id) {
        return Ok(known);
    }
    let ty = cx.data().gc.engine.gc_types.ensure_record(id).ok_or_else(|| of_no_type(import))?;
    let globals = (constant(&mut cx, ty.rtt.0)?, constant(&mut cx, ty.index)?);
    cx.data_mut().gc.rtt_globals.insert(id, globals);
    Ok(globals)
}

/// An immutable `i32` global.
pub fn constant<T: 'static>(cx: impl AsContextMut<Data = StoreData<T>>, value: u32) -> Result<Global> {
    Global::new(cx, GlobalType::new(ValType::I32, Mutability::Const), Val::I32(value as i32))
}
