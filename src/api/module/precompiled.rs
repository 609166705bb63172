//! Modules as bytes: compiled ahead of time.

use super::{Module, binary, read_file};
use crate::api::{Engine, Error, Result};
use crate::runtime::artifact;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::ptr::NonNull;
use wasmtime::error::Context;

impl Module {
    /// The compiled module as bytes, for [`Module::deserialize`].
    ///
    /// Code that a module is run from holds numbers of its engine; what is kept for other engines does not. So a
    /// module that was not loaded itself is compiled once more here. [`Engine::precompile_module`] compiles once.
    ///
    /// # Errors
    ///
    /// When the module can not be compiled in this form.
    pub fn serialize(&self) -> Result<Vec<u8>> {
        artifact::serialize(self.engine.state(), &self.code)
    }

    /// Loads a module that [`Module::serialize`], [`Engine::precompile_module`] or `wasmtime-gc compile` made. It
    /// works with whatever other modules the engine has, and nothing is lowered or compiled.
    ///
    /// # Safety
    ///
    /// As for Wasmtime's: the bytes must be what one of these made, unchanged. They hold machine code. Accidents
    /// such as truncation and changed bytes are found; malice is not.
    ///
    /// # Errors
    ///
    /// When the bytes are no such module or are damaged, when another version made them, or when the engine's
    /// configuration differs in something that is compiled in.
    #[expect(unsafe_code, reason = "machine code can not be checked")]
    pub unsafe fn deserialize(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        // SAFETY: the contract is the same.
        let code = unsafe { artifact::deserialize(engine.state(), bytes.as_ref())? };
        Ok(Module { engine: engine.clone(), code })
    }

    /// [`Module::deserialize`] of a file.
    ///
    /// # Safety
    ///
    /// As for [`Module::deserialize`].
    ///
    /// # Errors
    ///
    /// As for that, and when the file can not be read.
    #[expect(unsafe_code, reason = "machine code can not be checked")]
    pub unsafe fn deserialize_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Module> {
        let path = path.as_ref();
        let bytes = read_file(path)?;
        // SAFETY: the contract is the same.
        let module = unsafe { Module::deserialize(engine, bytes) };
        module.with_context(|| format!("failed deserialization for: {}", path.display()))
    }

    /// [`Module::deserialize`] of what is left of an open file.
    ///
    /// # Safety
    ///
    /// As for [`Module::deserialize`].
    ///
    /// # Errors
    ///
    /// As for that, and when the file can not be read.
    #[expect(unsafe_code, reason = "machine code can not be checked")]
    pub unsafe fn deserialize_open_file(engine: &Engine, mut file: File) -> Result<Module> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        // SAFETY: the contract is the same.
        unsafe { Module::deserialize(engine, bytes) }
    }

    /// [`Module::deserialize`] of a place in memory. The bytes are copied.
    ///
    /// # Safety
    ///
    /// As for [`Module::deserialize`]; and the memory must be readable, and not change meanwhile.
    ///
    /// # Errors
    ///
    /// As for that.
    #[expect(unsafe_code, reason = "machine code can not be checked, and memory is taken at the caller's word")]
    pub unsafe fn deserialize_raw(engine: &Engine, memory: NonNull<[u8]>) -> Result<Module> {
        // SAFETY: by this function's contract the memory can be read for as long as this takes.
        let bytes = unsafe { memory.as_ref() };
        // SAFETY: the contract is the same.
        unsafe { Module::deserialize(engine, bytes) }
    }

    /// A module from a file, in whatever form: binary, text, or compiled.
    ///
    /// # Safety
    ///
    /// As for [`Module::deserialize`], if the file is a compiled module.
    ///
    /// # Errors
    ///
    /// As for that, or [`Module::new`].
    #[expect(unsafe_code, reason = "machine code can not be checked")]
    pub unsafe fn from_trusted_file(engine: &Engine, file: impl AsRef<Path>) -> Result<Module> {
        let file = file.as_ref();
        let bytes = read_file(file)?;
        if artifact::is_artifact(&bytes) {
            // SAFETY: the contract is the same.
            return unsafe { Module::deserialize(engine, bytes) };
        }
        let wasm =
            binary(&bytes, Some(file)).map_err(|err| Error::context(err, "failed to parse WebAssembly module"))?;
        Module::from_binary(engine, &wasm)
    }
}
