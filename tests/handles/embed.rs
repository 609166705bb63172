//! Embedders: a table in the store, tokens and collections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime_gc::ext::{Member, Trace, Tracer};
use wasmtime_gc::{
    AnyRef, Config, Engine, ExternRef, Finalizers, Func, HeapType, I31, Linker, Module, Ref, RefType, RootScope,
    Rooted, SideTable, Store, StructType, Trap, Val,
};

fn store() -> Store<()> {
    Store::new(&Engine::default(), ())
}

#[test]
fn tables_hold_references_of_each_hierarchy() {
    let mut store = store();
    let host = ExternRef::new(&mut store, 7u32).unwrap();
    let number = AnyRef::from_i31(&mut store, I31::wrapping_u32(5));
    let func = Func::wrap(&mut store, || 3i32);
    let values: [(RefType, Ref); 3] = [
        (RefType::EXTERNREF, Ref::Extern(Some(host))),
        (RefType::ANYREF, Ref::Any(Some(number))),
        (RefType::FUNCREF, Ref::Func(Some(func))),
    ];
    for (ty, value) in values {
        for table in [SideTable::new(&mut store, ty.clone()), SideTable::new_unchecked(&mut store, ty.clone())] {
            let table = table.unwrap();
            let handle = table.intern(&mut store, value).unwrap();
            assert!(table.get(&mut store, handle).unwrap().is_non_null(), "{ty}");
            assert_eq!((table.size(&mut store).unwrap(), table.capacity(&mut store).unwrap()), (1, 1));
            assert_eq!(table.intern(&mut store, Ref::null(ty.heap_type())).unwrap(), -1);
            assert!(table.get(&mut store, -1).unwrap().is_null());
            table.release(&mut store, handle).unwrap();
            assert_eq!(table.size(&mut store).unwrap(), 0);
        }
    }
}

#[test]
fn invalid_handles_trap_and_the_table_goes_on() {
    let mut store = store();
    let table = SideTable::new(&mut store, RefType::I31REF).unwrap();
    let value = AnyRef::from_i31(&mut store, I31::wrapping_u32(5));
    let handle = table.intern(&mut store, Ref::Any(Some(value))).unwrap();
    table.release(&mut store, handle).unwrap();
    let err = table.release(&mut store, handle).unwrap_err();
    assert_eq!(err.downcast_ref(), Some(&Trap::UnreachableCodeReached), "{err:?}");
    assert!(table.get(&mut store, handle).is_err() && table.get(&mut store, 9).is_err());
    let next = table.intern(&mut store, Ref::Any(Some(value))).unwrap();
    assert_ne!(next, handle, "the generation has moved on");
    assert!(table.get(&mut store, next).is_ok());
}

#[test]
fn types_that_a_table_can_not_have_are_refused() {
    let mut store = store();
    let engine = store.engine().clone();
    let err = SideTable::new(&mut store, RefType::new(false, HeapType::Extern)).unwrap_err();
    assert!(err.to_string().contains("nullable"), "{err}");
    let ty = StructType::new(&engine, []).unwrap();
    let err = SideTable::new(&mut store, RefType::new(true, HeapType::ConcreteStruct(ty))).unwrap_err();
    assert!(err.to_string().contains("link the table into"), "{err}");
}

