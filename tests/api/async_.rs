//! Calls, host functions and start functions that may have to wait.

use std::future::poll_fn;
use std::num::NonZeroU32;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use wasmtime_gc::*;

/// Polls a future until it is ready: its output, and how often it was not.
fn run<F: Future>(future: F) -> (F::Output, u32) {
    let mut future = pin!(future);
    let mut waits = 0;
    loop {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => return (output, waits),
            Poll::Pending => waits += 1,
        }
    }
}

/// Is pending once.
async fn wait() {
    let mut waited = false;
    poll_fn(|_| match std::mem::replace(&mut waited, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// A guest with objects on the shadow stack while it waits.
const GUEST: &str = r#"(module
    (type $box (struct (field i32) (field anyref)))
    (import "host" "wait" (func $wait (param anyref i32) (result anyref)))
    (import "host" "number" (func $number (param i64) (result i32)))
    (global $started (mut i32) (i32.const 0))
    (func $start (global.set $started (call $number (i64.const 5))))
    (start $start)
    (func (export "started") (result i32) (global.get $started))
    (func $run (export "run") (param $n i32) (result i32)
        (local $own (ref $box)) (local $other (ref null $box))
        (local.set $own (struct.new $box (local.get $n) (ref.null none)))
        (local.set $other (ref.cast (ref $box)
            (call $wait (struct.new $box (local.get $n) (local.get $own)) (local.get $n))))
        (i32.add
            (i32.add (struct.get $box 0 (local.get $own)) (struct.get $box 0 (local.get $other)))
            (if (result i32) (local.get $n)
                (then (call $run (i32.sub (local.get $n) (i32.const 1))))
                (else (i32.const 0))))))"#;

fn config() -> Config {
    let mut config = Config::new();
    config.gc_zeal(NonZeroU32::new(1)).gc_verify(true).gc_poison(true);
    config
}

fn linker(engine: &Engine) -> Linker<u32> {
    let mut linker = Linker::new(engine);
    linker
        .func_wrap_async("host", "wait", |mut caller: Caller<'_, u32>, (value, n): (Option<Rooted<AnyRef>>, i32)| {
            Box::new(async move {
                caller.gc(None)?;
                wait().await;
                // A handle is valid across the wait, and what it refers to has moved meanwhile.
                let weak = ext::WeakRef::new(&mut caller, &value.unwrap())?;
                caller.as_context_mut().gc_async(None).await?;
                *caller.data_mut() += n as u32;
                weak.upgrade(&mut caller)
            })
        })
        .unwrap();
    let ty = FuncType::new(engine, [ValType::I64], [ValType::I32]);
    linker
        .func_new_async("host", "number", ty, |_, params, results| {
            Box::new(async move {
                wait().await;
                results[0] = Val::I32(params[0].unwrap_i64() as i32 * 2);
                Ok(())
            })
        })
        .unwrap();
    linker
}

#[test]
fn guests_wait_with_references_on_the_stack() {
    let engine = Engine::new(&config()).unwrap();
    let module = Module::new(&engine, GUEST).unwrap();
    let linker = linker(&engine);
    let mut store = Store::new(&engine, 0);
    let (instance, waits) = run(linker.instantiate_async(&mut store, &module));
    let instance = instance.unwrap();
    assert_eq!(waits, 1, "the start function has waited");
    let started = instance.get_typed_func::<(), i32>(&mut store, "started").unwrap();
    assert_eq!(run(started.call_async(&mut store, ())).0.unwrap(), 10);
    let call = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    let (sum, waits) = run(call.call_async(&mut store, 4));
    // Each call of the host waits once, and once for its collection.
    assert_eq!((sum.unwrap(), waits, *store.data()), (20, 10, 10));
    let call = instance.get_func(&mut store, "run").unwrap();
    let mut results = [Val::I32(0)];
    let (result, waits) = run(call.call_async(&mut store, &[Val::I32(2)], &mut results));
    assert!(result.is_ok() && waits == 6 && results[0].unwrap_i32() == 6);
    let err = call.call(&mut store, &[Val::I32(2)], &mut results).unwrap_err();
    assert!(format!("{err:?}").contains("async"), "{err:?}");
}

/// A call that was given up in the middle leaves its frames on the shadow stack. What comes later must neither see
/// them nor run out of room because of them.
#[test]
fn a_call_can_be_given_up_while_it_waits() {
    let mut config = Config::new();
    config.max_wasm_stack(16 << 10);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, GUEST).unwrap();
    let linker = linker(&engine);
    let mut store = Store::new(&engine, 0);
    let instance = run(linker.instantiate_async(&mut store, &module)).0.unwrap();
    let call = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    let target = {
        let mut scope = RootScope::new(&mut store);
        let target = ExternRef::new(&mut scope, ()).unwrap();
        ext::WeakRef::new(&mut scope, &target).unwrap()
    };
    // Each has a frame of at least two words, and there is room for 64 KiB.
    for _ in 0..9_000 {
        let mut future: Pin<Box<dyn Future<Output = _>>> = Box::pin(call.call_async(&mut store, 3));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(run(call.call_async(&mut store, 4)).0.unwrap(), 20);
    store.gc(None).unwrap();
    assert!(target.upgrade(&mut store).unwrap().is_none());
}

/// It used to be one collection in one pause, and then a turn for others.
#[test]
fn a_collection_gives_way_to_others_and_can_be_given_up() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (rec (type $cell (struct (field (ref null $cell)))))
            (global $list (mut (ref null $cell)) (ref.null $cell))
            (func (export "grow") (param $n i32)
                (loop $more
                    (global.set $list (struct.new $cell (global.get $list)))
                    (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
            (func (export "length") (result i32)
                (local $n i32) (local $at (ref null $cell))
                (local.set $at (global.get $list))
                (block $end
                    (loop $more
                        (br_if $end (ref.is_null (local.get $at)))
                        (local.set $n (i32.add (local.get $n) (i32.const 1)))
                        (local.set $at (struct.get $cell 0 (local.get $at)))
                        (br $more)))
                (local.get $n)))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, 0);
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let grow = instance.get_typed_func::<i32, ()>(&mut store, "grow").unwrap();
    let length = instance.get_typed_func::<(), i32>(&mut store, "length").unwrap();
    grow.call(&mut store, 2_000_000).unwrap();
    let garbage = |store: &mut Store<u32>| {
        let mut scope = RootScope::new(store);
        let value = ExternRef::new(&mut scope, ()).unwrap();
        ext::WeakRef::new(&mut scope, &value).unwrap()
    };
    let first = garbage(&mut store);
    {
        let mut future: Pin<Box<dyn Future<Output = _>>> = Box::pin(store.gc_async(None));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    // Alive when that collection began, which goes on.
    let second = garbage(&mut store);
    grow.call(&mut store, 1).unwrap();
    let (result, waits) = run(store.gc_async(None));
    result.unwrap();
    assert!(waits > 2, "{waits}");
    assert!(first.upgrade(&mut store).unwrap().is_none() && second.upgrade(&mut store).unwrap().is_none());
    assert_eq!(length.call(&mut store, ()).unwrap(), 2_000_001);
}

#[test]
fn errors_and_exceptions_of_functions_that_wait_are_those_of_others() {
    let engine = Engine::new(&config()).unwrap();
    let module = Module::new(
        &engine,
        r#"(module
            (tag $t (export "t") (param i32))
            (import "" "fail" (func $fail (param i32) (result i32)))
            (func (export "run") (param i32) (result i32)
                (block $caught (result i32)
                    (try_table (result i32) (catch $t $caught) (call $fail (local.get 0))))))"#,
    )
    .unwrap();
    let mut linker = Linker::<Option<Tag>>::new(&engine);
    linker
        .func_wrap_async("", "fail", |mut caller: Caller<'_, Option<Tag>>, (n,): (i32,)| {
            Box::new(async move {
                wait().await;
                if n == 0 {
                    return Err(Error::msg("on purpose"));
                }
                let tag = caller.data().unwrap();
                let ty = ExnType::from_tag_type(&tag.ty(&caller))?;
                let pre = ExnRefPre::new(&mut caller, ty);
                let exception = ExnRef::new(&mut caller, &pre, &tag, &[Val::I32(7 * n)])?;
                caller.throw::<i32>(exception)
            })
        })
        .unwrap();
    let mut store = Store::new(&engine, None);
    let instance = run(linker.instantiate_async(&mut store, &module)).0.unwrap();
    *store.data_mut() = instance.get_tag(&mut store, "t");
    let call = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    let (result, waits) = run(call.call_async(&mut store, 6));
    assert_eq!((result.unwrap(), waits), (42, 1));
    let err = run(call.call_async(&mut store, 0)).0.unwrap_err();
    assert_eq!(err.root_cause().to_string(), "on purpose");
    assert_eq!(err.downcast_ref::<WasmBacktrace>().unwrap().frames().len(), 1);
}

