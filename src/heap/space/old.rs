//! Old objects: a mark-region space (Blackburn & McKinley, "Immix: a mark-region garbage collector
//! with space efficiency, fast collection, and mutator performance", PLDI 2008).
//!
//! The space is made of 32 KiB blocks of 128-byte lines. A major collection marks the lines that
//! live objects touch. A block without marked lines goes back to the page allocator; the runs of
//! unmarked lines of the others are *holes*, and objects are bump-allocated into holes, then into
//! fresh blocks. An object of more than a line that does not fit the current hole goes to an
//! *overflow* block rather than waste the hole.
//!
//! Deviations: lines are marked exactly, not conservatively, since objects are sized while traced;
//! mark bits are in a side table (`marks.rs`), line marks in another (`lines.rs`); there is one allocator, not one per
//! thread.

use super::lines::{LINE_BYTES, LineMarks};
use super::pages::{BLOCK_BYTES, PAGE_BYTES, Pages};
use crate::layout::object::LARGE_OBJECT_BYTES;
use std::ops::Range;

/// Lines of a block.
pub(crate) const BLOCK_LINES: u32 = BLOCK_BYTES / LINE_BYTES;

/// Blocks with fewer free lines are not allocated into.
const MIN_FREE_LINES: u32 = 8;
/// How many holes may be passed over for one object of more than a line.
const MAX_SKIPS: u32 = 8;
/// A block that the allocator has left holds at least this many bytes of new objects, if it was
/// fresh: the next object, smaller than a large one, did not fit.
const LEAST_FILL: u32 = BLOCK_BYTES - (LARGE_OBJECT_BYTES - 4) + 4;

/// Not a block of this space: free, or a large object's, or a root area's.
const NO_BLOCK: u8 = 0;
/// A block of this space.
const BLOCK: u8 = 1;
/// A block of this space that the running collection moves all objects out of.
const EVACUATED: u8 = 3;

/// Fresh blocks that are enough to allocate objects of `bytes` in all, however they are shaped.
pub(crate) fn blocks_for(bytes: u64) -> u32 {
    // Two bump pointers, the usual one and that for overflow, each with a block that is not full.
    if bytes == 0 { 0 } else { (bytes / LEAST_FILL as u64) as u32 + 2 }
}

/// The old space.
#[derive(Debug)]
pub(crate) struct OldSpace {
    start: u32,
    /// By block: `NO_BLOCK`, `BLOCK` or `EVACUATED`.
    kinds: Vec<u8>,
    lines: LineMarks,
    /// By block: unmarked lines after the last sweep; 0 once the allocator has reached the block.
    free_lines: Vec<u16>,
    /// Blocks with holes, the next one last.
    recycle: Vec<u32>,
    bump: u32,
    limit: u32,
    /// Where to look for the next hole: the lines of the current block behind the current hole.
    ahead: Range<u32>,
    /// The current hole is a whole fresh block.
    fresh: bool,
    overflow: Range<u32>,
    /// Never pass over a hole: `hole_credit` is relied on.
    frugal: bool,
    hole_credit: u64,
    blocks: u32,
}

impl OldSpace {
    /// An empty space in the pages from `start` on.
    pub fn new(start: u32) -> OldSpace {
        OldSpace {
            start,
            kinds: Vec::new(),
            lines: LineMarks::default(),
            free_lines: Vec::new(),
            recycle: Vec::new(),
            bump: 0,
            limit: 0,
            ahead: 0..0,
            fresh: false,
            overflow: 0..0,
            frugal: false,
            hole_credit: 0,
            blocks: 0,
        }
    }

    /// The page space has this many blocks now.
    pub fn extend(&mut self, blocks: usize) {
        if blocks > self.kinds.len() {
            self.kinds.resize(blocks, NO_BLOCK);
            self.free_lines.resize(blocks, 0);
            self.lines.extend(blocks * BLOCK_LINES as usize);
        }
    }

    /// Blocks that belong to this space.
    pub fn blocks(&self) -> u32 {
        self.blocks
    }

    #[inline(always)]
    fn kind(&self, at: u32) -> u8 {
        let block = at.wrapping_sub(self.start) / BLOCK_BYTES;
        self.kinds.get(block as usize).copied().unwrap_or(NO_BLOCK)
    }

    /// Whether an address is in a block of this space.
    #[inline(always)]
    pub fn contains(&self, at: u32) -> bool {
        self.kind(at) != NO_BLOCK
    }

    /// Whether an address is in a block that is being evacuated.
    #[inline(always)]
    pub fn is_evacuated(&self, at: u32) -> bool {
        self.kind(at) == EVACUATED
    }

