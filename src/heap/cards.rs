//! Cards: the parts of large arrays that references were copied or filled into.
//!
//! A card is 128 bytes and has a bit. The cards of a page are one word, as a page belongs to one large object: so a long copy marks a
//! page at a time, and no collection looks at all of a long array for a short copy. What is stored by itself is remembered by
//! its slot, and small arrays as a whole: see `remembered.rs`.
//!
//! Card marking is of P. R. Wilson and T. G. Moher, "A card-marking scheme for controlling intergenerational references in
//! generation-based garbage collection on stock hardware" (SIGPLAN Notices 1989). Here no card is searched for objects, since
//! each entry knows its array.

use super::space::pages::PAGE_BYTES;
use std::ops::Range;

/// Cards of a page.
const PER_PAGE: u32 = u32::BITS;
/// Bytes of a card.
const CARD_BYTES: u32 = PAGE_BYTES / PER_PAGE;

/// Which cards are marked.
#[derive(Debug, Default)]
pub(crate) struct Cards {
    /// A word for each page, a bit for each card.
    bits: Vec<u32>,
    /// The pages that have marked cards, with the header's address of the array that each belongs to.
    pages: Vec<(u32, u32)>,
}

impl Cards {
    /// Marks the cards of a range of addresses, which is within the large array that has its header at `array`.
    pub fn mark(&mut self, array: u32, range: Range<u32>) {
        if range.is_empty() {
            return;
        }
        let (first, last) = (range.start / CARD_BYTES, (range.end - 1) / CARD_BYTES);
        let (first_page, last_page) = (first / PER_PAGE, last / PER_PAGE);
        if last_page as usize >= self.bits.len() {
            self.bits.resize(last_page as usize + 1, 0);
        }
        for page in first_page..=last_page {
            let from = if page == first_page { first % PER_PAGE } else { 0 };
            let to = if page == last_page { last % PER_PAGE } else { PER_PAGE - 1 };
            let bits = &mut self.bits[page as usize];
            if *bits == 0 {
                self.pages.push((page, array));
            }
            *bits |= (u32::MAX << from) & (u32::MAX >> (PER_PAGE - 1 - to));
        }
    }

    /// Marked cards that are adjacent in a page: the header of their array, and their addresses.
    pub fn each(&self) -> impl Iterator<Item = (u32, Range<u32>)> {
        self.pages.iter().flat_map(|&(page, array)| {
            let mut bits = self.bits[page as usize];
            std::iter::from_fn(move || {
                let first = bits.trailing_zeros();
                let count = bits.checked_shr(first)?.trailing_ones();
                bits = bits.checked_shr(first + count).map_or(0, |rest| rest << (first + count));
                let start = page * PAGE_BYTES + first * CARD_BYTES;
                Some((array, start..start.saturating_add(count * CARD_BYTES)))
            })
        })
    }

    /// Whether an address is on a marked card.
    pub fn contains(&self, at: u32) -> bool {
        let card = at / CARD_BYTES;
        self.bits.get((card / PER_PAGE) as usize).is_some_and(|bits| bits & 1 << (card % PER_PAGE) != 0)
    }

    /// Forgets all marks.
    pub fn clear(&mut self) {
        for (page, _) in self.pages.drain(..) {
            self.bits[page as usize] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_found_once() {
        let mut cards = Cards::default();
        let all = 5 * PER_PAGE;
        // Ranges of all lengths, across the ends of pages and at them.
        for n in 0..400u32 {
            let (start, len) = (n * 37 % all, n * 11 % 70);
            let end = (start + len).min(all);
            cards.clear();
            let mut marked = vec![false; all as usize];
            for (start, end) in [(start, end), (0, n % 3), (all - n % 3, all)] {
                // From the middle of a card to the first word of another.
                let range = start * CARD_BYTES + 64..(end * CARD_BYTES).saturating_sub(CARD_BYTES - 4);
                if !range.is_empty() {
                    marked[start as usize..end as usize].fill(true);
                }
                cards.mark(8, range);
            }
            assert!((0..all).all(|card| cards.contains(card * CARD_BYTES + 124) == marked[card as usize]), "{n}");
            let mut found = vec![false; all as usize];
            for (array, range) in cards.each() {
                assert!(array == 8 && !range.is_empty());
                for card in range.step_by(CARD_BYTES as usize) {
                    assert!(!std::mem::replace(&mut found[(card / CARD_BYTES) as usize], true));
                }
            }
            assert_eq!(found, marked, "{n}");
        }
        cards.clear();
        assert!(cards.each().next().is_none() && !cards.contains(64));
    }
}
