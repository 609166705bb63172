//! Weak and finalizing tables, which the host answers with its weak references.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use wasmtime_gc::intrinsics::{LinkOptions, Links, link};
use wasmtime_gc::{AnyRef, Config, Engine, ExternRef, I31, Instance, Linker, Module, RootScope, Rooted, Store, ext};

const GUEST: &str = r#"(module
  (type $box (struct (field (mut i32))))
  (import "wasmtime-gc:side-table/weak#w" "intern" (func $weak (param anyref) (result i32)))
  (import "wasmtime-gc:side-table/weak#w" "get" (func $weak_get (param i32) (result anyref)))
  (import "wasmtime-gc:side-table/weak#w" "release" (func $weak_release (param i32)))
  (import "wasmtime-gc:side-table/weak#w" "size" (func $weak_size (result i32)))
  (import "wasmtime-gc:side-table/finalizing" "intern" (func $watch (param anyref) (result i32)))
  (import "wasmtime-gc:side-table/finalizing" "get" (func $watched (param i32) (result anyref)))
  (import "wasmtime-gc:side-table/finalizing" "release" (func $unwatch (param i32)))
  (import "wasmtime-gc:side-table/finalizing" "next" (func $next (result i32)))
  (import "wasmtime-gc:side-table/finalizing" "size" (func $size (result i32)))
  (export "weak_size" (func $weak_size))
  (export "weak_release" (func $weak_release))
  (export "unwatch" (func $unwatch))
  (export "next" (func $next))
  (export "size" (func $size))
  (memory 1)
  (table $kept 1000 (ref null $box))
  (func $value (param anyref) (result i32)
    (if (result i32) (ref.is_null (local.get 0))
      (then (i32.const -1))
      (else (struct.get $box 0 (ref.cast (ref $box) (local.get 0))))))
  (func (export "weak") (param $n i32) (result i32)
    (table.set $kept (local.get $n) (struct.new $box (local.get $n)))
    (call $weak (table.get $kept (local.get $n))))
  (func (export "weak_get") (param i32) (result i32) (call $value (call $weak_get (local.get 0))))
  (func (export "watch") (param $n i32) (result i32)
    (table.set $kept (local.get $n) (struct.new $box (local.get $n)))
    (call $watch (table.get $kept (local.get $n))))
  (func (export "watched") (param i32) (result i32) (call $value (call $watched (local.get 0))))
  (func (export "null") (param i32) (result i32) (i32.and (call $weak (ref.null any)) (call $watch (ref.null any))))
  (func (export "forget") (param $n i32) (table.set $kept (local.get $n) (ref.null $box))))"#;

struct Guest(Store<()>, Instance);

impl Guest {
    fn new(zeal: Option<NonZeroU32>, links: Links) -> Guest {
        let mut config = Config::new();
        config.gc_zeal(zeal).gc_verify(zeal.is_some());
        let engine = Engine::new(&config).unwrap();
        let wasm = wat::parse_str(GUEST).unwrap();
        let wasm = link(&wasm, &LinkOptions { checked: true, links }).unwrap().unwrap().wasm;
        let module = Module::new(&engine, wasm).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        ext::add_to_linker(&mut linker).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        Guest(store, instance)
    }

    fn of(&mut self, name: &str, argument: i32) -> i32 {
        let func = self.1.get_typed_func::<i32, i32>(&mut self.0, name).unwrap();
        func.call(&mut self.0, argument).unwrap()
    }

    fn get(&mut self, name: &str) -> i32 {
        let func = self.1.get_typed_func::<(), i32>(&mut self.0, name).unwrap();
        func.call(&mut self.0, ()).unwrap()
    }

    fn run(&mut self, name: &str, argument: i32) -> wasmtime_gc::Result<()> {
        let func = self.1.get_typed_func::<i32, ()>(&mut self.0, name).unwrap();
        func.call(&mut self.0, argument)
    }
}

fn guests() -> impl Iterator<Item = Guest> {
    let ways = [(None, Links::Own), (None, Links::Program), (NonZeroU32::new(7), Links::Own)];
    ways.into_iter().map(|(zeal, links)| Guest::new(zeal, links))
}

#[test]
fn weak_handles_do_not_keep_what_they_stand_for() {
    for mut guest in guests() {
        let handles: Vec<i32> = (0..100).map(|n| guest.of("weak", n)).collect();
        guest.0.gc(None).unwrap();
        for (n, &handle) in (0..100).zip(&handles) {
            assert_eq!(guest.of("weak_get", handle), n);
        }
        guest.run("forget", 50).unwrap();
        guest.0.gc(None).unwrap();
        assert_eq!((guest.of("weak_get", handles[50]), guest.of("weak_get", handles[51])), (-1, 51));
        assert_eq!(guest.get("weak_size"), 100, "dead is not released");
        guest.run("weak_release", handles[50]).unwrap();
        assert!(guest.run("weak_release", handles[50]).is_err(), "handles are checked");
        assert_eq!((guest.get("weak_size"), guest.of("null", 0), guest.of("weak_get", -1)), (99, -1, -1));
    }
}

#[test]
fn handles_of_dead_values_are_given_once() {
    for mut guest in guests() {
        assert_eq!(guest.get("next"), -1);
        let handles: Vec<i32> = (0..300).map(|n| guest.of("watch", n)).collect();
        guest.0.gc(None).unwrap();
        assert_eq!(guest.get("next"), -1);
        let mut expected = Vec::new();
        for n in (0..300).filter(|n| n % 3 != 0) {
            guest.run("forget", n).unwrap();
            expected.push(handles[n as usize]);
        }
        guest.0.gc(None).unwrap();
        let mut dead: Vec<i32> = std::iter::repeat_with(|| guest.get("next")).take_while(|&next| next != -1).collect();
        dead.sort_unstable();
        assert_eq!(dead, expected);
        for handle in dead {
            assert_eq!(guest.of("watched", handle), -1);
            guest.run("unwatch", handle).unwrap();
        }
        assert_eq!((guest.get("next"), guest.get("size")), (-1, 100));
    }
}

