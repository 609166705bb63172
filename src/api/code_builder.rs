//! Compiling step by step.

#![expect(unsafe_code, reason = "unsafe functions of Wasmtime's, with its contracts")]

use super::component::Component;
use super::{CodeHint, Engine, Error, Module, Result, bail};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// What is to be compiled, and how.
///
/// ```
/// use wasmtime_gc::{CodeBuilder, CodeHint, Engine};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let engine = Engine::default();
/// let mut builder = CodeBuilder::new(&engine);
/// builder.wasm_binary_or_text(b"(module $text)", None)?;
/// assert!(matches!(builder.hint(), Some(CodeHint::Module)));
/// assert_eq!(builder.compile_module()?.name(), Some("text"));
/// # Ok(())
/// # }
/// ```
pub struct CodeBuilder<'a> {
    engine: &'a Engine,
    wasm: Option<Cow<'a, [u8]>>,
    has_dwarf: bool,
    /// Modules that components are compiled with, by name. Only components have them.
    builtins: HashMap<Cow<'a, str>, Cow<'a, [u8]>>,
    intrinsics: Option<String>,
}

impl std::fmt::Debug for CodeBuilder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeBuilder").finish_non_exhaustive()
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|err| Error::new(err).context(format!("failed to read input file: {}", file.display())))
}

impl<'a> CodeBuilder<'a> {
    /// Nothing yet.
    pub fn new(engine: &'a Engine) -> Self {
        CodeBuilder { engine, wasm: None, has_dwarf: false, builtins: HashMap::new(), intrinsics: None }
    }

    /// A module in the binary format. The path is that of its debug information, which lowering drops.
    ///
    /// # Errors
    ///
    /// When there is one already.
    pub fn wasm_binary(
        &mut self,
        wasm_bytes: impl Into<Cow<'a, [u8]>>,
        _wasm_path: Option<&'a Path>,
    ) -> Result<&mut Self> {
        if self.wasm.is_some() {
            bail!("cannot configure wasm bytes twice");
        }
        self.wasm = Some(wasm_bytes.into());
        Ok(self)
    }

    /// A module in the binary or the text format.
    ///
    /// # Errors
    ///
    /// When there is one already, or the text is none.
    pub fn wasm_binary_or_text(&mut self, wasm_bytes: &'a [u8], wasm_path: Option<&'a Path>) -> Result<&mut Self> {
        let wasm = super::module::binary(wasm_bytes, wasm_path)?;
        self.wasm_binary(wasm, wasm_path)
    }

    /// A module in the binary format, from a file.
    ///
    /// # Errors
    ///
    /// When there is one already, or the file can not be read.
    pub fn wasm_binary_file(&mut self, file: &'a Path) -> Result<&mut Self> {
        self.wasm_binary(read(file)?, Some(file))
    }

    /// A module in the binary or the text format, from a file.
    ///
    /// # Errors
    ///
    /// When there is one already, the file can not be read, or the text is none.
    pub fn wasm_binary_or_text_file(&mut self, file: &'a Path) -> Result<&mut Self> {
        let wasm = super::module::binary(&read(file)?, Some(file))?.into_owned();
        self.wasm_binary(wasm, Some(file))
    }

    /// Debug information beside the module, which lowering drops.
    ///
    /// # Errors
    ///
    /// When there is some already, or the file can not be read.
    pub fn dwarf_package_file(&mut self, file: &Path) -> Result<&mut Self> {
        read(file)?;
        self.dwarf_package(&[])
    }

    /// Debug information beside the module, which lowering drops.
    ///
    /// # Errors
    ///
    /// When there is some already.
    pub fn dwarf_package(&mut self, _dwp_bytes: &'a [u8]) -> Result<&mut Self> {
        if self.has_dwarf {
            bail!("cannot call `dwarf_package` or `dwarf_package_file` twice");
        }
        self.has_dwarf = true;
        Ok(self)
    }

    /// Whether it is a module or a component.
    pub fn hint(&self) -> Option<CodeHint> {
        let wasm = self.wasm.as_ref()?;
        if wasmparser::Parser::is_component(wasm) {
            Some(CodeHint::Component)
        } else {
            wasmparser::Parser::is_core_wasm(wasm).then_some(CodeHint::Module)
        }
    }

    /// A module in the binary format that a component is compiled with, in the place of an import with this name.
    ///
    /// # Safety
    ///
    /// The module may have Wasmtime's intrinsics, which read and write the host's memory: it has to be trusted as the
    /// host is.
    pub unsafe fn compile_time_builtins_binary(
        &mut self,
        name: impl Into<Cow<'a, str>>,
        wasm_bytes: impl Into<Cow<'a, [u8]>>,
    ) -> &mut Self {
        self.builtins.insert(name.into(), wasm_bytes.into());
        self
    }

