//! The embedder's interface, with Wasmtime's names.
//!
//! A program written for Wasmtime finds here the types that it knows; the documentation of each says
//! only what it is and where it differs. What needs no change is Wasmtime's own and re-exported.
//! Errors are `wasmtime::Error`: traps downcast to [`Trap`], their backtrace to [`WasmBacktrace`].
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

#![forbid(unsafe_code)]

mod config;
mod engine;
mod externals;
mod func;
mod gc;
mod instance;
mod linker;
mod memory;
mod module;
mod store;
mod types;
mod values;

pub use crate::heap::HeapStats;
pub use crate::runtime::backtrace::{FrameInfo, WasmBacktrace};
pub use crate::runtime::store::StoreData;
pub use config::Config;
pub use engine::Engine;
pub use externals::{Export, Extern, Global, Table, Tag};
pub use func::{Caller, Func, IntoFunc, TypedFunc, WasmParams, WasmResults, WasmRet, WasmTy};
pub use gc::{AnyRef, ExnRef, ExnRefPre, ExternRef, GcRef, I31, OwnedRooted, RootScope, Rooted, Rtt};
pub use instance::Instance;
pub use linker::{Linker, UnknownImportError};
pub use memory::Memory;
pub use module::{Dialect, Module};
pub use store::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut};
pub use types::*;
pub use values::{Ref, Val};
pub use wasmtime::{
    Error, InstanceAllocationStrategy, MemoryAccessError, OptLevel, PoolingAllocationConfig, ResourceLimiter, Result,
    SharedMemory, StoreLimits, StoreLimitsBuilder, Strategy, ThrownException, Trap, UpdateDeadline, V128,
    WasmBacktraceDetails, WasmFeatures, bail, ensure, format_err,
};
