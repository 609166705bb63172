//! Exceptions that the host makes, catches and looks into; exceptions between modules. Each test runs
//! once more with a collection at every allocation, so that payloads move.

use super::*;
use std::num::NonZeroU32;
use wasmtime_gc::api::{
    AnyRef, ExnRef, ExnRefPre, ExnType, ExternRef, Func, FuncType, Global, GlobalType, HeapType, Linker, Mutability,
    Ref, RefType, Result, RootScope, Rooted, Table, TableType, Tag, TagType, ThrownException, Val, ValType,
};

/// Engines that collect now and then, and always.
pub(super) fn engines() -> [Engine; 2] {
    let mut zeal = Config::new();
    zeal.gc_zeal(NonZeroU32::new(1)).gc_verify(true).gc_poison(true);
    [Config::new(), zeal].map(|config| Engine::new(&config).unwrap())
}

/// An exception of an integer.
pub(super) fn exception(store: &mut Store<()>, value: i32) -> (Tag, Rooted<ExnRef>) {
    let ty = ExnType::new(store.engine(), [ValType::I32]).unwrap();
    let tag = Tag::new(&mut *store, &ty.tag_type()).unwrap();
    let pre = ExnRefPre::new(&mut *store, ty);
    let exn = ExnRef::new(&mut *store, &pre, &tag, &[Val::I32(value)]).unwrap();
    (tag, exn)
}

#[test]
fn a_payload_of_every_type_comes_out_as_it_went_in() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let module = Module::new(
            &engine,
            r#"(module
                (type $s (struct (field i32)))
                (func (export "make") (param i32) (result anyref) (struct.new $s (local.get 0)))
                (func (export "read") (param anyref) (result i32)
                    (struct.get $s 0 (ref.cast (ref $s) (local.get 0))))
                (func (export "three") (result i32) (i32.const 3)))"#,
        )
        .unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let make = instance.get_typed_func::<i32, Option<Rooted<AnyRef>>>(&mut store, "make").unwrap();
        let read = instance.get_typed_func::<Option<Rooted<AnyRef>>, i32>(&mut store, "read").unwrap();
        let three = instance.get_func(&mut store, "three").unwrap();
        let types = [
            ValType::I32,
            ValType::ANYREF,
            ValType::I64,
            ValType::F32,
            ValType::EXTERNREF,
            ValType::F64,
            ValType::V128,
            ValType::FUNCREF,
            ValType::FUNCREF,
            ValType::EXNREF,
        ];
        let ty = ExnType::new(&engine, types).unwrap();
        let tag = Tag::new(&mut store, &ty.tag_type()).unwrap();
        let pre = ExnRefPre::new(&mut store, ty);
        let object = make.call(&mut store, 41).unwrap();
        let host = ExternRef::new(&mut store, "host").unwrap();
        let (_, inner) = exception(&mut store, 5);
        let payload = [
            Val::I32(-1),
            object.into(),
            Val::I64(i64::MIN),
            1.5f32.into(),
            host.into(),
            2.5f64.into(),
            (7u128 << 100).into(),
            three.into(),
            Val::null_func_ref(),
            inner.into(),
        ];
        let exn = ExnRef::new(&mut store, &pre, &tag, &payload).unwrap();
        // Everything that can move does.
        for n in 0..4 {
            make.call(&mut store, n).unwrap();
        }
        store.gc(None).unwrap();
        let fields: Vec<Val> = exn.fields(&mut store).unwrap().collect();
        assert_eq!(fields.len(), payload.len());
        assert_eq!(fields[0].unwrap_i32(), -1);
        let object = fields[1].unwrap_any_ref().copied();
        assert_eq!(read.call(&mut store, object).unwrap(), 41);
        assert_eq!(fields[2].unwrap_i64(), i64::MIN);
        assert_eq!((fields[3].unwrap_f32(), fields[5].unwrap_f64()), (1.5, 2.5));
        let host = fields[4].unwrap_extern_ref().unwrap().data(&store).unwrap().unwrap();
        assert_eq!(host.downcast_ref::<&str>(), Some(&"host"));
        assert_eq!(fields[6].unwrap_v128().as_u128(), 7 << 100);
        let mut results = [Val::I32(0)];
        fields[7].unwrap_func_ref().unwrap().call(&mut store, &[], &mut results).unwrap();
        assert_eq!(results[0].unwrap_i32(), 3);
        assert!(fields[8].unwrap_func_ref().is_none());
        let inner = *fields[9].unwrap_exnref().unwrap();
        assert_eq!(inner.field(&mut store, 0).unwrap().unwrap_i32(), 5);
        assert!(exn.field(&mut store, 10).unwrap_err().to_string().contains("cannot access field 10"));
    }
}

