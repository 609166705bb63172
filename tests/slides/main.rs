//! The slides of 2020, "Garbage Collection for Wasm – proposal update": every instruction and type on them in their
//! own syntax, and their example of two classes in three languages.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use wasmtime_gc::cli::wast;
use wasmtime_gc::{Config, Dialect, Engine, Instance, Module, Store};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slides")
}

fn run(options: &[&str], program: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wasmtime-gc")).arg("run").args(options).arg(program).output().unwrap()
}

fn prints(options: &[&str], program: &Path, expected: &str) {
    let run = run(options, program);
    assert!(run.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&run.stderr));
    assert_eq!(String::from_utf8_lossy(&run.stdout), expected, "{}", program.display());
}

#[test]
fn the_classes_print_the_same_in_all_three_languages() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let expected = std::fs::read_to_string(examples.join("classes.stdout")).unwrap();
    let zeal = ["-D", "gc-zeal=1", "-D", "gc-verify"];
    for options in [&[][..], &zeal] {
        prints(options, &examples.join("classes.wat"), &expected);
        let with = |more: &[&'static str]| [options, more].concat();
        prints(&with(&["--dialect", "rtt2020"]), &folder().join("classes.wat"), &expected);
        prints(&with(&["-W", "custom-descriptors"]), &folder().join("classes_descriptors.wat"), &expected);
    }
}

#[test]
fn without_the_flag_the_error_names_it() {
    let run = run(&[], &folder().join("classes.wat"));
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert!(!run.status.success() && stderr.contains("--dialect rtt2020"), "{stderr}");
}

#[test]
fn everything_on_the_slides_works() {
    let mut assertions = 0;
    for zeal in [0, 1] {
        let mut config = Config::new();
        config.gc_zeal(std::num::NonZeroU32::new(zeal)).gc_verify(zeal > 0);
        let engine = Engine::new(&config).unwrap();
        for name in
            ["types.wast", "instructions.wast", "rtts.wast", "functions.wast", "invalid.wast", "type_imports.wast"]
        {
            let text = std::fs::read_to_string(folder().join(name)).unwrap();
            let report = wast::run_dialect(&engine, name, &text, Dialect::Rtt2020).unwrap();
            assert!(report.failures.is_empty(), "{report}");
            assertions += report.assertions;
        }
    }
    assert!(assertions > 100, "{assertions} assertions");
}

/// The slides promise unboxed scalars: a million round trips through a reference allocate nothing.
#[test]
fn scalars_are_not_boxed() {
    let engine = Engine::default();
    let text = r#"(module
        (func (export "round_trips") (param $n i32) (result i32)
            (local $sum i32) (local $x anyref)
            (loop $next
                (local.set $x (ref.i31 (local.get $n)))
                (local.set $sum (i32.add (local.get $sum) (ref.get_i31_s (ref.as_i31 (local.get $x)))))
                (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $sum)))"#;
    let module = Module::with_dialect(&engine, text, Dialect::Rtt2020).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let round_trips = instance.get_typed_func::<i32, i32>(&mut store, "round_trips").unwrap();
    let before = store.heap_stats().allocated_bytes;
    let expected = (1..=1_000_000i32).fold(0i32, |sum, n| sum.wrapping_add(n));
    assert_eq!(round_trips.call(&mut store, 1_000_000).unwrap(), expected);
    assert_eq!(store.heap_stats().allocated_bytes, before);
}

/// Every assertion of the proposal's own tests of the time holds. They are named by `WASMTIME_GC_CORPUS`.
#[test]
fn tests_of_the_time_pass() {
    let Some(corpus) = std::env::var_os("WASMTIME_GC_CORPUS") else {
        println!("skipped: WASMTIME_GC_CORPUS is not set");
        return;
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(Path::new(&corpus).join("rtt-era"))
        .expect("the corpus has tests of the time")
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let (mut assertions, mut files) = (0, 0);
    for zeal in [0, 1] {
        let mut config = Config::new();
        config.gc_zeal(std::num::NonZeroU32::new(zeal)).gc_verify(zeal > 0);
        let engine = Engine::new(&config).unwrap();
        for path in &paths {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path).unwrap();
            let report = wast::run_dialect(&engine, &name, &text, Dialect::Rtt2020).unwrap();
            assert!(report.failures.is_empty(), "{report}");
            assertions += report.assertions;
            files += 1;
        }
    }
    println!("{assertions} assertions in {files} runs of scripts");
    assert!(files >= 24 && assertions >= 900, "the corpus is incomplete: {assertions} assertions in {files} runs");
}

