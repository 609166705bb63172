//! Collections. What each phase may rely on is stated in `docs/heap.md`.
//!
//! | file | what it does |
//! |---|---|
//! | `roots.rs` | visits every root word, and the slots that refer into the nursery |
//! | `minor.rs` | promotes what is reachable in the nursery to the old space |
//! | `trace.rs` | marks everything that is reachable |
//! | `parallel.rs` | does most of it, on several threads or one, when nothing moves |
//! | `evacuate.rs` | chooses the blocks that marking empties |
//! | `major.rs` | mark, sweep, then promote |
//! | `step.rs` | the same in steps, one at each minor collection |
//! | `shade.rs` | what is marked between two steps |
//! | `watch.rs` | large objects that die young |
//! | `worklist.rs` | what is marked and still to be traced |
//!
//! Reserve before you collect: memory grows before a phase that needs room, never during one.

mod evacuate;
mod major;
mod minor;
mod parallel;
pub(crate) mod roots;
pub(super) mod shade;
mod step;
mod trace;
mod watch;
pub(super) mod worklist;

use super::memory::HeapMemory;
use super::nepotism::Work;
use super::space::old::blocks_for;
use super::space::pages::BLOCK_BYTES;
use super::verify::{Fault, VerifyError};
use super::{AllocError, Heap, Roots};
use shade::Budget;
use std::time::Instant;

/// Which collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectKind {
    /// Of the nursery.
    Minor,
    /// Of everything, in one pause.
    Major,
    /// Of the nursery, and a part of everything: the next step of a major collection, or the first.
    Step,
}

impl Heap {
    /// Collects, or not until later if the heap is held. If remembered slots were lost, it is a major collection. A minor
    /// collection that finds no room to promote to becomes a major one. When even then the live young objects do not fit,
    /// they stay in the nursery and that is no error here: the next allocation will tell.
    ///
    /// # Errors
    ///
    /// When the heap is corrupt.
    pub fn collect(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        kind: CollectKind,
    ) -> Result<(), AllocError> {
        self.collect_within(mem, roots, kind, self.usual_budget())
    }

    fn collect_within(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        kind: CollectKind,
        budget: Budget,
    ) -> Result<(), AllocError> {
        self.check_broken()?;
        if self.hold.defers(kind) {
            return Ok(());
        }
        let kind = if self.hold.take_asked() { CollectKind::Major } else { kind };
        // Should a host object's visit panic, nothing can be said of the heap.
        self.broken = Some(VerifyError::cell(Fault::Interrupted, self.map.sp_cell(), 0));
        let result = self.collect_checked(mem, roots, kind, budget);
        self.broken = None;
        self.note_broken(result)
    }

    fn collect_checked(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        kind: CollectKind,
        budget: Budget,
    ) -> Result<(), AllocError> {
        self.end_run(mem)?;
        if self.options.verify {
            self.verify(mem, roots)?;
        }
        let full = self.remembered.is_full(mem.bytes(), self.map);
        let (stored, in_cycle) = (self.remembered.entries(mem.bytes(), self.map)?.len() as u32, self.cycle.is_some());
        let start = Instant::now();
        let result = match if full { CollectKind::Major } else { kind } {
            CollectKind::Minor => self.minor_or_major(mem, roots, false, budget),
            CollectKind::Step => self.minor_or_major(mem, roots, true, budget),
            CollectKind::Major => self.major(mem, roots),
        };
        if result.is_ok() {
            self.adapt_buffer(mem, stored, full, !in_cycle && self.cycle.is_some())?;
        }
        self.stats.pause(start.elapsed());
        result?;
        if self.options.verify {
            self.verify(mem, roots)?;
        }
        Ok(())
    }

