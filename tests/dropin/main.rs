//! Programs for Wasmtime, compiled twice: with `wasmtime`, and with this crate under that name.
//!
//! What stands below `cases/` says `super::wasmtime` and is the same source for both, so it must compile and pass
//! with either. `renamed/` does the same by Cargo's own means; `table.rs` compares the two crates item by item.

#![expect(clippy::duplicate_mod, reason = "the same programs are compiled with each crate")]
#![expect(clippy::clone_on_copy, reason = "`Ref` is `Copy` here, and in Wasmtime it is not")]

mod probed;
mod rustdoc;
mod table;

/// With this crate.
#[path = "."]
mod ours {
    pub use ::wasmtime_gc as wasmtime;

    #[path = "cases/mod.rs"]
    mod cases;
    #[path = "probes/mod.rs"]
    pub mod probes;
}

/// With Wasmtime.
#[path = "."]
mod theirs {
    pub use ::wasmtime;

    #[path = "cases/mod.rs"]
    mod cases;
    #[path = "probes/mod.rs"]
    pub mod probes;
}
