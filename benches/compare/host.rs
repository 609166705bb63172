//! What the contenders share: imports of programs (WASI preview 1, and functions that do nothing), and figures.

use super::program::Entry;
use wasmtime::{Module, Result};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

/// Bytes of standard output that are kept.
const STDOUT_BYTES: usize = 1 << 20;

/// Imports without parameters and results that do nothing.
pub const STUBS: &[(&str, &str)] = &[("bench", "start"), ("bench", "end")];

/// What a store carries.
pub struct Host {
    pub wasi: WasiP1Ctx,
    pub stdout: MemoryOutputPipe,
}

impl Host {
    pub fn new(entry: &Entry) -> Result<Host> {
        let stdout = MemoryOutputPipe::new(STDOUT_BYTES);
        let mut builder = WasiCtxBuilder::new();
        builder.stdout(stdout.clone()).allow_blocking_current_thread(true).arg("program");
        if let Entry::Wasi { args, dir, .. } = entry {
            builder.args(args);
            if let Some(dir) = dir {
                builder.preopened_dir(dir, ".", FsPerms::ReadOnly)?;
            }
        }
        Ok(Host { wasi: builder.build_p1(), stdout })
    }

    /// What the program has printed.
    pub fn printed(&self) -> Vec<u8> {
        self.stdout.contents().to_vec()
    }
}

/// A program may end by exiting with status 0.
pub fn finished(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(err) if err.downcast_ref::<I32Exit>().is_some_and(|exit| exit.0 == 0) => Ok(()),
        outcome => outcome,
    }
}

/// Bytes of machine code of a module's functions. `Module::text` is rounded up to pages.
pub fn code_bytes(module: &Module) -> usize {
    module.functions().map(|function| function.len).sum()
}
