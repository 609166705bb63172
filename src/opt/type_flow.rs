//! Precise reference types, forward through SSA; casts, tests and null checks whose outcome they tell.
//!
//! ```text
//! before                                  after
//!   v1 = ref.test (ref $t) v0               v1 = ref.test (ref $t) v0
//!   if v1                                   if v1
//!     v2 = ref.cast (ref $t) v0               v2 = refine v0
//!     v3 = ref.is_null v2                     v3 = i32.const 0
//! ```
//!
//! Obligations:
//!
//! - A fact about a value holds wherever it is used: SSA values do not change, a cast or refinement is
//!   the same reference, and a fact is only used where its source dominates.
//! - Behind a construct what was known at its only exit still holds. With several exits, only the join
//!   of the types that are handed over does.
//! - What is removed had no effect: a cast to a type that the operand has, a test with one outcome. A
//!   cast that always fails stays, for its trap.
//! - Function references keep their Wasm types in lowered code, which must validate; so their casts
//!   stay, and their types are not sharpened.

use super::facts::Facts;
use super::lattice::{is_null, join, meet, null};
use super::null_checks::checked_operands;
use super::walk::{Pass, walk};
use crate::ir::{ArrayOp, Func, Inst, Op, RefOp, StructOp, Value, ValueDef};
use crate::types::{CompositeKind, HeapType, RefType, TypeTable, ValType};
use foldhash::{HashMap, HashMapExt};
use wasmparser::Operator;

/// So many facts are carried out of a construct with one exit; else none. It bounds the work where
/// constructs nest deeply.
const MAX_CARRIED: usize = 64;

/// How deep a condition is looked into.
const MAX_CONDITION: usize = 8;

/// Runs the pass.
pub fn run(func: &mut Func<'_>, types: &TypeTable) {
    let mut pass = TypeFlow { types, facts: Facts::new(func, types), exits: HashMap::new(), marks: Vec::new() };
    walk(func, &mut pass);
}

/// How control gets behind a construct.
#[derive(Default)]
struct Exits {
    /// Where the trail was at its start.
    mark: usize,
    /// How many ways there are.
    edges: u32,
    /// What is known on the first.
    facts: Vec<(Value, RefType)>,
    /// For each result: the join of what is handed over; `None` when there is none.
    types: Vec<Option<RefType>>,
}

struct TypeFlow<'t> {
    types: &'t TypeTable,
    facts: Facts<'t>,
    exits: HashMap<Inst, Exits>,
    marks: Vec<usize>,
}

impl<'a> Pass<'a> for TypeFlow<'_> {
    fn inst(&mut self, func: &mut Func<'a>, inst: Inst, owner: Option<Inst>, out: &mut Vec<Inst>) -> bool {
        self.simplify(func, inst, out);
        self.facts.aliases.define(func, inst);
        match &func.insts[inst].op {
            Op::Block { .. } | Op::Loop { .. } | Op::If { .. } => {
                self.exits.insert(inst, Exits { mark: self.facts.mark(), ..Exits::default() });
            }
            Op::Yield => owner.into_iter().for_each(|owner| self.edge(func, owner, func.args(inst))),
            Op::Br { target } => self.branch(func, *target, func.args(inst)),
            Op::BrIf { target } => {
                let Some((&cond, values)) = func.args(inst).split_first() else { return true };
                let mark = self.facts.mark();
                self.condition(func, cond, true);
                self.branch(func, *target, values);
                self.facts.undo(mark);
                self.condition(func, cond, false);
            }
            Op::BrTable { targets } => {
                let mut rest = func.args(inst).get(1..).unwrap_or_default();
                for to in targets {
                    let (values, others) = rest.split_at_checked(to.args as usize).unwrap_or_default();
                    to.target.into_iter().for_each(|target| self.branch(func, target, values));
                    rest = others;
                }
            }
            _ => self.results(func, inst),
        }
        true
    }

    fn enter(&mut self, func: &mut Func<'a>, owner: Inst, arm: usize) {
        self.marks.push(self.facts.mark());
        if let (Op::If { .. }, Some(&cond)) = (&func.insts[owner].op, func.args(owner).first()) {
            self.condition(func, cond, arm == 0);
        }
    }

    fn leave(&mut self, _: &mut Func<'a>, _: Inst) {
        if let Some(mark) = self.marks.pop() {
            self.facts.undo(mark);
        }
    }

    fn close(&mut self, func: &mut Func<'a>, inst: Inst) {
        let Some(exits) = self.exits.get_mut(&inst) else { return };
        let (facts, types) = (std::mem::take(&mut exits.facts), std::mem::take(&mut exits.types));
        if exits.edges == 1 {
            facts.into_iter().for_each(|(value, ty)| self.facts.assume(func, value, ty));
        }
        for (n, ty) in types.into_iter().enumerate() {
            if let (Some(ty), Some(&result)) = (ty, func.results(inst).get(n)) {
                self.sharpen(func, result, ty);
            }
        }
    }
}

