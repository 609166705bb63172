//! Pruned SSA: takes away what branches carry and nobody reads.
//!
//! ```text
//! v1, v2 = loop (v3 = v0, v4 = v0) {        v1 = loop (v3 = v0) {
//!   v5 = call f v3                     =>     v5 = call f v3
//!   br_if loop v5, v5, v3                     br_if loop v5, v5
//!   yield v5, v3                              yield v5
//! }                                         }
//! return v1                                 return v1
//! ```
//!
//! Construction lets a block carry every local that it assigns, most of which are temporaries that are
//! assigned again before they are read. A reference that is carried is live, so that this decides
//! what root assignment spills and what the collector keeps.
//!
//! Liveness of parameters and results as in P. Briggs, K. Cooper, T. Harvey, T. Simpson, "Practical
//! improvements to the construction and destruction of static single assignment form", 1998; here it
//! is a marking from all reads that are no hand-overs. Linear.

use crate::ir::{Func, Inst, Op, Region, Value, ValueDef, handed};
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{EntityList, SecondaryMap};

/// Removes the results of control instructions and the parameters of loops that nothing reads.
pub(super) fn prune(func: &mut Func<'_>) {
    let insts = placed(func);
    let live = Marks::of(func, &insts).live;
    if insts.iter().all(|&(inst, _)| definitions(func, inst).all(|value| live[value])) {
        return;
    }
    for &(inst, owner) in &insts {
        drop_operands(func, inst, owner.expand(), &live);
    }
    for &(inst, _) in &insts {
        drop_definitions(func, inst, &live);
    }
}

/// All instructions, each with the one that owns its region.
fn placed(func: &Func<'_>) -> Vec<(Inst, PackedOption<Inst>)> {
    let mut owner: SecondaryMap<Region, PackedOption<Inst>> = SecondaryMap::new();
    for (inst, data) in func.insts.iter() {
        data.op.regions().for_each(|region| owner[region] = inst.into());
    }
    let mut insts = Vec::with_capacity(func.insts.len());
    for (region, data) in func.regions.iter() {
        insts.extend(data.insts.iter().map(|&inst| (inst, owner[region])));
    }
    insts
}

/// The values of a control instruction that receive what others hand over.
fn definitions<'f>(func: &'f Func<'_>, inst: Inst) -> impl Iterator<Item = Value> + use<'f> {
    let (params, results): (&[Value], &[Value]) = match func.insts[inst].op {
        Op::Loop { body } => (&func.regions[body].params, func.results(inst)),
        Op::Block { .. } | Op::If { .. } => (&[], func.results(inst)),
        _ => (&[], &[]),
    };
    params.iter().chain(results).copied()
}

/// Visits the operands of an instruction in order, each with what receives it; those without a
/// receiver are read.
fn operands(func: &Func<'_>, inst: Inst, owner: Option<Inst>, mut visit: impl FnMut(Value, Option<Value>)) {
    let (read, to) = match &func.insts[inst].op {
        Op::Br { target } => (0, handed(func, *target)),
        Op::BrIf { target } => (1, handed(func, *target)),
        Op::Loop { .. } => (0, handed(func, inst)),
        Op::Yield => (0, owner.map_or(&[][..], |owner| func.results(owner))),
        Op::BrTable { targets } => {
            let mut args = func.args(inst).iter().copied();
            args.by_ref().take(1).for_each(|index| visit(index, None));
            for target in targets {
                let to = target.target.map_or(&[][..], |to| handed(func, to));
                args.by_ref().take(target.args as usize).enumerate().for_each(|(n, v)| visit(v, to.get(n).copied()));
            }
            return;
        }
        _ => (0, &[][..]),
    };
    for (n, &value) in func.args(inst).iter().enumerate() {
        visit(value, n.checked_sub(read).and_then(|n| to.get(n).copied()));
    }
}

/// The end of a list of edges.
const END: u32 = u32::MAX;

struct Marks {
    live: SecondaryMap<Value, bool>,
    /// Live values whose sources are not marked yet.
    todo: Vec<Value>,
    /// For each receiver: the first of the edges to its sources.
    first: SecondaryMap<Value, u32>,
    /// Sources, each with the index of the next edge.
    edges: Vec<(Value, u32)>,
}

