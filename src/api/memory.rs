//! Memories.

use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::{MemoryAccessError, MemoryType, Result};

/// A linear memory. Lowering does not touch memories.
///
/// ```
/// use wasmtime_gc::{Instance, Module, Store};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut store = Store::<()>::default();
/// let module = r#"(module (memory (export "m") 1 2) (data (i32.const 8) "hello"))"#;
/// let module = Module::new(store.engine(), module)?;
/// let memory = Instance::new(&mut store, &module, &[])?.get_memory(&mut store, "m").unwrap();
/// assert_eq!(&memory.data(&store)[8..13], b"hello");
/// memory.write(&mut store, 65535, b"!")?;
/// assert!(memory.write(&mut store, 65535, b"!!").is_err(), "it has one page");
/// assert_eq!((memory.grow(&mut store, 1)?, memory.size(&store)), (1, 2));
/// assert!(memory.grow(&mut store, 1).is_err(), "its limit is two");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub(crate) inner: wasmtime::Memory,
}

impl Memory {
    /// A new memory.
    ///
    /// ```
    /// use wasmtime_gc::{Instance, Memory, MemoryType, Module, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let memory = Memory::new(&mut store, MemoryType::new(1, None))?;
    /// memory.write(&mut store, 100, b"shared with the guest")?;
    /// let module = Module::new(
    ///     store.engine(),
    ///     r#"(module (import "" "" (memory 1))
    ///         (func (export "first") (result i32) (i32.load8_u (i32.const 100))))"#,
    /// )?;
    /// let instance = Instance::new(&mut store, &module, &[memory.into()])?;
    /// let first = instance.get_typed_func::<(), i32>(&mut store, "first")?;
    /// assert_eq!(first.call(&mut store, ())?, i32::from(b's'));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the store's limits are reached or there is no room.
    pub fn new(mut store: impl AsContextMut, ty: MemoryType) -> Result<Memory> {
        Ok(Memory { inner: wasmtime::Memory::new(store.as_context_mut().inner, ty)? })
    }

    /// A new memory, in a store whose limiter is asynchronous.
    ///
    /// # Errors
    ///
    /// As [`Memory::new`].
    pub async fn new_async(mut store: impl AsContextMut, ty: MemoryType) -> Result<Memory> {
        Ok(Memory { inner: wasmtime::Memory::new_async(store.as_context_mut().inner, ty).await? })
    }

    /// Grows the memory, in a store whose limiter is asynchronous.
    ///
    /// # Errors
    ///
    /// As [`Memory::grow`].
    pub async fn grow_async(&self, mut store: impl AsContextMut, delta: u64) -> Result<u64> {
        self.inner.grow_async(store.as_context_mut().inner, delta).await
    }

    /// Its type.
    ///
    /// ```
    /// use wasmtime_gc::{Memory, MemoryType, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let memory = Memory::new(&mut store, MemoryType::new(1, Some(3)))?;
    /// let ty = memory.ty(&store);
    /// assert_eq!((ty.minimum(), ty.maximum(), ty.is_64()), (1, Some(3), false));
    /// # Ok(())
    /// # }
    /// ```
    pub fn ty(&self, store: impl AsContext) -> MemoryType {
        self.inner.ty(store.as_context().inner)
    }

    /// Copies from the memory.
    ///
    /// # Errors
    ///
    /// When the range is out of bounds.
    pub fn read(&self, store: impl AsContext, offset: usize, buffer: &mut [u8]) -> Result<(), MemoryAccessError> {
        self.inner.read(store.as_context().inner, offset, buffer)
    }

    /// Copies to the memory.
    ///
    /// # Errors
    ///
    /// When the range is out of bounds.
    pub fn write(&self, mut store: impl AsContextMut, offset: usize, buffer: &[u8]) -> Result<(), MemoryAccessError> {
        self.inner.write(store.as_context_mut().inner, offset, buffer)
    }

    /// Its bytes.
    pub fn data<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a [u8] {
        self.inner.data(store.into().inner)
    }

    /// Its bytes, to change.
    pub fn data_mut<'a, T: 'static>(&self, store: impl Into<StoreContextMut<'a, T>>) -> &'a mut [u8] {
        self.inner.data_mut(store.into().inner)
    }

    /// Its bytes, and the embedder's data.
    pub fn data_and_store_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> (&'a mut [u8], &'a mut T) {
        let (bytes, data) = self.inner.data_and_store_mut(store.into().inner);
        (bytes, &mut data.user)
    }

    /// Its size in bytes.
    pub fn data_size(&self, store: impl AsContext) -> usize {
        self.inner.data_size(store.as_context().inner)
    }

    /// Its size in pages.
    pub fn size(&self, store: impl AsContext) -> u64 {
        self.inner.size(store.as_context().inner)
    }

    /// Bytes of a page.
    pub fn page_size(&self, store: impl AsContext) -> u64 {
        self.inner.page_size(store.as_context().inner)
    }

    /// The binary logarithm of the bytes of a page.
    pub fn page_size_log2(&self, store: impl AsContext) -> u8 {
        self.inner.page_size_log2(store.as_context().inner)
    }

    /// Where its bytes are, until it grows.
    pub fn data_ptr(&self, store: impl AsContext) -> *mut u8 {
        self.inner.data_ptr(store.as_context().inner)
    }

    /// Grows the memory by pages: its former size.
    ///
    /// ```
    /// use wasmtime_gc::{Memory, MemoryType, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let memory = Memory::new(&mut store, MemoryType::new(1, Some(3)))?;
    /// assert_eq!(memory.grow(&mut store, 2)?, 1);
    /// assert_eq!(memory.size(&store), 3);
    /// assert!(memory.grow(&mut store, 1).is_err(), "three pages are the most");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When its maximum or the store's limits are reached or there is no room.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64) -> Result<u64> {
        self.inner.grow(store.as_context_mut().inner, delta)
    }
}
