//! What an embedder may choose about a heap.

use crate::layout::map::MAX_HEAP_BYTES;
use std::num::NonZeroU32;
use std::time::Duration;

/// The minimum of a heap of which nobody has said anything. One that is not longer yields where little is alive.
pub(crate) const DEFAULT_MINIMUM: u64 = 48 << 20;

/// Options of a [`Heap`](super::Heap). The defaults suit programs of any size.
#[derive(Debug, Clone, PartialEq)]
pub struct HeapOptions {
    /// Bytes that the heap memory may have in all, at most [`MAX_HEAP_BYTES`].
    pub max_bytes: u64,
    /// Collect at every `n`th allocation: by turns move everything, and mark in steps, if these are on. A debugging aid.
    pub zeal: Option<NonZeroU32>,
    /// Fill freed space with words that are no reference. A debugging aid.
    pub poison: bool,
    /// Run the verifier before and after every collection. A debugging aid.
    pub verify: bool,
    /// A major collection is due when old and large objects take this many times what was live
    /// after the last one. At least 1.1.
    pub factor: f64,
    /// ... but not before they take this many bytes, or two thirds while nearly everything survives. If it is no more than the
    /// default, it is less where the last one had little to mark.
    pub minimum: u64,
    /// The memory grows by at least this many bytes, or by 1/32 of its size if that is more.
    pub growth_bytes: u64,
    /// The part of the nursery that is used adapts to the share of objects that survive, between this
    /// many bytes and what the map gives.
    pub nursery_least: u32,
    /// The first buffer of remembered slots has room for so many, as far as they fit a page.
    pub remembered_first: u32,
    /// When more than this share of the nursery survives a collection, the next objects are made in the old space.
    /// Above 1 turns it off.
    pub pretenure_share: f64,
    /// ... at most this many bytes, until the nursery is asked again.
    pub pretenure_most: u64,
    /// A major collection marks on so many threads at most; 1 for the calling thread alone. The default is 2, or the
    /// number of processors if there is only one.
    pub mark_threads: u32,
    /// ... if old and large objects take at least this many bytes.
    pub parallel_least: u64,
    /// Major collections that fall due mark in steps, one at each minor collection, instead of in one pause.
    pub incremental: bool,
    /// ... if old and large objects take at least this many bytes: those of smaller heaps are short.
    pub step_least: u64,
    /// Units of work that a step marks: an object is one, and one more for each eight references of an array or a large
    /// struct.
    pub step_work: u32,
    /// ... or less, if that has taken so long: where each object is in another page than the one before, marking takes ten times
    /// as long. A step takes longer, and does more, where the heap would grow too far before the cycle ends (`collect/step.rs`).
    pub step_time: Duration,
    /// Bytes of the nursery that are used between two steps at most.
    pub step_nursery: u32,
    /// After a collection in steps that freed at least so many bytes of large objects, while as much else is alive, large objects
    /// that die young are freed without another.
    pub watch_least: u64,
    /// A major collection moves objects out of fragmented blocks when at least this share of the
    /// space in old blocks was free, but scattered, after the last one. Above 1 turns it off.
    pub fragmentation: f64,
}

impl Default for HeapOptions {
    fn default() -> HeapOptions {
        HeapOptions {
            max_bytes: MAX_HEAP_BYTES,
            zeal: None,
            poison: false,
            verify: false,
            factor: 1.75,
            minimum: DEFAULT_MINIMUM,
            nursery_least: 1 << 20,
            growth_bytes: 1 << 20,
            pretenure_share: 0.875,
            pretenure_most: 16 << 20,
            mark_threads: std::thread::available_parallelism().map_or(1, |n| n.get().min(2) as u32),
            parallel_least: 4 << 20,
            incremental: true,
            step_least: 16 << 20,
            step_work: 256 << 10,
            step_time: Duration::from_millis(3),
            step_nursery: 128 << 10,
            watch_least: 4 << 20,
            remembered_first: u32::MAX,
            fragmentation: 0.25,
        }
    }
}
