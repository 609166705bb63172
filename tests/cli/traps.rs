//! What is said when a program goes wrong, and that all of it is said of the original program.

use super::{Files, run_module, wasmtime_gc};

/// One function for each way to go wrong.
const FAULTS: &str = r#"
(module $faults
  (type $node (struct (field $next (mut (ref null $node))) (field $value i64)))
  (type $other (struct (field f64)))
  (type $bytes (array (mut i8)))
  (func $null (export "null") (result i64) (struct.get $node $value (ref.null $node)))
  (func (export "outer") (result i64) (call $null))
  (func (export "cast") (drop (ref.cast (ref $node) (struct.new $other (f64.const 0)))))
  (func (export "bounds") (result i32) (array.get_u $bytes (array.new_default $bytes (i32.const 4)) (i32.const 4)))
  (func (export "unreachable") (drop (struct.new $other (f64.const 0))) unreachable)
  (func (export "huge") (drop (array.new_default $bytes (i32.const -1))))
  (func $deep (export "deep") (param (ref null $node)) (result (ref $node))
    (call $deep (struct.new $node (local.get 0) (i64.const 0))))
  (func (export "recurse") (drop (call $deep (ref.null $node))))
  (global $list (mut (ref null $node)) (ref.null $node))
  (func (export "fill")
    (loop $more
      (global.set $list (struct.new $node (global.get $list) (i64.const 1)))
      (br $more)))
  (func (export "spin") (loop $again (drop (struct.new $other (f64.const 1))) (br $again))))
"#;

/// Calls a function of [`FAULTS`]; gives the exit code and what is on standard error.
fn fault(function: &str, options: &[&str]) -> (i32, String) {
    let out = run_module(&[options, &["--invoke", function]].concat(), FAULTS);
    (out.code, out.stderr)
}

#[track_caller]
fn expect_trap(function: &str, options: &[&str], message: &str) {
    let (code, stderr) = fault(function, options);
    assert!(stderr.contains(message), "{stderr}");
    assert_eq!(code, 134, "{stderr}");
}

#[test]
fn traps_are_those_of_wasmtime() {
    for options in [&[][..], &["-O", "opt-level=0"], &["-D", "explicit-null-checks"], &["-O", "signals-based-traps=n"]]
    {
        expect_trap("null", options, "wasm trap: null reference");
        expect_trap("cast", options, "wasm trap: cast failure");
        expect_trap("bounds", options, "wasm trap: out of bounds array access");
        expect_trap("unreachable", options, "wasm trap: wasm `unreachable` instruction executed");
    }
}

/// Frames are those of the original module: names, and offsets where its own instructions are.
#[test]
fn messages_and_backtraces_are_those_of_wasmtime() {
    let files = Files::new();
    let wasm = wat::parse_str(FAULTS).expect("the module is well-formed");
    let path = files.path("faults.wasm").display().to_string();
    std::fs::write(&path, &wasm).expect("temporary files can be written");
    let out = wasmtime_gc(&["run", "--invoke", "outer", &path]);

    let [null, outer] = [instruction(&wasm, 0, "StructGet"), instruction(&wasm, 1, "Call")];
    let expected = format!(
        "Error: failed to run main module `{path}`\n\nCaused by:\n    0: failed to invoke `outer`\n    \
         1: error while executing at wasm backtrace:\n    \
         0: {null:#8x} - faults!null\n    \
         1: {outer:#8x} - faults!<wasm function 1>\n    \
         2: wasm trap: null reference"
    );
    assert_eq!((out.code, out.stderr.trim_end()), (134, expected.as_str()));
}

/// Offset of the first instruction of a kind in the `n`th body of a module.
fn instruction(wasm: &[u8], n: usize, kind: &str) -> usize {
    let bodies = wasmparser::Parser::new(0).parse_all(wasm).filter_map(|payload| match payload {
        Ok(wasmparser::Payload::CodeSectionEntry(body)) => Some(body),
        _ => None,
    });
    let body = bodies.into_iter().nth(n).expect("the module has so many functions");
    let mut reader = body.get_operators_reader().expect("the body is well-formed");
    while !reader.eof() {
        let (operator, offset) = reader.read_with_offset().expect("the body is well-formed");
        if format!("{operator:?}").starts_with(kind) {
            return offset;
        }
    }
    panic!("no {kind} in function {n}")
}

