//! Do import and definition match (Wasm 3.0, sections 3.4 and 4.5.1).
//!
//! Types are compared as they were before lowering: what has become an `i32` still only matches a
//! reference of the right type. Entities that lowering leaves alone are checked by the engine itself.

use super::code::Code;
use super::engine::EngineState;
use super::handles::is_sub_func;
use super::store::StoreData;
use super::{Error, Result};
use crate::lower::output::{EntityMeta, ImportMeta, TableMeta};
use crate::types::{CompositeType, HeapType, RefType, TypeId, ValType};
use wasmtime::{Extern, ExternType, Func, StoreContextMut};

/// A definition for an import.
#[derive(Clone)]
pub enum Import {
    /// An entity of the engine.
    Native(Extern),
    /// A function of the engine that never returns with an exception pending to a caller that does not
    /// ask: a host function, or one of a module that was left alone.
    Silent(Func),
    /// A global in the heap.
    Global {
        /// Address of its cell.
        cell: u32,
        /// Type of its value.
        ty: RefType,
        /// Whether it can be written.
        mutable: bool,
    },
    /// A table in the heap.
    Table {
        /// Address of its cells.
        cell: u32,
        /// Its type.
        ty: TableMeta,
    },
    /// A tag.
    Tag {
        /// Its identity.
        identity: u32,
        /// Canonical type of its signature.
        id: TypeId,
    },
}

impl Import {
    fn kind(&self) -> &'static str {
        match self {
            Import::Native(Extern::Func(_)) | Import::Silent(_) => "function",
            Import::Native(Extern::Global(_)) | Import::Global { .. } => "global",
            Import::Native(Extern::Table(_)) | Import::Table { .. } => "table",
            Import::Native(Extern::Memory(_) | Extern::SharedMemory(_)) => "memory",
            Import::Native(Extern::Tag(_)) | Import::Tag { .. } => "tag",
        }
    }
}

/// Checks a definition for an import of a lowered module. `native` is the import's type there, `size`
/// the present number of elements of a table in the heap.
pub fn check<T: 'static>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    engine: &EngineState,
    expected: &ImportMeta,
    native: &ExternType,
    actual: &Import,
    size: u64,
) -> Result<()> {
    let result = match (&expected.ty, actual) {
        (EntityMeta::Func { id, exact, .. }, Import::Native(Extern::Func(func)) | Import::Silent(func)) => {
            check_func(engine, (*id, *exact), native, func.ty(&*cx))
        }
        (EntityMeta::RefGlobal { ty, mutable, .. }, Import::Global { ty: actual, mutable: actual_mut, .. }) => {
            check_global(engine, (*ty, *mutable), (*actual, *actual_mut))
        }
        (EntityMeta::RefTable { ty, .. }, Import::Table { ty: actual, .. }) => check_table(engine, *ty, *actual, size),
        (EntityMeta::RefGlobal { ty, .. }, Import::Native(Extern::Global(global))) => {
            let actual = global.ty(&*cx).content().clone();
            Err(mismatch("global", &show(engine, ValType::Ref(*ty)), short(&actual.to_string())))
        }
        (EntityMeta::Global { ty, .. }, Import::Global { ty: actual, .. }) => {
            Err(mismatch("global", &show(engine, *ty), &show(engine, ValType::Ref(*actual))))
        }
        (EntityMeta::RefTable { ty, .. }, Import::Native(Extern::Table(table))) => {
            let actual = table.ty(&*cx).element().clone();
            Err(mismatch("table", &show(engine, ValType::Ref(ty.elem)), short(&actual.to_string())))
        }
        (EntityMeta::Table(ty), Import::Table { ty: actual, .. }) => {
            Err(mismatch("table", &show(engine, ValType::Ref(ty.elem)), &show(engine, ValType::Ref(actual.elem))))
        }
        (EntityMeta::Global { ty, .. }, Import::Native(Extern::Global(global))) if is_no_func(ty) => {
            match global.get(&mut *cx) {
                wasmtime::Val::FuncRef(Some(_)) => Err(holds_function("global", engine, ty)),
                _ => Ok(()),
            }
        }
        (EntityMeta::Table(ty), Import::Native(Extern::Table(table))) if is_no_func(&ValType::Ref(ty.elem)) => {
            let mut elements = (0..table.size(&*cx)).map(|i| table.get(&mut *cx, i));
            match elements.any(|element| matches!(element, Some(wasmtime::Ref::Func(Some(_))))) {
                true => Err(holds_function("table", engine, &ValType::Ref(ty.elem))),
                false => Ok(()),
            }
        }
        (EntityMeta::Global { .. }, Import::Native(Extern::Global(_)))
        | (EntityMeta::Table(_), Import::Native(Extern::Table(_)))
        | (EntityMeta::Memory, Import::Native(Extern::Memory(_) | Extern::SharedMemory(_))) => Ok(()),
        (EntityMeta::Tag { id, .. }, Import::Tag { id: actual, .. }) => check_tag(*id, *actual),
        (expected, actual) => Err(Error::msg(format!("expected {}, but found {}", kind(expected), actual.kind()))),
    };
    result.map_err(|err| incompatible(err, &expected.module, &expected.name))
}

