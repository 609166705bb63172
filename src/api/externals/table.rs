//! Tables, of the engine or in the heap.

use super::foreign;
use crate::api::func::Func;
use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::api::types::{ExternType, TableType, ValType};
use crate::api::values::{Ref, Val};
use crate::api::{Error, Result, Trap};
use crate::lower::output::TableMeta;
use crate::runtime::cells;
use crate::runtime::ready::patiently;
use crate::types as t;
use wasmtime::error::Context;

const WRONG: &str = "type mismatch: value does not match table element type";

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    pub(super) place: TablePlace,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum TablePlace {
    Native(wasmtime::Table),
    Cell { store: u64, cell: u32, ty: TableMeta },
}

impl Table {
    /// A new table, with every element the same.
    ///
    /// ```
    /// use wasmtime_gc::{ExternRef, Ref, RefType, Store, Table, TableType};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let table = Table::new(&mut store, TableType::new(RefType::EXTERNREF, 2, Some(4)), Ref::Extern(None))?;
    /// let value = ExternRef::new(&mut store, "kept")?;
    /// table.set(&mut store, 1, Ref::Extern(Some(value)))?;
    /// assert!(table.get(&mut store, 0).unwrap().is_null());
    /// assert!(table.get(&mut store, 1).unwrap().is_non_null());
    /// assert!(table.get(&mut store, 2).is_none(), "it has two elements");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the value is not of the type, or of another store, or there is no room; when the type is of another engine.
    pub fn new(mut store: impl AsContextMut, ty: TableType, init: Ref) -> Result<Table> {
        let mut cx = store.as_context_mut();
        ValType::Ref(ty.element().clone()).check_engine(cx.engine()).context(WRONG)?;
        let meta = ty.to_meta();
        if meta.elem.is_func() {
            let (ty, init) = native_parts(&mut cx, &ty, init)?;
            let table = wasmtime::Table::new(&mut cx.inner, ty, init)?;
            return Ok(Table { place: TablePlace::Native(table) });
        }
        let word = word_of(&mut cx, init, meta.elem)?;
        let cell = cells::new_table(&mut cx.inner, meta.min, meta.max, word)?;
        Ok(Table { place: TablePlace::Cell { store: cx.inner.data().gc.id, cell, ty: meta } })
    }

    /// The same as [`Table::new`], in a store whose limiter is asynchronous.
    ///
    /// # Errors
    ///
    /// As [`Table::new`].
    pub async fn new_async(mut store: impl AsContextMut, ty: TableType, init: Ref) -> Result<Table> {
        let mut cx = store.as_context_mut();
        ValType::Ref(ty.element().clone()).check_engine(cx.engine()).context(WRONG)?;
        if !ty.to_meta().elem.is_func() {
            return patiently(cx.inner, |inner| Table::new(StoreContextMut { inner }, ty.clone(), init)).await;
        }
        let (ty, init) = native_parts(&mut cx, &ty, init)?;
        Ok(Table { place: TablePlace::Native(wasmtime::Table::new_async(&mut cx.inner, ty, init).await?) })
    }

    /// The same as [`Table::grow`], in a store whose limiter is asynchronous.
    ///
    /// # Errors
    ///
    /// As [`Table::grow`].
    pub async fn grow_async(&self, mut store: impl AsContextMut, delta: u64, init: Ref) -> Result<u64> {
        let mut cx = store.as_context_mut();
        let TablePlace::Native(table) = self.place else {
            return patiently(cx.inner, |inner| self.grow(StoreContextMut { inner }, delta, init)).await;
        };
        let elem = self.ty(&cx).to_meta().elem;
        let init = lower_func(&mut cx, init, elem)?;
        table.grow_async(&mut cx.inner, delta, init).await
    }

