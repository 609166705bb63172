//! `--preload NAME=MODULE`: modules whose exports the main module imports.
//!
//! One that has `_start` is a command, as to Wasmtime: each call of an export is one of a new instance.

use super::input;
use super::wasi::Host;
use crate::api::{Dialect, Engine, Linker, Module, Result, Store};
use std::path::{Path, PathBuf};
use wasmtime::error::Context;

/// Compiles the modules, each with its name.
pub(super) fn compile(
    engine: &Engine,
    preloads: &[(String, PathBuf)],
    dialect: Dialect,
) -> Result<Vec<(String, Module)>> {
    let one = |(name, path): &(String, PathBuf)| {
        let module = input::compile_other(engine, path, dialect).with_context(|| failed(name, path))?;
        Ok((name.clone(), module))
    };
    preloads.iter().map(one).collect()
}

/// Instantiates them in order; each may import from those before it.
pub(super) async fn link(
    linker: &mut Linker<Host>,
    store: &mut Store<Host>,
    preloads: &[(String, PathBuf)],
    modules: &[(String, Module)],
) -> Result<()> {
    for ((name, path), (_, module)) in preloads.iter().zip(modules) {
        linker.module_async(&mut *store, name, module).await.with_context(|| failed(name, path))?;
    }
    Ok(())
}

fn failed(name: &str, path: &Path) -> String {
    format!("failed to process preload `{name}` at `{}`", path.display())
}
