//! The collector: a generational garbage collector over an abstract memory.
//!
//! Young objects are bump-allocated by lowered code itself. A minor collection moves those that are
//! reachable to a mark-region old space, which a major collection marks, sweeps, and compacts where it
//! is fragmented. `docs/heap.md` states the invariants and the policies.
//!
//! | file or room | what |
//! |---|---|
//! | `alloc.rs` | allocation as the host sees it: the slow path of inline allocation |
//! | `access.rs` | reads and writes of objects by the host, and the entry points of the barrier |
//! | `pretenure.rs` | allocation in the old space by the program itself |
//! | `remembered.rs`, `cards.rs` | where old objects may refer to young ones |
//! | `hold.rs` | collections that have to wait |
//! | `collect/` | collections: minor, major, in steps |
//! | `space/` | the nursery, old space, large and pinned objects, pages |
//! | `weak/` | weak references, ephemerons, finalizers |
//! | `descriptor.rs` | what a collection must know of a type |
//! | `sizer.rs` | when a major collection is due, and by how much the memory grows |
//! | `nepotism.rs` | when a major collection is cheaper than a minor one |
//! | `memory.rs` | the abstract memory |
//! | `options.rs`, `stats.rs`, `error.rs` | what may be chosen, what happened, what went wrong |
//! | `verify.rs`, `zeal.rs` | the verifier, and a collection at every `n`th allocation |
//!
//! What it is not: it knows nothing of WebAssembly, nor of the engine. It meets lowered code in
//! [`layout`](crate::layout) alone, and the engine behind [`HeapMemory`] and [`Roots`].
//!
//! Two-sided contract. Lowered code and the runtime promise:
//! - at every call of `alloc…` and `collect`, every reachable object is set up, and every reference to
//!   a live object is in the shadow stack above the pointer in its cell, in a root area, in another
//!   live object, or visited by [`Roots::each`];
//! - a young reference that is stored into an old object is remembered, by slot or by object; any reference below the
//!   boundary in its cell, which is all of them while a collection marks in steps.
//!
//! The collector promises: every such word refers to the same object afterwards; an allocation that
//! fails leaves the heap as usable as it was; whatever the memory holds, nothing here panics.

#![forbid(unsafe_code)]

mod access;
mod alloc;
mod cards;
mod collect;
mod descriptor;
mod error;
mod hold;
mod memory;
mod nepotism;
mod options;
mod pretenure;
mod remembered;
mod sizer;
mod space;
mod stats;
#[cfg(test)]
mod tests;
mod verify;
mod weak;
mod zeal;

pub use collect::CollectKind;
pub use collect::roots::Roots;
pub use error::{AllocError, TypesFull};
pub use memory::{GrowRefused, HeapMemory, VecMemory};
pub use options::HeapOptions;
pub use stats::{HeapStats, PAUSE_BUCKETS};
pub use verify::{Fault, Place, VerifyError};
pub use weak::{MapId, QueueId, WeakId};

use crate::layout::map::MAX_HEAP_BYTES;
use crate::layout::{GcType, HeapMap, PAGE};
use collect::shade::Cycle;
use collect::worklist::Worklist;
use descriptor::{Brief, Descriptors};
use hold::Hold;
use memory::Words;
use nepotism::Nepotism;
use pretenure::Pretenure;
use remembered::Remembered;
use sizer::Sizer;
use space::large::LargeSpace;
use space::marks::Marks;
use space::nursery::Nursery;
use space::old::OldSpace;
use space::pages::Pages;
use space::pinned::PinnedSpace;
use space::roots_area::RootAreas;
use std::ops::Range;
use std::sync::Arc;
use weak::WeakTables;
use zeal::Zeal;

/// A word of emptied memory when `HeapOptions::poison` is set: neither null, nor an i31, nor a
/// reference to an object, nor a header.
pub const POISON: u32 = 0xDBDB_DBDB;

const _: () = {
    use crate::layout::reference;
    assert!(!reference::is_object(POISON) && !reference::is_i31(POISON) && POISON != reference::NULL);
};

/// The collector of one heap memory. All methods that take a memory must be given the same one.
#[derive(Debug)]
pub struct Heap {
    map: HeapMap,
    space_start: u32,
    options: HeapOptions,
    types: Descriptors,
    nursery: Nursery,
    pretenure: Pretenure,
    pages: Pages,
    old: OldSpace,
    large: LargeSpace,
    pinned: PinnedSpace,
    areas: RootAreas,
    remembered: Remembered,
    marks: Marks,
    weak: WeakTables,
    /// The major collection in steps that is under way.
    cycle: Option<Box<Cycle>>,
    sizer: Sizer,
    nepotism: Nepotism,
    zeal: Zeal,
    hold: Hold,
    /// The last collection of zeal was one that moves.
    zeal_moves: bool,
    stats: HeapStats,
    /// The worklist of minor collections, empty between them.
    todo: Vec<(u32, Brief)>,
    /// That of marking.
    grey: Worklist,
    /// The memory refused to grow when it was asked last.
    is_short: bool,
    /// The next major collection is to compact.
    compact: bool,
    /// What was found corrupt. From then on nothing is allocated or collected.
    broken: Option<VerifyError>,
}

