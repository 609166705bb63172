//! Large objects: each has its own pages and is never moved.
//!
//! They do not all begin at the begin of a page, but at one of several places (*colours*) as far as the last page has
//! room. A copy from one to another that begins an element later would else store, element for element, to an address
//! that processors take for that of the next load, since they compare no more than the place in the page.

use super::marks::Marks;
use super::pages::{PAGE_BYTES, Pages};
use std::ops::Range;

/// One large object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Large {
    /// Address of its header, in its first page.
    pub at: u32,
    /// Pages that it has.
    pub pages: u32,
}

impl Large {
    /// The addresses that it may take.
    pub fn range(&self) -> Range<u32> {
        let start = self.at / PAGE_BYTES * PAGE_BYTES;
        start..start + self.pages * PAGE_BYTES
    }
}

/// All large objects of a heap.
#[derive(Debug, Default)]
pub(crate) struct LargeSpace {
    objects: Vec<Large>,
    /// Headers of those that were allocated since the last collection: lowered code sets them up
    /// without a barrier, so that they may refer to young objects.
    young: Vec<u32>,
    young_pages: u64,
    pages: u64,
    /// How many were taken.
    taken: u32,
}

/// Bytes between two colours: a line of the caches, and the next, which is fetched with it.
const COLOUR: u32 = 128;

/// How many colours there are.
const COLOURS: u32 = 16;

impl LargeSpace {
    /// Pages for an object of this size.
    pub fn pages_for(bytes: u64) -> u64 {
        bytes.div_ceil(PAGE_BYTES as u64)
    }

    /// Takes room for an object of so many bytes, less than 4 GiB: the address of its header.
    pub fn take(&mut self, bytes: u64, pages: &mut Pages) -> Option<u32> {
        let count = LargeSpace::pages_for(bytes) as u32;
        let spare = (u64::from(count) * u64::from(PAGE_BYTES) - bytes) as u32;
        let colour = self.taken % COLOURS.min(spare / COLOUR + 1);
        let at = pages.take_run(count)? + colour * COLOUR;
        self.taken = self.taken.wrapping_add(1);
        self.objects.push(Large { at, pages: count });
        self.young.push(at);
        self.pages += count as u64;
        self.young_pages += count as u64;
        Some(at)
    }

    /// Bytes of pages that are in use.
    pub fn bytes(&self) -> u64 {
        self.pages * PAGE_BYTES as u64
    }

    /// Headers of those that were allocated since the last promotion.
    pub fn young(&self) -> &[u32] {
        &self.young
    }

    /// Bytes of their pages.
    pub fn young_bytes(&self) -> u64 {
        self.young_pages * PAGE_BYTES as u64
    }

    /// A promotion has looked at those that were young.
    pub fn none_is_young(&mut self) {
        self.young.clear();
        self.young_pages = 0;
    }

    /// All of them.
    pub fn objects(&self) -> &[Large] {
        &self.objects
    }

    /// Frees those that are not marked; calls `freed` with the addresses of each.
    pub fn sweep(&mut self, marks: &Marks, pages: &mut Pages, mut freed: impl FnMut(Range<u32>)) {
        let total = &mut self.pages;
        self.objects.retain(|object| {
            let live = marks.is_set(object.at);
            if !live {
                pages.give_run(object.range().start, object.pages);
                *total -= object.pages as u64;
                freed(object.range());
            }
            live
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unmarked_objects_give_their_pages_back() {
        let mut pages = Pages::new(0x10000);
        pages.extend(0x20000);
        let mut marks = Marks::new(0);
        marks.reset(0x20000);
        let mut large = LargeSpace::default();
        let (a, b) = (large.take(3 * 4096, &mut pages).unwrap(), large.take(4 * 4096, &mut pages).unwrap());
        assert_eq!(large.bytes(), 7 * 4096);
        marks.set(b);
        let mut freed = vec![];
        large.sweep(&marks, &mut pages, |range| freed.push(range));
        assert_eq!((freed.len(), large.bytes()), (1, 4 * 4096));
        assert_eq!(freed[0], a..a + 3 * 4096);
        assert_eq!((large.objects(), pages.free_pages()), (&[Large { at: b, pages: 4 }][..], 12));
    }

    #[test]
    fn objects_begin_at_different_places_of_their_pages() {
        let mut pages = Pages::new(0x10000);
        pages.extend(0x20000);
        let mut large = LargeSpace::default();
        let mut taken = [8192, 8193, 12_000, 8193, 8192].map(|bytes| large.take(bytes, &mut pages).unwrap());
        assert_eq!(taken.map(|at| at % PAGE_BYTES), [0, 128, 256, 384, 0]);
        assert_eq!(large.bytes(), (2 + 3 + 3 + 3 + 2) * 4096);
        assert!(large.objects().iter().all(|object| object.range().contains(&object.at)));
        taken.sort_unstable();
        let mut marks = Marks::new(0);
        marks.reset(0x20000);
        large.sweep(&marks, &mut pages, |_| {});
        assert_eq!((large.bytes(), pages.free_pages()), (0, 16));
    }
}
