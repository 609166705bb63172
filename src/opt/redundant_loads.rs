//! Fields, elements, lengths and globals that a dominating instruction has read or written.
//!
//! ```text
//! before                                  after
//!   v1 = struct.get $t 0 v0                 v1 = struct.get $t 0 v0
//!   struct.set $t 1 v0 v2                   struct.set $t 1 v0 v2
//!   v3 = struct.get $t 0 v0                 use v1, v2
//!   v4 = struct.get $t 1 v0
//!   use v3, v4
//! ```
//!
//! Obligations:
//!
//! - The earlier access dominates, so its value is visible; it went through the same reference, so
//!   the later one would not have trapped for null; the same index, so not out of bounds either.
//! - Immutable fields, elements of immutable arrays, and lengths never change.
//! - A mutable field's value holds until something may write a field of the same *class*. The class of
//!   a field is the topmost supertype that has it, and its index: objects whose types are not related
//!   have no field in common. Calls may write anything; allocation writes nothing.
//! - A global holds its value until it is written, by its index or by a call. Imported globals that can be
//!   written may be one and the same, so they are one class. Only those count whose cell is in the heap: the
//!   engine can not tell it from a field.
//! - A loop may write, before its start is reached again, whatever is written anywhere in it.
//! - What a packed field gives is not what was stored, so stores to those forward nothing. Function
//!   references are left alone: lowering fuses their load with the call.

use super::facts::Aliases;
use super::loop_globals::Carried;
use super::scope::{GlobalKind, Scope};
use super::type_flow::constant;
use super::walk::{Pass, walk};
use crate::ir::{ArrayOp, Func, GlobalOp, Inst, Op, Sign, StructOp, Value, effects, loops};
use crate::types::{CompositeType, FieldType, StorageType, TypeId, TypeTable, ValType};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use std::collections::HashMap;

/// A loop that writes more classes than this is taken to write all.
const MAX_CLASSES: usize = 16;

/// Runs the pass. `carried`: which globals parameters of loops hold.
pub fn run(func: &mut Func<'_>, scope: Scope<'_>, carried: Carried) {
    let writes = loop_writes(func, scope);
    let mut pass = Loads {
        scope,
        types: scope.types,
        writes,
        carried,
        aliases: Aliases::default(),
        replaced: SecondaryMap::new(),
        known: HashMap::new(),
        trail: Vec::new(),
        marks: Vec::new(),
        written: HashMap::new(),
        everything: 0,
    };
    walk(func, &mut pass);
}

/// What may be the same place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Class {
    /// The topmost type that has a field, and its index.
    Field(TypeId, u32),
    /// A global of this module.
    Global(u32),
    /// Globals that are imported.
    Imported,
}

/// What is read of an object, or of none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Field(Class, Sign),
    Global(Class, u32),
    /// Of an immutable array.
    Elem(Index, Sign),
    Length,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Index {
    Constant(i32),
    Value(Value),
}

/// What a loop writes.
#[derive(Clone, Default)]
struct Writes {
    everything: bool,
    classes: Vec<Class>,
}

impl Writes {
    fn add(&mut self, class: Class) {
        if !self.everything && !self.classes.contains(&class) {
            self.classes.push(class);
            self.everything = self.classes.len() > MAX_CLASSES;
        }
    }

    fn add_all(&mut self, other: &Writes) {
        self.everything |= other.everything;
        other.classes.iter().for_each(|&class| self.add(class));
    }
}

/// What an instruction writes.
fn writes(op: &Op<'_>, scope: Scope<'_>) -> Writes {
    match op {
        Op::Struct(StructOp::Set { ty, field }) => {
            Writes { everything: false, classes: vec![class(scope.types, *ty, *field)] }
        }
        Op::Global(GlobalOp::Set(global)) => {
            Writes { everything: false, classes: global_class(scope, *global).into_iter().collect() }
        }
        // Elements of mutable arrays are not tracked.
        Op::Array(_) => Writes::default(),
        op => Writes { everything: effects(op).writes_heap, classes: Vec::new() },
    }
}

