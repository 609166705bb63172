//! Modules from files: binary or text, `-` for standard input.

use crate::api::{Engine, Error, Module, Result};
use crate::intrinsics::{LinkOptions, link};
use std::io::Read;
use std::path::Path;
use wasmtime::error::Context;

/// The bytes of a binary module. Text is assembled.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    assemble(path, &open(path)?)
}

fn open(path: &Path) -> Result<Vec<u8>> {
    read_raw(path).with_context(|| format!("failed to open wasm module {path:?}"))
}

fn assemble(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    let wasm = wat::Parser::new().parse_bytes(Some(path), bytes)?;
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

/// A module that is compiled, or with `precompiled` may have been.
pub(crate) fn load(engine: &Engine, path: &Path, precompiled: bool) -> Result<Module> {
    let bytes = open(path)?;
    if Engine::detect_precompiled(&bytes).is_none() {
        return compile_binary(engine, path, assemble(path, &bytes)?);
    }
    if !precompiled {
        return Err(Error::msg(
            "running a precompiled module requires the `--allow-precompiled` flag: it is machine code, which is run \
             unchecked",
        ));
    }
    #[expect(unsafe_code, reason = "machine code can not be checked")]
    // SAFETY: with `--allow-precompiled` the user vouches for the file.
    let module = unsafe { Module::deserialize(engine, &bytes) };
    module.with_context(|| format!("failed to load compiled module {path:?}"))
}

/// A compiled module, with the intrinsics that it imports.
pub(crate) fn compile(engine: &Engine, path: &Path) -> Result<Module> {
    compile_binary(engine, path, read(path)?)
}

fn compile_binary(engine: &Engine, path: &Path, wasm: Vec<u8>) -> Result<Module> {
    let wasm = linked(engine, path, wasm)?;
    Module::from_binary(engine, &wasm).with_context(|| format!("failed to compile wasm module {path:?}"))
}

/// A module with the intrinsics that it imports.
pub(crate) fn linked(engine: &Engine, path: &Path, wasm: Vec<u8>) -> Result<Vec<u8>> {
    // Most modules import none. What is not valid is left to the compiler, whose message tells more.
    let namespace = b"wasmtime-gc:";
    let may_import = wasm.windows(namespace.len()).any(|bytes| bytes == namespace);
    if may_import && Module::validate(engine, &wasm).is_ok() {
        let linked = link(&wasm, &LinkOptions::default());
        if let Some(linked) = linked.with_context(|| format!("failed to link intrinsics into {path:?}"))? {
            return Ok(linked.wasm);
        }
    }
    Ok(wasm)
}
