//! Large objects that die young: freed by minor collections, while that pays.
//!
//! A minor collection does not know who refers to a large object, and so frees none. A program that keeps much and makes one
//! large string after the other, each of which dies at once, would mark all that it keeps for each few of them. So when a
//! major collection that moved nothing has freed much in large objects, its marks are kept, and the heap is *watched*:
//!
//! - all that is old has a mark, but for large objects that are made from now on;
//! - the boundary cell makes the barrier remember every reference that is stored into an old object, as in a cycle;
//! - the next promotion marks what roots, remembered slots and promoted objects refer to, as in a cycle; nothing is traced, as
//!   large objects that are made meanwhile are looked at as a whole, dead or alive;
//! - a large object without a mark is dead then.
//!
//! What a weak word refers to counts as alive. Watching ends with the next major collection, when few objects die, or when more
//! is remembered than it is worth.
//!
//! What this is not: a generation of large objects. They are old from the start, and who survives one promotion stays.

use super::roots::object_header;
use super::shade::Cycle;
use crate::heap::Heap;
use crate::heap::memory::{HeapMemory, Words};
use crate::heap::verify::VerifyError;

/// Watching ends when so many promotions have not seen as many large objects as it takes to judge.
const MAX_WAIT: u32 = 100;
/// A remembered slot is worth so many bytes that are freed,
const BYTES_PER_SLOT: u64 = 16;
/// ... but for so many.
const MAX_SLOTS: u64 = 1 << 14;

/// What watching has brought since it was judged last.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Bytes of large objects.
    freed: u64,
    /// Slots that were remembered.
    slots: u64,
    promotions: u32,
}

impl Heap {
    /// Whether the cycle is no cycle, but large objects are watched.
    pub(in crate::heap) fn is_watching(&self) -> bool {
        self.cycle.as_ref().is_some_and(|cycle| cycle.watch.is_some())
    }

    /// A major collection freed so many bytes of large objects: watches those to come if that pays. All that is old and alive has
    /// a mark; young objects get theirs when they are promoted, before anything else happens.
    pub(super) fn watch_if_worthwhile(&mut self, mem: &mut dyn HeapMemory, freed: u64) {
        let least = self.options.watch_least;
        if freed < least || self.sizer.old_bytes() < least {
            return;
        }
        // Room for young objects may have been found since the marks were reset.
        self.marks.extend(self.pages.end());
        self.cycle = Some(Box::new(Cycle { watch: Some(Watch::default()), ..Cycle::default() }));
        Words::new(mem.bytes_mut()).set(self.map.boundary_cell(), crate::layout::reference::NULL);
    }

    /// How many slots are remembered, which tells what watching costs.
    pub(super) fn watched_slots(&self, mem: &dyn HeapMemory) -> Result<u64, VerifyError> {
        let buffer = self.remembered.entries(mem.bytes(), self.map)?;
        Ok(buffer.len() as u64 / 4 + self.remembered.slots().len() as u64)
    }

    /// Behind a promotion that marked what is alive: frees the other large objects. `young` are those that were made since the
    /// last, `slots` were remembered.
    pub(super) fn free_watched(&mut self, mem: &mut dyn HeapMemory, young: &[u32], slots: u64) {
        let Some(mut cycle) = self.cycle.take() else { return };
        cycle.todo.clear();
        cycle.hosts.clear();
        cycle.steps += 1;
        let marks = &mut self.marks;
        self.weak.each_word(&mut |word| {
            if let Some(at) = object_header(word) {
                marks.set(at);
            }
        });
        let words = Words::new(mem.bytes_mut());
        // What nobody has set up yet is nothing to judge by.
        for &at in young.iter().filter(|&&at| words.get(at) == 0) {
            marks.set(at);
        }
        let before = self.large.bytes();
        let mut freed = vec![];
        let poison = self.options.poison;
        self.large.sweep(&self.marks, &mut self.pages, |range| {
            if poison {
                freed.push(range);
            }
        });
        freed.into_iter().for_each(|range| self.poison(mem, range));
        let watch = cycle.watch.get_or_insert_default();
        watch.freed += before - self.large.bytes();
        watch.slots += slots;
        watch.promotions += 1;
        let costs = watch.slots > watch.freed / BYTES_PER_SLOT + MAX_SLOTS;
        let ends = if cycle.large_bytes >= self.options.watch_least {
            let few = watch.freed < cycle.large_bytes / 2;
            (cycle.large_bytes, *watch) = (0, Watch::default());
            few || costs
        } else {
            watch.promotions > MAX_WAIT || costs
        };
        self.cycle = Some(cycle);
        if ends {
            self.drop_cycle(mem);
        }
    }
}
