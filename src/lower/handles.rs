//! Function references that stay handles where several ways meet, and behind casts.
//!
//! ```wat
//! (local.set $f (ref.func $default))
//! (if (local.get $given) (then (local.set $f (struct.get $closure $code (local.get $c)))))
//! (call_ref $type (local.get $x) (local.get $f))     ;; a call_indirect, by handle
//! ```
//!
//! To make a reference of a handle, or of `ref.func`, the engine is asked, and to make a handle of a reference the runtime
//! is. So what loops carry and arms give is a handle where that takes neither: all that comes together is read from
//! objects, named by the module, or null; and all that is done with it is to call it, to store it in objects, to test or cast
//! it, or to ask for null. What flows into one another is decided about together.
//!
//! A call by handle takes longer than one by reference, most of all if the function is of a subtype of the call's type. So
//! what is made outside of a loop and called in it becomes a reference.
//!
//! What this is not: a condition for anything. Every operation takes a function reference in any representation
//! (`op/func_ref.rs`); this only says which is cheaper.

use crate::ir::{ArrayOp, Callee, Func, Inst, Op, RefOp, StructOp, Value, destinations};
use cranelift_entity::EntitySet;
use foldhash::{HashMap, HashMapExt};
use std::collections::BTreeMap;

/// The parameters of loops, results of constructs and results of casts that are to be handles. `own` are the functions of
/// the module that have one.
pub fn lasting_handles(func: &Func<'_>, own: &BTreeMap<u32, u32>) -> EntitySet<Value> {
    let is_func = |value: Value| func.ty(value).as_ref().is_some_and(|ty| ty.is_func());
    let decides = |op: &Op<'_>| op.regions().next().is_some() || matches!(op, Op::Select | Op::Ref(RefOp::Cast(_)));
    let params = func.regions.iter().filter(|&(region, _)| region != func.body).flat_map(|(_, data)| &data.params);
    let results = func.insts.keys().filter(|&inst| decides(&func.insts[inst].op)).flat_map(|inst| func.results(inst));
    let mut wanted = EntitySet::new();
    wanted.extend(params.chain(results).copied().filter(|&value| is_func(value)));
    if wanted.keys().next().is_none() {
        return wanted;
    }
    let given = func.params().iter().copied().filter(|&value| is_func(value)).collect();
    let mut search =
        Search { wanted, around: HashMap::new(), bad: given, made: HashMap::new(), called: HashMap::new() };
    let mut stack = vec![(func.body, None, 0)];
    while let Some((region, owner, depth)) = stack.pop() {
        for &inst in &func.regions[region].insts {
            search.inst(func, inst, (owner, depth), own);
            let op = &func.insts[inst].op;
            let depth = depth + u32::from(matches!(op, Op::Loop { .. }));
            stack.extend(op.regions().map(|nested| (nested, Some(inst), depth)));
        }
    }
    search.solve()
}

struct Search {
    /// What is to be decided.
    wanted: EntitySet<Value>,
    /// What flows into one another, both ways.
    around: HashMap<Value, Vec<Value>>,
    /// What has no handle at hand, or is needed as a reference.
    bad: Vec<Value>,
    /// How deep in loops functions are read from objects or named.
    made: HashMap<Value, u32>,
    /// How deep in loops functions are called.
    called: HashMap<Value, u32>,
}

impl Search {
    /// Notes what an instruction does with functions; `at` are the owner of its region, and how deep in loops that is.
    fn inst(&mut self, func: &Func<'_>, inst: Inst, at: (Option<Inst>, u32), own: &BTreeMap<u32, u32>) {
        let (owner, depth) = at;
        let (op, args, results) = (&func.insts[inst].op, func.args(inst), func.results(inst));
        let is_func = |value: &Value| func.ty(*value).as_ref().is_some_and(|ty| ty.is_func());
        match op {
            Op::Ref(RefOp::IsNull | RefOp::IsFunc(_) | RefOp::Test(_) | RefOp::Null(_)) => {}
            // These are the operand under another name.
            Op::Ref(RefOp::AsNonNull | RefOp::Refine | RefOp::Cast(_)) => {
                args.iter().filter(|arg| is_func(arg)).zip(results).for_each(|(&from, &to)| self.flow(from, to));
            }
            Op::Ref(RefOp::Func(index)) if !own.contains_key(index) => self.bad.extend(results),
            Op::Ref(RefOp::Func(_)) | Op::Struct(StructOp::Get { .. }) | Op::Array(ArrayOp::Get { .. }) => {
                self.made.extend(results.iter().filter(|result| is_func(result)).map(|&result| (result, depth)));
            }
            // What is stored.
            Op::Struct(_) | Op::Array(_) => {}
            Op::Call(Callee::Ref { .. }) | Op::ReturnCall(Callee::Ref { .. }) => {
                if let Some((&target, handed)) = args.split_last() {
                    let deepest = self.called.entry(target).or_default();
                    *deepest = depth.max(*deepest);
                    self.bad.extend(handed.iter().filter(|arg| is_func(arg)));
                }
                self.bad.extend(results);
            }
            _ => {
                let to = destinations(func, inst, owner);
                for (n, &value) in args.iter().enumerate().filter(|(_, arg)| is_func(arg)) {
                    match to.get(n).copied().flatten() {
                        Some(to) => self.flow(value, to),
                        None => self.bad.push(value),
                    }
                }
                self.bad.extend(results.iter().filter(|&&value| !self.wanted.contains(value)));
            }
        }
    }

    fn flow(&mut self, from: Value, to: Value) {
        self.around.entry(from).or_default().push(to);
        self.around.entry(to).or_default().push(from);
    }

    /// What is wanted, but for what flows together with something that is bad, or that is called in deeper loops than those
    /// that make it.
    fn solve(mut self) -> EntitySet<Value> {
        let mut bad = EntitySet::new();
        bad.extend(std::mem::take(&mut self.bad));
        let mut seen = EntitySet::new();
        for start in self.wanted.keys().collect::<Vec<_>>() {
            if !seen.insert(start) {
                continue;
            }
            let (mut group, mut at) = (vec![start], 0);
            while let Some(&value) = group.get(at) {
                at += 1;
                group.extend(self.around.get(&value).into_iter().flatten().filter(|&&value| seen.insert(value)));
            }
            let deepest = |of: &HashMap<Value, u32>| group.iter().filter_map(|value| of.get(value)).max().copied();
            if group.iter().any(|&value| bad.contains(value)) || deepest(&self.called) > deepest(&self.made) {
                for value in group {
                    self.wanted.remove(value);
                }
            }
        }
        self.wanted
    }
}
