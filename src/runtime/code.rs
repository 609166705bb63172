//! A module as compiled: the inner engine's module, and what lowering told about it.

use super::call_profile::CallCounts;
use super::engine::{Engine, EngineState};
use super::type_probe::TypeProbe;
use super::{Error, Result};
use crate::lower::output::{EntityMeta, Meta, Sites};
use crate::lower::{LowerContext, Lowered, lower, lower_checked, lower_module};
use crate::rtt;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use wasmparser::WasmFeatures;

/// A compiled module. Cheap to clone.
///
/// ```
/// use wasmtime_gc::{Engine, Instance, Module, Store};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let engine = Engine::default();
/// let module = r#"(module (type $p (struct (field i32 i32)))
///     (func (export "sum") (param i32 i32) (result i32) (local $p (ref $p))
///         (local.set $p (struct.new $p (local.get 0) (local.get 1)))
///         (i32.add (struct.get $p 0 (local.get $p)) (struct.get $p 1 (local.get $p)))))"#;
/// let module = Module::new(&engine, module)?;
/// // Compiled once, it has instances in as many stores as there are.
/// for n in 0..3 {
///     let mut store = Store::new(&engine, ());
///     let instance = Instance::new(&mut store, &module, &[])?;
///     let sum = instance.get_typed_func::<(i32, i32), i32>(&mut store, "sum")?;
///     assert_eq!(sum.call(&mut store, (n, 1))?, n + 1);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Module {
    pub(crate) engine: Engine,
    pub(crate) code: Arc<Code>,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("name", &self.code.name()).finish_non_exhaustive()
    }
}

/// A compiled module.
#[derive(Debug)]
pub struct Code {
    /// What the inner engine runs.
    pub wasmtime: wasmtime::Module,
    /// For a module that was lowered: what the runtime must know.
    pub lowered: Option<LoweredCode>,
    /// One that was left alone has a start function.
    starts: bool,
    /// For one that was left alone: what to lower it from after all.
    untouched: Option<Untouched>,
    /// For one that was lowered for this engine alone: what to lower it from for others.
    original: Option<Box<[u8]>>,
    /// For a module of the dialect of explicit RTTs: itself, for its type imports and exports.
    dialect: Option<Arc<rtt::ast::Module>>,
    /// What its instances have counted, if it was compiled to be profiled.
    pub counts: Arc<CallCounts>,
}

/// A module that was left alone but imports functions.
#[derive(Debug)]
struct Untouched {
    wasm: Box<[u8]>,
    /// Made when the first instance needs it; `None` if nothing that it imports is called.
    checked: OnceLock<Option<Arc<Code>>>,
}

