//! Handles: how long they are valid.

use super::wasmtime::{AsContextMut, ExternRef, OwnedRooted, RootScope, Rooted};
use super::{store, text};
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

#[test]
fn handles_end_with_their_scope_and_owned_ones_do_not() {
    let mut store = store();
    let outer = ExternRef::new(&mut store, "outer").unwrap();
    let (inner, owned) = {
        let mut scope = RootScope::new(&mut store);
        scope.reserve(10);
        let inner = ExternRef::new(&mut scope, "inner").unwrap();
        let nested = {
            let mut nested = RootScope::new(scope.as_context_mut());
            ExternRef::new(&mut nested, "nested").unwrap()
        };
        assert!(nested.data(&scope).is_err());
        assert!(outer.data(&scope).unwrap().is_some());
        (inner, inner.to_owned_rooted(&mut scope).unwrap())
    };
    let err = text(inner.data(&store).unwrap_err());
    assert_eq!(err, "attempted to use a garbage-collected object that has been unrooted");
    assert!(inner.to_owned_rooted(&mut store).is_err());
    store.gc(None).unwrap();
    assert_eq!(owned.data(&store).unwrap().unwrap().downcast_ref::<&str>(), Some(&"inner"));
    let again = owned.to_rooted(&mut store);
    assert!(Rooted::ref_eq(&store, &again, &owned).unwrap());
    let copy = owned.clone();
    drop(owned);
    store.gc(None).unwrap();
    assert!(copy.data(&store).unwrap().is_some());
}

#[test]
fn handles_are_equal_and_hash_by_root_or_by_object() {
    let mut store = store();
    let one = ExternRef::new(&mut store, 1).unwrap();
    let again = one.to_owned_rooted(&mut store).unwrap().to_rooted(&mut store);
    let other = ExternRef::new(&mut store, 1).unwrap();
    assert!(Rooted::rooted_eq(one, one) && !Rooted::rooted_eq(one, again));
    assert!(Rooted::ref_eq(&store, &one, &again).unwrap() && !Rooted::ref_eq(&store, &one, &other).unwrap());
    let by_root = |handle: &Rooted<ExternRef>| {
        let mut hasher = DefaultHasher::new();
        handle.rooted_hash(&mut hasher);
        hasher.finish()
    };
    assert_ne!(by_root(&one), by_root(&again));
    let by_object = |handle: &Rooted<ExternRef>| {
        let mut hasher = DefaultHasher::new();
        handle.ref_hash(&store, &mut hasher).unwrap();
        hasher.finish()
    };
    assert_eq!(by_object(&one), by_object(&again));
    assert_ne!(by_object(&one), by_object(&other));
}

#[test]
fn owned_handles_come_and_go_in_any_number() {
    let mut store = store();
    let mut kept: Vec<OwnedRooted<ExternRef>> = Vec::new();
    for i in 0..5_000u32 {
        let mut scope = RootScope::new(&mut store);
        let value = ExternRef::new(&mut scope, i).unwrap();
        let owned = value.to_owned_rooted(&mut scope).unwrap();
        if i % 100 == 0 {
            kept.push(owned);
        }
        if i % 1_000 == 0 {
            scope.as_context_mut().gc(None).unwrap();
        }
    }
    for (i, owned) in kept.iter().enumerate() {
        let data = owned.data(&store).unwrap().unwrap();
        assert_eq!(data.downcast_ref::<u32>(), Some(&(100 * i as u32)));
    }
}
