//! Allocation in the old space by the program itself, while nearly everything survives anyway.
//!
//! A program that builds something pays for each object twice: it is allocated in the nursery, then copied. So
//! when a collection found nearly all of the nursery alive, the two cells of the bump pointer are made to lie in a
//! *chunk* of the old space, a hole or a block, and lowered code goes on as before, without knowing it. When the chunk
//! is full, the slow path of allocation brings the next. A *run* of such chunks ends after so many bytes, and the
//! nursery is asked again; if nearly all survives still, the next run is twice as long.
//!
//! Why that is right: during a run the nursery is empty, so no reference to a young object exists, and no barrier has
//! anything to remember. Fresh objects need none in either place. A run ends at the latest when a collection begins,
//! which finds an empty nursery and nothing else to know.
//!
//! What this is not: pretenuring by site of allocation. All of the program's objects go to one place or the other.

use super::memory::{HeapMemory, Words, read};
use super::space::lines::LINE_BYTES;
use super::space::pages::BLOCK_BYTES;
use super::verify::{Fault, VerifyError};
use super::{AllocError, Heap, HeapOptions, Roots};
use std::ops::Range;

/// The first run, in sizes of the nursery.
const FIRST: u64 = 4;
/// So many holes at most are passed over for one object that does not fit them.
const MAX_SKIPS: u32 = 8;

/// Where in the old space lowered code allocates, if it does.
#[derive(Debug, Default)]
pub(crate) struct Pretenure {
    /// What the bump pointer goes through. Empty before the first chunk of a run.
    chunk: Option<Range<u32>>,
    /// Where in it the bump pointer was when an object did not fit and went elsewhere.
    missed_at: Option<u32>,
    /// Bytes that the run may still take.
    left: u64,
    /// Bytes of the next run; 0 if nothing says that there should be one.
    next: u64,
    /// A run is to begin.
    due: bool,
}

impl Pretenure {
    /// A collection found `promoted` of `used` bytes of a nursery alive, which has `size`.
    pub fn adapt(&mut self, used: u32, promoted: u64, size: u32, options: &HeapOptions) {
        if used < size / 2 {
            return;
        }
        self.due = promoted as f64 > f64::from(used) * options.pretenure_share;
        let longer = (self.next * 2).max(FIRST * u64::from(size)).min(options.pretenure_most);
        self.next = if self.due { longer } else { 0 };
    }

    /// Whether nearly everything survived when a nursery that was at least half full was collected last.
    pub fn suits(&self) -> bool {
        self.next > 0
    }

    /// Whether a run is under way.
    pub fn is_on(&self) -> bool {
        self.chunk.is_some()
    }
}

impl Heap {
    /// Begins a run if the last collection was for it. The nursery is empty, and no collection marks in steps: objects
    /// that lowered code makes in the old space have no marks.
    pub(super) fn begin_run(&mut self, mem: &mut dyn HeapMemory) -> Result<(), AllocError> {
        let off = self.zeal.is_on() || self.cycle.is_some() || self.nursery.used(mem.bytes())? > 0;
        if !off && std::mem::take(&mut self.pretenure.due) {
            self.pretenure.left = self.pretenure.next;
            self.pretenure.chunk = Some(0..0);
            self.set_chunk(mem, 0..0);
        }
        Ok(())
    }

    /// Allocates an object below the size of large ones in the old space. `None` when the run is over.
    pub(super) fn alloc_in_run(
        &mut self,
        mem: &mut dyn HeapMemory,
        roots: &mut dyn Roots,
        size: u32,
    ) -> Result<Option<u32>, AllocError> {
        let Some(chunk) = self.pretenure.chunk.clone() else { return Ok(None) };
        let at = self.chunk_bump(mem.bytes(), &chunk)?;
        if chunk.end - at >= size {
            Words::new(mem.bytes_mut()).set(self.map.bump_cell(), at + size);
            return Ok(Some(at));
        }
        // If nothing has fitted since the last one that did not, nothing will: the program makes larger objects only.
        let in_vain = self.pretenure.missed_at == Some(at);
        let full = chunk.end - at < LINE_BYTES || size <= LINE_BYTES || in_vain;
        if full {
            self.count_run(u64::from(at - chunk.start));
            self.set_chunk(mem, 0..0);
        }
        // Nobody knows yet whether what survives the nursery lives long: the first run is followed by a major collection, if
        // there is little to mark.
        let asks = self.pretenure.left == 0 && self.stats.major == 0 && self.sizer.may_ask();
        if asks || self.major_due() {
            self.collect(mem, roots, self.due_kind())?;
            return Ok(None);
        }
        if self.pretenure.left == 0 {
            self.end_run(mem)?;
            return Ok(None);
        }
        // Rather than waste the rest of a chunk, a larger object goes elsewhere.
        let found = match full {
            true => self.next_chunk(mem, size, if in_vain { MAX_SKIPS } else { 0 }),
            false => self.alloc_apart(mem, at, size),
        };
        if found.is_none() {
            self.end_run(mem)?;
        }
        Ok(found)
    }

