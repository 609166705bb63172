//! Where the operands of control instructions go.

use super::func::{Func, Inst, Value};
use super::op::Op;

/// For each operand of a control instruction the value that gets it where control goes on: a parameter of a loop, or a
/// result of a construct; `None` for conditions, and for what a `br_table` returns from the function. Those of a `br_table`
/// are its index, and then as many for each target as that takes. Empty for `Return` and for all other instructions.
/// `owner` is the instruction that owns the region.
pub fn destinations(func: &Func<'_>, inst: Inst, owner: Option<Inst>) -> Vec<Option<Value>> {
    let some = |values: &[Value]| values.iter().copied().map(Some).collect::<Vec<_>>();
    let condition = || [None].into_iter();
    match &func.insts[inst].op {
        Op::Loop { body } => some(&func.regions[*body].params),
        Op::Br { target } => some(handed(func, *target)),
        Op::BrIf { target } => condition().chain(some(handed(func, *target))).collect(),
        Op::BrTable { targets } => {
            let each = targets.iter().flat_map(|to| match to.target {
                Some(target) => some(handed(func, target)),
                None => vec![None; func.results.len()],
            });
            condition().chain(each).collect()
        }
        Op::Yield => owner.map_or_else(Vec::new, |owner| some(func.results(owner))),
        Op::Select => func.results(inst).first().map_or_else(Vec::new, |&result| vec![Some(result); 2]),
        _ => Vec::new(),
    }
}

/// What a branch to a construct gives values to: the parameters of a loop, or the results.
pub fn handed<'f>(func: &'f Func<'_>, target: Inst) -> &'f [Value] {
    match func.insts[target].op {
        Op::Loop { body } => &func.regions[body].params,
        _ => func.results(target),
    }
}
