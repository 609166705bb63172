//! Globals, tables, memories.

use super::wasmtime::{
    AnyRef, Engine, Extern, ExternRef, ExternType, FuncType, Global, GlobalType, I31, Memory, MemoryType,
    MemoryTypeBuilder, Mutability, Ref, RefType, SharedMemory, Store, Table, TableType, Tag, TagType, Trap, Val,
    ValType,
};
use super::{engine, instance, store, text};

#[test]
fn globals_of_every_type_are_made_read_and_written() {
    let mut store = store();
    let external = ExternRef::new(&mut store, 4).unwrap();
    let any = AnyRef::from_i31(&mut store, I31::wrapping_u32(4));
    let cases: [(ValType, Val); 8] = [
        (ValType::I32, Val::I32(4)),
        (ValType::I64, Val::I64(4)),
        (ValType::F32, Val::F32(4)),
        (ValType::F64, Val::F64(4)),
        (ValType::V128, Val::V128(4u128.into())),
        (ValType::FUNCREF, Val::FuncRef(None)),
        (ValType::EXTERNREF, external.into()),
        (ValType::ANYREF, any.into()),
    ];
    for (ty, val) in cases {
        let ty = GlobalType::new(ty, Mutability::Var);
        let global = ty.default_value(&mut store).unwrap();
        global.set(&mut store, val).unwrap();
        store.gc(None).unwrap();
        let found = global.get(&mut store);
        assert!(found.matches_ty(&store, global.ty(&store).content()).unwrap());
        assert_eq!(found.ref_().map(|r| r.is_null()), val.ref_().map(|r| r.is_null()));
        assert!(global.ty(&store).mutability().is_var());
    }
    let fixed = Global::new(&mut store, GlobalType::new(ValType::I32, Mutability::Const), Val::I32(1)).unwrap();
    assert!(text(fixed.set(&mut store, Val::I32(2)).unwrap_err()).contains("immutable global cannot be set"));
    assert!(Global::new(&mut store, GlobalType::new(ValType::I32, Mutability::Var), Val::I64(1)).is_err());
}

fn tables(store: &mut Store<u32>) -> [(Table, Ref); 3] {
    let external = ExternRef::new(&mut *store, 1).unwrap();
    let any = AnyRef::from_i31(&mut *store, I31::wrapping_u32(3));
    let func = super::wasmtime::Func::wrap(&mut *store, || {});
    [
        (RefType::EXTERNREF, Ref::Extern(None), external.into()),
        (RefType::ANYREF, Ref::Any(None), any.into()),
        (RefType::FUNCREF, Ref::Func(None), func.into()),
    ]
    .map(|(ty, null, some)| (Table::new(&mut *store, TableType::new(ty, 4, Some(8)), null).unwrap(), some))
}

#[test]
fn tables_are_filled_copied_and_grown() {
    let mut store = store();
    for (table, some) in tables(&mut store) {
        table.set(&mut store, 1, some.clone()).unwrap();
        table.fill(&mut store, 2, some.clone(), 1).unwrap();
        Table::copy(&mut store, &table, 0, &table, 1, 3).unwrap();
        let nulls = |table: &Table, store: &mut Store<u32>| -> Vec<bool> {
            (0..table.size(&*store)).map(|i| table.get(&mut *store, i).unwrap().is_null()).collect()
        };
        assert_eq!(nulls(&table, &mut store), [false, false, true, true]);
        let other = table.ty(&store).default_value(&mut store).unwrap();
        Table::copy(&mut store, &other, 2, &table, 1, 2).unwrap();
        store.gc(None).unwrap();
        assert_eq!(nulls(&other, &mut store), [true, true, false, true]);
        assert_eq!(table.grow(&mut store, 3, some.clone()).unwrap(), 4);
        assert_eq!((table.size(&store), table.get(&mut store, 6).unwrap().is_null()), (7, false));
        assert!(table.grow(&mut store, 2, some.clone()).is_err());
        let err = Table::copy(&mut store, &other, 3, &table, 0, 2).unwrap_err();
        assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::TableOutOfBounds));
        assert!(table.set(&mut store, 7, some.clone()).is_err() && table.fill(&mut store, 6, some, 2).is_err());
        assert!(table.get(&mut store, 7).is_none());
        assert_eq!(table.ty(&store).maximum(), Some(8));
    }
    let [externals, anys, _] = tables(&mut store).map(|(table, _)| table);
    assert!(text(Table::copy(&mut store, &externals, 0, &anys, 0, 1).unwrap_err()).contains("type mismatch"));
}

