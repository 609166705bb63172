//! Which calls are cold: only one of several ways leads to them, and no other way calls.
//!
//! ```wat
//! (if (i32.ge_u (local.get $at) (table.size $t))       ;; or  (block $enough (br_if $enough ...) (call $grow))
//!   (then (call $grow)))
//! (table.set $t (local.get $at) (local.get $v))        ;; $v is saved and loaded again where $grow is called
//! ```
//!
//! Initialisation on first use, growth, and the slow ways of arithmetic look like that. If such a call were like any
//! other, what is live across it would be saved in front of the `if` and loaded again behind it, whichever way is taken.
//!
//! What this is not: known to be rare. Where the way is taken each time, and the function calls nothing else, references
//! are saved again each time, and not once. A way that the module says is likely is not cold, nor is one that ends in a
//! branch back to a loop: that is the loop's body, and the other way leads out of it.

use crate::ir::{Callee, DebugOp, Func, Inst, Op, Region};
use cranelift_entity::{EntitySet, SecondaryMap};

/// Finds the calls, of those that may collect.
pub fn find(func: &Func<'_>, collects: &dyn Fn(&Callee) -> bool) -> EntitySet<Inst> {
    // A debugger is called at each mark.
    if func.insts.values().any(|inst| matches!(inst.op, Op::Debug(DebugOp::Mark(_)))) {
        return EntitySet::new();
    }
    let mut walk = Walk { func, left: EntitySet::new(), calls: func.per_region(), found: Vec::new() };
    walk.run(collects);
    let Walk { calls, found, .. } = walk;
    let mut cold = EntitySet::new();
    for way in found {
        if calls[way.region] == 1 && way.other.is_none_or(|other| calls[other] == 0) {
            cold.insert(way.call);
        }
    }
    cold
}

/// A region under way: the construct that it belongs to with the region around that, and how far it is.
type UnderWay = (Region, Option<(Inst, Region)>, usize);

/// A call in one of several ways.
struct Way {
    call: Inst,
    region: Region,
    /// The other arm of an `if`.
    other: Option<Region>,
}

struct Walk<'f, 'a> {
    func: &'f Func<'a>,
    /// Constructs to whose end a branch went already, in order of text.
    left: EntitySet<Inst>,
    /// How many calls there are in each region, with those in it.
    calls: SecondaryMap<Region, u32>,
    found: Vec<Way>,
}

impl Walk<'_, '_> {
    fn run(&mut self, collects: &dyn Fn(&Callee) -> bool) {
        let mut stack: Vec<UnderWay> = vec![(self.func.body, None, 0)];
        while let Some((region, owner, at)) = stack.pop() {
            let Some(&inst) = self.func.regions[region].insts.get(at) else {
                if let Some((_, around)) = owner {
                    self.calls[around] = self.calls[around].saturating_add(self.calls[region]);
                }
                continue;
            };
            stack.push((region, owner, at + 1));
            let op = &self.func.insts[inst].op;
            match op {
                Op::Call(callee) if collects(callee) => {
                    self.calls[region] = self.calls[region].saturating_add(1);
                    self.found.extend(owner.and_then(|(owner, _)| self.way(inst, region, owner)));
                }
                _ => op.targets().for_each(|target| {
                    self.left.insert(target);
                }),
            }
            stack.extend(op.regions().rev().map(|nested| (nested, Some((inst, region)), 0)));
        }
    }

    /// The way to a call, if it is one of several.
    fn way(&self, call: Inst, region: Region, owner: Inst) -> Option<Way> {
        let other = match self.func.insts[owner].op {
            Op::If { then, els } => {
                let (other, likely) = if region == then { (els, true) } else { (then, false) };
                (self.func.likely[owner] != Some(likely)).then_some(Some(other))?
            }
            Op::Block { .. } if self.left.contains(owner) => None,
            _ => return None,
        };
        let last = self.func.regions[region].insts.last();
        let repeats = |to: Inst| matches!(self.func.insts[to].op, Op::Loop { .. });
        let again = last.is_some_and(|&last| self.func.insts[last].op.targets().any(repeats));
        (!again).then_some(Way { call, region, other })
    }
}
