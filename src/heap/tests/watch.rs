//! Large objects that die young: what frees them, and what keeps them alive.

use crate::fuzzing::heap_model::world::{World, options};
use crate::heap::*;
use crate::layout::object::ARRAY_ELEMENTS;
use crate::layout::reference::{self, NULL};

const LEN: u32 = 20_000;
const NURSERY_PAIRS: u32 = 65536 / 16;
/// So many bytes are worth it.
const LEAST: u64 = if cfg!(miri) { 1 << 15 } else { 1 << 18 };

/// A world in which large objects are watched, with a list on the stack that is old.
fn watching() -> World {
    let mut w = World::new(HeapOptions { watch_least: LEAST, minimum: 1 << 22, ..options() });
    w.push_list(0, LEAST as u32 / 12);
    // What dies in a cycle that is under way is freed at its end.
    end_cycle(&mut w);
    (0..LEAST as u32 / LEN + 1).for_each(|number| _ = bytes(&mut w, number));
    w.minor();
    end_cycle(&mut w);
    assert!(w.heap.is_watching() && large(&w) == 0);
    w
}

fn end_cycle(w: &mut World) {
    let before = w.heap.stats().major;
    while w.heap.stats().major == before {
        w.step();
    }
}

fn bytes(w: &mut World, number: u32) -> u32 {
    w.try_array(&w.types.bytes.clone(), LEN, number).unwrap()
}

fn large(w: &World) -> usize {
    w.heap.large.objects().len()
}

#[test]
fn what_dies_young_is_freed_by_a_minor_collection() {
    let mut w = watching();
    let before = w.heap.stats().major;
    let kept = bytes(&mut w, 1);
    w.push(kept);
    for number in 0..100 {
        bytes(&mut w, number);
    }
    w.minor();
    assert_eq!((large(&w), w.heap.stats().major), (1, before));
    assert_eq!(w.get(w.top(0), ARRAY_ELEMENTS) & 0xFF, 1);
    // It is no garbage later either.
    w.pop();
    w.minor();
    assert_eq!(large(&w), 1);
    end_cycle(&mut w);
    assert_eq!(large(&w), 0);
}

#[test]
fn whatever_refers_to_a_large_object_keeps_it() {
    let mut w = watching();
    let majors = w.heap.stats().major;
    let area = w.heap.alloc_root_area(&mut w.mem, 4).unwrap();
    // A host object that is alive, and old.
    let host = w.host_object(7);
    w.push(host);
    let refs = w.try_array(&w.types.refs.clone(), 4000, 0).unwrap();
    w.push(refs);
    w.minor();
    let made: Vec<u32> = (0..8).map(|number| bytes(&mut w, number)).collect();
    // The stack; a root area; an old object; an old large one; one that is promoted; a young large one.
    w.push(made[0]);
    w.set_word(area, made[1]);
    w.set(w.top(3), 4, made[2]);
    w.set(w.top(1), ARRAY_ELEMENTS + 4 * 3000, made[3]);
    let young = w.pair(1);
    w.set(young, 4, made[4]);
    w.push(young);
    let array = w.try_array(&w.types.refs.clone(), 5000, 0).unwrap();
    w.set_word(reference::header(array) + ARRAY_ELEMENTS, made[5]);
    w.push(array);
    // A host object's member, and a weak reference.
    w.hold(7, made[6]);
    let weak = w.heap.new_weak(made[7]);
    bytes(&mut w, 99);
    w.minor();
    // Eight of bytes and two of references.
    assert_eq!((large(&w), w.heap.stats().major), (10, majors));
    assert_eq!(w.heap.weak(&weak), made[7]);
    for (number, &array) in made.iter().enumerate() {
        assert_eq!(w.get(array, ARRAY_ELEMENTS) & 0xFF, number as u32);
    }
    w.verify().unwrap();
    end_cycle(&mut w);
    assert_eq!((large(&w), w.heap.weak(&weak)), (9, NULL));
}

/// Nothing is remembered for it: it gets its mark at once.
#[test]
fn a_reference_that_the_host_wrote_keeps_it() {
    let mut w = watching();
    let array = bytes(&mut w, 5);
    let old = w.top(0);
    w.heap.write_ref(&mut w.mem, old, 4, array);
    let other = bytes(&mut w, 6);
    w.set(w.get(w.top(0), 4), ARRAY_ELEMENTS, NULL);
    w.set(w.top(0), 8, other);
    w.minor();
    assert_eq!(large(&w), 2);
    assert_eq!(w.get(w.get(w.top(0), 8), ARRAY_ELEMENTS) & 0xFF, 6);
}

/// Random programs found an object freed that the stack referred to: marks of it were beyond the end of the bitmap, as the
/// memory had grown, to promote into, between marking and watching.
#[test]
fn what_the_memory_grew_by_for_survivors_can_be_marked() {
    let mut w = World::new(HeapOptions { watch_least: 0, growth_bytes: 0, incremental: false, ..options() });
    // The nursery is full of what lives, and there is no room for it.
    w.push_list(0, NURSERY_PAIRS - 10);
    let before = w.mem.bytes().len();
    w.major();
    assert!(w.heap.is_watching() && w.mem.bytes().len() > before);
    for number in 0..10 {
        let array = bytes(&mut w, number);
        assert!(array as usize > before);
        w.push(array);
    }
    w.minor();
    assert_eq!(large(&w), 10);
    w.verify().unwrap();
}

#[test]
fn a_program_whose_large_objects_live_is_not_watched() {
    let mut w = watching();
    while w.heap.is_watching() && w.heap.stats().major == 1 {
        let array = bytes(&mut w, 1);
        w.push(array);
        assert!(large(&w) < 100);
    }
    assert!(w.heap.stats().major > 1 || w.word(w.map.boundary_cell()) == w.map.young_boundary());
    w.minor();
    w.verify().unwrap();
    // With little alive besides, a cycle is cheap.
    let mut w = World::new(HeapOptions { watch_least: LEAST, ..options() });
    (0..100).for_each(|number| _ = bytes(&mut w, number));
    end_cycle(&mut w);
    assert!(!w.heap.is_watching());
}
