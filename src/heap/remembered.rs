//! The remembered set: where old objects may refer to young ones.
//!
//! Lowered code appends the address of a slot to a buffer in the heap memory when it stores a young
//! reference into an old object. When the buffer is full the entries come here, where duplicates are
//! dropped. Objects that many references were stored into are remembered as a whole.
//!
//! A minor collection empties all of it; a major one replaces it by the exact set, so that no entry
//! survives the object that it is in.

use super::memory::{Words, read};
use super::verify::{Fault, VerifyError};
use crate::layout::{HeapMap, reference};

/// Sort and deduplicate when a list has grown to this many entries.
const DEDUP_AT: usize = 1 << 16;

/// Addresses without order that may repeat now and then.
#[derive(Debug, Default)]
struct AddressSet {
    items: Vec<u32>,
    dedup_at: usize,
}

impl AddressSet {
    fn insert(&mut self, at: u32) {
        if self.items.last() == Some(&at) {
            return;
        }
        if self.items.len() >= self.dedup_at.max(DEDUP_AT) {
            self.items.sort_unstable();
            self.items.dedup();
            self.dedup_at = self.items.len() * 2;
        }
        self.items.push(at);
    }

    fn clear(&mut self) {
        self.items.clear();
        self.dedup_at = 0;
    }
}

/// What is remembered on the host's side.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    slots: AddressSet,
    objects: AddressSet,
}

impl Remembered {
    /// Remembers a slot, by its address.
    pub fn slot(&mut self, at: u32) {
        self.slots.insert(at);
    }

    /// Remembers all slots of the object whose header is at `at`.
    pub fn object(&mut self, at: u32) {
        self.objects.insert(at);
    }

    /// The remembered slots that are not in the buffer.
    pub fn slots(&self) -> &[u32] {
        &self.slots.items
    }

    /// The headers of the remembered objects.
    pub fn objects(&self) -> &[u32] {
        &self.objects.items
    }

    /// Forgets everything, and empties the buffer.
    pub fn clear(&mut self, words: &mut Words, map: HeapMap) {
        self.slots.clear();
        self.objects.clear();
        words.set(map.remembered_cell(), map.remembered_start());
    }

    /// Moves those entries of the buffer here that matter: whose slots hold young references.
    pub fn take_buffer(&mut self, words: &mut Words, map: HeapMap, end: u32) {
        let mut at = map.remembered_start();
        while at < end {
            let slot = words.get(at);
            let value = words.get(slot);
            if reference::is_object(value) && map.is_young(reference::header(value)) {
                self.slot(slot);
            }
            at += 4;
        }
        words.set(map.remembered_cell(), map.remembered_start());
    }
}

/// The end of the entries in the buffer.
pub(crate) fn buffer_end(bytes: &[u8], map: HeapMap) -> Result<u32, VerifyError> {
    let cell = map.remembered_cell();
    let end = read(bytes, cell);
    if end < map.remembered_start() || end > map.remembered_end() || !end.is_multiple_of(4) {
        return Err(VerifyError::cell(Fault::Remembered, cell, end));
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_stores_to_few_slots_take_little_room() {
        let mut remembered = Remembered::default();
        for i in 0..DEDUP_AT as u32 * 4 {
            remembered.slot(i % 100 * 4);
        }
        assert!(remembered.slots().len() <= DEDUP_AT);
        remembered.slots.items.sort_unstable();
        remembered.slots.items.dedup();
        assert_eq!(remembered.slots().len(), 100);
    }
}
