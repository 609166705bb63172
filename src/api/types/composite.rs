//! Defined types: functions, structs, arrays.
//!
//! Each is a canonical id with its engine. Printing does not follow references to other defined
//! types, which may be recursive.

use super::val::ValType;
use crate::api::{Engine, OutOfMemory, Result};
use crate::types as t;
use std::fmt;
use std::sync::Arc;

/// Whether a field or global may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutability {
    /// It never changes.
    Const,
    /// It may be written.
    Var,
}

impl Mutability {
    /// Whether this is `Const`.
    pub fn is_const(&self) -> bool {
        *self == Mutability::Const
    }

    /// Whether this is `Var`.
    pub fn is_var(&self) -> bool {
        *self == Mutability::Var
    }

    pub(crate) fn of(mutable: bool) -> Mutability {
        if mutable { Mutability::Var } else { Mutability::Const }
    }
}

/// Whether a type may be extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finality {
    /// No type may name it as its supertype.
    Final,
    /// It may have subtypes.
    NonFinal,
}

/// The type of a field or an element.
#[derive(Debug, Clone)]
pub enum StorageType {
    /// A packed byte.
    I8,
    /// Two packed bytes.
    I16,
    /// A value.
    ValType(ValType),
}

impl StorageType {
    /// The type of a value that is read from it.
    pub fn unpack(&self) -> &ValType {
        static UNPACKED: ValType = ValType::I32;
        match self {
            StorageType::I8 | StorageType::I16 => &UNPACKED,
            StorageType::ValType(ty) => ty,
        }
    }

    pub(super) fn to_canon(&self) -> t::StorageType {
        match self {
            StorageType::I8 => t::StorageType::I8,
            StorageType::I16 => t::StorageType::I16,
            StorageType::ValType(ty) => t::StorageType::Val(ty.to_canon()),
        }
    }

    fn from_canon(engine: &Engine, ty: t::StorageType) -> StorageType {
        match ty {
            t::StorageType::I8 => StorageType::I8,
            t::StorageType::I16 => StorageType::I16,
            t::StorageType::Val(ty) => StorageType::ValType(ValType::from_canon(engine, ty)),
        }
    }
}

impl fmt::Display for StorageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StorageType::I8 => f.write_str("i8"),
            StorageType::I16 => f.write_str("i16"),
            StorageType::ValType(ty) => ty.fmt(f),
        }
    }
}

/// A field of a struct, or the element of an array.
#[derive(Debug, Clone)]
pub struct FieldType {
    mutability: Mutability,
    element_type: StorageType,
}

impl FieldType {
    /// A field that holds `element_type`.
    pub fn new(mutability: Mutability, element_type: StorageType) -> Self {
        FieldType { mutability, element_type }
    }

    /// Whether it may be written.
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }

    /// What it holds.
    pub fn element_type(&self) -> &StorageType {
        &self.element_type
    }

    /// Panics when this is of a type of another engine.
    #[track_caller]
    pub(super) fn assert_engine(&self, engine: &Engine) {
        if let StorageType::ValType(ty) = &self.element_type {
            ty.assert_engine(engine);
        }
    }

    pub(super) fn to_canon(&self) -> t::FieldType {
        t::FieldType { storage: self.element_type.to_canon(), mutable: self.mutability.is_var() }
    }

    fn from_canon(engine: &Engine, ty: t::FieldType) -> FieldType {
        FieldType { mutability: Mutability::of(ty.mutable), element_type: StorageType::from_canon(engine, ty.storage) }
    }
}

