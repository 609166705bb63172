//! The remembered set: where old objects may refer to young ones.
//!
//! Lowered code appends the address of a slot to a buffer in the heap memory when it stores a young
//! reference into an old object, unless the slot holds a young one already. A slot that holds young and other references
//! by turns is in the buffer more than once. What the host writes is remembered on its own side, where each slot is once.
//! Of what is stored without a barrier each, as by a copy of elements, it remembers the object as a whole; of a large array only
//! the cards that were written to (`cards.rs`).
//!
//! What finds no room in the buffer is lost: there is no call in lowered code (see `lower/helper.rs`). The cell for the next
//! entry then stays at the last word of the buffer. A major collection needs no remembered set, so a full buffer
//! makes the next collection a major one, and gives up a cycle that is under way. Then the buffer is made larger; where it
//! can not be, less of the nursery is used, so that less is stored between two collections. A buffer that is not the
//! first one is given back when memory is short.
//!
//! While a collection marks in steps, every slot of an old object that a reference is stored into is remembered:
//! what it refers to is marked by the next minor collection.
//!
//! A minor collection empties all of it; a major one replaces it by the exact set, so that no entry
//! survives the object that it is in.

use super::Heap;
use super::cards::Cards;
use super::memory::{HeapMemory, Words, read};
use super::space::pages::PAGE_BYTES;
use super::verify::{Fault, VerifyError};
use crate::layout::HeapMap;
use std::ops::Range;

/// A buffer that was too small gets as large as such a part of the heap,
const HEAP_SHARE: u64 = 32;
/// ... or as such a part of the nursery that is in use, if that is more: an entry for each twelve bytes;
const USED_SHARE: u32 = 3;
/// ... but no larger than such a part of all of the nursery, an entry for each eight bytes.
const NURSERY_SHARE: u32 = 2;

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
    /// First word of the buffer, and the last one, which holds no entry.
    range: (u32, u32),
    /// Those of the buffer that a heap has at first.
    first: (u32, u32),
    /// Bytes of the buffer behind the collection before.
    was: u32,
    slots: AddressSet,
    /// Of large arrays.
    pub cards: Cards,
    objects: AddressSet,
}

impl Remembered {
    /// Nothing, with a buffer for at most so many entries.
    pub fn new(map: HeapMap, entries: u32) -> Remembered {
        let (start, end) = (map.remembered_start(), map.remembered_end());
        let first = (start, start.saturating_add(entries.saturating_mul(4)).min(end - 4));
        let (slots, cards, objects) = Default::default();
        Remembered { range: first, first, was: 0, slots, cards, objects }
    }

    /// Bytes of the buffer.
    fn bytes(&self) -> u32 {
        self.range.1 + 4 - self.range.0
    }

    /// Whether the buffer is another than the first one.
    #[cfg(test)]
    pub fn has_own_pages(&self) -> bool {
        self.range != self.first
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
        self.cards.clear();
        self.objects.clear();
        words.set(map.remembered_object_cell(), 0);
        self.set_cells(words, map);
    }

    fn set_cells(&self, words: &mut Words, map: HeapMap) {
        words.set(map.remembered_cell(), self.range.0);
        words.set(map.remembered_last_cell(), self.range.1);
    }

    /// Where the entries in the buffer are.
    pub fn entries(&self, bytes: &[u8], map: HeapMap) -> Result<Range<u32>, VerifyError> {
        let cell = map.remembered_cell();
        let end = read(bytes, cell);
        if end < self.range.0 || end > self.range.1 || !end.is_multiple_of(4) {
            return Err(VerifyError::cell(Fault::Remembered, cell, end));
        }
        Ok(self.range.0..end)
    }

    /// Whether slots may be lost, as the buffer was full.
    pub fn is_full(&self, bytes: &[u8], map: HeapMap) -> bool {
        read(bytes, map.remembered_cell()) == self.range.1
    }
}

impl Heap {
    /// Behind a collection, which left the buffer empty: makes it larger if `used` bytes of it were too many, and uses less of the
    /// nursery if that was in vain. A cycle that has `begun` remembers every store.
    pub(super) fn adapt_buffer(
        &mut self,
        mem: &mut dyn HeapMemory,
        used: u32,
        full: bool,
        begun: bool,
    ) -> Result<(), VerifyError> {
        let full_nursery = self.nursery.used(mem.bytes())? > 0;
        if full_nursery || self.is_short {
            self.give_buffer_back(mem);
        } else if full || begun || used > self.remembered.bytes() / 2 {
            self.enlarge_buffer(mem);
        }
        let bytes = self.remembered.bytes();
        let words = &mut Words::new(mem.bytes_mut());
        if full && !full_nursery && self.remembered.was == bytes {
            self.nursery.stores_too_many(words);
        } else if !full && used < bytes / 4 {
            self.nursery.stores_fit(words);
        }
        self.remembered.was = bytes;
        Ok(())
    }

    /// Makes the buffer as large as it may be, if there is memory.
    fn enlarge_buffer(&mut self, mem: &mut dyn HeapMemory) {
        let bytes = self.remembered.bytes();
        let nursery = self.map.nursery_end - self.map.nursery_start;
        let share = (self.stats.heap_bytes / HEAP_SHARE).max(u64::from(self.nursery.size() / USED_SHARE));
        let most = share.min(u64::from(nursery / NURSERY_SHARE)) as u32;
        let pages = most / PAGE_BYTES;
        if pages * PAGE_BYTES < bytes + bytes / 4 {
            return;
        }
        let mut found = self.pages.take_run(pages);
        if found.is_none() && self.grow(mem, u64::from(pages * PAGE_BYTES)) {
            found = self.pages.take_run(pages);
        }
        let Some(at) = found else { return };
        self.give_buffer_back(mem);
        self.remembered.range = (at, at + pages * PAGE_BYTES - 4);
        self.remembered.set_cells(&mut Words::new(mem.bytes_mut()), self.map);
    }

    /// Uses the first buffer again.
    fn give_buffer_back(&mut self, mem: &mut dyn HeapMemory) {
        if self.remembered.range == self.remembered.first {
            return;
        }
        self.pages.give_run(self.remembered.range.0, self.remembered.bytes() / PAGE_BYTES);
        self.remembered.range = self.remembered.first;
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
