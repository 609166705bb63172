//! Questions about types, one method each, and hashes that agree with their `eq`.

use super::composite::{ArrayType, FieldType, Finality, FuncType, StorageType, StructType};
use super::cont::ContType;
use super::entity::{GlobalType, TableType, TagType};
use super::exn::ExnType;
use super::val::{HeapType, RefType, ValType};
use crate::types as t;
use std::hash::{Hash, Hasher};

macro_rules! heap_types {
    ($($is:ident $variant:ident $text:literal;)*) => {
        impl HeapType {
            $(
                #[doc = concat!("Whether this is `", $text, "`.")]
                #[inline]
                pub fn $is(&self) -> bool {
                    matches!(self, HeapType::$variant)
                }
            )*
        }
    };
}

heap_types! {
    is_extern Extern "extern";
    is_func Func "func";
    is_no_func NoFunc "nofunc";
    is_any Any "any";
    is_i31 I31 "i31";
    is_none None "none";
}

macro_rules! concrete_types {
    ($($is:ident $unwrap:ident $variant:ident $ty:ident $text:literal;)*) => {
        impl HeapType {
            $(
                #[doc = concat!("Whether this is a defined ", $text, " type.")]
                #[inline]
                pub fn $is(&self) -> bool {
                    matches!(self, HeapType::$variant(_))
                }

                #[doc = concat!("The defined ", $text, " type.")]
                ///
                /// # Panics
                ///
                /// When this is another type.
                #[track_caller]
                pub fn $unwrap(&self) -> &$ty {
                    match self {
                        HeapType::$variant(ty) => ty,
                        other => panic!(concat!("expected a defined ", $text, " type, found {}"), other),
                    }
                }
            )*
        }
    };
}

concrete_types! {
    is_concrete_func unwrap_concrete_func ConcreteFunc FuncType "function";
    is_concrete_array unwrap_concrete_array ConcreteArray ArrayType "array";
    is_concrete_struct unwrap_concrete_struct ConcreteStruct StructType "struct";
}

impl HeapType {
    /// Whether this is no defined type.
    #[inline]
    pub fn is_abstract(&self) -> bool {
        !self.is_concrete()
    }

    /// Whether this is the top of its hierarchy.
    pub fn is_top(&self) -> bool {
        matches!(self, HeapType::Any | HeapType::Extern | HeapType::Func | HeapType::Exn | HeapType::Cont)
    }

    /// The bottom of the hierarchy that this type is in.
    pub fn bottom(&self) -> HeapType {
        match self.to_canon().top() {
            t::HeapTop::Any => HeapType::None,
            t::HeapTop::Extern => HeapType::NoExtern,
            t::HeapTop::Func => HeapType::NoFunc,
            t::HeapTop::Exn => HeapType::NoExn,
            t::HeapTop::Cont => HeapType::NoCont,
        }
    }

    /// Whether this is the bottom of its hierarchy.
    pub fn is_bottom(&self) -> bool {
        matches!(self, HeapType::None | HeapType::NoExtern | HeapType::NoFunc | HeapType::NoExn | HeapType::NoCont)
    }

    /// The defined type of continuations.
    ///
    /// # Panics
    ///
    /// Always, since there is none.
    #[track_caller]
    pub fn unwrap_concrete_cont(&self) -> &ContType {
        match self.as_concrete_cont() {
            Some(ty) => ty,
            None => panic!("expected a defined type of continuations, found {self}"),
        }
    }
}

macro_rules! val_types {
    ($($is:ident $pattern:pat, $text:literal;)*) => {
        impl ValType {
            $(
                #[doc = concat!("Whether this is `", $text, "`.")]
                #[inline]
                pub fn $is(&self) -> bool {
                    matches!(self, $pattern)
                }
            )*
        }
    };
}

val_types! {
    is_i32 ValType::I32, "i32";
    is_i64 ValType::I64, "i64";
    is_f32 ValType::F32, "f32";
    is_f64 ValType::F64, "f64";
    is_v128 ValType::V128, "v128";
}

macro_rules! nullable_tops {
    ($($is:ident $top:ident $text:literal;)*) => {
        impl ValType {
            $(
                #[doc = concat!("Whether this is `", $text, "`.")]
                pub fn $is(&self) -> bool {
                    matches!(self, ValType::Ref(ty) if ty.is_nullable() && matches!(ty.heap_type(), HeapType::$top))
                }
            )*
        }
    };
}

