//! Calls that wait: with an executor of a few lines.

use super::wasmtime::*;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

/// The simplest executor: asks again until there is an answer. That, and how often it was asked in vain.
fn block_on<F: Future>(future: F) -> (F::Output, u32) {
    let mut future = pin!(future);
    let mut waits = 0;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return (output, waits);
        }
        waits += 1;
    }
}

/// Gives way once.
async fn yield_now() {
    let mut first = true;
    poll_fn(|_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// A guest that makes objects, and holds one while the host waits.
const GUEST: &str = r#"(module
    (type $box (struct (field i32)))
    (import "host" "wait" (func $wait (param anyref) (result anyref)))
    (func (export "run") (param i32) (result i32)
        (local $own (ref $box))
        (local.set $own (struct.new $box (local.get 0)))
        (i32.add
            (struct.get $box 0 (ref.cast (ref $box) (call $wait (struct.new $box (i32.const 100)))))
            (struct.get $box 0 (local.get $own))))
    (func (export "spin") (param i32) (result i32)
        (local $n i32)
        (loop $l
            (local.set $n (i32.add (local.get $n) (struct.get $box 0 (struct.new $box (i32.const 1)))))
            (br_if $l (i32.lt_u (local.get $n) (local.get 0))))
        (local.get $n)))"#;

#[derive(Default)]
struct Host {
    calls: u32,
    /// What a call that is given up drops.
    alive: Arc<AtomicU32>,
}

struct Guard(Arc<AtomicU32>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

fn setup(config: &Config) -> Result<(Store<Host>, InstancePre<Host>)> {
    let engine = Engine::new(config)?;
    let module = Module::new(&engine, GUEST)?;
    let mut linker = Linker::<Host>::new(&engine);
    linker.func_wrap_async("host", "wait", |mut caller: Caller<'_, Host>, (value,): (Option<Rooted<AnyRef>>,)| {
        Box::new(async move {
            caller.data_mut().calls += 1;
            let alive = caller.data().alive.clone();
            alive.fetch_add(1, Relaxed);
            let _guard = Guard(alive);
            yield_now().await;
            caller.gc_async(None).await?;
            yield_now().await;
            Ok(value)
        })
    })?;
    let store = Store::new(&engine, Host::default());
    Ok((store, linker.instantiate_pre(&module)?))
}

#[test]
fn a_call_waits_for_the_host() -> Result<()> {
    let (mut store, pre) = setup(&Config::new())?;
    let instance = block_on(pre.instantiate_async(&mut store)).0?;
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
    let (result, waits) = block_on(run.call_async(&mut store, 11));
    assert_eq!((result?, store.data().calls), (111, 1));
    assert!(waits >= 2);
    let mut results = [Val::I32(0)];
    let run = instance.get_func(&mut store, "run").unwrap();
    block_on(run.call_async(&mut store, &[Val::I32(12)], &mut results)).0?;
    assert_eq!(results[0].unwrap_i32(), 112);
    Ok(())
}

#[test]
fn a_call_is_given_up_and_another_made() -> Result<()> {
    let (mut store, pre) = setup(&Config::new())?;
    let instance = block_on(pre.instantiate_async(&mut store)).0?;
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
    for _ in 0..50 {
        let mut call = Box::pin(run.call_async(&mut store, 1));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!((store.data().calls, store.data().alive.load(Relaxed)), (50, 0));
    assert_eq!(block_on(run.call_async(&mut store, 2)).0?, 102);
    block_on(store.gc_async(None)).0?;
    Ok(())
}

#[test]
fn long_calls_give_way() -> Result<()> {
    let (mut store, pre) = setup(Config::new().consume_fuel(true))?;
    store.set_fuel(1_000_000_000)?;
    store.fuel_async_yield_interval(Some(10_000))?;
    let instance = block_on(pre.instantiate_async(&mut store)).0?;
    let spin = instance.get_typed_func::<i32, i32>(&mut store, "spin")?;
    let (result, waits) = block_on(spin.call_async(&mut store, 10_000));
    assert_eq!(result?, 10_000);
    assert!(waits > 3, "{waits}");

    let (mut store, pre) = setup(Config::new().epoch_interruption(true))?;
    store.epoch_deadline_callback(|mut context| {
        context.data_mut().calls += 1;
        match context.data().calls {
            1 => Ok(UpdateDeadline::Yield(0)),
            2 => Ok(UpdateDeadline::YieldCustom(0, Box::pin(yield_now()))),
            _ => Ok(UpdateDeadline::Continue(1)),
        }
    });
    store.set_epoch_deadline(100);
    let instance = block_on(pre.instantiate_async(&mut store)).0?;
    let spin = instance.get_typed_func::<i32, i32>(&mut store, "spin")?;
    store.set_epoch_deadline(0);
    let (result, waits) = block_on(spin.call_async(&mut store, 1_000));
    assert_eq!((result?, store.data().calls), (1_000, 3));
    assert_eq!(waits, 2);
    Ok(())
}

#[test]
fn a_host_function_that_waits_calls_the_guest_again() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (type $list (struct (field i32) (field (ref null $list))))
            (import "" "down" (func $down (param i32) (result (ref null $list))))
            (func $make (export "make") (param i32) (result (ref null $list))
                (if (result (ref null $list)) (local.get 0)
                    (then (struct.new $list (local.get 0) (call $down (i32.sub (local.get 0) (i32.const 1)))))
                    (else (ref.null $list))))
            (func (export "sum") (param i32) (result i32)
                (local $l (ref null $list)) (local $n i32)
                (local.set $l (call $make (local.get 0)))
                (block $end
                    (loop $next
                        (br_if $end (ref.is_null (local.get $l)))
                        (local.set $n (i32.add (local.get $n) (struct.get $list 0 (local.get $l))))
                        (local.set $l (struct.get $list 1 (local.get $l)))
                        (br $next)))
                (local.get $n)))"#,
    )?;
    let mut linker = Linker::<()>::new(&engine);
    let ty = module.imports().next().unwrap().ty().unwrap_func().clone();
    linker.func_new_async("", "down", ty, |mut caller, args, results| {
        Box::new(async move {
            yield_now().await;
            let make = caller.get_export("make").and_then(Extern::into_func).unwrap();
            make.call_async(&mut caller, args, results).await?;
            caller.gc_async(None).await
        })
    })?;
    let mut store = Store::new(&engine, ());
    let instance = block_on(linker.instantiate_async(&mut store, &module)).0?;
    let sum = instance.get_typed_func::<i32, i32>(&mut store, "sum")?;
    assert_eq!(block_on(sum.call_async(&mut store, 10)).0?, 55);
    // A function that may wait can not be called by a call that may not.
    assert!(sum.call(&mut store, 1).is_err());
    Ok(())
}

