//! The functions of `ext` as imports of modules.

use std::num::NonZeroU32;
use wasmtime_gc::*;

const GUEST: &str = r#"(module
    (import "wasmtime_gc" "weak_new" (func $weak_new (param (ref any)) (result (ref extern))))
    (import "wasmtime_gc" "weak_get" (func $weak_get (param externref) (result anyref)))
    (import "wasmtime_gc" "map_new" (func $map_new (result (ref extern))))
    (import "wasmtime_gc" "map_set" (func $map_set (param externref (ref any) anyref)))
    (import "wasmtime_gc" "map_get" (func $map_get (param externref (ref any)) (result anyref)))
    (import "wasmtime_gc" "map_delete" (func $map_delete (param externref (ref any)) (result i32)))
    (import "wasmtime_gc" "registry_new" (func $registry_new (result (ref extern))))
    (import "wasmtime_gc" "registry_register"
        (func $register (param externref (ref any) anyref) (result i64)))
    (import "wasmtime_gc" "registry_unregister" (func $unregister (param externref i64) (result i32)))
    (import "wasmtime_gc" "registry_take" (func $take (param externref) (result anyref i32)))
    (import "wasmtime_gc" "collect" (func $collect))
    (import "wasmtime_gc" "major_collections" (func $majors (result i64)))
    (import "wasmtime_gc" "heap_bytes" (func $heap_bytes (result i64)))
    (import "wasmtime_gc" "pause_total_ns" (func $pauses (result i64)))
    (type $box (struct (field (mut i32))))
    (global $kept (mut (ref null $box)) (ref.null none))
    (global $weak (mut externref) (ref.null extern))
    (global $lost (mut externref) (ref.null extern))
    (global $map (mut externref) (ref.null extern))
    (global $registry (mut externref) (ref.null extern))
    (func $value (param anyref) (result i32) (struct.get $box 0 (ref.cast (ref $box) (local.get 0))))
    (func (export "set_up")
        (local $new (ref $box))
        (global.set $map (call $map_new))
        (global.set $registry (call $registry_new))
        (global.set $kept (struct.new $box (i32.const 1)))
        (global.set $weak (call $weak_new (ref.as_non_null (global.get $kept))))
        (call $map_set (global.get $map) (ref.as_non_null (global.get $kept)) (struct.new $box (i32.const 2)))
        (local.set $new (struct.new $box (i32.const 3)))
        (global.set $lost (call $weak_new (local.get $new)))
        (call $map_set (global.get $map) (local.get $new) (local.get $new))
        (drop (call $register (global.get $registry) (local.get $new) (struct.new $box (i32.const 4))))
        (drop (call $unregister (global.get $registry)
            (call $register (global.get $registry) (local.get $new) (ref.i31 (i32.const 5))))))
    (func (export "check") (result i32)
        (local $held anyref) (local $found i32)
        (call $collect)
        (if (i32.eqz (ref.is_null (call $weak_get (global.get $lost)))) (then (return (i32.const 1))))
        (if (i32.ne (call $value (call $weak_get (global.get $weak))) (i32.const 1)) (then (return (i32.const 2))))
        (if (i32.ne (call $value (call $map_get (global.get $map) (ref.as_non_null (global.get $kept)))) (i32.const 2))
            (then (return (i32.const 3))))
        (call $take (global.get $registry))
        (local.set $found)
        (local.set $held)
        (if (i32.ne (i32.mul (call $value (local.get $held)) (local.get $found)) (i32.const 4))
            (then (return (i32.const 4))))
        (call $take (global.get $registry))
        (local.set $found)
        (local.set $held)
        (if (i32.or (local.get $found) (i32.eqz (ref.is_null (local.get $held)))) (then (return (i32.const 5))))
        (if (i32.ne (call $map_delete (global.get $map) (ref.as_non_null (global.get $kept))) (i32.const 1))
            (then (return (i32.const 6))))
        (if (i32.ne (call $map_delete (global.get $map) (ref.as_non_null (global.get $kept))) (i32.const 0))
            (then (return (i32.const 7))))
        (if (i64.eqz (i64.mul (call $majors) (i64.mul (call $heap_bytes) (call $pauses))))
            (then (return (i32.const 8))))
        (i32.const 0))
    (func (export "wrong") (drop (call $weak_get (global.get $map))))
    (func (export "immortal") (drop (call $register (global.get $registry) (ref.i31 (i32.const 1)) (ref.null none)))))"#;

#[test]
fn a_module_has_weak_references_maps_and_registries() {
    for zeal in [None, NonZeroU32::new(1)] {
        let mut config = Config::new();
        config.gc_zeal(zeal).gc_verify(true).gc_poison(true);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, GUEST).unwrap();
        let mut linker = Linker::new(&engine);
        ext::add_to_linker(&mut linker).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let call = |store: &mut Store<()>, name: &str| {
            instance.get_typed_func::<(), ()>(&mut *store, name).and_then(|func| func.call(store, ()))
        };
        call(&mut store, "set_up").unwrap();
        let check = instance.get_typed_func::<(), i32>(&mut store, "check").unwrap();
        assert_eq!(check.call(&mut store, ()).unwrap(), 0, "zeal {zeal:?}");
        let wrong = call(&mut store, "wrong").unwrap_err();
        assert!(format!("{wrong:#}").contains("not to a weak reference"), "{wrong:?}");
        let immortal = call(&mut store, "immortal").unwrap_err();
        assert!(format!("{immortal:#}").contains("i31"), "{immortal:?}");
    }
}

/// Entries of ephemeron maps are the host's memory, which the heap's limit does not count: a guest could take all.
#[test]
fn a_guest_can_not_fill_the_host_with_entries() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "wasmtime_gc" "map_new" (func $map_new (result (ref extern))))
            (import "wasmtime_gc" "map_set" (func $map_set (param externref (ref any) anyref)))
            (type $key (struct (field (ref null $key))))
            (global $keys (mut (ref null $key)) (ref.null none))
            (func (export "dead") (param $n i32) (local $map externref)
                (local.set $map (call $map_new))
                (loop $l
                    (call $map_set (local.get $map) (struct.new $key (ref.null none)) (ref.i31 (i32.const 1)))
                    (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
            (func (export "live") (local $map externref)
                (local.set $map (call $map_new))
                (loop $l
                    (global.set $keys (struct.new $key (global.get $keys)))
                    (call $map_set (local.get $map) (ref.as_non_null (global.get $keys)) (ref.i31 (i32.const 1)))
                    (br $l))))"#,
    )
    .unwrap();
    let mut linker = Linker::new(&engine);
    ext::add_to_linker(&mut linker).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let dead = instance.get_typed_func::<i32, ()>(&mut store, "dead").unwrap();
    dead.call(&mut store, 1_000_000).unwrap();
    let live = instance.get_typed_func::<(), ()>(&mut store, "live").unwrap();
    let err = live.call(&mut store, ()).unwrap_err();
    assert!(format!("{err:#}").contains("too many ephemeron maps and entries"), "{err:?}");
    dead.call(&mut store, 10).unwrap_err();
}
