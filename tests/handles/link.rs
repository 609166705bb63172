//! Programs that intrinsics were linked into: the same bytes on ours and on stock Wasmtime.

use super::{on_both, wasmtime_gc};
use wasmtime_gc::intrinsics::{LinkOptions, Links, link};

/// Each way to link a program that imports a table of `externref`.
fn linked(text: &str) -> Vec<Vec<u8>> {
    let wasm = wat::parse_str(text).unwrap();
    let mut ways = Vec::new();
    for links in [Links::Own, Links::Program] {
        for checked in [true, false] {
            ways.push(link(&wasm, &LinkOptions { checked, links }).unwrap().unwrap().wasm);
        }
    }
    ways
}

/// Host values in linear memory: an array of handles.
const KEEPER: &str = r#"(module
  (import "wasmtime-gc:side-table" "intern" (func $intern (param externref) (result i32)))
  (import "host" "mark" (func $mark (param externref) (result i32)))
  (import "wasmtime-gc:side-table" "get" (func $get (param i32) (result externref)))
  (import "wasmtime-gc:side-table" "release" (func $release (param i32)))
  (import "wasmtime-gc:side-table" "size" (func $size (result i32)))
  (import "wasmtime-gc:side-table" "capacity" (func $capacity (result i32)))
  (export "capacity" (func $capacity))
  (memory 1)
  (func (export "put") (param $at i32) (param $value externref)
    (i32.store (i32.shl (local.get $at) (i32.const 2)) (call $intern (local.get $value))))
  (func (export "mark") (param $at i32) (result i32)
    (call $mark (call $get (i32.load (i32.shl (local.get $at) (i32.const 2))))))
  (func (export "drop") (param $at i32)
    (call $release (i32.load (i32.shl (local.get $at) (i32.const 2)))))
  (func (export "size") (result i32) (call $size)))"#;

/// `gc` has another parameter on Wasmtime.
trait Collect {
    fn collect(&mut self);
}

impl Collect for wasmtime_gc::Store<()> {
    fn collect(&mut self) {
        self.gc(None).unwrap();
    }
}

impl Collect for wasmtime::Store<()> {
    fn collect(&mut self) {
        self.gc(None).unwrap();
    }
}

on_both! { host_values,
    /// What the table has is kept, what was released is not: slots are nulled.
    #[test]
    fn live_handles_keep_host_values_and_released_ones_do_not() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicU32, Ordering};
        struct Counted(u32, Arc<AtomicU32>);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.1.fetch_add(1, Ordering::Relaxed);
            }
        }
        for wasm in super::super::linked(super::super::KEEPER) {
            let engine = Engine::default();
            let module = Module::new(&engine, &wasm).unwrap();
            assert_eq!(module.imports().len(), 1, "nothing of ours is left to import");
            let mut store = Store::new(&engine, ());
            let mut linker = Linker::new(&engine);
            let mark = |caller: Caller<'_, ()>, value: Option<Rooted<ExternRef>>| -> i32 {
                let Some(value) = value else { return -1 };
                let data = value.data(&caller).unwrap().unwrap();
                data.downcast_ref::<Counted>().unwrap().0 as i32
            };
            linker.func_wrap("host", "mark", mark).unwrap();
            let instance = linker.instantiate(&mut store, &module).unwrap();
            let dropped = Arc::new(AtomicU32::new(0));
            let put = instance.get_typed_func::<(i32, Option<Rooted<ExternRef>>), ()>(&mut store, "put").unwrap();
            let mark = instance.get_typed_func::<i32, i32>(&mut store, "mark").unwrap();
            let release = instance.get_typed_func::<i32, ()>(&mut store, "drop").unwrap();
            let size = instance.get_typed_func::<(), i32>(&mut store, "size").unwrap();
            let capacity = instance.get_typed_func::<(), i32>(&mut store, "capacity").unwrap();
            for n in 0..1000 {
                let mut scope = RootScope::new(&mut store);
                let value = ExternRef::new(&mut scope, Counted(n, dropped.clone())).unwrap();
                put.call(&mut scope, (n as i32, Some(value))).unwrap();
            }
            assert_eq!(capacity.call(&mut store, ()).unwrap(), 1064);
            for n in (0..1000).step_by(2) {
                release.call(&mut store, n).unwrap();
            }
            super::super::Collect::collect(&mut store);
            assert_eq!(dropped.load(Ordering::Relaxed), 500);
            for n in (1..1000).step_by(2) {
                assert_eq!(mark.call(&mut store, n).unwrap(), n);
            }
            assert_eq!(size.call(&mut store, ()).unwrap(), 500);
            put.call(&mut store, (0, None)).unwrap();
            assert_eq!(mark.call(&mut store, 0).unwrap(), -1, "null has a handle of its own");
        }
    }
}

