//! Handles for Rust guests: `#[path = "…/side_table.rs"] mod side_table;` in a `no_std` program for `wasm32`.
//!
//! Rust has no type for references, so a Rust guest can hold handles, copy them and give them back, but neither
//! intern a reference nor look at it. What it calls takes and gives handles, and a few lines of C or WebAssembly
//! text turn them into references: see `docs/handles.md`.
//!
//! The imports are answered by `wasmtime-gc link`, or by an instance of the side table that the embedder links.

// Other languages in the same program have to import from the same name to use the same table.
#[link(wasm_import_module = "wasmtime-gc:side-table")]
unsafe extern "C" {
    #[link_name = "release"]
    safe fn wgc_release(handle: i32);
    #[link_name = "retain"]
    safe fn wgc_retain(handle: i32) -> i32;
    #[link_name = "size"]
    safe fn wgc_size() -> i32;
    #[link_name = "capacity"]
    safe fn wgc_capacity() -> i32;
}

/// How many handles are live.
pub fn size() -> i32 {
    wgc_size()
}

/// How many slots there are.
pub fn capacity() -> i32 {
    wgc_capacity()
}

/// An owned handle: dropping it frees the slot, cloning it counts.
#[derive(Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Handle(i32);

impl Handle {
    /// Stands for the null reference.
    pub const NULL: Handle = Handle(-1);

    /// Takes over a handle, which from now on is given back here.
    pub const fn from_raw(raw: i32) -> Handle {
        Handle(raw)
    }

    /// Gives the handle away.
    pub const fn into_raw(self) -> i32 {
        let raw = self.0;
        core::mem::forget(self);
        raw
    }

    /// The number, to be passed to a function that does not keep it.
    pub const fn as_raw(&self) -> i32 {
        self.0
    }

    /// Whether it stands for null.
    pub const fn is_null(&self) -> bool {
        self.0 == -1
    }
}

impl Clone for Handle {
    fn clone(&self) -> Handle {
        Handle(wgc_retain(self.0))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        wgc_release(self.0);
    }
}
