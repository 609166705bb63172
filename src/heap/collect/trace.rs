//! Marking: everything that is reachable from the roots, wherever it is, each object once.
//!
//! Young objects are marked in place, so that a major collection needs no room in the old space
//! before it has freed some. Objects in blocks that are being evacuated move when they are first
//! reached (the opportunistic evacuation of Immix), their header overwritten by their new reference.
//! Slots of old objects that refer to young ones are noted: they become the remembered set.
//!
//! Where nothing moves, `parallel.rs` traces what the roots lead to, and what is left to trace here is what host values
//! hold and what is weak.

use super::roots::{Roots, Young, elements, object_header};
use super::worklist::Worklist;
use crate::heap::descriptor::{Brief, Descriptor, Descriptors, Trace};
use crate::heap::memory::Words;
use crate::heap::remembered::Remembered;
use crate::heap::space::lines::LINE_BYTES;
use crate::heap::space::marks::Marks;
use crate::heap::space::old::OldSpace;
use crate::heap::space::pages::Pages;
use crate::heap::verify::{Fault, VerifyError};
use crate::heap::weak::Reach;
use crate::layout::object::{HEADER_BYTES, LARGE_OBJECT_BYTES};
use crate::layout::{reference, rtt};

/// What marking counted, in bytes.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Live {
    /// Live objects of the nursery of up to a line.
    pub young_small: u64,
    /// The larger ones.
    pub young_medium: u64,
    /// Live objects of the old space.
    pub old: u64,
    /// Those of them that moved.
    pub moved: u64,
    /// Those of them that count as live only because they were promoted while a collection marked in steps.
    pub late: u64,
}

impl Live {
    /// Counts a young object.
    pub fn count_young(&mut self, size: u64) {
        if size <= LINE_BYTES as u64 {
            self.young_small += size;
        } else {
            self.young_medium += size;
        }
    }

    /// Adds what another counted.
    pub fn add(&mut self, other: Live) {
        self.young_small += other.young_small;
        self.young_medium += other.young_medium;
        self.old += other.old;
        self.moved += other.moved;
    }
}

/// A mark phase in progress; `MOVES` if some blocks are being evacuated.
pub(super) struct Marker<'a, const MOVES: bool> {
    pub words: Words<'a>,
    pub types: &'a Descriptors,
    pub old: &'a mut OldSpace,
    pub pages: &'a mut Pages,
    pub marks: &'a mut Marks,
    pub remembered: &'a mut Remembered,
    pub young: Young,
    pub rtt_start: u32,
    pub space_start: u32,
    /// Marked objects that are still to be traced.
    pub todo: &'a mut Worklist,
    pub live: Live,
    /// See [`Reach::log`].
    pub log: Option<Vec<u32>>,
    pub fault: Option<VerifyError>,
}