    /// Allocates `bytes` (a multiple of 4, less than a large object). `None` when no block is left.
    #[inline(always)]
    pub fn alloc(&mut self, bytes: u32, pages: &mut Pages) -> Option<u32> {
        let at = self.bump;
        if self.limit - at >= bytes {
            self.bump = at + bytes;
            return Some(at);
        }
        self.alloc_slow(bytes, pages)
    }

    #[cold]
    fn alloc_slow(&mut self, bytes: u32, pages: &mut Pages) -> Option<u32> {
        let mut skips = 0;
        if bytes > LINE_BYTES {
            while !self.fresh && !self.frugal && skips < MAX_SKIPS {
                self.next_hole(pages)?;
                if let Some(at) = self.bump_alloc(bytes) {
                    return Some(at);
                }
                skips += 1;
            }
            return self.alloc_overflow(bytes, pages);
        }
        // Every hole has a line at least.
        self.next_hole(pages)?;
        self.bump_alloc(bytes)
    }

    fn bump_alloc(&mut self, bytes: u32) -> Option<u32> {
        let at = self.bump;
        (self.limit - at >= bytes).then(|| {
            self.bump = at + bytes;
            at
        })
    }

    /// Allocates apart from the bump pointer. `None` when no block is left.
    pub fn alloc_overflow(&mut self, bytes: u32, pages: &mut Pages) -> Option<u32> {
        if self.overflow.end - self.overflow.start < bytes {
            if bytes > BLOCK_BYTES {
                return None;
            }
            let at = self.take_block(pages)?;
            self.overflow = at..at + BLOCK_BYTES;
        }
        let at = self.overflow.start;
        self.overflow.start += bytes;
        Some(at)
    }

    fn take_block(&mut self, pages: &mut Pages) -> Option<u32> {
        let at = pages.take_block()?;
        let block = ((at - self.start) / BLOCK_BYTES) as usize;
        self.kinds[block] = BLOCK;
        self.free_lines[block] = 0;
        self.blocks += 1;
        Some(at)
    }

    /// Moves on to the next hole, or to a fresh block. What remains of the current one is lost until
    /// the next sweep.
    fn next_hole(&mut self, pages: &mut Pages) -> Option<()> {
        loop {
            if let Some(hole) = self.lines.hole(self.ahead.clone()) {
                self.ahead.start = hole.end;
                (self.bump, self.limit) = (self.line_start(hole.start), self.line_start(hole.end));
                self.fresh = false;
                return Some(());
            }
            let Some(block) = self.recycle.pop() else { break };
            self.free_lines[block as usize] = 0;
            self.ahead = block_lines(block);
        }
        let at = self.take_block(pages)?;
        (self.bump, self.limit, self.fresh) = (at, at + BLOCK_BYTES, true);
        self.ahead = 0..0;
        Some(())
    }

    /// Gives out the current hole, or the next, as a whole. `None` when no block is left.
    pub fn take_hole(&mut self, pages: &mut Pages) -> Option<Range<u32>> {
        if self.bump == self.limit {
            self.next_hole(pages)?;
        }
        let hole = self.bump..self.limit;
        self.bump = self.limit;
        Some(hole)
    }

    /// Takes back the end of the hole that was given out last.
    pub fn give_rest(&mut self, rest: Range<u32>) {
        if rest.end == self.limit && self.bump == self.limit {
            self.bump = rest.start;
        }
    }

    fn line_start(&self, line: u32) -> u32 {
        self.start + line * LINE_BYTES
    }

    /// Marks the lines that an object of this space touches.
    #[inline(always)]
    pub fn mark_lines(&self, at: u32, bytes: u32) {
        self.mark_lines_in(&self.lines, at, bytes);
    }

    /// The same in marks apart from those of the space.
    #[inline(always)]
    pub fn mark_lines_in(&self, lines: &LineMarks, at: u32, bytes: u32) {
        lines.mark(at.wrapping_sub(self.start), bytes);
    }

    /// The same for an object of at most a line.
    #[inline(always)]
    pub fn mark_small_in(&self, lines: &LineMarks, at: u32, bytes: u32) {
        lines.mark_small(at.wrapping_sub(self.start), bytes);
    }

    /// The line marks of the space.
    pub fn lines(&self) -> &LineMarks {
        &self.lines
    }

    /// The line marks that the next sweep goes by, in place of all others.
    pub fn set_lines(&mut self, mut lines: LineMarks) {
        lines.extend(self.lines.len());
        self.lines = lines;
    }

