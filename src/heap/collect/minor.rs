//! A minor collection: everything reachable in the nursery moves to the old space at once.
//!
//! Cheney's algorithm ("A nonrecursive list compacting algorithm", CACM 1970) with a stack instead
//! of the queue: a parent's children end up beside each other and near to it. The room is reserved
//! by the caller. A moved object's header is overwritten with its new reference, whose low bits 01
//! no header has.
//!
//! Afterwards the nursery is empty; so is the remembered set, since no old object can refer to a
//! young one.

use super::roots::{Roots, Young, each_memory_root, elements, stack_pointer};
use super::shade::{Cycle, Shading};
use crate::heap::descriptor::{Brief, Descriptors, Trace};
use crate::heap::memory::{HeapMemory, Words};
use crate::heap::space::old::OldSpace;
use crate::heap::space::pages::Pages;
use crate::heap::verify::{Fault, VerifyError};
use crate::heap::weak::{Entries, Reach};
use crate::heap::{AllocError, Heap};
use crate::layout::object::{ARRAY_ELEMENTS, ARRAY_LENGTH, LARGE_OBJECT_BYTES};
use crate::layout::reference;
use std::ops::Range;

/// So many slots are ahead of what they refer to, and that of the collection.
const AHEAD: usize = 8;

/// A minor collection in progress; `SHADES` if a major one in steps is under way.
struct Promoter<'a, const SHADES: bool> {
    words: Words<'a>,
    types: &'a Descriptors,
    old: &'a mut OldSpace,
    pages: &'a mut Pages,
    young: Young,
    /// Moved objects whose slots are still to be looked at, each with what its type is.
    todo: &'a mut Vec<(u32, Brief)>,
    promoted: u64,
    /// If `SHADES`.
    shading: Option<Shading<'a>>,
    /// See [`Reach::log`].
    log: Option<Vec<u32>>,
    fault: Option<VerifyError>,
}

