//! The heap over a linear memory of the engine.
//!
//! The memory is defined by a WebAssembly module, so that memory creators, the pooling allocator and
//! resource limiters apply to it as to any other.

use crate::heap::{GrowRefused, HeapMemory};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmtime::{AsContextMut, Memory, StoreContextMut};

const PAGE: u64 = crate::layout::PAGE as u64;

/// A memory together with the store that it is in.
pub struct HostMemory<'a, T: 'static> {
    /// The memory.
    pub memory: Memory,
    /// Its store.
    pub store: StoreContextMut<'a, T>,
    /// The size that it did not get because the limiter has to wait.
    pub awaited: Option<u64>,
    /// With what the limiter panicked. To the heap that is a refusal, so that it comes to the end of what it does; who
    /// has the heap do it goes on with the panic then.
    pub panicked: Option<Box<dyn Any + Send>>,
}

impl<'a, T: 'static> HostMemory<'a, T> {
    /// A memory that has not been asked to grow.
    pub fn new(memory: Memory, store: StoreContextMut<'a, T>) -> HostMemory<'a, T> {
        HostMemory { memory, store, awaited: None, panicked: None }
    }
}

impl<T: 'static> HeapMemory for HostMemory<'_, T> {
    fn bytes(&self) -> &[u8] {
        self.memory.data(&self.store)
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.store)
    }

    fn grow_to(&mut self, len: u64) -> Result<(), GrowRefused> {
        let delta = len.div_ceil(PAGE).saturating_sub(self.memory.size(&self.store));
        if delta == 0 {
            return Ok(());
        }
        if self.panicked.is_some() {
            return Err(GrowRefused);
        }
        // The limiter may be an asynchronous one.
        let mut ask = || super::ready::at_once(self.memory.grow_async(self.store.as_context_mut(), delta));
        // The limiter is the embedder's, and so is the store that it may leave as it likes. The engine asks it before
        // anything of the memory changes.
        let answer = catch_unwind(AssertUnwindSafe(&mut ask)).map_err(|panic| {
            self.panicked = Some(panic);
            GrowRefused
        })?;
        match answer {
            Some(grown) => grown.map(drop).map_err(|_| GrowRefused),
            None => {
                self.awaited = Some(len);
                Err(GrowRefused)
            }
        }
    }
}

/// The word at an address.
pub fn read_word(bytes: &[u8], at: u32) -> Option<u32> {
    let at = at as usize;
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(word.try_into().ok()?))
}

/// Sets the word at an address; `None` if it is out of bounds.
pub fn write_word(bytes: &mut [u8], at: u32, word: u32) -> Option<()> {
    let at = at as usize;
    bytes.get_mut(at..at.checked_add(4)?)?.copy_from_slice(&word.to_le_bytes());
    Some(())
}
