//! Loop parameters that are never negative: what counts up from a constant, as most loops over arrays do.
//!
//! ```wat
//! (loop $next                        ;; $i is 0 where the loop begins
//!   (br_if $done (i32.ge_s (local.get $i) (array.len (local.get $a))))
//!   (array.get $ints (local.get $a) (local.get $i)) ...
//!   (local.set $i (i32.add (local.get $i) (i32.const 1)))
//!   (br $next))                      ;; $i was below something, so one more does not wrap
//! ```
//!
//! With that, a signed comparison with the length tells as much as an unsigned one (`known.rs`), and the access is not
//! checked again. Most languages have signed numbers, and compare them so.
//!
//! What this is not: an analysis of ranges. A parameter is taken to be never negative until the entry of its loop or a
//! branch to it may say otherwise, which is an induction over the branches that are taken. One that counts in other
//! steps than 1 is not looked at. The idea is that of R. Gupta, "Optimizing array bound checks using flow analysis"
//! (1993), at its simplest.

use super::compared::{self, Kind};
use crate::ir::{ArrayOp, Func, Inst, Op, Region, Value};
use cranelift_entity::EntitySet;
use foldhash::HashMap;
use wasmparser::Operator;

/// The parameters of loops that are never negative, as signed numbers. `targets` are the constructs that something
/// branches to.
pub fn counters(func: &Func<'_>, targets: &EntitySet<Inst>) -> EntitySet<Value> {
    let checked = |op: &Op<'_>| matches!(op, Op::Array(ArrayOp::Get { .. } | ArrayOp::Set { .. }) | Op::Table(_));
    let mut search = Search::default();
    if func.insts.values().any(|inst| checked(&inst.op)) {
        func.insts.keys().for_each(|inst| search.propose(func, inst));
    }
    if search.proposed.keys().next().is_some() {
        search.walk(func, targets);
    }
    search.proposed
}

#[derive(Default)]
struct Search {
    /// What nothing has refuted.
    proposed: EntitySet<Value>,
    /// Parameters that are another one, or one more: they fall with it.
    follow: HashMap<Value, Vec<Value>>,
    /// What is below something, signed, where the walk is: each as often as it was learnt.
    below: HashMap<Value, u32>,
    /// The same, in order.
    trail: Vec<Value>,
}

/// What the walk does next.
enum Step {
    /// The rest of a region, from an instruction on.
    From(Region, usize),
    /// A condition holds from here on, or does not.
    Learn(Value, bool),
    /// What was learnt since does not hold any more.
    Forget(usize),
}

impl Search {
    /// Proposes what a loop begins with that is not negative.
    fn propose(&mut self, func: &Func<'_>, inst: Inst) {
        let Op::Loop { body } = func.insts[inst].op else { return };
        for (&param, &first) in func.regions[body].params.iter().zip(func.args(inst)) {
            if func.constant(first).is_some_and(|first| first as i32 >= 0) || self.proposed.contains(first) {
                self.proposed.insert(param);
                self.follow(first, param);
            }
        }
    }

    fn follow(&mut self, value: Value, by: Value) {
        if value != by && self.proposed.contains(value) {
            self.follow.entry(value).or_default().push(by);
        }
    }

    /// Looks at every branch to a loop.
    fn walk(&mut self, func: &Func<'_>, targets: &EntitySet<Inst>) {
        let mut stack = vec![Step::From(func.body, 0)];
        while let Some(step) = stack.pop() {
            match step {
                Step::Learn(cond, holds) => self.learn(func, cond, holds),
                Step::Forget(mark) => self.forget(mark),
                Step::From(region, from) => {
                    let insts = func.regions[region].insts.iter().enumerate().skip(from);
                    for (at, &inst) in insts {
                        self.branch(func, inst);
                        if func.insts[inst].op.regions().next().is_some() {
                            stack.push(Step::From(region, at + 1));
                            self.enter(func, targets, inst, &mut stack);
                            break;
                        }
                    }
                }
            }
        }
    }

