//! Traps, their backtraces, and interruption.

use super::*;
use std::num::NonZeroUsize;
use wasmtime_gc::api::{Error, ExternRef, Linker, Rooted, Trap, UpdateDeadline, WasmBacktrace, WasmCoreDump};

const MODULE: &str = r#"(module $traps
    (type $list (struct (field i32) (field (ref null $list))))
    (type $other (struct (field f64)))
    (type $bytes (array i8))
    (func $null (export "null") (result i32) (struct.get $list 0 (ref.null $list)))
    (func $cast (export "cast") (result (ref null $other))
        (ref.cast (ref $other) (call $make)))
    (func $make (result anyref) (struct.new $list (i32.const 0) (ref.null $list)))
    (func $bounds (export "bounds") (param i32) (result i32)
        (array.get_u $bytes (array.new_default $bytes (i32.const 3)) (local.get 0)))
    (func $unreachable (export "unreachable") (call $deeper))
    (func $deeper unreachable)
    (global $kept (mut (ref null $list)) (ref.null $list))
    (func (export "clear") (global.set $kept (ref.null $list)))
    (func $fill (export "fill")
        (loop $again
            (global.set $kept (struct.new $list (i32.const 1) (global.get $kept)))
            (br $again)))
    (func $huge (export "huge") (result i32)
        (array.len (array.new_default $bytes (i32.const -1))))
    (func $deep (export "deep") (param anyref) (result anyref)
        (call $deep (struct.new $list (i32.const 0) (ref.null $list))))
    (func (export "spin") (loop $l (br $l)))
    (func (export "ok") (result i32) (struct.get $list 0 (struct.new $list (i32.const 5) (ref.null $list)))))"#;

fn trap(err: &Error) -> Trap {
    *err.downcast_ref::<Trap>().unwrap_or_else(|| panic!("no trap: {err:?}"))
}

fn frames(err: &Error) -> Vec<&str> {
    let backtrace = err.downcast_ref::<WasmBacktrace>().unwrap();
    backtrace.frames().iter().map(|frame| frame.func_name().unwrap_or("?")).collect()
}

#[test]
fn traps_are_what_the_original_says() {
    for explicit in [false, true] {
        let mut config = Config::new();
        config.explicit_null_checks(explicit);
        let (mut store, instance) = instance_with(&config, MODULE);
        for (name, expected, stack) in [
            ("null", Trap::NullReference, &["null"][..]),
            ("cast", Trap::CastFailure, &["cast"]),
            ("unreachable", Trap::UnreachableCodeReached, &["deeper", "unreachable"]),
            ("huge", Trap::AllocationTooLarge, &["huge"]),
        ] {
            let func = instance.get_func(&mut store, name).unwrap();
            let mut results = vec![wasmtime_gc::api::Val::I32(0); func.ty(&store).results().len()];
            let err = func.call(&mut store, &[], &mut results).unwrap_err();
            assert_eq!((trap(&err), &*frames(&err)), (expected, stack), "{err:?}");
        }
        let bounds = instance.get_typed_func::<i32, i32>(&mut store, "bounds").unwrap();
        assert_eq!(bounds.call(&mut store, 2).unwrap(), 0);
        assert_eq!(trap(&bounds.call(&mut store, 3).unwrap_err()), Trap::ArrayOutOfBounds);
        assert_eq!(trap(&bounds.call(&mut store, -1).unwrap_err()), Trap::ArrayOutOfBounds);
    }
}

#[test]
fn a_backtrace_shows_where_in_the_original_module() {
    let wasm = wat::parse_str(MODULE).unwrap();
    let engine = Engine::default();
    let module = Module::new(&engine, &wasm).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let null = instance.get_typed_func::<(), i32>(&mut store, "null").unwrap();
    let err = null.call(&mut store, ()).unwrap_err();
    let frame = &err.downcast_ref::<WasmBacktrace>().unwrap().frames()[0];
    assert_eq!((frame.func_index(), frame.module_name()), (0, Some("traps")));
    // The opcode of `struct.get`.
    let offset = frame.module_offset().unwrap();
    assert_eq!(wasm[offset..offset + 2], [0xfb, 0x02]);
    let text = format!("{err:?}");
    assert!(text.starts_with("error while executing at wasm backtrace:\n    0: "), "{text}");
    assert!(text.contains("traps!null") && text.contains("wasm trap: null reference"), "{text}");
    assert!(!text.contains("memory fault"), "{text}");
}

