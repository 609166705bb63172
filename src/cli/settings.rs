//! What the option groups set: an engine configuration, and what a store and a linker need beside it.

use crate::api::ext::CallProfile;
use crate::api::{Config, Dialect};
use std::path::Path;
use std::time::Duration;
use wasmtime::bail;
use wasmtime::error::Context;
use wasmtime::{StoreLimits, StoreLimitsBuilder};

/// Room for host functions above WebAssembly's own share of the stack, in bytes.
pub(crate) const HOST_STACK: usize = 2 << 20;

/// Everything that options decide.
pub(crate) struct Settings {
    /// Of the engine.
    pub(crate) config: Config,
    /// Fuel for the whole run, if it is counted.
    pub(crate) fuel: Option<u64>,
    /// How long the run may take.
    pub(crate) timeout: Option<Duration>,
    /// Bytes of each linear memory; the GC heap is one.
    pub(crate) max_memory_size: Option<usize>,
    /// Elements of each table.
    pub(crate) max_table_elements: Option<usize>,
    /// Growing past a limit is a trap instead of -1.
    pub(crate) trap_on_grow_failure: bool,
    /// Bytes of stack for WebAssembly, if not the default.
    pub(crate) max_wasm_stack: Option<usize>,
    /// What becomes of imports that nobody defines.
    pub(crate) unknown_imports: UnknownImports,
    /// WASI preview 1 is linked.
    pub(crate) wasi: bool,
    /// The imports of `ext`, tokens and collections.
    pub(crate) gc_imports: bool,
    /// The program sees this process's environment variables.
    pub(crate) inherit_env: bool,
    /// Compiled code is kept for the next run.
    pub(crate) cache: bool,
    /// Where a core dump of a trap is written.
    pub(crate) coredump: Option<String>,
    /// For which calls modules are compiled.
    pub(crate) call_profiles: Vec<CallProfile>,
    /// Prints statistics of the GC heap at exit.
    pub(crate) gc_stats: bool,
    /// What modules are written in.
    pub(crate) dialect: Dialect,
}

/// What becomes of imports that nobody defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnknownImports {
    /// Linking fails.
    Error,
    /// Functions do nothing and give zeros and nulls.
    Default,
    /// Calling one is a trap.
    Trap,
}

impl Settings {
    /// Refuses call profiles of other modules.
    ///
    /// # Errors
    ///
    /// When there is one.
    pub(crate) fn check_profiles(&self, wasm: &[u8], path: &Path) -> crate::api::Result<()> {
        match self.call_profiles.iter().all(|profile| profile.is_of(wasm)) {
            true => Ok(()),
            false => bail!("the call profile is of another module than {path:?}; record it again"),
        }
    }

    pub(crate) fn new() -> Settings {
        Settings {
            config: Config::new(),
            fuel: None,
            timeout: None,
            max_memory_size: None,
            max_table_elements: None,
            trap_on_grow_failure: false,
            max_wasm_stack: None,
            unknown_imports: UnknownImports::Error,
            wasi: true,
            gc_imports: false,
            inherit_env: false,
            cache: false,
            coredump: None,
            call_profiles: Vec::new(),
            gc_stats: false,
            dialect: Dialect::Standard,
        }
    }

    /// Limits of a store.
    pub(crate) fn limits(&self) -> StoreLimits {
        let mut limits = StoreLimitsBuilder::new().trap_on_grow_failure(self.trap_on_grow_failure);
        if let Some(bytes) = self.max_memory_size {
            limits = limits.memory_size(bytes);
        }
        if let Some(elements) = self.max_table_elements {
            limits = limits.table_elements(elements);
        }
        limits.build()
    }

    /// Runs `f` where WebAssembly has the stack that was asked for: a thread of its own, unless the
    /// default was.
    pub(crate) fn with_stack<R: Send>(&self, f: impl FnOnce() -> R + Send) -> crate::api::Result<R> {
        let Some(stack) = self.max_wasm_stack else { return Ok(f()) };
        let size = stack.saturating_add(HOST_STACK);
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(size).spawn_scoped(scope, f);
            let thread =
                thread.with_context(|| format!("no thread with a stack of {size} bytes for `max-wasm-stack`"))?;
            thread.join().map_err(|_| wasmtime::format_err!("the thread that runs the module has panicked"))
        })
    }
}
