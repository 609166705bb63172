//! `-D gc-stats`: what the heap of a store has been through, for standard error.

use crate::api::HeapStats;

/// The statistics as text.
pub(super) fn text(stats: &HeapStats) -> String {
    let HeapStats { minor, major, promoted_bytes, pretenured_bytes, evacuated_bytes, .. } = stats;
    format!(
        "gc-stats: {minor} minor and {major} major collections\n\
         gc-stats: pauses: {:.3?} together, {:.3?} the longest\n\
         gc-stats: {} bytes allocated, {promoted_bytes} promoted, {pretenured_bytes} made old, {evacuated_bytes} moved in the old space\n\
         gc-stats: {} bytes of heap, {} alive after the last major collection\n",
        stats.pause_total, stats.pause_max, stats.allocated_bytes, stats.heap_bytes, stats.live_after_major,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_name() {
        let stats = HeapStats { minor: 3, major: 2, promoted_bytes: 10, heap_bytes: 65536, ..HeapStats::default() };
        let text = text(&stats);
        assert!(text.starts_with("gc-stats: 3 minor and 2 major collections\n"), "{text}");
        assert!(text.contains("10 promoted") && text.contains("65536 bytes of heap"), "{text}");
        assert_eq!(text.lines().count(), 4);
    }
}
