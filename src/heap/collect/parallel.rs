//! Marking on several threads, when no object moves.
//!
//! Then marking only reads the memory, so that threads may share it without a lock. Each worker has a worklist, a
//! bitmap, line marks and counts of its own; what it shares is the bitmaps, to look whether another has been there. A
//! worker with nothing to do waits; one that has much gives the older half of its worklist away, which leads to the
//! largest parts of the graph, and goes on depth first (see "Lessons" in `docs/heap.md`).
//!
//! The outcome does not depend on who does what. Bitmaps and line marks are put together as sets; an object that two
//! workers have traced, each before it could see the bit of the other, is taken off the counts again; what goes to the
//! remembered set and to the host is sorted.
//!
//! A step of a collection in steps is shared too: each worker has its share of the budget, and gives back what is left.
//! Its bitmap and line marks are kept for the next step, and put together at the end.
//!
//! What this is not: concurrent. The program waits until all is marked. Roots, host values and what is weak
//! are the calling thread's, before and after.
//!
//! The design follows T. Endo, K. Taura, A. Yonezawa, "A scalable mark-sweep garbage collector on large-scale
//! shared-memory machines" (SC 1997), with halves of worklists instead of a queue to steal from.

use super::roots::{Roots, Young, elements, object_header};
use super::shade::{SLICE, Shading};
use super::trace::{Live, Marker};
use super::worklist::Worklist;
use crate::heap::descriptor::{Brief, Descriptors, Trace};
use crate::heap::memory::View;
use crate::heap::space::marks::Marks;
use crate::heap::space::old::OldSpace;
use crate::heap::verify::{Fault, VerifyError};
use crate::layout::rtt;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Condvar, Mutex, MutexGuard};

/// Marked objects that are still to be traced, by address.
type Work = Vec<u32>;

/// So many objects are traced before a worker looks whether others wait.
const LOOK_EVERY: u32 = 64;

/// What a thread has for itself.
#[derive(Debug)]
pub(crate) struct Helper {
    pub marks: Marks,
    pub lines: Vec<u8>,
}

/// What all workers read.
#[derive(Clone, Copy)]
struct Ground<'a> {
    words: View<'a>,
    types: &'a Descriptors,
    old: &'a OldSpace,
    young: Young,
    rtt_start: u32,
    space_start: u32,
    pool: &'a Pool,
    /// Objects that a worker may trace, if not all.
    budget: Option<u64>,
}

/// What a worker found.
struct Found {
    /// What it had no budget for, and arrays to be traced in slices.
    rest: Work,
    slices: Vec<(u32, u32, u32)>,
    /// Slots of old objects that refer to young ones.
    remembered: Vec<u32>,
    /// Slots of the host.
    hosts: Vec<u32>,
    live: Live,
    fault: Option<VerifyError>,
}

/// Traces from the marker's worklist, until nothing is left to trace but what the host's values hold, and what that
/// leads to. The marker must not move objects, which is why there is another one for that.
pub(super) fn trace<const MOVES: bool>(marker: &mut Marker<'_, MOVES>, threads: u32, roots: &mut dyn Roots) {
    let pool = Pool::default();
    let lines = |_| Helper { marks: marker.marks.another(), lines: marker.old.no_lines() };
    let mut others: Vec<Helper> = (1..threads).map(lines).collect();
    let ground = Ground {
        words: marker.words.view(),
        types: marker.types,
        old: marker.old,
        young: marker.young,
        rtt_start: marker.rtt_start,
        space_start: marker.space_start,
        pool: &pool,
        budget: None,
    };
    pool.give(marker.todo.take());
    let mut lines = marker.old.no_lines();
    let found = run(ground, marker.marks, &mut lines, &mut others);
    let mut twice = Live::default();
    for Helper { marks, .. } in &mut others {
        marker.marks.absorb(marks, |at| ground.count(&mut twice, at, ground.size(at)));
    }
    others.iter().map(|helper| &helper.lines).chain([&lines]).for_each(|lines| marker.old.absorb_lines(lines));
    absorb(marker, found, twice, roots);
}

