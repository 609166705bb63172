//! Operators of the GC proposal to operations: structs, arrays, i31, tests and casts.
//!
//! A result is typed as precisely as its operator allows: an allocation is exact, a cast keeps what
//! was known before when that is more.

use super::emit::{Emit, element, fields, meet, non_null};
use super::types::{ref_to, ref_type};
use crate::fault::Error;
use crate::fault::Result;
use crate::ir::{ArrayOp, I31Op, Op, RefOp, Sign, StructOp};
use crate::types::{CompositeKind, HeapType, RefType, TypeId, ValType};
use wasmparser::Operator;

/// Appends an operator, if it is one of the GC proposal without control.
pub(super) fn emit(cx: &mut Emit<'_, '_, '_>, op: &Operator<'_>) -> Result<bool> {
    Ok(structs(cx, op)? || arrays(cx, op)? || array_ranges(cx, op)? || refs(cx, op)?)
}

fn structs(cx: &mut Emit<'_, '_, '_>, op: &Operator<'_>) -> Result<bool> {
    let types = &cx.module.types;
    match *op {
        Operator::StructNew { struct_type_index } => {
            let (ty, fields) = fields(types, struct_type_index)?;
            cx.value(Op::Struct(StructOp::New(ty)), fields.len(), exact(CompositeKind::Struct, ty))?;
        }
        Operator::StructNewDefault { struct_type_index } => {
            let (ty, _) = fields(types, struct_type_index)?;
            cx.value(Op::Struct(StructOp::NewDefault(ty)), 0, exact(CompositeKind::Struct, ty))?;
        }
        Operator::StructNewDesc { struct_type_index } => {
            let (ty, fields) = fields(types, struct_type_index)?;
            descriptor(cx)?;
            cx.value(Op::Struct(StructOp::NewDesc(ty)), fields.len() + 1, exact(CompositeKind::Struct, ty))?;
        }
        Operator::StructNewDefaultDesc { struct_type_index } => {
            let (ty, _) = fields(types, struct_type_index)?;
            descriptor(cx)?;
            cx.value(Op::Struct(StructOp::NewDefaultDesc(ty)), 1, exact(CompositeKind::Struct, ty))?;
        }
        Operator::StructGet { struct_type_index, field_index } => {
            struct_get(cx, struct_type_index, field_index, Sign::None)?;
        }
        Operator::StructGetS { struct_type_index, field_index } => {
            struct_get(cx, struct_type_index, field_index, Sign::Signed)?;
        }
        Operator::StructGetU { struct_type_index, field_index } => {
            struct_get(cx, struct_type_index, field_index, Sign::Unsigned)?;
        }
        Operator::StructSet { struct_type_index, field_index } => {
            let (ty, _) = fields(types, struct_type_index)?;
            cx.effect(Op::Struct(StructOp::Set { ty, field: field_index }), 2)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn struct_get(cx: &mut Emit<'_, '_, '_>, index: u32, field: u32, sign: Sign) -> Result<()> {
    let (ty, fields) = fields(&cx.module.types, index)?;
    let decl = fields.get(field as usize).ok_or_else(|| Error::bug("unknown field after validation"))?;
    cx.value(Op::Struct(StructOp::Get { ty, field, sign }), 1, decl.storage.unpack())
}

fn arrays(cx: &mut Emit<'_, '_, '_>, op: &Operator<'_>) -> Result<bool> {
    let types = &cx.module.types;
    let (op, args, ty) = match *op {
        Operator::ArrayNew { array_type_index } => {
            let ty = element(types, array_type_index)?.0;
            (ArrayOp::New(ty), 2, exact(CompositeKind::Array, ty))
        }
        Operator::ArrayNewDefault { array_type_index } => {
            let ty = element(types, array_type_index)?.0;
            (ArrayOp::NewDefault(ty), 1, exact(CompositeKind::Array, ty))
        }
        Operator::ArrayNewFixed { array_type_index, array_size } => {
            let ty = element(types, array_type_index)?.0;
            (ArrayOp::NewFixed(ty), array_size as usize, exact(CompositeKind::Array, ty))
        }
        Operator::ArrayNewData { array_type_index, array_data_index: data } => {
            let ty = element(types, array_type_index)?.0;
            (ArrayOp::NewData { ty, data }, 2, exact(CompositeKind::Array, ty))
        }
        Operator::ArrayNewElem { array_type_index, array_elem_index: elem } => {
            let ty = element(types, array_type_index)?.0;
            (ArrayOp::NewElem { ty, elem }, 2, exact(CompositeKind::Array, ty))
        }
        Operator::ArrayGet { array_type_index } => {
            let (ty, storage) = element(types, array_type_index)?;
            (ArrayOp::Get { ty, sign: Sign::None }, 2, storage.unpack())
        }
        Operator::ArrayGetS { array_type_index } => {
            let (ty, storage) = element(types, array_type_index)?;
            (ArrayOp::Get { ty, sign: Sign::Signed }, 2, storage.unpack())
        }
        Operator::ArrayGetU { array_type_index } => {
            let (ty, storage) = element(types, array_type_index)?;
            (ArrayOp::Get { ty, sign: Sign::Unsigned }, 2, storage.unpack())
        }
        Operator::ArrayLen => (ArrayOp::Len, 1, ValType::I32),
        _ => return Ok(false),
    };
    cx.value(Op::Array(op), args, ty)?;
    Ok(true)
}

fn array_ranges(cx: &mut Emit<'_, '_, '_>, op: &Operator<'_>) -> Result<bool> {
    let types = &cx.module.types;
    let (op, args) = match *op {
        Operator::ArraySet { array_type_index } => (ArrayOp::Set(element(types, array_type_index)?.0), 3),
        Operator::ArrayFill { array_type_index } => (ArrayOp::Fill(element(types, array_type_index)?.0), 4),
        Operator::ArrayCopy { array_type_index_dst, array_type_index_src } => {
            let (dst, _) = element(types, array_type_index_dst)?;
            let (src, _) = element(types, array_type_index_src)?;
            (ArrayOp::Copy { dst, src }, 5)
        }
        Operator::ArrayInitData { array_type_index, array_data_index: data } => {
            (ArrayOp::InitData { ty: element(types, array_type_index)?.0, data }, 4)
        }
        Operator::ArrayInitElem { array_type_index, array_elem_index: elem } => {
            (ArrayOp::InitElem { ty: element(types, array_type_index)?.0, elem }, 4)
        }
        _ => return Ok(false),
    };
    cx.effect(Op::Array(op), args)?;
    Ok(true)
}

fn refs(cx: &mut Emit<'_, '_, '_>, op: &Operator<'_>) -> Result<bool> {
    match *op {
        Operator::RefEq => cx.value(Op::Ref(RefOp::Eq), 2, ValType::I32)?,
        Operator::RefI31 => cx.value(Op::I31(I31Op::New), 1, non_null(HeapType::I31))?,
        Operator::I31GetS => cx.value(Op::I31(I31Op::Get(Sign::Signed)), 1, ValType::I32)?,
        Operator::I31GetU => cx.value(Op::I31(I31Op::Get(Sign::Unsigned)), 1, ValType::I32)?,
        Operator::RefTestNonNull { hty } => test(cx, hty, false)?,
        Operator::RefTestNullable { hty } => test(cx, hty, true)?,
        Operator::RefCastNonNull { hty } => cast(cx, hty, false)?,
        Operator::RefCastNullable { hty } => cast(cx, hty, true)?,
        Operator::RefGetDesc { type_index } => {
            let def = cx.module.types.at(type_index);
            let ty = def.sub.descriptor.ok_or_else(|| Error::bug("a type without descriptor after validation"))?;
            let of = cx.ref_ty(cx.peek()?)?;
            let exact = of.exact && of.heap.concrete() == Some(def.id);
            let heap = HeapType::Concrete(CompositeKind::Struct, ty);
            cx.value(Op::Ref(RefOp::GetDesc), 1, ValType::Ref(RefType { nullable: false, exact, heap }))?;
        }
        Operator::RefCastDescEqNonNull { hty } => cast_desc(cx, hty, false)?,
        Operator::RefCastDescEqNullable { hty } => cast_desc(cx, hty, true)?,
        Operator::AnyConvertExtern => convert(cx, RefOp::AnyConvertExtern, HeapType::Any)?,
        Operator::ExternConvertAny => convert(cx, RefOp::ExternConvertAny, HeapType::Extern)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn test(cx: &mut Emit<'_, '_, '_>, hty: wasmparser::HeapType, nullable: bool) -> Result<()> {
    let to = ref_to(&cx.module.types, nullable, hty, cx.offset)?;
    cx.value(Op::Ref(RefOp::Test(to)), 1, ValType::I32)
}

fn cast(cx: &mut Emit<'_, '_, '_>, hty: wasmparser::HeapType, nullable: bool) -> Result<()> {
    let to = ref_to(&cx.module.types, nullable, hty, cx.offset)?;
    let from = cx.ref_ty(cx.peek()?)?;
    let ty = meet(&cx.module.types, from, to);
    cx.value(Op::Ref(RefOp::Cast(to)), 1, ValType::Ref(ty))
}

/// The descriptor on top of the stack, which must not be null.
pub(super) fn descriptor(cx: &mut Emit<'_, '_, '_>) -> Result<()> {
    let ty = cx.ref_ty(cx.peek()?)?;
    if ty.nullable {
        cx.value(Op::Ref(RefOp::AsNonNull), 1, ValType::Ref(ty.non_null()))?;
    }
    Ok(())
}

fn cast_desc(cx: &mut Emit<'_, '_, '_>, hty: wasmparser::HeapType, nullable: bool) -> Result<()> {
    let to = ref_to(&cx.module.types, nullable, hty, cx.offset)?;
    descriptor(cx)?;
    let value = cx.stack.len().checked_sub(2).and_then(|at| cx.stack.get(at)).copied();
    let from = cx.ref_ty(value.ok_or_else(|| Error::bug("operand stack underflow"))?)?;
    let ty = meet(&cx.module.types, from, to);
    cx.value(Op::Ref(RefOp::CastDesc(to)), 2, ValType::Ref(ty))
}

fn convert(cx: &mut Emit<'_, '_, '_>, op: RefOp, heap: HeapType) -> Result<()> {
    let nullable = cx.ref_ty(cx.peek()?)?.nullable;
    cx.value(Op::Ref(op), 1, ValType::Ref(RefType::new(nullable, heap)))
}

/// The type of a new object.
fn exact(kind: CompositeKind, ty: TypeId) -> ValType {
    ValType::Ref(RefType { nullable: false, exact: true, heap: HeapType::Concrete(kind, ty) })
}

/// The two types of a branch on a cast.
pub(super) fn cast_types(
    cx: &Emit<'_, '_, '_>,
    from: wasmparser::RefType,
    to: wasmparser::RefType,
) -> Result<(RefType, RefType)> {
    let types = &cx.module.types;
    Ok((ref_type(types, from, cx.offset)?, ref_type(types, to, cx.offset)?))
}