#[test]
fn exported_entities_are_shared() {
    let (mut store, instance) = instance(
        r#"(module
            (global $g (export "g") (mut anyref) (ref.null any))
            (table $t (export "t") 1 4 anyref)
            (memory (export "m") 1 2)
            (func (export "move") (table.set $t (i32.const 0) (global.get $g)))
            (func (export "grow") (result i32) (table.grow $t (ref.null any) (i32.const 1))))"#,
    );
    let g = instance.get_global(&mut store, "g").unwrap();
    let t = instance.get_table(&mut store, "t").unwrap();
    let any = AnyRef::from_i31(&mut store, I31::wrapping_u32(6));
    g.set(&mut store, any.into()).unwrap();
    instance.get_typed_func::<(), ()>(&mut store, "move").unwrap().call(&mut store, ()).unwrap();
    let found = t.get(&mut store, 0).unwrap();
    assert_eq!(found.unwrap_any().unwrap().unwrap_i31(&store).unwrap().get_u32(), 6);
    let grow = instance.get_typed_func::<(), i32>(&mut store, "grow").unwrap();
    assert_eq!((grow.call(&mut store, ()).unwrap(), t.size(&store)), (1, 2));
    let names: Vec<String> = instance.exports(&mut store).map(|export| export.name().to_string()).collect();
    assert_eq!(names, ["g", "t", "m", "move", "grow"]);
    let memory = instance.get_memory(&mut store, "m").unwrap();
    memory.write(&mut store, 10, b"bytes").unwrap();
    let mut buffer = [0; 5];
    memory.read(&store, 10, &mut buffer).unwrap();
    assert_eq!((&buffer, memory.data(&store)[10], memory.data_size(&store)), (b"bytes", b'b', 65536));
    assert_eq!((memory.grow(&mut store, 1).unwrap(), memory.size(&store)), (1, 2));
    assert!(memory.grow(&mut store, 1).is_err());
    assert_eq!((memory.page_size(&store), memory.page_size_log2(&store)), (65536, 16));
    let (bytes, data) = memory.data_and_store_mut(&mut store);
    bytes[0] = 3;
    *data = 4;
    assert_eq!((memory.data(&store)[0], *store.data()), (3, 4));
    assert!(!memory.data_ptr(&store).is_null());
    assert!(matches!(instance.get_export(&mut store, "m"), Some(Extern::Memory(_))));
    assert!(instance.get_func(&mut store, "m").is_none() && instance.get_tag(&mut store, "m").is_none());
}

#[test]
fn externs_have_types_and_defaults() {
    let engine: Engine = engine();
    let mut store = Store::new(&engine, 0u32);
    let ty = FuncType::new(&engine, [ValType::I32], []);
    let types: Vec<ExternType> = vec![
        FuncType::new(&engine, [], [ValType::I32, ValType::ANYREF]).into(),
        GlobalType::new(ValType::EXTERNREF, Mutability::Var).into(),
        TableType::new(RefType::ANYREF, 1, None).into(),
        MemoryType::new(1, Some(2)).into(),
        TagType::new(ty).into(),
    ];
    for ty in types {
        let of: Extern = ty.default_value(&mut store).unwrap();
        let found = of.ty(&store);
        assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(&ty));
        assert_eq!(found.func().is_some(), of.clone().into_func().is_some());
        assert_eq!(found.tag().is_some(), of.clone().into_tag().is_some());
        assert_eq!(found.memory().is_some(), of.into_memory().is_some());
    }
    let never = TableType::new(RefType::new(false, super::wasmtime::HeapType::Any), 1, None);
    assert!(ExternType::from(never).default_value(&mut store).is_err());
    let memory = Memory::new(&mut store, MemoryTypeBuilder::new().min(1).max(Some(3)).build().unwrap()).unwrap();
    assert_eq!(memory.ty(&store).maximum(), Some(3));
    let tag = Tag::new(&mut store, &TagType::new(FuncType::new(&engine, [ValType::I64], []))).unwrap();
    assert!(Tag::eq(&tag, &tag, &store));
}

#[test]
fn memories_are_shared_between_threads() {
    let mut config = super::wasmtime::Config::new();
    config.wasm_threads(true).shared_memory(true);
    let engine = Engine::new(&config).unwrap();
    let memory = SharedMemory::new(&engine, MemoryType::shared(1, 2)).unwrap();
    let mut store = Store::new(&engine, ());
    let module = super::wasmtime::Module::new(
        &engine,
        r#"(module
            (import "" "m" (memory 1 2 shared))
            (export "m" (memory 0))
            (func (export "add") (result i32) (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))"#,
    )
    .unwrap();
    let instance = super::wasmtime::Instance::new(&mut store, &module, &[memory.clone().into()]).unwrap();
    let add = instance.get_typed_func::<(), i32>(&mut store, "add").unwrap();
    assert_eq!([add.call(&mut store, ()).unwrap(), add.call(&mut store, ()).unwrap()], [0, 1]);
    assert_eq!(memory.size(), 1);
    let shared = instance.get_shared_memory(&mut store, "m").unwrap();
    assert_eq!(shared.data_size(), memory.data_size());
}