    /// The regions of a construct are next.
    fn enter(&self, func: &Func<'_>, targets: &EntitySet<Inst>, inst: Inst, stack: &mut Vec<Step>) {
        let mark = self.trail.len();
        match (&func.insts[inst].op, func.args(inst)) {
            (&Op::If { then, els }, &[cond]) => {
                if let Some(holds) = compared::behind(func, targets, inst) {
                    stack.push(Step::Learn(cond, holds));
                }
                for (region, holds) in [(els, false), (then, true)] {
                    stack.extend([Step::Forget(mark), Step::From(region, 0), Step::Learn(cond, holds)]);
                }
            }
            (op, _) => op.regions().for_each(|body| stack.extend([Step::Forget(mark), Step::From(body, 0)])),
        }
    }

    fn learn(&mut self, func: &Func<'_>, cond: Value, holds: bool) {
        compared::below(func, cond, holds, |kind, a, _| {
            if kind == Kind::Signed && self.proposed.contains(a) {
                *self.below.entry(a).or_default() += 1;
                self.trail.push(a);
            }
        });
    }

    fn forget(&mut self, mark: usize) {
        for value in self.trail.drain(mark..) {
            self.below.entry(value).and_modify(|times| *times -= 1);
        }
    }

    /// An instruction comes up, which may be a branch.
    fn branch(&mut self, func: &Func<'_>, inst: Inst) {
        let args = func.args(inst);
        match &func.insts[inst].op {
            Op::Br { target } => self.edge(func, *target, args),
            Op::BrIf { target } => {
                let Some((&cond, values)) = args.split_first() else { return };
                let mark = self.trail.len();
                self.learn(func, cond, true);
                self.edge(func, *target, values);
                self.forget(mark);
                // The rest of the region is where it does not hold.
                self.learn(func, cond, false);
            }
            Op::BrTable { targets } => {
                let mut rest = args.get(1..).unwrap_or_default();
                for to in targets {
                    let (values, others) = rest.split_at_checked(to.args as usize).unwrap_or_default();
                    to.target.into_iter().for_each(|target| self.edge(func, target, values));
                    rest = others;
                }
            }
            _ => {}
        }
    }

    /// A branch to a construct carries values.
    fn edge(&mut self, func: &Func<'_>, to: Inst, values: &[Value]) {
        let Op::Loop { body } = func.insts[to].op else { return };
        for (n, &param) in func.regions[body].params.iter().enumerate() {
            if !self.proposed.contains(param) {
                continue;
            }
            match values.get(n).and_then(|&value| self.source(func, value)) {
                Some(Source::Constant) => {}
                Some(Source::Counter(counter)) => self.follow(counter, param),
                None => self.refute(param),
            }
        }
    }

    /// Why a value is not negative here.
    fn source(&self, func: &Func<'_>, value: Value) -> Option<Source> {
        if self.proposed.contains(value) {
            return Some(Source::Counter(value));
        }
        let inst = func.def_inst(value)?;
        match (&func.insts[inst].op, func.args(inst)) {
            (Op::Core(Operator::I32Const { value }), _) => (*value >= 0).then_some(Source::Constant),
            (Op::Core(Operator::I32Add), &[a, b]) => {
                let counter = match (func.constant(a), func.constant(b)) {
                    (None, Some(1)) => a,
                    (Some(1), None) => b,
                    _ => return None,
                };
                let below = self.below.get(&counter).is_some_and(|&times| times > 0);
                (below && self.proposed.contains(counter)).then_some(Source::Counter(counter))
            }
            _ => None,
        }
    }

    /// A parameter may be negative, and so may what follows it.
    fn refute(&mut self, param: Value) {
        let mut work = vec![param];
        while let Some(param) = work.pop() {
            if self.proposed.remove(param) {
                work.extend(self.follow.remove(&param).unwrap_or_default());
            }
        }
    }
}

