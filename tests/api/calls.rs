//! Calls in both directions.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use wasmtime_gc::api::{AnyRef, Caller, ExternRef, Func, FuncType, Linker, Rooted, Val, ValType};

#[test]
fn a_struct_holds_what_was_put_into_it() {
    let (mut store, instance) = instance(
        r#"(module
            (type $point (struct (field i32) (field (mut i64))))
            (func (export "sum") (param i32 i64) (result i64) (local $p (ref null $point))
                (local.set $p (struct.new $point (local.get 0) (local.get 1)))
                (struct.set $point 1 (local.get $p)
                    (i64.add (struct.get $point 1 (local.get $p)) (i64.const 1)))
                (i64.add (i64.extend_i32_s (struct.get $point 0 (local.get $p)))
                    (struct.get $point 1 (local.get $p)))))"#,
    );
    let sum = instance.get_typed_func::<(i32, i64), i64>(&mut store, "sum").unwrap();
    assert_eq!(sum.call(&mut store, (-5, 40)).unwrap(), 36);
    let sum = instance.get_func(&mut store, "sum").unwrap();
    let mut results = [Val::I32(0)];
    sum.call(&mut store, &[Val::I32(1), Val::I64(2)], &mut results).unwrap();
    assert_eq!(results[0].unwrap_i64(), 4);
    let err = sum.call(&mut store, &[Val::I64(1), Val::I64(2)], &mut results).unwrap_err();
    assert_eq!(format!("{err:#}"), "argument type mismatch: type mismatch: expected i32, found i64");
}

#[test]
fn wrong_types_are_found_when_a_typed_function_is_made() {
    let (mut store, instance) = instance(r#"(module (func (export "f") (param anyref)))"#);
    // Lowered, the parameter is an i32.
    let err = instance.get_typed_func::<i32, ()>(&mut store, "f").unwrap_err();
    assert!(format!("{err:?}").contains("expected (ref null any), found i32"), "{err:?}");
    assert!(instance.get_typed_func::<Option<Rooted<AnyRef>>, ()>(&mut store, "f").is_ok());
    assert!(instance.get_typed_func::<Option<Rooted<ExternRef>>, ()>(&mut store, "f").is_err());
}

#[test]
fn host_functions_take_and_give_references() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (type $box (struct (field i32)))
            (import "host" "count" (func $count (param i32) (result i32)))
            (import "host" "wrap" (func $wrap (param externref anyref) (result externref anyref)))
            (import "host" "typed" (func $typed (param externref) (result i32)))
            (func (export "run") (param externref) (result i32) (local $e externref) (local $a anyref)
                (call $wrap (local.get 0) (struct.new $box (i32.const 30)))
                (local.set $a) (local.set $e)
                (i32.add
                    (i32.add (call $count (i32.const 5)) (call $typed (local.get $e)))
                    (struct.get $box 0 (ref.cast (ref $box) (local.get $a))))))"#,
    )
    .unwrap();
    let calls = Arc::new(AtomicU32::new(0));
    let mut linker = Linker::<u32>::new(&engine);
    let counted = calls.clone();
    linker
        .func_wrap("host", "count", move |mut caller: Caller<'_, u32>, n: i32| {
            *caller.data_mut() += n as u32;
            counted.fetch_add(1, Ordering::Relaxed);
            n * 2
        })
        .unwrap();
    let refs = [ValType::EXTERNREF, ValType::ANYREF];
    linker
        .func_new("host", "wrap", FuncType::new(&engine, refs.clone(), refs), |mut caller, params, results| {
            // Everything moves while the host holds it.
            caller.gc(None)?;
            results.copy_from_slice(params);
            Ok(())
        })
        .unwrap();
    linker
        .func_wrap("host", "typed", |caller: Caller<'_, u32>, value: Option<Rooted<ExternRef>>| {
            let value = value.unwrap();
            let data = value.data(&caller)?.unwrap();
            Ok(*data.downcast_ref::<i32>().unwrap())
        })
        .unwrap();
    let mut store = Store::new(&engine, 1);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.get_typed_func::<Rooted<ExternRef>, i32>(&mut store, "run").unwrap();
    let seven = ExternRef::new(&mut store, 7i32).unwrap();
    assert_eq!(run.call(&mut store, seven).unwrap(), 10 + 7 + 30);
    assert_eq!((*store.data(), calls.load(Ordering::Relaxed)), (6, 1));
}

