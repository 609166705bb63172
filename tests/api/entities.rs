//! Globals and tables, native and in the heap.

use super::*;
use wasmtime_gc::api::{
    Extern, ExternRef, Global, GlobalType, Mutability, Ref, RefType, Table, TableType, Val, ValType,
};

const MODULE: &str = r#"(module
    (global (export "number") (mut i32) (i32.const 4))
    (global (export "kept") (mut externref) (ref.null extern))
    (global (export "fixed") i31ref (ref.i31 (i32.const 9)))
    (table $refs (export "refs") 2 6 externref)
    (table (export "funcs") 2 funcref)
    (elem declare func $f)
    (func $f (export "f") (result i32) (i32.const 11))
    (func (export "kept_is") (param externref) (result i32)
        (ref.eq (ref.cast eqref (any.convert_extern (global.get 1)))
            (ref.cast eqref (any.convert_extern (local.get 0)))))
    (func (export "size") (result i32) (table.size $refs))
    (func (export "grow") (param externref i32) (result i32) (table.grow $refs (local.get 0) (local.get 1)))
    (func (export "is_null") (param i32) (result i32) (ref.is_null (table.get $refs (local.get 0)))))"#;

#[test]
fn globals_are_read_and_written() {
    let (mut store, instance) = instance(MODULE);
    let number = instance.get_global(&mut store, "number").unwrap();
    number.set(&mut store, Val::I32(5)).unwrap();
    assert_eq!(number.get(&mut store).unwrap_i32(), 5);
    let kept = instance.get_global(&mut store, "kept").unwrap();
    assert!(kept.get(&mut store).unwrap_extern_ref().is_none());
    let value = ExternRef::new(&mut store, 77u64).unwrap();
    kept.set(&mut store, value.into()).unwrap();
    store.gc(None).unwrap();
    let back = *kept.get(&mut store).unwrap_extern_ref().unwrap();
    assert_eq!(back.data(&store).unwrap().unwrap().downcast_ref::<u64>(), Some(&77));
    assert!(kept.set(&mut store, Val::I32(1)).is_err());
    let fixed = instance.get_global(&mut store, "fixed").unwrap();
    assert_eq!(fixed.ty(&store).mutability(), Mutability::Const);
    assert_eq!(fixed.get(&mut store).unwrap_any_ref().unwrap().unwrap_i31(&store).unwrap().get_u32(), 9);
    assert!(fixed.set(&mut store, Val::AnyRef(None)).is_err());
}

#[test]
fn tables_are_read_written_and_grown_from_both_sides() {
    let (mut store, instance) = instance(MODULE);
    let refs = instance.get_table(&mut store, "refs").unwrap();
    assert_eq!((refs.size(&store), refs.ty(&store).maximum()), (2, Some(6)));
    let value = ExternRef::new(&mut store, "x").unwrap();
    refs.set(&mut store, 1, Ref::Extern(Some(value))).unwrap();
    assert!(refs.set(&mut store, 2, Ref::Extern(Some(value))).is_err());
    assert!(refs.get(&mut store, 2).is_none());
    assert_eq!(refs.grow(&mut store, 2, Ref::Extern(Some(value))).unwrap(), 2);
    store.gc(None).unwrap();
    let is_null = instance.get_typed_func::<i32, i32>(&mut store, "is_null").unwrap();
    let nulls: Vec<i32> = (0..4).map(|i| is_null.call(&mut store, i).unwrap()).collect();
    assert_eq!(nulls, [1, 0, 0, 0]);
    let grow = instance.get_func(&mut store, "grow").unwrap();
    let mut results = [Val::I32(0)];
    grow.call(&mut store, &[Val::null_extern_ref(), Val::I32(3)], &mut results).unwrap();
    assert_eq!(results[0].unwrap_i32(), -1, "the maximum is six");
    grow.call(&mut store, &[Val::null_extern_ref(), Val::I32(2)], &mut results).unwrap();
    assert_eq!((results[0].unwrap_i32(), refs.size(&store)), (4, 6));
    assert!(refs.grow(&mut store, 1, Ref::Extern(None)).is_err());
    assert!(is_null.call(&mut store, 6).is_err());
    refs.fill(&mut store, 0, Ref::Extern(None), 6).unwrap();
    assert_eq!(is_null.call(&mut store, 3).unwrap(), 1);
}

