//! Marking on several threads does what marking on one does.

use crate::fuzzing::heap_model::world::{World, options};
use crate::heap::*;
use crate::layout::object::LARGE_OBJECT_BYTES;
use crate::layout::reference;

/// Small, and with that many threads however small the heap is.
fn with_threads(threads: u32) -> HeapOptions {
    HeapOptions { mark_threads: threads, parallel_least: 0, fragmentation: 2.0, minimum: 64 << 20, ..options() }
}

/// A tree of pairs with shared leaves, on top of the stack.
fn push_tree(w: &mut World, depth: u32, shared: u32) {
    if depth == 0 {
        return w.push(shared_leaf(w, shared));
    }
    for _ in 0..2 {
        push_tree(w, depth - 1, shared);
    }
    let pair = w.pair(depth);
    let (right, left) = (w.pop(), w.pop());
    w.set(pair, 4, left);
    w.set(pair, 8, right);
    w.push(pair);
}

/// What the root below the tree's own words refers to.
fn shared_leaf(w: &World, from_bottom: u32) -> u32 {
    w.word(w.map.stack_top - 4 * from_bottom)
}

/// The length of the array, which is a large object, and that of the list.
const ARRAY: u32 = if cfg!(miri) { LARGE_OBJECT_BYTES / 4 + 8 } else { 5000 };
const LIST: u32 = if cfg!(miri) { 20 } else { 100 };

/// A world with a tree, old objects that refer to young ones, host values that hold objects, large arrays, garbage.
fn full_world(threads: u32) -> World {
    let mut w = World::new(with_threads(threads));
    let refs = w.types.refs.clone();
    let array = w.try_array(&refs, ARRAY, 0).unwrap();
    w.push(array);
    let depth = if cfg!(miri) { 4 } else { 11 };
    push_tree(&mut w, depth, 1);
    for slot in 0..5 {
        let host = w.host_object(slot);
        w.push(host);
        let held = w.pair(slot);
        w.hold(slot, held);
    }
    w.minor();
    w.push_list(0, 3 * LIST);
    w.pop();
    w.push_list(0, LIST);
    for n in 0..10 {
        let (array, young) = (shared_leaf(&w, 1), w.pair(n));
        w.set(array, 8 + 40 * n, young);
    }
    w
}

fn state(w: &World) -> (u64, Vec<u8>, Vec<u32>) {
    (w.heap.stats().live_after_major, w.mem.bytes().to_vec(), w.heap.remembered.slots().to_vec())
}

#[test]
fn the_outcome_does_not_depend_on_the_threads() {
    let mut alone = full_world(1);
    alone.major();
    let (rounds, threads) = if cfg!(miri) { (1, &[3][..]) } else { (30, &[2, 3, 5][..]) };
    for &threads in threads {
        for _ in 0..rounds {
            let mut w = full_world(threads);
            w.major();
            assert_eq!(w.host.alive, alone.host.alive);
            assert_eq!(w.heap.stats().live_after_major, alone.heap.stats().live_after_major);
            assert_eq!(w.list(w.top(0)), (0..LIST).collect::<Vec<_>>());
            w.verify().unwrap();
        }
        let [mut one, mut two] = [(); 2].map(|()| full_world(threads));
        for _ in 0..2 {
            one.major();
            two.major();
            assert!(state(&one) == state(&two), "{threads} threads do not do the same each time");
        }
    }
}

/// Steps on one thread have a loop of their own to mark in: both must find the same.
#[test]
fn a_cycle_in_steps_finds_what_one_pause_does() {
    let [mut pause, mut steps] = [2, 1].map(full_world);
    pause.minor();
    pause.major();
    steps.minor();
    while steps.heap.stats().major == 0 {
        steps.step();
    }
    assert_eq!(steps.host.alive, pause.host.alive);
    assert_eq!(steps.heap.stats().live_after_major, pause.heap.stats().live_after_major);
    steps.verify().unwrap();
}

/// All that leads anywhere is a single path, so there is never work to give away.
#[test]
fn a_list_is_marked_by_one_while_the_others_wait() {
    let mut w = World::new(with_threads(4));
    let length = if cfg!(miri) { 50 } else { 50_000 };
    w.push_list(0, length);
    let before = w.heap.stats().major;
    w.major();
    w.major();
    assert_eq!(w.list(w.top(0)).len() as u32, length);
    assert_eq!(w.heap.stats().major, before + 2);
}

#[test]
fn what_is_corrupt_is_found_by_whoever_comes_to_it() {
    let mut w = World::new(HeapOptions { verify: false, poison: false, ..with_threads(3) });
    push_tree_of_nulls(&mut w, if cfg!(miri) { 3 } else { 10 });
    w.major();
    let at = reference::header(w.get(w.get(w.top(0), 4), 8));
    w.set_word(at, 12344);
    let result = w.heap.collect(&mut w.mem, &mut w.host, CollectKind::Major);
    assert!(matches!(result, Err(AllocError::Corrupt(_))), "{result:?}");
}

fn push_tree_of_nulls(w: &mut World, depth: u32) {
    w.push(reference::NULL);
    let leaf = w.map.stack_top - w.sp();
    push_tree(w, depth, leaf / 4);
}
