//! Constant expressions, appended to a function under construction.
//!
//! Instantiation of a lowered module runs its initial values as code: the expressions of globals,
//! tables and element segments become instructions of a generated function.

use super::emit::Emit;
use super::intrinsic::{self, INTRINSICS};
use super::module::{ConstExpr, Module};
use super::unsupported::{Class, class};
use super::{gc, plain};
use crate::fault::Error;
use crate::fault::Result;
use crate::ir::{Cursor, Op, SrcLoc, Value};
use crate::types::ValType;
use std::collections::HashMap;
use wasmparser::Operator;

/// Appends a validated constant expression whose value has a type that matches `ty`.
///
/// # Errors
///
/// `Bug` when the expression is not of this module, or not of this type.
pub fn const_expr<'a>(
    cursor: &mut Cursor<'_, 'a>,
    module: &Module<'a>,
    expr: &ConstExpr<'a>,
    ty: ValType,
) -> Result<Value, Error> {
    let outer = cursor.loc;
    let mut stack = Vec::new();
    // Only what never changes can be read. It is read once: tables of thousands of elements name few globals.
    let mut globals: HashMap<u32, Value> = HashMap::new();
    for (op, offset) in expr {
        cursor.loc = SrcLoc(*offset);
        let global = if let Operator::GlobalGet { global_index } = op { Some(*global_index) } else { None };
        if let Some(&known) = global.and_then(|global| globals.get(&global)) {
            stack.push(known);
            continue;
        }
        operator(&mut Emit { cursor, stack: &mut stack, module, offset: *offset as usize }, op)?;
        globals.extend(global.zip(stack.last().copied()));
    }
    cursor.loc = outer;
    match stack[..] {
        [value] if module.types.is_sub_val(cursor.func.ty(value), ty) => Ok(value),
        _ => Err(Error::bug(format!("constant expression is not of type {ty}"))),
    }
}

fn operator<'a>(cx: &mut Emit<'_, '_, 'a>, op: &Operator<'a>) -> Result<()> {
    let (args, ty) = match op {
        Operator::Call { function_index } if *function_index >= INTRINSICS => {
            return intrinsic::emit(cx, *function_index);
        }
        Operator::I32Const { .. } => (0, ValType::I32),
        Operator::I64Const { .. } => (0, ValType::I64),
        Operator::F32Const { .. } => (0, ValType::F32),
        Operator::F64Const { .. } => (0, ValType::F64),
        Operator::V128Const { .. } => (0, ValType::V128),
        Operator::I32Add | Operator::I32Sub | Operator::I32Mul => (2, ValType::I32),
        Operator::I64Add | Operator::I64Sub | Operator::I64Mul => (2, ValType::I64),
        _ => {
            let done = match class(op) {
                Class::Gc => gc::emit(cx, op)?,
                Class::Core => plain::emit(cx, op)?,
                Class::Exn => false,
                Class::Refused(feature) => return Err(feature.at(cx.offset)),
            };
            return if done { Ok(()) } else { Err(Error::bug(format!("not a constant operator: {op:?}"))) };
        }
    };
    cx.value(Op::Core(op.clone()), args, ty)
}
