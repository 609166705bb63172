//! Stores: data, limits, interruption.

use super::store;
use super::wasmtime::{
    self, AsContextMut, Config, Engine, ExternRef, GcHeapOutOfMemory, Instance, Linker, Module, ResourceLimiter,
    Result, Store, StoreContext, StoreContextMut, StoreLimits, StoreLimitsBuilder, Trap, UpdateDeadline,
};

fn spin(engine: &Engine) -> Module {
    Module::new(engine, r#"(module (func (export "spin") (loop $l (br $l))))"#).unwrap()
}

#[test]
fn data_is_reached_through_every_context() {
    let mut store = store();
    *store.data_mut() = 1;
    fn through(mut store: impl AsContextMut<Data = u32>) {
        *store.as_context_mut().data_mut() += 1;
        assert!(*store.as_context().data() > 1);
    }
    through(&mut store);
    through(store.as_context_mut());
    let context: StoreContextMut<'_, u32> = (&mut store).into();
    let context: StoreContext<'_, u32> = context.into();
    assert_eq!(*context.data(), 3);
    assert!(context.engine().get_signals_based_traps());
    assert_eq!(store.into_data(), 3);
}

#[test]
fn fuel_runs_out() {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    assert_eq!(store.get_fuel().unwrap(), 0);
    store.set_fuel(10_000).unwrap();
    let instance = Instance::new(&mut store, &spin(&engine), &[]).unwrap();
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
    let err = spin.call(&mut store, ()).unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel));
    assert_eq!(store.get_fuel().unwrap(), 0);
    assert!(self::store().get_fuel().is_err());
}

#[test]
fn epochs_interrupt() {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, 0u32);
    let instance = Instance::new(&mut store, &spin(&engine), &[]).unwrap();
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
    store.set_epoch_deadline(1);
    engine.increment_epoch();
    let err = spin.call(&mut store, ()).unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    store.epoch_deadline_callback(|mut context| {
        *context.data_mut() += 1;
        if *context.data() == 3 { wasmtime::bail!("enough") } else { Ok(UpdateDeadline::Continue(0)) }
    });
    let err = spin.call(&mut store, ()).unwrap_err();
    assert_eq!((super::text(err).contains("enough"), *store.data()), (true, 3));
    store.epoch_deadline_trap();
    store.set_epoch_deadline(0);
    assert!(spin.call(&mut store, ()).is_err());
}

#[test]
fn limits_are_kept() {
    let engine = Engine::default();
    let limits: StoreLimits = StoreLimitsBuilder::new().memory_size(1 << 16).table_elements(3).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let small = Module::new(&engine, "(module (memory 1) (table 3 funcref))").unwrap();
    Instance::new(&mut store, &small, &[]).unwrap();
    for wat in ["(module (memory 2))", "(module (table 4 funcref))"] {
        let module = Module::new(&engine, wat).unwrap();
        assert!(Instance::new(&mut store, &module, &[]).is_err(), "{wat}");
    }
}

