//! Option groups, from outside.

use super::{Files, run_module, wasmtime_gc};

const NOTHING: &str = r#"(module (func (export "_start")))"#;

#[test]
fn unknown_options_are_refused() {
    let out = run_module(&["-W", "shiny=y"], NOTHING);
    assert_eq!(out.code, 2);
    assert!(out.stderr.contains("unknown -W / --wasm option: shiny"), "{}", out.stderr);
    let out = run_module(&["-O", "opt-level"], NOTHING);
    assert_eq!(out.code, 2);
    assert!(out.stderr.contains("opt-level"), "{}", out.stderr);
    let out = wasmtime_gc(&[]);
    assert_eq!(out.code, 2);
    assert!(out.stderr.contains("required arguments were not provided"), "{}", out.stderr);
}

/// Some were errors of the run, with 1.
#[test]
fn values_that_an_option_does_not_have_are_wrong_use() {
    for (args, why) in [
        (["-C", "compiler=gcc"], "unknown compiler `gcc`"),
        (["-C", "collector=mine"], "unknown collector `mine`"),
        (["-O", "opt-level=9"], "unknown optimization level `9`"),
        (["-O", "gc-threads=0"], "1 to 64 threads"),
        (["-D", "gc-passes=shine"], "shine"),
        (["--profile", "no-such-file"], "no profiling strategy"),
    ] {
        for command in ["run", "compile", "lower"] {
            let out = wasmtime_gc(&[command, args[0], args[1], "m.wat"]);
            assert_eq!(out.code, 2, "{args:?}: {}", out.stderr);
            assert!(out.stderr.contains(why), "{}", out.stderr);
        }
    }
}

/// Scripts for Wasmtime choose among its collectors, which were errors.
#[test]
fn collectors_of_wasmtime_are_noted() {
    for collector in ["drc", "null", "copying"] {
        let out = run_module(&["-C", &format!("collector={collector}"), "-O", "gc-max-heap-size=16m"], GARBAGE);
        assert_eq!((out.code, out.stderr.as_str()), (0, ""), "{collector}");
    }
}

/// The same program on every backend that can run it; what Winch can not compile names Winch.
#[test]
fn backends_agree() {
    const LIST: &str = r#"(module
        (type $n (struct (field i32) (field (ref null $n))))
        (func $f (param i32) (result (ref null $n))
          (if (result (ref null $n)) (local.get 0)
            (then (struct.new $n (local.get 0) (call $f (i32.sub (local.get 0) (i32.const 1)))))
            (else (ref.null $n))))
        (func (export "run") (result i32)
          (struct.get $n 0 (struct.get $n 1 (call $f (i32.const 9))))))"#;
    for options in [&["-C", "compiler=winch"][..], &["--target", "pulley64"], &[]] {
        let out = run_module(&[options, &["--invoke", "run"]].concat(), LIST);
        assert_eq!((out.code, out.stdout.as_str()), (0, "8\n"), "{options:?}: {}", out.stderr);
    }
    // The global that holds a reference to a function was of its type, which Winch does not compile.
    const UNTYPED: &str = r#"(module
        (type $s (struct (field i32)))
        (table $t 2 funcref)
        (elem declare func $five)
        (func $five (result i32) (i32.const 5))
        (func (export "run") (result i32)
          (table.set $t (i32.const 1) (ref.func $five))
          (i32.add (call_indirect $t (result i32) (i32.const 1)) (struct.get $s 0 (struct.new $s (i32.const 3))))))"#;
    for options in [&["-C", "compiler=winch"][..], &["--target", "pulley64"], &[]] {
        let out = run_module(&[options, &["--invoke", "run"]].concat(), UNTYPED);
        assert_eq!((out.code, out.stdout.as_str()), (0, "8\n"), "{options:?}: {}", out.stderr);
    }
    const TYPED: &str = r#"(module (type $s (struct)) (func (export "f") (param (ref $s))))"#;
    let out = run_module(&["-C", "compiler=winch"], TYPED);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("more than Winch compiles") && out.stderr.contains("use Cranelift"), "{}", out.stderr);
    let out = run_module(&["--target", "no-such-machine"], NOTHING);
    assert_eq!(out.code, 1);
}

