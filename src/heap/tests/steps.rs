//! Major collections in steps: what happens between two of them.

use crate::fuzzing::heap_model::world::{World, options};
use crate::heap::*;
use crate::layout::object::ARRAY_ELEMENTS;
use crate::layout::reference::{self, NULL};
use std::num::NonZeroU32;
use std::time::Duration;

/// A world whose steps mark so many objects each.
fn world(step_work: u32) -> World {
    World::new(HeapOptions { step_work, step_nursery: 8192, ..options() })
}

/// Steps until a cycle has come to its end: how many.
fn finish(w: &mut World) -> u32 {
    let before = w.heap.stats().major;
    let mut steps = 0;
    while w.heap.stats().major == before {
        w.step();
        steps += 1;
        assert!(steps < 10_000, "the cycle does not end");
    }
    steps
}

fn is_marking(w: &World) -> bool {
    w.word(w.map.boundary_cell()) == NULL
}

/// A node of the list on top of the stack.
fn node(w: &World, n: u32) -> u32 {
    (0..n).fold(w.top(0), |at, _| w.get(at, 4))
}

#[test]
fn a_cycle_frees_what_was_garbage_when_it_began() {
    let mut w = world(10);
    let n = if cfg!(miri) { 20 } else { 500 };
    w.push_list(0, n);
    w.push_list(0, n);
    w.minor();
    w.pop();
    let steps = finish(&mut w);
    assert!(steps >= n / 10 && !is_marking(&w), "{steps} steps");
    assert_eq!(w.heap.stats().live_after_major, 16 * u64::from(n));
    assert_eq!(w.heap.stats().evacuated_bytes, 0);
    assert_eq!(w.list(w.top(0)), (0..n).collect::<Vec<_>>());
}

/// A list whose cells are each in another page took 40 ms for a step.
#[test]
fn a_step_ends_when_it_has_taken_its_time() {
    for mark_threads in [1, 2] {
        let n = if cfg!(miri) { 2000 } else { 20_000 };
        let mut w = World::new(HeapOptions {
            step_work: u32::MAX,
            step_time: Duration::ZERO,
            minimum: 1 << 30,
            mark_threads,
            parallel_least: 0,
            step_nursery: 8192,
            ..options()
        });
        w.push_list(0, n);
        w.minor();
        let steps = finish(&mut w);
        assert!(steps >= n / 1100, "{steps} steps");
        assert_eq!(w.list(w.top(0)), (0..n).collect::<Vec<_>>());
    }
}

/// The pause is short then, and steps take more time in all.
#[test]
fn a_small_heap_is_marked_at_once() {
    let ever_marks = |step_least| {
        let small = HeapOptions { minimum: 1 << 16, step_work: 10, step_nursery: 8192, step_least, ..options() };
        let mut w = World::new(HeapOptions { pretenure_share: 2.0, verify: false, ..small });
        let mut marked = false;
        for n in 0..if cfg!(miri) { 12 } else { 100 } {
            w.push_list(0, 500);
            marked |= is_marking(&w);
            if n % 2 == 0 {
                w.pop();
            }
        }
        assert!(cfg!(miri) || w.heap.stats().major > 0 || marked);
        marked
    };
    assert!(cfg!(miri) || ever_marks(0) && ever_marks(1 << 17));
    assert!(!ever_marks(u64::MAX));
}

/// The only reference to a white object is moved into a black one.
#[test]
fn an_object_is_not_lost_behind_the_marking() {
    let mut w = world(2);
    w.push_list(0, 40);
    w.minor();
    // What is marked first is at the list's head; its end is white.
    w.step();
    assert!(is_marking(&w));
    let (head, at) = (w.top(0), node(&w, 30));
    let tail = w.get(at, 4);
    w.set(head, 8, tail);
    w.set(at, 4, NULL);
    w.verify().unwrap();
    finish(&mut w);
    assert_eq!(w.list(w.top(0)), (0..31).collect::<Vec<_>>());
    assert_eq!(w.list(w.get(w.top(0), 8)), (31..40).collect::<Vec<_>>());
}

/// The same without the barrier: the verifier finds it.
#[test]
fn the_verifier_knows_a_reference_from_black_to_white() {
    let mut w = world(2);
    w.push_list(0, 40);
    w.minor();
    w.step();
    let (head, at) = (w.top(0), node(&w, 30));
    w.set_word(reference::header(head) + 8, at);
    let error = w.verify().unwrap_err();
    assert_eq!(error.fault, Fault::NotMarked, "{error}");
}

