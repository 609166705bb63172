//! Memory that refuses to grow: an allocation fails, the heap does not.

use crate::fuzzing::heap_model::world::{World, options};
use crate::heap::*;
use crate::layout::object::ARRAY_ELEMENTS;
use crate::layout::reference;

/// A new object; `None` if the heap is full. No other error may happen.
fn unless_full(result: Result<u32, AllocError>) -> Option<u32> {
    match result {
        Ok(object) => Some(object),
        Err(AllocError::Full { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Allocates lists and arrays until it fails: how many objects there are.
fn fill(w: &mut World) -> u32 {
    let (pair, bytes) = (w.types.pair.clone(), w.types.bytes.clone());
    w.push(reference::NULL);
    for number in 0.. {
        let new = match number % 50 {
            49 => w.try_array(&bytes, 20_000, number),
            40..=48 => w.try_array(&bytes, 300 * (number % 7), number),
            _ => w.try_struct(&pair, number),
        };
        let Some(new) = unless_full(new) else { return number };
        w.push(new);
        let Some(link) = unless_full(w.try_struct(&pair, number)) else {
            w.pop();
            return number;
        };
        let new = w.pop();
        let tail = w.pop();
        w.set(link, 8, new);
        w.set(link, 4, tail);
        w.push(link);
    }
    0
}

fn check(w: &World, count: u32) {
    assert_eq!(w.list(w.top(0)), (0..count).rev().collect::<Vec<_>>());
    let mut at = w.top(0);
    while at != reference::NULL {
        let (object, number) = (w.get(at, 8), w.get(at, 12));
        match w.heap.array_len(&w.mem, object) {
            Some(0) => {}
            Some(len) => {
                let start = (reference::header(object) + ARRAY_ELEMENTS) as usize;
                assert!(w.mem.bytes()[start..start + len as usize].iter().all(|&byte| byte == number as u8));
            }
            None => assert_eq!(w.get(object, 12), number),
        }
        at = w.get(at, 4);
    }
}

#[test]
fn whenever_growth_is_refused_the_heap_stays_intact_and_usable() {
    for requests in if cfg!(miri) { vec![1] } else { vec![0, 1, 2, 3, 4, 5, 6, 7, 10, 15, 25] } {
        let mut w = World::new(HeapOptions { verify: false, ..options() });
        w.mem.requests = requests;
        let mut counts = vec![];
        for _ in 0..if cfg!(miri) { 2 } else { 4 } {
            let count = fill(&mut w);
            w.verify().unwrap();
            check(&w, count);
            counts.push(count);
            // Everything is dropped: as much as before can be allocated again.
            w.pop();
        }
        // With a page space of few blocks it depends on the order whether a large object fits.
        let (enough, tenths) = if requests < 4 { (40, 4) } else { (100, 8) };
        let alike = counts[1..].iter().all(|&n| n * 10 > counts[0] * tenths);
        assert!(counts[0] > enough && alike, "{requests}: {counts:?}");
    }
}

#[test]
fn a_limit_in_the_options_holds() {
    let max_bytes = if cfg!(miri) { 1 << 20 } else { 2 << 20 };
    let mut w = World::new(HeapOptions { verify: false, max_bytes, ..options() });
    let count = fill(&mut w);
    check(&w, count);
    assert!(w.mem.bytes().len() as u64 <= max_bytes);
    assert!(matches!(w.heap.alloc(&mut w.mem, &mut w.host, 100_000), Err(AllocError::Full { requested: 100_000, .. })));
    let bytes = w.types.bytes.rtt;
    let error = w.heap.alloc_array(&mut w.mem, &mut w.host, bytes, u32::MAX).unwrap_err();
    assert_eq!(error, AllocError::TooLarge { requested: 0x1_0000_0008, max_bytes });
    let refs = w.types.refs.rtt;
    let error = w.heap.alloc_array(&mut w.mem, &mut w.host, refs, u32::MAX).unwrap_err();
    assert!(matches!(error, AllocError::TooLarge { .. }));
    assert!(w.heap.alloc_root_area(&mut w.mem, u32::MAX).is_err());
    check(&w, count);
}

/// A nursery whose objects are all alive, and an old space of holes: what fits into holes only must
/// be promoted all the same.
#[test]
#[cfg_attr(miri, ignore = "hundreds of thousands of objects, which take Miri hours")]
fn a_full_heap_promotes_into_holes() {
    fill_holes(65536, 8, 7, false);
    fill_holes(65536, 8, 6, true);
    for requests in 8..16 {
        fill_holes(1 << 19, requests, 7, false);
        fill_holes(1 << 19, requests, 6, true);
    }
}

/// At least so many tenths of what was dropped must be there again.
fn fill_holes(nursery_bytes: u32, requests: u64, tenths: u32, incremental: bool) {
    let options = HeapOptions { incremental, verify: false, nursery_least: u32::MAX, ..options() };
    let mut w = World::with_nursery(options, nursery_bytes);
    w.mem.requests = requests;
    w.push(reference::NULL);
    let pair = w.types.pair.clone();
    let mut n = 0;
    while let Some(head) = unless_full(w.try_struct(&pair, n)) {
        let tail = w.pop();
        w.set(head, 4, tail);
        w.push(head);
        n += 1;
    }
    // Drop runs of 30 of 40: every block keeps objects, three quarters of all lines get free.
    let mut at = w.top(0);
    let mut kept = 0;
    while at != reference::NULL {
        for _ in 0..9 {
            at = if w.get(at, 4) == reference::NULL { at } else { w.get(at, 4) };
            kept += 1;
        }
        let mut next = w.get(at, 4);
        for _ in 0..30 {
            next = if next == reference::NULL { next } else { w.get(next, 4) };
        }
        w.set(at, 4, next);
        at = next;
        kept += 1;
    }
    let mut more = 0;
    while let Some(head) = unless_full(w.try_struct(&pair, n)) {
        let tail = w.pop();
        w.set(head, 4, tail);
        w.push(head);
        more += 1;
    }
    w.verify().unwrap();
    assert!(more * 10 > (n - kept) * tenths, "{n} filled it, {kept} stayed, {more} were added");
}
