//! Functions, globals, tables and memories, used well and badly.

use super::wasmtime::*;
use super::{Log, instance, store};

/// Calls with the wrong arguments.
pub fn calls(log: &mut Log) {
    let (mut store, made) = instance(
        r#"(module
            (type $s (struct (field i32)))
            (func (export "f") (param i32 anyref) (result i64) (i64.const 5))
            (func (export "g") (param (ref $s)) (result (ref null $s)) (local.get 0))
            (func (export "h") (param funcref externref) (result funcref) (local.get 0))
            (func (export "i") (param (ref i31)) (result i31ref) (local.get 0))
            (func (export "n") (param nullref) (result nullref) (local.get 0))
            (func (export "v") (param v128 f32 f64) (result f64 f32 v128) (local.get 2) (local.get 1) (local.get 0)))"#,
    );
    let external = ExternRef::new(&mut store, 5).unwrap();
    let i31 = AnyRef::from_i31(&mut store, I31::wrapping_u32(7));
    let values = [
        ("i32", Val::I32(1)),
        ("i64", Val::I64(1)),
        ("f64", Val::F64(1.5f64.to_bits())),
        ("null func", Val::FuncRef(None)),
        ("null extern", Val::ExternRef(None)),
        ("null any", Val::AnyRef(None)),
        ("null exn", Val::ExnRef(None)),
        ("extern", Val::ExternRef(Some(external))),
        ("i31", Val::AnyRef(Some(i31))),
    ];
    for name in ["f", "g", "h", "i", "n"] {
        let func = made.get_func(&mut store, name).unwrap();
        let ty = func.ty(&store);
        log.see(name, format!("{:?}", ty.params().map(|ty| ty.is_ref()).collect::<Vec<_>>()));
        for (text, value) in &values {
            let args = vec![value.clone(); ty.params().len()];
            let mut results = vec![Val::I32(0); ty.results().len()];
            let result = func.call(&mut store, &args, &mut results);
            let result = result.map(|()| results.iter().map(|v| v.ref_().is_some()).collect::<Vec<_>>());
            // Ids of concrete types differ.
            let result = result.map_err(|err| if name == "g" { Error::msg("refused") } else { err });
            log.put(&format!("{name} {text}"), result);
        }
        log.put(&format!("{name} none"), func.call(&mut store, &[], &mut []));
        let args: Vec<Val> = ty.params().filter_map(|ty| ty.default_value()).collect();
        log.put(&format!("{name} no results"), func.call(&mut store, &args, &mut []));
    }
    let v = made.get_func(&mut store, "v").unwrap();
    let mut results = vec![Val::I32(0); 3];
    let args = [Val::V128(7u128.into()), 2.5f32.into(), f64::NEG_INFINITY.into()];
    v.call(&mut store, &args, &mut results).unwrap();
    log.see("vectors", format!("{results:?}"));
}

