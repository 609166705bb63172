//! The slides of 2020, "Garbage Collection for Wasm – proposal update": every instruction and type on them in their
//! own syntax, and their example of two classes in three languages.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use wasmtime_gc::cli::wast;
use wasmtime_gc::{Config, Dialect, Engine, Instance, Module, Rtt, Store, Trap, Val};

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
        for name in [
            "types.wast",
            "instructions.wast",
            "rtts.wast",
            "closed.wast",
            "functions.wast",
            "invalid.wast",
            "type_imports.wast",
        ] {
            let text = std::fs::read_to_string(folder().join(name)).unwrap();
            let mut scripts = wast::Scripts::new(&engine);
            let report = scripts.dialect(Dialect::Rtt2020).run(name, &text).unwrap();
            assert!(report.failures.is_empty(), "{report}");
            assertions += report.assertions;
            let loaded = scripts.ahead_of_time(true).run(name, &text).unwrap();
            assert!(loaded.failures.is_empty() && loaded.assertions == report.assertions, "{loaded}");
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
            let report = wast::Scripts::new(&engine).dialect(Dialect::Rtt2020).run(&name, &text).unwrap();
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

/// The slides and the snapshot disagree about null, and the issue asked for both: there was no way to have casts that
/// trap on it, as the slides write them, but a `ref.as_nonnull` behind each. Now the slides' way is a dialect by name.
#[test]
fn null_is_that_of_the_slides_by_name() {
    let text = r#"(module
        (type $t (struct (field i32)))
        (func (export "cast") (drop (ref.cast (ref.null $t) (rtt.canon $t))))
        (func (export "object") (result i32)
            (local $x (optref $t))
            (local.set $x (struct.new_with_rtt $t (i32.const 5) (rtt.canon $t)))
            (struct.get $t 0 (ref.cast (local.get $x) (rtt.canon $t))))
        (func (export "test") (result i32) (ref.test (ref.null $t) (rtt.canon $t)))
        (func (export "branch") (result i32)
            (block $passed (result (ref $t))
                (drop (br_on_cast $passed (ref.null $t) (rtt.canon $t)))
                (return (i32.const 7)))
            (struct.get $t 0)))"#;
    // The result of the cast, and `i31ref`, where null is not allowed.
    let result = "(module (type $t (struct)) (func (param (optref $t)) (result (ref $t))
        (ref.cast (local.get 0) (rtt.canon $t))))";
    let i31 = "(module (func (param i31ref) (result (ref i31)) (local.get 0)))";
    let engine = Engine::default();
    for (dialect, slides) in [(Dialect::Rtt2020, false), (Dialect::Rtt2020Slides, true)] {
        let binary = wasmtime_gc::rtt::binary::write(&wasmtime_gc::rtt::text::parse(text).unwrap()).unwrap();
        for module in [text.as_bytes(), &binary] {
            let module = Module::with_dialect(&engine, module, dialect).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let cast = instance.get_typed_func::<(), ()>(&mut store, "cast").unwrap().call(&mut store, ());
            let trap = cast.err().map(|err| err.downcast::<Trap>().unwrap());
            assert_eq!(trap, slides.then_some(Trap::CastFailure));
            for (name, result) in [("object", 5), ("test", 0), ("branch", 7)] {
                let func = instance.get_typed_func::<(), i32>(&mut store, name).unwrap();
                assert_eq!(func.call(&mut store, ()).unwrap(), result, "{name}");
            }
        }
        for module in [result, i31] {
            assert_eq!(Module::with_dialect(&engine, module, dialect).is_ok(), slides, "{module}");
        }
    }
}

#[test]
fn the_command_has_the_null_of_the_slides() {
    let program = std::env::temp_dir().join(format!("slides-null-{}.wat", std::process::id()));
    let text = "(module (type $t (struct)) (func (export \"_start\") (drop (ref.cast (ref.null $t) (rtt.canon $t)))))";
    std::fs::write(&program, text).unwrap();
    let snapshot = run(&["--dialect", "rtt2020"], &program);
    let slides = run(&["--dialect", "rtt2020-slides"], &program);
    std::fs::remove_file(&program).unwrap();
    assert!(snapshot.status.success(), "{}", String::from_utf8_lossy(&snapshot.stderr));
    let stderr = String::from_utf8_lossy(&slides.stderr);
    assert!(!slides.status.success() && stderr.contains("cast failure"), "{stderr}");
}

