//! Structs and arrays as the host makes and reads them.
//!
//! Values are given in two steps, because an allocation may move what they refer to: first as [`Slot`]s, in which a
//! reference is still the root that holds it, and only when there is room as words.

use super::memory::read_word;
use super::oom::GcHeapOutOfMemory;
use super::roots::RootIndex;
use super::store::{GcState, StoreData, alloc_error, ensure_heap, with_heap};
use super::{Error, Result};
use crate::heap::HeapMemory;
use crate::layout::object::{ARRAY_ELEMENTS, ARRAY_LENGTH};
use crate::layout::reference::{self, NULL};
use crate::layout::{GcType, Kind, ObjectLayout, Width};
use crate::types::{CompositeType, FieldType, StorageType, TypeId};
use std::sync::Arc;
use wasmtime::{AsContextMut, StoreContext};

/// A value on its way into an object.
#[derive(Clone, Copy, Debug)]
pub enum Slot {
    /// A number, or the handle of a function: its bits.
    Bits(u128),
    /// The null reference.
    Null,
    /// A reference that the host holds.
    Root(RootIndex),
}

#[cold]
fn bug(what: &str) -> Error {
    Error::new(crate::fault::Error::bug(what))
}

/// The type with objects for a canonical type, known to the store's heap.
///
/// # Errors
///
/// When there is no heap for want of memory, no room for more types, or the objects are described by others.
pub fn object_type<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>, id: TypeId) -> Result<Arc<GcType>> {
    ensure_heap(&mut cx)?;
    let engine = cx.as_context().data().gc.engine.clone();
    let ty = engine.gc_types.ensure(id);
    let ty = ty.ok_or_else(|| Error::msg("the engine can hold no more types of objects"))?;
    if ty.has_descriptor {
        return Err(Error::msg("objects of a type with a custom descriptor can only be made by WebAssembly"));
    }
    with_heap(&mut cx, |state, mem| state.sync_type(&engine, mem, ty.index))??;
    Ok(ty)
}

/// A new struct, with its fields: a reference to it.
///
/// # Errors
///
/// When the heap is full.
pub fn new_struct<T: 'static>(cx: impl AsContextMut<Data = StoreData<T>>, ty: &GcType, slots: &[Slot]) -> Result<u32> {
    let ObjectLayout::Struct(layout) = &ty.layout else { return Err(bug("a struct type has no struct layout")) };
    with_heap(cx, |state, mem| {
        let object = state.heap.alloc_object(mem, &mut state.roots, ty).map_err(alloc_error)?;
        for (field, slot) in layout.fields.iter().zip(slots) {
            write(state, mem, object, field.offset, field.width, *slot)?;
        }
        Ok(object)
    })?
}

/// What the elements of a new array are.
#[derive(Clone, Copy, Debug)]
pub enum Elements<'a> {
    /// So many times the same.
    Repeat(Slot, u32),
    /// These.
    Each(&'a [Slot]),
    /// These bytes, in an array of bytes.
    Bytes(&'a [u8]),
}

impl Elements<'_> {
    fn len(self) -> Result<u32> {
        let len = match self {
            Elements::Repeat(_, len) => return Ok(len),
            Elements::Each(slots) => slots.len(),
            Elements::Bytes(bytes) => bytes.len(),
        };
        u32::try_from(len).map_err(Error::new)
    }
}

/// A new array, with its elements: a reference to it.
///
/// # Errors
///
/// When the heap is full.
pub fn new_array<T: 'static>(
    cx: impl AsContextMut<Data = StoreData<T>>,
    ty: &GcType,
    elements: Elements<'_>,
) -> Result<u32> {
    let ObjectLayout::Array(layout) = ty.layout else { return Err(bug("an array type has no array layout")) };
    let len = elements.len()?;
    with_heap(cx, |state, mem| {
        let array = state.heap.alloc_array(mem, &mut state.roots, ty.rtt, len).map_err(|err| {
            let err = alloc_error(err);
            match err.is::<GcHeapOutOfMemory<()>>() {
                true => err,
                false => err.context("unrecoverable error when allocating new `arrayref`"),
            }
        })?;
        match elements {
            Elements::Repeat(slot, _) => fill(state, mem, array, len, layout.element, slot)?,
            Elements::Each(slots) => {
                for (i, slot) in (0u32..).zip(slots) {
                    write(state, mem, array, element_offset(layout.element, i), layout.element, *slot)?;
                }
            }
            Elements::Bytes(from) => {
                let start = reference::header(array).wrapping_add(ARRAY_ELEMENTS) as usize;
                let to = mem.bytes_mut().get_mut(start..start + from.len());
                to.ok_or_else(|| bug("a new array is out of bounds"))?.copy_from_slice(from);
            }
        }
        Ok(array)
    })?
}

/// The offset of an element from its array's header. Arrays are far smaller than the address space.
pub fn element_offset(width: Width, index: u32) -> u32 {
    ARRAY_ELEMENTS.wrapping_add(index.wrapping_mul(width.bytes()))
}

