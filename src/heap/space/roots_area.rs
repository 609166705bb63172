//! Root areas: words outside of objects that are always roots, such as an instance's globals.
//!
//! Stores to them have no barrier, so every collection visits them all. They are never given back:
//! instances live as long as their store.

use super::pages::{PAGE_BYTES, Pages};
use std::ops::Range;

/// All root areas of a heap.
#[derive(Debug, Default)]
pub(crate) struct RootAreas {
    /// Words in use: ranges of addresses, ascending within a chunk.
    used: Vec<Range<u32>>,
    /// The rest of the last chunk.
    rest: Range<u32>,
}

impl RootAreas {
    /// Pages that must be free in a row before `take` of this many words.
    pub fn pages_for(&self, words: u32) -> u32 {
        let bytes = words as u64 * 4;
        if bytes <= (self.rest.end - self.rest.start) as u64 { 0 } else { bytes.div_ceil(PAGE_BYTES as u64) as u32 }
    }

    /// Takes `words` adjacent words, if the pages allow.
    pub fn take(&mut self, words: u32, pages: &mut Pages) -> Option<u32> {
        let need = self.pages_for(words);
        if need > 0 {
            let at = pages.take_run(need)?;
            self.rest = at..at + need * PAGE_BYTES;
        }
        let at = self.rest.start;
        let end = at + words * 4;
        self.rest.start = end;
        match self.used.last_mut() {
            Some(last) if last.end == at => last.end = end,
            _ => self.used.push(at..end),
        }
        Some(at)
    }

    /// The ranges of addresses of all words in use.
    pub fn ranges(&self) -> &[Range<u32>] {
        &self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_areas_share_a_page_and_adjacent_ones_a_range() {
        let mut pages = Pages::new(0x10000);
        pages.extend(0x20000);
        let mut areas = RootAreas::default();
        assert_eq!(areas.take(3, &mut pages), Some(0x10000));
        assert_eq!(areas.take(5, &mut pages), Some(0x1000C));
        assert_eq!(areas.take(2000, &mut pages), Some(0x11000));
        assert_eq!(areas.ranges(), &[0x10000..0x10020, 0x11000..0x11000 + 8000]);
        assert_eq!(areas.take(1 << 20, &mut pages), None);
    }
}
