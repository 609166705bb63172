//! Debugging of guests, where Wasmtime has nothing to compare with, or has no heap that moves. What both do alike is in
//! `tests/dropin/probes/debugging.rs`.

use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use wasmtime_gc::*;

/// Polls a future until it is ready.
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

type See = fn(&mut StoreContextMut<'_, u32>, &DebugEvent<'_>) -> Option<String>;

/// Writes down what a function makes of each event.
#[derive(Clone)]
struct Watch {
    see: See,
    seen: Arc<Mutex<Vec<String>>>,
}

impl DebugHandler for Watch {
    type Data = u32;

    async fn handle(&self, mut store: StoreContextMut<'_, u32>, event: DebugEvent<'_>) {
        let line = (self.see)(&mut store, &event);
        self.seen.lock().unwrap().extend(line);
    }
}

/// Every allocation and every collection moves all that can move; freed space is no longer readable as objects.
fn config() -> Config {
    let mut config = Config::new();
    config.guest_debug(true).gc_zeal(NonZeroU32::new(1)).gc_verify(true).gc_poison(true).gc_check_roots(true);
    config
}

fn watched(see: See) -> (Store<u32>, Watch) {
    let watch = Watch { see, seen: Arc::default() };
    let mut store = Store::new(&Engine::new(&config()).unwrap(), 0);
    store.set_debug_handler(watch.clone());
    (store, watch)
}

fn instance(store: &mut Store<u32>, wat: &str) -> Instance {
    let module = Module::new(store.engine(), wat).unwrap();
    run(Instance::new_async(store, &module, &[])).unwrap()
}

/// The first field of a struct, or the length of an array.
fn number(store: &mut StoreContextMut<'_, u32>, value: Val) -> i32 {
    match value {
        Val::AnyRef(Some(any)) => match any.as_struct(&*store).unwrap() {
            Some(object) => object.field(&mut *store, 0).unwrap().unwrap_i32(),
            None => any.unwrap_array(&*store).unwrap().len(&*store).unwrap() as i32,
        },
        Val::AnyRef(None) => -1,
        other => other.unwrap_i32(),
    }
}

/// The locals of the innermost frame as numbers, looked into before and after a collection.
fn locals(store: &mut StoreContextMut<'_, u32>) -> Vec<i32> {
    let frame = store.debug_exit_frames().next().unwrap();
    let count = frame.num_locals(&mut *store).unwrap();
    let values: Vec<Val> = (0..count).map(|local| frame.local(&mut *store, local).unwrap()).collect();
    store.gc(None).unwrap();
    let before: Vec<i32> = values.into_iter().map(|value| number(store, value)).collect();
    let values: Vec<Val> = (0..count).map(|local| frame.local(&mut *store, local).unwrap()).collect();
    let after: Vec<i32> = values.into_iter().map(|value| number(store, value)).collect();
    assert_eq!(before, after);
    after
}

