//! The heap agrees with a model that never collects.
//!
//! An input is a program of heap operations, and how the heap is set up: zeal, poisoning, memory that
//! refuses to grow from some moment on. The heap is alone, over a vector of bytes.
//!
//! Most inputs are *light*: a short program in a heap smaller than engines make, so that thousands run in a
//! second; the few others are long programs in heaps as engines make them, with all objects compared every few steps.
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
use crate::layout::{HeapMap, PAGE};
use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};

/// What a program may be.
#[derive(Clone, Copy)]
struct Scale {
    /// The most steps.
    steps: usize,
    /// ... with zeal, where each allocation costs a collection.
    steps_with_zeal: usize,
    /// How many of 100 have the verifier at every collection, and freed memory poisoned.
    verify: usize,
    poison: usize,
    /// The longest run of garbage.
    garbage: usize,
    /// Large arrays have so many bytes or references more than the smallest.
    large: [usize; 2],
    /// Whether there are structs that are large objects.
    huge: bool,
}

const LIGHT: Scale =
    Scale { steps: 64, steps_with_zeal: 40, verify: 10, poison: 50, garbage: 200, large: [1000, 50], huge: false };

const THOROUGH: Scale = Scale {
    steps: 400,
    steps_with_zeal: 100,
    verify: 75,
    poison: 75,
    garbage: 3000,
    large: [32_000, 2000],
    huge: true,
};

/// A map with 1024 words of shadow stack, and a nursery that holds one object of 8 KiB and little else.
const SMALL: HeapMap = HeapMap {
    stack_top: 4096,
    nursery_start: 4096 + PAGE,
    nursery_end: 4096 + PAGE + 12288,
    rtt_start: 4096 + PAGE + 12288,
};

/// The types of light programs. They never change.
static TYPES: LazyLock<Arc<world::Types>> = LazyLock::new(|| Arc::new(world::Types::without_huge(SMALL)));

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    let mut s = Source::new(data);
    if s.chance(1) {
        thorough(&mut s);
    } else {
        light(&mut s);
    }
}

fn light(s: &mut Source<'_>) {
    let (options, requests, steps) = program(s, LIGHT);
    let world = world::World::with_types(options.clone(), SMALL, TYPES.clone());
    agrees(model::run_light(world, requests, &steps), &options, requests, &steps);
}

fn thorough(s: &mut Source<'_>) {
    let (options, requests, steps) = program(s, THOROUGH);
    agrees(run_steps(options.clone(), requests, &steps), &options, requests, &steps);
}

fn agrees(outcome: Result<(), String>, options: &HeapOptions, requests: u64, steps: &[Step]) {
    if let Err(what) = outcome {
        panic!("{what}\n{options:?}\nrequests: {requests}\n{steps:?}");
    }
}

fn program(s: &mut Source<'_>, scale: Scale) -> (HeapOptions, u64, Vec<Step>) {
    let (options, requests) = setup(s, scale);
    let most = if options.zeal.is_some() { scale.steps_with_zeal } else { scale.steps };
    let mut steps = vec![];
    while !s.is_empty() && steps.len() < most {
        steps.push(step(s, scale, options.zeal.is_some()));
    }
    (options, requests, steps)
}

fn setup(s: &mut Source<'_>, scale: Scale) -> (HeapOptions, u64) {
    let zeal = s.weighted(&[(5, 0), (2, 1), (1, 2), (1, 5)]);
    let (verify, poison) = (s.chance(scale.verify), s.chance(scale.poison));
    let eager = s.chance(25);
    let usual = options();
    let many = s.chance(50);
    let incremental = s.chance(75);
    let watches = s.chance(50);
    let few = s.chance(50);
    let step_work = s.weighted(&[(3, 1), (3, 3), (2, 20), (1, 1000)]);
    let options = HeapOptions {
        mark_threads: if many { 3 } else { 1 },
        parallel_least: 0,
        incremental,
        step_work,
        step_nursery: 8192,
        remembered_first: if few { 3 } else { usual.remembered_first },
        watch_least: if watches { 0 } else { usual.watch_least },
        zeal: NonZeroU32::new(zeal),
        poison,
        verify,
        fragmentation: if eager { 0.0 } else { usual.fragmentation },
        pretenure_share: if eager { 0.0 } else { usual.pretenure_share },
        nursery_least: if eager { 0 } else { usual.nursery_least },
        ..usual
    };
    let requests = if s.chance(25) { s.below(12) as u64 } else { u64::MAX };
    (options, requests)
}

/// With zeal each allocation costs a collection, so that there must not be too many.
fn step(s: &mut Source<'_>, scale: Scale, zeal: bool) -> Step {
    let mut n = || s.below(1000);
    let (a, b, c) = (n(), n(), n());
    match s.below(80) {
        10 if scale.huge => Step::Huge,
        0..=7 | 10 => Step::Pair(a as u32),
        8..=9 => Step::Wide(a as u32),
        11..=12 => Step::Bytes(3 * a as u32),
        13 => Step::Bytes((8000 + scale.large[0] * a / 1000) as u32),
        14..=15 => Step::Refs(a as u32 % 60),
        16 => Step::Refs((2030 + scale.large[1] * a / 1000) as u32),
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
        55 if !zeal => Step::Garbage((scale.garbage * a / 1000) as u32),
        56..=57 => Step::Minor,
        58 => Step::Major,
        72..=76 => Step::Mark,
        60..=61 => Step::Weak(a),
        62..=63 => Step::LoadWeak(a),
        64 => Step::DropWeak(a),
        65..=67 => Step::SetEphemeron(a, b),
        68 => Step::LoadEphemeron(a),
        69 => Step::RemoveEphemeron(a),
        70 => Step::Finalizer(a, b),
        71 => Step::Lose,
        77 => Step::Hold,
        78 => Step::Release,
        _ => Step::Store(a, b, c),
    }
}

#[cfg(test)]
mod tests {
    use crate::fuzzing::generate::Source;
    use crate::fuzzing::replay::replay;

    #[test]
    fn replayed() {
        replay(super::run, if cfg!(miri) { 4 } else { 1000 }, 500);
    }

    #[test]
    fn replayed_thoroughly() {
        let most = if cfg!(miri) { 200 } else { 4000 };
        replay(|data: &[u8]| super::thorough(&mut Source::new(data)), if cfg!(miri) { 1 } else { 40 }, most);
    }
}
