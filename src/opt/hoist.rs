//! Loads that give the same in each turn of a loop, before the loop.
//!
//! ```text
//! before                                  after
//!   loop (v1)                               v2 = struct.get $list $items v0
//!     v2 = struct.get $list $items v0       v4 = array.len v2
//!     v3 = array.get $items v2 v1           loop (v1)
//!     br loop                                 v3 = array.get $items v2 v1
//!                                             br loop
//! ```
//!
//! The engine moves arithmetic, and no load: to it every store may change what is loaded.
//!
//! Obligations:
//!
//! - What is read is what would have been read in each turn: a field or global whose class nothing in the loop
//!   writes (`writes.rs`), or a length. The operand is known before the loop.
//! - It does not trap there: the operand can not be null, by its type or because something around the
//!   loop would have trapped (`facts.rs`).
//! - Control need not come to the load for it to be harmless before the loop; but where it hardly ever comes, in an arm that
//!   ends in a trap, loads stay.
//! - A reference that is held across a safepoint is saved and loaded again for it. So references stay in loops that
//!   may collect.
//!
//! The length of an array that does not change in a loop is read before it, even if only accesses to elements need
//! it: lowering knows it then (`src/lower/known.rs`). This runs last, as nobody uses such a length before.

use super::facts::Facts;
use super::null_checks::checked_operands;
use super::scope::{GlobalKind, Scope};
use super::walk::{Pass, walk};
use super::writes::{Writes, field_class, global_class, loop_writes};
use crate::ir::{ArrayOp, Func, GlobalOp, Inst, Op, RefOp, Region, StructOp, Value, effects, loops};
use crate::types::ValType;
use cranelift_entity::SecondaryMap;
use foldhash::{HashMap, HashMapExt};

/// So many loads are moved out of a loop.
const MAX_MOVED: usize = 12;

/// Loops that are nested deeper are left alone: each loop is searched once for each that is around it.
const MAX_NESTING: usize = 5;

/// Runs the pass.
pub fn run(func: &mut Func<'_>, scope: Scope<'_>) {
    if !func.insts.values().any(|inst| matches!(inst.op, Op::Loop { .. })) {
        return;
    }
    let mut pass = Hoist {
        scope,
        writes: loop_writes(func, scope),
        collects: collecting(func),
        facts: Facts::new(func, scope.types),
        seen: func.per_value(),
        moved: func.per_inst(),
        marks: Vec::new(),
        nesting: 0,
    };
    func.params().iter().for_each(|&param| pass.seen[param] = true);
    walk(func, &mut pass);
}

/// Whether a loop may collect.
fn collecting(func: &Func<'_>) -> HashMap<Inst, bool> {
    let mut found = HashMap::new();
    let visit = |around: &mut bool, inst: Inst| *around |= effects(&func.insts[inst].op).collects;
    loops::gather(func, visit, |inst, inner, outer| {
        *outer |= inner;
        found.insert(inst, inner);
    });
    found
}

struct Hoist<'t> {
    scope: Scope<'t>,
    writes: HashMap<Inst, Writes>,
    collects: HashMap<Inst, bool>,
    facts: Facts<'t>,
    /// Values that are defined before the point that the walk has reached.
    seen: SecondaryMap<Value, bool>,
    moved: SecondaryMap<Inst, bool>,
    marks: Vec<usize>,
    nesting: usize,
}

impl<'a> Pass<'a> for Hoist<'_> {
    fn inst(&mut self, func: &mut Func<'a>, inst: Inst, _: Option<Inst>, out: &mut Vec<Inst>) -> bool {
        if self.moved[inst] {
            return false;
        }
        self.facts.aliases.define(func, inst);
        if let Op::Loop { body } = func.insts[inst].op {
            self.nesting += 1;
            if self.nesting <= MAX_NESTING {
                self.search(func, inst, body, out);
            }
        }
        for n in checked_operands(&func.insts[inst].op, func.args(inst).len()) {
            if let Some(&value) = func.args(inst).get(n) {
                self.facts.assume_non_null(func, value);
            }
        }
        func.results(inst).iter().for_each(|&result| self.seen[result] = true);
        true
    }

    fn enter(&mut self, func: &mut Func<'a>, owner: Inst, arm: usize) {
        self.marks.push(self.facts.mark());
        if let Some(region) = func.insts[owner].op.regions().nth(arm) {
            func.regions[region].params.iter().for_each(|&param| self.seen[param] = true);
        }
    }

    fn leave(&mut self, _: &mut Func<'a>, _: Inst) {
        if let Some(mark) = self.marks.pop() {
            self.facts.undo(mark);
        }
    }

    fn close(&mut self, func: &mut Func<'a>, inst: Inst) {
        self.nesting -= usize::from(matches!(func.insts[inst].op, Op::Loop { .. }));
    }
}