#[test]
fn futures_move_between_threads() -> Result<()> {
    fn sendable<F: Future + Send>(future: F) -> F {
        future
    }
    let (mut store, pre) = setup(&Config::new())?;
    let result = std::thread::scope(|scope| {
        let future = sendable(async {
            let instance = pre.instantiate_async(&mut store).await?;
            let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
            run.call_async(&mut store, 3).await
        });
        scope.spawn(move || block_on(future).0).join().unwrap()
    });
    assert_eq!(result?, 103);
    Ok(())
}

/// A limiter that thinks about every question, and allows so much.
struct Slow {
    asked: u32,
    tables: u32,
    most: usize,
}

#[async_trait::async_trait]
impl ResourceLimiterAsync for Slow {
    async fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        yield_now().await;
        self.asked += 1;
        Ok(desired <= self.most)
    }

    async fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        yield_now().await;
        self.tables += 1;
        Ok(desired <= 100)
    }
}

/// An allocation of the host used to fail where the limiter did not answer at once, and a module could not even be
/// instantiated.
#[test]
fn allocations_wait_for_the_limiter() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        "(module (type $a (array (mut i8))) (func (export \"len\") (param (ref $a)) (result i32) (array.len (local.get 0))))",
    )?;
    let mut store = Store::new(&engine, Slow { asked: 0, tables: 0, most: 256 << 20 });
    store.limiter_async(|slow| slow);
    let (instance, _) = block_on(Instance::new_async(&mut store, &module, &[]));
    let len = instance?.get_typed_func::<Rooted<ArrayRef>, i32>(&mut store, "len")?;
    let ty = ArrayType::new(&engine, FieldType::new(Mutability::Var, StorageType::I8));
    let pre = ArrayRefPre::new(&mut store, ty);
    let (array, waits) = block_on(ArrayRef::new_async(&mut store, &pre, &Val::I32(7), 48 << 20));
    assert!(waits > 0 && store.data().asked > 0);
    let (array, asked) = (array?, store.data().asked);
    let length = block_on(len.call_async(&mut store, array)).0?;
    assert_eq!(length, 48 << 20);
    let (value, _) = block_on(ExternRef::new_async(&mut store, 5));
    assert!(value?.data(&store)?.is_some());
    let (refused, _) = block_on(ArrayRef::new_async(&mut store, &pre, &Val::I32(7), 512 << 20));
    assert!(refused.unwrap_err().is::<GcHeapOutOfMemory<()>>());
    assert!(store.data().asked > asked);
    Ok(())
}

/// Tables of references were refused where the limiter did not answer at once.
#[test]
fn tables_of_references_wait_for_the_limiter() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (type $s (struct (field funcref))) (global (export "f") (ref $s) (struct.new $s (ref.func $one)))
            (func $one) (table (export "a") 3 externref) (table 7 anyref) (table 7 anyref) (table 2 funcref)
            (func (export "size") (result i32) (table.size 0)))"#,
    )?;
    let mut store = Store::new(&engine, Slow { asked: 0, tables: 0, most: 256 << 20 });
    store.limiter_async(|slow| slow);
    let (instance, _) = block_on(Instance::new_async(&mut store, &module, &[]));
    let instance = instance?;
    // Each once; ours has one more, of functions, which grows.
    let asked = store.data().tables;
    assert!((4..=6).contains(&asked), "{asked}");
    let size = instance.get_typed_func::<(), i32>(&mut store, "size")?;
    assert_eq!(block_on(size.call_async(&mut store, ())).0?, 3);
    let ty = |size| TableType::new(RefType::EXTERNREF, size, None);
    let table = block_on(Table::new_async(&mut store, ty(9), Ref::Extern(None))).0?;
    assert_eq!((store.data().tables, table.size(&store)), (asked + 1, 9));
    assert_eq!(block_on(table.grow_async(&mut store, 5, Ref::Extern(None))).0?, 9);
    assert_eq!((store.data().tables, table.size(&store)), (asked + 2, 14));
    assert!(block_on(table.grow_async(&mut store, 90, Ref::Extern(None))).0.is_err());
    assert!(block_on(Table::new_async(&mut store, ty(101), Ref::Extern(None))).0.is_err());
    let large = Module::new(&engine, "(module (table 1 externref) (table 101 externref))")?;
    assert!(block_on(Instance::new_async(&mut store, &large, &[])).0.is_err());
    assert_eq!(table.size(&store), 14);
    Ok(())
}
