//! The slides of 2020, "Garbage Collection for Wasm – proposal update": every instruction and type on them in their
//! own syntax, and their example of two classes in three languages.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use wasmtime_gc::cli::wast;
use wasmtime_gc::{Config, Dialect, Engine, Instance, Module, Rtt, Store, Val};

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

/// RTTs are values for the host, too: made, passed, compared, used to allocate and to test.
#[test]
fn the_host_has_rtts() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let text = r#"(module
        (type $a (struct (field (mut i32))))
        (type $b (struct (field (mut i32)) (field anyref)))
        (func (export "a") (result (ref $a)) (struct.new_default_with_rtt $a (rtt.canon $a)))
        (func (export "b") (result (ref $b)) (struct.new_default_with_rtt $b (rtt.sub $b (rtt.canon $a))))
        (func (export "rtt") (result (rtt 1 $b)) (rtt.sub $b (rtt.canon $a)))
        (func (export "is") (param anyref (rtt $b)) (result i32) (ref.test (local.get 0) (local.get 1)))
        (func (export "set") (param (ref $b) i32) (result i32)
            (struct.set $b 0 (local.get 0) (local.get 1))
            (struct.get $a 0 (local.get 0))))"#;
    let module = Module::with_dialect(&engine, text, Dialect::Rtt2020).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let result_type = |store: &mut Store<()>, name: &str| {
        let ty = instance.get_func(&mut *store, name).unwrap().ty(&*store);
        ty.result(0).unwrap().as_ref().unwrap().heap_type().clone()
    };
    let (a, b) = (result_type(&mut store, "a"), result_type(&mut store, "b"));
    let call = |store: &mut Store<()>, name: &str, args: &[Val]| {
        let mut results = [Val::I32(0)];
        instance.get_func(&mut *store, name).unwrap().call(&mut *store, args, &mut results).map(|()| results[0])
    };
    let any = |val: Val| val.unwrap_any_ref().copied().unwrap();

    let canon = Rtt::canon(&mut store, &a).unwrap();
    let sub = canon.sub(&mut store, &b).unwrap();
    let again = canon.sub(&mut store, &b).unwrap();
    assert!(sub.same(&store, &again).unwrap() && !sub.same(&store, &canon).unwrap());
    assert_eq!((canon.depth(&store).unwrap(), sub.depth(&store).unwrap()), (0, 1));
    let theirs = any(call(&mut store, "rtt", &[]).unwrap());
    let theirs = Rtt::from_any(&store, theirs).unwrap();
    assert!(theirs.same(&store, &sub).unwrap());

    // An object of the host passes the guest's cast, and the other way round.
    let object = sub.new_default(&mut store).unwrap();
    store.gc(None).unwrap();
    assert!(object.is_struct(&store).unwrap() && !sub.to_any().is_struct(&store).unwrap());
    assert!(Rtt::from_any(&store, object).is_err());
    let args = |rtt: Rtt| [Val::AnyRef(Some(object)), Val::AnyRef(Some(rtt.to_any()))];
    assert_eq!(call(&mut store, "is", &args(sub)).unwrap().unwrap_i32(), 1);
    assert!(call(&mut store, "is", &args(canon)).is_err(), "an RTT of another type was passed");
    assert!(call(&mut store, "is", &[Val::AnyRef(Some(object)), Val::AnyRef(Some(object))]).is_err());
    assert_eq!(call(&mut store, "set", &[Val::AnyRef(Some(object)), Val::I32(7)]).unwrap().unwrap_i32(), 7);
    let (their_a, their_b) = (any(call(&mut store, "a", &[]).unwrap()), any(call(&mut store, "b", &[]).unwrap()));
    assert!(canon.test(&store, their_a).unwrap() && canon.test(&store, their_b).unwrap());
    assert!(!sub.test(&store, their_a).unwrap() && sub.test(&store, their_b).unwrap());
    assert!(!sub.test(&store, sub.to_any()).unwrap());
}

/// A binary says which language it is in, and is only read in that.
#[test]
fn a_binary_needs_the_flag_as_well() {
    let text = r#"(module (type $t (struct (field i32))) (func (export "run") (result i32)
        (struct.get $t 0 (struct.new_with_rtt $t (i32.const 6) (rtt.canon $t)))))"#;
    let binary = wasmtime_gc::rtt::binary::write(&wasmtime_gc::rtt::text::parse(text).unwrap()).unwrap();
    let engine = Engine::default();
    let refused = Module::new(&engine, &binary).unwrap_err();
    assert!(format!("{refused:?}").contains("--dialect rtt2020"), "{refused:?}");
    let module = Module::with_dialect(&engine, &binary, Dialect::Rtt2020).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    assert_eq!(instance.get_typed_func::<(), i32>(&mut store, "run").unwrap().call(&mut store, ()).unwrap(), 6);
    let again = wasmtime_gc::rtt::print(&wasmtime_gc::rtt::binary::read(&binary).unwrap());
    assert_eq!(wasmtime_gc::rtt::binary::write(&wasmtime_gc::rtt::text::parse(&again).unwrap()).unwrap(), binary);
}
