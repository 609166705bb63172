//! i31 references: a shift, and no allocation ever.
//!
//! `(ref.i31 v)` is `(i32.shl v 1)`; `(i31.get_s r)` is `(i32.shr_s r 1)`, after a null check when the
//! operand may be null.

use super::super::environ::{Environ, Lowering};
use super::{Arg, Out, Repr, func_ref};
use crate::ir::{Cursor, I31Op, Sign, TrapCode};
use crate::layout::reference;
use crate::types::{HeapType, RefType, ValType};
use wasmparser::Operator;

/// Lowers an i31 operation.
pub fn lower<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, op: I31Op, args: &[Arg]) -> Lowering<Out> {
    let value = func_ref::native(e, c, args[0])?;
    Ok(Repr::Plain(match op {
        I31Op::New => {
            let shift = c.i32(reference::I31_SHIFT);
            let ty = ValType::Ref(RefType::new(false, HeapType::I31));
            c.core(Operator::I32Shl, &[value, shift], ty)
        }
        I31Op::Get(sign) => {
            if args[0].ty.as_ref().is_none_or(|r| r.nullable) {
                let null = c.i32(reference::NULL);
                let is_null = c.i32_op(Operator::I32Eq, value, null);
                c.trap_if(is_null, TrapCode::NullReference);
            }
            let shift = c.i32(reference::I31_SHIFT);
            let op = if sign == Sign::Signed { Operator::I32ShrS } else { Operator::I32ShrU };
            c.i32_op(op, value, shift)
        }
    }))
}
