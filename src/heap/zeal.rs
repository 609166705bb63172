//! Zeal: a collection at every `n`th allocation, to make missing roots and barriers show.
//!
//! With zeal the limit cell is 0, so that every allocation comes here. The collection is a major one
//! that moves every object of the nursery and, where there is room, of the old space; by turns with it, a major one in
//! steps of one object, two, four, and so on, one at each strike.

use std::num::NonZeroU32;

/// Counts allocations.
#[derive(Debug)]
pub(crate) struct Zeal {
    every: Option<NonZeroU32>,
    left: u32,
}

impl Zeal {
    pub fn new(every: Option<NonZeroU32>) -> Zeal {
        Zeal { every, left: every.map_or(0, NonZeroU32::get) }
    }

    /// Whether zeal is on.
    pub fn is_on(&self) -> bool {
        self.every.is_some()
    }

    /// An allocation happens: whether it is to collect first.
    pub fn strikes(&mut self) -> bool {
        let Some(every) = self.every else { return false };
        self.left -= 1;
        if self.left > 0 {
            return false;
        }
        self.left = every.get();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_strikes_at_every_nth() {
        let mut zeal = Zeal::new(NonZeroU32::new(3));
        let struck: Vec<bool> = (0..7).map(|_| zeal.strikes()).collect();
        assert_eq!(struck, [false, false, true, false, false, true, false]);
        assert!(!Zeal::new(None).strikes());
    }
}