#[test]
fn what_is_written_by_the_host_is_marked() {
    let mut w = world(2);
    w.push_list(0, 40);
    w.minor();
    w.step();
    let (head, at) = (w.top(0), node(&w, 20));
    let (tail, end) = (w.get(at, 4), w.get(w.get(at, 4), 4));
    w.heap.write_ref(&mut w.mem, head, 8, end);
    w.verify().unwrap();
    w.set(head, 8, tail);
    w.set(at, 4, NULL);
    w.verify().unwrap();
    finish(&mut w);
    assert_eq!(w.list(w.get(w.top(0), 8)), (21..40).collect::<Vec<_>>());
}

#[test]
fn a_large_array_is_marked_in_slices() {
    let mut w = world(100);
    let refs = w.types.refs.clone();
    // Under Miri there are as many references in it, closer to each other.
    let (len, apart) = if cfg!(miri) { (3000, 149) } else { (20_000, 999) };
    let array = w.try_array(&refs, len, 0).unwrap();
    w.push(array);
    for n in 0..20 {
        let pair = w.pair(n);
        w.set(w.top(0), 8 + 4 * (n * apart), pair);
    }
    w.minor();
    let steps = finish(&mut w);
    assert!(steps >= len / 8 / 200, "{steps} steps");
    for n in 0..20 {
        assert_eq!(w.get(w.get(w.top(0), 8 + 4 * (n * apart)), 12), n);
    }
}

/// How many steps of so many units mark arrays of references on so many threads.
fn steps_for_arrays(step_work: u32, mark_threads: u32, count: u32, len: u32) -> u32 {
    let mut w = World::new(HeapOptions { step_work, mark_threads, parallel_least: 0, step_nursery: 8192, ..options() });
    let refs = w.types.refs.clone();
    for n in 0..count {
        let array = w.try_array(&refs, len, n).unwrap();
        w.push(array);
    }
    w.minor();
    finish(&mut w)
}

/// Slices of arrays are traced by the calling thread, which did an eighth of a step's work when there were others: a cycle
/// took eight times as many steps, and the heap grew to 4.6 times what was alive meanwhile.
#[test]
fn a_second_thread_does_not_make_cycles_longer() {
    let len = if cfg!(miri) { 5000 } else { 60_000 };
    let [alone, both] = [1, 2].map(|threads| steps_for_arrays(300, threads, 1, len));
    assert!(alone >= len / 8 / 500 && both <= alone + 1, "{alone} steps, and {both}");
}

/// They counted as one object each, however many references they had: a step could read 256 MiB.
#[test]
fn short_arrays_count_by_their_length() {
    let count = if cfg!(miri) { 3 } else { 40 };
    for threads in [1, 2] {
        let steps = steps_for_arrays(100, threads, count, 500);
        assert!(steps >= count * 500 / 8 / 200, "{steps} steps");
    }
}

/// A promotion looks at each new large object as a whole. All that had been made since the last one were a single pause, at
/// the beginning of a cycle: 95 ms and more.
#[test]
#[cfg_attr(miri, ignore = "megabytes of references, which take Miri hours")]
fn large_objects_do_not_wait_long_for_a_promotion() {
    let mut w = World::new(HeapOptions { minimum: 256 << 20, verify: false, ..options() });
    let refs = w.types.refs.clone();
    for _ in 0..9 {
        w.try_array(&refs, 1 << 18, 0).unwrap();
    }
    assert_eq!((w.heap.stats().minor, w.heap.stats().major), (2, 0));
}

/// What was stored into large objects that are made during a cycle stays, though nobody has seen it.
#[test]
fn what_large_objects_hold_that_are_made_meanwhile_stays() {
    let mut w = world(2);
    w.push_list(0, 40);
    w.minor();
    w.step();
    let mut at = w.top(0);
    for _ in 0..30 {
        at = w.get(at, 4);
    }
    w.push(at);
    let refs = w.types.refs.clone();
    let array = w.try_array(&refs, 3000, 0).unwrap();
    let at = w.pop();
    // As lowered code sets up a new array: without a barrier.
    w.set_word(reference::header(array) + 8, at);
    let head = w.pop();
    w.push(array);
    assert_eq!(w.get(head, 12), 0);
    finish(&mut w);
    assert_eq!(w.list(w.get(w.top(0), 8)), (30..40).collect::<Vec<_>>());
}

/// They were black, and all of them were there until the next cycle had ended: where large objects are most of what is made,
/// that cycle began at a multiple of what was alive.
#[test]
fn large_objects_that_die_meanwhile_are_freed_by_the_cycle() {
    let mut w = world(2);
    w.push_list(0, 40);
    w.minor();
    w.step();
    let before = w.heap.large.bytes();
    for number in 0..3 {
        let array = w.try_array(&w.types.bytes.clone(), 10_000, number).unwrap();
        if number == 0 {
            w.push(array);
        }
    }
    assert!(is_marking(&w));
    finish(&mut w);
    assert_eq!(w.heap.large.bytes() - before, 3 * 4096);
    assert_eq!(w.get(w.top(0), ARRAY_ELEMENTS) & 0xFF, 0);
}