/// A store that allowed one instance, or a megabyte, had no place for the heap, which was counted like a module of the
/// embedder's and took five megabytes.
#[test]
fn limits_of_a_sandbox_leave_room_for_objects() {
    let engine = super::engine();
    let module = Module::new(
        &engine,
        r#"(module
            (memory (export "m") 1) (table 1 funcref) (global $kept (mut anyref) (ref.null any))
            (type $list (struct (field i32) (field (ref null $list))))
            (func (export "churn") (param $n i32) (result i32)
                (local $list (ref null $list))
                (loop $next
                    (local.set $list
                        (struct.new $list (local.get $n)
                            (select (result (ref null $list)) (local.get $list) (ref.null none)
                                (i32.and (local.get $n) (i32.const 1023)))))
                    (global.set $kept (local.get $list))
                    (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (struct.get $list 0 (local.get $list))))"#,
    )
    .unwrap();
    for fail in [false, true] {
        let limits = StoreLimitsBuilder::new().memory_size(1 << 20).instances(1).memories(1).tables(1);
        let mut store = Store::new(&engine, limits.trap_on_grow_failure(fail).build());
        store.limiter(|limits| limits);
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let churn = instance.get_typed_func::<i32, i32>(&mut store, "churn").unwrap();
        assert_eq!(churn.call(&mut store, 300_000).unwrap(), 1);
        let err = Instance::new(&mut store, &module, &[]).unwrap_err();
        assert!(super::text(err).contains("resource limit exceeded: instance count too high at 2"));
    }
}

#[test]
fn each_kind_of_what_instances_have_is_counted() {
    let engine = super::engine();
    let limited = |wat: &str, limits: StoreLimitsBuilder| {
        let mut store = Store::new(&engine, limits.build());
        store.limiter(|limits| limits);
        let module = Module::new(&engine, wat).unwrap();
        let mut made = 0;
        loop {
            match Instance::new(&mut store, &module, &[]) {
                Ok(_) => made += 1,
                Err(err) => return (made, super::text(err)),
            }
        }
    };
    let plain = "(module (memory 1) (table 1 funcref))";
    let objects = "(module (type $s (struct)) (memory 1) (table 1 funcref) (table 1 (ref null $s)) (global (ref $s) (struct.new $s)))";
    for (wat, tables) in [(plain, 1), (objects, 2)] {
        let (made, err) = limited(wat, StoreLimitsBuilder::new().instances(3));
        assert!(made == 3 && err.contains("instance count too high at 4"), "{wat}: {made}, {err}");
        let (made, err) = limited(wat, StoreLimitsBuilder::new().memories(2));
        assert!(made == 2 && err.contains("memory count too high at 3"), "{wat}: {made}, {err}");
        let (made, err) = limited(wat, StoreLimitsBuilder::new().tables(4));
        assert!(made == 4 / tables && err.contains("table count too high at"), "{wat}: {made}, {err}");
    }
}

/// What was made before there was a limiter was not counted, and what did not match was.
#[test]
fn what_there_is_counts_whenever_it_came() {
    let engine = super::engine();
    let module = |wat: &str| Module::new(&engine, wat).unwrap();
    let plain = module("(module (memory 1) (table 1 funcref))");
    let objects = module(
        "(module (type $s (struct)) (memory 1) (table 1 funcref) (table 1 (ref null $s)) (global (ref $s) (struct.new $s)))",
    );
    for (module, tables) in [(&plain, 1), (&objects, 2)] {
        let mut store = Store::new(&engine, StoreLimitsBuilder::new().tables(5).instances(4).build());
        let mut made = 0;
        for _ in 0..2 {
            Instance::new(&mut store, module, &[]).unwrap();
            made += 1;
        }
        store.limiter(|limits| limits);
        while Instance::new(&mut store, module, &[]).is_ok() {
            made += 1;
        }
        assert_eq!(made, if tables == 1 { 4 } else { 2 });
    }
    let mut store = Store::new(&engine, StoreLimitsBuilder::new().instances(1).build());
    store.limiter(|limits| limits);
    let global = wasmtime::Global::new(
        &mut store,
        wasmtime::GlobalType::new(wasmtime::ValType::I64, wasmtime::Mutability::Const),
        wasmtime::Val::I64(1),
    )
    .unwrap();
    for wat in [
        r#"(module (import "" "" (global i32)))"#,
        r#"(module (type $s (struct)) (import "" "" (global i32)) (global (ref $s) (struct.new $s)))"#,
    ] {
        for _ in 0..3 {
            let err = super::text(Instance::new(&mut store, &module(wat), &[global.into()]).unwrap_err());
            assert!(err.contains("incompatible import type"), "{err}");
        }
    }
    Instance::new(&mut store, &plain, &[]).unwrap();
}

#[test]
fn a_limiter_of_ones_own_is_asked() {
    #[derive(Default)]
    struct Mine {
        memories: usize,
        tables: usize,
    }
    impl ResourceLimiter for Mine {
        fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
            self.memories += 1;
            Ok(desired < 32 << 20)
        }
        fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
            self.tables += 1;
            Ok(desired < 10)
        }
    }
    let engine = super::engine();
    let mut store = Store::new(&engine, Mine::default());
    store.limiter(|mine| mine);
    let module = Module::new(
        &engine,
        r#"(module
            (memory (export "m") 1)
            (table (export "t") 1 externref)
            (func (export "grow") (param i32) (result i32) (table.grow 0 (ref.null extern) (local.get 0))))"#,
    )
    .unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow").unwrap();
    assert_eq!([grow.call(&mut store, 4).unwrap(), grow.call(&mut store, 50).unwrap()], [1, -1]);
    let memory = instance.get_memory(&mut store, "m").unwrap();
    assert!(memory.grow(&mut store, 1).is_ok() && memory.grow(&mut store, 1000).is_err());
    assert!(store.data().memories >= 3 && store.data().tables >= 3);
}

