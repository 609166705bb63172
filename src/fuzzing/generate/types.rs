//! Random types: recursion groups of structs, arrays and functions, with subtyping.
//!
//! Every type has a value that is built from values of types before it, in a bounded number of steps:
//! a field that is not null refers to an earlier type that is cheap to build. So a generator always has
//! a way out.

use super::source::Source;
use std::fmt::{self, Display, Write};

/// A heap type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heap {
    Any,
    Eq,
    I31,
    Struct,
    Array,
    None,
    Func,
    NoFunc,
    Extern,
    NoExtern,
    Exn,
    NoExn,
    /// A defined type.
    Type(usize),
}

/// A reference type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ref {
    pub null: bool,
    pub heap: Heap,
}

/// A value type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Val {
    I32,
    I64,
    F32,
    F64,
    V128,
    Ref(Ref),
}

/// A storage type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Storage {
    I8,
    I16,
    Val(Val),
}

/// A field, or the element of an array.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    pub storage: Storage,
    pub mutable: bool,
}

/// What a type defines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Composite {
    Struct(Vec<Field>),
    Array(Field),
    Func { params: Vec<Val>, results: Vec<Val> },
}

/// A defined type.
#[derive(Clone, Debug)]
pub struct Type {
    pub composite: Composite,
    pub supertype: Option<usize>,
    pub is_final: bool,
    /// Objects that its smallest value consists of.
    cost: usize,
}

/// All types of a module, in recursion groups.
#[derive(Default)]
pub struct Types {
    pub all: Vec<Type>,
    /// First type of each group.
    groups: Vec<usize>,
    /// Whether `exn` and `noexn` are among the abstract types.
    exnref: bool,
}

/// Fields that are not null refer to types whose smallest value has at most so many objects.
const CHEAP: usize = 6;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Struct,
    Array,
    Func,
}

pub const fn nullable(heap: Heap) -> Ref {
    Ref { null: true, heap }
}

pub const fn non_null(heap: Heap) -> Ref {
    Ref { null: false, heap }
}

impl Storage {
    /// The type of its value on the stack.
    pub fn unpacked(self) -> Val {
        match self {
            Storage::I8 | Storage::I16 => Val::I32,
            Storage::Val(val) => val,
        }
    }
}

impl Val {
    /// Whether it has a default.
    pub fn is_defaultable(self) -> bool {
        !matches!(self, Val::Ref(Ref { null: false, .. }))
    }
}

impl Types {
    /// Random types, in at most so many groups.
    pub fn generate(s: &mut Source<'_>, exnref: bool, most: usize) -> Types {
        let mut types = Types { exnref, ..Types::default() };
        for _ in 0..s.between(1, most) {
            types.group(s);
        }
        if s.chance(25) {
            types.repeat_group(s);
        }
        types
    }

    fn group(&mut self, s: &mut Source<'_>) {
        let start = self.all.len();
        let kinds: Vec<Kind> =
            (0..s.between(1, 4)).map(|_| s.weighted(&[(5, Kind::Struct), (3, Kind::Array), (2, Kind::Func)])).collect();
        self.groups.push(start);
        for &kind in &kinds {
            let ty = self.define(s, kind, start, &kinds);
            self.all.push(ty);
        }
    }

    /// Another group of the same types: the same canonical types, if the original refers to no later group.
    fn repeat_group(&mut self, s: &mut Source<'_>) {
        let n = s.below(self.groups.len());
        let from = self.groups[n];
        let to = self.groups.get(n + 1).copied().unwrap_or(self.all.len());
        let start = self.all.len();
        let shift = |t: usize| if t >= from { t - from + start } else { t };
        self.groups.push(start);
        for at in from..to {
            let mut ty = self.all[at].clone();
            ty.supertype = ty.supertype.map(shift);
            ty.composite.each_val(&mut |val| {
                if let Val::Ref(Ref { heap: Heap::Type(t), .. }) = val {
                    *t = shift(*t);
                }
            });
            self.all.push(ty);
        }
    }

