//! Function references that stay handles where several ways meet.
//!
//! ```wat
//! (local.set $f (ref.func $default))
//! (if (local.get $given) (then (local.set $f (struct.get $closure $code (local.get $c)))))
//! (call_ref $type (local.get $x) (local.get $f))     ;; a call_indirect, by handle
//! ```
//!
//! To make a reference of a handle, or of `ref.func`, the engine is asked, and to make a handle of a reference the runtime
//! is. So what loops carry and arms give is a handle where that takes neither: all that comes together is read from
//! objects, named by the module, or null; and all that is done with it is to call it, to store it in objects, or to ask for
//! null.
//!
//! What this is not: a condition for anything. Every operation takes a function reference in any representation
//! (`op/func_ref.rs`); this only says which is cheaper.

use crate::ir::{ArrayOp, Callee, Func, Inst, Op, RefOp, StructOp, Value, destinations};
use cranelift_entity::EntitySet;
use std::collections::{BTreeMap, HashMap};

/// The parameters of loops and results of constructs that are to be handles. `own` are the functions of the module that
/// have one.
pub fn merged_handles(func: &Func<'_>, own: &BTreeMap<u32, u32>) -> EntitySet<Value> {
    let is_func = |value: Value| func.ty(value).as_ref().is_some_and(|ty| ty.is_func());
    let control = |op: &Op<'_>| op.regions().next().is_some() || matches!(op, Op::Select);
    let params =
        func.regions.iter().filter(|&(region, _)| region != func.body).flat_map(|(_, data)| &data.params).copied();
    let results = func.insts.keys().filter(|&inst| control(&func.insts[inst].op)).flat_map(|inst| func.results(inst));
    let mut merges = EntitySet::new();
    merges.extend(params.chain(results.copied()).filter(|&value| is_func(value)));
    if merges.keys().next().is_none() {
        return merges;
    }
    let given = func.params().iter().copied().filter(|&value| is_func(value)).collect();
    let mut search = Search { merges, around: HashMap::new(), bad: given };
    let mut stack = vec![(func.body, None)];
    while let Some((region, owner)) = stack.pop() {
        for &inst in &func.regions[region].insts {
            search.inst(func, inst, owner, own, is_func);
            stack.extend(func.insts[inst].op.regions().map(|nested| (nested, Some(inst))));
        }
    }
    search.solve()
}

struct Search {
    merges: EntitySet<Value>,
    /// What flows into one another, both ways.
    around: HashMap<Value, Vec<Value>>,
    /// What is better no handle.
    bad: Vec<Value>,
}

impl Search {
    fn inst(
        &mut self,
        func: &Func<'_>,
        inst: Inst,
        owner: Option<Inst>,
        own: &BTreeMap<u32, u32>,
        is_func: impl Fn(Value) -> bool,
    ) {
        let (op, args) = (&func.insts[inst].op, func.args(inst));
        let funcs = || args.iter().copied().filter(|&value| is_func(value));
        match op {
            Op::Ref(RefOp::IsNull | RefOp::IsFunc(_) | RefOp::Test(_)) => {}
            // These are the operand under another name.
            Op::Ref(RefOp::AsNonNull | RefOp::Refine | RefOp::Cast(_)) => {
                funcs().zip(func.results(inst)).for_each(|(from, &to)| self.flow(from, to));
            }
            Op::Ref(RefOp::Func(index)) if !own.contains_key(index) => self.bad.extend(func.results(inst)),
            Op::Ref(RefOp::Func(_) | RefOp::Null(_)) => {}
            Op::Struct(StructOp::Get { .. }) | Op::Array(ArrayOp::Get { .. }) => {}
            // What is stored.
            Op::Struct(_) | Op::Array(_) => {}
            Op::Call(Callee::Ref { .. }) | Op::ReturnCall(Callee::Ref { .. }) => {
                let handed = &args[..args.len().saturating_sub(1)];
                self.bad.extend(handed.iter().filter(|&&value| is_func(value)));
                self.bad.extend(func.results(inst));
            }
            _ => {
                let to = destinations(func, inst, owner);
                for (n, &value) in args.iter().enumerate().filter(|&(_, &value)| is_func(value)) {
                    match to.get(n).copied().flatten() {
                        Some(to) => self.flow(value, to),
                        None => self.bad.push(value),
                    }
                }
                let made = func.results(inst).iter().filter(|&&value| !self.merges.contains(value));
                self.bad.extend(made);
            }
        }
    }

    fn flow(&mut self, from: Value, to: Value) {
        self.around.entry(from).or_default().push(to);
        self.around.entry(to).or_default().push(from);
    }

    /// All merges but those that what is bad flows to, or that flow to it.
    fn solve(mut self) -> EntitySet<Value> {
        while let Some(value) = self.bad.pop() {
            self.merges.remove(value);
            self.bad.extend(self.around.remove(&value).unwrap_or_default());
        }
        self.merges
    }
}
