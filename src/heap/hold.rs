//! Collections that have to wait.
//!
//! Where the engine asks whether an epoch has come, lowered code has references in its locals that no root slot
//! holds. What the embedder does there may want a collection all the same, and allocate without end. So the heap is
//! *held*: nothing is collected or moved until it is released. What finds no room in the nursery is made in the old
//! space meanwhile, for which the memory may have to grow. A major collection that was asked for is made up for by the
//! next, which is a major one then; other requests are dropped.
//!
//! What this is not: a lock. The heap is used as always.

use super::memory::{HeapMemory, Words};
use super::{AllocError, CollectKind, Heap};
use crate::layout::reference;

/// Whether collections wait.
#[derive(Debug, Default)]
pub(crate) struct Hold {
    depth: u32,
    asked: bool,
}

impl Hold {
    /// Whether a collection has to wait. It is noted if it is a major one: others come by themselves.
    pub fn defers(&mut self, kind: CollectKind) -> bool {
        self.asked |= self.is_on() && kind == CollectKind::Major;
        self.is_on()
    }

    /// Whether one was asked for, which is forgotten.
    pub fn take_asked(&mut self) -> bool {
        std::mem::take(&mut self.asked)
    }

    /// Whether collections wait.
    pub fn is_on(&self) -> bool {
        self.depth > 0
    }
}

impl Heap {
    /// Nothing is collected until [`Heap::release`] was called as often as this.
    pub fn hold(&mut self) {
        self.hold.depth += 1;
    }

    /// Ends what [`Heap::hold`] began.
    pub fn release(&mut self) {
        self.hold.depth = self.hold.depth.saturating_sub(1);
    }

    /// The address of a new object below the size of large ones, without a collection.
    pub(super) fn alloc_held(&mut self, mem: &mut dyn HeapMemory, size: u32) -> Result<u32, AllocError> {
        let in_run = self.pretenure.is_on();
        let young = if in_run { None } else { self.nursery.alloc(mem.bytes_mut(), size)? };
        if let Some(at) = young {
            return Ok(at);
        }
        let room = self.room_apart(mem, size);
        let at = room.ok_or_else(|| self.full(mem, u64::from(size)))?;
        // As a large object, it may never be filled, and is looked at all the same.
        let mut words = Words::new(mem.bytes_mut());
        words.fill(at, at + size, reference::NULL);
        words.set(at, 0);
        if !in_run {
            self.remembered.object(at);
        }
        if let Some(mut shading) = self.shading() {
            shading.blacken(at, size);
        }
        self.sizer.promoted(u64::from(size));
        self.stats.pretenured_bytes += u64::from(size);
        self.stats.allocated_bytes += u64::from(size);
        Ok(at)
    }
}
