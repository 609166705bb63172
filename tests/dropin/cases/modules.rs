//! Modules and engines.

use super::wasmtime::{
    Config, Engine, ExternRef, ExternType, Func, Instance, Module, Mutability, OptLevel, Rooted, Store, Trap, Val,
    ValType, WasmBacktrace,
};
use super::{engine, text};

#[test]
fn modules_tell_what_they_import_and_export() {
    let engine = engine();
    let module = Module::new(
        &engine,
        r#"(module $named
            (type $s (struct (field i32)))
            (import "i" "f" (func (param (ref $s) i32) (result anyref)))
            (import "i" "g" (global (mut externref)))
            (import "i" "t" (table 1 2 eqref))
            (import "i" "m" (memory 1))
            (import "i" "e" (tag (param i64)))
            (global (export "g") i32 (i32.const 1))
            (export "t" (table 0))
            (export "f" (func 0)))"#,
    )
    .unwrap();
    assert_eq!(module.name(), Some("named"));
    let imports: Vec<_> = module.imports().collect();
    assert_eq!(imports.iter().map(|i| (i.module(), i.name())).collect::<Vec<_>>().len(), 5);
    let f = imports[0].ty();
    assert!(f.unwrap_func().param(0).unwrap().unwrap_ref().heap_type().is_concrete_struct());
    assert!(f.unwrap_func().result(0).unwrap().is_anyref());
    let g = imports[1].ty();
    assert_eq!((g.unwrap_global().mutability(), g.unwrap_global().content().is_externref()), (Mutability::Var, true));
    let t = imports[2].ty();
    assert_eq!((t.unwrap_table().minimum(), t.unwrap_table().maximum()), (1, Some(2)));
    assert_eq!(imports[3].ty().unwrap_memory().minimum(), 1);
    assert!(imports[4].ty().unwrap_tag().ty().param(0).unwrap().is_i64());
    let exports: Vec<&str> = module.exports().map(|export| export.name()).collect();
    assert_eq!(exports, ["g", "t", "f"]);
    assert!(matches!(module.get_export("t"), Some(ExternType::Table(_))));
    assert!(module.get_export("none").is_none() && module.get_export_index("none").is_none());
    assert!(Engine::same(module.engine(), &engine));
    let copy = module.clone();
    assert!(Module::same(&module, &copy));
    assert!(!module.text().is_empty());
}

