//! Value, reference, heap and storage types (Wasm 3.0, section 2.3), over canonical ids.
//!
//! Names follow the specification's text format. A concrete heap type carries the kind of the type
//! that it names, so that most questions ("is this in the `func` hierarchy?") need no look-up.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The canonical identity of a defined type, unique in an engine.
///
/// Two ids are equal exactly when the types are equivalent in the sense of the specification.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TypeId(pub u32);

impl fmt::Debug for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "type{}", self.0)
    }
}

/// What a defined type defines.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum CompositeKind {
    /// A `struct` type.
    Struct,
    /// An `array` type.
    Array,
    /// A `func` type.
    Func,
}

/// The top of one of the disjoint hierarchies of heap types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HeapTop {
    /// `any`: everything that the GC proposal added.
    Any,
    /// `extern`: references of the host.
    Extern,
    /// `func`: functions.
    Func,
    /// `exn`: exceptions.
    Exn,
    /// `cont`: continuations.
    Cont,
}

/// A heap type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HeapType {
    /// `any`
    Any,
    /// `eq`
    Eq,
    /// `i31`
    I31,
    /// `struct`
    Struct,
    /// `array`
    Array,
    /// `none`
    None,
    /// `func`
    Func,
    /// `nofunc`
    NoFunc,
    /// `extern`
    Extern,
    /// `noextern`
    NoExtern,
    /// `exn`
    Exn,
    /// `noexn`
    NoExn,
    /// A defined type.
    Concrete(CompositeKind, TypeId),
    /// `cont`. Only types that the host makes have this and the next.
    Cont,
    /// `nocont`
    NoCont,
}

impl HeapType {
    /// The top type of the hierarchy that this type is in.
    pub fn top(self) -> HeapTop {
        use HeapType::*;
        match self {
            Any | Eq | I31 | Struct | Array | None => HeapTop::Any,
            Func | NoFunc | Concrete(CompositeKind::Func, _) => HeapTop::Func,
            Concrete(CompositeKind::Struct | CompositeKind::Array, _) => HeapTop::Any,
            Extern | NoExtern => HeapTop::Extern,
            Exn | NoExn => HeapTop::Exn,
            Cont | NoCont => HeapTop::Cont,
        }
    }

    /// The bottom type of the same hierarchy.
    pub fn bottom(self) -> HeapType {
        match self.top() {
            HeapTop::Any => HeapType::None,
            HeapTop::Extern => HeapType::NoExtern,
            HeapTop::Func => HeapType::NoFunc,
            HeapTop::Exn => HeapType::NoExn,
            HeapTop::Cont => HeapType::NoCont,
        }
    }

    /// Whether this is the bottom type of its hierarchy: only null has it.
    pub fn is_bottom(self) -> bool {
        self == self.bottom()
    }

    /// The defined type, for a concrete heap type.
    pub fn concrete(self) -> Option<TypeId> {
        match self {
            HeapType::Concrete(_, id) => Some(id),
            _ => Option::None,
        }
    }
}

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeapType::Any => "any",
            HeapType::Eq => "eq",
            HeapType::I31 => "i31",
            HeapType::Struct => "struct",
            HeapType::Array => "array",
            HeapType::None => "none",
            HeapType::Func => "func",
            HeapType::NoFunc => "nofunc",
            HeapType::Extern => "extern",
            HeapType::NoExtern => "noextern",
            HeapType::Exn => "exn",
            HeapType::NoExn => "noexn",
            HeapType::Cont => "cont",
            HeapType::NoCont => "nocont",
            HeapType::Concrete(_, id) => return write!(f, "{id:?}"),
        })
    }
}

impl fmt::Debug for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A reference type: a heap type, and whether null is among the values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RefType {
    /// Whether null is a value of this type.
    pub nullable: bool,
    /// Exact: values have this very type, not a subtype of it (custom descriptors proposal; also a
    /// fact that the optimiser derives). Of `eq` only the optimiser says so, and means that no value is an i31; of other
    /// abstract types it has no meaning.
    pub exact: bool,
    /// What non-null values refer to.
    pub heap: HeapType,
}

impl RefType {
    /// `(ref null? heap)`, not exact.
    pub const fn new(nullable: bool, heap: HeapType) -> RefType {
        RefType { nullable, exact: false, heap }
    }

    /// The same type without null.
    pub const fn non_null(self) -> RefType {
        RefType { nullable: false, ..self }
    }

    /// The same type with null.
    pub const fn as_nullable(self) -> RefType {
        RefType { nullable: true, ..self }
    }

    /// Whether values live in the `func` hierarchy, the only references that lowered code keeps as
    /// WebAssembly references.
    pub fn is_func(self) -> bool {
        self.heap.top() == HeapTop::Func
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let null = if self.nullable { "null " } else { "" };
        if self.exact { write!(f, "(ref {null}(exact {}))", self.heap) } else { write!(f, "(ref {null}{})", self.heap) }
    }
}

impl fmt::Debug for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A value type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ValType {
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `v128`
    V128,
    /// A reference.
    Ref(RefType),
}

impl ValType {
    /// `(ref exn)`: an exception.
    pub const EXN: ValType = ValType::Ref(RefType::new(false, HeapType::Exn));

    /// The reference type, if this is one.
    pub fn as_ref(self) -> Option<RefType> {
        match self {
            ValType::Ref(r) => Some(r),
            _ => None,
        }
    }

    /// Whether values of this type are references into the GC heap once lowered: every reference
    /// but those to functions.
    pub fn is_gc_ref(self) -> bool {
        matches!(self, ValType::Ref(r) if !r.is_func())
    }

    /// Whether lowered code has no such type: heap references, exact ones, and `nofunc`, whose null takes
    /// the type that is expected of it.
    pub fn is_lowered(self) -> bool {
        let gone = |r: RefType| r.exact || r.heap == HeapType::NoFunc || !r.is_func();
        self.as_ref().is_some_and(gone)
    }

    /// Whether a local of this type has a default value.
    pub fn is_defaultable(self) -> bool {
        !matches!(self, ValType::Ref(RefType { nullable: false, .. }))
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValType::I32 => f.write_str("i32"),
            ValType::I64 => f.write_str("i64"),
            ValType::F32 => f.write_str("f32"),
            ValType::F64 => f.write_str("f64"),
            ValType::V128 => f.write_str("v128"),
            ValType::Ref(r) => write!(f, "{r}"),
        }
    }
}

impl fmt::Debug for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The type of a field or an array element.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum StorageType {
    /// A packed 8-bit integer.
    I8,
    /// A packed 16-bit integer.
    I16,
    /// An unpacked value.
    Val(ValType),
}

impl StorageType {
    /// The type of a value that is read from, or written to, such a field.
    pub fn unpack(self) -> ValType {
        match self {
            StorageType::I8 | StorageType::I16 => ValType::I32,
            StorageType::Val(v) => v,
        }
    }

    /// Whether the field holds a reference that the collector follows.
    pub fn is_gc_ref(self) -> bool {
        matches!(self, StorageType::Val(v) if v.is_gc_ref())
    }
}