#[test]
fn exceptions_say_what_they_are() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let (tag, exn) = exception(&mut store, 1);
        let (other, _) = exception(&mut store, 1);
        assert!(Tag::eq(&exn.tag(&mut store).unwrap(), &tag, &store));
        assert!(!Tag::eq(&exn.tag(&mut store).unwrap(), &other, &store));
        let ty = exn.ty(&store).unwrap();
        assert_eq!((ty.fields().len(), ty.field(1).is_none()), (1, true));
        assert!(ty.matches(&ExnType::new(&engine, [ValType::I32]).unwrap()));
        assert!(ty.matches(&ExnType::from_tag_type(&tag.ty(&store)).unwrap()));
        let wide = ExnType::new(&engine, [ValType::I64]).unwrap();
        assert!(!ty.matches(&wide));
        assert_eq!(wide.to_string(), "(exn (type (func (param i64))) (field i64))");
        assert!(exn.matches_ty(&store, &HeapType::Exn).unwrap());
        assert!(exn.matches_ty(&store, &ty.clone().into()).unwrap());
        assert!(!exn.matches_ty(&store, &wide.clone().into()).unwrap());
        assert!(!exn.matches_ty(&store, &HeapType::NoExn).unwrap());
        let val = Val::from(exn);
        assert!(val.ty(&mut store).unwrap().matches(&ValType::EXNREF));
        assert!(val.matches_ty(&mut store, &ValType::Ref(RefType::new(false, ty.into()))).unwrap());
        assert!(!val.matches_ty(&mut store, &ValType::Ref(RefType::new(true, wide.into()))).unwrap());
        assert!(Val::null_exn_ref().matches_ty(&mut store, &ValType::NULLEXNREF).unwrap());
        assert!(Ref::from(exn).is_exn() && Ref::from(exn).unwrap_exn().is_some());
        let results = FuncType::new(&engine, [], [ValType::I32]);
        assert!(ExnType::from_tag_type(&TagType::new(results)).is_err());
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for engine in engines() {
        let mut store = Store::new(&engine, ());
        let narrow = ExnType::new(&engine, [ValType::I32]).unwrap();
        let wide = ExnType::new(&engine, [ValType::I64]).unwrap();
        let tag = Tag::new(&mut store, &narrow.tag_type()).unwrap();
        let (narrow, wide) = (ExnRefPre::new(&mut store, narrow), ExnRefPre::new(&mut store, wide));
        let mut fails = |pre: &ExnRefPre, fields: &[Val]| {
            let err = ExnRef::new(&mut store, pre, &tag, fields).unwrap_err();
            format!("{err:#}")
        };
        assert_eq!(fails(&wide, &[Val::I64(1)]), "incorrect signature for tag when creating exception object");
        assert_eq!(fails(&narrow, &[]), "expected 1 fields, got 0");
        assert!(fails(&narrow, &[Val::I64(1)]).starts_with("field type mismatch: type mismatch"));
        let mut other = Store::new(&engine, ());
        assert!(ExnRef::new(&mut other, &narrow, &tag, &[Val::I32(1)]).is_err());
        let stale = {
            let mut scope = RootScope::new(&mut store);
            ExnRef::new(&mut scope, &narrow, &tag, &[Val::I32(1)]).unwrap()
        };
        assert!(stale.tag(&mut store).is_err());
        let err = store.throw::<()>(stale).unwrap_err();
        assert!(!err.is::<ThrownException>() && !store.has_pending_exception());
    }
}

#[test]
fn an_exception_that_leaves_is_pending_in_the_store() {
    for engine in engines() {
        let module = Module::new(
            &engine,
            r#"(module
                (type $s (struct (field i32)))
                (tag $t (export "t") (param i32 (ref $s)))
                (func $deep (param i32) (result i64)
                    (if (i32.eqz (local.get 0))
                        (then (throw $t (i32.const 9) (struct.new $s (i32.const 10)))))
                    (call $deep (i32.sub (local.get 0) (i32.const 1))))
                (func (export "throw") (result i64) (call $deep (i32.const 5)))
                (func (export "make") (result anyref) (struct.new $s (i32.const 0)))
                (func (export "read") (param anyref) (result i32)
                    (struct.get $s 0 (ref.cast (ref $s) (local.get 0)))))"#,
        )
        .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let throw = instance.get_typed_func::<(), i64>(&mut store, "throw").unwrap();
        let make = instance.get_typed_func::<(), Option<Rooted<AnyRef>>>(&mut store, "make").unwrap();
        let read = instance.get_typed_func::<Option<Rooted<AnyRef>>, i32>(&mut store, "read").unwrap();
        let tag = instance.get_export(&mut store, "t").unwrap().into_tag().unwrap();
        assert!(!store.has_pending_exception() && store.take_pending_exception().is_none());
        let err = throw.call(&mut store, ()).unwrap_err();
        assert!(err.is::<ThrownException>());
        assert_eq!(err.to_string(), "thrown Wasm exception");
        // Nobody looks at it at once: calls go on, and it is a root.
        for _ in 0..3 {
            make.call(&mut store, ()).unwrap();
        }
        store.gc(None).unwrap();
        assert!(store.has_pending_exception());
        let exn = store.take_pending_exception().unwrap();
        assert!(!store.has_pending_exception());
        assert!(Tag::eq(&exn.tag(&mut store).unwrap(), &tag, &store));
        assert_eq!(exn.field(&mut store, 0).unwrap().unwrap_i32(), 9);
        let object = exn.field(&mut store, 1).unwrap().unwrap_any_ref().copied();
        assert_eq!(read.call(&mut store, object).unwrap(), 10);
        let mut results = [Val::I64(0)];
        let func = instance.get_func(&mut store, "throw").unwrap();
        assert!(func.call(&mut store, &[], &mut results).unwrap_err().is::<ThrownException>());
        assert!(store.has_pending_exception());
    }
}

