//! Fields, elements, lengths, globals and tables that a dominating instruction has read or written.
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
//! - Immutable fields, fields that the module never writes, elements of immutable arrays, and lengths never change.
//! - What a mutable field, an element or a table holds stays there until something may write the same class (`writes.rs`).
//! - A global holds its value until it is written, by its index or by a call. Only those count whose cell is in
//!   the heap: the engine can not tell it from a field.
//! - A loop may write, before its start is reached again, whatever is written anywhere in it.
//! - What a packed field gives is not what was stored, so stores to those forward nothing. Function
//!   references are left alone: lowering fuses their load with the call.

use super::facts::Aliases;
use super::loop_globals::Carried;
use super::scope::{GlobalKind, Scope};
use super::type_flow::constant;
use super::walk::{Pass, walk};
use super::writes::{Class, Writes, elements_class, field, field_class, global_class, loop_writes, writes};
use crate::ir::{ArrayOp, Func, GlobalOp, Inst, Op, Sign, StructOp, TableOp, Value};
use crate::types::{CompositeType, FieldType, StorageType, TypeId, TypeTable, ValType};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use foldhash::{HashMap, HashMapExt};

/// Of so many elements of a new array it is known what they hold.
const MAX_ELEMENTS: i32 = 64;

/// Runs the pass. `carried`: which globals parameters of loops hold.
pub fn run(func: &mut Func<'_>, scope: Scope<'_>, carried: Carried) {
    let writes = loop_writes(func, scope);
    let mut pass = Loads {
        scope,
        types: scope.types,
        writes,
        carried,
        aliases: Aliases::of(func),
        replaced: func.per_value(),
        known: HashMap::new(),
        trail: Vec::new(),
        marks: Vec::new(),
        written: HashMap::new(),
        everything: 0,
    };
    walk(func, &mut pass);
}

/// What is read of an object, or of none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Field(Class, Sign),
    Global(Class, u32),
    Elem(Class, Index, Sign),
    Length,
    /// Of a table, which is no object.
    Cell(u32, Index),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Index {
    Constant(i32),
    Value(Value),
}

impl Index {
    fn of(func: &Func<'_>, index: Value) -> Index {
        constant(func, index).map_or(Index::Value(index), Index::Constant)
    }
}

/// Whether values that are read from here are tracked.
pub fn tracked(storage: StorageType) -> bool {
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
            Op::Table(op) => self.table(func, inst, op),
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
            Place::Field(class, _) | Place::Global(class, _) | Place::Elem(class, ..) => class,
            Place::Cell(..) => Class::Tables,
            // Never asked: lengths do not change.
            Place::Length => return (0, 0),
        };
        (self.everything, self.written.get(&class).copied().unwrap_or(0))
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
                if field(self.types, ty, index).is_none_or(|field| !tracked(field.storage)) {
                    return true;
                }
                let place = Place::Field(field_class(self.types, ty, index), sign);
                self.read(func, inst, object, place, !self.scope.is_constant(ty, index))
            }
            (StructOp::Set { ty, field: index }, &[object, value]) => {
                let class = field_class(self.types, ty, index);
                self.write(&Writes::one(class));
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
            let place = Place::Field(field_class(self.types, ty, index), Sign::None);
            self.learn(object, place, value, !self.scope.is_constant(ty, index));
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
                self.write(&Writes::one(class));
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
            (ArrayOp::Get { ty, sign }, &[object, index]) => {
                let (Some(elem), class) = (self.element(ty), elements_class(self.types, ty)) else { return true };
                self.read(func, inst, object, Place::Elem(class, Index::of(func, index), sign), elem.mutable)
            }
            (ArrayOp::Set(ty), &[object, index, value]) => {
                let class = elements_class(self.types, ty);
                self.write(&Writes::one(class));
                self.put(object, ty, Index::of(func, index), value);
                true
            }
            (ArrayOp::NewFixed(ty), values) => {
                let Some(&object) = func.results(inst).first() else { return true };
                for (index, &value) in (0..MAX_ELEMENTS).zip(values) {
                    self.put(object, ty, Index::Constant(index), value);
                }
                true
            }
            (ArrayOp::New(_), &[_, length]) | (ArrayOp::NewDefault(_), &[length]) => {
                if let Some(&object) = func.results(inst).first() {
                    self.learn(object, Place::Length, length, false);
                }
                true
            }
            _ => {
                let writes = writes(&Op::Array(op), self.scope);
                self.write(&writes);
                true
            }
        }
    }

    /// The type of an array's elements, if what they hold is tracked.
    fn element(&self, ty: TypeId) -> Option<FieldType> {
        match self.types.def(ty).sub.composite {
            CompositeType::Array(elem) if tracked(elem.storage) => Some(elem),
            _ => None,
        }
    }

    /// An element was given a value.
    fn put(&mut self, object: Value, ty: TypeId, index: Index, value: Value) {
        if let Some(elem) = self.element(ty).filter(|elem| matches!(elem.storage, StorageType::Val(_))) {
            let place = Place::Elem(elements_class(self.types, ty), index, Sign::None);
            self.learn(object, place, value, elem.mutable);
        }
    }

    fn table(&mut self, func: &Func<'_>, inst: Inst, op: TableOp) -> bool {
        match (op, func.args(inst)) {
            (TableOp::Get(table), &[index]) => match func.results(inst) {
                &[result] if func.ty(result).is_gc_ref() => {
                    self.read(func, inst, None, Place::Cell(table, Index::of(func, index)), true)
                }
                _ => true,
            },
            (TableOp::Set(table), &[index, value]) => {
                self.write(&Writes::one(Class::Tables));
                if func.ty(value).is_gc_ref() {
                    self.learn(None, Place::Cell(table, Index::of(func, index)), value, true);
                }
                true
            }
            _ => {
                let writes = writes(&Op::Table(op), self.scope);
                self.write(&writes);
                true
            }
        }
    }
}
