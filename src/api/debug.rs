//! What tells things apart for a debugger, the original bytes of modules, and what a store has.
//!
//! | file | idea |
//! |---|---|
//! | `debug/frames.rs` | frames, with locals and operands; what instances have |
//! | `debug/breakpoints.rs` | breakpoints and single steps |
//! | `debug/handler.rs` | who is told when a guest stops |
//!
//! All of it is in terms of the original modules; `runtime/debug.rs` has how.

mod breakpoints;
mod frames;
mod handler;

pub use breakpoints::{Breakpoint, BreakpointEdit};
pub use frames::FrameHandle;
pub use handler::{DebugEvent, DebugHandler};

use super::externals::{Global, Table, Tag};
use super::store::{Store, StoreContextMut};
use super::{Caller, Instance, Memory, Module};
use crate::api::store::AsContextMut;

impl Module {
    /// The original, as it was compiled: only in an engine for debugging of guests
    /// ([`Config::guest_debug`](super::Config::guest_debug)), and not of a module that was loaded as compiled code for
    /// any engine.
    pub fn debug_bytecode(&self) -> Option<&[u8]> {
        if !self.engine().get_guest_debug() {
            return None;
        }
        let code = self.code();
        match &code.lowered {
            Some(_) => code.original(),
            None => code.wasmtime.debug_bytecode(),
        }
    }

    /// A number that no other module of the engine has.
    pub fn debug_index_in_engine(&self) -> u64 {
        self.code().wasmtime.debug_index_in_engine()
    }
}

impl Memory {
    /// A number that no other memory of the store has.
    pub fn debug_index_in_store(&self) -> u64 {
        self.inner.debug_index_in_store()
    }
}

impl Global {
    /// A number that no other global of the store has.
    pub fn debug_index_in_store(&self) -> u64 {
        self.number()
    }
}

impl Table {
    /// A number that no other table of the store has.
    pub fn debug_index_in_store(&self) -> u64 {
        self.number()
    }
}

impl Tag {
    /// A number that no other tag of the store has.
    pub fn debug_index_in_store(&self) -> u64 {
        self.identity.into()
    }
}

impl Instance {
    /// A number that no other instance of the store has: its place among [`Store::debug_all_instances`].
    pub fn debug_index_in_store(&self) -> u32 {
        u32::try_from(self.number()).unwrap_or(u32::MAX)
    }
}

impl<T: 'static> Store<T> {
    /// All instances that the embedder or a linker has made, in an engine for debugging of guests; none in others.
    pub fn debug_all_instances(&mut self) -> Vec<Instance> {
        self.as_context_mut().debug_all_instances()
    }

    /// All modules that have instances or were registered, in an engine for debugging of guests; none in others.
    pub fn debug_all_modules(&mut self) -> Vec<Module> {
        self.as_context_mut().debug_all_modules()
    }
}

impl<T: 'static> StoreContextMut<'_, T> {
    /// See [`Store::debug_all_instances`].
    pub fn debug_all_instances(self) -> Vec<Instance> {
        let gc = &self.inner.data().gc;
        let count = if self.engine().get_guest_debug() { gc.instances.len() } else { 0 };
        (0..count).map(|index| Instance::numbered(gc.id, index)).collect()
    }

    /// See [`Store::debug_all_modules`].
    pub fn debug_all_modules(self) -> Vec<Module> {
        if !self.engine().get_guest_debug() {
            return Vec::new();
        }
        self.inner.data().gc.debug.modules.clone()
    }
}

impl<T: 'static> Caller<'_, T> {
    /// See [`Store::debug_all_instances`].
    pub fn debug_all_instances(&mut self) -> Vec<Instance> {
        self.as_context_mut().debug_all_instances()
    }

    /// See [`Store::debug_all_modules`].
    pub fn debug_all_modules(&mut self) -> Vec<Module> {
        self.as_context_mut().debug_all_modules()
    }
}