enum Source {
    Constant,
    /// A parameter that is proposed: the value is that, or one more.
    Counter(Value),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Cursor, SrcLoc, TableOp, targets};
    use crate::types::ValType;

    /// `for i from first, while test(i, limit), i += step`: whether `i` is never negative.
    fn counts(first: u32, test: Operator<'static>, step: u32, at_end: bool) -> bool {
        let mut func = Func::new(0, &[ValType::I32], &[]);
        let (body, limit) = (func.body, func.params()[0]);
        let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
        let first = c.i32(first);
        c.value(Op::Table(TableOp::Size(0)), &[], ValType::I32);
        let inner = c.func.add_region();
        let i = c.func.add_param(inner, ValType::I32);
        let inst = c.push(Op::Loop { body: inner }, &[first], &[]);
        c.push(Op::Return, &[], &[]);
        let mut c = Cursor::at(&mut func, inner, SrcLoc::NONE);
        let step = c.i32(step);
        if at_end {
            let next = c.i32_op(Operator::I32Add, i, step);
            let more = c.i32_op(test, next, limit);
            c.push(Op::BrIf { target: inst }, &[more, next], &[]);
        } else {
            let more = c.i32_op(test, i, limit);
            c.if_else(
                more,
                &[],
                |c| {
                    let next = c.i32_op(Operator::I32Add, i, step);
                    c.push(Op::Br { target: inst }, &[next], &[]);
                },
                |c| c.yield_(&[]),
            );
        }
        Cursor::at(&mut func, inner, SrcLoc::NONE).yield_(&[]);
        counters(&func, &targets(&func)).contains(i)
    }

    #[test]
    fn what_counts_up_from_a_constant_below_something_is_never_negative() {
        assert!(counts(0, Operator::I32LtS, 1, false) && counts(7, Operator::I32LtS, 1, false));
        assert!(!counts(u32::MAX, Operator::I32LtS, 1, false), "it begins below zero");
        assert!(!counts(0, Operator::I32LtU, 1, false), "it may be as large as unsigned numbers are");
        assert!(!counts(0, Operator::I32LeS, 1, false), "one more than the largest number is negative");
        assert!(!counts(0, Operator::I32LtS, 2, false), "two more than what is below a number may be negative");
        assert!(!counts(0, Operator::I32LtS, u32::MAX, false), "it counts down");
        assert!(!counts(0, Operator::I32LtS, 1, true), "one more may be negative before it is compared");
    }

    /// An inner loop that counts from where the outer one is; the outer one goes on from a value.
    fn nested(outer_next: impl FnOnce(&mut Cursor<'_, 'static>, Value) -> Value) -> [bool; 2] {
        let mut func = Func::new(0, &[ValType::I32], &[]);
        let (body, limit) = (func.body, func.params()[0]);
        let regions = [func.add_region(), func.add_region()];
        let [i, j] = regions.map(|region| func.add_param(region, ValType::I32));
        let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
        c.value(Op::Table(TableOp::Size(0)), &[], ValType::I32);
        let zero = c.i32(0);
        let outer = c.push(Op::Loop { body: regions[0] }, &[zero], &[]);
        c.push(Op::Return, &[], &[]);
        let mut c = Cursor::at(&mut func, regions[0], SrcLoc::NONE);
        let inner = c.push(Op::Loop { body: regions[1] }, &[i], &[]);
        let next = outer_next(&mut c, i);
        c.push(Op::Br { target: outer }, &[next], &[]);
        let mut c = Cursor::at(&mut func, regions[1], SrcLoc::NONE);
        let more = c.i32_op(Operator::I32LtS, j, limit);
        c.if_else(
            more,
            &[],
            |c| {
                let one = c.i32(1);
                let next = c.i32_op(Operator::I32Add, j, one);
                c.push(Op::Br { target: inner }, &[next], &[]);
            },
            |c| c.yield_(&[]),
        );
        c.yield_(&[]);
        [i, j].map(|param| counters(&func, &targets(&func)).contains(param))
    }

    #[test]
    fn a_counter_falls_with_the_one_that_it_begins_with() {
        assert_eq!(nested(|_, i| i), [true, true]);
        assert_eq!(nested(|c, _| c.i32(3)), [true, true]);
        // Nothing is known of it there: what the inner loop compares, it compares with its own parameter.
        let one_more = |c: &mut Cursor<'_, 'static>, i| {
            let one = c.i32(1);
            c.i32_op(Operator::I32Add, i, one)
        };
        assert_eq!(nested(one_more), [false, false]);
    }
}
