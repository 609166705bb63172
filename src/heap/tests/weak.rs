//! Weak references, ephemerons, finalizers, and what host objects hold: what is settled when, and how
//! everything follows objects that move. Random programs are in `model.rs`.

use crate::fuzzing::heap_model::world::{World, options};
use crate::heap::*;
use crate::layout::reference::{self, NULL};

/// Both kinds of collection, from the same start.
fn with_each(test: impl Fn(&mut dyn FnMut(&mut World), &mut World)) {
    for zeal in [None, std::num::NonZeroU32::new(1000)] {
        let options = HeapOptions { zeal, ..options() };
        test(&mut |w| w.minor(), &mut World::new(options.clone()));
        test(&mut |w| w.major(), &mut World::new(options));
    }
}

#[test]
fn a_weak_reference_follows_its_object_and_ends_with_it() {
    with_each(|collect, w| {
        let (kept, lost) = (w.pair(1), w.pair(2));
        w.push(kept);
        let (kept, lost) = (w.heap.new_weak(kept), w.heap.new_weak(lost));
        collect(w);
        assert_eq!((w.heap.weak(&kept), w.heap.weak(&lost)), (w.top(0), NULL));
        assert_eq!(w.get(w.heap.weak(&kept), 12), 1);
        w.pop();
        w.major();
        assert_eq!(w.heap.weak(&kept), NULL);
    });
}

#[test]
fn what_is_no_object_never_dies() {
    with_each(|collect, w| {
        let rtt = w.types.pair.rtt.0 - reference::BIAS;
        let words = [reference::i31(7), rtt].map(|word| (word, w.heap.new_weak(word)));
        collect(w);
        assert!(words.iter().all(|(word, weak)| w.heap.weak(weak) == *word));
    });
}

#[test]
fn entries_of_dropped_weak_references_are_used_again() {
    let mut w = World::new(options());
    let object = w.pair(1);
    w.push(object);
    let kept = w.heap.new_weak(object);
    for _ in 0..if cfg!(miri) { 1000 } else { 10_000 } {
        w.heap.new_weak(object);
    }
    let other = w.heap.new_weak(reference::i31(1));
    w.minor();
    w.major();
    assert_eq!((w.heap.weak(&kept), w.heap.weak(&other)), (w.top(0), reference::i31(1)));
    let mut entries = 0;
    w.heap.weak.each_word(&mut |_| entries += 1);
    assert_eq!(entries, 2);
}

/// What refers to young objects is listed for the next collection, and a host that makes and drops such things but
/// never allocates in the heap never comes to one. The lists grew all the while.
#[test]
fn lists_of_recent_entries_stay_short_without_collections() {
    let mut w = World::new(options());
    let objects: Vec<u32> = (0..100).map(|n| w.pair(n)).collect();
    let map = w.heap.new_ephemerons();
    let weak = w.heap.new_weak(objects[0]);
    for n in 0..if cfg!(miri) { 3000 } else { 100_000 } {
        let object = objects[n % 100];
        drop(w.heap.new_weak(object));
        assert_eq!(w.heap.set_ephemeron(&map, object, object), None);
        assert_eq!(w.heap.remove_ephemeron(&map, object), Some(object));
    }
    let (weaks, keys) = w.heap.listed();
    assert!(weaks < 1000 && keys < 1000, "{weaks} and {keys} are listed");
    objects.iter().for_each(|&object| w.push(object));
    w.minor();
    assert_eq!(w.heap.weak(&weak), w.top(99), "what was listed is followed");
}

/// What guests may have of them is bounded by these numbers.
#[test]
fn weak_references_and_entries_of_maps_are_counted() {
    let mut w = World::new(options());
    let key = w.pair(1);
    w.push(key);
    let weak: Vec<_> = (0..100).map(|_| w.heap.new_weak(key)).collect();
    assert_eq!(w.heap.weak_refs(10), 100);
    drop(weak);
    assert_eq!(w.heap.weak_refs(10), 0);
    let maps: Vec<_> = (0..50).map(|_| w.heap.new_ephemerons()).collect();
    for map in &maps {
        w.heap.set_ephemeron(map, key, key);
        w.heap.set_ephemeron(map, key, NULL);
    }
    assert_eq!(w.heap.ephemeron_entries(usize::MAX), 100);
    w.major();
    assert_eq!(w.heap.ephemeron_entries(usize::MAX), 100);
    assert_eq!(w.heap.remove_ephemeron(&maps[0], w.top(0)), Some(NULL));
    assert_eq!(w.heap.ephemeron_entries(usize::MAX), 99);
    drop(maps);
    assert_eq!(w.heap.ephemeron_entries(10), 0);
}

