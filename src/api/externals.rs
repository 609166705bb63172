//! Globals, tables, and what instances export.
//!
//! A global or table of references outside the `func` hierarchy lives in the heap; any other is the
//! engine's. The embedder sees no difference.

use super::func::Func;
use super::memory::Memory;
use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::types::{ExternType, GlobalType, Mutability, TableType, ValType};
use super::values::{Ref, Val};
use super::{Error, Result, SharedMemory, Tag};
use crate::lower::output::{EntityMeta, TableMeta};
use crate::runtime::cells;
use crate::runtime::instantiate::Exported;
use crate::runtime::linking::Import;
use crate::types as t;

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
    pub(crate) fn of_native(native: wasmtime::Extern) -> Extern {
        match native {
            wasmtime::Extern::Func(func) => Extern::Func(Func::of_native(func)),
            wasmtime::Extern::Global(global) => Extern::Global(Global { place: GlobalPlace::Native(global) }),
            wasmtime::Extern::Table(table) => Extern::Table(Table { place: TablePlace::Native(table) }),
            wasmtime::Extern::Memory(inner) => Extern::Memory(Memory { inner }),
            wasmtime::Extern::SharedMemory(memory) => Extern::SharedMemory(memory),
            wasmtime::Extern::Tag(tag) => Extern::Tag(tag),
        }
    }

    pub(crate) fn of_export(store: u64, export: Exported) -> Option<Extern> {
        Some(match export {
            Exported::Native(native) => Extern::of_native(native),
            Exported::Cell { cell, ty: EntityMeta::RefGlobal { ty, mutable, .. } } => {
                Extern::Global(Global { place: GlobalPlace::Cell { store, cell, ty, mutable } })
            }
            Exported::Cell { cell, ty: EntityMeta::RefTable { ty, .. } } => {
                Extern::Table(Table { place: TablePlace::Cell { store, cell, ty } })
            }
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
            if store == cx.inner.data().gc.id { Ok(()) } else { Err(Error::msg("extern used with the wrong store")) }
        };
        Ok(match self {
            Extern::Func(func) => {
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
                Import::Native(func.into())
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
            Extern::SharedMemory(memory) => Import::Native(memory.clone().into()),
            Extern::Tag(tag) => Import::Native((*tag).into()),
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
            Extern::Tag(tag) => {
                let ty = wasmtime::ExternType::Tag(tag.ty(&cx.inner));
                match ExternType::from_native(&cx.engine(), ty) {
                    Some(ty) => ty,
                    None => panic!("the tag's type is unknown"),
                }
            }
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

/// An export of an instance.
#[derive(Clone, Debug)]
pub struct Export {
    pub(crate) name: String,
    pub(crate) definition: Extern,
}

impl Export {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
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

    /// Its type.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        self.definition.ty(store)
    }
}

/// A global.
#[derive(Clone, Copy, Debug)]
pub struct Global {
    place: GlobalPlace,
}

#[derive(Clone, Copy, Debug)]
enum GlobalPlace {
    Native(wasmtime::Global),
    Cell { store: u64, cell: u32, ty: t::RefType, mutable: bool },
}

#[cold]
fn foreign() -> Error {
    Error::msg("object used with the wrong store")
}

impl Global {
    /// A new global.
    ///
    /// # Errors
    ///
    /// When the value is not of the type, or the GC heap is full.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, val: Val) -> Result<Global> {
        let mut cx = store.as_context_mut();
        let mutable = ty.mutability().is_var();
        let canon = ty.content().to_canon();
        let place = match canon {
            t::ValType::Ref(ty) if !ty.is_func() => {
                let word = val.word(&mut cx, ty)?;
                let cell = cells::new_global(&mut cx.inner, word)?;
                GlobalPlace::Cell { store: cx.inner.data().gc.id, cell, ty, mutable }
            }
            canon => {
                let val = val.lower(&mut cx, canon)?;
                let content = cx.inner.data().gc.engine.lowered_val(canon);
                let content = content.ok_or_else(|| Error::msg("no module has shown this type"))?;
                let mutability = if mutable { wasmtime::Mutability::Var } else { wasmtime::Mutability::Const };
                let ty = wasmtime::GlobalType::new(content, mutability);
                GlobalPlace::Native(wasmtime::Global::new(&mut cx.inner, ty, val)?)
            }
        };
        Ok(Global { place })
    }

    /// Its type.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn ty(&self, store: impl AsContext) -> GlobalType {
        let cx = store.as_context();
        let engine = cx.engine();
        match self.place {
            GlobalPlace::Native(global) => {
                let ty = global.ty(&cx.inner);
                match ExternType::from_native(&engine, ty.into()) {
                    Some(ExternType::Global(ty)) => ty,
                    _ => panic!("the global's type is unknown"),
                }
            }
            GlobalPlace::Cell { ty, mutable, .. } => {
                GlobalType::new(ValType::from_canon(&engine, t::ValType::Ref(ty)), Mutability::of(mutable))
            }
        }
    }

    /// Its value.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn get(&self, mut store: impl AsContextMut) -> Val {
        let mut cx = store.as_context_mut();
        match self.try_get(&mut cx) {
            Ok(val) => val,
            Err(err) => panic!("{err}"),
        }
    }

    fn try_get<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>) -> Result<Val> {
        match self.place {
            GlobalPlace::Native(global) => {
                let ty = self.ty(&*cx).content().to_canon();
                let val = global.get(&mut cx.inner);
                Val::lift(cx, &val, ty)
            }
            GlobalPlace::Cell { store, cell, ty, .. } => {
                if store != cx.inner.data().gc.id {
                    return Err(foreign());
                }
                let word = cells::get(&cx.inner, cell)?;
                Val::of_word(cx, word, ty)
            }
        }
    }

    /// Sets its value.
    ///
    /// # Errors
    ///
    /// When it is immutable, or the value is not of its type.
    pub fn set(&self, mut store: impl AsContextMut, val: Val) -> Result<()> {
        let mut cx = store.as_context_mut();
        match self.place {
            GlobalPlace::Native(global) => {
                let ty = self.ty(&cx).content().to_canon();
                let val = val.lower(&mut cx, ty)?;
                global.set(&mut cx.inner, val)
            }
            GlobalPlace::Cell { store, cell, ty, mutable } => {
                if store != cx.inner.data().gc.id {
                    return Err(foreign());
                }
                if !mutable {
                    return Err(Error::msg("immutable global cannot be set"));
                }
                let word = val.word(&mut cx, ty)?;
                cells::set(&mut cx.inner, cell, word)
            }
        }
    }
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    place: TablePlace,
}

