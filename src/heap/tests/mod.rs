//! Tests of the whole heap, with a mutator that does by hand what lowered code does: the one of
//! `src/fuzzing/heap_model/`.
//!
//! | file | what it tests |
//! |---|---|
//! | `collect.rs` | minor and major collections, the barrier, host objects |
//! | `shortage.rs` | memory that refuses to grow, at every moment |
//! | `pretenure.rs` | allocation in the old space while nearly everything survives |
//! | `hold.rs` | collections that have to wait |
//! | `parallel.rs` | marking on several threads |
//! | `steps.rs` | major collections in steps: the barrier between two of them |
//! | `watch.rs` | large objects that die young |
//! | `corrupt.rs` | the verifier finds what is wrong; garbage in memory is no panic |
//! | `weak.rs` | weak references, ephemerons, finalizers, what host objects hold |
//! | `nepotism.rs` | what hangs from dead old objects |
//! | `model.rs` | random programs against a model heap |

mod collect;
mod corrupt;
mod hold;
mod model;
mod nepotism;
mod parallel;
mod pretenure;
mod shortage;
mod steps;
mod watch;
mod weak;
