//! The harnesses of the fuzz targets, and what they share.
//!
//! | file | idea |
//! |---|---|
//! | `generate/` | random modules with objects, valid by construction |
//! | `replay.rs` | a harness on pseudo-random inputs, for `cargo test` and campaigns |
//! | `seeds.rs` | the seed corpus of `fuzz/corpus/`, made and replayed |
//! | `lower_valid.rs` | lowering succeeds on valid modules, and its output is core WebAssembly |
//! | `decode.rs` | broken modules are refused, nothing worse |
//! | `gc_ops/` | the embedder's interface agrees with a model that never collects |
//! | `heap_model/` | the heap agrees with a model that never collects |
//! | `differential.rs` | lowered modules do what they do on the engine's own collector |
//! | `side_table.rs` | side tables agree with a model, on ours and on stock Wasmtime |
//! | `linked.rs` | linking intrinsics into a module changes nothing else |
//! | `interrupted.rs` | a module that runs out of fuel anywhere leaves a good heap |
//! | `text_rtt.rs` | broken modules of the explicit-RTT dialect are refused, nothing worse |
//! | `rtt_differential.rs` | casts against RTTs do what casts of the standard do |
//! | `opt_pass.rs` | each pass of the optimiser is right alone, and the others without it |
//! | `legacy.rs` | the older exceptions do what those of the standard do |
//!
//! The contract of a harness is in `fuzz/README.md`.

#![allow(missing_docs, reason = "only `run` is called from outside, by this crate's own fuzz targets")]

pub mod decode;
pub mod differential;
pub mod gc_ops;
pub mod generate;
pub mod heap_model;
pub mod interrupted;
pub mod legacy;
pub mod linked;
pub mod lower_valid;
pub mod opt_pass;
#[cfg(test)]
mod replay;
pub mod rtt_differential;
#[cfg(test)]
mod seeds;
pub mod side_table;
pub mod text_rtt;