#[test]
fn unknown_imports_have_an_error_of_their_own_and_can_be_given_defaults() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "m" "f" (func $f (param anyref) (result i32 externref)))
            (func (export "run") (result i32) (call $f (ref.null none)) drop))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let err = linker.instantiate(&mut store, &module).unwrap_err();
    assert_eq!(err.to_string(), "unknown import: `m::f` has not been defined");
    assert!(err.is::<wasmtime_gc::api::UnknownImportError>());
    let mut traps = linker.clone();
    traps.define_unknown_imports_as_traps(&module).unwrap();
    let instance = traps.instantiate(&mut store, &module).unwrap();
    let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
    let err = run.call(&mut store, ()).unwrap_err();
    assert!(err.is::<wasmtime_gc::api::UnknownImportError>());
    linker.define_unknown_imports_as_default_values(&mut store, &module).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), 0);
}

#[test]
fn imports_are_checked_by_their_original_types() {
    let engine = Engine::default();
    let exporter = Module::new(
        &engine,
        r#"(module (type $s (struct (field i32)))
            (type $open (sub (func (param anyref))))
            (rec (type $one (func (param eqref))) (type $two (func)))
            (func (export "f") (param (ref null $s)))
            (func (export "n") (param i32))
            (func (export "open") (type $open))
            (func (export "one") (type $one))
            (global (export "g") (mut anyref) (ref.null any))
            (table (export "t") 3 5 eqref))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.module(&mut store, "m", &exporter).unwrap();
    let mut link = |import: &str| {
        let module = Module::new(&engine, format!("(module (type $s (struct (field i32))) {import})")).unwrap();
        linker.instantiate(&mut store, &module).map(drop).map_err(|err| format!("{err:#}"))
    };
    link(r#"(import "m" "f" (func (param (ref null $s)))) (import "m" "t" (table 3 eqref))"#).unwrap();
    link(r#"(import "m" "g" (global (mut anyref)))"#).unwrap();
    for (import, message) in [
        (r#"(import "m" "f" (func (param anyref)))"#, "types incompatible: expected type"),
        (r#"(import "m" "n" (func (param anyref)))"#, "types incompatible: expected type"),
        (r#"(import "m" "open" (func (param anyref)))"#, "found type `(sub (func (param (ref null any))))`"),
        (r#"(import "m" "one" (func (param eqref)))"#, "which is of another recursion group"),
        (r#"(import "m" "g" (global (mut eqref)))"#, "global types incompatible"),
        (r#"(import "m" "g" (global anyref))"#, "global types incompatible"),
        (r#"(import "m" "g" (func (param anyref)))"#, "expected func, but found global"),
        (r#"(import "m" "t" (table 4 eqref))"#, "table types incompatible: expected table limits"),
        (r#"(import "m" "t" (table 3 anyref))"#, "table types incompatible: expected table of type"),
    ] {
        let err = link(import).unwrap_err();
        assert!(err.contains("incompatible import type for `m::") && err.contains(message), "{import}: {err}");
    }
}

#[test]
fn a_host_function_with_references_can_be_passed_as_a_value() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (type $f (func (param anyref) (result anyref)))
            (import "" "" (func $host (type $f)))
            (func (export "apply") (param (ref $f) anyref) (result anyref)
                (call_ref $f (local.get 1) (local.get 0))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let ty = FuncType::new(&engine, [ValType::ANYREF], [ValType::ANYREF]);
    let same = Func::new(&mut store, ty, |_, params, results| {
        results[0] = params[0];
        Ok(())
    });
    let instance = Instance::new(&mut store, &module, &[same.into()]).unwrap();
    let apply = instance.get_func(&mut store, "apply").unwrap();
    let five = AnyRef::from_i31(&mut store, wasmtime_gc::api::I31::wrapping_u32(5));
    let mut results = [Val::null_any_ref()];
    apply.call(&mut store, &[same.into(), five.into()], &mut results).unwrap();
    let back = results[0].unwrap_any_ref().unwrap();
    assert_eq!(back.unwrap_i31(&store).unwrap().get_u32(), 5);
}

#[test]
fn a_name_is_defined_once_unless_shadowing_is_allowed() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("m", "f", || 1i32).unwrap();
    assert!(linker.func_wrap("m", "f", || 2i32).is_err());
    let three = Func::wrap(&mut store, || 3i32);
    assert!(linker.define(&store, "m", "f", three).is_err());
    linker.allow_shadowing(true).define(&store, "m", "f", three).unwrap();
    let call = |store: &mut Store<()>, linker: &Linker<()>| {
        let func = linker.get(&mut *store, "m", "f").unwrap().into_func().unwrap();
        func.typed::<(), i32>(&mut *store).unwrap().call(&mut *store, ()).unwrap()
    };
    assert_eq!(call(&mut store, &linker), 3);
    linker.func_wrap("m", "f", || 4i32).unwrap();
    assert_eq!(call(&mut store, &linker), 4);
}

#[test]
fn engines_modules_and_stores_cross_threads() {
    fn check<S: Send + Sync>() {}
    check::<Engine>();
    check::<Module>();
    check::<Store<()>>();
    check::<Linker<()>>();
    check::<Instance>();
    check::<Val>();
}

/// A function that no module exports has its own type when the host gets it, though only the type
/// section of the lowered module says how that is lowered.
#[test]
fn functions_that_nobody_exports_keep_their_types() {
    let (mut store, instance) = instance(
        r#"(module
            (type $s (struct (field i32)))
            (type $f (func (param (ref $s) i32) (result i32)))
            (elem declare func $hidden)
            (func $hidden (type $f) (i32.add (struct.get $s 0 (local.get 0)) (local.get 1)))
            (func (export "make") (result (ref $s)) (struct.new $s (i32.const 40)))
            (func (export "hidden") (result funcref) (ref.func $hidden)))"#,
    );
    let mut results = [Val::I32(0)];
    instance.get_func(&mut store, "hidden").unwrap().call(&mut store, &[], &mut results).unwrap();
    let hidden = *results[0].unwrap_func_ref().unwrap();
    let ty = hidden.ty(&store);
    assert!(matches!(ty.param(0), Some(ValType::Ref(ty)) if ty.heap_type().as_concrete_struct().is_some()), "{ty}");
    instance.get_func(&mut store, "make").unwrap().call(&mut store, &[], &mut results).unwrap();
    let object = results[0];
    let err = hidden.call(&mut store, &[Val::I32(1), Val::I32(2)], &mut results).unwrap_err();
    assert!(err.to_string().contains("type mismatch"), "{err}");
    hidden.call(&mut store, &[object, Val::I32(2)], &mut results).unwrap();
    assert_eq!(results[0].unwrap_i32(), 42);
}

/// No import or export mentions the type, so how the host's function must be lowered is only known from
/// the module's type section.
#[test]
fn host_functions_pass_dynamic_checks_of_their_types() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (type $f (func (param anyref) (result i32)))
            (table $t 1 funcref)
            (func (export "apply") (param funcref anyref) (result i32)
                (table.set $t (i32.const 0) (local.get 0))
                (call_indirect $t (type $f) (local.get 1) (i32.const 0)))
            (func (export "is") (param funcref) (result i32) (ref.test (ref $f) (local.get 0))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let host = Func::wrap(&mut store, |value: Option<Rooted<AnyRef>>| i32::from(value.is_some()));
    let other = Func::wrap(&mut store, |value: Option<Rooted<ExternRef>>| i32::from(value.is_some()));
    let is = instance.get_typed_func::<Option<Func>, i32>(&mut store, "is").unwrap();
    assert_eq!(is.call(&mut store, Some(host)).unwrap(), 1);
    assert_eq!(is.call(&mut store, Some(other)).unwrap(), 0);
    let apply = instance.get_typed_func::<(Option<Func>, Option<Rooted<AnyRef>>), i32>(&mut store, "apply").unwrap();
    assert_eq!(apply.call(&mut store, (Some(host), None)).unwrap(), 0);
    assert!(apply.call(&mut store, (Some(other), None)).is_err());
}
