//! Exceptions that host functions throw, pass on, or swallow.

use super::exceptions::{engines, exception};
use super::*;
use wasmtime_gc::api::{
    AnyRef, AsContextMut, Caller, ExnRef, Extern, Func, FuncType, HeapType, OwnedRooted, RefType, Result, Rooted,
    StructRef, Tag, ThrownException, Trap, V128, Val, ValType,
};

/// A store with an exception of 50 that the host keeps.
fn store(engine: &Engine) -> (Store<()>, Tag, OwnedRooted<ExnRef>) {
    let mut store = Store::new(engine, ());
    let (tag, exn) = exception(&mut store, 50);
    let exn = exn.to_owned_rooted(&mut store).unwrap();
    (store, tag, exn)
}

/// Throws in the caller.
fn throw<R>(mut cx: impl AsContextMut, exn: &OwnedRooted<ExnRef>) -> Result<R> {
    let exn = exn.to_rooted(&mut cx);
    cx.as_context_mut().throw(exn)
}

/// A module that catches what a function of a type throws, and drops its results otherwise.
fn dropping(engine: &Engine, ty: &str, drops: &str) -> Module {
    let text = format!(
        r#"(module
            (type $f (func (result i32)))
            (import "" "t" (tag $t (param i32)))
            (import "" "host" (func $host {ty}))
            (func (export "uncaught") {ty} (call $host))
            (func (export "catch") (result i32)
                (block $h (result i32)
                    (try_table (catch $t $h) (call $host) {drops} (return (i32.const -1)))
                    (unreachable))))"#
    );
    Module::new(engine, &text).unwrap()
}

/// Calls `catch` of an instance that imports a function.
fn catches(store: &mut Store<()>, module: &Module, tag: Tag, host: impl Into<Extern>) -> Result<i32> {
    let instance = Instance::new(&mut *store, module, &[tag.into(), host.into()])?;
    instance.get_typed_func::<(), i32>(&mut *store, "catch")?.call(&mut *store, ())
}

