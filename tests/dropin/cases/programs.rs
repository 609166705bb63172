//! Whole small programs, as a person writes them who reads Wasmtime's guide: one test each.

use super::wasmtime::error::Context as _;
use super::wasmtime::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn hello() -> Result<()> {
    struct Log {
        lines: Vec<String>,
    }
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        br#"(module
            (import "host" "log" (func $log (param i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 8) "Hello, world")
            (func (export "hello") (call $log (i32.const 8) (i32.const 12))))"#,
    )?;
    let mut store = Store::new(&engine, Log { lines: vec![] });
    let log = Func::wrap(&mut store, |mut caller: Caller<'_, Log>, at: u32, len: u32| {
        let Some(Extern::Memory(memory)) = caller.get_export("memory") else { bail!("no memory") };
        let (data, log) = memory.data_and_store_mut(&mut caller);
        let bytes = data.get(at as usize..).and_then(|data| data.get(..len as usize)).context("out of bounds")?;
        log.lines.push(std::str::from_utf8(bytes)?.to_owned());
        Ok(())
    });
    let instance = Instance::new(&mut store, &module, &[log.into()])?;
    instance.get_typed_func::<(), ()>(&mut store, "hello")?.call(&mut store, ())?;
    assert_eq!(store.into_data().lines, ["Hello, world"]);
    Ok(())
}

#[test]
fn linking() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("env", "double", |n: i32| n.wrapping_mul(2))?;
    let math = Module::new(
        &engine,
        r#"(module (import "env" "double" (func $d (param i32) (result i32)))
            (type $p (struct (field i32 i32)))
            (global (export "step") (mut i32) (i32.const 3))
            (func (export "pair") (param i32) (result anyref)
                (struct.new $p (local.get 0) (call $d (local.get 0)))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    linker.module(&mut store, "math", &math)?;
    linker.alias("math", "pair", "math", "tuple")?.alias_module("math", "maths")?;
    let user = Module::new(
        &engine,
        r#"(module (import "maths" "tuple" (func $pair (param i32) (result anyref)))
            (import "math" "step" (global $step (mut i32)))
            (type $p (struct (field i32 i32)))
            (func (export "run") (result i32)
                (struct.get $p 1 (ref.cast (ref $p) (call $pair (global.get $step))))))"#,
    )?;
    let pre: InstancePre<()> = linker.instantiate_pre(&user)?;
    for _ in 0..3 {
        let instance = pre.instantiate(&mut store)?;
        assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "run")?.call(&mut store, ())?, 6);
    }
    let taken = linker.func_wrap("env", "double", || ()).unwrap_err();
    assert!(taken.to_string().contains("defined twice"), "{taken}");
    linker.allow_shadowing(true).func_wrap("env", "double", || ())?;
    let err = linker.instantiate(&mut store, &math).unwrap_err();
    assert!(err.to_string().contains("incompatible import type for `env::double`"), "{err:#}");
    let mut names: Vec<_> = linker.iter(&mut store).map(|(module, name, _)| format!("{module}.{name}")).collect();
    names.sort();
    assert_eq!(
        names,
        ["env.double", "math.pair", "math.step", "math.tuple", "maths.pair", "maths.step", "maths.tuple"]
    );
    Ok(())
}

#[test]
fn gcd_and_many_values() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "" "swap" (func $swap (param i32 i64) (result i64 i32)))
            (func (export "gcd") (param i32 i32) (result i32) (local i32)
                (loop $l (result i32)
                    (local.set 2 (local.get 1))
                    (if (result i32) (i32.eqz (local.get 1)) (then (local.get 0)) (else
                        (local.set 1 (i32.rem_u (local.get 0) (local.get 1)))
                        (local.set 0 (local.get 2))
                        (br $l)))))
            (func (export "swap") (param i32 i64) (result i64 i32) (call $swap (local.get 0) (local.get 1)))
            (func (export "ten") (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
                    (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
                (local.get 9) (local.get 8) (local.get 7) (local.get 6) (local.get 5)
                (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0)))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let ty = FuncType::new(&engine, [ValType::I32, ValType::I64], [ValType::I64, ValType::I32]);
    let swap = Func::new(&mut store, ty, |_, args, results| {
        results[0] = args[1];
        results[1] = args[0];
        Ok(())
    });
    let instance = Instance::new(&mut store, &module, &[swap.into()])?;
    assert_eq!(instance.get_typed_func::<(i32, i32), i32>(&mut store, "gcd")?.call(&mut store, (6 * 7, 6 * 5))?, 6);
    let swap = instance.get_typed_func::<(i32, i64), (i64, i32)>(&mut store, "swap")?;
    assert_eq!(swap.call(&mut store, (5, -6))?, (-6, 5));
    let ten = instance.get_func(&mut store, "ten").context("ten")?;
    let args: Vec<_> = (0..10).map(Val::I64).collect();
    let mut results = vec![Val::null_any_ref(); 10];
    ten.call(&mut store, &args, &mut results)?;
    assert_eq!(results.iter().map(Val::unwrap_i64).collect::<Vec<_>>(), (0..10).rev().collect::<Vec<_>>());
    Ok(())
}

