//! A guest that nobody trusts: its memory, its objects, its stack and its time are limited, and it fails without harm.

use std::time::Duration;
use wasmtime_gc::{
    Config, Engine, GcHeapOutOfMemory, Instance, Module, Result, Store, StoreLimits, StoreLimitsBuilder, Trap,
};

const GUEST: &str = r#"(module
    (type $list (struct (field (ref null $list)) (field i64)))
    (memory (export "memory") 1)
    (global $kept (mut (ref null $list)) (ref.null $list))
    (func (export "objects") (loop $again
        (global.set $kept (struct.new $list (global.get $kept) (i64.const 1)))
        (br $again)))
    (func (export "memory_grow") (result i32) (memory.grow (i32.const 1000)))
    (func $deeper (export "stack") (param anyref) (call $deeper (local.get 0)) (drop (ref.is_null (local.get 0))))
    (func (export "time") (loop $again (br $again)))
    (func (export "well") (result i32) (i32.const 42)))"#;

/// Goes to every limit.
pub fn main() -> Result<()> {
    let mut config = Config::new();
    // The heap's own bound, and a nursery that suits it; the store's limits below hold for it as well.
    config.gc_max_heap_size(16 << 20).gc_nursery_size(512 << 10);
    config.max_wasm_stack(256 << 10).epoch_interruption(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, GUEST)?;
    let limits = StoreLimitsBuilder::new().memory_size(16 << 20).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits: &mut StoreLimits| limits);
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = Instance::new(&mut store, &module, &[])?;

    // More objects than fit: a trap, with the reason among its contexts.
    let objects = instance.get_typed_func::<(), ()>(&mut store, "objects")?;
    let err = objects.call(&mut store, ()).unwrap_err();
    assert!(err.is::<GcHeapOutOfMemory<()>>());
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::AllocationTooLarge));
    println!("objects: {err}");

    // A linear memory that may not grow: no trap, the guest is told.
    let grow = instance.get_typed_func::<(), i32>(&mut store, "memory_grow")?;
    assert_eq!(grow.call(&mut store, ())?, -1);
    println!("memory: does not grow");

    // Endless recursion.
    let stack = instance.get_typed_func::<Option<wasmtime_gc::Rooted<wasmtime_gc::AnyRef>>, ()>(&mut store, "stack")?;
    let err = stack.call(&mut store, None).unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
    println!("stack: {}", err.root_cause());

    // A loop without an end, and a watch that ends it.
    store.set_epoch_deadline(1);
    let watch = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        engine.increment_epoch();
    });
    let time = instance.get_typed_func::<(), ()>(&mut store, "time")?;
    let err = time.call(&mut store, ()).unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    println!("time: {}", err.root_cause());
    watch.join().expect("the watch does not panic");

    // Nothing of this has harmed the store.
    store.set_epoch_deadline(1);
    let well = instance.get_typed_func::<(), i32>(&mut store, "well")?;
    assert_eq!(well.call(&mut store, ())?, 42);
    println!("and all is well");
    Ok(())
}
