//! What an engine tells of its configuration.

use super::Engine;
use crate::api::{Collector, Inlining, OptLevel, PoolingAllocationConfig, PoolingAllocatorMetrics, RegallocAlgorithm};
use crate::api::{Strategy, WasmFeatures};
use std::num::NonZeroU32;
use std::sync::{Arc, Weak};

macro_rules! forward {
    ($($(#[$doc:meta])* $name:ident -> $ty:ty;)*) => {
        impl Engine {
            $($(#[$doc])*
            pub fn $name(&self) -> $ty {
                self.wasmtime().$name()
            })*
        }
    };
}

forward! {
    /// Bytes of stack that asynchronous calls get.
    get_async_stack_size -> usize;
    /// Whether stacks of asynchronous calls are zeroed.
    get_async_stack_zeroing -> bool;
    /// Whether component-model concurrency can be used.
    get_concurrency_support -> bool;
    /// Whether code counts fuel.
    get_consume_fuel -> bool;
    /// Whether Cranelift checks its own output.
    get_cranelift_debug_verifier -> Option<bool>;
    /// Cranelift flags that were switched on.
    get_cranelift_flags_enabled -> impl Iterator<Item = &str> + '_;
    /// Cranelift flags that were set.
    get_cranelift_flags_set -> impl Iterator<Item = (&str, &str)> + '_;
    /// Whether NaNs are made canonical.
    get_cranelift_nan_canonicalization -> Option<bool>;
    /// How much Cranelift optimises.
    get_cranelift_opt_level -> Option<OptLevel>;
    /// How Cranelift allocates registers.
    get_cranelift_regalloc_algorithm -> Option<RegallocAlgorithm>;
    /// Whether native debug information is generated.
    get_debug_info -> bool;
    /// Whether compiled code has symbols.
    get_debug_symbols -> bool;
    /// Whether code checks for the epoch's deadline.
    get_epoch_interruption -> bool;
    /// Whether memories have a guard in front of them.
    get_guard_before_linear_memory -> bool;
    /// Whether compiled code can be looked into.
    get_guest_debug -> bool;
    /// Bytes of native stack that WebAssembly may use.
    get_max_wasm_stack -> usize;
    /// The largest memory image that is kept in one piece.
    get_memory_guaranteed_dense_image_size -> u64;
    /// Bytes behind each memory that fault.
    get_memory_guard_size -> u64;
    /// Whether memories are initialised by copy-on-write mappings.
    get_memory_init_cow -> bool;
    /// Whether memories may move.
    get_memory_may_move -> bool;
    /// Bytes of address space for each memory.
    get_memory_reservation -> u64;
    /// Bytes of address space that a memory which moves gets beyond its size.
    get_memory_reservation_for_growth -> u64;
    /// Whether metadata tells corruption of Wasmtime's own GC heap apart.
    get_metadata_for_gc_heap_corruption -> bool;
    /// Whether metadata tells failed assertions apart.
    get_metadata_for_internal_asserts -> bool;
    /// Whether native code has unwind information.
    get_native_unwind_info -> Option<bool>;
    /// Whether compiling uses several threads.
    get_parallel_compilation -> bool;
    /// The pooling allocator's configuration, if that is used.
    get_pooling_config -> Option<&PoolingAllocationConfig>;
    /// Whether relaxed SIMD gives the same results everywhere.
    get_relaxed_simd_deterministic -> bool;
    /// Whether shared memories can be made.
    get_shared_memory -> bool;
    /// Whether traps are found by faults.
    get_signals_based_traps -> bool;
    /// The compiler.
    get_strategy -> Option<Strategy>;
    /// Whether tables are filled when elements are first read.
    get_table_lazy_init -> bool;
    /// The target, if one was set.
    get_target -> Option<String>;
    /// Whether hints about branches are heeded.
    get_wasm_branch_hinting -> bool;
    /// Whether execution is recorded.
    is_recording -> bool;
    /// Whether execution is replayed.
    is_replaying -> bool;
    /// What the pooling allocator has handed out, if it is used.
    pooling_allocator_metrics -> Option<PoolingAllocatorMetrics>;
}

impl Engine {
    /// Whether compiled code tells where instructions come from.
    pub fn get_generate_address_map(&self) -> bool {
        self.state().options.address_map
    }

    /// The features that modules may use, as they are given.
    pub fn get_wasm_features(&self) -> WasmFeatures {
        self.config().features
    }

    /// How many frames backtraces have; 0 for no backtraces.
    pub fn get_wasm_backtrace_max_frames(&self) -> usize {
        self.config().backtrace_frames.map_or(0, |frames| frames.get())
    }

    /// Whether Cranelift puts functions in the place of calls, as it was asked for.
    pub fn get_compiler_inlining(&self) -> Inlining {
        self.config().inlining.unwrap_or_else(|| self.wasmtime().get_compiler_inlining())
    }

    /// The collector that was chosen among Wasmtime's own. None of them is used.
    pub fn get_collector(&self) -> Option<Collector> {
        self.config().stock.collector
    }

    /// The size that Wasmtime's own GC heap was to begin with.
    pub fn get_gc_heap_initial_size(&self) -> u64 {
        self.config().stock.initial_size.unwrap_or_else(|| self.wasmtime().get_gc_heap_initial_size())
    }

    /// The address space that Wasmtime's own GC heap was to have.
    pub fn get_gc_heap_reservation(&self) -> u64 {
        self.config().stock.reservation.unwrap_or_else(|| self.wasmtime().get_gc_heap_reservation())
    }

    /// The guard that Wasmtime's own GC heap was to have.
    pub fn get_gc_heap_guard_size(&self) -> u64 {
        self.config().stock.guard_size.unwrap_or_else(|| self.wasmtime().get_gc_heap_guard_size())
    }

    /// Whether Wasmtime's own GC heap was allowed to move.
    pub fn get_gc_heap_may_move(&self) -> bool {
        self.config().stock.may_move.unwrap_or_else(|| self.wasmtime().get_gc_heap_may_move())
    }

    /// The room to grow that Wasmtime's own GC heap was to have.
    pub fn get_gc_heap_reservation_for_growth(&self) -> u64 {
        let set = self.config().stock.reservation_for_growth;
        set.unwrap_or_else(|| self.wasmtime().get_gc_heap_reservation_for_growth())
    }

    /// At every how many allocations the heap collects, if it does: see
    /// [`Config::gc_zeal`](crate::api::Config::gc_zeal).
    pub fn get_gc_zeal_alloc_counter(&self) -> Option<NonZeroU32> {
        self.config().heap.zeal
    }

    /// Sets this thread up for WebAssembly, which the first call does otherwise.
    pub fn tls_eager_initialize() {
        wasmtime::Engine::tls_eager_initialize();
    }

    /// A handle that does not keep the engine.
    pub fn weak(&self) -> EngineWeak {
        EngineWeak { state: Arc::downgrade(self.state()) }
    }
}

/// A handle to an engine that does not keep it.
#[derive(Clone, Default)]
pub struct EngineWeak {
    state: Weak<crate::runtime::engine::EngineState>,
}

impl EngineWeak {
    /// The engine, if it is still there.
    pub fn upgrade(&self) -> Option<Engine> {
        Some(Engine { state: self.state.upgrade()? })
    }
}

impl std::fmt::Debug for EngineWeak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineWeak").finish_non_exhaustive()
    }
}