/// A module of the dialect and one of today's standard share references of any kind in one store, and see of each
/// other's objects what the document says.
#[test]
fn both_worlds_share_a_store() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let old = r#"(module
        (type $t (struct (field i32)))
        (type $v_i (func (result i32)))
        (elem declare func $three)
        (func $three (result i32) (i32.const 3))
        (global (export "cell") (mut anyref) (ref.null any))
        (func (export "object") (result anyref) (struct.new_with_rtt $t (i32.const 5) (rtt.canon $t)))
        (func (export "rtt") (result anyref) (rtt.canon $t))
        (func (export "function") (result anyref) (ref.func $three))
        (func (export "number") (result anyref) (ref.i31 (i32.const 9)))
        (func (export "is_mine") (param anyref) (result i32) (ref.test (local.get 0) (rtt.canon $t)))
        (func (export "is_data") (param anyref) (result i32) (ref.is_data (local.get 0)))
        (func (export "call") (param anyref) (result i32)
            (call_ref (ref.cast (local.get 0) (rtt.canon $v_i)))))"#;
    let new = r#"(module
        (type $t (struct (field i32)))
        (import "old" "cell" (global $cell (mut anyref)))
        (import "old" "object" (func $object (result anyref)))
        (import "old" "rtt" (func $rtt (result anyref)))
        (import "old" "function" (func $function (result anyref)))
        (import "old" "number" (func $number (result anyref)))
        (import "old" "is_mine" (func $is_mine (param anyref) (result i32)))
        (import "old" "is_data" (func $is_data (param anyref) (result i32)))
        (import "old" "call" (func $call (param anyref) (result i32)))
        (func (export "kinds") (result i32 i32 i32 i32 i32)
            (ref.test (ref struct) (call $object))
            (ref.test (ref $t) (call $object))
            (ref.test (ref eq) (call $rtt))
            (ref.test (ref eq) (call $function))
            (i31.get_s (ref.cast (ref i31) (call $number))))
        (func (export "theirs") (result i32 i32 i32)
            (call $is_mine (call $object))
            (call $is_mine (struct.new $t (i32.const 5)))
            (call $is_data (struct.new $t (i32.const 5))))
        (func (export "round_trip") (result i32 i32)
            (global.set $cell (call $function))
            (call $call (global.get $cell))
            (ref.eq (ref.cast (ref eq) (call $rtt)) (ref.cast (ref eq) (call $rtt)))))"#;
    let mut linker = wasmtime_gc::Linker::new(&engine);
    let old = Module::with_dialect(&engine, old, Dialect::Rtt2020).unwrap();
    linker.module(&mut store, "old", &old).unwrap();
    let instance = linker.instantiate(&mut store, &Module::new(&engine, new).unwrap()).unwrap();
    let kinds = instance.get_typed_func::<(), (i32, i32, i32, i32, i32)>(&mut store, "kinds").unwrap();
    assert_eq!(kinds.call(&mut store, ()).unwrap(), (1, 0, 1, 0, 9));
    let theirs = instance.get_typed_func::<(), (i32, i32, i32)>(&mut store, "theirs").unwrap();
    assert_eq!(theirs.call(&mut store, ()).unwrap(), (1, 0, 1));
    let round_trip = instance.get_typed_func::<(), (i32, i32)>(&mut store, "round_trip").unwrap();
    assert_eq!(round_trip.call(&mut store, ()).unwrap(), (3, 1));
}
