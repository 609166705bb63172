//! Instantiation of a compiled module.
//!
//! A lowered module needs a heap that knows its types, a root area, function handles, and the runtime
//! imports before its own. Its globals, tables, segments and start function are set up by code in the
//! module itself.

use super::code::{Code, LoweredCode, Module};
use super::engine::EngineState;
use super::entry::Entry;
use super::hooks::tell;
use super::imports::{InstanceNeeds, resolve};
use super::linking::{Import, check, check_store, foreign_kind, incompatible};
use super::metering::Unmetered;
use super::ready::retried;
use super::store::{StoreData, alloc_error, ensure_heap, with_heap};
use super::{Error, Result, cells, debug, handles};
use crate::lower::output::{Cell, EntityMeta};
use std::sync::Arc;
use wasmtime::{AsContextMut, CallHook, Extern, Func, StoreContextMut};

/// An instance.
pub struct InstanceState {
    /// The engine's instance.
    pub wasmtime: wasmtime::Instance,
    /// The module, as the embedder knows it.
    pub module: Module,
    /// The module.
    pub code: Arc<Code>,
    /// Address of the root area.
    area: u32,
    /// It was left alone, and no function that it imports may return with an exception pending.
    silent: bool,
    /// Identity of the first of its own tags.
    tag_base: u32,
    /// For each original import that lives in the heap, or is a tag: its cell, or identity.
    import_cells: Vec<Option<u32>>,
}

/// What an instance exports that the engine does not know: known before the instance is, whose start function may
/// call the host.
pub struct ExportCells {
    code: Arc<Code>,
    area: u32,
    tag_base: u32,
    import_cells: Vec<Option<u32>>,
}

impl ExportCells {
    /// The export with a name, if it is one of these.
    pub fn export(&self, name: &str) -> Option<Exported> {
        let ty = self.code.lowered.as_ref()?.export(name)?;
        let (cell, base) = match ty {
            EntityMeta::RefGlobal { cell, .. } | EntityMeta::RefTable { cell, .. } => (*cell, self.area),
            EntityMeta::Tag { cell, .. } => (*cell, self.tag_base),
            _ => return None,
        };
        let cell = match cell? {
            Cell::Own(offset) => base.checked_add(offset)?,
            Cell::Import(import) => (*self.import_cells.get(import as usize)?)?,
        };
        Some(Exported::Cell { cell, ty: ty.clone() })
    }
}

/// What an instance exports under a name.
pub enum Exported {
    /// An entity of the engine.
    Native(Extern),
    /// A function that never returns with an exception pending to who does not ask.
    Silent(Func),
    /// Something in the heap, or a tag.
    Cell {
        /// Address of the cell; identity of the tag.
        cell: u32,
        /// Its type.
        ty: EntityMeta,
    },
}

/// An instantiation of which only the engine's part is missing.
struct Prepared {
    code: Arc<Code>,
    /// The engine's imports.
    natives: Vec<Extern>,
    silent: bool,
    area: u32,
    tag_base: u32,
    import_cells: Vec<Option<u32>>,
}

/// Instantiates a module. There must be one definition for each original import.
///
/// # Errors
///
/// When definitions do not match, the store's limits are reached, or the start function fails.
pub fn instantiate<T: 'static>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    code: &Arc<Code>,
    imports: &[Import],
) -> Result<InstanceState> {
    let prepared = prepare(cx, code, imports, &mut false)?;
    let mut entry = Entry::new(cx);
    if let Err(err) = before_start(&mut entry, &prepared.code) {
        let wasmtime = entry.leave(Err(err));
        return prepared.finish(cx, wasmtime);
    }
    let mut free = Unmetered::new(&mut entry.cx, &prepared.code);
    let instance = wasmtime::Instance::new(&mut free.cx, &prepared.code.wasmtime, &prepared.natives);
    let instance = instance.and_then(|instance| debug::start(&mut free, &prepared.code, instance).map(|()| instance));
    drop(free);
    let wasmtime = entry.leave(instance);
    let wasmtime = after_start(cx, &prepared.code, wasmtime);
    prepared.finish(cx, wasmtime)
}

/// The same where start functions may wait.
///
/// # Errors
///
/// As [`instantiate`].
pub async fn instantiate_async<T: 'static>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    code: &Arc<Code>,
    imports: &[Import],
) -> Result<InstanceState> {
    let mut counted = false;
    let prepared = retried(cx, |cx| prepare(cx, code, imports, &mut counted)).await?;
    let mut entry = Entry::new(cx);
    if let Err(err) = before_start(&mut entry, &prepared.code) {
        let wasmtime = entry.leave(Err(err));
        return prepared.finish(cx, wasmtime);
    }
    let mut free = Unmetered::new(&mut entry.cx, &prepared.code);
    let instance = wasmtime::Instance::new_async(&mut free.cx, &prepared.code.wasmtime, &prepared.natives).await;
    let instance = match instance {
        Ok(instance) => debug::start_async(&mut free, &prepared.code, instance).await.map(|()| instance),
        Err(err) => Err(err),
    };
    drop(free);
    let wasmtime = entry.leave(instance);
    let wasmtime = after_start(cx, &prepared.code, wasmtime);
    prepared.finish(cx, wasmtime)
}

