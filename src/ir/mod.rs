//! SSA over structured control flow.
//!
//! A function is an arena of values and a tree of regions. A region is a list of instructions that
//! ends in exactly one terminator; control instructions own regions. There are no phi instructions:
//! a loop's region has parameters, and the results of a block, `if` or loop are what its regions
//! yield or what branches to it carry. Wasm arrives structured and every pass keeps it so; therefore
//! no relooper is ever needed.
//!
//! | file | idea |
//! |---|---|
//! | `func.rs` | the arena: values, instructions, regions |
//! | `op.rs` | what an instruction does |
//! | `effects.rs` | what an instruction may read, write, or cause |
//! | `build.rs` | appending instructions |
//! | `loops.rs` | one walk that gathers something about each loop |
//! | `likely.rs` | which functions calls through references reach most, and how often calls are made |
//! | `targets.rs` | which constructs branches lead to |
//! | `edges.rs` | where the operands of control instructions go |
//! | `reach.rs` | which nodes of a graph lead to a marked one |
//! | `debug.rs` | what a debugger is to see: marks and variables |
//! | `print.rs` | text, for tests and debugging |
//! | `verify.rs` | an independent check of the invariants below |
//!
//! # Invariants
//!
//! 1. Every region ends in one terminator ([`Op::is_terminator`]) and has no other.
//! 2. A value is used only where its definition dominates: later in the same region, or in a region
//!    nested in a later instruction. Values of a region are not visible after the owner.
//! 3. `Br*` targets are control instructions that enclose the branch. A branch to a `Loop` carries
//!    the arguments of its region's parameters; a branch to any other carries its results.
//! 4. References keep their reference type through lowering, although they are `i32` when emitted:
//!    root assignment finds by type what the collector must see.
//!
//! What this is not: an IR of machine code, or of anything below Wasm's own operators. Cranelift
//! optimises those; here is only what Cranelift can not see.

#![forbid(unsafe_code)]

mod build;
mod debug;
mod edges;
mod effects;
mod func;
mod likely;
pub mod loops;
mod op;
pub mod print;
pub mod reach;
mod targets;
pub mod verify;

pub use build::{Cursor, memarg, zero};
pub use debug::{DebugOp, Debugged, Mark, MarkKind, Shape, VarKind};
pub use edges::{destinations, handed};
pub use effects::{Effects, effects};
pub use func::{Frame, Func, Inlined, Inst, InstData, Region, RegionData, SrcLoc, Value, ValueData, ValueDef};
pub use likely::{Frequencies, Frequency, LikelyTarget, LikelyTargets};
pub use op::{
    ArrayOp, BrTarget, Callee, ExnOp, GlobalOp, HeapOp, I31Op, Op, RefOp, RttBound, Sign, StructOp, TableOp, TrapCode,
};
pub use targets::targets;
