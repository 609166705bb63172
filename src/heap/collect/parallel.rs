//! Marking when no object moves, on one thread or several.
//!
//! Then marking only reads the memory, so that threads may share it without a lock. They share the bitmap and the line
//! marks as well; each worker has a worklist and counts of its own. A worker with nothing to do waits; one that has much
//! gives the older half of its worklist away, which leads to the largest parts of the graph, and goes on depth first (see
//! "Lessons" in `docs/heap.md`).
//!
//! The outcome does not depend on who does what: each object is new to one worker, and what goes to the remembered
//! set and to the host is sorted.
//!
//! Long arrays of references are traced in slices, by the worker that came upon them, behind what is on its worklist; one that
//! has nothing else gives half of such an array away.
//!
//! A step of a collection in steps is shared too: each worker has its share of the budget, and gives back what is left.
//!
//! What this is not: concurrent. The program waits until all is marked. Roots, host values and what is weak
//! are the calling thread's, before and after.
//!
//! The design follows T. Endo, K. Taura, A. Yonezawa, "A scalable mark-sweep garbage collector on large-scale
//! shared-memory machines" (SC 1997), with halves of worklists instead of a queue to steal from.

use super::roots::{Roots, Young, elements, object_header};
use super::shade::{SLICE, Shading, UNITS_PER_LOOK, units};
use super::trace::{Live, Marker};
use super::worklist::Worklist;
use crate::heap::descriptor::{Brief, Descriptors, Trace};
use crate::heap::memory::View;
use crate::heap::space::lines::LineMarks;
use crate::heap::space::marks::Marks;
use crate::heap::space::old::OldSpace;
use crate::heap::verify::{Fault, VerifyError};
use crate::layout::object::ARRAY_ELEMENTS;
use crate::layout::rtt;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

/// Marked objects that are still to be traced, by address.
type Work = Vec<u32>;
/// A marked array of references whose elements from an index to another are still to be traced.
type Slice = (u32, u32, u32);

/// So many units of work are done before a worker looks whether others wait, and whether its budget is spent.
const LOOK_EVERY: u64 = 64;
/// ... and so many times that until it looks at the clock.
const LOOKS_PER_TIME: u32 = (UNITS_PER_LOOK / LOOK_EVERY) as u32;

/// What all workers share.
#[derive(Clone, Copy)]
struct Ground<'a> {
    words: View<'a>,
    types: &'a Descriptors,
    old: &'a OldSpace,
    marks: &'a Marks,
    lines: &'a LineMarks,
    young: Young,
    rtt_start: u32,
    space_start: u32,
    pool: &'a Pool,
    /// There is one worker.
    alone: bool,
    /// Units of work that a worker may do, if not all.
    budget: Option<u64>,
    /// When it is to do no more.
    end: Option<Instant>,
}

/// What a worker found.
struct Found {
    /// What it had no budget for: objects, and elements of arrays.
    rest: Work,
    slices: Vec<Slice>,
    /// What is left of its budget.
    left: u64,
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
    let ground = Ground {
        words: marker.words.view(),
        types: marker.types,
        old: marker.old,
        marks: marker.marks,
        lines: marker.old.lines(),
        young: marker.young,
        rtt_start: marker.rtt_start,
        space_start: marker.space_start,
        pool: &pool,
        alone: threads == 1,
        budget: None,
        end: None,
    };
    pool.give(marker.todo.take());
    let found = run(ground, threads);
    absorb(marker, found, roots);
}