#[test]
fn tables_of_functions_are_the_engines() {
    let (mut store, instance) = instance(MODULE);
    let funcs = instance.get_table(&mut store, "funcs").unwrap();
    let f = instance.get_func(&mut store, "f").unwrap();
    funcs.set(&mut store, 0, Ref::Func(Some(f))).unwrap();
    let Some(Ref::Func(Some(back))) = funcs.get(&mut store, 0) else { panic!("no function") };
    let mut results = [Val::I32(0)];
    back.call(&mut store, &[], &mut results).unwrap();
    assert_eq!(results[0].unwrap_i32(), 11);
}

#[test]
fn the_host_makes_globals_and_tables_that_modules_import() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "" "g" (global $g (mut externref)))
            (import "" "t" (table $t 1 externref))
            (func (export "move") (global.set $g (table.get $t (i32.const 0))))
            (export "again" (global $g)) (export "table" (table $t)))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let ty = GlobalType::new(ValType::EXTERNREF, Mutability::Var);
    let global = Global::new(&mut store, ty, Val::null_extern_ref()).unwrap();
    let value = ExternRef::new(&mut store, 3i32).unwrap();
    let ty = TableType::new(RefType::EXTERNREF, 3, Some(8));
    let table = Table::new(&mut store, ty, Ref::Extern(Some(value))).unwrap();
    let instance = Instance::new(&mut store, &module, &[global.into(), table.into()]).unwrap();
    instance.get_typed_func::<(), ()>(&mut store, "move").unwrap().call(&mut store, ()).unwrap();
    let back = *global.get(&mut store).unwrap_extern_ref().unwrap();
    assert_eq!(back.data(&store).unwrap().unwrap().downcast_ref::<i32>(), Some(&3));
    let again = instance.get_global(&mut store, "again").unwrap();
    again.set(&mut store, Val::null_extern_ref()).unwrap();
    assert!(global.get(&mut store).unwrap_extern_ref().is_none());
    let names: Vec<String> = instance.exports(&mut store).map(|export| export.name().to_string()).collect();
    assert_eq!(names, ["move", "again", "table"]);
    let Some(Extern::Table(table)) = instance.get_export(&mut store, "table") else { panic!("no table") };
    assert_eq!(table.size(&store), 3);
}

#[test]
fn modules_show_their_original_types() {
    let engine = Engine::default();
    let module = Module::new(&engine, MODULE).unwrap();
    let types: Vec<String> = module
        .exports()
        .map(|export| match export.ty() {
            wasmtime_gc::api::ExternType::Global(ty) => format!("{}: {}", export.name(), ty.content()),
            wasmtime_gc::api::ExternType::Table(ty) => format!("{}: {}", export.name(), ty.element()),
            wasmtime_gc::api::ExternType::Func(ty) => format!("{}: {ty}", export.name()),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        types[..6],
        [
            "number: i32",
            "kept: (ref null extern)",
            "fixed: (ref null i31)",
            "refs: (ref null extern)",
            "funcs: (ref null func)",
            "f: (type (func (result i32)))",
        ]
    );
}

/// A limiter was not asked for tables that live in the heap: the engine asks it for its own alone.
#[test]
fn a_limiter_bounds_tables_of_references_as_it_does_tables_of_functions() {
    for ty in ["externref", "anyref", "funcref", "exnref"] {
        let text = format!(
            r#"(module (table $t (export "t") 3 {ty})
                (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null {}) (local.get 0))))"#,
            &ty[..ty.len() - 3]
        );
        let engine = Engine::default();
        let module = Module::new(&engine, &text).unwrap();
        let limits = |n| wasmtime_gc::api::StoreLimitsBuilder::new().table_elements(n).build();
        let mut store = Store::new(&engine, limits(10));
        store.limiter(|limits| limits);
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow").unwrap();
        let sizes: Vec<i32> = [4, 4, 3, 1].iter().map(|&n| grow.call(&mut store, n).unwrap()).collect();
        assert_eq!(sizes, [3, -1, 7, -1], "{ty}");
        let table = instance.get_table(&mut store, "t").unwrap();
        let null = Ref::null(table.ty(&store).element().heap_type());
        assert!(table.grow(&mut store, 1, null).is_err(), "{ty}: from the host");
        let mut store = Store::new(&engine, limits(2));
        store.limiter(|limits| limits);
        let err = Instance::new(&mut store, &module, &[]).unwrap_err();
        assert!(format!("{err:#}").contains("table"), "{ty}: {err:#}");
    }
}
