//! Mark bits, one for each word from the nursery on. They mean something during a major collection
//! only, which may be one in steps.
//!
//! Several threads may mark at once. Each looks first, and sets what is not set yet by an instruction that tells who was
//! the first; as an object is new only once, that is seldom. Before that was a bitmap for each thread, put together in the
//! end; see "Lessons" in `docs/heap.md`.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// The bitmap.
#[derive(Debug)]
pub(crate) struct Marks {
    start: u32,
    bits: Vec<AtomicU64>,
}

impl Marks {
    /// An empty bitmap for addresses from `start` on.
    pub fn new(start: u32) -> Marks {
        Marks { start, bits: Vec::new() }
    }

    /// Clears all bits, and covers the addresses up to `end`.
    pub fn reset(&mut self, end: u64) {
        let words = (end.saturating_sub(self.start as u64)).div_ceil(4 * 64) as usize;
        self.bits.iter_mut().for_each(|word| *word.get_mut() = 0);
        self.bits.resize_with(words, AtomicU64::default);
    }

    /// Covers the addresses up to `end` too; new bits are clear.
    pub fn extend(&mut self, end: u64) {
        let words = (end.saturating_sub(self.start as u64)).div_ceil(4 * 64) as usize;
        self.bits.resize_with(words.max(self.bits.len()), AtomicU64::default);
    }

    /// The word and the bit for an address.
    #[inline(always)]
    fn place(&self, at: u32) -> (usize, u64) {
        let bit = at.wrapping_sub(self.start) >> 2;
        ((bit >> 6) as usize, 1 << (bit & 63))
    }

    /// Sets the bit of an address; whether it was clear. An address out of range counts as set.
    #[inline(always)]
    pub fn set(&mut self, at: u32) -> bool {
        let (word, mask) = self.place(at);
        match self.bits.get_mut(word) {
            Some(word) => {
                let word = word.get_mut();
                let new = *word & mask == 0;
                *word |= mask;
                new
            }
            None => false,
        }
    }

    /// The same while other threads do it too.
    #[inline(always)]
    pub fn set_shared(&self, at: u32) -> bool {
        let (word, mask) = self.place(at);
        match self.bits.get(word) {
            Some(word) => word.load(Relaxed) & mask == 0 && word.fetch_or(mask, Relaxed) & mask == 0,
            None => false,
        }
    }

    /// The same while other threads may look, but none sets bits.
    #[inline(always)]
    pub fn set_alone(&self, at: u32) -> bool {
        let (word, mask) = self.place(at);
        match self.bits.get(word) {
            Some(word) => {
                let old = word.load(Relaxed);
                word.store(old | mask, Relaxed);
                old & mask == 0
            }
            None => false,
        }
    }

    /// How many bits are set.
    pub fn count(&self) -> u64 {
        self.bits.iter().map(|word| u64::from(word.load(Relaxed).count_ones())).sum()
    }

    /// Whether the bit of an address is set.
    #[inline(always)]
    pub fn is_set(&self, at: u32) -> bool {
        let (word, mask) = self.place(at);
        self.bits.get(word).is_some_and(|word| word.load(Relaxed) & mask != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_new_once_whoever_marks_it() {
        let mut marks = Marks::new(64);
        marks.reset(4096);
        assert!(marks.set(64) && !marks.set(64) && marks.set(1000) && !marks.set(60) && !marks.set(8192));
        assert!(!marks.set_shared(1000) && marks.set_shared(4092) && !marks.set_shared(4092) && !marks.set_shared(0));
        let new = || (0..1008).filter(|n| marks.set_shared(64 + 4 * n)).count();
        let new = std::thread::scope(|scope| [(); 3].map(|()| scope.spawn(new)).map(|one| one.join().unwrap()));
        assert_eq!(new.iter().sum::<usize>(), 1008 - 3);
        assert_eq!(marks.count(), 1008);
        marks.reset(1024);
        assert!(!marks.is_set(1000) && marks.set(1000));
    }
}
