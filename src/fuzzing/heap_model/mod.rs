//! The heap agrees with a model that never collects.
//!
//! An input is a program of heap operations, and how the heap is set up: zeal, poisoning, memory that
//! refuses to grow from some moment on. The heap is alone, over a vector of bytes.
//!
//! | file | idea |
//! |---|---|
//! | `world.rs` | a mutator: a heap, its memory, and by hand what lowered code does |
//! | `model.rs` | the operations, and the model that does the same |
//! | `weak.rs` | its weak references, ephemerons and finalizers |

mod model;
mod weak;
pub mod world;

pub use model::{Step, run as run_steps};
pub use world::options;

use super::generate::Source;
use crate::heap::HeapOptions;
use std::num::NonZeroU32;

/// The most steps of a program.
const STEPS: usize = 400;

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    let mut s = Source::new(data);
    let (options, requests) = setup(&mut s);
    let most = if options.zeal.is_some() { STEPS / 4 } else { STEPS };
    let mut steps = vec![];
    while !s.is_empty() && steps.len() < most {
        steps.push(step(&mut s, options.zeal.is_some()));
    }
    if let Err(what) = run_steps(options.clone(), requests, &steps) {
        panic!("{what}\n{options:?}\nrequests: {requests}\n{steps:?}");
    }
}

fn setup(s: &mut Source<'_>) -> (HeapOptions, u64) {
    let zeal = s.weighted(&[(5, 0), (2, 1), (1, 2), (1, 5)]);
    let aids = !s.chance(25);
    let eager = s.chance(25);
    let usual = options();
    let many = s.chance(50);
    let options = HeapOptions {
        mark_threads: if many { 3 } else { 1 },
        parallel_least: 0,
        zeal: NonZeroU32::new(zeal),
        poison: aids,
        verify: aids,
        fragmentation: if eager { 0.0 } else { usual.fragmentation },
        pretenure_share: if eager { 0.0 } else { usual.pretenure_share },
        nursery_least: if eager { 0 } else { usual.nursery_least },
        ..usual
    };
    let requests = if s.chance(25) { s.below(12) as u64 } else { u64::MAX };
    (options, requests)
}

/// With zeal each allocation costs a collection, so that there must not be too many.
fn step(s: &mut Source<'_>, zeal: bool) -> Step {
    let mut n = || s.below(1000);
    let (a, b, c) = (n(), n(), n());
    match s.below(72) {
        0..=7 => Step::Pair(a as u32),
        8..=9 => Step::Wide(a as u32),
        10 => Step::Huge,
        11..=12 => Step::Bytes(3 * a as u32),
        13 => Step::Bytes(8000 + 32 * a as u32),
        14..=15 => Step::Refs(a as u32 % 60),
        16 => Step::Refs(1500 + 2 * a as u32),
        17 => Step::Host(a as u32),
        18 => Step::PushNull,
        19 => Step::PushI31(a as u32 * 2_147_483),
        20..=22 => Step::PushCopy(a),
        23..=29 => Step::Pop,
        30..=36 => Step::Load(a, b),
        37..=47 => Step::Store(a, b, c),
        48..=49 => Step::Fill(a, b),
        50..=51 => Step::StoreArea(a, b),
        52 => Step::LoadArea(a),
        53 => Step::StoreHost(a, b),
        54 => Step::LoadHost(a),
        55 if !zeal => Step::Garbage(3 * a as u32),
        56..=57 => Step::Minor,
        58 => Step::Major,
        60..=61 => Step::Weak(a),
        62..=63 => Step::LoadWeak(a),
        64 => Step::DropWeak(a),
        65..=67 => Step::SetEphemeron(a, b),
        68 => Step::LoadEphemeron(a),
        69 => Step::RemoveEphemeron(a),
        70 => Step::Finalizer(a, b),
        _ => Step::Flush,
    }
}

#[cfg(test)]
mod tests {
    use crate::fuzzing::replay::replay;

    #[test]
    fn replayed() {
        replay(super::run, if cfg!(miri) { 1 } else { 40 }, if cfg!(miri) { 200 } else { 4000 });
    }
}
