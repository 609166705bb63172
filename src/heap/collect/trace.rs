//! Marking: everything that is reachable from the roots, wherever it is, each object once.
//!
//! Young objects are marked in place, so that a major collection needs no room in the old space
//! before it has freed some. Objects in blocks that are being evacuated move when they are first
//! reached (the opportunistic evacuation of Immix), their header overwritten by their new reference.
//! Slots of old objects that refer to young ones are noted: they become the remembered set.

use super::roots::{Roots, Young, elements, object_header};
use crate::heap::descriptor::{Descriptor, Descriptors, Trace};
use crate::heap::memory::Words;
use crate::heap::remembered::Remembered;
use crate::heap::space::marks::Marks;
use crate::heap::space::old::{LINE_BYTES, OldSpace};
use crate::heap::space::pages::Pages;
use crate::heap::verify::{Fault, VerifyError};
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
}

/// A mark phase in progress.
pub(super) struct Marker<'a> {
    pub words: Words<'a>,
    pub types: &'a Descriptors,
    pub old: &'a mut OldSpace,
    pub pages: &'a mut Pages,
    pub marks: &'a mut Marks,
    pub remembered: &'a mut Remembered,
    pub young: Young,
    pub rtt_start: u32,
    pub space_start: u32,
    /// Marked objects that are still to be traced, each with the number of its type.
    pub todo: &'a mut Vec<(u32, u32)>,
    pub live: Live,
    pub fault: Option<VerifyError>,
}

impl Marker<'_> {
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

    #[inline]
    fn mark_object(&mut self, at: u32, value: u32) -> u32 {
        if at >= self.space_start {
            if self.old.is_evacuated(at) {
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

    /// Queues a marked object, if its header is good.
    #[inline(always)]
    fn push(&mut self, at: u32) {
        let header = self.words.get(at);
        match self.types.index(header) {
            Some(index) => self.todo.push((at, index)),
            None => {
                self.corrupt(Fault::Header, at, header, 0);
            }
        }
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
        let Some(index) = self.types.index(header) else {
            return self.corrupt(Fault::Header, at, header, value);
        };
        let size = self.types.at(index).size(&self.words, at);
        if size >= LARGE_OBJECT_BYTES as u64 || at as u64 + size > self.words.len() {
            return self.corrupt(Fault::Size, at, header, value);
        }
        let Some(to) = self.old.alloc(size as u32, self.pages) else {
            self.marks.set(at);
            self.todo.push((at, index));
            return value;
        };
        self.words.copy(at, to, size as u32);
        let moved = reference::from_header(to);
        self.words.set(at, moved);
        self.live.moved += size;
        self.marks.set(to);
        self.todo.push((to, index));
        moved
    }

    /// Traces until nothing is left to trace.
    pub fn drain(&mut self, roots: &mut dyn Roots) {
        while let Some((at, index)) = self.todo.pop() {
            let types = self.types;
            let descriptor = types.at(index);
            let size = descriptor.size(&self.words, at);
            if at.wrapping_sub(self.young.start) < self.young.used {
                self.scan_young(at, size, descriptor);
            } else {
                self.scan_old(at, size, descriptor);
            }
            if descriptor.trace == Trace::Host {
                roots.mark_host_slot(self.words.get(at + rtt::HOST_SLOT));
            }
        }
    }

    #[inline(always)]
    fn scan_young(&mut self, at: u32, size: u64, descriptor: &Descriptor) {
        let room = self.young.used - (at - self.young.start);
        if size > room as u64 {
            self.corrupt(Fault::Size, at, size as u32, 0);
            return;
        }
        if size <= LINE_BYTES as u64 {
            self.live.young_small += size;
        } else {
            self.live.young_medium += size;
        }
        let types = self.types;
        let len = elements(&self.words, descriptor.element, at);
        types.each_slot(descriptor, at, len, |slot| self.root_slot(slot));
    }

    #[inline(always)]
    fn scan_old(&mut self, at: u32, size: u64, descriptor: &Descriptor) {
        if at as u64 + size > self.words.len() {
            self.corrupt(Fault::Size, at, size as u32, 0);
            return;
        }
        if self.old.contains(at) {
            self.old.mark_lines(at, size as u32);
            self.live.old += size;
        }
        let types = self.types;
        let len = elements(&self.words, descriptor.element, at);
        types.each_slot(descriptor, at, len, |slot| self.old_slot(slot));
    }

    /// A slot of an old object.
    #[inline(always)]
    fn old_slot(&mut self, at: u32) {
        let value = self.words.get(at);
        let Some(target) = object_header(value) else { return };
        let marked = self.mark_object(target, value);
        if marked != value {
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

const _: () = assert!(rtt::HOST_SLOT == HEADER_BYTES);