    fn define(&self, s: &mut Source<'_>, kind: Kind, start: usize, kinds: &[Kind]) -> Type {
        let supertypes: Vec<usize> =
            (0..self.all.len()).filter(|&t| self.kind(t) == kind && !self.all[t].is_final).collect();
        let supertype = if s.chance(65) { s.pick(&supertypes) } else { None };
        let composite = match supertype {
            Some(supertype) => self.refine(s, &self.all[supertype].composite, start, kinds),
            None => self.fresh(s, kind, start, kinds),
        };
        let cost = match &composite {
            Composite::Struct(fields) => 1 + fields.iter().map(|f| self.field_cost(*f)).sum::<usize>(),
            Composite::Array(_) => 1,
            Composite::Func { .. } => 0,
        };
        Type { composite, supertype, is_final: s.chance(15), cost }
    }

    fn fresh(&self, s: &mut Source<'_>, kind: Kind, start: usize, kinds: &[Kind]) -> Composite {
        match kind {
            Kind::Struct => Composite::Struct((0..s.below(6)).map(|_| self.field(s, start, kinds)).collect()),
            Kind::Array => Composite::Array(self.field(s, start, kinds)),
            Kind::Func => Composite::Func {
                params: (0..s.below(4)).map(|_| self.val(s, start, kinds)).collect(),
                results: (0..s.weighted(&[(5, 1), (2, 0), (2, 2)])).map(|_| self.val(s, start, kinds)).collect(),
            },
        }
    }

    /// A composite type that may be declared a subtype.
    fn refine(&self, s: &mut Source<'_>, of: &Composite, start: usize, kinds: &[Kind]) -> Composite {
        match of {
            Composite::Struct(fields) => {
                let mut fields: Vec<Field> = fields.iter().map(|field| self.refine_field(s, *field)).collect();
                fields.extend((0..s.below(3)).map(|_| self.field(s, start, kinds)));
                Composite::Struct(fields)
            }
            Composite::Array(element) => Composite::Array(self.refine_field(s, *element)),
            Composite::Func { params, results } => Composite::Func {
                params: params.clone(),
                results: results.iter().map(|result| self.refine_val(s, *result)).collect(),
            },
        }
    }

    fn refine_field(&self, s: &mut Source<'_>, field: Field) -> Field {
        match field.storage {
            Storage::Val(val) if !field.mutable => {
                Field { storage: Storage::Val(self.refine_val(s, val)), mutable: false }
            }
            _ => field,
        }
    }

    fn refine_val(&self, s: &mut Source<'_>, val: Val) -> Val {
        let Val::Ref(r) = val else { return val };
        if !s.chance(50) {
            return val;
        }
        let below = self.cheap_subtypes(r.heap);
        let heap = s.pick(&below).unwrap_or(r.heap);
        let can_be_non_null = matches!(heap, Heap::Any | Heap::Eq | Heap::I31) || below.contains(&heap);
        Val::Ref(Ref { null: r.null && !(can_be_non_null && s.chance(50)), heap })
    }

    /// The defined subtypes that a field may hold and not be null.
    fn cheap_subtypes(&self, heap: Heap) -> Vec<Heap> {
        let all = (0..self.all.len()).filter(|&t| self.all[t].cost <= CHEAP).map(Heap::Type);
        all.filter(|&t| self.heap_matches(t, heap)).collect()
    }

    fn field(&self, s: &mut Source<'_>, start: usize, kinds: &[Kind]) -> Field {
        let storage = match s.below(8) {
            0 => Storage::I8,
            1 => Storage::I16,
            _ => Storage::Val(self.val(s, start, kinds)),
        };
        Field { storage, mutable: s.chance(70) }
    }

    /// A value type that may refer to the types of the group at `start`, which has these kinds.
    fn val(&self, s: &mut Source<'_>, start: usize, kinds: &[Kind]) -> Val {
        let number = s.weighted(&[
            (5, None),
            (3, Some(Val::I32)),
            (2, Some(Val::I64)),
            (1, Some(Val::F32)),
            (1, Some(Val::F64)),
        ]);
        if let Some(number) = number {
            return if s.chance(8) { Val::V128 } else { number };
        }
        if s.chance(40) {
            return Val::Ref(Ref { null: true, heap: self.abstract_heap(s) });
        }
        if s.chance(25) {
            let cheap: Vec<usize> = (0..self.all.len()).filter(|&t| self.all[t].cost <= CHEAP).collect();
            let heap = s.pick(&cheap).map_or(Heap::I31, Heap::Type);
            return Val::Ref(non_null(heap));
        }
        Val::Ref(nullable(Heap::Type(s.below(start + kinds.len()))))
    }

