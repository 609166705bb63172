//! Function references between their representations.
//!
//! Objects hold *handles*: indices into the store's function table. Locals, parameters, tables and
//! globals hold WebAssembly function references. A function that the module itself names has a
//! constant handle; a reference of unknown origin gets one from the runtime, which interns it.
//! Reading a handle as a reference is a `table.get`; a concrete type then needs the runtime's check,
//! because core WebAssembly can not cast. Calls avoid all of that (see `call.rs`).

use super::super::env::{Place, RuntimeFunc};
use super::super::environ::{Environ, Lowering};
use super::{Arg, Repr, global};
use crate::fault::Error;
use crate::ir::{Callee, Cursor, Op, RefOp, TableOp, TrapCode, Value};
use crate::layout::object::FUNC_NULL;
use crate::types::{HeapType, RefType, ValType};
use wasmparser::Operator;

/// An operand as a value: for function references, as a WebAssembly reference.
pub fn native<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, arg: Arg) -> Lowering<Value> {
    match arg.repr {
        Repr::Plain(value) => Ok(value),
        Repr::Known(func) => Ok(c.value(Op::Ref(RefOp::Func(func)), &[], arg.ty)),
        Repr::Null(heap) => Ok(c.value(Op::Ref(RefOp::Null(heap)), &[], ValType::Ref(RefType::new(true, heap)))),
        Repr::Handle(handle) => {
            let ty = arg.ty.as_ref().ok_or_else(|| Error::bug("a handle that is no reference"))?;
            from_handle(e, c, handle, ty)
        }
    }
}

/// An operand as a value of an expected type. Lowered code has no `nofunc`: its null is made anew with
/// the type that is expected.
pub fn native_as<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    arg: Arg,
    expected: ValType,
) -> Lowering<Value> {
    match (arg.ty, expected) {
        (ValType::Ref(have), ValType::Ref(want)) if have.heap == HeapType::NoFunc && want.is_func() => {
            let ty = ValType::Ref(RefType::new(true, want.heap));
            let null = c.value(Op::Ref(RefOp::Null(want.heap)), &[], ty);
            Ok(refined(c, null, RefType { exact: false, ..want }))
        }
        _ => native(e, c, arg),
    }
}

fn from_handle<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, handle: Value, ty: RefType) -> Lowering<Value> {
    let func = ValType::Ref(RefType::new(true, HeapType::Func));
    let table = e.env().functions();
    let null = c.i32(FUNC_NULL);
    let is_null = c.i32_op(Operator::I32Eq, handle, null);
    let inst = c.if_else(
        is_null,
        &[func],
        |c| {
            let null = c.value(Op::Ref(RefOp::Null(HeapType::Func)), &[], func);
            c.yield_(&[null]);
        },
        |c| {
            let value = c.value(Op::Table(TableOp::Get(table)), &[handle], func);
            c.yield_(&[value]);
        },
    );
    let value = c.func.results(inst)[0];
    match ty.heap {
        HeapType::Func => Ok(refined(c, value, ty)),
        HeapType::NoFunc => {
            let nofunc = ValType::Ref(RefType::new(true, HeapType::NoFunc));
            Ok(c.value(Op::Ref(RefOp::Null(HeapType::Func)), &[], nofunc))
        }
        _ => {
            let cast = runtime_cast(e, c, value, ty)?;
            Ok(refined(c, cast, ty))
        }
    }
}

fn refined(c: &mut Cursor<'_, '_>, value: Value, ty: RefType) -> Value {
    if ty.nullable { value } else { c.value(Op::Ref(RefOp::AsNonNull), &[value], ValType::Ref(ty)) }
}

/// The argument if it is of the (concrete) type or null, else null.
fn runtime_cast<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, value: Value, to: RefType) -> Lowering<Value> {
    let func = to.heap.concrete().and_then(|id| e.env().cast_func(id, to.exact));
    let func = func.ok_or_else(|| Error::bug("cast to a function type that the module does not define"))?;
    Ok(c.value(Op::Call(Callee::Func(func)), &[value], ValType::Ref(RefType::new(true, to.heap))))
}

