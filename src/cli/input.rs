//! Modules from files: binary or text, `-` for standard input.

use crate::api::{Engine, Module, Result};
use crate::intrinsics::{LinkOptions, link};
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

/// A compiled module, with the intrinsics that it imports if `linked`.
pub(crate) fn compile(engine: &Engine, path: &Path, linked: bool) -> Result<Module> {
    let mut wasm = read(path)?;
    // Most modules import none. What is not valid is left to the compiler, whose message tells more.
    let namespace = b"wasmtime-gc:";
    let may_import = linked && wasm.windows(namespace.len()).any(|bytes| bytes == namespace);
    if may_import && Module::validate(engine, &wasm).is_ok() {
        let linked = link(&wasm, &LinkOptions::default());
        if let Some(linked) = linked.with_context(|| format!("failed to link intrinsics into {path:?}"))? {
            wasm = linked.wasm;
        }
    }
    Module::from_binary(engine, &wasm).with_context(|| format!("failed to compile wasm module {path:?}"))
}