/// The same program where nothing is ours: links are in its own memory, so that reference types are enough.
#[test]
fn linked_programs_run_in_javascript_engines() {
    if super::ran_if_there("node", &["--version"]).is_none() {
        eprintln!("skipped: node is not installed");
        return;
    }
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("keeper.wasm");
    let wasm = link(&wat::parse_str(KEEPER).unwrap(), &LinkOptions { checked: true, links: Links::Program });
    std::fs::write(&path, wasm.unwrap().unwrap().wasm).unwrap();
    let script = super::folder("tests/handles/keeper.mjs");
    let ran = super::ran_if_there("node", &[&script.display().to_string(), &path.display().to_string()]).unwrap();
    let expected = "capacity 1064 size 1000\ngood 500 size 500\nnull -1\ntrap\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (0, expected), "{}", ran.stderr);
}

/// The growth by half of the table that the milestone names.
#[test]
fn tables_grow_by_half() {
    let module = r#"(module
      (import "wasmtime-gc:side-table" "intern" (func $intern (param i31ref) (result i32)))
      (import "wasmtime-gc:side-table" "capacity" (func $capacity (result i32)))
      (func (export "_start"))
      (func (export "add") (result i32) (drop (call $intern (ref.i31 (i32.const 0)))) (call $capacity)))"#;
    let wasm = link(&wat::parse_str(module).unwrap(), &LinkOptions::default()).unwrap().unwrap().wasm;
    let engine = wasmtime::Engine::default();
    let module = wasmtime::Module::new(&engine, wasm).unwrap();
    let mut store = wasmtime::Store::new(&engine, ());
    let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
    let add = instance.get_typed_func::<(), i32>(&mut store, "add").unwrap();
    let mut sizes: Vec<i32> = (0..1000).map(|_| add.call(&mut store, ()).unwrap()).collect();
    sizes.dedup();
    assert_eq!(sizes, [1, 2, 4, 7, 11, 17, 26, 40, 61, 92, 139, 209, 314, 472, 709, 1064]);
}

/// A table that can not grow is full, and goes on with the slots that it has.
#[test]
fn a_full_table_traps_and_stays_whole() {
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("full.wat");
    let text = r#"(module
      (import "wasmtime-gc:side-table" "intern" (func $intern (param i31ref) (result i32)))
      (func (export "_start")
        (loop $forever (drop (call $intern (ref.i31 (i32.const 0)))) (br $forever))))"#;
    std::fs::write(&path, text).unwrap();
    let ran = wasmtime_gc(&["run", "-W", "max-table-elements=5000", &path.display().to_string()]);
    assert_eq!(ran.code, 134, "{ran:?}");
    assert!(ran.stderr.contains("side_table.full") && ran.stderr.contains("side_table.intern"), "{}", ran.stderr);
}

/// The traps say by their function what was wrong.
#[test]
fn backtraces_name_the_fault() {
    let files = tempfile::tempdir().unwrap();
    let run = |body: &str| {
        let text = format!(
            r#"(module
              (import "wasmtime-gc:side-table" "intern" (func $intern (param externref) (result i32)))
              (import "wasmtime-gc:side-table" "get" (func $get (param i32) (result externref)))
              (import "wasmtime-gc:side-table" "release" (func $release (param i32)))
              (func $new (result i32) (call $intern (extern.convert_any (ref.i31 (i32.const 1)))))
              (func (export "_start") (local $a i32) (local.set $a (call $new)) {body}))"#
        );
        let path = files.path().join("fault.wat");
        std::fs::write(&path, text).unwrap();
        wasmtime_gc(&["run", &path.display().to_string()])
    };
    let twice = run("(call $release (local.get $a)) (call $release (local.get $a))");
    assert!(twice.code == 134 && twice.stderr.contains("side_table.released"), "{twice:?}");
    let stale = run("(call $release (local.get $a)) (drop (call $new)) (drop (call $get (local.get $a)))");
    assert!(stale.code == 134 && stale.stderr.contains("side_table.stale"), "{stale:?}");
    let never = run("(drop (call $get (i32.const 77)))");
    assert!(never.code == 134 && never.stderr.contains("side_table.out_of_range"), "{never:?}");
    let fine = run("(call $release (local.get $a)) (call $release (i32.const -1))");
    assert_eq!(fine.code, 0, "{fine:?}");
}