/// One closure for a result type, and what it is in the text format.
macro_rules! closures {
    ($store:ident, $exn:ident: $($ty:ty => $text:literal $drops:literal;)*) => {
        vec![$({
            let exn = $exn.clone();
            let func = Func::wrap(&mut $store, move |caller: Caller<'_, ()>| -> Result<$ty> { throw(caller, &exn) });
            ($text, $drops, func)
        }),*]
    };
}

#[test]
fn closures_of_every_result_type_throw() {
    for engine in engines() {
        let (mut store, tag, exn) = store(&engine);
        let closures = closures! { store, exn:
            () => "" "";
            i32 => "(result i32)" "(drop)";
            u64 => "(result i64)" "(drop)";
            f32 => "(result f32)" "(drop)";
            f64 => "(result f64)" "(drop)";
            V128 => "(result v128)" "(drop)";
            Option<Func> => "(result funcref)" "(drop)";
            Func => "(result (ref func))" "(drop)";
            Option<Rooted<AnyRef>> => "(result anyref)" "(drop)";
            Rooted<AnyRef> => "(result (ref any))" "(drop)";
            Rooted<ExnRef> => "(result (ref exn))" "(drop)";
            (i32, f64, Func) => "(result i32 f64 (ref func))" "(drop) (drop) (drop)";
        };
        for (text, drops, func) in closures {
            let module = dropping(&engine, text, drops);
            assert_eq!(catches(&mut store, &module, tag, func).unwrap(), 50, "{text}");
            assert!(!store.has_pending_exception(), "{text}");
        }
    }
}

#[test]
fn dynamic_functions_throw() {
    for engine in engines() {
        let (mut store, tag, exn) = store(&engine);
        let concrete = FuncType::new(&engine, [], [ValType::I32]);
        let types = [
            ("", "", None),
            ("(result i64)", "(drop)", Some(ValType::I64)),
            ("(result v128)", "(drop)", Some(ValType::V128)),
            ("(result funcref)", "(drop)", Some(ValType::FUNCREF)),
            ("(result (ref func))", "(drop)", Some(ValType::Ref(RefType::new(false, HeapType::Func)))),
            ("(result (ref $f))", "(drop)", Some(ValType::Ref(RefType::new(false, HeapType::ConcreteFunc(concrete))))),
            ("(result (ref eq))", "(drop)", Some(ValType::Ref(RefType::new(false, HeapType::Eq)))),
            ("(result exnref)", "(drop)", Some(ValType::EXNREF)),
        ];
        for (text, drops, result) in types {
            let ty = FuncType::new(&engine, [], result);
            let exn = exn.clone();
            let func = Func::new(&mut store, ty, move |caller, _, _| throw(caller, &exn));
            let module = dropping(&engine, text, drops);
            assert_eq!(catches(&mut store, &module, tag, func).unwrap(), 50, "{text}");
        }
    }
}

#[test]
fn a_host_function_throws_through_the_linker_and_through_no_module() {
    for engine in engines() {
        let (mut store, tag, exn) = store(&engine);
        let module = dropping(&engine, "", "");
        let mut linker = wasmtime_gc::Linker::new(&engine);
        let kept = exn.clone();
        linker.define(&store, "", "t", tag).unwrap();
        linker.func_wrap("", "host", move |caller: Caller<'_, ()>| -> Result<()> { throw(caller, &kept) }).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let catch = instance.get_typed_func::<(), i32>(&mut store, "catch").unwrap();
        assert_eq!(catch.call(&mut store, ()).unwrap(), 50);
        let uncaught = instance.get_typed_func::<(), ()>(&mut store, "uncaught").unwrap();
        assert!(uncaught.call(&mut store, ()).unwrap_err().is::<ThrownException>());
        assert!(store.take_pending_exception().is_some());
        let direct = Func::wrap(&mut store, move |caller: Caller<'_, ()>| -> Result<i32> { throw(caller, &exn) });
        let err = direct.typed::<(), i32>(&mut store).unwrap().call(&mut store, ()).unwrap_err();
        assert!(err.is::<ThrownException>());
        let exn = store.take_pending_exception().unwrap();
        assert_eq!(exn.field(&mut store, 0).unwrap().unwrap_i32(), 50);
    }
}

#[test]
fn references_to_host_functions_throw() {
    for engine in engines() {
        let (mut store, tag, exn) = store(&engine);
        let module = Module::new(
            &engine,
            r#"(module
                (type $f (func (param i32) (result i32)))
                (import "" "t" (tag $t (param i32)))
                (table $table (export "table") 2 funcref)
                (func (export "ref") (param $f (ref $f)) (result i32)
                    (block $h (result i32)
                        (try_table (catch $t $h)
                            (return (call_ref $f (i32.const 1) (local.get $f))))
                        (unreachable)))
                (func (export "table-call") (param $i i32) (result i32)
                    (block $h (result i32)
                        (try_table (catch $t $h)
                            (return (call_indirect $table (type $f) (i32.const 1) (local.get $i))))
                        (unreachable)))
                (func (export "tail") (param $f (ref $f)) (result i32)
                    (return_call_ref $f (i32.const 1) (local.get $f))))"#,
        )
        .unwrap();
        let instance = Instance::new(&mut store, &module, &[tag.into()]).unwrap();
        let host = Func::wrap(&mut store, move |caller: Caller<'_, ()>, _: i32| -> Result<i32> { throw(caller, &exn) });
        let mut results = [Val::I32(0)];
        instance.get_func(&mut store, "ref").unwrap().call(&mut store, &[host.into()], &mut results).unwrap();
        assert_eq!(results[0].unwrap_i32(), 50);
        let table = instance.get_table(&mut store, "table").unwrap();
        table.set(&mut store, 1, host.into()).unwrap();
        let call = instance.get_typed_func::<i32, i32>(&mut store, "table-call").unwrap();
        assert_eq!(call.call(&mut store, 1).unwrap(), 50);
        assert_eq!(call.call(&mut store, 0).unwrap_err().downcast_ref(), Some(&Trap::IndirectCallToNull));
        let tail = instance.get_func(&mut store, "tail").unwrap();
        assert!(tail.call(&mut store, &[host.into()], &mut results).unwrap_err().is::<ThrownException>());
        assert!(store.take_pending_exception().is_some());
    }
}

/// An instantiation failed, but has left a function in a table. That goes on to work.
#[test]
fn functions_of_failed_instantiations_pass_exceptions_on() {
    for engine in engines() {
        let (mut store, tag, exn) = store(&engine);
        let owner = Module::new(
            &engine,
            r#"(module
                (import "" "t" (tag $t (param i32)))
                (type $f (func (result i32)))
                (table $table (export "table") 1 funcref)
                (func (export "catch") (result i32)
                    (block $h (result i32)
                        (try_table (catch $t $h) (return (call_indirect $table (type $f) (i32.const 0))))
                        (unreachable))))"#,
        )
        .unwrap();
        let owner = Instance::new(&mut store, &owner, &[tag.into()]).unwrap();
        let host = Func::wrap(&mut store, move |caller: Caller<'_, ()>| -> Result<i32> { throw(caller, &exn) });
        {
            let failing = Module::new(
                &engine,
                r#"(module
                    (import "" "host" (func $host (result i32)))
                    (import "" "table" (table 1 funcref))
                    (tag $own)
                    (func $left (result i32) (i32.add (call $host) (i32.const 1)))
                    (elem (i32.const 0) $left)
                    (func $start (throw $own))
                    (start $start))"#,
            )
            .unwrap();
            let table = owner.get_export(&mut store, "table").unwrap();
            let err = Instance::new(&mut store, &failing, &[host.into(), table]).unwrap_err();
            assert!(err.is::<ThrownException>() && store.take_pending_exception().is_some());
        }
        let catch = owner.get_typed_func::<(), i32>(&mut store, "catch").unwrap();
        assert_eq!(catch.call(&mut store, ()).unwrap(), 50);
    }
}

/// A module that throws, and one that calls a host function between itself and the handler.
const NESTED: &str = r#"(module
    (import "" "t" (tag $t (param i32)))
    (import "" "host" (func $host (result i32)))
    (type $s (struct (field i32)))
    (func (export "throw") (param i32) (throw $t (local.get 0)))
    (func (export "trap") (unreachable))
    (func (export "fine") (result i32) (struct.get $s 0 (struct.new $s (i32.const 60))))
    (func (export "run") (result i32)
        (block $h (result i32)
            (try_table (catch $t $h) (return (i32.add (call $host) (i32.const 1000))))
            (unreachable))))"#;

/// Runs `run` with a host function that may call back.
fn nested(
    engine: &Engine,
    host: impl Fn(Caller<'_, ()>) -> Result<i32> + Send + Sync + 'static,
) -> (Store<()>, Result<i32>) {
    let (mut store, tag, _) = store(engine);
    let module = Module::new(engine, NESTED).unwrap();
    let host = Func::wrap(&mut store, host);
    let instance = Instance::new(&mut store, &module, &[tag.into(), host.into()]).unwrap();
    let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
    let result = run.call(&mut store, ());
    (store, result)
}

/// A function of the caller's instance.
fn exported(caller: &mut Caller<'_, ()>, name: &str) -> Func {
    caller.get_export(name).unwrap().into_func().unwrap()
}

#[test]
fn an_exception_passes_through_a_host_function() {
    for engine in engines() {
        let (store, result) = nested(&engine, |mut caller| {
            exported(&mut caller, "throw").call(&mut caller, &[Val::I32(70)], &mut [])?;
            Ok(0)
        });
        assert_eq!(result.unwrap(), 70);
        assert!(!store.has_pending_exception());
    }
}

#[test]
fn a_host_function_takes_an_exception_and_goes_on() {
    for engine in engines() {
        let (store, result) = nested(&engine, |mut caller| {
            let err = exported(&mut caller, "throw").call(&mut caller, &[Val::I32(71)], &mut []).unwrap_err();
            assert!(err.is::<ThrownException>() && caller.has_pending_exception());
            let exn = caller.take_pending_exception().unwrap();
            let value = exn.field(&mut caller, 0)?.unwrap_i32();
            // Another call while the host has the exception.
            let mut results = [Val::I32(0)];
            exported(&mut caller, "fine").call(&mut caller, &[], &mut results)?;
            Ok(value + results[0].unwrap_i32())
        });
        assert_eq!(result.unwrap(), 1000 + 71 + 60);
        assert!(!store.has_pending_exception());
    }
}

#[test]
fn a_host_function_calls_while_an_exception_is_pending_and_throws_it_after() {
    for engine in engines() {
        let (store, result) = nested(&engine, |mut caller| {
            let err = exported(&mut caller, "throw").call(&mut caller, &[Val::I32(72)], &mut []).unwrap_err();
            let mut results = [Val::I32(0)];
            exported(&mut caller, "fine").call(&mut caller, &[], &mut results)?;
            assert_eq!(results[0].unwrap_i32(), 60);
            caller.gc(None)?;
            exported(&mut caller, "trap").call(&mut caller, &[], &mut []).unwrap_err();
            assert!(caller.has_pending_exception());
            Err(err)
        });
        assert_eq!(result.unwrap(), 72);
        assert!(!store.has_pending_exception());
    }
}

#[test]
fn a_swallowed_exception_stays_pending_and_disturbs_nothing() {
    for engine in engines() {
        let (mut store, result) = nested(&engine, |mut caller| {
            exported(&mut caller, "throw").call(&mut caller, &[Val::I32(73)], &mut []).unwrap_err();
            Ok(1)
        });
        assert_eq!(result.unwrap(), 1001, "the caller goes on");
        assert!(store.has_pending_exception(), "nobody has taken it");
        // A later one takes its place.
        let (_, exn) = exception(&mut store, 74);
        store.throw::<()>(exn).unwrap_err();
        let exn = store.take_pending_exception().unwrap();
        assert_eq!(exn.field(&mut store, 0).unwrap().unwrap_i32(), 74);
    }
}

#[test]
fn another_error_is_no_exception_though_one_is_pending() {
    for engine in engines() {
        let (store, result) = nested(&engine, |mut caller| {
            exported(&mut caller, "throw").call(&mut caller, &[Val::I32(75)], &mut []).unwrap_err();
            Err(Trap::UnreachableCodeReached.into())
        });
        assert_eq!(result.unwrap_err().downcast_ref(), Some(&Trap::UnreachableCodeReached));
        assert!(store.has_pending_exception());
        let (store, result) = nested(&engine, |_| Err(ThrownException.into()));
        assert!(result.unwrap_err().is::<ThrownException>(), "without an exception it is an error as any other");
        assert!(!store.has_pending_exception());
    }
}

#[test]
fn a_store_works_on_after_traps_and_exceptions() {
    for engine in engines() {
        let (mut store, tag, _) = store(&engine);
        let module = Module::new(&engine, NESTED).unwrap();
        let host = Func::wrap(&mut store, || -> i32 { 5 });
        let instance = Instance::new(&mut store, &module, &[tag.into(), host.into()]).unwrap();
        let throw = instance.get_typed_func::<i32, ()>(&mut store, "throw").unwrap();
        let trap = instance.get_typed_func::<(), ()>(&mut store, "trap").unwrap();
        let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
        for n in 0..20 {
            throw.call(&mut store, n).unwrap_err();
            assert_eq!(run.call(&mut store, ()).unwrap(), 1005);
            assert_eq!(trap.call(&mut store, ()).unwrap_err().downcast_ref(), Some(&Trap::UnreachableCodeReached));
            assert_eq!(run.call(&mut store, ()).unwrap(), 1005);
            let exn = store.take_pending_exception().unwrap();
            assert_eq!(exn.field(&mut store, 0).unwrap().unwrap_i32(), n);
        }
    }
}

/// No reference enters or leaves this module by its imports and exports, so it was compiled on the ground that nobody else
/// writes its objects: a field that it does not write was read once, and the field of functions had one target. But what an
/// exception holds is the embedder's when nobody catches it.
#[test]
fn what_an_exception_took_out_of_a_module_may_be_changed() {
    let text = r#"(module
        (type $f (func (result i32)))
        (type $box (struct (field (mut i32)) (field (mut (ref null $f)))))
        (import "" "change" (func $change))
        (tag $t (param (ref $box)))
        (global $kept (ref $box) (struct.new $box (i32.const 1) (ref.func $one)))
        (func $one (type $f) (i32.const 10))
        (func (export "leave") (throw $t (global.get $kept)))
        (func (export "difference") (result i32)
            (local $before i32)
            (local.set $before (struct.get $box 0 (global.get $kept)))
            (call $change)
            (i32.sub (struct.get $box 0 (global.get $kept)) (local.get $before)))
        (func (export "call") (result i32)
            (call_ref $f (struct.get $box 1 (global.get $kept)))))"#;
    for engine in engines() {
        let mut store: Store<Option<OwnedRooted<StructRef>>> = Store::new(&engine, None);
        let module = Module::new(&engine, text).unwrap();
        let change = Func::wrap(&mut store, |mut cx: Caller<'_, Option<OwnedRooted<StructRef>>>| -> Result<()> {
            let Some(kept) = cx.data().clone() else { return Ok(()) };
            kept.to_rooted(&mut cx).set_field(&mut cx, 0, Val::I32(42))
        });
        let instance = Instance::new(&mut store, &module, &[change.into()]).unwrap();
        let number = |store: &mut Store<_>, name| {
            instance.get_typed_func::<(), i32>(&mut *store, name).unwrap().call(&mut *store, ()).unwrap()
        };
        assert_eq!([number(&mut store, "difference"), number(&mut store, "call")], [0, 10]);
        let leave = instance.get_typed_func::<(), ()>(&mut store, "leave").unwrap();
        assert!(leave.call(&mut store, ()).unwrap_err().is::<ThrownException>());
        let exn = store.take_pending_exception().unwrap();
        let kept = exn.field(&mut store, 0).unwrap().unwrap_anyref().unwrap().unwrap_struct(&store).unwrap();
        *store.data_mut() = Some(kept.to_owned_rooted(&mut store).unwrap());
        assert_eq!(number(&mut store, "difference"), 41);
        let two = Func::wrap(&mut store, || 20);
        kept.set_field(&mut store, 1, two.into()).unwrap();
        assert_eq!(number(&mut store, "call"), 20);
    }
}
