//! Fields of an object that a loop reads and writes, carried as parameters of the loop.
//!
//! ```text
//! before                                  after
//!   loop                                    v5 = struct.get $list $first v0
//!     v1 = struct.get $list $first v0       loop v5 (v6)
//!     if v3                                   v7 = if v3
//!       v2 = struct.get $node $next v1          v2 = struct.get $node $next v6
//!       struct.set $list $first v0 v2           struct.set $list $first v0 v2
//!     br loop                                   yield v2
//!                                             else
//!                                               yield v6
//!                                             br loop v7
//! ```
//!
//! Every write stays where it is: others must see it. What goes is the load, which would wait for the store of the
//! turn before. For globals there is `loop_globals.rs`.
//!
//! Obligations:
//!
//! - Nothing else writes the field in the loop: every write of its class (`writes.rs`) goes through the same
//!   reference, and no call in the loop writes it.
//! - The object is known before the loop, and is no null there, so that the first read can not trap.
//! - What the loop's constructs hand over is what was written last. A field that is written in a construct that a `br_table` leads
//!   to is left alone.
//! - A loop with calls keeps what it has in registers that calls preserve, and there are few: a load is better. So it
//!   carries nothing.
//! - Packed fields are not what was stored, and function references have representations of their own.

use super::redundant_loads::tracked;
use super::scope::Scope;
use super::vars::Vars;
use super::walk::{Pass, walk};
use super::writes::{Class, field, field_class, writes};
use crate::ir::{Func, Inst, Op, RefOp, Region, Sign, StructOp, Value, loops};
use crate::types::{CompositeKind, HeapType, RefType, StorageType, TypeId, ValType};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

/// So many fields are carried by a loop.
const MAX_CARRIED: usize = 4;

/// Fields that are written so deep inside of other constructs are left alone.
const MAX_DEPTH: usize = 64;

/// A field of an object: the first name of the object, and the field's class.
type Var = (Value, Class);

/// Runs the pass.
pub fn run(func: &mut Func<'_>, scope: Scope<'_>) {
    let sets = |op: &Op<'_>| matches!(op, Op::Struct(StructOp::Set { .. }));
    let repeats = |op: &Op<'_>| matches!(op, Op::Loop { .. });
    if !func.insts.values().any(|inst| sets(&inst.op)) || !func.insts.values().any(|inst| repeats(&inst.op)) {
        return;
    }
    let scan = Scan::new(func, scope);
    let plan = scan.plan(func, scope, candidates(func, scope, &scan.roots));
    if plan.homes.is_empty() {
        return;
    }
    let (roots, homes) = (scan.roots, plan.homes);
    let vars = Vars::new(plan.results, plan.params);
    walk(func, &mut Carry { scope, roots, homes, vars, replaced: SecondaryMap::new() });
}

/// Who writes what in a loop.
#[derive(Default)]
struct Written {
    everything: bool,
    /// For each class: the object through which it is written, unless there are several, or it is a call.
    by: HashMap<Class, Option<Value>>,
    /// Fields that are read, with the type that a read names.
    read: HashMap<Var, TypeId>,
}

impl Written {
    fn add(&mut self, class: Class, by: Option<Value>) {
        self.by.entry(class).and_modify(|known| *known = known.filter(|_| *known == by)).or_insert(by);
    }
}

/// A field that is read and written through one reference in a loop, and the type that a read of it names.
struct Candidate {
    home: Inst,
    var: Var,
    ty: TypeId,
}

impl Candidate {
    fn field(&self) -> u32 {
        index(self.var)
    }
}

/// The index of a field.
fn index((_, class): Var) -> u32 {
    match class {
        Class::Field(_, index) | Class::Global(index) => index,
        Class::Imported | Class::Elements(_) | Class::Tables => 0,
    }
}

/// For each loop, the fields that it could carry as far as its own instructions tell.
fn candidates(func: &Func<'_>, scope: Scope<'_>, roots: &Roots) -> Vec<Candidate> {
    let visit = |around: &mut Written, inst: Inst| match (&func.insts[inst].op, func.args(inst)) {
        (Op::Struct(StructOp::Set { ty, field }), &[object, _]) => {
            around.add(field_class(scope.types, *ty, *field), Some(roots.of(object)));
        }
        (&Op::Struct(StructOp::Get { ty, field: index, sign: Sign::None }), &[object]) => {
            if field(scope.types, ty, index).is_some_and(|f| f.mutable && tracked(f.storage)) {
                around.read.entry((roots.of(object), field_class(scope.types, ty, index))).or_insert(ty);
            }
        }
        (op, _) => {
            let writes = writes(op, scope);
            around.everything |= writes.everything || matches!(op, Op::Call(_));
            writes.classes.into_iter().for_each(|class| around.add(class, None));
        }
    };
    let mut found = Vec::new();
    loops::gather(func, visit, |home, inner: Written, outer: &mut Written| {
        if !inner.everything {
            let carried =
                inner.read.iter().filter(|&(&(object, class), _)| inner.by.get(&class) == Some(&Some(object)));
            found.extend(carried.map(|(&var, &ty)| Candidate { home, var, ty }));
        }
        outer.everything |= inner.everything;
        inner.by.into_iter().for_each(|(class, by)| outer.add(class, by));
        outer.read.extend(inner.read);
    });
    found
}

