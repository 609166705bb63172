//! Handles: how long they are valid.

use super::wasmtime::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, AsContextMut, ExternRef, FieldType, Func, Global, GlobalType, I31,
    Mutability, OwnedRooted, Ref, RefType, RootScope, Rooted, StructRef, StructRefPre, StructType, Table, TableType,
    Val, ValType,
};
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

/// A program that looked for the text of a handle behind its scope did not find it: the error began with what is said of
/// a value of another type.
#[test]
fn a_handle_behind_its_scope_is_called_that_wherever_it_is_given() {
    let mut store = store();
    let engine = store.engine().clone();
    let (stale, any) = {
        let mut scope = RootScope::new(&mut store);
        let any = StructRefPre::new(&mut scope, StructType::new(&engine, []).unwrap());
        (ExternRef::new(&mut scope, 3).unwrap(), StructRef::new(&mut scope, &any, &[]).unwrap().to_anyref())
    };
    let field = |ty| FieldType::new(Mutability::Var, ValType::into(ty));
    for (val, of, null) in
        [(Val::from(stale), RefType::EXTERNREF, Ref::Extern(None)), (Val::from(any), RefType::ANYREF, Ref::Any(None))]
    {
        let ty = ValType::Ref(of.clone());
        let global = GlobalType::new(ty.clone(), Mutability::Var);
        let table = Table::new(&mut store, TableType::new(of, 2, None), null.clone()).unwrap();
        let of_struct = StructType::new(&engine, [field(ty.clone())]).unwrap();
        let of_struct = StructRefPre::new(&mut store, of_struct);
        let of_array = ArrayRefPre::new(&mut store, ArrayType::new(&engine, field(ty)));
        let null = Val::from(null);
        let set = Global::new(&mut store, global.clone(), null).unwrap();
        let object = StructRef::new(&mut store, &of_struct, &[null]).unwrap();
        let func = match val {
            Val::ExternRef(_) => Func::wrap(&mut store, |_: Option<Rooted<ExternRef>>| {}),
            _ => Func::wrap(&mut store, |_: Option<Rooted<AnyRef>>| {}),
        };
        let errors = [
            Global::new(&mut store, global, val).map(drop),
            set.set(&mut store, val),
            table.set(&mut store, 0, val.ref_().unwrap()),
            StructRef::new(&mut store, &of_struct, &[val]).map(drop),
            object.set_field(&mut store, 0, val),
            ArrayRef::new(&mut store, &of_array, &val, 1).map(drop),
            ArrayRef::new_fixed(&mut store, &of_array, &[val]).map(drop),
            func.call(&mut store, &[val], &mut []),
        ];
        for err in errors {
            let err = err.unwrap_err().to_string();
            assert_eq!(err, "attempted to use a garbage-collected object that has been unrooted");
        }
    }
    // Where it has to be looked at, the type is what is told first.
    let only = GlobalType::new(ValType::I31REF, Mutability::Var);
    let i31 = AnyRef::from_i31(&mut store, I31::wrapping_u32(1));
    let only = Global::new(&mut store, only, i31.into()).unwrap();
    let err = only.set(&mut store, any.into()).unwrap_err().to_string();
    assert_eq!(err, "type mismatch: attempt to set global to value of wrong type");
}
