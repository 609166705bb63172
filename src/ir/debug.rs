//! What a debugger sees of a function: where its locals and operands are noted, and what stands in which.
//!
//! In code for debuggers each local of the original has a *variable*, and so has each height of the operand stack for
//! each kind of value that stands there. Variables are no SSA values: [`DebugOp::Set`] writes one in passing, and the
//! program never reads it. So what a debugger sees at any place does not depend on what the compiler keeps, and costs
//! as much as the original's own pushes and assignments.
//!
//! A [`Mark`] stands before each operator of the original, and names the operands that are on the stack there by a
//! [`Shape`]: a list that shares its beginning with others, so that all of them together are as long as the function.
//!
//! What this is not: the places themselves, which are decided at emission (`lower/debug.rs`).

use crate::types::{HeapTop, ValType};
use serde::{Deserialize, Serialize};

/// An operation for debuggers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DebugOp {
    /// Notes the operand in a variable.
    Set(u32),
    /// A place where a debugger can stop: an entry of [`Debugged::marks`]. Anything may happen there, as in a call.
    Mark(u32),
}

/// What a variable can hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum VarKind {
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `v128`
    V128,
    /// A function reference.
    Func,
    /// A reference of the `any` hierarchy.
    Any,
    /// A reference of the `extern` hierarchy.
    Extern,
    /// A reference to an exception.
    Exn,
}

impl VarKind {
    /// The kind that values of a type are; continuations are none.
    pub fn of(ty: ValType) -> Option<VarKind> {
        Some(match ty {
            ValType::I32 => VarKind::I32,
            ValType::I64 => VarKind::I64,
            ValType::F32 => VarKind::F32,
            ValType::F64 => VarKind::F64,
            ValType::V128 => VarKind::V128,
            ValType::Ref(r) => match r.heap.top() {
                HeapTop::Func => VarKind::Func,
                HeapTop::Any => VarKind::Any,
                HeapTop::Extern => VarKind::Extern,
                HeapTop::Exn => VarKind::Exn,
                HeapTop::Cont => return None,
            },
        })
    }

    /// Whether it is a reference that the collector may move.
    pub fn is_moved(self) -> bool {
        matches!(self, VarKind::Any | VarKind::Extern | VarKind::Exn)
    }
}

/// Operands on the stack: one, and those below it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Shape {
    /// Those below; [`Shape::EMPTY`] for none.
    pub below: u32,
    /// The variable of the uppermost.
    pub var: u32,
}

impl Shape {
    /// No operands.
    pub const EMPTY: u32 = u32::MAX;
}

/// What a mark is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MarkKind {
    /// Before an operator: breakpoints and steps.
    Step,
    /// Behind a throw, before anybody catches it.
    Throw,
    /// Behind a call that has come back with an exception pending.
    Thrown,
}

/// A place where a debugger can stop.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// What it is for.
    pub kind: MarkKind,
    /// The offset of the operator in the original module.
    pub pc: u32,
    /// The offset behind it.
    pub next: u32,
    /// The operands before it.
    pub shape: u32,
    /// How many of them it has taken when it calls or traps.
    pub taken: u32,
}

/// What a debugger sees of a function.
#[derive(Clone, Debug, Default)]
pub struct Debugged {
    /// All variables; those of the locals come first.
    pub vars: Vec<VarKind>,
    /// How many locals there are.
    pub locals: u32,
    /// How many of them are parameters.
    pub params: u32,
    /// Operands on the stack.
    pub shapes: Vec<Shape>,
    /// All marks.
    pub marks: Vec<Mark>,
}