/// Traces what is grey on so many threads until a moment, each within its share of a budget: what is left of that. There is no
/// young object.
pub(super) fn step(
    shading: &mut Shading<'_>,
    (words, old): (View<'_>, &OldSpace),
    rtt_start: u32,
    (budget, end): (u64, Option<Instant>),
    threads: u32,
) -> u64 {
    let pool = Pool::default();
    let (types, marks, space_start) = (shading.types, &*shading.marks, shading.space_start);
    let cycle = &mut *shading.cycle;
    pool.give(cycle.todo.take());
    pool.state().slices = std::mem::take(&mut cycle.slices);
    let found = run(
        Ground {
            words,
            types,
            old,
            marks,
            lines: &cycle.lines,
            young: Young { start: rtt_start, used: 0 },
            rtt_start,
            space_start,
            pool: &pool,
            alone: threads == 1,
            budget: Some((budget / u64::from(threads)).max(1)),
            end,
        },
        threads,
    );
    let mut left = 0;
    for mut one in found {
        left += one.left;
        cycle.live += one.live.old;
        cycle.todo.append(&mut one.rest);
        cycle.slices.append(&mut one.slices);
        cycle.hosts.append(&mut one.hosts);
        cycle.fault = cycle.fault.take().or(one.fault);
    }
    let mut rest = pool.state();
    rest.work.iter_mut().for_each(|work| cycle.todo.append(work));
    cycle.slices.append(&mut rest.slices);
    left
}

/// Marks on so many threads, or as many as there may be.
fn run(ground: Ground<'_>, threads: u32) -> Vec<Found> {
    std::thread::scope(|scope| {
        let spawn = |_| {
            let worker = Worker::new(ground);
            std::thread::Builder::new().name("gc-mark".into()).spawn_scoped(scope, || worker.run()).ok()
        };
        let threads: Vec<_> = (1..threads).map_while(spawn).collect();
        let mine = Worker::new(ground).run();
        let theirs =
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        std::iter::once(mine).chain(theirs).collect()
    })
}

/// Takes over what the workers found. The host's values are asked here: they are no business of other threads.
fn absorb<const MOVES: bool>(marker: &mut Marker<'_, MOVES>, found: Vec<Found>, roots: &mut dyn Roots) {
    let (mut remembered, mut hosts) = (vec![], vec![]);
    for mut one in found {
        marker.live.add(one.live);
        remembered.append(&mut one.remembered);
        hosts.append(&mut one.hosts);
        marker.fault = marker.fault.take().or(one.fault);
    }
    remembered.sort_unstable();
    remembered.into_iter().for_each(|slot| marker.remembered.slot(slot));
    hosts.sort_unstable();
    hosts.dedup();
    for slot in hosts {
        roots.mark_host_slot(slot, &mut |word| *word = marker.mark(*word));
    }
}

/// One thread's part.
struct Worker<'a> {
    ground: Ground<'a>,
    todo: Worklist,
    found: Found,
}