/// Host functions that return what they should not.
pub fn hosts(log: &mut Log) {
    let mut store = store();
    let engine = store.engine().clone();
    let types = [ValType::I32, ValType::I64, ValType::ANYREF, ValType::EXTERNREF, ValType::FUNCREF, ValType::I31REF];
    for ty in types {
        let func_type = FuncType::new(&engine, [], [ty.clone()]);
        for (text, value) in [
            ("i32", Some(Val::I32(3))),
            ("any", Some(Val::AnyRef(None))),
            ("extern", Some(Val::ExternRef(None))),
            ("func", Some(Val::FuncRef(None))),
            ("nothing", None),
        ] {
            let func = Func::new(&mut store, func_type.clone(), move |_, args, results| {
                assert!(args.is_empty());
                if let Some(value) = &value {
                    results[0] = value.clone();
                }
                Ok(())
            });
            let mut results = [Val::I64(0)];
            let result = func.call(&mut store, &[], &mut results).map(|()| format!("{:?}", results[0]));
            log.put(&format!("{ty} {text}"), result);
        }
    }
    let failing = Func::wrap(&mut store, || -> Result<i32> { Err(Error::msg("of the host").context("outer")) });
    log.put("error", failing.typed::<(), i32>(&store).unwrap().call(&mut store, ()));
    let trapping = Func::wrap(&mut store, || -> Result<()> { Err(Trap::StackOverflow.into()) });
    log.put("trap", trapping.call(&mut store, &[], &mut []));
    let module = Module::new(
        &engine,
        r#"(module $m (import "h" "f" (func $f (param anyref))) (type $s (struct))
            (func $inner (param i32) (call $f (struct.new $s)))
            (func $outer (export "run") nop (call $inner (i32.const 1))))"#,
    )
    .unwrap();
    let fail = Func::wrap(&mut store, |caller: Caller<'_, u32>, any: Option<Rooted<AnyRef>>| -> Result<()> {
        let trace = WasmBacktrace::capture(&caller);
        let frames: Vec<_> = trace
            .frames()
            .iter()
            .map(|f| (f.func_index(), f.func_name().map(str::to_owned), f.func_offset(), f.module_offset()))
            .collect();
        Err(Error::msg(format!("{frames:?} {:?}", any.unwrap().is_struct(&caller))).context("from the host"))
    });
    let made = Instance::new(&mut store, &module, &[fail.into()]).unwrap();
    let run = made.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    log.put("through wasm", run.call(&mut store, ()));
    let err = run.call(&mut store, ()).unwrap_err();
    log.see("root cause", err.root_cause().to_string());
    log.see("chain", err.chain().map(|err| err.to_string()).collect::<Vec<_>>());
    log.see("display", format!("{err} | {err:#}"));
    let panicking = Func::wrap(&mut store, |_: Option<Rooted<AnyRef>>| -> () { panic!("of the host") });
    let made = Instance::new(&mut store, &module, &[panicking.into()]).unwrap();
    let run = made.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    log.panics("panic", || run.call(&mut store, ()));
    log.panics("closure of unknown results", || {
        let mut store = super::store();
        let func = Func::wrap(&mut store, |a: i32, b: i64, c: f32, d: f64| (a, b, c, d));
        let mut results = vec![Val::I32(0); 4];
        func.call(&mut store, &[1.into(), 2i64.into(), 3f32.into(), 4f64.into()], &mut results).unwrap();
        assert_eq!(format!("{results:?}"), "[I32(1), I64(2), F32(1077936128), F64(4616189618054758400)]");
    });
}

/// Globals.
pub fn globals(log: &mut Log) {
    let mut store = store();
    let i31 = AnyRef::from_i31(&mut store, I31::wrapping_u32(7));
    let external = ExternRef::new(&mut store, 5).unwrap();
    let values = [
        Val::I32(1),
        Val::I64(2),
        Val::AnyRef(None),
        Val::AnyRef(Some(i31)),
        Val::ExternRef(Some(external)),
        Val::FuncRef(None),
    ];
    let types = [
        ValType::I32,
        ValType::ANYREF,
        ValType::EXTERNREF,
        ValType::I31REF,
        ValType::NULLREF,
        ValType::FUNCREF,
        ValType::Ref(RefType::new(false, HeapType::I31)),
        ValType::Ref(RefType::new(false, HeapType::Eq)),
    ];
    for ty in types {
        for (i, value) in values.iter().enumerate() {
            for mutability in [Mutability::Const, Mutability::Var] {
                let made = Global::new(&mut store, GlobalType::new(ty.clone(), mutability), value.clone());
                log.put(
                    &format!("{ty} {i} {mutability:?}"),
                    made.as_ref().map(|_| ()).map_err(|err| Error::msg(format!("{err:?}"))),
                );
                let Ok(global) = made else { continue };
                for (i, value) in values.iter().enumerate() {
                    log.put(&format!("set {i}"), global.set(&mut store, value.clone()));
                }
                log.see("is ref", global.get(&mut store).ref_().is_some());
            }
        }
    }
}

/// The same, without an error that names a defined type: its number is another.
fn brief<T>(name: &str, result: Result<T>) -> Result<T> {
    result.map_err(|err| if name == "func" { Error::msg("refused") } else { err })
}

