//! Definitions by name.

use super::wasmtime::{
    AnyRef, Caller, Engine, Extern, Func, FuncType, Global, GlobalType, I31, Linker, Memory, MemoryType, Module,
    Mutability, Rooted, Store, StructRef, UnknownImportError, Val, ValType,
};
use super::{engine, text};

fn setup() -> (Engine, Linker<u32>, Store<u32>) {
    let engine = engine();
    (engine.clone(), Linker::new(&engine), Store::new(&engine, 0))
}

#[test]
fn names_are_defined_once_and_found() {
    let (engine, mut linker, mut store) = setup();
    linker.func_wrap("a", "plain", |n: i32| n + 1).unwrap();
    linker.func_wrap("a", "object", |object: Option<Rooted<StructRef>>| object).unwrap();
    let ty = FuncType::new(&engine, [ValType::ANYREF], [ValType::I32]);
    linker
        .func_new("a", "dynamic", ty, |_, _, results| {
            results[0] = Val::I32(3);
            Ok(())
        })
        .unwrap();
    let global = Global::new(&mut store, GlobalType::new(ValType::ANYREF, Mutability::Var), Val::AnyRef(None)).unwrap();
    linker.define(&store, "a", "global", global).unwrap();
    for name in ["plain", "object", "dynamic", "global"] {
        assert!(linker.get(&mut store, "a", name).is_ok(), "{name}");
        let err = text(linker.func_wrap("a", name, || {}).unwrap_err());
        assert_eq!(err, format!("import of `a::{name}` defined twice"));
        linker.alias("a", name, "b", name).unwrap();
        assert!(linker.alias("a", name, "b", name).is_err());
    }
    assert_eq!(text(linker.get(&mut store, "a", "none").unwrap_err()), "missing definition for `a::none`");
    assert!(linker.alias("a", "none", "b", "other").is_err());
    linker.alias_module("b", "c").unwrap();
    let mut names: Vec<(String, String)> =
        linker.iter(&mut store).map(|(module, name, _)| (module.to_string(), name.to_string())).collect();
    names.sort();
    assert_eq!(names.len(), 12);
    assert_eq!(names[8], ("c".to_string(), "dynamic".to_string()));
    linker.allow_shadowing(true);
    linker.func_wrap("a", "plain", || 2).unwrap();
    linker.func_wrap("a", "object", || 2).unwrap();
    let plain = linker.get(&mut store, "a", "plain").unwrap().into_func().unwrap();
    assert_eq!(plain.ty(&store).params().len(), 0);
    let old = linker.get(&mut store, "c", "plain").unwrap().into_func().unwrap();
    assert_eq!(old.typed::<i32, i32>(&store).unwrap().call(&mut store, 1).unwrap(), 2);
    let object = linker.get(&mut store, "c", "object").unwrap().into_func().unwrap();
    assert!(object.ty(&store).param(0).unwrap().matches(&ValType::STRUCTREF));
}

