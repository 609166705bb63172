//! The remembered set: where old objects may refer to young ones.
//!
//! Lowered code appends the address of a slot to a buffer in the heap memory when it stores a young
//! reference into an old object, unless the slot holds a young one already. When the buffer is full the
//! entries come here, where duplicates are dropped: a slot that holds young and other references by turns
//! is in the buffer more than once. Objects that many references were stored into are remembered as a whole.
//!
//! While a collection marks in steps, every slot of an old object that a reference is stored into is remembered:
//! what it refers to is marked when the entry leaves the buffer, or by the next minor collection.
//!
//! A minor collection empties all of it; a major one replaces it by the exact set, so that no entry
//! survives the object that it is in.

use super::memory::{Words, read};
use super::verify::{Fault, VerifyError};
use crate::layout::{HeapMap, reference};

/// Words of memory that one chunk of the bitmap stands for.
const CHUNK_WORDS: u32 = 1 << 16;

/// A part of the bitmap.
type Chunk = Box<[u64; CHUNK_WORDS as usize / 64]>;

/// Addresses of words in the order of their arrival, each once.
#[derive(Debug, Default)]
struct AddressSet {
    items: Vec<u32>,
    /// A bit for each word, set for those in `items`. Chunks are made when they are needed, and kept.
    seen: Vec<Option<Chunk>>,
}

impl AddressSet {
    fn insert(&mut self, at: u32) {
        let chunk = (at / 4 / CHUNK_WORDS) as usize;
        if chunk >= self.seen.len() {
            self.seen.resize_with(chunk + 1, || None);
        }
        let chunk = self.seen[chunk].get_or_insert_with(|| Box::new([0; CHUNK_WORDS as usize / 64]));
        let (word, mask) = bit(at);
        if chunk[word] & mask == 0 {
            chunk[word] |= mask;
            self.items.push(at);
        }
    }

    fn clear(&mut self) {
        for at in self.items.drain(..) {
            if let Some(Some(chunk)) = self.seen.get_mut((at / 4 / CHUNK_WORDS) as usize) {
                chunk[bit(at).0] = 0;
            }
        }
    }
}

/// Where an address is in its chunk.
fn bit(at: u32) -> (usize, u64) {
    let word = at / 4 % CHUNK_WORDS;
    ((word / 64) as usize, 1 << (word % 64))
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

    /// Breaks the set, for the verifier to notice: the last slot is in it once more.
    #[cfg(test)]
    pub fn repeat_last_slot(&mut self) {
        self.slots.items.extend_from_within(self.slots.items.len() - 1..);
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

    /// Moves those entries of the buffer here that matter: whose slots hold young references. Calls `other` with what
    /// the others hold.
    pub fn take_buffer(&mut self, words: &mut Words, map: HeapMap, end: u32, mut other: impl FnMut(u32)) {
        let mut at = map.remembered_start();
        while at < end {
            let slot = words.get(at);
            let value = words.get(slot);
            if reference::is_object(value) && map.is_young(reference::header(value)) {
                self.slot(slot);
            } else {
                other(value);
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
    fn each_address_is_kept_once_until_all_are_forgotten() {
        let mut set = AddressSet::default();
        let far = CHUNK_WORDS * 4 * 3;
        for i in 0..1000 {
            let word = i * 7 % 100;
            set.insert(word * 4 + word % 2 * far);
        }
        assert_eq!(set.items.len(), 100);
        set.clear();
        assert!(set.items.is_empty() && set.seen.iter().flatten().all(|chunk| chunk.iter().all(|&bits| bits == 0)));
        set.insert(far + 4);
        assert_eq!((&set.items[..], set.seen.iter().flatten().count()), (&[far + 4][..], 2));
    }
}
