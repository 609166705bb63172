//! Hands out the memory behind the RTT records: 4 KiB pages in runs, and blocks of 8 aligned pages.
//!
//! A bitmap says which pages are free; a block's pages are exactly one byte of it. Addresses are
//! handed out low ones first, from a cursor that returns to the start when pages were freed, so that
//! the pages below it are looked at once between two sweeps. It never grows the memory itself.

/// Bytes of a page.
pub(crate) const PAGE_BYTES: u32 = 4096;
/// Bytes of a block.
pub(crate) const BLOCK_BYTES: u32 = 32768;
/// Pages of a block: the bits of a byte.
pub(crate) const BLOCK_PAGES: u32 = 8;

const ALL_FREE: u8 = 0xFF;

const _: () = assert!(PAGE_BYTES * BLOCK_PAGES == BLOCK_BYTES && crate::layout::PAGE.is_multiple_of(BLOCK_BYTES));

/// The page allocator.
#[derive(Debug)]
pub(crate) struct Pages {
    start: u32,
    /// One byte for each block, a set bit for each free page.
    free: Vec<u8>,
    free_pages: u32,
    free_blocks: u32,
    block_cursor: usize,
    run_cursor: usize,
}

impl Pages {
    /// No pages yet; the first will be at `start`.
    pub fn new(start: u32) -> Pages {
        Pages { start, free: Vec::new(), free_pages: 0, free_blocks: 0, block_cursor: 0, run_cursor: 0 }
    }

    /// First address above it.
    pub fn end(&self) -> u64 {
        self.start as u64 + self.free.len() as u64 * BLOCK_BYTES as u64
    }

    /// Whole blocks that the space has, whatever they are used for.
    pub fn blocks(&self) -> usize {
        self.free.len()
    }

    /// Blocks all of whose pages are free.
    pub fn free_blocks(&self) -> u32 {
        self.free_blocks
    }

    /// Pages that are free.
    #[cfg(test)]
    pub fn free_pages(&self) -> u32 {
        self.free_pages
    }

    /// Whether the page at this address is free. Addresses outside of the space are not.
    pub fn is_free(&self, at: u32) -> bool {
        let page = at.wrapping_sub(self.start) / PAGE_BYTES;
        at >= self.start && self.free.get((page / 8) as usize).is_some_and(|byte| byte >> (page % 8) & 1 == 1)
    }

    /// The memory has grown to `end`: the new blocks are free.
    pub fn extend(&mut self, end: u64) {
        let blocks = (end.saturating_sub(self.start as u64) / BLOCK_BYTES as u64) as usize;
        if blocks > self.free.len() {
            let new = (blocks - self.free.len()) as u32;
            self.free.resize(blocks, ALL_FREE);
            self.free_blocks += new;
            self.free_pages += new * BLOCK_PAGES;
        }
    }

    /// Takes a block.
    pub fn take_block(&mut self) -> Option<u32> {
        if self.free_blocks == 0 {
            return None;
        }
        let found = self.free.get(self.block_cursor..)?.iter().position(|&byte| byte == ALL_FREE);
        let Some(found) = found else {
            // `free_blocks` says that there is one, so it lies below the cursor.
            self.block_cursor = 0;
            let found = self.free.iter().position(|&byte| byte == ALL_FREE)?;
            return Some(self.take_found(found));
        };
        Some(self.take_found(self.block_cursor + found))
    }

    fn take_found(&mut self, block: usize) -> u32 {
        self.free[block] = 0;
        self.free_blocks -= 1;
        self.free_pages -= BLOCK_PAGES;
        self.block_cursor = block + 1;
        self.start + block as u32 * BLOCK_BYTES
    }

    /// Takes `pages` adjacent pages.
    pub fn take_run(&mut self, pages: u32) -> Option<u32> {
        if pages == 0 || pages > self.free_pages {
            return None;
        }
        let page = match self.find_run(self.run_cursor, pages) {
            Some(page) => page,
            None if self.run_cursor == 0 => return None,
            None => {
                self.run_cursor = 0;
                self.find_run(0, pages)?
            }
        };
        self.set(page, pages, false);
        self.run_cursor = ((page + pages) / BLOCK_PAGES) as usize;
        Some(self.start + page * PAGE_BYTES)
    }