#[test]
fn an_interrupt_from_another_thread() -> Result<()> {
    let engine = Engine::new(Config::new().epoch_interruption(true))?;
    let module = Module::new(
        &engine,
        r#"(module (type $s (struct (field i32)))
            (func (export "run") (loop $l (drop (struct.new $s (i32.const 1))) (br $l))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(1);
    let instance = Instance::new(&mut store, &module, &[])?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    let other = engine.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(30));
        other.increment_epoch();
    });
    let err = run.call(&mut store, ()).unwrap_err();
    thread.join().unwrap();
    assert_eq!(err.downcast::<Trap>()?, Trap::Interrupt);
    Ok(())
}

#[test]
fn fuel_is_charged_for_host_calls_too() -> Result<()> {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(
        &engine,
        r#"(module (import "" "costly" (func $costly))
            (func (export "run") (call $costly)))"#,
    )?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap("", "costly", |mut caller: Caller<'_, u32>| {
        *caller.data_mut() += 1;
        let left = caller.get_fuel()?;
        caller.set_fuel(left.saturating_sub(1_000))
    })?;
    let mut store = Store::new(&engine, 0);
    store.set_fuel(10_500)?;
    let instance = linker.instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    let err = loop {
        if let Err(err) = run.call(&mut store, ()) {
            break err;
        }
    };
    assert_eq!((err.downcast_ref::<Trap>(), *store.data()), (Some(&Trap::OutOfFuel), 11));
    Ok(())
}

#[test]
fn external_references_in_tables_globals_and_functions() -> Result<()> {
    let mut store = Store::<()>::default();
    let module = Module::new(
        store.engine(),
        r#"(module
            (table $t (export "table") 10 externref)
            (global $g (export "global") (mut externref) (ref.null extern))
            (func (export "func") (param externref) (result externref) (local.get 0)))"#,
    )?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let value = ExternRef::new(&mut store, "hello".to_owned())?;
    assert_eq!(value.data(&store)?.unwrap().downcast_ref::<String>().unwrap(), "hello");
    let table = instance.get_table(&mut store, "table").unwrap();
    table.set(&mut store, 3, Some(value).into())?;
    let elem = table.get(&mut store, 3).unwrap().unwrap_extern().copied().unwrap();
    assert!(Rooted::ref_eq(&store, &elem, &value)?);
    assert!(table.get(&mut store, 10).is_none() && table.set(&mut store, 10, Ref::Extern(None)).is_err());
    let global = instance.get_global(&mut store, "global").unwrap();
    global.set(&mut store, Some(value).into())?;
    let held = global.get(&mut store);
    assert!(Rooted::ref_eq(&store, held.unwrap_externref().unwrap(), &value)?);
    let func = instance.get_typed_func::<Option<Rooted<ExternRef>>, Option<Rooted<ExternRef>>>(&mut store, "func")?;
    assert!(func.call(&mut store, None)?.is_none());
    let owned: OwnedRooted<ExternRef> = {
        let mut scope = RootScope::new(&mut store);
        let back = func.call(&mut scope, Some(value))?.unwrap();
        back.to_owned_rooted(&mut scope)?
    };
    store.gc(None)?;
    type Owned = Option<OwnedRooted<ExternRef>>;
    let owned_func = instance.get_typed_func::<Owned, Owned>(&mut store, "func")?;
    let back = owned_func.call(&mut store, Some(owned.clone()))?.unwrap();
    assert!(OwnedRooted::ref_eq(&store, &back, &owned)?);
    Ok(())
}

