//! Filling a range of elements with one value.
//!
//! Bytes are filled where every byte is the same. Otherwise the value is repeated to eight bytes, so
//! that a store writes several elements:
//!
//! ```wat
//! (array.fill $ints (local.get $a) (i32.const 0) (local.get $v) (local.get $n))
//! ;; becomes, behind the checks
//! (local.set $pair (i64.mul (i64.extend_i32_u (local.get $v)) (i64.const 0x1_0000_0001)))
//! (if (i32.ge_u (local.get $bytes) (i32.const 16))
//!   (then
//!     (loop $more                                          ;; at: from the first element on
//!       (i64.store $heap (local.get $at) (local.get $pair))
//!       (i64.store $heap offset=8 (local.get $at) (local.get $pair))
//!       (br_if $more (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $last))))
//!     (i64.store $heap (local.get $last) (local.get $pair)) ;; last: 16 bytes before the end
//!     (i64.store $heap offset=8 (local.get $last) (local.get $pair)))
//!   (else (loop ...)))                                     ;; element by element
//! ```
//!
//! The last two stores may overlap those of the loop: sixteen bytes are a whole number of elements, so they
//! write the same there. Vectors would write as much in one store, but an engine may have them switched
//! off.
//!
//! What this is not: the checks and the barrier, which come before it.

use super::super::environ::Environ;
use super::{bulk, memory};
use crate::ir::{Cursor, Op, Value};
use crate::layout::Width;
use crate::layout::object::ARRAY_ELEMENTS;
use crate::types::ValType;
use wasmparser::Operator;

/// How many bytes a turn of the wide loop writes.
const TURN: u32 = 16;

/// Sets `count` elements from `start` on to a value, without a barrier. The range is in bounds.
pub fn fill<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    (array, start): (Value, Value),
    count: Value,
    width: Width,
    value: Value,
) {
    let byte = match width {
        Width::I8 => Some(value),
        _ => uniform_byte(c, value, width).map(|byte| c.i32(byte.into())),
    };
    if let Some(byte) = byte {
        let to = bulk::address(c, array, start, width);
        let bytes = bulk::scaled(c, count, width);
        e.fill_bytes(c, to, byte, bytes);
        return;
    }
    let first = bulk::element(c, array, start, width);
    let bytes = bulk::scaled(c, count, width);
    let end = c.i32_op(Operator::I32Add, first, bytes);
    if width == Width::V128 {
        return one_by_one(e, c, (first, end), width, value);
    }
    let eight = repeated(c, width, value);
    let turn = c.i32(TURN);
    let long = c.i32_op(Operator::I32GeU, bytes, turn);
    c.if_else(
        long,
        &[],
        |c| {
            wide(e, c, (first, end), eight);
            c.yield_(&[]);
        },
        |c| {
            one_by_one(e, c, (first, end), width, value);
            c.yield_(&[]);
        },
    );
}

/// The byte that a value consists of throughout, if it is a constant of that form.
fn uniform_byte(c: &Cursor<'_, '_>, value: Value, width: Width) -> Option<u8> {
    let inst = c.func.def_inst(value)?;
    let Op::Core(op) = &c.func.insts[inst].op else { return None };
    let bytes = match op {
        Operator::I32Const { value } => value.to_le_bytes().to_vec(),
        Operator::I64Const { value } => value.to_le_bytes().to_vec(),
        Operator::F32Const { value } => value.bits().to_le_bytes().to_vec(),
        Operator::F64Const { value } => value.bits().to_le_bytes().to_vec(),
        Operator::I32x4Splat => {
            let zero = *c.func.args(inst).first()?;
            return uniform_byte(c, zero, Width::I32);
        }
        _ => return None,
    };
    let used = bytes.get(..(width.bytes() as usize).min(bytes.len()))?;
    let first = *used.first()?;
    used.iter().all(|&b| b == first).then_some(first)
}

/// Eight bytes of elements, as an `i64`.
fn repeated(c: &mut Cursor<'_, '_>, width: Width, value: Value) -> Value {
    let i64_op = |c: &mut Cursor<'_, '_>, op, args: &[Value]| c.core(op, args, ValType::I64);
    let once = match width {
        Width::I64 => return value,
        Width::F64 => return i64_op(c, Operator::I64ReinterpretF64, &[value]),
        Width::F32 => c.core(Operator::I32ReinterpretF32, &[value], ValType::I32),
        Width::I16 => {
            let mask = c.i32(0xFFFF);
            c.i32_op(Operator::I32And, value, mask)
        }
        _ => value,
    };
    let once = i64_op(c, Operator::I64ExtendI32U, &[once]);
    let every = if width == Width::I16 { 0x0001_0001_0001_0001 } else { 0x0000_0001_0000_0001 };
    let every = i64_op(c, Operator::I64Const { value: every }, &[]);
    i64_op(c, Operator::I64Mul, &[once, every])
}

/// At least one turn.
fn wide<'a, E: Environ<'a>>(e: &E, c: &mut Cursor<'_, 'a>, (first, end): (Value, Value), eight: Value) {
    let env = e.env();
    let turn = |c: &mut Cursor<'_, 'a>, at: Value| {
        memory::store(env, c, at, ARRAY_ELEMENTS, Width::I64, eight, None);
        memory::store(env, c, at, ARRAY_ELEMENTS + TURN / 2, Width::I64, eight, None);
    };
    let size = c.i32(TURN);
    let last = c.i32_op(Operator::I32Sub, end, size);
    let body = c.func.add_region();
    let at = c.func.add_param(body, ValType::I32);
    let inst = c.push(Op::Loop { body }, &[first], &[]);
    let mut inner = Cursor { func: c.func, region: body, loc: c.loc };
    turn(&mut inner, at);
    let size = inner.i32(TURN);
    let next = inner.i32_op(Operator::I32Add, at, size);
    let more = inner.i32_op(Operator::I32LtU, next, last);
    inner.push(Op::BrIf { target: inst }, &[more, next], &[]);
    inner.yield_(&[]);
    turn(c, last);
}

/// `for at in (first..end).step_by(size)`
fn one_by_one<'a, E: Environ<'a>>(
    e: &E,
    c: &mut Cursor<'_, 'a>,
    (first, end): (Value, Value),
    width: Width,
    value: Value,
) {
    bulk::loop_while(
        c,
        first,
        |c, at| c.i32_op(Operator::I32Ne, at, end),
        |c, at| {
            memory::store(e.env(), c, at, ARRAY_ELEMENTS, width, value, None);
            let size = c.i32(width.bytes());
            c.i32_op(Operator::I32Add, at, size)
        },
    );
}
