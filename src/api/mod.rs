//! The embedder's interface, with Wasmtime's names.
//!
//! A program written for Wasmtime finds here the types that it knows; the documentation of each says
//! only what it is and where it differs. What needs no change is Wasmtime's own and re-exported.
//! Errors are `wasmtime::Error`: traps downcast to [`Trap`], their backtrace to [`WasmBacktrace`].
//!
//! | file or room | what |
//! |---|---|
//! | `config.rs`, `config/` | what an embedder chooses about an engine |
//! | `engine.rs`, `engine/` | engines |
//! | `module.rs`, `module/`, `code_builder.rs` | modules, and compiling them step by step |
//! | `instance.rs`, `linker.rs`, `linker/` | instances, and definitions by name |
//! | `store.rs`, `store/` | stores and the ways to borrow one |
//! | `func/`, `externals/` | functions; globals, tables and tags |
//! | `memory.rs`, `shared_memory.rs` | memories, of one store and of several threads |
//! | `values.rs`, `types/` | values of any type, and types |
//! | `gc/` | references, roots, and what they refer to |
//! | `ext/` | what Wasmtime has not: steps, statistics, weak references, finalizers |
//! | `finalizers.rs` | the same for guests, as imports |
//! | `side_table.rs` | side tables of handles for embedders |
//! | `debug.rs`, `debug/`, `profiler.rs`, `coredump.rs`, `backtrace.rs` | looking at what runs, or ran |
//! | `raw.rs` | untyped storage, and flags that change machine code |
//! | `examples.rs` | examples of what is re-exported |
//!
//! ```
//! use wasmtime_gc::api::{Engine, Instance, Module, Store};
//!
//! # fn main() -> wasmtime_gc::api::Result<()> {
//! let engine = Engine::default();
//! let module = Module::new(&engine, r#"(module (func (export "answer") (result i32) i32.const 42))"#)?;
//! let mut store = Store::new(&engine, ());
//! let instance = Instance::new(&mut store, &module, &[])?;
//! let answer = instance.get_typed_func::<(), i32>(&mut store, "answer")?;
//! assert_eq!(answer.call(&mut store, ())?, 42);
//! # Ok(())
//! # }
//! ```

// Unsafe are loading compiled code, untyped storage, and what Wasmtime marks so; each says so.
#![deny(unsafe_code)]

mod backtrace;
mod code_builder;
mod config;
mod coredump;
mod debug;
mod engine;
#[cfg(doctest)]
mod examples;
pub mod ext;
mod externals;
mod finalizers;
mod func;
mod gc;
mod instance;
mod linker;
mod memory;
mod module;
mod profiler;
mod raw;
mod shared_memory;
mod side_table;
mod store;
mod types;
mod values;

pub use crate::heap::HeapStats;
pub use crate::runtime::backtrace::{FrameInfo, WasmBacktrace};
pub use crate::runtime::oom::GcHeapOutOfMemory;
pub use crate::runtime::store::StoreData;
pub use code_builder::CodeBuilder;
pub use config::Config;
pub use coredump::WasmCoreDump;
pub use debug::{Breakpoint, BreakpointEdit, DebugEvent, DebugHandler, FrameHandle};
pub use engine::{Engine, EngineWeak};
pub use externals::{Export, Extern, Global, Table, Tag};
pub use finalizers::Finalizers;
pub use func::{Caller, Func, IntoFunc, TypedFunc, WasmParams, WasmResults, WasmRet, WasmTy, WasmTyList};
pub use gc::{
    AnyRef, ArrayRef, ArrayRefPre, EqRef, ExnRef, ExnRefPre, ExternRef, GcRef, I31, NoExtern, NoFunc, NoneRef,
    OwnedRooted, RootScope, Rooted, RootedGcRef, Rtt, StructRef, StructRefPre,
};
pub use instance::Instance;
pub use linker::{InstancePre, Linker, UnknownImportError};
pub use memory::Memory;
pub use module::{Dialect, Module, ModuleExport};
pub use profiler::GuestProfiler;
pub use shared_memory::SharedMemory;
pub use side_table::SideTable;
#[cfg(feature = "call-hook")]
pub use store::CallHookHandler;
pub use store::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut};
pub use types::*;
pub use values::{Ref, Val};
#[cfg(feature = "reexport-wasmparser")]
pub use wasmparser;
#[cfg(feature = "incremental-cache")]
pub use wasmtime::CacheStore;
pub use wasmtime::error::ToWasmtimeResult;
// Wasmtime leaves out under Miri what has to do with signals.
#[cfg(all(unix, not(miri)))]
pub use wasmtime::unix;
pub use wasmtime::{
    Cache, CacheConfig, CallHook, CodeHint, CodeMemory, Collector, CompiledModule, CustomCodeMemory,
    DEFAULT_INSTANCE_LIMIT, DEFAULT_MEMORY_LIMIT, DEFAULT_TABLE_LIMIT, Enabled, Error, FrameSymbol, FuncIndex,
    Inlining, InstanceAllocationStrategy, LinearMemory, MemoryAccessError, MemoryCreator, ModuleFunction, ModulePC,
    ModuleVersionStrategy, OperatorCost, OptLevel, OutOfMemory, PoolConcurrencyLimitError, PoolingAllocationConfig,
    PoolingAllocatorMetrics, Precompiled, ProfilingStrategy, RRConfig, RegallocAlgorithm, ResourceLimiter,
    ResourceLimiterAsync, ResourcesRequired, Result, StackCreator, StackMemory, StaticModuleIndex, StoreLimits,
    StoreLimitsBuilder, Strategy, ThrownException, Trap, UpdateDeadline, V128, ValRaw, VariableOperatorCost,
    WaitResult, WasmBacktraceDetails, WasmFeatures, WasmtimeBug, bail, component, ensure, error, format_err,
};
