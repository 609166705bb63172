//! First-class RTTs, and functions as values of any kind: the dialect of 2018 to 2021.
//!
//! An RTT is a reference to the record that headers point to. A cast against one that is known only at run time is
//! the display test of `cast.rs` with operands in place of constants.
//!
//! ```wat
//! (rtt.canon $t)                                          ;; becomes (i32.const RTT_OF_T - 3)
//! (ref.test (local.get $x) (local.get $r))                ;; $r of type (rtt 2 $t), $x an object
//! ;; becomes
//! (i32.eq (i32.load $heap offset=DISPLAY+8 (i32.load $heap offset=3 (local.get $x)))
//!         (i32.add (local.get $r) (i32.const 3)))
//! ```
//!
//! Where no object can have an RTT below the operand, the header itself is compared (`src/rtt/check/module.rs` finds out).
//! Where the number of RTTs above the operand is not known, it is loaded from the operand, and compared with the object's
//! where displays may end before it.
//! Functions in the `any` hierarchy are their handles, told apart by their low bits; see `layout/reference.rs`.
//!
//! Source: the GC proposal of May 2021 (explicit RTTs), N. Cohen (1991).

use super::super::env::{ModuleEnv, RuntimeFunc};
use super::super::environ::{Environ, Lowering};
use super::{Arg, Out, Repr, cast, desc, func_ref, memory};
use crate::fault::Error;
use crate::ir::{Callee, Cursor, Inst, Op, RefOp, RttBound, Value};
use crate::layout::{reference, rtt};
use crate::types::{RefType, TypeId, ValType};
use wasmparser::Operator;

/// Lowers an operation of this family; `None` for any other.
pub fn lower<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    op: RefOp,
    args: &[Arg],
    ty: ValType,
) -> Lowering<Option<Out>> {
    Ok(Some(match op {
        RefOp::RttCanon(id) => Repr::Plain(canon(e, c, id, ty)?),
        RefOp::RttSub(id) => {
            let parent = operand(e, c, args, 0)?;
            let record = super::record::address(e.env(), c, e.env().gc_type(id)?);
            let callee = Callee::Func(e.env().runtime(RuntimeFunc::RttSub));
            Repr::Plain(c.value(Op::Call(callee), &[parent, record], ty))
        }
        RefOp::TestRtt(bound) => {
            let (value, rtt) = (operand(e, c, args, 0)?, operand(e, c, args, 1)?);
            Repr::Plain(test(e, c, (value, cast_from(args)?), rtt, bound))
        }
        RefOp::CastRtt(bound) => {
            let (value, rtt) = (operand(e, c, args, 0)?, operand(e, c, args, 1)?);
            cast(e, c, (value, cast_from(args)?), rtt, bound);
            Repr::Plain(c.i32(1))
        }
        RefOp::FuncToAny => {
            let arg = *args.first().ok_or_else(missing)?;
            let handle = func_ref::handle(e, c, arg)?;
            let shift = c.i32(reference::FUNC_SHIFT);
            let shifted = c.i32_op(Operator::I32Shl, handle, shift);
            let bits = c.i32(reference::FUNC_BITS);
            Repr::Plain(c.core(Operator::I32Or, &[shifted, bits], ty))
        }
        RefOp::AnyToFunc(_) => {
            let word = operand(e, c, args, 0)?;
            let one = c.i32(1);
            let high = c.i32_op(Operator::I32Shl, word, one);
            let shift = c.i32(reference::FUNC_SHIFT + 1);
            Repr::Handle(c.i32_op(Operator::I32ShrS, high, shift))
        }
        RefOp::AnyIsFunc => {
            let word = operand(e, c, args, 0)?;
            let mask = c.i32(reference::TAG_MASK);
            let tag = c.i32_op(Operator::I32And, word, mask);
            let wanted = c.i32(reference::TAG_FUNC);
            let tagged = c.i32_op(Operator::I32Eq, tag, wanted);
            let null = c.i32(reference::NULL);
            let there = c.i32_op(Operator::I32Ne, word, null);
            Repr::Plain(c.i32_op(Operator::I32And, tagged, there))
        }
        RefOp::Bind(id) => Repr::Plain(bind(e, c, args, id, ty)?),
        _ => return Ok(None),
    }))
}

#[cold]
fn missing() -> Error {
    Error::bug("an operation without its operand")
}

fn operand<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, args: &[Arg], at: usize) -> Lowering<Value> {
    func_ref::native(e, c, *args.get(at).ok_or_else(missing)?)
}

fn canon<'a, E: Environ<'a>>(e: &E, c: &mut Cursor<'_, 'a>, id: TypeId, ty: ValType) -> Lowering<Value> {
    Ok(super::record::rtt(e.env(), c, e.env().gc_type(id)?, ty))
}

fn cast_from(args: &[Arg]) -> Lowering<RefType> {
    let from = args.first().and_then(|arg| arg.ty.as_ref());
    from.ok_or_else(|| Error::bug("a cast of a number"))
}

