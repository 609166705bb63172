//! Minor and major collections, the barrier, and host objects.

use crate::fuzzing::heap_model::world::{HUGE, Host, TestMemory, Types, World, options};
use crate::heap::*;
use crate::layout::object::ARRAY_ELEMENTS;
use crate::layout::{MapParams, reference};
use std::num::NonZeroU32;

/// What fits the nursery of these tests, in pairs.
const NURSERY_PAIRS: u32 = 65536 / 16;

#[test]
fn a_minor_collection_moves_what_is_reachable_from_each_kind_of_root() {
    let mut w = World::new(options());
    let area = w.heap.alloc_root_area(&mut w.mem, 4).unwrap();
    let (a, b, c) = (w.pair(1), w.pair(2), w.pair(3));
    w.set(a, 8, c);
    w.set(c, 4, a);
    w.push(a);
    w.set_word(area + 12, b);
    w.host.words.push(c);
    w.minor();
    let a = w.top(0);
    let c = w.get(a, 8);
    assert!(!w.is_young(a) && !w.is_young(c) && !w.is_young(w.word(area + 12)));
    assert_eq!((w.get(a, 12), w.get(w.word(area + 12), 12), w.get(c, 12)), (1, 2, 3));
    assert_eq!((w.get(c, 4), w.host.words[0]), (a, c));
    assert_eq!(w.word(w.map.bump_cell()), w.map.nursery_start);
    assert_eq!((w.heap.stats().minor, w.heap.stats().promoted_bytes), (1, 48));
}

#[test]
fn a_shared_object_moves_once_and_words_that_are_no_objects_stay() {
    let mut w = World::new(options());
    let shared = w.pair(7);
    for value in [shared, reference::NULL, reference::i31(12), shared, w.types.pair.rtt.0 - reference::BIAS] {
        w.push(value);
    }
    w.minor();
    assert_eq!(w.top(4), w.top(1));
    assert_eq!((w.top(3), w.top(2)), (reference::NULL, reference::i31(12)));
    assert_eq!(w.top(0), w.types.pair.rtt.0 - 3);
}

#[test]
fn a_store_into_an_old_object_is_seen_through_the_barrier() {
    let mut w = World::new(options());
    let old = w.pair(1);
    w.push(old);
    w.minor();
    let young = w.pair(2);
    w.set(w.top(0), 4, young);
    let other = w.pair(3);
    let old = w.top(0);
    w.heap.write_ref(&mut w.mem, old, 8, other);
    w.minor();
    assert_eq!((w.get(w.get(w.top(0), 4), 12), w.get(w.get(w.top(0), 8), 12)), (2, 3));
}

#[test]
fn a_remembered_object_is_scanned_as_a_whole() {
    let mut w = World::new(options());
    let array = w.try_array(&w.types.refs.clone(), 100, 0).unwrap();
    w.push(array);
    w.minor();
    let (array, young) = (w.top(0), w.pair(5));
    for i in 0..100 {
        w.set_word(reference::header(array) + ARRAY_ELEMENTS + 4 * i, young);
    }
    assert_eq!(w.verify().unwrap_err().fault, Fault::NotRemembered);
    w.heap.remember_object(&mut w.mem, array);
    w.minor();
    assert!((0..100).all(|i| w.get(w.get(array, ARRAY_ELEMENTS + 4 * i), 12) == 5));
}

/// A copy of a few elements of a large array had all of it looked at by the next promotion, each time: a program that inserted
/// into an array of 16 million took 12 seconds for what now takes one.
#[test]
fn of_a_large_array_what_was_stored_is_remembered() {
    let mut w = World::new(options());
    let array = w.try_array(&w.types.refs.clone(), 10_000, 0).unwrap();
    w.push(array);
    w.minor();
    let young = w.pair(5);
    // In the middle, and to the end.
    let stored = [(0, 3), (500, 1), (2000, 100), (9900, 100)];
    for (from, count) in stored {
        (from..from + count).for_each(|n| w.set_word(reference::header(array) + ARRAY_ELEMENTS + 4 * n, young));
        assert_eq!(w.verify().unwrap_err().fault, Fault::NotRemembered);
        w.heap.remember_elements(&mut w.mem, array, from, count);
        w.verify().unwrap();
    }
    let remembered = &w.heap.remembered;
    assert_eq!((remembered.slots().len(), remembered.objects().len()), (0, 0));
    let looked_at: u32 = remembered.cards.each().map(|(_, cards)| cards.len() as u32 / 4).sum();
    assert!((204..204 + 8 * 32).contains(&looked_at), "{looked_at} words");
    w.minor();
    for n in stored.into_iter().flat_map(|(from, count)| from..from + count) {
        assert_eq!(w.get(w.get(array, ARRAY_ELEMENTS + 4 * n), 12), 5);
    }
    assert!(w.heap.remembered.cards.each().next().is_none());
}

