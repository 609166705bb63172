//! The module `spectest`, which every script may import from.
//!
//! It is a module like any other, so that it needs nothing of the host. It prints nothing: scripts
//! assert results, never output.

use crate::api::{Engine, Linker, Module, Result, Store};
use wasmtime::error::Context;

/// Defines `spectest`.
pub(super) fn link(engine: &Engine, linker: &mut Linker<()>, store: &mut Store<()>) -> Result<()> {
    define(engine, linker, store, include_str!("spectest.wat")).context("failed to instantiate `spectest`")?;
    // Without 64-bit tables there is nobody to import one, and so with shared memories.
    let _ = define(engine, linker, store, include_str!("spectest64.wat"));
    let _ = define(engine, linker, store, r#"(module (memory (export "shared_memory") 1 2 shared))"#);
    Ok(())
}

fn define(engine: &Engine, linker: &mut Linker<()>, store: &mut Store<()>, text: &str) -> Result<()> {
    let module = Module::new(engine, wat::parse_str(text)?)?;
    let instance = linker.instantiate(&mut *store, &module)?;
    linker.instance(&mut *store, "spectest", instance)?;
    Ok(())
}
