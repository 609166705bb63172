//! References of any kind: null, equality, conversions, casts.
//!
//! `ref.null` is the constant -1, `ref.eq` is `i32.eq`, and the conversions between `any` and `extern`
//! are nothing at all: both are references into the same heap. Function references go to
//! `func_ref.rs`.

use super::super::environ::{Environ, Lowering};
use super::{Arg, Out, Repr, cast, desc, func_ref, rtt};
use crate::fault::Error;
use crate::ir::{Cursor, Op, RefOp, TrapCode};
use crate::layout::reference;
use crate::types::{CompositeKind, HeapTop, HeapType, RefType, ValType};
use wasmparser::Operator;

/// Lowers a reference operation; `ty` is the type of its result.
pub fn lower<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    op: RefOp,
    args: &[Arg],
    ty: ValType,
) -> Lowering<Out> {
    let operand = args.first().copied();
    if let Some(out) = rtt::lower(e, c, op, args, ty)? {
        return Ok(out);
    }
    if let Some(from) = operand.and_then(|arg| arg.ty.as_ref()).filter(|r| r.is_func()) {
        return in_func_hierarchy(e, c, op, args[0], from, ty);
    }
    match op {
        RefOp::Func(func) => Ok(Repr::Known(func)),
        RefOp::Null(heap) if heap.top() == HeapTop::Func => Ok(Repr::Null(heap)),
        RefOp::Null(_) => {
            let op = Operator::I32Const { value: reference::NULL as i32 };
            Ok(Repr::Plain(c.core(op, &[], ty)))
        }
        _ => {
            let arg = operand.ok_or_else(|| Error::bug("reference operation without an operand"))?;
            in_heap(e, c, op, arg, args, ty)
        }
    }
}

fn in_heap<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    op: RefOp,
    arg: Arg,
    args: &[Arg],
    ty: ValType,
) -> Lowering<Out> {
    let value = func_ref::native(e, c, arg)?;
    let from = arg.ty.as_ref().ok_or_else(|| Error::bug("reference operation on a number"))?;
    Ok(Repr::Plain(match op {
        RefOp::IsNull => {
            let null = c.i32(reference::NULL);
            c.i32_op(Operator::I32Eq, value, null)
        }
        RefOp::AsNonNull => {
            if from.nullable {
                let null = c.i32(reference::NULL);
                let is_null = c.i32_op(Operator::I32Eq, value, null);
                c.trap_if(is_null, TrapCode::NullReference);
            }
            cast::renamed(e, c, value, ty)
        }
        RefOp::Eq => {
            let other = func_ref::native(e, c, args[1])?;
            c.i32_op(Operator::I32Eq, value, other)
        }
        RefOp::Test(to) => e.translate_ref_test(c, value, from, to)?,
        RefOp::Cast(to) => {
            e.translate_ref_cast(c, value, from, to)?;
            cast::renamed(e, c, value, ty)
        }
        RefOp::GetDesc => desc::get(e, c, value, ty),
        RefOp::TestDesc(to) => {
            let descriptor = func_ref::native(e, c, args[1])?;
            desc::test(e, c, (value, from), to, descriptor)
        }
        RefOp::CastDesc(to) => {
            let descriptor = func_ref::native(e, c, args[1])?;
            desc::cast(e, c, (value, from), to, descriptor);
            cast::renamed(e, c, value, ty)
        }
        RefOp::Refine | RefOp::AnyConvertExtern | RefOp::ExternConvertAny => cast::renamed(e, c, value, ty),
        RefOp::Func(_) | RefOp::Null(_) => return Err(Error::bug("constant reference with an operand")),
        _ => return Err(Error::bug("a reference operation that is lowered elsewhere")),
    }))
}

fn in_func_hierarchy<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    op: RefOp,
    arg: Arg,
    from: RefType,
    ty: ValType,
) -> Lowering<Out> {
    Ok(match op {
        RefOp::IsNull => Repr::Plain(func_ref::is_null(e, c, arg)?),
        RefOp::AsNonNull => {
            let repr = func_ref::non_null(e, c, arg, TrapCode::NullReference)?;
            narrowed(c, repr, ty)
        }
        RefOp::Test(to) => Repr::Plain(func_ref::test(e, c, arg, from, to)?),
        RefOp::Cast(to) => {
            let repr = func_ref::cast(e, c, arg, from, to)?;
            narrowed(c, repr, ty)
        }
        RefOp::Refine => refined(e, c, arg, from, ty)?,
        RefOp::IsFunc(func) => Repr::Plain(func_ref::is_func(e, c, arg, func)),
        _ => return Err(Error::bug("no such operation on function references")),
    })
}

/// A reference on the path where it is known to be of type `ty`. A refinement to a type that the
/// representation does not have must really convert.
fn refined<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    arg: Arg,
    from: RefType,
    ty: ValType,
) -> Lowering<Repr> {
    let Some(to) = ty.as_ref() else { return Err(Error::bug("a refinement to a number")) };
    let types = &e.env().module.types;
    let fits = types.is_sub_heap(from.heap, to.heap);
    match arg.repr {
        Repr::Plain(_) if !fits => func_ref::cast(e, c, arg, from, to),
        Repr::Known(func) if !is_of(e, func, to) => match e.env().module.funcs.get(func as usize) {
            // An imported function may be of a subtype of what the import says.
            Some(decl) if !decl.exact => func_ref::cast(e, c, arg, from, to),
            // Where a function of the module would be of a type that it is not of, control never comes.
            _ => Ok(null_as(c, to)),
        },
        repr => Ok(narrowed(c, repr, ty)),
    }
}

fn is_of<'a, E: Environ<'a>>(e: &E, func: u32, to: RefType) -> bool {
    let module = e.env().module;
    let id = module.funcs.get(func as usize).map(|func| module.types.id(func.ty));
    id.is_some_and(|id| module.types.is_sub_heap(HeapType::Concrete(CompositeKind::Func, id), to.heap))
}

/// A null that has the given type, which validation asks for. If that is not nullable, it is never
/// reached, or traps.
fn null_as(c: &mut Cursor<'_, '_>, to: RefType) -> Repr {
    if to.nullable {
        return Repr::Null(to.heap);
    }
    let null = c.value(Op::Ref(RefOp::Null(to.heap)), &[], ValType::Ref(RefType { nullable: true, ..to }));
    Repr::Plain(c.value(Op::Ref(RefOp::AsNonNull), &[null], ValType::Ref(to)))
}

/// A native reference under a narrower type.
fn narrowed(c: &mut Cursor<'_, '_>, repr: Repr, ty: ValType) -> Repr {
    match (repr, ty) {
        (Repr::Null(_), ValType::Ref(to)) => null_as(c, to),
        (Repr::Plain(value), ValType::Ref(to)) => {
            let have = c.func.ty(value).as_ref();
            match have {
                Some(have) if have.nullable && !to.nullable => {
                    let ty = ValType::Ref(RefType { nullable: false, ..have });
                    Repr::Plain(c.value(Op::Ref(RefOp::AsNonNull), &[value], ty))
                }
                _ => repr,
            }
        }
        _ => repr,
    }
}