/// How many slots are in the buffer.
fn buffered(w: &World) -> u32 {
    w.heap.remembered.entries(w.mem.bytes(), w.map).unwrap().len() as u32 / 4
}

/// Stores a new object into each of the first elements of an old array on top of the stack, and collects: whether slots
/// were lost.
fn store_into(w: &mut World, len: u32) -> bool {
    let (array, young) = (w.top(0), w.pair(9));
    for i in 0..len {
        w.set(array, ARRAY_ELEMENTS + 4 * i, young);
    }
    let lost = buffered(w) < len;
    w.verify().unwrap();
    let majors = w.heap.stats().major;
    w.minor();
    assert_eq!((buffered(w), w.heap.stats().major), (0, majors + u64::from(lost)));
    let array = w.top(0);
    let first = w.get(array, ARRAY_ELEMENTS);
    assert!(w.get(first, 12) == 9 && (0..len).all(|i| w.get(array, ARRAY_ELEMENTS + 4 * i) == first));
    w.verify().unwrap();
    lost
}

/// What finds no room is lost: the next collection looks at everything, and there is more room afterwards. So there is when
/// more than half of it was needed.
#[test]
fn a_full_buffer_of_remembered_slots_is_made_larger() {
    let world = || {
        let mut w = World::new(HeapOptions { verify: false, remembered_first: 1000, ..options() });
        let array = w.try_array(&w.types.refs.clone(), 2000, 0).unwrap();
        w.push(array);
        w.minor();
        w
    };
    let mut w = world();
    assert!(store_into(&mut w, 1001) && !store_into(&mut w, 2000));
    let mut w = world();
    assert!(!store_into(&mut w, 400) && store_into(&mut w, 1001));
    let mut w = world();
    assert!(!store_into(&mut w, 999) && !store_into(&mut w, 2000));
}

/// An array of 60,000 new objects, made and dropped again and again in a small heap: its buffer had room for a part of the slots,
/// so that every other collection was a major one, and half of the nursery was used for good.
#[test]
#[cfg_attr(miri, ignore = "hundreds of thousands of objects, which take Miri hours")]
fn the_buffer_of_a_small_heap_suits_the_nursery() {
    let options = HeapOptions { verify: false, poison: false, minimum: 48 << 20, nursery_least: 1 << 20, ..options() };
    let mut w = World::with_nursery(options, 4 << 20);
    for _ in 0..40 {
        let array = w.try_array(&w.types.refs.clone(), 60_000, 0).unwrap();
        w.push(array);
        for i in 0..60_000 {
            let (young, array) = (w.pair(i), w.top(0));
            w.set(array, ARRAY_ELEMENTS + 4 * i, young);
        }
        w.pop();
    }
    // 37 MiB, in nurseries of four and a few smaller ones.
    assert!(w.heap.stats().minor + w.heap.stats().major < 18, "{:?}", w.heap.stats());
}

/// An interpreter with boxed numbers, whose operands are in an old array, stored a new object after null into each slot again and
/// again, more often than the largest buffer has room for: each collection was a major one, and it took four times as long.
#[test]
fn less_of_the_nursery_is_used_when_no_buffer_is_large_enough() {
    let options = HeapOptions { verify: false, poison: false, nursery_least: 1 << 20, incremental: false, ..options() };
    let mut w = World::with_nursery(options, 1 << 20);
    let array = w.try_array(&w.types.refs.clone(), 100, 0).unwrap();
    w.push(array);
    w.minor();
    let mut majors = vec![];
    for _ in 0..3 {
        for i in 0..if cfg!(miri) { 1000 } else { 300_000 } {
            let (young, slot) = (w.pair(i), ARRAY_ELEMENTS + 4 * (i % 100));
            let array = w.top(0);
            w.set(array, slot, reference::NULL);
            w.set(array, slot, young);
        }
        majors.push(w.heap.stats().major);
    }
    assert!(majors[0] < 8 && majors[2] - majors[0] <= 2, "{majors:?}");
    // When little is stored all of it is used again.
    let minors = w.heap.stats().minor;
    (0..if cfg!(miri) { 0 } else { 20 * (1 << 20) / 16 }).for_each(|number| _ = w.pair(number));
    assert!(w.heap.stats().minor - minors < 30);
}