#[test]
fn a_full_heap_traps_and_the_store_stays_usable() {
    let mut config = Config::new();
    config.gc_max_heap_size(8 << 20);
    let (mut store, instance) = instance_with(&config, MODULE);
    let clear = instance.get_typed_func::<(), ()>(&mut store, "clear").unwrap();
    let fill = instance.get_typed_func::<(), ()>(&mut store, "fill").unwrap();
    let ok = instance.get_typed_func::<(), i32>(&mut store, "ok").unwrap();
    for _ in 0..3 {
        let err = fill.call(&mut store, ()).unwrap_err();
        assert_eq!(trap(&err), Trap::AllocationTooLarge);
        assert!(format!("{err:?}").contains("GC heap out of memory: "), "{err:?}");
        assert_eq!(frames(&err), ["fill"]);
        clear.call(&mut store, ()).unwrap();
        assert_eq!(ok.call(&mut store, ()).unwrap(), 5);
    }
    let stats = store.heap_stats();
    assert!(stats.major > 0 && stats.heap_bytes <= 8 << 20, "{stats:?}");
}

#[test]
fn a_resource_limiter_bounds_the_heap() {
    let engine = Engine::default();
    let module = Module::new(&engine, MODULE).unwrap();
    let limits = wasmtime_gc::api::StoreLimitsBuilder::new().memory_size(16 << 20).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let fill = instance.get_typed_func::<(), ()>(&mut store, "fill").unwrap();
    assert_eq!(trap(&fill.call(&mut store, ()).unwrap_err()), Trap::AllocationTooLarge);
    assert!(store.heap_stats().heap_bytes <= 22 << 20);
}

#[test]
fn endless_recursion_overflows_the_stack_and_nothing_else() {
    let (mut store, instance) = instance_with(&Config::new(), MODULE);
    let deep = instance.get_func(&mut store, "deep").unwrap();
    let ok = instance.get_typed_func::<(), i32>(&mut store, "ok").unwrap();
    for _ in 0..3 {
        let null = wasmtime_gc::api::Val::null_any_ref();
        let err = deep.call(&mut store, &[null], &mut [null]).unwrap_err();
        assert_eq!(trap(&err), Trap::StackOverflow);
        assert_eq!(ok.call(&mut store, ()).unwrap(), 5);
    }
}

#[test]
fn fuel_and_epochs_interrupt() {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, MODULE).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_fuel(10_000).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
    assert_eq!(trap(&spin.call(&mut store, ()).unwrap_err()), Trap::OutOfFuel);
    assert_eq!(store.get_fuel().unwrap(), 0);

    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, MODULE).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(1);
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
    engine.increment_epoch();
    assert_eq!(trap(&spin.call(&mut store, ()).unwrap_err()), Trap::Interrupt);
}

/// Fuel ran out in the middle of an `array.fill` or `table.fill`. What had been stored by then was remembered behind the loop only,
/// that is, never: the next collection left references to where objects had been.
#[test]
fn a_fill_that_runs_out_of_fuel_keeps_what_it_has_stored() {
    let mut config = Config::new();
    config.consume_fuel(true).gc_nursery_size(64 << 10).gc_verify(true);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(
        &engine,
        r#"(module
            (type $o (struct (field i32)))
            (type $a (array (mut (ref null $o))))
            (global $small (mut (ref null $a)) (ref.null $a))
            (global $large (mut (ref null $a)) (ref.null $a))
            (table $t 1000 (ref null $o))
            (func (export "setup")
                (global.set $small (array.new_default $a (i32.const 1000)))
                (global.set $large (array.new_default $a (i32.const 5000))))
            (func (export "small")
                (array.fill $a (global.get $small) (i32.const 0) (struct.new $o (i32.const 42)) (i32.const 1000)))
            (func (export "large")
                (array.fill $a (global.get $large) (i32.const 0) (struct.new $o (i32.const 42)) (i32.const 5000)))
            (func (export "table") (table.fill $t (i32.const 0) (struct.new $o (i32.const 42)) (i32.const 1000)))
            (func (export "collect") (local $i i32)
                (loop $again
                    (drop (array.new_default $a (i32.const 100)))
                    (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))))
            (func (export "read") (result i32)
                (i32.add (struct.get $o 0 (array.get $a (global.get $small) (i32.const 0)))
                    (i32.add (struct.get $o 0 (array.get $a (global.get $large) (i32.const 0)))
                        (struct.get $o 0 (table.get $t (i32.const 0)))))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let enough = 10_000_000;
    store.set_fuel(enough).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let mut call = |name: &str, fuel| {
        store.set_fuel(fuel).unwrap();
        instance.get_typed_func::<(), ()>(&mut store, name).unwrap().call(&mut store, ())
    };
    call("setup", enough).unwrap();
    call("collect", enough).unwrap();
    for name in ["small", "large", "table"] {
        assert_eq!(trap(&call(name, 500).unwrap_err()), Trap::OutOfFuel, "{name}");
        call("collect", enough).unwrap();
    }
    store.set_fuel(enough).unwrap();
    let read = instance.get_typed_func::<(), i32>(&mut store, "read").unwrap();
    assert_eq!(read.call(&mut store, ()).unwrap(), 3 * 42);
}

#[derive(Debug, thiserror::Error)]
#[error("exit with {0}")]
struct Exit(i32);

#[test]
fn errors_of_host_functions_come_out_as_they_went_in() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module $m
            (import "host" "plain" (func $plain))
            (import "host" "refs" (func $refs (param externref)))
            (func $outer (export "plain") (call $inner))
            (func $inner (call $plain))
            (func (export "refs") (param externref) (call $refs (local.get 0))))"#,
    )
    .unwrap();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "plain", || -> Result<(), Error> { Err(Error::new(Exit(3)).context("while plain")) })
        .unwrap();
    linker
        .func_wrap("host", "refs", |_: Option<Rooted<ExternRef>>| -> Result<(), Error> {
            Err(Trap::BadSignature.into())
        })
        .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let plain = instance.get_typed_func::<(), ()>(&mut store, "plain").unwrap();
    let err = plain.call(&mut store, ()).unwrap_err();
    assert_eq!(err.downcast_ref::<Exit>().unwrap().0, 3);
    assert_eq!(frames(&err), ["inner", "outer"]);
    let text = format!("{err:?}");
    assert_eq!(text.matches("wasm backtrace").count(), 1, "{text}");
    assert!(text.contains("while plain"), "{text}");
    let refs = instance.get_typed_func::<Option<Rooted<ExternRef>>, ()>(&mut store, "refs").unwrap();
    let err = refs.call(&mut store, None).unwrap_err();
    assert_eq!(trap(&err), Trap::BadSignature);
}

