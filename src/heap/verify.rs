//! The verifier: whether a heap is what it is defined to be. It shares no code with the collections.
//!
//! The definition:
//! 1. The cells are in bounds: stack pointer, bump pointer, end of the remembered slots.
//! 2. Every word that must be a reference is null, an i31, an RTT record, or an object. These words
//!    are: the live part of the shadow stack, the root areas, what the host holds, weakly or not, and the
//!    reference fields and elements of every object that is reachable from them.
//! 3. An object's header is the address of a known record, or of a descriptor for its type, which is
//!    an object as well. An object lies wholly in the used part of the
//!    nursery, in one block of the old space, where a large object begins, or is pinned.
//! 4. No two reachable objects overlap, and none overlaps room that the allocator may hand out.
//! 5. A slot of an object outside of the nursery that refers to a young object is remembered: by its
//!    address, on a card, with its whole object, or as part of a large object that is young itself. No address is
//!    twice among those that the host has taken over.
//! 6. While a collection marks in steps, a slot of an object that is marked, and on no worklist, refers to a marked object
//!    or to a young one, or is remembered as in 5, large and pinned objects that were made since the last promotion as a
//!    whole. So does its header.

use super::Heap;
use super::collect::roots::{Roots, stack_pointer};
use super::memory::{HeapMemory, read};
use crate::layout::object::{ARRAY_ELEMENTS, ARRAY_LENGTH, LARGE_OBJECT_BYTES};
use crate::layout::{GcType, ObjectLayout, Width, reference};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The bump cell is outside of the nursery.
    Bump,
    /// The cell with the end of the remembered slots is outside of their buffer.
    Remembered,
    /// The stack pointer is outside of the shadow stack.
    StackPointer,
    /// A word is neither null, nor an i31, nor a reference to anything that there is.
    Reference,
    /// An object's header is no known RTT record.
    Header,
    /// An object does not fit where it is.
    Size,
    /// An object overlaps another one, or free room.
    Overlap,
    /// An old object's reference to a young one is not remembered.
    NotRemembered,
    /// While a collection marks in steps: a marked and traced object's reference to one that is not marked is not
    /// remembered.
    NotMarked,
    /// A slot or object is in the host's list of remembered ones twice.
    RememberedTwice,
    /// The host panicked while a collection visited what it holds.
    Interrupted,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Bump => "bump pointer out of the nursery",
            Fault::Remembered => "end of remembered slots out of their buffer",
            Fault::StackPointer => "stack pointer out of the shadow stack",
            Fault::Reference => "no valid reference",
            Fault::Header => "no valid header",
            Fault::Size => "object out of its bounds",
            Fault::Overlap => "object overlaps another or free room",
            Fault::NotRemembered => "reference from old to young is not remembered",
            Fault::NotMarked => "reference from black to white is not remembered",
            Fault::RememberedTwice => "remembered twice",
            Fault::Interrupted => "a collection was interrupted by a panic of the host",
        })
    }
}

/// Where a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A fixed cell, by its address.
    Cell(u32),
    /// A word of the shadow stack or of a root area, by its address.
    Root(u32),
    /// The `n`th root of the host.
    Host(u32),
    /// An object's word: the address of its header, and the offset from there.
    Field(u32, u32),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Cell(at) => write!(f, "cell {at:#x}"),
            Place::Root(at) => write!(f, "root {at:#x}"),
            Place::Host(n) => write!(f, "host root {n}"),
            Place::Field(at, offset) => write!(f, "object {at:#x}+{offset}"),
        }
    }
}

/// What is wrong with a heap, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyError {
    /// What is wrong.
    pub fault: Fault,
    /// The word that shows it.
    pub place: Place,
    /// Its value.
    pub word: u32,
    /// How the place was reached, the nearest step first; not known to the collections themselves.
    pub path: Vec<Place>,
}

impl std::error::Error for VerifyError {}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {:#x}", self.fault, self.place, self.word)?;
        self.path.iter().try_for_each(|step| write!(f, ", from {step}"))
    }
}

impl VerifyError {
    pub(super) fn cell(fault: Fault, cell: u32, word: u32) -> VerifyError {
        VerifyError { fault, place: Place::Cell(cell), word, path: Vec::new() }
    }

    pub(super) fn object(fault: Fault, at: u32, word: u32) -> VerifyError {
        VerifyError { fault, place: Place::Field(at, 0), word, path: Vec::new() }
    }
}

/// Steps of a path that are reported.
const PATH_STEPS: usize = 32;

/// A reachable object.
struct Node {
    range: Range<u32>,
    /// The word by which it was reached, and the number of the object that word is in.
    from: (Place, Option<usize>),
}

