//! Modules, imports and linkers that are refused.

use super::wasmtime::*;
use super::{Log, Setting, config, engine, store};

/// Modules that are none.
pub fn modules(log: &mut Log) {
    let engine = engine();
    let texts = [
        "(module (func (result i32)))",
        "(module (func (export \"a\")) (func (export \"a\")))",
        "(module (func (result i32) i64.const 1))",
        "(module (type $s (struct (field i32))) (func (param (ref $s)) (struct.set $s 0 (local.get 0) (i32.const 1))))",
        "(module (type $s (struct (field i32))) (func (result (ref $s)) (struct.new $s)))",
        "(module (memory 1) (memory 1) (start 7))",
        "(module (func (local.get 3)))",
        "(module (func call 9))",
        "(module (global i32 (i64.const 1)))",
        "(module (type $a (sub final (struct))) (type (sub $a (struct))))",
        "(module (table 1 (ref func)))",
        "(module (func unknown.op))",
        "(module",
        "(component)",
        "",
    ];
    for text in texts {
        log.put(text, Module::new(&engine, text).map(|_| ()));
    }
    log.put("binary", Module::from_binary(&engine, b"\0asm\x01\0\0\0\x05").map(|_| ()));
    log.put("short", Module::from_binary(&engine, b"\0as").map(|_| ()));
    log.put("empty", Module::from_binary(&engine, b"").map(|_| ()));
    log.put("text as binary", Module::from_binary(&engine, b"(module)").map(|_| ()));
    log.put("version", Module::new(&engine, b"\0asm\x02\0\0\0").map(|_| ()));
    log.put("no file", Module::from_file(&engine, "/nowhere/at/all.wasm").map(|_| ()));
    log.put("validate", Module::validate(&engine, b"\0asm\x01\0\0\0\x05"));
    log.put("validate well", Module::validate(&engine, b"\0asm\x01\0\0\0"));
    // SAFETY: none of these is compiled code, which is found out.
    unsafe {
        log.put("no code", Module::deserialize(&engine, b"nothing").map(|_| ()).map_err(|_| Error::msg("refused")));
        log.put(
            "no code file",
            Module::deserialize_file(&engine, "/nowhere").map(|_| ()).map_err(|_| Error::msg("refused")),
        );
    }
    // Why it is none is told in other words.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"nothing").unwrap();
    // SAFETY: as above.
    let none = unsafe { Module::deserialize_file(&engine, file.path()) }.map(|_| ());
    let place = file.path().display().to_string();
    log.put("file", none.map_err(|err| Error::msg(err.to_string().replace(&place, "PLACE"))));
    log.see("detect", Engine::detect_precompiled(b"nothing"));
}

/// Proposals that are switched off.
pub fn features(log: &mut Log) {
    let off: [(&str, Setting, &str); 12] = [
        ("simd", |c| c.wasm_simd(false).wasm_relaxed_simd(false), "(module (func (drop (v128.const i64x2 0 0))))"),
        ("multi-value", |c| c.wasm_multi_value(false), "(module (func (result i32 i32) unreachable))"),
        (
            "bulk",
            |c| {
                c.wasm_bulk_memory(false)
                    .wasm_reference_types(false)
                    .wasm_function_references(false)
                    .wasm_gc(false)
                    .wasm_exceptions(false)
            },
            "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))",
        ),
        ("tail", |c| c.wasm_tail_call(false), "(module (func return_call 0))"),
        ("gc", |c| c.wasm_gc(false), "(module (type (struct)))"),
        ("gc values", |c| c.wasm_gc(false), "(module (func (drop (ref.i31 (i32.const 1)))))"),
        ("exceptions", |c| c.wasm_exceptions(false), "(module (tag))"),
        ("memory64", |c| c.wasm_memory64(false), "(module (memory i64 1))"),
        ("multi-memory", |c| c.wasm_multi_memory(false), "(module (memory 1) (memory 1))"),
        ("threads", |c| c.wasm_threads(false), "(module (memory 1 1 shared))"),
        ("const", |c| c.wasm_extended_const(false), "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))"),
        (
            "wide",
            |c| c.wasm_wide_arithmetic(false),
            "(module (func (i64.add128 (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)) drop drop))",
        ),
    ];
    for (name, switch, text) in off {
        let mut config = config();
        switch(&mut config);
        let result = Engine::new(&config).and_then(|engine| Module::new(&engine, text).map(|_| ()));
        log.put(name, result);
    }
}