    /// Ends a run: what is left of the chunk goes back to the old space, and lowered code to the nursery.
    pub(super) fn end_run(&mut self, mem: &mut dyn HeapMemory) -> Result<(), AllocError> {
        if let Some(chunk) = self.pretenure.chunk.clone() {
            let at = self.chunk_bump(mem.bytes(), &chunk)?;
            self.count_run(u64::from(at - chunk.start));
            self.old.give_rest(at..chunk.end);
            self.pretenure.chunk = None;
            self.nursery.reset(&mut Words::new(mem.bytes_mut()));
        }
        Ok(())
    }

    fn count_run(&mut self, bytes: u64) {
        self.pretenure.left = self.pretenure.left.saturating_sub(bytes);
        self.sizer.promoted(bytes);
        self.stats.pretenured_bytes += bytes;
        self.stats.allocated_bytes += bytes;
    }

    fn set_chunk(&mut self, mem: &mut dyn HeapMemory, chunk: Range<u32>) {
        let mut words = Words::new(mem.bytes_mut());
        words.set(self.map.bump_cell(), chunk.start);
        words.set(self.map.limit_cell(), chunk.end);
        self.pretenure.chunk = Some(chunk);
        self.pretenure.missed_at = None;
    }

    /// The next chunk, and in it the first object, for which so many holes may be passed over. What is in these is lost until
    /// the next sweep.
    fn next_chunk(&mut self, mem: &mut dyn HeapMemory, size: u32, skips: u32) -> Option<u32> {
        let mut chunk = self.take_chunk(mem)?;
        for _ in 0..skips {
            if chunk.end - chunk.start >= size {
                break;
            }
            chunk = self.take_chunk(mem)?;
        }
        let at = chunk.start;
        let fits = chunk.end - at >= size;
        self.set_chunk(mem, chunk);
        if !fits {
            return self.alloc_apart(mem, at, size);
        }
        Words::new(mem.bytes_mut()).set(self.map.bump_cell(), at + size);
        Some(at)
    }

    fn take_chunk(&mut self, mem: &mut dyn HeapMemory) -> Option<Range<u32>> {
        self.old.take_hole(&mut self.pages).or_else(|| {
            self.grow(mem, u64::from(BLOCK_BYTES));
            self.old.take_hole(&mut self.pages)
        })
    }

    /// Room elsewhere for an object that does not fit behind the bump pointer, which is at `bump`.
    fn alloc_apart(&mut self, mem: &mut dyn HeapMemory, bump: u32, size: u32) -> Option<u32> {
        let at = self.room_apart(mem, size)?;
        self.pretenure.missed_at = Some(bump);
        self.count_run(u64::from(size));
        Some(at)
    }

    /// Room for an object in the overflow block of the old space, for which the memory may grow.
    pub(super) fn room_apart(&mut self, mem: &mut dyn HeapMemory, size: u32) -> Option<u32> {
        self.old.alloc_overflow(size, &mut self.pages).or_else(|| {
            self.grow(mem, u64::from(BLOCK_BYTES));
            self.old.alloc_overflow(size, &mut self.pages)
        })
    }

    /// Where the bump pointer is, which lowered code moves: believed only within the chunk.
    fn chunk_bump(&self, bytes: &[u8], chunk: &Range<u32>) -> Result<u32, VerifyError> {
        let cell = self.map.bump_cell();
        let at = read(bytes, cell);
        if at < chunk.start || at > chunk.end || !at.is_multiple_of(4) {
            return Err(VerifyError::cell(Fault::Bump, cell, at));
        }
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_double_as_long_as_nearly_all_survives() {
        let mut pretenure = Pretenure::default();
        let options = HeapOptions { pretenure_share: 0.875, pretenure_most: 2000, ..HeapOptions::default() };
        let mut runs = vec![];
        for percent in [80, 90, 95, 100, 100, 50, 90] {
            pretenure.adapt(100, percent, 100, &options);
            pretenure.adapt(40, 0, 100, &options);
            runs.push((pretenure.due, pretenure.next));
        }
        assert_eq!(runs, [(false, 0), (true, 400), (true, 800), (true, 1600), (true, 2000), (false, 0), (true, 400)]);
        pretenure.adapt(100, 100, 100, &HeapOptions { pretenure_share: 1.1, ..options });
        assert!(!pretenure.due);
    }
}
