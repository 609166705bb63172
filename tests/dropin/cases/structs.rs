//! Structs, made, read and written by the host.

use super::wasmtime::{
    AnyRef, ExternRef, FieldType, Func, HeapType, I31, Mutability, OwnedRooted, RefType, Rooted, StorageType, Store,
    StructRef, StructRefPre, StructType, Val, ValType,
};
use super::{instance, store, text};

fn var(ty: impl Into<StorageType>) -> FieldType {
    FieldType::new(Mutability::Var, ty.into())
}

/// A struct with a field of every kind.
fn everything(store: &mut Store<u32>) -> (StructType, StructRefPre) {
    let fields = [
        var(StorageType::I8),
        var(StorageType::I16),
        var(ValType::I32),
        var(ValType::I64),
        var(ValType::F32),
        var(ValType::F64),
        var(ValType::V128),
        var(ValType::ANYREF),
        var(ValType::EXTERNREF),
        var(ValType::FUNCREF),
        FieldType::new(Mutability::Const, ValType::I32.into()),
    ];
    let ty = StructType::new(store.engine(), fields).unwrap();
    let pre = StructRefPre::new(&mut *store, ty.clone());
    (ty, pre)
}

fn values(store: &mut Store<u32>) -> Vec<Val> {
    let any = AnyRef::from_i31(&mut *store, I31::wrapping_i32(-4));
    let external = ExternRef::new(&mut *store, "external").unwrap();
    let func = Func::wrap(&mut *store, || 17);
    vec![
        Val::I32(-1),
        Val::I32(0x12345),
        Val::I32(-3),
        Val::I64(i64::MIN),
        Val::F32(1.5f32.to_bits()),
        Val::F64((-2.5f64).to_bits()),
        Val::V128(7u128.into()),
        any.into(),
        external.into(),
        func.into(),
        Val::I32(99),
    ]
}

#[test]
fn every_kind_of_field_comes_out_as_it_went_in() {
    let mut store = store();
    let (ty, pre) = everything(&mut store);
    let values = values(&mut store);
    let object = StructRef::new(&mut store, &pre, &values).unwrap();
    store.gc(None).unwrap();
    let fields: Vec<Val> = object.fields(&mut store).unwrap().collect();
    assert_eq!(fields.len(), 11);
    assert_eq!(object.fields(&mut store).unwrap().len(), 11);
    // Packed fields are cut and extended by zeroes.
    assert_eq!([fields[0].unwrap_i32(), fields[1].unwrap_i32(), fields[2].unwrap_i32()], [0xFF, 0x2345, -3]);
    assert_eq!((fields[3].unwrap_i64(), fields[4].unwrap_f32(), fields[5].unwrap_f64()), (i64::MIN, 1.5, -2.5));
    assert_eq!(fields[6].unwrap_v128().as_u128(), 7);
    assert_eq!(fields[7].unwrap_anyref().unwrap().unwrap_i31(&store).unwrap().get_i32(), -4);
    let data = fields[8].unwrap_externref().unwrap().data(&store).unwrap();
    assert_eq!(data.and_then(|data| data.downcast_ref::<&str>()), Some(&"external"));
    let func = *fields[9].unwrap_funcref().unwrap();
    assert_eq!(func.typed::<(), i32>(&store).unwrap().call(&mut store, ()).unwrap(), 17);
    assert_eq!(object.field(&mut store, 10).unwrap().unwrap_i32(), 99);
    assert!(StructType::eq(&object.ty(&store).unwrap(), &ty));
    assert!(object.matches_ty(&store, &ty).unwrap());
}

#[test]
fn fields_are_set_and_checked() {
    let mut store = store();
    let (_, pre) = everything(&mut store);
    let values = values(&mut store);
    let object = StructRef::new(&mut store, &pre, &values).unwrap();
    object.set_field(&mut store, 0, Val::I32(0x1FE)).unwrap();
    object.set_field(&mut store, 3, Val::I64(12)).unwrap();
    object.set_field(&mut store, 7, object.to_anyref().into()).unwrap();
    object.set_field(&mut store, 9, Val::FuncRef(None)).unwrap();
    store.gc(None).unwrap();
    assert_eq!(object.field(&mut store, 0).unwrap().unwrap_i32(), 0xFE);
    assert_eq!(object.field(&mut store, 3).unwrap().unwrap_i64(), 12);
    let this = *object.field(&mut store, 7).unwrap().unwrap_anyref().unwrap();
    assert!(Rooted::ref_eq(&store, &this, &object.to_anyref()).unwrap());
    assert!(object.field(&mut store, 9).unwrap().unwrap_funcref().is_none());

    let err = text(object.set_field(&mut store, 10, Val::I32(1)).unwrap_err());
    assert_eq!(err, "cannot set field 10: field is not mutable");
    let err = text(object.set_field(&mut store, 2, Val::I64(1)).unwrap_err());
    assert!(err.starts_with("cannot set field 2: type mismatch: type mismatch: expected i32, found i64"), "{err}");
    let err = text(object.field(&mut store, 11).unwrap_err());
    assert_eq!(err, "cannot access field 11: struct only has 11 fields");
    let err = text(StructRef::new(&mut store, &pre, &values[1..]).unwrap_err());
    assert_eq!(err, "expected 11 fields, got 10");
    let mut wrong = values.clone();
    wrong[7] = Val::FuncRef(None);
    let err = text(StructRef::new(&mut store, &pre, &wrong).unwrap_err());
    assert!(err.starts_with("field type mismatch: type mismatch: expected (ref null any)"), "{err}");
}

