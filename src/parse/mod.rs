//! WebAssembly binaries to a module description and, function by function, to IR.
//!
//! `wasmparser` decodes and validates; nothing here trusts bytes that it has not accepted. What this
//! is not: the RTT dialect's front end (its bytes collide with these), and not a place where anything
//! is rewritten.
//!
//! | file | idea |
//! |---|---|
//! | `module.rs` | the description: one struct for each kind of entity |
//! | `sections.rs` | sections to the description |
//! | `types.rs` | type sections to canonical types |
//! | `prescan.rs` | one pass over a body before translation: what it assigns where, whether it needs IR |
//! | `translate.rs` | the driver: walks operators, tracks the stack, dispatches |
//! | `control.rs` | blocks, branches and SSA construction for locals |
//! | `gc.rs` | operators of the GC proposal to operations |

#![forbid(unsafe_code)]

mod module;

pub use module::{
    Body, ConstExpr, Data, Elem, ElemItems, Entity, Export, FuncDecl, GlobalDecl, Import, MemoryDecl, Module,
    SegmentMode, TableDecl,
};
