//! The verifier names what is wrong, and a heap full of garbage is an error, never a panic.

use crate::fuzzing::heap_model::world::{World, options};
use crate::heap::*;
use crate::layout::object::ARRAY_LENGTH;
use crate::layout::reference;

fn world() -> World {
    let mut w = World::new(HeapOptions { verify: false, ..options() });
    w.push_list(0, 100);
    w.minor();
    let old = w.top(0);
    let young = w.pair(1);
    w.set(old, 8, young);
    let array = w.try_array(&w.types.refs.clone(), 20, 0).unwrap();
    w.push(array);
    w.verify().unwrap();
    w
}

/// Breaks a world: what the verifier then says.
fn broken(harm: impl FnOnce(&mut World)) -> VerifyError {
    let mut w = world();
    harm(&mut w);
    w.verify().unwrap_err()
}

#[test]
fn each_fault_is_found_and_placed() {
    let error = broken(|w| w.set_word(w.map.sp_cell(), w.map.stack_top + 4));
    assert_eq!(error.fault, Fault::StackPointer);
    let error = broken(|w| w.set_word(w.map.bump_cell(), w.map.nursery_end + 4));
    assert_eq!(error.fault, Fault::Bump);
    let error = broken(|w| w.set_word(w.map.remembered_cell(), 0));
    assert_eq!((error.fault, error.place), (Fault::Remembered, Place::Cell(world().map.remembered_cell())));
    let error = broken(|w| w.push(POISON));
    assert_eq!((error.fault, error.word), (Fault::Reference, POISON));
    let error = broken(|w| w.push(reference::from_header(w.map.stack_top)));
    assert_eq!(error.fault, Fault::Reference);
    let error = broken(|w| w.host.words.push(reference::from_header(w.word(w.map.bump_cell()))));
    assert_eq!((error.fault, error.place), (Fault::Reference, Place::Host(0)));
    let error = broken(|w| w.set_word(reference::header(w.top(1)), 12));
    assert_eq!((error.fault, error.word), (Fault::Header, 12));
    let error = broken(|w| w.set_word(reference::header(w.top(0)) + ARRAY_LENGTH, 1 << 30));
    assert_eq!(error.fault, Fault::Size);
    let error = broken(|w| {
        let inside = reference::header(w.top(0)) + 12;
        w.set_word(inside, w.types.pair.rtt.0);
        w.push(reference::from_header(inside));
    });
    assert_eq!(error.fault, Fault::Overlap);
    let error = broken(|w| w.set_word(w.map.remembered_cell(), w.map.remembered_start()));
    assert_eq!(error.fault, Fault::NotRemembered);
    let error = broken(|w| {
        let (old, young) = (w.top(1), w.pair(1));
        w.heap.write_ref(&mut w.mem, old, 4, young);
        w.heap.remembered.repeat_last_slot();
    });
    assert_eq!(error.fault, Fault::RememberedTwice);
}

#[test]
fn an_error_tells_how_the_place_was_reached() {
    let error = broken(|w| {
        let second = w.get(w.top(1), 4);
        w.set_word(reference::header(second) + 4, POISON);
    });
    let [Place::Field(_, 4), Place::Root(_)] = error.path[..] else { panic!("{error}") };
    assert!(error.to_string().starts_with("no valid reference at object 0x"), "{error}");
    assert!(error.to_string().contains(": 0xdbdbdbdb, from object 0x"), "{error}");
}

#[test]
fn a_collection_that_meets_a_bad_object_fails_and_so_does_everything_after() {
    for kind in [CollectKind::Minor, CollectKind::Major] {
        let mut w = world();
        w.set_word(reference::header(w.top(0)), POISON);
        let error = w.heap.collect(&mut w.mem, &mut w.host, kind).unwrap_err();
        assert!(matches!(&error, AllocError::Corrupt(error) if error.fault == Fault::Header), "{error}");
        assert_eq!(w.heap.alloc(&mut w.mem, &mut w.host, 16), Err(error));
    }
}

/// Not every damage can be noticed; but none may panic or hang.
#[test]
fn garbage_anywhere_is_no_panic() {
    let rounds = if cfg!(miri) { 3 } else { 400 };
    let mut seed = 0x2545_F491_4F6C_DD1Du64;
    let mut random = move |below: u32| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as u32 % below
    };
    for _ in 0..rounds {
        let mut w = world();
        let space = w.map.space_start(w.types.all.end());
        let interesting = [w.map.nursery_start, w.map.rtt_start, space, w.map.stack_top - 64, w.top(0) + 3];
        for _ in 0..60 {
            let at = interesting[random(5) as usize] + 4 * random(500);
            let near = interesting[random(5) as usize] + 4 * random(500);
            let word = [near, near - 3, POISON, random(u32::MAX), w.types.refs.rtt.0, w.types.huge.rtt.0];
            if at < w.map.stack_top || at >= w.map.nursery_start {
                w.set_word(at, word[random(6) as usize]);
            }
        }
        let _ = w.verify();
        for _ in 0..3 {
            for kind in [CollectKind::Minor, CollectKind::Major] {
                let _ = w.heap.collect(&mut w.mem, &mut w.host, kind);
                w.heap.broken = None;
            }
            let _ = w.heap.alloc_array(&mut w.mem, &mut w.host, w.types.refs.rtt, 3000);
        }
    }
}