#[test]
fn concrete_references_are_checked() -> Result<()> {
    let mut config = Config::new();
    config.wasm_function_references(true).wasm_gc(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(
        &engine,
        r#"(module
            (type $p (struct (field (mut f64)) (field (mut i8))))
            (type $a (array (mut i16)))
            (func (export "p") (param f64) (result (ref $p)) (struct.new $p (local.get 0) (i32.const -1)))
            (func (export "q") (param (ref null $p)) (result structref) (local.get 0))
            (func (export "a") (param i32) (result (ref null $a)) (array.new $a (i32.const 70000) (local.get 0)))
            (func (export "eq") (param eqref eqref) (result i32) (ref.eq (local.get 0) (local.get 1)))
            (func (export "i") (param i31ref) (result i31ref) (local.get 0)))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let p = instance.get_typed_func::<f64, Rooted<StructRef>>(&mut store, "p")?;
    let object = p.call(&mut store, 1.5)?;
    assert_eq!(object.field(&mut store, 0)?.unwrap_f64(), 1.5);
    assert_eq!(object.field(&mut store, 1)?.unwrap_i32(), 255);
    object.set_field(&mut store, 0, Val::F64(2.5f64.to_bits()))?;
    assert!(object.set_field(&mut store, 0, Val::I32(0)).is_err() && object.field(&mut store, 2).is_err());
    // A typed function may be more general than its parameter. Then each argument is checked.
    type Struct = Option<Rooted<StructRef>>;
    let q = instance.get_typed_func::<Struct, Struct>(&mut store, "q")?;
    let back = q.call(&mut store, Some(object))?.unwrap();
    assert!(Rooted::ref_eq(&store, &back, &object)?);
    assert!(q.call(&mut store, None)?.is_none());
    let empty = StructRefPre::new(&mut store, StructType::new(&engine, [])?);
    let empty = StructRef::new(&mut store, &empty, &[])?;
    let wrong = q.call(&mut store, Some(empty)).unwrap_err();
    assert!(format!("{wrong:#}").contains("type mismatch"), "{wrong:#}");
    let q = instance.get_func(&mut store, "q").unwrap();
    let mut results = [Val::null_any_ref()];
    q.call(&mut store, &[object.to_anyref().into()], &mut results)?;
    let back = results[0].unwrap_anyref().unwrap().unwrap_struct(&store)?;
    assert!(Rooted::ref_eq(&store, &back, &object)?);
    assert_eq!(back.fields(&mut store)?.map(|field| field.f64()).collect::<Vec<_>>(), [Some(2.5), None]);
    let a = instance.get_typed_func::<i32, Option<Rooted<ArrayRef>>>(&mut store, "a")?;
    let array = a.call(&mut store, 4)?.unwrap();
    assert_eq!((array.len(&store)?, array.get(&mut store, 3)?.unwrap_i32()), (4, 70_000 & 0xffff));
    assert!(array.get(&mut store, 4).is_err() && array.set(&mut store, 4, Val::I32(1)).is_err());
    let wrong = q.call(&mut store, &[array.to_anyref().into()], &mut results).unwrap_err();
    assert!(format!("{wrong:#}").contains("type mismatch"), "{wrong:#}");
    let eq = instance.get_typed_func::<(Option<Rooted<EqRef>>, Option<Rooted<EqRef>>), i32>(&mut store, "eq")?;
    assert_eq!(eq.call(&mut store, (Some(object.to_eqref()), Some(back.to_eqref())))?, 1);
    assert_eq!(eq.call(&mut store, (Some(object.to_eqref()), Some(array.to_eqref())))?, 0);
    let i = instance.get_typed_func::<Option<I31>, Option<I31>>(&mut store, "i")?;
    assert_eq!(i.call(&mut store, I31::new_i32(-5))?.unwrap().get_i32(), -5);
    Ok(())
}

#[test]
fn errors_have_a_context_a_backtrace_and_a_code() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module $plugin
            (import "host" "check" (func $check (param i32)))
            (type $s (struct (field i32)))
            (func $inner (param i32) (call $check (local.get 0)) (drop (struct.get $s 0 (ref.null $s))))
            (func $outer (export "run") (param i32) (call $inner (local.get 0))))"#,
    )?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "check", |caller: Caller<'_, ()>, n: i32| {
        let frames = WasmBacktrace::capture(caller.as_context()).frames().len();
        ensure!(n != 0, "zero is not allowed, at depth {frames}");
        Ok(())
    })?;
    let mut store = Store::new(&engine, ());
    let run = linker.instantiate(&mut store, &module)?.get_typed_func::<i32, ()>(&mut store, "run")?;
    let err = run.call(&mut store, 0).unwrap_err();
    assert_eq!(err.root_cause().to_string(), "zero is not allowed, at depth 2");
    let names = |err: &Error| -> Vec<String> {
        let trace = err.downcast_ref::<WasmBacktrace>().unwrap();
        let frames = trace.frames().iter();
        frames.map(|frame| format!("{}!{}", frame.module().name().unwrap(), frame.func_name().unwrap())).collect()
    };
    assert_eq!(names(&err), ["plugin!inner", "plugin!outer"]);
    assert!(format!("{err:?}").contains("plugin!inner"), "{err:?}");
    let err = run.call(&mut store, 1).unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::NullReference));
    assert_eq!(names(&err), ["plugin!inner", "plugin!outer"]);
    assert!(format!("{err:?}").contains("null reference"), "{err:?}");
    Ok(())
}