/// A list of boxes is built and summed up; at every operator all objects move under the program's feet.
#[test]
fn objects_move_at_every_step_and_the_program_does_not_notice() {
    let (mut store, watch) = watched(|store, _| {
        *store.data_mut() += 1;
        Some(format!("{:?}", locals(store)))
    });
    let guest = instance(
        &mut store,
        r#"(module
            (type $list (sub (struct (field i32) (field (ref null $list)))))
            (func (export "sum") (param $n i32) (result i32)
                (local $head (ref null $list)) (local $sum i32)
                (loop $make
                    (local.set $head (struct.new $list (local.get $n) (local.get $head)))
                    (br_if $make (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (loop $add
                    (local.set $sum (i32.add (local.get $sum) (struct.get $list 0 (local.get $head))))
                    (local.set $head (struct.get $list 1 (local.get $head)))
                    (br_if $add (i32.eqz (ref.is_null (local.get $head)))))
                (local.get $sum)))"#,
    );
    store.edit_breakpoints().unwrap().single_step(true).unwrap();
    let sum = guest.get_typed_func::<i32, i32>(&mut store, "sum").unwrap();
    assert_eq!(run(sum.call_async(&mut store, 5)).unwrap(), 15);
    let seen = watch.seen.lock().unwrap();
    assert_eq!((seen.len(), *store.data()), (111, 111));
    let last = |line: &str| seen.iter().rposition(|seen| seen == line);
    let order =
        ["[5, -1, 0]", "[5, 5, 0]", "[4, 4, 0]", "[0, 1, 0]", "[0, 2, 1]", "[0, 5, 10]", "[0, -1, 15]"].map(last);
    assert!(order.is_sorted() && order[0].is_some(), "{order:?} in {seen:#?}");
}

#[test]
fn a_start_function_has_frames_before_its_instance_is_there() {
    let (mut store, watch) = watched(|store, _| {
        let frame = store.debug_exit_frames().next().unwrap();
        let module = frame.module(&mut *store).unwrap().and_then(|module| module.name()).map(str::to_owned);
        let early = frame.instance(&mut *store).unwrap_err().to_string();
        let parent = frame.parent(&mut *store).unwrap().is_some();
        Some(format!("{module:?} {parent} {}", early.contains("start function")))
    });
    store.edit_breakpoints().unwrap().single_step(true).unwrap();
    instance(
        &mut store,
        r#"(module $early
            (type $box (struct (field i32)))
            (global $g (mut (ref null $box)) (struct.new $box (i32.const 1)))
            (func $begin (global.set $g (struct.new $box (i32.const 2))))
            (start $begin))"#,
    );
    let line = r#"Some("early") false true"#;
    assert_eq!(*watch.seen.lock().unwrap(), [line; 4]);
}

/// Where Wasmtime 48 tells of an epoch, at the entry of a function, nothing is noted and no reference is where a
/// collection finds it. Here it is told before the next operator, and objects may move.
#[test]
fn an_epoch_is_told_where_objects_can_move() {
    let watch = Watch { see: |store, event| Some(format!("{event:?} {:?}", locals(store))), seen: Arc::default() };
    let mut config = config();
    config.epoch_interruption(true);
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, 0);
    store.set_epoch_deadline(10);
    store.epoch_deadline_async_yield_and_update(10);
    store.set_debug_handler(watch.clone());
    let guest = instance(
        &mut store,
        r#"(module
            (type $box (struct (field i32)))
            (func $f (param $b (ref $box)) (result i32) (struct.get $box 0 (local.get $b)))
            (func (export "f") (result i32) (call $f (struct.new $box (i32.const 6)))))"#,
    );
    let f = guest.get_typed_func::<(), i32>(&mut store, "f").unwrap();
    (0..10).for_each(|_| engine.increment_epoch());
    assert_eq!(run(f.call_async(&mut store, ())).unwrap(), 6);
    assert_eq!(*watch.seen.lock().unwrap(), ["EpochYield []"]);
    assert!(!store.is_single_step());
}

/// Without a debugger, where start functions are left to the engine.
#[test]
fn start_functions_run_where_nobody_watches() {
    let engine = Engine::new(&config()).unwrap();
    for wat in [
        "(module (global $g (export \"g\") (mut i32) (i32.const 1)) (func $f (global.set $g (i32.const 2))) (start $f))",
        "(module (type $s (struct)) (global $g (export \"g\") (mut i32) (i32.const 1))
            (func $f (drop (struct.new $s)) (global.set $g (i32.const 2))) (start $f))",
    ] {
        let module = Module::new(&engine, wat).unwrap();
        let mut store = Store::new(&engine, ());
        let waited = run(Instance::new_async(&mut store, &module, &[])).unwrap();
        let at_once = Instance::new(&mut store, &module, &[]).unwrap();
        for instance in [waited, at_once] {
            assert_eq!(instance.get_global(&mut store, "g").unwrap().get(&mut store).unwrap_i32(), 2);
        }
    }
}