/// Sets all elements of an array that was just made.
fn fill(state: &mut GcState, mem: &mut dyn HeapMemory, array: u32, len: u32, width: Width, slot: Slot) -> Result<()> {
    let bits = bits(state, slot)?;
    let size = width.bytes() as usize;
    let start = reference::header(array).wrapping_add(ARRAY_ELEMENTS) as usize;
    let bytes = mem.bytes_mut().get_mut(start..start + size * len as usize);
    let bytes = bytes.ok_or_else(|| bug("a new array is out of bounds"))?;
    let pattern = &bits.to_le_bytes()[..size];
    if pattern.iter().all(|byte| *byte == pattern[0]) {
        bytes.fill(pattern[0]);
    } else {
        bytes.chunks_exact_mut(size).for_each(|element| element.copy_from_slice(pattern));
    }
    if width == Width::Ref && reference::is_object(bits as u32) {
        state.heap.remember_elements(mem, array, 0, len);
    }
    Ok(())
}

/// Sets a field or an element.
///
/// # Errors
///
/// When a root's scope has ended.
pub fn set<T: 'static>(
    cx: impl AsContextMut<Data = StoreData<T>>,
    object: u32,
    offset: u32,
    width: Width,
    slot: Slot,
) -> Result<()> {
    with_heap(cx, |state, mem| write(state, mem, object, offset, width, slot))?
}

/// The bits of a value, now that nothing moves any more.
#[inline]
fn bits(state: &GcState, slot: Slot) -> Result<u128> {
    Ok(match slot {
        Slot::Bits(bits) => bits,
        Slot::Null => NULL.into(),
        Slot::Root(root) => state.roots.get(root).ok_or_else(|| bug("a root has ended within one operation"))?.into(),
    })
}

#[inline]
fn write(
    state: &mut GcState,
    mem: &mut dyn HeapMemory,
    object: u32,
    offset: u32,
    width: Width,
    slot: Slot,
) -> Result<()> {
    let bits = bits(state, slot)?;
    if width == Width::Ref {
        state.heap.write_ref(mem, object, offset, bits as u32);
        return Ok(());
    }
    let at = reference::header(object).wrapping_add(offset) as usize;
    let len = width.bytes() as usize;
    let bytes = mem.bytes_mut().get_mut(at..at + len).ok_or_else(|| bug("a field is out of bounds"))?;
    bytes.copy_from_slice(&bits.to_le_bytes()[..len]);
    Ok(())
}

/// An object as the host found it: where it is, until the next allocation, and what it is.
#[derive(Debug)]
pub struct Object {
    /// The reference.
    pub word: u32,
    /// The type.
    pub ty: Arc<GcType>,
}

impl Object {
    /// The object that a reference refers to.
    ///
    /// # Errors
    ///
    /// When it is no struct or array, which is a bug.
    pub fn of<T: 'static>(cx: &StoreContext<'_, StoreData<T>>, word: u32) -> Result<Object> {
        let gc = &cx.data().gc;
        let (Some(place), Some(state)) = (gc.place, gc.state()) else { return Err(bug("there is no heap")) };
        let ty = state.type_in(place.memory.data(cx), word).filter(|ty| matches!(ty.kind, Kind::Struct | Kind::Array));
        Ok(Object { word, ty: ty.ok_or_else(|| bug("a reference is to no struct or array"))? })
    }

    /// The fields of a struct; nothing for an array.
    pub fn fields(&self) -> &[FieldType] {
        match self.ty.def.as_ref().map(|def| &def.sub.composite) {
            Some(CompositeType::Struct(fields)) => fields,
            _ => &[],
        }
    }

    /// The element of an array; `None` for a struct.
    pub fn element(&self) -> Option<FieldType> {
        match self.ty.def.as_ref().map(|def| &def.sub.composite) {
            Some(CompositeType::Array(element)) => Some(*element),
            _ => None,
        }
    }

    /// The offset of a field, which there must be.
    pub fn field_offset(&self, index: usize) -> Option<u32> {
        match &self.ty.layout {
            ObjectLayout::Struct(layout) => Some(layout.fields.get(index)?.offset),
            ObjectLayout::Array(_) => None,
        }
    }

    /// How many elements an array has.
    pub fn len<T: 'static>(&self, cx: &StoreContext<'_, StoreData<T>>) -> Result<u32> {
        let place = cx.data().gc.place.ok_or_else(|| bug("there is no heap"))?;
        let at = reference::header(self.word).wrapping_add(ARRAY_LENGTH);
        read_word(place.memory.data(cx), at).ok_or_else(|| bug("an array is out of bounds"))
    }

    /// The bytes of an array's elements, as far as the array and the width say.
    pub fn element_bytes<'a, T: 'static>(&self, cx: &'a StoreContext<'_, StoreData<T>>, len: u32) -> Result<&'a [u8]> {
        let place = cx.data().gc.place.ok_or_else(|| bug("there is no heap"))?;
        let start = reference::header(self.word).wrapping_add(ARRAY_ELEMENTS) as usize;
        let bytes = place.memory.data(cx).get(start..start + len as usize);
        bytes.ok_or_else(|| bug("an array is out of bounds"))
    }

    /// The bits at an offset from the header.
    #[inline]
    pub fn bits<T: 'static>(
        &self,
        cx: &StoreContext<'_, StoreData<T>>,
        offset: u32,
        storage: StorageType,
    ) -> Result<u128> {
        let place = cx.data().gc.place.ok_or_else(|| bug("there is no heap"))?;
        let at = reference::header(self.word).wrapping_add(offset) as usize;
        let len = Width::of(storage).bytes() as usize;
        let stored = place.memory.data(cx).get(at..at + len).ok_or_else(|| bug("a field is out of bounds"))?;
        let mut bytes = [0; 16];
        bytes[..len].copy_from_slice(stored);
        Ok(u128::from_le_bytes(bytes))
    }
}
