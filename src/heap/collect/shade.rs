//! Marking in steps: the state between two steps, and how it comes forward.
//!
//! Three colours (E. W. Dijkstra and others, "On-the-fly garbage collection", CACM 1978): a *white* object has no mark,
//! a *grey* one has a mark and is on a worklist, a *black* one has a mark and was traced. Between steps no black
//! object refers to a white one, unless by a slot that is remembered. (If one was lost, the cycle is given up: `remembered.rs`.) Three things see to it:
//! - the write barrier remembers every slot of an old object that a reference is stored into (the boundary cell tells
//!   it to), and what such a slot refers to becomes grey before the cycle ends;
//! - a promoted object is black from the start, and what it refers to becomes grey with that;
//! - so it is with pinned objects that are made during a cycle, but at the next promotion: they are looked at
//!   as a whole then.
//!
//! Large objects that are made during a cycle are white, as no cycle ends before a promotion has looked at all roots: those
//! that die meanwhile are freed at its end. One may be most of the heap.
//!
//! What this is not: marking of young objects. A cycle ends right after a promotion, when there are none.

use super::roots::{elements, object_header};
use super::watch::Watch;
use super::worklist::Worklist;
use crate::heap::Heap;
use crate::heap::descriptor::{Brief, Descriptor, Descriptors, Trace};
use crate::heap::memory::View;
use crate::heap::space::lines::LineMarks;
use crate::heap::space::marks::Marks;
use crate::heap::space::old::OldSpace;
use crate::heap::verify::{Fault, VerifyError};
use crate::layout::object::ARRAY_ELEMENTS;
use crate::layout::rtt;
use std::time::{Duration, Instant};

/// An array with more elements is traced in slices.
pub(super) const SLICE: u32 = 1024;
/// So many references are as much work as a small object.
const SLOTS_PER_UNIT: u32 = 8;
/// So many units of work are done between two looks at the clock.
pub(super) const UNITS_PER_LOOK: u64 = 512;

/// The work of tracing an object, or a part of one, with so many references.
#[inline(always)]
pub(super) fn units(slots: u32) -> u64 {
    u64::from(1 + slots / SLOTS_PER_UNIT)
}

/// A major collection in steps, between two of them.
#[derive(Debug, Default)]
pub(crate) struct Cycle {
    /// Grey objects.
    pub todo: Worklist,
    /// Grey arrays of references: the elements from an index to another are still to be traced.
    pub slices: Vec<(u32, u32, u32)>,
    /// Line marks of what is black.
    pub lines: LineMarks,
    /// Slots of host values that are black.
    pub hosts: Vec<u32>,
    /// Bytes of black objects in the old space.
    pub live: u64,
    /// Those of them that were promoted during the cycle.
    pub late: u64,
    /// Pinned objects that were made since the last promotion.
    pub fresh: Vec<u32>,
    /// Bytes of old and large objects when it began.
    pub begun_with: u64,
    /// Bytes of large objects that were made since the last step.
    pub large_bytes: u64,
    /// Steps so far.
    pub steps: u32,
    /// It is none: all is black but large objects to come (`watch.rs`).
    pub watch: Option<Watch>,
    /// What was found corrupt.
    pub fault: Option<VerifyError>,
}

/// How much a step may do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Budget {
    /// Units of work, but no more once it has taken so long.
    Work(u64, Duration),
    /// What can be done before a moment.
    Until(Instant),
    /// All there is.
    All,
}

impl Budget {
    /// A step that takes so long at least, or does all there is.
    ///
    /// What is not divided comes before it, each time: where that takes long, short steps would have it done again and again.
    pub fn at_least(self, least: Duration) -> Budget {
        match self {
            Budget::Work(units, time) if time < least => {
                let times = least.as_nanos() / time.as_nanos().max(1) + 1;
                Budget::Work(units.saturating_mul(times.try_into().unwrap_or(u64::MAX)), least)
            }
            other => other,
        }
    }
}

/// A cycle, and what it takes to go on with it.
pub(crate) struct Shading<'a> {
    pub cycle: &'a mut Cycle,
    pub marks: &'a mut Marks,
    pub types: &'a Descriptors,
    pub space_start: u32,
    /// See [`Reach::log`](crate::heap::weak::Reach::log).
    pub log: Option<Vec<u32>>,
}

impl Heap {
    /// The cycle that is under way.
    pub(in crate::heap) fn shading(&mut self) -> Option<Shading<'_>> {
        let cycle = self.cycle.as_deref_mut()?;
        let (marks, types, space_start) = (&mut self.marks, &self.types, self.space_start);
        Some(Shading { cycle, marks, types, space_start, log: None })
    }

    /// A large or pinned object is made outside of the nursery while a cycle is under way: a pinned one is black.
    pub(in crate::heap) fn made_old(&mut self, at: u32, bytes: u64, pinned: bool) {
        if let Some(cycle) = self.cycle.as_deref_mut() {
            cycle.large_bytes += if pinned && cycle.watch.is_some() { 0 } else { bytes };
            if pinned {
                self.marks.set(at);
                cycle.fresh.push(at);
            }
        }
    }
}