#[derive(Clone, Copy, Debug)]
enum TablePlace {
    Native(wasmtime::Table),
    Cell { store: u64, cell: u32, ty: TableMeta },
}

impl Table {
    /// A new table, with every element the same.
    ///
    /// # Errors
    ///
    /// When the value is not of the type, or there is no room.
    pub fn new(mut store: impl AsContextMut, ty: TableType, init: Ref) -> Result<Table> {
        let mut cx = store.as_context_mut();
        let meta = ty.to_meta();
        if meta.elem.is_func() {
            let init = lower_func(&mut cx, init, meta.elem)?;
            let element = cx.inner.data().gc.engine.lowered_val(t::ValType::Ref(meta.elem));
            let Some(wasmtime::ValType::Ref(element)) = element else {
                return Err(Error::msg("no module has shown this type"));
            };
            let ty = native_type(&ty, element)?;
            let table = wasmtime::Table::new(&mut cx.inner, ty, init)?;
            return Ok(Table { place: TablePlace::Native(table) });
        }
        let word = Val::from(init).word(&mut cx, meta.elem)?;
        let cell = cells::new_table(&mut cx.inner, meta.min, meta.max, word)?;
        Ok(Table { place: TablePlace::Cell { store: cx.inner.data().gc.id, cell, ty: meta } })
    }

