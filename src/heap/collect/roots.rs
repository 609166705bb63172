//! The root words of a collection: the live part of the shadow stack, the root areas, and what the
//! host holds.

use crate::heap::memory::{View, read};
use crate::heap::space::roots_area::RootAreas;
use crate::heap::verify::{Fault, VerifyError};
use crate::layout::HeapMap;

/// What the host holds. Implemented by the runtime.
pub trait Roots {
    /// Visits every root word of the host, which the collector may change.
    fn each(&mut self, visit: &mut dyn FnMut(&mut u32));
    /// Visits words of the host that were set since the nursery was last empty, and are no roots but by
    /// what holds them: [`Roots::mark_host_slot`] visits them too. Only when young objects are promoted.
    fn each_recent(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        let _ = visit;
    }
    /// No object is young any more: no word that is visited later refers to one unless it is set again.
    fn nursery_emptied(&mut self) {}
    /// A live host object that holds this slot was reached: visits the words that are alive because of it,
    /// which the collector may change. Only during major collections.
    fn mark_host_slot(&mut self, slot: u32, visit: &mut dyn FnMut(&mut u32));
    /// A major collection has found all live objects: slots that were not marked since the last call
    /// are dead.
    fn sweep_host_slots(&mut self);
    /// How many host slots there are, each of which a major collection looks at.
    fn host_slots(&self) -> u64 {
        0
    }
    /// Whether there are so many more host slots than the last major collection left that another is due, which
    /// alone frees them. A heap of more bytes is more work to mark, so there may be more.
    fn host_slots_due(&self, heap_bytes: u64) -> bool {
        let _ = heap_bytes;
        false
    }
}

/// The shadow stack pointer.
pub(crate) fn stack_pointer(bytes: &[u8], map: HeapMap) -> Result<u32, VerifyError> {
    let sp = read(bytes, map.sp_cell());
    if sp > map.stack_top || !sp.is_multiple_of(4) {
        return Err(VerifyError::cell(Fault::StackPointer, map.sp_cell(), sp));
    }
    Ok(sp)
}

/// Calls `each` with the address of every root word in the memory.
#[inline(always)]
pub(crate) fn each_memory_root(map: HeapMap, sp: u32, areas: &RootAreas, mut each: impl FnMut(u32)) {
    for at in (sp..map.stack_top).step_by(4) {
        each(at);
    }
    each(map.pending_cell());
    for range in areas.ranges() {
        for at in range.clone().step_by(4) {
            each(at);
        }
    }
}

/// A range of the nursery, for a fast test of references.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Young {
    /// Its first address.
    pub start: u32,
    /// Bytes in use.
    pub used: u32,
}

impl Young {
    /// The header of the object that a reference refers to, if it is a young one.
    #[inline(always)]
    pub fn header(self, value: u32) -> Option<u32> {
        let header = crate::layout::reference::header(value);
        (header.wrapping_sub(self.start) < self.used && header & 3 == 0).then_some(header)
    }
}

/// The header of an object that a word refers to, wherever it is.
#[inline(always)]
pub(crate) fn object_header(value: u32) -> Option<u32> {
    let header = crate::layout::reference::header(value);
    (header & 3 == 0).then_some(header)
}

/// The length of the array at `at`, if objects of its type have elements.
#[inline(always)]
pub(crate) fn elements(words: View<'_>, element: u32, at: u32) -> u32 {
    if element == 0 { 0 } else { words.get(at + crate::layout::object::ARRAY_LENGTH) }
}