    /// The same, in the binary or the text format.
    ///
    /// # Errors
    ///
    /// When the text is none.
    ///
    /// # Safety
    ///
    /// As [`CodeBuilder::compile_time_builtins_binary`].
    pub unsafe fn compile_time_builtins_binary_or_text(
        &mut self,
        name: impl Into<Cow<'a, str>>,
        wasm_bytes: impl Into<Cow<'a, [u8]>>,
        wasm_path: Option<&Path>,
    ) -> Result<&mut Self> {
        let bytes = wasm_bytes.into();
        let wasm = super::module::binary(&bytes, wasm_path)?.into_owned();
        // SAFETY: the contract is the same.
        Ok(unsafe { self.compile_time_builtins_binary(name, wasm) })
    }

    /// The same, in the binary format, from a file.
    ///
    /// # Errors
    ///
    /// When the file can not be read.
    ///
    /// # Safety
    ///
    /// As [`CodeBuilder::compile_time_builtins_binary`].
    pub unsafe fn compile_time_builtins_binary_file(
        &mut self,
        name: impl Into<Cow<'a, str>>,
        file: &Path,
    ) -> Result<&mut Self> {
        let wasm = read(file)?;
        // SAFETY: the contract is the same.
        Ok(unsafe { self.compile_time_builtins_binary(name, wasm) })
    }

    /// The same, in the binary or the text format, from a file.
    ///
    /// # Errors
    ///
    /// When the file can not be read, or the text is none.
    ///
    /// # Safety
    ///
    /// As [`CodeBuilder::compile_time_builtins_binary`].
    pub unsafe fn compile_time_builtins_binary_or_text_file(
        &mut self,
        name: impl Into<Cow<'a, str>>,
        file: &Path,
    ) -> Result<&mut Self> {
        let wasm = super::module::binary(&read(file)?, Some(file))?.into_owned();
        // SAFETY: the contract is the same.
        Ok(unsafe { self.compile_time_builtins_binary(name, wasm) })
    }

    /// Lets a component import Wasmtime's intrinsics under this name.
    ///
    /// # Safety
    ///
    /// They read and write the host's memory: the component has to be trusted as the host is.
    pub unsafe fn expose_unsafe_intrinsics(&mut self, import_name: impl Into<String>) -> &mut Self {
        self.intrinsics = Some(import_name.into());
        self
    }

    fn wasm(&self) -> Result<&[u8]> {
        self.wasm.as_deref().ok_or_else(|| Error::msg("no wasm bytes have been configured"))
    }

    /// Compiles a module.
    ///
    /// # Errors
    ///
    /// When there is none, or as [`Module::from_binary`].
    pub fn compile_module(&self) -> Result<Module> {
        if self.intrinsics.is_some() {
            bail!("`CodeBuilder::expose_unsafe_intrinsics` can only be used with components");
        }
        if !self.builtins.is_empty() {
            bail!("compile-time builtins can only be used with components");
        }
        Module::from_binary(self.engine, self.wasm()?)
    }

    /// Compiles a module, to be loaded by [`Module::deserialize`].
    ///
    /// # Errors
    ///
    /// As [`CodeBuilder::compile_module`].
    pub fn compile_module_serialized(&self) -> Result<Vec<u8>> {
        self.compile_module()?.serialize()
    }

    /// Compiles a component, which is Wasmtime's.
    ///
    /// # Errors
    ///
    /// When there is none, or it is invalid.
    pub fn compile_component(&self) -> Result<Component> {
        self.component()?.compile_component()
    }

    /// Compiles a component, to be loaded by [`Component::deserialize`].
    ///
    /// # Errors
    ///
    /// As [`CodeBuilder::compile_component`].
    pub fn compile_component_serialized(&self) -> Result<Vec<u8>> {
        self.component()?.compile_component_serialized()
    }

    /// Wasmtime's builder, for a component.
    fn component(&self) -> Result<wasmtime::CodeBuilder<'_>> {
        let mut builder = wasmtime::CodeBuilder::new(self.engine.wasmtime());
        builder.wasm_binary(self.wasm()?, None)?;
        for (name, wasm) in &self.builtins {
            // SAFETY: the caller has promised it to the methods here, which have the same contract.
            unsafe { builder.compile_time_builtins_binary(name.as_ref(), wasm.as_ref()) };
        }
        if let Some(name) = &self.intrinsics {
            // SAFETY: the same.
            unsafe { builder.expose_unsafe_intrinsics(name.clone()) };
        }
        Ok(builder)
    }
}
