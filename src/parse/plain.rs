//! Operators without control that are older than the GC proposal, but may work on any reference:
//! globals, tables, null, function references, calls. And what is left: those of plain numbers.

use super::emit::{Emit, func_signature, signature};
use super::types::{ref_to, val_type};
use crate::fault::Error;
use crate::fault::Result;
use crate::ir::{Callee, GlobalOp, Op, RefOp, TableOp};
use crate::types::{CompositeKind, HeapType, RefType, ValType};
use wasmparser::Operator;

/// Appends an operator, if it is one of these.
pub(super) fn emit(cx: &mut Emit<'_, '_, '_>, op: &Operator<'_>) -> Result<bool> {
    Ok(globals(cx, op)? || refs(cx, op)? || calls(cx, op)? || tables(cx, op)?)
}

fn globals(cx: &mut Emit<'_, '_, '_>, op: &Operator<'_>) -> Result<bool> {
    match *op {
        Operator::GlobalGet { global_index } => {
            let global = cx.module.globals.get(global_index as usize);
            let ty = global.ok_or_else(|| Error::bug("unknown global after validation"))?.ty;
            cx.value(Op::Global(GlobalOp::Get(global_index)), 0, ty)?;
        }
        Operator::GlobalSet { global_index } => cx.effect(Op::Global(GlobalOp::Set(global_index)), 1)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn refs(cx: &mut Emit<'_, '_, '_>, op: &Operator<'_>) -> Result<bool> {
    match *op {
        Operator::Nop => {}
        Operator::Drop => drop(cx.pop()?),
        Operator::RefNull { hty } => {
            let ty = ref_to(&cx.module.types, true, hty, cx.offset)?;
            cx.value(Op::Ref(RefOp::Null(ty.heap)), 0, ValType::Ref(ty))?;
        }
        Operator::RefFunc { function_index } => ref_func(cx, function_index)?,
        Operator::RefIsNull => cx.value(Op::Ref(RefOp::IsNull), 1, ValType::I32)?,
        Operator::RefAsNonNull => {
            let ty = cx.ref_ty(cx.peek()?)?;
            cx.value(Op::Ref(RefOp::AsNonNull), 1, ValType::Ref(ty.non_null()))?;
        }
        Operator::Select => {
            let of = cx.stack.len().checked_sub(2).and_then(|at| cx.stack.get(at));
            let of = *of.ok_or_else(|| Error::bug("operand stack underflow"))?;
            let ty = cx.cursor.func.ty(of);
            cx.value(Op::Select, 3, ty)?;
        }
        Operator::TypedSelect { ty } => {
            let ty = val_type(&cx.module.types, ty, cx.offset)?;
            cx.value(Op::Select, 3, ty)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// A function that is defined here has its type exactly; an imported one may have a subtype, unless the
/// import is exact.
pub(super) fn ref_func(cx: &mut Emit<'_, '_, '_>, func: u32) -> Result<()> {
    let decl = cx.module.funcs.get(func as usize).ok_or_else(|| Error::bug("unknown function after validation"))?;
    let heap = HeapType::Concrete(CompositeKind::Func, cx.module.types.id(decl.ty));
    let ty = RefType { nullable: false, exact: decl.exact, heap };
    cx.value(Op::Ref(RefOp::Func(func)), 0, ValType::Ref(ty))
}

fn calls(cx: &mut Emit<'_, '_, '_>, op: &Operator<'_>) -> Result<bool> {
    let Some((callee, args)) = callee(cx, op)? else { return Ok(false) };
    let module = cx.module;
    let results = match callee {
        Callee::Func(func) => &func_signature(module, func)?.results,
        Callee::Indirect { ty, .. } | Callee::Ref { ty } => &signature(module, ty)?.results,
    };
    match op {
        Operator::Call { .. } | Operator::CallIndirect { .. } | Operator::CallRef { .. } => {
            cx.push(Op::Call(callee), args, results)?;
        }
        _ => cx.effect(Op::ReturnCall(callee), args)?,
    }
    Ok(true)
}

/// Who an operator calls, with how many operands.
pub(super) fn callee(cx: &Emit<'_, '_, '_>, op: &Operator<'_>) -> Result<Option<(Callee, usize)>> {
    Ok(Some(match *op {
        Operator::Call { function_index: func } | Operator::ReturnCall { function_index: func } => {
            (Callee::Func(func), func_signature(cx.module, func)?.params.len())
        }
        Operator::CallIndirect { type_index: ty, table_index: table }
        | Operator::ReturnCallIndirect { type_index: ty, table_index: table } => {
            (Callee::Indirect { table, ty }, signature(cx.module, ty)?.params.len() + 1)
        }
        Operator::CallRef { type_index: ty } | Operator::ReturnCallRef { type_index: ty } => {
            (Callee::Ref { ty }, signature(cx.module, ty)?.params.len() + 1)
        }
        _ => return Ok(None),
    }))
}

fn tables(cx: &mut Emit<'_, '_, '_>, op: &Operator<'_>) -> Result<bool> {
    let (op, args, result) = match *op {
        Operator::TableGet { table } => (TableOp::Get(table), 1, Some(ValType::Ref(decl(cx, table)?.elem))),
        Operator::TableSize { table } => (TableOp::Size(table), 0, Some(index_type(cx, table)?)),
        Operator::TableGrow { table } => (TableOp::Grow(table), 2, Some(index_type(cx, table)?)),
        Operator::TableSet { table } => (TableOp::Set(table), 2, None),
        Operator::TableFill { table } => (TableOp::Fill(table), 3, None),
        Operator::TableCopy { dst_table, src_table } => (TableOp::Copy { dst: dst_table, src: src_table }, 3, None),
        Operator::TableInit { elem_index, table } => (TableOp::Init { elem: elem_index, table }, 3, None),
        Operator::ElemDrop { elem_index } => (TableOp::ElemDrop(elem_index), 0, None),
        _ => return Ok(false),
    };
    cx.push(Op::Table(op), args, result.as_slice())?;
    Ok(true)
}

fn decl<'e, 'a>(cx: &'e Emit<'_, '_, 'a>, table: u32) -> Result<&'e super::TableDecl<'a>> {
    cx.module.tables.get(table as usize).ok_or_else(|| Error::bug("unknown table after validation"))
}

fn index_type(cx: &Emit<'_, '_, '_>, table: u32) -> Result<ValType> {
    Ok(if decl(cx, table)?.table64 { ValType::I64 } else { ValType::I32 })
}
