//! Random modules with objects, valid by construction, as text.
//!
//! | file | idea |
//! |---|---|
//! | `source.rs` | decisions, drawn from an input's bytes |
//! | `types.rs` | recursion groups with subtyping |
//! | `address.rs` | addresses of 32 and of 64 bits |
//! | `module.rs` | sections, and what a module exports |
//! | `func.rs` | one function: locals, labels, its budget of instructions |
//! | `expr.rs`, `reference.rs` | expressions of a wanted type: numbers and what works for all; references |
//! | `stmt.rs` | statements that write |
//! | `branch.rs` | statements that branch |
//! | `bounds.rs` | accesses to arrays behind comparisons of the index with the length |
//! | `exception.rs` | throws and handlers, of the standard and of the proposal before it |
//! | `hash.rs` | functions that make a number of everything that a reference reaches |
//!
//! Modules end: a global counts *ticks* down, one for each call and each turn of a loop, and where it is
//! used up, functions return what is built soonest and loops end. Engines count alike, so that results
//! can be compared. What is not generated: floating point operations with a choice of NaNs.

mod address;
mod bounds;
mod branch;
mod exception;
mod expr;
mod func;
mod hash;
mod module;
mod reference;
mod source;
mod stmt;
mod types;

pub use module::{Exceptions, Options, module};
pub use source::Source;

/// The binary of generated text.
///
/// # Panics
///
/// When the text is invalid, which is a fault of the generator.
pub fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|err| panic!("the generator made an invalid module: {err}\n{text}"))
}