/// The interpreter has no atomic instructions. In a module with GC types they were found behind lowering, and the error was
/// one of this crate, with an offset in the lowered module.
#[test]
fn what_a_backend_has_not_is_refused_before_lowering() {
    const ATOMIC: &str = r#"(module (memory 1) (type $s (struct))
        (func (export "f") (result i32) (drop (struct.new_default $s)) (i32.atomic.load (i32.const 0))))"#;
    let out = run_module(&["--target", "pulley64", "--invoke", "f"], ATOMIC);
    assert!(out.code == 1 && out.stderr.contains("threads support is not enabled"), "{}", out.stderr);
    assert!(!out.stderr.contains("internal error"), "{}", out.stderr);
    let out = run_module(&["--invoke", "f"], ATOMIC);
    assert_eq!((out.code, out.stdout.as_str()), (0, "0\n"), "{}", out.stderr);
}

/// A shared memory passes through lowering beside GC types; shared GC types do not, and the error says so.
#[test]
fn shared_memories_pass_and_shared_types_do_not() {
    const SHARED: &str = r#"(module
        (memory 1 1 shared)
        (type $s (struct (field i32)))
        (func (export "run") (result i32)
          (i32.atomic.store (i32.const 8) (i32.const 41))
          (drop (i32.atomic.rmw.add (i32.const 8) (struct.get $s 0 (struct.new $s (i32.const 1)))))
          (i32.atomic.load (i32.const 8))))"#;
    let out = run_module(&["-W", "threads=y,shared-memory=y", "--invoke", "run"], SHARED);
    assert_eq!((out.code, out.stdout.as_str()), (0, "42\n"), "{}", out.stderr);
    let out = run_module(&["-W", "threads=y"], "(module (type $s (shared (struct (field i32)))))");
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("shared"), "{}", out.stderr);
}

/// The number of threads was taken as it was, and then as the nearest that can be.
#[test]
fn numbers_out_of_range_are_refused() {
    for (option, range) in [
        ("gc-threads=0", "1 to 64 threads"),
        ("gc-threads=4294967295", "1 to 64 threads"),
        ("gc-growth-factor=1", "from 1.1 to 1000000"),
        ("gc-growth-factor=inf", "from 1.1 to 1000000"),
    ] {
        let out = run_module(&["-O", option], "(module)");
        assert!(out.code != 0 && out.stderr.contains(range), "{option}: {}", out.stderr);
    }
}

#[test]
fn groups_list_their_options() {
    for (group, option) in [
        ("-W", "unknown-imports-default[=y|n]"),
        ("-O", "gc-max-heap-size=N"),
        ("-C", "collector="),
        ("-D", "gc-zeal=N"),
        ("-S", "cli[=y|n]"),
    ] {
        let out = wasmtime_gc(&["run", group, "help"]);
        assert_eq!(out.code, 0);
        assert!(out.stdout.starts_with("Available ") && out.stdout.contains(option), "{}", out.stdout);
    }
}

#[test]
fn options_stand_before_or_after_the_command() {
    let spin = r#"(module (func (export "_start") (loop $l (br $l))))"#;
    for args in
        [&["-W", "fuel=100"][..], &["-W", "fuel=100", "run"], &["run", "-W", "fuel=100"], &["run", "-Wfuel=0x64"]]
    {
        let out = run_module(args, spin);
        assert_eq!(out.code, 134, "{args:?}: {}", out.stderr);
    }
}

/// A plain number was no time, and `_` was not taken for what it is.
#[test]
fn numbers_and_times_are_written_as_for_wasmtime() {
    let spin = r#"(module (func (export "_start") (loop $l (br $l))))"#;
    for option in ["fuel=1_000", "fuel=0x1_00", "timeout=0", "timeout=1ms", "timeout=1000us"] {
        let out = run_module(&["-W", option], spin);
        assert_eq!(out.code, 134, "{option}: {}", out.stderr);
    }
    for (option, why) in [("fuel=0X10", "not a number"), ("timeout=0.1s", "is no time"), ("timeout=10m", "is no time")]
    {
        let out = run_module(&["-W", option], spin);
        assert_eq!(out.code, 2, "{option}: {}", out.stderr);
        assert!(out.stderr.contains(why), "{}", out.stderr);
    }
}

#[test]
fn many_options_in_one() {
    let options = [
        "-Oopt-level=s,memory-reservation=0x100000,gc-nursery-size=256k,gc-max-heap-size=64m",
        "-Ogc-threads=3,gc-incremental=n,gc-growth-factor=1.2,gc-growth-minimum=8m",
        "-Ccompiler=cranelift,collector=auto,parallel-compilation=n",
        "-Dgc-zeal=2,gc-verify,explicit-null-checks",
        "-Wtail-call=n,simd,max-memory-size=128m,trap-on-grow-failure",
        "-Scli,inherit-env=n",
    ];
    let module = r#"
(module
  (type $s (struct (field (ref null $s))))
  (func (export "_start")
    (local $list (ref null $s))
    (local $n i32)
    (loop $more
      (local.set $list (struct.new $s (local.get $list)))
      (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 50))))
    (loop $count
      (local.set $list (struct.get $s 0 (local.get $list)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $count (i32.eqz (ref.is_null (local.get $list)))))
    (if (local.get $n) (then unreachable))))
