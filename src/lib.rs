//! wasmtime-gc: a garbage collector worth having for WebAssembly on Wasmtime, by lowering.

pub mod layout;
pub mod types;
pub mod ir;
pub mod parse;
mod error;
pub use error::Error;
pub mod lower;
pub mod opt;