#[test]
fn an_ephemeron_keeps_its_value_and_never_its_key() {
    with_each(|collect, w| {
        let map = w.heap.new_ephemerons();
        let (key, value, lost) = (w.pair(1), w.pair(2), w.pair(3));
        // Each value refers to its key, which makes no difference.
        w.set(value, 4, key);
        let back = w.pair(4);
        w.set(back, 4, lost);
        w.heap.set_ephemeron(&map, key, value);
        w.heap.set_ephemeron(&map, lost, back);
        w.push(key);
        collect(w);
        let value = w.heap.ephemeron(&map, w.top(0)).unwrap();
        assert_eq!((w.get(value, 12), w.get(value, 4), w.heap.ephemerons(&map)), (2, w.top(0), 1));
        w.pop();
        w.major();
        assert_eq!(w.heap.ephemerons(&map), 0);
    });
}

/// A chain of ephemerons in which each value is the next key takes one pass over the chain for each link if
/// the entries come in the wrong order: hours for this many.
#[test]
fn a_long_chain_of_ephemerons_takes_linear_time() {
    const LINKS: u32 = if cfg!(miri) { 50 } else { 100_000 };
    for shuffled in [1, 7919, LINKS - 1] {
        let mut w = World::new(HeapOptions { verify: false, ..options() });
        let map = w.heap.new_ephemerons();
        let keys: Vec<WeakId> = (0..=LINKS)
            .map(|number| {
                let key = w.pair(number);
                w.host.words.push(key);
                w.heap.new_weak(key)
            })
            .collect();
        for i in 0..LINKS {
            let i = (u64::from(i) * u64::from(shuffled) % u64::from(LINKS)) as usize;
            let (key, value) = (w.heap.weak(&keys[i]), w.heap.weak(&keys[i + 1]));
            w.heap.set_ephemeron(&map, key, value);
        }
        w.host.words.truncate(1);
        w.major();
        w.minor();
        w.major();
        assert_eq!(w.get(w.heap.weak(&keys[LINKS as usize]), 12), LINKS);
        w.host.words.clear();
        w.major();
        assert_eq!((w.heap.ephemerons(&map), w.heap.weak(&keys[LINKS as usize])), (0, NULL));
    }
}

#[test]
fn a_map_that_is_dropped_keeps_nothing() {
    let mut w = World::new(options());
    let (map, key, value) = (w.heap.new_ephemerons(), w.pair(1), w.pair(2));
    let weak = w.heap.new_weak(value);
    w.heap.set_ephemeron(&map, key, value);
    w.push(key);
    w.major();
    assert_ne!(w.heap.weak(&weak), NULL);
    drop(map);
    w.major();
    assert_eq!(w.heap.weak(&weak), NULL);
    let map = w.heap.new_ephemerons();
    assert_eq!(w.heap.ephemeron(&map, w.top(0)), None);
}

#[test]
fn finalizations_are_queued_in_order_with_what_was_held() {
    with_each(|collect, w| {
        let (told, silent) = (w.heap.new_queue(true), w.heap.new_queue(false));
        let kept = w.pair(0);
        w.push(kept);
        for number in 1..=4 {
            let (target, held) = (w.pair(number), w.pair(10 * number));
            w.heap.register_finalizer(if number == 3 { &silent } else { &told }, target, held);
        }
        w.heap.register_finalizer(&told, kept, NULL);
        let late = w.pair(5);
        let registration = w.heap.register_finalizer(&told, late, NULL);
        assert!(!w.heap.unregister_finalizer(&silent, registration));
        assert!(w.heap.unregister_finalizer(&told, registration) && !w.heap.unregister_finalizer(&told, registration));
        assert_eq!(w.heap.told_finalization(), None);
        collect(w);
        // What was held is still alive after more collections.
        w.minor();
        w.major();
        let mut take = |queue: &QueueId| w.heap.take_finalization(queue.number());
        let held =
            [take(&told), take(&silent), take(&told), take(&silent)].map(|held| held.map(|held| w.get(held, 12)));
        assert_eq!(held, [Some(10), Some(30), Some(20), None]);
        assert_eq!(w.heap.told_finalization(), Some(told.number()));
        let last = w.heap.take_finalization(told.number()).unwrap();
        assert_eq!((w.get(last, 12), w.heap.told_finalization()), (40, None));
        w.pop();
        w.major();
        assert_eq!(w.heap.take_finalization(told.number()), Some(NULL));
    });
}

/// Each new map looked at all others for one that nobody held: a hundred thousand took minutes.
#[test]
fn many_maps_can_be_made() {
    let mut w = World::new(options());
    let key = w.pair(1);
    let many = if cfg!(miri) { 300 } else { 100_000 };
    let maps: Vec<_> = (0..many).map(|_| w.heap.new_ephemerons()).collect();
    for map in &maps {
        assert_eq!(w.heap.set_ephemeron(map, key, key), None);
    }
    drop(maps);
    for _ in 0..2 * many {
        let map = w.heap.new_ephemerons();
        assert_eq!(w.heap.set_ephemeron(&map, key, key), None);
        assert_eq!(w.heap.set_ephemeron(&map, key, NULL), Some(key));
    }
}