/// Nothing helps where more is stored than there is room for whatever is allocated: then collections are to be few.
#[test]
fn all_of_the_nursery_is_used_when_a_smaller_one_does_not_help() {
    let mut w = World::new(HeapOptions { verify: false, remembered_first: 10, ..options() });
    let array = w.try_array(&w.types.refs.clone(), 60_000, 0).unwrap();
    w.push(array);
    w.minor();
    for _ in 0..if cfg!(miri) { 2 } else { 10 } {
        assert!(store_into(&mut w, 60_000));
        assert!(!w.heap.nursery.is_bound());
    }
}

#[test]
fn memory_that_is_short_gets_the_buffer_back() {
    let max_bytes = 1 << 20;
    // How full blocks are depends on which objects are made in them at once.
    let bare = HeapOptions { verify: false, pretenure_share: 2.0, ..options() };
    let count = |first, stores| {
        let mut w = World::new(HeapOptions { max_bytes, remembered_first: first, ..bare.clone() });
        let array = w.try_array(&w.types.refs.clone(), 9000, 0).unwrap();
        w.push(array);
        w.minor();
        if stores {
            assert!(store_into(&mut w, 8000));
            assert!(w.heap.remembered.has_own_pages());
        }
        let bytes = w.types.bytes.clone();
        let mut count = 0;
        while let Ok(array) = w.try_array(&bytes, 4000, count) {
            w.push(array);
            count += 1;
        }
        assert!(!w.heap.remembered.has_own_pages());
        w.verify().unwrap();
        count
    };
    let (with, without) = (count(2000, true), count(u32::MAX, false));
    // How full blocks are depends on when was collected: by less than a block.
    assert!(with + space::pages::BLOCK_BYTES / 4000 > without, "{with} of {without}");
}

#[test]
fn a_slot_is_remembered_once_however_often_it_is_stored_to() {
    let mut w = World::new(options());
    let array = w.try_array(&w.types.refs.clone(), 100, 0).unwrap();
    w.push(array);
    w.minor();
    let (array, young) = (w.top(0), w.pair(9));
    for i in 0..1000 {
        w.set(array, ARRAY_ELEMENTS + i % 10 * 4, young);
    }
    assert_eq!(buffered(&w), 10);
    // Neither an i31 nor an old reference keeps a slot from being remembered again.
    for i in 0..1000 {
        let slot = ARRAY_ELEMENTS + (10 + i % 10) * 4;
        w.set(array, slot, if i % 20 < 10 { reference::i31(1 << 16) } else { array });
        w.set(array, slot, young);
    }
    assert_eq!(buffered(&w), 1010);
    w.verify().unwrap();
    w.minor();
    assert!((0..20).all(|i| w.get(w.get(array, ARRAY_ELEMENTS + 4 * i), 12) == 9));
    assert!(w.heap.remembered.slots().is_empty());
}

#[test]
fn what_was_allocated_inline_survives_a_nursery_that_fills_many_times() {
    let mut w = World::new(HeapOptions { verify: false, ..options() });
    // Under Miri it fills once.
    let n = if cfg!(miri) { NURSERY_PAIRS + 10 } else { NURSERY_PAIRS * 10 };
    w.push_list(0, n);
    assert_eq!(w.list(w.top(0)), (0..n).collect::<Vec<_>>());
    w.verify().unwrap();
    let stats = w.heap.stats();
    assert!(stats.minor > 0 && stats.allocated_bytes > stats.promoted_bytes / 2);
    assert_eq!(stats.pauses.iter().sum::<u64>(), stats.minor + stats.major);
    assert!(stats.pause_total >= stats.pause_max && stats.heap_bytes == w.mem.bytes().len() as u64);
}

