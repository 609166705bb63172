//! Decisions, drawn from the bytes of an input.
//!
//! When the bytes are used up, every decision is the first alternative. Generators therefore list the
//! one that ends soonest first, and end.

use arbitrary::Unstructured;

/// What an input decides.
pub struct Source<'a> {
    bytes: Unstructured<'a>,
}

impl<'a> Source<'a> {
    /// Decisions from these bytes.
    pub fn new(data: &'a [u8]) -> Source<'a> {
        Source { bytes: Unstructured::new(data) }
    }

    /// A number below `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        self.bytes.int_in_range(0..=n.saturating_sub(1)).unwrap_or(0)
    }

    /// A number in `from ..= to`.
    pub fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to - from + 1)
    }

    /// True in about this many of 100 cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        // So that "no" comes first.
        self.below(100) >= 100 - percent.min(100)
    }

    /// One of these, if there are any.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len())).copied()
    }

    /// One of these with the given weights; the first must have one.
    pub fn weighted<T: Copy>(&mut self, from: &[(usize, T)]) -> T {
        let total = from.iter().map(|(weight, _)| weight).sum();
        let mut at = self.below(total);
        for &(weight, choice) in from {
            if at < weight {
                return choice;
            }
            at -= weight;
        }
        from[0].1
    }

    /// Whether there are bytes left.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.bytes.len()
    }

    /// An integer, often a special one.
    pub fn integer(&mut self) -> i64 {
        const SPECIAL: &[i64] = &[
            0,
            1,
            -1,
            2,
            3,
            7,
            127,
            128,
            255,
            256,
            -128,
            32767,
            32768,
            65535,
            65536,
            i32::MAX as i64,
            i32::MIN as i64,
            0x3FFF_FFFF,
            0x4000_0000,
            0xFFFF_FFFF,
            i64::MAX,
            i64::MIN,
        ];
        match self.below(3) {
            0 => self.below(20) as i64,
            1 => self.pick(SPECIAL).unwrap_or(0),
            _ => self.bytes.arbitrary().unwrap_or(0),
        }
    }
}
