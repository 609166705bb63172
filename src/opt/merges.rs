//! Structs that several ways make, as values of their fields where the ways come together.
//!
//! ```text
//! before                                  after
//!   v1 = struct.new $float v0               v1 = struct.new $float v0
//!   loop v1 (v2)                            loop v0 (v6)
//!                                             v7 = struct.new $float v6
//!     v3 = struct.get $float 0 v2             v3 = struct.get $float 0 v7
//!     v4 = f64.mul v3 v3                      v4 = f64.mul v3 v3
//!     v5 = struct.new $float v4               v5 = struct.new $float v4
//!     br_if v8 loop (v5)                      br_if v8 loop (v4)
//! ```
//!
//! These are the boxed numbers and the pairs that loops carry and arms give. Nothing is gained by this alone: it is
//! the first half of `scalars.rs`, which then sees nobody use any of these allocations, the new one included.
//!
//! Obligations:
//!
//! - What comes together (a *merge*: a parameter of a loop, a result of a construct) is always one of the `struct.new`s of
//!   one type, or another such merge. None of these references goes anywhere else: they are operands of reads of
//!   fields, of tests and checks for null, of refinements and of casts that succeed. So nobody can tell the new object
//!   from the one that was handed over.
//! - No field of them is written, so that the values of a time are the values of all times: to be the object of a
//!   `struct.set` counts as going elsewhere.
//! - An operand of a `struct.new` is visible wherever its result is, and that includes the branch that hands it over.
//! - Constructs that a `br_table` leads to are left alone, as in `scalars.rs`.

use super::names::{Names, each_inst};
use super::scalars::{self, is_of};
use crate::ir::{Func, Inst, Op, RefOp, Region, StructOp, Value, ValueDef, destinations, handed};
use crate::types::{RefType, TypeId, TypeTable, ValType};
use std::collections::{HashMap, HashSet};

/// So many fields the parameters of a loop become at most, and so many the results of a construct.
const MAX_FIELDS: usize = 16;

/// Functions with more merges are left alone: where there are hundreds, the engine takes longer for so many values that
/// live side by side than it takes for the objects.
const MAX_MERGES: usize = 128;

/// Runs the rewrite. Whether it did anything.
pub fn run(func: &mut Func<'_>, types: &TypeTable) -> bool {
    let names = Names::of(func);
    let found = Scan::of(func, &names, types).solve(func, types);
    if found.is_empty() || found.len() > MAX_MERGES {
        return false;
    }
    Rewrite { types, names, found, fields: HashMap::new(), heads: HashMap::new() }.run(func);
    true
}

/// The merges that a control instruction hands its operands to, each with the operand. Those that are handed to nothing
/// come first.
fn edges(func: &Func<'_>, inst: Inst, owner: Option<Inst>) -> Vec<(Value, Value)> {
    if let Op::BrTable { .. } | Op::Select = func.insts[inst].op {
        return Vec::new();
    }
    let to = destinations(func, inst, owner);
    to.into_iter().zip(func.args(inst)).filter_map(|(to, &value)| Some((to?, value))).collect()
}

/// What a walk over the function gathers.
#[derive(Default)]
struct Scan {
    /// Structs that could be taken apart.
    made: HashMap<Value, TypeId>,
    /// What comes together in each merge: first names.
    incoming: HashMap<Value, Vec<Value>>,
    /// The merges that each reference goes to.
    flows: HashMap<Value, Vec<Value>>,
    /// References that go elsewhere, or whose fields are written.
    bad: Vec<Value>,
    /// What is done with each: it is read as an object of a type, or cast.
    accesses: Vec<(Value, TypeId)>,
    casts: Vec<(Value, RefType)>,
}

impl Scan {
    fn of(func: &Func<'_>, names: &Names, types: &TypeTable) -> Scan {
        let mut scan = Scan::default();
        let is_ref = |value: Value| func.ty(value).is_gc_ref();
        each_inst(func, |inst, owner| {
            let args = func.args(inst);
            match &func.insts[inst].op {
                Op::Struct(StructOp::New(ty))
                    if scalars::fields(types, *ty).is_some_and(|fields| !fields.is_empty()) =>
                {
                    scan.made.extend(func.results(inst).first().map(|&value| (value, *ty)));
                    scan.escape(func, names, args);
                }
                Op::Ref(RefOp::Refine | RefOp::AsNonNull | RefOp::IsNull | RefOp::Test(_)) => {}
                Op::Ref(RefOp::Cast(to)) => scan.casts.extend(args.first().map(|&value| (names.first(value), *to))),
                Op::Struct(StructOp::Get { ty, .. }) => {
                    scan.accesses.extend(args.first().map(|&value| (names.first(value), *ty)));
                }
                Op::BrTable { targets } => {
                    scan.escape(func, names, args);
                    for target in targets.iter().filter_map(|to| to.target) {
                        scan.bad.extend(handed(func, target));
                    }
                }
                _ => {
                    let edges = edges(func, inst, owner);
                    let rest = args.len() - edges.len().min(args.len());
                    // Without edges all operands go elsewhere; with them, the condition of a branch does.
                    scan.escape(func, names, &args[..rest]);
                    for (merge, value) in edges.into_iter().filter(|&(merge, _)| is_ref(merge)) {
                        let value = names.first(value);
                        scan.incoming.entry(merge).or_default().push(value);
                        scan.flows.entry(value).or_default().push(merge);
                    }
                }
            }
        });
        scan
    }