#[test]
fn exports_are_looked_up_by_place() {
    let engine = engine();
    let module = Module::new(&engine, r#"(module (global (export "g") anyref (ref.null any)))"#).unwrap();
    let place = module.get_export_index("g").unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let global = instance.get_module_export(&mut store, &place).unwrap().into_global().unwrap();
    assert!(global.get(&mut store).unwrap_anyref().is_none());
    assert_eq!(instance.module(&store).exports().len(), 1);
    assert!(instance == instance.clone());
}

#[test]
fn invalid_modules_are_refused() {
    let engine = engine();
    assert!(Module::new(&engine, "(module (func (result i32)))").is_err());
    assert!(Module::new(&engine, "(modul)").is_err());
    assert!(Module::validate(&engine, b"\0asm\x01\0\0\0").is_ok());
    assert!(Module::validate(&engine, b"\0asm\x01\0\0\0\x01").is_err());
    assert!(Module::from_binary(&engine, b"(module)").is_err());
    let mut config = Config::new();
    config.wasm_gc(false).wasm_function_references(false);
    let engine = Engine::new(&config).unwrap();
    assert!(Module::new(&engine, "(module (type (struct)))").is_err());
    assert!(Module::from_file(&engine, "no/such/file").is_err());
    let module = Module::new(&engine, r#"(module (import "a" "b" (func)))"#).unwrap();
    let mut store = Store::new(&engine, ());
    let err = text(Instance::new(&mut store, &module, &[]).unwrap_err());
    assert_eq!(err, "expected 1 imports, found 0");
}

#[test]
fn engines_tell_their_configuration() {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .memory_guard_size(1 << 16)
        .memory_reservation(1 << 20)
        .wasm_memory64(true)
        .parallel_compilation(false)
        .max_wasm_stack(256 << 10)
        .cranelift_nan_canonicalization(true);
    let engine = Engine::new(&config).unwrap();
    assert!(engine.get_consume_fuel() && engine.get_epoch_interruption());
    assert_eq!((engine.get_memory_guard_size(), engine.get_memory_reservation()), (1 << 16, 1 << 20));
    assert_eq!(engine.get_max_wasm_stack(), 256 << 10);
    assert!(!engine.get_parallel_compilation() && engine.get_signals_based_traps());
    assert!(engine.get_wasm_features().contains(super::wasmtime::WasmFeatures::MEMORY64));
    let _: &Config = engine.config();
    let weak = engine.weak();
    assert!(Engine::same(&weak.upgrade().unwrap(), &engine));
    drop(engine);
    assert!(weak.upgrade().is_none());
    assert!(ValType::I32.matches(&ValType::I32));
}

/// What is compiled where there is a compiler runs where there is none: with objects, tables and references of the host.
#[test]
fn engines_without_a_compiler_run_what_was_compiled() {
    let text = r#"(module
        (type $s (struct (field $n (mut i32)) (field $next (ref null $s))))
        (import "" "h" (func $h (param externref) (result externref)))
        (table (export "t") 2 externref)
        (global $g (mut (ref null $s)) (ref.null $s))
        (func (export "push") (param i32) (global.set $g (struct.new $s (local.get 0) (global.get $g))))
        (func (export "sum") (result i32) (local $p (ref null $s)) (local $n i32)
            (local.set $p (global.get $g))
            (loop $l
                (if (ref.is_null (local.get $p)) (then (return (local.get $n))))
                (local.set $n (i32.add (local.get $n) (struct.get $s $n (local.get $p))))
                (local.set $p (struct.get $s $next (local.get $p)))
                (br $l))
            (unreachable))
        (func (export "same") (param externref) (result externref)
            (table.set 0 (i32.const 1) (call $h (local.get 0))) (table.get 0 (i32.const 1))))"#;
    let compiled = engine().precompile_module(text.as_bytes()).unwrap();
    let mut config = super::config();
    config.enable_compiler(false);
    let engine = Engine::new(&config).unwrap();
    let refused = Module::new(&engine, text).unwrap_err();
    assert!(!format!("{refused:?}").contains("internal error"), "{refused:?}");
    // SAFETY: it was just made.
    let module = unsafe { Module::deserialize(&engine, &compiled) }.unwrap();
    let mut store = Store::new(&engine, ());
    let host = Func::wrap(&mut store, |x: Option<Rooted<ExternRef>>| x);
    let instance = Instance::new(&mut store, &module, &[host.into()]).unwrap();
    let push = instance.get_typed_func::<i32, ()>(&mut store, "push").unwrap();
    (0..20_000).for_each(|n| push.call(&mut store, n).unwrap());
    store.gc(None).unwrap();
    let sum = instance.get_typed_func::<(), i32>(&mut store, "sum").unwrap();
    assert_eq!(sum.call(&mut store, ()).unwrap(), 20_000 * 19_999 / 2);
    let x = ExternRef::new(&mut store, 7_u8).unwrap();
    let same = instance
        .get_typed_func::<Option<Rooted<ExternRef>>, Option<Rooted<ExternRef>>>(&mut store, "same")
        .unwrap()
        .call(&mut store, Some(x))
        .unwrap();
    assert!(Rooted::ref_eq(&store, &x, &same.unwrap()).unwrap());
    // A store without instances has a heap, too.
    let mut store = Store::new(&engine, ());
    let x = ExternRef::new(&mut store, 8_u8).unwrap();
    assert_eq!(x.data(&store).unwrap().unwrap().downcast_ref::<u8>(), Some(&8));
}

/// Without it frames do not tell where they are, and traps are the same.
#[test]
fn traps_are_the_same_without_an_address_map() {
    let mut config = super::config();
    config.generate_address_map(false);
    let engine = Engine::new(&config).unwrap();
    assert!(!engine.get_generate_address_map());
    let text = r#"(module
        (type $s (struct (field i32))) (type $a (array (mut i32)))
        (func (export "cast") (drop (ref.cast (ref $s) (ref.i31 (i32.const 1)))))
        (func $out (export "out") (param i32)
            (array.set $a (array.new_default $a (i32.const 3)) (local.get 0) (i32.const 1)))
        (func (export "null") (result i32) (local (ref null $s)) (struct.get $s 0 (local.get 0)))
        (func (export "none") unreachable))"#;
    let module = Module::new(&engine, text).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let mut trap = |name: &str, args: &[Val]| {
        let func = instance.get_func(&mut store, name).unwrap();
        let mut results = vec![Val::I32(0); func.ty(&store).results().len()];
        let err = func.call(&mut store, args, &mut results).unwrap_err();
        let backtrace = err.downcast_ref::<WasmBacktrace>().unwrap();
        assert!(backtrace.frames().iter().all(|frame| frame.module_offset().or(frame.func_offset()).is_none()));
        *err.downcast_ref::<Trap>().unwrap()
    };
    assert_eq!(trap("cast", &[]), Trap::CastFailure);
    assert_eq!(trap("out", &[Val::I32(3)]), Trap::ArrayOutOfBounds);
    assert_eq!(trap("null", &[]), Trap::NullReference);
    assert_eq!(trap("none", &[]), Trap::UnreachableCodeReached);
}