#[test]
fn unknown_imports_are_errors_traps_or_defaults() {
    let (engine, mut linker, mut store) = setup();
    let module = Module::new(
        &engine,
        r#"(module
            (import "x" "f" (func $f (param anyref) (result i32 externref)))
            (import "x" "g" (global (mut anyref)))
            (import "x" "t" (table 1 externref))
            (import "x" "m" (memory 1))
            (func (export "run") (result i32 externref) (call $f (ref.null any))))"#,
    )
    .unwrap();
    let err = linker.instantiate(&mut store, &module).unwrap_err();
    let unknown = err.downcast_ref::<UnknownImportError>().unwrap();
    assert_eq!((unknown.module(), unknown.name()), ("x", "f"));
    assert_eq!(unknown.ty().unwrap_func().params().len(), 1);
    assert_eq!(err.to_string(), "unknown import: `x::f` has not been defined");

    let mut defaults = linker.clone();
    defaults.define_unknown_imports_as_default_values(&mut store, &module).unwrap();
    let instance = defaults.instantiate(&mut store, &module).unwrap();
    let run = instance.get_func(&mut store, "run").unwrap();
    let mut results = [Val::I32(1), Val::I32(1)];
    run.call(&mut store, &[], &mut results).unwrap();
    assert_eq!(results[0].unwrap_i32(), 0);
    assert!(results[1].unwrap_externref().is_none());

    defaults = linker.clone();
    linker.define_unknown_imports_as_traps(&module).unwrap();
    assert!(linker.instantiate(&mut store, &module).is_err(), "only functions trap");
    defaults.define_unknown_imports_as_default_values(&mut store, &module).unwrap();
    for name in ["g", "t", "m"] {
        let default = defaults.get(&mut store, "x", name).unwrap();
        linker.define(&store, "x", name, default).unwrap();
    }
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.get_func(&mut store, "run").unwrap();
    let err = run.call(&mut store, &[], &mut results).unwrap_err();
    assert!(err.is::<UnknownImportError>());
}

#[test]
fn imports_and_defaults_are_looked_up() {
    let (engine, mut linker, mut store) = setup();
    linker.func_wrap("x", "", |mut caller: Caller<'_, u32>| *caller.data_mut() += 1).unwrap();
    linker.func_wrap("y", "_start", |mut caller: Caller<'_, u32>| *caller.data_mut() += 10).unwrap();
    for module in ["x", "y", "z"] {
        let default: Func = linker.get_default(&mut store, module).unwrap();
        default.typed::<(), ()>(&store).unwrap().call(&mut store, ()).unwrap();
    }
    assert_eq!(*store.data(), 11);
    let module = Module::new(&engine, r#"(module (import "x" "" (func)) (import "x" "no" (func)))"#).unwrap();
    let found: Vec<bool> = module.imports().map(|import| linker.get_by_import(&mut store, &import).is_some()).collect();
    assert_eq!(found, [true, false]);
}

#[test]
fn commands_are_made_anew_and_reactors_stay() {
    let (engine, mut linker, mut store) = setup();
    let command = r#"(module
        (global $count (mut i32) (i32.const 0))
        (func (export "_start"))
        (func (export "count") (result i32)
            (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (global.get $count)))"#;
    let reactor = command.replace("_start", "_initialize");
    linker.module(&mut store, "command", &Module::new(&engine, command).unwrap()).unwrap();
    linker.module(&mut store, "reactor", &Module::new(&engine, reactor).unwrap()).unwrap();
    let mut count = |module: &str| {
        let func = linker.get(&mut store, module, "count").ok().and_then(Extern::into_func).unwrap();
        let count = func.typed::<(), i32>(&store).unwrap();
        [count.call(&mut store, ()).unwrap(), count.call(&mut store, ()).unwrap()]
    };
    assert_eq!((count("command"), count("reactor")), ([1, 1], [1, 2]));
    let both = r#"(module (func (export "_start")) (func (export "_initialize")))"#;
    let err = linker.module(&mut store, "both", &Module::new(&engine, both).unwrap()).unwrap_err();
    assert_eq!(text(err), "Program cannot be both a Command and a Reactor");
    let odd = r#"(module (func (export "_start")) (global (export "odd") i32 (i32.const 1)))"#;
    let odd = Module::new(&engine, odd).unwrap();
    let err = linker.module(&mut store, "odd", &odd).unwrap_err();
    assert_eq!(text(err), "command export 'odd' is not a function");
    linker.allow_shadowing(true).allow_unknown_exports(true);
    linker.module(&mut store, "odd", &odd).unwrap();
}

#[test]
fn instances_are_definitions() {
    let (engine, mut linker, mut store) = setup();
    let one = Module::new(
        &engine,
        r#"(module
            (type $s (struct (field i32)))
            (global (export "g") (ref $s) (struct.new $s (i32.const 5)))
            (table (export "t") 2 anyref)
            (tag (export "e") (param i32))
            (func (export "f") (param (ref $s)) (result i32) (struct.get $s 0 (local.get 0))))"#,
    )
    .unwrap();
    let two = Module::new(
        &engine,
        r#"(module
            (type $s (struct (field i32)))
            (import "one" "g" (global $g (ref $s)))
            (import "one" "t" (table 2 anyref))
            (import "one" "e" (tag (param i32)))
            (import "one" "f" (func $f (param (ref $s)) (result i32)))
            (export "again" (global $g))
            (func (export "run") (result i32) (call $f (global.get $g))))"#,
    )
    .unwrap();
    let instance = linker.instantiate(&mut store, &one).unwrap();
    linker.instance(&mut store, "one", instance).unwrap();
    let two = linker.instantiate(&mut store, &two).unwrap();
    let run = two.get_typed_func::<(), i32>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), 5);
    let again = two.get_global(&mut store, "again").unwrap().get(&mut store);
    assert!(again.unwrap_anyref().unwrap().is_struct(&store).unwrap());
}

