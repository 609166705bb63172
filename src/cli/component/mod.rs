//! Components: `run` and `compile` of what is not one module but several, with types of the component model between them.
//!
//! | file | what |
//! |---|---|
//! | `load` | a component from bytes, and bytes from a component |
//! | `refused` | options that a component has no use for |
//! | `link` | what it can import: WASI 0.2 |
//! | `wave` | `--invoke 'f(1, "a")'` |
//!
//! Order of events, as `wasmtime` has it: compile, link, instantiate, then the function that was asked for, or `run` of
//! `wasi:cli/run`. A component is Wasmtime's own throughout: its modules are not lowered, and what they have of GC types lives
//! on Wasmtime's own collector. Handles of ours (`ext::component`) are for embedders: their host calls WebAssembly, which Wasmtime
//! allows only where the component was called synchronously, and here a timeout must end what waits in WASI.

mod link;
mod load;
mod refused;
mod wave;

pub(super) use load::precompile;

use super::input::Input;
use super::run::{RunCommand, wait_for};
use super::settings::Settings;
use super::wasi::Host;
use super::{Outcome, guest_profile};
use crate::api::component::{Component, InstancePre};
use crate::api::{Engine, Error, Result, Store, StoreData};
use wasmtime::error::Context;
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::Command;

/// Runs a component.
pub(super) fn run(command: &RunCommand, settings: &mut Settings, input: &Input) -> Outcome {
    refused::check(command, settings)?;
    settings.config.unlowered();
    let engine = Engine::new(&settings.config)?;
    let component = load::load(&engine, command.path(), input, command.allow_precompiled)?;
    let mut store = command.store(&engine, settings)?;
    // Nothing of a component is this crate's heap, for which a store's limiter has room.
    store.wasmtime_mut().limiter(|host| &mut host.data_mut().limits);
    let _clock = command.clock(&mut store, settings, |samples, name| {
        guest_profile::Profiler::of_component(&engine, name, samples, &component)
    })?;
    let result = wait_for(settings.timeout, async {
        let what = || format!("failed to run main module `{}`", command.path().display());
        let result = program(command, &mut store, settings, &component).await;
        result.map_err(|err| dump(command, &mut store, settings, err)).with_context(what)
    });
    command.finish(&mut store, settings);
    result.map(|()| std::process::ExitCode::SUCCESS)
}

async fn program(
    command: &RunCommand,
    store: &mut Store<Host>,
    settings: &Settings,
    component: &Component,
) -> Result<()> {
    let pre = link::link(store, settings, component)?;
    match &command.invoke {
        Some(call) => wave::invoke(store, component, &pre, call).await,
        None => run_command(store, component, &pre).await,
    }
}

/// Runs a component as a command of WASI 0.2. That it fails is an exit code, 1.
async fn run_command(store: &mut Store<Host>, component: &Component, pre: &InstancePre<StoreData<Host>>) -> Result<()> {
    let instance = pre.instantiate_async(store.wasmtime_mut()).await?;
    let command = Command::new(store.wasmtime_mut(), &instance)
        .map_err(|err| err.context(link::why_no_command(store.engine(), component)))?;
    let result = command.wasi_cli_run().call_run(store.wasmtime_mut()).await;
    match result.context("failed to invoke `run` function")? {
        Ok(()) => Ok(()),
        Err(()) => Err(I32Exit(1).into()),
    }
}

/// Writes the core dump of a trap, if it was asked for. It is of Wasmtime's own modules.
fn dump(command: &RunCommand, store: &mut Store<Host>, settings: &Settings, err: Error) -> Error {
    command.dump(settings, err, |err, name| {
        Some(err.downcast_ref::<wasmtime::WasmCoreDump>()?.serialize(store.wasmtime_mut(), name))
    })
}
