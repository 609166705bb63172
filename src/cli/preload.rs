//! `--preload NAME=MODULE`: modules whose exports the main module imports.

use super::wasi::Host;
use super::{input, run};
use crate::api::{Dialect, Linker, Result, Store};
use std::path::{Path, PathBuf};
use wasmtime::error::Context;

/// Instantiates the modules in order; each may import from those before it.
pub(super) fn link(
    linker: &mut Linker<Host>,
    store: &mut Store<Host>,
    preloads: &[(String, PathBuf)],
    dialect: Dialect,
) -> Result<()> {
    for (at, (name, path)) in preloads.iter().enumerate() {
        one(linker, store, name, (path, dialect))
            .with_context(|| format!("failed to process preload `{name}` at position {at}"))?;
    }
    Ok(())
}

fn one(
    linker: &mut Linker<Host>,
    store: &mut Store<Host>,
    name: &str,
    (path, dialect): (&Path, Dialect),
) -> Result<()> {
    let module = input::compile_other(store.engine(), path, dialect)?;
    let instance = linker.instantiate(&mut *store, &module)?;
    run::initialize(store, &instance)?;
    linker.instance(&mut *store, name, instance)?;
    Ok(())
}