const SMALL: &str = r#"(module $small
    (type $box (struct (field (mut i32))))
    (import "host" "call" (func $host (result i32)))
    (func $get (param (ref null $box)) (result i32) (struct.get $box 0 (local.get 0)))
    (func $twice (param (ref null $box)) (result i32)
        (i32.mul (i32.const 2) (call $get (local.get 0))))
    (func $ask (param i32) (result i32) (i32.add (local.get 0) (call $host)))
    (func $wait (param i32) (loop $l (br_if $l (local.get 0))))
    (func $outer (export "outer") (param i32) (result i32)
        (local $box (ref null $box))
        (if (local.get 0) (then (local.set $box (struct.new $box (i32.const 21)))))
        (i32.add (i32.const 0) (call $twice (local.get $box))))
    (func $asks (export "asks") (param i32) (result i32)
        (struct.get $box 0 (struct.new $box (call $ask (local.get 0)))))
    (func $waits (export "waits") (param i32) (result i32)
        (local $box (ref null $box))
        (local.set $box (struct.new $box (i32.const 5)))
        (call $wait (local.get 0))
        (struct.get $box 0 (local.get $box)))
    (func $later (export "later") (param i32) (result i32)
        (local $box (ref null $box))
        (drop (call $get (struct.new $box (i32.const 5))))
        (if (i32.eqz (local.get 0)) (then unreachable))
        (i32.div_u (i32.const 10) (i32.sub (local.get 0) (call $get (struct.new $box (i32.const 5)))))))"#;

/// Functions in the place of calls have no frames of the engine's; their own offsets and those of the calls are shown.
#[test]
fn a_function_in_the_place_of_a_call_has_its_frame() {
    let wasm = wat::parse_str(SMALL).unwrap();
    for optimize in [false, true] {
        let mut config = Config::new();
        config.gc_optimize(optimize).consume_fuel(true);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, &wasm).unwrap();
        let mut linker = Linker::new(&engine);
        linker.func_wrap("host", "call", || -> Result<i32, Error> { Err(Error::msg("asked")) }).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_fuel(1_000_000).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let mut fails = |name: &str, arg: i32| {
            let func = instance.get_typed_func::<i32, i32>(&mut store, name).unwrap();
            func.call(&mut store, arg).unwrap_err()
        };
        let err = fails("outer", 0);
        assert_eq!((trap(&err), &*frames(&err)), (Trap::NullReference, &["get", "twice", "outer"][..]));
        let frames_of = |err: &Error| err.downcast_ref::<WasmBacktrace>().unwrap().frames().to_vec();
        let found = frames_of(&err);
        let opcodes: Vec<u8> = found.iter().map(|frame| wasm[frame.module_offset().unwrap()]).collect();
        // `struct.get`, and two calls; in the functions that they say they are in.
        assert_eq!(opcodes, [0xfb, 0x10, 0x10], "{err:?}");
        assert_eq!(found.iter().map(|frame| frame.func_index()).collect::<Vec<_>>(), [1, 2, 5]);
        for frame in &found {
            assert!(frame.func_offset().unwrap() < 30, "{err:?}");
        }
        assert_eq!(frames(&fails("asks", 1)), ["ask", "asks"]);
        // What traps behind such a function is in the caller again.
        assert_eq!(frames(&fails("later", 0)), ["later"]);
        let err = fails("later", 5);
        assert_eq!((trap(&err), &*frames(&err)), (Trap::IntegerDivisionByZero, &["later"][..]));
        store.set_fuel(1_000).unwrap();
        let waits = instance.get_typed_func::<i32, i32>(&mut store, "waits").unwrap();
        let err = waits.call(&mut store, 1).unwrap_err();
        assert_eq!((trap(&err), &*frames(&err)), (Trap::OutOfFuel, &["wait", "waits"][..]));
    }
}

