//! Modules.

mod precompiled;
mod refusals;

pub(super) use refusals::explain;

use super::types::{ExportType, ExternType, ImportType};
use super::{Engine, Error, ModuleFunction, ResourcesRequired, Result};
use crate::rtt;
use crate::runtime::code::Code;
pub use crate::runtime::code::Module;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

/// Which language a module is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// WebAssembly.
    #[default]
    Standard,
    /// The GC proposal with explicit RTTs, as it was from 2018 to 2021; see `docs/rtt.md`.
    Rtt2020,
    /// The same, with null as on the slides of 2020: `ref.cast` of null is a trap, so its result is never null, and
    /// `i31ref` is not nullable.
    Rtt2020Slides,
}

impl Dialect {
    /// What is meant by null, if it is the dialect of explicit RTTs.
    pub(crate) fn nulls(self) -> Option<rtt::ast::Nulls> {
        match self {
            Dialect::Standard => None,
            Dialect::Rtt2020 => Some(rtt::ast::Nulls::Snapshot),
            Dialect::Rtt2020Slides => Some(rtt::ast::Nulls::Slides),
        }
    }
}

impl Module {
    /// Compiles a module that is written in a dialect, in the binary or the text format.
    ///
    /// # Errors
    ///
    /// When the module is invalid or uses what is not supported.
    pub fn with_dialect(engine: &Engine, bytes: impl AsRef<[u8]>, dialect: Dialect) -> Result<Module> {
        let bytes = bytes.as_ref();
        let Some(nulls) = dialect.nulls() else { return Module::new(engine, bytes) };
        let module = Arc::new(rtt::read(bytes, nulls)?);
        let code = Code::of_dialect(engine.state(), module).map_err(|err| rtt_error(err, bytes))?;
        Ok(Module { engine: engine.clone(), code })
    }

