//! Choices between constants, as arithmetic on conditions.
//!
//! ```text
//! before                                  after
//!   v2 = if v0                              v2 = i32.or v0 v1
//!     v3 = i32.const 1                      if v2
//!     yield v3                                ...
//!   else
//!     v1 = i32.eq v4 v5
//!     yield v1
//!   if v2
//!     ...
//! ```
//!
//! Compilers write `a || b` and `!a` like this. To the engine it is two branches, of which the second asks again
//! what the first has found out.
//!
//! Obligations:
//!
//! - What stood in an arm is computed in any case now: it neither traps nor has an effect, and it is little.
//! - A condition counts as 0 or 1 only if it is known to be one of them.
//!
//! The lesser or greater of two integers is a `select`: which it is can seldom be foreseen, and to compare them both have to
//! be there anyway. Any other choice between values that are no conditions stays: a branch that is foreseen costs less than
//! waiting for both.

use crate::ir::{Func, Inst, Op, RefOp, Region, Value, effects};
use crate::opt::type_flow::constant;
use crate::types::ValType;
use wasmparser::Operator;

/// So many instructions of an arm are computed in any case.
const MAX_MOVED: usize = 4;

/// How deep a value is looked into.
const MAX_DEPTH: usize = 4;

/// Runs the pass.
pub fn run(func: &mut Func<'_>) {
    let regions: Vec<Region> = func.regions.keys().collect();
    // Inner regions were made after outer ones more often than not; what is missed is only missed.
    for region in regions.into_iter().rev() {
        let insts = std::mem::take(&mut func.regions[region].insts);
        let mut out = Vec::with_capacity(insts.len());
        for inst in insts {
            if let Op::If { then, els } = func.insts[inst].op {
                choice(func, inst, then, els, &mut out);
            }
            out.push(inst);
        }
        func.regions[region].insts = out;
    }
}

/// What an arm gives, if there is little in it, all of which may be computed in any case.
fn arm(func: &Func<'_>, region: Region) -> Option<Value> {
    let (&end, rest) = func.regions[region].insts.split_last()?;
    let harmless = |&inst: &Inst| match &func.insts[inst].op {
        Op::Core(op) => {
            let effects = effects(&Op::Core(op.clone()));
            effects.removable() && !effects.reads_state
        }
        Op::Ref(RefOp::IsNull | RefOp::Eq) => func.args(inst).iter().all(|&arg| func.ty(arg).is_gc_ref()),
        _ => false,
    };
    let counts = |inst: &&Inst| !matches!(func.insts[**inst].op, Op::Core(Operator::I32Const { .. }));
    let little = rest.iter().filter(counts).count() <= MAX_MOVED;
    match func.args(end) {
        &[value] if matches!(func.insts[end].op, Op::Yield) && little && rest.iter().all(harmless) => Some(value),
        _ => None,
    }
}

/// Whether a value is 0 or 1.
fn is_flag(func: &Func<'_>, value: Value, depth: usize) -> bool {
    use Operator::*;
    let Some(inst) = func.def_inst(value).filter(|_| depth > 0) else { return false };
    let both = || func.args(inst).iter().all(|&arg| is_flag(func, arg, depth - 1));
    match &func.insts[inst].op {
        Op::Core(I32Const { value }) => matches!(value, 0 | 1),
        Op::Core(I32And | I32Or | I32Xor) => both(),
        Op::Core(
            I32Eqz | I32Eq | I32Ne | I32LtS | I32LtU | I32GtS | I32GtU | I32LeS | I32LeU | I32GeS | I32GeU | I64Eqz
            | I64Eq | I64Ne | I64LtS | I64LtU | I64GtS | I64GtU | I64LeS | I64LeU | I64GeS | I64GeU | F32Eq | F32Ne
            | F32Lt | F32Gt | F32Le | F32Ge | F64Eq | F64Ne | F64Lt | F64Gt | F64Le | F64Ge,
        ) => true,
        Op::Ref(RefOp::IsNull | RefOp::Eq | RefOp::Test(_)) => true,
        _ => false,
    }
}

/// Whether a condition compares the two integers, of which one is chosen by it.
fn is_extreme(func: &Func<'_>, cond: Value, yes: Value, no: Value) -> bool {
    use Operator::*;
    let Some(inst) = func.def_inst(cond) else { return false };
    let compares = matches!(
        func.insts[inst].op,
        Op::Core(
            I32LtS
                | I32LtU
                | I32GtS
                | I32GtU
                | I32LeS
                | I32LeU
                | I32GeS
                | I32GeU
                | I64LtS
                | I64LtU
                | I64GtS
                | I64GtU
                | I64LeS
                | I64LeU
                | I64GeS
                | I64GeU
        )
    );
    let same = |a: Value, b: Value| a == b || constant(func, a).is_some_and(|known| constant(func, b) == Some(known));
    let both = |a: Value, b: Value| same(a, yes) && same(b, no) || same(b, yes) && same(a, no);
    compares && matches!(func.args(inst), &[a, b] if !same(a, b) && both(a, b))
}

/// What stands in the arms stands before them now.
fn move_out(func: &mut Func<'_>, arms: [Region; 2], out: &mut Vec<Inst>) {
    for region in arms {
        let mut insts = std::mem::take(&mut func.regions[region].insts);
        insts.pop();
        out.append(&mut insts);
    }
}

fn choice(func: &mut Func<'_>, inst: Inst, then: Region, els: Region, out: &mut Vec<Inst>) {
    let (&[cond], &[result]) = (func.args(inst), func.results(inst)) else { return };
    let (Some(yes), Some(no)) = (arm(func, then), arm(func, els)) else { return };
    if is_extreme(func, cond, yes, no) {
        move_out(func, [then, els], out);
        func.insts[inst].op = Op::Select;
        func.set_args(inst, &[yes, no, cond]);
        return;
    }
    if func.ty(result) != ValType::I32 {
        return;
    }
    let known = (constant(func, yes), constant(func, no));
    let wanted = match known {
        (Some(1), Some(0)) | (Some(0), Some(1)) => true,
        (Some(1), None) => is_flag(func, no, MAX_DEPTH),
        (None, Some(0)) => is_flag(func, yes, MAX_DEPTH),
        _ => false,
    };
    if !wanted {
        return;
    }
    move_out(func, [then, els], out);
    let loc = func.insts[inst].loc;
    let mut flag = |func: &mut Func<'_>| {
        if is_flag(func, cond, MAX_DEPTH) {
            return cond;
        }
        let not = func.make_inst(Op::Core(Operator::I32Eqz), &[cond], &[ValType::I32], loc);
        let denied = func.results(not)[0];
        let flag = func.make_inst(Op::Core(Operator::I32Eqz), &[denied], &[ValType::I32], loc);
        out.extend([not, flag]);
        func.results(flag)[0]
    };
    let (op, args) = match known {
        (Some(0), Some(1)) => (Operator::I32Eqz, vec![cond]),
        (Some(1), _) => {
            let flag = flag(func);
            (Operator::I32Or, vec![flag, no])
        }
        _ => {
            let flag = flag(func);
            (Operator::I32And, vec![flag, yes])
        }
    };
    func.insts[inst].op = Op::Core(op);
    func.set_args(inst, &args);
}
