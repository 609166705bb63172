//! What a condition tells of numbers: that one is below another.
//!
//! What this is not: a solver. It looks through `and`, `or` and `eqz`, as deep as compilers write them.

use crate::ir::{Func, Inst, Op, Region, Value};
use cranelift_entity::EntitySet;
use wasmparser::Operator;

/// How numbers are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Signed,
    Unsigned,
}

/// So much of a condition is looked at.
const MOST: usize = 8;

/// Calls `visit` with each two numbers of which the first is below the second where a condition holds, or does not.
pub fn below(func: &Func<'_>, cond: Value, holds: bool, mut visit: impl FnMut(Kind, Value, Value)) {
    let mut work = vec![(cond, holds)];
    for _ in 0..MOST {
        let Some((cond, holds)) = work.pop() else { return };
        let Some(inst) = func.def_inst(cond) else { continue };
        let Op::Core(op) = &func.insts[inst].op else { continue };
        match (op, holds, func.args(inst)) {
            (Operator::I32Eqz, _, &[of]) => work.push((of, !holds)),
            (Operator::I32And, true, &[a, b]) | (Operator::I32Or, false, &[a, b]) => {
                work.extend([(a, holds), (b, holds)]);
            }
            (Operator::I32LtU, true, &[a, b])
            | (Operator::I32GeU, false, &[a, b])
            | (Operator::I32GtU, true, &[b, a])
            | (Operator::I32LeU, false, &[b, a]) => visit(Kind::Unsigned, a, b),
            (Operator::I32LtS, true, &[a, b])
            | (Operator::I32GeS, false, &[a, b])
            | (Operator::I32GtS, true, &[b, a])
            | (Operator::I32LeS, false, &[b, a]) => visit(Kind::Signed, a, b),
            _ => {}
        }
    }
}

/// What holds behind an `if` of which one arm does not get there: its condition, or the contrary. `targets` are the
/// constructs that something branches to: an arm that ends elsewhere may still get behind its `if` by a branch.
pub fn behind(func: &Func<'_>, targets: &EntitySet<Inst>, inst: Inst) -> Option<bool> {
    let Op::If { then, els } = func.insts[inst].op else { return None };
    let leaves = |region: Region| {
        let last = func.regions[region].insts.last();
        last.is_some_and(|&last| !matches!(func.insts[last].op, Op::Yield))
    };
    match (leaves(then), leaves(els)) {
        _ if targets.contains(inst) => None,
        (true, false) => Some(false),
        (false, true) => Some(true),
        _ => None,
    }
}