    /// Compiles a module, in the binary or the text format.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Module};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let text = Module::new(&engine, "(module (type $s (struct)))")?;
    /// let binary = Module::new(&engine, b"\0asm\x01\0\0\0")?;
    /// assert!(Module::new(&engine, "(module (func (result i32)))").is_err(), "not valid");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the module is invalid or uses what is not supported.
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        let wasm = binary(bytes.as_ref(), None)?;
        Module::from_binary(engine, &wasm)
    }

    /// Compiles a module in the binary format.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Module};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// Module::from_binary(&engine, b"\0asm\x01\0\0\0")?;
    /// assert!(Module::from_binary(&engine, b"(module)").is_err(), "that is text");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the module is invalid or uses what is not supported.
    pub fn from_binary(engine: &Engine, wasm: &[u8]) -> Result<Module> {
        let code = Code::new(engine.state(), wasm).map_err(|err| match rtt::binary::is_marked(wasm) {
            true => err.context(
                "the binary is of the explicit-RTT dialect; compile it with `Module::with_dialect` \
                 (the command: `--dialect rtt2020`)",
            ),
            false => explain(err, wasm),
        })?;
        Ok(Module { engine: engine.clone(), code })
    }

    /// Compiles a module from a file, in the binary or the text format.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Module};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// # let folder = std::env::temp_dir().join(format!("wasmtime-gc-doc-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// let file = folder.join("plugin.wat");
    /// std::fs::write(&file, "(module $plugin)")?;
    /// assert_eq!(Module::from_file(&engine, &file)?.name(), Some("plugin"));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the file can not be read, or the module is invalid or uses what is not supported.
    pub fn from_file(engine: &Engine, file: impl AsRef<Path>) -> Result<Module> {
        let file = file.as_ref();
        let bytes = read_file(file)?;
        Module::from_binary(engine, &binary(&bytes, Some(file))?)
    }

    /// Validates a binary without compiling it.
    ///
    /// # Errors
    ///
    /// When the module is invalid.
    pub fn validate(engine: &Engine, binary: &[u8]) -> Result<()> {
        let options = &engine.state().options;
        Ok(crate::parse::validate(binary, options.features, options.workers)?)
    }

    /// The name that the module gives itself.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Module};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// assert_eq!(Module::new(&engine, "(module $named)")?.name(), Some("named"));
    /// assert_eq!(Module::new(&engine, "(module)")?.name(), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.code.name()
    }

    /// The engine that it was compiled for.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What it imports, in order.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, ExternType, Module};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let module = r#"(module (import "env" "f" (func (param anyref))) (import "env" "m" (memory 1)))"#;
    /// let module = Module::new(&engine, module)?;
    /// let imports: Vec<_> = module.imports().collect();
    /// assert_eq!((imports.len(), imports[0].module(), imports[0].name()), (2, "env", "f"));
    /// let ExternType::Func(ty) = imports[0].ty() else { panic!("a function") };
    /// assert!(ty.param(0).unwrap().is_anyref());
    /// # Ok(())
    /// # }
    /// ```
    pub fn imports(&self) -> impl ExactSizeIterator<Item = ImportType<'_>> {
        let imports: Vec<ImportType<'_>> = match &self.code.lowered {
            None => self
                .code
                .imports()
                .filter_map(|import| {
                    let ty = ExternType::from_native(&self.engine, import.ty())?;
                    Some(ImportType { module: import.module(), name: import.name(), ty })
                })
                .collect(),
            Some(lowered) => lowered
                .meta
                .imports
                .iter()
                .zip(self.code.imports())
                .filter_map(|(import, native)| {
                    let ty = ExternType::from_meta(&self.engine, &import.ty, Some(native.ty()))?;
                    Some(ImportType { module: &import.module, name: &import.name, ty })
                })
                .collect(),
        };
        imports.into_iter()
    }

    /// What it exports, in order.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, ExternType, Module};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let module = r#"(module (global (export "g") i31ref (ref.i31 (i32.const 1))) (func (export "f")))"#;
    /// let module = Module::new(&engine, module)?;
    /// let names: Vec<_> = module.exports().map(|export| export.name()).collect();
    /// assert_eq!(names, ["g", "f"]);
    /// assert!(matches!(module.exports().next().unwrap().ty(), ExternType::Global(_)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn exports(&self) -> impl ExactSizeIterator<Item = ExportType<'_>> {
        let exports: Vec<ExportType<'_>> = match &self.code.lowered {
            None => self
                .code
                .wasmtime
                .exports()
                .filter_map(|export| {
                    let ty = ExternType::from_native(&self.engine, export.ty())?;
                    Some(ExportType { name: export.name(), ty })
                })
                .collect(),
            Some(lowered) => lowered
                .meta
                .exports
                .iter()
                .filter_map(|export| {
                    let native = self.code.wasmtime.get_export(&export.name);
                    let ty = ExternType::from_meta(&self.engine, &export.ty, native)?;
                    Some(ExportType { name: &export.name, ty })
                })
                .collect(),
        };
        exports.into_iter()
    }

    /// What it exports under a name.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, ExternType, Module};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, r#"(module (memory (export "m") 2))"#)?;
    /// let Some(ExternType::Memory(ty)) = module.get_export("m") else { panic!("a memory") };
    /// assert_eq!(ty.minimum(), 2);
    /// assert!(module.get_export("n").is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_export(&self, name: &str) -> Option<ExternType> {
        match &self.code.lowered {
            None => ExternType::from_native(&self.engine, self.code.wasmtime.get_export(name)?),
            Some(lowered) => {
                ExternType::from_meta(&self.engine, lowered.export(name)?, self.code.wasmtime.get_export(name))
            }
        }
    }

    /// Where an export is, for looking it up again and again.
    pub fn get_export_index(&self, name: &str) -> Option<ModuleExport> {
        let index = self.code.export_names().iter().position(|export| *export == name)?;
        Some(ModuleExport { module: crate::runtime::engine::key(&self.code.wasmtime), index })
    }

    /// Whether two handles are of the same module.
    pub fn same(a: &Module, b: &Module) -> bool {
        Arc::ptr_eq(&a.code, &b.code)
    }

    /// The machine code.
    pub fn text(&self) -> &[u8] {
        self.code.wasmtime.text()
    }

    /// Where in memory the compiled module is.
    pub fn image_range(&self) -> std::ops::Range<*const u8> {
        self.code.wasmtime.image_range()
    }

    /// Makes the images of memories now that are otherwise made when the first instance is.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn initialize_copy_on_write_image(&self) -> Result<()> {
        self.code.wasmtime.initialize_copy_on_write_image()
    }

    /// The memories and tables that an instance needs, without the store's GC heap.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Module};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, "(module (memory 1) (memory 7) (table 5 funcref))")?;
    /// let needs = module.resources_required();
    /// assert_eq!((needs.num_memories, needs.max_initial_memory_size), (2, Some(7)));
    /// assert_eq!((needs.num_tables, needs.max_initial_table_size), (1, Some(5)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn resources_required(&self) -> ResourcesRequired {
        self.code.wasmtime.resources_required()
    }

    /// The functions as they were compiled: those of the lowered module.
    pub fn functions(&self) -> impl ExactSizeIterator<Item = ModuleFunction> + '_ {
        self.code.wasmtime.functions()
    }

    /// For offsets in the machine code, where in the original module that comes from; `None` if the code tells
    /// nothing.
    pub fn address_map(&self) -> Option<impl Iterator<Item = (usize, Option<u32>)> + '_> {
        let sites = self.code.lowered.as_ref().map(|lowered| &lowered.sites);
        let original = move |offset: u32| match sites {
            Some(sites) => sites.find(offset).and_then(|site| sites.place(site)),
            None => Some(offset),
        };
        Some(self.code.wasmtime.address_map()?.map(move |(at, offset)| (at, offset.and_then(original))))
    }

    /// The module that the inner engine runs: lowered, or the original where there is nothing to lower.
    pub fn wasmtime(&self) -> &wasmtime::Module {
        &self.code.wasmtime
    }

    pub(crate) fn code(&self) -> &Arc<Code> {
        &self.code
    }
}