/// What guests may have of them is bounded by this number. What is registered and taken back at once counts no more,
/// also where no collection comes between.
#[test]
fn registrations_and_reports_are_counted() {
    with_each(|collect, w| {
        let (queue, dropped) = (w.heap.new_queue(true), w.heap.new_queue(false));
        let (kept, dead) = (w.pair(1), w.pair(2));
        w.push(kept);
        for _ in 0..1000 {
            let registration = w.heap.register_finalizer(&queue, kept, NULL);
            assert_eq!(w.heap.finalizers(), 1);
            assert!(w.heap.unregister_finalizer(&queue, registration));
        }
        w.heap.register_finalizer(&queue, kept, NULL);
        w.heap.register_finalizer(&queue, dead, NULL);
        w.heap.register_finalizer(&dropped, dead, NULL);
        assert_eq!(w.heap.finalizers(), 3);
        collect(w);
        assert_eq!(w.heap.finalizers(), 3, "two of them wait to be taken");
        assert!(w.heap.take_finalization(queue.number()).is_some());
        assert!(w.heap.take_finalization(queue.number()).is_none());
        assert_eq!(w.heap.finalizers(), 2);
        drop(dropped);
        w.major();
        assert_eq!(w.heap.finalizers(), 1);
    });
}

#[test]
fn a_queue_that_is_dropped_holds_nothing() {
    with_each(|collect, w| {
        let queue = w.heap.new_queue(true);
        let (target, held, dead, of_dead) = (w.pair(1), w.pair(2), w.pair(3), w.pair(4));
        w.push(target);
        let weak = [held, of_dead].map(|word| w.heap.new_weak(word));
        w.heap.register_finalizer(&queue, target, held);
        w.heap.register_finalizer(&queue, dead, of_dead);
        collect(w);
        assert!(weak.iter().all(|weak| w.heap.weak(weak) != NULL));
        drop(queue);
        w.major();
        assert!(weak.iter().all(|weak| w.heap.weak(weak) == NULL) && w.heap.told_finalization().is_none());
    });
}

#[test]
fn a_weak_reference_is_dead_when_the_finalization_is_queued() {
    with_each(|collect, w| {
        let (a, b) = (w.pair(1), w.pair(2));
        w.set(a, 4, b);
        let weak = [a, b].map(|object| w.heap.new_weak(object));
        let queue = w.heap.new_queue(true);
        w.heap.register_finalizer(&queue, b, NULL);
        collect(w);
        assert!(w.heap.told_finalization().is_some() && weak.iter().all(|weak| w.heap.weak(weak) == NULL));
    });
}

#[test]
fn what_a_host_object_holds_lives_and_moves_with_it() {
    for zeal in [None, std::num::NonZeroU32::new(1000)] {
        let mut w = World::new(HeapOptions { zeal, ..options() });
        let host = w.host_object(7);
        w.push(host);
        w.minor();
        // The object is old now, and nobody has told a barrier.
        let held = w.pair(1);
        w.hold(7, held);
        w.minor();
        assert!(!w.is_young(w.host.held[&7]));
        w.major();
        w.major();
        assert_eq!(w.get(w.host.held[&7], 12), 1);
    }
}

#[test]
fn a_cycle_through_a_host_object_is_collected() {
    let mut w = World::new(options());
    let (host, guest) = (w.host_object(7), w.pair(1));
    w.set(guest, 4, host);
    w.hold(7, guest);
    let weak = w.heap.new_weak(guest);
    w.push(host);
    w.major();
    assert_eq!(w.get(w.heap.weak(&weak), 12), 1);
    w.pop();
    w.major();
    assert_eq!((w.heap.weak(&weak), w.host.alive.len(), w.host.held.len()), (NULL, 0, 0));
}

/// A visit of a host object that panics leaves the heap in the middle of a collection. It must not be used
/// after that.
#[test]
fn a_panic_of_the_host_during_a_collection_leaves_a_heap_that_refuses() {
    struct Panics;
    impl Roots for Panics {
        fn each(&mut self, _: &mut dyn FnMut(&mut u32)) {
            panic!("the host")
        }
        fn mark_host_slot(&mut self, _: u32, _: &mut dyn FnMut(&mut u32)) {}
        fn sweep_host_slots(&mut self) {}
    }
    let mut w = World::new(HeapOptions { verify: false, ..options() });
    let (heap, mem) = (&mut w.heap, &mut w.mem);
    let collect = || heap.collect(mem, &mut Panics, CollectKind::Major);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(collect)).is_err());
    let refused = w.heap.collect(&mut w.mem, &mut w.host, CollectKind::Major);
    assert!(matches!(refused, Err(AllocError::Corrupt(VerifyError { fault: Fault::Interrupted, .. }))));
}