#[test]
fn cycles_of_old_garbage_are_collected_and_their_memory_is_used_again() {
    let mut w = World::new(HeapOptions { verify: false, ..options() });
    let mut rounds = |n| {
        for _ in 0..n {
            w.push_list(0, if cfg!(miri) { 100 } else { NURSERY_PAIRS * 2 });
            let (head, tail) = (w.top(0), w.get(w.top(0), 4));
            w.set(tail, 8, head);
            w.major();
            w.pop();
        }
        w.major();
        (w.heap.stats().live_after_major, w.mem.bytes().len())
    };
    let first = rounds(3);
    let second = rounds(if cfg!(miri) { 1 } else { 20 });
    assert_eq!((first.0, second.0), (0, 0));
    assert!(second.1 <= first.1 + 65536, "{first:?} {second:?}");
}

#[test]
fn large_objects_stay_where_they_are_and_their_pages_come_back() {
    let mut w = World::new(options());
    let (refs, huge) = (w.types.refs.clone(), w.types.huge.clone());
    let large = w.try_array(&refs, 10_000, 0).unwrap();
    w.push(large);
    let young = w.pair(1);
    // Young itself: no barrier needed.
    w.set_word(reference::header(large) + ARRAY_ELEMENTS + 4 * 9_999, young);
    let object = w.try_struct(&huge, 0).unwrap();
    w.push(object);
    let young = w.pair(2);
    w.set(object, 4 * HUGE as u32, young);
    w.minor();
    assert_eq!((w.top(1), w.top(0)), (large, object));
    assert_eq!(w.get(w.get(large, ARRAY_ELEMENTS + 4 * 9_999), 12), 1);
    assert_eq!(w.get(w.get(object, 4 * HUGE as u32), 12), 2);
    w.pop();
    w.major();
    assert_eq!(w.heap.array_len(&w.mem, large), Some(10_000));
    w.pop();
    w.major();
    assert_eq!(w.heap.stats().live_after_major, 0);
    let again = w.try_array(&refs, 10_000, 0).unwrap();
    // In the same page, wherever in it.
    assert_eq!(reference::header(again) / 4096, reference::header(large) / 4096);
    w.verify().unwrap();
}

/// A caller may trap between allocation and initialisation; then a large object that nobody can
/// reach holds whatever was in its pages.
#[test]
fn large_objects_that_were_never_set_up_do_no_harm() {
    let mut w = World::new(HeapOptions { poison: false, ..options() });
    let refs = w.types.refs.clone();
    for _ in 0..3 {
        let array = w.try_array(&refs, 5000, 0).unwrap();
        let young = w.pair(1);
        let at = reference::header(array);
        (0..5000).for_each(|i| w.set_word(at + ARRAY_ELEMENTS + 4 * i, young));
        w.major();
        w.heap.alloc(&mut w.mem, &mut w.host, 20_000).unwrap();
        w.heap.alloc_array(&mut w.mem, &mut w.host, refs.rtt, 5000).unwrap();
        w.minor();
    }
}

#[test]
fn dead_large_objects_make_a_major_collection_due() {
    let mut w = World::new(HeapOptions { verify: false, ..options() });
    let ty = w.types.bytes.clone();
    for _ in 0..if cfg!(miri) { 10 } else { 200 } {
        w.try_array(&ty, 100_000, 1).unwrap();
    }
    assert!(w.heap.stats().major > 1);
    assert!(w.mem.bytes().len() < 2 << 20);
}

#[test]
fn the_host_learns_which_of_its_slots_are_dead() {
    let mut w = World::new(options());
    let (a, b) = (w.host_object(10), w.pair(0));
    w.push(b);
    w.push(a);
    let c = w.host_object(11);
    w.set(b, 4, c);
    w.host_object(12);
    w.major();
    assert_eq!(w.host.alive, [10, 11].into());
    w.pop();
    w.minor();
    assert_eq!(w.host.alive, [10, 11].into());
    w.major();
    assert_eq!(w.host.alive, [11].into());
}

#[test]
fn scattered_survivors_are_moved_together() {
    let mut w = World::new(HeapOptions { verify: false, ..options() });
    let n = if cfg!(miri) { 500 } else { NURSERY_PAIRS * 16 };
    w.push_list(0, n);
    w.minor();
    // Keep one object in a hundred: too few for a line to be free, many blocks stay.
    let mut at = w.top(0);
    while at != reference::NULL {
        let mut next = at;
        for _ in 0..100 {
            next = if next == reference::NULL { next } else { w.get(next, 4) };
        }
        w.set(at, 4, next);
        at = next;
    }
    w.major();
    let (moved, head) = (w.heap.stats().evacuated_bytes, w.top(0));
    w.major();
    assert!(cfg!(miri) || (w.heap.stats().evacuated_bytes > moved && w.top(0) != head));
    assert_eq!(w.list(w.top(0)), (0..n).step_by(100).collect::<Vec<_>>());
    w.verify().unwrap();
}

