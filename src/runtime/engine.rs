//! What all modules and stores of an engine share.

use super::call_profile;
use super::code::Code;
use super::func_types::{FuncTypes, Unknown};
use super::type_probe::TypeProbe;
use super::{Error, Result};
use crate::heap::HeapOptions;
use crate::ir::LikelyTargets;
use crate::layout::{GcTypes, HeapMap, MapParams};
use crate::lower::probe::types_alone;
use crate::lower::{LowerContext, Passes};
use crate::types::{HeapType, RefType, TypeId, TypeRegistry, TypeTable, ValType};
use crate::workers::Workers;
use std::any::Any;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, RwLock, Weak};
use wasmparser::WasmFeatures;

/// An embedder's choices, as far as they are ours and not the inner engine's.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Features that modules may use before they are lowered.
    pub features: WasmFeatures,
    /// Bytes of the shadow stack.
    pub stack_bytes: u32,
    /// Bytes of the nursery.
    pub nursery_bytes: u32,
    /// Options of each store's heap.
    pub heap: HeapOptions,
    /// Fuel that each element of a table costs that grows.
    pub table_grow_cost: u8,
    /// See [`LowerContext::explicit_null_checks`].
    pub explicit_null_checks: bool,
    /// See [`LowerContext::opt_level`].
    pub opt_level: u8,
    /// See [`LowerContext::workers`].
    pub workers: Workers,
    /// See [`LowerContext::passes`].
    pub passes: Passes,
    /// See [`LowerContext::check_roots`].
    pub check_roots: bool,
    /// See [`LowerContext::debug`].
    pub debug: bool,
    /// See [`LowerContext::profile_calls`].
    pub profile_calls: bool,
    /// What is likely by the profiles of modules, by their digests.
    pub call_profiles: HashMap<String, LikelyTargets>,
    /// The inner engine compiles with Winch.
    pub winch: bool,
    /// There is a compiler.
    pub compiles: bool,
    /// Frames of backtraces tell where they are.
    pub address_map: bool,
    /// How many frames backtraces have; `None` for no backtraces.
    pub backtrace_frames: Option<NonZeroUsize>,
}

/// The context in which modules are compiled and stores made. Cheap to clone, and shared by clones.
#[derive(Clone)]
pub struct Engine {
    pub(crate) state: Arc<EngineState>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// The state behind an engine.
pub struct EngineState {
    /// The engine that runs what lowering produces.
    pub wasmtime: wasmtime::Engine,
    /// Canonical types.
    pub registry: Arc<TypeRegistry>,
    /// RTT records of types that have objects.
    pub gc_types: GcTypes,
    /// The fixed addresses of every heap.
    pub map: HeapMap,
    /// The embedder's choices.
    pub options: EngineOptions,
    func_types: FuncTypes,
    heap_module: OnceLock<wasmtime::Module>,
    code: RwLock<HashMap<usize, Weak<Code>>>,
    asking: Mutex<()>,
    /// Whether any module was compiled without being lowered.
    pub has_untouched: AtomicBool,
    /// What the embedder configured, as it was given.
    pub embedder: Box<dyn Any + Send + Sync>,
}

/// The module that defines each store's heap memory and function table.
const HEAP_MODULE: &str = r#"(module $wasmtime-gc-heap
    (memory (export "heap") 1 65536)
    (table (export "functions") 0 funcref))"#;

impl EngineState {
    /// The state of a new engine.
    pub fn new(
        wasmtime: wasmtime::Engine,
        options: EngineOptions,
        embedder: Box<dyn Any + Send + Sync>,
    ) -> EngineState {
        let registry = Arc::new(TypeRegistry::new());
        let map = HeapMap::new(MapParams { stack_bytes: options.stack_bytes, nursery_bytes: options.nursery_bytes });
        let func_types = FuncTypes::new(wasmtime.clone(), registry.clone());
        EngineState {
            gc_types: GcTypes::new(registry.clone(), map.rtt_start),
            wasmtime,
            registry,
            map,
            options,
            func_types,
            heap_module: OnceLock::new(),
            code: RwLock::default(),
            asking: Mutex::new(()),
            has_untouched: AtomicBool::new(false),
            embedder,
        }
    }