/// A host that makes its modules ready ahead of time took a plugin with a wrong import, and told of it only when the
/// first request came: `instantiate_pre` looked at no host function over numbers.
#[test]
fn wrong_host_functions_are_refused_before_there_is_a_store() {
    let (engine, mut linker, mut store) = setup();
    linker.func_wrap("h", "f", |n: i32| n).unwrap();
    linker.func_new("h", "n", FuncType::new(&engine, [ValType::I32], []), |_, _, _| Ok(())).unwrap();
    linker.func_wrap("h", "r", |_: Option<Rooted<StructRef>>| {}).unwrap();
    linker.alias("h", "f", "h", "g").unwrap();
    linker.alias_module("h", "as").unwrap();
    let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    linker.define(&store, "h", "m", memory).unwrap();
    let gc = r#"(type $s (struct (field i32))) (global (ref $s) (struct.new $s (i32.const 1)))"#;
    for (import, says) in [
        (
            r#""h" "f" (func (param i64) (result i32))"#,
            "`h::f`: types incompatible: expected type `(func (param i64) (result i32))`, found type `(func (param i32) (result i32))`",
        ),
        (
            r#""h" "g" (func)"#,
            "`h::g`: types incompatible: expected type `(func)`, found type `(func (param i32) (result i32))`",
        ),
        (
            r#""as" "g" (func)"#,
            "`as::g`: types incompatible: expected type `(func)`, found type `(func (param i32) (result i32))`",
        ),
        (r#""h" "f" (memory 1)"#, "`h::f`: expected memory, but found function"),
        (r#""h" "m" (func)"#, "`h::m`: expected func, but found memory"),
        (r#""h" "m" (global i32)"#, "`h::m`: expected global, but found memory"),
        (
            r#""h" "n" (func (param i64))"#,
            "`h::n`: types incompatible: expected type `(func (param i64))`, found type `(func (param i32))`",
        ),
        (r#""h" "r" (table 1 funcref)"#, "`h::r`: expected table, but found function"),
        (
            r#""h" "r" (func (param externref))"#,
            "`h::r`: types incompatible: expected type `(func (param externref))`, found type `(func (param (ref null struct)))`",
        ),
    ] {
        for more in ["", gc] {
            let module = Module::new(&engine, format!("(module (import {import}) {more})")).unwrap();
            let err = text(linker.instantiate_pre(&module).map(drop).unwrap_err());
            assert_eq!(err, format!("incompatible import type for {says}"));
        }
    }
    for more in ["", gc] {
        let right = r#"(import "as" "g" (func (param i32) (result i32))) (import "h" "r" (func (param structref)))"#;
        let module = Module::new(&engine, format!("(module {right} {more})")).unwrap();
        linker.instantiate_pre(&module).unwrap().instantiate(&mut store).unwrap();
    }
}

#[test]
fn aliases_of_modules_replace_what_may_be_replaced() {
    let (engine, mut linker, mut store) = setup();
    linker.func_wrap("a", "f", || 5).unwrap();
    linker.func_wrap("b", "f", |_: Option<Rooted<StructRef>>| 6).unwrap();
    assert_eq!(text(linker.alias_module("a", "b").unwrap_err()), "import of `b::f` defined twice");
    linker.allow_shadowing(true);
    linker.alias_module("a", "b").unwrap();
    let module = r#"(module (import "b" "f" (func $f (result i32))) (export "f" (func $f)))"#;
    let instance = linker.instantiate(&mut store, &Module::new(&engine, module).unwrap()).unwrap();
    let f = instance.get_typed_func::<(), i32>(&mut store, "f").unwrap();
    assert_eq!(f.call(&mut store, ()).unwrap(), 5);
}

/// The definition that was to be replaced was gone when there was nothing to replace it by.
#[test]
fn an_alias_of_nothing_leaves_what_was_there() {
    let mut store = super::store();
    let engine = store.engine().clone();
    let mut linker = Linker::<u32>::new(&engine);
    linker.func_wrap("a", "number", || 7i32).unwrap();
    linker.func_wrap("a", "object", |_: Option<Rooted<AnyRef>>| {}).unwrap();
    for name in ["number", "object"] {
        let err = super::text(linker.alias("no", "where", "a", name).map(drop).unwrap_err());
        assert!(err.contains("no item named `no::where` defined"), "{err}");
    }
    linker.allow_shadowing(true);
    for name in ["number", "object"] {
        assert!(linker.alias("no", "where", "a", name).is_err());
        assert!(linker.get(&mut store, "a", name).is_ok(), "{name}");
    }
    linker.alias("a", "number", "a", "object").unwrap();
    let number = linker.get(&mut store, "a", "object").unwrap().into_func().unwrap();
    assert_eq!(number.typed::<(), i32>(&store).unwrap().call(&mut store, ()).unwrap(), 7);
}

/// A function that was there was asked for a default of its results all the same.
#[test]
fn defaults_are_for_what_is_not_there() {
    let engine = super::engine();
    let mut store = Store::new(&engine, 0u32);
    let module = Module::new(
        &engine,
        r#"(module (import "a" "make" (func $make (result (ref any)))) (import "a" "zero" (func $zero (result i32)))
            (func (export "run") (result i32) (i32.add (call $zero) (ref.is_null (call $make)))))"#,
    )
    .unwrap();
    let mut linker = Linker::<u32>::new(&engine);
    assert!(linker.define_unknown_imports_as_default_values(&mut store, &module).is_err());
    linker
        .func_wrap("a", "make", |mut caller: Caller<'_, u32>| AnyRef::from_i31(&mut caller, I31::wrapping_u32(3)))
        .unwrap();
    linker.define_unknown_imports_as_default_values(&mut store, &module).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), 0);
}

/// A command that can never be called was linked.
#[test]
fn imports_of_commands_are_looked_at_when_they_are_linked() {
    let mut store = super::store();
    let engine = store.engine().clone();
    let mut linker = Linker::<u32>::new(&engine);
    linker.func_wrap("a", "f", || {}).unwrap();
    for import in
        [r#"(import "a" "no" (func))"#, r#"(import "a" "f" (func (param i32)))"#, r#"(import "a" "f" (memory 1))"#]
    {
        let command = format!(r#"(module {import} (func (export "_start")))"#);
        let command = Module::new(&engine, command).unwrap();
        assert!(linker.module(&mut store, "command", &command).is_err(), "{import}");
    }
    let command = Module::new(&engine, r#"(module (import "a" "f" (func)) (func (export "_start")))"#).unwrap();
    linker.module(&mut store, "command", &command).unwrap();
}
