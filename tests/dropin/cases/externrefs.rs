//! Values of the host in the hands of guests.

use super::wasmtime::{
    AnyRef, ExternRef, Func, HeapType, OwnedRooted, Ref, RefType, Rooted, Table, TableType, Val, ValType,
};
use super::{instance, store};
use std::sync::Arc;

#[test]
fn a_host_value_comes_back_as_itself() {
    let (mut store, instance) = instance(
        r#"(module
            (global $kept (mut externref) (ref.null extern))
            (func (export "put") (param externref) (global.set $kept (local.get 0)))
            (func (export "get") (result externref) (global.get $kept)))"#,
    );
    let put = instance.get_typed_func::<Option<Rooted<ExternRef>>, ()>(&mut store, "put").unwrap();
    let get = instance.get_typed_func::<(), Option<OwnedRooted<ExternRef>>>(&mut store, "get").unwrap();
    assert!(get.call(&mut store, ()).unwrap().is_none());
    let value = ExternRef::new(&mut store, String::from("one")).unwrap();
    put.call(&mut store, Some(value)).unwrap();
    store.gc(None).unwrap();
    let back = get.call(&mut store, ()).unwrap().unwrap();
    assert!(Rooted::ref_eq(&store, &value, &back).unwrap());
    *back.data_mut(&mut store).unwrap().unwrap().downcast_mut::<String>().unwrap() = "uno".into();
    let data = value.data(&store).unwrap().unwrap();
    assert_eq!(data.downcast_ref::<String>().unwrap(), "uno");
}

#[test]
fn values_die_with_the_store() {
    let counted = Arc::new(());
    let mut store = store();
    ExternRef::new(&mut store, counted.clone()).unwrap();
    assert_eq!(Arc::strong_count(&counted), 2);
    drop(store);
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn the_outside_seen_from_inside_and_back() {
    let mut store = store();
    let host = ExternRef::new(&mut store, 1u8).unwrap();
    let inside = AnyRef::convert_extern(&mut store, host).unwrap();
    assert!(!inside.is_eqref(&store).unwrap() && !inside.is_i31(&store).unwrap());
    assert!(matches!(inside.ty(&store).unwrap(), HeapType::Any));
    let outside = ExternRef::convert_any(&mut store, inside).unwrap();
    assert!(Rooted::ref_eq(&store, &host, &outside).unwrap());
    let i31 = AnyRef::from_i31(&mut store, super::wasmtime::I31::wrapping_u32(3));
    let outside = ExternRef::convert_any(&mut store, i31).unwrap();
    assert!(outside.data(&store).unwrap().is_none());
}

#[test]
fn tables_and_functions_of_the_host_hold_them() {
    let mut store = store();
    let table = Table::new(&mut store, TableType::new(RefType::EXTERNREF, 2, Some(4)), Ref::Extern(None)).unwrap();
    let value = ExternRef::new(&mut store, 5i32).unwrap();
    table.set(&mut store, 1, value.into()).unwrap();
    let identity = Func::wrap(&mut store, |value: Option<Rooted<ExternRef>>| value);
    let mut results = [Val::I32(0)];
    let element: Val = table.get(&mut store, 1).unwrap().into();
    identity.call(&mut store, &[element], &mut results).unwrap();
    assert!(Rooted::ref_eq(&store, results[0].unwrap_externref().unwrap(), &value).unwrap());
    assert!(results[0].matches_ty(&store, &ValType::EXTERNREF).unwrap());
    assert!(table.get(&mut store, 0).unwrap().is_null());
}
