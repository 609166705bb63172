//! Allocation in the old space while nearly everything survives.

use crate::fuzzing::heap_model::world::{World, options};
use crate::heap::*;
use crate::layout::reference;

/// What fits the nursery of these tests, in pairs.
const NURSERY_PAIRS: u32 = 65536 / 16;

/// Pairs of the list in a world with a run.
const LIST: u32 = if cfg!(miri) { 10 } else { 2 * NURSERY_PAIRS };

/// A world in which a list was built, all of which is alive, so that a run is under way. Under Miri most of what is alive
/// are a few arrays below the list.
fn in_a_run(options: HeapOptions) -> World {
    let mut w = World::new(options);
    if cfg!(miri) {
        let bytes = w.types.bytes.clone();
        for n in 0..2 * NURSERY_PAIRS * 16 / 7000 {
            let array = w.try_array(&bytes, 7000, n).unwrap();
            w.push(array);
        }
    }
    w.push_list(0, LIST);
    assert!(w.heap.pretenure.is_on());
    w
}

#[test]
fn what_is_made_while_all_survives_is_not_copied() {
    let mut w = in_a_run(options());
    let (promoted, next) = (w.heap.stats().promoted_bytes, w.pair(7));
    assert!(!w.is_young(next) && promoted <= 65536);
    w.push(next);
    w.verify().unwrap();
    w.major();
    assert!(!w.heap.pretenure.is_on());
    assert_eq!(w.get(w.top(0), 12), 7);
    w.pop();
    let numbers = w.list(w.top(0));
    assert_eq!(numbers, (0..LIST).collect::<Vec<_>>());
    let stats = w.heap.stats();
    assert!(stats.pretenured_bytes > 0);
    assert_eq!(stats.pretenured_bytes + stats.promoted_bytes, stats.allocated_bytes);
}

#[test]
#[cfg_attr(miri, ignore = "hundreds of thousands of objects, which take Miri hours")]
fn a_run_ends_and_the_nursery_is_asked_again() {
    let mut w = in_a_run(HeapOptions { minimum: 64 << 20, ..options() });
    // All of this is garbage; the run takes some of it, the nursery the rest.
    for number in 0..40 * NURSERY_PAIRS {
        w.pair(number);
    }
    let last = w.pair(0);
    assert!(w.is_young(last) && !w.heap.pretenure.is_on());
    // An embedder who has set a longer minimum wants none earlier.
    assert!(w.heap.stats().pretenured_bytes < 8 * 65536 && w.heap.stats().major == 0);
}

/// Programs that build two megabytes and drop them again and again were taken for such as build something large: all of what
/// they made went through a heap of 48 MiB, most of it dead, before anybody looked.
#[test]
#[cfg_attr(miri, ignore = "hundreds of thousands of objects, which take Miri hours")]
fn the_first_run_tells_whether_survivors_live_long() {
    let mut w = World::new(HeapOptions { minimum: 48 << 20, ..options() });
    for _ in 0..200 {
        w.push_list(0, 2 * NURSERY_PAIRS);
        w.pop();
    }
    // 25 MiB were made, of which 64 KiB at a time were alive.
    assert!(w.heap.stats().heap_bytes < 11 << 20, "{:?}", w.heap.stats());
    assert!((3..30).contains(&w.heap.stats().major), "{:?}", w.heap.stats());
}

/// Arrays of 192 bytes and nothing else: where what was left of a chunk was longer than a line but too short for one, it was kept
/// for smaller objects, which never came, and each array of the rest of the run was allocated by the host.
#[test]
fn objects_that_are_all_larger_than_a_line_go_through_chunks() {
    let mut w = in_a_run(HeapOptions { minimum: 64 << 20, verify: false, ..options() });
    let bytes = w.types.bytes.clone();
    let mut apart = 0;
    for n in 0..600 {
        let limit = w.word(w.map.limit_cell());
        let fits = limit - w.word(w.map.bump_cell()) >= 200;
        let array = w.try_array(&bytes, 192, n).unwrap();
        apart += u32::from(!fits && !w.is_young(array) && w.word(w.map.limit_cell()) == limit);
    }
    // A block has room for 163.
    assert!(w.heap.pretenure.is_on() && (1..10).contains(&apart), "{apart}");
}

#[test]
#[cfg_attr(miri, ignore = "hundreds of thousands of objects, which take Miri hours")]
fn garbage_of_a_run_is_used_again() {
    let mut w = in_a_run(options());
    for _ in 0..30 {
        w.pop();
        w.push_list(0, 2 * NURSERY_PAIRS);
    }
    w.major();
    assert!(w.heap.stats().heap_bytes < 4 << 20, "{:?}", w.heap.stats());
    assert_eq!(w.list(w.top(0)).len() as u32, 2 * NURSERY_PAIRS);
}

#[test]
fn larger_objects_leave_the_chunk_as_it_is() {
    let mut w = in_a_run(options());
    let bytes = w.types.bytes.clone();
    for round in 0..20 {
        let array = w.try_array(&bytes, 7000, round).unwrap();
        w.push(array);
        let pair = w.pair(round);
        assert!(!w.is_young(pair) || !w.heap.pretenure.is_on());
        w.push(pair);
    }
    w.minor();
    w.verify().unwrap();
    assert!((0..20).all(|n| w.get(w.top(2 * (19 - n)), 12) == n));
}

#[test]
fn a_bump_pointer_that_leaves_the_chunk_is_noticed() {
    let mut w = in_a_run(options());
    let limit = w.word(w.map.limit_cell());
    w.set_word(w.map.bump_cell(), limit + 4);
    let error = w.heap.collect(&mut w.mem, &mut w.host, CollectKind::Minor).unwrap_err();
    assert!(matches!(error, AllocError::Corrupt(ref error) if error.fault == Fault::Bump), "{error}");
}

#[test]
#[cfg_attr(miri, ignore = "hundreds of thousands of objects, which take Miri hours")]
fn without_memory_a_run_ends_and_the_heap_stays_usable() {
    for requests in 0..30 {
        let mut w = World::new(options());
        w.mem.requests = requests;
        w.push(reference::NULL);
        let ty = w.types.pair.clone();
        let full = (0..40 * NURSERY_PAIRS).find(|&number| match w.try_struct(&ty, number) {
            Ok(pair) => {
                let tail = w.pop();
                w.set(pair, 4, tail);
                w.push(pair);
                false
            }
            Err(error) => {
                assert!(matches!(error, AllocError::Full { .. }), "{error}");
                true
            }
        });
        let full = full.expect("memory is short");
        w.verify().unwrap();
        assert_eq!(w.list(w.top(0)).len() as u32, full);
        w.pop();
        w.push(reference::NULL);
        w.major();
        w.pair(1);
    }
}