fn loop_writes(func: &Func<'_>, scope: Scope<'_>) -> HashMap<Inst, Writes> {
    let mut found = HashMap::new();
    let visit = |around: &mut Writes, inst| around.add_all(&writes(&func.insts[inst].op, scope));
    loops::gather(func, visit, |inst, inner, outer| {
        outer.add_all(&inner);
        found.insert(inst, inner);
    });
    found
}

fn field(types: &TypeTable, ty: TypeId, field: u32) -> Option<FieldType> {
    match &types.def(ty).sub.composite {
        CompositeType::Struct(fields) => fields.get(field as usize).copied(),
        _ => None,
    }
}

fn class(types: &TypeTable, ty: TypeId, index: u32) -> Class {
    let display = &types.def(ty).display;
    let top = display.iter().copied().find(|&ancestor| field(types, ancestor, index).is_some());
    Class::Field(top.unwrap_or(ty), index)
}

/// The class of a global, if what it holds is tracked.
fn global_class(scope: Scope<'_>, index: u32) -> Option<Class> {
    match scope.global(index) {
        GlobalKind::Native => None,
        GlobalKind::Constant | GlobalKind::Own => Some(Class::Global(index)),
        GlobalKind::Imported => Some(Class::Imported),
    }
}

/// Whether values that are read from here are tracked.
fn tracked(storage: StorageType) -> bool {
    !matches!(storage, StorageType::Val(ValType::Ref(r)) if r.is_func())
}

/// A value that a place is known to hold, and how often the place's class had been written.
#[derive(Clone, Copy)]
struct Known {
    value: Value,
    /// `None`: it never changes.
    time: Option<(u32, u32)>,
}

/// An object, unless the place is in none, and a place.
type Key = (Option<Value>, Place);

struct Loads<'t> {
    scope: Scope<'t>,
    types: &'t TypeTable,
    writes: HashMap<Inst, Writes>,
    carried: Carried,
    aliases: Aliases,
    /// What is used in place of a value.
    replaced: SecondaryMap<Value, PackedOption<Value>>,
    known: HashMap<Key, Known>,
    /// Changes of `known`, with what was there before.
    trail: Vec<(Key, Option<Known>)>,
    marks: Vec<usize>,
    /// How often each class was written, and everything.
    written: HashMap<Class, u32>,
    everything: u32,
}

impl<'a> Pass<'a> for Loads<'_> {
    fn inst(&mut self, func: &mut Func<'a>, inst: Inst, _: Option<Inst>, _: &mut Vec<Inst>) -> bool {
        for arg in func.args_mut(inst) {
            *arg = self.replaced[*arg].expand().unwrap_or(*arg);
        }
        self.aliases.define(func, inst);
        if let Some(writes) = self.writes.get(&inst).cloned() {
            self.write(&writes);
            return true;
        }
        match func.insts[inst].op {
            Op::Struct(op) => self.strukt(func, inst, op),
            Op::Array(op) => self.array(func, inst, op),
            Op::Global(op) => self.global(func, inst, op),
            ref op => {
                let writes = writes(op, self.scope);
                self.write(&writes);
                true
            }
        }
    }

    fn enter(&mut self, _: &mut Func<'a>, owner: Inst, _: usize) {
        self.marks.push(self.trail.len());
        for (global, param) in self.carried.remove(&owner).unwrap_or_default() {
            if let Some(class) = global_class(self.scope, global) {
                self.learn(None, Place::Global(class, global), param, true);
            }
        }
    }

    fn leave(&mut self, _: &mut Func<'a>, _: Inst) {
        let mark = self.marks.pop().unwrap_or(0);
        while self.trail.len() > mark {
            match self.trail.pop() {
                Some((key, Some(before))) => drop(self.known.insert(key, before)),
                Some((key, None)) => drop(self.known.remove(&key)),
                None => {}
            }
        }
    }

    fn close(&mut self, _: &mut Func<'a>, _: Inst) {}
}