/// Traces what is grey on all threads of a cycle, each within its share of a budget. There is no young object.
pub(super) fn step(shading: &mut Shading<'_>, words: View<'_>, old: &OldSpace, rtt_start: u32, budget: u64) {
    let pool = Pool::default();
    let young = Young { start: rtt_start, used: 0 };
    let (types, space_start) = (shading.types, shading.space_start);
    let ground = Ground { words, types, old, young, rtt_start, space_start, pool: &pool, budget: None };
    let cycle = &mut *shading.cycle;
    let share = budget / (1 + cycle.helpers.len() as u64);
    let ground = Ground { budget: Some(share.max(1)), ..ground };
    pool.give(cycle.todo.take());
    for mut one in run(ground, shading.marks, &mut cycle.lines, &mut cycle.helpers) {
        cycle.live += one.live.old;
        cycle.todo.append(&mut one.rest);
        cycle.slices.append(&mut one.slices);
        cycle.hosts.append(&mut one.hosts);
        cycle.fault = cycle.fault.take().or(one.fault);
    }
    pool.state().work.iter_mut().for_each(|work| cycle.todo.append(work));
}

/// Puts together what the threads of a cycle have marked.
pub(super) fn join(shading: &mut Shading<'_>, words: View<'_>, old: &OldSpace) {
    let pool = Pool::default();
    let (types, space_start) = (shading.types, shading.space_start);
    let young = Young { start: 0, used: 0 };
    let ground = Ground { words, types, old, young, rtt_start: 0, space_start, pool: &pool, budget: None };
    let mut twice = Live::default();
    for mut helper in std::mem::take(&mut shading.cycle.helpers) {
        shading.marks.absorb(&mut helper.marks, |at| ground.count(&mut twice, at, ground.size(at)));
        shading.cycle.lines.iter_mut().zip(&helper.lines).for_each(|(mine, theirs)| *mine |= theirs);
    }
    shading.cycle.live = shading.cycle.live.saturating_sub(twice.old);
}

/// Marks on this thread and one for each of the other bitmaps, or as many as there may be.
fn run(ground: Ground<'_>, marks: &Marks, lines: &mut [u8], helpers: &mut [Helper]) -> Vec<Found> {
    let (others, theirs): (Vec<&Marks>, Vec<&mut [u8]>) =
        helpers.iter_mut().map(|helper| (&helper.marks, &mut helper.lines[..])).unzip();
    std::thread::scope(|scope| {
        let spawn = |(mine, lines)| {
            let me = others[mine];
            let rest = others.iter().enumerate().filter(|&(n, _)| n != mine).map(|(_, &other)| other);
            let worker = Worker::new(ground, me, lines, rest.chain([marks]).collect());
            std::thread::Builder::new().name("gc-mark".into()).spawn_scoped(scope, || worker.run()).ok()
        };
        let threads: Vec<_> = theirs.into_iter().enumerate().map_while(spawn).collect();
        let mine = Worker::new(ground, marks, lines, others.clone()).run();
        let theirs =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        std::iter::once(mine).chain(theirs).collect()
    })
}

/// Takes over what the workers found. The host's values are asked here: they are no business of other threads.
fn absorb<const MOVES: bool>(marker: &mut Marker<'_, MOVES>, found: Vec<Found>, twice: Live, roots: &mut dyn Roots) {
    let (mut remembered, mut hosts) = (vec![], vec![]);
    for mut one in found {
        marker.live.add(one.live);
        remembered.append(&mut one.remembered);
        hosts.append(&mut one.hosts);
        marker.fault = marker.fault.take().or(one.fault);
    }
    marker.live.subtract(twice);
    remembered.sort_unstable();
    remembered.into_iter().for_each(|slot| marker.remembered.slot(slot));
    hosts.sort_unstable();
    hosts.dedup();
    for slot in hosts {
        roots.mark_host_slot(slot, &mut |word| *word = marker.mark(*word));
    }
}

