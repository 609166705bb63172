//! WebAssembly that is linked into programs: handles for linear memory, objects without types.
//!
//! | file | what |
//! |---|---|
//! | `side_table.wat` | a table of references and the freelist of its slots |
//! | `objects.wat` | objects of the GC heap for programs that have no types for them |
//! | `component.wat` | what the host of components does with both |
//! | `template` | from a template to a module |
//! | `library` | which intrinsic an import means |
//! | `piece`, `program` | an assembled template, and a program, taken apart |
//! | `plan` | where everything goes |
//! | `merge` | writes the program with its intrinsics |
//! | `object` | the side table as an object file |
//! | `error` | why that can not be done |
//!
//! [`link`] works on bytes and knows no engine. Which of the ways to hold references is right when, and where
//! links live, is in `docs/handles.md`.

#![forbid(unsafe_code)]

mod error;
mod library;
mod merge;
mod object;
mod piece;
mod plan;
mod program;
mod template;
#[cfg(test)]
mod tests;

pub use error::{Error, Result};
pub use library::{OBJECTS, SIDE_TABLE};

/// How intrinsics are linked into a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkOptions {
    /// Handles of side tables carry a generation, and one that is not valid traps. Imports from
    /// `wasmtime-gc:side-table/fast` and `/checked` have it their way.
    pub checked: bool,
    /// Where the freelists of side tables live.
    pub links: Links,
}

impl Default for LinkOptions {
    fn default() -> LinkOptions {
        LinkOptions { checked: true, links: Links::Own }
    }
}

/// Where the freelist of a side table lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// In a memory of its own. A program that has a memory then has several, which needs an engine with
    /// multiple memories.
    Own,
    /// In pages of the program's first memory, taken by `memory.grow`. Needs no more than reference types, and
    /// a program whose allocator does not mind.
    Program,
}

/// A program with its intrinsics.
#[derive(Debug, Clone)]
pub struct Linked {
    /// The program.
    pub wasm: Vec<u8>,
    /// Names of custom sections that were left out, because they count in offsets of the code.
    pub dropped: Vec<String>,
}

/// Links the intrinsics into a program that imports them; gives nothing if it imports none.
///
/// # Errors
///
/// When the program is not valid, or imports an intrinsic that does not exist or with another type.
pub fn link(wasm: &[u8], options: &LinkOptions) -> Result<Option<Linked>> {
    let program = program::Program::parse(wasm)?;
    let uses = plan::uses(&program, options)?;
    if uses.is_empty() {
        return Ok(None);
    }
    let plan = plan::Plan::new(&program, &uses)?;
    let (wasm, dropped) = merge::Merge::run(&plan, wasm)?;
    wasmparser::Validator::new_with_features(program::features())
        .validate_all(&wasm)
        .map_err(|err| Error::bug(format!("what was linked is not valid: {err}")))?;
    Ok(Some(Linked { wasm, dropped }))
}

/// The side table as a module of its own, with elements of an abstract heap type such as `extern`.
///
/// # Errors
///
/// When the text format has no such heap type.
pub fn side_table(heap_type: &str, checked: bool) -> Result<Vec<u8>> {
    let features: &[&str] = if checked { &["checked", "counted"] } else { &["counted"] };
    template::assemble_for(library::SIDE_TABLE_TEXT, features, heap_type)
}

/// The side table as a relocatable object file for `wasm-ld`, with the functions of
/// `include/wasmtime_gc/side_table.h`.
///
/// # Errors
///
/// Only by a defect of this crate.
pub fn side_table_object(checked: bool) -> Result<Vec<u8>> {
    let features: &[&str] =
        if checked { &["program", "object", "counted", "checked"] } else { &["program", "object", "counted"] };
    object::object(&template::assemble(library::SIDE_TABLE_TEXT, features)?)
}

/// The module that does the work of the host of components, with its intrinsics. It imports
/// `wasmtime-gc:finalizers` `token`.
///
/// # Errors
///
/// Only by a defect of this crate.
pub fn component() -> Result<Vec<u8>> {
    let wasm = template::assemble(include_str!("component.wat"), &[])?;
    let linked = link(&wasm, &LinkOptions::default())?;
    linked.map(|linked| linked.wasm).ok_or_else(|| Error::bug("the module of components imports no intrinsics"))
}

/// The objects as a module of its own.
///
/// # Errors
///
/// Only by a defect of this crate.
pub fn objects() -> Result<Vec<u8>> {
    template::assemble(library::OBJECTS_TEXT, &[])
}