impl Hoist<'_> {
    /// Looks through a loop that is about to begin, in order of text.
    fn search<'a>(&mut self, func: &mut Func<'a>, inst: Inst, body: Region, out: &mut Vec<Inst>) {
        let writes = self.writes.get(&inst).cloned().unwrap_or_else(Writes::everything);
        let keeps_refs = self.collects.get(&inst).copied().unwrap_or(true);
        let (mut left, mut lengths) = (MAX_MOVED, Vec::new());
        let mut stack = vec![(body, 0)];
        while let Some((region, at)) = stack.pop() {
            let Some(&next) = func.regions[region].insts.get(at) else { continue };
            stack.push((region, at + 1));
            let nested = func.insts[next].op.regions();
            stack.extend(nested.rev().filter(|&arm| !traps(func, arm)).map(|arm| (arm, 0)));
            if left == 0 || self.moved[next] {
                continue;
            }
            if self.movable(func, next, &writes, keeps_refs) {
                self.moved[next] = true;
                left -= 1;
                self.put(func, next, out);
            } else if let (Op::Array(ArrayOp::Get { .. } | ArrayOp::Set(_)), Some(&array)) =
                (&func.insts[next].op, func.args(next).first())
                && self.is_known(func, array)
                && !lengths.contains(&array)
            {
                lengths.push(array);
                left -= 1;
                let read = func.make_inst(Op::Array(ArrayOp::Len), &[array], &[ValType::I32], func.insts[inst].loc);
                self.put(func, read, out);
            }
        }
    }

    /// Puts a read before the loop.
    fn put(&mut self, func: &mut Func<'_>, inst: Inst, out: &mut Vec<Inst>) {
        if let Some(&object) = func.args(inst).first()
            && let Some(known) = self.facts.of(func, object)
            && func.ty(object).as_ref().is_some_and(|ty| ty.nullable)
        {
            let ty = ValType::Ref(known.non_null());
            let refine = func.make_inst(Op::Ref(RefOp::Refine), &[object], &[ty], func.insts[inst].loc);
            out.push(refine);
            self.facts.aliases.define(func, refine);
            let refined = func.results(refine)[0];
            self.seen[refined] = true;
            func.set_args(inst, &[refined]);
        }
        out.push(inst);
        func.results(inst).iter().for_each(|&result| self.seen[result] = true);
    }

    /// Whether a reference is defined before the loop, and not null there.
    fn is_known(&self, func: &Func<'_>, value: Value) -> bool {
        self.seen[value] && self.facts.of(func, value).is_some_and(|ty| !ty.nullable)
    }

    fn movable(&self, func: &Func<'_>, inst: Inst, writes: &Writes, keeps_refs: bool) -> bool {
        let Some(&result) = func.results(inst).first() else { return false };
        if matches!(func.ty(result), ValType::Ref(ty) if ty.is_func() || keeps_refs) {
            return false;
        }
        let object = func.args(inst).first().copied();
        let known = || object.is_some_and(|object| self.is_known(func, object));
        match func.insts[inst].op {
            Op::Struct(StructOp::Get { ty, field: index, .. }) => {
                let class = field_class(self.scope.types, ty, index);
                let constant = self.scope.is_constant(ty, index);
                known() && (constant || !writes.has(class))
            }
            Op::Array(ArrayOp::Len) => known(),
            Op::Global(GlobalOp::Get(global)) => {
                let constant = self.scope.global(global) == GlobalKind::Constant;
                global_class(self.scope, global).is_some_and(|class| constant || !writes.has(class))
            }
            _ => false,
        }
    }
}

/// Whether a region does nothing but trap in the end.
fn traps(func: &Func<'_>, region: Region) -> bool {
    func.regions[region].insts.last().is_some_and(|&end| matches!(func.insts[end].op, Op::Trap(_)))
}
