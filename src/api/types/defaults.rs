//! Defaults: zeroes, nulls, and what consists of them.

use super::FuncType;
use super::entity::{ExternType, GlobalType, TableType, TagType};
use super::val::ValType;
use crate::api::store::AsContextMut;
use crate::api::values::Val;
use crate::api::{Error, Extern, Func, Global, Memory, Result, SharedMemory, Table, Tag};

impl ValType {
    /// Zero or null; `None` for references that can not be null.
    pub fn default_value(&self) -> Option<Val> {
        Val::default_for_ty(self)
    }
}

impl FuncType {
    /// A function that does nothing, and returns defaults.
    ///
    /// # Errors
    ///
    /// When a result has no default.
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Func> {
        let defaults: Option<Vec<Val>> = self.results().map(|ty| ty.default_value()).collect();
        let defaults = defaults.ok_or_else(|| Error::msg("function results do not have a default value"))?;
        Ok(Func::new(store, self.clone(), move |_, _, results| {
            results.copy_from_slice(&defaults);
            Ok(())
        }))
    }
}

impl GlobalType {
    /// A global that holds the default of its type.
    ///
    /// # Errors
    ///
    /// When there is none, or the GC heap is full.
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Global> {
        let val = self.content().default_value().ok_or_else(|| Error::msg("global type has no default value"))?;
        Global::new(store, self.clone(), val)
    }
}

impl TableType {
    /// A table full of nulls.
    ///
    /// # Errors
    ///
    /// When elements can not be null, or there is no room.
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Table> {
        let default = ValType::Ref(self.element().clone()).default_value().and_then(Val::ref_);
        let default = default.ok_or_else(|| Error::msg("table element type does not have a default value"))?;
        Table::new(store, self.clone(), default)
    }
}

impl TagType {
    /// A new tag.
    ///
    /// # Errors
    ///
    /// When the signature has results.
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Tag> {
        Tag::new(store, self)
    }
}

impl ExternType {
    /// Something of this type, as empty as it can be.
    ///
    /// # Errors
    ///
    /// When there is nothing such, or no room.
    pub fn default_value(&self, mut store: impl AsContextMut) -> Result<Extern> {
        Ok(match self {
            ExternType::Func(ty) => ty.default_value(store)?.into(),
            ExternType::Global(ty) => ty.default_value(store)?.into(),
            ExternType::Table(ty) => ty.default_value(store)?.into(),
            ExternType::Memory(ty) if ty.is_shared() => {
                SharedMemory::new(store.as_context_mut().engine(), ty.clone())?.into()
            }
            ExternType::Memory(ty) => Memory::new(store, ty.clone())?.into(),
            ExternType::Tag(ty) => ty.default_value(store)?.into(),
        })
    }
}