#[test]
fn calls_wait_for_their_turn_by_fuel_and_epochs() {
    let wat = r#"(module
        (type $box (struct (field i32)))
        (func (export "run") (param i32) (result i32)
            (local $box (ref $box))
            (local.set $box (struct.new $box (i32.const 42)))
            (loop $again
                (drop (struct.new $box (local.get 0)))
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if $again (local.get 0)))
            (struct.get $box 0 (local.get $box))))"#;
    let mut config = Config::new();
    config.consume_fuel(true).gc_verify(true).gc_zeal(NonZeroU32::new(7));
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_fuel(1_000_000).unwrap();
    store.fuel_async_yield_interval(Some(500)).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let instance = run(Instance::new_async(&mut store, &module, &[])).0.unwrap();
    let call = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    let (result, waits) = run(call.call_async(&mut store, 1000));
    assert!(result.unwrap() == 42 && waits > 5, "{waits}");

    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);
    let module = Module::new(&engine, wat).unwrap();
    let instance = run(Instance::new_async(&mut store, &module, &[])).0.unwrap();
    let call = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    engine.increment_epoch();
    let (result, waits) = run(call.call_async(&mut store, 1000));
    assert_eq!((result.unwrap(), waits), (42, 1));
}

/// A limiter that may have to wait. The heap is asked too, and what it gets is what is allowed at once.
struct Limits {
    asked: Arc<AtomicU32>,
    most: usize,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>>;

impl ResourceLimiterAsync for Limits {
    fn memory_growing<'a: 'b, 'b>(&'a mut self, _: usize, desired: usize, _: Option<usize>) -> Answer<'b>
    where
        Self: 'b,
    {
        self.asked.fetch_add(1, Relaxed);
        Box::pin(async move { Ok(desired <= self.most) })
    }

