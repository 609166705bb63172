//! Trace descriptors: what a collection must know about the objects of a type, dense and precomputed.
//!
//! An object's header is the address of its type's RTT record. [`Descriptors::index`] maps it to a
//! small number through a host-side table with an entry for each word of record space, so that a
//! header that is no record's address is told apart without reading the record.

use super::error::TypesFull;
use super::memory::{View, Words, read};
use crate::layout::object::{ARRAY_ELEMENTS, ARRAY_LENGTH, LARGE_OBJECT_BYTES};
use crate::layout::rtt::RTT_TYPE_ID;
use crate::layout::{GcType, Kind, ObjectLayout, Width};
use std::sync::Arc;

/// Where the references of an object are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub(crate) enum Trace {
    /// Nowhere.
    Leaf,
    /// Nowhere, but it keeps a host slot alive.
    Host,
    /// In the words whose bits are set in [`Descriptor::map`].
    Map,
    /// At the offsets of a struct with more than 64 words.
    Wide,
    /// In every element.
    Elements,
}

/// How to size and trace the objects of one type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descriptor {
    /// Bit `i` stands for the word at offset `4 i` from the header.
    pub map: u64,
    /// Size in bytes, if fixed.
    pub bytes: u32,
    /// Bytes of an element; 0 for objects of fixed size.
    pub element: u32,
    /// For `Trace::Wide`: the part of `Descriptors::wide`.
    wide: (u32, u32),
    /// Where references are.
    pub trace: Trace,
}

const _: () = assert!(size_of::<Descriptor>() <= 32);

impl Descriptor {
    /// Size in bytes of the object at `at`, whose header is this type's.
    #[inline(always)]
    pub fn size(&self, words: View<'_>, at: u32) -> u64 {
        if self.element == 0 { self.bytes as u64 } else { self.array_size(words.get(at.wrapping_add(ARRAY_LENGTH))) }
    }

    /// Size in bytes of an array object of `len` elements.
    #[inline(always)]
    pub fn array_size(&self, len: u32) -> u64 {
        (ARRAY_ELEMENTS as u64 + len as u64 * self.element as u64 + 3) & !3
    }
}

/// What the hot loops must know of a type, in two words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Brief {
    /// For an object of fixed size: bit `i` stands for the word at offset `4 i` from the header. For an array:
    /// [`Brief::ARRAY`], perhaps [`Brief::OF_REFS`], and the binary logarithm of an element's size.
    map: u32,
    /// Low 8 bits: the object's size in words if it is fixed, at most 32, and the map tells all that
    /// there is to trace; else 0. High 24 bits: the type's number plus one; 0 for no type.
    rest: u32,
}

/// What a brief description tells of a small array in the old space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SmallArray {
    /// Its size in bytes.
    pub bytes: u32,
    /// Its references: the elements from [`ARRAY_ELEMENTS`] on.
    pub refs: u32,
}

impl Brief {
    /// There is no such record.
    const NONE: Brief = Brief { map: 0, rest: 0 };
    /// Objects of more words than this have no brief description.
    const MAX_WORDS: u32 = 32;
    /// Types with a number from here on have no room in `rest`.
    const MAX_TYPES: usize = (1 << 24) - 1;
    /// In the map of an array.
    const ARRAY: u32 = 1 << 31;
    /// The same, if the elements are references.
    const OF_REFS: u32 = 1 << 30;

    /// Objects that are `pinned` have no brief description: they are in no block of the old space.
    fn of(index: usize, descriptor: &Descriptor, pinned: bool) -> Brief {
        let words = descriptor.bytes / 4;
        let told = matches!(descriptor.trace, Trace::Leaf | Trace::Map) && descriptor.element == 0 && !pinned;
        let words = if told && words <= Brief::MAX_WORDS { words } else { 0 };
        let map = match descriptor.element.checked_ilog2() {
            Some(log) if descriptor.trace == Trace::Elements => Brief::ARRAY | Brief::OF_REFS | log,
            Some(log) => Brief::ARRAY | log,
            None if words > 0 => descriptor.map as u32,
            None => 0,
        };
        Brief { map, rest: (index as u32 + 1) << 8 | words }
    }

