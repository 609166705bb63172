//! Modules from files: binary or text, `-` for standard input.

use crate::api::{Engine, Module, Result};
use std::io::Read;
use std::path::Path;
use wasmtime::error::Context;

/// The bytes of a binary module. Text is assembled.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = read_raw(path).with_context(|| format!("failed to open wasm module {path:?}"))?;
    let wasm = wat::Parser::new().parse_bytes(Some(path), &bytes)?;
    Ok(wasm.into_owned())
}

fn read_raw(path: &Path) -> std::io::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(path)
}

/// A compiled module.
pub(crate) fn compile(engine: &Engine, path: &Path) -> Result<Module> {
    Module::new(engine, read(path)?).with_context(|| format!("failed to compile wasm module {path:?}"))
}
