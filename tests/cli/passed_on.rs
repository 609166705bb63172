//! Options of Wasmtime's command that say something to the engine, the pool or WASI: that they are taken, with modules
//! that are lowered and with those that are not, and that they do something.

use super::{Files, Ran, run_module, wasmtime_gc};

/// Objects, tables, a memory, and a line of output that says that all was as it should be.
const OBJECTS: &str = r#"
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (type $list (struct (field i32) (field (ref null $list))))
  (type $bytes (array (mut i8)))
  (memory (export "memory") 1)
  (table $functions 3 funcref)
  (table $objects 4 anyref)
  (elem (table $functions) (i32.const 0) func $length)
  (data (i32.const 64) "fine\n")
  (func $length (param $of (ref null $list)) (result i32)
    (if (result i32) (ref.is_null (local.get $of))
      (then (i32.const 0))
      (else (i32.add (i32.const 1) (call $length (struct.get $list 1 (local.get $of)))))))
  (func (export "_start")
    (local $list (ref null $list))
    (local $n i32)
    (loop $more
      (local.set $list (struct.new $list (local.get $n) (local.get $list)))
      (table.set $objects (i32.const 3) (array.new $bytes (i32.const 7) (i32.const 1000)))
      (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 2000))))
    (if (i32.ne (i32.const 2000) (call_indirect $functions (param (ref null $list)) (result i32) (local.get $list) (i32.const 0)))
      (then unreachable))
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 5))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))
"#;

/// The same without a reference.
const PLAIN: &str = r#"
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table 3 funcref)
  (elem (i32.const 0) func $one)
  (data (i32.const 64) "fine\n")
  (func $one (result i32) (i32.const 1))
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.add (i32.const 4) (call_indirect (result i32) (i32.const 0))))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))
"#;

const MODULES: [&str; 2] = [OBJECTS, PLAIN];

#[track_caller]
fn expect_refused(out: &Ran, code: i32, why: &str) {
    assert!(out.code == code && out.stderr.contains(why), "{why}: {out:?}");
}

#[test]
fn options_of_wasmtime_are_taken() {
    for options in [
        "-Oregalloc-algorithm=single-pass,memory-may-move=n,guard-before-linear-memory=n,memory-init-cow=n",
        "-Omemory-reservation=0,memory-reservation-for-growth=0x100000,memory-guaranteed-dense-image-size=0",
        "-Otable-lazy-init,dynamic-memory-guard-size=65536,static-memory-guard-size=65536,static-memory-forced=n",
        "-Ostatic-memory-maximum-size=65536,dynamic-memory-reserved-for-growth=65536",
        "-Ogc-heap-may-move=n,gc-heap-reservation=65536,gc-heap-reservation-for-growth=0,gc-heap-guard-size=0",
        "-Ogc-heap-initial-size=65536",
        "-Opooling-allocator",
        "-Opooling-allocator,pooling-max-memory-size=256m,pooling-table-elements=100,pooling-total-core-instances=2",
        "-Opooling-allocator,pooling-total-memories=2,pooling-total-tables=3,pooling-total-stacks=1",
        "-Opooling-allocator,pooling-max-tables-per-module=2,pooling-max-memories-per-module=2",
        "-Opooling-allocator,pooling-max-core-instance-size=100000,pooling-max-unused-warm-slots=1",
        "-Opooling-allocator,pooling-decommit-batch-size=8,pooling-memory-keep-resident=1m",
        "-Opooling-allocator,pooling-table-keep-resident=4096,pooling-async-stack-keep-resident=4096",
        "-Opooling-allocator,pooling-pagemap-scan=auto",
        "-Ccranelift-debug-verifier,native-unwind-info,inlining,cache=n,cache-config=nowhere",
        "-Cinlining=gc,metadata-for-internal-asserts,metadata-for-gc-heap-corruption",
        "-Ddebug-info,address-map=n,max-backtrace=0,logging=n,log-to-files=n",
        "-Dsymbols=n",
        "-Dguest-debug",
        "-Scommon,preview0=n,preview2,inherit-stdin=n,max-resources=20,hostcall-fuel=100000",
        "-Shttp=n,config=n,keyvalue=n,tls=n,nn=n,threads=n",
        "-Wtimeout=60,epoch-interruption=n,async-stack-size=4m,async-stack-zeroing",
        "-Wmax-instances=2,max-tables=10,max-memories=2,unknown-exports-allow",
        "-Wall-proposals,component-model=n,branch-hinting=n,relaxed-simd-deterministic,gc-support",
    ] {
        for module in MODULES {
            let out = run_module(&[options], module);
            assert_eq!((out.code, out.stdout.as_str(), out.stderr.as_str()), (0, "fine\n", ""), "{options}");
        }
    }
}

