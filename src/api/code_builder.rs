//! Compiling step by step.

use super::component::Component;
use super::{CodeHint, Engine, Error, Module, Result, bail};
use std::borrow::Cow;
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
        CodeBuilder { engine, wasm: None, has_dwarf: false }
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

    fn wasm(&self) -> Result<&[u8]> {
        self.wasm.as_deref().ok_or_else(|| Error::msg("no wasm bytes have been configured"))
    }

    /// Compiles a module.
    ///
    /// # Errors
    ///
    /// When there is none, or as [`Module::from_binary`].
    pub fn compile_module(&self) -> Result<Module> {
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
        Component::from_binary(self.engine.wasmtime(), self.wasm()?)
    }

    /// Compiles a component, to be loaded by [`Component::deserialize`].
    ///
    /// # Errors
    ///
    /// As [`CodeBuilder::compile_component`].
    pub fn compile_component_serialized(&self) -> Result<Vec<u8>> {
        self.engine.wasmtime().precompile_component(self.wasm()?)
    }
}
