//! What hangs from dead old objects: which collections a program that makes it gets.

use crate::fuzzing::heap_model::world::{World, options};
use crate::heap::*;
use crate::layout::reference::NULL;

/// Under Miri a tenth.
const CELLS: u32 = if cfg!(miri) { 12_000 } else { 120_000 };

fn world() -> World {
    World::new(HeapOptions { incremental: false, verify: false, minimum: 1 << 17, pretenure_share: 2.0, ..options() })
}

/// A list on the stack that is consumed while it is made: each cell is written to the one before, which dies then.
fn stream(w: &mut World) {
    let first = w.pair(0);
    w.push(first);
    for number in 1..CELLS {
        let next = w.pair(number);
        let cell = w.pop();
        w.set(cell, 4, next);
        w.push(next);
    }
    w.pop();
}

/// A stream in the manner of OCaml's `Seq` promoted two thirds of all that it allocated, and took 2.5 times as long as in V8.
#[test]
fn a_stream_is_not_promoted_again_and_again() {
    let mut w = world();
    stream(&mut w);
    let stats = w.heap.stats().clone();
    assert!(stats.promoted_bytes < stats.allocated_bytes / 2, "{stats:?}");
    assert!(stats.major > 3 && stats.minor > 0, "{stats:?}");
    // Beside what lives and is more than a nursery, nothing is gained by marking it again and again.
    let mut w = world();
    w.push_list(0, 20_000);
    let before = w.heap.stats().clone();
    stream(&mut w);
    let after = w.heap.stats().clone();
    assert!(after.major - before.major < 10, "{after:?}");
    assert_eq!(w.list(w.top(0)).len(), 20_000);
}

#[test]
fn a_program_whose_survivors_live_has_the_usual_collections() {
    let mut w = world();
    w.push(NULL);
    w.push_list(0, CELLS / 10);
    let stats = w.heap.stats().clone();
    assert!(stats.major <= 6, "{stats:?}");
    assert_eq!(w.list(w.top(0)).len() as u32, CELLS / 10);
}
