//! Objects that the host makes and changes, while everything moves at every allocation and every heap is verified.

use super::*;
use std::num::NonZeroU32;
use wasmtime_gc::api::{
    AnyRef, ArrayRef, ArrayRefPre, ArrayType, ExternRef, FieldType, Func, I31, Mutability, RootScope, Rooted,
    StorageType, StructRef, StructRefPre, StructType, Val, ValType,
};

fn zealous() -> Store<()> {
    let mut config = Config::new();
    config.gc_zeal(NonZeroU32::new(1)).gc_verify(true).gc_poison(true);
    Store::new(&Engine::new(&config).unwrap(), ())
}

fn var(ty: ValType) -> FieldType {
    FieldType::new(Mutability::Var, ty.into())
}

/// A tree of structs and arrays, whose leaves are host values.
fn tree(
    store: &mut Store<()>,
    (node, children): (&StructRefPre, &ArrayRefPre),
    depth: u32,
    next: &mut u32,
) -> Rooted<StructRef> {
    let value = ExternRef::new(&mut *store, *next).unwrap();
    let number = *next;
    *next += 1;
    let children = match depth {
        0 => Val::AnyRef(None),
        _ => {
            let below = [0, 1].map(|_| tree(store, (node, children), depth - 1, next).into());
            ArrayRef::new_fixed(&mut *store, children, &below).unwrap().into()
        }
    };
    let func = Func::wrap(&mut *store, move || number);
    StructRef::new(&mut *store, node, &[Val::I64(number.into()), value.into(), func.into(), children]).unwrap()
}

/// Checks a tree, and counts its nodes.
fn check(store: &mut Store<()>, node: Rooted<StructRef>) -> u32 {
    let number = node.field(&mut *store, 0).unwrap().unwrap_i64() as u32;
    let value = *node.field(&mut *store, 1).unwrap().unwrap_externref().unwrap();
    assert_eq!(value.data(&*store).unwrap().and_then(|data| data.downcast_ref()), Some(&number));
    let func = *node.field(&mut *store, 2).unwrap().unwrap_funcref().unwrap();
    assert_eq!(func.typed::<(), u32>(&*store).unwrap().call(&mut *store, ()).unwrap(), number);
    let Some(&children) = node.field(&mut *store, 3).unwrap().unwrap_anyref() else { return 1 };
    let children: Vec<Val> = children.unwrap_array(&*store).unwrap().elems(&mut *store).unwrap().collect();
    let below = children.iter().map(|child| {
        let child = child.unwrap_anyref().unwrap().unwrap_struct(&*store).unwrap();
        check(store, child)
    });
    1 + below.sum::<u32>()
}

#[test]
fn what_the_host_makes_survives_while_everything_moves() {
    let mut store = zealous();
    let children = ArrayType::new(store.engine(), var(ValType::STRUCTREF));
    let fields = [var(ValType::I64), var(ValType::EXTERNREF), var(ValType::FUNCREF), var(ValType::ARRAYREF)];
    let node = StructType::new(store.engine(), fields).unwrap();
    let pre = (StructRefPre::new(&mut store, node), ArrayRefPre::new(&mut store, children));
    let mut next = 0;
    let root = tree(&mut store, (&pre.0, &pre.1), 4, &mut next);
    assert_eq!((check(&mut store, root), next), (31, 31));
    store.gc(None).unwrap();
    assert_eq!(check(&mut store, root), 31);
}

/// An object that survived a collection is old; what is stored into it must be found by the next minor one.
#[test]
fn old_objects_keep_the_young_ones_that_the_host_stores() {
    let mut config = Config::new();
    config.gc_nursery_size(64 << 10).gc_verify(true);
    let mut store = Store::new(&Engine::new(&config).unwrap(), ());
    let cell = StructType::new(store.engine(), [var(ValType::ANYREF)]).unwrap();
    let cell = StructRefPre::new(&mut store, cell);
    let array = ArrayType::new(store.engine(), var(ValType::ANYREF));
    let array = ArrayRefPre::new(&mut store, array);
    let old = StructRef::new(&mut store, &cell, &[Val::AnyRef(None)]).unwrap();
    let olds = [10, 5_000].map(|len| ArrayRef::new(&mut store, &array, &Val::AnyRef(None), len).unwrap());
    store.gc(None).unwrap();
    for round in 0..50u32 {
        let mut scope = RootScope::new(&mut store);
        let leaf = AnyRef::from_i31(&mut scope, I31::wrapping_u32(round));
        let young = StructRef::new(&mut scope, &cell, &[leaf.into()]).unwrap();
        old.set_field(&mut scope, 0, young.into()).unwrap();
        for old in olds {
            old.set(&mut scope, round % 10, young.into()).unwrap();
        }
        drop(scope);
        // Garbage for several minor collections.
        for _ in 0..20 {
            let mut scope = RootScope::new(&mut store);
            ArrayRef::new(&mut scope, &array, &Val::AnyRef(None), 1_000).unwrap();
        }
        let mut scope = RootScope::new(&mut store);
        let found =
            [old.field(&mut scope, 0), olds[0].get(&mut scope, round % 10), olds[1].get(&mut scope, round % 10)];
        for found in found.map(|found| found.unwrap()) {
            let found = found.unwrap_anyref().unwrap().unwrap_struct(&scope).unwrap();
            let leaf = *found.field(&mut scope, 0).unwrap().unwrap_anyref().unwrap();
            assert_eq!(leaf.unwrap_i31(&scope).unwrap().get_u32(), round);
        }
    }
    assert!(store.heap_stats().minor > 10);
}

#[test]
fn types_with_descriptors_are_not_for_the_host() {
    let mut config = Config::new();
    config.wasm_custom_descriptors(true);
    let (mut store, instance) = instance_with(
        &config,
        r#"(module
            (rec
                (type $s (descriptor $d) (struct (field i32)))
                (type $d (describes $s) (struct)))
            (func (export "make") (result (ref $s))
                (struct.new_desc $s (i32.const 3) (struct.new $d))))"#,
    );
    let make = instance.get_typed_func::<(), Rooted<StructRef>>(&mut store, "make").unwrap();
    let made = make.call(&mut store, ()).unwrap();
    assert_eq!(made.field(&mut store, 0).unwrap().unwrap_i32(), 3);
    let ty = made.ty(&store).unwrap();
    let pre = StructRefPre::new(&mut store, ty);
    let err = StructRef::new(&mut store, &pre, &[Val::I32(1)]).unwrap_err();
    assert!(err.to_string().contains("custom descriptor"), "{err}");
}

#[test]
fn storage_of_an_element_is_what_its_type_says() {
    let mut store = zealous();
    let ty = ArrayType::new(store.engine(), FieldType::new(Mutability::Var, StorageType::I16));
    let pre = ArrayRefPre::new(&mut store, ty);
    let array = ArrayRef::new_fixed(&mut store, &pre, &[1, 2, 3].map(Val::I32)).unwrap();
    array.set(&mut store, 1, Val::I32(-2)).unwrap();
    let elems: Vec<i32> = array.elems(&mut store).unwrap().map(|elem| elem.unwrap_i32()).collect();
    assert_eq!(elems, [1, 0xFFFE, 3], "neighbours are not touched");
}
