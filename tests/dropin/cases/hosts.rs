//! Functions of the host.

use super::wasmtime::{
    self, AnyRef, ArrayRef, AsContext, AsContextMut, Caller, ExnRef, ExnRefPre, ExnType, Extern, ExternRef, Func,
    FuncType, I31, Instance, Linker, Module, OwnedRooted, Result, Rooted, Store, StructRef, Tag, ThrownException, Trap,
    Val, ValType, bail,
};
use super::{store, text};

#[test]
fn closures_of_every_shape_are_called() {
    let mut store = store();
    let module = Module::new(
        store.engine(),
        r#"(module
            (import "" "numbers" (func $numbers (param i32 i64 f32 f64) (result f64)))
            (import "" "any" (func $any (param anyref) (result anyref)))
            (import "" "i31" (func $i31 (param i31ref) (result i31ref)))
            (import "" "object" (func $object (param structref) (result i32)))
            (import "" "owned" (func $owned (param arrayref) (result arrayref)))
            (import "" "data" (func $data (param i32)))
            (import "" "several" (func $several (result i32 externref)))
            (type $s (struct (field i32)))
            (type $a (array i8))
            (func (export "run") (result i32 externref)
                (drop (call $numbers (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4)))
                (drop (call $any (struct.new $s (i32.const 1))))
                (drop (call $i31 (ref.i31 (i32.const 3))))
                (call $data (call $object (struct.new $s (i32.const 40))))
                (call $data (array.len (call $owned (array.new_default $a (i32.const 2)))))
                (call $several)))"#,
    )
    .unwrap();
    let imports: Vec<Extern> = vec![
        Func::wrap(&mut store, |a: i32, b: i64, c: f32, d: f64| {
            assert_eq!((a, b, c, d), (1, 2, 3.0, 4.0));
            5.0f64
        })
        .into(),
        Func::wrap(&mut store, |caller: Caller<'_, u32>, any: Option<Rooted<AnyRef>>| -> Result<_> {
            assert!(any.unwrap().is_struct(&caller)?);
            Ok(any)
        })
        .into(),
        Func::wrap(&mut store, |i: Option<I31>| i.map(|i| I31::wrapping_u32(i.get_u32() + 1))).into(),
        Func::wrap(&mut store, |mut caller: Caller<'_, u32>, object: Option<Rooted<StructRef>>| -> Result<i32> {
            Ok(object.unwrap().field(&mut caller, 0)?.unwrap_i32())
        })
        .into(),
        Func::wrap(&mut store, |array: Option<OwnedRooted<ArrayRef>>| array).into(),
        Func::wrap(&mut store, |mut caller: Caller<'_, u32>, n: i32| *caller.data_mut() += n as u32).into(),
        Func::wrap(&mut store, |mut caller: Caller<'_, u32>| -> Result<(i32, Option<Rooted<ExternRef>>)> {
            Ok((7, Some(ExternRef::new(&mut caller, 8u8)?)))
        })
        .into(),
    ];
    let instance = Instance::new(&mut store, &module, &imports).unwrap();
    let run = instance.get_typed_func::<(), (i32, Option<Rooted<ExternRef>>)>(&mut store, "run").unwrap();
    let (number, external) = run.call(&mut store, ()).unwrap();
    assert_eq!(number, 7);
    assert_eq!(external.unwrap().data(&store).unwrap().unwrap().downcast_ref::<u8>(), Some(&8));
    assert_eq!(*store.data(), 42);
}