/// Two modules exchange handles through one table.
#[test]
fn modules_share_a_table_of_the_store() {
    let mut store = store();
    let mut linker = Linker::new(store.engine());
    let table = linker.side_table(&mut store, "wasmtime-gc:side-table", RefType::EXTERNREF).unwrap();
    assert!(linker.side_table(&mut store, "wasmtime-gc:side-table", RefType::EXTERNREF).is_err(), "names are taken");
    let text = |export: &str, ty: &str| {
        format!(r#"(module (import "wasmtime-gc:side-table" "{export}" (func $f {ty})) (export "{export}" (func $f)))"#)
    };
    let giver = Module::new(store.engine(), text("intern", "(param externref) (result i32)")).unwrap();
    let taker = Module::new(store.engine(), text("get", "(param i32) (result externref)")).unwrap();
    let giver = linker.instantiate(&mut store, &giver).unwrap();
    let taker = linker.instantiate(&mut store, &taker).unwrap();
    let value = ExternRef::new(&mut store, "shared").unwrap();
    let mut handle = [Val::I32(0)];
    let intern = giver.get_func(&mut store, "intern").unwrap();
    intern.call(&mut store, &[Some(value).into()], &mut handle).unwrap();
    let mut result = [Val::I32(0)];
    taker.get_func(&mut store, "get").unwrap().call(&mut store, &handle, &mut result).unwrap();
    let data = result[0].unwrap_extern_ref().unwrap().data(&store).unwrap().unwrap();
    assert_eq!(data.downcast_ref::<&str>(), Some(&"shared"));
    assert_eq!(table.size(&mut store).unwrap(), 1);
}

/// A guest that never takes its reports does not fill the host's memory: it gets no more tokens.
#[test]
fn reports_that_pile_up_are_bounded() {
    let mut config = Config::new();
    config.gc_max_heap_size(64 << 20);
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, Finalizers::new());
    let mut linker = Linker::new(&engine);
    Finalizers::add_to_linker(&mut linker, |finalizers: &Finalizers| finalizers).unwrap();
    let text = r#"(module
      (import "wasmtime-gc:finalizers" "token" (func $token (param i32) (result externref)))
      (func (export "make") (param $n i32)
        (loop $next
          (drop (call $token (local.get $n)))
          (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#;
    let module = Module::new(&engine, text).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let make = instance.get_typed_func::<i32, ()>(&mut store, "make").unwrap();
    let mut refused = None;
    for _ in 0..40 {
        refused = make.call(&mut store, 100_000).err();
        if refused.is_some() {
            break;
        }
        store.gc(None).unwrap();
    }
    let err = refused.expect("tokens are refused at some time");
    assert!(format!("{err:?}").contains("too many finalizers are pending"), "{err:?}");
    assert!(store.data().pending() < (1 << 20) + 200_000, "{}", store.data().pending());
    while store.data().next_report().is_some() {}
    make.call(&mut store, 1).unwrap();
}

/// The cycle of the milestone in a host: a wrapper of the host holds the callback of a guest as a member, and the
/// callback refers to the wrapper. Both edges are traced, so rounds of them are bounded, and the values are dropped.
#[test]
fn traced_host_objects_cut_the_cycle() {
    struct Wrapper(Member<AnyRef>, Arc<AtomicUsize>);
    impl Trace for Wrapper {
        fn trace(&self, tracer: &mut Tracer<'_>) {
            tracer.visit(&self.0);
        }
    }
    impl Drop for Wrapper {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let text = r#"(module
      (type $callback (struct (field (mut externref))))
      (import "wasmtime-gc:side-table" "intern" (func $intern (param externref) (result i32)))
      (func (export "callback") (result anyref) (struct.new $callback (ref.null extern)))
      (func (export "close") (param $callback anyref) (param $wrapper externref)
        (struct.set $callback 0 (ref.cast (ref $callback) (local.get $callback)) (local.get $wrapper)))
      (func (export "hold") (param externref) (result i32) (call $intern (local.get 0))))"#;
    let mut linker = Linker::new(&engine);
    let table = linker.side_table(&mut store, "wasmtime-gc:side-table", RefType::EXTERNREF).unwrap();
    let module = Module::new(&engine, text).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    type Any = Option<Rooted<AnyRef>>;
    type External = Option<Rooted<ExternRef>>;
    let callback = instance.get_typed_func::<(), Any>(&mut store, "callback").unwrap();
    let close = instance.get_typed_func::<(Any, External), ()>(&mut store, "close").unwrap();
    let hold = instance.get_typed_func::<External, i32>(&mut store, "hold").unwrap();
    let dropped = Arc::new(AtomicUsize::new(0));
    for round in 1..=20 {
        let mut handles = Vec::new();
        for _ in 0..100 {
            let mut scope = RootScope::new(&mut store);
            let callback = callback.call(&mut scope, ()).unwrap();
            let member = Member::new(&mut scope, callback.unwrap()).unwrap();
            let wrapper = ExternRef::new_traced(&mut scope, Wrapper(member, dropped.clone())).unwrap();
            close.call(&mut scope, (callback, Some(wrapper))).unwrap();
            handles.push(hold.call(&mut scope, Some(wrapper)).unwrap());
        }
        store.gc(None).unwrap();
        assert_eq!(dropped.load(Ordering::Relaxed), (round - 1) * 100, "handles hold wrappers");
        handles.into_iter().for_each(|handle| table.release(&mut store, handle).unwrap());
        store.gc(None).unwrap();
        assert_eq!(dropped.load(Ordering::Relaxed), round * 100);
    }
    assert_eq!(table.capacity(&mut store).unwrap(), 139);
}

/// The file for Rust guests is part of their program, whose compiler may be stricter than ours. It is only compiled:
/// targets for WebAssembly need not be installed.
#[test]
fn the_file_for_rust_guests_compiles() {
    let out = tempfile::tempdir().unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_string());
    let guest = format!(
        "#![no_std]\n#![deny(warnings)]\n#[path = {:?}]\npub mod side_table;\n",
        super::folder("include/wasmtime_gc/side_table.rs")
    );
    let file = out.path().join("guest.rs");
    std::fs::write(&file, guest).unwrap();
    let ran = super::ran(
        std::process::Command::new(rustc)
            .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--out-dir"])
            .arg(out.path())
            .arg(&file),
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

/// A token lives as long as what holds it: here a struct, held by a handle.
#[test]
fn tokens_report_the_end_of_what_holds_them() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Finalizers::new());
    let mut linker = Linker::new(&engine);
    Finalizers::add_to_linker(&mut linker, |finalizers: &Finalizers| finalizers).unwrap();
    linker.side_table(&mut store, "wasmtime-gc:side-table", RefType::ANYREF).unwrap();
    let text = r#"(module
      (type $held (struct (field i32) (field externref)))
      (import "wasmtime-gc:finalizers" "token" (func $token (param i32) (result externref)))
      (import "wasmtime-gc:finalizers" "pending" (func $pending (result i32)))
      (import "wasmtime-gc:finalizers" "next" (func $next (result i32)))
      (import "wasmtime-gc:heap" "collect" (func $collect))
      (import "wasmtime-gc:heap" "collections" (func $collections (result i64)))
      (import "wasmtime-gc:side-table" "intern" (func $intern (param anyref) (result i32)))
      (import "wasmtime-gc:side-table" "release" (func $release (param i32)))
      (export "pending" (func $pending))
      (export "next" (func $next))
      (func (export "make") (param i32) (result i32)
        (call $intern (struct.new $held (local.get 0) (call $token (local.get 0)))))
      (func (export "release") (param i32) (call $release (local.get 0)) (call $collect))
      (func (export "collections") (result i64) (call $collections)))"#;
    let module = Module::new(&engine, text).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let make = instance.get_typed_func::<i32, i32>(&mut store, "make").unwrap();
    let release = instance.get_typed_func::<i32, ()>(&mut store, "release").unwrap();
    let next = instance.get_typed_func::<(), i32>(&mut store, "next").unwrap();
    let pending = instance.get_typed_func::<(), i32>(&mut store, "pending").unwrap();
    let collections = instance.get_typed_func::<(), i64>(&mut store, "collections").unwrap();
    let handles: Vec<i32> = (100..104).map(|n| make.call(&mut store, n).unwrap()).collect();
    store.gc(None).unwrap();
    assert_eq!((pending.call(&mut store, ()).unwrap(), next.call(&mut store, ()).unwrap()), (0, -1));
    let before = collections.call(&mut store, ()).unwrap();
    release.call(&mut store, handles[2]).unwrap();
    assert!(collections.call(&mut store, ()).unwrap() > before);
    assert_eq!((pending.call(&mut store, ()).unwrap(), next.call(&mut store, ()).unwrap()), (1, 102));
    assert_eq!(pending.call(&mut store, ()).unwrap(), 0);
    {
        let mut scope = RootScope::new(&mut store);
        let reports = Finalizers::new();
        reports.token(&mut scope, 9).unwrap();
        drop(scope);
        store.gc(None).unwrap();
        assert_eq!((reports.next_report(), reports.pending()), (Some(9), 0), "embedders have tokens too");
    }
    release.call(&mut store, handles[0]).unwrap();
    assert_eq!(store.data().next_report(), Some(100));
}