#[test]
fn the_command_links() {
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("keeper.wat");
    std::fs::write(&path, KEEPER).unwrap();
    let path = path.display().to_string();
    let text = wasmtime_gc(&["link", "--wat", "--links=program", "--fast", &path]);
    assert_eq!((text.code, text.stderr.as_str()), (0, ""));
    assert_eq!(text.stdout.matches("(memory").count(), 1, "{}", text.stdout);
    assert!(text.stdout.contains("(table") && !text.stdout.contains("wasmtime-gc:side-table"), "{}", text.stdout);
    let out = files.path().join("out.wasm").display().to_string();
    assert_eq!(wasmtime_gc(&["link", &path, "-o", &out]).code, 0);
    let again = wasmtime_gc(&["link", &out, "-o", &out]);
    assert!(again.code == 0 && again.stderr.contains("imports no intrinsics"), "{again:?}");
    // `run` links by itself, but does not tell guests of collections unless it is told to.
    let guest = r#"(module
      (import "wasmtime-gc:side-table" "size" (func $size (result i32)))
      (import "wasmtime-gc:heap" "collect" (func $collect))
      (func (export "_start") (if (call $size) (then (unreachable))) (call $collect)))"#;
    std::fs::write(files.path().join("guest.wat"), guest).unwrap();
    let guest = files.path().join("guest.wat").display().to_string();
    let off = wasmtime_gc(&["run", &guest]);
    assert!(off.code == 1 && off.stderr.contains("`wasmtime-gc:heap::collect`"), "{off:?}");
    assert_eq!(wasmtime_gc(&["run", "-S", "gc", &guest]).code, 0);
}

/// Objects without types, and a table of a type of the program, in one module with both engines' collectors.
const MIXED: &str = r#"(module
  (type $pair (struct (field (mut externref)) (field i32)))
  (import "wasmtime-gc:side-table#pairs" "intern" (func $intern (param (ref null $pair)) (result i32)))
  (import "wasmtime-gc:side-table#pairs" "get" (func $get (param i32) (result (ref null $pair))))
  (import "wasmtime-gc:side-table#pairs" "release" (func $release (param i32)))
  (import "wasmtime-gc:objects" "alloc" (func $alloc (param i32 i32) (result externref)))
  (import "wasmtime-gc:objects" "set" (func $set (param externref i32 externref)))
  (import "wasmtime-gc:objects" "ref" (func $ref (param externref i32) (result externref)))
  (import "wasmtime-gc:objects" "store32" (func $store32 (param externref i32 i32)))
  (import "wasmtime-gc:objects" "load32" (func $load32 (param externref i32) (result i32)))
  (import "wasmtime-gc:objects" "is" (func $is (param externref) (result i32)))
  (func (export "run") (param $n i32) (result i32)
    (local $object externref) (local $handle i32) (local $sum i32)
    (loop $next
      (local.set $object (call $alloc (i32.const 2) (i32.const 9)))
      (call $store32 (local.get $object) (i32.const 5) (i32.const -559038737))
      (call $set (local.get $object) (i32.const 1) (local.get $object))
      (local.set $handle
        (call $intern (struct.new $pair (call $ref (local.get $object) (i32.const 1)) (local.get $n))))
      (local.set $sum
        (i32.add (local.get $sum)
          (i32.mul (call $is (struct.get $pair 0 (call $get (local.get $handle))))
            (i32.add
              (struct.get $pair 1 (call $get (local.get $handle)))
              (call $load32 (struct.get $pair 0 (call $get (local.get $handle))) (i32.const 5))))))
      (if (i32.and (local.get $n) (i32.const 7)) (then (call $release (local.get $handle))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))"#;

on_both! { mixed,
    #[test]
    fn programs_mix_intrinsics_with_gc_types() {
        let expected = (1..=3000i32).fold(0i32, |sum, n| sum.wrapping_add(n).wrapping_add(-559_038_737));
        for wasm in super::super::linked_own(super::super::MIXED) {
            let engine = Engine::default();
            let module = Module::new(&engine, &wasm).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
            assert_eq!(run.call(&mut store, 3000).unwrap(), expected);
        }
    }
}

fn linked_own(text: &str) -> Vec<Vec<u8>> {
    let wasm = wat::parse_str(text).unwrap();
    let both = [true, false];
    both.map(|checked| link(&wasm, &LinkOptions { checked, links: Links::Own }).unwrap().unwrap().wasm).to_vec()
}

/// The same with every object moved at each allocation.
#[test]
fn mixed_programs_survive_zeal() {
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("mixed.wat");
    std::fs::write(&path, MIXED).unwrap();
    let args = ["run", "-D", "gc-zeal=1", "-D", "gc-verify", "--invoke", "run", &path.display().to_string(), "100"];
    let ran = wasmtime_gc(&args);
    let expected = (1..=100i32).fold(0i32, |sum, n| sum.wrapping_add(n).wrapping_add(-559_038_737));
    assert!(ran.code == 0 && ran.stdout.trim() == expected.to_string(), "{ran:?}");
}