"#;
    let out = run_module(&options, module);
    assert_eq!((out.code, out.stderr.as_str()), (0, ""));
}

/// Makes 80 MB of garbage, in objects of their own pages.
const GARBAGE: &str = r#"
(module
  (type $a (array i64))
  (func (export "_start")
    (local $n i32)
    (loop $more
      (drop (array.new $a (i64.const 1) (i32.const 1100)))
      (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 10000))))))
"#;

#[test]
fn statistics_of_the_heap() {
    let out = run_module(&["-D", "gc-stats"], GARBAGE);
    assert_eq!(out.code, 0, "{}", out.stderr);
    assert!(out.stderr.contains("collections"), "{}", out.stderr);
}

#[test]
fn two_numbers_say_how_far_the_heap_grows() {
    let majors = |options: &str| {
        let out = run_module(&["-D", "gc-stats", "-O", options], GARBAGE);
        assert_eq!(out.code, 0, "{}", out.stderr);
        let words: Vec<&str> = out.stderr.split_whitespace().collect();
        let at = words.iter().position(|&word| word == "major").unwrap();
        words[at - 1].parse::<u32>().unwrap()
    };
    assert!(majors("gc-growth-minimum=4m") > 4 * majors("gc-growth-minimum=32m"));
    assert_eq!(majors("gc-growth-minimum=3g,gc-growth-factor=1.5"), 0);
    for bad in ["gc-growth-factor=1", "gc-growth-factor=NaN", "gc-growth-factor=much"] {
        let out = run_module(&["-O", bad], GARBAGE);
        assert!(out.code != 0 && out.stderr.contains("growth factor"), "{bad}: {}", out.stderr);
    }
}

/// Scripts of CPython's for WASI have their options in such a file.
#[test]
fn options_stand_in_a_file() {
    const SPIN: &str = r#"(module (type $box (struct (field i32)))
        (func (export "_start") (loop (drop (struct.new $box (i32.const 1))) (br 0))))"#;
    let files = Files::new();
    let config = |text: &str| files.write("c.toml", text);
    let spin = files.write("spin.wat", SPIN);
    let path = config("[optimize]\ngc-nursery-size = \"1m\"\n\n[wasm]\nfuel = 1_000\n");
    let out = wasmtime_gc(&["run", "--config", &path, &spin]);
    assert_eq!(out.code, 134, "{}", out.stderr);
    assert!(out.stderr.contains("all fuel consumed"), "{}", out.stderr);
    // Wherever it stands, the command line wins.
    let out = wasmtime_gc(&["-W", "fuel=100000", "run", "--config", &path, &files.write("m.wat", NOTHING)]);
    assert_eq!((out.code, out.stderr.as_str()), (0, ""));
    for time in ["\"50ms\"", "{ secs = 0, nanos = 50_000_000 }"] {
        let out = wasmtime_gc(&["run", "--config", &config(&format!("[wasm]\ntimeout = {time}\n")), &spin]);
        assert!(out.code == 134 && out.stderr.contains("interrupt"), "{}", out.stderr);
    }
    let lowered = |args: &[&str]| wasmtime_gc(&[&["lower", "--wat", &spin], args].concat()).stdout;
    let without = config("[optimize]\nopt-level = 0\n");
    assert_ne!(lowered(&["--config", &without]), lowered(&[]));
    assert_eq!(lowered(&["--config", &without]), lowered(&["-O", "opt-level=0"]));
    for (text, why) in [
        ("[wasm]\nshiny = 1\n", "line 2, column 1: unknown -W / --wasm option: shiny"),
        ("[wasm]\ngc = 1.5\n", "line 2, column 6: gc: no option has a value of type float"),
        ("[shiny]\n", "unknown table or key `shiny`"),
        ("shiny", "TOML parse error at line 1"),
    ] {
        let out = wasmtime_gc(&["run", "--config", &config(text), &spin]);
        assert!(out.code == 1 && out.stderr.contains("failed to parse TOML config file"), "{}", out.stderr);
        assert!(out.stderr.contains(why), "{}", out.stderr);
    }
    let out = wasmtime_gc(&["run", "--config", "/nowhere/c.toml", &spin]);
    assert!(out.code == 1 && out.stderr.contains("failed to read config file"), "{}", out.stderr);
}