impl Shading<'_> {
    /// Makes the object that a word refers to grey, if it is a white one.
    #[inline(always)]
    pub fn shade(&mut self, value: u32) {
        if let Some(at) = object_header(value)
            && at >= self.space_start
            && self.marks.set(at)
        {
            self.push(at);
        }
    }

    /// The same for the header of an object: it may be a descriptor's address.
    pub fn shade_header(&mut self, header: u32) {
        if header >= self.space_start && self.marks.set(header) {
            self.push(header);
        }
    }

    /// An object has moved to the old space: it is black.
    #[inline(always)]
    pub fn blacken(&mut self, to: u32, size: u32) {
        self.marks.set(to);
        if self.cycle.watch.is_none() {
            self.count(to, size);
            self.cycle.late += u64::from(size);
        }
    }

    #[inline(always)]
    fn count(&mut self, at: u32, size: u32) {
        self.cycle.lines.mark(at - self.space_start, size);
        self.cycle.live += u64::from(size);
    }

    /// Queues a marked object.
    #[inline(always)]
    fn push(&mut self, at: u32) {
        if let Some(log) = &mut self.log {
            log.push(at);
        }
        self.cycle.todo.push(at);
    }

    /// Traces all grey objects, and what they lead to.
    pub fn drain_all(&mut self, words: View<'_>, old: &OldSpace) {
        self.drain_some(words, old, u64::MAX);
    }

    /// Traces grey objects for so many units of work, until a moment; whether none are left.
    pub fn drain(&mut self, words: View<'_>, old: &OldSpace, mut units: u64, end: Option<Instant>) -> bool {
        loop {
            let some = units.min(UNITS_PER_LOOK);
            if self.drain_some(words, old, some) {
                return true;
            }
            units -= some;
            if units == 0 || end.is_some_and(|end| Instant::now() >= end) {
                return false;
            }
        }
    }

    fn drain_some(&mut self, words: View<'_>, old: &OldSpace, mut units: u64) -> bool {
        while units > 0 {
            if let Some(at) = self.cycle.todo.pop(words) {
                units = units.saturating_sub(self.trace(words, old, at));
            } else if let Some((at, from, to)) = self.cycle.slices.pop() {
                let end = to.min(from.saturating_add(SLICE));
                units = units.saturating_sub(self::units(end - from));
                if end < to {
                    self.cycle.slices.push((at, end, to));
                }
                for i in from..end {
                    self.shade(words.get((at + ARRAY_ELEMENTS).wrapping_add(4 * i)));
                }
            } else {
                return true;
            }
        }
        self.is_done()
    }

    /// Whether nothing is grey.
    pub fn is_done(&self) -> bool {
        self.cycle.todo.is_empty() && self.cycle.slices.is_empty()
    }

    /// Traces a grey object: how many units of work that was.
    #[inline(always)]
    fn trace(&mut self, words: View<'_>, old: &OldSpace, at: u32) -> u64 {
        let brief = self.types.brief(words.get(at));
        let size = brief.bytes();
        if size == 0 {
            return self.trace_other(words, old, at, brief);
        }
        if old.contains(at) {
            self.count(at, size);
        }
        brief.each_slot(at, |slot| self.shade(words.get(slot)));
        1
    }

    /// The same for an object of a type without a complete brief description.
    #[inline(never)]
    fn trace_other(&mut self, words: View<'_>, old: &OldSpace, at: u32, brief: Brief) -> u64 {
        let Some(index) = brief.index().or_else(|| self.described(words, at)) else { return 1 };
        let types = self.types;
        let descriptor = types.at(index);
        let size = descriptor.size(words, at);
        if u64::from(at) + size > words.len() {
            self.corrupt(Fault::Size, at, size as u32);
            return 1;
        }
        if old.contains(at) {
            self.count(at, size as u32);
        }
        let len = elements(words, descriptor.element, at);
        let mut slots = 0;
        if descriptor.trace == Trace::Elements && len > SLICE {
            self.cycle.slices.push((at, 0, len));
        } else {
            types.each_slot(descriptor, at, len, |slot| {
                slots += 1;
                self.shade(words.get(slot));
            });
        }
        self.note_host(words, descriptor, at);
        units(slots)
    }

    /// The type of an object whose header is no fixed record: it may be a descriptor, which then is alive.
    #[cold]
    fn described(&mut self, words: View<'_>, at: u32) -> Option<u32> {
        let header = words.get(at);
        let index = self.types.brief_of_descriptor(words, header).index();
        match index {
            Some(_) => self.shade_header(header),
            None => self.corrupt(Fault::Header, at, header),
        }
        index
    }

    /// Notes the slot of a host value that is black.
    pub fn note_host(&mut self, words: View<'_>, descriptor: &Descriptor, at: u32) {
        if descriptor.trace == Trace::Host {
            self.cycle.hosts.push(words.get(at + rtt::HOST_SLOT));
        }
    }

    #[cold]
    fn corrupt(&mut self, fault: Fault, at: u32, word: u32) {
        self.cycle.fault.get_or_insert_with(|| VerifyError::object(fault, at, word));
    }
}
