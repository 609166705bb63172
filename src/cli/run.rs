//! `wasmtime-gc run`: runs a module, or hands a component to `component`.
//!
//! Order of events for a module, as `wasmtime` has it: compile, link WASI, instantiate preloaded modules, link
//! stubs, instantiate (which runs the start function), `_initialize`, then the function that was asked
//! for by `--invoke`, or else `""` or `_start` if there is one. All of it is asynchronous, so that a timeout ends a program
//! that waits in WASI, too.

use super::guest_profile::{Profiler, Samples};
use super::input::Input;
use super::options::Common;
use super::settings::{Settings, UnknownImports};
use super::wasi::{Host, World};
use super::{Outcome, component, input, invoke, missing_argument, preload, say, stats, wasi};
use crate::api::{Engine, Error, Finalizers, Instance, Linker, Module, Result, Store, Trap, WasmCoreDump, ext};
use clap::Args;
use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;
use wasmtime::bail;
use wasmtime::error::Context;

/// Arguments of `run`.
#[derive(Args)]
pub(super) struct RunCommand {
    #[command(flatten)]
    pub(super) common: Common,
    /// Grants access to a folder of the host, as GUEST to the program
    #[arg(long = "dir", value_name = "HOST[::GUEST]", value_parser = parse_dir)]
    dirs: Vec<(String, String)>,
    /// Sets an environment variable, or passes this process's on
    #[arg(long = "env", value_name = "NAME[=VAL]", value_parser = parse_env)]
    env: Vec<(String, Option<String>)>,
    /// Name of the program as it sees it
    #[arg(long, value_name = "NAME")]
    argv0: Option<String>,
    /// Calls this exported function, with ARGS; of a component with arguments in WAVE, as in `f(1, "a")`
    #[arg(long, value_name = "FUNCTION")]
    pub(super) invoke: Option<String>,
    /// Instantiates a module and lets the main module import it by NAME
    #[arg(long = "preload", value_name = "NAME=MODULE", value_parser = parse_preload)]
    pub(super) preloads: Vec<(String, PathBuf)>,
    /// Allows the module to be one that `compile` made, which is run unchecked
    #[arg(long)]
    pub(super) allow_precompiled: bool,
    /// Writes to FILE which functions calls through references and tables reach, for `compile --profile`
    #[arg(long, value_name = "FILE")]
    pub(super) profile_calls: Option<PathBuf>,
    /// The module or component, binary or text (`-` for standard input), and its arguments
    #[arg(value_name = "WASM", trailing_var_arg = true, help_heading = None)]
    module_and_args: Vec<OsString>,
}

fn parse_dir(text: &str) -> Result<(String, String), String> {
    let (host, guest) = text.split_once("::").unwrap_or((text, text));
    Ok((host.to_string(), guest.to_string()))
}

fn parse_env(text: &str) -> Result<(String, Option<String>), String> {
    Ok(match text.split_once('=') {
        Some((key, value)) => (key.to_string(), Some(value.to_string())),
        None => (text.to_string(), None),
    })
}

fn parse_preload(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("must contain exactly one equals character ('=')")?;
    Ok((name.to_string(), path.into()))
}

impl RunCommand {
    /// The arguments before the word `run`, then those after it.
    pub(super) fn then(mut self, later: RunCommand) -> RunCommand {
        self.dirs.extend(later.dirs);
        self.env.extend(later.env);
        self.preloads.extend(later.preloads);
        self.allow_precompiled |= later.allow_precompiled;
        RunCommand {
            common: self.common.then(later.common),
            argv0: later.argv0.or(self.argv0),
            invoke: later.invoke.or(self.invoke),
            profile_calls: later.profile_calls.or(self.profile_calls),
            module_and_args: later.module_and_args,
            ..self
        }
    }

    /// Runs the module.
    pub(super) fn execute(self) -> Outcome {
        if self.module_and_args.is_empty() {
            missing_argument("run", "<WASM>");
        }
        let mut settings = self.common.settings_of_run()?;
        if settings.coredump.as_ref().is_some_and(|path| path.contains('%')) {
            bail!("the path of a core dump does not support patterns yet");
        }
        settings.config.gc_profile_calls(self.profile_calls.is_some());
        let input = input::open(self.path(), settings.dialect)?;
        match input.component {
            true => component::run(&self, &mut settings, &input),
            false => self.run(&settings, input),
        }
    }