    /// Blocks with unmarked lines that the allocator has not reached yet, and how many lines each.
    pub fn sparse_blocks(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0u32..).zip(&self.free_lines).filter(|&(_, &free)| free > 0).map(|(block, &free)| (block, free as u32))
    }

    /// All blocks of this space.
    pub fn all_blocks(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.kinds).filter(|&(_, &kind)| kind != NO_BLOCK).map(|(block, _)| block)
    }

    /// Before marking: forgets all line marks and holes. Until the sweep, allocation is only in
    /// fresh blocks.
    pub fn prepare_mark(&mut self) {
        self.lines.clear();
        self.free_lines.fill(0);
        self.forget_holes();
    }

    fn forget_holes(&mut self) {
        self.recycle.clear();
        (self.bump, self.limit, self.fresh, self.frugal) = (0, 0, false, false);
        self.ahead = 0..0;
        self.overflow = 0..0;
        self.hole_credit = 0;
    }

    /// From now until the sweep, objects are moved out of this block.
    pub fn evacuate(&mut self, block: u32) {
        if let Some(kind) = self.kinds.get_mut(block as usize) {
            *kind |= EVACUATED;
        }
    }

    /// After marking: gives back the blocks without marked lines, and finds the holes of the others.
    /// Calls `freed` with the addresses of everything that is free now.
    pub fn sweep(&mut self, pages: &mut Pages, mut freed: impl FnMut(Range<u32>)) {
        self.forget_holes();
        for block in 0..self.kinds.len() as u32 {
            let kind = &mut self.kinds[block as usize];
            if *kind == NO_BLOCK {
                continue;
            }
            *kind = BLOCK;
            let lines = block_lines(block);
            let free = self.lines.free(lines.clone());
            self.free_lines[block as usize] = 0;
            if free == BLOCK_LINES {
                *kind = NO_BLOCK;
                self.blocks -= 1;
                let at = self.line_start(lines.start);
                pages.give_run(at, BLOCK_BYTES / PAGE_BYTES);
                freed(at..at + BLOCK_BYTES);
            } else if free > 0 {
                self.sweep_holes(block, free, &mut freed);
            }
        }
        self.recycle.reverse();
    }

    fn sweep_holes(&mut self, block: u32, free: u32, freed: &mut impl FnMut(Range<u32>)) {
        let mut lines = block_lines(block);
        let recycle = free >= MIN_FREE_LINES;
        while let Some(hole) = self.lines.hole(lines.clone()) {
            let bytes = self.line_start(hole.start)..self.line_start(hole.end);
            if recycle {
                // Objects of up to a line leave less than a line unused at a hole's end.
                self.hole_credit += (bytes.end - bytes.start - (LINE_BYTES - 4)) as u64;
            }
            freed(bytes);
            lines.start = hole.end;
        }
        if recycle {
            self.recycle.push(block);
            self.free_lines[block as usize] = free as u16;
        }
    }

    /// Right after a sweep: objects of up to a line that fit into holes, in bytes. Relying on it
    /// makes the allocator stop passing over holes.
    pub fn rely_on_holes(&mut self) -> u64 {
        self.frugal = true;
        self.hole_credit
    }

    /// The addresses of blocks of this space that hold no object now: what the allocator may still
    /// hand out. Ascending within each block only.
    pub fn free_ranges(&self) -> Vec<Range<u32>> {
        let mut free = vec![self.bump..self.limit, self.overflow.clone()];
        let recycle = self.recycle.iter().map(|&block| block_lines(block));
        for mut lines in recycle.chain([self.ahead.clone()]) {
            while let Some(hole) = self.lines.hole(lines.clone()) {
                free.push(self.line_start(hole.start)..self.line_start(hole.end));
                lines.start = hole.end;
            }
        }
        free.retain(|range| !range.is_empty());
        free
    }

    /// The addresses of the block that this one is in, if it is one of this space.
    pub fn block_range(&self, at: u32) -> Option<Range<u32>> {
        let start = self.start + at.wrapping_sub(self.start) / BLOCK_BYTES * BLOCK_BYTES;
        self.contains(at).then(|| start..start + BLOCK_BYTES)
    }
}