#[test]
fn zeal_moves_every_small_object_at_every_collection() {
    let mut w = World::new(HeapOptions { zeal: NonZeroU32::new(2), incremental: false, ..options() });
    w.push_list(0, 40);
    assert_eq!(w.heap.stats().major, 20);
    let mut before: Vec<u32> = vec![];
    for _ in 0..4 {
        let mut now = vec![];
        let mut at = w.top(0);
        while at != reference::NULL {
            now.push(at);
            at = w.get(at, 4);
        }
        assert!(before.iter().zip(&now).all(|(before, now)| before != now));
        before = now;
        w.major();
    }
    assert_eq!(w.list(w.top(0)), (0..40).collect::<Vec<_>>());
}

#[test]
fn objects_that_the_host_makes_are_null_or_zero() {
    let mut w = World::new(options());
    for ty in [w.types.pair.clone(), w.types.wide.clone(), w.types.huge.clone(), w.types.refs.clone()] {
        let object = w.heap.alloc_object(&mut w.mem, &mut w.host, &ty).unwrap();
        w.push(object);
        assert_eq!(w.heap.type_of(&w.mem, object).map(|found| found.index), Some(ty.index));
        w.major();
    }
    assert_eq!((w.get(w.top(3), 4), w.get(w.top(3), 12)), (reference::NULL, 0));
    assert_eq!(w.heap.array_len(&w.mem, w.top(0)), Some(0));
    assert_eq!(w.heap.array_len(&w.mem, w.top(1)), None);
    assert!(w.heap.type_of(&w.mem, reference::NULL).is_none() && w.heap.type_of(&w.mem, 8).is_none());
}

#[test]
fn types_may_come_later_until_their_records_reach_the_first_page() {
    let mut w = World::new(options());
    assert_eq!(w.heap.known_types(), w.types.all.since(0).len());
    let registry = w.types.all.registry().clone();
    let mut result = Ok(());
    let mut last = w.types.pair.clone();
    for n in 0..if cfg!(miri) { 20 } else { 4000 } {
        use crate::types::*;
        let field = |i| FieldType { storage: crate::fuzzing::heap_model::world::i32(), mutable: n >> i & 1 == 1 };
        let composite = CompositeType::Struct((0..12).map(field).collect());
        let ty = SubType::new(true, None, composite);
        let id = registry.intern(RecGroup { types: vec![ty] }).unwrap();
        let ty = w.types.all.ensure(id).unwrap();
        result = w.heap.sync_types(&mut w.mem, &w.types.all.since(w.heap.known_types()));
        if result.is_err() {
            let error = w.heap.alloc_object(&mut w.mem, &mut w.host, &ty).unwrap_err();
            assert_eq!(error, AllocError::UnknownType { rtt: ty.rtt.0 });
            break;
        }
        last = ty;
    }
    assert!(cfg!(miri) || result.is_err() && w.heap.known_types() > 1000);
    let object = w.heap.alloc_object(&mut w.mem, &mut w.host, &last).unwrap();
    w.push(object);
    w.major();
    assert_eq!(w.heap.type_of(&w.mem, w.top(0)).unwrap().index, last.index);
}

#[test]
fn a_memory_that_is_larger_than_asked_is_used_and_one_that_is_too_small_refused() {
    let map = HeapMap::new(MapParams { stack_bytes: 65536, nursery_bytes: 65536 });
    let types = Types::new(map);
    let mut inner = VecMemory::new(u64::MAX);
    inner.grow_to(1 << 20).unwrap();
    let mut mem = TestMemory { inner, requests: 0 };
    let all = types.all.since(0);
    let mut heap = Heap::new(&mut mem, map, &all, types.all.end(), HeapOptions::default()).unwrap();
    assert!(heap.alloc_array(&mut mem, &mut Host::default(), types.bytes.rtt, 500_000).is_ok());
    let options = HeapOptions { max_bytes: 200_000, ..Default::default() };
    assert!(matches!(Heap::new(&mut mem, map, &all, types.all.end(), options), Err(AllocError::Full { .. })));
    let mut small = TestMemory { inner: VecMemory::new(65536), requests: 9 };
    assert!(Heap::new(&mut small, map, &all, types.all.end(), HeapOptions::default()).is_err());
}