    fn table_growing<'a: 'b, 'b>(&'a mut self, _: usize, desired: usize, _: Option<usize>) -> Answer<'b>
    where
        Self: 'b,
    {
        Box::pin(async move { Ok(desired <= 1000) })
    }
}

#[test]
fn an_asynchronous_limiter_limits_the_heap() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (type $list (struct (field i64) (field (ref null $list))))
            (table $t (export "t") 10 anyref)
            (global $list (mut (ref null $list)) (ref.null none))
            (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null none) (local.get 0)))
            (func (export "fill")
                (loop $again
                    (global.set $list (struct.new $list (i64.const 0) (global.get $list)))
                    (br $again))))"#,
    )
    .unwrap();
    let asked = Arc::new(AtomicU32::new(0));
    let mut store = Store::new(&engine, Limits { asked: asked.clone(), most: 24 << 20 });
    store.limiter_async(|limits| limits);
    let instance = run(Instance::new_async(&mut store, &module, &[])).0.unwrap();
    let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow").unwrap();
    assert_eq!(run(grow.call_async(&mut store, 500)).0.unwrap(), 10);
    assert_eq!(run(grow.call_async(&mut store, 500)).0.unwrap(), -1);
    let fill = instance.get_typed_func::<(), ()>(&mut store, "fill").unwrap();
    let err = run(fill.call_async(&mut store, ())).0.unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::AllocationTooLarge));
    assert!(asked.load(Relaxed) > 1 && store.gc_heap_capacity() <= 30 << 20);
}

#[test]
fn commands_and_reactors_are_linked_asynchronously() {
    let engine = Engine::new(&config()).unwrap();
    let mut linker = linker(&engine);
    let command = Module::new(
        &engine,
        r#"(module (import "host" "number" (func $number (param i64) (result i32)))
            (func (export "_start") (drop (call $number (i64.const 1)))))"#,
    );
    let reactor = Module::new(
        &engine,
        r#"(module (import "host" "number" (func $number (param i64) (result i32)))
            (import "command" "_start" (func $start))
            (global $n (mut i32) (i32.const 0))
            (func (export "_initialize") (call $start) (global.set $n (call $number (i64.const 21))))
            (func (export "get") (result i32) (global.get $n)))"#,
    );
    let mut store = Store::new(&engine, 0);
    run(linker.module_async(&mut store, "command", &command.unwrap())).0.unwrap();
    let (linked, waits) = run(linker.module_async(&mut store, "reactor", &reactor.unwrap()));
    assert!(linked.is_ok());
    assert_eq!(waits, 2);
    let get = linker.get(&mut store, "reactor", "get").unwrap().into_func().unwrap();
    let get = get.typed::<(), i32>(&store).unwrap();
    assert_eq!(run(get.call_async(&mut store, ())).0.unwrap(), 42);
}

/// Futures of calls can be sent, as an executor with several threads demands.
#[test]
fn calls_can_go_on_in_another_thread() {
    fn sendable<F: Future + Send>(future: F) -> F {
        future
    }
    let engine = Engine::new(&config()).unwrap();
    let module = Module::new(&engine, GUEST).unwrap();
    let linker = linker(&engine);
    let mut store = Store::new(&engine, 0);
    let instance = run(sendable(linker.instantiate_async(&mut store, &module))).0.unwrap();
    let call = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    let result = Mutex::new(0);
    let mut future = Box::pin(sendable(call.call_async(&mut store, 4)));
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    std::thread::scope(|scope| {
        scope.spawn(|| *result.lock().unwrap() = run(future).0.unwrap());
    });
    assert_eq!(*result.lock().unwrap(), 20);
}
