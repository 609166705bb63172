//! Mark bits, one for each word from the nursery on. They mean something during a major collection
//! only, which may be one in steps.
//!
//! When several threads mark, each has a bitmap of its own and looks into those of the others, so that no bit needs
//! a read-modify-write that the others could see: on x86 the accesses are plain moves. Two may then find the same
//! object new; [`Marks::absorb`] tells which.

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

    /// A bitmap for the same addresses, with no bit set.
    pub fn another(&self) -> Marks {
        Marks { start: self.start, bits: std::iter::repeat_with(AtomicU64::default).take(self.bits.len()).collect() }
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

    /// The same while others may look. No other thread may set bits.
    #[inline(always)]
    pub fn set_shared(&self, at: u32) -> bool {
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

    /// Whether the bit of an address is set.
    #[inline(always)]
    pub fn is_set(&self, at: u32) -> bool {
        let (word, mask) = self.place(at);
        self.bits.get(word).is_some_and(|word| word.load(Relaxed) & mask != 0)
    }

    /// Sets all bits that are set in `other`; calls `twice` with the addresses of those that were set in both.
    pub fn absorb(&mut self, other: &mut Marks, mut twice: impl FnMut(u32)) {
        for (n, (mine, theirs)) in (0u32..).zip(self.bits.iter_mut().zip(&mut other.bits)) {
            let (mine, theirs) = (mine.get_mut(), *theirs.get_mut());
            let mut both = *mine & theirs;
            *mine |= theirs;
            while both != 0 {
                twice(self.start + 4 * (64 * n + both.trailing_zeros()));
                both &= both - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_have_marked_is_told_when_they_are_put_together() {
        let mut mine = Marks::new(64);
        mine.reset(4096);
        let mut other = mine.another();
        assert!(mine.set(64) && !mine.set(64) && mine.set(1000) && !mine.set(60) && !mine.set(8192));
        assert!(other.set_shared(1000) && !other.set_shared(1000) && other.set_shared(4092) && !other.set_shared(0));
        let mut twice = vec![];
        mine.absorb(&mut other, |at| twice.push(at));
        assert_eq!(twice, [1000]);
        assert!(mine.is_set(64) && mine.is_set(1000) && mine.is_set(4092) && !mine.is_set(68));
        mine.reset(1024);
        assert!(!mine.is_set(1000) && mine.set(1000));
    }
}
