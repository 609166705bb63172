//! A module as compiled: the inner engine's module, and what lowering told about it.

use super::engine::EngineState;
use super::type_probe::TypeProbe;
use super::{Error, Result};
use crate::lower::output::{EntityMeta, Meta, Sites};
use crate::lower::{Lowered, lower, lower_checked, lower_module};
use crate::rtt;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use wasmparser::WasmFeatures;

/// A compiled module.
#[derive(Debug)]
pub struct Code {
    /// What the inner engine runs.
    pub wasmtime: wasmtime::Module,
    /// For a module that was lowered: what the runtime must know.
    pub lowered: Option<LoweredCode>,
    /// For one that was left alone: what to lower it from after all.
    untouched: Option<Untouched>,
    /// For a module of the dialect of explicit RTTs: itself, for its type imports and exports.
    dialect: Option<Arc<rtt::ast::Module>>,
}

/// A module that was left alone but imports functions.
#[derive(Debug)]
struct Untouched {
    wasm: Box<[u8]>,
    /// Made when the first instance needs it; `None` if nothing that it imports is called.
    checked: OnceLock<Option<Arc<Code>>>,
}

impl Untouched {
    /// For a module that may need it.
    fn new(engine: &EngineState, module: &wasmtime::Module, wasm: &[u8]) -> Option<Untouched> {
        let exceptions = WasmFeatures::EXCEPTIONS | WasmFeatures::LEGACY_EXCEPTIONS;
        let imports = || module.imports().any(|import| matches!(import.ty(), wasmtime::ExternType::Func(_)));
        let needed = engine.options.features.intersects(exceptions) && imports();
        needed.then(|| Untouched { wasm: wasm.into(), checked: OnceLock::new() })
    }
}

/// What lowering told.
#[derive(Debug)]
pub struct LoweredCode {
    /// Imports, exports, needs.
    pub meta: Meta,
    /// Where instructions come from.
    pub sites: Sites,
    /// The inner engine's function types.
    pub types: TypeProbe,
    /// Positions of the exports in `meta`, by name.
    exports: HashMap<String, usize>,
}

impl LoweredCode {
    fn new(Lowered { wasm, mut meta, sites }: Lowered) -> LoweredCode {
        let types = TypeProbe::new(&wasm, std::mem::take(&mut meta.func_types));
        let exports = meta.exports.iter().enumerate().map(|(i, export)| (export.name.clone(), i)).collect();
        LoweredCode { meta, sites, types, exports }
    }

    /// The export with a name.
    pub fn export(&self, name: &str) -> Option<&EntityMeta> {
        Some(&self.meta.exports.get(*self.exports.get(name)?)?.ty)
    }
}

/// The inner engine does not take what lowering made.
#[cold]
fn refused(engine: &EngineState, err: Error) -> Error {
    if engine.options.winch {
        return err.context(
            "what lowering leaves of this module is more than Winch compiles (typed function references, tail calls, \
             function subtypes); use Cranelift",
        );
    }
    Error::new(crate::error::Error::bug(format!("lowered module: {err:#}")))
}

impl Code {
    /// Lowers and compiles a binary.
    pub fn new(engine: &EngineState, wasm: &[u8]) -> Result<Arc<Code>> {
        if let Some(lowered) = lower(wasm, &engine.lower_context())? {
            return Code::of_lowered(engine, lowered, None);
        }
        let module = wasmtime::Module::from_binary(&engine.wasmtime, wasm)?;
        engine.has_untouched.store(true, Ordering::Relaxed);
        let untouched = Untouched::new(engine, &module, wasm);
        let code = Arc::new(Code { wasmtime: module, lowered: None, untouched, dialect: None });
        engine.enter_code(&code);
        Ok(code)
    }

