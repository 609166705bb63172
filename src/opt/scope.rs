//! What passes must know of the module around a function.

use super::writes::{Calls, Written, field, field_class};
use crate::types::{TypeId, TypeTable};

/// What passes must know of the module around a function.
#[derive(Clone, Copy)]
pub struct Scope<'m> {
    /// Its types.
    pub types: &'m TypeTable,
    /// The type of each of its functions.
    pub funcs: &'m [TypeId],
    /// Its globals, by index.
    pub globals: &'m [GlobalKind],
    /// What its functions write.
    pub calls: &'m Calls,
    /// Which fields any of them writes.
    pub written: &'m Written,
}

/// Who may write a global.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GlobalKind {
    /// A number or a function reference: the engine's own, and the engine's to optimise.
    Native,
    /// Nobody.
    Constant,
    /// `global.set` of this index, and calls.
    Own,
    /// The same, and `global.set` of others that are imported: they may be the same global.
    Imported,
}

impl Scope<'_> {
    /// Who may write a global.
    pub fn global(&self, index: u32) -> GlobalKind {
        self.globals.get(index as usize).copied().unwrap_or(GlobalKind::Native)
    }

    /// Whether a field keeps what an object was made with: it is immutable, or nobody writes it.
    pub fn is_constant(&self, ty: TypeId, index: u32) -> bool {
        let mutable = field(self.types, ty, index).is_none_or(|field| field.mutable);
        !mutable || !self.written.has(field_class(self.types, ty, index))
    }
}