impl Heap {
    /// Sets up a heap in `mem` for the types of an engine, whose RTT records end at `rtt_end`: grows
    /// the memory, and writes the records and the fixed cells.
    ///
    /// # Errors
    ///
    /// When the memory refuses to grow that far.
    pub fn new(
        mem: &mut dyn HeapMemory,
        map: HeapMap,
        types: &[Arc<GcType>],
        rtt_end: u32,
        mut options: HeapOptions,
    ) -> Result<Heap, AllocError> {
        options.max_bytes = options.max_bytes.min(MAX_HEAP_BYTES) / PAGE as u64 * PAGE as u64;
        let space_start = map.space_start(rtt_end);
        if space_start as u64 > options.max_bytes || mem.grow_to(space_start as u64).is_err() {
            return Err(AllocError::Full {
                requested: space_start as u64,
                heap_bytes: mem.bytes().len() as u64,
                max_bytes: options.max_bytes,
            });
        }
        let zeal = Zeal::new(options.zeal);
        let mut heap = Heap {
            map,
            space_start,
            types: Descriptors::new(map.rtt_start, space_start),
            nursery: Nursery::new(map, options.nursery_least, !zeal.is_on()),
            pretenure: Pretenure::default(),
            pages: Pages::new(space_start),
            old: OldSpace::new(space_start),
            large: LargeSpace::default(),
            pinned: PinnedSpace::default(),
            areas: RootAreas::default(),
            remembered: Remembered::new(map, options.remembered_first),
            marks: Marks::new(map.nursery_start),
            weak: WeakTables::default(),
            sizer: Sizer::new(&options),
            nepotism: Nepotism::default(),
            zeal,
            hold: Hold::default(),
            zeal_moves: false,
            cycle: None,
            stats: HeapStats::default(),
            todo: Vec::new(),
            grey: Worklist::default(),
            is_short: false,
            compact: false,
            broken: None,
            options,
        };
        heap.set_up(mem);
        heap.sync_types(mem, types)?;
        Ok(heap)
    }

    fn set_up(&mut self, mem: &mut dyn HeapMemory) {
        self.cover(mem.bytes().len() as u64);
        if self.options.poison {
            self.poison(mem, self.map.nursery_start..self.map.nursery_end);
            self.poison(mem, self.space_start..self.pages.end() as u32);
        }
        let mut words = Words::new(mem.bytes_mut());
        words.set(self.map.sp_cell(), self.map.stack_top);
        words.set(self.map.boundary_cell(), self.map.young_boundary());
        self.nursery.reset(&mut words);
        self.remembered.clear(&mut words, self.map);
    }

    /// Learns types that were registered since, in the order of their indices, and writes their
    /// records. Known ones are skipped.
    ///
    /// # Errors
    ///
    /// When the records would reach this heap's first page; then it knows those before.
    pub fn sync_types(&mut self, mem: &mut dyn HeapMemory, new: &[Arc<GcType>]) -> Result<(), TypesFull> {
        self.types.learn(&mut Words::new(mem.bytes_mut()), new)
    }

    /// How many types are known: the index of the first that is not.
    pub fn known_types(&self) -> usize {
        self.types.len()
    }

    /// Totals since the heap was made.
    pub fn stats(&self) -> &HeapStats {
        &self.stats
    }

    /// The options in effect.
    pub fn options(&self) -> &HeapOptions {
        &self.options
    }

    /// The map that the heap was made with.
    pub fn map(&self) -> HeapMap {
        self.map
    }

    fn poison(&self, mem: &mut dyn HeapMemory, range: Range<u32>) {
        Words::new(mem.bytes_mut()).fill(range.start, range.end, POISON);
    }

    fn check_broken(&self) -> Result<(), AllocError> {
        self.broken.clone().map_or(Ok(()), |error| Err(AllocError::Corrupt(error)))
    }

    fn note_broken<T>(&mut self, result: Result<T, AllocError>) -> Result<T, AllocError> {
        if let Err(AllocError::Corrupt(error)) = &result {
            self.broken.get_or_insert_with(|| error.clone());
        }
        result
    }
}