    /// A minor collection, with a step of the cycle that is under way, or that is to begin. A major one if there is no
    /// room to promote to, or if there is to be one and objects should move.
    fn minor_or_major(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        begin: bool,
        budget: Budget,
    ) -> Result<(), AllocError> {
        let used = self.nursery.used(mem.bytes())?;
        if !self.reserve_blocks(mem, blocks_for(used as u64)) {
            return self.major(mem, roots);
        }
        let begin = begin && (self.cycle.is_none() || self.is_watching());
        if begin {
            self.drop_cycle(mem);
        }
        if begin && matches!(budget, Budget::Work(..)) && self.wants_to_move() {
            return self.major(mem, roots);
        }
        if self.is_watching() {
            let (young, slots) = (self.large.young().to_vec(), self.watched_slots(mem)?);
            self.promote(mem, roots)?;
            self.free_watched(mem, &young, slots);
            self.stats.minor += 1;
            return Ok(());
        }
        let start = Instant::now();
        self.promote(mem, roots)?;
        if begin {
            self.begin_cycle(mem);
            // The nursery is empty: this makes grey what the roots refer to.
            self.promote(mem, roots)?;
        }
        // The first promotion of a cycle was of a whole nursery, and says nothing of those to come.
        let budget = if begin { budget } else { budget.at_least(start.elapsed()) };
        let ended = self.step_cycle(mem, roots, budget)?;
        self.stats.minor += u64::from(!ended);
        Ok(())
    }

    /// Makes the nursery empty, by the collection that is due. It may fail to, if memory is short.
    pub(super) fn make_room(&mut self, mem: &mut dyn HeapMemory, roots: &mut dyn Roots) -> Result<(), AllocError> {
        let used = self.nursery.used(mem.bytes())?;
        let promoted = self.stats.promoted_bytes;
        let kind = if self.major_due() || roots.host_slots_due(mem.bytes().len() as u64) {
            self.due_kind()
        } else if self.major_is_cheaper(used, roots) {
            CollectKind::Major
        } else {
            CollectKind::Minor
        };
        let majors = self.stats.major;
        self.collect(mem, roots, kind)?;
        if self.stats.major == majors {
            self.nepotism.minor_done(used, self.stats.promoted_bytes - promoted);
        }
        if self.nursery.used(mem.bytes())? > 0 && self.old.sparse_blocks().next().is_some() {
            // Live young objects did not fit. Now that the free lines are known, compact.
            self.compact = true;
            self.collect(mem, roots, CollectKind::Major)?;
        }
        Ok(())
    }

    /// Whether a minor collection would copy more that is dead than a major one would mark. One that is under way in steps is
    /// not given up for that.
    fn major_is_cheaper(&self, used: u32, roots: &dyn Roots) -> bool {
        let work = Work {
            live: self.stats.live_after_major,
            added: self.sizer.added(),
            heap: self.stats.heap_bytes,
            host_slots: roots.host_slots(),
        };
        self.cycle.is_none() && self.nepotism.prefers_major(used, work)
    }

    /// Whether a major collection is due, by what is in the old space and apart from it.
    pub(super) fn major_due(&self) -> bool {
        self.sizer.major_due(self.large.bytes() + self.pinned.bytes(), self.pretenure.suits())
    }

    /// Makes sure that `blocks` blocks are free, growing the memory if need be; whether they are.
    pub(super) fn reserve_blocks(&mut self, mem: &mut dyn HeapMemory, blocks: u32) -> bool {
        let free = self.pages.free_blocks();
        free >= blocks || self.grow(mem, (blocks - free) as u64 * BLOCK_BYTES as u64)
    }

    /// Grows the memory by at least `more` bytes; whether it did.
    pub(super) fn grow(&mut self, mem: &mut dyn HeapMemory, more: u64) -> bool {
        let lens = self.sizer.growth(mem.bytes().len() as u64, more, self.options.max_bytes);
        let grown = lens.into_iter().flatten().any(|len| mem.grow_to(len).is_ok());
        self.is_short = !grown;
        if !grown {
            self.stats.growth_refused += 1;
        }
        let before = self.pages.end();
        self.cover(mem.bytes().len() as u64);
        if self.options.poison && self.pages.end() > before {
            self.poison(mem, before as u32..self.pages.end() as u32);
        }
        grown
    }

    /// Takes over the memory up to `len`.
    pub(super) fn cover(&mut self, len: u64) {
        self.pages.extend(len.min(self.options.max_bytes));
        self.old.extend(self.pages.blocks());
        if let Some(cycle) = &mut self.cycle {
            self.marks.extend(self.pages.end());
            cycle.lines.extend(self.old.lines().len());
        }
        self.stats.heap_bytes = len;
    }
}
