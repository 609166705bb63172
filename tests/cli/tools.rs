//! `lower` and `wast`.

use super::{Files, examples, run_module, wasmtime_gc};
use wasmparser::{Validator, WasmFeatures};

/// Validates without the types of the GC proposal. Recursion groups and subtyping of function types,
/// which keep signatures apart, are there.
fn validate_without_gc(wasm: &[u8]) {
    let features = WasmFeatures::default() - WasmFeatures::GC_TYPES;
    Validator::new_with_features(features).validate_all(wasm).expect("the lowered module is valid without GC");
}

#[test]
fn lowered_modules_have_no_gc() {
    let files = Files::new();
    for entry in std::fs::read_dir(examples()).expect("there are examples") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_none_or(|e| e != "wat") {
            continue;
        }
        let (path, out) = (path.display().to_string(), files.path("out.wasm"));
        let ran = wasmtime_gc(&["lower", &path, "-o", &out.display().to_string()]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{path}");
        let binary = std::fs::read(&out).expect("the lowered module is there");
        validate_without_gc(&binary);
        let text = wasmtime_gc(&["lower", "--wat", &path]);
        assert_eq!(text.code, 0);
        assert_eq!(wasmtime_gc(&["lower", "--wat", &path, "-o", "-"]).stdout, text.stdout);
        assert!(!text.stdout.contains("struct.") && !text.stdout.contains("array."), "{}", text.stdout);
        validate_without_gc(&wat::parse_str(&text.stdout).expect("the printed module can be parsed"));
    }
}

#[test]
fn modules_with_nothing_to_lower_are_left_alone() {
    let files = Files::new();
    let text = r#"(module (memory 1) (func (export "f") (result i32) (i32.load (i32.const 0))))"#;
    let path = files.write("core.wat", text);
    let out = files.path("out.wasm");
    let ran = wasmtime_gc(&["lower", &path, "--output", &out.display().to_string()]);
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("nothing to lower"), "{}", ran.stderr);
    assert_eq!(std::fs::read(out).ok(), wat::parse_str(text).ok());
}

#[test]
fn scripts_are_counted() {
    let files = Files::new();
    let good = files.write(
        "good.wast",
        r#"(module
             (type $s (struct (field i32)))
             (func (export "f") (param i32) (result i32) (struct.get $s 0 (struct.new $s (local.get 0)))))
           (assert_return (invoke "f" (i32.const 7)) (i32.const 7))
           (assert_invalid (module (func (result i32))) "type mismatch")"#,
    );
    let bad = files.write("bad.wast", "(module)\n(assert_return (invoke \"f\"))\n");
    let out = wasmtime_gc(&["wast", &good]);
    assert_eq!((out.code, out.stdout), (0, format!("{good}: 2 of 2 assertions passed\n")), "{}", out.stderr);
    let out = wasmtime_gc(&["-D", "gc-zeal=1", "wast", "-D", "gc-verify", &good, &bad]);
    assert_eq!(out.code, 1);
    let expected = format!(
        "{good}: 2 of 2 assertions passed\n{bad}: 0 of 1 assertions passed\n  {bad}:2: no exported function `f`\n"
    );
    assert_eq!(out.stdout, expected, "{}", out.stderr);
    let out = wasmtime_gc(&["wast", &files.write("syntax.wast", "(assert_return")]);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("syntax.wast"), "{}", out.stderr);
}