/// Imports that are not there, or others.
pub fn imports(log: &mut Log) {
    let mut store = store();
    let engine = store.engine().clone();
    let import = |ty: &str| Module::new(&engine, format!("(module (import \"m\" \"n\" {ty}))")).unwrap();
    let func = Func::wrap(&mut store, |n: i32| n);
    let table = Table::new(&mut store, TableType::new(RefType::FUNCREF, 1, Some(2)), Ref::Func(None)).unwrap();
    let anys = Table::new(&mut store, TableType::new(RefType::ANYREF, 1, Some(2)), Ref::Any(None)).unwrap();
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(2))).unwrap();
    let i32s = Global::new(&mut store, GlobalType::new(ValType::I32, Mutability::Const), Val::I32(1)).unwrap();
    let any = Global::new(&mut store, GlobalType::new(ValType::ANYREF, Mutability::Var), Val::AnyRef(None)).unwrap();
    let tag_type = TagType::new(FuncType::new(&engine, [ValType::I32], []));
    let tag = Tag::new(&mut store, &tag_type).unwrap();
    let externs: [(&str, Extern); 7] = [
        ("func", func.into()),
        ("table", table.into()),
        ("anys", anys.into()),
        ("memory", memory.into()),
        ("i32", i32s.into()),
        ("any", any.into()),
        ("tag", tag.into()),
    ];
    let types = [
        "(func)",
        "(func (param i32) (result i32))",
        "(func (param anyref) (result i32))",
        "(func (param i32) (result (ref i31)))",
        "(table 1 funcref)",
        "(table 2 3 funcref)",
        "(table 1 1 funcref)",
        "(table 1 anyref)",
        "(table 2 2 anyref)",
        "(table 1 (ref null i31))",
        "(table i64 1 funcref)",
        "(memory 1)",
        "(memory 2 2)",
        "(memory 1 1)",
        "(memory i64 1)",
        "(memory 1 2 shared)",
        "(global i32)",
        "(global (mut i32))",
        "(global i64)",
        "(global anyref)",
        "(global (mut anyref))",
        "(global (mut eqref))",
        "(global externref)",
        "(tag)",
        "(tag (param i32))",
        "(tag (param anyref))",
    ];
    for ty in types {
        let module = import(ty);
        for (name, definition) in &externs {
            let made = Instance::new(&mut store, &module, std::slice::from_ref(definition)).map(|_| ());
            log.put(&format!("{ty} <- {name}"), made);
            let mut linker = Linker::new(&engine);
            linker.define(&store, "m", "n", definition.clone()).unwrap();
            log.put(&format!("{ty} <- {name}, linked"), linker.instantiate(&mut store, &module).map(|_| ()));
        }
        log.put(&format!("{ty} <- nothing"), Instance::new(&mut store, &module, &[]).map(|_| ()));
        log.put(&format!("{ty} unknown"), Linker::new(&engine).instantiate(&mut store, &module).map(|_| ()));
        log.put(&format!("{ty} unknown before"), Linker::<u32>::new(&engine).instantiate_pre(&module).map(|_| ()));
    }
}