    fn field_cost(&self, field: Field) -> usize {
        match field.storage {
            Storage::Val(Val::Ref(Ref { null: false, heap: Heap::Type(t) })) => self.all[t].cost,
            _ => 0,
        }
    }

    fn kind(&self, t: usize) -> Kind {
        match self.all[t].composite {
            Composite::Struct(_) => Kind::Struct,
            Composite::Array(_) => Kind::Array,
            Composite::Func { .. } => Kind::Func,
        }
    }

    pub fn structs(&self) -> impl Iterator<Item = (usize, &[Field])> {
        self.all.iter().enumerate().filter_map(|(t, ty)| match &ty.composite {
            Composite::Struct(fields) => Some((t, fields.as_slice())),
            _ => None,
        })
    }

    pub fn arrays(&self) -> impl Iterator<Item = (usize, Field)> {
        self.all.iter().enumerate().filter_map(|(t, ty)| match &ty.composite {
            Composite::Array(element) => Some((t, *element)),
            _ => None,
        })
    }

    pub fn funcs(&self) -> impl Iterator<Item = (usize, &[Val], &[Val])> {
        self.all.iter().enumerate().filter_map(|(t, ty)| match &ty.composite {
            Composite::Func { params, results } => Some((t, params.as_slice(), results.as_slice())),
            _ => None,
        })
    }

    /// The top of a heap type's hierarchy.
    pub fn top(&self, heap: Heap) -> Heap {
        match heap {
            Heap::Func | Heap::NoFunc => Heap::Func,
            Heap::Extern | Heap::NoExtern => Heap::Extern,
            Heap::Exn | Heap::NoExn => Heap::Exn,
            Heap::Type(t) if self.kind(t) == Kind::Func => Heap::Func,
            _ => Heap::Any,
        }
    }

    /// Whether a heap type is known to match another. Knows nothing of repeated groups.
    pub fn heap_matches(&self, sub: Heap, sup: Heap) -> bool {
        if sub == sup {
            return true;
        }
        match (sub, sup) {
            (Heap::None, _) => self.top(sup) == Heap::Any,
            (Heap::NoFunc, _) => self.top(sup) == Heap::Func,
            (Heap::NoExtern, Heap::Extern) | (Heap::NoExn, Heap::Exn) => true,
            (Heap::I31 | Heap::Struct | Heap::Array, Heap::Eq | Heap::Any) | (Heap::Eq, Heap::Any) => true,
            (Heap::Type(t), Heap::Type(_)) => {
                self.all[t].supertype.is_some_and(|t| self.heap_matches(Heap::Type(t), sup))
            }
            (Heap::Type(t), Heap::Struct) => self.kind(t) == Kind::Struct,
            (Heap::Type(t), Heap::Array) => self.kind(t) == Kind::Array,
            (Heap::Type(t), Heap::Func) => self.kind(t) == Kind::Func,
            (Heap::Type(t), Heap::Eq | Heap::Any) => self.kind(t) != Kind::Func,
            _ => false,
        }
    }

    /// Whether a value type is known to match another.
    pub fn matches(&self, sub: Val, sup: Val) -> bool {
        match (sub, sup) {
            (Val::Ref(sub), Val::Ref(sup)) => (sup.null || !sub.null) && self.heap_matches(sub.heap, sup.heap),
            _ => sub == sup,
        }
    }

    /// A reference type of the same hierarchy to test or cast to, with its heap type anywhere below the top.
    pub fn related(&self, s: &mut Source<'_>, r: Ref) -> Ref {
        let top = self.top(r.heap);
        let mut all: Vec<Heap> = match top {
            Heap::Func => vec![Heap::Func, Heap::NoFunc],
            Heap::Extern => vec![Heap::Extern, Heap::NoExtern],
            Heap::Exn => vec![Heap::Exn, Heap::NoExn],
            _ => vec![Heap::I31, Heap::Eq, Heap::Struct, Heap::Array, Heap::None, Heap::Any],
        };
        let defined = (0..self.all.len()).map(Heap::Type).filter(|&t| self.top(t) == top);
        let defined: Vec<Heap> = defined.collect();
        all.extend(defined.iter().chain(&defined).chain(&defined));
        Ref { null: s.chance(30), heap: s.pick(&all).unwrap_or(top) }
    }