/// A program with 100 MB alive made arrays of 64 MiB, each of which died at once. Each was worth one step like any other: the
/// heap grew to 4 GiB in one cycle.
#[test]
#[cfg_attr(miri, ignore = "megabytes of references, which take Miri hours")]
fn a_cycle_keeps_up_with_large_objects() {
    let options =
        HeapOptions { step_work: 1, step_least: 0, minimum: 1 << 20, verify: false, poison: false, ..options() };
    let mut w = World::new(options);
    w.push_list(0, 200_000);
    for number in 0..60 {
        w.try_array(&w.types.bytes.clone(), 4 << 20, number).unwrap();
    }
    let stats = w.heap.stats();
    assert!(stats.major > 2 && stats.heap_bytes < 64 << 20, "{stats:?}");
}

/// A program ran out of fuel while it filled a large array: what the array's pages had held before was taken for
/// references of a black object, and where they referred to there was no object any more.
#[test]
fn a_large_array_that_a_trap_left_half_made_is_no_matter() {
    let options = HeapOptions { step_work: 2, step_nursery: 8192, fragmentation: 2.0, ..options() };
    let mut w = World::new(options);
    let refs = w.types.refs.clone();
    w.push_list(0, 40);
    w.minor();
    let before = w.try_array(&refs, 3000, 0).unwrap();
    w.major();
    w.step();
    assert!(is_marking(&w));
    // In the middle of an object.
    let stale = w.top(0) + 4;
    (8..4096).step_by(4).for_each(|offset| w.set_word(reference::header(before) + offset, stale));
    let raw = w.try_alloc(8 + 4 * 3000).unwrap();
    assert_eq!(reference::header(raw) / 4096, reference::header(before) / 4096);
    w.set_word(reference::header(raw), refs.rtt.0);
    w.set_word(reference::header(raw) + 4, 3000);
    finish(&mut w);
    assert_eq!(w.list(w.top(0)), (0..40).collect::<Vec<_>>());
}

#[test]
fn a_collection_in_one_pause_gives_a_cycle_up() {
    let mut w = world(2);
    w.push_list(0, 100);
    w.minor();
    w.step();
    assert!(is_marking(&w));
    w.major();
    assert!(!is_marking(&w) && w.heap.cycle.is_none());
    assert_eq!(w.word(w.map.boundary_cell()), w.map.young_boundary());
    assert_eq!(w.list(w.top(0)), (0..100).collect::<Vec<_>>());
}

#[test]
fn zeal_marks_in_steps_and_moves_by_turns() {
    let mut w = World::new(HeapOptions { zeal: NonZeroU32::new(1), ..options() });
    w.push_list(0, 60);
    let stats = w.heap.stats();
    assert!(stats.mark_steps > 20 && stats.evacuated_bytes > 0 && stats.major > 10, "{stats:?}");
    assert_eq!(w.list(w.top(0)), (0..60).collect::<Vec<_>>());
}

#[test]
fn a_step_with_a_deadline_says_when_all_is_done() {
    let mut w = world(1);
    let n = if cfg!(miri) { 50 } else { 3000 };
    w.push_list(0, n);
    let mut calls = 1;
    while !w.heap.step(&mut w.mem, &mut w.host, Duration::ZERO).unwrap() {
        calls += 1;
    }
    assert!(calls > n / 600, "{calls} calls");
    assert!(w.heap.step(&mut w.mem, &mut w.host, Duration::MAX).unwrap());
    assert_eq!(w.list(w.top(0)).len() as u32, n);
}

/// While there is room, no collection that falls due is one pause.
#[test]
fn a_program_that_keeps_much_is_collected_in_steps() {
    let mut w =
        World::new(HeapOptions { step_work: 500, step_nursery: 8192, minimum: 1 << 18, verify: false, ..options() });
    let n = if cfg!(miri) { 100 } else { 100_000 };
    for round in 0..4 {
        w.push_list(0, n / 4);
        if round % 2 == 1 {
            w.pop();
        }
    }
    let stats = w.heap.stats().clone();
    assert!(cfg!(miri) || stats.major >= 2 && stats.mark_steps > 2 * stats.major, "{stats:?}");
    assert_eq!(w.list(w.top(0)).len() as u32, n / 4);
    w.major();
}
