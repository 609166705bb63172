//! A major collection in steps: a cycle begins at a minor collection, each later one marks a bounded part, and the one
//! that finds nothing more to mark ends it.
//!
//! 1. *Begin*, right after a promotion: all objects are white, and the boundary cell makes the barrier remember every
//!    reference that is stored into an old object.
//! 2. *Steps*: a promotion, which makes grey what roots, remembered slots and promoted objects refer to, and tracing
//!    within a budget.
//! 3. *End*, when nothing is grey after a promotion: what host values hold is traced, weak references, ephemerons and
//!    finalizers are settled, and everything white is swept. Nothing moves.
//!
//! A major collection in one pause gives a cycle up and begins anew. So it is when memory is short, and when remembered slots were lost.
//!
//! The barrier is that of an incremental update (Dijkstra's, see `shade.rs`), not of a snapshot: it is the
//! generational one with another boundary, so that it costs nothing while no cycle is under way.

use super::evacuate::{Eagerness, candidates};
use super::parallel;
use super::roots::{Roots, object_header};
use super::shade::{Budget, Cycle, Shading};
use super::{CollectKind, trace::Live};
use crate::heap::memory::{HeapMemory, View, Words};
use crate::heap::space::old::OldSpace;
use crate::heap::weak::{Entries, Reach};
use crate::heap::{AllocError, Heap};
use std::time::{Duration, Instant};

/// With zeal, the first step does so much; each later one twice as much as the one before.
const FIRST_WORK_WITH_ZEAL: u64 = 1;
/// A step that marked so many bytes does not end its cycle, but leaves that to the next.
const MUCH: u64 = 256 << 10;
/// When large objects of so many bytes were made since the last promotion, which looks at each as a whole, the next is due.
const MUCH_LARGE: u64 = 4 << 20;
/// For each byte of large objects that were made since the last step, the next may take so long.
const NANOS_PER_LARGE_BYTE: u64 = 1;
/// A cycle in which the heap has grown by one of so many parts, and by so many bytes, marks all that is left at once ...
const ALLOWED: u64 = 4;
const LEAST_ALLOWED: u64 = 16 << 20;
/// ... and just before that a step takes so many times as long as usual, and once more.
const LONGER: f64 = 8.0;

impl Heap {
    /// Collects the nursery, and marks until `limit` is over: whether a cycle came to its end. One begins if none is
    /// under way. The parts that are not divided are done whatever the limit is: the collection of the nursery, and the
    /// end of the cycle. A heap that is held is left for later, as if that were all.
    ///
    /// # Errors
    ///
    /// When the heap is corrupt.
    pub fn step(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        limit: Duration,
    ) -> Result<bool, AllocError> {
        if self.hold.is_on() {
            return Ok(true);
        }
        let before = self.stats.major;
        let end = Instant::now().checked_add(limit);
        self.collect_within(mem, roots, CollectKind::Step, end.map_or(Budget::All, Budget::Until))?;
        Ok(self.stats.major > before)
    }

    /// Whether a major collection in steps is under way.
    pub fn is_marking(&self) -> bool {
        self.cycle.is_some() && !self.is_watching()
    }

    /// How a major collection that is due is done.
    pub(in crate::heap) fn due_kind(&self) -> CollectKind {
        if self.steps_pay() { CollectKind::Step } else { CollectKind::Major }
    }

    /// Whether one pause would be long.
    fn steps_pay(&self) -> bool {
        self.options.incremental && self.volume() >= self.options.step_least
    }

    /// Bytes of old and large objects, dead or alive.
    fn volume(&self) -> u64 {
        self.sizer.old_bytes() + self.large.bytes()
    }