/// Whether a type has no value but the null of functions. Lowered code has no name for it.
fn is_no_func(ty: &ValType) -> bool {
    matches!(ty, ValType::Ref(RefType { heap: HeapType::NoFunc, .. }))
}

#[cold]
fn holds_function(what: &str, engine: &EngineState, expected: &ValType) -> Error {
    mismatch(what, &show(engine, *expected), "funcref")
}

/// An error if a global or table of the engine, where an import wants one in the heap, or of no functions, is of another store:
/// to look at it would panic. The engine looks for that before it counts what is to be imported, and so much is never imported.
pub fn check_store<T: 'static>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    code: &Code,
    expected: &ImportMeta,
    actual: &Import,
) -> Result<()> {
    let Import::Native(item) = actual else { return Ok(()) };
    let is_looked_at = match &expected.ty {
        EntityMeta::RefGlobal { .. } | EntityMeta::RefTable { .. } => true,
        EntityMeta::Global { ty, .. } => is_no_func(ty),
        EntityMeta::Table(ty) => is_no_func(&ValType::Ref(ty.elem)),
        _ => false,
    };
    if !is_looked_at {
        return Ok(());
    }
    let (Extern::Global(_) | Extern::Table(_)) = item else { return Ok(()) };
    let too_many = vec![item.clone(); code.wasmtime.imports().len() + 1];
    match wasmtime::Instance::new(cx, &code.wasmtime, &too_many) {
        Err(err) if err.to_string().contains("cross-") => Err(of_another_store()),
        _ => Ok(()),
    }
}

/// The error for a definition of another store, in the engine's words.
#[cold]
pub fn of_another_store() -> Error {
    Error::msg("cross-`Store` instantiation is not currently supported")
}

/// The error for a definition that does not match.
#[cold]
pub fn incompatible(err: Error, module: &str, name: &str) -> Error {
    err.context(format!("incompatible import type for `{module}::{name}`"))
}

fn kind(ty: &EntityMeta) -> &'static str {
    match ty {
        EntityMeta::Func { .. } => "func",
        EntityMeta::Global { .. } | EntityMeta::RefGlobal { .. } => "global",
        EntityMeta::Table(_) | EntityMeta::RefTable { .. } => "table",
        EntityMeta::Memory => "memory",
        EntityMeta::Tag { .. } => "tag",
    }
}

#[cold]
fn mismatch(what: &str, expected: &str, actual: &str) -> Error {
    Error::msg(format!(
        "{what} types incompatible: expected {what} of type `{expected}`, found {what} of type `{actual}`"
    ))
}

fn check_func(
    engine: &EngineState,
    (expected, exact): (TypeId, bool),
    native: &ExternType,
    actual: wasmtime::FuncType,
) -> Result<()> {
    let matches = |native: &wasmtime::FuncType| match exact {
        true => wasmtime::FuncType::eq(native, &actual),
        false => is_sub_func(actual.clone(), native),
    };
    if native.func().is_some_and(matches) {
        return Ok(());
    }
    Err(match engine.canon_func(&actual) {
        Some(id) => func_mismatch(engine, expected, id),
        None => types_incompatible(&show_func(engine, expected), &actual.to_string()),
    })
}

/// The error for a function of another type.
#[cold]
pub fn func_mismatch(engine: &EngineState, expected: TypeId, actual: TypeId) -> Error {
    types_incompatible(&show_func(engine, expected), &show_func(engine, actual))
}

fn types_incompatible(expected: &str, actual: &str) -> Error {
    let why =
        if expected == actual { ", which is of another recursion group, or refers to types that are" } else { "" };
    Error::msg(format!("types incompatible: expected type `{expected}`, found type `{actual}`{why}"))
}

fn check_tag(expected: TypeId, actual: TypeId) -> Result<()> {
    if expected == actual {
        return Ok(());
    }
    Err(Error::msg("incompatible tag types"))
}

