//! The types of exceptions.
//!
//! WebAssembly has no types between `exn` and `noexn`; this one is the host's alone, and stands for
//! the signature of a tag. Where a guest's types are concerned it counts as `exn`.

use super::composite::{FieldType, FuncType, Mutability, StorageType};
use super::entity::TagType;
use super::val::ValType;
use crate::api::{Engine, Error, Result};
use crate::types as t;
use std::fmt;

/// The type of an exception: what its payload consists of.
#[derive(Debug, Clone)]
pub struct ExnType {
    signature: FuncType,
}

impl ExnType {
    /// A type of exceptions with this payload.
    ///
    /// # Errors
    ///
    /// When the engine can hold no more types.
    pub fn new(engine: &Engine, fields: impl IntoIterator<Item = ValType>) -> Result<ExnType> {
        Ok(ExnType { signature: FuncType::try_new(engine, fields, [])? })
    }

    /// The type of the exceptions of a tag of this type.
    ///
    /// # Errors
    ///
    /// When the tag's signature has results.
    pub fn from_tag_type(tag: &TagType) -> Result<ExnType> {
        if tag.ty().results().len() > 0 {
            return Err(Error::msg("Cannot create an exception type from a tag type with results in the signature"));
        }
        Ok(ExnType { signature: tag.ty().clone() })
    }

    pub(crate) fn of(engine: &Engine, signature: t::TypeId) -> Result<ExnType> {
        Ok(ExnType { signature: FuncType::of(engine, signature) })
    }

    pub(crate) fn id(&self) -> t::TypeId {
        self.signature.id()
    }

    pub(crate) fn signature(&self) -> Result<&t::FuncType> {
        let bug = || Error::new(crate::fault::Error::bug("the signature of a tag is no function type"));
        self.signature.signature().ok_or_else(bug)
    }

    /// The types of the payload.
    pub(crate) fn payload(&self) -> &[t::ValType] {
        self.signature.signature().map_or(&[], |signature| &signature.params)
    }

    /// The type of the tags of such exceptions.
    pub fn tag_type(&self) -> TagType {
        TagType::new(self.signature.clone())
    }

    /// The payload, as fields that never change.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = FieldType> + '_ {
        self.signature.params().map(|ty| FieldType::new(Mutability::Const, StorageType::ValType(ty)))
    }

    /// The `i`th field of the payload.
    pub fn field(&self, i: usize) -> Option<FieldType> {
        self.fields().nth(i)
    }

    /// The engine that it belongs to.
    pub fn engine(&self) -> &Engine {
        self.signature.engine()
    }

    /// Whether it is the other type: there are no subtypes.
    pub fn matches(&self, other: &ExnType) -> bool {
        FuncType::eq(&self.signature, &other.signature)
    }
}

impl fmt::Display for ExnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(exn {}", self.signature)?;
        self.fields().try_for_each(|field| write!(f, " (field {})", field.element_type()))?;
        write!(f, ")")
    }
}
