//! Collections that have to wait.

use crate::fuzzing::heap_model::world::{World, options};
use crate::heap::*;

/// More pairs than the nursery of these tests takes.
const PAIRS: u32 = if cfg!(miri) { 4200 } else { 10_000 };

/// A list of objects that no root holds, as in the locals of lowered code.
fn unrooted_list(w: &mut World) -> u32 {
    let mut list = w.pair(0);
    for n in 1..PAIRS {
        let next = w.pair(n);
        w.set(next, 4, list);
        list = next;
        w.minor();
    }
    list
}

/// It is built while the heap is held, and collections are asked for.
fn built_in_hold(options: HeapOptions) -> (World, u32) {
    let mut w = World::new(options);
    w.heap.hold();
    let list = unrooted_list(&mut w);
    w.major();
    (w, list)
}

fn numbers() -> Vec<u32> {
    (0..PAIRS).rev().collect()
}

#[test]
fn nothing_moves_or_goes_while_the_heap_is_held() {
    let (w, list) = built_in_hold(HeapOptions { zeal: std::num::NonZeroU32::new(1), ..options() });
    assert_eq!(w.list(list), numbers());
    assert_eq!((w.heap.stats().minor, w.heap.stats().major), (0, 0));
}

#[test]
fn what_was_asked_for_is_made_up_for() {
    let (mut w, list) = built_in_hold(options());
    w.push(list);
    w.verify().unwrap();
    w.heap.release();
    w.minor();
    assert_eq!((w.heap.stats().minor, w.heap.stats().major), (0, 1));
    w.verify().unwrap();
    assert_eq!(w.list(w.top(0)), numbers());
    w.pop();
    w.major();
    assert_eq!(w.heap.stats().live_after_major, 0);
}

#[test]
fn in_a_cycle_what_is_made_is_black() {
    let mut w = World::new(HeapOptions { incremental: true, step_work: 1, ..options() });
    let old = w.pair(7);
    w.push(old);
    w.minor();
    w.step();
    w.heap.hold();
    let list = unrooted_list(&mut w);
    w.push(list);
    w.heap.release();
    w.verify().unwrap();
    while w.heap.stats().major == 0 {
        w.step();
        w.verify().unwrap();
    }
    assert_eq!(w.list(w.top(0)), numbers());
}

#[test]
fn a_full_heap_is_an_error_while_it_is_held() {
    let mut w = World::new(HeapOptions { max_bytes: 1 << 20, ..options() });
    w.heap.hold();
    let pair = w.types.pair.clone();
    let full = (0..1 << 20).find_map(|n| w.try_struct(&pair, n).err());
    assert!(matches!(full, Some(AllocError::Full { .. })));
    w.heap.release();
    assert!(w.try_struct(&pair, 1).is_ok());
    w.verify().unwrap();
}
