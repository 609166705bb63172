//! The remembered set: where old objects may refer to young ones.
//!
//! Lowered code appends the address of a slot to a buffer in the heap memory when it stores a young
//! reference into an old object, unless the slot holds a young one already. A slot that holds young and other references
//! by turns is in the buffer more than once. What the host writes is remembered on its own side, where each slot is once, and
//! so are objects that many references were stored into, as a whole.
//!
//! What finds no room in the buffer is lost: there is no call in lowered code (see `lower/helper.rs`). The cell for the next
//! entry then stays at the last word of the buffer. A major collection needs no remembered set, so a full buffer
//! makes the next collection a major one, and then the buffer larger.
//!
//! While a collection marks in steps, every slot of an old object that a reference is stored into is remembered:
//! what it refers to is marked by the next minor collection.
//!
//! A minor collection empties all of it; a major one replaces it by the exact set, so that no entry
//! survives the object that it is in.

use super::Heap;
use super::memory::{HeapMemory, Words, read};
use super::space::pages::PAGE_BYTES;
use super::verify::{Fault, VerifyError};
use crate::layout::HeapMap;
use std::ops::Range;

/// A buffer that was full gets so many times as large,
const GROWTH: u32 = 8;
/// ... but no larger than such a part of the heap,
const HEAP_SHARE: u64 = 16;
/// ... and than so many bytes.
const MOST_BYTES: u64 = 16 << 20;

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

/// The buffer, and what is remembered on the host's side.
#[derive(Debug)]
pub(crate) struct Remembered {
    /// First word of the buffer.
    start: u32,
    /// Last word of the buffer, which holds no entry.
    last: u32,
    slots: AddressSet,
    objects: AddressSet,
}

impl Remembered {
    /// Nothing, with a buffer for at most so many entries.
    pub fn new(map: HeapMap, entries: u32) -> Remembered {
        let (start, end) = (map.remembered_start(), map.remembered_end());
        let last = start.saturating_add(entries.saturating_mul(4)).min(end - 4);
        Remembered { start, last, slots: AddressSet::default(), objects: AddressSet::default() }
    }

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
        self.set_cells(words, map);
    }

    fn set_cells(&self, words: &mut Words, map: HeapMap) {
        words.set(map.remembered_cell(), self.start);
        words.set(map.remembered_last_cell(), self.last);
    }

    /// Where the entries in the buffer are.
    pub fn entries(&self, bytes: &[u8], map: HeapMap) -> Result<Range<u32>, VerifyError> {
        let cell = map.remembered_cell();
        let end = read(bytes, cell);
        if end < self.start || end > self.last || !end.is_multiple_of(4) {
            return Err(VerifyError::cell(Fault::Remembered, cell, end));
        }
        Ok(self.start..end)
    }

    /// Whether slots may be lost, as the buffer was full.
    pub fn is_full(&self, bytes: &[u8], map: HeapMap) -> bool {
        read(bytes, map.remembered_cell()) == self.last
    }
}

impl Heap {
    /// Makes the buffer larger, which is empty but was full, if there is memory.
    pub(super) fn enlarge_buffer(&mut self, mem: &mut dyn HeapMemory) {
        let bytes = self.remembered.last + 4 - self.remembered.start;
        let most = (self.stats.heap_bytes / HEAP_SHARE).min(MOST_BYTES) as u32;
        let pages = bytes.saturating_mul(GROWTH).min(most) / PAGE_BYTES;
        if pages * PAGE_BYTES < 2 * bytes {
            return;
        }
        let mut found = self.pages.take_run(pages);
        if found.is_none() && self.grow(mem, u64::from(pages * PAGE_BYTES)) {
            found = self.pages.take_run(pages);
        }
        let Some(at) = found else { return };
        if self.remembered.start >= self.space_start {
            self.pages.give_run(self.remembered.start, bytes / PAGE_BYTES);
        }
        (self.remembered.start, self.remembered.last) = (at, at + pages * PAGE_BYTES - 4);
        self.remembered.set_cells(&mut Words::new(mem.bytes_mut()), self.map);
    }
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
