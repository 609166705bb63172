//! The names of references: what refinements, null checks and casts give is the reference that they were given.
//!
//! What this is not: a question of whether a cast succeeds. Where it fails, control never comes to what uses its result;
//! whoever removes the cast has to ask.

use crate::ir::{Func, Inst, Op, RefOp, Region, Value};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;

/// The first name of each reference that has another.
pub struct Names(SecondaryMap<Value, PackedOption<Value>>);

impl Names {
    /// Those in a function, in one walk: a chain of names is not followed again for each of them.
    pub fn of(func: &Func<'_>) -> Names {
        let mut names = Names(func.per_value());
        each_inst(func, |inst, _| {
            if let (Op::Ref(RefOp::Refine | RefOp::AsNonNull | RefOp::Cast(_)), &[of], &[result]) =
                (&func.insts[inst].op, func.args(inst), func.results(inst))
            {
                names.0[result] = names.first(of).into();
            }
        });
        names
    }

    /// The first name of a reference.
    pub fn first(&self, value: Value) -> Value {
        self.0[value].expand().unwrap_or(value)
    }
}

/// Calls `each` for every instruction that is in a region, in order of text, with what owns the region.
pub fn each_inst(func: &Func<'_>, mut each: impl FnMut(Inst, Option<Inst>)) {
    let mut stack: Vec<(Region, Option<Inst>, usize)> = vec![(func.body, None, 0)];
    while let Some((region, owner, at)) = stack.pop() {
        let Some(&inst) = func.regions[region].insts.get(at) else { continue };
        stack.push((region, owner, at + 1));
        each(inst, owner);
        stack.extend(func.insts[inst].op.regions().rev().map(|nested| (nested, Some(inst), 0)));
    }
}
