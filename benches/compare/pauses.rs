//! How long Wasmtime's default collector stops a program, which it does not report itself.
//!
//! The program runs once more on an engine with epochs. Each time an epoch ends, `Store::gc` is called where the
//! program is, and timed: that is what a collection at this moment takes. The longest is no less than what is told here.

use super::clock;
use super::host::{self, Host, STUBS};
use super::program::{Group, Program};
use super::record::Record;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use wasmtime::error::Context;
use wasmtime::{Collector, Config, Engine, Linker, Module, Result, Store, UpdateDeadline, Val};

/// Time between two collections.
const EPOCH: Duration = Duration::from_millis(100);

/// The longest collection of a `large` program on the copying collector, in milliseconds, unless that failed on it.
pub fn measure(program: &Program, record: &mut Record) {
    let fits = record.stock().iter().any(|stock| stock.name == "copying" && stock.time().is_some());
    if program.group == Group::Large && fits {
        record.copying_pause_ms = longest(program).ok();
    }
}

fn longest(program: &Program) -> Result<f64> {
    let mut config = Config::new();
    config.wasm_gc(true).wasm_function_references(true).wasm_exceptions(true);
    config.collector(Collector::Copying).epoch_interruption(true);
    let engine = Engine::new(&config)?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                std::thread::sleep(EPOCH);
                engine.increment_epoch();
            }
        });
        let longest = run(program, &engine);
        done.store(true, Relaxed);
        longest
    })
}

fn run(program: &Program, engine: &Engine) -> Result<f64> {
    let module = Module::from_binary(engine, &program.wasm)?;
    let mut linker = Linker::new(engine);
    for (module, name) in STUBS {
        linker.func_wrap(module, name, || {})?;
    }
    linker.func_wrap("spectest", "print_char", |_: i32| {})?;
    wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |host: &mut Host| &mut host.wasi)?;
    let mut store = Store::new(engine, Host::new(&program.entry)?);
    let longest = Arc::new(AtomicU64::new(0));
    let note = longest.clone();
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut cx| {
        let start = clock::now();
        cx.gc(None)?;
        note.fetch_max((clock::now() - start).as_nanos() as u64, Relaxed);
        Ok(UpdateDeadline::Continue(1))
    });
    let instance = linker.instantiate(&mut store, &module)?;
    let name = program.entry.export();
    let func = instance.get_func(&mut store, name).with_context(|| format!("no function `{name}`"))?;
    let args: Vec<Val> = program.entry.args().iter().map(|arg| Val::I32(*arg)).collect();
    let mut results = vec![Val::I32(0); func.ty(&store).results().len()];
    host::finished(func.call(&mut store, &args, &mut results))?;
    Ok(longest.load(Relaxed) as f64 / 1e6)
}