    fn escape(&mut self, func: &Func<'_>, names: &Names, values: &[Value]) {
        self.bad.extend(values.iter().filter(|&&value| func.ty(value).is_gc_ref()).map(|&value| names.first(value)));
    }

    /// The merges that can be taken apart, with the type of what comes together.
    fn solve(mut self, func: &Func<'_>, types: &TypeTable) -> HashMap<Value, TypeId> {
        if self.made.is_empty() || self.incoming.is_empty() {
            return HashMap::new();
        }
        let foreign =
            self.flows.keys().filter(|value| !self.made.contains_key(value) && !self.incoming.contains_key(value));
        self.bad.extend(foreign);
        let mut bad: HashSet<Value> = HashSet::new();
        self.spread(&mut bad);
        // What flows into one another is of one type, or is left alone.
        let mut found = HashMap::new();
        let mut seen: HashSet<Value> = HashSet::new();
        let mut merges: Vec<Value> = self.incoming.keys().copied().collect();
        merges.sort_unstable();
        for merge in merges {
            if bad.contains(&merge) || !seen.insert(merge) {
                continue;
            }
            let (mut group, mut at) = (vec![merge], 0);
            let mut of: HashSet<TypeId> = HashSet::new();
            while let Some(&value) = group.get(at) {
                at += 1;
                of.extend(self.made.get(&value));
                let around = [self.incoming.get(&value), self.flows.get(&value)];
                group.extend(around.into_iter().flatten().flatten().filter(|&&value| seen.insert(value)));
            }
            if let (Some(&ty), 1) = (of.iter().next(), of.len()) {
                found.extend(
                    group.into_iter().filter(|value| self.incoming.contains_key(value)).map(|value| (value, ty)),
                );
            }
        }
        self.bad = self.refuted(func, types, &found);
        if !self.bad.is_empty() {
            self.spread(&mut bad);
            found.retain(|value, _| !bad.contains(value));
        }
        found
    }

    /// Takes with each reference that is bad whatever it flows to, and whatever flows to it.
    fn spread(&mut self, bad: &mut HashSet<Value>) {
        while let Some(value) = self.bad.pop() {
            if bad.insert(value) {
                let around = [self.incoming.get(&value), self.flows.get(&value)];
                self.bad.extend(around.into_iter().flatten().flatten());
            }
        }
    }

    /// Those of the merges that are read or cast as what they are not, and those of constructs that would hand over too
    /// much.
    fn refuted(&self, func: &Func<'_>, types: &TypeTable, found: &HashMap<Value, TypeId>) -> Vec<Value> {
        let of = |value: &Value| found.get(value).or_else(|| self.made.get(value)).copied();
        let accesses =
            self.accesses.iter().filter(|(value, ty)| of(value).is_some_and(|own| !types.is_sub_id(own, *ty)));
        let casts = self.casts.iter().filter(|(value, to)| of(value).is_some_and(|own| !is_of(types, own, *to)));
        let mut bad: Vec<Value> = accesses.map(|(value, _)| *value).chain(casts.map(|(value, _)| *value)).collect();
        let mut carried: HashMap<(Option<Inst>, Option<Region>), usize> = HashMap::new();
        let home = |value: Value| match func.values[value].def {
            ValueDef::Result(inst, _) => (Some(inst), None),
            ValueDef::Param(region, _) => (None, Some(region)),
        };
        let count = |ty: TypeId| scalars::fields(types, ty).map_or(0, |fields| fields.len());
        for (&value, &ty) in found {
            *carried.entry(home(value)).or_default() += count(ty);
        }
        bad.extend(found.keys().filter(|&&value| carried.get(&home(value)).is_some_and(|&count| count > MAX_FIELDS)));
        bad
    }
}

struct Rewrite<'t> {
    types: &'t TypeTable,
    names: Names,
    /// By merge: the type of its structs.
    found: HashMap<Value, TypeId>,
    /// By merge: the values of the fields.
    fields: HashMap<Value, Vec<Value>>,
    /// By merge: the allocation that stands for it.
    heads: HashMap<Value, Inst>,
}

