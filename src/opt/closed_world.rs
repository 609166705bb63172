//! What all functions of a module together say: which types have objects, and which functions a field may
//! hold.
//!
//! ```wat
//! (struct.new $circle_vt (ref.func $circle.area))   ;; a circle_vt is made here, with this function
//! (struct.set $shape $area (local.get $s) (local.get $f))   ;; a shape may hold anything
//! ```
//!
//! Of one function a [`Summary`] is made; those of all functions, and of the constant expressions, give the
//! [`World`]. It is *closed* if no reference can come in from outside, and none leaves with an exception: who has an object
//! may change it. Then no object and no function reference
//! exists that it does not know; else it only tells what is likely, and who uses it asks first.
//!
//! What this is not: a flow analysis. A function reference that is neither named where it is stored, nor null,
//! may be to any function.

use crate::ir::{ArrayOp, Callee, Func, GlobalOp, LikelyTargets, Op, RefOp, StructOp, Value};
use crate::types::{CompositeKind, CompositeType, HeapType, StorageType, TypeId, TypeTable};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

/// More targets than this are as good as unknown.
pub const MAX_TARGETS: usize = 4;

/// A field, by the type that the access names.
pub type FieldOf = (TypeId, u32);

/// What the sections of a module say.
pub struct Declared<'m> {
    /// Its types.
    pub types: &'m TypeTable,
    /// The type of each function.
    pub funcs: &'m [TypeId],
    /// For each global: the function that it always refers to.
    pub globals: &'m [Option<u32>],
    /// Whether no reference can come in from outside.
    pub closed: bool,
    /// Which targets calls have most.
    pub likely: &'m LikelyTargets,
    /// For each table that nothing changes once it is set up: where its functions are. Only looked for where `likely` is
    /// not empty.
    pub tables: &'m [Option<Places>],
}

/// Where each function is in a table: at most one place more than [`MAX_PLACES`].
pub type Places = HashMap<u32, Vec<u64>>;

/// A function that is in more places of a table is not looked for there.
pub const MAX_PLACES: usize = 2;

/// What a function reference may be to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// This function.
    Func(u32),
    /// What this field of an object holds; the value is the object.
    Field(FieldOf, Value),
    /// Anything, or null.
    Unknown,
}

/// Where a function reference comes from.
pub fn source(func: &Func<'_>, globals: &[Option<u32>], mut value: Value) -> Source {
    loop {
        let Some(inst) = func.def_inst(value) else { return Source::Unknown };
        match (&func.insts[inst].op, func.args(inst)) {
            (Op::Ref(RefOp::AsNonNull), &[of]) => value = of,
            (Op::Ref(RefOp::Func(index)), _) => return Source::Func(*index),
            (Op::Global(GlobalOp::Get(global)), _) => {
                let known = globals.get(*global as usize).copied().flatten();
                return known.map_or(Source::Unknown, Source::Func);
            }
            (Op::Struct(StructOp::Get { ty, field, .. }), &[object]) => return Source::Field((*ty, *field), object),
            _ => return Source::Unknown,
        }
    }
}

/// What one function does to the world.
#[derive(Default)]
pub struct Summary {
    /// Types of which it makes objects.
    made: Vec<TypeId>,
    /// What it puts into new objects; `None` for what is not known.
    put: Vec<(FieldOf, Option<u32>)>,
    /// The same for objects that are there.
    set: Vec<(FieldOf, Option<u32>)>,
    /// Fields that it calls.
    called: Vec<FieldOf>,
}

impl Summary {
    /// Of a function that is IR. One that is not has no objects.
    pub fn of(func: &Func<'_>, declared: &Declared<'_>) -> Summary {
        let mut out = Summary::default();
        for (inst, data) in &func.insts {
            let args = func.args(inst);
            match (&data.op, args.split_last()) {
                (Op::Struct(StructOp::New(ty)), _) => out.make(func, declared, *ty, Some(args)),
                (Op::Struct(StructOp::NewDesc(ty)), Some((_, fields))) => out.make(func, declared, *ty, Some(fields)),
                (Op::Struct(StructOp::NewDefault(ty) | StructOp::NewDefaultDesc(ty)), _) => {
                    out.make(func, declared, *ty, None);
                }
                (Op::Struct(StructOp::Set { ty, field }), Some((&value, _)))
                    if holds_func(declared.types, (*ty, *field)) =>
                {
                    out.set.push(((*ty, *field), named(func, declared, value)));
                }
                (Op::Array(op), _) => out.made.extend(array_made(*op)),
                (Op::Call(Callee::Ref { .. }) | Op::ReturnCall(Callee::Ref { .. }), Some((&target, _))) => {
                    if let Source::Field(field, _) = source(func, declared.globals, target) {
                        out.called.push(field);
                    }
                }
                _ => {}
            }
        }
        out.made.sort_unstable();
        out.made.dedup();
        out
    }

    fn make(&mut self, func: &Func<'_>, declared: &Declared<'_>, ty: TypeId, fields: Option<&[Value]>) {
        self.made.push(ty);
        let CompositeType::Struct(types) = &declared.types.def(ty).sub.composite else { return };
        for index in (0..types.len() as u32).filter(|&index| holds_func(declared.types, (ty, index))) {
            let value = fields.and_then(|fields| fields.get(index as usize).copied());
            self.put.push(((ty, index), value.and_then(|value| named(func, declared, value))));
        }
    }
}

