//! Modules from files: binary or text, `-` for standard input.

use crate::api::{Dialect, Engine, Module, Result};
use std::io::Read;
use std::path::Path;
use wasmtime::bail;
use wasmtime::error::Context;

/// The bytes of a binary module. Text is assembled.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = read_raw(path).with_context(|| format!("failed to open wasm module {path:?}"))?;
    assemble(path, bytes)
}

/// The bytes of a file as they are.
pub(crate) fn read_any(path: &Path) -> Result<Vec<u8>> {
    read_raw(path).with_context(|| format!("failed to open wasm module {path:?}"))
}

fn assemble(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>> {
    if let Some(word) = std::str::from_utf8(&bytes).ok().and_then(crate::rtt::text::dialect_word) {
        bail!("`{word}` in {path:?} is of the explicit-RTT dialect; run the command with `--dialect rtt2020`");
    }
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
pub(crate) fn compile(engine: &Engine, path: &Path, dialect: Dialect) -> Result<Module> {
    let compiled = match dialect {
        Dialect::Standard => Module::new(engine, read(path)?),
        dialect => Module::with_dialect(engine, read_any(path)?, dialect),
    };
    compiled.with_context(|| format!("failed to compile wasm module {path:?}"))
}

/// A compiled module that another one needs: in the dialect if it has words of it, else in the standard.
pub(crate) fn compile_other(engine: &Engine, path: &Path, dialect: Dialect) -> Result<Module> {
    let bytes = read_any(path)?;
    let word = std::str::from_utf8(&bytes).ok().and_then(crate::rtt::text::dialect_word);
    let dialect = if word.is_some() { dialect } else { Dialect::Standard };
    let compiled = match dialect {
        Dialect::Standard => Module::new(engine, assemble(path, bytes)?),
        dialect => Module::with_dialect(engine, bytes, dialect),
    };
    compiled.with_context(|| format!("failed to compile wasm module {path:?}"))
}