impl Ground<'_> {
    /// Size of the object at an address whose header was good; 0 if it is not.
    fn size(&self, at: u32) -> u64 {
        let header = self.words.get(at);
        let brief = match self.types.brief(header) {
            brief if brief.index().is_some() => brief,
            _ => self.types.brief_of_descriptor(self.words, header),
        };
        brief.index().map_or(0, |index| self.types.at(index).size(self.words, at))
    }

    /// Counts a live object.
    #[inline(always)]
    fn count(&self, live: &mut Live, at: u32, size: u64) {
        if at < self.space_start {
            live.count_young(size);
        } else if self.old.contains(at) {
            live.old += size;
        }
    }
}

/// One thread's part.
struct Worker<'a> {
    ground: Ground<'a>,
    marks: &'a Marks,
    /// The bitmaps of the others.
    others: Vec<&'a Marks>,
    lines: &'a mut [u8],
    todo: Worklist,
    found: Found,
}

impl<'a> Worker<'a> {
    fn new(ground: Ground<'a>, marks: &'a Marks, lines: &'a mut [u8], others: Vec<&'a Marks>) -> Worker<'a> {
        let (live, fault) = (Live::default(), None);
        let (rest, slices) = (vec![], vec![]);
        let found = Found { rest, slices, remembered: vec![], hosts: vec![], live, fault };
        Worker { ground, marks, others, lines, todo: Worklist::default(), found }
    }

    /// Works until nobody has work.
    fn run(mut self) -> Found {
        let member = Member::new(self.ground.pool);
        let mut left = self.ground.budget.unwrap_or(u64::MAX);
        while left > 0
            && let Some(mut work) = member.take()
        {
            self.todo.append(&mut work);
            self.drain(&mut left);
        }
        drop(member);
        self.found.rest = self.todo.take();
        self.found
    }

    fn drain(&mut self, left: &mut u64) {
        let mut until_look = LOOK_EVERY;
        while let Some(at) = self.todo.pop(self.ground.words) {
            self.visit(at);
            until_look -= 1;
            if until_look == 0 {
                until_look = LOOK_EVERY;
                *left = left.saturating_sub(u64::from(LOOK_EVERY));
                if *left == 0 {
                    return;
                }
                if self.ground.pool.is_hungry() {
                    self.share();
                }
            }
        }
    }

    /// Gives the older half of the worklist away.
    #[cold]
    fn share(&mut self) {
        if let Some(older) = self.todo.take_older_half() {
            self.ground.pool.give(older);
        }
    }

    /// Traces a marked object.
    #[inline(always)]
    fn visit(&mut self, at: u32) {
        let brief = self.ground.types.brief(self.ground.words.get(at));
        let size = brief.bytes();
        if size == 0 || at < self.ground.space_start {
            self.visit_other(at, brief);
        } else {
            self.count(at, u64::from(size));
            brief.each_slot(at, |slot| self.old_slot(slot));
        }
    }

    /// Traces an object that is young, or of a type without a complete brief description.
    #[inline(never)]
    fn visit_other(&mut self, at: u32, brief: Brief) {
        let ground = self.ground;
        let Some(index) = brief.index().or_else(|| self.described(at)) else { return };
        let descriptor = ground.types.at(index);
        let size = descriptor.size(ground.words, at);
        let young = at < ground.space_start;
        let room = if young { u64::from(ground.young.start + ground.young.used) } else { ground.words.len() };
        if u64::from(at) + size > room {
            return self.corrupt(Fault::Size, at, size as u32);
        }
        self.count(at, size);
        let len = elements(ground.words, descriptor.element, at);
        if ground.budget.is_some() && descriptor.trace == Trace::Elements && len > SLICE {
            self.found.slices.push((at, 0, len));
            return;
        }
        if young {
            ground.types.each_slot(descriptor, at, len, |slot| {
                self.slot(slot);
            });
        } else {
            ground.types.each_slot(descriptor, at, len, |slot| self.old_slot(slot));
        }
        if descriptor.trace == Trace::Host {
            self.found.hosts.push(ground.words.get(at + rtt::HOST_SLOT));
        }
    }

    #[inline(always)]
    fn count(&mut self, at: u32, size: u64) {
        let ground = &self.ground;
        ground.count(&mut self.found.live, at, size);
        if at >= ground.space_start && ground.old.contains(at) {
            ground.old.mark_lines_in(self.lines, at, size as u32);
        }
    }

    /// Marks what a slot refers to: its header, if that is an object.
    #[inline(always)]
    fn slot(&mut self, slot: u32) -> Option<u32> {
        let value = self.ground.words.get(slot);
        let at = object_header(value)?;
        let Ground { young, rtt_start, space_start, .. } = self.ground;
        if at < space_start && at.wrapping_sub(young.start) >= young.used {
            if at < rtt_start {
                self.corrupt(Fault::Reference, at, value);
            }
            // An RTT record: immortal.
        } else if self.mark(at) {
            self.todo.push(at);
        }
        Some(at)
    }

    /// A slot of an old object.
    #[inline(always)]
    fn old_slot(&mut self, slot: u32) {
        let young = self.ground.young;
        if let Some(at) = self.slot(slot)
            && at.wrapping_sub(young.start) < young.used
        {
            self.found.remembered.push(slot);
        }
    }

    /// Marks an object, unless someone has; whether nobody had.
    #[inline(always)]
    fn mark(&self, at: u32) -> bool {
        !self.others.iter().any(|other| other.is_set(at)) && self.marks.set_shared(at)
    }

    /// The type of an object whose header is no fixed record: it may be a descriptor, which then is alive.
    #[cold]
    fn described(&mut self, at: u32) -> Option<u32> {
        let header = self.ground.words.get(at);
        let index = self.ground.types.brief_of_descriptor(self.ground.words, header).index();
        if index.is_none() {
            self.corrupt(Fault::Header, at, header);
        } else if self.mark(header) {
            self.todo.push(header);
        }
        index
    }

    #[cold]
    fn corrupt(&mut self, fault: Fault, at: u32, word: u32) {
        self.found.fault.get_or_insert_with(|| VerifyError::object(fault, at, word));
    }
}