    /// Its type.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn ty(&self, store: impl AsContext) -> TableType {
        let cx = store.as_context();
        let engine = cx.engine();
        match self.place {
            TablePlace::Native(table) => {
                match ExternType::from_native(&engine, table.ty(&cx.inner).into()) {
                    Some(ExternType::Table(ty)) => ty,
                    _ => panic!("the table's type is unknown"),
                }
            }
            TablePlace::Cell { ty, .. } => TableType::from_meta(&engine, ty),
        }
    }

    /// The cell, of a table in this store's heap.
    fn own<T: 'static>(cx: &StoreContext<'_, T>, store: u64, cell: u32) -> Result<u32> {
        if store == cx.inner.data().gc.id { Ok(cell) } else { Err(foreign()) }
    }

    /// The element at an index; `None` if there is none.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn get(&self, mut store: impl AsContextMut, index: u64) -> Option<Ref> {
        let mut cx = store.as_context_mut();
        match self.place {
            TablePlace::Native(table) => match table.get(&mut cx.inner, index)? {
                wasmtime::Ref::Func(func) => Some(Ref::Func(func.map(Func::of_native))),
                _ => None,
            },
            TablePlace::Cell { store, cell, ty } => {
                let read = |cx: &mut StoreContextMut<'_, _>| -> Result<Option<Ref>> {
                    let cell = Table::own(&cx.as_context(), store, cell)?;
                    let Some(word) = cells::table_get(&mut cx.inner, cell, index)? else { return Ok(None) };
                    Ok(Val::of_word(cx, word, ty.elem)?.ref_())
                };
                match read(&mut cx) {
                    Ok(element) => element,
                    Err(err) => panic!("{err}"),
                }
            }
        }
    }

    /// Sets an element.
    ///
    /// # Errors
    ///
    /// When the index is out of bounds, or the value is not of the table's type.
    pub fn set(&self, store: impl AsContextMut, index: u64, val: Ref) -> Result<()> {
        self.fill(store, index, val, 1)
    }

    /// How many elements it has.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn size(&self, store: impl AsContext) -> u64 {
        let cx = store.as_context();
        match self.place {
            TablePlace::Native(table) => table.size(&cx.inner),
            TablePlace::Cell { store, cell, .. } => {
                let size = Table::own(&cx, store, cell).and_then(|cell| cells::table_size(&cx.inner, cell));
                match size {
                    Ok(size) => size.into(),
                    Err(err) => panic!("{err}"),
                }
            }
        }
    }

    /// Grows the table: its former size.
    ///
    /// # Errors
    ///
    /// When its maximum or the store's limits are reached, there is no room, or the value is not of the
    /// table's type.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64, init: Ref) -> Result<u64> {
        let mut cx = store.as_context_mut();
        match self.place {
            TablePlace::Native(table) => {
                let elem = self.ty(&cx).to_meta().elem;
                let init = lower_func(&mut cx, init, elem)?;
                table.grow(&mut cx.inner, delta, init)
            }
            TablePlace::Cell { store, cell, ty } => {
                let cell = Table::own(&cx.as_context(), store, cell)?;
                let word = Val::from(init).word(&mut cx, ty.elem)?;
                let old = cells::table_grow(&mut cx.inner, cell, delta, word)?;
                old.map(u64::from).ok_or_else(|| Error::msg(format!("failed to grow table by `{delta}`")))
            }
        }
    }

    /// Sets a range of elements.
    ///
    /// # Errors
    ///
    /// When the range is out of bounds, or the value is not of the table's type.
    pub fn fill(&self, mut store: impl AsContextMut, dst: u64, val: Ref, len: u64) -> Result<()> {
        let mut cx = store.as_context_mut();
        match self.place {
            TablePlace::Native(table) => {
                let elem = self.ty(&cx).to_meta().elem;
                let val = lower_func(&mut cx, val, elem)?;
                table.fill(&mut cx.inner, dst, val, len)
            }
            TablePlace::Cell { store, cell, ty } => {
                let cell = Table::own(&cx.as_context(), store, cell)?;
                let word = Val::from(val).word(&mut cx, ty.elem)?;
                if cells::table_fill(&mut cx.inner, cell, dst, len, word)? {
                    return Ok(());
                }
                Err(Error::msg("table element index out of bounds"))
            }
        }
    }
}

fn lower_func<T: 'static>(cx: &mut StoreContextMut<'_, T>, val: Ref, ty: t::RefType) -> Result<wasmtime::Ref> {
    let val = Val::from(val).lower(cx, t::ValType::Ref(ty))?;
    val.ref_().ok_or_else(|| Error::new(crate::error::Error::bug("a function reference is no reference")))
}

fn native_type(ty: &TableType, element: wasmtime::RefType) -> Result<wasmtime::TableType> {
    if ty.is_64() {
        return Ok(wasmtime::TableType::new64(element, ty.minimum(), ty.maximum()));
    }
    let narrow = |size: u64| u32::try_from(size).map_err(|_| Error::msg("a table with 32-bit indices is too large"));
    Ok(wasmtime::TableType::new(element, narrow(ty.minimum())?, ty.maximum().map(narrow).transpose()?))
}
