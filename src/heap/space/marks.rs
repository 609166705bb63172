//! Mark bits, one for each word from the nursery on. They mean something during a major collection
//! only.

/// The bitmap.
#[derive(Debug)]
pub(crate) struct Marks {
    start: u32,
    bits: Vec<u64>,
}

impl Marks {
    /// An empty bitmap for addresses from `start` on.
    pub fn new(start: u32) -> Marks {
        Marks { start, bits: Vec::new() }
    }

    /// Clears all bits, and covers the addresses up to `end`.
    pub fn reset(&mut self, end: u64) {
        let words = (end.saturating_sub(self.start as u64)).div_ceil(4 * 64) as usize;
        self.bits.clear();
        self.bits.resize(words, 0);
    }

    /// Sets the bit of an address; whether it was clear. An address out of range counts as set.
    #[inline(always)]
    pub fn set(&mut self, at: u32) -> bool {
        let bit = at.wrapping_sub(self.start) >> 2;
        match self.bits.get_mut((bit >> 6) as usize) {
            Some(word) => {
                let mask = 1 << (bit & 63);
                let new = *word & mask == 0;
                *word |= mask;
                new
            }
            None => false,
        }
    }

    /// Whether the bit of an address is set.
    pub fn is_set(&self, at: u32) -> bool {
        let bit = at.wrapping_sub(self.start) >> 2;
        self.bits.get((bit >> 6) as usize).is_some_and(|word| word >> (bit & 63) & 1 == 1)
    }
}
