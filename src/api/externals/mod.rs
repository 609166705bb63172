//! What can be imported and exported.
//!
//! A global or table of references outside the `func` hierarchy lives in the heap; any other is the
//! engine's. The embedder sees no difference.
//!
//! | file | what |
//! |---|---|
//! | `global.rs` | globals |
//! | `table.rs` | tables |
//! | `tag.rs` | exception tags |

mod global;
mod table;
mod tag;

pub use global::Global;
pub use table::Table;
pub use tag::Tag;

use super::func::Func;
use super::memory::Memory;
use super::store::{AsContext, StoreContextMut};
use super::types::ExternType;
use super::{Error, Result, SharedMemory};
use crate::lower::output::EntityMeta;
use crate::runtime::instantiate::Exported;
use crate::runtime::linking::{Import, of_another_store};
use global::GlobalPlace;
use table::TablePlace;

/// Something that can be imported or exported.
#[derive(Clone, Debug)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A global.
    Global(Global),
    /// A table.
    Table(Table),
    /// A memory.
    Memory(Memory),
    /// A memory that threads share.
    SharedMemory(SharedMemory),
    /// An exception tag.
    Tag(Tag),
}

impl Extern {
    /// What it is, in Wasmtime's word for it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Extern::Func(_) => "function",
            Extern::Global(_) => "global",
            Extern::Table(_) => "table",
            Extern::Memory(_) | Extern::SharedMemory(_) => "memory",
            Extern::Tag(_) => "tag",
        }
    }

    /// What the engine exports; `None` for its own tags, which no module has.
    pub(crate) fn of_native(native: wasmtime::Extern) -> Option<Extern> {
        Some(match native {
            wasmtime::Extern::Func(func) => Extern::Func(Func::of_native(func)),
            wasmtime::Extern::Global(global) => Extern::Global(Global::of_native(global)),
            wasmtime::Extern::Table(table) => Extern::Table(Table { place: TablePlace::Native(table) }),
            wasmtime::Extern::Memory(inner) => Extern::Memory(Memory { inner }),
            wasmtime::Extern::SharedMemory(inner) => Extern::SharedMemory(SharedMemory { inner }),
            wasmtime::Extern::Tag(_) => return None,
        })
    }

    pub(crate) fn of_export(store: u64, export: Exported) -> Option<Extern> {
        Some(match export {
            Exported::Native(native) => Extern::of_native(native)?,
            Exported::Silent(func) => Extern::Func(Func::of_silent(func)),
            Exported::Cell { cell, ty: EntityMeta::RefGlobal { ty, mutable, .. } } => {
                Extern::Global(Global { place: GlobalPlace::Cell { store, cell, ty, mutable } })
            }
            Exported::Cell { cell, ty: EntityMeta::RefTable { ty, .. } } => {
                Extern::Table(Table { place: TablePlace::Cell { store, cell, ty } })
            }
            Exported::Cell { cell: identity, ty: EntityMeta::Tag { .. } } => Extern::Tag(Tag { store, identity }),
            Exported::Cell { .. } => return None,
        })
    }

    /// The definition for an import that has the type `native` in the lowered module.
    pub(crate) fn to_import<T: 'static>(
        &self,
        cx: &mut StoreContextMut<'_, T>,
        native: &wasmtime::ExternType,
    ) -> Result<Import> {
        let own = |store: u64| -> Result<()> {
            if store == cx.inner.data().gc.id { Ok(()) } else { Err(of_another_store()) }
        };
        Ok(match self {
            Extern::Func(func) => {
                func.check_store(cx, "function").map_err(|_| of_another_store())?;
                let silent = func.is_silent();
                let func = match native {
                    wasmtime::ExternType::Func(ty) => {
                        let id = cx.inner.data().gc.engine.canon_func(ty);
                        match id {
                            Some(id) if func.fits(&cx.as_context(), id)? => func.native_for(cx, ty.clone())?,
                            _ => func.native(cx)?,
                        }
                    }
                    _ => func.native(cx)?,
                };
                if silent { Import::Silent(func) } else { Import::Native(func.into()) }
            }
            Extern::Global(Global { place: GlobalPlace::Native(global) }) => Import::Native((*global).into()),
            Extern::Global(Global { place: GlobalPlace::Cell { store, cell, ty, mutable } }) => {
                own(*store)?;
                Import::Global { cell: *cell, ty: *ty, mutable: *mutable }
            }
            Extern::Table(Table { place: TablePlace::Native(table) }) => Import::Native((*table).into()),
            Extern::Table(Table { place: TablePlace::Cell { store, cell, ty } }) => {
                own(*store)?;
                Import::Table { cell: *cell, ty: *ty }
            }
            Extern::Memory(memory) => Import::Native(memory.inner.into()),
            Extern::SharedMemory(memory) => Import::Native(memory.inner.clone().into()),
            Extern::Tag(tag) => {
                own(tag.store)?;
                Import::Tag { identity: tag.identity, id: tag.type_id(&cx.as_context())? }
            }
        })
    }

    /// The function, if this is one.
    pub fn into_func(self) -> Option<Func> {
        match self {
            Extern::Func(func) => Some(func),
            _ => None,
        }
    }

    /// The global, if this is one.
    pub fn into_global(self) -> Option<Global> {
        match self {
            Extern::Global(global) => Some(global),
            _ => None,
        }
    }

    /// The table, if this is one.
    pub fn into_table(self) -> Option<Table> {
        match self {
            Extern::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The memory, if this is one that is not shared.
    pub fn into_memory(self) -> Option<Memory> {
        match self {
            Extern::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    /// The shared memory, if this is one.
    pub fn into_shared_memory(self) -> Option<SharedMemory> {
        match self {
            Extern::SharedMemory(memory) => Some(memory),
            _ => None,
        }
    }

    /// The tag, if this is one.
    pub fn into_tag(self) -> Option<Tag> {
        match self {
            Extern::Tag(tag) => Some(tag),
            _ => None,
        }
    }

    /// Its type.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        let cx = store.as_context();
        match self {
            Extern::Func(func) => func.ty(&cx).into(),
            Extern::Global(global) => global.ty(&cx).into(),
            Extern::Table(table) => table.ty(&cx).into(),
            Extern::Memory(memory) => memory.ty(&cx).into(),
            Extern::SharedMemory(memory) => memory.ty().into(),
            Extern::Tag(tag) => ExternType::Tag(tag.ty(&cx)),
        }
    }
}

macro_rules! from {
    ($($variant:ident($ty:ty))*) => {
        $(impl From<$ty> for Extern {
            fn from(entity: $ty) -> Extern {
                Extern::$variant(entity)
            }
        })*
    };
}

from! { Func(Func) Global(Global) Table(Table) Memory(Memory) SharedMemory(SharedMemory) Tag(Tag) }

/// Numbers of what is in the heap; the engine has instances in their upper half, and `u32::MAX` for the host.
const IN_HEAP: u64 = (u32::MAX as u64 - 1) << 32;

/// An export of an instance.
#[derive(Clone, Debug)]
pub struct Export<'instance> {
    pub(crate) name: &'instance str,
    pub(crate) definition: Extern,
}

impl<'instance> Export<'instance> {
    /// Its name.
    pub fn name(&self) -> &'instance str {
        self.name
    }

    /// What is exported.
    pub fn into_extern(self) -> Extern {
        self.definition
    }

    /// The function, if this is one.
    pub fn into_func(self) -> Option<Func> {
        self.definition.into_func()
    }

    /// The global, if this is one.
    pub fn into_global(self) -> Option<Global> {
        self.definition.into_global()
    }

    /// The table, if this is one.
    pub fn into_table(self) -> Option<Table> {
        self.definition.into_table()
    }

    /// The memory, if this is one.
    pub fn into_memory(self) -> Option<Memory> {
        self.definition.into_memory()
    }

    /// The shared memory, if this is one.
    pub fn into_shared_memory(self) -> Option<SharedMemory> {
        self.definition.into_shared_memory()
    }

    /// The tag, if this is one.
    pub fn into_tag(self) -> Option<Tag> {
        self.definition.into_tag()
    }

    /// Its type.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        self.definition.ty(store)
    }
}

#[cold]
fn foreign() -> Error {
    Error::msg("object used with the wrong store")
}
