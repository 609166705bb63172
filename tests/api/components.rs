//! Components, which are Wasmtime's own, in a store of ours.

use super::*;
use wasmtime_gc::StoreData;
use wasmtime_gc::component::{Component, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

const RANDOM: &str = r#"(component
    (import "wasi:random/insecure-seed@0.2.6" (instance $seed
        (export "insecure-seed" (func (result (tuple u64 u64))))))
    (core module $memory (memory (export "memory") 1))
    (core instance $memory (instantiate $memory))
    (core func $seed (canon lower (func $seed "insecure-seed") (memory $memory "memory")))
    (core module $code
        (import "host" "seed" (func $seed (param i32)))
        (import "host" "memory" (memory 1))
        (func (export "run") (result i64) (call $seed (i32.const 16)) (i64.load (i32.const 16))))
    (core instance $code (instantiate $code (with "host" (instance
        (export "seed" (func $seed)) (export "memory" (memory $memory "memory"))))))
    (func (export "run") (result u64) (canon lift (core func $code "run"))))"#;

/// A host of components could not give them WASI 0.2: a component linker's data is a `StoreData`, which was no
/// `WasiView`, and only this crate can make it one.
#[test]
fn components_have_the_wasi_of_the_data() {
    let engine = Engine::default();
    let wasi = || WasiCtx::builder().insecure_random_seed(42).build();
    let mut linker = Linker::<StoreData<State>>::new(engine.wasmtime());
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
    let component = Component::new(engine.wasmtime(), RANDOM).unwrap();
    let mut store = Store::new(&engine, State { wasi: wasi(), table: ResourceTable::new() });
    let instance = linker.instantiate(store.wasmtime_mut(), &component).unwrap();
    let run = instance.get_typed_func::<(), (u64,)>(store.wasmtime_mut(), "run").unwrap();
    assert_eq!(run.call(store.wasmtime_mut(), ()).unwrap(), (42,));
    let mut linker = Linker::<StoreData<State>>::new(engine.wasmtime());
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
}