    /// What a step does that nobody has given a budget.
    ///
    /// Steps keep up with the program: what the nursery brings is little beside what is marked meanwhile, but one large
    /// object may be as much as the rest of the heap. So it is worth a longer step, steps are the longer the more the heap
    /// has grown since the cycle began, and there is an end to growing.
    pub(super) fn usual_budget(&self) -> Budget {
        let (work, time) = (u64::from(self.options.step_work.max(1)), self.options.step_time);
        let cycle = self.cycle.as_deref().filter(|cycle| cycle.watch.is_none());
        if self.zeal.is_on() {
            return Budget::Work(FIRST_WORK_WITH_ZEAL << cycle.map_or(0, |cycle| cycle.steps.min(40)), time);
        }
        let Some(cycle) = cycle else { return Budget::Work(work, time) };
        let allowed = (cycle.begun_with / ALLOWED).max(LEAST_ALLOWED);
        let grown = self.volume().saturating_sub(cycle.begun_with);
        if grown > allowed {
            return Budget::All;
        }
        let share = grown as f64 / allowed as f64;
        let times = 1.0 + LONGER * share * share;
        let of_large = Duration::from_nanos(cycle.large_bytes.saturating_mul(NANOS_PER_LARGE_BYTE));
        Budget::Work(work, time).at_least(time.mul_f64(times).max(of_large))
    }

    /// Collects if that is due before an allocation that is not the nursery's.
    pub(in crate::heap) fn collect_if_due(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
    ) -> Result<(), AllocError> {
        let watch = self.is_watching();
        let kind = match self.cycle.as_ref().filter(|_| !watch) {
            _ if self.zeal.strikes() => self.zeal_kind(),
            Some(cycle) if cycle.large_bytes >= u64::from(self.options.step_nursery) => CollectKind::Minor,
            None if self.major_due() => self.due_kind(),
            None if watch && self.large.young_bytes() >= self.options.watch_least => CollectKind::Minor,
            None if self.steps_pay() && self.large.young_bytes() >= MUCH_LARGE => CollectKind::Minor,
            _ => return Ok(()),
        };
        self.collect(mem, roots, kind)
    }

    /// What zeal does when it strikes: it moves everything and marks in steps by turns.
    pub(in crate::heap) fn zeal_kind(&mut self) -> CollectKind {
        if !self.options.incremental {
            return CollectKind::Major;
        }
        if self.is_watching() && self.cycle.as_ref().is_some_and(|cycle| cycle.steps == 0) {
            return CollectKind::Minor;
        }
        if self.cycle.is_none() || self.is_watching() {
            self.zeal_moves = !self.zeal_moves;
        }
        if self.zeal_moves { CollectKind::Major } else { CollectKind::Step }
    }

    /// Whether a cycle would leave objects in place that are to be moved.
    pub(super) fn wants_to_move(&self) -> bool {
        let eagerness = Eagerness::Fragmented(self.options.fragmentation);
        !self.zeal.is_on() && !candidates(&self.old, self.large.bytes(), eagerness).is_empty()
    }

    /// Begins a cycle. There is no young object, and nothing is remembered.
    pub(super) fn begin_cycle(&mut self, mem: &mut dyn HeapMemory) {
        self.marks.reset(self.pages.end());
        let mut cycle = Box::new(Cycle { begun_with: self.volume(), ..Cycle::default() });
        cycle.lines.extend(self.old.lines().len());
        self.cycle = Some(cycle);
        let mut words = Words::new(mem.bytes_mut());
        words.set(self.map.boundary_cell(), crate::layout::reference::NULL);
        self.nursery.set_cap(&mut words, self.options.step_nursery);
    }

    /// There is no cycle any more.
    pub(super) fn drop_cycle(&mut self, mem: &mut dyn HeapMemory) -> Option<Box<Cycle>> {
        let cycle = self.cycle.take()?;
        let mut words = Words::new(mem.bytes_mut());
        words.set(self.map.boundary_cell(), self.map.young_boundary());
        self.nursery.set_cap(&mut words, u32::MAX);
        Some(cycle)
    }

