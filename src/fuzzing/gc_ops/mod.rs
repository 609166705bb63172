//! The embedder's interface agrees with a model that never collects.
//!
//! An input is a program of operations on one store, as an embedder writes them: objects of all kinds, handles in
//! nested scopes, owned ones, globals, tables, weak references, an ephemeron map, finalizers, host values that hold
//! references, calls of a guest that calls back, and collections in between. After some of them everything that
//! the program can reach is walked on both sides; at the end it is also known exactly what must be gone.
//!
//! | file | idea |
//! |---|---|
//! | `guest.rs` | the module that is called, and engines for it |
//! | `model.rs` | values without a collector, and what is alive among them |
//! | `world.rs` | a store with its handles, beside the model |
//! | `ops.rs`, `weak_ops.rs` | the operations |
//! | `compare.rs` | both sides are walked together |
//!
//! What it is not: the heap alone, which `heap_model/` runs a thousand times as fast, or the compiler, which
//! `differential.rs` holds against another.

mod compare;
mod guest;
mod model;
mod ops;
mod weak_ops;
mod world;

use super::generate::Source;
use guest::Setup;
use world::World;

/// The most operations of a program.
const STEPS: usize = 150;

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    let mut s = Source::new(data);
    let setup = Setup::choose(&mut s);
    let outcome = guest::store(setup).and_then(|(mut store, guest)| {
        let mut world = World::new(&mut store, guest)?;
        let outcome = ops::run(&mut store, &mut world, &mut s);
        let outcome = outcome.and_then(|()| compare::settled(&mut store, &mut world));
        outcome.map_err(|err| err.context(format!("{:#?}", world.log)))
    });
    if let Err(err) = outcome {
        panic!("{err:?}\n{setup:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::replay::{input, replay};

    #[test]
    fn replayed() {
        replay(run, 150, 1500);
    }

    /// A program that makes nothing, or loses nothing, would agree with anything.
    #[test]
    fn programs_make_and_lose_objects() {
        let (mut made, mut lost, mut finalized) = (0, 0, 0);
        for seed in 500..540 {
            let input = input(seed, 1500);
            let (mut store, guest) = guest::store(Setup::default()).unwrap();
            let mut world = World::new(&mut store, guest).unwrap();
            ops::run(&mut store, &mut world, &mut Source::new(&input)).unwrap();
            compare::settled(&mut store, &mut world).unwrap();
            made += world.model.objects.len();
            lost += world.model.objects.len() - world.model.alive(&[]).len();
            finalized += world.model.watched.iter().filter(|watched| watched.dead).count();
        }
        assert!(made > 800 && lost > made / 4 && finalized > 40, "{made} {lost} {finalized}");
    }
}