#[test]
fn callers_show_their_exports_wherever_these_live() {
    let mut store = store();
    let engine = store.engine().clone();
    let module = Module::new(
        &engine,
        r#"(module
            (import "" "look" (func $look))
            (global (export "number") (mut i32) (i32.const 4))
            (global (export "kept") (mut anyref) (ref.i31 (i32.const 9)))
            (table (export "shelf") 3 externref)
            (table (export "funcs") 2 funcref)
            (memory (export "memory") 1)
            (tag (export "tag") (param i32))
            (start $look)
            (func (export "run") (call $look)))"#,
    )
    .unwrap();
    let look = Func::wrap(&mut store, |mut caller: Caller<'_, u32>| -> Result<()> {
        assert!(caller.get_export("none").is_none());
        let number = caller.get_export("number").and_then(Extern::into_global).unwrap();
        assert_eq!(number.get(&mut caller).unwrap_i32(), 4);
        let kept = caller.get_export("kept").and_then(Extern::into_global).unwrap();
        let value = *kept.get(&mut caller).unwrap_anyref().unwrap();
        let value = value.unwrap_i31(&caller)?.get_u32();
        let next = AnyRef::from_i31(&mut caller, I31::wrapping_u32(value + 1));
        kept.set(&mut caller, next.into())?;
        let shelf = caller.get_export("shelf").and_then(Extern::into_table).unwrap();
        let external = ExternRef::new(&mut caller, value)?;
        shelf.set(&mut caller, 1, external.into())?;
        assert_eq!(shelf.size(&caller), 3);
        assert!(caller.get_export("funcs").and_then(Extern::into_table).is_some());
        assert!(caller.get_export("memory").and_then(Extern::into_memory).is_some());
        let tag = caller.get_export("tag").and_then(Extern::into_tag).unwrap();
        assert_eq!(tag.ty(&caller).ty().params().len(), 1);
        assert!(caller.get_export("run").is_none_or(|run| run.into_func().is_some()));
        *caller.data_mut() += 1;
        Ok(())
    });
    let instance = Instance::new(&mut store, &module, &[look.into()]).unwrap();
    instance.get_typed_func::<(), ()>(&mut store, "run").unwrap().call(&mut store, ()).unwrap();
    assert_eq!(*store.data(), 2, "once by the start function, once by the call");
    let kept = instance.get_global(&mut store, "kept").unwrap().get(&mut store);
    assert_eq!(kept.unwrap_anyref().unwrap().unwrap_i31(&store).unwrap().get_u32(), 11);
}

#[test]
fn errors_of_the_host_come_out_as_they_went_in() {
    #[derive(Debug)]
    struct Mine(u32);
    impl std::fmt::Display for Mine {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "mine {}", self.0)
        }
    }
    impl std::error::Error for Mine {}
    let mut store = store();
    let module = Module::new(
        store.engine(),
        r#"(module (import "" "fail" (func $fail (param anyref))) (func (export "run") (call $fail (ref.null any))))"#,
    )
    .unwrap();
    let fail = Func::wrap(&mut store, |_: Option<Rooted<AnyRef>>| -> Result<()> { Err(Mine(3).into()) });
    let instance = Instance::new(&mut store, &module, &[fail.into()]).unwrap();
    let err = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap().call(&mut store, ()).unwrap_err();
    assert_eq!(err.downcast_ref::<Mine>().unwrap().0, 3);
    let fail = Func::wrap(&mut store, |_: Option<Rooted<AnyRef>>| -> Result<()> { bail!(Trap::OutOfFuel) });
    let instance = Instance::new(&mut store, &module, &[fail.into()]).unwrap();
    let err = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap().call(&mut store, ()).unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel));
}

#[test]
fn dynamic_functions_are_checked() {
    let mut store = store();
    let ty = FuncType::new(store.engine(), [ValType::I32, ValType::EXTERNREF], [ValType::ANYREF]);
    let func = Func::new(&mut store, ty, |mut caller, params, results| {
        let n = params[0].unwrap_i32();
        results[0] = match n {
            0 => Val::I32(0),
            1 => Val::ExternRef(None),
            n => AnyRef::from_i31(&mut caller, I31::wrapping_i32(n)).into(),
        };
        Ok(())
    });
    let mut results = [Val::I32(0)];
    func.call(&mut store, &[Val::I32(5), Val::ExternRef(None)], &mut results).unwrap();
    assert_eq!(results[0].unwrap_anyref().unwrap().unwrap_i31(&store).unwrap().get_u32(), 5);
    for n in [0, 1] {
        assert!(func.call(&mut store, &[Val::I32(n), Val::ExternRef(None)], &mut results).is_err());
    }
    assert_eq!(func.ty(&store).params().len(), 2);
}

