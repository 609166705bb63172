//! When a major collection is due, and by how much the memory grows.
//!
//! The policy: after a major collection that leaves `live` bytes of old and large objects, the next
//! is due when these spaces hold more than `max(minimum, live * factor)` bytes. Between majors the
//! volume is what was promoted and the pages of large objects, dead or alive. With factor `f` and
//! steady growth, marking costs at most `1 / (f - 1)` of what promotion costs. A memory that refuses
//! to grow makes a major collection due at once, whatever the threshold says.
//!
//! While nearly everything survives, objects are made in the old space (`pretenure.rs`). Then two thirds of the minimum are
//! taken for it: what was not copied to get there may cost more marking.
//!
//! A collection in steps begins a little earlier, as some is added before it is over.
//!
//! What is free already, as more was live once, is used before the next: what is promoted may fill three quarters of the
//! free blocks. It needs no two blocks side by side, so the memory does not grow for it, however fragmented it is. What large
//! objects take does not count as filling them, as these do.
//!
//! Where nearly all of the volume is large objects, there is little to mark, and it is due at a twenty-fourth of the
//! minimum already: memory that is used again is in the caches, and mapped. For the same reason the minimum is less where the last
//! major collection had little to mark, as in a program that builds something, drops it and builds the next. A minimum
//! above the default is the embedder's wish, and kept.

use super::options::{DEFAULT_MINIMUM, HeapOptions};
use crate::layout::PAGE;

/// A major collection is cheap when so many times as much was allocated in large objects as it may have to mark.
const LITTLE: u64 = 4;
/// Between the steps of a collection a byte is promoted for so many that are marked, or fewer.
const MARKED: u64 = 64;
/// ... but it does not begin before all but one in so many of the bytes that may be added were.
const LEFT: u64 = 4;
/// Of what is free all but one byte in so many is filled before the next major collection.
const KEPT: u64 = 4;

/// The part of the minimum that counts in runs of allocation in the old space: numerator, denominator.
const IN_RUNS: (u64, u64) = (2, 3);
/// Where there is little to mark, it is the minimum divided by this.
const CHEAP: u64 = 24;
/// The minimum is at most so many times the work of marking ...
const WORTH: u64 = 32;
/// ... but no less than this for that.
const LEAST_WORTH: u64 = 8 << 20;
/// To mark an object is as much work as so many bytes ...
const OBJECT_WORK: u64 = 16;
/// ... and one in so many of its own bytes.
const BYTE_WORK: u64 = 16;

/// What is less than one in so many bytes is little to mark.
const LITTLE_WORK: u64 = 8;

/// The state of the policy.
#[derive(Debug)]
pub(crate) struct Sizer {
    factor: f64,
    minimum: u64,
    /// The minimum is less where little is alive.
    yields: bool,
    growth_bytes: u64,
    /// Major collections that leave so many bytes take time, in which more is promoted.
    early: Option<u64>,
    /// Bytes in the old space after the last major collection and promoted since.
    old_bytes: u64,
    /// What the last major collection left.
    left: Left,
    old_after: u64,
    /// Bytes of large objects after the last major collection.
    apart_after: u64,
}

/// Bytes after a major collection.
#[derive(Debug, Default)]
struct Left {
    /// Of old and large objects.
    live: u64,
    /// Of them, those that came after marking had begun.
    late: u64,
    /// What can be allocated in without growth.
    free: u64,
    /// The work of marking them, in bytes; `None` if it was not measured, or nothing was marked yet.
    work: Option<u64>,
}

impl Sizer {
    pub fn new(options: &HeapOptions) -> Sizer {
        // `max` also replaces a NaN.
        let factor = options.factor.max(1.1);
        Sizer {
            factor,
            minimum: options.minimum,
            yields: options.minimum <= DEFAULT_MINIMUM,
            growth_bytes: options.growth_bytes,
            old_bytes: 0,
            left: Left::default(),
            old_after: 0,
            apart_after: 0,
            early: options.incremental.then_some(options.step_least),
        }
    }

