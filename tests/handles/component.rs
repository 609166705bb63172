//! A component on the package `wasmtime-gc:heap`.

use wasmtime::component::{Component, Instance, Linker};
use wasmtime_gc::ext::component::HeapHost;
use wasmtime_gc::{Config, Engine, Store, StoreData};

const GUEST: &str = include_str!("component.wat");

fn guest(engine: &Engine) -> (Store<HeapHost>, Instance) {
    let component = Component::new(engine.wasmtime(), GUEST).unwrap();
    let mut linker: Linker<StoreData<HeapHost>> = Linker::new(engine.wasmtime());
    HeapHost::add_to_linker(&mut linker).unwrap();
    let mut store = Store::new(engine, HeapHost::new());
    let instance = linker.instantiate(store.wasmtime_mut(), &component).unwrap();
    (store, instance)
}

fn call(store: &mut Store<HeapHost>, instance: &Instance, name: &str) -> u32 {
    let func = instance.get_typed_func::<(), (u32,)>(store.wasmtime_mut(), name).unwrap();
    func.call(store.wasmtime_mut(), ()).unwrap().0
}

#[test]
fn components_keep_objects_in_a_side_table() {
    let (mut store, instance) = guest(&Engine::default());
    assert_eq!(call(&mut store, &instance, "run"), 0, "the number of the check that failed");
    assert_eq!(HeapHost::size(&mut store).unwrap(), 0);
}

/// The same where every allocation collects and moves.
#[test]
fn components_survive_zeal() {
    let mut config = Config::new();
    config.gc_zeal(std::num::NonZeroU32::new(1));
    config.gc_verify(true);
    let (mut store, instance) = guest(&Engine::new(&config).unwrap());
    assert_eq!(call(&mut store, &instance, "run"), 0, "the number of the check that failed");
}

/// What resources of the component model can not do: cycles are garbage.
#[test]
fn cycles_between_objects_are_collected() {
    let mut config = Config::new();
    config.gc_max_heap_size(8 << 20);
    let (mut store, instance) = guest(&Engine::new(&config).unwrap());
    assert!(call(&mut store, &instance, "churn") <= 8 << 20);
    assert_eq!(HeapHost::size(&mut store).unwrap(), 0);
}

#[test]
fn what_an_object_does_not_have_is_an_error_that_says_so() {
    let engine = Engine::default();
    let expected =
        ["reference 4294967295 is", "reference 1 is", "byte 4294967295 is", "byte 4294967300 is", "fewer than"];
    for (which, expected) in (0u32..).zip(expected) {
        let (mut store, instance) = guest(&engine);
        let func = instance.get_typed_func::<(u32,), ()>(store.wasmtime_mut(), "out-of-range").unwrap();
        let err = func.call(store.wasmtime_mut(), (which,)).unwrap_err();
        assert!(format!("{err:?}").contains(expected), "{which}: {err:?}");
    }
}

/// Writing no bytes where a range can not go on was a panic of the host, in builds that check for overflow.
#[test]
fn empty_ranges_are_good_anywhere() {
    let (mut store, instance) = guest(&Engine::default());
    let func = instance.get_typed_func::<(u32,), ()>(store.wasmtime_mut(), "out-of-range").unwrap();
    func.call(store.wasmtime_mut(), (5,)).unwrap();
}