impl Marks {
    fn of(func: &Func<'_>, insts: &[(Inst, PackedOption<Inst>)]) -> Marks {
        let mut marks = Marks {
            live: SecondaryMap::with_capacity(func.values.len()),
            todo: Vec::new(),
            first: SecondaryMap::with_default(END),
            edges: Vec::new(),
        };
        for &(inst, owner) in insts {
            operands(func, inst, owner.expand(), |value, receiver| match receiver {
                Some(to) => marks.link(value, to),
                None => marks.mark(value),
            });
        }
        while let Some(value) = marks.todo.pop() {
            let mut at = marks.first[value];
            while let Some(&(source, next)) = marks.edges.get(at as usize) {
                marks.mark(source);
                at = next;
            }
        }
        marks
    }

    fn mark(&mut self, value: Value) {
        if !self.live[value] {
            self.live[value] = true;
            self.todo.push(value);
        }
    }

    fn link(&mut self, value: Value, to: Value) {
        let edge = self.edges.len() as u32;
        self.edges.push((value, self.first[to]));
        self.first[to] = edge;
    }
}

/// Removes the operands that nobody receives any more.
fn drop_operands(func: &mut Func<'_>, inst: Inst, owner: Option<Inst>, live: &SecondaryMap<Value, bool>) {
    let mut kept = Vec::new();
    operands(func, inst, owner, |value, receiver| {
        if receiver.is_none_or(|to| live[to]) {
            kept.push(value);
        }
    });
    if kept.len() == func.args(inst).len() {
        return;
    }
    func.set_args(inst, &kept);
    if let Op::BrTable { targets } = &func.insts[inst].op {
        let mut targets = targets.clone();
        for target in &mut targets {
            if let Some(to) = target.target {
                target.args = handed(func, to).iter().filter(|&&to| live[to]).count() as u32;
            }
        }
        func.insts[inst].op = Op::BrTable { targets };
    }
}

/// Removes the results and parameters that are not live, and counts the others anew.
fn drop_definitions(func: &mut Func<'_>, inst: Inst, live: &SecondaryMap<Value, bool>) {
    if definitions(func, inst).all(|value| live[value]) {
        return;
    }
    let results: Vec<Value> = func.results(inst).iter().copied().filter(|&value| live[value]).collect();
    for (n, &value) in (0..).zip(&results) {
        func.values[value].def = ValueDef::Result(inst, n);
    }
    func.insts[inst].results = EntityList::from_slice(&results, &mut func.pool);
    if let Op::Loop { body } = func.insts[inst].op {
        let params = &mut func.regions[body].params;
        params.retain(|&value| live[value]);
        for (n, &value) in (0..).zip(params.iter()) {
            func.values[value].def = ValueDef::Param(body, n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Cursor, SrcLoc, verify};
    use crate::types::ValType::I32;

    #[test]
    fn a_temporary_that_a_loop_carries_goes() {
        let mut func = Func::new(0, &[I32], &[I32]);
        let (outer, start) = (func.body, func.params()[0]);
        let body = func.add_region();
        let mut c = Cursor::at(&mut func, outer, SrcLoc::NONE);
        let looped = c.push(Op::Loop { body }, &[start, start], &[I32, I32]);
        let (read, carried) = (func.add_param(body, I32), func.add_param(body, I32));
        let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
        let next = c.i32_op(wasmparser::Operator::I32Sub, read, read);
        let branch = c.push(Op::BrIf { target: looped }, &[next, next, carried], &[]);
        c.yield_(&[next, carried]);
        let results = func.results(looped).to_vec();
        Cursor::at(&mut func, outer, SrcLoc::NONE).push(Op::Return, &results[..1], &[]);
        assert_eq!(verify::verify(&func), Ok(()));
        prune(&mut func);
        assert_eq!(verify::verify(&func), Ok(()));
        assert_eq!((func.results(looped), func.args(looped)), (&results[..1], &[start][..]));
        assert_eq!(func.args(branch), [next, next]);
    }
}
