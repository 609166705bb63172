//! Calls from the host.

use super::wasmtime::{
    AnyRef, EqRef, ExternRef, Func, FuncType, HeapType, I31, Instance, Linker, Module, OwnedRooted, RefType, Rooted,
    StructRef, Trap, TypedFunc, V128, Val, ValType, WasmBacktrace,
};
use super::{instance, store, text};

const IDENTITIES: &str = r#"(module
    (func (export "i32") (param i32) (result i32) (local.get 0))
    (func (export "i64") (param i64) (result i64) (local.get 0))
    (func (export "f32") (param f32) (result f32) (local.get 0))
    (func (export "f64") (param f64) (result f64) (local.get 0))
    (func (export "v128") (param v128) (result v128) (local.get 0))
    (func (export "any") (param anyref) (result anyref) (local.get 0))
    (func (export "eq") (param eqref) (result eqref) (local.get 0))
    (func (export "some") (param (ref any)) (result (ref any)) (local.get 0))
    (func (export "i31") (param i31ref) (result i31ref) (local.get 0))
    (func (export "func") (param funcref) (result funcref) (local.get 0))
    (func (export "extern") (param externref) (result externref) (local.get 0))
    (func (export "pair") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0)))"#;

#[test]
fn numbers_go_through_typed_calls() {
    let (mut store, instance) = instance(IDENTITIES);
    macro_rules! identity {
        ($($name:literal $ty:ty: $value:expr;)*) => {
            $(
                let f = instance.get_typed_func::<$ty, $ty>(&mut store, $name).unwrap();
                assert_eq!(f.call(&mut store, $value).unwrap(), $value);
                let f = instance.get_typed_func::<($ty,), ($ty,)>(&mut store, $name).unwrap();
                assert_eq!(f.call(&mut store, ($value,)).unwrap().0, $value);
            )*
        };
    }
    identity! {
        "i32" i32: -5;
        "i32" u32: u32::MAX;
        "i64" i64: i64::MIN;
        "i64" u64: u64::MAX;
        "f32" f32: 1.25;
        "f64" f64: -1e300;
        "v128" V128: V128::from(1u128 << 100);
    }
    let pair = instance.get_typed_func::<(i32, i64), (i64, i32)>(&mut store, "pair").unwrap();
    assert_eq!(pair.call(&mut store, (1, 2)).unwrap(), (2, 1));
}

#[test]
fn references_go_through_typed_calls() {
    let (mut store, instance) = instance(IDENTITIES);
    let seven = AnyRef::from_i31(&mut store, I31::wrapping_u32(7));
    let any = instance.get_typed_func::<Option<Rooted<AnyRef>>, Option<Rooted<AnyRef>>>(&mut store, "any").unwrap();
    assert!(any.call(&mut store, None).unwrap().is_none());
    let back = any.call(&mut store, Some(seven)).unwrap().unwrap();
    assert!(Rooted::ref_eq(&store, &back, &seven).unwrap());
    let some = instance.get_typed_func::<Rooted<AnyRef>, OwnedRooted<AnyRef>>(&mut store, "some").unwrap();
    let back = some.call(&mut store, seven).unwrap();
    assert_eq!(back.unwrap_i31(&store).unwrap().get_u32(), 7);
    let i31 = instance.get_typed_func::<Option<I31>, Option<I31>>(&mut store, "i31").unwrap();
    assert_eq!(i31.call(&mut store, I31::new_i32(-9)).unwrap().map(|i| i.get_i32()), Some(-9));
    assert!(i31.call(&mut store, None).unwrap().is_none());
    // A type of the host that is narrower than the parameter, and one that is wider.
    let from_i31 = instance.get_typed_func::<I31, Option<Rooted<AnyRef>>>(&mut store, "any").unwrap();
    assert!(from_i31.call(&mut store, I31::wrapping_u32(1)).unwrap().unwrap().is_i31(&store).unwrap());
    let eq = instance.get_typed_func::<Option<Rooted<EqRef>>, Option<Rooted<AnyRef>>>(&mut store, "eq").unwrap();
    let seven = seven.unwrap_eqref(&mut store).unwrap();
    assert!(eq.call(&mut store, Some(seven)).unwrap().is_some());
    // A wider type will do for a defined one, and is checked at each call.
    assert!(instance.get_typed_func::<Option<Rooted<AnyRef>>, Option<Rooted<AnyRef>>>(&mut store, "eq").is_err());
    let func = instance.get_func(&mut store, "func").unwrap();
    let same = func.typed::<Option<Func>, Option<Func>>(&store).unwrap();
    assert!(same.call(&mut store, Some(func)).unwrap().is_some());
}

#[test]
fn types_are_checked_when_a_function_becomes_typed() {
    let (mut store, instance) = instance(IDENTITIES);
    assert!(instance.get_typed_func::<i64, i32>(&mut store, "i32").is_err());
    assert!(instance.get_typed_func::<i32, ()>(&mut store, "i32").is_err());
    assert!(instance.get_typed_func::<(), i32>(&mut store, "i32").is_err());
    assert!(instance.get_typed_func::<i32, i32>(&mut store, "none").is_err());
    assert!(instance.get_typed_func::<Option<Rooted<ExternRef>>, Option<Rooted<AnyRef>>>(&mut store, "any").is_err());
    assert!(instance.get_typed_func::<Option<Rooted<AnyRef>>, Option<Rooted<StructRef>>>(&mut store, "any").is_err());
    assert!(instance.get_typed_func::<Option<Rooted<AnyRef>>, Rooted<AnyRef>>(&mut store, "any").is_err());
}

