//! wasmtime-gc: a garbage collector worth having for WebAssembly on Wasmtime, by lowering.

pub mod heap;
pub mod layout;
pub mod types;