#[test]
fn an_exception_that_nobody_catches_is_an_error_but_no_trap() {
    let files = Files::new();
    let throws = r#"(module (tag $t (param i32)) (func (export "_start") (throw $t (i32.const 1))))"#;
    let path = files.write("throws.wat", throws);
    let out = wasmtime_gc(&[&path]);
    let expected = format!(
        "Error: failed to run main module `{path}`\n\nCaused by:\n    0: failed to invoke command default\n    \
         1: thrown Wasm exception"
    );
    assert_eq!((out.code, out.stderr.trim_end()), (1, expected.as_str()));
    let out = run_module(&[], "(module (tag $t) (func $start (throw $t)) (start $start))");
    assert_eq!(out.code, 1);
    assert!(
        out.stderr.contains("failed to instantiate") && out.stderr.contains("thrown Wasm exception"),
        "{}",
        out.stderr
    );
}

#[test]
fn endless_recursion_is_a_trap() {
    expect_trap("recurse", &[], "wasm trap: call stack exhausted");
    expect_trap("recurse", &["-W", "max-wasm-stack=64k"], "wasm trap: call stack exhausted");
    // More than the stack of this process's main thread.
    expect_trap("recurse", &["-W", "max-wasm-stack=32m"], "wasm trap: call stack exhausted");
}

#[test]
fn a_full_heap_is_a_trap() {
    let (code, stderr) = fault("fill", &["-O", "gc-max-heap-size=16m"]);
    assert_eq!(code, 134, "{stderr}");
    assert!(stderr.contains("GC heap out of memory") && stderr.contains("wasm trap: "), "{stderr}");
    let (code, stderr) = fault("fill", &["-W", "max-memory-size=16m"]);
    assert_eq!(code, 134, "{stderr}");
    assert!(stderr.contains("GC heap out of memory"), "{stderr}");
    expect_trap("huge", &[], "wasm trap: allocation size too large");
}

#[test]
fn time_is_limited() {
    expect_trap("spin", &["-W", "timeout=50ms"], "wasm trap: interrupt");
    expect_trap("spin", &["-W", "fuel=10000"], "wasm trap: all fuel consumed by WebAssembly");
}

#[test]
fn modules_that_can_not_run() {
    let out = run_module(&[], "(module (func (result i32) (i64.const 0)))");
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("type mismatch") && out.stderr.contains("offset"), "{}", out.stderr);
    let out = run_module(&["-W", "gc=n"], FAULTS);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("offset"), "{}", out.stderr);
    let out = run_module(&[], "(module (func (nonsense)))");
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("unknown operator or unexpected token"), "{}", out.stderr);
    let out = wasmtime_gc(&["/no/such/module.wasm"]);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("failed to open wasm module \"/no/such/module.wasm\""), "{}", out.stderr);
}

#[test]
fn core_dumps_are_written_where_they_are_wanted() {
    let files = Files::new();
    let path = files.path("core").display().to_string();
    let (code, stderr) = fault("null", &["-D", &format!("coredump={path}")]);
    assert!(stderr.contains(&format!("core dumped at {path}")) && stderr.contains("null reference"), "{stderr}");
    assert_eq!(code, 134);
    let dump = std::fs::read(&path).expect("a file");
    assert!(dump.starts_with(b"\0asm") && dump.windows(9).any(|w| w == b"corestack"));
    let (code, stderr) = fault("null", &["-D", "coredump=core.%p"]);
    assert!(stderr.contains("does not support patterns"), "{stderr}");
    assert_eq!(code, 1);
    let (code, stderr) = fault("null", &["-D", "coredump=/no/such/folder/core"]);
    assert!(stderr.contains("warning: coredump failed to generate") && stderr.contains("null reference"), "{stderr}");
    assert_eq!(code, 134);
}

/// A program that waits in WASI, with an object that it has on its stack meanwhile.
const SLEEP: &str = r#"
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (type $box (struct (field i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (local $box (ref $box))
    (local.set $box (struct.new $box (i32.const 104)))
    ;; One subscription, to the monotonic clock in a minute.
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 60000000000))
    (drop (call $poll (i32.const 0) (struct.get $box 0 (local.get $box)) (i32.const 1) (i32.const 200)))
    (drop (struct.get $box 0 (local.get $box)))))
"#;

/// It slept on for the whole minute.
#[test]
fn a_timeout_ends_a_wait_of_the_program() {
    let out = run_module(&["-W", "timeout=100ms"], SLEEP);
    assert_eq!(out.code, 134, "{}", out.stderr);
    assert!(out.stderr.starts_with("Error: timed out after deadline has elapsed"), "{}", out.stderr);
    assert!(out.stderr.contains("wasm trap: interrupt"), "{}", out.stderr);
}
