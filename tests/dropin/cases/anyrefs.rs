//! Internal references, and what they are.

use super::wasmtime::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, EqRef, FieldType, HeapType, I31, Mutability, NoExtern, NoFunc, NoneRef,
    OwnedRooted, Ref, Rooted, StructRef, StructRefPre, StructType, Val, ValType,
};
use super::{instance, store};

#[test]
fn every_reference_knows_what_it_is() {
    let mut store = store();
    let i31 = AnyRef::from_i31(&mut store, I31::wrapping_u32(5));
    let ty = StructType::new(store.engine(), []).unwrap();
    let pre = StructRefPre::new(&mut store, ty.clone());
    let object = StructRef::new(&mut store, &pre, &[]).unwrap();
    let field = FieldType::new(Mutability::Var, ValType::I32.into());
    let ty_of_array = ArrayType::new(object.ty(&store).unwrap().engine(), field);
    let pre = ArrayRefPre::new(&mut store, ty_of_array);
    let array = ArrayRef::new(&mut store, &pre, &Val::I32(0), 2).unwrap();
    let all: [Rooted<AnyRef>; 3] = [i31, object.to_anyref(), array.into()];
    let kinds = all.map(|any| {
        assert!(any.is_eqref(&store).unwrap());
        [any.is_i31(&store), any.is_struct(&store), any.is_array(&store)].map(|is| is.unwrap())
    });
    assert_eq!(kinds, [[true, false, false], [false, true, false], [false, false, true]]);
    assert_eq!(i31.as_i31(&store).unwrap().map(|i| i.get_u32()), Some(5));
    assert!(i31.as_struct(&store).unwrap().is_none() && i31.as_array(&store).unwrap().is_none());
    let eq: Rooted<EqRef> = all[1].unwrap_eqref(&mut store).unwrap();
    assert!(eq.is_struct(&store).unwrap() && eq.as_i31(&store).unwrap().is_none());
    assert!(Rooted::ref_eq(&store, &eq.unwrap_struct(&store).unwrap(), &object).unwrap());
    assert!(Rooted::ref_eq(&store, &eq.to_anyref(), &all[1]).unwrap());
    assert!(object.to_eqref().matches_ty(&store, &HeapType::ConcreteStruct(ty)).unwrap());
    assert!(matches!(all[0].ty(&store).unwrap(), HeapType::I31));
    assert!(matches!(eq.ty(&store).unwrap(), HeapType::ConcreteStruct(_)));
    assert!(all[2].matches_ty(&store, &HeapType::Array).unwrap());
    let owned: OwnedRooted<AnyRef> = array.to_owned_rooted(&mut store).unwrap().into();
    assert!(owned.is_array(&store).unwrap());
    assert_eq!(owned.to_rooted(&mut store).unwrap_array(&store).unwrap().len(&store).unwrap(), 2);
    let seven = EqRef::from_i31(&mut store, I31::wrapping_u32(7));
    assert_eq!(seven.unwrap_i31(&store).unwrap().get_u32(), 7);
}

#[test]
#[should_panic(expected = "AnyRef::unwrap_i31 on non-i31")]
fn unwrapping_the_wrong_kind_panics() {
    let mut store = store();
    let ty = StructType::new(store.engine(), []).unwrap();
    let pre = StructRefPre::new(&mut store, ty);
    let object = StructRef::new(&mut store, &pre, &[]).unwrap();
    let _ = object.to_anyref().unwrap_i31(&store);
}

#[test]
fn types_without_values_are_null() {
    let (mut store, instance) = instance(
        r#"(module
            (func (export "none") (param nullref) (result i32) (ref.is_null (local.get 0)))
            (func (export "noextern") (param nullexternref) (result nullexternref) (local.get 0)))"#,
    );
    let none = instance.get_typed_func::<Option<NoneRef>, i32>(&mut store, "none").unwrap();
    assert_eq!(none.call(&mut store, NoneRef::null()).unwrap(), 1);
    let noextern = instance.get_typed_func::<Option<NoExtern>, Option<NoExtern>>(&mut store, "noextern").unwrap();
    assert!(noextern.call(&mut store, NoExtern::null()).unwrap().is_none());
    assert!(matches!(NoExtern::null_ref(), Ref::Extern(None)) && matches!(NoExtern::null_val(), Val::ExternRef(None)));
    assert!(matches!(NoFunc::null_ref(), Ref::Func(None)) && matches!(NoFunc::null_val(), Val::FuncRef(None)));
    assert!(NoFunc::null().is_none());
}

#[test]
fn references_have_types_and_nulls() {
    let mut store = store();
    for ty in [HeapType::Any, HeapType::Extern, HeapType::Func] {
        let null = Ref::null(&ty);
        assert!(null.is_null() && !null.is_non_null());
        assert!(null.ty(&store).unwrap().is_nullable());
        assert!(null.ty(&store).unwrap().heap_type().is_bottom());
        assert!(Val::null_ref(&ty).ref_().unwrap().is_null());
    }
    let i31: Ref = AnyRef::from_i31(&mut store, I31::wrapping_u32(1)).into();
    assert!(i31.is_any() && !i31.is_extern() && !i31.is_func() && i31.is_non_null());
    assert!(i31.matches_ty(&store, ValType::EQREF.unwrap_ref()).unwrap());
    assert!(!i31.matches_ty(&store, ValType::STRUCTREF.unwrap_ref()).unwrap());
    assert!(i31.as_extern().is_none() && i31.unwrap_any().is_some());
}