    /// The first page of the first run of `want` free pages in the blocks from `from` on.
    fn find_run(&self, from: usize, want: u32) -> Option<u32> {
        let mut run = 0;
        for (block, &byte) in self.free.iter().enumerate().skip(from) {
            let first = block as u32 * BLOCK_PAGES;
            match byte {
                0 => run = 0,
                ALL_FREE if run + BLOCK_PAGES < want => run += BLOCK_PAGES,
                _ => {
                    for bit in 0..BLOCK_PAGES {
                        run = if byte >> bit & 1 == 1 { run + 1 } else { 0 };
                        if run == want {
                            return Some(first + bit + 1 - want);
                        }
                    }
                }
            }
        }
        None
    }

    /// Gives pages back.
    pub fn give_run(&mut self, at: u32, pages: u32) {
        let page = at.wrapping_sub(self.start) / PAGE_BYTES;
        self.set(page, pages, true);
        let block = (page / BLOCK_PAGES) as usize;
        self.run_cursor = self.run_cursor.min(block);
        self.block_cursor = self.block_cursor.min(block);
    }

    /// Marks pages as free or as taken. Pages outside of the space are left out.
    fn set(&mut self, first: u32, pages: u32, free: bool) {
        let mut page = first;
        let end = first.saturating_add(pages).min(self.free.len() as u32 * BLOCK_PAGES);
        while page < end {
            let (block, bit) = ((page / BLOCK_PAGES) as usize, page % BLOCK_PAGES);
            let n = (BLOCK_PAGES - bit).min(end - page);
            let mask = (((1u32 << n) - 1) << bit) as u8;
            let old = self.free[block];
            let new = if free { old | mask } else { old & !mask };
            self.free[block] = new;
            self.free_pages = self.free_pages + new.count_ones() - old.count_ones();
            self.free_blocks = self.free_blocks + (new == ALL_FREE) as u32 - (old == ALL_FREE) as u32;
            page += n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(blocks: u64) -> Pages {
        let mut pages = Pages::new(65536);
        pages.extend(65536 + blocks * BLOCK_BYTES as u64);
        pages
    }

    #[test]
    fn low_addresses_go_first_and_come_back() {
        let mut p = pages(4);
        assert_eq!(p.take_block(), Some(65536));
        assert_eq!(p.take_run(3), Some(65536 + BLOCK_BYTES));
        assert_eq!(p.take_block(), Some(65536 + 2 * BLOCK_BYTES));
        p.give_run(65536, BLOCK_PAGES);
        assert_eq!((p.free_blocks(), p.free_pages()), (2, 8 + 5 + 8));
        assert_eq!(p.take_block(), Some(65536));
        assert_eq!(p.take_run(5), Some(65536 + BLOCK_BYTES + 3 * PAGE_BYTES));
        assert!(!p.is_free(65536) && p.is_free(65536 + 3 * BLOCK_BYTES) && !p.is_free(0));
    }

    #[test]
    fn a_run_may_start_inside_a_block_and_span_several() {
        let mut p = pages(4);
        assert_eq!(p.take_run(5), Some(65536));
        assert_eq!(p.take_run(20), Some(65536 + 5 * PAGE_BYTES));
        assert_eq!((p.free_blocks(), p.free_pages()), (0, 7));
        assert_eq!((p.take_run(8), p.take_block()), (None, None));
        p.give_run(65536 + 5 * PAGE_BYTES, 20);
        assert_eq!(p.take_run(27), Some(65536 + 5 * PAGE_BYTES));
        assert_eq!(p.free_pages(), 0);
    }

    #[test]
    fn a_cursor_behind_the_only_room_comes_back_for_it() {
        let mut p = pages(2);
        assert_eq!(p.take_run(6), Some(65536));
        assert_eq!(p.take_run(8), Some(65536 + 6 * PAGE_BYTES));
        assert_eq!(p.take_run(2), Some(65536 + 14 * PAGE_BYTES));
        p.give_run(65536, 6);
        assert_eq!(p.take_run(6), Some(65536));
        assert_eq!(p.take_run(1), None);
    }
}
