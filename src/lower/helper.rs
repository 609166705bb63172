//! Functions that lowering adds to a module, built in lowered operations.

use super::bytes;
use super::env::{ModuleEnv, RuntimeFunc};
use super::op::memory;
use crate::ir::{Cursor, Func, HeapOp, Op, SrcLoc, TrapCode, Value};
use crate::types::ValType;
use wasmparser::Operator;

/// Makes a function for a module.
type Make = for<'e, 'm, 'a> fn(&'e ModuleEnv<'m, 'a>) -> Func<'a>;

/// Those that a module gets if its code calls them. None of them calls another.
pub const HELPERS: [(RuntimeFunc, Make); 4] = [
    (RuntimeFunc::Remember, remember),
    (RuntimeFunc::Allocate, allocate),
    (RuntimeFunc::CopyBytes, bytes::copy),
    (RuntimeFunc::FillBytes, bytes::fill),
];

/// `(func $remember (param $slot i32))`: what is else done in place.
fn remember<'a>(env: &ModuleEnv<'_, 'a>) -> Func<'a> {
    let mut func = Func::new(env.runtime(RuntimeFunc::Remember), &[ValType::I32], &[]);
    let (body, slot) = (func.body, func.params()[0]);
    let c = &mut Cursor::at(&mut func, body, SrcLoc::NONE);
    append_remembered(env, c, slot);
    c.push(Op::Return, &[], &[]);
    func
}

/// Appends a slot's address to the buffer of remembered slots.
///
/// ```wat
/// (i32.store (local.tee $at (i32.load NEXT)) slot)
/// (i32.store NEXT (i32.add $at (i32.shl (i32.lt_u $at (i32.load LAST)) 2)))
/// ```
/// There is no call for a full buffer. The engine keeps values that are alive across a call in memory, also on the usual way
/// around it, and a loop that does nothing but swap references took half as long again. What finds no room is lost, and the
/// collector sees that something was.
pub fn append_remembered<'a>(env: &ModuleEnv<'_, 'a>, c: &mut Cursor<'_, 'a>, slot: Value) {
    let (zero, cell) = (c.i32(0), env.map.remembered_cell());
    let at = memory::load_word(env, c, zero, cell, ValType::I32);
    memory::store_word(env, c, at, 0, slot);
    let last = memory::load_word(env, c, zero, env.map.remembered_last_cell(), ValType::I32);
    let has_room = c.i32_op(Operator::I32LtU, at, last);
    let two = c.i32(2);
    let bytes = c.i32_op(Operator::I32Shl, has_room, two);
    let next = c.i32_op(Operator::I32Add, at, bytes);
    memory::store_word(env, c, zero, cell, next);
}

/// `(func $allocate (param $bytes i32) (result i32))`: what is else done in place. Its caller sees to its own roots.
fn allocate<'a>(env: &ModuleEnv<'_, 'a>) -> Func<'a> {
    let mut func = Func::new(env.runtime(RuntimeFunc::Allocate), &[ValType::I32], &[ValType::I32]);
    let (body, bytes) = (func.body, func.params()[0]);
    let c = &mut Cursor::at(&mut func, body, SrcLoc::NONE);
    let object = c.value(Op::Heap(HeapOp::AllocDynamic), &[bytes], ValType::I32);
    c.push(Op::Return, &[object], &[]);
    func
}

/// A function that nobody calls. Its reference is what a function returns that must return one but
/// throws.
pub fn stand_in<'a>(env: &ModuleEnv<'_, 'a>, virt: u32) -> Func<'a> {
    let sig = env.stand_in_type(virt).and_then(|ty| env.module.type_func(ty)).cloned().unwrap_or_default();
    trapping(virt, &sig.params, &sig.results)
}

/// A function that traps at once, in the place of one that nothing calls.
pub fn trapping<'a>(index: u32, params: &[ValType], results: &[ValType]) -> Func<'a> {
    let mut func = Func::new(index, params, results);
    let body = func.body;
    Cursor::at(&mut func, body, SrcLoc::NONE).push(Op::Trap(TrapCode::Unreachable), &[], &[]);
    func
}
