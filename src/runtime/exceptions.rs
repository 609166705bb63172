//! Exceptions as the host makes and reads them.
//!
//! An exception is a struct of the heap: the identity of its tag, then the payload. Which field is where
//! comes from the object's type; here values are bits, of the width of their field. The pending
//! exception is `entry.rs`'s.

use super::memory::read_word;
use super::store::{StoreData, alloc_error, ensure_heap, with_heap};
use super::{Error, Result};
use crate::layout::object::FieldLayout;
use crate::layout::{ObjectLayout, Width, reference};
use crate::parse::exception_type;
use crate::types::{FuncType, TypeId};
use wasmtime::{AsContext, AsContextMut};

/// Position of the tag's identity; the payload follows.
const IDENTITY: usize = 0;

#[cold]
fn no_field() -> Error {
    Error::new(crate::fault::Error::bug("an exception does not have the fields of its tag"))
}

/// The type of the objects that are exceptions of a signature.
///
/// # Errors
///
/// When the engine can hold no more types.
pub fn object_type<T: 'static>(cx: impl AsContext<Data = StoreData<T>>, signature: &FuncType) -> Result<TypeId> {
    let engine = &cx.as_context().data().gc.engine;
    Ok(exception_type(&engine.registry, signature)?)
}

/// A new exception of a tag: a reference to it. The payload is zero and null.
///
/// # Errors
///
/// When the heap is full.
pub fn alloc<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>, object: TypeId, identity: u32) -> Result<u32> {
    ensure_heap(&mut cx)?;
    let engine = cx.as_context().data().gc.engine.clone();
    let ty = engine.gc_types.ensure(object);
    let ty = ty.ok_or_else(|| Error::msg("the engine can hold no more types of objects"))?;
    let exn = with_heap(&mut cx, |state, mem| {
        state.sync_type(&engine, mem, ty.index)?;
        state.heap.alloc_object(mem, &mut state.roots, &ty).map_err(alloc_error)
    })??;
    set_at(cx, exn, IDENTITY, identity.into())?;
    Ok(exn)
}

/// The identity of an exception's tag.
pub fn identity<T: 'static>(cx: impl AsContext<Data = StoreData<T>>, exn: u32) -> Result<u32> {
    let cx = cx.as_context();
    let (_, at) = place(&cx, exn, IDENTITY)?;
    let memory = cx.data().gc.place.ok_or_else(no_field)?.memory;
    read_word(memory.data(&cx), at).ok_or_else(no_field)
}

/// A value of the payload: its bits.
pub fn get<T: 'static>(cx: impl AsContext<Data = StoreData<T>>, exn: u32, index: usize) -> Result<u128> {
    let cx = cx.as_context();
    let (field, at) = place(&cx, exn, index + 1)?;
    let memory = cx.data().gc.place.ok_or_else(no_field)?.memory;
    let len = field.width.bytes() as usize;
    let stored = memory.data(&cx).get(at as usize..).and_then(|bytes| bytes.get(..len)).ok_or_else(no_field)?;
    let mut bytes = [0; 16];
    bytes[..len].copy_from_slice(stored);
    Ok(u128::from_le_bytes(bytes))
}

/// Sets a value of the payload, of an exception that no collection has seen since it was made.
pub fn set<T: 'static>(cx: impl AsContextMut<Data = StoreData<T>>, exn: u32, index: usize, bits: u128) -> Result<()> {
    set_at(cx, exn, index + 1, bits)
}

fn set_at<T: 'static>(
    mut cx: impl AsContextMut<Data = StoreData<T>>,
    exn: u32,
    index: usize,
    bits: u128,
) -> Result<()> {
    let (field, at) = place(&cx.as_context(), exn, index)?;
    with_heap(&mut cx, |state, mem| {
        if field.width == Width::Ref {
            state.heap.write_ref(mem, exn, field.offset, bits as u32);
            return Ok(());
        }
        let len = field.width.bytes() as usize;
        let bytes = mem.bytes_mut().get_mut(at as usize..).and_then(|bytes| bytes.get_mut(..len));
        bytes.ok_or_else(no_field)?.copy_from_slice(&bits.to_le_bytes()[..len]);
        Ok(())
    })?
}

/// A field of an exception, and its address.
fn place<T: 'static>(
    cx: &wasmtime::StoreContext<'_, StoreData<T>>,
    exn: u32,
    index: usize,
) -> Result<(FieldLayout, u32)> {
    let gc = &cx.data().gc;
    let (Some(heap), Some(state)) = (gc.place, gc.state()) else { return Err(no_field()) };
    let ty = state.type_in(heap.memory.data(cx), exn).ok_or_else(no_field)?;
    let ObjectLayout::Struct(layout) = &ty.layout else { return Err(no_field()) };
    let field = *layout.fields.get(index).ok_or_else(no_field)?;
    Ok((field, reference::header(exn).wrapping_add(field.offset)))
}
