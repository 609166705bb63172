//! Objects of the heap in the hands of the host.

use super::wasmtime::*;
use super::{Log, store};

fn var(ty: impl Into<StorageType>) -> FieldType {
    FieldType::new(Mutability::Var, ty.into())
}

/// Structs.
pub fn structs(log: &mut Log) {
    let mut store = store();
    let engine = store.engine().clone();
    let fixed = FieldType::new(Mutability::Const, ValType::I64.into());
    let ty =
        StructType::new(&engine, [var(StorageType::I8), fixed, var(ValType::ANYREF), var(StorageType::I16)]).unwrap();
    let pre = StructRefPre::new(&mut store, ty.clone());
    let good = [Val::I32(300), Val::I64(-1), Val::AnyRef(None), Val::I32(-1)];
    log.put("few", StructRef::new(&mut store, &pre, &good[..2]).map(|_| ()));
    log.put("many", StructRef::new(&mut store, &pre, &[&good[..], &good[..]].concat()).map(|_| ()));
    for i in 0..4 {
        let mut bad = good.to_vec();
        bad[i] = Val::F32(0);
        log.put(&format!("bad {i}"), StructRef::new(&mut store, &pre, &bad).map(|_| ()));
        bad[i] = Val::ExternRef(None);
        log.put(&format!("bad ref {i}"), StructRef::new(&mut store, &pre, &bad).map(|_| ()));
    }
    let object = StructRef::new(&mut store, &pre, &good).unwrap();
    log.see(
        "fields",
        object
            .fields(&mut store)
            .unwrap()
            .map(|v| v.ref_().is_some().to_string() + &format!("{:?}", v.i32()))
            .collect::<Vec<_>>(),
    );
    for i in [0, 1, 2, 3, 4, usize::MAX] {
        log.put(&format!("field {i}"), object.field(&mut store, i).map(|v| (v.i32(), v.i64(), v.ref_().is_some())));
        for value in [Val::I32(5), Val::I64(6), Val::AnyRef(None), Val::ExternRef(None)] {
            log.put(&format!("set {i} {:?}", value.i32()), object.set_field(&mut store, i, value));
        }
    }
    log.put("type", object.ty(&store).map(|of| StructType::eq(&of, &ty)));
    log.put("matches", object.matches_ty(&store, &ty));
    let any = object.to_anyref();
    log.put(
        "is",
        Ok((
            any.is_struct(&store).unwrap(),
            any.is_array(&store).unwrap(),
            any.is_i31(&store).unwrap(),
            any.is_eqref(&store).unwrap(),
        )),
    );
    log.put("as array", any.as_array(&store).map(|a| a.is_some()));
    log.panics("unwrap array", || any.unwrap_array(&store));
    log.put("any type", any.ty(&store).map(|ty| ty.is_concrete_struct()));
    log.put("external", ExternRef::convert_any(&mut store, any).and_then(|e| e.data(&store).map(|d| d.is_none())));
    let inner = {
        let mut scope = RootScope::new(&mut store);
        let inner = StructRef::new(&mut scope, &pre, &good).unwrap();
        log.put("inner", inner.field(&mut scope, 0).map(|v| v.unwrap_i32()));
        inner
    };
    log.put("after its scope", inner.field(&mut store, 0).map(|_| ()));
    log.put("set after", inner.set_field(&mut store, 0, Val::I32(1)));
    log.put("type after", inner.ty(&store).map(|_| ()));
    log.put("held after", object.set_field(&mut store, 2, Val::AnyRef(Some(inner.to_anyref()))));
    log.put("owned after", inner.to_owned_rooted(&mut store).map(|_| ()));
    log.put("equal after", Rooted::ref_eq(&store, &inner, &object));
    let other = Store::new(&engine, 0u32);
    log.panics("foreign type", || object.ty(&other).unwrap());
    log.panics("foreign field", || object.field(&mut Store::new(&engine, 0u32), 0).map(|_| ()).unwrap());
    log.panics("foreign pre", || StructRef::new(Store::new(&engine, 0u32), &pre, &good).map(|_| ()).unwrap());
    log.panics("type of another engine", || {
        StructRefPre::new(&mut store, StructType::new(&super::engine(), []).unwrap())
    });
}