/// Tells that the start function is called, if there is one.
fn before_start<T: 'static>(entry: &mut Entry<'_, T>, code: &Code) -> Result<()> {
    if code.starts() { tell(&mut entry.cx, CallHook::CallingWasm) } else { Ok(()) }
}

/// Tells that it has returned.
fn after_start<T: 'static, R>(cx: &mut StoreContextMut<'_, StoreData<T>>, code: &Code, result: Result<R>) -> Result<R> {
    if code.starts() {
        tell(cx, CallHook::ReturningFromWasm)?;
    }
    result
}

fn prepare<T: 'static>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    code: &Arc<Code>,
    imports: &[Import],
    counted: &mut bool,
) -> Result<Prepared> {
    let expected = code.imports().len();
    if imports.len() != expected {
        return Err(Error::msg(format!("expected {expected} imports, found {}", imports.len())));
    }
    let silent = !may_throw(imports);
    let checked = match silent {
        true => None,
        false => code.checked(&cx.data().gc.engine.clone())?,
    };
    let module = code;
    let code = checked.as_ref().unwrap_or(code);
    if cx.data().gc.engine.options.debug {
        debug::prepare(cx, module, code)?;
    }
    match &code.lowered {
        Some(lowered) => prepare_lowered(cx, code, lowered, imports, counted),
        None => {
            let prepared = prepare_plain(&cx.data().gc.engine, code, imports)?;
            count(cx, code, counted)?;
            Ok(Prepared { silent, ..prepared })
        }
    }
}

/// Counts the instance, the first time.
fn count<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, code: &Code, counted: &mut bool) -> Result<()> {
    if std::mem::replace(counted, true) { Ok(()) } else { cx.data_mut().count_instance(code) }
}

/// Whether the engine has refused what is imported, which it looks at before it counts.
fn is_mismatch(err: &Error) -> bool {
    let text = err.to_string();
    let has_run = err.downcast_ref::<wasmtime::WasmBacktrace>().is_some();
    !has_run && ["incompatible import type", "cross-`", "imports, found"].iter().any(|words| text.contains(words))
}

impl Prepared {
    fn finish<T: 'static>(
        self,
        cx: &mut StoreContextMut<'_, StoreData<T>>,
        wasmtime: Result<wasmtime::Instance>,
    ) -> Result<InstanceState> {
        let Prepared { code, silent, area, tag_base, import_cells, .. } = self;
        match wasmtime {
            Ok(wasmtime) => {
                let module = Module { engine: cx.data().engine.clone(), code: code.clone() };
                Ok(InstanceState { wasmtime, module, code, area, silent, tag_base, import_cells })
            }
            Err(err) => {
                if is_mismatch(&err) {
                    cx.data_mut().uncount_instance(&code);
                }
                // Its functions may be in a table, and what is known of their code is needed yet.
                cx.data_mut().gc.keep(&code);
                Err(err)
            }
        }
    }
}

/// Whether a call of an import may return with an exception pending.
fn may_throw(imports: &[Import]) -> bool {
    imports.iter().any(|import| matches!(import, Import::Native(Extern::Func(_))))
}

fn prepare_plain(engine: &EngineState, code: &Arc<Code>, imports: &[Import]) -> Result<Prepared> {
    let mut natives = Vec::with_capacity(imports.len());
    for (expected, actual) in code.imports().zip(imports) {
        match actual {
            Import::Native(native) => natives.push(native.clone()),
            Import::Silent(func) => natives.push((*func).into()),
            _ => {
                let err = foreign_kind(engine, &expected.ty(), actual);
                return Err(incompatible(err, expected.module(), expected.name()));
            }
        }
    }
    Ok(Prepared { code: code.clone(), natives, silent: false, area: 0, tag_base: 0, import_cells: Vec::new() })
}