    /// What lowering needs to know, for code that runs in this engine.
    pub fn lower_context(&self) -> LowerContext<'_> {
        LowerContext {
            registry: &self.registry,
            gc_types: &self.gc_types,
            map: self.map,
            features: self.options.features,
            explicit_null_checks: self.options.explicit_null_checks,
            relocatable: false,
            opt_level: self.options.opt_level,
            workers: self.options.workers,
            passes: self.options.passes,
            check_roots: self.options.check_roots,
            debug: self.options.debug,
            profile_calls: self.options.profile_calls,
            winch: self.options.winch,
            likely: None,
        }
    }

    /// The same for a module of which there may be a profile.
    pub fn lower_context_of(&self, wasm: &[u8]) -> LowerContext<'_> {
        let profiles = &self.options.call_profiles;
        let likely = if profiles.is_empty() { None } else { profiles.get(&call_profile::digest(wasm)) };
        LowerContext { likely, ..self.lower_context() }
    }

    /// The same, for code that runs in other engines too. Nobody asks those what they have counted.
    pub fn relocatable_context(&self, wasm: &[u8]) -> LowerContext<'_> {
        LowerContext { relocatable: true, profile_calls: false, ..self.lower_context_of(wasm) }
    }

    /// The same for a module of which there is no profile.
    pub fn relocatable_context_without_profile(&self) -> LowerContext<'_> {
        LowerContext { relocatable: true, profile_calls: false, ..self.lower_context() }
    }

    /// The module that defines heaps, compiled when the first store needs it; `None` where nothing can be compiled.
    pub fn heap_module(&self) -> Result<Option<&wasmtime::Module>> {
        if !self.options.compiles {
            return Ok(None);
        }
        if let Some(module) = self.heap_module.get() {
            return Ok(Some(module));
        }
        let wasm = wat::parse_str(HEAP_MODULE).map_err(|err| Error::msg(err.to_string()))?;
        let module = wasmtime::Module::new(&self.wasmtime, wasm)?;
        Ok(Some(self.heap_module.get_or_init(|| module)))
    }

    /// Makes compiled code known to backtraces.
    pub fn enter_code(&self, code: &Arc<Code>) {
        let mut all = self.code.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if all.len() >= 64 && all.len().is_power_of_two() {
            all.retain(|_, code| code.strong_count() > 0);
        }
        all.insert(key(&code.wasmtime), Arc::downgrade(code));
    }

    /// The code that a module of the inner engine was made for.
    pub fn code_of(&self, module: &wasmtime::Module) -> Option<Arc<Code>> {
        let all = self.code.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let code = all.get(&key(module))?.upgrade()?;
        wasmtime::Module::same(&code.wasmtime, module).then_some(code)
    }

    /// The code that is at a [`key`].
    pub fn code_at(&self, key: usize) -> Option<Arc<Code>> {
        let all = self.code.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        all.get(&key)?.upgrade()
    }

    /// Notes that a function type of the inner engine stands for an original one.
    pub fn enter_func_type(&self, lowered: wasmtime::FuncType, id: TypeId) {
        self.func_types.tell(lowered, id);
    }

    /// The original type that a function type of the inner engine stands for.
    pub fn canon_func(&self, ty: &wasmtime::FuncType) -> Option<TypeId> {
        self.asking(|unknown| self.func_types.canon(ty, unknown))
    }

    /// The original type of a value that is no lowered reference.
    pub fn canon_val(&self, ty: &wasmtime::ValType) -> Option<ValType> {
        self.asking(|unknown| self.func_types.canon_val(ty, unknown))
    }

    /// The inner engine's type for an original function type; `None` if its signature holds lowered
    /// references and no module has it.
    pub fn lowered_func(&self, id: TypeId) -> Option<wasmtime::FuncType> {
        self.asking(|unknown| self.func_types.lowered(id, unknown))
    }

    /// The inner engine's type for an original function type that a host function has: where no module has it, one is made that
    /// does. A type that no module can have is shown by one that is not final, which no such module can name either.
    ///
    /// # Errors
    ///
    /// When nothing can be compiled, or the type can not be lowered.
    pub fn made_func(&self, id: TypeId) -> Result<wasmtime::FuncType> {
        if let Some(ty) = self.lowered_func(id) {
            return Ok(ty);
        }
        let unknown = || Error::msg("no module has shown how this function's type is lowered");
        if !self.options.compiles {
            return Err(unknown().context("nothing can be compiled here; load a module first that has the type"));
        }
        let types = types_alone(&TypeTable::of_func(&self.registry, id))?;
        // Winch takes no such module, nor any with a type that is not final; and nobody takes types of more than 1000 parameters.
        let Ok(shown) = TypeProbe::new(&types.wasm, types.funcs).ask(&self.wasmtime) else {
            return self.func_types.unnamed(id).ok_or_else(unknown);
        };
        for (ty, id) in shown {
            self.func_types.tell(ty, id);
        }
        self.lowered_func(id).ok_or_else(unknown)
    }

    /// The inner engine's type for a value: references become `i32`, but for function references.
    pub fn lowered_val(&self, ty: ValType) -> Option<wasmtime::ValType> {
        self.asking(|unknown| self.func_types.lowered_val(ty, unknown))
    }

    /// Looks a type up; if nobody knows it, again after all modules were asked for theirs.
    fn asking<R>(&self, look_up: impl Fn(Unknown) -> Option<R>) -> Option<R> {
        look_up(Unknown::Ask).or_else(|| {
            self.ask_modules();
            look_up(Unknown::Ask).or_else(|| look_up(Unknown::Trust))
        })
    }

    #[cold]
    fn ask_modules(&self) {
        // Who comes second waits for what the first one learns.
        let _guard = self.asking.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let all: Vec<Arc<Code>> = {
            let all = self.code.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            all.values().filter_map(Weak::upgrade).collect()
        };
        for lowered in all.iter().filter_map(|code| code.lowered.as_ref()) {
            // A probe that fails tells nothing; it is a bug that shows as a type that nobody knows.
            for (ty, id) in lowered.types.ask(&self.wasmtime).unwrap_or_default() {
                self.func_types.tell(ty, id);
            }
        }
    }

    /// Whether one defined type is the other, or a declared descendant of it.
    pub fn is_sub_id(&self, sub: TypeId, sup: TypeId) -> bool {
        sub == sup || self.registry.get(sub).is_some_and(|def| def.display.contains(&sup))
    }

    /// `sub <: sup` for heap types.
    pub fn is_sub_heap(&self, sub: HeapType, sup: HeapType) -> bool {
        TypeTable::new(&self.registry, sub.concrete().into_iter().collect()).is_sub_heap(sub, sup)
    }

    /// `sub <: sup` for reference types.
    pub fn is_sub_ref(&self, sub: RefType, sup: RefType) -> bool {
        TypeTable::new(&self.registry, sub.heap.concrete().into_iter().collect()).is_sub_ref(sub, sup)
    }

    /// `sub <: sup` for value types.
    pub fn is_sub_val(&self, sub: ValType, sup: ValType) -> bool {
        match (sub, sup) {
            (ValType::Ref(a), ValType::Ref(b)) => self.is_sub_ref(a, b),
            _ => sub == sup,
        }
    }
}

/// Where a module's code is in memory: unique as long as it lives.
pub fn key(module: &wasmtime::Module) -> usize {
    module.image_range().start as usize
}
