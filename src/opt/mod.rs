//! The optimiser: passes over GC-level IR, before lowering, but for one.
//!
//! Only what an engine can not do on the lowered code is done here: it sees loads, compares and calls
//! where this sees fields, casts and allocations. Arithmetic is left to the engine, but where control hangs on it.
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
//! | `passes.rs` | which passes run |
//! | `writes.rs` | what instructions, loops and calls write |
//! | `closures.rs` | calls of functions that an object holds which was made here, while `inline.rs` is at work |
//! | `vars.rs` | places whose value changes, as SSA |
//! | `inline.rs` | pass: calls of small functions, before all others of one function |
//! | `blocks.rs` | pass: what stands at the start of blocks, before them; results that are another value |
//! | `names.rs` | which references are the same one under other names |
//! | `merges.rs` | structs that several ways make, as values where these meet: half of the next |
//! | `scalars.rs` | pass: structs that nobody else sees, as values of their fields |
//! | `type_flow.rs` | pass: casts, tests and null checks whose outcome is known |
//! | `loop_globals.rs` | pass: globals that loops read and write, as parameters of the loops |
//! | `loop_fields.rs` | pass: the same for fields of objects |
//! | `redundant_loads.rs` | pass: fields, lengths and globals that were read or written before |
//! | `arithmetic.rs` | pass: arithmetic on constants; comparisons of three outcomes |
//! | `conditions.rs` | pass: choices between constants, as arithmetic on conditions |
//! | `fold.rs` | pass: control on constants; blocks that nothing branches to |
//! | `dce.rs` | pass: what nobody uses, loop parameters and results of constructs included |
//! | `hoist.rs` | pass: loads that give the same in each turn of a loop, before it |
//! | `rotate.rs` | pass, over lowered code: loops that begin with a test, as loops that end with it |

#![forbid(unsafe_code)]

mod arithmetic;
mod blocks;
pub mod closed_world;
mod closures;
mod conditions;
mod dce;
mod devirtualize;
mod facts;
mod fold;
mod hoist;
mod inline;
mod lattice;
mod loop_fields;
mod loop_globals;
mod merges;
mod names;
mod null_checks;
mod passes;
mod redundant_loads;
mod rotate;
mod scalars;
mod scope;
#[cfg(test)]
mod tests;
mod type_flow;
mod vars;
mod walk;
mod writes;

pub use devirtualize::run as devirtualize;
pub use inline::Candidates;
pub use passes::Passes;
pub use rotate::run as rotate;
pub use scope::{GlobalKind, Scope};
pub use writes::{Calls, Summary, Written};

use crate::ir::Func;

/// Optimises a function, into which `candidates` may be put.
pub fn optimize<'a>(func: &mut Func<'a>, scope: Scope<'_>, candidates: &Candidates<'a>, passes: Passes) {
    if passes.has(Passes::INLINE) && inline::run(func, scope, candidates) && passes.has(Passes::FOLD) {
        // What is read in a block is not known behind it.
        fold::run(func);
    }
    if passes.has(Passes::BLOCKS) {
        blocks::run(func, scope.types);
    }
    if passes.has(Passes::SCALARS) {
        scalars::run(func, scope);
    }
    let carried = if passes.has(Passes::LOOP_GLOBALS) { loop_globals::run(func, scope) } else { Default::default() };
    if passes.has(Passes::LOOP_FIELDS) {
        loop_fields::run(func, scope);
    }
    if passes.has(Passes::REDUNDANT_LOADS) {
        redundant_loads::run(func, scope, carried);
    }
    if passes.has(Passes::TYPE_FLOW) {
        type_flow::run(func, scope.types);
    }
    if passes.has(Passes::ARITHMETIC) {
        arithmetic::run(func);
    }
    if passes.has(Passes::CONDITIONS) {
        conditions::run(func);
    }
    if passes.has(Passes::FOLD) {
        fold::run(func);
    }
    if passes.has(Passes::DCE) {
        dce::run(func);
    }
    if passes.has(Passes::HOIST) {
        hoist::run(func, scope);
    }
}
