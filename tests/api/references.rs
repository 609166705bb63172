//! References that the host holds.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use wasmtime_gc::api::{AnyRef, ExternRef, HeapType, OwnedRooted, RootScope, Rooted, Val};

#[test]
fn a_host_value_comes_back_as_itself() {
    let (mut store, instance) = instance(
        r#"(module
            (global $kept (mut externref) (ref.null extern))
            (func (export "put") (param externref) (global.set $kept (local.get 0)))
            (func (export "get") (result externref) (global.get $kept)))"#,
    );
    let put = instance.get_typed_func::<Option<Rooted<ExternRef>>, ()>(&mut store, "put").unwrap();
    let get = instance.get_typed_func::<(), Option<Rooted<ExternRef>>>(&mut store, "get").unwrap();
    assert!(get.call(&mut store, ()).unwrap().is_none());
    let one = ExternRef::new(&mut store, "one".to_string()).unwrap();
    let two = ExternRef::new(&mut store, "two".to_string()).unwrap();
    put.call(&mut store, Some(one)).unwrap();
    store.gc(None).unwrap();
    let back = get.call(&mut store, ()).unwrap().unwrap();
    assert!(Rooted::ref_eq(&store, &back, &one).unwrap());
    assert!(!Rooted::ref_eq(&store, &back, &two).unwrap());
    let data = back.data(&store).unwrap().unwrap();
    assert_eq!(data.downcast_ref::<String>().unwrap(), "one");
    *back.data_mut(&mut store).unwrap().unwrap().downcast_mut::<String>().unwrap() = "uno".into();
    let data = one.data(&store).unwrap().unwrap();
    assert_eq!(data.downcast_ref::<String>().unwrap(), "uno");
}

#[test]
fn internal_references_say_what_they_are() {
    let (mut store, instance) = instance(
        r#"(module
            (type $s (struct (field i32)))
            (type $a (array i8))
            (func (export "i31") (result anyref) (ref.i31 (i32.const -3)))
            (func (export "struct") (result (ref $s)) (struct.new $s (i32.const 1)))
            (func (export "array") (result anyref) (array.new_default $a (i32.const 4)))
            (func (export "null") (result anyref) (ref.null any))
            (func (export "host") (param externref) (result anyref) (any.convert_extern (local.get 0)))
            (func (export "out") (result externref)
                (extern.convert_any (struct.new $s (i32.const 1)))))"#,
    );
    let mut call = |name: &str, params: &[Val]| {
        let mut results = [Val::I32(0)];
        instance.get_func(&mut store, name).unwrap().call(&mut store, params, &mut results).unwrap();
        results[0]
    };
    let i31 = *call("i31", &[]).unwrap_any_ref().unwrap();
    let structure = *call("struct", &[]).unwrap_any_ref().unwrap();
    let array = *call("array", &[]).unwrap_any_ref().unwrap();
    assert!(call("null", &[]).unwrap_any_ref().is_none());
    let out = *call("out", &[]).unwrap_extern_ref().unwrap();
    assert_eq!(i31.unwrap_i31(&store).unwrap().get_i32(), -3);
    let kinds = |any: &Rooted<AnyRef>| {
        [any.is_i31(&store), any.is_struct(&store), any.is_array(&store), any.is_eqref(&store)].map(|is| is.unwrap())
    };
    assert_eq!(kinds(&i31), [true, false, false, true]);
    assert_eq!(kinds(&structure), [false, true, false, true]);
    assert_eq!(kinds(&array), [false, false, true, true]);
    assert!(matches!(structure.ty(&store).unwrap(), HeapType::ConcreteStruct(ty) if ty.fields().len() == 1));
    assert!(out.data(&store).unwrap().is_none(), "an internal reference has no host value");
    let inside = AnyRef::convert_extern(&mut store, out).unwrap();
    assert!(inside.is_struct(&store).unwrap());
    let host = ExternRef::new(&mut store, 1u8).unwrap();
    let mut results = [Val::I32(0)];
    let convert = instance.get_func(&mut store, "host").unwrap();
    convert.call(&mut store, &[host.into()], &mut results).unwrap();
    let host_inside = *results[0].unwrap_any_ref().unwrap();
    assert!(!host_inside.is_eqref(&store).unwrap());
    let again = ExternRef::convert_any(&mut store, host_inside).unwrap();
    assert!(Rooted::ref_eq(&store, &again, &host).unwrap());
}

struct Counted(Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn host_values_are_dropped_when_nothing_refers_to_them() {
    let mut store = Store::<()>::default();
    let dropped = Arc::new(AtomicU32::new(0));
    let kept: OwnedRooted<ExternRef>;
    let stale;
    {
        let mut scope = RootScope::new(&mut store);
        stale = ExternRef::new(&mut scope, Counted(dropped.clone())).unwrap();
        let value = ExternRef::new(&mut scope, Counted(dropped.clone())).unwrap();
        kept = value.to_owned_rooted(&mut scope).unwrap();
    }
    assert!(stale.data(&store).unwrap_err().to_string().contains("unrooted"));
    store.gc(None).unwrap();
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    {
        let mut scope = RootScope::new(&mut store);
        let value = kept.to_rooted(&mut scope);
        assert!(value.data(&scope).unwrap().unwrap().is::<Counted>());
    }
    drop(kept);
    store.gc(None).unwrap();
    assert_eq!(dropped.load(Ordering::Relaxed), 2);
    ExternRef::new(&mut store, Counted(dropped.clone())).unwrap();
    drop(store);
    assert_eq!(dropped.load(Ordering::Relaxed), 3, "the rest goes with the store");
}

#[test]
fn handles_of_another_store_are_refused() {
    let mut one = Store::<()>::default();
    let mut other = Store::<()>::default();
    ExternRef::new(&mut other, 1).unwrap();
    let value = ExternRef::new(&mut one, 1).unwrap();
    assert!(value.data(&other).is_err());
}

#[test]
fn what_a_host_call_roots_ends_with_it() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (import "" "" (func $host (param externref)))
            (func (export "run") (param externref) (call $host (local.get 0))))"#,
    )
    .unwrap();
    let seen = Arc::new(std::sync::Mutex::new(None));
    let mut store = Store::new(&engine, ());
    let keep = seen.clone();
    let host = wasmtime_gc::api::Func::wrap(&mut store, move |value: Option<Rooted<ExternRef>>| {
        *keep.lock().unwrap() = value;
    });
    let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
    let run = instance.get_typed_func::<Option<Rooted<ExternRef>>, ()>(&mut store, "run").unwrap();
    let value = ExternRef::new(&mut store, 5).unwrap();
    run.call(&mut store, Some(value)).unwrap();
    let inside = seen.lock().unwrap().unwrap();
    assert!(inside.data(&store).is_err());
    assert!(value.data(&store).unwrap().is_some());
}