    /// What tells it from others of its store.
    pub(in crate::api) fn number(&self) -> u64 {
        match self.place {
            TablePlace::Native(table) => table.debug_index_in_store(),
            TablePlace::Cell { cell, .. } => super::IN_HEAP | u64::from(cell),
        }
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
            TablePlace::Native(table) => match ExternType::from_native(engine, table.ty(&cx.inner).into()) {
                Some(ExternType::Table(ty)) => ty,
                _ => panic!("the table's type is unknown"),
            },
            TablePlace::Cell { ty, .. } => TableType::from_meta(engine, ty),
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
                let word = word_of(&mut cx, init, ty.elem)?;
                let old = cells::table_grow(&mut cx.inner, cell, delta, word)?;
                old.map(u64::from).ok_or_else(|| Error::msg(format!("failed to grow table by `{delta}`")))
            }
        }
    }

    /// Copies elements from one table to another, or within one.
    ///
    /// # Errors
    ///
    /// When a range is out of bounds, or elements of the one are none of the other's type.
    pub fn copy(
        mut store: impl AsContextMut,
        dst_table: &Table,
        dst_index: u64,
        src_table: &Table,
        src_index: u64,
        len: u64,
    ) -> Result<()> {
        let mut cx = store.as_context_mut();
        let end = |index: u64| index.checked_add(len).ok_or(Trap::TableOutOfBounds);
        if end(src_index)? > src_table.size(&cx) || end(dst_index)? > dst_table.size(&cx) {
            return Err(Trap::TableOutOfBounds.into());
        }
        let [src_elem, dst_elem] = [src_table, dst_table].map(|table| table.ty(&cx).element().clone());
        if !src_elem.matches(&dst_elem) {
            let err = Error::msg(format!("type mismatch: expected {dst_elem}, found {src_elem}"));
            return Err(err.context(
                "type mismatch: source table's element type does not match destination table's element type",
            ));
        }
        match (dst_table.place, src_table.place) {
            (TablePlace::Native(dst), TablePlace::Native(src)) => {
                wasmtime::Table::copy(&mut cx.inner, &dst, dst_index, &src, src_index, len)
            }
            (TablePlace::Cell { cell: dst, .. }, TablePlace::Cell { cell: src, .. }) => {
                let copied = cells::table_copy(&mut cx.inner, (dst, dst_index), (src, src_index), len)?;
                if copied { Ok(()) } else { Err(Trap::TableOutOfBounds.into()) }
            }
            _ => Err(Error::new(crate::fault::Error::bug("tables of one type are kept in two ways"))),
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
                let word = word_of(&mut cx, val, ty.elem)?;
                if cells::table_fill(&mut cx.inner, cell, dst, len, word)? {
                    return Ok(());
                }
                Err(Trap::TableOutOfBounds.into())
            }
        }
    }
}

fn word_of<T: 'static>(cx: &mut StoreContextMut<'_, T>, val: Ref, ty: t::RefType) -> Result<u32> {
    let val = Val::from(val);
    val.word(cx, ty).map_err(|err| val.unfit(err, t::ValType::Ref(ty), WRONG))
}

fn lower_func<T: 'static>(cx: &mut StoreContextMut<'_, T>, val: Ref, ty: t::RefType) -> Result<wasmtime::Ref> {
    let val = Val::from(val).lower_as(cx, t::ValType::Ref(ty), "reference").context(WRONG)?;
    val.ref_().ok_or_else(|| Error::new(crate::fault::Error::bug("a function reference is no reference")))
}

/// The engine's type of a table of functions, and its first element.
fn native_parts<T: 'static>(
    cx: &mut StoreContextMut<'_, T>,
    ty: &TableType,
    init: Ref,
) -> Result<(wasmtime::TableType, wasmtime::Ref)> {
    let elem = ty.to_meta().elem;
    let init = lower_func(cx, init, elem)?;
    match cx.inner.data().gc.engine.lowered_val(t::ValType::Ref(elem)) {
        Some(wasmtime::ValType::Ref(element)) => Ok((native_type(ty, element)?, init)),
        _ => Err(Error::msg("no module has shown this type")),
    }
}

fn native_type(ty: &TableType, element: wasmtime::RefType) -> Result<wasmtime::TableType> {
    if ty.is_64() {
        return Ok(wasmtime::TableType::new64(element, ty.minimum(), ty.maximum()));
    }
    let narrow = |size: u64| u32::try_from(size).map_err(|_| Error::msg("a table with 32-bit indices is too large"));
    Ok(wasmtime::TableType::new(element, narrow(ty.minimum())?, ty.maximum().map(narrow).transpose()?))
}