/// An error of the dialect's validator, with line and column.
#[cold]
pub(super) fn rtt_error(err: Error, bytes: &[u8]) -> Error {
    match err.downcast::<crate::fault::Error>() {
        Ok(err) => Error::new(rtt::locate(err, bytes)),
        Err(err) => err,
    }
}

fn read_file(file: &Path) -> Result<Vec<u8>> {
    let failed = |err| Error::new(err).context(format!("failed to read from `{}`", file.display()));
    std::fs::read(file).map_err(failed)
}

/// Where a module has an export.
#[derive(Clone, Copy, Debug)]
pub struct ModuleExport {
    /// Where the module's code is.
    module: usize,
    /// The position among its exports.
    index: usize,
}

impl ModuleExport {
    /// Its name, if the module is still there.
    pub(super) fn name(&self, engine: &Engine) -> Option<String> {
        let code = engine.state().code_at(self.module)?;
        code.export_names().get(self.index).map(|name| name.to_string())
    }
}

/// A module as binary.
pub(super) fn binary<'a>(bytes: &'a [u8], file: Option<&Path>) -> Result<Cow<'a, [u8]>> {
    if bytes.starts_with(b"\0asm") {
        return Ok(Cow::Borrowed(bytes));
    }
    wat::parse_bytes(bytes).map_err(|mut err| {
        if let Some(file) = file {
            err.set_path(file);
        }
        let word = std::str::from_utf8(bytes).ok().and_then(rtt::text::dialect_word);
        match word {
            Some(word) => Error::new(err).context(format!(
                "`{word}` is of the explicit-RTT dialect; compile it with `Module::with_dialect` \
                 (the command: `--dialect rtt2020`)"
            )),
            None => Error::new(err),
        }
    })
}
