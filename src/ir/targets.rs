//! Which constructs branches lead to.

use super::func::{Func, Inst};
use cranelift_entity::EntitySet;

/// Constructs that something branches to.
pub fn targets(func: &Func<'_>) -> EntitySet<Inst> {
    let mut found = EntitySet::new();
    let mut work = vec![func.body];
    while let Some(region) = work.pop() {
        for &inst in &func.regions[region].insts {
            let op = &func.insts[inst].op;
            op.targets().for_each(|to| {
                found.insert(to);
            });
            work.extend(op.regions());
        }
    }
    found
}
