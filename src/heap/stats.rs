//! What a heap has done: counts, volumes and pauses.

use std::time::Duration;

/// Buckets of the histogram of pauses.
pub const PAUSE_BUCKETS: usize = 24;

/// Running totals of a heap. Sizes are in bytes.
#[derive(Debug, Clone, Default)]
pub struct HeapStats {
    /// Minor collections, without those that are part of a major one.
    pub minor: u64,
    /// Major collections, in one pause or in steps. The last of the steps is no minor collection, the others are.
    pub major: u64,
    /// Steps of major collections that marked in steps.
    pub mark_steps: u64,
    /// Bytes of objects that were moved from the nursery to the old space.
    pub promoted_bytes: u64,
    /// Bytes of objects that were made in the old space.
    pub pretenured_bytes: u64,
    /// Bytes of objects that were moved within the old space.
    pub evacuated_bytes: u64,
    /// Bytes allocated up to the last collection.
    pub allocated_bytes: u64,
    /// Bytes of old and large objects that the last major collection found alive. Large objects
    /// count with all of their pages.
    pub live_after_major: u64,
    /// Length of the heap memory.
    pub heap_bytes: u64,
    /// How often the memory refused to grow.
    pub growth_refused: u64,
    /// The longest pause.
    pub pause_max: Duration,
    /// All pauses together. Runs of the verifier are no part of a pause.
    pub pause_total: Duration,
    /// Bucket 0 counts the pauses below 1 µs, bucket `i` those of `2^(i-1) .. 2^i` µs; the last also
    /// all longer ones.
    pub pauses: [u64; PAUSE_BUCKETS],
}

impl HeapStats {
    pub(crate) fn pause(&mut self, pause: Duration) {
        self.pause_max = self.pause_max.max(pause);
        self.pause_total += pause;
        let micros = pause.as_micros().min(u64::MAX as u128) as u64;
        let bucket = (64 - micros.leading_zeros() as usize).min(PAUSE_BUCKETS - 1);
        self.pauses[bucket] += 1;
    }

    /// How long the shortest `share` (0 to 1) of the pauses took at most, to the next power of two. Zero if there
    /// were none; [`HeapStats::pause_max`] for those in the last bucket.
    pub fn pause_below(&self, share: f64) -> Duration {
        let all: u64 = self.pauses.iter().sum();
        let wanted = (all as f64 * share.clamp(0.0, 1.0)).ceil() as u64;
        let mut count = 0;
        let bucket = self.pauses.iter().position(|pauses| {
            count += pauses;
            count >= wanted
        });
        match bucket {
            _ if all == 0 => Duration::ZERO,
            Some(bucket) if bucket < PAUSE_BUCKETS - 1 => Duration::from_micros(1 << bucket),
            _ => self.pause_max,
        }
    }

    /// The peak of `heap_bytes`. A linear memory never shrinks, so it is the present length.
    pub fn heap_bytes_peak(&self) -> u64 {
        self.heap_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_fall_into_buckets_of_powers_of_two() {
        let mut stats = HeapStats::default();
        for micros in [0, 1, 2, 3, 1000, u64::MAX / 2000] {
            stats.pause(Duration::from_micros(micros));
        }
        assert_eq!((stats.pauses[0], stats.pauses[1], stats.pauses[2], stats.pauses[10]), (1, 1, 2, 1));
        assert_eq!(stats.pauses[PAUSE_BUCKETS - 1], 1);
        let below = [0.1, 0.4, 0.5, 0.8].map(|share| stats.pause_below(share).as_micros());
        assert_eq!(below, [1, 4, 4, 1024]);
        assert_eq!((stats.pause_below(1.0), HeapStats::default().pause_below(1.0)), (stats.pause_max, Duration::ZERO));
    }
}
