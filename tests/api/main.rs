//! The embedder's interface, end to end: one module per subject.

mod async_;
mod call_profiles;
mod calls;
#[cfg(feature = "wasi")]
mod components;
mod debugging;
mod entities;
mod exceptions;
mod exceptions_in_hosts;
mod exceptions_through_others;
mod ext;
mod ext_imports;
mod ext_misuse;
mod faults;
mod instance_pre;
mod objects;
mod references;
mod traps;

use wasmtime_gc::api::{Config, Engine, Instance, Module, Store};

/// A store with an instance of a module, for zeal and verification at every collection.
fn instance(wat: &str) -> (Store<()>, Instance) {
    let mut config = Config::new();
    config.gc_zeal(std::num::NonZeroU32::new(3)).gc_verify(true).gc_poison(true);
    instance_with(&config, wat)
}

/// A store with an instance of a module.
fn instance_with(config: &Config, wat: &str) -> (Store<()>, Instance) {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}