    /// The heap type and those that are known to match it.
    pub fn below(&self, s: &mut Source<'_>, heap: Heap) -> Heap {
        let mut all = vec![heap];
        let defined = (0..self.all.len()).map(Heap::Type);
        all.extend(defined.chain([Heap::I31, Heap::Struct, Heap::Array]).filter(|&t| self.heap_matches(t, heap)));
        s.pick(&all).unwrap_or(heap)
    }

    /// An abstract heap type that has values besides null, most of the time.
    pub fn abstract_heap(&self, s: &mut Source<'_>) -> Heap {
        let exn = usize::from(self.exnref);
        s.weighted(&[
            (8, Heap::Any),
            (6, Heap::Eq),
            (3, Heap::I31),
            (4, Heap::Struct),
            (4, Heap::Array),
            (3, Heap::Func),
            (3, Heap::Extern),
            (1, Heap::None),
            (1, Heap::NoFunc),
            (1, Heap::NoExtern),
            (5 * exn, Heap::Exn),
            (exn, Heap::NoExn),
        ])
    }

    /// A type for a tag's payload: numbers, and all kinds of references.
    pub fn payload(&self, s: &mut Source<'_>) -> Val {
        self.val(s, self.all.len(), &[])
    }

    /// The type section.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (n, &start) in self.groups.iter().enumerate() {
            let end = self.groups.get(n + 1).copied().unwrap_or(self.all.len());
            text.push_str("  (rec\n");
            for t in start..end {
                let ty = &self.all[t];
                let is_final = if ty.is_final { "final " } else { "" };
                let supertype = ty.supertype.map(|t| format!("$t{t} ")).unwrap_or_default();
                let _ = writeln!(text, "    (type $t{t} (sub {is_final}{supertype}{}))", ty.composite);
            }
            text.push_str("  )\n");
        }
        text
    }
}

impl Composite {
    fn each_val(&mut self, f: &mut dyn FnMut(&mut Val)) {
        let mut field = |field: &mut Field| {
            if let Storage::Val(val) = &mut field.storage {
                f(val);
            }
        };
        match self {
            Composite::Struct(fields) => fields.iter_mut().for_each(field),
            Composite::Array(element) => field(element),
            Composite::Func { params, results } => params.iter_mut().chain(results).for_each(f),
        }
    }
}

impl Display for Heap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Heap::Any => "any",
            Heap::Eq => "eq",
            Heap::I31 => "i31",
            Heap::Struct => "struct",
            Heap::Array => "array",
            Heap::None => "none",
            Heap::Func => "func",
            Heap::NoFunc => "nofunc",
            Heap::Extern => "extern",
            Heap::NoExtern => "noextern",
            Heap::Exn => "exn",
            Heap::NoExn => "noexn",
            Heap::Type(t) => return write!(f, "$t{t}"),
        };
        f.write_str(name)
    }
}

impl Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(ref {}{})", if self.null { "null " } else { "" }, self.heap)
    }
}

impl Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Val::I32 => f.write_str("i32"),
            Val::I64 => f.write_str("i64"),
            Val::F32 => f.write_str("f32"),
            Val::F64 => f.write_str("f64"),
            Val::V128 => f.write_str("v128"),
            Val::Ref(r) => r.fmt(f),
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let storage: &dyn Display = match &self.storage {
            Storage::I8 => &"i8",
            Storage::I16 => &"i16",
            Storage::Val(val) => val,
        };
        if self.mutable { write!(f, "(mut {storage})") } else { storage.fmt(f) }
    }
}

impl Display for Composite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Composite::Struct(fields) => {
                f.write_str("(struct")?;
                fields.iter().try_for_each(|field| write!(f, " (field {field})"))?;
                f.write_str(")")
            }
            Composite::Array(element) => write!(f, "(array {element})"),
            Composite::Func { params, results } => {
                f.write_str("(func")?;
                params.iter().try_for_each(|param| write!(f, " (param {param})"))?;
                results.iter().try_for_each(|result| write!(f, " (result {result})"))?;
                f.write_str(")")
            }
        }
    }
}