/// Arrays.
pub fn arrays(log: &mut Log) {
    let mut store = store();
    let engine = store.engine().clone();
    for (name, field) in [
        ("i8", var(StorageType::I8)),
        ("i32", var(ValType::I32)),
        ("const i16", FieldType::new(Mutability::Const, StorageType::I16)),
        ("any", var(ValType::ANYREF)),
        ("i31", var(ValType::Ref(RefType::new(false, HeapType::I31)))),
    ] {
        let ty = ArrayType::new(&engine, field);
        let pre = ArrayRefPre::new(&mut store, ty.clone());
        let i31 = AnyRef::from_i31(&mut store, I31::wrapping_i32(-3));
        for (text, value) in [
            ("i32", Val::I32(-2)),
            ("i64", Val::I64(1)),
            ("null", Val::AnyRef(None)),
            ("i31", Val::AnyRef(Some(i31))),
            ("extern", Val::ExternRef(None)),
        ] {
            let made = ArrayRef::new(&mut store, &pre, &value, 3);
            log.put(&format!("{name} {text}"), made.as_ref().map(|_| ()).map_err(|err| Error::msg(format!("{err:?}"))));
            log.put("fixed", ArrayRef::new_fixed(&mut store, &pre, &[value.clone(), value.clone()]).map(|_| ()));
            let Ok(array) = made else { continue };
            log.put("len", array.len(&store));
            for i in [0, 2, 3, u32::MAX] {
                log.put(&format!("get {i}"), array.get(&mut store, i).map(|v| (v.i32(), v.ref_().is_some())));
                log.put(&format!("set {i}"), array.set(&mut store, i, value.clone()));
                log.put(&format!("set wrong {i}"), array.set(&mut store, i, Val::F64(0)));
            }
            log.see("elems", array.elems(&mut store).unwrap().map(|v| v.i32()).collect::<Vec<_>>());
            log.put("type", array.ty(&store).map(|of| ArrayType::eq(&of, &ty)));
            let mut bytes = [7u8; 3];
            log.put("bytes", array.copy_to_i8_slice(&mut store, &mut bytes));
            log.put("bytes of another length", array.copy_to_i8_slice(&mut store, &mut bytes[..2]));
            log.see("copied", bytes);
        }
        log.put("from bytes", ArrayRef::new_from_i8_slice(&mut store, &pre, b"abc").and_then(|a| a.len(&store)));
    }
    for (field, value, len) in [
        (var(StorageType::I8), Val::I32(0), u32::MAX),
        (var(ValType::I64), Val::I64(0), u32::MAX),
        (var(ValType::I64), Val::I64(0), 1 << 29),
    ] {
        let pre = ArrayRefPre::new(&mut store, ArrayType::new(&engine, field));
        log.put(&format!("{len} never fit"), ArrayRef::new(&mut store, &pre, &value, len).map(|_| ()));
    }
}

/// References from outside, numbers, and roots.
pub fn references(log: &mut Log) {
    let mut store = store();
    let external = ExternRef::new(&mut store, "text".to_owned()).unwrap();
    log.put("data", external.data(&store).map(|d| d.and_then(|d| d.downcast_ref::<String>().cloned())));
    log.put("wrong data", external.data(&store).map(|d| d.and_then(|d| d.downcast_ref::<u32>().copied())));
    external.data_mut(&mut store).unwrap().unwrap().downcast_mut::<String>().unwrap().push('!');
    log.put("changed", external.data(&store).map(|d| d.and_then(|d| d.downcast_ref::<String>().cloned())));
    let any = AnyRef::convert_extern(&mut store, external).unwrap();
    log.put("inside", any.ty(&store).map(|ty| format!("{ty}")));
    log.put("is", Ok((any.is_eqref(&store).unwrap(), any.is_i31(&store).unwrap(), any.is_struct(&store).unwrap())));
    let back = ExternRef::convert_any(&mut store, any).unwrap();
    log.put("same", Rooted::ref_eq(&store, &back, &external));
    log.see("rooted", Rooted::rooted_eq(back, external));
    let number = AnyRef::from_i31(&mut store, I31::wrapping_i32(-1));
    log.put("i31", number.as_i31(&store).map(|n| n.map(|n| (n.get_i32(), n.get_u32()))));
    log.put("i31 type", number.ty(&store).map(|ty| format!("{ty}")));
    let external_number = ExternRef::convert_any(&mut store, number).unwrap();
    log.put("i31 data", external_number.data(&store).map(|d| d.is_some()));
    let eq = EqRef::from_i31(&mut store, I31::wrapping_i32(-1));
    log.put("eq", Rooted::ref_eq(&store, &eq.to_anyref(), &number));
    log.see(
        "i31 debug",
        (I31::new_i32(1 << 30), I31::new_u32(5), format!("{}", I31::wrapping_u32(u32::MAX).get_u32())),
    );
    let owned = external.to_owned_rooted(&mut store).unwrap();
    let twice = owned.clone();
    log.put("owned", OwnedRooted::ref_eq(&store, &owned, &twice));
    log.put("owned and rooted", Rooted::ref_eq(&store, &owned, &external));
    let rooted = twice.to_rooted(&mut store);
    log.put("to rooted", rooted.data(&store).map(|d| d.is_some()));
    for val in [
        Val::I32(1),
        Val::F32(0),
        Val::V128(1u128.into()),
        Val::AnyRef(None),
        Val::ExternRef(None),
        Val::FuncRef(None),
        Val::ExnRef(None),
        Val::AnyRef(Some(number)),
        Val::ExternRef(Some(external)),
    ] {
        log.put("type", val.ty(&store).map(|ty| format!("{ty}")));
        for ty in [
            ValType::I32,
            ValType::ANYREF,
            ValType::EXTERNREF,
            ValType::I31REF,
            ValType::EQREF,
            ValType::NULLREF,
            ValType::NULLFUNCREF,
            ValType::EXNREF,
        ] {
            log.put(&format!("{ty}"), val.matches_ty(&store, &ty));
        }
    }
    log.panics("unwrap i32", || Val::I64(1).unwrap_i32());
    log.panics("unwrap any", || Val::ExternRef(None).unwrap_anyref().is_none());
    log.see("values", format!("{:?} {:?} {:?}", Val::from(1.5f32), Val::from(2u128), Val::null_any_ref()));
    log.panics("foreign data", || external.data(&Store::new(store.engine(), 0u32)).map(|_| ()).unwrap());
    log.panics("foreign owned", || owned.to_rooted(&mut Store::new(store.engine(), 0u32)));
    log.panics("foreign equal", || Rooted::ref_eq(Store::new(store.engine(), 0u32), &external, &back).unwrap());
}