/// One waits until the other has written; one fails, and is waited for by nobody.
#[test]
fn scripts_have_threads() {
    let files = Files::new();
    let script = files.write(
        "threads.wast",
        r#"(module $Mem
             (memory (export "shared") 1 1 shared)
             (global (export "not shared") i32 (i32.const 7)))
           (thread $reader (shared (module $Mem))
             (register "mem" $Mem)
             (module
               (memory (import "mem" "shared") 1 1 shared)
               (func (export "run") (result i32)
                 (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
                 (i32.atomic.load (i32.const 0))))
             (assert_return (invoke "run") (i32.const 42)))
           (thread $writer (shared (module $Mem))
             (register "mem" $Mem)
             (module
               (type $box (struct (field i32)))
               (memory (import "Mem" "shared") 1 1 shared)
               (func (export "run") (param $value i32)
                 (i32.atomic.store (i32.const 0) (struct.get $box 0 (struct.new $box (local.get $value))))
                 (drop (memory.atomic.notify (i32.const 0) (i32.const -1)))))
             (assert_return (invoke "run" (i32.const 42))))
           (wait $reader)
           (wait $nobody)
           (thread $fails (shared (module $Mem))
             (register "mem" $Mem)
             (assert_unlinkable (module (import "mem" "not shared" (global i32))) "unknown import")
             (assert_return (invoke "run")))"#,
    );
    let out = wasmtime_gc(&["wast", &script]);
    let expected = format!(
        "{script}: 3 of 4 assertions passed\n  {script}:22: no thread $nobody is running\n  \
         {script}:26: no module has been instantiated\n"
    );
    assert_eq!((out.code, out.stdout), (1, expected), "{}", out.stderr);
}

/// Of Wasmtime's own scripts of the GC proposal a third failed for such things.
#[test]
fn scripts_that_were_written_for_wasmtime_run() {
    let files = Files::new();
    let script = files.write(
        "wasmtime.wast",
        r#"(module $A (func (export "f") (result i32) (i32.const 7)))
           (register "B" $A)
           (module $user
             (import "wasmtime" "gc" (func $gc))
             (import "A" "f" (func $f (result i32)))
             (type $box (struct (field i32)))
             (global (export "g") (ref $box) (struct.new $box (i32.const 1)))
             (func (export "f") (result i32) (call $gc) (call $f))
             (func (export "trap") (drop (i32.div_s (i32.const 1) (i32.const 0)))))
           (assert_return (invoke $user "f") (i32.const 7))
           (assert_return (invoke $B "f") (i32.const 7))
           (invoke "trap")
           (assert_trap (invoke "trap") "divide by zero")
           (assert_trap (invoke "trap") "")
           (assert_unlinkable (module (import "A" "f" (func (param i32)))) "types incompatible")
           (assert_trap (invoke "trap") "something else")
           (invoke "no such function")"#,
    );
    let out = wasmtime_gc(&["wast", "--wasmtime-builtins", "-D", "gc-stats", &script]);
    let expected = format!(
        "{script}: 5 of 6 assertions passed\n  {script}:16: expected trap `something else`, got `error while executing at \
         wasm backtrace:\n        0:     0x60 - user!<wasm function 3>: wasm trap: integer divide by zero`\n  \
         {script}:17: no exported function `no such function`\n"
    );
    assert_eq!((out.code, out.stdout), (1, expected), "{}", out.stderr);
    assert!(out.stderr.contains("gc-stats: 0 minor and 1 major collections\n"), "{}", out.stderr);
    let out = wasmtime_gc(&["wast", "--wasmtime-builtins", "--ignore-error-messages", &script]);
    assert!(out.stdout.contains("6 of 6 assertions passed"), "{}", out.stdout);
    let out = wasmtime_gc(&["wast", &script]);
    assert!(out.stdout.contains("unknown import: `wasmtime::gc` has not been defined"), "{}", out.stdout);
}

/// The store of a script had no fuel at all with `-W fuel`, and was interrupted at once with `-W timeout`.
#[test]
fn scripts_have_fuel_and_time() {
    let files = Files::new();
    let script = r#"
        (module
          (func (export "answer") (result i32) (i32.const 42))
          (func (export "spin") (loop $more (br $more))))
        (assert_return (invoke "answer") (i32.const 42))"#;
    let good = files.write("good.wast", script);
    let spins = files.write("spins.wast", &format!("{script}\n(assert_return (invoke \"spin\"))"));
    for (option, why) in [("fuel=1000", "all fuel consumed by WebAssembly"), ("timeout=300ms", "wasm trap: interrupt")]
    {
        let ran = wasmtime_gc(&["wast", "-W", option, &spins, &good]);
        let lines: Vec<_> = ran.stdout.lines().collect();
        let counts = [format!("{spins}: 1 of 2 assertions passed"), format!("{good}: 1 of 1 assertions passed")];
        assert!(ran.code == 1 && counts.iter().all(|count| lines.contains(&count.as_str())), "{ran:?}");
        assert!(ran.stdout.contains(why), "{ran:?}");
    }
}

