//! A module as compiled: the inner engine's module, and what lowering told about it.

use super::engine::EngineState;
use super::{Error, Result};
use crate::lower::output::{EntityMeta, Meta, Sites};
use crate::lower::{Lowered, lower};
use std::collections::HashMap;
use std::sync::Arc;

/// A compiled module.
#[derive(Debug)]
pub struct Code {
    /// What the inner engine runs.
    pub wasmtime: wasmtime::Module,
    /// For a module that was lowered: what the runtime must know.
    pub lowered: Option<LoweredCode>,
}

/// What lowering told.
#[derive(Debug)]
pub struct LoweredCode {
    /// Imports, exports, needs.
    pub meta: Meta,
    /// Where instructions come from.
    pub sites: Sites,
    /// Positions of the exports in `meta`, by name.
    exports: HashMap<String, usize>,
}

impl LoweredCode {
    fn new(meta: Meta, sites: Sites) -> LoweredCode {
        let exports = meta.exports.iter().enumerate().map(|(i, export)| (export.name.clone(), i)).collect();
        LoweredCode { meta, sites, exports }
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
        let code = match lower(wasm, &engine.lower_context())? {
            Some(Lowered { wasm, sites, meta }) => {
                let module =
                    wasmtime::Module::from_binary(&engine.wasmtime, &wasm).map_err(|err| refused(engine, err))?;
                let lowered = Some(LoweredCode::new(meta, sites));
                Code { wasmtime: module, lowered }
            }
            None => Code { wasmtime: wasmtime::Module::from_binary(&engine.wasmtime, wasm)?, lowered: None },
        };
        let code = Arc::new(code);
        code.enter_func_types(engine);
        engine.enter_code(&code);
        Ok(code)
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
