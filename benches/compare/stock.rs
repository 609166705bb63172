//! Wasmtime with one of its own collectors, and defaults otherwise.

use super::contender::{Compiled, Contender, HeapFigures, Running};
use super::host::{self, Host, STUBS};
use super::program::{Entry, Outcome};
use wasmtime::error::Context;
use wasmtime::{Collector, Config, Engine, Func, Linker, Module, Result, Store, Val, bail};

/// One of Wasmtime's collectors.
pub struct Stock {
    name: &'static str,
    collector: Collector,
    engine: Engine,
}

/// All of them; the first is Wasmtime's default.
pub fn all() -> Result<Vec<Stock>> {
    let collectors =
        [("copying", Collector::Copying), ("null", Collector::Null), ("drc", Collector::DeferredReferenceCounting)];
    collectors.into_iter().map(|(name, collector)| Stock::new(name, collector)).collect()
}

impl Stock {
    fn new(name: &'static str, collector: Collector) -> Result<Stock> {
        let mut config = Config::new();
        config.wasm_gc(true).wasm_function_references(true).wasm_exceptions(true).collector(collector);
        Ok(Stock { name, collector, engine: Engine::new(&config)? })
    }
}

impl Contender for Stock {
    fn name(&self) -> &'static str {
        self.name
    }

    fn keeps_garbage(&self) -> bool {
        matches!(self.collector, Collector::Null)
    }

    fn compile(&self, wasm: &[u8]) -> Result<Box<dyn Compiled>> {
        Ok(Box::new(StockModule { module: Module::from_binary(&self.engine, wasm)? }))
    }
}

struct StockModule {
    module: Module,
}

impl Compiled for StockModule {
    fn code_bytes(&self) -> Option<usize> {
        Some(host::code_bytes(&self.module))
    }

    fn instantiate(&self, entry: &Entry) -> Result<Box<dyn Running>> {
        let engine = self.module.engine();
        let mut linker = Linker::new(engine);
        for (module, name) in STUBS {
            linker.func_wrap(module, name, || {})?;
        }
        linker.func_wrap("spectest", "print_char", |_: i32| {})?;
        wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |host: &mut Host| &mut host.wasi)?;
        let mut store = Store::new(engine, Host::new(entry)?);
        let instance = linker.instantiate(&mut store, &self.module)?;
        let name = entry.export();
        let func = instance.get_func(&mut store, name).with_context(|| format!("no function `{name}`"))?;
        let args = entry.args().iter().map(|arg| Val::I32(*arg)).collect();
        let returns = matches!(entry, Entry::Invoke { .. });
        Ok(Box::new(StockInstance { store, func, args, returns }))
    }
}

struct StockInstance {
    store: Store<Host>,
    func: Func,
    args: Vec<Val>,
    returns: bool,
}

impl Running for StockInstance {
    fn run(&mut self) -> Result<Outcome> {
        let mut results = [Val::I32(0)];
        let results = &mut results[..usize::from(self.returns)];
        host::finished(self.func.call(&mut self.store, &self.args, results))?;
        match results {
            [] => Ok(Outcome::Text(self.store.data().printed())),
            [Val::I32(number)] => Ok(Outcome::Number(*number)),
            other => bail!("returned {other:?}"),
        }
    }

    fn heap(&self) -> HeapFigures {
        // The heap never shrinks: its capacity is its peak.
        HeapFigures { peak_bytes: self.store.gc_heap_capacity() as u64, pauses: None }
    }
}
