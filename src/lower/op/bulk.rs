//! Ranges: bounds checks and copying, shared by arrays and lowered tables. Filling is `fill.rs`.
//!
//! Bytes are copied wherever the representation allows, references included: a reference is four bytes like any other.
//! What this is not: the barrier behind it, of which one covers a whole range.

use super::super::environ::Environ;
use super::memory;
use crate::ir::{Cursor, Inst, Op, TrapCode, Value};
use crate::layout::object::{ARRAY_ELEMENTS, ARRAY_LENGTH};
use crate::layout::{Width, reference};
use crate::types::ValType;
use wasmparser::Operator;

/// The length of an array; a null reference traps.
pub fn array_len<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, array: Value) -> Value {
    if let Some(len) = e.known().get(array) {
        return len;
    }
    e.null_check(c, array);
    let what = (Width::I32, crate::ir::Sign::None, ValType::I32);
    let fault = memory::null_fault(c, array);
    let len = memory::load(e.env(), c, array, ARRAY_LENGTH, what, fault);
    let region = c.region;
    e.known().set(array, len, region);
    len
}

/// Traps unless an index is below a limit, unsigned.
pub fn check_index<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, index: Value, limit: Value, trap: TrapCode) {
    let constant = c.constant(index);
    if e.env().bounds && e.known().is_below((index, constant), limit) {
        return;
    }
    let over = c.i32_op(Operator::I32GeU, index, limit);
    c.trap_if(over, trap);
    let region = c.region;
    e.known().set_below((index, constant), limit, region);
}

/// Traps unless `start + count <= len`, all unsigned, without wrapping.
pub fn check_range(c: &mut Cursor<'_, '_>, start: Value, count: Value, len: Value, trap: TrapCode) {
    let wide = |c: &mut Cursor<'_, '_>, v| c.core(Operator::I64ExtendI32U, &[v], ValType::I64);
    let (start, count, len) = (wide(c, start), wide(c, count), wide(c, len));
    let end = c.core(Operator::I64Add, &[start, count], ValType::I64);
    let over = c.core(Operator::I64GtU, &[end, len], ValType::I32);
    c.trap_if(over, trap);
}

/// `log2` of an element's size.
pub fn shift(width: Width) -> u32 {
    width.bytes().trailing_zeros()
}

/// A count of elements in bytes.
pub fn scaled(c: &mut Cursor<'_, '_>, count: Value, width: Width) -> Value {
    if shift(width) == 0 {
        return count;
    }
    let shift = c.i32(shift(width));
    c.i32_op(Operator::I32Shl, count, shift)
}

/// A reference moved forward by `index` elements: the base of an element access at the offset of the
/// first element.
pub fn element<'a>(c: &mut Cursor<'_, 'a>, array: Value, index: Value, width: Width) -> Value {
    let distance = scaled(c, index, width);
    c.i32_op(Operator::I32Add, array, distance)
}

/// The plain address of an element.
pub fn address(c: &mut Cursor<'_, '_>, array: Value, index: Value, width: Width) -> Value {
    let base = element(c, array, index, width);
    let offset = c.i32(ARRAY_ELEMENTS + reference::BIAS);
    c.i32_op(Operator::I32Add, base, offset)
}

/// Copies `count` elements, without a barrier; the ranges may overlap and are in bounds.
pub fn copy<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    (dst, dst_start): (Value, Value),
    (src, src_start): (Value, Value),
    count: Value,
    width: Width,
) {
    let to = address(c, dst, dst_start, width);
    let from = address(c, src, src_start, width);
    let bytes = scaled(c, count, width);
    e.copy_bytes(c, to, from, bytes);
}

/// `let mut at = first; while cond(at) { at = step(at) }`
pub fn loop_while<'a>(
    c: &mut Cursor<'_, 'a>,
    first: Value,
    cond: impl FnOnce(&mut Cursor<'_, 'a>, Value) -> Value,
    step: impl FnOnce(&mut Cursor<'_, 'a>, Value) -> Value,
) -> Inst {
    let body = c.func.add_region();
    let at = c.func.add_param(body, ValType::I32);
    let inst = c.push(Op::Loop { body }, &[first], &[]);
    let mut inner = Cursor { func: c.func, region: body, loc: c.loc };
    let go_on = cond(&mut inner, at);
    inner.if_else(
        go_on,
        &[],
        |c| {
            let next = step(c, at);
            c.push(Op::Br { target: inst }, &[next], &[]);
        },
        |c| c.yield_(&[]),
    );
    inner.yield_(&[]);
    inst
}
