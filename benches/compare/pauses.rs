//! How long Wasmtime's default collector stops a program, which it does not report itself.
//!
//! The program runs once more on an engine of its own, while what Wasmtime logs is listened to: it tells when it begins
//! to look for roots and when the collection has ended. So these are the collections that the program causes, all of
//! them, and nothing is asked of the engine that it would not do anyway. Growing its memory, which may follow, is not in.
//!
//! A Wasmtime with other messages tells nothing here: then there is no figure, and no wrong one.

use super::clock;
use super::host::{self, Host, STUBS};
use super::program::{Group, Program};
use super::record::Record;
use log::{LevelFilter, Log, Metadata};
use std::sync::Mutex;
use std::time::Duration;
use wasmtime::error::Context;
use wasmtime::{Collector, Config, Engine, Linker, Module, Result, Store, Val};

const BEGIN: &str = "Begin trace GC roots";
const END: &str = "End copying collection";

/// The collections of the run that is being watched.
#[derive(Default)]
struct Pauses {
    begun: Option<Duration>,
    longest: Option<Duration>,
}

static PAUSES: Mutex<Pauses> = Mutex::new(Pauses { begun: None, longest: None });
static LISTENER: Listener = Listener;

struct Listener;

impl Log for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wasmtime::runtime")
    }

    fn log(&self, record: &log::Record<'_>) {
        let Some(message @ (BEGIN | END)) = record.args().as_str() else { return };
        let Ok(mut pauses) = PAUSES.lock() else { return };
        if message == BEGIN {
            pauses.begun = Some(clock::now());
        } else if let Some(begun) = pauses.begun.take() {
            pauses.longest = pauses.longest.max(Some(clock::now().saturating_sub(begun)));
        }
    }

    fn flush(&self) {}
}

/// The longest collection of a `large` program on the copying collector, in milliseconds, unless that failed on it or
/// had none.
pub fn measure(program: &Program, record: &mut Record) {
    let fits = record.stock().iter().any(|stock| stock.name == "copying" && stock.time().is_some());
    if program.group == Group::Large && fits {
        record.copying_pause_ms = longest(program).ok().flatten().map(|longest| longest.as_secs_f64() * 1e3);
    }
}

fn longest(program: &Program) -> Result<Option<Duration>> {
    // The second time it is set already.
    let _ = log::set_logger(&LISTENER);
    let mut config = Config::new();
    config.wasm_gc(true).wasm_function_references(true).wasm_exceptions(true);
    config.collector(Collector::Copying);
    let engine = Engine::new(&config)?;
    let module = Module::from_binary(&engine, &program.wasm)?;
    if let Ok(mut pauses) = PAUSES.lock() {
        *pauses = Pauses::default();
    }
    log::set_max_level(LevelFilter::Trace);
    let run = run(program, &engine, &module);
    log::set_max_level(LevelFilter::Off);
    run?;
    Ok(PAUSES.lock().ok().and_then(|pauses| pauses.longest))
}

fn run(program: &Program, engine: &Engine, module: &Module) -> Result<()> {
    let mut linker = Linker::new(engine);
    for (module, name) in STUBS {
        linker.func_wrap(module, name, || {})?;
    }
    linker.func_wrap("spectest", "print_char", |_: i32| {})?;
    wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |host: &mut Host| &mut host.wasi)?;
    let mut store = Store::new(engine, Host::new(&program.entry)?);
    let instance = linker.instantiate(&mut store, module)?;
    let name = program.entry.export();
    let func = instance.get_func(&mut store, name).with_context(|| format!("no function `{name}`"))?;
    let args: Vec<Val> = program.entry.args().iter().map(|arg| Val::I32(*arg)).collect();
    let mut results = vec![Val::I32(0); func.ty(&store).results().len()];
    host::finished(func.call(&mut store, &args, &mut results))
}
