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
//! Where the number of RTTs above the operand is not known, it is asked first whether the object has the very RTT. If not,
//! the number is loaded from the operand, and compared with the object's if displays may end before it.
//! Functions in the `any` hierarchy are their handles, told apart by their low bits; see `layout/reference.rs`.
//!
//! Source: the GC proposal of May 2021 (explicit RTTs), N. Cohen (1991).

use super::super::env::{ModuleEnv, RuntimeFunc};
use super::super::environ::{Environ, Lowering};
use super::{Arg, Out, Repr, cast, desc, func_ref, memory};
use crate::fault::Error;
use crate::ir::{Callee, Cursor, Op, RefOp, Value};
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
        RefOp::TestRtt(depth) => {
            let (value, rtt) = (operand(e, c, args, 0)?, operand(e, c, args, 1)?);
            let from = args.first().and_then(|arg| arg.ty.as_ref());
            let from = from.ok_or_else(|| Error::bug("a cast of a number"))?;
            Repr::Plain(test(e, c, (value, from), rtt, depth))
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
    let record = e.env().gc_type(id)?.rtt.0;
    let value = reference::from_header(record) as i32;
    Ok(c.core(Operator::I32Const { value }, &[], ty))
}

/// Whether a value is an object with an RTT at or below another: an `i32`.
fn test<'a, E: Environ<'a>>(
    e: &E,
    c: &mut Cursor<'_, 'a>,
    (value, from): (Value, RefType),
    wanted: Value,
    depth: Option<u32>,
) -> Value {
    let env = e.env();
    cast::guarded(c, value, from, 0, |c| {
        let header = memory::header(env, c, value, None);
        let record = desc::record(c, wanted);
        let display = |c: &mut Cursor<'_, 'a>, at, offset| memory::load_word(env, c, at, offset, ValType::I32);
        if let Some(depth) = depth.filter(|&depth| depth < rtt::MIN_DISPLAY) {
            let found = display(c, header, rtt::RTT_DISPLAY + 4 * depth);
            return c.i32_op(Operator::I32Eq, found, record);
        }
        // Most objects have the very RTT.
        let same = c.i32_op(Operator::I32Eq, header, record);
        let inst = c.if_else(
            same,
            &[ValType::I32],
            |c| {
                let one = c.i32(1);
                c.yield_(&[one]);
            },
            |c| {
                let below = is_below(env, c, header, record, depth);
                c.yield_(&[below]);
            },
        );
        c.func.results(inst)[0]
    })
}

/// Whether the display of one record has another where that would be: an `i32`.
fn is_below(
    env: &ModuleEnv<'_, '_>,
    c: &mut Cursor<'_, '_>,
    header: Value,
    record: Value,
    depth: Option<u32>,
) -> Value {
    let word = |c: &mut Cursor<'_, '_>, at, offset| memory::load_word(env, c, at, offset, ValType::I32);
    let depth = match depth {
        Some(depth) => c.i32(depth),
        None => word(c, record, rtt::RTT_DEPTH),
    };
    // The first entries are always there.
    let least = c.i32(rtt::MIN_DISPLAY);
    let shallow = c.i32_op(Operator::I32LtU, depth, least);
    let inst = c.if_else(
        shallow,
        &[ValType::I32],
        |c| c.yield_(&[shallow]),
        |c| {
            let has = word(c, header, rtt::RTT_DEPTH);
            let deep = c.i32_op(Operator::I32GeU, has, depth);
            c.yield_(&[deep]);
        },
    );
    let there = c.func.results(inst)[0];
    let inst = c.if_else(
        there,
        &[ValType::I32],
        |c| {
            let two = c.i32(2);
            let offset = c.i32_op(Operator::I32Shl, depth, two);
            let entry = c.i32_op(Operator::I32Add, header, offset);
            let found = word(c, entry, rtt::RTT_DISPLAY);
            let equal = c.i32_op(Operator::I32Eq, found, record);
            c.yield_(&[equal]);
        },
        |c| {
            let zero = c.i32(0);
            c.yield_(&[zero]);
        },
    );
    c.func.results(inst)[0]
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