    /// Lowers and compiles a module of the dialect of explicit RTTs.
    pub fn of_dialect(engine: &EngineState, module: Arc<rtt::ast::Module>) -> Result<Arc<Code>> {
        let checked = rtt::Checked::new((*module).clone(), engine.options.features, &engine.registry)?;
        match lower_module(checked.module()?, &engine.lower_context())? {
            Some(lowered) => Code::of_lowered(engine, lowered, Some(module)),
            None => Err(Error::new(crate::error::Error::bug("a module of the dialect was left alone"))),
        }
    }

    /// The types that it imports; a module that does is no more than a pattern.
    pub fn type_imports(&self) -> impl Iterator<Item = rtt::link::TypeImport<'_>> {
        self.dialect.iter().flat_map(|module| rtt::link::imports(module))
    }

    /// The types that it exports.
    pub fn type_exports(&self) -> Vec<rtt::link::TypeExport> {
        self.dialect.as_ref().map(rtt::link::exports).unwrap_or_default()
    }

    /// The same module with a type for each that it imports.
    ///
    /// # Errors
    ///
    /// When a type does not match its bound, or the module can not be compiled with it.
    pub fn specialize(&self, engine: &EngineState, types: &[rtt::link::TypeExport]) -> Result<Arc<Code>> {
        let pattern = self.dialect.as_ref();
        let pattern = pattern.ok_or_else(|| Error::new(crate::error::Error::bug("a module imports no types")))?;
        Code::of_dialect(engine, Arc::new(rtt::link::specialize(pattern, types)?))
    }

    fn of_lowered(engine: &EngineState, lowered: Lowered, dialect: Option<Arc<rtt::ast::Module>>) -> Result<Arc<Code>> {
        let module =
            wasmtime::Module::from_binary(&engine.wasmtime, &lowered.wasm).map_err(|err| refused(engine, err))?;
        let code =
            Arc::new(Code { wasmtime: module, lowered: Some(LoweredCode::new(lowered)), untouched: None, dialect });
        code.enter_func_types(engine);
        engine.enter_code(&code);
        Ok(code)
    }

    /// The same module with checks behind calls of its imports, if it has such calls and was left alone.
    ///
    /// # Errors
    ///
    /// When it can not be compiled.
    pub fn checked(&self, engine: &EngineState) -> Result<Option<Arc<Code>>> {
        let Some(untouched) = &self.untouched else { return Ok(None) };
        if let Some(checked) = untouched.checked.get() {
            return Ok(checked.clone());
        }
        let lowered = lower_checked(&untouched.wasm, &engine.lower_context())?;
        let checked = lowered.map(|lowered| Code::of_lowered(engine, lowered, None)).transpose()?;
        Ok(untouched.checked.get_or_init(|| checked).clone())
    }

    /// The module's own name.
    pub fn name(&self) -> Option<&str> {
        match &self.lowered {
            Some(lowered) => lowered.meta.name.as_deref(),
            None => self.wasmtime.name(),
        }
    }

    /// What the lowered module has before the original imports.
    pub fn runtime_imports(&self) -> usize {
        self.lowered.as_ref().map_or(0, |lowered| lowered.meta.runtime_imports.len())
    }

    /// The original imports, each with its type in the lowered module.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = wasmtime::ImportType<'_>> {
        self.wasmtime.imports().skip(self.runtime_imports())
    }

    fn enter_func_types(&self, engine: &EngineState) {
        let Some(lowered) = &self.lowered else { return };
        for (native, import) in self.imports().zip(&lowered.meta.imports) {
            if let (wasmtime::ExternType::Func(native), EntityMeta::Func { id, .. }) = (native.ty(), &import.ty) {
                engine.enter_func_type(native, *id);
            }
        }
        for export in &lowered.meta.exports {
            if let EntityMeta::Func { id, .. } = export.ty
                && let Some(wasmtime::ExternType::Func(native)) = self.wasmtime.get_export(&export.name)
            {
                engine.enter_func_type(native, id);
            }
        }
    }
}