    /// How many bytes old and large objects may have, and by how many they may be more, if these are promoted: so many are
    /// free.
    ///
    /// What is only taken to be live because it is late does not raise the threshold, so that the heap is no longer than with
    /// collections in one pause; but at least half of what is usual may be added, and most of what is free.
    fn threshold(&self, in_runs: bool) -> (u64, u64) {
        let Left { live, late, free, work } = self.left;
        let worth = work.filter(|_| self.yields).map_or(u64::MAX, |work| work.saturating_mul(WORTH));
        let minimum = self.minimum.min(worth.max(LEAST_WORTH));
        let minimum = if in_runs { minimum / IN_RUNS.1 * IN_RUNS.0 } else { minimum };
        let scaled = |bytes: u64| (bytes as f64 * self.factor) as u64;
        let least = live + (scaled(live) - live) / 2;
        let threshold = minimum.max(scaled(live.saturating_sub(late))).max(least);
        let extra = (live + (free - free / KEPT)).saturating_sub(threshold).min(worth);
        let in_steps = self.early.is_some_and(|least| live >= least);
        let early = if in_steps { (live / MARKED).min(threshold.saturating_sub(live) / LEFT) } else { 0 };
        (threshold - early, extra)
    }

    /// Objects of `bytes` in all were promoted.
    pub fn promoted(&mut self, bytes: u64) {
        self.old_bytes += bytes;
    }

    /// Bytes in the old space, dead or alive.
    pub fn old_bytes(&self) -> u64 {
        self.old_bytes
    }

    /// Bytes that were promoted since the last major collection.
    pub fn added(&self) -> u64 {
        self.old_bytes - self.old_after
    }

    /// A major collection left `old` bytes in the old space, `late` of them promoted while it marked, `apart` bytes
    /// in pages of large and pinned objects, and `free` bytes that can be allocated in without growth. It marked `objects`, if
    /// somebody has counted them.
    pub fn major_done(&mut self, (old, late): (u64, u64), apart: u64, free: u64, objects: Option<u64>) {
        self.old_bytes = old;
        self.old_after = old;
        self.apart_after = apart;
        let live = old + apart;
        let work = objects.map(|objects| objects * OBJECT_WORK + live / BYTE_WORK);
        self.left = Left { live, late, free, work };
    }

    /// Whether a major collection that is not due would tell soon how much of what survives lives long.
    pub fn may_ask(&self) -> bool {
        self.yields && self.old_bytes <= LEAST_WORTH
    }

    /// Whether the work of the last major collection was a small part of what it is to mark so many bytes.
    pub fn marked_little(&self, bytes: u64) -> bool {
        self.left.work.is_some_and(|work| work < bytes / LITTLE_WORK)
    }

    /// Whether a major collection is due, when large and pinned objects take `apart` bytes.
    pub fn major_due(&self, apart: u64, in_runs: bool) -> bool {
        let grown = apart.saturating_sub(self.apart_after);
        let cheap = grown > (self.minimum / CHEAP).max(LITTLE * (self.old_bytes + self.apart_after));
        let (threshold, extra) = self.threshold(in_runs);
        cheap || self.old_bytes + apart > threshold + self.added().min(extra)
    }

