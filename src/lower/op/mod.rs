//! The families of operations: one file each, all of the same shape.
//!
//! A family's `lower` gets the cursor and the operands and appends core operations. References to
//! heap objects are plain values. References to functions have several representations ([`Repr`]),
//! because objects hold handles and everything else holds WebAssembly references, and a call through
//! a field should need neither a conversion nor a reference.
//!
//! | file | what |
//! |---|---|
//! | `struct_.rs`, `array.rs`, `i31.rs` | objects, and what is none |
//! | `bulk.rs`, `fill.rs` | ranges: checks, copies, fills |
//! | `ref_.rs`, `cast.rs` | references of any kind; tests and casts |
//! | `func_ref.rs`, `call.rs` | function references between their representations; calls |
//! | `global.rs`, `table.rs` | what outlives a call |
//! | `exn.rs` | exceptions |
//! | `desc.rs`, `rtt.rs` | custom descriptors; first-class RTTs |
//! | `record.rs`, `memory.rs` | what all use: numbers of the engine's in code, accesses to the heap |

pub mod array;
pub mod bulk;
pub mod call;
pub mod cast;
pub mod desc;
pub mod exn;
pub mod fill;
pub mod func_ref;
pub mod global;
pub mod i31;
pub mod memory;
mod record;
pub mod ref_;
pub mod rtt;
pub mod struct_;
pub mod table;

use crate::ir::Value;
use crate::types::{HeapType, ValType};

/// How a value is at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repr {
    /// As a value.
    Plain(Value),
    /// A function reference: as its handle, an `i32`.
    Handle(Value),
    /// A function reference: to this function of the module.
    Known(u32),
    /// A null function reference.
    Null(HeapType),
}

/// An operand: how it is at hand, and its type in the original program.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// How it is at hand.
    pub repr: Repr,
    /// Its type.
    pub ty: ValType,
}

/// What an operation results in.
pub type Out = Repr;