    /// Marks within a budget, and ends the cycle if nothing is left; whether it did. There is no young object.
    pub(super) fn step_cycle(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        budget: Budget,
    ) -> Result<bool, AllocError> {
        let threads = self.mark_threads();
        let Some(mut cycle) = self.cycle.take() else { return Ok(false) };
        let (before, divided) = (cycle.live, matches!(budget, Budget::Work(..)));
        let (mut units, end) = match budget {
            Budget::Work(units, time) => (units, Instant::now().checked_add(time)),
            Budget::Until(end) => (u64::MAX, Some(end)),
            Budget::All => (u64::MAX, None),
        };
        cycle.steps += 1;
        cycle.large_bytes = 0;
        self.stats.mark_steps += 1;
        let (marks, types, space_start) = (&mut self.marks, &self.types, self.space_start);
        let mut shading = Shading { cycle: &mut cycle, marks, types, space_start, log: None };
        let words = Words::new(mem.bytes_mut());
        let shared = threads > 1 && !matches!(budget, Budget::Until(_)) && !shading.is_done();
        if shared {
            let ground = (words.view(), &self.old);
            units = parallel::step(&mut shading, ground, self.map.rtt_start, (units, end), threads);
        }
        let done = shading.drain(words.view(), &self.old, units, end);
        // The end takes its time as well: not in the same pause as much of something else.
        let done = done && (!divided || shading.cycle.live - before < MUCH);
        let fault = cycle.fault.take();
        self.cycle = Some(cycle);
        match fault {
            Some(fault) => Err(fault.into()),
            None if done => self.end_cycle(mem, roots).map(|()| true),
            None => Ok(false),
        }
    }

    fn end_cycle(&mut self, mem: &mut dyn HeapMemory, roots: &mut dyn Roots) -> Result<(), AllocError> {
        let Some(mut cycle) = self.drop_cycle(mem) else { return Ok(()) };
        let (marks, types, space_start) = (&mut self.marks, &self.types, self.space_start);
        let shading = Shading { cycle: &mut cycle, marks, types, space_start, log: None };
        let words = Words::new(mem.bytes_mut());
        let mut ending = Ending { shading, words: words.view(), old: &self.old, roots };
        self.weak.each_strong(Entries::All, &mut |word| ending.shading.shade(*word));
        ending.trace();
        self.weak.finish(&mut ending, Entries::All, self.map);
        if let Some(fault) = cycle.fault.take() {
            return Err(fault.into());
        }
        self.stats.major += 1;
        roots.sweep_host_slots();
        self.old.set_lines(std::mem::take(&mut cycle.lines));
        let large = self.large.bytes();
        self.sweep(mem, Live { old: cycle.live, late: cycle.late, ..Live::default() });
        self.watch_if_worthwhile(mem, large - self.large.bytes());
        Ok(())
    }
}

/// The end of a cycle, as the weak tables see it.
struct Ending<'m, 'a> {
    shading: Shading<'a>,
    words: View<'m>,
    old: &'m OldSpace,
    roots: &'m mut dyn Roots,
}

impl Reach for Ending<'_, '_> {
    fn reached(&self, word: u32) -> Option<u32> {
        match object_header(word) {
            Some(at) if at >= self.shading.space_start => self.shading.marks.is_set(at).then_some(word),
            _ => Some(word),
        }
    }

    fn reach(&mut self, word: u32) -> u32 {
        self.shading.shade(word);
        word
    }

    fn trace(&mut self) {
        let Ending { shading, words, old, roots } = self;
        loop {
            shading.drain_all(*words, old);
            let mut hosts = std::mem::take(&mut shading.cycle.hosts);
            if hosts.is_empty() {
                return;
            }
            hosts.sort_unstable();
            hosts.dedup();
            for slot in hosts {
                roots.mark_host_slot(slot, &mut |word| shading.shade(*word));
            }
        }
    }

    fn log(&mut self) -> &mut Option<Vec<u32>> {
        &mut self.shading.log
    }
}