/// What a trap means depends on where it was, and without backtraces that was not known: a null reference was told as
/// `unreachable`.
#[test]
fn traps_keep_their_meaning_without_backtraces_and_with_core_dumps() {
    let text = r#"(module (type $s (struct (field i32)))
        (func $f (export "f") (result i32) (struct.get $s 0 (ref.null $s))))"#;
    for (frames, dump) in [(None, false), (NonZeroUsize::new(5), true)] {
        let mut config = Config::new();
        config.wasm_backtrace_max_frames(frames).coredump_on_trap(dump);
        let engine = Engine::new(&config).unwrap();
        assert_eq!(engine.get_wasm_backtrace_max_frames(), frames.map_or(0, |frames| frames.get()));
        let module = Module::new(&engine, text).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
        let err = f.call(&mut store, ()).unwrap_err();
        assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::NullReference), "{err:?}");
        assert_eq!((err.is::<WasmBacktrace>(), err.is::<WasmCoreDump>()), (dump, dump), "{err:?}");
    }
}

/// A lowered module has a start function of its own, which used to be charged, and interrupted, before the embedder
/// had said how much fuel there is and when the epoch ends.
#[test]
fn instantiation_is_neither_charged_nor_interrupted() {
    let mut config = Config::new();
    config.consume_fuel(true).epoch_interruption(true);
    let engine = Engine::new(&config).unwrap();
    let text = |start: &str| {
        format!(
            "(module (type $s (struct)) (table 100 (ref null $s)) (global (mut anyref) (struct.new $s))
                (func $f (loop $l (br $l))) {start} (func (export \"g\")))"
        )
    };
    let idle = Module::new(&engine, text("")).unwrap();
    let mut store = Store::new(&engine, 0u32);
    engine.increment_epoch();
    let instance = Instance::new(&mut store, &idle, &[]).unwrap();
    assert_eq!(store.get_fuel().unwrap(), 0);
    let g = instance.get_typed_func::<(), ()>(&mut store, "g").unwrap();
    let trap = |err: Error| err.downcast::<Trap>().unwrap();
    assert!(matches!(trap(g.call(&mut store, ()).unwrap_err()), Trap::OutOfFuel | Trap::Interrupt));
    store.set_fuel(1000).unwrap();
    assert_eq!(trap(g.call(&mut store, ()).unwrap_err()), Trap::Interrupt);
    store.epoch_deadline_callback(|mut cx| {
        *cx.data_mut() += 1;
        Ok(UpdateDeadline::Continue(1))
    });
    g.call(&mut store, ()).unwrap();
    assert_eq!(*store.data(), 1);
    // A start function of the original's is the guest's doing.
    let busy = Module::new(&engine, text("(start $f)")).unwrap();
    assert_eq!(trap(Instance::new(&mut store, &busy, &[]).unwrap_err()), Trap::OutOfFuel);
}

/// Code of a function that stands in the place of its calls has a number of ours as its place, and `address_map` gave that
/// as an offset.
#[test]
fn address_maps_tell_offsets_of_the_original() {
    let text = r#"(module
        (type $b (struct (field (mut i32))))
        (func $div (param (ref $b) i32) (result i32) (i32.div_u (struct.get $b 0 (local.get 0)) (local.get 1)))
        (func (export "f") (param i32) (result i32)
          (local $b (ref $b)) (local $sum i32)
          (local.set $b (struct.new $b (i32.const 99)))
          (loop $next
            (local.set $sum (i32.add (local.get $sum) (call $div (local.get $b) (local.get 0))))
            (struct.set $b 0 (local.get $b) (local.get $sum))
            (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
          (local.get $sum)))"#;
    let module = Module::new(&Engine::default(), text).unwrap();
    let offsets: Vec<u32> = module.address_map().unwrap().filter_map(|(_, offset)| offset).collect();
    assert!(!offsets.is_empty() && offsets.iter().all(|&offset| offset < 300), "{offsets:?}");
}