struct Verifier<'a> {
    heap: &'a Heap,
    bytes: &'a [u8],
    bump: u32,
    large: HashMap<u32, Range<u32>>,
    nodes: Vec<Node>,
    seen: HashSet<u32>,
    remembered_slots: HashSet<u32>,
    remembered_objects: HashSet<u32>,
    /// Whether slots may be missing there.
    lost: bool,
    /// The worklists of the cycle that is under way.
    grey: HashSet<u32>,
}

impl Heap {
    /// Checks the whole heap against its definition.
    ///
    /// # Errors
    ///
    /// The first thing found wrong.
    pub fn verify(&self, mem: &dyn HeapMemory, roots: &mut dyn Roots) -> Result<(), VerifyError> {
        let bytes = mem.bytes();
        let sp = stack_pointer(bytes, self.map)?;
        let buffer = self.remembered.entries(bytes, self.map)?;
        let mut verifier = Verifier {
            heap: self,
            bytes,
            bump: if self.pretenure.is_on() { self.map.nursery_start } else { self.nursery.bump(bytes)? },
            large: self.large.objects().iter().map(|object| (object.at, object.range())).collect(),
            nodes: Vec::new(),
            seen: HashSet::new(),
            remembered_slots: buffer.step_by(4).map(|at| read(bytes, at)).collect(),
            lost: self.remembered.is_full(bytes, self.map),
            remembered_objects: self.remembered.objects().iter().chain(self.large.young()).copied().collect(),
            grey: HashSet::new(),
        };
        let mut once = HashSet::new();
        let twice = |&&at: &&u32| !once.insert(at);
        if let Some(&at) = self.remembered.slots().iter().find(twice) {
            return Err(VerifyError::cell(Fault::RememberedTwice, at, read(bytes, at)));
        }
        verifier.remembered_slots.extend(self.remembered.slots());
        if let Some(cycle) = &self.cycle {
            verifier.grey.extend(cycle.todo.iter().chain(cycle.slices.iter().map(|&(at, ..)| at)));
            verifier.remembered_objects.extend(&cycle.fresh);
        }
        verifier.roots(sp, roots)?;
        verifier.objects()?;
        verifier.overlaps()
    }
}

