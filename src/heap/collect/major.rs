//! A major collection: mark, sweep, then promote.
//!
//! 1. Mark from all roots, young objects in place; objects of chosen old blocks move. If none are chosen, several
//!    threads may mark. The remembered
//!    set is rebuilt: entries in dead objects would outlive them.
//!    Then weak references, ephemerons and finalizers are settled.
//! 2. Tell the host which of its slots are dead. Sweep old blocks and large objects.
//! 3. Now the live young bytes are known: if they fit, or the memory grows, promote them. If not, the
//!    nursery stays as it is, and the heap is intact.

use super::evacuate::{Eagerness, blocks_wanted, candidates, choose};
use super::parallel;
use super::roots::{Roots, Young, each_memory_root, stack_pointer};
use super::trace::{Live, Marker, Marking};
use crate::heap::memory::{HeapMemory, Words};
use crate::heap::space::old::blocks_for;
use crate::heap::space::pages::BLOCK_BYTES;
use crate::heap::weak::Entries;
use crate::heap::{AllocError, Heap};
use std::ops::Range;

/// In heaps of up to so many bytes the objects that were marked are counted, by their bits: two megabytes of them.
const COUNTED: u64 = 64 << 20;

impl Heap {
    pub(super) fn major(&mut self, mem: &mut dyn HeapMemory, roots: &mut dyn Roots) -> Result<(), AllocError> {
        self.stats.major += 1;
        self.drop_cycle(mem);
        let moves = self.choose_blocks(mem);
        let live = if moves { self.mark::<true>(mem, roots)? } else { self.mark::<false>(mem, roots)? };
        roots.sweep_host_slots();
        let large = self.large.bytes();
        self.sweep(mem, live);
        if self.reserve_for(mem, live) {
            if !moves {
                self.watch_if_worthwhile(mem, large - self.large.bytes());
            }
            self.promote(mem, roots)?;
        }
        Ok(())
    }

    /// Chooses the blocks that marking is to empty, and readies the old space for it; whether there
    /// are any.
    fn choose_blocks(&mut self, mem: &mut dyn HeapMemory) -> bool {
        let eagerness = match (self.zeal.is_on(), std::mem::take(&mut self.compact)) {
            (true, _) => Eagerness::All,
            (_, true) => Eagerness::Compact,
            _ => Eagerness::Fragmented(self.options.fragmentation),
        };
        let found = candidates(&self.old, self.large.bytes(), eagerness);
        // A wish, not a need: what finds no room stays where it is.
        self.reserve_blocks(mem, blocks_wanted(&found));
        self.old.prepare_mark();
        let chosen = choose(&found, self.pages.free_blocks());
        chosen.iter().for_each(|&block| self.old.evacuate(block));
        self.marks.reset(self.pages.end());
        !chosen.is_empty()
    }

    fn mark<const MOVES: bool>(&mut self, mem: &mut dyn HeapMemory, roots: &mut dyn Roots) -> Result<Live, AllocError> {
        let map = self.map;
        let used = self.nursery.used(mem.bytes())?;
        let sp = stack_pointer(mem.bytes(), map)?;
        self.remembered.entries(mem.bytes(), map)?;
        let threads = if MOVES { 1 } else { self.mark_threads() };
        let mut todo = std::mem::take(&mut self.grey);
        let mut words = Words::new(mem.bytes_mut());
        self.remembered.clear(&mut words, map);
        self.large.none_is_young();
        let mut marker = Marker::<MOVES> {
            words,
            types: &self.types,
            old: &mut self.old,
            pages: &mut self.pages,
            marks: &mut self.marks,
            remembered: &mut self.remembered,
            young: Young { start: map.nursery_start, used },
            rtt_start: map.rtt_start,
            space_start: self.space_start,
            todo: &mut todo,
            live: Live::default(),
            log: None,
            fault: None,
        };
        each_memory_root(map, sp, &self.areas, |at| marker.root_slot(at));
        roots.each(&mut |word| *word = marker.mark(*word));
        self.weak.each_strong(Entries::All, &mut |word| *word = marker.mark(*word));
        if !MOVES {
            parallel::trace(&mut marker, threads, roots);
        }
        marker.drain(roots);
        self.weak.finish(&mut Marking { marker: &mut marker, roots }, Entries::All, map);
        let (live, fault) = (marker.live, marker.fault.take());
        todo.clear();
        self.grey = todo;
        self.stats.evacuated_bytes += live.moved;
        fault.map_or(Ok(live), |fault| Err(fault.into()))
    }

    /// Threads to mark with. Where the last collection had little to mark, so may this, and to start a thread takes longer.
    pub(super) fn mark_threads(&self) -> u32 {
        let bytes = self.sizer.old_bytes() + self.large.bytes();
        let little = bytes < self.options.parallel_least || self.sizer.marked_little(self.options.parallel_least);
        if little { 1 } else { self.options.mark_threads }
    }

    pub(super) fn sweep(&mut self, mem: &mut dyn HeapMemory, live: Live) {
        let mut freed: Vec<Range<u32>> = Vec::new();
        let poison = self.options.poison;
        let mut note = |range| {
            if poison {
                freed.push(range);
            }
        };
        self.old.sweep(&mut self.pages, &mut note);
        self.large.sweep(&self.marks, &mut self.pages, &mut note);
        self.pinned.sweep(&self.marks, &mut self.pages, &mut note);
        for range in freed {
            self.poison(mem, range);
        }
        let apart = self.large.bytes() + self.pinned.bytes();
        // What is promoted next has its blocks reserved.
        let free = self.pages.free_blocks() as u64 * BLOCK_BYTES as u64;
        let free = free.saturating_sub(u64::from(self.map.nursery_end - self.map.nursery_start));
        self.nepotism.major_done(self.sizer.added(), self.sizer.old_bytes().saturating_sub(live.old));
        // Of a long heap it takes its time to count them, and is not what the next threshold depends on.
        let objects = (self.pages.end() <= COUNTED).then(|| self.marks.count());
        self.sizer.major_done((live.old, live.late), apart, free, objects);
        self.stats.live_after_major = live.old + apart;
    }

    /// Whether the live young objects can be promoted. Room in holes is counted if need be.
    fn reserve_for(&mut self, mem: &mut dyn HeapMemory, live: Live) -> bool {
        let all = live.young_small + live.young_medium;
        if self.pages.free_blocks() >= blocks_for(all) {
            return true;
        }
        let holes = self.old.rely_on_holes();
        let rest = all.saturating_sub(holes).max(live.young_medium);
        self.reserve_blocks(mem, blocks_for(rest))
    }
}