#[test]
fn a_function_is_called_from_within_a_function() {
    let mut store = store();
    let engine = store.engine().clone();
    let mut linker: Linker<u32> = Linker::new(&engine);
    linker
        .func_wrap("", "again", |mut caller: Caller<'_, u32>, n: i32| -> Result<i32> {
            *caller.data_mut() += 1;
            let down = caller.get_export("down").and_then(Extern::into_func).unwrap();
            let down = down.typed::<i32, i32>(caller.as_context())?;
            down.call(caller.as_context_mut(), n - 1)
        })
        .unwrap();
    let module = Module::new(
        &engine,
        r#"(module
            (import "" "again" (func $again (param i32) (result i32)))
            (type $box (struct (field i32)))
            (func (export "down") (param i32) (result i32)
                (local $b (ref $box))
                (local.set $b (struct.new $box (local.get 0)))
                (if (result i32) (i32.eqz (local.get 0))
                    (then (i32.const 0))
                    (else (i32.add (call $again (local.get 0)) (struct.get $box 0 (local.get $b)))))))"#,
    )
    .unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let down = instance.get_typed_func::<i32, i32>(&mut store, "down").unwrap();
    assert_eq!(down.call(&mut store, 20).unwrap(), 210);
    assert_eq!(*store.data(), 20);
}

#[test]
fn the_host_throws_and_catches() {
    let mut store = store();
    let ty = ExnType::new(store.engine(), [ValType::I32, ValType::EXTERNREF]).unwrap();
    let tag = Tag::new(&mut store, &ty.tag_type()).unwrap();
    let module = Module::new(
        store.engine(),
        r#"(module
            (import "" "tag" (tag $tag (param i32 externref)))
            (import "" "throw" (func $throw))
            (func (export "caught") (result i32 externref)
                (block $handler (result i32 externref)
                    (try_table (catch $tag $handler) (call $throw))
                    (i32.const 0) (ref.null extern)))
            (func (export "thrown") (throw $tag (i32.const 8) (ref.null extern))))"#,
    )
    .unwrap();
    let throw = Func::wrap(&mut store, move |mut caller: Caller<'_, u32>| -> Result<()> {
        let pre = ExnRefPre::new(&mut caller, ty.clone());
        let external = ExternRef::new(&mut caller, "payload")?;
        let exn = ExnRef::new(&mut caller, &pre, &tag, &[Val::I32(6), external.into()])?;
        caller.as_context_mut().throw(exn)
    });
    let instance = Instance::new(&mut store, &module, &[tag.into(), throw.into()]).unwrap();
    let caught = instance.get_typed_func::<(), (i32, Option<Rooted<ExternRef>>)>(&mut store, "caught").unwrap();
    let (number, external) = caught.call(&mut store, ()).unwrap();
    assert_eq!(number, 6);
    assert_eq!(external.unwrap().data(&store).unwrap().unwrap().downcast_ref::<&str>(), Some(&"payload"));
    let thrown = instance.get_typed_func::<(), ()>(&mut store, "thrown").unwrap();
    let err: wasmtime::Error = thrown.call(&mut store, ()).unwrap_err();
    assert!(err.is::<ThrownException>() && store.has_pending_exception(), "{}", text(err));
    let exn = store.take_pending_exception().unwrap();
    assert_eq!(exn.field(&mut store, 0).unwrap().unwrap_i32(), 8);
    assert_eq!(exn.fields(&mut store).unwrap().len(), 2);
    assert!(Tag::eq(&exn.tag(&mut store).unwrap(), &tag, &store));
}

