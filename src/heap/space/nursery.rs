//! The nursery: a bump pointer that lowered code moves, in two cells of the heap memory.
//!
//! The cells belong to lowered code as much as to the collector, so they are read anew each time and
//! believed only within the nursery's bounds.

use crate::heap::memory::{Words, read};
use crate::heap::verify::{Fault, VerifyError};
use crate::layout::HeapMap;

/// The nursery of a heap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nursery {
    map: HeapMap,
    /// Lowered code allocates in it without asking.
    inline: bool,
}

impl Nursery {
    /// The nursery of a map. With `inline` unset every allocation takes the slow path.
    pub fn new(map: HeapMap, inline: bool) -> Nursery {
        Nursery { map, inline }
    }

    /// First address.
    pub fn start(&self) -> u32 {
        self.map.nursery_start
    }

    /// Empties it.
    pub fn reset(&self, words: &mut Words) {
        words.set(self.map.bump_cell(), self.map.nursery_start);
        words.set(self.map.limit_cell(), if self.inline { self.map.nursery_end } else { 0 });
    }

    /// Where the next object goes.
    pub fn bump(&self, bytes: &[u8]) -> Result<u32, VerifyError> {
        let cell = self.map.bump_cell();
        let bump = read(bytes, cell);
        if bump < self.map.nursery_start || bump > self.map.nursery_end || !bump.is_multiple_of(4) {
            return Err(VerifyError::cell(Fault::Bump, cell, bump));
        }
        Ok(bump)
    }

    /// Bytes that are in use.
    pub fn used(&self, bytes: &[u8]) -> Result<u32, VerifyError> {
        Ok(self.bump(bytes)? - self.map.nursery_start)
    }

    /// Allocates `size` bytes (a multiple of 4) if they fit: the address.
    pub fn alloc(&self, bytes: &mut [u8], size: u32) -> Result<Option<u32>, VerifyError> {
        let at = self.bump(bytes)?;
        if size > self.map.nursery_end - at {
            return Ok(None);
        }
        Words::new(bytes).set(self.map.bump_cell(), at + size);
        Ok(Some(at))
    }
}