/// In a pool the heap is an instance with a memory, and counts. What the program may have is its own.
#[test]
fn a_store_has_as_much_as_it_may() {
    for (options, why) in [
        (&["-O", "pooling-allocator,pooling-total-core-instances=1"][..], "concurrent limit of 1 for core instances"),
        (&["-O", "pooling-allocator,pooling-total-memories=1"], "concurrent limit of 1 for memory"),
    ] {
        expect_refused(&run_module(options, OBJECTS), 1, why);
        assert_eq!(run_module(options, PLAIN).code, 0);
    }
    for module in MODULES {
        assert_eq!(run_module(&["-W", "max-instances=1,max-memories=1,max-tables=2"], module).code, 0);
        expect_refused(&run_module(&["-W", "max-instances=0"], module), 1, "instance count too high");
        expect_refused(&run_module(&["-W", "max-memories=0"], module), 1, "memory count too high");
        for (limit, why) in [
            ("pooling-max-memories-per-module=0", "memories count of 1 exceeds the per-instance limit of 0"),
            ("pooling-max-core-instance-size=100", "exceeds the configured maximum"),
        ] {
            let out = run_module(&["-O", "pooling-allocator", "-O", limit], module);
            expect_refused(&out, 1, why);
            assert!(!out.stderr.contains("internal error"), "{}", out.stderr);
        }
        expect_refused(&run_module(&["-W", "async-stack-size=100000"], module), 1, "max_wasm_stack size cannot exceed");
        expect_refused(&run_module(&["-W", "epoch-interruption"], module), 134, "wasm trap: interrupt");
        expect_refused(&run_module(&["-S", "max-resources=1"], module), 1, "resource table has no free keys");
        let out = run_module(&["-S", "inherit-stdout=n"], module);
        assert_eq!((out.code, out.stdout.as_str()), (0, ""));
    }
}

/// An option that is named wins, wherever it stands.
#[test]
fn proposals_can_be_switched_together() {
    const SIMD: &str = "(module (func (drop (v128.const i64x2 0 0))))";
    expect_refused(&run_module(&["-W", "all-proposals=n"], SIMD), 1, "SIMD support is not enabled");
    for options in ["all-proposals=n,simd", "simd,all-proposals=n"] {
        assert_eq!(run_module(&["-W", options], SIMD).code, 0, "{options}");
    }
    expect_refused(&run_module(&["-W", "all-proposals=n"], OBJECTS), 1, "without the gc feature");
    expect_refused(&run_module(&["-W", "gc-support=n"], OBJECTS), 1, "gc types are disabled");
}

#[test]
fn backtraces_are_as_long_and_exact_as_is_asked_for() {
    const DEEP: &str = r#"(module (type $s (struct (field i32)))
        (func $f (param i32) (result i32)
          (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1)))))
            (else (struct.get $s 0 (ref.null $s)))))
        (func (export "_start") (drop (call $f (i32.const 40)))))"#;
    let frames = |options: &str| {
        let out = run_module(&["-D", options, "-D", "gc-passes=none"], DEEP);
        assert!(out.code == 134 && out.stderr.contains("null reference"), "{out:?}");
        out.stderr.matches("<unknown>!").count()
    };
    assert_eq!((frames("max-backtrace=3"), frames("max-backtrace=0")), (3, 20));
}

