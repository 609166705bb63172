//! Wasmtime's options that need no thought: they are passed on, or noted.
//!
//! What concerns Wasmtime's own GC heap is noted and told by the engine, and changes nothing: there is none. The heap
//! of this crate is an ordinary memory, for which [`Config::memory_reservation`] and its kin hold.

use super::Config;
use crate::api::{
    Collector, CustomCodeMemory, Inlining, ModuleVersionStrategy, OperatorCost, RRConfig, RegallocAlgorithm, Result,
    StackCreator,
};
use std::path::Path;
use std::sync::Arc;
use wasmtime::WasmFeatures;

/// What is noted of Wasmtime's GC heap.
#[derive(Clone, Debug, Default)]
pub(crate) struct StockHeap {
    pub(crate) collector: Option<Collector>,
    pub(crate) initial_size: Option<u64>,
    pub(crate) reservation: Option<u64>,
    pub(crate) guard_size: Option<u64>,
    pub(crate) may_move: Option<bool>,
    pub(crate) reservation_for_growth: Option<u64>,
}

macro_rules! forward {
    ($($(#[$doc:meta])* $name:ident($arg:ident: $ty:ty);)*) => {
        impl Config {
            $($(#[$doc])*
            pub fn $name(&mut self, $arg: $ty) -> &mut Self {
                self.inner.$name($arg);
                self
            })*
        }
    };
}

impl Config {
    /// Whether modules can be compiled. Without, an engine only loads what was compiled before.
    pub fn enable_compiler(&mut self, enable: bool) -> &mut Self {
        self.compiles = enable;
        self.inner.enable_compiler(enable);
        self
    }

    /// Whether frames of backtraces tell where in a module they are. What a trap means depends on where it was, so
    /// compiled code says where each instruction comes from in any case.
    pub fn generate_address_map(&mut self, generate: bool) -> &mut Self {
        self.address_map = generate;
        self
    }
}

forward! {
    /// Whether stacks of asynchronous calls are zeroed before they are used.
    async_stack_zeroing(enable: bool);
    /// Whether component-model concurrency can be used in stores.
    concurrency_support(enable: bool);
    /// Whether traps carry a core dump: see [`WasmCoreDump`](crate::WasmCoreDump).
    coredump_on_trap(enable: bool);
    /// How Cranelift allocates registers.
    cranelift_regalloc_algorithm(algo: RegallocAlgorithm);
    /// Whether compiled code checks what should be impossible.
    cranelift_wasmtime_debug_checks(enable: bool);
    /// Whether adapter modules of components are debugged, too.
    debug_adapter_modules(enable: bool);
    /// Whether compiled code has symbols for native tools.
    debug_symbols(enable: bool);
    /// Writes Cranelift's intermediate form of every function to a folder.
    emit_clif(path: &Path);
    /// Whether memories are always initialised by copy-on-write mappings of anonymous files.
    force_memory_init_memfd(enable: bool);
    /// Whether memories have a guard in front of them, too.
    guard_before_linear_memory(enable: bool);
    /// Whether guests can be stopped and looked into, in terms of the original modules. Nothing is optimised then.
    guest_debug(enable: bool);
    /// Whether faults are found through Mach ports on macOS.
    macos_use_mach_ports(mach_ports: bool);
    /// The largest memory image that is kept in one piece.
    memory_guaranteed_dense_image_size(size_in_bytes: u64);
    /// Whether metadata tells corruption of Wasmtime's own GC heap apart.
    metadata_for_gc_heap_corruption(enable: bool);
    /// Whether metadata tells failed assertions of compiled code apart.
    metadata_for_internal_asserts(enable: bool);
    /// Whether relaxed SIMD gives the same results everywhere.
    relaxed_simd_deterministic(enable: bool);
    /// Whether execution is recorded or replayed.
    rr(config: RRConfig);
    /// Whether tables are filled when elements are first read. Off here, because calls are faster then.
    table_lazy_init(table_lazy_init: bool);
    /// Whether hints about branches are heeded. On here, because lowering gives its own, besides those of modules.
    wasm_branch_hinting(enable: bool);
    /// The component model.
    wasm_component_model(enable: bool);
    /// The component model's asynchronous functions.
    wasm_component_model_async(enable: bool);
    /// The component model's stackful asynchronous functions.
    wasm_component_model_async_stackful(enable: bool);
    /// The component model's error contexts.
    wasm_component_model_error_context(enable: bool);
    /// The component model's lists of fixed length.
    wasm_component_model_fixed_length_lists(enable: bool);
    /// The component model's GC types.
    wasm_component_model_gc(enable: bool);
    /// The component model's `implements`.
    wasm_component_model_implements(enable: bool);
    /// The component model's maps.
    wasm_component_model_map(enable: bool);
    /// The component model's 64-bit memories.
    wasm_component_model_memory64(enable: bool);
    /// More of the component model's asynchronous functions.
    wasm_component_model_more_async_builtins(enable: bool);
    /// The component model's threads.
    wasm_component_model_threading(enable: bool);
    /// Who publishes compiled code.
    with_custom_code_memory(custom_code_memory: Option<Arc<dyn CustomCodeMemory>>);
    /// Who creates the stacks of asynchronous calls.
    with_host_stack(stack_creator: Arc<dyn StackCreator>);
    /// Whether every access to memory is checked against what was allocated.
    wmemcheck(enable: bool);
}

impl Config {
    /// Once: whether calls may wait. Now all may.
    #[deprecated = "it has no effect: asynchronous functions can always be called"]
    pub fn async_support(&mut self, _enable: bool) -> &mut Self {
        self
    }

    /// Where functions that are compiled are kept, so that they need not be compiled again in another module.
    ///
    /// # Errors
    ///
    /// As the compiler's.
    #[cfg(feature = "incremental-cache")]
    pub fn enable_incremental_compilation(
        &mut self,
        cache_store: std::sync::Arc<dyn wasmtime::CacheStore>,
    ) -> crate::api::Result<&mut Self> {
        self.inner.enable_incremental_compilation(cache_store)?;
        Ok(self)
    }

    /// Whether errors have backtraces.
    #[deprecated = "use `wasm_backtrace_max_frames` instead"]
    pub fn wasm_backtrace(&mut self, enable: bool) -> &mut Self {
        let default = self.backtrace_frames.or(Some(super::DEFAULT_BACKTRACE_FRAMES));
        self.wasm_backtrace_max_frames(default.filter(|_| enable))
    }

    /// Whether Cranelift puts functions in the place of calls, beyond what lowering does. Within a module it never does: of
    /// inlined code the engine does not know from where in the module it is, and what a trap means depends on that. So
    /// [`Inlining::Yes`] is what [`Inlining::InterModule`] is.
    pub fn compiler_inlining(&mut self, inlining: Inlining) -> &mut Self {
        self.inlining = Some(inlining);
        self.inner.compiler_inlining(match inlining {
            Inlining::Yes => Inlining::InterModule,
            other => other,
        });
        self
    }

    /// What an operator costs of fuel. Lowered modules have other operators than the original ones.
    pub fn operator_cost(&mut self, cost: OperatorCost) -> &mut Self {
        self.table_grow_cost = cost.variable.table_grow_per_element;
        self.inner.operator_cost(cost);
        self
    }

    /// Whether GC types can be used at all.
    pub fn gc_support(&mut self, enable: bool) -> &mut Self {
        self.wasm_features(WasmFeatures::GC_TYPES, enable)
    }

    /// Wasmtime's choice among its own collectors. It is noted, and changes nothing: this crate has its own.
    pub fn collector(&mut self, collector: Collector) -> &mut Self {
        self.stock.collector = Some(collector);
        self
    }

    /// The size that Wasmtime's own GC heap begins with. It is noted, and changes nothing.
    pub fn gc_heap_initial_size(&mut self, bytes: u64) -> &mut Self {
        self.stock.initial_size = Some(bytes);
        self
    }

    /// The address space of Wasmtime's own GC heap. It is noted, and changes nothing: see
    /// [`Config::memory_reservation`].
    pub fn gc_heap_reservation(&mut self, bytes: u64) -> &mut Self {
        self.stock.reservation = Some(bytes);
        self
    }

    /// The guard of Wasmtime's own GC heap. It is noted, and changes nothing: see [`Config::memory_guard_size`].
    pub fn gc_heap_guard_size(&mut self, bytes: u64) -> &mut Self {
        self.stock.guard_size = Some(bytes);
        self
    }

    /// Whether Wasmtime's own GC heap may move. It is noted, and changes nothing: see [`Config::memory_may_move`].
    pub fn gc_heap_may_move(&mut self, enable: bool) -> &mut Self {
        self.stock.may_move = Some(enable);
        self
    }

    /// Room for Wasmtime's own GC heap to grow. It is noted, and changes nothing: see
    /// [`Config::memory_reservation_for_growth`].
    pub fn gc_heap_reservation_for_growth(&mut self, bytes: u64) -> &mut Self {
        self.stock.reservation_for_growth = Some(bytes);
        self
    }

    /// Which versions of compiled modules are loaded.
    ///
    /// # Errors
    ///
    /// When a custom version is too long.
    pub fn module_version(&mut self, strategy: ModuleVersionStrategy) -> Result<&mut Self> {
        self.inner.module_version(strategy)?;
        Ok(self)
    }
}