#[test]
fn a_compiled_module_runs_only_if_it_is_allowed() {
    for program in ["linked_strings", "classes"] {
        let files = Files::new();
        let source = examples().join(program).with_extension("wat").display().to_string();
        let out = files.path("p.cwasm").display().to_string();
        assert_eq!(wasmtime_gc(&["compile", "-o", &out, &source]).code, 0);
        let ran = wasmtime_gc(&["run", "--allow-precompiled", "-D", "gc-zeal=1", &out]);
        let expected = std::fs::read_to_string(examples().join(program).with_extension("stdout")).unwrap();
        assert_eq!((ran.code, ran.stdout.as_str()), (0, expected.as_str()), "{}", ran.stderr);
        let refused = wasmtime_gc(&[&out]);
        assert!(refused.code == 1 && refused.stderr.contains("`--allow-precompiled`"), "{refused:?}");
        let differs = wasmtime_gc(&["--allow-precompiled", "-W", "fuel=1000", &out]);
        assert!(differs.code == 1 && differs.stderr.contains("failed to load compiled module"), "{differs:?}");
        std::fs::write(&out, &std::fs::read(&out).unwrap()[..5000]).unwrap();
        let damaged = wasmtime_gc(&["--allow-precompiled", &out]);
        assert!(damaged.code == 1 && damaged.stderr.contains("is damaged"), "{damaged:?}");
    }
}

/// `run` put intrinsics into a program and `compile` did not, so what it wrote could not be run.
#[test]
fn a_compiled_module_has_its_intrinsics() {
    let files = Files::new();
    let wat = r#"(module
        (import "wasmtime-gc:side-table" "intern" (func $intern (param anyref) (result i32)))
        (func (export "_start") (drop (call $intern (ref.i31 (i32.const 1))))))"#;
    let (source, out) = (files.write("p.wat", wat), files.path("p.cwasm").display().to_string());
    assert_eq!(wasmtime_gc(&["compile", "-o", &out, &source]).code, 0);
    let ran = wasmtime_gc(&["run", "--allow-precompiled", &out]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn modules_may_import_weak_references_if_they_are_allowed_to() {
    let wat = r#"(module
        (import "wasmtime_gc" "weak_new" (func $new (param (ref any)) (result (ref extern))))
        (import "wasmtime_gc" "weak_get" (func $get (param externref) (result anyref)))
        (import "wasmtime_gc" "collect" (func $collect))
        (type $t (struct))
        (func (export "_start") (local $weak externref)
            (local.set $weak (call $new (struct.new $t)))
            (call $collect)
            (if (i32.eqz (ref.is_null (call $get (local.get $weak)))) (then unreachable))))"#;
    assert_eq!(run_module(&["-S", "gc"], wat).code, 0);
    let refused = run_module(&[], wat);
    assert!(refused.code == 1 && refused.stderr.contains("unknown import: `wasmtime_gc::weak_new`"), "{refused:?}");
}