#[test]
fn what_this_command_has_not_says_so() {
    for (group, option, why) in [
        ("-D", "logging", "this command writes no logs"),
        ("-S", "http", "has not this part of WASI"),
        ("-S", "preview2=n", "no other implementation"),
        ("-O", "regalloc-algorithm=best", "unknown algorithm `best`"),
        ("-O", "pooling-pagemap-scan=perhaps", "unknown flag `perhaps`"),
        ("-O", "pooling-total-tables=0x100000000", "too large"),
        ("-C", "inlining=all", "`all`"),
    ] {
        expect_refused(&run_module(&[group, option], PLAIN), 2, why);
    }
    expect_refused(&run_module(&["-C", "cache,cache-config=/nowhere/at/all"], PLAIN), 1, "No such file");
}

/// Of a command, which has an instance for each call, only functions can be linked.
#[test]
fn exports_that_nobody_knows_are_let_through() {
    let files = Files::new();
    let lib = files.write(
        "lib.wat",
        r#"(module (global (export "g") i32 (i32.const 1)) (func (export "_start")) (func (export "f") (result i32) (i32.const 5)))"#,
    );
    let main = files.write(
        "main.wat",
        r#"(module (import "lib" "f" (func $f (result i32))) (func (export "run") (result i32) (call $f)))"#,
    );
    let preload = format!("lib={lib}");
    let refused = wasmtime_gc(&["--preload", &preload, "--invoke", "run", &main]);
    expect_refused(&refused, 1, "command export 'g' is not a function");
    let out = wasmtime_gc(&["-W", "unknown-exports-allow", "--preload", &preload, "--invoke", "run", &main]);
    assert_eq!((out.code, out.stdout.as_str()), (0, "5\n"), "{}", out.stderr);
}

/// The heap was planned for 4 GiB, and did not fit.
#[test]
fn a_small_pool_bounds_the_heap() {
    let out = run_module(&["-O", "pooling-allocator,pooling-max-memory-size=4m"], OBJECTS);
    assert_eq!((out.code, out.stdout.as_str()), (0, "fine\n"), "{}", out.stderr);
}

/// A stack that WebAssembly had alone overflowed in the engine, which ends the process.
#[test]
fn deep_recursion_traps_on_a_stack_that_is_no_longer_than_its_part() {
    let endless = r#"(module (func $f (export "_start") (call $f) (call $f)))"#;
    let out = run_module(&["-W", "async-stack-size=524288"], endless);
    assert_eq!(out.code, 134, "{}", out.stderr);
    assert!(out.stderr.contains("call stack exhausted"), "{}", out.stderr);
}

#[test]
fn one_choice_about_imports_does_not_take_the_other_back() {
    let unknown = r#"(module (import "x" "y" (func $y)) (func (export "_start") (call $y)))"#;
    let called = |options: &str| {
        let out = run_module(&["-W", options], unknown);
        (out.code, out.stderr.contains("failed to invoke command default"))
    };
    assert_eq!(called("unknown-imports-default,unknown-imports-trap=n"), (0, false));
    assert_eq!(called("unknown-imports-trap,unknown-imports-default=n"), (1, true));
    assert_eq!(called("unknown-imports-default,unknown-imports-default=n"), (1, false));
}

/// It panicked.
#[cfg(target_os = "linux")]
#[test]
fn nobody_has_to_read_standard_error() {
    let files = Files::new();
    let path = files.write("objects.wat", OBJECTS);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wasmtime-gc"));
    let status = command.args(["run", "-D", "gc-stats"]).arg(path).stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

/// Cranelift put functions in the place of calls, after which the engine does not know where a trap was: each check of lowered
/// code was told as `unreachable`.
#[test]
fn traps_are_told_apart_with_inlining() {
    const READ: &str = r#"(module (type $a (array i32))
        (func $read (param (ref null $a) i32) (result i32) (array.get $a (local.get 0) (local.get 1)))
        (func (export "over") (result i32) (call $read (array.new_default $a (i32.const 3)) (i32.const 3)))
        (func (export "null") (result i32) (call $read (ref.null $a) (i32.const 3))))"#;
    for (name, why) in [("over", "out of bounds array access"), ("null", "null reference")] {
        let out = run_module(&["-C", "inlining", "-D", "gc-passes=none", "--invoke", name], READ);
        assert!(out.code == 134 && out.stderr.contains(why), "{}", out.stderr);
    }
}
