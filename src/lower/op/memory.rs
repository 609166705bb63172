//! Accesses to the heap memory: fields by width, cells by address.
//!
//! Before: `(struct.get $point $x (local.get $p))`. After: `(i32.load $heap offset=7 (local.get $p))`.
//! The offset of a field from a reference is its offset from the header plus the reference's bias.

use super::super::env::ModuleEnv;
use crate::ir::{Cursor, Sign, TrapCode, Value, memarg};
use crate::layout::{Width, reference};
use crate::types::ValType;
use wasmparser::{MemArg, Operator};

/// The memory operand for an offset from an object's header, when the address is a reference.
pub fn at(env: &ModuleEnv<'_, '_>, offset: u32) -> MemArg {
    memarg(env.heap(), u64::from(offset) + u64::from(reference::BIAS))
}

/// Reads a field. `base` is a reference, or a reference plus a byte distance.
pub fn load<'a>(
    env: &ModuleEnv<'_, '_>,
    c: &mut Cursor<'_, 'a>,
    base: Value,
    offset: u32,
    (width, sign, ty): (Width, Sign, ValType),
    trap: Option<TrapCode>,
) -> Value {
    let memarg = at(env, offset);
    let (op, ty): (Operator<'a>, ValType) = match (width, sign) {
        (Width::I8, Sign::Signed) => (Operator::I32Load8S { memarg }, ValType::I32),
        (Width::I8, _) => (Operator::I32Load8U { memarg }, ValType::I32),
        (Width::I16, Sign::Signed) => (Operator::I32Load16S { memarg }, ValType::I32),
        (Width::I16, _) => (Operator::I32Load16U { memarg }, ValType::I32),
        (Width::I32 | Width::FuncHandle, _) => (Operator::I32Load { memarg }, ValType::I32),
        (Width::Ref, _) => (Operator::I32Load { memarg }, ty),
        (Width::I64, _) => (Operator::I64Load { memarg }, ValType::I64),
        (Width::F32, _) => (Operator::F32Load { memarg }, ValType::F32),
        (Width::F64, _) => (Operator::F64Load { memarg }, ValType::F64),
        (Width::V128, _) => (Operator::V128Load { memarg }, ValType::V128),
    };
    c.load(op, base, ty, trap)
}

/// Writes a field, without a barrier.
pub fn store(
    env: &ModuleEnv<'_, '_>,
    c: &mut Cursor<'_, '_>,
    base: Value,
    offset: u32,
    width: Width,
    value: Value,
    trap: Option<TrapCode>,
) {
    let memarg = at(env, offset);
    let op = match width {
        Width::I8 => Operator::I32Store8 { memarg },
        Width::I16 => Operator::I32Store16 { memarg },
        Width::I32 | Width::Ref | Width::FuncHandle => Operator::I32Store { memarg },
        Width::I64 => Operator::I64Store { memarg },
        Width::F32 => Operator::F32Store { memarg },
        Width::F64 => Operator::F64Store { memarg },
        Width::V128 => Operator::V128Store { memarg },
    };
    c.store(op, base, value, trap);
}

/// The default value of a field: zero, or null.
pub fn default_value(c: &mut Cursor<'_, '_>, width: Width) -> Value {
    match width {
        Width::Ref | Width::FuncHandle => c.i32(reference::NULL),
        Width::I8 | Width::I16 | Width::I32 => c.i32(0),
        Width::I64 => c.core(Operator::I64Const { value: 0 }, &[], ValType::I64),
        Width::F32 => c.core(Operator::F32Const { value: wasmparser::Ieee32::from(0.0) }, &[], ValType::F32),
        Width::F64 => c.core(Operator::F64Const { value: wasmparser::Ieee64::from(0.0) }, &[], ValType::F64),
        Width::V128 => {
            let zero = c.i32(0);
            c.core(Operator::I32x4Splat, &[zero], ValType::V128)
        }
    }
}

/// What a fault in an access through a reference means: nothing when it can not be null, for then there
/// is none.
pub fn null_fault(c: &Cursor<'_, '_>, reference: Value) -> Option<TrapCode> {
    let nullable = c.func.ty(reference).as_ref().is_none_or(|ty| ty.nullable);
    nullable.then_some(TrapCode::NullReference)
}

/// The header of an object.
pub fn header(env: &ModuleEnv<'_, '_>, c: &mut Cursor<'_, '_>, object: Value, trap: Option<TrapCode>) -> Value {
    load(env, c, object, 0, (Width::I32, Sign::None, ValType::I32), trap)
}

/// Reads a word at a plain address, not a reference.
pub fn load_word(env: &ModuleEnv<'_, '_>, c: &mut Cursor<'_, '_>, address: Value, offset: u32, ty: ValType) -> Value {
    c.load(Operator::I32Load { memarg: memarg(env.heap(), u64::from(offset)) }, address, ty, None)
}

/// Writes a word at a plain address.
pub fn store_word(env: &ModuleEnv<'_, '_>, c: &mut Cursor<'_, '_>, address: Value, offset: u32, value: Value) {
    c.store(Operator::I32Store { memarg: memarg(env.heap(), u64::from(offset)) }, address, value, None);
}