/// Beyond what a table declares the limiter is asked all the same, and may make a trap of it; by nothing a table does not
/// grow.
#[test]
fn a_limiter_is_asked_beyond_what_tables_declare() {
    let engine = super::engine();
    let text = |ty: &str| {
        format!(
            "(module (table 1 4 {ty})
                (func (export \"grow\") (param i32) (result i32) (table.grow 0 (ref.null {ty}) (local.get 0))))",
            ty = ty
        )
    };
    for ty in ["func", "extern", "any"] {
        let text = text(ty).replace(&format!("4 {ty}"), &format!("4 {ty}ref"));
        let module = Module::new(&engine, &text).unwrap();
        let mut store = Store::new(&engine, StoreLimitsBuilder::new().trap_on_grow_failure(true).build());
        store.limiter(|limits| limits);
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow").unwrap();
        assert_eq!([grow.call(&mut store, 0).unwrap(), grow.call(&mut store, 2).unwrap()], [1, 1], "{ty}");
        let err = grow.call(&mut store, 2).unwrap_err();
        assert!(super::text(err).contains("forcing trap when growing table to 5 elements"), "{ty}");
        assert!(grow.call(&mut store, -1).is_err(), "{ty}");
    }
}

#[test]
fn a_full_heap_is_an_error_and_a_store_collects() {
    let engine = super::engine();
    let limits = StoreLimitsBuilder::new().memory_size(24 << 20).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let value = ExternRef::new(&mut store, [0u8; 8]).unwrap();
    assert!(store.gc_heap_capacity() > 0);
    let ty = wasmtime::ArrayType::new(
        &engine,
        wasmtime::FieldType::new(wasmtime::Mutability::Var, wasmtime::StorageType::I8),
    );
    let pre = wasmtime::ArrayRefPre::new(&mut store, ty);
    let err = wasmtime::ArrayRef::new(&mut store, &pre, &wasmtime::Val::I32(0), 100 << 20).unwrap_err();
    let oom = err.downcast_ref::<GcHeapOutOfMemory<()>>().unwrap();
    assert!(oom.to_string().starts_with("GC heap out of memory: no capacity for allocation of "));
    store.gc(Some(oom)).unwrap();
    assert!(value.data(&store).unwrap().is_some());
    wasmtime::ArrayRef::new(&mut store, &pre, &wasmtime::Val::I32(0), 1 << 20).unwrap();
    store.as_context_mut().gc(None).unwrap();
}

#[test]
fn one_module_lives_in_many_stores() {
    let engine = super::engine();
    let module = Module::new(
        &engine,
        r#"(module
            (type $s (struct (field (mut i32))))
            (global $s (ref $s) (struct.new $s (i32.const 0)))
            (func (export "next") (result i32)
                (struct.set $s 0 (global.get $s) (i32.add (struct.get $s 0 (global.get $s)) (i32.const 1)))
                (struct.get $s 0 (global.get $s))))"#,
    )
    .unwrap();
    let linker: Linker<u32> = Linker::new(&engine);
    let threads: Vec<_> = (1..4u32)
        .map(|n| {
            let (engine, module, linker) = (engine.clone(), module.clone(), linker.clone());
            std::thread::spawn(move || {
                let mut store = Store::new(&engine, n);
                let instance = linker.instantiate(&mut store, &module).unwrap();
                let next = instance.get_typed_func::<(), i32>(&mut store, "next").unwrap();
                (0..n).map(|_| next.call(&mut store, ()).unwrap()).last()
            })
        })
        .collect();
    let last: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(last, [Some(1), Some(2), Some(3)]);
}