/// An operand as a handle.
pub fn handle<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, arg: Arg) -> Lowering<Value> {
    let known = match arg.repr {
        Repr::Handle(handle) => return Ok(handle),
        Repr::Null(_) => return Ok(c.i32(FUNC_NULL)),
        Repr::Known(func) => e.env().handles.get(&func).copied(),
        Repr::Plain(_) => None,
    };
    if let Some(offset) = known {
        return Ok(own_handle(e, c, offset));
    }
    let value = native(e, c, arg)?;
    let intern = e.env().runtime(RuntimeFunc::FunctionHandle);
    Ok(c.value(Op::Call(Callee::Func(intern)), &[value], ValType::I32))
}

/// The handle of a function of the module.
fn own_handle<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, offset: u32) -> Value {
    let place = Place { base: e.env().function_base_global(), offset };
    let base = global::base(e, c, place);
    if offset == 0 {
        return base;
    }
    let offset = c.i32(offset);
    c.i32_op(Operator::I32Add, base, offset)
}

/// Whether a function reference is to a function of the module, as far as can be told without a call: an `i32`.
pub fn is_func<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, arg: Arg, func: u32) -> Value {
    match (arg.repr, e.env().handles.get(&func).copied()) {
        (Repr::Handle(handle), Some(offset)) => {
            let own = own_handle(e, c, offset);
            c.i32_op(Operator::I32Eq, handle, own)
        }
        (Repr::Known(known), _) => c.i32(u32::from(known == func)),
        _ => c.i32(0),
    }
}

/// Whether a function reference is null: an `i32`.
pub fn is_null<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, arg: Arg) -> Lowering<Value> {
    match arg.repr {
        Repr::Handle(handle) => {
            let null = c.i32(FUNC_NULL);
            Ok(c.i32_op(Operator::I32Eq, handle, null))
        }
        Repr::Known(_) => Ok(c.i32(0)),
        Repr::Null(_) => Ok(c.i32(1)),
        Repr::Plain(_) => {
            let value = native(e, c, arg)?;
            Ok(c.value(Op::Ref(RefOp::IsNull), &[value], ValType::I32))
        }
    }
}

/// `ref.as_non_null` and the null check of a cast, with the trap that it means.
pub fn non_null<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, arg: Arg, trap: TrapCode) -> Lowering<Repr> {
    let is_null = is_null(e, c, arg)?;
    c.trap_if(is_null, trap);
    Ok(arg.repr)
}

/// `ref.test` in the `func` hierarchy: an `i32`.
pub fn test<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    arg: Arg,
    from: RefType,
    to: RefType,
) -> Lowering<Value> {
    let types = &e.env().module.types;
    if types.is_sub_ref(from.non_null(), to.non_null()) {
        if to.nullable {
            return Ok(c.i32(1));
        }
        let is_null = is_null(e, c, arg)?;
        return Ok(c.core(Operator::I32Eqz, &[is_null], ValType::I32));
    }
    let is_null = is_null(e, c, arg)?;
    let null_passes = c.i32(u32::from(to.nullable));
    let if_null = c.i32_op(Operator::I32And, is_null, null_passes);
    if to.heap.is_bottom() || types_disjoint(e, from, to) {
        return Ok(if_null);
    }
    let passed = match arg.repr {
        Repr::Handle(handle) => handle_is_of(e, c, handle, to)?,
        _ => {
            let value = native(e, c, arg)?;
            let cast = runtime_cast(e, c, value, to)?;
            is_there(c, cast)
        }
    };
    Ok(c.i32_op(Operator::I32Or, passed, if_null))
}

