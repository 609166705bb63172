//! Value, reference and heap types.

use super::composite::{ArrayType, FuncType, StructType};
use super::cont::ContType;
use super::exn::ExnType;
use crate::api::{Engine, Error, Result};
use crate::types as t;
use std::fmt;

const WRONG_ENGINE: &str = "type used with wrong engine";

/// Panics when a type's engine is another.
#[track_caller]
pub(crate) fn assert_same(own: &Engine, engine: &Engine) {
    assert!(Engine::same(own, engine), "{WRONG_ENGINE}");
}

/// An error when a type's engine is another.
pub(crate) fn check_same(own: &Engine, engine: &Engine) -> Result<()> {
    if Engine::same(own, engine) { Ok(()) } else { Err(Error::msg(WRONG_ENGINE)) }
}

/// A WebAssembly value type.
#[derive(Clone)]
pub enum ValType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128-bit vector.
    V128,
    /// Reference.
    Ref(RefType),
}

impl ValType {
    /// `externref`, that is `(ref null extern)`.
    pub const EXTERNREF: ValType = ValType::Ref(RefType::EXTERNREF);
    /// `nullexternref`
    pub const NULLEXTERNREF: ValType = ValType::Ref(RefType::NULLEXTERNREF);
    /// `funcref`, that is `(ref null func)`.
    pub const FUNCREF: ValType = ValType::Ref(RefType::FUNCREF);
    /// `nullfuncref`
    pub const NULLFUNCREF: ValType = ValType::Ref(RefType::NULLFUNCREF);
    /// `anyref`, that is `(ref null any)`.
    pub const ANYREF: ValType = ValType::Ref(RefType::ANYREF);
    /// `eqref`
    pub const EQREF: ValType = ValType::Ref(RefType::EQREF);
    /// `i31ref`
    pub const I31REF: ValType = ValType::Ref(RefType::I31REF);
    /// `arrayref`
    pub const ARRAYREF: ValType = ValType::Ref(RefType::ARRAYREF);
    /// `structref`
    pub const STRUCTREF: ValType = ValType::Ref(RefType::STRUCTREF);
    /// `exnref`, that is `(ref null exn)`.
    pub const EXNREF: ValType = ValType::Ref(RefType::EXNREF);
    /// `nullexnref`
    pub const NULLEXNREF: ValType = ValType::Ref(RefType::NULLEXNREF);
    /// `contref`, that is `(ref null cont)`.
    pub const CONTREF: ValType = ValType::Ref(RefType::CONTREF);
    /// `nullcontref`
    pub const NULLCONTREF: ValType = ValType::Ref(RefType::NULLCONTREF);
    /// `nullref`, that is `(ref null none)`.
    pub const NULLREF: ValType = ValType::Ref(RefType::NULLREF);

    /// Whether this is a number or vector.
    pub fn is_num(&self) -> bool {
        matches!(self, ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64)
    }

    /// Whether this is a reference.
    pub fn is_ref(&self) -> bool {
        matches!(self, ValType::Ref(_))
    }

    /// The reference type, if this is one.
    pub fn as_ref(&self) -> Option<&RefType> {
        match self {
            ValType::Ref(r) => Some(r),
            _ => None,
        }
    }

    /// Whether every value of this type is one of the other.
    pub fn matches(&self, other: &ValType) -> bool {
        match (self, other) {
            (ValType::Ref(a), ValType::Ref(b)) => a.matches(b),
            _ => self.to_canon() == other.to_canon(),
        }
    }

    /// Whether two types are the same.
    #[expect(clippy::should_implement_trait, reason = "Wasmtime's name and signature")]
    pub fn eq(a: &Self, b: &Self) -> bool {
        match (a, b) {
            (ValType::Ref(a), ValType::Ref(b)) => RefType::eq(a, b),
            _ => a.to_canon() == b.to_canon(),
        }
    }

    pub(crate) fn to_canon(&self) -> t::ValType {
        match self {
            ValType::I32 => t::ValType::I32,
            ValType::I64 => t::ValType::I64,
            ValType::F32 => t::ValType::F32,
            ValType::F64 => t::ValType::F64,
            ValType::V128 => t::ValType::V128,
            ValType::Ref(r) => t::ValType::Ref(r.to_canon()),
        }
    }

    /// Panics when this is a type of another engine.
    #[track_caller]
    pub(super) fn assert_engine(&self, engine: &Engine) {
        if let ValType::Ref(ty) = self {
            ty.heap_type.assert_engine(engine);
        }
    }

