//! Memories that threads share.

use super::{Engine, MemoryType, Result, Trap, WaitResult};
use std::cell::UnsafeCell;
use std::time::Duration;

/// A linear memory that stores share. Cheap to clone, and shared by clones.
///
/// ```
/// use wasmtime_gc::{Config, Engine, MemoryType, SharedMemory};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut config = Config::new();
/// config.shared_memory(true);
/// let engine = Engine::new(&config)?;
/// let memory = SharedMemory::new(&engine, MemoryType::shared(1, 2))?;
/// let other = memory.clone();
/// std::thread::spawn(move || other.grow(1)).join().unwrap()?;
/// assert_eq!(memory.size(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SharedMemory {
    pub(crate) inner: wasmtime::SharedMemory,
}

impl SharedMemory {
    /// A new memory.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, MemoryType, SharedMemory};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::new(wasmtime_gc::Config::new().shared_memory(true))?;
    /// let memory = SharedMemory::new(&engine, MemoryType::shared(1, 4))?;
    /// let other = memory.clone();
    /// std::thread::spawn(move || other.grow(1)).join().unwrap()?;
    /// assert_eq!(memory.size(), 2);
    /// assert!(SharedMemory::new(&engine, MemoryType::new(1, None)).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the type is not of a shared memory, or there is no room.
    pub fn new(engine: &Engine, ty: MemoryType) -> Result<Self> {
        Ok(SharedMemory { inner: wasmtime::SharedMemory::new(engine.wasmtime(), ty)? })
    }

    /// Its type.
    pub fn ty(&self) -> MemoryType {
        self.inner.ty()
    }

    /// Its size in pages.
    pub fn size(&self) -> u64 {
        self.inner.size()
    }

    /// Bytes of a page.
    pub fn page_size(&self) -> u64 {
        self.inner.page_size()
    }

    /// Its size in bytes.
    pub fn data_size(&self) -> usize {
        self.inner.data_size()
    }

    /// Its bytes. Other threads may write them at any time.
    pub fn data(&self) -> &[UnsafeCell<u8>] {
        self.inner.data()
    }

    /// Grows the memory by pages: its former size.
    ///
    /// # Errors
    ///
    /// When its maximum is reached or there is no room.
    pub fn grow(&self, delta: u64) -> Result<u64> {
        self.inner.grow(delta)
    }

    /// Wakes threads that wait for an address (`memory.atomic.notify`): how many.
    ///
    /// # Errors
    ///
    /// When the address is out of bounds or not aligned.
    pub fn atomic_notify(&self, addr: u64, count: u32) -> Result<u32, Trap> {
        self.inner.atomic_notify(addr, count)
    }

    /// Waits for an address (`memory.atomic.wait32`).
    ///
    /// # Errors
    ///
    /// When the address is out of bounds or not aligned.
    pub fn atomic_wait32(&self, addr: u64, expected: u32, timeout: Option<Duration>) -> Result<WaitResult, Trap> {
        self.inner.atomic_wait32(addr, expected, timeout)
    }

    /// Waits for an address (`memory.atomic.wait64`).
    ///
    /// # Errors
    ///
    /// When the address is out of bounds or not aligned.
    pub fn atomic_wait64(&self, addr: u64, expected: u64, timeout: Option<Duration>) -> Result<WaitResult, Trap> {
        self.inner.atomic_wait64(addr, expected, timeout)
    }
}