/// Whether a valid module that was left alone may have to be lowered after all.
pub fn may_need_checks(engine: &EngineState, wasm: &[u8]) -> bool {
    use wasmparser::{Payload, TypeRef};
    let exceptions = WasmFeatures::EXCEPTIONS | WasmFeatures::LEGACY_EXCEPTIONS;
    let is_func = |ty| matches!(ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
    let imports_funcs = |payload| match payload {
        Payload::ImportSection(imports) => imports.into_imports().flatten().any(|import| is_func(import.ty)),
        _ => false,
    };
    let payloads = || wasmparser::Parser::new(0).parse_all(wasm).flatten();
    engine.options.features.intersects(exceptions) && payloads().any(imports_funcs)
}

/// Whether a valid module has a start function.
pub fn has_start(wasm: &[u8]) -> bool {
    use wasmparser::Payload;
    // It stands before the code.
    let before = |payload: &Payload<'_>| !matches!(payload, Payload::CodeSectionStart { .. });
    let mut payloads = wasmparser::Parser::new(0).parse_all(wasm).flatten().take_while(before);
    payloads.any(|payload| matches!(payload, Payload::StartSection { .. }))
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
        LoweredCode::of_parts(meta, sites, types)
    }

    /// By what a loaded module brings.
    pub fn of_parts(meta: Meta, sites: Sites, types: TypeProbe) -> LoweredCode {
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
pub fn refused(engine: &EngineState, err: Error) -> Error {
    // The user's pool may be too small for it: each of its limits says so in these words.
    let of_pool = || err.chain().any(|cause| cause.to_string().contains("fit in pooling allocator requirements"));
    if !engine.options.compiles || of_pool() {
        return err;
    }
    if engine.options.winch {
        return err.context(
            "what lowering leaves of this module is more than Winch compiles (typed function references, tail calls, \
             function subtypes, imported or exported functions with references to objects); use Cranelift",
        );
    }
    Error::new(crate::fault::Error::bug(format!("lowered module: {err:#}")))
}

/// Lowers a module of the dialect of explicit RTTs.
///
/// # Errors
///
/// When it is invalid, or unsupported.
pub fn lower_dialect(engine: &EngineState, module: &rtt::ast::Module, context: LowerContext<'_>) -> Result<Lowered> {
    let checked = rtt::Checked::new(module.clone(), engine.options.features, &engine.registry)?;
    // What its code looks like is not what its text looks like, so debuggers see nothing of it.
    let context = LowerContext { debug: false, ..context };
    let left_alone = || Error::new(crate::fault::Error::bug("a module of the dialect was left alone"));
    lower_module(checked.module(context.workers)?, &context)?.ok_or_else(left_alone)
}

impl Code {
    /// Lowers and compiles a binary.
    pub fn new(engine: &EngineState, wasm: &[u8]) -> Result<Arc<Code>> {
        if let Some(lowered) = lower(wasm, &engine.lower_context_of(wasm))? {
            return Code::of_lowered(engine, lowered, wasm);
        }
        let module = wasmtime::Module::from_binary(&engine.wasmtime, wasm)?;
        let original = may_need_checks(engine, wasm).then(|| wasm.to_vec());
        Ok(Code::of_untouched(engine, module, original, has_start(wasm)))
    }

    /// A module that was left alone, with the original if it may have to be lowered after all.
    pub fn of_untouched(
        engine: &EngineState,
        module: wasmtime::Module,
        wasm: Option<Vec<u8>>,
        starts: bool,
    ) -> Arc<Code> {
        engine.has_untouched.store(true, Ordering::Relaxed);
        let untouched = wasm.map(|wasm| Untouched { wasm: wasm.into(), checked: OnceLock::new() });
        let code = Arc::new(Code { untouched, starts, ..Code::bare(module) });
        engine.enter_code(&code);
        code
    }

    /// A lowered module, as it was loaded.
    pub fn of_parts(
        engine: &EngineState,
        module: wasmtime::Module,
        lowered: LoweredCode,
        dialect: Option<rtt::ast::Module>,
    ) -> Arc<Code> {
        let dialect = dialect.map(Arc::new);
        let code = Arc::new(Code { lowered: Some(lowered), dialect, ..Code::bare(module) });
        code.enter_func_types(engine);
        engine.enter_code(&code);
        code
    }

    /// Whether the original has a start function.
    pub fn starts(&self) -> bool {
        self.lowered.as_ref().map_or(self.starts, |lowered| lowered.meta.has_start)
    }

    /// The original, as far as it was kept.
    pub fn original(&self) -> Option<&[u8]> {
        self.untouched.as_ref().map(|untouched| &*untouched.wasm).or(self.original.as_deref())
    }

    fn of_lowered(engine: &EngineState, lowered: Lowered, original: &[u8]) -> Result<Arc<Code>> {
        let module =
            wasmtime::Module::from_binary(&engine.wasmtime, &lowered.wasm).map_err(|err| refused(engine, err))?;
        let lowered = Some(LoweredCode::new(lowered));
        let original = Some(original.into());
        let code = Arc::new(Code { lowered, original, ..Code::bare(module) });
        code.enter_func_types(engine);
        engine.enter_code(&code);
        Ok(code)
    }

    /// What is known of a module that this engine did not make: nothing.
    pub fn unknown(module: wasmtime::Module) -> Arc<Code> {
        Arc::new(Code::bare(module))
    }

    /// A module of the inner engine, with nothing told about it.
    fn bare(wasmtime: wasmtime::Module) -> Code {
        let counts = Arc::default();
        Code { wasmtime, lowered: None, starts: false, untouched: None, original: None, dialect: None, counts }
    }

    /// Lowers and compiles a module of the dialect of explicit RTTs.
    pub fn of_dialect(engine: &EngineState, module: Arc<rtt::ast::Module>) -> Result<Arc<Code>> {
        let lowered = lower_dialect(engine, &module, engine.lower_context())?;
        let wasmtime = wasmtime::Module::from_binary(&engine.wasmtime, &lowered.wasm);
        let wasmtime = wasmtime.map_err(|err| refused(engine, err))?;
        let lowered = Some(LoweredCode::new(lowered));
        let code = Arc::new(Code { lowered, dialect: Some(module), ..Code::bare(wasmtime) });
        code.enter_func_types(engine);
        engine.enter_code(&code);
        Ok(code)
    }

    /// Whether it is the code of this module, or what was lowered of it after all.
    pub fn is_of(&self, module: &Code) -> bool {
        let checked =
            module.untouched.as_ref().and_then(|untouched| untouched.checked.get()).and_then(Option::as_deref);
        std::ptr::eq(self, module) || checked.is_some_and(|checked| std::ptr::eq(self, checked))
    }

    /// The module itself, if it is one of the dialect of explicit RTTs.
    pub fn dialect(&self) -> Option<&rtt::ast::Module> {
        self.dialect.as_deref()
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
        let pattern = pattern.ok_or_else(|| Error::new(crate::fault::Error::bug("a module imports no types")))?;
        Code::of_dialect(engine, Arc::new(rtt::link::specialize(pattern, types)?))
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
        let lowered = lower_checked(&untouched.wasm, &engine.lower_context_of(&untouched.wasm))?;
        let checked = lowered.map(|lowered| Code::of_lowered(engine, lowered, &untouched.wasm)).transpose()?;
        Ok(untouched.checked.get_or_init(|| checked).clone())
    }

    /// The names of all exports, in order.
    pub fn export_names(&self) -> Vec<&str> {
        match &self.lowered {
            Some(lowered) => lowered.meta.exports.iter().map(|export| export.name.as_str()).collect(),
            None => self.wasmtime.exports().map(|export| export.name()).collect(),
        }
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