    /// Size in bytes; 0 if only the descriptor can tell.
    #[inline(always)]
    pub fn bytes(self) -> u32 {
        (self.rest & 0xFF) * 4
    }

    /// The number of the type.
    #[inline(always)]
    pub fn index(self) -> Option<u32> {
        (self.rest >> 8).checked_sub(1)
    }

    /// Whether an object of fixed size that the brief description tells all about has references.
    #[inline(always)]
    pub fn has_refs(self) -> bool {
        self.map != 0
    }

    /// Of the array at `at`, if it is not large and within the memory, and `bytes` is 0.
    #[inline(always)]
    pub fn small_array(self, words: View<'_>, at: u32) -> Option<SmallArray> {
        if self.map & Brief::ARRAY == 0 {
            return None;
        }
        let len = words.get(at.wrapping_add(ARRAY_LENGTH));
        let bytes = (u64::from(ARRAY_ELEMENTS) + (u64::from(len) << (self.map & 7)) + 3) & !3;
        let refs = if self.map & Brief::OF_REFS != 0 { len } else { 0 };
        let fits = bytes < u64::from(LARGE_OBJECT_BYTES) && u64::from(at) + bytes <= words.len();
        fits.then_some(SmallArray { bytes: bytes as u32, refs })
    }

    /// Calls `each` with the address of every reference of the object at `at`, by the map, if `bytes` is not 0.
    #[inline(always)]
    pub fn each_slot(self, at: u32, mut each: impl FnMut(u32)) {
        let mut map = self.map;
        while map != 0 {
            each(at.wrapping_add(4 * map.trailing_zeros()));
            map &= map - 1;
        }
    }
}

/// The descriptors of all types that a heap knows.
#[derive(Debug)]
pub(crate) struct Descriptors {
    rtt_start: u32,
    space_start: u32,
    /// By word of record space.
    by_word: Vec<Brief>,
    list: Vec<Descriptor>,
    wide: Vec<u32>,
    types: Vec<Arc<GcType>>,
}

impl Descriptors {
    /// None yet. Records lie in `rtt_start .. space_start`.
    pub fn new(rtt_start: u32, space_start: u32) -> Descriptors {
        Descriptors { rtt_start, space_start, by_word: vec![], list: vec![], wide: vec![], types: vec![] }
    }

    /// Types that are known.
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// The brief description of the type whose record is at `header`; `NONE` if there is none.
    #[inline(always)]
    pub fn brief(&self, header: u32) -> Brief {
        // A misaligned address rotates to an index beyond every table.
        let word = header.wrapping_sub(self.rtt_start).rotate_right(2);
        match self.by_word.get(word as usize) {
            Some(&brief) => brief,
            None => Brief::NONE,
        }
    }

    /// The same of a type whose objects have descriptors, if there is one at `header`.
    #[cold]
    pub fn brief_of_descriptor(&self, words: View<'_>, header: u32) -> Brief {
        match self.described(header, || words.get(header.wrapping_add(RTT_TYPE_ID))) {
            Some(ty) => self.brief(ty.rtt.0),
            None => Brief::NONE,
        }
    }

    /// The type of objects with this header, in a memory: their record may be a descriptor.
    pub fn type_in(&self, bytes: &[u8], header: u32) -> Option<&Arc<GcType>> {
        self.ty(header).or_else(|| self.described(header, || read(bytes, header.wrapping_add(RTT_TYPE_ID))))
    }

    fn described(&self, header: u32, type_id: impl FnOnce() -> u32) -> Option<&Arc<GcType>> {
        let is_descriptor = header >= self.space_start && header & 3 == 0;
        let ty = is_descriptor.then(|| self.types.get(type_id() as usize)).flatten()?;
        ty.has_descriptor.then_some(ty)
    }