fn block_lines(block: u32) -> Range<u32> {
    block * BLOCK_LINES..(block + 1) * BLOCK_LINES
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u32 = 0x10000;

    fn space(blocks: usize) -> (OldSpace, Pages) {
        let mut pages = Pages::new(START);
        pages.extend(START as u64 + blocks as u64 * BLOCK_BYTES as u64);
        let mut old = OldSpace::new(START);
        old.extend(pages.blocks());
        (old, pages)
    }

    #[test]
    fn a_swept_block_is_reused_hole_by_hole() {
        let (mut old, mut pages) = space(2);
        for _ in 0..BLOCK_BYTES / 64 {
            old.alloc(64, &mut pages).unwrap();
        }
        old.prepare_mark();
        // Two objects live: one in line 3, one over lines 10 and 11.
        old.mark_lines(START + 3 * LINE_BYTES + 4, 64);
        old.mark_lines(START + 11 * LINE_BYTES - 32, 64);
        let mut freed = 0;
        old.sweep(&mut pages, |range| freed += range.end - range.start);
        assert_eq!(freed, BLOCK_BYTES - 3 * LINE_BYTES);
        assert_eq!(old.sparse_blocks().collect::<Vec<_>>(), [(0, BLOCK_LINES - 3)]);
        let got: Vec<_> = (0..4).map(|_| (old.alloc(128, &mut pages).unwrap() - START) / LINE_BYTES).collect();
        assert_eq!(got, [0, 1, 2, 4]);
        // Longer than what is left up to line 10: the next hole is taken.
        assert_eq!(old.alloc(1024, &mut pages), Some(START + 12 * LINE_BYTES));
        assert_eq!(pages.free_blocks(), 1);
    }

    #[test]
    fn a_medium_object_that_fits_no_hole_overflows_into_a_fresh_block() {
        let (mut old, mut pages) = space(3);
        let first = old.alloc(8000, &mut pages).unwrap();
        assert_eq!(first, START);
        old.alloc(24 << 10, &mut pages).unwrap();
        let over = old.alloc(2000, &mut pages).unwrap();
        assert_eq!(over, START + BLOCK_BYTES);
        // The small hole is still used.
        assert_eq!(old.alloc(64, &mut pages), Some(START + 8000 + (24 << 10)));
        assert_eq!(old.free_ranges().len(), 2);
    }

    #[test]
    fn blocks_without_marks_go_back_and_running_out_is_no_panic() {
        let (mut old, mut pages) = space(2);
        while old.alloc(100, &mut pages).is_some() {}
        assert_eq!((old.blocks(), pages.free_blocks()), (2, 0));
        assert_eq!(old.alloc(4000, &mut pages), None);
        old.prepare_mark();
        old.sweep(&mut pages, |_| {});
        assert_eq!((old.blocks(), pages.free_blocks()), (0, 2));
        assert!(old.alloc(100, &mut pages).is_some());
    }

    #[test]
    fn the_bound_on_blocks_holds_for_the_worst_shapes() {
        // Just more than fits twice, three times, four times; alternating with small objects.
        for sizes in [vec![8188], vec![8188, 4], vec![128, 132, 8188], vec![4], vec![124, 8188, 8188], vec![6556, 4]] {
            let total = 600_000u64;
            let need = blocks_for(total);
            let (mut old, mut pages) = space(need as usize);
            let mut sum = 0;
            for &size in sizes.iter().cycle() {
                if sum + size as u64 > total {
                    break;
                }
                assert!(old.alloc(size, &mut pages).is_some(), "{sizes:?} after {sum} bytes");
                sum += size as u64;
            }
        }
    }

    /// Whatever the holes and the order of objects, holes and the promised fresh blocks are enough.
    #[test]
    fn holes_hold_what_they_are_relied_on_for() {
        let rounds = if cfg!(miri) { 1 } else { 300 };
        let mut seed = 12345u32;
        let mut random = move |below: u32| {
            seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
            (seed >> 8) % below
        };
        for _ in 0..rounds {
            let (mut old, mut pages) = space(40);
            while old.bump < START + BLOCK_BYTES * 16 - 128 {
                old.alloc(128, &mut pages).unwrap();
            }
            old.prepare_mark();
            let density = random(8) + 1;
            for line in 0..16 * BLOCK_LINES {
                if random(32) < density {
                    old.mark_lines(START + line * LINE_BYTES, 4);
                }
            }
            old.sweep(&mut pages, |_| {});
            let credit = old.rely_on_holes();
            let total = credit + random(2) as u64 * random(60_000) as u64;
            let medium = random(total as u32) as u64 / (1 + random(8) as u64);
            let fresh = blocks_for((total - credit).max(medium)).min(pages.free_blocks());
            while pages.free_blocks() > fresh {
                pages.take_block().unwrap();
            }
            let (mut small, mut medium) = (total - medium, medium);
            while small >= 128 || medium >= 8188 {
                let is_small = medium < 8188 || small >= 128 && random(40) > 0;
                let size = if is_small { 4 + random(32) * 4 } else { 132 + random(2014) * 4 };
                let left = if is_small { &mut small } else { &mut medium };
                *left -= size as u64;
                assert!(old.alloc(size, &mut pages).is_some(), "{size}: {small} {medium} of {total}, {credit}");
            }
        }
    }
}