#[test]
fn calls_are_recorded_and_compiled_for() {
    let files = Files::new();
    let wat = r#"(module
        (type $f (func (result i32)))
        (type $holder (struct (field (mut (ref null $f)))))
        (table 2 2 funcref)
        (elem (i32.const 0) func $one $two)
        (func $one (type $f) (i32.const 1))
        (func $two (type $f) (i32.const 2))
        (func $through (param $h (ref $holder)) (result i32)
            (i32.add (call_ref $f (struct.get $holder 0 (local.get $h))) (call_indirect (type $f) (i32.const 1))))
        (func (export "run") (result i32) (call $through (struct.new $holder (ref.func $one)))))"#;
    let module = files.write("calls.wat", wat);
    let path = |name: &str| files.path(name).display().to_string();
    let (profile, out) = (path("calls.json"), path("calls.cwasm"));
    let ran = wasmtime_gc(&["run", "--profile-calls", &profile, "--invoke", "run", &module]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "3\n"), "{}", ran.stderr);
    let recorded = std::fs::read_to_string(&profile).unwrap();
    assert_eq!(recorded.matches("\"calls\": 1").count(), 2, "{recorded}");
    let ran = wasmtime_gc(&["compile", "--profile", &profile, &module, "-o", &out]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let ran = wasmtime_gc(&["run", "--allow-precompiled", "--invoke", "run", &out]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "3\n"), "{}", ran.stderr);
    assert_eq!(wasmtime_gc(&["run", "--profile", &profile, "--invoke", "run", &module]).stdout, "3\n");
    // The index is constant, so that the comparison with the likely one is, and the call is direct.
    let plain = wasmtime_gc(&["lower", "--wat", &module]).stdout;
    let lowered = wasmtime_gc(&["lower", "--wat", "--profile", &profile, &module]).stdout;
    assert!(plain.contains("call_indirect") && !lowered.contains("call_indirect"), "{plain}{lowered}");

    let other = files.write("other.wat", "(module (type $s (struct)) (func (drop (struct.new $s))))");
    for (args, message) in [
        (vec!["compile", "--profile", &profile, &other, "-o", &out], "of another module"),
        (vec!["compile", "--profile", &module, &module, "-o", &out], "this is no call profile"),
        (vec!["compile", "--profile", "nowhere.json", &module, "-o", &out], "no profiling strategy"),
        (
            vec!["run", "--profile-calls", &profile, "--allow-precompiled", "--invoke", "run", &out],
            "was compiled before",
        ),
        (vec!["run", "--profile-calls", "/nowhere/p.json", "--invoke", "run", &module], "failed to write"),
        (vec!["lower", "--profile", &profile, &other], "of another module"),
    ] {
        let ran = wasmtime_gc(&args);
        assert!(ran.stderr.contains(message) && ran.stdout.is_empty(), "{args:?}: {ran:?}");
        // What is no profile at all is wrong use.
        let code = if message.starts_with("this is no") || message.starts_with("no profiling") { 2 } else { 1 };
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
    }
    let ran = wasmtime_gc(&["run", "--profile", &profile, &other]);
    assert!(ran.code == 0 && ran.stderr.starts_with("warning: a call profile"), "{ran:?}");
}

/// The program never ends by itself: a sample is taken before the timeout is looked at, so there is one.
#[test]
fn guests_are_sampled() {
    let files = Files::new();
    let module = files.write(
        "m.wat",
        r#"(module (type $box (struct (field i32)))
             (global $last (mut (ref null $box)) (ref.null $box))
             (func $busy (loop (global.set $last (struct.new $box (i32.const 1))) (br 0)))
             (func (export "_start") (call $busy)))"#,
    );
    let other = files.write("other.wat", "(module)");
    let path = files.path("p.json").display().to_string();
    let guest = format!("--profile=guest,{path},5ms");
    let preload = format!("--preload=other={other}");
    let ran = wasmtime_gc(&["run", &guest, &preload, "-W", "timeout=100ms", &module]);
    assert_eq!(ran.code, 134, "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("Profile written to: {path}")), "{}", ran.stderr);
    let profile = std::fs::read_to_string(&path).unwrap();
    assert!(profile.contains("\"busy\"") && profile.contains(&format!("\"product\":{module:?}")), "{profile}");

    let ends = files.write("ends.wat", r#"(module (func (export "_start")))"#);
    let ran = wasmtime_gc(&["run", "--profile=guest,/nowhere/p.json", &ends]);
    assert!(ran.code == 0 && ran.stderr.starts_with("failed writing profile at /nowhere/p.json"), "{ran:?}");
    for (args, code, why) in [
        (vec!["run", "--profile=guest,p.json,fast", &ends], 2, "is no time"),
        (vec!["run", &guest, "-D", "guest-debug", &ends], 1, "guest-debugging"),
        (vec!["compile", "--profile=guest", &ends], 1, "an option of `run`"),
    ] {
        let ran = wasmtime_gc(&args);
        assert!(ran.code == code && ran.stderr.contains(why), "{args:?}: {ran:?}");
    }
}