impl Verifier<'_> {
    fn roots(&mut self, sp: u32, roots: &mut dyn Roots) -> Result<(), VerifyError> {
        for at in (sp..self.heap.map.stack_top).step_by(4) {
            self.word(read(self.bytes, at), Place::Root(at), None)?;
        }
        for range in self.heap.areas.ranges() {
            for at in range.clone().step_by(4) {
                self.word(read(self.bytes, at), Place::Root(at), None)?;
            }
        }
        let mut held = Vec::new();
        roots.each(&mut |word| held.push(*word));
        roots.each_recent(&mut |word| held.push(*word));
        self.heap.weak.each_word(&mut |word| held.push(word));
        for (n, value) in (0u32..).zip(held) {
            self.word(value, Place::Host(n), None)?;
        }
        Ok(())
    }

    fn objects(&mut self) -> Result<(), VerifyError> {
        let mut next = 0;
        while next < self.nodes.len() {
            self.object(next)?;
            next += 1;
        }
        Ok(())
    }

    /// Checks the references of one object.
    fn object(&mut self, node: usize) -> Result<(), VerifyError> {
        let at = self.nodes[node].range.start;
        let header = read(self.bytes, at);
        let Some(ty) = self.type_of(header).cloned() else {
            return Err(self.error(Fault::Header, Place::Field(at, 0), header, Some(node)));
        };
        if ty.rtt.0 != header {
            self.word(reference::from_header(header), Place::Field(at, 0), Some(node))?;
            if self.is_black(at) && self.is_white(header) && !self.remembered_objects.contains(&at) {
                return Err(self.error(Fault::NotMarked, Place::Field(at, 0), header, Some(node)));
            }
        }
        match &ty.layout {
            ObjectLayout::Struct(layout) => {
                for &offset in &layout.refs {
                    self.slot(node, at, offset)?;
                }
            }
            ObjectLayout::Array(layout) if layout.element == Width::Ref => {
                for i in 0..read(self.bytes, at + ARRAY_LENGTH) {
                    self.slot(node, at, ARRAY_ELEMENTS + 4 * i)?;
                }
            }
            ObjectLayout::Array(_) => {}
        }
        Ok(())
    }

    /// The type of objects with a header: that of a fixed record, or the one that a descriptor in its
    /// place is for.
    fn type_of(&self, header: u32) -> Option<&Arc<GcType>> {
        let known = self.heap.types.ty(header);
        known.or_else(|| {
            let ty = self.heap.types.type_in(self.bytes, header)?;
            self.heap.pinned.contains(header).then_some(ty)
        })
    }

    fn slot(&mut self, node: usize, at: u32, offset: u32) -> Result<(), VerifyError> {
        let value = read(self.bytes, at + offset);
        let place = Place::Field(at, offset);
        self.word(value, place, Some(node))?;
        let young = reference::is_object(value) && self.heap.map.is_young(reference::header(value));
        let remembered = || {
            self.remembered_slots.contains(&(at + offset))
                || self.heap.remembered.cards.contains(at + offset)
                || self.remembered_objects.contains(&at)
                || self.lost
        };
        if young && !self.heap.map.is_young(at) && !remembered() {
            return Err(self.error(Fault::NotRemembered, place, value, Some(node)));
        }
        let white = reference::is_object(value) && self.is_white(reference::header(value));
        if white && self.is_black(at) && !remembered() {
            return Err(self.error(Fault::NotMarked, place, value, Some(node)));
        }
        Ok(())
    }

    /// Whether an object was marked and traced by the cycle that is under way.
    fn is_black(&self, at: u32) -> bool {
        self.heap.cycle.is_some() && !self.heap.map.is_young(at) && self.is_marked(at) && !self.grey.contains(&at)
    }

    /// Whether the object with a header at an address is one that a cycle can free, and is not marked.
    fn is_white(&self, at: u32) -> bool {
        at >= self.heap.space_start && !self.is_marked(at)
    }

    fn is_marked(&self, at: u32) -> bool {
        self.heap.marks.is_set(at)
    }

    /// Checks a word that must be a reference, and the object that it refers to.
    fn word(&mut self, value: u32, place: Place, node: Option<usize>) -> Result<(), VerifyError> {
        if value == reference::NULL || reference::is_i31(value) || is_function(value) {
            return Ok(());
        }
        let bad = |this: &Self, fault, word| Err(this.error(fault, place, word, node));
        if !reference::is_object(value) {
            return bad(self, Fault::Reference, value);
        }
        let at = reference::header(value);
        let (map, space) = (self.heap.map, self.heap.space_start);
        if (map.rtt_start..space).contains(&at) && self.heap.types.index(at).is_some() {
            return Ok(());
        }
        let large = self.large.get(&at).cloned().or_else(|| self.heap.pinned.range(at));
        let Some(home) = large.or_else(|| self.home(at)) else {
            return bad(self, Fault::Reference, value);
        };
        if !self.seen.insert(at) {
            return Ok(());
        }
        let header = read(self.bytes, at);
        let Some(ty) = self.type_of(header) else { return bad(self, Fault::Header, header) };
        let size = match &ty.layout {
            ObjectLayout::Struct(layout) => layout.bytes as u64,
            ObjectLayout::Array(layout) => layout.bytes(read(self.bytes, at.wrapping_add(ARRAY_LENGTH))),
        };
        let small = size < LARGE_OBJECT_BYTES as u64 || self.heap.pinned.contains(at);
        let end = at as u64 + size;
        if end > home.end as u64 || end > self.bytes.len() as u64 || small == self.large.contains_key(&at) {
            return bad(self, Fault::Size, header);
        }
        self.nodes.push(Node { range: at..end as u32, from: (place, node) });
        Ok(())
    }

    /// The nursery or the block that an address is in.
    fn home(&self, at: u32) -> Option<Range<u32>> {
        if self.heap.map.is_young(at) {
            return (at < self.bump).then_some(self.heap.map.nursery_start..self.bump);
        }
        let block = if at < self.heap.space_start { None } else { self.heap.old.block_range(at) };
        block.filter(|block| !self.heap.pages.is_free(block.start))
    }

    fn overlaps(&mut self) -> Result<(), VerifyError> {
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_key(|&node| self.nodes[node].range.start);
        let mut free = self.heap.old.free_ranges();
        free.sort_by_key(|range| range.start);
        let mut free = free.into_iter().peekable();
        let mut end = 0;
        for node in order {
            let range = self.nodes[node].range.clone();
            while free.next_if(|free| free.end <= range.start).is_some() {}
            if range.start < end || free.peek().is_some_and(|free| free.start < range.end) {
                let header = read(self.bytes, range.start);
                return Err(self.error(Fault::Overlap, Place::Field(range.start, 0), header, Some(node)));
            }
            end = range.end;
        }
        Ok(())
    }

    fn error(&self, fault: Fault, place: Place, word: u32, node: Option<usize>) -> VerifyError {
        let mut path = Vec::new();
        let mut next = node;
        while let Some(node) = next.filter(|_| path.len() < PATH_STEPS) {
            let (place, from) = self.nodes[node].from;
            path.push(place);
            next = from;
        }
        VerifyError { fault, place, word, path }
    }
}

/// A function where any reference may be: the top bit tells it from poison, too.
fn is_function(value: u32) -> bool {
    reference::is_func(value) && value != super::POISON && value & reference::FUNC_BITS == reference::FUNC_BITS
}
