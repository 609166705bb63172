//! Allocation as the host sees it: the slow path of inline allocation, arrays of any size, objects
//! that the host makes, and root areas.
//!
//! A large object gets pages of its own, zero or more collections later. Its header is 0 until the
//! caller has set it, and a large array of references comes full of nulls: should the caller trap
//! before it has filled the object, the next minor collection looks at it all the same. While a
//! collection marks in steps, when references to old objects matter too, every large object comes full of nulls: a raw
//! one would hold what its pages held before.

use super::collect::CollectKind;
use super::memory::{HeapMemory, Words, read};
use super::space::large::LargeSpace;
use super::space::pages::PAGE_BYTES;
use super::space::pinned::PinnedSpace;
use super::{AllocError, Heap, Roots};
use crate::layout::object::{ARRAY_ELEMENTS, ARRAY_LENGTH, FUNC_NULL, LARGE_OBJECT_BYTES, OBJECT_ALIGN};
use crate::layout::rtt::{DESCRIPTOR_FIELDS, MIN_DISPLAY, RTT_DEPTH, RTT_DISPLAY};
use crate::layout::{GcType, ObjectLayout, RttAddr, Width, reference};

impl Heap {
    /// Allocates an object of `bytes`, collecting if need be: a reference to it. The object is raw;
    /// the caller sets up header and fields before anything else can collect.
    ///
    /// # Errors
    ///
    /// When there is no room.
    pub fn alloc(&mut self, mem: &mut dyn HeapMemory, roots: &mut dyn Roots, bytes: u32) -> Result<u32, AllocError> {
        self.check_broken()?;
        let size = (bytes.max(OBJECT_ALIGN) as u64).next_multiple_of(OBJECT_ALIGN as u64);
        let result = if size >= LARGE_OBJECT_BYTES as u64 {
            self.alloc_large(mem, roots, size)
        } else {
            self.alloc_young(mem, roots, size as u32)
        };
        self.note_broken(result).map(reference::from_header)
    }

    /// Allocates an array of any size: a reference to it. Header and length are set; the elements are
    /// raw, but those of a large array of references are null.
    ///
    /// # Errors
    ///
    /// When there is no room, or `rtt` is no array type's record.
    pub fn alloc_array(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        rtt: RttAddr,
        len: u32,
    ) -> Result<u32, AllocError> {
        let unknown = AllocError::UnknownType { rtt: rtt.0 };
        let Some(ty) = self.types.ty(rtt.0) else { return Err(unknown) };
        let ObjectLayout::Array(layout) = ty.layout else { return Err(unknown) };
        let size = layout.bytes(len);
        let small = u32::try_from(size).ok().filter(|&size| size < LARGE_OBJECT_BYTES);
        let array = match small {
            Some(size) => self.alloc(mem, roots, size)?,
            None => {
                self.check_broken()?;
                let large = self.alloc_large(mem, roots, size);
                reference::from_header(self.note_broken(large)?)
            }
        };
        let at = reference::header(array);
        let mut words = Words::new(mem.bytes_mut());
        words.set(at, rtt.0);
        words.set(at + ARRAY_LENGTH, len);
        if small.is_none() && layout.element == Width::Ref {
            words.fill(at + ARRAY_ELEMENTS, at + size as u32, reference::NULL);
        }
        Ok(array)
    }

    /// Allocates an object for the host: a reference to it. Fields are null or zero, an array is empty.
    ///
    /// # Errors
    ///
    /// When there is no room, or the type is not known here.
    pub fn alloc_object(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        ty: &GcType,
    ) -> Result<u32, AllocError> {
        let layout = match &ty.layout {
            ObjectLayout::Array(_) => return self.alloc_array(mem, roots, ty.rtt, 0),
            ObjectLayout::Struct(layout) => layout,
        };
        if self.types.index(ty.rtt.0) != Some(ty.index) {
            return Err(AllocError::UnknownType { rtt: ty.rtt.0 });
        }
        let object = self.alloc(mem, roots, layout.bytes)?;
        let at = reference::header(object);
        let mut words = Words::new(mem.bytes_mut());
        words.fill(at, at + layout.bytes, 0);
        words.set(at, ty.rtt.0);
        for field in &layout.fields {
            match field.width {
                Width::Ref => words.set(at + field.offset, reference::NULL),
                Width::FuncHandle => words.set(at + field.offset, FUNC_NULL),
                _ => {}
            }
        }
        Ok(object)
    }