fn named(func: &Func<'_>, declared: &Declared<'_>, value: Value) -> Option<u32> {
    match source(func, declared.globals, value) {
        Source::Func(index) => Some(index),
        _ => None,
    }
}

fn array_made(op: ArrayOp) -> Option<TypeId> {
    match op {
        ArrayOp::New(ty)
        | ArrayOp::NewDefault(ty)
        | ArrayOp::NewFixed(ty)
        | ArrayOp::NewData { ty, .. }
        | ArrayOp::NewElem { ty, .. } => Some(ty),
        _ => None,
    }
}

/// Whether a type has such a field, and it holds function references.
fn holds_func(types: &TypeTable, (ty, field): FieldOf) -> bool {
    match &types.def(ty).sub.composite {
        CompositeType::Struct(fields) => fields.get(field as usize).is_some_and(
            |field| matches!(field.storage, StorageType::Val(ty) if ty.as_ref().is_some_and(|ty| ty.is_func())),
        ),
        _ => false,
    }
}

/// What a field may hold.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Targets {
    /// The functions, in order of text, and at most one more than [`MAX_TARGETS`].
    pub funcs: Vec<u32>,
    /// The types of the objects and the one function that each holds, as long as it is one; and at most one
    /// more than [`MAX_TARGETS`].
    pub types: Vec<(TypeId, u32)>,
    /// Whether it may hold something else too, or the types do not tell.
    pub other: bool,
}

impl Targets {
    fn add(&mut self, ty: TypeId, func: Option<u32>) {
        let Some(func) = func else {
            self.other = true;
            return;
        };
        if !self.funcs.contains(&func) && self.funcs.len() <= MAX_TARGETS {
            self.funcs.push(func);
        }
        if !self.types.contains(&(ty, func)) && self.types.len() <= MAX_TARGETS {
            self.types.push((ty, func));
        }
    }

    /// Whether the exact type of the object tells the function.
    pub fn told_by_type(&self) -> bool {
        let distinct = |(n, row): (usize, &(TypeId, u32))| self.types[..n].iter().all(|other| other.0 != row.0);
        !self.other && self.types.len() <= MAX_TARGETS && self.types.iter().enumerate().all(distinct)
    }
}

/// How many types below a type have objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Below {
    One(TypeId),
    More,
}

/// What all functions of a module say.
#[derive(Default)]
pub struct World {
    /// Whether nothing else exists.
    pub closed: bool,
    targets: HashMap<FieldOf, Targets>,
    below: HashMap<TypeId, Below>,
}

impl World {
    /// Puts summaries together.
    pub fn new(declared: &Declared<'_>, summaries: &[Summary]) -> World {
        let mut world = World { closed: declared.closed, ..World::default() };
        let types = declared.types;
        let called: HashSet<FieldOf> = summaries.iter().flat_map(|s| s.called.iter().copied()).collect();
        let mut seen = HashSet::new();
        let made = summaries.iter().flat_map(|s| s.made.iter().copied()).filter(|&ty| seen.insert(ty));
        for ty in made {
            for &above in types.def(ty).display.iter() {
                world.below.entry(above).and_modify(|below| *below = Below::More).or_insert(Below::One(ty));
            }
        }
        for &((ty, field), func) in summaries.iter().flat_map(|s| &s.put) {
            for key in types.def(ty).display.iter().map(|&above| (above, field)).filter(|key| called.contains(key)) {
                world.targets.entry(key).or_default().add(ty, func);
            }
        }
        world.add_set(types, &called, summaries);
        world
    }

    /// What is stored in objects that are there. Of those only a supertype is known, so it counts for every type
    /// that has the field.
    fn add_set(&mut self, types: &TypeTable, called: &HashSet<FieldOf>, summaries: &[Summary]) {
        let topmost = |(ty, field): FieldOf| {
            let top = types.def(ty).display.iter().copied().find(|&above| holds_func(types, (above, field)));
            (top.unwrap_or(ty), field)
        };
        let mut set: HashMap<FieldOf, Targets> = HashMap::new();
        for &(field, func) in summaries.iter().flat_map(|s| &s.set) {
            set.entry(topmost(field)).or_default().add(field.0, func);
        }
        if set.is_empty() {
            return;
        }
        for &field in called {
            if let Some(set) = set.get(&topmost(field)) {
                let targets = self.targets.entry(field).or_default();
                set.types.iter().for_each(|&(ty, func)| targets.add(ty, Some(func)));
                targets.other = true;
            }
        }
    }

    /// What a field may hold that some function calls.
    pub fn targets(&self, field: FieldOf) -> Option<&Targets> {
        self.targets.get(&field)
    }

    /// The only type whose objects are of a type, if there is but one.
    pub fn sole(&self, heap: HeapType) -> Option<TypeId> {
        match heap {
            HeapType::Concrete(CompositeKind::Struct | CompositeKind::Array, id) if self.closed => {
                match self.below.get(&id)? {
                    Below::One(ty) => Some(*ty),
                    Below::More => None,
                }
            }
            _ => None,
        }
    }
}