/// A start function's caller is code of the engine, which has nothing to show: Wasmtime 48 reads whatever is there when
/// it is asked for that frame, and crashed in the probe this comes from. The same where a segment does not fit, before
/// any function has run.
#[test]
fn what_makes_an_instance_has_no_frames() {
    let (mut store, watch) = watched(|store, event| {
        let exits: Vec<FrameHandle> = store.debug_exit_frames().collect();
        let mut count = 0;
        for exit in exits {
            let mut frame = Some(exit);
            while let Some(at) = frame {
                assert!(at.module(&mut *store).unwrap().is_some() && at.num_locals(&mut *store).unwrap() == 1);
                frame = at.parent(&mut *store).unwrap();
                count += 1;
            }
        }
        Some(format!("{event:?} {count}"))
    });
    for text in [
        "(module (memory 1) (data (i32.const 65536) \"x\"))",
        "(module (table 1 funcref) (elem (i32.const 1) $f) (func $f))",
        "(module (type $s (struct)) (global anyref (struct.new $s)) (memory 1) (data (i32.const 65536) \"x\"))",
        "(module (memory 1) (data (i32.const 1) \"x\")
            (func $inner (param i32) (unreachable)) (func $f (local f32) (call $inner (i32.const 1))) (start $f))",
        "(module (type $s (struct)) (global anyref (struct.new $s))
            (func $inner (param i32) (unreachable)) (func $f (local f32) (call $inner (i32.const 1))) (start $f))",
    ] {
        let module = Module::new(store.engine(), text).unwrap();
        assert!(run(Instance::new_async(&mut store, &module, &[])).unwrap_err().is::<Trap>(), "{text}");
    }
    let seen = watch.seen.lock().unwrap();
    let trap = |trap: &str, count: u32| format!("Trap({trap}) {count}");
    let [memory, table, start] =
        [trap("MemoryOutOfBounds", 0), trap("TableOutOfBounds", 0), trap("UnreachableCodeReached", 2)];
    assert_eq!(*seen, [memory.clone(), table, memory, start.clone(), start]);
}

const THROWER: &str = r#"
    (tag $t (export "t") (param i32))
    (func $deep (param i32) (throw $t (local.get 0)))
    (func (export "f") (param i32) (result i32)
        (block $h (result i32) (try_table (catch $t $h) (call $deep (local.get 0))) (i32.const -1)))"#;

const LEGACY: &str = r#"
    (func (export "legacy") (param i32) (result i32)
        try (result i32)
            try (result i32)
                (call $deep (local.get 0))
                (i32.const -1)
            catch $t
                drop
                rethrow 0
            end
        catch $t
        end)"#;

fn legacy(see: See) -> (Store<u32>, Watch) {
    let mut config = config();
    config.wasm_features(WasmFeatures::LEGACY_EXCEPTIONS, true);
    let watch = Watch { see, seen: Arc::default() };
    let mut store = Store::new(&Engine::new(&config).unwrap(), 0);
    store.set_debug_handler(watch.clone());
    (store, watch)
}

#[test]
fn an_exception_can_be_replaced_and_not_taken_away() {
    let (mut store, watch) = watched(|store, event| {
        let DebugEvent::Exception(exn) = event else { return None };
        assert!(store.has_pending_exception());
        let exn = exn.to_rooted(&mut *store);
        let value = exn.field(&mut *store, 0).unwrap().unwrap_i32();
        let taken = store.take_pending_exception().unwrap();
        assert!(Rooted::ref_eq(&*store, &exn, &taken).unwrap());
        if value == 7 {
            let tag = exn.tag(&mut *store).unwrap();
            let ty = ExnType::new(store.engine(), [ValType::I32]).unwrap();
            let pre = ExnRefPre::new(&mut *store, ty);
            let other = ExnRef::new(&mut *store, &pre, &tag, &[Val::I32(70)]).unwrap();
            assert!(store.throw::<()>(other).unwrap_err().is::<ThrownException>());
        }
        store.gc(None).unwrap();
        Some(value.to_string())
    });
    let guest = instance(&mut store, &format!("(module {THROWER})"));
    let f = guest.get_typed_func::<i32, i32>(&mut store, "f").unwrap();
    assert_eq!(run(f.call_async(&mut store, 7)).unwrap(), 70);
    assert_eq!(run(f.call_async(&mut store, 8)).unwrap(), 8);
    assert_eq!(*watch.seen.lock().unwrap(), ["7", "8"]);
}

#[test]
fn exceptions_of_the_older_proposal_are_told_when_they_are_thrown_again() {
    let (mut store, watch) = legacy(|store, event| {
        let DebugEvent::Exception(exn) = event else { return None };
        let exn = exn.to_rooted(&mut *store);
        let value = exn.field(&mut *store, 0).unwrap().unwrap_i32();
        let frame = store.debug_exit_frames().next().unwrap();
        let (func, _) = frame.wasm_function_index_and_pc(&mut *store).unwrap().unwrap();
        Some(format!("{value} in {}", func.as_u32()))
    });
    let guest = instance(&mut store, &format!("(module {THROWER} {LEGACY})"));
    let f = guest.get_typed_func::<i32, i32>(&mut store, "legacy").unwrap();
    assert_eq!(run(f.call_async(&mut store, 9)).unwrap(), 9);
    assert_eq!(*watch.seen.lock().unwrap(), ["9 in 0", "9 in 2"]);
}