impl Rewrite<'_> {
    fn run(mut self, func: &mut Func<'_>) {
        let mut insts = Vec::new();
        each_inst(func, |inst, owner| insts.push((inst, owner)));
        // What is handed over is read before anything is renamed.
        let handed: Vec<_> = insts.iter().map(|&(inst, owner)| (inst, edges(func, inst, owner))).collect();
        for &(inst, _) in &insts {
            self.split(func, inst);
        }
        for (inst, edges) in handed {
            self.hand_over(func, inst, &edges);
        }
        self.place(func);
        let of_head = |inst: Inst| func.results(inst).first().copied();
        let renamed: HashMap<Value, Value> =
            self.heads.iter().filter_map(|(&merge, &head)| Some((merge, of_head(head)?))).collect();
        let heads = self.heads.values().copied();
        for inst in insts.into_iter().map(|(inst, _)| inst).chain(heads) {
            for arg in func.args_mut(inst) {
                *arg = renamed.get(arg).copied().unwrap_or(*arg);
            }
        }
    }

    /// Puts fields in the place of the merges of a construct.
    fn split(&mut self, func: &mut Func<'_>, inst: Inst) {
        if func.results(inst).iter().any(|result| self.found.contains_key(result)) {
            let old = func.results(inst).to_vec();
            func.insts[inst].results = Default::default();
            for value in old {
                match self.found.get(&value).copied() {
                    None => {
                        func.push_result(inst, value);
                    }
                    Some(ty) => {
                        let fields = self.field_types(ty);
                        let fields = fields.into_iter().map(|field| func.add_result(inst, field)).collect();
                        self.head(func, value, ty, fields, inst);
                    }
                }
            }
        }
        let Op::Loop { body } = func.insts[inst].op else { return };
        if func.regions[body].params.iter().any(|param| self.found.contains_key(param)) {
            for value in std::mem::take(&mut func.regions[body].params) {
                let n = func.regions[body].params.len() as u32;
                match self.found.get(&value).copied() {
                    None => {
                        func.values[value].def = ValueDef::Param(body, n);
                        func.regions[body].params.push(value);
                    }
                    Some(ty) => {
                        let fields = self.field_types(ty);
                        let fields = fields.into_iter().map(|field| func.add_param(body, field)).collect();
                        self.head(func, value, ty, fields, inst);
                    }
                }
            }
        }
    }

    fn field_types(&self, ty: TypeId) -> Vec<ValType> {
        scalars::fields(self.types, ty).unwrap_or_default()
    }

    /// Makes the allocation that stands for a merge.
    fn head(&mut self, func: &mut Func<'_>, merge: Value, ty: TypeId, fields: Vec<Value>, at: Inst) {
        let exact = ValType::Ref(scalars::exactly(ty));
        let loc = func.insts[at].loc;
        let inst = func.make_inst(Op::Struct(StructOp::New(ty)), &fields, &[exact], loc);
        self.fields.insert(merge, fields);
        self.heads.insert(merge, inst);
    }

    /// Gives fields to the merges that an instruction hands operands to.
    fn hand_over(&self, func: &mut Func<'_>, inst: Inst, edges: &[(Value, Value)]) {
        if !edges.iter().any(|(merge, _)| self.found.contains_key(merge)) {
            return;
        }
        let first = func.args(inst).len() - edges.len().min(func.args(inst).len());
        let mut args = func.args(inst)[..first].to_vec();
        for &(merge, value) in edges {
            match self.found.contains_key(&merge) {
                true => args.extend(self.fields_of(func, value)),
                false => args.push(value),
            }
        }
        func.set_args(inst, &args);
    }

    /// The fields of what was made or came together.
    fn fields_of(&self, func: &Func<'_>, value: Value) -> Vec<Value> {
        let value = self.names.first(value);
        if let Some(fields) = self.fields.get(&value) {
            return fields.clone();
        }
        func.def_inst(value).map(|made| func.args(made).to_vec()).unwrap_or_default()
    }

    /// Puts the allocations where the merges are: at the begin of loops, behind constructs.
    fn place(&self, func: &mut Func<'_>) {
        let mut behind: HashMap<Inst, Vec<Inst>> = HashMap::new();
        let mut heads: Vec<(Inst, Vec<Value>)> =
            self.heads.iter().filter_map(|(merge, &head)| Some((head, self.fields.get(merge)?.clone()))).collect();
        heads.sort_unstable();
        for (head, fields) in heads.into_iter().rev() {
            match fields.first().map(|&field| func.values[field].def) {
                Some(ValueDef::Param(region, _)) => func.regions[region].insts.insert(0, head),
                Some(ValueDef::Result(construct, _)) => behind.entry(construct).or_default().insert(0, head),
                None => {}
            }
        }
        if behind.is_empty() {
            return;
        }
        let regions: Vec<Region> = func.regions.keys().collect();
        for region in regions {
            if func.regions[region].insts.iter().any(|inst| behind.contains_key(inst)) {
                let insts = std::mem::take(&mut func.regions[region].insts);
                let with = |inst| std::iter::once(inst).chain(behind.get(&inst).into_iter().flatten().copied());
                func.regions[region].insts = insts.into_iter().flat_map(with).collect();
            }
        }
    }
}
