//! The abstract memory that the collector works on, and checked word access to it.
//!
//! The runtime implements [`HeapMemory`] over a linear memory, tests over a vector. Nothing here
//! panics on a bad address: a word that is out of range reads as null, which is neither a reference
//! to an object nor a header, and a store to it is dropped.

use crate::layout::reference::NULL;

/// The memory refused to grow: a limiter, its declared maximum, or the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the heap memory may not grow")]
pub struct GrowRefused;

/// What the collector needs of a memory. Its length is a multiple of 64 KiB and never shrinks.
pub trait HeapMemory {
    /// All of it.
    fn bytes(&self) -> &[u8];
    /// All of it, to change.
    fn bytes_mut(&mut self) -> &mut [u8];
    /// Makes the memory at least `len` bytes long (a multiple of 64 KiB); new bytes are zero.
    ///
    /// # Errors
    ///
    /// When the limiter or the maximum refuses; then the memory is as it was.
    fn grow_to(&mut self, len: u64) -> Result<(), GrowRefused>;
}

/// A memory without an engine: for tests, tools and models.
#[derive(Debug, Clone, Default)]
pub struct VecMemory {
    bytes: Vec<u8>,
    /// `grow_to` refuses beyond this many bytes.
    pub max: u64,
}

impl VecMemory {
    /// An empty memory that may grow to `max` bytes.
    pub fn new(max: u64) -> VecMemory {
        VecMemory { bytes: Vec::new(), max }
    }
}

impl HeapMemory for VecMemory {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn grow_to(&mut self, len: u64) -> Result<(), GrowRefused> {
        if len > self.max {
            return Err(GrowRefused);
        }
        let len = usize::try_from(len).map_err(|_| GrowRefused)?;
        if len > self.bytes.len() {
            // Not `resize`, which Miri executes byte for byte.
            let mut longer = vec![0; len];
            longer[..self.bytes.len()].copy_from_slice(&self.bytes);
            self.bytes = longer;
        }
        Ok(())
    }
}

/// The word at an address, null if it is out of range. The address is rounded down to a word.
#[inline]
pub(crate) fn read(bytes: &[u8], at: u32) -> u32 {
    bytes.as_chunks::<4>().0.get((at >> 2) as usize).map_or(NULL, |word| u32::from_le_bytes(*word))
}

/// The words of a memory, only to be read; several threads may.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    words: &'a [[u8; 4]],
}

impl View<'_> {
    /// Its length in bytes.
    pub fn len(self) -> u64 {
        self.words.len() as u64 * 4
    }

    /// The word at an address, null if out of range.
    #[inline(always)]
    pub fn get(self, at: u32) -> u32 {
        match self.words.get((at >> 2) as usize) {
            Some(word) => u32::from_le_bytes(*word),
            None => NULL,
        }
    }

    /// Has the word at an address brought to the caches, where the processor can be told so.
    #[inline(always)]
    pub fn prefetch(self, at: u32) {
        #[cfg(target_arch = "x86_64")]
        if let Some(word) = self.words.get((at >> 2) as usize) {
            safe_arch::prefetch_t0(word);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = at;
    }
}

/// A memory taken apart into words, for the length of one collection.
pub(crate) struct Words<'a> {
    words: &'a mut [[u8; 4]],
}

impl<'a> Words<'a> {
    /// The words of a memory.
    pub fn new(bytes: &'a mut [u8]) -> Words<'a> {
        Words { words: bytes.as_chunks_mut::<4>().0 }
    }

    /// The same, only to be read.
    #[inline(always)]
    pub fn view(&self) -> View<'_> {
        View { words: self.words }
    }

    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.view().len()
    }

    /// The word at an address, null if out of range.
    #[inline(always)]
    pub fn get(&self, at: u32) -> u32 {
        self.view().get(at)
    }

    /// Sets the word at an address; does nothing if it is out of range.
    #[inline(always)]
    pub fn set(&mut self, at: u32, value: u32) {
        if let Some(word) = self.words.get_mut((at >> 2) as usize) {
            *word = value.to_le_bytes();
        }
    }

    /// Copies `bytes` (a multiple of 4) between places that do not overlap. Does nothing if either
    /// is out of range.
    #[inline(always)]
    pub fn copy(&mut self, from: u32, to: u32, bytes: u32) {
        let (from, to, n) = ((from >> 2) as usize, (to >> 2) as usize, (bytes >> 2) as usize);
        // A copy of known length is a few moves, one of unknown length is a call.
        match n {
            2 => self.copy_short::<2>(from, to),
            3 => self.copy_short::<3>(from, to),
            4 => self.copy_short::<4>(from, to),
            5 => self.copy_short::<5>(from, to),
            6 => self.copy_short::<6>(from, to),
            _ => self.copy_long(from, to, n),
        }
    }

    #[inline(always)]
    fn copy_short<const N: usize>(&mut self, from: usize, to: usize) {
        let Some(&words) = self.words.get(from..).and_then(|rest| rest.first_chunk::<N>()) else { return };
        if let Some(place) = self.words.get_mut(to..).and_then(|rest| rest.first_chunk_mut::<N>()) {
            *place = words;
        }
    }

    #[inline(never)]
    fn copy_long(&mut self, from: usize, to: usize, n: usize) {
        if from + n <= self.words.len() && to + n <= self.words.len() {
            self.words.copy_within(from..from + n, to);
        }
    }

    /// Fills `start .. end` with a word, as far as it is in range.
    pub fn fill(&mut self, start: u32, end: u32, value: u32) {
        let end = (end as usize >> 2).min(self.words.len());
        let start = (start as usize >> 2).min(end);
        self.words[start..end].fill(value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_reads_as_null_and_is_not_written() {
        let mut bytes = [1, 0, 0, 0, 2, 0, 0, 0];
        let mut words = Words::new(&mut bytes);
        words.set(8, 9);
        words.copy(0, 8, 4);
        words.copy(4, 0, 4);
        words.fill(4, 400, 7);
        assert_eq!((words.get(0), words.get(4), words.get(8), words.get(u32::MAX)), (2, 7, NULL, NULL));
        assert_eq!((read(&bytes, 4), read(&bytes, 8)), (7, NULL));
    }
}