/// A core dump was attached to traps, but the error of a host function lost it on its way out.
#[test]
fn errors_of_the_host_have_a_core_dump_where_traps_have_one() {
    let mut config = wasmtime::Config::new();
    config.coredump_on_trap(true).wasm_gc(true).wasm_function_references(true);
    let engine = wasmtime::Engine::new(&config).unwrap();
    for text in [
        r#"(module (import "" "" (func)) (func (export "run") (call 0)))"#,
        r#"(module (import "" "" (func)) (type $s (struct)) (func (export "run") (drop (struct.new $s)) (call 0)))"#,
    ] {
        let mut store = wasmtime::Store::new(&engine, 0u32);
        let fail = Func::wrap(&mut store, || -> Result<()> { bail!("no") });
        let module = Module::new(&engine, text).unwrap();
        let instance = Instance::new(&mut store, &module, &[fail.into()]).unwrap();
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        let err = run.call(&mut store, ()).unwrap_err();
        assert!(err.is::<wasmtime::WasmCoreDump>() && err.is::<wasmtime::WasmBacktrace>(), "{err:?}");
        assert!(err.to_string().starts_with("wasm coredump"), "{err}");
        assert_eq!(err.root_cause().to_string(), "no");
    }
}

#[test]
fn core_dumps_have_frames_memories_and_globals() {
    let mut config = wasmtime::Config::new();
    config.coredump_on_trap(true).wasm_gc(true).wasm_function_references(true);
    let engine = wasmtime::Engine::new(&config).unwrap();
    let mut store = wasmtime::Store::new(&engine, ());
    let text = r#"(module $dumped
        (memory 1)
        (data (i32.const 40) "!")
        (global $count (mut i32) (i32.const 0))
        (func $inner unreachable)
        (func $outer (export "run") (global.set $count (i32.const 5)) (call $inner)))"#;
    let module = Module::new(&engine, text).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    let err = run.call(&mut store, ()).unwrap_err();
    assert!(err.to_string().starts_with("wasm coredump"), "{err}");
    let dump = err.downcast_ref::<wasmtime::WasmCoreDump>().unwrap();
    let names: Vec<_> = dump.frames().iter().map(|frame| frame.func_name()).collect();
    assert_eq!(names, [Some("inner"), Some("outer")]);
    assert_eq!(dump.modules().iter().map(Module::name).collect::<Vec<_>>(), [Some("dumped")]);
    assert_eq!((dump.instances().len(), dump.memories().len(), dump.globals().len()), (1, 1, 1));
    assert_eq!(dump.memories()[0].data(&store)[40], b'!');
    assert_eq!(dump.globals()[0].get(&mut store).unwrap_i32(), 5);
    assert!(dump.to_string().starts_with("wasm coredump generated while executing store_name:\nmodules:\n  dumped\n"));
    let bytes = dump.serialize(&mut store, "dumped.wasm");
    assert!(bytes.starts_with(b"\0asm") && bytes.windows(11).any(|w| w == b"dumped.wasm"));
}