/// First names of references, as they were before anything was replaced.
struct Roots(SecondaryMap<Value, PackedOption<Value>>);

impl Roots {
    fn of(&self, value: Value) -> Value {
        self.0[value].expand().unwrap_or(value)
    }
}

/// What a walk over the function gathers.
struct Scan {
    roots: Roots,
    /// The place of each construct in the text, and where it ends.
    spans: HashMap<Inst, (u32, u32)>,
    /// Where each value is defined in the text.
    defined: SecondaryMap<Value, u32>,
    /// Each write of a field, and the constructs around it; none if they are too many.
    sets: Vec<(Var, Option<Vec<Inst>>)>,
    /// Constructs that a `br_table` leads to.
    tabled: HashSet<Inst>,
}

impl Scan {
    fn new(func: &Func<'_>, scope: Scope<'_>) -> Scan {
        let mut scan = Scan {
            roots: Roots(SecondaryMap::new()),
            spans: HashMap::new(),
            defined: SecondaryMap::new(),
            sets: Vec::new(),
            tabled: HashSet::new(),
        };
        let mut next = 1;
        let mut stack: Vec<(Region, Option<Inst>, usize)> = vec![(func.body, None, 0)];
        while let Some((region, owner, at)) = stack.pop() {
            if at == 0 {
                func.regions[region].params.iter().for_each(|&param| scan.defined[param] = next);
            }
            let Some(&inst) = func.regions[region].insts.get(at) else {
                owner.into_iter().for_each(|owner| scan.spans.entry(owner).or_default().1 = next);
                continue;
            };
            stack.push((region, owner, at + 1));
            next += 1;
            let data = &func.insts[inst];
            match (&data.op, func.args(inst)) {
                (Op::Struct(StructOp::Set { ty, field }), &[object, _]) => {
                    let var = (scan.roots.of(object), field_class(scope.types, *ty, *field));
                    let around = || stack.iter().filter_map(|&(_, owner, _)| owner).collect();
                    scan.sets.push((var, (stack.len() <= MAX_DEPTH).then(around)));
                }
                (Op::BrTable { targets }, _) => scan.tabled.extend(targets.iter().filter_map(|to| to.target)),
                (Op::Ref(RefOp::Refine | RefOp::AsNonNull | RefOp::Cast(_)), &[of]) => {
                    let top = |value: Value| func.ty(value).as_ref().map(|ty| ty.heap.top());
                    if let Some(&result) = func.results(inst).first()
                        && top(of) == top(result)
                    {
                        scan.roots.0[result] = scan.roots.of(of).into();
                    }
                }
                (op, _) if op.regions().next().is_some() => {
                    scan.spans.insert(inst, (next, next));
                    stack.extend(op.regions().rev().map(|nested| (nested, Some(inst), 0)));
                }
                _ => {}
            }
            // What a construct gives is not visible in it.
            func.results(inst).iter().for_each(|&result| scan.defined[result] = next);
        }
        scan
    }

    fn plan(&self, func: &Func<'_>, scope: Scope<'_>, mut candidates: Vec<Candidate>) -> Plan {
        let mut plan = Plan::default();
        let start = |inst: Inst| self.spans.get(&inst).map_or(0, |span| span.0);
        // Outer loops first, and otherwise in an order that depends on the function alone.
        candidates.sort_by_key(|c| (start(c.home), c.var.0, c.field()));
        let mut taken: HashMap<Var, Vec<Inst>> = HashMap::new();
        for Candidate { home, var, ty } in candidates {
            let inside =
                |outer: &Inst| self.spans.get(outer).is_some_and(|&(from, to)| from <= start(home) && start(home) < to);
            let has_room = plan.homes.get(&home).is_none_or(|vars| vars.len() < MAX_CARRIED);
            let known = self.defined[var.0] < start(home) && is_object(func, scope, var.0, ty);
            if !known || !has_room || taken.get(&var).is_some_and(|homes| homes.iter().any(inside)) {
                continue;
            }
            if let Some(constructs) = self.constructs(home, var) {
                taken.entry(var).or_default().push(home);
                plan.homes.entry(home).or_default().push((var, ty));
                plan.params.entry(home).or_default().push(var);
                for construct in constructs {
                    plan.results.entry(construct).or_default().push(var);
                    if matches!(func.insts[construct].op, Op::Loop { .. }) {
                        plan.params.entry(construct).or_default().push(var);
                    }
                }
            }
        }
        plan
    }