#[test]
fn guests_and_the_host_share_structs() {
    let (mut store, instance) = instance(
        r#"(module
            (type $node (sub (struct (field $value (mut i32)) (field $next (mut (ref null $node))))))
            (func (export "make") (param i32 (ref null $node)) (result (ref $node))
                (struct.new $node (local.get 0) (local.get 1)))
            (func (export "sum") (param $n (ref null $node)) (result i32)
                (local $sum i32)
                (block $end
                    (loop $again
                        (br_if $end (ref.is_null (local.get $n)))
                        (local.set $sum (i32.add (local.get $sum) (struct.get $node $value (local.get $n))))
                        (local.set $n (struct.get $node $next (local.get $n)))
                        (br $again)))
                (local.get $sum)))"#,
    );
    let make = instance.get_func(&mut store, "make").unwrap();
    let ty = make.ty(&store).result(0).unwrap().unwrap_ref().heap_type().unwrap_concrete_struct().clone();
    let pre = StructRefPre::new(&mut store, ty.clone());
    let sum = instance.get_typed_func::<Option<Rooted<StructRef>>, i32>(&mut store, "sum").unwrap();
    let make =
        instance.get_typed_func::<(i32, Option<Rooted<StructRef>>), Rooted<StructRef>>(&mut store, "make").unwrap();
    let mut list = None;
    for i in 0..100 {
        let node = match i % 2 {
            0 => make.call(&mut store, (i, list)).unwrap(),
            _ => {
                StructRef::new(&mut store, &pre, &[Val::I32(i), Val::AnyRef(list.map(Rooted::<StructRef>::to_anyref))])
                    .unwrap()
            }
        };
        list = Some(node);
    }
    store.gc(None).unwrap();
    assert_eq!(sum.call(&mut store, list).unwrap(), 4950);
    // An old object is made to refer to a new one.
    let new = StructRef::new(&mut store, &pre, &[Val::I32(5), Val::AnyRef(None)]).unwrap();
    list.unwrap().set_field(&mut store, 1, new.into()).unwrap();
    store.gc(None).unwrap();
    assert_eq!(sum.call(&mut store, list).unwrap(), 104);
    let other = StructType::new(store.engine(), [var(ValType::I32)]).unwrap();
    let pre = StructRefPre::new(&mut store, other);
    let other = StructRef::new(&mut store, &pre, &[Val::I32(1)]).unwrap();
    let err = text(sum.call(&mut store, Some(other)).unwrap_err());
    assert!(err.contains("type mismatch: expected `(ref "), "{err}");
}

#[test]
fn subtypes_made_by_the_host_are_the_guests() {
    use super::wasmtime::Finality;
    let (mut store, instance) = instance(
        r#"(module
            (type $base (sub (struct (field i32))))
            (type $sub (sub final $base (struct (field i32) (field i64))))
            (func (export "is_sub") (param (ref $base)) (result i32) (ref.test (ref $sub) (local.get 0)))
            (func (export "base") (param (ref $base)) (result i32) (struct.get $base 0 (local.get 0))))"#,
    );
    let field = |ty: ValType| FieldType::new(Mutability::Const, ty.into());
    let engine = store.engine().clone();
    let base = StructType::with_finality_and_supertype(&engine, Finality::NonFinal, None, [field(ValType::I32)]);
    let base = base.unwrap();
    let fields = [field(ValType::I32), field(ValType::I64)];
    let sub = StructType::with_finality_and_supertype(&engine, Finality::Final, Some(&base), fields).unwrap();
    assert!(sub.matches(&base) && !base.matches(&sub));
    assert!(StructType::eq(&sub.supertype().unwrap(), &base));
    let is_sub = instance.get_typed_func::<Rooted<StructRef>, i32>(&mut store, "is_sub").unwrap();
    let first = instance.get_typed_func::<OwnedRooted<StructRef>, i32>(&mut store, "base").unwrap();
    let base_pre = StructRefPre::new(&mut store, base.clone());
    let sub_pre = StructRefPre::new(&mut store, sub);
    let b = StructRef::new(&mut store, &base_pre, &[Val::I32(1)]).unwrap();
    let s = StructRef::new(&mut store, &sub_pre, &[Val::I32(2), Val::I64(3)]).unwrap();
    assert_eq!([is_sub.call(&mut store, b).unwrap(), is_sub.call(&mut store, s).unwrap()], [0, 1]);
    let owned = s.to_owned_rooted(&mut store).unwrap();
    assert_eq!(first.call(&mut store, owned).unwrap(), 2);
    assert!(s.matches_ty(&store, &base).unwrap());
    assert!(Val::from(s).matches_ty(&store, &ValType::Ref(RefType::new(false, base.clone().into()))).unwrap());
    assert!(matches!(Val::from(b).ty(&store).unwrap().unwrap_ref().heap_type(), HeapType::ConcreteStruct(_)));
    let err = StructType::with_finality_and_supertype(&engine, Finality::Final, Some(&base), []).unwrap_err();
    assert_eq!(text(err), "struct fields must match their supertype's fields");
    let last = StructType::new(&engine, []).unwrap();
    let err = StructType::with_finality_and_supertype(&engine, Finality::Final, Some(&last), []).unwrap_err();
    assert_eq!(text(err), "cannot create a subtype of a final supertype");
}
