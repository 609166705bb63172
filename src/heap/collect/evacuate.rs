//! Chooses the blocks whose objects the next mark phase moves together.
//!
//! The free lines that the last sweep found, and the allocator has not used since, tell how full a
//! block is at most. Blocks are chosen, emptiest first, as long as the free blocks are enough for
//! everything that they may hold, so that an evacuation never stops half-way.

use crate::heap::space::lines::LINE_BYTES;
use crate::heap::space::old::{BLOCK_LINES, OldSpace, blocks_for};
use crate::heap::space::pages::BLOCK_BYTES;

/// How eager a collection is to move objects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Eagerness {
    /// If at least this share of the space of old blocks and large objects is free but scattered.
    Fragmented(f64),
    /// Because room is short: every block that is not nearly full.
    Compact,
    /// Every block.
    All,
}

/// A block with few more free lines than this is left alone when room is short.
const FEW_LINES: u32 = BLOCK_LINES / 16;

/// Blocks that are worth evacuating, and the bytes that each may hold; emptiest first. `large` are the bytes of large
/// objects: next to many of them a few scattered blocks are not worth a pause.
pub(super) fn candidates(old: &OldSpace, large: u64, eagerness: Eagerness) -> Vec<(u32, u64)> {
    let mut found: Vec<(u32, u32)> = match eagerness {
        Eagerness::All => old.all_blocks().map(|block| (block, 0)).collect(),
        Eagerness::Compact => old.sparse_blocks().filter(|&(_, free)| free > FEW_LINES).collect(),
        Eagerness::Fragmented(share) => {
            let scattered: u64 = old.sparse_blocks().map(|(_, free)| (free * LINE_BYTES) as u64).sum();
            let total = old.blocks() as u64 * BLOCK_BYTES as u64 + large;
            if (scattered as f64) < share * total as f64 {
                return Vec::new();
            }
            old.sparse_blocks().filter(|&(_, free)| free >= BLOCK_LINES / 2).collect()
        }
    };
    found.sort_by_key(|&(_, free)| std::cmp::Reverse(free));
    found.into_iter().map(|(block, free)| (block, ((BLOCK_LINES - free) * LINE_BYTES) as u64)).collect()
}

/// Free blocks that are enough to evacuate all candidates.
pub(super) fn blocks_wanted(candidates: &[(u32, u64)]) -> u32 {
    blocks_for(candidates.iter().map(|(_, bytes)| bytes).sum())
}

/// The candidates that can be evacuated when `free_blocks` are free.
///
/// A few may end up in as many blocks as they came from; their objects share fewer lines then.
pub(super) fn choose(candidates: &[(u32, u64)], free_blocks: u32) -> Vec<u32> {
    let mut sum = 0;
    let fits = |&&(_, bytes): &&(u32, u64)| {
        sum += bytes;
        blocks_for(sum) <= free_blocks
    };
    candidates.iter().take_while(fits).map(|&(block, _)| block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::space::pages::Pages;

    /// Four blocks, of which the second and the third are nearly empty.
    fn fragmented() -> OldSpace {
        let mut pages = Pages::new(0);
        pages.extend(4 * BLOCK_BYTES as u64);
        let mut old = OldSpace::new(0);
        old.extend(4);
        while old.alloc(128, &mut pages).is_some() {}
        old.prepare_mark();
        old.mark_lines(0, BLOCK_BYTES);
        old.mark_lines(BLOCK_BYTES + 1000, 1000);
        old.mark_lines(2 * BLOCK_BYTES + 1000, 8);
        old.mark_lines(3 * BLOCK_BYTES, BLOCK_BYTES - 9 * LINE_BYTES);
        old.sweep(&mut pages, |_| {});
        old
    }

    #[test]
    fn sparse_blocks_are_chosen_as_far_as_there_is_room() {
        let old = fragmented();
        let chosen = |eagerness, free| choose(&candidates(&old, 0, eagerness), free);
        assert_eq!(chosen(Eagerness::Fragmented(0.4), 2), [2, 1]);
        assert_eq!(chosen(Eagerness::Fragmented(0.6), 2), Vec::<u32>::new());
        let beside = |blocks| candidates(&old, blocks * BLOCK_BYTES as u64, Eagerness::Fragmented(0.4)).len();
        assert_eq!([beside(0), beside(8)], [2, 0]);
        assert_eq!(chosen(Eagerness::Compact, 2), [2, 1]);
        assert_eq!(chosen(Eagerness::Compact, 1), Vec::<u32>::new());
        assert_eq!(chosen(Eagerness::All, 8), [0, 1, 2, 3]);
        assert_eq!(chosen(Eagerness::All, 4).len(), 2);
        assert_eq!(blocks_wanted(&candidates(&old, 0, Eagerness::Compact)), 2);
    }
}