    /// An error when this is a type of another engine.
    pub(crate) fn check_engine(&self, engine: &Engine) -> Result<()> {
        let own = self.as_ref().and_then(|ty| ty.heap_type.engine());
        check_same(own.unwrap_or(engine), engine)
    }

    pub(crate) fn from_canon(engine: &Engine, ty: t::ValType) -> ValType {
        match ty {
            t::ValType::I32 => ValType::I32,
            t::ValType::I64 => ValType::I64,
            t::ValType::F32 => ValType::F32,
            t::ValType::F64 => ValType::F64,
            t::ValType::V128 => ValType::V128,
            t::ValType::Ref(r) => ValType::Ref(RefType::from_canon(engine, r)),
        }
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
            ValType::Ref(r) => r.fmt(f),
        }
    }
}

impl From<RefType> for ValType {
    fn from(ty: RefType) -> ValType {
        ValType::Ref(ty)
    }
}

/// A reference type: a heap type, and whether null is among its values.
#[derive(Clone)]
pub struct RefType {
    nullable: bool,
    heap_type: HeapType,
}

impl RefType {
    /// `(ref null extern)`
    pub const EXTERNREF: RefType = RefType::null(HeapType::Extern);
    /// `(ref null noextern)`
    pub const NULLEXTERNREF: RefType = RefType::null(HeapType::NoExtern);
    /// `(ref null func)`
    pub const FUNCREF: RefType = RefType::null(HeapType::Func);
    /// `(ref null nofunc)`
    pub const NULLFUNCREF: RefType = RefType::null(HeapType::NoFunc);
    /// `(ref null any)`
    pub const ANYREF: RefType = RefType::null(HeapType::Any);
    /// `(ref null eq)`
    pub const EQREF: RefType = RefType::null(HeapType::Eq);
    /// `(ref null i31)`
    pub const I31REF: RefType = RefType::null(HeapType::I31);
    /// `(ref null array)`
    pub const ARRAYREF: RefType = RefType::null(HeapType::Array);
    /// `(ref null struct)`
    pub const STRUCTREF: RefType = RefType::null(HeapType::Struct);
    /// `(ref null exn)`
    pub const EXNREF: RefType = RefType::null(HeapType::Exn);
    /// `(ref null noexn)`
    pub const NULLEXNREF: RefType = RefType::null(HeapType::NoExn);
    /// `(ref null cont)`
    pub const CONTREF: RefType = RefType::null(HeapType::Cont);
    /// `(ref null nocont)`
    pub const NULLCONTREF: RefType = RefType::null(HeapType::NoCont);
    /// `(ref null none)`
    pub const NULLREF: RefType = RefType::null(HeapType::None);

    const fn null(heap_type: HeapType) -> RefType {
        RefType { nullable: true, heap_type }
    }

    /// `(ref null? heap_type)`
    pub fn new(is_nullable: bool, heap_type: HeapType) -> RefType {
        RefType { nullable: is_nullable, heap_type }
    }

    /// Whether null is a value of this type.
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// What values other than null refer to.
    pub fn heap_type(&self) -> &HeapType {
        &self.heap_type
    }

    /// Whether every value of this type is one of the other.
    pub fn matches(&self, other: &RefType) -> bool {
        (other.nullable || !self.nullable) && self.heap_type.matches(&other.heap_type)
    }

    /// Whether two types are the same.
    #[expect(clippy::should_implement_trait, reason = "Wasmtime's name and signature")]
    pub fn eq(a: &RefType, b: &RefType) -> bool {
        a.nullable == b.nullable && HeapType::eq(&a.heap_type, &b.heap_type)
    }

    pub(crate) fn to_canon(&self) -> t::RefType {
        t::RefType::new(self.nullable, self.heap_type.to_canon())
    }

    pub(crate) fn from_canon(engine: &Engine, ty: t::RefType) -> RefType {
        RefType { nullable: ty.nullable, heap_type: HeapType::from_canon(engine, ty.heap) }
    }
}

impl fmt::Debug for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(ref {}{})", if self.nullable { "null " } else { "" }, self.heap_type)
    }
}