fn check_global(engine: &EngineState, expected: (RefType, bool), actual: (RefType, bool)) -> Result<()> {
    let matches = if expected.1 || actual.1 { expected.0 == actual.0 } else { engine.is_sub_ref(actual.0, expected.0) };
    if !matches {
        let [expected, actual] = [expected.0, actual.0].map(|ty| show(engine, ValType::Ref(ty)));
        return Err(mismatch("global", &expected, &actual));
    }
    if expected.1 != actual.1 {
        let [expected, actual] = [expected.1, actual.1].map(|m| if m { "mutable" } else { "immutable" });
        return Err(Error::msg(format!(
            "global types incompatible: expected {expected} global, found {actual} global"
        )));
    }
    Ok(())
}

fn check_table(engine: &EngineState, expected: TableMeta, actual: TableMeta, size: u64) -> Result<()> {
    if expected.elem != actual.elem {
        let [expected, actual] = [expected.elem, actual.elem].map(|ty| show(engine, ValType::Ref(ty)));
        return Err(mismatch("table", &expected, &actual));
    }
    if expected.table64 != actual.table64 {
        let [expected, actual] = [expected.table64, actual.table64].map(|is| if is { "64-bit" } else { "32-bit" });
        return Err(Error::msg(format!("table types incompatible: expected {expected} table, found {actual} table")));
    }
    let max_fits = match (expected.max, actual.max) {
        (Some(expected), Some(actual)) => expected >= actual,
        (Some(_), None) => false,
        (None, _) => true,
    };
    if expected.min > size || !max_fits {
        let limits = |min: u64, max: Option<u64>| {
            format!("min: {min}, max: {}", max.map_or("none".to_string(), |max| max.to_string()))
        };
        return Err(Error::msg(format!(
            "table types incompatible: expected table limits ({}) doesn't match provided table limits ({})",
            limits(expected.min, expected.max),
            limits(size, actual.max)
        )));
    }
    Ok(())
}

/// The error for a definition that is in the heap, or a tag, of an import of a module that was left alone and can name
/// neither.
#[cold]
pub fn foreign_kind(engine: &EngineState, expected: &ExternType, actual: &Import) -> Error {
    let found = |ty: &RefType| show(engine, ValType::Ref(*ty));
    let expected = match (expected, actual) {
        (ExternType::Global(ty), Import::Global { ty: actual, .. }) => {
            return mismatch("global", short(&ty.content().to_string()), &found(actual));
        }
        (ExternType::Table(ty), Import::Table { ty: actual, .. }) => {
            return mismatch("table", short(&ty.element().to_string()), &found(&actual.elem));
        }
        (ExternType::Func(_), _) => "func",
        (ExternType::Global(_), _) => "global",
        (ExternType::Table(_), _) => "table",
        (ExternType::Memory(_), _) => "memory",
        (ExternType::Tag(_), _) => "tag",
    };
    Error::msg(format!("expected {expected}, but found {}", actual.kind()))
}

/// The short name of a reference type that has one here.
fn short(ty: &str) -> &str {
    match ty {
        "(ref null func)" => "funcref",
        "(ref null extern)" => "externref",
        ty => ty,
    }
}

/// A type as text. Function types are spelled out one level deep.
pub fn show(engine: &EngineState, ty: ValType) -> String {
    match ty {
        ValType::Ref(RefType { nullable, heap, .. }) if heap.concrete().is_some() => {
            let kind = heap.concrete().and_then(|id| engine.registry.get(id)).map(|def| def.sub.composite.kind());
            let kind = kind.map_or("type".to_string(), |kind| format!("{kind:?}").to_lowercase());
            let null = if nullable { "null " } else { "" };
            format!("(ref {null}(concrete {kind} {heap}))")
        }
        ty => short(&ty.to_string()).to_string(),
    }
}

/// A function type, with what it says of its subtypes and supertype.
fn show_func(engine: &EngineState, id: TypeId) -> String {
    let signature = show_signature(engine, id);
    let Some(sub) = engine.registry.get(id).map(|def| def.sub.clone()) else { return signature };
    let last = if sub.is_final { " final" } else { "" };
    match sub.supertype {
        Some(above) => format!("(sub{last} {} {signature})", show_signature(engine, above)),
        None if sub.is_final => signature,
        None => format!("(sub {signature})"),
    }
}

fn show_signature(engine: &EngineState, id: TypeId) -> String {
    let def = engine.registry.get(id);
    let Some(CompositeType::Func(ty)) = def.as_ref().map(|def| &def.sub.composite) else {
        return format!("{id:?}");
    };
    let mut text = "(func".to_string();
    for (word, types) in [("param", &ty.params), ("result", &ty.results)] {
        if !types.is_empty() {
            let types: Vec<String> = types.iter().map(|&ty| show(engine, ty)).collect();
            text += &format!(" ({word} {})", types.join(" "));
        }
    }
    text + ")"
}