#[test]
fn dynamic_calls_check_their_arguments() {
    let (mut store, instance) = instance(IDENTITIES);
    let pair = instance.get_func(&mut store, "pair").unwrap();
    let mut results = [Val::I32(0), Val::I32(0)];
    pair.call(&mut store, &[Val::I32(3), Val::I64(4)], &mut results).unwrap();
    assert_eq!((results[0].unwrap_i64(), results[1].unwrap_i32()), (4, 3));
    let err = text(pair.call(&mut store, &[Val::I32(3)], &mut results).unwrap_err());
    assert_eq!(err, "expected 2 arguments, got 1");
    let err = text(pair.call(&mut store, &[Val::I32(3), Val::I64(4)], &mut results[..1]).unwrap_err());
    assert_eq!(err, "expected 2 results, got 1");
    assert!(pair.call(&mut store, &[Val::I64(3), Val::I64(4)], &mut results).is_err());
    let some = instance.get_func(&mut store, "some").unwrap();
    assert!(some.call(&mut store, &[Val::AnyRef(None)], &mut results[..1]).is_err());
    assert!(some.matches_ty(&store, &some.ty(&store)));
}

#[test]
fn traps_have_codes_and_backtraces() {
    let (mut store, instance) = instance(
        r#"(module $traps
            (type $s (struct (field i32)))
            (type $a (array i32))
            (func $null (export "null") (result i32) (struct.get $s 0 (ref.null $s)))
            (func (export "cast") (result i32)
                (struct.get $s 0 (ref.cast (ref $s) (ref.i31 (i32.const 1)))))
            (func (export "bounds") (result i32)
                (array.get $a (array.new_default $a (i32.const 2)) (i32.const 2)))
            (func (export "unreachable") (result i32) (unreachable))
            (func (export "divide") (result i32) (i32.div_u (i32.const 1) (i32.const 0))))"#,
    );
    let expected = [
        ("null", Trap::NullReference),
        ("cast", Trap::CastFailure),
        ("bounds", Trap::ArrayOutOfBounds),
        ("unreachable", Trap::UnreachableCodeReached),
        ("divide", Trap::IntegerDivisionByZero),
    ];
    for (name, trap) in expected {
        let f: TypedFunc<(), i32> = instance.get_typed_func(&mut store, name).unwrap();
        let err = f.call(&mut store, ()).unwrap_err();
        assert_eq!(err.downcast_ref::<Trap>(), Some(&trap), "{name}");
        let backtrace = err.downcast_ref::<WasmBacktrace>().unwrap();
        assert_eq!(backtrace.frames().len(), 1, "{name}");
        let frame = &backtrace.frames()[0];
        assert_eq!(frame.module().name(), Some("traps"));
        assert!(frame.func_offset().is_some() && frame.module_offset().is_some());
    }
    let f = instance.get_func(&mut store, "null").unwrap();
    let err = f.call(&mut store, &[], &mut [Val::I32(0)]).unwrap_err();
    assert_eq!(err.downcast_ref::<WasmBacktrace>().unwrap().frames()[0].func_name(), Some("null"));
}

#[test]
fn functions_are_passed_stored_and_called() {
    let mut store = store();
    let engine = store.engine().clone();
    let module = Module::new(
        &engine,
        r#"(module
            (type $f (func (param i32) (result i32)))
            (type $box (struct (field (ref null $f))))
            (import "host" "twice" (func $twice (type $f)))
            (elem declare func $twice)
            (func (export "boxed") (result (ref $box)) (struct.new $box (ref.func $twice)))
            (func (export "apply") (param (ref null $f) i32) (result i32)
                (call_ref $f (local.get 1) (local.get 0))))"#,
    )
    .unwrap();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "twice", |n: i32| 2 * n).unwrap();
    let instance: Instance = linker.instantiate(&mut store, &module).unwrap();
    let boxed = instance.get_typed_func::<(), Rooted<StructRef>>(&mut store, "boxed").unwrap();
    let boxed = boxed.call(&mut store, ()).unwrap();
    let func = *boxed.field(&mut store, 0).unwrap().unwrap_funcref().unwrap();
    let apply = instance.get_func(&mut store, "apply").unwrap();
    let mut results = [Val::I32(0)];
    apply.call(&mut store, &[func.into(), Val::I32(21)], &mut results).unwrap();
    assert_eq!(results[0].unwrap_i32(), 42);
    let ty = FuncType::new(&engine, [ValType::I32], [ValType::I32]);
    assert!(func.matches_ty(&store, &ty));
    let typed = ValType::Ref(RefType::new(false, HeapType::ConcreteFunc(ty.clone())));
    assert!(Val::from(func).matches_ty(&store, &typed).unwrap());
    let host = Func::new(&mut store, ty, |_, params, results| {
        results[0] = Val::I32(params[0].unwrap_i32() + 1);
        Ok(())
    });
    apply.call(&mut store, &[host.into(), Val::I32(1)], &mut results).unwrap();
    assert_eq!(results[0].unwrap_i32(), 2);
    let wrong = Func::wrap(&mut store, || {});
    assert!(apply.call(&mut store, &[wrong.into(), Val::I32(1)], &mut results).is_err());
}
