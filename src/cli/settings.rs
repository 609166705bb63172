//! What the option groups set: an engine configuration, and what a store and a linker need beside it.

use super::guest_profile::Samples;
use crate::api::ext::CallProfile;
use crate::api::{Config, Dialect};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wasmtime::bail;
use wasmtime::error::Context;
use wasmtime::{Cache, PoolingAllocationConfig, StoreLimits, StoreLimitsBuilder};

/// Room for host functions above WebAssembly's own share of the stack, in bytes.
pub(crate) const HOST_STACK: usize = 2 << 20;

/// Of the stack, WebAssembly has so many bytes by default ...
const DEFAULT_WASM_STACK: usize = 512 << 10;
/// ... and what it calls at least so many.
const LEAST_HOST_STACK: usize = 64 << 10;

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
    /// Instances of a store.
    pub(crate) max_instances: Option<usize>,
    /// Its tables.
    pub(crate) max_tables: Option<usize>,
    /// Its memories.
    pub(crate) max_memories: Option<usize>,
    /// Growing past a limit is a trap instead of -1.
    pub(crate) trap_on_grow_failure: bool,
    /// Bytes of stack for WebAssembly, if not the default.
    pub(crate) max_wasm_stack: Option<usize>,
    /// Bytes of stack for WebAssembly and what it calls, if not the default.
    pub(crate) async_stack_size: Option<usize>,
    /// Instances come from a pool.
    pub(crate) pooling: bool,
    /// What the pool has room for.
    pub(crate) pool: PoolingAllocationConfig,
    /// Bytes of each memory in the pool, if not the limit of all.
    pub(crate) pool_memory_size: Option<usize>,
    /// Elements of each table in the pool, if not the limit of all.
    pub(crate) pool_table_elements: Option<usize>,
    /// What becomes of imports that nobody defines.
    pub(crate) unknown_imports: UnknownImports,
    /// Preloaded modules may export what a linker does not know.
    pub(crate) unknown_exports: bool,
    /// WASI.
    pub(crate) wasi: Wasi,
    /// The imports of `ext`, tokens and collections.
    pub(crate) gc_imports: bool,
    /// Compiled code is kept for the next run.
    pub(crate) cache: bool,
    /// A file that says how.
    pub(crate) cache_config: Option<PathBuf>,
    /// Where a core dump of a trap is written.
    pub(crate) coredump: Option<String>,
    /// For which calls modules are compiled.
    pub(crate) call_profiles: Vec<CallProfile>,
    /// What runs is sampled.
    pub(crate) samples: Option<Samples>,
    /// Prints statistics of the GC heap at exit.
    pub(crate) gc_stats: bool,
    /// What modules are written in.
    pub(crate) dialect: Dialect,
    /// The options that were given, by letter and name, but for flags that were switched off.
    pub(crate) asked: Vec<(char, &'static str)>,
}

/// What the program gets of WASI.
#[derive(Clone, Debug)]
pub(crate) struct Wasi {
    /// Preview 1 is linked, or for components 0.2.
    pub(crate) linked: bool,
    /// What came before it is linked, too.
    pub(crate) preview0: bool,
    /// The program sees this process's environment variables.
    pub(crate) inherit_env: bool,
    /// It reads this process's standard input.
    pub(crate) inherit_stdin: bool,
    /// It writes to this process's standard output.
    pub(crate) inherit_stdout: bool,
    /// It writes to this process's standard error.
    pub(crate) inherit_stderr: bool,
    /// How many files, folders and so on it can have open.
    pub(crate) max_resources: Option<usize>,
    /// Bytes that a call of the host may copy from the program.
    pub(crate) hostcall_fuel: Option<usize>,
    /// How many resources and so on a component may hold.
    pub(crate) max_component_handles: Option<usize>,
    /// Random bytes that it may ask for at once.
    pub(crate) max_random_size: Option<u64>,
    /// The folder that it is told to be in.
    pub(crate) cwd: Option<String>,
    /// It may use every address and port of this machine.
    pub(crate) inherit_network: bool,
    /// Whether it may look up names of hosts, if not the default.
    pub(crate) allow_ip_name_lookup: Option<bool>,
    /// Whether it may make sockets of TCP, if not the default.
    pub(crate) tcp: Option<bool>,
    /// Whether it may make sockets of UDP, if not the default.
    pub(crate) udp: Option<bool>,
    /// `network-error-code`, which is not stable, is linked.
    pub(crate) network_error_code: bool,
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
            max_instances: None,
            max_tables: None,
            max_memories: None,
            trap_on_grow_failure: false,
            max_wasm_stack: None,
            async_stack_size: None,
            pooling: false,
            pool: PoolingAllocationConfig::default(),
            pool_memory_size: None,
            pool_table_elements: None,
            unknown_imports: UnknownImports::Error,
            unknown_exports: false,
            wasi: Wasi {
                linked: true,
                preview0: true,
                inherit_env: false,
                inherit_stdin: true,
                inherit_stdout: true,
                inherit_stderr: true,
                max_resources: None,
                hostcall_fuel: None,
                max_component_handles: None,
                max_random_size: None,
                cwd: None,
                inherit_network: false,
                allow_ip_name_lookup: None,
                tcp: None,
                udp: None,
                network_error_code: false,
            },
            gc_imports: false,
            cache: false,
            cache_config: None,
            coredump: None,
            call_profiles: Vec::new(),
            samples: None,
            gc_stats: false,
            dialect: Dialect::Standard,
            asked: Vec::new(),
        }
    }

    /// Settles what several options have a say in.
    ///
    /// # Errors
    ///
    /// A cache that can not be configured.
    pub(crate) fn complete(&mut self) -> crate::api::Result<()> {
        if self.timeout.is_some() {
            self.config.epoch_interruption(true);
        }
        if let Some(bytes) = self.max_wasm_stack {
            // The stack must have room for what WebAssembly calls, too.
            self.config.max_wasm_stack(bytes).async_stack_size(bytes.saturating_add(HOST_STACK));
        }
        if let Some(bytes) = self.async_stack_size {
            // One that is no longer than WebAssembly's part of it would overflow below that.
            let wasm = self.max_wasm_stack.unwrap_or(DEFAULT_WASM_STACK);
            let least = if bytes < wasm { 0 } else { wasm.saturating_add(LEAST_HOST_STACK) };
            self.config.async_stack_size(bytes.max(least));
        }
        if self.pooling {
            if let Some(bytes) = self.pool_memory_size.or(self.max_memory_size) {
                self.pool.max_memory_size(bytes);
                self.config.cap_gc_heap(bytes as u64);
            }
            if let Some(elements) = self.pool_table_elements.or(self.max_table_elements) {
                self.pool.table_elements(elements);
            }
            self.config.allocation_strategy(self.pool.clone());
        }
        if self.cache {
            self.config.cache(Some(Cache::from_file(self.cache_config.as_deref())?));
        }
        Ok(())
    }

    /// Chooses what becomes of imports that nobody defines, or takes that choice back.
    pub(crate) fn set_unknown_imports(&mut self, choice: UnknownImports, on: bool) {
        if on {
            self.unknown_imports = choice;
        } else if self.unknown_imports == choice {
            self.unknown_imports = UnknownImports::Error;
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
        if let Some(count) = self.max_instances {
            limits = limits.instances(count);
        }
        if let Some(count) = self.max_tables {
            limits = limits.tables(count);
        }
        if let Some(count) = self.max_memories {
            limits = limits.memories(count);
        }
        limits.build()
    }

    /// Runs `f`, which is not asynchronous, where WebAssembly has the stack that was asked for: a thread of its own, unless the
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