/// Where workers meet.
#[derive(Default)]
struct Pool {
    state: Mutex<State>,
    wake: Condvar,
    /// More wait than there is work for.
    hungry: AtomicBool,
}

#[derive(Default)]
struct State {
    work: Vec<Work>,
    workers: usize,
    waiting: usize,
    /// All waited at once, and there was no work.
    done: bool,
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    #[inline(always)]
    fn is_hungry(&self) -> bool {
        self.hungry.load(Relaxed)
    }

    fn give(&self, work: Work) {
        let mut state = self.state();
        state.work.push(work);
        self.note(&state);
        self.wake.notify_one();
    }

    fn note(&self, state: &State) {
        self.hungry.store(state.waiting > state.work.len(), Relaxed);
    }
}

/// A worker's place in the pool. One that comes when all is done finds nothing; one that panics is not waited for.
struct Member<'a>(&'a Pool);

impl<'a> Member<'a> {
    fn new(pool: &'a Pool) -> Member<'a> {
        pool.state().workers += 1;
        Member(pool)
    }

    /// Work, when there is any; `None` when there will be none.
    fn take(&self) -> Option<Work> {
        let mut state = self.0.state();
        state.waiting += 1;
        loop {
            if let Some(work) = state.work.pop() {
                state.waiting -= 1;
                self.0.note(&state);
                return Some(work);
            }
            if state.done || state.waiting == state.workers {
                state.done = true;
                state.waiting -= 1;
                self.0.wake.notify_all();
                return None;
            }
            self.0.note(&state);
            state = self.0.wake.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.workers -= 1;
        state.done |= state.waiting == state.workers && state.work.is_empty();
        self.0.wake.notify_all();
    }
}
