//! Modules and engines.

use super::wasmtime::{Config, Engine, ExternType, Instance, Module, Mutability, OptLevel, Store, ValType};
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