    /// Allocates a descriptor of `bytes` for objects of the type whose record is at `rtt`: a reference to
    /// it. It is a copy of that record, with fields behind; those are null, and its own header is raw.
    /// It is old from the start, and never moves.
    ///
    /// # Errors
    ///
    /// When there is no room, or objects of the type have no descriptors.
    pub fn alloc_descriptor(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        rtt: RttAddr,
        bytes: u32,
    ) -> Result<u32, AllocError> {
        self.check_broken()?;
        let ty = self.types.ty(rtt.0).filter(|ty| ty.has_descriptor).cloned();
        let Some(ty) = ty else { return Err(AllocError::UnknownType { rtt: rtt.0 }) };
        let bytes = bytes.max(DESCRIPTOR_FIELDS).next_multiple_of(OBJECT_ALIGN);
        self.check_size(u64::from(bytes))?;
        self.collect_if_due(mem, roots)?;
        let at = self.take_pinned(mem, roots, bytes)?;
        self.stats.allocated_bytes += u64::from(bytes);
        let mut words = Words::new(mem.bytes_mut());
        words.fill(at, at + DESCRIPTOR_FIELDS, 0);
        words.fill(at + DESCRIPTOR_FIELDS, at + bytes, reference::NULL);
        for (n, word) in (0u32..).zip(ty.record(rtt)).skip(1) {
            words.set(at + 4 * n, word);
        }
        Ok(reference::from_header(at))
    }

    /// Allocates an RTT below another one: the record of a type that lies at `rtt`, with the display of the record at
    /// `parent` before its own entry. A reference to it. It never moves; who wants it to stay must root it, and all
    /// above it.
    ///
    /// # Errors
    ///
    /// When there is no room, `rtt` is no type with RTTs of its own, or `parent` is no record.
    pub fn alloc_rtt(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        rtt: RttAddr,
        parent: u32,
    ) -> Result<u32, AllocError> {
        self.check_broken()?;
        let ty = self.types.ty(rtt.0).filter(|ty| ty.has_descriptor).cloned();
        let Some(ty) = ty else { return Err(AllocError::UnknownType { rtt: rtt.0 }) };
        let Some(above) = self.display(mem, parent) else { return Err(AllocError::UnknownType { rtt: parent }) };
        let depth = above.len() as u32;
        let bytes = RTT_DISPLAY + 4 * (depth + 1).max(MIN_DISPLAY);
        self.check_size(u64::from(bytes))?;
        self.collect_if_due(mem, roots)?;
        let at = self.take_pinned(mem, roots, bytes)?;
        self.stats.allocated_bytes += u64::from(bytes);
        let of_rtts = self.map.rtt_start;
        let mut words = Words::new(mem.bytes_mut());
        words.fill(at, at + bytes, 0);
        let display = above.into_iter().chain([at]);
        for (n, word) in (0u32..).zip([of_rtts, ty.index, ty.kind as u32, depth].into_iter().chain(display)) {
            words.set(at + 4 * n, word);
        }
        Ok(reference::from_header(at))
    }

    /// The display of a record, unless it is none.
    fn display(&self, mem: &dyn HeapMemory, record: u32) -> Option<Vec<u32>> {
        let word = |n: u32| read(mem.bytes(), record.wrapping_add(4 * n));
        let room = match self.types.ty(record) {
            Some(ty) => ty.record_bytes(),
            None => self.pinned.range(record)?.len() as u32,
        };
        let depth = word(RTT_DEPTH / 4);
        let fits = word(0) == self.map.rtt_start && depth < room / 4;
        fits.then(|| (0..=depth).map(|n| word(RTT_DISPLAY / 4 + n)).collect())
    }

