//! `--preload NAME=MODULE`: modules whose exports the main module imports.
//!
//! One that has `_start` is a command, as to Wasmtime: each call of an export is one of a new instance.

use super::input;
use super::wasi::Host;
use crate::api::{Dialect, Linker, Result, Store};
use std::path::{Path, PathBuf};
use wasmtime::error::Context;

/// Instantiates the modules in order; each may import from those before it.
pub(super) async fn link(
    linker: &mut Linker<Host>,
    store: &mut Store<Host>,
    preloads: &[(String, PathBuf)],
    dialect: Dialect,
) -> Result<()> {
    for (name, path) in preloads {
        one(linker, store, name, (path, dialect))
            .await
            .with_context(|| format!("failed to process preload `{name}` at `{}`", path.display()))?;
    }
    Ok(())
}

async fn one(
    linker: &mut Linker<Host>,
    store: &mut Store<Host>,
    name: &str,
    (path, dialect): (&Path, Dialect),
) -> Result<()> {
    let module = input::compile_other(store.engine(), path, dialect)?;
    linker.module_async(&mut *store, name, &module).await?;
    Ok(())
}
