//! Functions that lowering adds to a module, built in lowered operations.

use super::bytes;
use super::env::{ModuleEnv, RuntimeFunc};
use super::op::memory;
use crate::ir::{Callee, Cursor, Func, HeapOp, Op, SrcLoc, TrapCode};
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

/// `(func $remember (param $slot i32))`: appends a slot's address to the remembered buffer, which the
/// collector empties first if it is full. Not afterwards: it drops slots without young references, and this one
/// gets its own only then.
fn remember<'a>(env: &ModuleEnv<'_, 'a>) -> Func<'a> {
    let mut func = Func::new(env.runtime(RuntimeFunc::Remember), &[ValType::I32], &[]);
    let (body, slot) = (func.body, func.params()[0]);
    let flush = env.runtime(RuntimeFunc::FlushRemembered);
    let c = &mut Cursor::at(&mut func, body, SrcLoc::NONE);
    let zero = c.i32(0);
    let cell = env.map.remembered_cell();
    let at = memory::load_word(env, c, zero, cell, ValType::I32);
    let end = c.i32(env.map.remembered_end());
    let full = c.i32_op(Operator::I32GeU, at, end);
    let room = c.if_else(
        full,
        &[ValType::I32],
        |c| {
            c.push(Op::Call(Callee::Func(flush)), &[], &[]);
            let start = memory::load_word(env, c, zero, cell, ValType::I32);
            c.yield_(&[start]);
        },
        |c| c.yield_(&[at]),
    );
    let at = c.func.results(room)[0];
    memory::store_word(env, c, at, 0, slot);
    let four = c.i32(4);
    let next = c.i32_op(Operator::I32Add, at, four);
    memory::store_word(env, c, zero, cell, next);
    c.push(Op::Return, &[], &[]);
    func
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
