//! Programs for Wasmtime with this crate in its place, by renaming in `Cargo.toml`.

#[cfg(test)]
use wasmtime;

#[cfg(test)]
#[path = "../../cases/mod.rs"]
mod cases;