nullable_tops! {
    is_funcref Func "funcref";
    is_externref Extern "externref";
    is_anyref Any "anyref";
    is_contref Cont "contref";
}

impl ValType {
    /// The reference type.
    ///
    /// # Panics
    ///
    /// When this is none.
    #[track_caller]
    pub fn unwrap_ref(&self) -> &RefType {
        match self {
            ValType::Ref(ty) => ty,
            other => panic!("expected a reference type, found {other}"),
        }
    }
}

impl StorageType {
    /// Whether this is a packed byte.
    pub fn is_i8(&self) -> bool {
        matches!(self, StorageType::I8)
    }

    /// Whether this is two packed bytes.
    pub fn is_i16(&self) -> bool {
        matches!(self, StorageType::I16)
    }

    /// Whether this is no packed type.
    pub fn is_val_type(&self) -> bool {
        matches!(self, StorageType::ValType(_))
    }

    /// The type of values, if this is no packed type.
    pub fn as_val_type(&self) -> Option<&ValType> {
        match self {
            StorageType::ValType(ty) => Some(ty),
            _ => None,
        }
    }

    /// The type of values.
    ///
    /// # Panics
    ///
    /// When this is a packed type.
    #[track_caller]
    pub fn unwrap_val_type(&self) -> &ValType {
        match self {
            StorageType::ValType(ty) => ty,
            other => panic!("expected a type of values, found {other}"),
        }
    }

    /// Whether everything that this holds the other may hold. Packed types match only themselves.
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (StorageType::ValType(a), StorageType::ValType(b)) => a.matches(b),
            _ => self.to_canon() == other.to_canon(),
        }
    }

    /// Whether two types are the same.
    #[expect(clippy::should_implement_trait, reason = "Wasmtime's name and signature")]
    pub fn eq(a: &Self, b: &Self) -> bool {
        a.to_canon() == b.to_canon()
    }
}

impl From<ValType> for StorageType {
    fn from(ty: ValType) -> StorageType {
        StorageType::ValType(ty)
    }
}

impl From<RefType> for StorageType {
    fn from(ty: RefType) -> StorageType {
        StorageType::ValType(ty.into())
    }
}

impl FieldType {
    /// Whether a field of this type may be where one of the other is expected. What can be written has to be of the
    /// same type.
    pub fn matches(&self, other: &Self) -> bool {
        match (self.mutability().is_var(), other.mutability().is_var()) {
            (true, true) => StorageType::eq(self.element_type(), other.element_type()),
            (false, false) => self.element_type().matches(other.element_type()),
            _ => false,
        }
    }

    /// Whether two types are the same.
    #[expect(clippy::should_implement_trait, reason = "Wasmtime's name and signature")]
    pub fn eq(a: &Self, b: &Self) -> bool {
        a.mutability() == b.mutability() && StorageType::eq(a.element_type(), b.element_type())
    }
}

impl std::fmt::Display for FieldType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.mutability().is_var() { write!(f, "(mut {})", self.element_type()) } else { self.element_type().fmt(f) }
    }
}

impl Finality {
    /// Whether this is `Final`.
    pub fn is_final(&self) -> bool {
        matches!(self, Finality::Final)
    }

    /// Whether this is `NonFinal`.
    pub fn is_non_final(&self) -> bool {
        matches!(self, Finality::NonFinal)
    }
}

macro_rules! hashes {
    ($($ty:ident |$this:ident, $state:ident| $hash:expr;)*) => {
        $(impl Hash for $ty {
            fn hash<H: Hasher>(&self, $state: &mut H) {
                let $this = self;
                $hash
            }
        })*
    };
}

hashes! {
    ValType |this, state| this.to_canon().hash(state);
    RefType |this, state| this.to_canon().hash(state);
    HeapType |this, state| this.to_canon().hash(state);
    StorageType |this, state| this.to_canon().hash(state);
    FieldType |this, state| (this.mutability(), this.element_type()).hash(state);
    FuncType |this, state| this.id().hash(state);
    StructType |this, state| this.id().hash(state);
    ArrayType |this, state| this.id().hash(state);
    ExnType |this, state| this.id().hash(state);
    GlobalType |this, state| (this.content(), this.mutability()).hash(state);
    TagType |this, state| this.ty().hash(state);
    TableType |this, state| (this.element(), this.minimum(), this.maximum(), this.is_64()).hash(state);
}