/// Tables.
pub fn tables(log: &mut Log) {
    let mut store = store();
    let i31 = AnyRef::from_i31(&mut store, I31::wrapping_u32(7));
    let external = ExternRef::new(&mut store, 5).unwrap();
    let func = Func::wrap(&mut store, || ());
    let values = [
        ("null any", Ref::Any(None)),
        ("i31", Ref::Any(Some(i31))),
        ("extern", Ref::Extern(Some(external))),
        ("null func", Ref::Func(None)),
        ("func", Ref::Func(Some(func))),
        ("null exn", Ref::Exn(None)),
    ];
    let types = [
        TableType::new(RefType::ANYREF, 3, Some(5)),
        TableType::new(RefType::FUNCREF, 3, Some(5)),
        TableType::new(RefType::EXTERNREF, 3, None),
        TableType::new(RefType::new(false, HeapType::I31), 3, None),
        TableType::new(RefType::NULLREF, 3, Some(5)),
        TableType::new64(RefType::EQREF, 3, Some(5)),
    ];
    for ty in types {
        log.see("type", (ty.minimum(), ty.maximum(), ty.is_64(), ty.element().is_nullable()));
        for (name, value) in &values {
            let what = format!("{} {name}", ty.element());
            let made = Table::new(&mut store, ty.clone(), value.clone());
            log.put(&what, brief(name, made.as_ref().map(|_| ()).map_err(|err| Error::msg(format!("{err:?}")))));
            let Ok(table) = made else { continue };
            log.see("size", table.size(&store));
            log.see("out", (table.get(&mut store, 3).is_some(), table.get(&mut store, u64::MAX).is_some()));
            for (name, value) in &values {
                log.put(&format!("set {name}"), brief(name, table.set(&mut store, 1, value.clone())));
                log.put(&format!("set out {name}"), brief(name, table.set(&mut store, 3, value.clone())));
                log.put(&format!("fill {name}"), brief(name, table.fill(&mut store, 1, value.clone(), 2)));
                log.put(&format!("fill out {name}"), brief(name, table.fill(&mut store, 2, value.clone(), 2)));
                log.put(&format!("grow {name}"), brief(name, table.grow(&mut store, 1, value.clone())));
            }
            log.put("grow too far", table.grow(&mut store, 100, value.clone()).map_err(|e| e.context("far")));
            log.put("grow by nothing", table.grow(&mut store, 0, value.clone()));
            log.put("copy", Table::copy(&mut store, &table, 0, &table, 1, 2));
            log.put("copy out", Table::copy(&mut store, &table, 2, &table, 0, 9));
            log.see(
                "elements",
                (0..table.size(&store)).map(|i| table.get(&mut store, i).unwrap().is_null()).collect::<Vec<_>>(),
            );
            log.see("type now", (table.ty(&store).minimum(), table.ty(&store).maximum()));
        }
    }
    let a = Table::new(&mut store, TableType::new(RefType::ANYREF, 3, Some(5)), Ref::Any(None)).unwrap();
    let b = Table::new(&mut store, TableType::new(RefType::EQREF, 3, Some(5)), Ref::Any(None)).unwrap();
    let c = Table::new(&mut store, TableType::new(RefType::FUNCREF, 3, Some(5)), Ref::Func(None)).unwrap();
    log.put("copy up", Table::copy(&mut store, &a, 0, &b, 0, 2));
    log.put("copy down", Table::copy(&mut store, &b, 0, &a, 0, 2));
    log.put("copy across", Table::copy(&mut store, &c, 0, &a, 0, 2));
}

/// Memories.
pub fn memories(log: &mut Log) {
    let mut store = store();
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(3))).unwrap();
    log.put("grow", memory.grow(&mut store, 1));
    log.put("grow too far", memory.grow(&mut store, 2));
    log.put("grow much too far", memory.grow(&mut store, u64::MAX));
    log.see(
        "sizes",
        (memory.size(&store), memory.data_size(&store), memory.page_size(&store), memory.page_size_log2(&store)),
    );
    log.see("write", memory.write(&mut store, 2 * 65536 - 1, &[1, 2]).map_err(|err| err.to_string()));
    log.see("write at the end", memory.write(&mut store, 2 * 65536 - 2, &[1, 2]).map_err(|err| err.to_string()));
    let mut bytes = [0; 4];
    log.see("read", memory.read(&store, 2 * 65536 - 3, &mut bytes).map_err(|err| err.to_string()));
    log.see("read well", memory.read(&store, 2 * 65536 - 4, &mut bytes).map_err(|err| err.to_string()));
    log.see("bytes", bytes);
    memory.data_mut(&mut store)[0] = 9;
    let (data, user) = memory.data_and_store_mut(&mut store);
    *user = u32::from(data[0]);
    log.see("data", *store.data());
    log.put("min and max", MemoryTypeBuilder::default().min(3).max(Some(1)).build().map(|_| ()));
    log.put("large", MemoryTypeBuilder::default().min(65537).build().map(|_| ()));
    log.put("shared", Memory::new(&mut store, MemoryType::shared(1, 2)).map(|_| ()));
    log.put("not shared", SharedMemory::new(store.engine(), MemoryType::new(1, None)).map(|_| ()));
    log.put("odd pages", MemoryTypeBuilder::default().page_size_log2(7).build().map(|_| ()));
    let memory = Memory::new(&mut store, MemoryType::new64(1, Some(3))).unwrap();
    log.see("64", format!("{:?}", memory.ty(&store)));
}