#[test]
fn compiled_modules_are_kept() -> Result<()> {
    let engine = Engine::default();
    let wat = r#"(module $kept (type $s (struct (field i32)))
        (func (export "run") (result i32) (struct.get $s 0 (struct.new $s (i32.const 42)))))"#;
    let bytes = Module::new(&engine, wat)?.serialize()?;
    assert!(matches!(Engine::detect_precompiled(&bytes), Some(Precompiled::Module)));
    let ahead = engine.precompile_module(wat.as_bytes())?;
    for bytes in [bytes, ahead] {
        let engine = Engine::default();
        // SAFETY: these are the bytes that `serialize` gave.
        let module = unsafe { Module::deserialize(&engine, &bytes)? };
        assert_eq!(module.name(), Some("kept"));
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "run")?.call(&mut store, ())?, 42);
    }
    // SAFETY: a module that is no compiled one is refused.
    assert!(unsafe { Module::deserialize(&engine, b"\0asm\x01\0\0\0") }.is_err());
    Ok(())
}

#[test]
fn host_functions_hand_out_and_keep_objects() -> Result<()> {
    #[derive(Default)]
    struct Host {
        kept: Vec<OwnedRooted<AnyRef>>,
    }
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (type $n (struct (field $v i32) (field $next (mut anyref))))
            (import "host" "keep" (func $keep (param (ref any)) (result i32)))
            (import "host" "give" (func $give (param i32) (result anyref)))
            (import "host" "is_array" (func $is_array (param anyref) (result i32)))
            (func (export "run") (param i32) (result i32)
                (local $at i32)
                (loop $l
                    (drop (call $keep (struct.new $n (local.get 0) (ref.null none))))
                    (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                    (br_if $l (local.get 0)))
                (i32.add
                    (call $is_array (call $give (i32.const 0)))
                    (struct.get $n $v (ref.cast (ref $n) (call $give (i32.const 2)))))))"#,
    )?;
    let mut linker: Linker<Host> = Linker::new(&engine);
    linker.func_wrap("host", "keep", |mut caller: Caller<'_, Host>, value: Rooted<AnyRef>| -> Result<u32> {
        let value = value.to_owned_rooted(&mut caller)?;
        let kept = &mut caller.data_mut().kept;
        kept.push(value);
        Ok(kept.len() as u32)
    })?;
    linker.func_wrap("host", "give", |mut caller: Caller<'_, Host>, at: u32| {
        let kept = caller.data().kept.get(at as usize).cloned();
        kept.map(|kept| kept.to_rooted(&mut caller))
    })?;
    linker.func_wrap("host", "is_array", |caller: Caller<'_, Host>, value: Option<Rooted<AnyRef>>| -> Result<u32> {
        value.map_or(Ok(0), |value| Ok(value.is_array(&caller)?.into()))
    })?;
    let mut store = Store::new(&engine, Host::default());
    let instance = linker.instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, 10)?, 8);
    store.gc(None)?;
    let first = store.data().kept[0].clone();
    let first = first.to_rooted(&mut store).unwrap_struct(&store)?;
    assert_eq!(first.field(&mut store, 0)?.unwrap_i32(), 10);
    Ok(())
}

