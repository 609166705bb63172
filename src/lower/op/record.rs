//! Numbers of the engine's in code: addresses of RTT records, and type ids.
//!
//! ```wat
//! (i32.const 5308416)                 ;; in code for this engine
//! (global.get $rtt:3)                 ;; in relocatable code
//! ```
//!
//! Which address a record has depends on what the engine has met before. Code that is kept for other engines
//! therefore imports the addresses, as immutable globals; the runtime gives them at instantiation. The built-in
//! records come first, so that their addresses are the same in all engines with the same map.

use crate::ir::{Cursor, GlobalOp, Op, Value};
use crate::layout::{GcType, reference};
use crate::lower::env::ModuleEnv;
use crate::types::ValType;
use wasmparser::Operator;

/// The address of a type's record.
pub fn address<'a>(env: &ModuleEnv<'_, 'a>, c: &mut Cursor<'_, 'a>, ty: &GcType) -> Value {
    number(c, env.rtt_global(ty, false), ty.rtt.0)
}

/// The type's record as a value: an RTT.
pub fn rtt<'a>(env: &ModuleEnv<'_, 'a>, c: &mut Cursor<'_, 'a>, ty: &GcType, of: ValType) -> Value {
    let Some(global) = env.rtt_global(ty, false) else {
        let value = reference::from_header(ty.rtt.0) as i32;
        return c.core(Operator::I32Const { value }, &[], of);
    };
    let address = c.value(Op::Global(GlobalOp::Get(global)), &[], ValType::I32);
    let bias = c.i32(reference::from_header(0));
    c.core(Operator::I32Add, &[address, bias], of)
}

/// The type's id, as its record holds it.
pub fn index<'a>(env: &ModuleEnv<'_, 'a>, c: &mut Cursor<'_, 'a>, ty: &GcType) -> Value {
    number(c, env.rtt_global(ty, true), ty.index)
}

fn number(c: &mut Cursor<'_, '_>, global: Option<u32>, constant: u32) -> Value {
    match global {
        Some(global) => c.value(Op::Global(GlobalOp::Get(global)), &[], ValType::I32),
        None => c.i32(constant),
    }
}