impl TypeFlow<'_> {
    /// A branch, which leads behind a construct unless that is a loop.
    fn branch(&mut self, func: &Func<'_>, to: Inst, values: &[Value]) {
        if !matches!(func.insts[to].op, Op::Loop { .. }) {
            self.edge(func, to, values);
        }
    }

    /// Control may go from here behind a construct.
    fn edge(&mut self, func: &Func<'_>, to: Inst, values: &[Value]) {
        let Some(exits) = self.exits.get_mut(&to) else { return };
        exits.edges += 1;
        if exits.edges == 1 {
            exits.facts = self.facts.since(exits.mark, MAX_CARRIED);
            exits.types = values.iter().map(|&v| self.facts.of(func, v)).collect();
            return;
        }
        for (ty, &value) in exits.types.iter_mut().zip(values) {
            *ty = match (*ty, self.facts.of(func, value)) {
                (Some(a), Some(b)) => join(self.types, a, b),
                _ => None,
            };
        }
    }

    /// From here on a condition is zero, or is not.
    fn condition(&mut self, func: &Func<'_>, cond: Value, truth: bool) {
        let mut work = vec![(cond, truth)];
        for _ in 0..MAX_CONDITION {
            let Some((cond, truth)) = work.pop() else { return };
            let ValueDef::Result(inst, n) = func.values[cond].def else { continue };
            let args = func.args(inst);
            match (&func.insts[inst].op, args) {
                (Op::Core(Operator::I32Eqz), &[of]) => work.push((of, !truth)),
                (Op::Core(Operator::I32And), &[a, b]) if truth => work.extend([(a, true), (b, true)]),
                (Op::Core(Operator::I32Or), &[a, b]) if !truth => work.extend([(a, false), (b, false)]),
                (Op::Ref(op), _) => self.test(func, *op, args, truth),
                (Op::If { then, els }, &[of]) if self.exits.get(&inst).is_some_and(|e| e.edges == 2) => {
                    // `a && b` is `if a { b } else { 0 }`, `a || b` is `if a { 1 } else { b }`.
                    let last = |region| func.regions[region].insts.last();
                    let yielded = |region| match last(region) {
                        Some(&end) if matches!(func.insts[end].op, Op::Yield) => {
                            func.args(end).get(n as usize).copied()
                        }
                        _ => None,
                    };
                    let (Some(then), Some(els)) = (yielded(*then), yielded(*els)) else { continue };
                    if constant(func, els).is_some_and(|c| (c != 0) != truth) {
                        work.extend([(of, true), (then, truth)]);
                    } else if constant(func, then).is_some_and(|c| (c != 0) != truth) {
                        work.extend([(of, false), (els, truth)]);
                    }
                }
                _ => {}
            }
        }
    }

    /// From here on the outcome of a test is known.
    fn test(&mut self, func: &Func<'_>, op: RefOp, args: &[Value], truth: bool) {
        let Some((&value, rest)) = args.split_first() else { return };
        let Some(known) = self.facts.of(func, value) else { return };
        match (op, truth) {
            (RefOp::IsNull, true) => self.facts.assume(func, value, null(known)),
            (RefOp::IsNull, false) => self.facts.assume_non_null(func, value),
            (RefOp::Test(ty), true) => self.facts.assume(func, value, ty),
            (RefOp::Test(ty), false) if !ty.nullable && self.types.is_sub_ref(known.non_null(), ty) => {
                self.facts.assume(func, value, null(known));
            }
            (RefOp::Test(ty), false) => {
                if ty.nullable {
                    self.facts.assume_non_null(func, value);
                }
                if ty.heap == HeapType::I31 && known.heap == HeapType::Eq {
                    self.facts.assume(func, value, RefType { exact: true, ..known });
                }
            }
            (RefOp::Eq, true) => {
                let Some(&other) = rest.first() else { return };
                let Some(others) = self.facts.of(func, other) else { return };
                self.facts.assume(func, value, others);
                self.facts.assume(func, other, known);
            }
            _ => {}
        }
    }

    /// What is known of an instruction's results and operands behind it.
    fn results(&mut self, func: &mut Func<'_>, inst: Inst) {
        for n in checked_operands(&func.insts[inst].op, func.args(inst).len()) {
            if let Some(&value) = func.args(inst).get(n) {
                self.facts.assume_non_null(func, value);
            }
        }
        let Some(&result) = func.results(inst).first() else { return };
        let exact = |kind, id| RefType { nullable: false, exact: true, heap: HeapType::Concrete(kind, id) };
        let ty = match (&func.insts[inst].op, func.args(inst)) {
            (
                Op::Struct(
                    StructOp::New(id) | StructOp::NewDefault(id) | StructOp::NewDesc(id) | StructOp::NewDefaultDesc(id),
                ),
                _,
            ) => Some(exact(CompositeKind::Struct, *id)),
            (
                Op::Array(
                    ArrayOp::New(id)
                    | ArrayOp::NewDefault(id)
                    | ArrayOp::NewFixed(id)
                    | ArrayOp::NewData { ty: id, .. }
                    | ArrayOp::NewElem { ty: id, .. },
                ),
                _,
            ) => Some(exact(CompositeKind::Array, *id)),
            (Op::Ref(RefOp::Null(heap)), _) => Some(RefType::new(true, heap.bottom())),
            (Op::Select, &[a, b, _]) => match (self.facts.of(func, a), self.facts.of(func, b)) {
                (Some(a), Some(b)) => join(self.types, a, b),
                _ => None,
            },
            (Op::Ref(RefOp::Refine | RefOp::Cast(_) | RefOp::AsNonNull), &[of]) => {
                let known = self.facts.of(func, of);
                func.ty(result).as_ref().zip(known).map(|(own, known)| meet(self.types, known, own))
            }
            _ => None,
        };
        if let Some(ty) = ty {
            self.sharpen(func, result, ty);
            self.facts.assume(func, result, ty);
        }
    }

    /// A value has a more precise type than is written there.
    fn sharpen(&self, func: &mut Func<'_>, value: Value, ty: RefType) {
        if let ValType::Ref(own) = func.ty(value)
            && func.ty(value).is_gc_ref()
        {
            func.values[value].ty = ValType::Ref(meet(self.types, own, ty));
        }
    }

    fn simplify(&mut self, func: &mut Func<'_>, inst: Inst, out: &mut Vec<Inst>) {
        let Op::Ref(op) = func.insts[inst].op else { return };
        let Some(&value) = func.args(inst).first() else { return };
        let Some(known) = self.facts.of(func, value) else { return };
        match op {
            RefOp::IsNull if !known.nullable => set_constant(func, inst, 0),
            RefOp::IsNull if is_null(known) => set_constant(func, inst, 1),
            RefOp::AsNonNull if !known.nullable => self.set_refine(func, inst),
            RefOp::Test(ty) => self.simplify_test(func, inst, known, ty, out),
            RefOp::Cast(ty) if self.types.is_sub_ref(known, ty) => self.set_refine(func, inst),
            RefOp::Cast(ty) => {
                // A null need not be let through where there is none.
                let nullable = ty.nullable && known.nullable;
                func.insts[inst].op = Op::Ref(RefOp::Cast(RefType { nullable, ..ty }));
                self.refine_operand(func, inst, known, out);
            }
            RefOp::Eq => self.simplify_eq(func, inst, known),
            _ => {}
        }
    }

    fn simplify_test(&self, func: &mut Func<'_>, inst: Inst, known: RefType, ty: RefType, out: &mut Vec<Inst>) {
        if self.types.is_sub_ref(known, ty) {
            set_constant(func, inst, 1);
        } else if is_null(meet(self.types, known, ty)) {
            // Nothing but null can pass.
            if known.nullable && ty.nullable {
                func.insts[inst].op = Op::Ref(RefOp::IsNull);
            } else {
                set_constant(func, inst, 0);
            }
        } else {
            self.refine_operand(func, inst, known, out);
        }
    }

    fn simplify_eq(&self, func: &mut Func<'_>, inst: Inst, known: RefType) {
        let &[a, b] = func.args(inst) else { return };
        let Some(other) = self.facts.of(func, b) else { return };
        if self.facts.aliases.root(a) == self.facts.aliases.root(b) || (is_null(known) && is_null(other)) {
            set_constant(func, inst, 1);
        } else if is_null(meet(self.types, known, other)) && !(known.nullable && other.nullable) {
            set_constant(func, inst, 0);
        } else if is_null(other) || is_null(known) {
            func.insts[inst].op = Op::Ref(RefOp::IsNull);
            func.set_args(inst, &[if is_null(other) { a } else { b }]);
        }
    }

    /// Lets lowering see what is known of an operand.
    fn refine_operand(&self, func: &mut Func<'_>, inst: Inst, known: RefType, out: &mut Vec<Inst>) {
        let Some(&value) = func.args(inst).first() else { return };
        if ValType::Ref(known) == func.ty(value) || !func.ty(value).is_gc_ref() {
            return;
        }
        let refine = func.make_inst(Op::Ref(RefOp::Refine), &[value], &[ValType::Ref(known)], func.insts[inst].loc);
        out.push(refine);
        if let Some(&refined) = func.results(refine).first() {
            func.set_args(inst, &[refined]);
        }
    }

    fn set_refine(&self, func: &mut Func<'_>, inst: Inst) {
        if func.args(inst).iter().all(|&v| func.ty(v).is_gc_ref()) {
            func.insts[inst].op = Op::Ref(RefOp::Refine);
        }
    }
}

fn set_constant(func: &mut Func<'_>, inst: Inst, value: i32) {
    func.insts[inst].op = Op::Core(Operator::I32Const { value });
    func.set_args(inst, &[]);
}

/// The value of a constant.
pub fn constant(func: &Func<'_>, value: Value) -> Option<i32> {
    func.constant(value).map(|value| value as i32)
}
