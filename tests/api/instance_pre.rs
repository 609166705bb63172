//! Modules whose imports are resolved once, and the pooling allocator.

use wasmtime_gc::*;

const GUEST: &str = r#"(module
    (type $list (struct (field i32) (field (ref null $list))))
    (import "host" "next" (func $next (result i32)))
    (import "host" "show" (func $show (param anyref)))
    (import "env" "memory" (memory 1))
    (table $table 3 (ref null $list))
    (global $list (mut (ref null $list)) (ref.null none))
    (func (export "run") (param i32) (result i32)
        (loop $again
            (global.set $list (struct.new $list (call $next) (global.get $list)))
            (table.set $table (i32.const 1) (global.get $list))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if $again (local.get 0)))
        (call $show (global.get $list))
        (struct.get $list 0 (table.get $table (i32.const 1)))))"#;

fn linker(engine: &Engine) -> Linker<i32> {
    let mut linker = Linker::new(engine);
    linker
        .func_wrap("host", "next", |mut caller: Caller<'_, i32>| {
            *caller.data_mut() += 1;
            *caller.data()
        })
        .unwrap();
    linker.func_wrap("host", "show", |_: Caller<'_, i32>, _: Option<Rooted<AnyRef>>| {}).unwrap();
    linker
}

#[test]
fn a_module_is_resolved_once_and_instantiated_often() {
    let engine = Engine::default();
    let mut linker = linker(&engine);
    let module = Module::new(&engine, GUEST.replace("\"env\"", "\"host\"")).unwrap();
    let err = linker.instantiate_pre(&module).unwrap_err();
    assert_eq!(
        err.downcast_ref::<UnknownImportError>().map(|err| (err.module(), err.name())),
        Some(("host", "memory"))
    );
    let mut store = Store::new(&engine, 0);
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    linker.define(&store, "host", "memory", memory).unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    drop(linker);
    for n in 1..20 {
        let instance = pre.clone().instantiate(&mut store).unwrap();
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
        assert_eq!(run.call(&mut store, 100).unwrap(), 100 * n);
    }
    assert!(Module::same(pre.module(), &module));
}

#[test]
fn definitions_of_wasmtimes_linker_are_resolved_too() {
    let engine = Engine::default();
    let mut linker = Linker::<i32>::new(&engine);
    linker.wasmtime_mut().func_wrap("plain", "three", || 3).unwrap();
    let module = Module::new(
        &engine,
        r#"(module (import "plain" "three" (func $three (result i32))) (type $t (struct (field i32)))
            (func (export "run") (result i32) (struct.get $t 0 (struct.new $t (call $three)))))"#,
    );
    let pre = linker.instantiate_pre(&module.unwrap()).unwrap();
    for _ in 0..3 {
        let mut store = Store::new(&engine, 0);
        let instance = pre.instantiate(&mut store).unwrap();
        assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "run").unwrap().call(&mut store, ()).unwrap(), 3);
    }
}

#[test]
fn a_host_function_of_another_type_is_found_when_resolving() {
    let engine = Engine::default();
    let module = Module::new(&engine, r#"(module (import "host" "show" (func (param anyref))) (type (struct)))"#);
    assert!(linker(&engine).instantiate_pre(&module.unwrap()).is_ok());
    // Function types are subtypes if they are declared so; a signature that takes more is none.
    for param in ["structref", "i32"] {
        let wat = format!(r#"(module (import "host" "show" (func (param {param}))) (func (param anyref)))"#);
        let module = Module::new(&engine, wat).unwrap();
        let err = format!("{:#}", linker(&engine).instantiate_pre(&module).unwrap_err());
        assert!(err.contains("incompatible import type for `host::show`"), "{err}");
    }
}

/// A heap's memory comes from the pool, and goes back there; its next owner finds it clean.
#[test]
fn heaps_are_pooled() {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_memories(2).total_tables(2).total_core_instances(4).max_memory_size(32 << 20).table_elements(1000);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool)).gc_verify(true);
    let engine = Engine::new(&config).unwrap();
    let linker = {
        let mut linker = linker(&engine);
        linker.allow_shadowing(true);
        linker
    };
    let module = Module::new(&engine, GUEST.replace("(import \"env\" \"memory\" (memory 1))", "")).unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    for _ in 0..50 {
        let mut store = Store::new(&engine, 0);
        let instance = pre.instantiate(&mut store).unwrap();
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
        assert_eq!(run.call(&mut store, 50_000).unwrap(), 50_000);
        assert!(store.gc_heap_capacity() <= 32 << 20);
    }
    // More heaps than the pool has are an error, not a panic.
    let mut stores: Vec<_> = (0..3).map(|_| Store::new(&engine, 0)).collect();
    let made: Vec<bool> = stores.iter_mut().map(|store| pre.instantiate(store).is_ok()).collect();
    assert_eq!(made, [true, true, false]);
}