    /// The constructs in a loop in which a field is written; none if one of them can not hand it over.
    fn constructs(&self, home: Inst, var: Var) -> Option<Vec<Inst>> {
        let mut found: Vec<Inst> = Vec::new();
        for (_, around) in self.sets.iter().filter(|set| set.0 == var) {
            let around = around.as_ref()?;
            let Some(at) = around.iter().position(|&inst| inst == home) else { continue };
            for &inst in &around[at + 1..] {
                if !found.contains(&inst) {
                    found.push(inst);
                }
            }
        }
        let tabled = self.tabled.contains(&home) || found.iter().any(|inst| self.tabled.contains(inst));
        (!tabled && found.len() <= MAX_DEPTH).then_some(found)
    }
}

/// Whether a value is an object of a type, and no null.
fn is_object(func: &Func<'_>, scope: Scope<'_>, value: Value, ty: TypeId) -> bool {
    let to = RefType::new(false, HeapType::Concrete(CompositeKind::Struct, ty));
    func.ty(value).as_ref().is_some_and(|known| scope.types.is_sub_ref(known, to))
}

/// What is carried where.
#[derive(Default)]
struct Plan {
    homes: HashMap<Inst, Vec<(Var, TypeId)>>,
    results: HashMap<Inst, Vec<Var>>,
    params: HashMap<Inst, Vec<Var>>,
}

struct Carry<'t> {
    scope: Scope<'t>,
    roots: Roots,
    homes: HashMap<Inst, Vec<(Var, TypeId)>>,
    vars: Vars<Var>,
    /// What is used in place of a value.
    replaced: SecondaryMap<Value, PackedOption<Value>>,
}

impl Carry<'_> {
    /// The field that an access names.
    fn var(&self, func: &Func<'_>, inst: Inst) -> Option<Var> {
        match (&func.insts[inst].op, func.args(inst).first()) {
            (Op::Struct(StructOp::Get { ty, field, .. } | StructOp::Set { ty, field }), Some(&object)) => {
                Some((self.roots.of(object), field_class(self.scope.types, *ty, *field)))
            }
            _ => None,
        }
    }
}

/// The type of a field.
fn field_type(scope: Scope<'_>, homes: &HashMap<Inst, Vec<(Var, TypeId)>>, var: Var) -> ValType {
    let named = homes.values().flatten().find(|known| known.0 == var).map(|known| known.1);
    match named.and_then(|ty| field(scope.types, ty, index(var))).map(|field| field.storage) {
        Some(StorageType::Val(ty)) => ty,
        _ => ValType::I32,
    }
}

impl<'a> Pass<'a> for Carry<'_> {
    fn inst(&mut self, func: &mut Func<'a>, inst: Inst, owner: Option<Inst>, out: &mut Vec<Inst>) -> bool {
        // By the names that things had before anything was replaced.
        let var = self.var(func, inst);
        for arg in func.args_mut(inst) {
            *arg = self.replaced[*arg].expand().unwrap_or(*arg);
        }
        let known = var.and_then(|var| self.vars.get(var));
        match (&func.insts[inst].op, var, known) {
            (Op::Struct(StructOp::Get { .. }), _, Some(value)) => {
                if let Some(&result) = func.results(inst).first() {
                    self.replaced[result] = value.into();
                }
                return false;
            }
            (Op::Struct(StructOp::Set { .. }), Some(var), Some(_)) => {
                let value = func.args(inst)[1];
                self.vars.set(var, value);
            }
            (Op::Loop { .. }, ..) => {
                for (var, ty) in self.homes.get(&inst).cloned().unwrap_or_default() {
                    let object = self.replaced[var.0].expand().unwrap_or(var.0);
                    let op = Op::Struct(StructOp::Get { ty, field: index(var), sign: Sign::None });
                    let result = field_type(self.scope, &self.homes, var);
                    let read = func.make_inst(op, &[object], &[result], func.insts[inst].loc);
                    out.push(read);
                    self.vars.set(var, func.results(read)[0]);
                }
                self.vars.hand_over(func, inst, owner);
            }
            _ => self.vars.hand_over(func, inst, owner),
        }
        true
    }

    fn enter(&mut self, func: &mut Func<'a>, owner: Inst, _: usize) {
        let Carry { scope, homes, .. } = self;
        self.vars.enter(func, owner, |var| field_type(*scope, homes, var));
    }

    fn leave(&mut self, _: &mut Func<'a>, _: Inst) {
        self.vars.leave();
    }

    fn close(&mut self, func: &mut Func<'a>, inst: Inst) {
        let Carry { scope, homes, .. } = self;
        self.vars.close(func, inst, |var| field_type(*scope, homes, var));
        for &(var, _) in self.homes.get(&inst).into_iter().flatten() {
            self.vars.forget(var);
        }
    }
}
