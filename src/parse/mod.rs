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
//! | `unsupported.rs` | features that are refused |
//! | `prescan.rs` | one pass over a body before translation: what it assigns where, whether it needs IR |
//! | `budget.rs` | how much IR a body may become |
//! | `translate.rs` | the driver: walks operators, validates, dispatches |
//! | `hints.rs` | what custom sections say of how the module runs |
//! | `throws.rs` | which calls may throw |
//! | `control.rs` | blocks, branches and SSA construction |
//! | `debug.rs` | marks and variables for a debugger |
//! | `exceptions.rs` | throws and handlers as control |
//! | `locals.rs` | locals as values |
//! | `prune.rs` | takes away what branches carry and nobody reads |
//! | `emit.rs` | the operand stack as operands |
//! | `gc.rs` | operators of the GC proposal |
//! | `plain.rs` | older operators that may work on any reference |
//! | `intrinsic.rs` | what the dialect of explicit RTTs has beyond these operators |
//! | `validate.rs` | validation of an operator, where `wasmparser` needs help |
//! | `resources.rs` | what validation of bodies looks things up in |
//! | `const_expr.rs` | constant expressions as code |

#![forbid(unsafe_code)]

mod budget;
mod const_expr;
mod control;
mod debug;
mod emit;
mod exceptions;
mod gc;
mod hints;
mod intrinsic;
mod locals;
mod module;
mod plain;
mod prescan;
mod prune;
mod resources;
mod sections;
mod throws;
mod translate;
mod types;
mod unsupported;
mod validate;

pub use const_expr::const_expr;
pub use hints::Hints;
pub use intrinsic::{INTRINSICS, Intrinsic};
pub use module::{
    Body, ConstExpr, Data, Elem, ElemItems, Entity, Export, FuncDecl, GlobalDecl, Import, MemoryDecl, Module,
    SegmentMode, TableDecl,
};
pub use resources::{DialectResources, Resources};
pub use throws::{MayThrow, Through, is_open};
pub use translate::Translated;
pub use types::exception_type;
pub use validate::module as validate;
