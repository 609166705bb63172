//! Who lives where in the heap memory.
//!
//! ```text
//! 0             shadow stack, grows down from `stack_top`
//! stack_top     fixed cells, then the first buffer of remembered slots (one page)
//! nursery       objects that were allocated since the last minor collection
//! rtt_start     RTT records
//! (per store)   old objects, large objects, root areas, in pages handed out by the collector
//! ```
//!
//! Everything up to `rtt_start` is fixed per engine and therefore a constant in lowered code. The
//! stack is at the bottom so that its overflow needs no check: an address below zero wraps to the
//! top of the 4 GiB space, which the heap never reaches (`MAX_HEAP_BYTES`), and faults.

/// Bytes of a WebAssembly page.
pub const PAGE: u32 = 65536;

/// The heap memory never grows beyond this many bytes: the last 16 MiB of the address space stay
/// empty, so that a shadow stack that runs below zero faults.
pub const MAX_HEAP_BYTES: u64 = (1 << 32) - (1 << 24);

/// The most that one frame may take of the shadow stack, in bytes. With it, overflow can not jump
/// over the unmapped 16 MiB.
pub const MAX_FRAME_BYTES: u32 = 1 << 22;

/// What an engine chooses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct MapParams {
    /// Bytes of shadow stack; rounded up to a page.
    pub stack_bytes: u32,
    /// Bytes of nursery; rounded up to a page.
    pub nursery_bytes: u32,
}

impl Default for MapParams {
    fn default() -> MapParams {
        MapParams { stack_bytes: 1 << 20, nursery_bytes: 4 << 20 }
    }
}

/// Addresses in the heap memory that are fixed per engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeapMap {
    /// First address above the shadow stack. An empty stack's pointer has this value.
    pub stack_top: u32,
    /// First address of the nursery.
    pub nursery_start: u32,
    /// First address above the nursery: objects from here on are old.
    pub nursery_end: u32,
    /// First RTT record.
    pub rtt_start: u32,
}

const CELL_SP: u32 = 0;
const CELL_BUMP: u32 = 4;
const CELL_LIMIT: u32 = 8;
const CELL_REMEMBERED: u32 = 12;
const CELL_PENDING: u32 = 16;
const CELL_BOUNDARY: u32 = 20;
const CELL_REMEMBERED_LAST: u32 = 24;
const CELL_MARK: u32 = 28;
const CELL_REMEMBERED_OBJECT: u32 = 32;
const REMEMBERED_START: u32 = 64;

/// Records of types that come later have room for a byte for so many of the nursery, and more.
const MORE_RECORDS: u32 = 8;

impl HeapMap {
    /// The map for an engine's choices. Each size is clamped to 64 KiB ..= 256 MiB.
    pub fn new(params: MapParams) -> HeapMap {
        let round = |bytes: u32| bytes.clamp(PAGE, 1 << 28).next_multiple_of(PAGE);
        let stack_top = round(params.stack_bytes);
        let nursery_start = stack_top + PAGE;
        let nursery_end = nursery_start + round(params.nursery_bytes);
        HeapMap { stack_top, nursery_start, nursery_end, rtt_start: nursery_end }
    }

    /// Cell: the shadow stack pointer. Slots in `sp .. stack_top` are roots.
    pub const fn sp_cell(self) -> u32 {
        self.stack_top + CELL_SP
    }

    /// Cell: where the next nursery object goes (an address, not a reference).
    pub const fn bump_cell(self) -> u32 {
        self.stack_top + CELL_BUMP
    }

    /// Cell: an inline allocation may not go beyond this address.
    pub const fn limit_cell(self) -> u32 {
        self.stack_top + CELL_LIMIT
    }

    /// Cell: where the next remembered slot address goes. An entry is the address of a word that may hold a reference to a
    /// young object, or to any while a collection marks in steps.
    pub const fn remembered_cell(self) -> u32 {
        self.stack_top + CELL_REMEMBERED
    }

    /// Cell: the last word of the buffer of remembered slots. What is written there is lost: the cell before stays at it, which
    /// tells that the buffer was full.
    pub const fn remembered_last_cell(self) -> u32 {
        self.stack_top + CELL_REMEMBERED_LAST
    }

    /// Cell: a reference to an object that is remembered as a whole, or 0: references may be stored into it without a barrier.
    pub const fn remembered_object_cell(self) -> u32 {
        self.stack_top + CELL_REMEMBERED_OBJECT
    }

    /// Cell: the exception that is on its way out of the frames that are returning, or 0. It is a root;
    /// no reference to an object is 0.
    pub const fn pending_cell(self) -> u32 {
        self.stack_top + CELL_PENDING
    }

    /// Cell: references below this, stored into old objects, are remembered. Those to young objects usually; all
    /// while a collection marks in steps.
    pub const fn boundary_cell(self) -> u32 {
        self.stack_top + CELL_BOUNDARY
    }

    /// The usual value of that cell: references to young objects are below, those to others are not.
    pub const fn young_boundary(self) -> u32 {
        super::reference::from_header(self.nursery_end)
    }

    /// Cell: written where a trap must be told from another, and never read.
    pub const fn mark_cell(self) -> u32 {
        self.stack_top + CELL_MARK
    }

    /// First address of the buffer of remembered slots that a heap has at first.
    pub const fn remembered_start(self) -> u32 {
        self.stack_top + REMEMBERED_START
    }

    /// First address above that buffer.
    pub const fn remembered_end(self) -> u32 {
        self.stack_top + PAGE
    }

    /// Whether an object whose header is at this address is young.
    pub const fn is_young(self, header: u32) -> bool {
        header >= self.nursery_start && header < self.nursery_end
    }

    /// A store's first address behind the RTT records, when the engine's records end at `rtt_end`:
    /// page-aligned, with room for as many records again, and for an eighth of the nursery's bytes. These are some 13,000
    /// usual types at the default size, more than the largest programs have. Nobody touches the pages of what is not used.
    pub fn space_start(self, rtt_end: u32) -> u32 {
        let used = rtt_end.saturating_sub(self.rtt_start);
        let more = (self.nursery_end - self.nursery_start) / MORE_RECORDS;
        (rtt_end + used + more + PAGE).next_multiple_of(PAGE)
    }
}
