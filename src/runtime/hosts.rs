//! Host values behind references.
//!
//! An `externref` that the host made refers to a small object in the heap that holds the number of a
//! slot here. A major collection marks the slots of live objects and sweeps the others. What is swept
//! is not dropped at once: a value's `Drop` is the embedder's code, and the heap is out of order
//! while a collection runs.

use super::members::Tracer;
use std::any::Any;

/// A value of the host.
pub type HostValue = Box<dyn Any + Send + Sync>;

/// Visits the members of a host value.
pub type TraceFn = fn(&(dyn Any + Send + Sync), &mut Tracer<'_>);

/// Fewer values than this are no reason to collect.
const MIN_DUE: u64 = 1 << 16;

/// Nor are fewer than one for so many bytes of the heap.
const BYTES_PER_VALUE: u64 = 256;

enum Slot {
    /// The next free slot.
    Free(Option<u32>),
    Used {
        value: HostValue,
        trace: Option<TraceFn>,
        marked: bool,
    },
}

/// A store's host values.
#[derive(Default)]
pub struct HostTable {
    slots: Vec<Slot>,
    free: Option<u32>,
    dead: Vec<HostValue>,
    /// How many values are held, and how many were after the last sweep.
    used: u64,
    swept: u64,
}

impl std::fmt::Debug for HostTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostTable").field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}

impl HostTable {
    /// Puts a value into a slot. It must be held by an object before the next collection.
    pub fn insert(&mut self, value: HostValue, trace: Option<TraceFn>) -> u32 {
        let used = Slot::Used { value, trace, marked: false };
        self.used += 1;
        if let Some(slot) = self.free
            && let Some(place) = self.slots.get_mut(slot as usize)
            && let Slot::Free(next) = *place
        {
            self.free = next;
            *place = used;
            return slot;
        }
        self.slots.push(used);
        (self.slots.len() - 1) as u32
    }

    /// The value in a slot.
    pub fn get(&self, slot: u32) -> Option<&HostValue> {
        match self.slots.get(slot as usize)? {
            Slot::Used { value, .. } => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// The value in a slot, to change.
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut HostValue> {
        match self.slots.get_mut(slot as usize)? {
            Slot::Used { value, .. } => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// The slot's object is alive: its value, and how to trace that, if need be.
    pub fn mark(&mut self, slot: u32) -> Option<(&HostValue, TraceFn)> {
        match self.slots.get_mut(slot as usize) {
            Some(Slot::Used { value, trace, marked }) => {
                *marked = true;
                Some((value, (*trace)?))
            }
            _ => None,
        }
    }

    /// Frees what was not marked, and clears the marks.
    pub fn sweep(&mut self) {
        for (index, slot) in (0u32..).zip(&mut self.slots) {
            match slot {
                Slot::Used { marked, .. } if *marked => *marked = false,
                Slot::Used { .. } => {
                    if let Slot::Used { value, .. } = std::mem::replace(slot, Slot::Free(self.free)) {
                        self.dead.push(value);
                    }
                    self.used -= 1;
                    self.free = Some(index);
                }
                Slot::Free(_) => {}
            }
        }
        self.swept = self.used;
    }

    /// Whether so many values came since the last sweep that another is due: as many as were left, and some. They
    /// take memory that the size of the heap does not tell.
    pub fn is_due(&self, heap_bytes: u64) -> bool {
        self.used - self.swept > self.swept.max(MIN_DUE).max(heap_bytes / BYTES_PER_VALUE)
    }

    /// How many values are held, or were at the last sweep.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Values that were swept, to be dropped.
    pub fn take_dead(&mut self) -> Vec<HostValue> {
        std::mem::take(&mut self.dead)
    }

    /// How many values are held.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        let used = self.slots.iter().filter(|slot| matches!(slot, Slot::Used { .. })).count();
        assert_eq!(used as u64, self.used);
        used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unmarked_values_are_swept_and_their_slots_used_again() {
        let mut hosts = HostTable::default();
        let slots: Vec<u32> = (0..4u32).map(|i| hosts.insert(Box::new(i), None)).collect();
        hosts.mark(slots[2]);
        hosts.sweep();
        assert_eq!((hosts.len(), hosts.take_dead().len()), (1, 3));
        assert!(hosts.get(slots[0]).is_none());
        assert_eq!(hosts.get(slots[2]).and_then(|v| v.downcast_ref::<u32>()), Some(&2));
        for _ in 0..3 {
            hosts.insert(Box::new("again"), None);
        }
        assert_eq!((hosts.len(), hosts.slots.len()), (4, 4));
        hosts.sweep();
        assert_eq!(hosts.len(), 0, "marks do not outlive a sweep");
    }
}