    fn run(&self, settings: &Settings, input: Input) -> Outcome {
        let engine = Engine::new(&settings.config)?;
        let module = input::load(&engine, self.path(), input, settings.dialect, self.allow_precompiled)?;
        self.check_profiles(settings, &module)?;
        let others = preload::compile(&engine, &self.preloads, settings.dialect)?;
        let mut store = self.store(&engine, settings)?;
        let _clock = self.clock(&mut store, settings, |samples, name| {
            let modules = [(name.to_string(), module.clone())].into_iter().chain(others.clone()).collect();
            Profiler::of_modules(&engine, name, samples, modules)
        })?;
        let result = wait_for(settings.timeout, self.load(&mut store, &engine, settings, (&module, &others)));
        self.finish(&mut store, settings);
        if let Some(path) = &self.profile_calls {
            let json = ext::CallProfile::of(&module).map(|profile| profile.to_json() + "\n").unwrap_or_default();
            if let Err(err) = std::fs::write(path, json) {
                say(format_args!("warning: failed to write {path:?}: {err}"));
            }
        }
        result.map(|()| ExitCode::SUCCESS)
    }

    /// Ends the program when its time is over, and takes samples if somebody wants them, for as long as what this gives is not
    /// dropped.
    pub(super) fn clock(
        &self,
        store: &mut Store<Host>,
        settings: &Settings,
        profiler: impl FnOnce(&Samples, &str) -> Result<Profiler>,
    ) -> Result<Option<Sender<()>>> {
        Ok(match &settings.samples {
            Some(samples) => {
                let profiler = profiler(samples, &self.path().display().to_string())?;
                Some(samples.begin(store, profiler, settings.timeout))
            }
            None => settings.timeout.map(|timeout| interrupt_after(store.engine(), timeout)),
        })
    }

    /// Tells what was wanted of a program that has ended.
    pub(super) fn finish(&self, store: &mut Store<Host>, settings: &Settings) {
        if let Some(samples) = &settings.samples {
            samples.finish(store);
        }
        if settings.gc_stats {
            say(format_args!("{}", stats::text(&store.heap_stats()).trim_end()));
        }
    }

    /// Whether calls can be recorded, before anything runs; and whether those that were are of this module.
    fn check_profiles(&self, settings: &Settings, module: &Module) -> Result<()> {
        if !settings.call_profiles.iter().all(|profile| profile.is_of_module(module)) {
            say(format_args!("warning: a call profile is not of the main module, or that was compiled before"));
        }
        let Some(path) = &self.profile_calls else { return Ok(()) };
        if ext::CallProfile::of(module).is_none() {
            bail!(
                "the module has no calls to be profiled: it has no references and is run as it is, or it was compiled \
                 before, or is of the explicit-RTT dialect, or runs for a debugger"
            );
        }
        std::fs::File::create(path).map(drop).with_context(|| format!("failed to write {path:?}"))
    }

    /// Links and runs what was preloaded, then the main module.
    async fn load(
        &self,
        store: &mut Store<Host>,
        engine: &Engine,
        settings: &Settings,
        (module, others): (&Module, &[(String, Module)]),
    ) -> Result<()> {
        let mut linker = Linker::new(engine);
        linker.allow_unknown_exports(settings.unknown_exports);
        if settings.wasi.linked {
            wasi::link(&mut linker, &settings.wasi)?;
        }
        if settings.gc_imports {
            ext::add_to_linker(&mut linker)?;
            Finalizers::add_to_linker(&mut linker, |host: &Host| &host.finalizers)?;
        }
        preload::link(&mut linker, store, &self.preloads, others).await?;
        match settings.unknown_imports {
            UnknownImports::Error => {}
            UnknownImports::Trap => linker.define_unknown_imports_as_traps(module)?,
            UnknownImports::Default => linker.define_unknown_imports_as_default_values(&mut *store, module)?,
        }
        self.main(store, &linker, module)
            .await
            .map_err(|err| {
                self.dump(settings, err, |err, name| {
                    Some(err.downcast_ref::<WasmCoreDump>()?.serialize(&mut *store, name))
                })
            })
            .with_context(|| format!("failed to run main module `{}`", self.path().display()))
    }

