//! WASI for the program that runs: arguments, environment, folders, standard streams, and sockets for components.
//!
//! The implementation is `wasmtime-wasi`'s. It sees plain functions of numbers and the program's own
//! memory, so it needs to know nothing of lowering. Modules have preview 1, which is made of 0.2; components have that itself
//! (`component/link`).

use super::guest_profile::Profiler;
use super::settings::Wasi;
use crate::api::{Error, Finalizers, Linker, Result};
use std::path::Path;
use wasmtime::StoreLimits;
use wasmtime::error::Context;
use wasmtime_wasi::p0;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder, WasiCtxView, WasiView};

/// What a store carries.
pub(crate) struct Host {
    /// WASI's state; of no use to a program that WASI is not linked to.
    wasi: WasiP1Ctx,
    /// Limits of memories and tables.
    pub(crate) limits: StoreLimits,
    /// What died of the program's tokens.
    pub(crate) finalizers: Finalizers,
    /// Samples of what runs, if somebody wants them.
    pub(crate) profiler: Option<Profiler>,
}

impl Host {
    /// The host of a program.
    ///
    /// # Errors
    ///
    /// A folder can not be opened.
    pub(crate) fn new(world: &World<'_>, limits: StoreLimits) -> Result<Host> {
        Ok(Host { wasi: context(world)?, limits, finalizers: Finalizers::new(), profiler: None })
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

/// What the program sees.
pub(crate) struct World<'a> {
    /// Its arguments, with its name first.
    pub(crate) argv: &'a [String],
    /// Environment variables.
    pub(crate) env: &'a [(String, String)],
    /// What else it gets; all of this process's environment variables come before those.
    pub(crate) wasi: &'a Wasi,
    /// Folders: path of the host, path of the program.
    pub(crate) dirs: &'a [(String, String)],
    /// It may hold up its thread, which no timeout ends.
    pub(crate) may_block: bool,
}

/// WASI's state for a program.
fn context(world: &World<'_>) -> Result<WasiP1Ctx> {
    let mut builder = WasiCtxBuilder::new();
    builder.args(world.argv).allow_blocking_current_thread(world.may_block);
    if world.wasi.inherit_stdin {
        builder.inherit_stdin();
    }
    if world.wasi.inherit_stdout {
        builder.inherit_stdout();
    }
    if world.wasi.inherit_stderr {
        builder.inherit_stderr();
    }
    if world.wasi.inherit_env {
        // The builder's own way panics where a variable is not Unicode.
        for (key, value) in std::env::vars_os() {
            let [key, value] = [key, value].map(|word| {
                word.into_string()
                    .map_err(|word| Error::msg(format!("environment variable is not valid utf-8: {word:?}")))
            });
            builder.env(key?, value?);
        }
    }
    for (key, value) in world.env {
        builder.env(key, value);
    }
    for (host, guest) in world.dirs {
        builder
            .preopened_dir(Path::new(host), guest, FsPerms::ReadWrite)
            .with_context(|| format!("failed to open directory '{host}'"))?;
    }
    sockets_and_more(&mut builder, world.wasi);
    let mut context = builder.build_p1();
    if let Some(max) = world.wasi.max_resources {
        context.ctx().table.set_max_capacity(max);
    }
    Ok(context)
}

/// What only components can ask for.
fn sockets_and_more(builder: &mut WasiCtxBuilder, wasi: &Wasi) {
    if let Some(folder) = &wasi.cwd {
        builder.initial_cwd(folder);
    }
    if let Some(bytes) = wasi.max_random_size {
        builder.max_random_size(bytes);
    }
    if wasi.inherit_network {
        builder.inherit_network().allow_tcp(true).allow_udp(true);
    }
    if let Some(allow) = wasi.allow_ip_name_lookup {
        builder.allow_ip_name_lookup(allow);
    }
    if let Some(allow) = wasi.tcp {
        builder.allow_tcp(allow);
    }
    if let Some(allow) = wasi.udp {
        builder.allow_udp(allow);
    }
}

/// Defines `wasi_snapshot_preview1`, and `wasi_unstable`, which came before it.
pub(crate) fn link(linker: &mut Linker<Host>, wasi: &Wasi) -> Result<()> {
    if wasi.preview0 {
        p0::add_to_linker_async(linker, |data| &mut data.wasi)?;
    }
    p1::add_to_linker_async(linker, |data| &mut data.wasi)
}
