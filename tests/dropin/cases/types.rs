//! Types, as the host makes and compares them.

use super::wasmtime::{
    ArrayType, Engine, FieldType, Finality, FuncType, GlobalType, HeapType, MemoryType, Mutability, RefType,
    StorageType, StructType, TableType, TagType, Val, ValType,
};
use super::{engine, text};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn heap_types_form_their_hierarchies() {
    use HeapType as H;
    let chains = [vec![H::None, H::I31, H::Eq, H::Any], vec![H::None, H::Struct, H::Eq, H::Any]];
    for chain in &chains {
        for (i, sub) in chain.iter().enumerate() {
            for (j, sup) in chain.iter().enumerate() {
                assert_eq!(sub.matches(sup), i <= j, "{sub} <: {sup}");
                assert_eq!(H::eq(sub, sup), i == j);
            }
            assert!(H::eq(&sub.top(), &H::Any) && H::eq(&sub.bottom(), &H::None));
        }
    }
    for (top, bottom) in [(H::Any, H::None), (H::Extern, H::NoExtern), (H::Func, H::NoFunc), (H::Exn, H::NoExn)] {
        assert!(top.is_top() && !top.is_bottom() && bottom.is_bottom() && bottom.matches(&top));
        assert!(top.is_abstract() && !top.is_concrete());
        assert!(H::eq(&top.bottom(), &bottom) && H::eq(&bottom.top(), &top));
    }
    assert!(H::Any.is_any() && H::Func.is_func() && H::Extern.is_extern() && H::I31.is_i31() && H::None.is_none());
    assert!(!H::Array.matches(&H::Struct) && !H::Extern.matches(&H::Any));
    assert_eq!(H::NoFunc.to_string(), "nofunc");
}

#[test]
fn values_have_types() {
    assert!(ValType::I32.is_i32() && ValType::F64.is_f64() && ValType::V128.is_v128());
    assert!(ValType::I64.is_num() && !ValType::I64.is_ref() && ValType::ANYREF.is_ref());
    assert!(ValType::FUNCREF.is_funcref() && ValType::EXTERNREF.is_externref() && ValType::ANYREF.is_anyref());
    let some = ValType::Ref(RefType::new(false, HeapType::Any));
    assert!(some.matches(&ValType::ANYREF) && !ValType::ANYREF.matches(&some) && !some.is_anyref());
    assert!(some.default_value().is_none() && ValType::ANYREF.default_value().is_some());
    assert_eq!(ValType::F32.default_value().unwrap().unwrap_f32(), 0.0);
    assert!(ValType::eq(&ValType::EQREF, &RefType::EQREF.into()));
    assert_eq!((ValType::I64.to_string(), ValType::I31REF.to_string()), ("i64".into(), "(ref null i31)".into()));
    assert_eq!(hash(&ValType::STRUCTREF), hash(&ValType::Ref(RefType::new(true, HeapType::Struct))));
}

#[test]
fn defined_types_are_equal_by_structure() {
    let engine: Engine = engine();
    let field = |mutability, ty: StorageType| FieldType::new(mutability, ty);
    let ty = || StructType::new(&engine, [field(Mutability::Var, ValType::I32.into())]).unwrap();
    assert!(StructType::eq(&ty(), &ty()) && ty().matches(&ty()));
    assert_eq!(hash(&ty()), hash(&ty()));
    assert_eq!((ty().fields().len(), ty().to_string()), (1, "(struct (field (mut i32)))".to_string()));
    assert!(ty().field(1).is_none() && ty().supertype().is_none() && ty().finality().is_final());
    let array = ArrayType::new(&engine, field(Mutability::Const, StorageType::I16));
    assert_eq!((array.element_type().is_i16(), array.mutability()), (true, Mutability::Const));
    assert_eq!(array.to_string(), "(array (field i16))");
    assert!(array.element_type().unpack().is_i32() && array.field_type().element_type().as_val_type().is_none());
    let func = FuncType::new(&engine, [ValType::I32, ValType::ANYREF], [ValType::F32]);
    assert_eq!((func.params().len(), func.results().len()), (2, 1));
    assert!(func.param(1).unwrap().is_anyref() && func.result(1).is_none());
    assert_eq!(func.to_string(), "(type (func (param i32 (ref null any)) (result f32)))");
    for concrete in [HeapType::from(ty()), HeapType::from(array), HeapType::from(func)] {
        assert!(concrete.is_concrete() && !concrete.is_abstract());
    }
    assert!(HeapType::from(ty()).matches(&HeapType::Struct) && HeapType::None.matches(&ty().into()));
    assert!(HeapType::from(ty()).as_concrete_struct().is_some() && HeapType::from(ty()).is_concrete_struct());
}