    /// Room for an object that never moves: its address.
    fn take_pinned(&mut self, mem: &mut dyn HeapMemory, roots: &mut dyn Roots, bytes: u32) -> Result<u32, AllocError> {
        let pages = u64::from(PinnedSpace::pages_for(bytes)) * u64::from(PAGE_BYTES);
        let mut at = self.pinned.take(bytes, &mut self.pages);
        if at.is_none() && !self.grow(mem, pages) {
            let collected = self.collect(mem, roots, CollectKind::Major);
            self.note_broken(collected)?;
        }
        at = at.or_else(|| self.pinned.take(bytes, &mut self.pages));
        let at = at.ok_or_else(|| self.full(mem, u64::from(bytes)))?;
        self.made_old(at, u64::from(bytes), true);
        Ok(at)
    }

    /// Allocates `words` words that are always roots, all null: their address. They are never freed.
    ///
    /// # Errors
    ///
    /// When the memory may not grow.
    pub fn alloc_root_area(&mut self, mem: &mut dyn HeapMemory, words: u32) -> Result<u32, AllocError> {
        self.check_broken()?;
        let bytes = words as u64 * 4;
        self.check_size(bytes)?;
        let words = words.max(1);
        let at = match self.areas.take(words, &mut self.pages) {
            Some(at) => at,
            None => {
                let pages = self.areas.pages_for(words);
                self.grow(mem, pages as u64 * PAGE_BYTES as u64);
                self.areas.take(words, &mut self.pages).ok_or_else(|| self.full(mem, bytes))?
            }
        };
        Words::new(mem.bytes_mut()).fill(at, at + 4 * words, reference::NULL);
        Ok(at)
    }

    /// The address of a new object in the nursery.
    fn alloc_young(&mut self, mem: &mut dyn HeapMemory, roots: &mut dyn Roots, size: u32) -> Result<u32, AllocError> {
        if self.hold.is_on() {
            return self.alloc_held(mem, size);
        }
        if self.zeal.strikes() {
            let kind = self.zeal_kind();
            self.collect(mem, roots, kind)?;
        }
        if let Some(at) = self.alloc_in_run(mem, roots, size)? {
            return Ok(at);
        }
        if let Some(at) = self.nursery.alloc(mem.bytes_mut(), size)? {
            return Ok(at);
        }
        self.make_room(mem, roots)?;
        self.begin_run(mem)?;
        if let Some(at) = self.alloc_in_run(mem, roots, size)? {
            return Ok(at);
        }
        let at = self.nursery.alloc(mem.bytes_mut(), size)?;
        at.ok_or_else(|| self.full(mem, size as u64))
    }

    /// The address of a new large object, with a header of 0.
    fn alloc_large(&mut self, mem: &mut dyn HeapMemory, roots: &mut dyn Roots, size: u64) -> Result<u32, AllocError> {
        self.check_size(size)?;
        self.collect_if_due(mem, roots)?;
        let at = self.take_large(mem, roots, size)?.ok_or_else(|| self.full(mem, size))?;
        self.made_old(at, size, false);
        self.stats.allocated_bytes += size;
        let mut words = Words::new(mem.bytes_mut());
        if self.cycle.as_ref().is_some_and(|cycle| cycle.watch.is_none()) {
            words.fill(at, at + size as u32, reference::NULL);
        }
        words.set(at, 0);
        Ok(at)
    }

    /// Pages for a large object: free ones, or new ones, or after a collection, or after one that
    /// compacts.
    fn take_large(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        bytes: u64,
    ) -> Result<Option<u32>, AllocError> {
        for compact in [false, true] {
            if let Some(at) = self.large.take(bytes, &mut self.pages) {
                return Ok(Some(at));
            }
            if self.grow(mem, LargeSpace::pages_for(bytes) * u64::from(PAGE_BYTES)) {
                continue;
            }
            self.compact = compact;
            self.collect(mem, roots, CollectKind::Major)?;
        }
        Ok(self.large.take(bytes, &mut self.pages))
    }

    fn check_size(&self, bytes: u64) -> Result<(), AllocError> {
        let max_bytes = self.options.max_bytes;
        if bytes > max_bytes - self.space_start as u64 {
            return Err(AllocError::TooLarge { requested: bytes, max_bytes });
        }
        Ok(())
    }

    pub(super) fn full(&self, mem: &dyn HeapMemory, requested: u64) -> AllocError {
        AllocError::Full { requested, heap_bytes: mem.bytes().len() as u64, max_bytes: self.options.max_bytes }
    }
}