#[test]
fn exception_references_cross_the_border() {
    for engine in engines() {
        let module = Module::new(
            &engine,
            r#"(module
                (tag $t (export "t") (param i32))
                (table $table (export "table") 2 exnref)
                (global $global (export "global") (mut exnref) (ref.null exn))
                (func (export "catch") (result exnref)
                    (block $h (result exnref)
                        (try_table (catch_all_ref $h) (throw $t (i32.const 6)))
                        (unreachable)))
                (func (export "keep") (param exnref)
                    (table.set $table (i32.const 1) (local.get 0))
                    (global.set $global (local.get 0)))
                (func (export "again") (param (ref exn)) (throw_ref (local.get 0))))"#,
        )
        .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let catch = instance.get_typed_func::<(), Option<Rooted<ExnRef>>>(&mut store, "catch").unwrap();
        let keep = instance.get_typed_func::<Option<Rooted<ExnRef>>, ()>(&mut store, "keep").unwrap();
        let again = instance.get_typed_func::<Rooted<ExnRef>, ()>(&mut store, "again").unwrap();
        let table = instance.get_table(&mut store, "table").unwrap();
        let global = instance.get_global(&mut store, "global").unwrap();
        let exn = catch.call(&mut store, ()).unwrap().unwrap();
        keep.call(&mut store, Some(exn)).unwrap();
        catch.call(&mut store, ()).unwrap();
        let in_table = *table.get(&mut store, 1).unwrap().unwrap_exn().unwrap();
        let in_global = *global.get(&mut store).unwrap_exnref().unwrap();
        assert!(Rooted::ref_eq(&store, &in_table, &exn).unwrap() && Rooted::ref_eq(&store, &in_global, &exn).unwrap());
        let (_, own) = exception(&mut store, 8);
        table.set(&mut store, 0, own.into()).unwrap();
        global.set(&mut store, own.into()).unwrap();
        catch.call(&mut store, ()).unwrap();
        assert_eq!(global.get(&mut store).unwrap_exnref().unwrap().field(&mut store, 0).unwrap().unwrap_i32(), 8);
        keep.call(&mut store, None).unwrap();
        assert!(table.get(&mut store, 1).unwrap().is_null());
        assert!(again.call(&mut store, own).unwrap_err().is::<ThrownException>());
        let back = store.take_pending_exception().unwrap();
        assert!(Rooted::ref_eq(&store, &back, &own).unwrap());
    }
}

#[test]
fn the_host_makes_tables_and_globals_of_exceptions() {
    for engine in engines() {
        let module = Module::new(
            &engine,
            r#"(module
                (import "" "tag" (tag $t (param i32)))
                (import "" "table" (table $table 1 exnref))
                (import "" "global" (global $global exnref))
                (func $read (param exnref) (result i32)
                    (block $h (result i32)
                        (try_table (catch $t $h) (throw_ref (local.get 0)))
                        (unreachable)))
                (func (export "table") (result i32) (call $read (table.get $table (i32.const 0))))
                (func (export "global") (result i32) (call $read (global.get $global))))"#,
        )
        .unwrap();
        let mut store = Store::new(&engine, ());
        let (tag, exn) = exception(&mut store, 20);
        let table = Table::new(&mut store, TableType::new(RefType::EXNREF, 1, None), exn.into()).unwrap();
        let ty = GlobalType::new(ValType::EXNREF, Mutability::Const);
        let global = Global::new(&mut store, ty, exn.into()).unwrap();
        let imports = [tag.into(), table.into(), global.into()];
        let instance = Instance::new(&mut store, &module, &imports).unwrap();
        for name in ["table", "global"] {
            let read = instance.get_typed_func::<(), i32>(&mut store, name).unwrap();
            assert_eq!(read.call(&mut store, ()).unwrap(), 20);
        }
        let any = ValType::ANYREF;
        assert!(Global::new(&mut store, GlobalType::new(any, Mutability::Const), exn.into()).is_err());
    }
}

