//! Reads and writes of objects by the host, and the entry points of the write barrier.

use super::Heap;
use super::memory::{HeapMemory, Words, read};
use crate::layout::object::{ARRAY_ELEMENTS, ARRAY_LENGTH};
use crate::layout::{GcType, ObjectLayout, reference};
use std::sync::Arc;

impl Heap {
    /// The type of the object that a reference refers to; `None` for null, an i31, and anything that
    /// is no reference to an object.
    pub fn type_of(&self, mem: &dyn HeapMemory, reference: u32) -> Option<Arc<GcType>> {
        if !reference::is_object(reference) {
            return None;
        }
        let bytes = mem.bytes();
        self.types.type_in(bytes, read(bytes, reference::header(reference))).cloned()
    }

    /// The word at an offset from an object's header. Null if there is no memory.
    pub fn read_u32(&self, mem: &dyn HeapMemory, object: u32, offset: u32) -> u32 {
        read(mem.bytes(), reference::header(object).wrapping_add(offset))
    }

    /// How many elements an array has; `None` if the reference is to no array.
    pub fn array_len(&self, mem: &dyn HeapMemory, array: u32) -> Option<u32> {
        let ty = self.type_of(mem, array)?;
        matches!(ty.layout, ObjectLayout::Array(_)).then(|| self.read_u32(mem, array, ARRAY_LENGTH))
    }

    /// Stores a reference into an object, with the write barrier.
    pub fn write_ref(&mut self, mem: &mut dyn HeapMemory, object: u32, offset: u32, value: u32) {
        let slot = reference::header(object).wrapping_add(offset);
        Words::new(mem.bytes_mut()).set(slot, value);
        if slot < self.space_start || !reference::is_object(value) {
            return;
        }
        if self.map.is_young(reference::header(value)) {
            self.remembered.slot(slot);
        } else if let Some(mut shading) = self.shading() {
            shading.shade(value);
        }
    }

    /// Remembers elements of an array of references, which are stored without a barrier each, before the next collection: so many
    /// from an index on. Does nothing for a young array or for what is no object.
    pub fn remember_elements(&mut self, mem: &mut dyn HeapMemory, array: u32, from: u32, count: u32) {
        let at = reference::header(array);
        if count == 0 || !reference::is_object(array) || at < self.space_start || u64::from(at) >= self.pages.end() {
            return;
        }
        let start = u64::from(at) + u64::from(ARRAY_ELEMENTS) + 4 * u64::from(from);
        let last = self.pages.end();
        let (start, end) = (start.min(last) as u32, (start + 4 * u64::from(count)).min(last) as u32);
        if self.old.contains(at) {
            self.remember_object(mem, array);
        } else {
            self.remembered.cards.mark(at, start..end);
        }
    }

    /// Remembers all slots of an object, which references were stored into without a barrier each. Lowered code does not ask for
    /// it again, until the next collection, if it has not asked for another meanwhile.
    /// Does nothing for a young object or for what is no object.
    pub fn remember_object(&mut self, mem: &mut dyn HeapMemory, object: u32) {
        let at = reference::header(object);
        if reference::is_object(object) && at >= self.space_start && (at as u64) < self.pages.end() {
            self.remembered.object(at);
            Words::new(mem.bytes_mut()).set(self.map.remembered_object_cell(), object);
        }
    }
}