fn prepare_lowered<T: 'static>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    code: &Arc<Code>,
    lowered: &LoweredCode,
    imports: &[Import],
    counted: &mut bool,
) -> Result<Prepared> {
    let engine = cx.data().gc.engine.clone();
    let meta = &lowered.meta;
    let place = ensure_heap(&mut *cx)?;
    for ((expected, native), actual) in meta.imports.iter().zip(code.imports()).zip(imports) {
        let size = match actual {
            Import::Table { cell, .. } => u64::from(cells::table_size(&*cx, *cell)?),
            _ => 0,
        };
        check_store(cx, code, expected, actual)?;
        check(cx, &engine, expected, &native.ty(), actual, size)?;
    }
    count(cx, code, counted)?;
    // Before anything is taken that nobody gives back: what the limiter has to wait for is asked again.
    for (_, ty) in &meta.own_tables {
        cx.data_mut().new_table_allowed(ty.min, ty.max)?;
    }
    let area = with_heap(&mut *cx, |state, mem| {
        let index = |&id: &crate::types::TypeId| engine.gc_types.ensure_record(id).map(|ty| ty.index);
        state.sync_types(&engine, mem, || meta.types.iter().filter_map(index).max())?;
        state.heap.alloc_root_area(mem, meta.area_words).map_err(alloc_error)
    })??;
    let function_base = handles::reserve(&mut *cx, meta.function_handles)?;
    let tag_base = cx.data_mut().gc.add_tags(&meta.own_tags);
    // Also of an instance that does not come to be: its functions may.
    let number = cx.data().gc.export_cells.len() as u32;
    let needs = InstanceNeeds { area, function_base, tag_base, number };
    let mut natives = Vec::with_capacity(meta.runtime_imports.len() + imports.len());
    for (import, native) in meta.runtime_imports.iter().zip(code.wasmtime.imports()) {
        natives.push(resolve(&mut *cx, &place, needs, &code.counts, import, native.ty())?);
    }
    let mut import_cells = Vec::with_capacity(imports.len());
    for import in imports {
        let (native, cell) = match import {
            Import::Native(native) => (native.clone(), None),
            Import::Silent(func) => ((*func).into(), None),
            Import::Global { cell, .. } | Import::Table { cell, .. } | Import::Tag { identity: cell, .. } => {
                (super::imports::constant(&mut *cx, *cell)?.into(), Some(*cell))
            }
        };
        natives.push(native);
        import_cells.push(cell);
    }
    set_up_tables(cx, lowered, area)?;
    let cells = ExportCells { code: code.clone(), area, tag_base, import_cells: import_cells.clone() };
    cx.data_mut().gc.export_cells.push(Arc::new(cells));
    Ok(Prepared { code: code.clone(), natives, silent: false, area, tag_base, import_cells })
}

/// Makes the instance's own tables empty and notes their largest sizes.
fn set_up_tables<T: 'static>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    lowered: &LoweredCode,
    area: u32,
) -> Result<()> {
    if lowered.meta.own_tables.is_empty() && lowered.meta.own_segments.is_empty() {
        return Ok(());
    }
    with_heap(cx, |state, mem| {
        for (offset, ty) in &lowered.meta.own_tables {
            let Some(offset) = offset else { continue };
            cells::set_up_table(state, mem, area + offset, ty.max)?;
            state.table_granted.insert(area + offset);
        }
        for offset in &lowered.meta.own_segments {
            cells::set_up_segment(mem, area + offset)?;
        }
        Ok(())
    })?
}

impl InstanceState {
    /// The export with a name.
    pub fn export<T: 'static>(&self, mut cx: impl AsContextMut<Data = StoreData<T>>, name: &str) -> Option<Exported> {
        let native = |cx| self.wasmtime.get_export(cx, name).map(Exported::Native);
        let Some(lowered) = &self.code.lowered else {
            return Some(match native(cx.as_context_mut())? {
                Exported::Native(Extern::Func(func)) if self.silent => Exported::Silent(func),
                export => export,
            });
        };
        self.in_heap(lowered.export(name)?).unwrap_or_else(|| native(cx.as_context_mut()))
    }

    /// What lives in the heap, or is a tag; `None` for any other entity.
    pub(super) fn in_heap(&self, ty: &EntityMeta) -> Option<Option<Exported>> {
        let (cell, base) = match ty {
            EntityMeta::RefGlobal { cell, .. } | EntityMeta::RefTable { cell, .. } => (*cell, self.area),
            EntityMeta::Tag { cell, .. } => (*cell, self.tag_base),
            _ => return None,
        };
        let cell = cell.and_then(|cell| self.cell(cell, base));
        Some(cell.map(|cell| Exported::Cell { cell, ty: ty.clone() }))
    }

    /// Whether its functions never return with an exception pending.
    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    /// The names of all exports, in order.
    pub fn export_names(&self) -> Vec<&str> {
        self.code.export_names()
    }

    fn cell(&self, cell: Cell, base: u32) -> Option<u32> {
        match cell {
            Cell::Own(offset) => base.checked_add(offset),
            Cell::Import(import) => *self.import_cells.get(import as usize)?,
        }
    }
}