/// A cast of null against an RTT that is null passed, though the same test of it was a trap: the null to be cast was
/// looked at first.
#[test]
fn an_rtt_that_is_null_is_a_trap_for_null_as_well() {
    let engine = Engine::default();
    for op in ["ref.test", "ref.cast", "br_on_cast 0", "br_on_cast_fail 0"] {
        let text = format!(
            "(module (type $t (struct)) (func (export \"run\") (local $r (ref null (rtt $t)))
                (drop (block (result anyref) ({op} (ref.null any) (local.get $r)) {}))))",
            if op == "ref.test" { "(drop) (ref.null any)" } else { "" },
        );
        let module = Module::with_dialect(&engine, text, Dialect::Rtt2020).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        let trap = run.call(&mut store, ()).expect_err(op);
        assert_eq!(trap.downcast::<Trap>().unwrap(), Trap::NullReference, "{op}");
    }
}

/// Only `run` read binaries: `lower` took them for text that is not UTF-8, and a preloaded one for a module of the
/// standard, whose error named the flag that was given.
#[test]
fn every_command_reads_binaries() {
    let folder = std::env::temp_dir().join(format!("slides-binaries-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text = r#"(module (type $t (struct (field i32))) (func (export "six") (result i32)
        (struct.get $t 0 (struct.new_with_rtt $t (i32.const 6) (rtt.canon $t)))))"#;
    let binary = wasmtime_gc::rtt::binary::write(&wasmtime_gc::rtt::text::parse(text).unwrap()).unwrap();
    let main = r#"(module (import "six" "six" (func $six (result i32))) (func (export "_start")
        (if (i32.ne (call $six) (i32.const 6)) (then unreachable))))"#;
    let (six, program) = (folder.join("six.wasm"), folder.join("main.wat"));
    std::fs::write(&six, binary).unwrap();
    std::fs::write(&program, main).unwrap();
    let preload = format!("six={}", six.display());
    let ran = run(&["--dialect", "rtt2020", "--preload", &preload], &program);
    let mut lower = Command::new(env!("CARGO_BIN_EXE_wasmtime-gc"));
    let lowered = lower.args(["lower", "--dialect", "rtt2020", "--wat"]).arg(&six).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(lowered.status.success(), "{}", String::from_utf8_lossy(&lowered.stderr));
    assert!(String::from_utf8_lossy(&lowered.stdout).contains("(export \"six\""));
}

/// Every `func.bind` makes a host function that the engine keeps as long as the store: a loop of them took gigabytes of
/// the host's memory until the process was killed. Their number is limited, and to bind nothing makes none.
#[test]
fn bound_functions_are_bounded() {
    let engine = Engine::default();
    let text = r#"(module
        (type $v_i (func (result i32)))
        (type $i_i (func (param i32) (result i32)))
        (elem declare func $same)
        (func $same (param i32) (result i32) (local.get 0))
        (func (export "something") (param $times i32)
            (loop $again
                (drop (func.bind (type $v_i) (i32.const 1) (ref.func $same)))
                (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
        (func (export "nothing") (param $times i32) (result i32)
            (local $f (optref $i_i))
            (local.set $f (ref.func $same))
            (loop $again
                (local.set $f (func.bind (type $i_i) (local.get $f)))
                (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
            (call_ref (i32.const 6) (local.get $f)))
        (func (export "null") (drop (func.bind (type $i_i) (ref.null $i_i)))))"#;
    let module = Module::with_dialect(&engine, text, Dialect::Rtt2020).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let nothing = instance.get_typed_func::<i32, i32>(&mut store, "nothing").unwrap();
    assert_eq!(nothing.call(&mut store, 2_000_000).unwrap(), 6);
    let null = instance.get_typed_func::<(), ()>(&mut store, "null").unwrap();
    assert!(null.call(&mut store, ()).is_err());
    let something = instance.get_typed_func::<i32, ()>(&mut store, "something").unwrap();
    something.call(&mut store, 1000).unwrap();
    let trap = something.call(&mut store, 2_000_000).expect_err("more than the store has");
    assert_eq!(trap.downcast::<Trap>().unwrap(), Trap::AllocationTooLarge);
}

/// Scripts of the dialect took `(module binary …)` for text. One that begins like no binary is malformed, not an empty
/// text.
#[test]
fn scripts_have_binary_modules() {
    let text = r#"(module (func (export "six") (result i32) (i32.const 6)))"#;
    let binary = wasmtime_gc::rtt::binary::write(&wasmtime_gc::rtt::text::parse(text).unwrap()).unwrap();
    let bytes: String = binary.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let script = format!(
        r#"(module binary "{bytes}") (assert_return (invoke "six") (i32.const 6))
        (assert_malformed (module binary "") "unexpected end")"#
    );
    let report = wast::Scripts::new(&Engine::default()).dialect(Dialect::Rtt2020).run("binary.wast", &script).unwrap();
    assert!(report.failures.is_empty() && report.assertions == 2, "{report}");
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
