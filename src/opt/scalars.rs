//! Structs that nobody else sees, as values of their fields.
//!
//! ```text
//! before                                  after
//!   v1 = struct.new $sum v0                 loop v0 (v5)
//!   loop                                      v3 = i32.add v5 v2
//!     v2 = struct.get $sum 0 v1               br_if v4 loop (v3)
//!     v3 = i32.add v2 v2                      use v3
//!     struct.set $sum 0 v1 v3
//!     br_if v4 loop
//!   v6 = struct.get $sum 0 v1
//!   use v6
//! ```
//!
//! Such structs are the accumulators, iterators and pairs of a callee that was put in the place of its call; so this
//! runs behind `inline.rs`.
//!
//! Obligations:
//!
//! - The reference goes nowhere: it is operand of accesses to its fields, of tests and of casts that succeed, and nothing
//!   else. `merges.rs` makes that so where several structs come together.
//! - A field that a construct writes is a result of it, and of a loop a parameter as well; whatever branches to the
//!   construct hands the field's value over. Constructs that a `br_table` leads to are left alone, as are their structs.
//! - The allocation goes, and with it the chance that the heap is full: what nobody sees takes no room.
//! - Packed fields are not what was stored, and function references have representations of their own. Structs with
//!   such fields stay.

use super::merges;
use super::names::Names;
use super::scope::Scope;
use super::vars::Vars;
use super::walk::{Pass, walk};
use crate::ir::{Func, Inst, Op, RefOp, Region, StructOp, Value, zero};
use crate::types::{CompositeKind, CompositeType, HeapType, RefType, StorageType, TypeId, TypeTable, ValType};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use foldhash::{HashMap, HashSet};
use wasmparser::Operator;

/// Structs with more fields stay.
const MAX_FIELDS: usize = 8;

/// So many fields a construct hands over at most; structs that need more stay.
const MAX_CARRIED: usize = 16;

/// Structs that are written so deep inside of other constructs stay.
const MAX_DEPTH: usize = 32;

/// A field of a struct: what names the struct first, and the field's index.
type Var = (Value, u32);

/// Runs the pass.
pub fn run(func: &mut Func<'_>, scope: Scope<'_>) {
    let types = scope.types;
    let makes = |op: &Op<'_>| matches!(op, Op::Struct(StructOp::New(_) | StructOp::NewDefault(_)));
    if !func.insts.values().any(|inst| makes(&inst.op)) {
        return;
    }
    merges::run(func, scope);
    let names = Names::of(func);
    let found = Found::new(func, &names, types);
    if found.structs.is_empty() {
        return;
    }
    let vars = Vars::new(found.written.clone(), found.written);
    let mut pass = Replace { types, names, structs: found.structs, vars, replaced: SecondaryMap::new() };
    walk(func, &mut pass);
}

/// The types of the fields, if a struct of the type can be taken apart.
pub fn fields(types: &TypeTable, ty: TypeId) -> Option<Vec<ValType>> {
    let def = types.def(ty);
    let CompositeType::Struct(fields) = &def.sub.composite else { return None };
    let plain = |storage| match storage {
        StorageType::Val(ty) if !ty.as_ref().is_some_and(|ty| ty.is_func()) => Some(ty),
        _ => None,
    };
    let described = def.sub.descriptor.is_some() || def.sub.describes.is_some();
    if described || fields.len() > MAX_FIELDS {
        return None;
    }
    fields.iter().map(|field| plain(field.storage)).collect()
}

/// The type of what `struct.new` gives.
pub fn exactly(ty: TypeId) -> RefType {
    RefType { nullable: false, exact: true, heap: HeapType::Concrete(CompositeKind::Struct, ty) }
}

/// Whether a struct that was made as one of a type is of another.
pub fn is_of(types: &TypeTable, made: TypeId, to: RefType) -> bool {
    types.is_sub_ref(exactly(made), to)
}

/// What is to be taken apart, and what that needs.
#[derive(Default)]
struct Found {
    /// By the value that `struct.new` gives.
    structs: HashMap<Value, Vec<ValType>>,
    /// What constructs write, in the order in which they hand it over.
    written: HashMap<Inst, Vec<Var>>,
}