macro_rules! defined_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            engine: Engine,
            id: t::TypeId,
            def: Option<Arc<t::TypeDef>>,
        }

        impl $name {
            pub(crate) fn of(engine: &Engine, id: t::TypeId) -> $name {
                $name { engine: engine.clone(), id, def: engine.state().registry.get(id) }
            }

            pub(crate) fn id(&self) -> t::TypeId {
                self.id
            }

            /// The engine that it belongs to.
            pub fn engine(&self) -> &Engine {
                &self.engine
            }

            /// Whether it may be extended.
            pub fn finality(&self) -> Finality {
                match &self.def {
                    Some(def) if !def.sub.is_final => Finality::NonFinal,
                    _ => Finality::Final,
                }
            }

            /// Its declared supertype.
            pub fn supertype(&self) -> Option<Self> {
                let sup = self.def.as_ref()?.sub.supertype?;
                Some($name::of(&self.engine, sup))
            }

            /// Whether it is the other type, or declared to be a descendant of it.
            pub(super) fn extends(&self, other: &$name) -> bool {
                self.engine.state().is_sub_id(self.id, other.id)
            }

            /// Whether two types are the same.
            #[expect(clippy::should_implement_trait, reason = "Wasmtime's name and signature")]
            pub fn eq(a: &$name, b: &$name) -> bool {
                Engine::same(&a.engine, &b.engine) && a.id == b.id
            }

            #[allow(dead_code, reason = "not every kind of type needs it")]
            fn define(engine: &Engine, composite: t::CompositeType) -> Result<$name> {
                Ok($name::of(engine, super::supertypes::define(engine, Finality::Final, None, composite)?))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

defined_type! {
    /// The type of a function.
    FuncType
}
defined_type! {
    /// The type of a struct.
    StructType
}
defined_type! {
    /// The type of an array.
    ArrayType
}

impl FuncType {
    /// A final function type without a supertype.
    ///
    /// # Panics
    ///
    /// When the engine can hold no more types, or a type is of another engine.
    pub fn new(
        engine: &Engine,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> FuncType {
        match FuncType::try_new(engine, params, results) {
            Ok(ty) => ty,
            Err(err) => panic!("{err}"),
        }
    }

    /// A final function type without a supertype.
    ///
    /// # Errors
    ///
    /// When the engine can hold no more types.
    ///
    /// # Panics
    ///
    /// When a type is of another engine.
    pub fn try_new(
        engine: &Engine,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Result<FuncType, OutOfMemory> {
        let canon = |ty: ValType| {
            ty.assert_engine(engine);
            ty.to_canon()
        };
        let params = params.into_iter().map(canon).collect();
        let results = results.into_iter().map(canon).collect();
        let ty = FuncType::define(engine, t::CompositeType::Func(t::FuncType { params, results }));
        ty.map_err(|_| OutOfMemory::new(size_of::<t::TypeDef>()))
    }

    pub(crate) fn signature(&self) -> Option<&t::FuncType> {
        match &self.def.as_ref()?.sub.composite {
            t::CompositeType::Func(ty) => Some(ty),
            _ => None,
        }
    }

    /// The types of its parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        let params = self.signature().map_or(&[][..], |sig| &sig.params);
        params.iter().map(|&ty| ValType::from_canon(&self.engine, ty))
    }

    /// The types of its results.
    pub fn results(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        let results = self.signature().map_or(&[][..], |sig| &sig.results);
        results.iter().map(|&ty| ValType::from_canon(&self.engine, ty))
    }

    /// The type of the `i`th parameter.
    pub fn param(&self, i: usize) -> Option<ValType> {
        self.params().nth(i)
    }

    /// The type of the `i`th result.
    pub fn result(&self, i: usize) -> Option<ValType> {
        self.results().nth(i)
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(type (func")?;
        let Some(sig) = self.signature() else { return write!(f, "))") };
        for (word, types) in [("param", &sig.params), ("result", &sig.results)] {
            if !types.is_empty() {
                write!(f, " ({word}")?;
                types.iter().try_for_each(|ty| write!(f, " {ty}"))?;
                write!(f, ")")?;
            }
        }
        write!(f, "))")
    }
}

impl StructType {
    /// Whether it is the other type, or declared to be a descendant of it.
    pub fn matches(&self, other: &StructType) -> bool {
        self.extends(other)
    }

    /// A final struct type without a supertype.
    ///
    /// # Errors
    ///
    /// When there are more than 10,000 fields, or the engine can hold no more types.
    ///
    /// # Panics
    ///
    /// When a field is of a type of another engine.
    pub fn new(engine: &Engine, fields: impl IntoIterator<Item = FieldType>) -> Result<Self> {
        let canon = |field: FieldType| {
            field.assert_engine(engine);
            field.to_canon()
        };
        let fields = fields.into_iter().map(canon).collect();
        StructType::define(engine, t::CompositeType::Struct(fields))
    }

    /// Its fields.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = FieldType> + '_ {
        let fields = match self.def.as_ref().map(|def| &def.sub.composite) {
            Some(t::CompositeType::Struct(fields)) => &fields[..],
            _ => &[],
        };
        fields.iter().map(|&field| FieldType::from_canon(&self.engine, field))
    }

    /// The `i`th field.
    pub fn field(&self, i: usize) -> Option<FieldType> {
        self.fields().nth(i)
    }
}

impl fmt::Display for StructType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(struct")?;
        if let Some(t::CompositeType::Struct(fields)) = self.def.as_ref().map(|def| &def.sub.composite) {
            fields.iter().try_for_each(|field| {
                write!(f, " (field ")?;
                write_field(f, *field)?;
                write!(f, ")")
            })?;
        }
        write!(f, ")")
    }
}

impl ArrayType {
    /// A final array type without a supertype.
    ///
    /// # Panics
    ///
    /// When the engine can hold no more types, or the elements are of a type of another engine.
    pub fn new(engine: &Engine, field_type: FieldType) -> Self {
        field_type.assert_engine(engine);
        match ArrayType::define(engine, t::CompositeType::Array(field_type.to_canon())) {
            Ok(ty) => ty,
            Err(err) => panic!("{err}"),
        }
    }

    /// Whether it is the other type, or declared to be a descendant of it.
    pub fn matches(&self, other: &ArrayType) -> bool {
        self.extends(other)
    }

    fn element(&self) -> t::FieldType {
        match self.def.as_ref().map(|def| &def.sub.composite) {
            Some(t::CompositeType::Array(field)) => *field,
            _ => t::FieldType { storage: t::StorageType::I8, mutable: false },
        }
    }

    /// Its elements, as a field.
    pub fn field_type(&self) -> FieldType {
        FieldType::from_canon(&self.engine, self.element())
    }

    /// Whether its elements may be written.
    pub fn mutability(&self) -> Mutability {
        Mutability::of(self.element().mutable)
    }

    /// What its elements hold.
    pub fn element_type(&self) -> StorageType {
        StorageType::from_canon(&self.engine, self.element().storage)
    }
}

impl fmt::Display for ArrayType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(array (field ")?;
        write_field(f, self.element())?;
        write!(f, "))")
    }
}

fn write_field(f: &mut fmt::Formatter<'_>, field: t::FieldType) -> fmt::Result {
    if field.mutable {
        f.write_str("(mut ")?;
    }
    match field.storage {
        t::StorageType::I8 => f.write_str("i8")?,
        t::StorageType::I16 => f.write_str("i16")?,
        t::StorageType::Val(ty) => write!(f, "{ty}")?,
    }
    if field.mutable { f.write_str(")") } else { Ok(()) }
}