/// A heap type.
///
/// ```
/// use wasmtime_gc::{HeapType};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// assert!(HeapType::I31.matches(&HeapType::Eq) && HeapType::Eq.matches(&HeapType::Any));
/// assert!(HeapType::None.matches(&HeapType::Struct));
/// assert!(!HeapType::Extern.matches(&HeapType::Any), "another hierarchy");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub enum HeapType {
    /// `extern`: references of the host.
    Extern,
    /// `noextern`
    NoExtern,
    /// `func`: functions.
    Func,
    /// A defined function type.
    ConcreteFunc(FuncType),
    /// `nofunc`
    NoFunc,
    /// `any`: every internal reference.
    Any,
    /// `eq`
    Eq,
    /// `i31`
    I31,
    /// `array`
    Array,
    /// A defined array type.
    ConcreteArray(ArrayType),
    /// `struct`
    Struct,
    /// A defined struct type.
    ConcreteStruct(StructType),
    /// `exn`: exceptions.
    Exn,
    /// Exceptions of a signature. Only the host has such types; to a guest this is `exn`.
    ConcreteExn(ExnType),
    /// `noexn`
    NoExn,
    /// A defined type of continuations: there is none.
    ConcreteCont(ContType),
    /// `cont`: continuations, which no guest can have.
    Cont,
    /// `nocont`
    NoCont,
    /// `none`
    None,
}

impl HeapType {
    /// Whether this names a defined type.
    pub fn is_concrete(&self) -> bool {
        matches!(self, HeapType::ConcreteExn(_)) || self.to_canon().concrete().is_some()
    }

    /// Whether this is `exn`.
    pub fn is_exn(&self) -> bool {
        matches!(self, HeapType::Exn)
    }

    /// Whether this is `noexn`.
    pub fn is_no_exn(&self) -> bool {
        matches!(self, HeapType::NoExn)
    }

    /// Whether this is the type of exceptions of a signature.
    pub fn is_concrete_exn(&self) -> bool {
        matches!(self, HeapType::ConcreteExn(_))
    }

    /// Whether this is `cont`.
    pub fn is_cont(&self) -> bool {
        matches!(self, HeapType::Cont)
    }

    /// Whether this is a defined type of continuations.
    pub fn is_concrete_cont(&self) -> bool {
        matches!(self, HeapType::ConcreteCont(_))
    }

    /// The defined type of continuations, if this is one.
    pub fn as_concrete_cont(&self) -> Option<&ContType> {
        match self {
            HeapType::ConcreteCont(ty) => Some(ty),
            _ => None,
        }
    }

    /// The type of exceptions of a signature, if this is one.
    pub fn as_concrete_exn(&self) -> Option<&ExnType> {
        match self {
            HeapType::ConcreteExn(ty) => Some(ty),
            _ => None,
        }
    }

    /// The defined function type, if this is one.
    pub fn as_concrete_func(&self) -> Option<&FuncType> {
        match self {
            HeapType::ConcreteFunc(ty) => Some(ty),
            _ => None,
        }
    }

    /// The defined array type, if this is one.
    pub fn as_concrete_array(&self) -> Option<&ArrayType> {
        match self {
            HeapType::ConcreteArray(ty) => Some(ty),
            _ => None,
        }
    }

    /// The defined struct type, if this is one.
    pub fn as_concrete_struct(&self) -> Option<&StructType> {
        match self {
            HeapType::ConcreteStruct(ty) => Some(ty),
            _ => None,
        }
    }

    /// The top of the hierarchy that this type is in.
    pub fn top(&self) -> HeapType {
        match self.to_canon().top() {
            t::HeapTop::Any => HeapType::Any,
            t::HeapTop::Extern => HeapType::Extern,
            t::HeapTop::Func => HeapType::Func,
            t::HeapTop::Exn => HeapType::Exn,
            t::HeapTop::Cont => HeapType::Cont,
        }
    }

    /// Whether every value of this type is one of the other.
    pub fn matches(&self, other: &HeapType) -> bool {
        let engine = match self {
            HeapType::ConcreteExn(ty) => return other.as_concrete_exn().map_or(other.is_exn(), |of| ty.matches(of)),
            _ if other.is_concrete_exn() => return self.is_no_exn(),
            HeapType::ConcreteFunc(ty) => ty.engine(),
            HeapType::ConcreteArray(ty) => ty.engine(),
            HeapType::ConcreteStruct(ty) => ty.engine(),
            _ => return t::TypeTable::default().is_sub_heap(self.to_canon(), other.to_canon()),
        };
        engine.state().is_sub_heap(self.to_canon(), other.to_canon())
    }

    /// Whether two types are the same.
    #[expect(clippy::should_implement_trait, reason = "Wasmtime's name and signature")]
    pub fn eq(a: &HeapType, b: &HeapType) -> bool {
        match (a, b) {
            (HeapType::ConcreteExn(a), HeapType::ConcreteExn(b)) => a.matches(b),
            (HeapType::ConcreteExn(_), _) | (_, HeapType::ConcreteExn(_)) => false,
            _ => a.to_canon() == b.to_canon(),
        }
    }