impl Found {
    fn new(func: &Func<'_>, names: &Names, types: &TypeTable) -> Found {
        let mut found = Found::default();
        let mut scan = Scan::default();
        let mut stack: Vec<(Region, Option<Inst>, usize)> = vec![(func.body, None, 0)];
        while let Some((region, owner, at)) = stack.pop() {
            let Some(&inst) = func.regions[region].insts.get(at) else { continue };
            stack.push((region, owner, at + 1));
            match (&func.insts[inst].op, func.args(inst)) {
                (Op::Struct(StructOp::New(ty) | StructOp::NewDefault(ty)), args) => {
                    scan.escape(names, args);
                    if let (Some(fields), Some(&value)) = (fields(types, *ty), func.results(inst).first()) {
                        found.structs.insert(value, fields);
                        scan.homes.insert(value, stack.len());
                        scan.made.insert(value, *ty);
                    }
                }
                (Op::Ref(RefOp::Refine | RefOp::AsNonNull | RefOp::IsNull | RefOp::Test(_)), _) => {}
                (Op::Ref(RefOp::Cast(to)), args) => scan.cast(names, types, args, *to),
                (Op::Struct(StructOp::Get { ty, .. }), args) => scan.access(names, types, args, *ty),
                (Op::Struct(StructOp::Set { ty, field }), &[object, value]) => {
                    scan.escape(names, &[value]);
                    scan.access(names, types, &[object], *ty);
                    let object = names.first(object);
                    if let Some(&home) = scan.homes.get(&object) {
                        let around = stack.get(home..).unwrap_or_default().iter().filter_map(|&(_, owner, _)| owner);
                        scan.sets.push(((object, *field), around.collect()));
                    }
                }
                (Op::BrTable { targets }, args) => {
                    scan.escape(names, args);
                    scan.tabled.extend(targets.iter().filter_map(|to| to.target));
                }
                (op, args) => {
                    scan.escape(names, args);
                    stack.extend(op.regions().rev().map(|nested| (nested, Some(inst), 0)));
                }
            }
        }
        found.choose(scan);
        found
    }

    /// Leaves out what can not be taken apart, and notes what constructs hand over.
    fn choose(&mut self, scan: Scan) {
        for ((object, _), around) in &scan.sets {
            if around.len() > MAX_DEPTH || around.iter().any(|construct| scan.tabled.contains(construct)) {
                self.structs.remove(object);
            }
        }
        self.structs.retain(|value, _| !scan.escaped.contains(value));
        for (var, around) in scan.sets {
            for construct in around.into_iter().filter(|_| self.structs.contains_key(&var.0)) {
                let vars = self.written.entry(construct).or_default();
                if !vars.contains(&var) {
                    vars.push(var);
                }
            }
        }
        let too_many: HashSet<Value> =
            self.written.values().filter(|vars| vars.len() > MAX_CARRIED).flatten().map(|var| var.0).collect();
        self.structs.retain(|value, _| !too_many.contains(value));
        self.written.values_mut().for_each(|vars| vars.retain(|var| !too_many.contains(&var.0)));
    }
}

/// What a walk over the function gathers.
#[derive(Default)]
struct Scan {
    /// References that go somewhere.
    escaped: HashSet<Value>,
    /// The type of each struct.
    made: HashMap<Value, TypeId>,
    /// How many regions are around each allocation, its own included.
    homes: HashMap<Value, usize>,
    /// Each write of a field, and the constructs around it that the allocation is not in.
    sets: Vec<(Var, Vec<Inst>)>,
    /// Constructs that a `br_table` leads to.
    tabled: HashSet<Inst>,
}

impl Scan {
    /// An access as to an object of a type. Where the struct is of no such type, control never comes.
    fn access(&mut self, names: &Names, types: &TypeTable, args: &[Value], ty: TypeId) {
        let object = args.first().map(|&value| names.first(value));
        let other = |object: &Value| self.made.get(object).is_some_and(|&made| !types.is_sub_id(made, ty));
        self.escaped.extend(object.filter(other));
    }

    /// A cast. One that fails stays.
    fn cast(&mut self, names: &Names, types: &TypeTable, args: &[Value], to: RefType) {
        let object = args.first().map(|&value| names.first(value));
        let fails = |object: &Value| self.made.get(object).is_some_and(|&made| !is_of(types, made, to));
        self.escaped.extend(object.filter(fails));
    }

    fn escape(&mut self, names: &Names, values: &[Value]) {
        self.escaped.extend(values.iter().map(|&value| names.first(value)));
    }
}

