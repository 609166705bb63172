//! Large objects: each has its own pages and is never moved.

use super::marks::Marks;
use super::pages::{PAGE_BYTES, Pages};
use std::ops::Range;

/// One large object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Large {
    /// Address of its header: the start of its first page.
    pub at: u32,
    /// Pages that it has.
    pub pages: u32,
}

impl Large {
    /// The addresses that it may take.
    pub fn range(&self) -> Range<u32> {
        self.at..self.at + self.pages * PAGE_BYTES
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
}

impl LargeSpace {
    /// Pages for an object of this size.
    pub fn pages_for(bytes: u64) -> u64 {
        bytes.div_ceil(PAGE_BYTES as u64)
    }

    /// Takes room for an object: the address of its header.
    pub fn take(&mut self, count: u32, pages: &mut Pages) -> Option<u32> {
        let at = pages.take_run(count)?;
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
                pages.give_run(object.at, object.pages);
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
        let (a, b) = (large.take(3, &mut pages).unwrap(), large.take(4, &mut pages).unwrap());
        assert_eq!(large.bytes(), 7 * 4096);
        marks.set(b);
        let mut freed = vec![];
        large.sweep(&marks, &mut pages, |range| freed.push(range));
        assert_eq!((freed.len(), large.bytes()), (1, 4 * 4096));
        assert_eq!(freed[0], a..a + 3 * 4096);
        assert_eq!((large.objects(), pages.free_pages()), (&[Large { at: b, pages: 4 }][..], 12));
    }
}
