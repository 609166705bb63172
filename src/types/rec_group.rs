//! Recursion groups in rolled-up form, the key of hash-consing (Wasm 3.0, section 3.1.4).
//!
//! Inside a group a type is named relative to the group's start; outside it by its canonical id.
//! Two groups are then equivalent exactly when these values are equal, position by position.

use super::val_type::{CompositeKind, HeapType, RefType, StorageType, TypeId, ValType};
use serde::{Deserialize, Serialize};

/// A reference to a defined type from within a recursion group.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RecRef {
    /// The `n`th type of the same group.
    Group(u32),
    /// A type that was canonical before.
    Canon(TypeId),
}

/// A recursion group. Concrete heap types in it with a [`TypeId`] of `RecGroup::LOCAL + n` name its
/// own `n`th type.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct RecGroup {
    /// The types, in order.
    pub types: Vec<SubType>,
}

impl RecGroup {
    /// The first id that stands for a type of the group itself. Canonical ids stay below.
    pub const LOCAL: u32 = 1 << 31;

    /// The id that names the `n`th type of the group under construction.
    pub fn local(n: u32) -> TypeId {
        TypeId(Self::LOCAL + n)
    }

    /// What an id in a group under construction refers to.
    pub fn classify(id: TypeId) -> RecRef {
        match id.0.checked_sub(Self::LOCAL) {
            Some(n) => RecRef::Group(n),
            None => RecRef::Canon(id),
        }
    }
}

/// A type definition: a composite type, its declared supertype, and whether it may be extended.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct SubType {
    /// No type may declare this one as its supertype.
    pub is_final: bool,
    /// The declared supertype.
    pub supertype: Option<TypeId>,
    /// What is defined.
    pub composite: CompositeType,
    /// The type of the descriptors that its objects have (custom descriptors proposal).
    pub descriptor: Option<TypeId>,
    /// The type whose objects have descriptors of this type.
    pub describes: Option<TypeId>,
}

/// The structure of a defined type.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum CompositeType {
    /// `(struct field*)`
    Struct(Box<[FieldType]>),
    /// `(array field)`
    Array(FieldType),
    /// `(func param* result*)`
    Func(FuncType),
}

impl CompositeType {
    /// Whether this is a function type.
    pub fn is_func(&self) -> bool {
        matches!(self, CompositeType::Func(_))
    }

    /// Which of the three this is.
    pub fn kind(&self) -> CompositeKind {
        match self {
            CompositeType::Struct(_) => CompositeKind::Struct,
            CompositeType::Array(_) => CompositeKind::Array,
            CompositeType::Func(_) => CompositeKind::Func,
        }
    }
}

/// A function signature.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct FuncType {
    /// Parameter types.
    pub params: Box<[ValType]>,
    /// Result types.
    pub results: Box<[ValType]>,
}

/// A field: its storage, and whether it may be written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct FieldType {
    /// What is stored.
    pub storage: StorageType,
    /// `mut`
    pub mutable: bool,
}

impl SubType {
    /// A type without a descriptor, that is none.
    pub fn new(is_final: bool, supertype: Option<TypeId>, composite: CompositeType) -> SubType {
        SubType { is_final, supertype, composite, descriptor: None, describes: None }
    }

    /// Rewrites every defined type that is named in here.
    pub fn map_ids(&mut self, map: &mut impl FnMut(TypeId) -> TypeId) {
        let mut val = |v: &mut ValType| {
            if let ValType::Ref(RefType { heap: HeapType::Concrete(_, id), .. }) = v {
                *id = map(*id);
            }
        };
        let mut field = |f: &mut FieldType| {
            if let StorageType::Val(v) = &mut f.storage {
                val(v);
            }
        };
        match &mut self.composite {
            CompositeType::Struct(fields) => fields.iter_mut().for_each(&mut field),
            CompositeType::Array(f) => field(f),
            CompositeType::Func(f) => {
                f.params.iter_mut().chain(f.results.iter_mut()).for_each(&mut val);
            }
        }
        for id in [&mut self.supertype, &mut self.descriptor, &mut self.describes].into_iter().flatten() {
            *id = map(*id);
        }
    }
}
