//! Line marks: which lines of the old space hold a part of a live object, a byte for each.
//!
//! A mark means something from the end of a major collection until the allocator reaches the line's block, and during
//! the next mark phase. Several threads may mark at once: all write the same value, with plain stores, so nothing is lost
//! and nothing has to be put together.
//!
//! What this is not: a record of what is free. The allocator goes from hole to hole (`old.rs`) and does not mark.

use std::ops::Range;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

/// Bytes of a line.
pub(crate) const LINE_BYTES: u32 = 128;

/// The marks of consecutive lines.
#[derive(Debug, Default)]
pub(crate) struct LineMarks {
    /// By line: 1 if marked.
    marks: Vec<AtomicU8>,
}

impl LineMarks {
    /// How many lines have marks.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Covers so many lines, if there are fewer; the new ones are not marked.
    pub fn extend(&mut self, lines: usize) {
        self.marks.resize_with(lines.max(self.len()), AtomicU8::default);
    }

    /// Forgets all marks.
    pub fn clear(&mut self) {
        self.marks.iter_mut().for_each(|mark| *mark.get_mut() = 0);
    }

    /// Marks the lines that `bytes` at an offset touch. Beyond the last line nothing is marked.
    #[inline(always)]
    pub fn mark(&self, offset: u32, bytes: u32) {
        let first = (offset / LINE_BYTES) as usize;
        let last = ((offset + bytes - 1) / LINE_BYTES) as usize;
        // Whether these are the same can not be foretold, and a wrong guess costs more than a store.
        if let Some(lines) = self.marks.get(..=last) {
            lines[first].store(1, Relaxed);
            lines[last].store(1, Relaxed);
            if last - first > 1 {
                lines[first + 1..last].iter().for_each(|line| line.store(1, Relaxed));
            }
        }
    }

    /// The same for an object of at most a line: it touches one or two.
    #[inline(always)]
    pub fn mark_small(&self, offset: u32, bytes: u32) {
        for at in [offset, offset + bytes - 1] {
            if let Some(line) = self.marks.get((at / LINE_BYTES) as usize) {
                line.store(1, Relaxed);
            }
        }
    }

    /// How many lines of a range are not marked.
    pub fn free(&mut self, range: Range<u32>) -> u32 {
        let lines = self.marks.get_mut(range.start as usize..range.end as usize).unwrap_or_default();
        lines.len() as u32 - lines.iter_mut().map(|mark| u32::from(*mark.get_mut())).sum::<u32>()
    }

    /// The first run of unmarked lines in a range.
    pub fn hole(&self, range: Range<u32>) -> Option<Range<u32>> {
        let lines = self.marks.get(range.start as usize..range.end as usize)?;
        let is_marked = |mark: &AtomicU8| mark.load(Relaxed) != 0;
        let first = lines.iter().position(|mark| !is_marked(mark))?;
        let len = lines[first..].iter().position(is_marked).unwrap_or(lines.len() - first);
        let start = range.start + first as u32;
        Some(start..start + len as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_marks_every_line_that_it_touches() {
        let mut lines = LineMarks::default();
        lines.extend(10);
        lines.mark(LINE_BYTES - 4, 4);
        lines.mark(3 * LINE_BYTES - 4, 8);
        lines.mark(5 * LINE_BYTES, 3 * LINE_BYTES);
        lines.mark(9 * LINE_BYTES, 2 * LINE_BYTES);
        lines.mark_small(10 * LINE_BYTES, 4);
        assert_eq!(lines.free(0..10), 4);
        let holes: Vec<_> = [0..10, 2..10, 5..10, 5..8, 8..20].map(|range| lines.hole(range)).into();
        assert_eq!(holes, [Some(1..2), Some(4..5), Some(8..10), None, None]);
        lines.extend(5);
        lines.clear();
        assert_eq!((lines.len(), lines.free(0..10), lines.free(0..11)), (10, 10, 0));
        lines.mark_small(LINE_BYTES - 4, 4);
        lines.mark_small(3 * LINE_BYTES - 4, LINE_BYTES);
        assert_eq!([lines.hole(0..10), lines.hole(1..10), lines.hole(2..10)], [Some(1..2), Some(1..2), Some(4..10)]);
    }
}