const CATCHER: &str = r#"(module
    (type $s (struct (field i32)))
    (import "a" "t" (tag $t (param (ref $s))))
    (import "a" "throw" (func $throw (param i32)))
    (func (export "catch") (param i32) (result i32)
        (block $all
            (block $h (result (ref $s))
                (try_table (catch $t $h) (catch_all $all) (call $throw (local.get 0)))
                (return (i32.const -1)))
            (return (struct.get $s 0)))
        (i32.const -2)))"#;

#[test]
fn tags_have_identities_across_modules() {
    for engine in engines() {
        let thrower = Module::new(
            &engine,
            r#"(module
                (type $s (struct (field i32)))
                (tag $own (export "t") (param (ref $s)))
                (tag $other (export "other") (param (ref $s)))
                (tag (export "narrow") (param i32))
                (func (export "throw") (param i32)
                    (throw $own (struct.new $s (local.get 0)))))"#,
        )
        .unwrap();
        let catcher = Module::new(&engine, CATCHER).unwrap();
        let mut store = Store::new(&engine, ());
        let a = Instance::new(&mut store, &thrower, &[]).unwrap();
        let mut catches = |tag: &str| -> Result<i32> {
            let mut linker = Linker::new(&engine);
            let tag = a.get_export(&mut store, tag).unwrap();
            let throw = a.get_export(&mut store, "throw").unwrap();
            linker.define(&store, "a", "t", tag)?.define(&store, "a", "throw", throw)?;
            let b = linker.instantiate(&mut store, &catcher)?;
            b.get_typed_func::<i32, i32>(&mut store, "catch")?.call(&mut store, 30)
        };
        assert_eq!(catches("t").unwrap(), 30);
        assert_eq!(catches("other").unwrap(), -2, "the same type is not the same tag");
        let err = format!("{:#}", catches("narrow").unwrap_err());
        assert_eq!(err, "incompatible import type for `a::t`: incompatible tag types");
        let err = format!("{:#}", catches("throw").unwrap_err());
        assert_eq!(err, "incompatible import type for `a::t`: expected tag, but found function");
    }
}

#[test]
fn a_host_tag_is_thrown_and_caught_by_modules() {
    for engine in engines() {
        let module = Module::new(
            &engine,
            r#"(module
                (import "" "t" (tag $t (param i32)))
                (func (export "throw") (param i32) (throw $t (local.get 0))))"#,
        )
        .unwrap();
        let mut store = Store::new(&engine, ());
        let (tag, _) = exception(&mut store, 0);
        let instance = Instance::new(&mut store, &module, &[tag.into()]).unwrap();
        let throw = instance.get_typed_func::<i32, ()>(&mut store, "throw").unwrap();
        throw.call(&mut store, 77).unwrap_err();
        let exn = store.take_pending_exception().unwrap();
        assert!(Tag::eq(&exn.tag(&mut store).unwrap(), &tag, &store));
        assert_eq!(exn.field(&mut store, 0).unwrap().unwrap_i32(), 77);
    }
}

#[test]
fn a_start_function_that_throws_fails_the_instantiation() {
    for engine in engines() {
        let module = Module::new(
            &engine,
            r#"(module
                (import "" "host" (func $host))
                (tag $t (param i32))
                (func $start (call $host) (throw $t (i32.const 3)))
                (start $start))"#,
        )
        .unwrap();
        let mut store = Store::new(&engine, ());
        let quiet = Func::wrap(&mut store, || {});
        let err = Instance::new(&mut store, &module, &[quiet.into()]).unwrap_err();
        assert!(err.is::<ThrownException>());
        let exn = store.take_pending_exception().unwrap();
        assert_eq!(exn.field(&mut store, 0).unwrap().unwrap_i32(), 3);
        let (_, exn) = exception(&mut store, 4);
        let exn = exn.to_owned_rooted(&mut store).unwrap();
        let loud = Func::wrap(&mut store, move |mut caller: wasmtime_gc::Caller<'_, ()>| -> Result<()> {
            let exn = exn.to_rooted(&mut caller);
            caller.throw(exn)
        });
        let err = Instance::new(&mut store, &module, &[loud.into()]).unwrap_err();
        assert!(err.is::<ThrownException>());
        let exn = store.take_pending_exception().unwrap();
        assert_eq!(exn.field(&mut store, 0).unwrap().unwrap_i32(), 4);
    }
}
