//! The optimiser: passes over GC-level IR, before lowering.
//!
//! Only what an engine can not do on the lowered code is done here: it sees loads, compares and calls
//! where this sees fields, casts and allocations. Arithmetic is left to the engine.
//!
//! Every pass is linear in the size of the function, does not recurse, and leaves the IR's invariants
//! as they are. Its file says what it does before and after, and why that is right.
//!
//! | file | idea |
//! |---|---|
//! | `scope.rs` | what passes must know of the module |
//! | `walk.rs` | a forward walk that rewrites regions and knows the scopes |
//! | `lattice.rs` | the most precise type of what has two types, and of either of two |
//! | `facts.rs` | what is known of references at a point; whatever names the same object |
//! | `null_checks.rs` | which operands are not null behind an instruction |
//! | `closed_world.rs` | what all functions of a module together say |
//! | `devirtualize.rs` | pass: calls through fields that hold few functions, before inlining |
//! | `inline.rs` | pass: calls of small functions, before all others |
//! | `scalars.rs` | pass: structs that nobody else sees, as values of their fields |
//! | `type_flow.rs` | pass: casts, tests and null checks whose outcome is known |
//! | `loop_globals.rs` | pass: globals that loops read and write, as parameters of the loops |
//! | `redundant_loads.rs` | pass: fields, lengths and globals that were read or written before |
//! | `fold.rs` | pass: control on constants; blocks that nothing branches to |
//! | `dce.rs` | pass: what nobody uses, loop parameters and results of constructs included |

#![forbid(unsafe_code)]

pub mod closed_world;
mod dce;
mod devirtualize;
mod facts;
mod fold;
mod inline;
mod lattice;
mod loop_globals;
mod null_checks;
mod redundant_loads;
mod scalars;
mod scope;
#[cfg(test)]
mod tests;
mod type_flow;
mod walk;

pub use devirtualize::run as devirtualize;
pub use inline::Candidates;
pub use scope::{GlobalKind, Scope};

use crate::ir::Func;

/// Optimises a function, into which `candidates` may be put. Levels: 0 does nothing, 1 does what makes code smaller, 2 and above do all.
pub fn optimize<'a>(func: &mut Func<'a>, scope: Scope<'_>, candidates: &Candidates<'a>, level: u8) {
    if level == 0 {
        return;
    }
    if level > 1 {
        if inline::run(func, candidates) {
            // What is read in a block is not known behind it.
            fold::run(func);
        }
        scalars::run(func, scope.types);
        let carried = loop_globals::run(func, scope);
        redundant_loads::run(func, scope, carried);
    }
    type_flow::run(func, scope.types);
    fold::run(func);
    dce::run(func);
}
