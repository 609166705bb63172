//! What an embedder chooses about an engine.

mod options;
#[cfg(feature = "cli")]
mod unlowered;

use super::{Error, OptLevel, Result, Strategy};
use crate::heap::HeapOptions;
use crate::layout::map::MAX_HEAP_BYTES;
use crate::lower::Passes;
use crate::runtime::call_profile::CallProfile;
use crate::runtime::engine::EngineOptions;
use crate::workers::Workers;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use wasmtime::WasmFeatures;

/// Wasmtime's default for [`Config::max_wasm_stack`].
const DEFAULT_WASM_STACK: usize = 512 * 1024;
/// All passes of our own optimiser.
const FULL_OPT: u8 = 2;
/// Wasmtime's default for [`Config::wasm_backtrace_max_frames`].
const DEFAULT_BACKTRACE_FRAMES: NonZeroUsize = NonZeroUsize::new(20).unwrap();
/// Default size of the nursery.
const DEFAULT_NURSERY: usize = 4 << 20;

/// Options of an [`Engine`](super::Engine).
///
/// Wasmtime's own options are passed on. Features apply to modules as they are given: the inner engine
/// never sees a GC type. The options that begin with `gc_` are this crate's.
#[derive(Clone)]
pub struct Config {
    inner: wasmtime::Config,
    pub(super) features: WasmFeatures,
    max_wasm_stack: usize,
    nursery_size: usize,
    pub(super) heap: HeapOptions,
    /// Noted, and not used.
    pub(super) stock: options::StockHeap,
    pub(super) inlining: Option<crate::api::Inlining>,
    signals_based_traps: bool,
    pub(super) table_grow_cost: u8,
    explicit_null_checks: Option<bool>,
    opt_level: u8,
    passes: Passes,
    check_roots: bool,
    profile_calls: bool,
    call_profiles: Vec<CallProfile>,
    strategy: Strategy,
    compiles: bool,
    address_map: bool,
    interprets: bool,
    pub(super) backtrace_frames: Option<NonZeroUsize>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("features", &self.features)
            .field("max_wasm_stack", &self.max_wasm_stack)
            .field("nursery_size", &self.nursery_size)
            .field("heap", &self.heap)
            .finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

macro_rules! forward {
    ($($(#[$doc:meta])* $name:ident($arg:ident: $ty:ty);)*) => {
        $($(#[$doc])*
        pub fn $name(&mut self, $arg: $ty) -> &mut Self {
            self.inner.$name($arg);
            self
        })*
    };
}

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident: $flag:ident;)*) => {
        $($(#[$doc])*
        pub fn $name(&mut self, enable: bool) -> &mut Self {
            self.wasm_features(WasmFeatures::$flag, enable)
        })*
    };
}

impl Config {
    /// How many frames backtraces have; `None` for no backtraces.
    pub fn wasm_backtrace_max_frames(&mut self, limit: Option<NonZeroUsize>) -> &mut Self {
        self.backtrace_frames = limit;
        // What a trap means depends on where it was, so the engine's own errors always say that.
        self.inner.wasm_backtrace_max_frames(Some(limit.unwrap_or(DEFAULT_BACKTRACE_FRAMES)));
        self
    }

    /// The defaults: everything in WebAssembly 3.0, and the exceptions of before it, on Cranelift.
    pub fn new() -> Self {
        let mut inner = wasmtime::Config::new();
        // Calls through the store's function table are the hottest of all, and they are cheaper when
        // tables are filled on instantiation.
        inner.table_lazy_init(false);
        // Lowering tells what hardly ever happens: that an allocation or a barrier needs help.
        inner.wasm_branch_hinting(true);
        // Lowered modules have typed function references and function subtyping, but no GC types, so
        // Wasmtime's own GC is never set up.
        inner.gc_support(false).wasm_function_references(true).wasm_gc(true).wasm_exceptions(false);
        Config {
            inner,
            features: WasmFeatures::WASM3 | WasmFeatures::LEGACY_EXCEPTIONS,
            max_wasm_stack: DEFAULT_WASM_STACK,
            nursery_size: DEFAULT_NURSERY,
            heap: HeapOptions::default(),
            stock: options::StockHeap::default(),
            inlining: None,
            signals_based_traps: true,
            table_grow_cost: wasmtime::VariableOperatorCost::default().table_grow_per_element,
            explicit_null_checks: None,
            opt_level: FULL_OPT,
            passes: Passes::ALL,
            check_roots: cfg!(debug_assertions),
            profile_calls: false,
            call_profiles: Vec::new(),
            strategy: Strategy::Auto,
            compiles: true,
            address_map: true,
            interprets: false,
            backtrace_frames: Some(DEFAULT_BACKTRACE_FRAMES),
        }
    }

    forward! {
        /// Whether code counts fuel. See [`Store::set_fuel`](super::Store::set_fuel).
        consume_fuel(enable: bool);
        /// Whether code checks for the epoch's deadline. See
        /// [`Store::set_epoch_deadline`](super::Store::set_epoch_deadline).
        epoch_interruption(enable: bool);
        /// Whether Cranelift checks its own output.
        cranelift_debug_verifier(enable: bool);
        /// Whether NaNs are made canonical.
        cranelift_nan_canonicalization(enable: bool);
        /// Bytes of address space that are reserved for each memory, the GC heap included.
        memory_reservation(bytes: u64);
        /// Bytes of address space behind each memory that fault.
        memory_guard_size(bytes: u64);
        /// Bytes of address space that a memory which moves gets beyond its size.
        memory_reservation_for_growth(bytes: u64);
        /// Whether memories may move when they grow.
        memory_may_move(enable: bool);
        /// Whether memories are initialised by copy-on-write mappings.
        memory_init_cow(enable: bool);
        /// Whether compiling uses several threads, lowering included. Otherwise all of it is the calling thread's.
        parallel_compilation(enable: bool);
        /// Whether native debug information is generated.
        debug_info(enable: bool);
        /// Whether native code has unwind information.
        native_unwind_info(enable: bool);
        /// How instances, and memories, are allocated.
        allocation_strategy(strategy: impl Into<wasmtime::InstanceAllocationStrategy>);
        /// Who creates memories.
        with_host_memory(creator: Arc<dyn wasmtime::MemoryCreator>);
        /// Whether backtraces have source lines.
        wasm_backtrace_details(details: wasmtime::WasmBacktraceDetails);
        /// Profiling support.
        profiler(profiler: wasmtime::ProfilingStrategy);
        /// Where compiled code is cached.
        cache(cache: Option<wasmtime::Cache>);
        /// Whether shared memories can be made, with the threads proposal.
        shared_memory(enable: bool);
        /// Bytes of stack that asynchronous calls get.
        async_stack_size(size: usize);
    }

    features! {
        /// The GC proposal.
        wasm_gc: GC;
        /// Typed function references.
        wasm_function_references: FUNCTION_REFERENCES;
        /// Reference types.
        wasm_reference_types: REFERENCE_TYPES;
        /// Tail calls.
        wasm_tail_call: TAIL_CALL;
        /// 128-bit SIMD.
        wasm_simd: SIMD;
        /// Relaxed SIMD.
        wasm_relaxed_simd: RELAXED_SIMD;
        /// Bulk memory operations.
        wasm_bulk_memory: BULK_MEMORY;
        /// Several results.
        wasm_multi_value: MULTI_VALUE;
        /// Several memories.
        wasm_multi_memory: MULTI_MEMORY;
        /// 64-bit memories and tables.
        wasm_memory64: MEMORY64;
        /// Arithmetic in constant expressions.
        wasm_extended_const: EXTENDED_CONST;
        /// Threads and shared memories.
        wasm_threads: THREADS;
        /// Exceptions.
        wasm_exceptions: EXCEPTIONS;
        /// The exceptions of before the standard: `try`, `catch`, `delegate`, `rethrow`.
        wasm_legacy_exceptions: LEGACY_EXCEPTIONS;
        /// Custom descriptors and exact types.
        wasm_custom_descriptors: CUSTOM_DESCRIPTORS;
        /// 128-bit arithmetic.
        wasm_wide_arithmetic: WIDE_ARITHMETIC;
        /// Memories with other page sizes.
        wasm_custom_page_sizes: CUSTOM_PAGE_SIZES;
        /// Threads that share more than memories. Lowering refuses what belongs to it.
        wasm_shared_everything_threads: SHARED_EVERYTHING_THREADS;
        /// Continuations. Lowering refuses what belongs to them.
        wasm_stack_switching: STACK_SWITCHING;
    }

    /// The compiler. Winch compiles what has no typed function references, tail calls or function subtypes
    /// *after* lowering: GC types are fine, but [`Module::new`](super::Module::new) refuses a module that
    /// calls through typed references or that must tell function types with references apart.
    pub fn strategy(&mut self, strategy: Strategy) -> &mut Self {
        self.strategy = strategy;
        self.inner.strategy(strategy);
        self
    }

    /// The target, as a triple; `pulley64` is Wasmtime's interpreter.
    ///
    /// # Errors
    ///
    /// When there is no such target, or the crate was built without it.
    pub fn target(&mut self, target: &str) -> Result<&mut Self> {
        self.inner.target(target)?;
        self.interprets = target.starts_with("pulley");
        Ok(self)
    }

    /// Switches features on or off.
    pub fn wasm_features(&mut self, flags: WasmFeatures, enable: bool) -> &mut Self {
        self.features.set(flags, enable);
        // What lowered modules contain whatever the original may.
        let ours = WasmFeatures::GC
            | WasmFeatures::GC_TYPES
            | WasmFeatures::FUNCTION_REFERENCES
            | WasmFeatures::REFERENCE_TYPES
            | WasmFeatures::MULTI_VALUE
            | WasmFeatures::MULTI_MEMORY
            | WasmFeatures::BULK_MEMORY
            | WasmFeatures::TAIL_CALL
            | WasmFeatures::EXCEPTIONS
            | WasmFeatures::LEGACY_EXCEPTIONS
            | WasmFeatures::CUSTOM_DESCRIPTORS;
        let theirs = flags - ours;
        if !theirs.is_empty() {
            self.inner.wasm_features(theirs, enable);
        }
        self
    }

    /// How much the compilers optimise: Cranelift, and lowering.
    pub fn cranelift_opt_level(&mut self, level: OptLevel) -> &mut Self {
        self.opt_level = if matches!(level, OptLevel::None) { 0 } else { FULL_OPT };
        self.inner.cranelift_opt_level(level);
        self
    }

    /// Bytes of native stack that WebAssembly may use. The shadow stack gets twice as many.
    pub fn max_wasm_stack(&mut self, size: usize) -> &mut Self {
        self.max_wasm_stack = size;
        self.inner.max_wasm_stack(size);
        self
    }

    /// Whether traps are found by faults. Without, null checks become explicit, unless
    /// [`Config::explicit_null_checks`] says otherwise.
    pub fn signals_based_traps(&mut self, enable: bool) -> &mut Self {
        self.signals_based_traps = enable;
        self.inner.signals_based_traps(enable);
        self
    }

    /// Whether code compares references with null before it uses them, instead of relying on the
    /// memory's bounds.
    pub fn explicit_null_checks(&mut self, enable: bool) -> &mut Self {
        self.explicit_null_checks = Some(enable);
        self
    }

    /// Whether lowering runs its own optimisation passes, and allocates in line. On by default.
    /// [`Config::cranelift_opt_level`] sets this too: the later of the two holds.
    pub fn gc_optimize(&mut self, enable: bool) -> &mut Self {
        self.opt_level = if enable { FULL_OPT } else { 0 };
        self
    }

    /// Which of those passes run, to measure what one brings or to test one alone: `all` or `none`, and then any
    /// number of `+name` and `-name`, as in `all-inline`. An error lists the names.
    ///
    /// # Errors
    ///
    /// When there is no such pass.
    pub fn gc_passes(&mut self, passes: &str) -> Result<&mut Self> {
        self.passes = Passes::parse(passes).map_err(Error::msg)?;
        Ok(self)
    }

    /// Whether modules count which functions their calls through references and tables (`call_ref`, `call_indirect`)
    /// reach, for [`CallProfile::of`]. It makes them slower, by a call of the host for each function and two for each such
    /// call. Off by default, and without effect in code for debuggers ([`Config::guest_debug`]) and in code that is
    /// compiled ahead of time. Functions that are too complex for it take no part.
    pub fn gc_profile_calls(&mut self, enable: bool) -> &mut Self {
        self.profile_calls = enable;
        self
    }

    /// Compiles the module that the profile is of for the calls that the profile tells of: the likeliest functions are
    /// compared with first, and called directly or inlined, where the call is of a function from a field or a table that
    /// nothing changes. There may be profiles of several modules; of two of one module the later counts. What a module
    /// does is the same with any profile.
    pub fn gc_call_profile(&mut self, profile: &CallProfile) -> &mut Self {
        self.call_profiles.push(profile.clone());
        self
    }

    /// Whether an independent checker looks through every lowered function: that all references are
    /// where the collector finds them, and nothing dead is. A finding is a defect of this crate and an
    /// error of compilation. On by default where debug assertions are, else off.
    pub fn gc_check_roots(&mut self, enable: bool) -> &mut Self {
        self.check_roots = enable;
        self
    }

    /// Bytes of the nursery, in which objects are allocated first: 64 KiB to 256 MiB, 4 MiB by
    /// default, and never more than a quarter of [`Config::gc_max_heap_size`].
    pub fn gc_nursery_size(&mut self, bytes: usize) -> &mut Self {
        self.nursery_size = bytes;
        self
    }

    /// Bytes that each store's heap may have at most, all parts included. Nearly 4 GiB by default.
    pub fn gc_max_heap_size(&mut self, bytes: u64) -> &mut Self {
        self.heap.max_bytes = bytes.min(MAX_HEAP_BYTES);
        self
    }

    /// Collects at every `n`th allocation: by turns everything at once, and moves it, and in steps
    /// ([`Config::gc_incremental`]). A debugging aid; slow.
    pub fn gc_zeal(&mut self, n: Option<NonZeroU32>) -> &mut Self {
        self.heap.zeal = n;
        self
    }

    /// Verifies the whole heap before and after each collection. A debugging aid; slow.
    pub fn gc_verify(&mut self, enable: bool) -> &mut Self {
        self.heap.verify = enable;
        self
    }

    /// Fills freed space with words that are no references. A debugging aid.
    pub fn gc_poison(&mut self, enable: bool) -> &mut Self {
        self.heap.poison = enable;
        self
    }

    /// On how many threads a major collection may mark, the calling thread included: the others are started for it
    /// and end with it. It marks alone if the heap is small, or if objects are to move. 1 to 64, and the nearest of these if
    /// it is none; by default 2, or 1 if there is but one processor.
    pub fn gc_mark_threads(&mut self, threads: u32) -> &mut Self {
        self.heap.mark_threads = threads.clamp(1, 64);
        self
    }

    /// Whether a major collection that falls due marks in steps, a bounded one at each minor collection, instead of in one
    /// pause. By default it does if old and large objects take 16 MiB or more, since the pause is short otherwise; with `true`
    /// always, with `false` never. In steps the longest pause hardly depends on the heap's size,
    /// but for what `docs/heap.md` lists under its limits. Programs that store many references into old objects, or make long
    /// arrays of them, take up to a third more time; others about as long in all. It is still one pause when
    /// memory is short, when scattered objects are to be moved together, and by `Store::gc`.
    pub fn gc_incremental(&mut self, enable: bool) -> &mut Self {
        self.heap.incremental = enable;
        self.heap.step_least = 0;
        self
    }

    /// How much the heap may grow before a major collection: a factor on what was alive after the
    /// last. At least 1.1, 1.75 by default.
    pub fn gc_growth_factor(&mut self, factor: f64) -> &mut Self {
        self.heap.factor = factor.max(1.1);
        self
    }

    /// Bytes that old and large objects may take before the first major collection, and before any other if the factor
    /// gives less. 48 MiB by default; two thirds of it while nearly all objects survive. Up to that default it is less, down to
    /// 8 MiB, where the last major collection had little to mark, and the first comes early if objects begin to live long; more than that
    /// is kept to. With the factor it is all of the heap's sizing rule: a smaller heap is collected more often.
    pub fn gc_growth_minimum(&mut self, bytes: u64) -> &mut Self {
        self.heap.minimum = bytes;
        self
    }

    /// The inner engine's configuration, for options that are not here. Feature flags and GC options
    /// must be left alone.
    pub fn wasmtime_mut(&mut self) -> &mut wasmtime::Config {
        &mut self.inner
    }

    /// Lowers the heap's maximum to the limit that a store will have anyway, so that what is planned
    /// by the maximum fits.
    #[cfg(feature = "cli")]
    pub(crate) fn cap_gc_heap(&mut self, bytes: u64) {
        self.heap.max_bytes = self.heap.max_bytes.min(bytes);
    }

    /// A heap with a maximum is no use when its nursery alone takes most of it.
    fn nursery_bytes(&self) -> u32 {
        let most = (self.heap.max_bytes / 4).max(u64::from(crate::layout::PAGE));
        u32::try_from(most.min(self.nursery_size as u64)).unwrap_or(u32::MAX)
    }

    /// What Wasmtime's own builds for fuzzing have; here `gc_zeal` is the option of that kind.
    ///
    /// # Errors
    ///
    /// Always, as in any other build of Wasmtime.
    #[doc(hidden)]
    pub fn gc_zeal_alloc_counter(&mut self, counter: Option<std::num::NonZeroU32>) -> Result<&mut Self> {
        self.inner.gc_zeal_alloc_counter(counter)?;
        Ok(self)
    }

    pub(crate) fn build(&self) -> Result<(wasmtime::Engine, EngineOptions)> {
        // The shadow stack is twice as large, as far as the heap has room for it. Where it ends first, that is a stack
        // overflow, too.
        let stack_bytes = self.max_wasm_stack.saturating_mul(2).min(1 << 28) as u32;
        let mut inner = self.inner.clone();
        let winch = matches!(self.strategy, Strategy::Winch);
        if winch {
            // What Winch does not compile must be off, or there is no engine at all.
            inner.wasm_gc(false).wasm_function_references(false).wasm_tail_call(false).table_lazy_init(true);
        }
        // A fault says which memory and where only on Cranelift's own machines.
        let faults_are_vague = winch || self.interprets;
        let engine = wasmtime::Engine::new(&inner)?;
        // That is without signals, whatever else was asked for.
        let debug = engine.get_guest_debug();
        let vague = faults_are_vague || debug;
        // The interpreter has no atomic instructions.
        let without = if engine.is_pulley() { WasmFeatures::THREADS } else { WasmFeatures::empty() };
        let options = EngineOptions {
            features: self.features - without,
            stack_bytes,
            nursery_bytes: self.nursery_bytes(),
            heap: self.heap.clone(),
            table_grow_cost: self.table_grow_cost,
            explicit_null_checks: self.explicit_null_checks.unwrap_or(!self.signals_based_traps || vague),
            opt_level: self.opt_level,
            workers: if engine.get_parallel_compilation() { Workers::Many } else { Workers::One },
            passes: self.passes,
            check_roots: self.check_roots,
            debug,
            profile_calls: self.profile_calls,
            call_profiles: self.call_profiles.iter().map(|of| (of.module().to_string(), of.likely())).collect(),
            winch,
            compiles: self.compiles,
            address_map: self.address_map,
            backtrace_frames: self.backtrace_frames,
        };
        Ok((engine, options))
    }
}