#[test]
fn a_guest_without_memory_for_objects_stops_where_it_asks() {
    let watch = Watch {
        see: |store, event| {
            let DebugEvent::Trap(trap) = event else { return None };
            Some(format!("{trap:?} {:?}", locals(store)))
        },
        seen: Arc::default(),
    };
    let mut config = config();
    config.gc_max_heap_size(8 << 20);
    let mut store = Store::new(&Engine::new(&config).unwrap(), 0);
    store.set_debug_handler(watch.clone());
    let guest = instance(
        &mut store,
        r#"(module
            (type $a (array (mut i32)))
            (func (export "f") (local $a (ref null $a))
                (local.set $a (array.new_default $a (i32.const 3)))
                (drop (array.new_default $a (i32.const 100000000)))))"#,
    );
    let f = guest.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    let err = run(f.call_async(&mut store, ())).unwrap_err();
    assert!(err.is::<GcHeapOutOfMemory<()>>());
    assert_eq!(*watch.seen.lock().unwrap(), ["AllocationTooLarge [3]"]);
}

/// What a debugger sees is part of a compiled module.
#[test]
fn compiled_modules_bring_what_debuggers_see() {
    let (mut store, watch) = watched(|store, _| Some(format!("{:?}", locals(store))));
    let wat = r#"(module
        (type $box (struct (field i32)))
        (global (mut (ref null $box)) (ref.null $box))
        (func (export "f") (local $b (ref null $box))
            (local.set $b (struct.new $box (i32.const 4)))
            (unreachable)))"#;
    let bytes = Module::new(store.engine(), wat).unwrap().serialize().unwrap();
    // SAFETY: these are bytes of this crate.
    let module = unsafe { Module::deserialize(store.engine(), &bytes) }.unwrap();
    let guest = run(Instance::new_async(&mut store, &module, &[])).unwrap();
    assert!(guest.debug_global(&mut store, 0).is_some());
    let f = guest.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    run(f.call_async(&mut store, ())).unwrap_err();
    assert_eq!(*watch.seen.lock().unwrap(), ["[4]"]);
    // An engine that is not for debuggers does not take it.
    let other = Engine::new(&Config::new()).unwrap();
    // SAFETY: as above.
    assert!(unsafe { Module::deserialize(&other, &bytes) }.is_err());
}

/// Many locals and many operators: what is noted grows with the function, not with the product.
#[test]
fn long_functions_with_many_locals_compile() {
    let locals = "(local anyref i32 f64)".repeat(1000);
    let body = "(local.set 0 (ref.i31 (i32.const 1))) (local.set 1 (i32.add (local.get 1) (i32.const 3)))".repeat(3000);
    let wat = format!("(module (func (export \"f\") (result i32) {locals} {body} (local.get 1)))");
    let (mut store, _) = watched(|_, _| None);
    let guest = instance(&mut store, &wat);
    let f = guest.get_typed_func::<(), i32>(&mut store, "f").unwrap();
    assert_eq!(run(f.call_async(&mut store, ())).unwrap(), 9000);
}

/// The handle of a frame ends with what runs.
#[test]
fn frames_end() {
    static KEPT: Mutex<Option<FrameHandle>> = Mutex::new(None);
    let (mut store, _) = watched(|store, _| {
        *KEPT.lock().unwrap() = store.debug_exit_frames().next();
        None
    });
    let guest =
        instance(&mut store, "(module (type $s (struct)) (func (export \"f\") (drop (struct.new $s)) (unreachable)))");
    let f = guest.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    run(f.call_async(&mut store, ())).unwrap_err();
    let frame = KEPT.lock().unwrap().take().unwrap();
    assert!(!frame.is_valid(&mut store));
    assert!(frame.local(&mut store, 0).is_err() && frame.parent(&mut store).is_err());
    assert!(frame.module(&mut store).is_err() && frame.instance(&mut store).is_err());
}