/// Whether a handle is of a function of this type: an `i32`, and zero if it is the null handle. Of the module's own functions it is known by
/// the handle, of others the runtime is asked.
fn handle_is_of<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, handle: Value, to: RefType) -> Lowering<Value> {
    let ranges = if e.known().compare() { e.env().handles_of(to) } else { None };
    let Some((own, ranges)) = ranges else { return handle_asked(e, c, handle, to) };
    let base = own_handle(e, c, 0);
    let offset = c.i32_op(Operator::I32Sub, handle, base);
    let end = c.i32(own);
    let is_own = c.i32_op(Operator::I32LtU, offset, end);
    let mut asked = Ok(());
    let inst = c.if_else(
        is_own,
        &[ValType::I32],
        |c| {
            let mut is = None;
            for range in ranges {
                let mut from_start = offset;
                if range.start != 0 {
                    let start = c.i32(range.start);
                    from_start = c.i32_op(Operator::I32Sub, offset, start);
                }
                let len = c.i32(range.end - range.start);
                let within = c.i32_op(Operator::I32LtU, from_start, len);
                is = Some(is.map_or(within, |is| c.i32_op(Operator::I32Or, is, within)));
            }
            let is = is.unwrap_or_else(|| c.i32(0));
            c.yield_(&[is]);
        },
        |c| match handle_asked(e, c, handle, to) {
            Ok(is) => c.yield_(&[is]),
            Err(err) => asked = Err(err),
        },
    );
    asked?;
    Ok(c.func.results(inst)[0])
}

fn handle_asked<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, handle: Value, to: RefType) -> Lowering<Value> {
    let value = from_handle(e, c, handle, RefType::new(true, HeapType::Func))?;
    let cast = runtime_cast(e, c, value, to)?;
    Ok(is_there(c, cast))
}

fn is_there(c: &mut Cursor<'_, '_>, value: Value) -> Value {
    let is_null = c.value(Op::Ref(RefOp::IsNull), &[value], ValType::I32);
    c.core(Operator::I32Eqz, &[is_null], ValType::I32)
}

fn types_disjoint<'a, E: Environ<'a>>(e: &E, from: RefType, to: RefType) -> bool {
    e.env().module.types.is_disjoint_heap(from.heap, to.heap)
}

/// `ref.cast` in the `func` hierarchy.
pub fn cast<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    arg: Arg,
    from: RefType,
    to: RefType,
) -> Lowering<Repr> {
    let types = &e.env().module.types;
    if types.is_sub_ref(from.non_null(), to.non_null()) {
        return if to.nullable || !from.nullable { Ok(arg.repr) } else { non_null(e, c, arg, TrapCode::CastFailure) };
    }
    if to.heap.is_bottom() || types_disjoint(e, from, to) {
        let ok = test(e, c, arg, from, to)?;
        let failed = c.core(Operator::I32Eqz, &[ok], ValType::I32);
        c.trap_if(failed, TrapCode::CastFailure);
        return Ok(Repr::Null(to.heap));
    }
    let failing = |e: &mut E, c: &mut Cursor<'_, 'a>, failed: Value| -> Lowering {
        let mut failed = failed;
        if to.nullable {
            let is_null = is_null(e, c, arg)?;
            failed = c.i32_op(Operator::I32GtU, failed, is_null);
        }
        c.trap_if(failed, TrapCode::CastFailure);
        Ok(())
    };
    if let Repr::Handle(handle) = arg.repr {
        // Whether it stays one is decided by what is done with it (`lower/handles.rs`).
        let is = handle_is_of(e, c, handle, to)?;
        let failed = c.core(Operator::I32Eqz, &[is], ValType::I32);
        failing(e, c, failed)?;
        return Ok(arg.repr);
    }
    let value = native(e, c, arg)?;
    let cast = runtime_cast(e, c, value, to)?;
    let failed = c.value(Op::Ref(RefOp::IsNull), &[cast], ValType::I32);
    failing(e, c, failed)?;
    Ok(Repr::Plain(refined(c, cast, to)))
}