    pub(crate) fn to_canon(&self) -> t::HeapType {
        use t::{CompositeKind, HeapType as H};
        match self {
            HeapType::Extern => H::Extern,
            HeapType::NoExtern => H::NoExtern,
            HeapType::Func => H::Func,
            HeapType::ConcreteFunc(ty) => H::Concrete(CompositeKind::Func, ty.id()),
            HeapType::NoFunc => H::NoFunc,
            HeapType::Any => H::Any,
            HeapType::Eq => H::Eq,
            HeapType::I31 => H::I31,
            HeapType::Array => H::Array,
            HeapType::ConcreteArray(ty) => H::Concrete(CompositeKind::Array, ty.id()),
            HeapType::Struct => H::Struct,
            HeapType::ConcreteStruct(ty) => H::Concrete(CompositeKind::Struct, ty.id()),
            HeapType::Exn | HeapType::ConcreteExn(_) => H::Exn,
            HeapType::NoExn => H::NoExn,
            HeapType::ConcreteCont(ty) => ty.never(),
            HeapType::Cont => H::Cont,
            HeapType::NoCont => H::NoCont,
            HeapType::None => H::None,
        }
    }

    /// Panics when this is a type of another engine, whose ids mean something else.
    #[track_caller]
    fn assert_engine(&self, engine: &Engine) {
        assert_same(self.engine().unwrap_or(engine), engine);
    }

    /// The engine of a defined type.
    fn engine(&self) -> Option<&Engine> {
        match self {
            HeapType::ConcreteFunc(ty) => Some(ty.engine()),
            HeapType::ConcreteArray(ty) => Some(ty.engine()),
            HeapType::ConcreteStruct(ty) => Some(ty.engine()),
            HeapType::ConcreteExn(ty) => Some(ty.engine()),
            _ => None,
        }
    }

    pub(crate) fn from_canon(engine: &Engine, ty: t::HeapType) -> HeapType {
        use t::{CompositeKind, HeapType as H};
        match ty {
            H::Any => HeapType::Any,
            H::Eq => HeapType::Eq,
            H::I31 => HeapType::I31,
            H::Struct => HeapType::Struct,
            H::Array => HeapType::Array,
            H::None => HeapType::None,
            H::Func => HeapType::Func,
            H::NoFunc => HeapType::NoFunc,
            H::Extern => HeapType::Extern,
            H::NoExtern => HeapType::NoExtern,
            H::Exn => HeapType::Exn,
            H::NoExn => HeapType::NoExn,
            H::Cont => HeapType::Cont,
            H::NoCont => HeapType::NoCont,
            H::Concrete(CompositeKind::Func, id) => HeapType::ConcreteFunc(FuncType::of(engine, id)),
            H::Concrete(CompositeKind::Array, id) => HeapType::ConcreteArray(ArrayType::of(engine, id)),
            H::Concrete(CompositeKind::Struct, id) => HeapType::ConcreteStruct(StructType::of(engine, id)),
        }
    }
}

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeapType::Extern => "extern",
            HeapType::NoExtern => "noextern",
            HeapType::Func => "func",
            HeapType::NoFunc => "nofunc",
            HeapType::Any => "any",
            HeapType::Eq => "eq",
            HeapType::I31 => "i31",
            HeapType::Array => "array",
            HeapType::Struct => "struct",
            HeapType::Exn => "exn",
            HeapType::NoExn => "noexn",
            HeapType::Cont => "cont",
            HeapType::NoCont => "nocont",
            HeapType::ConcreteCont(ty) => ty.never(),
            HeapType::None => "none",
            HeapType::ConcreteFunc(ty) => return write!(f, "(concrete func {:?})", ty.id()),
            HeapType::ConcreteArray(ty) => return write!(f, "(concrete array {:?})", ty.id()),
            HeapType::ConcreteExn(ty) => return write!(f, "(concrete exn {:?})", ty.id()),
            HeapType::ConcreteStruct(ty) => return write!(f, "(concrete struct {:?})", ty.id()),
        })
    }
}

macro_rules! from_defined {
    ($($ty:ident => $variant:ident)*) => {
        $(impl From<$ty> for HeapType {
            fn from(ty: $ty) -> HeapType {
                HeapType::$variant(ty)
            }
        })*
    };
}

from_defined! {
    FuncType => ConcreteFunc
    ArrayType => ConcreteArray
    StructType => ConcreteStruct
    ExnType => ConcreteExn
    ContType => ConcreteCont
}