/// Function types that are others, with declared supertypes and not.
pub fn subtypes(log: &mut Log) {
    let mut store = store();
    let engine = store.engine().clone();
    let exporter = Module::new(
        &engine,
        r#"(module
            (type $super (sub (func (result anyref))))
            (type $sub (sub $super (func (result (ref i31)))))
            (type $other (func (result (ref i31))))
            (func (export "super") (type $super) ref.null any)
            (func (export "sub") (type $sub) (ref.i31 (i32.const 1)))
            (func (export "other") (type $other) (ref.i31 (i32.const 1))))"#,
    )
    .unwrap();
    let of = Instance::new(&mut store, &exporter, &[]).unwrap();
    let types = [
        "(type $super (sub (func (result anyref)))) (import \"m\" \"f\" (func (type $super)))",
        "(type $super (sub (func (result anyref)))) (type $sub (sub $super (func (result (ref i31))))) (import \"m\" \"f\" (func (type $sub)))",
        "(import \"m\" \"f\" (func (result (ref i31))))",
        "(import \"m\" \"f\" (func (result anyref)))",
    ];
    for ty in types {
        let importer = Module::new(&engine, format!("(module {ty})")).unwrap();
        for name in ["super", "sub", "other"] {
            let export = of.get_export(&mut store, name).unwrap();
            let made = Instance::new(&mut store, &importer, &[export]);
            log.see(&format!("{ty} <- {name}"), made.is_ok());
            let func = of.get_func(&mut store, name).unwrap();
            log.see(name, func.ty(&store).finality());
        }
    }
    let func = of.get_func(&mut store, "sub").unwrap();
    log.put("typed", func.typed::<(), Option<Rooted<AnyRef>>>(&store).map(|_| ()));
    log.put("typed i31", func.typed::<(), I31>(&store).map(|_| ()));
    log.put("typed struct", func.typed::<(), Option<Rooted<StructRef>>>(&store).map(|_| ()));
    log.put("typed i32", func.typed::<(), i32>(&store).map(|_| ()));
    log.put("typed params", func.typed::<i32, ()>(&store).map(|_| ()));
    log.put("typed more", func.typed::<(i32, i64), (i32, i32)>(&store).map(|_| ()));
    log.put("no such", of.get_typed_func::<(), ()>(&mut store, "nothing").map(|_| ()));
    log.put("another type", of.get_typed_func::<(i64,), ()>(&mut store, "other").map(|_| ()));
}

