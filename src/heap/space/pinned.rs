//! Pinned objects: descriptors, which are RTT records of other objects. Headers hold their addresses,
//! and so does machine code for a while, so they never move.
//!
//! Most programs have as many as classes, a few hundred bytes each. So this is simple: objects of one size
//! reuse each other's places, and pages go back when all objects in them are dead. But a program may make
//! any number, so nothing here walks them all but a sweep, once. What it is not: a space for pinning what
//! the host likes.

use super::marks::Marks;
use super::pages::{PAGE_BYTES, Pages};
use std::collections::BTreeMap;
use std::ops::Range;

/// Pages that are taken at a time.
const RUN_PAGES: u32 = 2;

/// Pages, and how many objects are alive in them.
#[derive(Debug)]
struct Run {
    pages: u32,
    objects: u32,
}

/// All pinned objects of a heap.
#[derive(Debug, Default)]
pub(crate) struct PinnedSpace {
    /// Sizes by address.
    objects: BTreeMap<u32, u32>,
    /// By address of the first page.
    runs: BTreeMap<u32, Run>,
    /// Addresses of places that are free, by size.
    free: BTreeMap<u32, Vec<u32>>,
    bump: u32,
    limit: u32,
    /// Pages of all runs.
    pages: u64,
}

impl PinnedSpace {
    /// Pages that [`PinnedSpace::take`] may need for an object of this size.
    pub fn pages_for(bytes: u32) -> u32 {
        bytes.div_ceil(PAGE_BYTES).max(RUN_PAGES)
    }

    /// Takes room for an object (a multiple of 4 bytes): its address.
    pub fn take(&mut self, bytes: u32, pages: &mut Pages) -> Option<u32> {
        let at = match self.free.get_mut(&bytes).and_then(Vec::pop) {
            Some(at) => at,
            None => self.bump(bytes, pages)?,
        };
        self.objects.insert(at, bytes);
        if let Some((_, run)) = self.runs.range_mut(..=at).next_back() {
            run.objects += 1;
        }
        Some(at)
    }

    fn bump(&mut self, bytes: u32, pages: &mut Pages) -> Option<u32> {
        if self.limit - self.bump < bytes {
            let count = PinnedSpace::pages_for(bytes);
            let at = pages.take_run(count)?;
            self.runs.insert(at, Run { pages: count, objects: 0 });
            self.pages += u64::from(count);
            (self.bump, self.limit) = (at, at + count * PAGE_BYTES);
        }
        let at = self.bump;
        self.bump += bytes;
        Some(at)
    }

    /// Bytes of pages that are in use.
    pub fn bytes(&self) -> u64 {
        self.pages * u64::from(PAGE_BYTES)
    }

    /// The place of the object at an address.
    pub fn range(&self, at: u32) -> Option<Range<u32>> {
        self.objects.get(&at).map(|bytes| at..at + bytes)
    }

    /// Whether there is an object at an address.
    #[inline]
    pub fn contains(&self, at: u32) -> bool {
        self.objects.contains_key(&at)
    }

    /// Frees what is not marked; calls `freed` with its addresses.
    pub fn sweep(&mut self, marks: &Marks, pages: &mut Pages, mut freed: impl FnMut(Range<u32>)) {
        let (runs, free) = (&mut self.runs, &mut self.free);
        self.objects.retain(|&at, &mut bytes| {
            let live = marks.is_set(at);
            if !live {
                freed(at..at + bytes);
                free.entry(bytes).or_default().push(at);
                if let Some((_, run)) = runs.range_mut(..=at).next_back() {
                    run.objects -= 1;
                }
            }
            live
        });
        let mut any = false;
        self.runs.retain(|&at, run| {
            if run.objects > 0 {
                return true;
            }
            let end = at + run.pages * PAGE_BYTES;
            if end == self.limit {
                (self.bump, self.limit) = (0, 0);
            }
            freed(at..end);
            pages.give_run(at, run.pages);
            self.pages -= u64::from(run.pages);
            any = true;
            false
        });
        if any {
            // Places in pages that are gone.
            let runs = &self.runs;
            let is_there = |at: u32| {
                runs.range(..=at).next_back().is_some_and(|(&start, run)| at < start + run.pages * PAGE_BYTES)
            };
            self.free.values_mut().for_each(|places| places.retain(|&at| is_there(at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_reused_and_empty_pages_given_back() {
        let mut pages = Pages::new(0x10000);
        pages.extend(0x20000);
        let all = pages.free_pages();
        let mut pinned = PinnedSpace::default();
        let objects: Vec<u32> = (0..40).map(|_| pinned.take(300, &mut pages).unwrap()).collect();
        assert_eq!((pinned.bytes(), pages.free_pages()), (16384, all - 4));
        let mut marks = Marks::new(0);
        marks.reset(0x20000);
        // One lives in the second run.
        marks.set(objects[39]);
        let mut freed = 0;
        pinned.sweep(&marks, &mut pages, |range| freed += range.len());
        assert_eq!((pinned.bytes(), pages.free_pages()), (8192, all - 2));
        assert!(freed >= 39 * 300);
        assert!(pinned.contains(objects[39]) && !pinned.contains(objects[38]) && pinned.range(objects[0]).is_none());
        let again = pinned.take(300, &mut pages).unwrap();
        assert!(again > objects[0] + 8191 && again != objects[39]);
        marks.reset(0x20000);
        pinned.sweep(&marks, &mut pages, |_| {});
        assert_eq!((pinned.bytes(), pages.free_pages()), (0, all));
        assert!(pinned.take(9000, &mut pages).is_some());
    }

    /// A sweep looked at every free place once for each run that was empty, and each allocation added all runs up:
    /// eight hundred thousand descriptors took most of a minute. Nothing here measures time; who waits for this test
    /// has found it again.
    #[test]
    fn many_objects_take_linear_time() {
        let (count, end) = if cfg!(miri) { (100, 0x4_0000) } else { (400_000, 0x1000_0000) };
        let mut pages = Pages::new(0x10000);
        pages.extend(end);
        let mut pinned = PinnedSpace::default();
        let mut bytes = 0;
        for _ in 0..count {
            pinned.take(300, &mut pages).unwrap();
            bytes = bytes.max(pinned.bytes());
        }
        assert!(bytes >= 300 * count);
        let mut marks = Marks::new(0);
        marks.reset(end);
        pinned.sweep(&marks, &mut pages, |_| {});
        assert_eq!(pinned.bytes(), 0);
    }
}