    /// The number of the type whose record is at `header`, if there is one.
    pub fn index(&self, header: u32) -> Option<u32> {
        self.brief(header).index()
    }

    /// The descriptor with a number that `index` returned.
    #[inline]
    pub fn at(&self, index: u32) -> &Descriptor {
        &self.list[index as usize]
    }

    /// The type of objects with this header.
    pub fn ty(&self, header: u32) -> Option<&Arc<GcType>> {
        self.types.get(self.index(header)? as usize)
    }

    /// Calls `each` with the address of every reference of the object at `at`, in ascending order.
    /// `words` is how many elements an array has.
    #[inline(always)]
    pub fn each_slot(&self, descriptor: &Descriptor, at: u32, len: u32, mut each: impl FnMut(u32)) {
        match descriptor.trace {
            Trace::Leaf | Trace::Host => {}
            Trace::Map => {
                let mut map = descriptor.map;
                while map != 0 {
                    each(at + 4 * map.trailing_zeros());
                    map &= map - 1;
                }
            }
            Trace::Elements => {
                let first = at + ARRAY_ELEMENTS;
                for i in 0..len {
                    each(first.wrapping_add(4 * i));
                }
            }
            Trace::Wide => {
                let (start, end) = descriptor.wide;
                for &offset in self.wide.get(start as usize..end as usize).unwrap_or_default() {
                    each(at + offset);
                }
            }
        }
    }

    /// Learns types, in the order of their indices, and writes their records, as far as there is room. Types that are known
    /// already are skipped.
    ///
    /// # Errors
    ///
    /// When not all have room.
    pub fn learn(&mut self, words: &mut Words, new: &[Arc<GcType>]) -> Result<(), TypesFull> {
        for ty in new {
            let need = ty.rtt.0.saturating_add(ty.record_bytes());
            if ty.index as usize != self.types.len() {
                continue;
            }
            if need > self.space_start || ty.index as usize >= Brief::MAX_TYPES {
                return Err(TypesFull { need, have: self.space_start });
            }
            self.push(ty);
            self.write_record(words, ty);
        }
        Ok(())
    }

    fn push(&mut self, ty: &Arc<GcType>) {
        let word = (ty.rtt.0.wrapping_sub(self.rtt_start) / 4) as usize;
        let descriptor = self.describe(ty);
        self.by_word.resize(self.by_word.len().max(word + 1), Brief::NONE);
        self.by_word[word] = Brief::of(self.list.len(), &descriptor, ty.is_record());
        self.list.push(descriptor);
        self.types.push(ty.clone());
    }

    fn describe(&mut self, ty: &GcType) -> Descriptor {
        let mut d = Descriptor { map: 0, bytes: 0, element: 0, wide: (0, 0), trace: Trace::Leaf };
        match &ty.layout {
            ObjectLayout::Array(array) => {
                d.element = array.element.bytes();
                if array.element == Width::Ref {
                    d.trace = Trace::Elements;
                }
            }
            ObjectLayout::Struct(layout) => {
                d.bytes = layout.bytes;
                if ty.kind == Kind::Host {
                    d.trace = Trace::Host;
                } else if layout.refs.last().is_some_and(|&last| last >= 256) {
                    let start = self.wide.len() as u32;
                    self.wide.extend_from_slice(&layout.refs);
                    d.wide = (start, self.wide.len() as u32);
                    d.trace = Trace::Wide;
                } else if !layout.refs.is_empty() {
                    d.map = layout.refs.iter().fold(0, |map, offset| map | 1 << (offset / 4));
                    d.trace = Trace::Map;
                }
            }
        }
        d
    }

    fn write_record(&self, words: &mut Words, ty: &GcType) {
        let Some(meta) = self.types.first() else { return };
        for (i, word) in (0u32..).zip(ty.record(meta.rtt)) {
            words.set(ty.rtt.0 + 4 * i, word);
        }
    }
}
