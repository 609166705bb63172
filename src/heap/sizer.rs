//! When a major collection is due, and by how much the memory grows.
//!
//! The policy: after a major collection that leaves `live` bytes of old and large objects, the next
//! is due when these spaces hold more than `max(minimum, live * factor)` bytes. Between majors the
//! volume is what was promoted and the pages of large objects, dead or alive. With factor `f` and
//! steady growth, marking costs at most `1 / (f - 1)` of what promotion costs. A memory that refuses
//! to grow makes a major collection due at once, whatever the threshold says.
//!
//! A collection in steps begins a little earlier, as some is added before it is over.
//!
//! What is free already, as more was live once, is used before the next: what is promoted may fill three quarters of the
//! free blocks. It needs no two blocks side by side, so the memory does not grow for it, however fragmented it is. What large
//! objects take does not count as filling them, as these do.
//!
//! Where nearly all of the volume is large objects, there is little to mark, and it is due at a sixteenth of the
//! minimum already: memory that is used again is in the caches, and mapped.

use super::options::HeapOptions;
use crate::layout::PAGE;

/// A major collection is cheap when so many times as much was allocated in large objects as it may have to mark.
const LITTLE: u64 = 4;
/// Between the steps of a collection a byte is promoted for so many that are marked, or fewer.
const MARKED: u64 = 16;
/// ... but it does not begin before all but one in so many of the bytes that may be added were.
const LEFT: u64 = 4;
/// Of what is free all but one byte in so many is filled before the next major collection.
const KEPT: u64 = 4;

/// The state of the policy.
#[derive(Debug)]
pub(crate) struct Sizer {
    factor: f64,
    minimum: u64,
    /// Of the minimum, a sixteenth.
    at_least: u64,
    growth_bytes: u64,
    /// Major collections take time in which more is promoted.
    early: bool,
    /// Bytes in the old space after the last major collection and promoted since.
    old_bytes: u64,
    threshold: u64,
    /// By so much the bytes in the old space may be more, if they are promoted since: that much is free.
    extra: u64,
    old_after: u64,
    /// Bytes of large objects after the last major collection.
    apart_after: u64,
}

impl Sizer {
    pub fn new(options: &HeapOptions) -> Sizer {
        // `max` also replaces a NaN.
        let factor = options.factor.max(1.1);
        let mut sizer = Sizer {
            factor,
            minimum: options.minimum,
            at_least: options.minimum / 16,
            growth_bytes: options.growth_bytes,
            old_bytes: 0,
            threshold: 0,
            extra: 0,
            old_after: 0,
            apart_after: 0,
            early: options.incremental,
        };
        sizer.set_threshold(0, 0, 0);
        sizer
    }

    /// Sets the threshold by what is live, of which so much is only taken to be because it is `late`: it came after
    /// marking had begun. That does not raise the threshold, so that the heap is no longer than with collections in one
    /// pause; but at least half of what is usual may be added, and most of what is `free`.
    fn set_threshold(&mut self, live: u64, late: u64, free: u64) {
        let scaled = |bytes: u64| (bytes as f64 * self.factor) as u64;
        let least = live + (scaled(live) - live) / 2;
        self.threshold = self.minimum.max(scaled(live.saturating_sub(late))).max(least);
        self.extra = (live + (free - free / KEPT)).saturating_sub(self.threshold);
        if self.early {
            self.threshold -= (live / MARKED).min(self.threshold.saturating_sub(live) / LEFT);
        }
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
    /// in pages of large and pinned objects, and `free` bytes that can be allocated in without growth.
    pub fn major_done(&mut self, old: u64, apart: u64, late: u64, free: u64) {
        self.old_bytes = old;
        self.old_after = old;
        self.apart_after = apart;
        self.set_threshold(old + apart, late, free);
    }

    /// Whether a major collection is due before `more` bytes are added, when large and pinned objects
    /// take `apart` bytes.
    pub fn major_due(&self, apart: u64, more: u64) -> bool {
        let grown = (apart + more).saturating_sub(self.apart_after);
        let cheap = grown > self.at_least.max(LITTLE * (self.old_bytes + self.apart_after));
        let into_free = self.added().min(self.extra);
        cheap || self.old_bytes + apart + more > self.threshold + into_free
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
        assert!(!sizer.major_due(400, 0) && sizer.major_due(400, 1));
        sizer.major_done(900, 100, 0, 0);
        sizer.promoted(1000);
        assert!(!sizer.major_due(100, 0) && sizer.major_due(100, 1));
        let nan = Sizer::new(&HeapOptions { factor: f64::NAN, ..Default::default() });
        assert_eq!(nan.factor, 1.1);
    }

    #[test]
    fn what_was_promoted_during_a_cycle_does_not_raise_the_threshold() {
        let mut sizer = sizer(1.5, 100);
        sizer.major_done(2000, 200, 200, 0);
        assert!(!sizer.major_due(200, 800) && sizer.major_due(200, 801));
        // All of it came late: there is still some room.
        sizer.major_done(2000, 0, 2000, 0);
        assert!(!sizer.major_due(0, 500) && sizer.major_due(0, 501));
    }

    /// A program that makes a long list again and again marked each new one three times, as if the memory of the last
    /// were not there: it took twice as long as with the copying collector.
    #[test]
    fn what_is_free_is_filled_first() {
        let mut sizer = sizer(1.5, 100);
        sizer.major_done(1000, 0, 0, 4000);
        sizer.promoted(3000);
        assert!(!sizer.major_due(0, 0) && sizer.major_due(0, 1));
        // Hardly anything is free: the factor says it.
        sizer.major_done(1000, 0, 0, 200);
        sizer.promoted(500);
        assert!(!sizer.major_due(0, 0) && sizer.major_due(0, 1));
    }

    /// Large objects need blocks side by side: where those that are free were scattered, the memory grew by two thirds.
    #[test]
    fn large_objects_do_not_count_as_filling_what_is_free() {
        let mut sizer = sizer(1.5, 100);
        sizer.major_done(1000, 0, 0, 4000);
        assert!(!sizer.major_due(500, 0) && sizer.major_due(501, 0));
        sizer.promoted(1000);
        assert!(!sizer.major_due(500, 0) && sizer.major_due(501, 0));
    }

    #[test]
    fn it_is_due_earlier_when_there_is_little_to_mark() {
        let mut sizer = sizer(2.0, 16_000);
        assert!(!sizer.major_due(1000, 0) && sizer.major_due(1000, 1));
        sizer.promoted(500);
        assert!(!sizer.major_due(2000, 0) && sizer.major_due(2001, 0));
        sizer.promoted(500);
        assert!(!sizer.major_due(4000, 0) && sizer.major_due(4001, 0));
        sizer.major_done(0, 300, 0, 0);
        assert!(!sizer.major_due(1500, 0) && sizer.major_due(1501, 0));
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
