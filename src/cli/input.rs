//! Modules and components from files: binary or text, `-` for standard input.

use crate::api::{Dialect, Engine, Error, Module, Precompiled, Result};
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

/// What is to be run or compiled.
pub(crate) struct Input {
    /// A binary, or text of a dialect.
    pub(crate) bytes: Vec<u8>,
    /// It is a component, not a module.
    pub(crate) component: bool,
    /// It is what `compile` has made.
    pub(crate) compiled: bool,
}

/// A file, and what it holds.
pub(crate) fn open(path: &Path, dialect: Dialect) -> Result<Input> {
    let bytes = read_any(path)?;
    if let Some(of) = Engine::detect_precompiled(&bytes) {
        return Ok(Input { bytes, component: matches!(of, Precompiled::Component), compiled: true });
    }
    if bytes.starts_with(b"\x7fELF") {
        bail!(
            "{path:?} is machine code that `compile` of this command has not made, or it is damaged; compile it again"
        );
    }
    let bytes = match dialect {
        Dialect::Standard => assemble(path, &bytes)?,
        _ => bytes,
    };
    Ok(Input { component: wasmparser::Parser::is_component(&bytes), bytes, compiled: false })
}

/// Refuses what was compiled before, unless it is allowed.
pub(crate) fn allow_compiled(allowed: bool) -> Result<()> {
    if allowed {
        return Ok(());
    }
    Err(Error::msg(
        "running a precompiled module requires the `--allow-precompiled` flag: it is machine code, which is run \
         unchecked",
    ))
}

/// A module that is compiled, or with `precompiled` may have been.
pub(crate) fn load(engine: &Engine, path: &Path, input: Input, dialect: Dialect, precompiled: bool) -> Result<Module> {
    if !input.compiled {
        return match dialect {
            Dialect::Standard => compile_binary(engine, path, input.bytes),
            _ => compile_dialect(engine, path, &input.bytes, dialect),
        };
    }
    allow_compiled(precompiled)?;
    #[expect(unsafe_code, reason = "machine code can not be checked")]
    // SAFETY: with `--allow-precompiled` the user vouches for the file.
    let module = unsafe { Module::deserialize(engine, &input.bytes) };
    module.with_context(|| format!("failed to load compiled module {path:?}"))
}

/// A compiled module that another one needs: in the dialect if it has words of it or is marked, else in the standard.
pub(crate) fn compile_other(engine: &Engine, path: &Path, dialect: Dialect) -> Result<Module> {
    let bytes = read_any(path)?;
    let word = std::str::from_utf8(&bytes).ok().and_then(crate::rtt::text::dialect_word);
    let marked = crate::rtt::binary::is_marked(&bytes);
    if dialect != Dialect::Standard && (marked || word.is_some()) {
        return compile_dialect(engine, path, &bytes, dialect);
    }
    let wasm = assemble(path, &bytes)?;
    if wasmparser::Parser::is_component(&wasm) {
        bail!("{path:?} is a component, and only modules can be preloaded");
    }
    compile_binary(engine, path, wasm)
}

fn compile_dialect(engine: &Engine, path: &Path, bytes: &[u8], dialect: Dialect) -> Result<Module> {
    Module::with_dialect(engine, bytes, dialect).with_context(|| format!("failed to compile wasm module {path:?}"))
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
