//! Which constructs branches lead to.

use super::func::{Func, Inst};
use super::op::Op;
use cranelift_entity::EntitySet;

/// Constructs that something branches to.
pub fn targets(func: &Func<'_>) -> EntitySet<Inst> {
    let mut found = EntitySet::new();
    let mut work = vec![func.body];
    while let Some(region) = work.pop() {
        for &inst in &func.regions[region].insts {
            match &func.insts[inst].op {
                Op::Br { target } | Op::BrIf { target } => {
                    found.insert(*target);
                }
                Op::BrTable { targets } => {
                    for to in targets.iter().filter_map(|t| t.target) {
                        found.insert(to);
                    }
                }
                op => work.extend(op.regions()),
            }
        }
    }
    found
}