    /// The lengths to try, best first, for a memory of `len` bytes that needs `more` bytes and may
    /// have at most `max`; both multiples of 64 KiB.
    pub fn growth(&self, len: u64, more: u64, max: u64) -> [Option<u64>; 2] {
        let page = PAGE as u64;
        let least = (len + more).next_multiple_of(page);
        let chunk = self.growth_bytes.max(len / 32);
        let best = least.max(len.saturating_add(chunk).min(max) / page * page);
        let allowed = |len: u64| (len <= max).then_some(len);
        [allowed(best), allowed(least).filter(|_| best != least)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of collections in one pause.
    fn sizer(factor: f64, minimum: u64) -> Sizer {
        Sizer::new(&HeapOptions { factor, minimum, incremental: false, ..Default::default() })
    }

    #[test]
    fn a_major_is_due_when_the_heap_has_grown_by_the_factor() {
        let mut sizer = sizer(2.0, 1000);
        sizer.promoted(600);
        assert!(!sizer.major_due(400, false) && sizer.major_due(401, false));
        sizer.major_done((900, 0), 100, 0, None);
        sizer.promoted(1000);
        assert!(!sizer.major_due(100, false) && sizer.major_due(101, false));
        let nan = Sizer::new(&HeapOptions { factor: f64::NAN, ..Default::default() });
        assert_eq!(nan.factor, 1.1);
    }

    #[test]
    fn what_was_promoted_during_a_cycle_does_not_raise_the_threshold() {
        let mut sizer = sizer(1.5, 100);
        sizer.major_done((2000, 200), 200, 0, None);
        assert!(!sizer.major_due(1000, false) && sizer.major_due(1001, false));
        // All of it came late: there is still some room.
        sizer.major_done((2000, 2000), 0, 0, None);
        assert!(!sizer.major_due(500, false) && sizer.major_due(501, false));
    }

    /// A program that makes a long list again and again marked each new one three times, as if the memory of the last
    /// were not there: it took twice as long as with the copying collector.
    #[test]
    fn what_is_free_is_filled_first() {
        let mut sizer = sizer(1.5, 100);
        sizer.major_done((1000, 0), 0, 4000, None);
        sizer.promoted(3000);
        assert!(!sizer.major_due(0, false) && sizer.major_due(1, false));
        // Hardly anything is free: the factor says it.
        sizer.major_done((1000, 0), 0, 200, None);
        sizer.promoted(500);
        assert!(!sizer.major_due(0, false) && sizer.major_due(1, false));
    }

    /// Large objects need blocks side by side: where those that are free were scattered, the memory grew by two thirds.
    #[test]
    fn large_objects_do_not_count_as_filling_what_is_free() {
        let mut sizer = sizer(1.5, 100);
        sizer.major_done((1000, 0), 0, 4000, None);
        assert!(!sizer.major_due(500, false) && sizer.major_due(501, false));
        sizer.promoted(1000);
        assert!(!sizer.major_due(500, false) && sizer.major_due(501, false));
    }

    #[test]
    fn it_is_due_earlier_when_there_is_little_to_mark() {
        let mut sizer = sizer(2.0, 24_000);
        assert!(!sizer.major_due(1000, false) && sizer.major_due(1001, false));
        sizer.promoted(500);
        assert!(!sizer.major_due(2000, false) && sizer.major_due(2001, false));
        sizer.promoted(500);
        assert!(!sizer.major_due(4000, false) && sizer.major_due(4001, false));
        sizer.major_done((0, 0), 300, 0, None);
        assert!(!sizer.major_due(1500, false) && sizer.major_due(1501, false));
    }

    /// A program that builds a tree of 24 MiB and then makes small ones was marked once for nothing, and took half as long
    /// again; one whose objects are all made in the old space gains nothing by a longer heap.
    #[test]
    fn it_is_due_earlier_in_runs() {
        let mut sizer = sizer(1.5, 900);
        sizer.promoted(600);
        assert!(!sizer.major_due(0, true) && sizer.major_due(1, true));
        assert!(!sizer.major_due(300, false) && sizer.major_due(301, false));
        // The factor is the same.
        sizer.major_done((1000, 0), 0, 0, None);
        assert!(!sizer.major_due(500, true) && sizer.major_due(501, true));
    }

    /// A program that builds 2 MB, drops them and builds the next went through all of a heap of 48 MiB, whose memory is in no
    /// cache, and took four times as long as with a heap of 8.
    #[test]
    fn it_is_due_earlier_where_little_was_marked() {
        let mib = 1 << 20;
        let due = |free: u64, objects: Option<u64>, bytes: u64| {
            let mut sizer = sizer(1.5, 48 * mib);
            sizer.major_done((mib, 0), 0, free, objects);
            sizer.promoted(bytes - mib);
            sizer.major_due(0, false)
        };
        assert!(!due(0, Some(100), 8 * mib) && due(0, Some(100), 8 * mib + 1));
        assert!(!due(0, Some(32 << 10), 18 * mib) && due(0, Some(32 << 10), 18 * mib + 1));
        assert!(!due(0, Some(1 << 20), 48 * mib) && due(0, Some(1 << 20), 48 * mib + 1));
        assert!(!due(0, None, 48 * mib) && due(0, None, 48 * mib + 1));
        let mut own = sizer(1.5, 49 * mib);
        own.major_done((mib, 0), 0, 0, Some(100));
        own.promoted(48 * mib);
        assert!(!own.major_due(0, false) && own.major_due(1, false) && !own.may_ask());
        // What is free is not filled for nothing, either.
        assert!(due(100 * mib, Some(100), 12 * mib) && !due(100 * mib, Some(1 << 20), 70 * mib));
    }

    #[test]
    fn growth_is_by_a_chunk_then_by_need_and_never_beyond_the_maximum() {
        let sizer = Sizer::new(&HeapOptions { growth_bytes: 1 << 20, ..Default::default() });
        let mib = 1 << 20;
        assert_eq!(sizer.growth(4 * mib, 100, 64 * mib), [Some(5 * mib), Some(4 * mib + 65536)]);
        assert_eq!(sizer.growth(4 * mib, 100, 4 * mib + 65536), [Some(4 * mib + 65536), None]);
        assert_eq!(sizer.growth(4 * mib, 100, 4 * mib), [None, None]);
        assert_eq!(sizer.growth(64 * mib, 100, 128 * mib)[0], Some(66 * mib));
    }
}