/// Linkers.
pub fn linkers(log: &mut Log) {
    let engine = engine();
    let mut store = Store::new(&engine, 0u32);
    let mut linker = Linker::<u32>::new(&engine);
    log.put("wrap", linker.func_wrap("a", "f", |n: i32| n).map(|_| ()));
    log.put("twice", linker.func_wrap("a", "f", |n: i32| n).map(|_| ()));
    log.put("new twice", linker.func_new("a", "f", FuncType::new(&engine, [], []), |_, _, _| Ok(())).map(|_| ()));
    log.put("other type", linker.func_wrap("a", "f", |n: i64| n).map(|_| ()));
    let global = Global::new(&mut store, GlobalType::new(ValType::I32, Mutability::Const), Val::I32(1)).unwrap();
    log.put("define", linker.define(&store, "a", "g", global).map(|_| ()));
    log.put("define twice", linker.define(&store, "a", "g", global).map(|_| ()));
    log.put("alias", linker.alias("a", "f", "b", "f").map(|_| ()));
    log.put("alias of nothing", linker.alias("a", "h", "b", "h").map(|_| ()));
    log.put("alias twice", linker.alias("a", "f", "a", "g").map(|_| ()));
    log.put("alias module", linker.alias_module("a", "c").map(|_| ()));
    log.put("alias no module", linker.alias_module("z", "y").map(|_| ()));
    log.see("get", linker.get(&mut store, "c", "f").is_ok());
    log.see("get nothing", linker.get(&mut store, "c", "h").is_ok());
    log.put("default", linker.get_default(&mut store, "a").map(|f| f.ty(&store).params().len()));
    log.put("default of nothing", linker.get_default(&mut store, "zz").map(|f| f.ty(&store).params().len()));
    linker.func_wrap("d", "", || 5).unwrap();
    log.put("default named", linker.get_default(&mut store, "d").map(|f| f.ty(&store).results().len()));
    let odd = Module::new(&engine, "(module (func (export \"_start\") (param i32)))").unwrap();
    log.put("odd command", linker.module(&mut store, "odd", &odd).map(|_| ()));
    let command = Module::new(
        &engine,
        "(module (global $g (mut i32) (i32.const 0)) (func (export \"_start\"))
            (func (export \"f\") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))",
    )
    .unwrap();
    log.put("command", linker.module(&mut store, "command", &command).map(|_| ()));
    let f = linker.get(&mut store, "command", "f").unwrap().into_func().unwrap();
    let f = f.typed::<(), i32>(&store).unwrap();
    log.put("call", f.call(&mut store, ()));
    log.put("call again", f.call(&mut store, ()));
    let shows =
        Module::new(&engine, "(module (global (export \"h\") i32 (i32.const 4)) (func (export \"_start\")))").unwrap();
    log.put("a command with a global", linker.module(&mut store, "shows", &shows).map(|_| ()));
    let reactor = Module::new(
        &engine,
        "(module (global $g (mut i32) (i32.const 0)) (func (export \"_initialize\") (global.set $g (i32.const 5)))
            (func (export \"f\") (result i32) (global.get $g)))",
    )
    .unwrap();
    log.put("reactor", linker.module(&mut store, "reactor", &reactor).map(|_| ()));
    let f = linker.get(&mut store, "reactor", "f").unwrap().into_func().unwrap();
    log.put("initialized", f.typed::<(), i32>(&store).unwrap().call(&mut store, ()));
    log.see("initialize is there", linker.get(&mut store, "reactor", "_initialize").is_ok());
    let needs = Module::new(
        &engine,
        "(module (import \"x\" \"y\" (func $y)) (import \"x\" \"r\" (func (result (ref any)))) (import \"x\" \"g\" (global anyref)) (func (export \"run\") (call $y)))",
    )
    .unwrap();
    let mut traps = Linker::<u32>::new(&engine);
    log.put("traps", traps.define_unknown_imports_as_traps(&needs));
    log.put("traps instantiate", traps.instantiate(&mut store, &needs).map(|_| ()));
    let mut defaults = Linker::<u32>::new(&engine);
    log.put("defaults", defaults.define_unknown_imports_as_default_values(&mut store, &needs));
    let simple =
        Module::new(&engine, "(module $m (import \"x\" \"y\" (func $y)) (func $run (export \"run\") (call $y)))")
            .unwrap();
    let mut traps = Linker::<u32>::new(&engine);
    traps.define_unknown_imports_as_traps(&simple).unwrap();
    let made = traps.instantiate(&mut store, &simple).unwrap();
    let run = made.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    log.put("run unknown", run.call(&mut store, ()));
    log.see("unknown", run.call(&mut store, ()).unwrap_err().is::<UnknownImportError>());
    let err = Linker::<u32>::new(&engine).instantiate(&mut store, &simple).unwrap_err();
    let unknown = err.downcast_ref::<UnknownImportError>();
    log.see("which", unknown.map(|err| (err.module().to_string(), err.name().to_string(), format!("{:?}", err.ty()))));
    let bad = Module::new(&engine, "(module $m (func $s unreachable) (start $s))").unwrap();
    log.put("start", Linker::<u32>::new(&engine).instantiate(&mut store, &bad).map(|_| ()));
    log.put("start module", Linker::<u32>::new(&engine).module(&mut store, "bad", &bad).map(|_| ()));
    let other = super::engine();
    log.put("engine", Linker::<u32>::new(&other).instantiate_pre(&simple).map(|_| ()));
    log.panics("engine instance", || Instance::new(Store::new(&other, ()), &simple, &[]).map(|_| ()).unwrap());
}
