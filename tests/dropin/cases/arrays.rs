//! Arrays, made, read and written by the host.

use super::wasmtime::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, FieldType, I31, Mutability, OwnedRooted, Rooted, StorageType, Store, Val,
    ValType,
};
use super::{instance, store, text};

fn array_of(store: &mut Store<u32>, mutability: Mutability, ty: impl Into<StorageType>) -> ArrayRefPre {
    let ty = ArrayType::new(store.engine(), FieldType::new(mutability, ty.into()));
    ArrayRefPre::new(store, ty)
}

#[test]
fn elements_of_every_kind_come_out_as_they_went_in() {
    let mut store = store();
    let kinds: [(StorageType, Val, Val); 7] = [
        (StorageType::I8, Val::I32(0x1FF), Val::I32(0xFF)),
        (StorageType::I16, Val::I32(-1), Val::I32(0xFFFF)),
        (ValType::I32.into(), Val::I32(-7), Val::I32(-7)),
        (ValType::I64.into(), Val::I64(1 << 40), Val::I64(1 << 40)),
        (ValType::F32.into(), Val::F32(3), Val::F32(3)),
        (ValType::F64.into(), Val::F64(4), Val::F64(4)),
        (ValType::V128.into(), Val::V128(5u128.into()), Val::V128(5u128.into())),
    ];
    for (ty, value, expected) in kinds {
        let pre = array_of(&mut store, Mutability::Var, ty);
        for len in [0, 1, 33, 10_000] {
            let array = ArrayRef::new(&mut store, &pre, &value, len).unwrap();
            assert_eq!(array.len(&store).unwrap(), len);
            for index in [0, len / 2, len.wrapping_sub(1)].into_iter().filter(|&i| i < len) {
                let found = array.get(&mut store, index).unwrap();
                assert_eq!(format!("{found:?}"), format!("{expected:?}"));
            }
        }
    }
}

#[test]
fn arrays_of_references_survive_collections() {
    let mut store = store();
    let pre = array_of(&mut store, Mutability::Var, ValType::ANYREF);
    for len in [3u32, 5000] {
        let array = ArrayRef::new(&mut store, &pre, &Val::AnyRef(None), len).unwrap();
        store.gc(None).unwrap();
        let leaf = AnyRef::from_i31(&mut store, I31::wrapping_u32(len));
        let inner = ArrayRef::new_fixed(&mut store, &pre, &[leaf.into(), Val::AnyRef(None)]).unwrap();
        array.set(&mut store, len - 1, inner.into()).unwrap();
        let full = ArrayRef::new(&mut store, &pre, &inner.into(), len).unwrap();
        store.gc(None).unwrap();
        for outer in [array, full] {
            let found = *outer.get(&mut store, len - 1).unwrap().unwrap_anyref().unwrap();
            let found = found.unwrap_array(&store).unwrap();
            let leaf = *found.get(&mut store, 0).unwrap().unwrap_anyref().unwrap();
            assert_eq!(leaf.unwrap_i31(&store).unwrap().get_u32(), len);
            assert_eq!(found.elems(&mut store).unwrap().len(), 2);
        }
        let nulls = array.elems(&mut store).unwrap().filter(|element| element.unwrap_anyref().is_none()).count();
        assert_eq!(nulls as u32, len - 1);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut store = store();
    let pre = array_of(&mut store, Mutability::Var, ValType::I32);
    let array = ArrayRef::new_fixed(&mut store, &pre, &[Val::I32(1), Val::I32(2)]).unwrap();
    let err = text(array.get(&mut store, 2).unwrap_err());
    assert_eq!(err, "index out of bounds: the length is 2 but the index is 2");
    let err = text(array.set(&mut store, 7, Val::I32(0)).unwrap_err());
    assert_eq!(err, "index out of bounds: the length is 2 but the index is 7");
    let err = text(array.set(&mut store, 1, Val::I64(0)).unwrap_err());
    assert!(err.starts_with("cannot set element 1: type mismatch: "), "{err}");
    let err = text(ArrayRef::new(&mut store, &pre, &Val::F32(0), 1).unwrap_err());
    assert!(err.starts_with("element type mismatch: "), "{err}");
    let fixed = array_of(&mut store, Mutability::Const, ValType::I32);
    let array = ArrayRef::new(&mut store, &fixed, &Val::I32(0), 1).unwrap();
    let err = text(array.set(&mut store, 0, Val::I32(0)).unwrap_err());
    assert_eq!(err, "cannot set element 0: array elements are not mutable");
}

#[test]
fn bytes_go_in_and_out_at_once() {
    let mut store = store();
    let pre = array_of(&mut store, Mutability::Const, StorageType::I8);
    let bytes: Vec<u8> = (0..20_000u32).map(|i| i as u8).collect();
    let array = ArrayRef::new_from_i8_slice(&mut store, &pre, &bytes).unwrap();
    store.gc(None).unwrap();
    let mut copy = vec![0; bytes.len()];
    array.copy_to_i8_slice(&mut store, &mut copy).unwrap();
    assert_eq!(copy, bytes);
    let err = text(array.copy_to_i8_slice(&mut store, &mut copy[1..]).unwrap_err());
    assert_eq!(err, "destination slice length is 19999 but the array length is 20000");
    let wide = array_of(&mut store, Mutability::Const, ValType::I32);
    let err = text(ArrayRef::new_from_i8_slice(&mut store, &wide, &bytes).unwrap_err());
    assert!(err.contains("cannot initialize an array of `i32` elements from a slice of `i8`s"), "{err}");
}

#[test]
fn guests_and_the_host_share_arrays() {
    let (mut store, instance) = instance(
        r#"(module
            (type $bytes (array (mut i8)))
            (func (export "sum") (param $a (ref $bytes)) (result i32)
                (local $i i32) (local $sum i32)
                (block $end
                    (loop $again
                        (br_if $end (i32.ge_u (local.get $i) (array.len (local.get $a))))
                        (local.set $sum (i32.add (local.get $sum) (array.get_u $bytes (local.get $a) (local.get $i))))
                        (local.set $i (i32.add (local.get $i) (i32.const 1)))
                        (br $again)))
                (local.get $sum))
            (func (export "same") (param arrayref) (result arrayref) (local.get 0)))"#,
    );
    let pre = array_of(&mut store, Mutability::Var, StorageType::I8);
    let array = ArrayRef::new_from_i8_slice(&mut store, &pre, &[1, 2, 250]).unwrap();
    let sum = instance.get_typed_func::<Rooted<ArrayRef>, i32>(&mut store, "sum").unwrap();
    assert_eq!(sum.call(&mut store, array).unwrap(), 253);
    let same = instance
        .get_typed_func::<Option<OwnedRooted<ArrayRef>>, Option<OwnedRooted<ArrayRef>>>(&mut store, "same")
        .unwrap();
    assert!(same.call(&mut store, None).unwrap().is_none());
    let owned = array.to_owned_rooted(&mut store).unwrap();
    let back = same.call(&mut store, Some(owned)).unwrap().unwrap();
    assert!(OwnedRooted::ref_eq(&store, &back, &array).unwrap());
    assert_eq!(back.len(&store).unwrap(), 3);
    assert!(back.ty(&store).unwrap().element_type().is_i8());
}
