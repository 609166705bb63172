//! The heap over a linear memory of the engine.
//!
//! The memory is defined by a WebAssembly module, so that memory creators and the pooling allocator apply to it as to any
//! other. What limiters are asked is in `limits.rs`.

use super::limits::{ForHeap, HeapAnswer};
use super::ready::at_once;
use super::store::StoreData;
use crate::heap::{GrowRefused, HeapMemory};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmtime::{Memory, StoreContextMut};

const PAGE: u64 = crate::layout::PAGE as u64;

/// A memory together with the store that it is in.
pub struct HostMemory<'a, T: 'static> {
    /// The memory.
    pub memory: Memory,
    /// Its store.
    pub store: StoreContextMut<'a, StoreData<T>>,
    /// The size that it did not get because the limiter has to wait.
    pub awaited: Option<u64>,
    /// With what the limiter panicked. To the heap that is a refusal, so that it comes to the end of what it does; who
    /// has the heap do it goes on with the panic then.
    pub panicked: Option<Box<dyn Any + Send>>,
}

impl<'a, T: 'static> HostMemory<'a, T> {
    /// A memory that has not been asked to grow.
    pub fn new(memory: Memory, store: StoreContextMut<'a, StoreData<T>>) -> HostMemory<'a, T> {
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
        let (current, desired) = (self.memory.data_size(&self.store) as u64, len.next_multiple_of(PAGE));
        if desired <= current {
            return Ok(());
        }
        if self.panicked.is_some() {
            return Err(GrowRefused);
        }
        // The limiter is the embedder's, and so are the store, which it may leave as it likes, and memories of its own. It
        // is asked before anything of the memory changes.
        let mut grow = || match self.store.data_mut().heap_growing(current, desired) {
            HeapAnswer::Yes => grow(&mut self.store, self.memory, desired),
            HeapAnswer::No => false,
            HeapAnswer::Later => {
                self.awaited = Some(len);
                false
            }
        };
        match catch_unwind(AssertUnwindSafe(&mut grow)) {
            Ok(grown) => grown.then_some(()).ok_or(GrowRefused),
            Err(panic) => {
                self.panicked = Some(panic);
                Err(GrowRefused)
            }
        }
    }
}

/// Lets the heap's memory grow to so many bytes, which its limiter has allowed. Whether it has.
pub fn grow<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, memory: Memory, len: u64) -> bool {
    let delta = len.div_ceil(PAGE).saturating_sub(memory.size(&*cx));
    // The store's limiter may be an asynchronous one; the one that is asked now answers at once.
    let grown = at_once(memory.grow_async(&mut *ForHeap::new(cx).0, delta));
    match grown {
        Some(Ok(_)) => true,
        Some(Err(err)) => {
            cx.data_mut().heap_grow_failed(err);
            false
        }
        None => false,
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