impl Loads<'_> {
    fn write(&mut self, writes: &Writes) {
        if writes.everything {
            self.everything += 1;
        }
        for &class in &writes.classes {
            *self.written.entry(class).or_default() += 1;
        }
    }

    fn now(&self, place: Place) -> (u32, u32) {
        let class = match place {
            Place::Field(class, _) | Place::Global(class, _) => self.written.get(&class).copied().unwrap_or(0),
            Place::Elem(..) | Place::Length => 0,
        };
        (self.everything, class)
    }

    fn learn(&mut self, object: impl Into<Option<Value>>, place: Place, value: Value, mutable: bool) {
        let key = (object.into().map(|object| self.aliases.root(object)), place);
        let time = mutable.then(|| self.now(place));
        let before = self.known.insert(key, Known { value, time });
        self.trail.push((key, before));
    }

    /// Replaces a read whose value is known. Whether the read stays.
    fn read(
        &mut self,
        func: &Func<'_>,
        inst: Inst,
        object: impl Into<Option<Value>>,
        place: Place,
        mutable: bool,
    ) -> bool {
        let Some(&result) = func.results(inst).first() else { return true };
        let object: Option<Value> = object.into();
        match self.known.get(&(object.map(|object| self.aliases.root(object)), place)) {
            Some(known) if known.time.is_none_or(|time| time == self.now(place)) => {
                self.replaced[result] = known.value.into();
                false
            }
            _ => {
                self.learn(object, place, result, mutable);
                true
            }
        }
    }

    fn strukt(&mut self, func: &Func<'_>, inst: Inst, op: StructOp) -> bool {
        let args = func.args(inst);
        match (op, args) {
            (StructOp::Get { ty, field: index, sign }, &[object]) => {
                let Some(field) = field(self.types, ty, index).filter(|f| tracked(f.storage)) else { return true };
                let place = Place::Field(class(self.types, ty, index), sign);
                self.read(func, inst, object, place, field.mutable)
            }
            (StructOp::Set { ty, field: index }, &[object, value]) => {
                let class = class(self.types, ty, index);
                self.write(&Writes { everything: false, classes: vec![class] });
                self.stored(object, ty, index, value);
                true
            }
            (StructOp::New(ty), values) => {
                let Some(&object) = func.results(inst).first() else { return true };
                for (index, &value) in (0..).zip(values) {
                    self.stored(object, ty, index, value);
                }
                true
            }
            _ => true,
        }
    }

    /// A field was given a value.
    fn stored(&mut self, object: Value, ty: TypeId, index: u32, value: Value) {
        if let Some(field) = field(self.types, ty, index)
            && matches!(field.storage, StorageType::Val(_))
            && tracked(field.storage)
        {
            let place = Place::Field(class(self.types, ty, index), Sign::None);
            self.learn(object, place, value, field.mutable);
        }
    }

    fn global(&mut self, func: &Func<'_>, inst: Inst, op: GlobalOp) -> bool {
        let (GlobalOp::Get(index) | GlobalOp::Set(index)) = op;
        let Some(class) = global_class(self.scope, index) else { return true };
        let place = Place::Global(class, index);
        match (op, func.args(inst)) {
            (GlobalOp::Get(_), _) => {
                let mutable = self.scope.global(index) != GlobalKind::Constant;
                self.read(func, inst, None, place, mutable)
            }
            (GlobalOp::Set(_), &[value]) => {
                self.write(&Writes { everything: false, classes: vec![class] });
                self.learn(None, place, value, true);
                true
            }
            _ => true,
        }
    }

    fn array(&mut self, func: &Func<'_>, inst: Inst, op: ArrayOp) -> bool {
        let args = func.args(inst);
        match (op, args) {
            (ArrayOp::Len, &[object]) => self.read(func, inst, object, Place::Length, false),
            (ArrayOp::Get { ty, sign }, &[object, index]) => match self.types.def(ty).sub.composite {
                CompositeType::Array(elem) if !elem.mutable && tracked(elem.storage) => {
                    let index = constant(func, index).map_or(Index::Value(index), Index::Constant);
                    self.read(func, inst, object, Place::Elem(index, sign), false)
                }
                _ => true,
            },
            (ArrayOp::New(_), &[_, length]) | (ArrayOp::NewDefault(_), &[length]) => {
                if let Some(&object) = func.results(inst).first() {
                    self.learn(object, Place::Length, length, false);
                }
                true
            }
            _ => true,
        }
    }
}