/// A trap unless a value is an object with an RTT at or below another.
fn cast<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    (value, from): (Value, RefType),
    wanted: Value,
    bound: RttBound,
) {
    let known = matches!(bound, RttBound::Lowest | RttBound::Depth(_)) || every_display_has(bound);
    if known || from.nullable || cast::may_be_no_object(from) {
        let ok = test(e, c, (value, from), wanted, bound);
        return cast::fail_unless(c, ok);
    }
    // Each way fails by itself: the ways do not have to meet before it is asked.
    let header = cast::header(e, c, value, from);
    let record = desc::record(c, wanted);
    below(e.env(), c, (header, record), &[], |c, ok| {
        cast::fail_unless(c, ok);
        c.yield_(&[]);
    });
}

/// Whether every display is so long that it has an entry for an RTT.
fn every_display_has(bound: RttBound) -> bool {
    matches!(bound, RttBound::Depth(depth) | RttBound::AtMost(depth) if depth < rtt::MIN_DISPLAY)
}

/// Whether a value is an object with an RTT at or below another: an `i32`.
fn test<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    (value, from): (Value, RefType),
    wanted: Value,
    bound: RttBound,
) -> Value {
    let header = cast::header(e, c, value, from);
    let env = e.env();
    let record = desc::record(c, wanted);
    let equal = |c: &mut Cursor<'_, 'a>, found| c.i32_op(Operator::I32Eq, found, record);
    match bound {
        RttBound::Lowest => equal(c, header),
        RttBound::Depth(depth) if every_display_has(bound) => {
            let found = word(env, c, header, rtt::RTT_DISPLAY + 4 * depth);
            equal(c, found)
        }
        RttBound::Depth(depth) => {
            let depth = c.i32(depth);
            deep_entry_is(env, c, header, record, depth)
        }
        RttBound::AtMost(_) if every_display_has(bound) => {
            let depth = word(env, c, record, rtt::RTT_DEPTH);
            entry_is(env, c, header, record, depth)
        }
        RttBound::AtMost(_) | RttBound::Unknown => {
            let inst = below(env, c, (header, record), &[ValType::I32], |c, is| c.yield_(&[is]));
            c.func.results(inst)[0]
        }
    }
}

fn word(env: &ModuleEnv<'_, '_>, c: &mut Cursor<'_, '_>, at: Value, offset: u32) -> Value {
    memory::load_word(env, c, at, offset, ValType::I32)
}

/// Whether the entry of one record's display at a depth is another record: an `i32`. It is there.
fn entry_is(env: &ModuleEnv<'_, '_>, c: &mut Cursor<'_, '_>, header: Value, record: Value, depth: Value) -> Value {
    let two = c.i32(2);
    let offset = c.i32_op(Operator::I32Shl, depth, two);
    let entry = c.i32_op(Operator::I32Add, header, offset);
    let found = word(env, c, entry, rtt::RTT_DISPLAY);
    c.i32_op(Operator::I32Eq, found, record)
}

/// The same where the display may end before that depth.
fn deep_entry_is<'a>(
    env: &ModuleEnv<'_, 'a>,
    c: &mut Cursor<'_, 'a>,
    header: Value,
    record: Value,
    depth: Value,
) -> Value {
    let has = word(env, c, header, rtt::RTT_DEPTH);
    let deep = c.i32_op(Operator::I32GeU, has, depth);
    let inst = c.if_else(
        deep,
        &[ValType::I32],
        |c| {
            let is = entry_is(env, c, header, record, depth);
            c.yield_(&[is]);
        },
        |c| {
            let zero = c.i32(0);
            c.yield_(&[zero]);
        },
    );
    c.func.results(inst)[0]
}

/// Whether the display of one record has another where that would be: an `i32`, and an arm that ends in its own way for
/// where each display has an entry and for where it may not.
fn below<'a>(
    env: &ModuleEnv<'_, 'a>,
    c: &mut Cursor<'_, 'a>,
    (header, record): (Value, Value),
    results: &[ValType],
    end: impl Fn(&mut Cursor<'_, 'a>, Value),
) -> Inst {
    let depth = word(env, c, record, rtt::RTT_DEPTH);
    let least = c.i32(rtt::MIN_DISPLAY);
    let shallow = c.i32_op(Operator::I32LtU, depth, least);
    c.if_else(
        shallow,
        results,
        |c| {
            let is = entry_is(env, c, header, record, depth);
            end(c, is);
        },
        |c| {
            let is = deep_entry_is(env, c, header, record, depth);
            end(c, is);
        },
    )
}

fn bind<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    args: &[Arg],
    id: TypeId,
    ty: ValType,
) -> Lowering<Value> {
    let (environment, callee) = (operand(e, c, args, 0)?, operand(e, c, args, 1)?);
    let func = e.env().bind_func(id).ok_or_else(|| Error::bug("a function is bound to a type of another module"))?;
    let nullable = ty.as_ref().map_or(ty, |r| ValType::Ref(r.as_nullable()));
    let bound = c.value(Op::Call(Callee::Func(func)), &[environment, callee], nullable);
    Ok(c.value(Op::Ref(RefOp::AsNonNull), &[bound], ty))
}
