//! A garbage collector worth having for WebAssembly on Wasmtime, by lowering.
//!
//! A module that uses the types of the GC proposal is rewritten into core WebAssembly over one linear
//! memory, the *GC heap*; a generational collector works on that memory from the host; the published
//! `wasmtime` crate compiles and runs the result. The names of this crate are Wasmtime's.
//!
//! ```
//! use wasmtime_gc::{Engine, Instance, Module, Store};
//!
//! # fn main() -> anyhow::Result<()> {
//! let engine = Engine::default();
//! let module = Module::new(
//!     &engine,
//!     r#"(module
//!         (type $point (struct (field i32) (field i32)))
//!         (func (export "sum") (param i32) (result i32)
//!             (local $p (ref $point))
//!             (local.set $p (struct.new $point (local.get 0) (i32.const 1)))
//!             (i32.add (struct.get $point 0 (local.get $p)) (struct.get $point 1 (local.get $p)))))"#,
//! )?;
//! let mut store = Store::new(&engine, ());
//! let instance = Instance::new(&mut store, &module, &[])?;
//! let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
//! assert_eq!(sum.call(&mut store, 41)?, 42);
//! # Ok(())
//! # }
//! ```
//!
//! # What differs from Wasmtime
//!
//! The heap: objects have a header of one word, new ones live in a nursery, casts are a load and a
//! compare. See `docs/architecture.md` for how a module gets there, `docs/heap.md` for the collector.
//!
//! # Features
//!
//! - `cli` (default): the `wasmtime-gc` command.
//! - `wasi`: [`StoreData`] is a `wasmtime_wasi::WasiView`, for linkers of components; `cli` has it on.
//! - `fuzzing`: the harnesses of `fuzz/`.

pub mod api;
#[cfg(feature = "cli")]
pub mod cli;
mod fault;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod heap;
pub mod intrinsics;
pub mod ir;
pub mod layout;
pub mod lower;
pub mod opt;
pub mod parse;
pub mod rtt;
mod runtime;
pub mod types;
pub mod workers;

pub use api::*;
pub use fault::Error as CompileError;
