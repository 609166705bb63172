//! The programs, one file for each subject.

use super::wasmtime;

mod anyrefs;
mod arrays;
mod calls;
mod embedders;
mod externals;
mod externrefs;
mod futures;
mod hosts;
mod linkers;
mod modules;
mod profiles;
mod programs;
mod rooting;
mod stores;
mod structs;
mod types;

use wasmtime::{Config, Engine, Instance, Module, Store};

/// A configuration with everything that the programs use.
pub(super) fn config() -> Config {
    let mut config = Config::new();
    config.wasm_gc(true).wasm_function_references(true).wasm_exceptions(true).wasm_tail_call(true);
    config
}

pub(super) fn engine() -> Engine {
    Engine::new(&config()).unwrap()
}

pub(super) fn store() -> Store<u32> {
    Store::new(&engine(), 0)
}

/// A store with an instance that imports nothing.
pub(super) fn instance(wat: &str) -> (Store<u32>, Instance) {
    let mut store = store();
    let module = Module::new(store.engine(), wat).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

/// What an error says, with its causes.
fn text(err: wasmtime::Error) -> String {
    format!("{err:#}")
}