/// A host function with references was one over numbers to modules, as long as none had a function of its type: it could be
/// imported as such, and called as such from a table, and the guest made references of numbers.
#[test]
fn references_of_host_functions_are_no_numbers() {
    let engine = super::engine();
    let module = |wat: &str| Module::new(&engine, wat).unwrap();
    let imports = module(
        r#"(module (import "host" "take" (func $take (param i32))) (func (export "run") (call $take (i32.const 8000))))"#,
    );
    let objects = module(
        r#"(module (type $s (struct (field i32))) (import "host" "take" (func $take (param i32)))
            (global (ref $s) (struct.new $s (i32.const 1))) (func (export "run") (call $take (i32.const 8000))))"#,
    );
    let calls = module(
        r#"(module (type $number (func (param i32))) (table (export "t") 1 funcref)
            (func (export "run") (call_indirect (type $number) (i32.const 8000) (i32.const 0)))
            (func (export "is") (result i32) (ref.test (ref $number) (table.get 0 (i32.const 0)))))"#,
    );
    let take = |_: Caller<'_, ()>, what: Option<Rooted<AnyRef>>| assert!(what.is_none());
    for module in [&imports, &objects] {
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::<()>::new(&engine);
        linker.func_wrap("host", "take", take).unwrap();
        let err = super::text(linker.instantiate(&mut store, module).unwrap_err());
        assert!(err.contains("incompatible import type for `host::take`"), "{err}");
        let func = Func::wrap(&mut store, take);
        assert!(Instance::new(&mut store, module, &[func.into()]).is_err());
    }
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &calls, &[]).unwrap();
    let func = Func::wrap(&mut store, take);
    instance.get_table(&mut store, "t").unwrap().set(&mut store, 0, func.into()).unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    let err = run.call(&mut store, ()).unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::BadSignature));
    let is = instance.get_typed_func::<(), i32>(&mut store, "is").unwrap();
    assert_eq!(is.call(&mut store, ()).unwrap(), 0);
    // A module that has the type takes it, whoever came first.
    let same = module(
        r#"(module (type $any (func (param anyref))) (import "host" "take" (func $take (type $any)))
            (import "c" "t" (table 1 funcref))
            (func (export "run") (call $take (ref.null any)) (call_indirect (type $any) (ref.null any) (i32.const 0))))"#,
    );
    let table = instance.get_export(&mut store, "t").unwrap();
    let same = Instance::new(&mut store, &same, &[func.into(), table]).unwrap();
    same.get_typed_func::<(), ()>(&mut store, "run").unwrap().call(&mut store, ()).unwrap();
}

/// The null of functions is any function to lowered code: a function that takes nothing else was called with one, and
/// changed what type functions have that take any.
#[test]
fn the_null_of_functions_is_no_function() {
    let engine = super::engine();
    let module = Module::new(
        &engine,
        r#"(module (type $any (func (param funcref))) (table (export "t") 1 funcref) (elem declare func $f)
            (func $f (export "f") (type $any))
            (func (export "run") (call_indirect (type $any) (ref.func $f) (i32.const 0))))"#,
    )
    .unwrap();
    let import = Module::new(&engine, r#"(module (import "" "" (func (param funcref))))"#).unwrap();
    let mut store = Store::new(&engine, ());
    let none = Func::wrap(&mut store, |_: Option<wasmtime::NoFunc>| {});
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    instance.get_table(&mut store, "t").unwrap().set(&mut store, 0, none.into()).unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    let err = run.call(&mut store, ()).unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::BadSignature), "{err:?}");
    assert!(Instance::new(&mut store, &import, &[none.into()]).is_err());
    let f = instance.get_func(&mut store, "f").unwrap();
    f.typed::<Option<Func>, ()>(&store).unwrap().call(&mut store, Some(f)).unwrap();
    none.call(&mut store, &[Val::FuncRef(None)], &mut []).unwrap();
}

/// Winch compiles none of the modules that show the types of such functions.
#[test]
fn winch_has_host_functions_with_references() {
    let mut config = wasmtime::Config::new();
    config.strategy(wasmtime::Strategy::Winch);
    let engine = wasmtime::Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    let func = Func::wrap(&mut store, |what: Option<Rooted<ExternRef>>| i32::from(what.is_some()));
    let typed = func.typed::<Option<Rooted<ExternRef>>, i32>(&store).unwrap();
    assert_eq!(typed.call(&mut store, None).unwrap(), 0);
    let numbers = Module::new(&engine, r#"(module (import "" "" (func (param i32) (result i32))))"#).unwrap();
    assert!(Instance::new(&mut store, &numbers, &[func.into()]).is_err());
}
