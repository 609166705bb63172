//! The error of an allocation that the heap has no room for, with Wasmtime's name.

use std::fmt;

/// The GC heap has no room for an object, whatever was collected.
///
/// Made by [`ExternRef::new`](crate::api::ExternRef::new) it holds the host value, which has found no place;
/// made by anything else it holds nothing. A guest's allocation traps, and the error has this among its contexts.
///
/// ```
/// use wasmtime_gc::{ArrayRef, ArrayRefPre, ArrayType, Config, Engine, FieldType, GcHeapOutOfMemory};
/// use wasmtime_gc::{Mutability, StorageType, Store, Val};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut config = Config::new();
/// config.gc_max_heap_size(8 << 20);
/// let engine = Engine::new(&config)?;
/// let mut store = Store::new(&engine, ());
/// let ty = ArrayType::new(&engine, FieldType::new(Mutability::Var, StorageType::I8));
/// let pre = ArrayRefPre::new(&mut store, ty);
/// let err = ArrayRef::new(&mut store, &pre, &Val::I32(0), 64 << 20).unwrap_err();
/// assert!(err.is::<GcHeapOutOfMemory<()>>());
/// # Ok(())
/// # }
/// ```
pub struct GcHeapOutOfMemory<T> {
    inner: T,
    bytes_needed: u64,
}

impl<T> GcHeapOutOfMemory<T> {
    pub(crate) fn new(inner: T, bytes_needed: u64) -> GcHeapOutOfMemory<T> {
        GcHeapOutOfMemory { inner, bytes_needed }
    }

    pub(crate) fn bytes_needed(&self) -> u64 {
        self.bytes_needed
    }

    /// The host value.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// The host value, and the error without it: for [`Store::gc`](crate::api::Store::gc).
    pub fn take_inner(self) -> (T, GcHeapOutOfMemory<()>) {
        (self.inner, GcHeapOutOfMemory { inner: (), bytes_needed: self.bytes_needed })
    }
}

impl<T> fmt::Debug for GcHeapOutOfMemory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T> fmt::Display for GcHeapOutOfMemory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GC heap out of memory: no capacity for allocation of {} bytes", self.bytes_needed)
    }
}

impl<T> std::error::Error for GcHeapOutOfMemory<T> {}