impl<'a> Worker<'a> {
    fn new(ground: Ground<'a>) -> Worker<'a> {
        let (live, fault) = (Live::default(), None);
        let (rest, slices) = (vec![], vec![]);
        let found = Found { rest, slices, left: 0, remembered: vec![], hosts: vec![], live, fault };
        Worker { ground, todo: Worklist::default(), found }
    }

    /// Works until nobody has work.
    fn run(mut self) -> Found {
        let member = Member::new(self.ground.pool);
        let mut left = self.ground.budget.unwrap_or(u64::MAX);
        while left > 0
            && let Some((mut work, slice)) = member.take()
        {
            self.todo.append(&mut work);
            self.found.slices.extend(slice);
            self.drain(&mut left);
        }
        drop(member);
        self.found.rest = self.todo.take();
        self.found.left = left;
        self.found
    }

    /// Traces until nothing is left here, or the budget is spent.
    fn drain(&mut self, left: &mut u64) {
        let (mut done, mut looks) = (0, 0);
        loop {
            if let Some(at) = self.todo.pop(self.ground.words) {
                done += self.visit(at);
            } else if let Some(slice) = self.found.slices.pop() {
                done += self.visit_slice(slice);
            } else {
                break;
            }
            if done >= LOOK_EVERY {
                *left = left.saturating_sub(done);
                done = 0;
                looks += 1;
                if looks % LOOKS_PER_TIME == 0 && self.ground.end.is_some_and(|end| Instant::now() >= end) {
                    *left = 0;
                }
                if *left == 0 {
                    return;
                }
                if self.ground.pool.is_hungry() {
                    self.share();
                }
            }
        }
        *left = left.saturating_sub(done);
    }

    /// Gives the older half of the worklist away, or of a long array.
    #[cold]
    fn share(&mut self) {
        if let Some(older) = self.todo.take_older_half() {
            self.ground.pool.give(older);
        } else if let Some((at, from, to)) = self.found.slices.last_mut()
            && *to - *from > SLICE
        {
            let half = *from + (*to - *from) / 2;
            self.ground.pool.give_slice((*at, half, *to));
            *to = half;
        }
    }

    /// Traces the first elements of an array of references: how many units of work that was.
    fn visit_slice(&mut self, (at, from, to): Slice) -> u64 {
        let end = to.min(from.saturating_add(SLICE));
        if end < to {
            self.found.slices.push((at, end, to));
        }
        (from..end).for_each(|i| self.old_slot((at + ARRAY_ELEMENTS).wrapping_add(4 * i)));
        units(end - from)
    }

    /// Traces a marked object: how many units of work that was.
    #[inline(always)]
    fn visit(&mut self, at: u32) -> u64 {
        let Ground { words, types, old, lines, space_start, budget, .. } = self.ground;
        let brief = types.brief(words.get(at));
        let bytes = brief.bytes();
        if at < space_start {
            self.visit_other(at, brief)
        } else if bytes != 0 {
            self.found.live.old += u64::from(bytes);
            old.mark_small_in(lines, at, bytes);
            brief.each_slot(at, |slot| self.old_slot(slot));
            1
        } else if let Some(array) = brief.small_array(words, at).filter(|array| budget.is_none() || array.refs <= SLICE)
        {
            self.found.live.old += u64::from(array.bytes);
            old.mark_lines_in(lines, at, array.bytes);
            (0..array.refs).for_each(|i| self.old_slot(at + ARRAY_ELEMENTS + 4 * i));
            units(array.refs)
        } else {
            self.visit_other(at, brief)
        }
    }

    /// Traces an object that is young, or of which the brief description does not tell enough.
    #[inline(never)]
    fn visit_other(&mut self, at: u32, brief: Brief) -> u64 {
        let ground = self.ground;
        let Some(index) = brief.index().or_else(|| self.described(at)) else { return 1 };
        let descriptor = ground.types.at(index);
        let size = descriptor.size(ground.words, at);
        let young = at < ground.space_start;
        let room = if young { u64::from(ground.young.start + ground.young.used) } else { ground.words.len() };
        if u64::from(at) + size > room {
            self.corrupt(Fault::Size, at, size as u32);
            return 1;
        }
        self.count(at, size);
        let len = elements(ground.words, descriptor.element, at);
        if !young && descriptor.trace == Trace::Elements && len > SLICE {
            self.found.slices.push((at, 0, len));
            return 1;
        }
        let mut slots = 0;
        ground.types.each_slot(descriptor, at, len, |slot| {
            slots += 1;
            if young {
                self.slot(slot);
            } else {
                self.old_slot(slot);
            }
        });
        if descriptor.trace == Trace::Host {
            self.found.hosts.push(ground.words.get(at + rtt::HOST_SLOT));
        }
        units(slots)
    }

    #[inline(always)]
    fn count(&mut self, at: u32, size: u64) {
        let Ground { old, lines, space_start, .. } = self.ground;
        if at < space_start {
            self.found.live.count_young(size);
        } else if old.contains(at) {
            self.found.live.old += size;
            old.mark_lines_in(lines, at, size as u32);
        }
    }

    /// What a slot refers to is to be marked; whether that is young.
    #[inline(always)]
    fn slot(&mut self, slot: u32) -> bool {
        let Ground { words, young, rtt_start, space_start, .. } = self.ground;
        let value = words.get(slot);
        let Some(at) = object_header(value) else { return false };
        let is_young = at < space_start;
        if is_young && at.wrapping_sub(young.start) >= young.used {
            if at < rtt_start {
                self.corrupt(Fault::Reference, at, value);
            }
            // An RTT record: immortal.
            return false;
        }
        self.mark(at);
        is_young
    }

    /// A slot of an old object.
    #[inline(always)]
    fn old_slot(&mut self, slot: u32) {
        if self.slot(slot) {
            self.found.remembered.push(slot);
        }
    }

    /// Marks an object, unless someone has.
    #[inline(always)]
    fn mark(&mut self, at: u32) {
        let Ground { marks, alone, .. } = self.ground;
        let is_new = if alone { marks.set_alone(at) } else { marks.set_shared(at) };
        if is_new {
            self.todo.push(at);
        }
    }

    /// The type of an object whose header is no fixed record: it may be a descriptor, which then is alive.
    #[cold]
    fn described(&mut self, at: u32) -> Option<u32> {
        let header = self.ground.words.get(at);
        let index = self.ground.types.brief_of_descriptor(self.ground.words, header).index();
        if index.is_none() {
            self.corrupt(Fault::Header, at, header);
        } else {
            self.mark(header);
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
    slices: Vec<Slice>,
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

    fn give_slice(&self, slice: Slice) {
        let mut state = self.state();
        state.slices.push(slice);
        self.note(&state);
        self.wake.notify_one();
    }

    fn note(&self, state: &State) {
        self.hungry.store(state.waiting > state.work.len() + state.slices.len(), Relaxed);
    }
}

/// A worker's place in the pool. One that comes when all is done finds nothing; one that panics is not waited for.
struct Member<'a>(&'a Pool);

impl<'a> Member<'a> {
    fn new(pool: &'a Pool) -> Member<'a> {
        pool.state().workers += 1;
        Member(pool)
    }

    /// Work, when there is any: objects, or elements of an array; `None` when there will be none.
    fn take(&self) -> Option<(Work, Option<Slice>)> {
        let mut state = self.0.state();
        state.waiting += 1;
        loop {
            let work = state.work.pop();
            let slice = if work.is_none() { state.slices.pop() } else { None };
            if work.is_some() || slice.is_some() {
                state.waiting -= 1;
                self.0.note(&state);
                return Some((work.unwrap_or_default(), slice));
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
        state.done |= state.waiting == state.workers && state.work.is_empty() && state.slices.is_empty();
        self.0.wake.notify_all();
    }
}
