//! Lowered execution: this crate with its defaults.

use super::contender::{Compiled, Contender, HeapFigures, Pauses, Running};
use super::host::{self, Host, STUBS};
use super::program::{Entry, Outcome};
use wasmtime::error::Context;
use wasmtime_gc::{Config, Engine, Func, Linker, Module, Result, Store, Val, bail};

/// The crate under test.
pub struct Lowered {
    engine: Engine,
}

impl Lowered {
    pub fn new() -> Result<Lowered> {
        Ok(Lowered { engine: Engine::new(&Config::new())? })
    }
}

impl Contender for Lowered {
    fn name(&self) -> &'static str {
        "lowered"
    }

    fn compile(&self, wasm: &[u8]) -> Result<Box<dyn Compiled>> {
        Ok(Box::new(LoweredModule { module: Module::from_binary(&self.engine, wasm)? }))
    }
}

struct LoweredModule {
    module: Module,
}

impl Compiled for LoweredModule {
    fn code_bytes(&self) -> Option<usize> {
        Some(host::code_bytes(self.module.wasmtime()))
    }

    fn instantiate(&self, entry: &Entry) -> Result<Box<dyn Running>> {
        let engine = self.module.engine();
        let mut linker: Linker<Host> = Linker::new(engine);
        for (module, name) in STUBS {
            linker.func_wrap(module, name, || {})?;
        }
        linker.func_wrap("spectest", "print_char", |_: i32| {})?;
        wasmtime_wasi::p1::add_to_linker_sync(linker.wasmtime_mut(), |data| &mut data.data_mut().wasi)?;
        let mut store = Store::new(engine, Host::new(entry)?);
        let instance = linker.instantiate(&mut store, &self.module)?;
        let name = entry.export();
        let func = instance.get_func(&mut store, name).with_context(|| format!("no function `{name}`"))?;
        let args = entry.args().iter().map(|arg| Val::I32(*arg)).collect();
        let returns = matches!(entry, Entry::Invoke { .. });
        Ok(Box::new(LoweredInstance { store, func, args, returns }))
    }
}

struct LoweredInstance {
    store: Store<Host>,
    func: Func,
    args: Vec<Val>,
    returns: bool,
}

impl Running for LoweredInstance {
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
        let stats = self.store.heap_stats();
        let pauses = Pauses {
            longest: stats.pause_max,
            total: stats.pause_total,
            minor: stats.minor,
            major: stats.major,
            promoted_bytes: stats.promoted_bytes,
        };
        HeapFigures { peak_bytes: stats.heap_bytes_peak(), pauses: Some(pauses) }
    }
}
