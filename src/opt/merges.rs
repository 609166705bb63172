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
//!   one type, or another such merge; or an object from elsewhere of that very type whose fields never change, which are
//!   read where it is handed over. None of these references goes anywhere else: they are operands of reads of
//!   fields, of tests and checks for null, of refinements and of casts that succeed. So nobody can tell the new object
//!   from the one that was handed over.
//! - No field of them is written, so that the values of a time are the values of all times: to be the object of a
//!   `struct.set` counts as going elsewhere.
//! - An operand of a `struct.new` is visible wherever its result is, and that includes the branch that hands it over.
//! - Constructs that a `br_table` leads to are left alone, as in `scalars.rs`.

use super::names::{Names, each_inst};
use super::scalars::{self, is_of};
use super::scope::Scope;
use crate::ir::{Func, Inst, Op, RefOp, Region, Sign, StructOp, Value, ValueDef, destinations, handed};
use crate::types::{CompositeKind, HeapType, RefType, TypeId, TypeTable, ValType};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

/// So many fields the parameters of a loop become at most, and so many the results of a construct.
const MAX_FIELDS: usize = 16;

/// Functions with more merges are left alone: where there are hundreds, the engine takes longer for so many values that
/// live side by side than it takes for the objects.
const MAX_MERGES: usize = 128;

/// Runs the rewrite. Whether it did anything.
pub fn run(func: &mut Func<'_>, scope: Scope<'_>) -> bool {
    let (names, types) = (Names::of(func), scope.types);
    let found = Scan::of(func, &names, scope).solve(func, types);
    if found.is_empty() || found.len() > MAX_MERGES {
        return false;
    }
    Rewrite { types, names, found, fields: HashMap::new(), heads: HashMap::new(), reads: HashMap::new() }.run(func);
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

/// The type of an object that is as good as the values of its fields: it is of no subtype, and they never change.
fn readable(func: &Func<'_>, scope: Scope<'_>, value: Value) -> Option<TypeId> {
    let ty = func.ty(value).as_ref().filter(|ty| !ty.nullable)?;
    let HeapType::Concrete(CompositeKind::Struct, id) = ty.heap else { return None };
    let fields = scalars::fields(scope.types, id)?;
    let constant = (0..fields.len() as u32).all(|field| scope.is_constant(id, field));
    (!fields.is_empty() && constant && (ty.exact || scope.types.def(id).sub.is_final)).then_some(id)
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
    /// What each merge is handed, by its first name: of which type it is if it can be read where that is done.
    readable: HashMap<(Value, Value), Option<TypeId>>,
    /// The types of what comes from elsewhere and is to be read, by merge.
    read: HashMap<Value, Vec<TypeId>>,
}

impl Scan {
    fn of(func: &Func<'_>, names: &Names, scope: Scope<'_>) -> Scan {
        let types = scope.types;
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
                        let can = readable(func, scope, value);
                        let value = names.first(value);
                        let known = scan.readable.entry((merge, value)).or_insert(can);
                        *known = known.filter(|_| *known == can);
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
        self.take_out_what_can_be_read();
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
            let (mut group, mut at, mut makes) = (vec![merge], 0, false);
            let mut of: HashSet<TypeId> = HashSet::new();
            while let Some(&value) = group.get(at) {
                at += 1;
                makes |= self.made.contains_key(&value);
                of.extend(self.made.get(&value).into_iter().chain(self.read.get(&value).into_iter().flatten()));
                let around = [self.incoming.get(&value), self.flows.get(&value)];
                group.extend(around.into_iter().flatten().flatten().filter(|&&value| seen.insert(value)));
            }
            if let (Some(&ty), 1, true) = (of.iter().next(), of.len(), makes) {
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

    /// What comes from elsewhere does not spoil a merge if its fields can be read instead, wherever else it goes.
    fn take_out_what_can_be_read(&mut self) {
        let (made, known) = (&self.made, self.incoming.keys().copied().collect::<HashSet<_>>());
        let (read, flows, readable) = (&mut self.read, &mut self.flows, &self.readable);
        for (&merge, incoming) in &mut self.incoming {
            incoming.retain(|&value| {
                let elsewhere = !made.contains_key(&value) && !known.contains(&value);
                let can = readable.get(&(merge, value)).copied().flatten().filter(|_| elsewhere);
                let Some(ty) = can else { return true };
                read.entry(merge).or_default().push(ty);
                if let Some(to) = flows.get_mut(&value) {
                    to.retain(|&to| to != merge);
                }
                false
            });
        }
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
    /// What reads the fields of objects from elsewhere, by the instruction that hands them over.
    reads: HashMap<Inst, Vec<Inst>>,
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
    fn hand_over(&mut self, func: &mut Func<'_>, inst: Inst, edges: &[(Value, Value)]) {
        if !edges.iter().any(|(merge, _)| self.found.contains_key(merge)) {
            return;
        }
        let first = func.args(inst).len() - edges.len().min(func.args(inst).len());
        let mut args = func.args(inst)[..first].to_vec();
        for &(merge, value) in edges {
            match self.found.get(&merge).copied() {
                Some(ty) => args.extend(self.fields_of(func, inst, ty, value)),
                None => args.push(value),
            }
        }
        func.set_args(inst, &args);
    }

    /// The fields of what was made or came together, or is from elsewhere and handed over by an instruction.
    fn fields_of(&mut self, func: &mut Func<'_>, by: Inst, ty: TypeId, value: Value) -> Vec<Value> {
        let first = self.names.first(value);
        if let Some(fields) = self.fields.get(&first) {
            return fields.clone();
        }
        if let Some(made) = func.def_inst(first)
            && matches!(func.insts[made].op, Op::Struct(StructOp::New(of)) if of == ty)
        {
            return func.args(made).to_vec();
        }
        let loc = func.insts[by].loc;
        let types = self.field_types(ty);
        let read = |(field, own): (u32, ValType)| {
            let op = Op::Struct(StructOp::Get { ty, field, sign: Sign::None });
            func.make_inst(op, &[value], &[own], loc)
        };
        let reads: Vec<Inst> = (0..).zip(types).map(read).collect();
        let values = reads.iter().filter_map(|&read| func.results(read).first().copied()).collect();
        self.reads.entry(by).or_default().extend(reads);
        values
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
        if behind.is_empty() && self.reads.is_empty() {
            return;
        }
        let all = |of: &HashMap<Inst, Vec<Inst>>, inst: Inst| of.get(&inst).cloned().unwrap_or_default();
        let regions: Vec<Region> = func.regions.keys().collect();
        for region in regions {
            let has = |inst| behind.contains_key(inst) || self.reads.contains_key(inst);
            if func.regions[region].insts.iter().any(has) {
                let insts = std::mem::take(&mut func.regions[region].insts);
                let with = |inst| all(&self.reads, inst).into_iter().chain([inst]).chain(all(&behind, inst));
                func.regions[region].insts = insts.into_iter().flat_map(with).collect();
            }
        }
    }
}