impl<const MOVES: bool> Marker<'_, MOVES> {
    /// Marks what a root word in memory refers to, and updates it.
    #[inline(always)]
    pub fn root_slot(&mut self, at: u32) {
        let value = self.words.get(at);
        let marked = self.mark(value);
        if marked != value {
            self.words.set(at, marked);
        }
    }

    /// Marks what a word refers to: what the word must become.
    #[inline(always)]
    pub fn mark(&mut self, value: u32) -> u32 {
        match object_header(value) {
            Some(at) => self.mark_object(at, value),
            None => value,
        }
    }

    #[inline(always)]
    fn mark_object(&mut self, at: u32, value: u32) -> u32 {
        if at >= self.space_start {
            if MOVES && self.old.is_evacuated(at) {
                return self.mark_evacuated(at, value);
            }
        } else if at.wrapping_sub(self.young.start) >= self.young.used {
            if at < self.rtt_start {
                return self.corrupt(Fault::Reference, at, value, value);
            }
            // An RTT record: immortal.
            return value;
        }
        if self.marks.set(at) {
            self.push(at);
        }
        value
    }

    /// Queues a marked object.
    #[inline(always)]
    fn push(&mut self, at: u32) {
        if let Some(log) = &mut self.log {
            log.push(at);
        }
        self.todo.push(at);
    }

    /// An object in a block that is to be emptied: it moves, or stays if there is no room.
    fn mark_evacuated(&mut self, at: u32, value: u32) -> u32 {
        let header = self.words.get(at);
        if reference::is_object(header) {
            return header;
        }
        if self.marks.is_set(at) {
            return value;
        }
        let mut brief = self.types.brief(header);
        if brief.index().is_none() {
            brief = self.types.brief_of_descriptor(self.words.view(), header);
        }
        let Some(index) = brief.index() else {
            return self.corrupt(Fault::Header, at, header, value);
        };
        let size = self.types.at(index).size(self.words.view(), at);
        if size >= LARGE_OBJECT_BYTES as u64 || at as u64 + size > self.words.len() {
            return self.corrupt(Fault::Size, at, header, value);
        }
        let Some(to) = self.old.alloc(size as u32, self.pages) else {
            self.marks.set(at);
            self.push(at);
            return value;
        };
        self.words.copy(at, to, size as u32);
        let moved = reference::from_header(to);
        self.words.set(at, moved);
        self.live.moved += size;
        self.log.iter_mut().for_each(|log| log.push(at));
        self.marks.set(to);
        self.todo.push(to);
        moved
    }

    /// Traces until nothing is left to trace.
    pub fn drain(&mut self, roots: &mut dyn Roots) {
        while let Some(at) = self.todo.pop(self.words.view()) {
            let brief = self.types.brief(self.words.get(at));
            let size = brief.bytes();
            if size == 0 || at < self.space_start {
                self.scan_other(at, brief, roots);
            } else {
                self.count_old(at, size);
                brief.each_slot(at, |slot| self.old_slot(slot));
            }
        }
    }

    /// Traces an object that is young, or of a type without a complete brief description.
    #[inline(never)]
    fn scan_other(&mut self, at: u32, brief: Brief, roots: &mut dyn Roots) {
        let Some(index) = brief.index().or_else(|| self.described(at)) else { return };
        let descriptor = self.types.at(index);
        let size = descriptor.size(self.words.view(), at);
        let young = at < self.space_start;
        let room = if young { (self.young.start + self.young.used) as u64 } else { self.words.len() };
        if at as u64 + size > room {
            self.corrupt(Fault::Size, at, size as u32, 0);
            return;
        }
        if young {
            self.live.count_young(size);
            self.each_slot(descriptor, at, |this, slot| this.root_slot(slot));
        } else {
            self.count_old(at, size as u32);
            self.each_slot(descriptor, at, |this, slot| this.old_slot(slot));
        }
        if descriptor.trace == Trace::Host {
            let slot = self.words.get(at + rtt::HOST_SLOT);
            roots.mark_host_slot(slot, &mut |word| *word = self.mark(*word));
        }
    }

    /// The type of an object whose header is no fixed record: it may be a descriptor, which then is alive.
    #[cold]
    fn described(&mut self, at: u32) -> Option<u32> {
        let header = self.words.get(at);
        let Some(index) = self.types.brief_of_descriptor(self.words.view(), header).index() else {
            self.corrupt(Fault::Header, at, header, 0);
            return None;
        };
        if self.marks.set(header) {
            self.push(header);
        }
        Some(index)
    }

    #[inline(always)]
    fn each_slot(&mut self, descriptor: &Descriptor, at: u32, mut each: impl FnMut(&mut Self, u32)) {
        let types = self.types;
        let len = elements(self.words.view(), descriptor.element, at);
        types.each_slot(descriptor, at, len, |slot| each(self, slot));
    }

    #[inline(always)]
    fn count_old(&mut self, at: u32, size: u32) {
        if self.old.contains(at) {
            self.old.mark_lines(at, size);
            self.live.old += size as u64;
        }
    }

    /// A slot of an old object.
    #[inline(always)]
    fn old_slot(&mut self, at: u32) {
        let value = self.words.get(at);
        let Some(target) = object_header(value) else { return };
        let marked = self.mark_object(target, value);
        if MOVES && marked != value {
            self.words.set(at, marked);
        } else if target.wrapping_sub(self.young.start) < self.young.used {
            self.remembered.slot(at);
        }
    }

    #[cold]
    fn corrupt(&mut self, fault: Fault, at: u32, word: u32, value: u32) -> u32 {
        self.fault.get_or_insert_with(|| VerifyError::object(fault, at, word));
        value
    }
}

/// A mark phase, as the weak tables see it.
pub(super) struct Marking<'m, 'a, const MOVES: bool> {
    pub marker: &'m mut Marker<'a, MOVES>,
    pub roots: &'m mut dyn Roots,
}

impl<const MOVES: bool> Reach for Marking<'_, '_, MOVES> {
    fn reached(&self, word: u32) -> Option<u32> {
        let marker = &*self.marker;
        let Some(at) = object_header(word) else { return Some(word) };
        if at < marker.space_start && at.wrapping_sub(marker.young.start) >= marker.young.used {
            return Some(word);
        }
        if MOVES && at >= marker.space_start && marker.old.is_evacuated(at) {
            let header = marker.words.get(at);
            if reference::is_object(header) {
                return Some(header);
            }
        }
        marker.marks.is_set(at).then_some(word)
    }

    fn reach(&mut self, word: u32) -> u32 {
        self.marker.mark(word)
    }

    fn trace(&mut self) {
        self.marker.drain(self.roots);
    }

    fn log(&mut self) -> &mut Option<Vec<u32>> {
        &mut self.marker.log
    }
}

const _: () = assert!(rtt::HOST_SLOT == HEADER_BYTES);
