//! Modules from files: binary or text, `-` for standard input.

use crate::api::{Dialect, Engine, Error, Module, Result};
use crate::intrinsics::{LinkOptions, link};
use std::io::Read;
use std::path::Path;
use wasmtime::bail;
use wasmtime::error::Context;

/// The bytes of a binary module. Text is assembled.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    assemble(path, &read_any(path)?)
}

/// The bytes of a file as they are.
pub(crate) fn read_any(path: &Path) -> Result<Vec<u8>> {
    read_raw(path).with_context(|| format!("failed to open wasm module {path:?}"))
}

fn assemble(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    if let Some(word) = std::str::from_utf8(bytes).ok().and_then(crate::rtt::text::dialect_word) {
        bail!("`{word}` in {path:?} is of the explicit-RTT dialect; run the command with `--dialect rtt2020`");
    }
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
pub(crate) fn load(engine: &Engine, path: &Path, dialect: Dialect, precompiled: bool) -> Result<Module> {
    let bytes = read_any(path)?;
    if Engine::detect_precompiled(&bytes).is_none() {
        return compile_bytes(engine, path, &bytes, dialect);
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

/// A compiled module that another one needs: in the dialect if it has words of it or is marked, else in the standard.
pub(crate) fn compile_other(engine: &Engine, path: &Path, dialect: Dialect) -> Result<Module> {
    let bytes = read_any(path)?;
    let word = std::str::from_utf8(&bytes).ok().and_then(crate::rtt::text::dialect_word);
    let marked = crate::rtt::binary::is_marked(&bytes);
    let dialect = if marked || word.is_some() { dialect } else { Dialect::Standard };
    compile_bytes(engine, path, &bytes, dialect)
}

fn compile_bytes(engine: &Engine, path: &Path, bytes: &[u8], dialect: Dialect) -> Result<Module> {
    match dialect {
        Dialect::Standard => compile_binary(engine, path, assemble(path, bytes)?),
        dialect => Module::with_dialect(engine, bytes, dialect)
            .with_context(|| format!("failed to compile wasm module {path:?}")),
    }
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
