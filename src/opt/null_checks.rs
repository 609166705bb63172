//! Which operands are known not to be null behind an instruction: it would have trapped.
//!
//! ```text
//! before                                  after
//!   v1 = struct.get $t 0 v0                 v1 = struct.get $t 0 v0
//!   v2 = ref.as_non_null v0                 v2 = refine v0
//! ```
//!
//! Obligation: the instruction traps for null whatever its other operands are, before it has any
//! effect (Wasm 3.0, section 4.6: `struct.get` and the like). For the array operations this is so even
//! with a length of zero. The facts are applied by `type_flow.rs`.

use crate::ir::{ArrayOp, Callee, I31Op, Op, StructOp};
use smallvec::{SmallVec, smallvec};

/// Indices of the operands that are not null when control gets behind the instruction.
pub fn checked_operands(op: &Op<'_>, operands: usize) -> SmallVec<[usize; 2]> {
    match op {
        Op::Struct(StructOp::Get { .. } | StructOp::Set { .. }) => smallvec![0],
        Op::Array(ArrayOp::Copy { .. }) => smallvec![0, 2],
        Op::Array(
            ArrayOp::Get { .. }
            | ArrayOp::Set(_)
            | ArrayOp::Len
            | ArrayOp::Fill(_)
            | ArrayOp::InitData { .. }
            | ArrayOp::InitElem { .. },
        ) => smallvec![0],
        Op::I31(I31Op::Get(_)) => smallvec![0],
        Op::Call(Callee::Ref { .. }) => operands.checked_sub(1).into_iter().collect(),
        _ => smallvec![],
    }
}