impl Heap {
    /// Moves the live objects of the nursery to the old space. The caller has made sure that they
    /// fit.
    pub(super) fn promote(&mut self, mem: &mut dyn HeapMemory, roots: &mut dyn Roots) -> Result<(), AllocError> {
        let Some(mut cycle) = self.cycle.take() else { return self.promote_with::<false>(mem, roots, None) };
        let result = self.promote_with::<true>(mem, roots, Some(&mut cycle));
        let fault = cycle.fault.take();
        self.cycle = Some(cycle);
        result?;
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    fn promote_with<const SHADES: bool>(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        mut cycle: Option<&mut Cycle>,
    ) -> Result<(), AllocError> {
        let map = self.map;
        let used = self.nursery.used(mem.bytes())?;
        let sp = stack_pointer(mem.bytes(), map)?;
        let buffer = self.remembered.entries(mem.bytes(), map)?;
        let mut todo = std::mem::take(&mut self.todo);
        let fresh = cycle.as_mut().map_or(vec![], |cycle| std::mem::take(&mut cycle.fresh));
        let (marks, types, space_start) = (&mut self.marks, &self.types, self.space_start);
        let shading = cycle.map(|cycle| Shading { cycle, marks, types, space_start, log: None });
        let mut p = Promoter::<SHADES> {
            words: Words::new(mem.bytes_mut()),
            types: &self.types,
            old: &mut self.old,
            pages: &mut self.pages,
            young: Young { start: map.nursery_start, used },
            todo: &mut todo,
            promoted: 0,
            shading,
            log: None,
            fault: None,
        };
        each_memory_root(map, sp, &self.areas, |at| p.slot(at));
        roots.each(&mut |word| *word = p.forward(*word));
        roots.each_recent(&mut |word| *word = p.forward(*word));
        self.weak.each_strong(Entries::Recent, &mut |word| *word = p.forward(*word));
        p.buffer(buffer);
        p.slots(self.remembered.slots());
        self.remembered.cards.each().for_each(|(array, cards)| p.cards(array, cards));
        self.remembered.objects().iter().for_each(|&at| p.whole_object(at));
        self.large.young().iter().chain(&fresh).for_each(|&at| p.whole_object(at));
        p.drain();
        self.weak.finish(&mut p, Entries::Recent, map);
        roots.nursery_emptied();
        let (promoted, fault) = (p.promoted, p.fault.take());
        todo.clear();
        self.todo = todo;
        self.finish_promotion(mem, used, promoted);
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    fn finish_promotion(&mut self, mem: &mut dyn HeapMemory, used: u32, promoted: u64) {
        let start = self.nursery.start();
        if self.options.poison {
            self.poison(mem, start..start + used);
        }
        if !self.nursery.is_capped() {
            self.pretenure.adapt(used, promoted, self.nursery.size(), &self.options);
            self.nursery.adapt(used, promoted);
        }
        let mut words = Words::new(mem.bytes_mut());
        self.remembered.clear(&mut words, self.map);
        self.nursery.reset(&mut words);
        self.large.none_is_young();
        self.sizer.promoted(promoted);
        self.stats.promoted_bytes += promoted;
        self.stats.allocated_bytes += used as u64;
    }
}

impl<const SHADES: bool> Promoter<'_, SHADES> {
    /// Updates a slot that may refer to a young object.
    #[inline(always)]
    fn slot(&mut self, at: u32) {
        let value = self.words.get(at);
        if let Some(from) = self.young.header(value) {
            let moved = self.move_object(from, value);
            self.words.set(at, moved);
        } else {
            self.shade(value);
        }
    }

    /// The same for many slots, which may be anywhere and refer to anywhere: what comes next is on its way meanwhile.
    fn slots(&mut self, slots: &[u32]) {
        for (n, &slot) in slots.iter().enumerate() {
            let words = self.words.view();
            if let Some(&far) = slots.get(n + 2 * AHEAD) {
                words.prefetch(far);
            }
            if let Some(&near) = slots.get(n + AHEAD) {
                words.prefetch(reference::header(words.get(near)));
            }
            self.slot(slot);
        }
    }

    /// The slots whose addresses are in the buffer.
    fn buffer(&mut self, entries: Range<u32>) {
        let ahead = |at: u32, n: usize| Some(at + 4 * n as u32).filter(|&ahead| ahead < entries.end);
        for at in entries.clone().step_by(4) {
            let words = self.words.view();
            if let Some(far) = ahead(at, 2 * AHEAD) {
                words.prefetch(words.get(far));
            }
            if let Some(near) = ahead(at, AHEAD) {
                words.prefetch(reference::header(words.get(words.get(near))));
            }
            self.slot(words.get(at));
        }
    }

    /// What a word must become.
    #[inline(always)]
    fn forward(&mut self, value: u32) -> u32 {
        match self.young.header(value) {
            Some(from) => self.move_object(from, value),
            None => {
                self.shade(value);
                value
            }
        }
    }

    /// What an object that is not young refers to is alive, if a cycle is under way.
    #[inline(always)]
    fn shade(&mut self, value: u32) {
        if SHADES && let Some(shading) = &mut self.shading {
            shading.shade(value);
        }
    }

    /// A moved object is black.
    #[inline(always)]
    fn blacken(&mut self, to: u32, size: u32) {
        if SHADES && let Some(shading) = &mut self.shading {
            shading.blacken(to, size);
        }
    }

    /// The new reference to the young object at `from`, which moves if it has not yet.
    #[inline(always)]
    fn move_object(&mut self, from: u32, value: u32) -> u32 {
        let header = self.words.get(from);
        if reference::is_object(header) {
            return header;
        }
        let brief = self.types.brief(header);
        let size = brief.bytes();
        if size == 0 || size > self.room(from) {
            return self.move_other(from, value, brief);
        }
        let Some(to) = self.old.alloc(size, self.pages) else {
            return self.corrupt(Fault::Overlap, from, header, value);
        };
        self.words.copy(from, to, size);
        let moved = reference::from_header(to);
        self.words.set(from, moved);
        self.promoted += size as u64;
        self.blacken(to, size);
        if let Some(log) = &mut self.log {
            log.push(from);
        }
        if brief.has_refs() {
            self.todo.push((to, brief));
        }
        moved
    }

    /// Bytes of the nursery's used part from an address in it on.
    #[inline(always)]
    fn room(&self, from: u32) -> u32 {
        self.young.used - (from - self.young.start)
    }

    /// The same for arrays and whatever else is not told by a brief description.
    #[inline(never)]
    fn move_other(&mut self, from: u32, value: u32, brief: Brief) -> u32 {
        let header = self.words.get(from);
        let known = brief.index().is_some();
        let brief = if known { brief } else { self.types.brief_of_descriptor(self.words.view(), header) };
        let Some(index) = brief.index() else {
            return self.corrupt(Fault::Header, from, header, value);
        };
        let descriptor = self.types.at(index);
        let size = descriptor.size(self.words.view(), from);
        if size > self.room(from) as u64 || size >= LARGE_OBJECT_BYTES as u64 {
            return self.corrupt(Fault::Size, from, header, value);
        }
        let Some(to) = self.old.alloc(size as u32, self.pages) else {
            return self.corrupt(Fault::Overlap, from, header, value);
        };
        self.words.copy(from, to, size as u32);
        let moved = reference::from_header(to);
        self.words.set(from, moved);
        self.promoted += size;
        self.blacken(to, size as u32);
        if SHADES && let Some(shading) = &mut self.shading {
            shading.shade_header(header);
            shading.note_host(self.words.view(), descriptor, to);
        }
        self.log.iter_mut().for_each(|log| log.push(from));
        if descriptor.trace > Trace::Host {
            self.todo.push((to, brief));
        }
        moved
    }

    #[cold]
    fn corrupt(&mut self, fault: Fault, at: u32, word: u32, value: u32) -> u32 {
        self.fault.get_or_insert_with(|| VerifyError::object(fault, at, word));
        value
    }

    /// Updates the elements of an array of references that are on its cards. It does not move.
    fn cards(&mut self, array: u32, cards: Range<u32>) {
        let len = self.words.get(array.saturating_add(ARRAY_LENGTH));
        let start = array.saturating_add(ARRAY_ELEMENTS);
        let end = (u64::from(start) + 4 * u64::from(len)).min(u64::from(cards.end)).min(self.words.len());
        (cards.start.max(start)..end as u32).step_by(4).for_each(|slot| self.slot(slot));
    }

    /// Updates all slots of an object that does not move.
    fn whole_object(&mut self, at: u32) {
        let header = self.words.get(at);
        if header == 0 {
            // A large object that nobody has set up: see `alloc.rs`.
            return;
        }
        let described = || self.types.brief_of_descriptor(self.words.view(), header).index();
        let Some(index) = self.types.index(header).or_else(described) else {
            self.corrupt(Fault::Header, at, header, 0);
            return;
        };
        if at as u64 + self.types.at(index).size(self.words.view(), at) > self.words.len() {
            self.corrupt(Fault::Size, at, header, 0);
            return;
        }
        if SHADES && let Some(shading) = &mut self.shading {
            shading.shade_header(header);
        }
        self.scan_other(at, index);
    }

    #[inline(never)]
    fn scan_other(&mut self, at: u32, index: u32) {
        let types = self.types;
        let descriptor = types.at(index);
        let len = elements(self.words.view(), descriptor.element, at);
        types.each_slot(descriptor, at, len, |slot| self.slot(slot));
    }

    fn drain(&mut self) {
        while let Some((at, brief)) = self.todo.pop() {
            match brief.index() {
                Some(index) if brief.bytes() == 0 => self.scan_other(at, index),
                _ => brief.each_slot(at, |slot| self.slot(slot)),
            }
        }
    }
}

impl<const SHADES: bool> Reach for Promoter<'_, SHADES> {
    fn reached(&self, word: u32) -> Option<u32> {
        let Some(from) = self.young.header(word) else { return Some(word) };
        let header = self.words.get(from);
        reference::is_object(header).then_some(header)
    }

    fn reach(&mut self, word: u32) -> u32 {
        self.forward(word)
    }

    fn trace(&mut self) {
        self.drain();
    }

    fn log(&mut self) -> &mut Option<Vec<u32>> {
        &mut self.log
    }
}