struct Replace<'t> {
    types: &'t TypeTable,
    names: Names,
    structs: HashMap<Value, Vec<ValType>>,
    vars: Vars<Var>,
    /// What is used in place of a value.
    replaced: SecondaryMap<Value, PackedOption<Value>>,
}

/// The type of a field of one of the structs.
fn ty(structs: &HashMap<Value, Vec<ValType>>, (object, field): Var) -> ValType {
    structs.get(&object).and_then(|fields| fields.get(field as usize)).copied().unwrap_or(ValType::I32)
}

impl<'a> Pass<'a> for Replace<'_> {
    fn inst(&mut self, func: &mut Func<'a>, inst: Inst, owner: Option<Inst>, out: &mut Vec<Inst>) -> bool {
        for arg in func.args_mut(inst) {
            *arg = self.replaced[*arg].expand().unwrap_or(*arg);
        }
        let object = func.args(inst).first().map(|&value| self.names.first(value));
        let object = object.filter(|object| self.structs.contains_key(object));
        match (&func.insts[inst].op, object) {
            (Op::Struct(StructOp::New(_) | StructOp::NewDefault(_)), _) => return self.make(func, inst, out),
            (&Op::Struct(StructOp::Get { field, .. }), Some(object)) => {
                if let (Some(value), Some(&result)) = (self.vars.get((object, field)), func.results(inst).first()) {
                    self.replaced[result] = value.into();
                }
                return false;
            }
            (&Op::Struct(StructOp::Set { field, .. }), Some(object)) => {
                let value = func.args(inst)[1];
                self.vars.set((object, field), value);
                return false;
            }
            (Op::Ref(RefOp::Refine | RefOp::AsNonNull | RefOp::Cast(_)), Some(_)) => return false,
            (&Op::Ref(op @ (RefOp::IsNull | RefOp::Test(_))), Some(object)) => {
                let value = i32::from(self.passes(func, object, op));
                func.insts[inst].op = Op::Core(Operator::I32Const { value });
                func.set_args(inst, &[]);
            }
            _ => self.vars.hand_over(func, inst, owner),
        }
        true
    }

    fn enter(&mut self, func: &mut Func<'a>, owner: Inst, _: usize) {
        self.vars.enter(func, owner, |var| ty(&self.structs, var));
    }

    fn leave(&mut self, _: &mut Func<'a>, _: Inst) {
        self.vars.leave();
    }

    fn close(&mut self, func: &mut Func<'a>, inst: Inst) {
        self.vars.close(func, inst, |var| ty(&self.structs, var));
    }
}

impl Replace<'_> {
    /// What a test of a struct that is taken apart gives.
    fn passes(&self, func: &Func<'_>, object: Value, test: RefOp) -> bool {
        let (RefOp::Test(to), Some(made)) = (test, func.def_inst(object)) else { return false };
        match func.insts[made].op {
            Op::Struct(StructOp::New(ty) | StructOp::NewDefault(ty)) => is_of(self.types, ty, to),
            _ => false,
        }
    }

    /// The fields of a new struct, if it is taken apart; whether the allocation stays.
    fn make(&mut self, func: &mut Func<'_>, inst: Inst, out: &mut Vec<Inst>) -> bool {
        let Some(&object) = func.results(inst).first() else { return true };
        let Some(fields) = self.structs.get(&object).cloned() else { return true };
        let args = func.args(inst).to_vec();
        for (index, ty) in (0u32..).zip(fields) {
            let value = match args.get(index as usize) {
                Some(&value) => value,
                None => default(func, inst, ty, out),
            };
            self.vars.set((object, index), value);
        }
        false
    }
}

/// What a field of a type holds at first.
fn default(func: &mut Func<'_>, at: Inst, ty: ValType, out: &mut Vec<Inst>) -> Value {
    let (op, ty) = match (ty, zero(ty)) {
        (ValType::Ref(r), _) => {
            (Op::Ref(RefOp::Null(r.heap.bottom())), ValType::Ref(RefType::new(true, r.heap.bottom())))
        }
        (ty, Some(zero)) => (Op::Core(zero), ty),
        (_, None) => (Op::Core(Operator::I32Const { value: 0 }), ValType::I32),
    };
    let inst = func.make_inst(op, &[], &[ty], func.insts[at].loc);
    out.push(inst);
    func.results(inst)[0]
}
