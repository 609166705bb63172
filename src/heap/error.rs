//! Why the heap could not do what it was asked for.

use super::verify::VerifyError;

/// Why an allocation or a collection failed. Except after `Corrupt` the heap is as usable as before:
/// an allocation may succeed once references have been dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllocError {
    /// No room, even after a major collection, and the memory may not grow.
    #[error("the GC heap is full: {requested} bytes do not fit into {heap_bytes} (limit {max_bytes})")]
    Full {
        /// Bytes that were asked for.
        requested: u64,
        /// Bytes that the heap memory has.
        heap_bytes: u64,
        /// Bytes that it may have by its options; a resource limiter may allow fewer.
        max_bytes: u64,
    },
    /// No heap with this limit could ever hold the object.
    #[error("an object of {requested} bytes is larger than the GC heap may become ({max_bytes})")]
    TooLarge {
        /// Bytes that were asked for.
        requested: u64,
        /// Bytes that the heap memory may have.
        max_bytes: u64,
    },
    /// The type is not one of this heap's: its records have not been synchronised.
    #[error("no RTT record at address {rtt:#x}: call `sync_types` before allocating")]
    UnknownType {
        /// The address that is not a known record's.
        rtt: u32,
    },
    /// The types that a new heap is given do not fit before its first page.
    #[error(transparent)]
    Types(#[from] TypesFull),
    /// The heap memory holds something that compiled code can not have put there. Always a bug of
    /// this crate, or of a host that wrote to the heap memory.
    #[error("the GC heap is corrupt: {0}")]
    Corrupt(#[from] VerifyError),
}

/// RTT records of newly registered types do not fit before this store's first page. A new store has
/// room for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the types registered since this store was made do not fit its heap ({need:#x} > {have:#x}); use a new store")]
pub struct TypesFull {
    /// Where the first record that has no room would end.
    pub need: u32,
    /// Where they must end.
    pub have: u32,
}