/// A handle that was released is not reported, even if its slot is another's when its value dies.
#[test]
fn released_handles_are_not_reported() {
    for mut guest in guests() {
        let first = guest.of("watch", 0);
        guest.run("unwatch", first).unwrap();
        let second = guest.of("watch", 1);
        assert_eq!(first & 0x3f_ffff, second & 0x3f_ffff, "the slot is used again");
        guest.run("forget", 0).unwrap();
        guest.0.gc(None).unwrap();
        assert_eq!(guest.get("next"), -1);
        assert_eq!(guest.of("watched", second), 1);
        guest.run("forget", 1).unwrap();
        guest.0.gc(None).unwrap();
        assert_eq!((guest.get("next"), guest.get("next")), (second, -1));
    }
}

/// A value that lives long and is watched again and again had as many registrations as it was watched, in memory of
/// the host that nothing bounds: releasing a handle did not take its registration back.
#[test]
fn released_handles_are_not_registered_any_more() {
    let registered: Arc<Mutex<BTreeSet<u64>>> = Arc::default();
    for links in [Links::Own, Links::Program] {
        let engine = Engine::default();
        let wasm = link(&wat::parse_str(GUEST).unwrap(), &LinkOptions { checked: true, links }).unwrap().unwrap().wasm;
        let module = Module::new(&engine, wasm).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        ext::add_to_linker(&mut linker).unwrap();
        linker.allow_shadowing(true);
        let (all, mut last) = (registered.clone(), 1u64 << 40);
        let numbers = Mutex::new(std::iter::repeat_with(move || {
            last += 1;
            last
        }));
        type Any = Option<Rooted<AnyRef>>;
        let register = move |_: Option<Rooted<ExternRef>>, _: Rooted<AnyRef>, _: Any| {
            let number = numbers.lock().unwrap().next().unwrap();
            all.lock().unwrap().insert(number);
            number
        };
        linker.func_wrap(ext::MODULE, "registry_register", register).unwrap();
        let all = registered.clone();
        let unregister =
            move |_: Option<Rooted<ExternRef>>, number: u64| i32::from(all.lock().unwrap().remove(&number));
        linker.func_wrap(ext::MODULE, "registry_unregister", unregister).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let mut guest = Guest(store, instance);
        let handles: Vec<i32> = (0..300).map(|n| guest.of("watch", n)).collect();
        assert_eq!(registered.lock().unwrap().len(), 300);
        for handle in handles {
            guest.run("unwatch", handle).unwrap();
        }
        assert!(registered.lock().unwrap().is_empty());
    }
}

/// Values of the host were only freed by major collections, and what dies young does not make one due. So a loop that
/// interned and released took ever more of the host's memory.
#[test]
fn weak_references_that_die_young_are_freed() {
    let text = r#"(module
      (import "wasmtime-gc:side-table/finalizing" "intern" (func $intern (param anyref) (result i32)))
      (import "wasmtime-gc:side-table/finalizing" "release" (func $release (param i32)))
      (func (export "churn") (param $n i32) (local $value anyref)
        (local.set $value (array.new_default $bytes (i32.const 4)))
        (loop $again
          (call $release (call $intern (local.get $value)))
          (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
      (type $bytes (array i8)))"#;
    let wasm = link(&wat::parse_str(text).unwrap(), &LinkOptions::default()).unwrap().unwrap().wasm;
    let engine = Engine::default();
    let module = Module::new(&engine, wasm).unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    ext::add_to_linker(&mut linker).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let churn = instance.get_typed_func::<i32, ()>(&mut store, "churn").unwrap();
    churn.call(&mut store, 600_000).unwrap();
    let stats = store.heap_stats();
    assert!(stats.major > 0, "{stats:?}");
}

/// Host values and numbers, as `externref`.
#[test]
fn external_references_can_be_weak() {
    let text = r#"(module
      (import "wasmtime-gc:side-table/weak/fast" "intern" (func $weak (param externref) (result i32)))
      (import "wasmtime-gc:side-table/weak/fast" "get" (func $get (param i32) (result externref)))
      (export "weak" (func $weak))
      (export "get" (func $get)))"#;
    let engine = Engine::default();
    let wasm = link(&wat::parse_str(text).unwrap(), &LinkOptions::default()).unwrap().unwrap().wasm;
    let module = Module::new(&engine, wasm).unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    ext::add_to_linker(&mut linker).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    type External = Option<Rooted<ExternRef>>;
    let weak = instance.get_typed_func::<External, i32>(&mut store, "weak").unwrap();
    let get = instance.get_typed_func::<i32, External>(&mut store, "get").unwrap();
    let (value, number) = {
        let mut scope = RootScope::new(&mut store);
        let value = ExternRef::new(&mut scope, "a host value").unwrap();
        let number = AnyRef::from_i31(&mut scope, I31::wrapping_u32(3));
        let number = ExternRef::convert_any(&mut scope, number).unwrap();
        let value = weak.call(&mut scope, Some(value)).unwrap();
        assert!(get.call(&mut scope, value).unwrap().is_some());
        (value, weak.call(&mut scope, Some(number)).unwrap())
    };
    store.gc(None).unwrap();
    assert!(get.call(&mut store, value).unwrap().is_none());
    assert!(get.call(&mut store, number).unwrap().is_some(), "numbers do not die");
}