#[test]
fn fields_match_as_they_may_be_written() {
    let engine = engine();
    let of = |mutability, ty: ValType| FieldType::new(mutability, ty.into());
    let (any, eq) = (ValType::ANYREF, ValType::EQREF);
    assert!(of(Mutability::Const, eq.clone()).matches(&of(Mutability::Const, any.clone())));
    assert!(!of(Mutability::Var, eq.clone()).matches(&of(Mutability::Var, any.clone())));
    assert!(!of(Mutability::Const, any.clone()).matches(&of(Mutability::Const, eq.clone())));
    assert!(FieldType::eq(&of(Mutability::Var, eq.clone()), &of(Mutability::Var, eq.clone())));
    assert_eq!(of(Mutability::Var, eq).to_string(), "(mut (ref null eq))");
    assert!(StorageType::I8.matches(&StorageType::I8) && !StorageType::I8.matches(&ValType::I32.into()));
    let open = ArrayType::with_finality_and_supertype(&engine, Finality::NonFinal, None, of(Mutability::Var, any));
    let open = open.unwrap();
    let wrong = FieldType::new(Mutability::Var, StorageType::I8);
    let err = ArrayType::with_finality_and_supertype(&engine, Finality::Final, Some(&open), wrong).unwrap_err();
    assert_eq!(text(err), "array field type must match its supertype's field type");
    let narrow = || ([ValType::ANYREF], [ValType::I31REF]);
    let (params, results) = narrow();
    let base =
        FuncType::with_finality_and_supertype(&engine, Finality::NonFinal, None, [ValType::EQREF], [ValType::ANYREF])
            .unwrap();
    let sub = FuncType::with_finality_and_supertype(&engine, Finality::Final, Some(&base), params, results).unwrap();
    assert!(sub.matches(&base) && !base.matches(&sub));
    assert!(FuncType::eq(&sub.supertype().unwrap(), &base) && !FuncType::eq(&sub, &base));
    let err = FuncType::with_finality_and_supertype(&engine, Finality::Final, Some(&base), [], []).unwrap_err();
    assert!(text(err).starts_with("function type must match its supertype: found (func), expected "));
}

#[test]
fn entities_have_types() {
    let engine = engine();
    let table = TableType::new64(RefType::EXTERNREF, 1, Some(1 << 40));
    assert_eq!((table.is_64(), table.minimum(), table.maximum()), (true, 1, Some(1 << 40)));
    assert!(RefType::eq(table.element(), &RefType::EXTERNREF));
    let memory = MemoryType::new64(1, None);
    assert_eq!((memory.is_64(), memory.is_shared(), memory.minimum()), (true, false, 1));
    let global = GlobalType::new(ValType::I32, Mutability::Var);
    assert!(global.content().is_i32() && global.mutability().is_var() && !global.mutability().is_const());
    let tag = TagType::new(FuncType::new(&engine, [ValType::I32], []));
    assert_eq!(hash(&tag), hash(&tag.clone()));
    assert_eq!(tag.ty().params().len(), 1);
}

/// Programs that match on all types and values would not compile.
#[test]
fn continuations_have_names() {
    let name = |ty: &HeapType| match ty {
        HeapType::Cont => "cont",
        HeapType::NoCont => "nocont",
        HeapType::ConcreteCont(_) => "a continuation",
        _ => "another",
    };
    assert_eq!([HeapType::Cont, HeapType::NoCont, HeapType::Any].map(|ty| name(&ty)), ["cont", "nocont", "another"]);
    assert!(ValType::NULLCONTREF.matches(&ValType::CONTREF) && ValType::CONTREF.is_contref());
    assert!(!ValType::CONTREF.matches(&ValType::ANYREF) && !RefType::NULLCONTREF.matches(&RefType::NULLREF));
    let none = Val::ContRef(None);
    assert!(none.ref_().is_none() && none.ty(super::store()).is_err());
    assert!(!none.matches_ty(super::store(), &ValType::CONTREF).unwrap());
}