#[test]
fn functions_go_through_references() -> Result<()> {
    let mut config = Config::new();
    config.wasm_function_references(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(
        &engine,
        r#"(module
            (type $f (func (param i32) (result i32)))
            (func $double (export "double") (type $f) (i32.mul (local.get 0) (i32.const 2)))
            (func (export "get") (result (ref $f)) (ref.func $double))
            (func (export "apply") (param funcref i32) (result i32)
                (call_ref $f (local.get 1) (ref.cast (ref $f) (local.get 0)))))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let get = instance.get_typed_func::<(), Func>(&mut store, "get")?;
    let double = get.call(&mut store, ())?;
    assert_eq!(double.typed::<i32, i32>(&store)?.call(&mut store, 4)?, 8);
    let apply = instance.get_typed_func::<(Option<Func>, i32), i32>(&mut store, "apply")?;
    let calls = Arc::new(AtomicU32::new(0));
    let seen = calls.clone();
    let triple = Func::wrap(&mut store, move |n: i32| {
        seen.fetch_add(1, Ordering::Relaxed);
        n * 3
    });
    assert_eq!(apply.call(&mut store, (Some(triple), 5))?, 15);
    assert_eq!(apply.call(&mut store, (Some(double), 5))?, 10);
    let wrong = Func::wrap(&mut store, || 1);
    let err = apply.call(&mut store, (Some(wrong), 5)).unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::CastFailure));
    let err = apply.call(&mut store, (None, 5)).unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::CastFailure));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    Ok(())
}

/// Compiled components used to be unknown to `detect_precompiled`, by which programs choose how to load a file, and a
/// file of another kind was no error.
#[test]
fn compiled_files_tell_their_kind() -> Result<()> {
    let engine = Engine::default();
    let module = engine.precompile_module(b"(module)")?;
    let component = engine.precompile_component(b"(component)")?;
    assert!(matches!(Engine::detect_precompiled(&module), Some(Precompiled::Module)));
    assert!(matches!(Engine::detect_precompiled(&component), Some(Precompiled::Component)));
    assert!(Engine::detect_precompiled(b"(module)").is_none());
    // Both crates run this at the same time.
    let name = format!("{}-{}", module_path!().replace("::", "-"), std::process::id());
    let path = std::env::temp_dir().join(name);
    let kind = |bytes: &[u8]| {
        std::fs::write(&path, bytes)?;
        Engine::detect_precompiled_file(&path)
    };
    assert!(matches!(kind(&module)?, Some(Precompiled::Module)));
    assert!(matches!(kind(&component)?, Some(Precompiled::Component)));
    assert!(kind(b"(module)").is_err() && kind(b"").is_err());
    std::fs::remove_file(&path)?;
    Ok(())
}

/// A library that takes Wasmtime's own linker was given ours only by another name.
#[test]
fn wasi_is_added_as_it_always_is() {
    use wasmtime_wasi::p1::{self, WasiP1Ctx};
    struct Host {
        wasi: WasiP1Ctx,
        calls: u32,
    }
    let engine = Engine::default();
    let text = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "" "count" (func $count))
        (memory (export "memory") 1)
        (type $code (struct (field i32)))
        (func (export "_start") (call $count) (call $exit (struct.get $code 0 (struct.new $code (i32.const 3))))))"#;
    let module = Module::new(&engine, text).unwrap();

    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |host: &mut _| wasi_of(host)).unwrap();
    linker.func_wrap("", "count", |mut caller: Caller<'_, Host>| caller.data_mut().calls += 1).unwrap();
    let wasi = wasmtime_wasi::WasiCtxBuilder::new().build_p1();
    let mut store = Store::new(&engine, Host { wasi, calls: 0 });
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap();
    let err = start.call(&mut store, ()).unwrap_err();
    assert_eq!(err.downcast_ref::<wasmtime_wasi::I32Exit>().map(|exit| exit.0), Some(3));
    assert_eq!(store.data().calls, 1);

    fn wasi_of(host: &mut Host) -> &mut WasiP1Ctx {
        &mut host.wasi
    }
    // The shortest forms that documentation has.
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    p1::add_to_linker_async(&mut linker, |wasi| wasi).unwrap();
    let mut linker: Linker<Host> = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |host| &mut host.wasi).unwrap();
}