    async fn main(&self, store: &mut Store<Host>, linker: &Linker<Host>, module: &Module) -> Result<()> {
        let instance = linker
            .instantiate_async(&mut *store, module)
            .await
            .with_context(|| format!("failed to instantiate {:?}", self.path()))?;
        initialize(store, &instance).await?;
        invoke::main(store, &instance, self.invoke.as_deref(), &self.module_and_args[1..]).await
    }

    /// Writes the core dump of a trap, if it was asked for.
    pub(super) fn dump(
        &self,
        settings: &Settings,
        err: Error,
        serialize: impl FnOnce(&Error, &str) -> Option<Vec<u8>>,
    ) -> Error {
        let Some(path) = &settings.coredump else { return err };
        if !err.is::<Trap>() {
            return err;
        }
        let name = self.module_and_args[0].to_str().unwrap_or("unknown");
        let Some(bytes) = serialize(&err, name) else { return err };
        match std::fs::write(path, bytes) {
            Ok(()) => err.context(format!("core dumped at {path}")),
            Err(why) => {
                say(format_args!("warning: coredump failed to generate: {path}: {why}"));
                err
            }
        }
    }

    pub(super) fn store(&self, engine: &Engine, settings: &Settings) -> Result<Store<Host>> {
        let (argv, env) = (self.argv()?, self.env()?);
        let world = World {
            argv: &argv,
            env: &env,
            wasi: &settings.wasi,
            dirs: &self.dirs,
            may_block: settings.timeout.is_none(),
        };
        let mut store = Store::new(engine, Host::new(&world, settings.limits())?);
        store.limiter(|host| &mut host.limits);
        if let Some(fuel) = settings.fuel {
            store.set_fuel(fuel)?;
        }
        if let Some(fuel) = settings.wasi.hostcall_fuel {
            store.set_hostcall_fuel(fuel);
        }
        if let Some(max) = settings.wasi.max_component_handles {
            store.set_max_component_handles(max);
        }
        if let Some((max, table)) = settings.wasi.max_resources.zip(store.concurrent_resource_table()) {
            table.set_max_capacity(max);
        }
        if settings.timeout.is_some() {
            store.set_epoch_deadline(1);
        }
        Ok(store)
    }

    pub(super) fn path(&self) -> &Path {
        Path::new(&self.module_and_args[0])
    }

    /// What the program sees as its arguments. Its name is the file's, without folders.
    fn argv(&self) -> Result<Vec<String>> {
        let name = self.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut argv = vec![self.argv0.clone().unwrap_or(name)];
        for arg in &self.module_and_args[1..] {
            argv.push(arg.to_str().with_context(|| format!("argument is not valid utf-8: {arg:?}"))?.to_string());
        }
        Ok(argv)
    }

    fn env(&self) -> Result<Vec<(String, String)>> {
        // One that is passed on and is not set here is not set there.
        let value = |(key, value): &(String, Option<String>)| match value {
            Some(value) => Ok(Some((key.clone(), value.clone()))),
            None => match std::env::var(key) {
                Err(std::env::VarError::NotPresent) => Ok(None),
                value => Ok(Some((key.clone(), value.with_context(|| format!("environment variable `{key}`"))?))),
            },
        };
        self.env.iter().filter_map(|of| value(of).transpose()).collect()
    }
}

/// A module without `_start` may have a function to be called first.
async fn initialize(store: &mut Store<Host>, instance: &Instance) -> Result<()> {
    match instance.get_func(&mut *store, "_initialize") {
        Some(func) => func.call_async(&mut *store, &[], &mut []).await,
        None => Ok(()),
    }
}

/// Runs the program to its end, or to the first point behind its time where it waits for something.
pub(super) fn wait_for(timeout: Option<Duration>, program: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let result = runtime.block_on(async {
        match timeout {
            None => program.await,
            Some(timeout) => tokio::time::timeout(timeout, program).await.unwrap_or_else(|elapsed| {
                Err(Error::from(Trap::Interrupt).context(format!("timed out after {elapsed}")))
            }),
        }
    });
    // What the program has waited for may never come.
    runtime.shutdown_background();
    result
}

/// Makes running code trap after some time, unless what this gives is dropped before.
#[must_use]
pub(super) fn interrupt_after(engine: &Engine, timeout: Duration) -> Sender<()> {
    let engine = engine.clone();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        if let Err(RecvTimeoutError::Timeout) = receiver.recv_timeout(timeout) {
            engine.increment_epoch();
        }
    });
    sender
}
