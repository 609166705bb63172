//! `run`: what a program prints and sees, and how it exits.

use super::{Files, examples, run_module, wasmtime_gc};

/// A program that prints its arguments and its environment, one to a line.
const ECHO: &str = r#"
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (type $bytes (struct (field $count i32) (field $size i32)))
  (memory (export "memory") 1)
  (func $print (param $sizes (ref $bytes))
    (local $at i32)
    (loop $next
      (if (i32.lt_u (local.get $at) (struct.get $bytes $size (local.get $sizes)))
        (then
          (if (i32.eqz (i32.load8_u offset=1024 (local.get $at)))
            (then (i32.store8 offset=1024 (local.get $at) (i32.const 10))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
    (i32.store (i32.const 16) (i32.const 1024))
    (i32.store (i32.const 20) (struct.get $bytes $size (local.get $sizes)))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24))))
  (func $sizes (result (ref $bytes))
    (struct.new $bytes (i32.load (i32.const 0)) (i32.load (i32.const 4))))
  (func (export "_start")
    (drop (call $args_sizes (i32.const 0) (i32.const 4)))
    (drop (call $args (i32.const 64) (i32.const 1024)))
    (call $print (call $sizes))
    (drop (call $env_sizes (i32.const 0) (i32.const 4)))
    (drop (call $env (i32.const 64) (i32.const 1024)))
    (call $print (call $sizes))))
"#;

/// Functions of every result type, over an object.
const RESULTS: &str = r#"
(module
  (type $box (struct (field i64)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "boxed") (param i64) (result i64) (struct.get $box 0 (struct.new $box (local.get 0))))
  (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2)))
  (func (export "all") (result i32 i64 f32 f64 v128 anyref anyref externref funcref)
    i32.const -1
    i64.const 5000000000
    f32.const 1.5
    f64.const nan
    v128.const i64x2 1 1
    (struct.new $box (i64.const 0))
    ref.null any
    ref.null extern
    ref.null func))
"#;

#[test]
fn examples_print_what_they_should() {
    let mut ran = 0;
    for entry in std::fs::read_dir(examples()).expect("there are examples") {
        let path = entry.expect("the folder can be read").path();
        let Ok(expected) = std::fs::read_to_string(path.with_extension("stdout")) else { continue };
        if path.extension().is_some_and(|e| e == "wat") {
            let out = wasmtime_gc(&["run", &path.display().to_string()]);
            assert_eq!((out.code, out.stdout.as_str()), (0, expected.as_str()), "{}: {}", path.display(), out.stderr);
            ran += 1;
        }
    }
    assert!(ran > 0);
}

#[test]
fn results_print_as_wasmtime_prints_them() {
    let files = Files::new();
    let path = files.write("m.wat", RESULTS);
    let out = wasmtime_gc(&["run", "--invoke", "all", &path]);
    let expected =
        "-1\n5000000000\n1.5\nNaN\n18446744073709551617\n<anyref>\n<null anyref>\n<null externref>\n<null funcref>\n";
    assert_eq!((out.code, out.stdout.as_str()), (0, expected), "{}", out.stderr);
    assert_eq!(
        out.stderr,
        "warning: using `--invoke` with a function that returns values is experimental and may break in the future\n"
    );
    assert_eq!(wasmtime_gc(&["--invoke", "add", &path, "2", "-5"]).stdout, "-3\n");
    assert_eq!(wasmtime_gc(&["--invoke", "boxed", &path, "-9000000000"]).stdout, "-9000000000\n");
    assert_eq!(wasmtime_gc(&["--invoke", "half", &path, "3"]).stdout, "1.5\n");
}

#[test]
fn wrong_arguments_are_errors() {
    let files = Files::new();
    let path = files.write("m.wat", RESULTS);
    let out = wasmtime_gc(&["--invoke", "add", &path, "2"]);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("not enough arguments for `add`"), "{}", out.stderr);
    let out = wasmtime_gc(&["--invoke", "subtract", &path]);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("no func export named `subtract` found"), "{}", out.stderr);
    let out = wasmtime_gc(&["--invoke", "add", &path, "2", "two"]);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("invalid digit"), "{}", out.stderr);
    let out = wasmtime_gc(&["--invoke", "add", &path, "2", "0xffffffff"]);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("number too large"), "{}", out.stderr);
}

/// One that was not set was an error, and one that is not Unicode a panic.
#[cfg(unix)]
#[test]
fn variables_may_not_be_set_and_not_be_unicode() {
    use std::os::unix::ffi::OsStrExt;
    let files = Files::new();
    let path = files.write("echo.wat", ECHO);
    let out = wasmtime_gc(&["run", "--env", "NOBODY_SETS_THIS", "--env", "A=1", &path]);
    assert_eq!((out.code, out.stdout.as_str()), (0, "echo.wat\nA=1\n"));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wasmtime-gc"));
    let strange = std::ffi::OsStr::from_bytes(b"\xff");
    let out = command.args(["run", "-S", "inherit-env", &path]).env("STRANGE", strange).output().expect("it starts");
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("not valid utf-8"));
}

#[test]
fn programs_see_arguments_and_environment() {
    let files = Files::new();
    let path = files.write("echo.wat", ECHO);
    let out = wasmtime_gc(&["--env", "A=1", "run", "--env", "B=2=3", &path, "-W", "x"]);
    assert_eq!((out.code, out.stdout.as_str()), (0, "echo.wat\n-W\nx\nA=1\nB=2=3\n"), "{}", out.stderr);
    let out = wasmtime_gc(&["--argv0", "me", &path]);
    assert_eq!(out.stdout, "me\n");
}

#[test]
fn programs_choose_their_exit_code() {
    let module = |code: u32| {
        format!(
            r#"(module
                 (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                 (memory (export "memory") 1)
                 (func (export "_start") (call $exit (i31.get_s (ref.i31 (i32.const {code}))))))"#
        )
    };
    let out = run_module(&[], &module(0));
    assert_eq!((out.code, out.stderr.as_str()), (0, ""));
    let out = run_module(&[], &module(3));
    assert_eq!((out.code, out.stderr.as_str()), (3, ""));
}

#[test]
fn folders_are_granted() {
    // `fd_prestat_dir_name` of the first preopened folder, printed; 8 (`badf`) if there is none.
    let module = r#"
(module
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (local $err i32)
    (if (local.tee $err (call $get (i32.const 3) (i32.const 0))) (then (call $exit (local.get $err))))
    (drop (call $name (i32.const 3) (i32.const 64) (i32.load (i32.const 4))))
    (i32.store (i32.const 16) (i32.const 64))
    (i32.store (i32.const 20) (i32.load (i32.const 4)))
    (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))
"#;
    let files = Files::new();
    let (path, dir) = (files.write("m.wat", module), files.path("").display().to_string());
    assert_eq!(wasmtime_gc(&["--dir", &format!("{dir}::/here"), &path]).stdout, "/here");
    assert_eq!(wasmtime_gc(&["--dir", &dir, &path]).stdout, dir);
    assert_eq!(wasmtime_gc(&[&path]).code, 8);
    let out = wasmtime_gc(&["--dir", "/no/such/folder", &path]);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("failed to open directory '/no/such/folder'"), "{}", out.stderr);
}

#[test]
fn modules_without_a_main_function_run_their_start_function() {
    let module = r#"
(module
  (type $s (struct (field (mut i32))))
  (global $g (ref $s) (struct.new $s (i32.const 41)))
  (func $start
    (struct.set $s 0 (global.get $g) (i32.add (i32.const 1) (struct.get $s 0 (global.get $g))))
    (if (i32.ne (struct.get $s 0 (global.get $g)) (i32.const 42)) (then unreachable))
    (if (global.get $trap) (then unreachable)))
  (global $trap i32 (i32.const TRAP))
  (start $start))
"#;
    assert_eq!(run_module(&[], &module.replace("TRAP", "0")).code, 0);
    let out = run_module(&[], &module.replace("TRAP", "1"));
    assert_eq!(out.code, 134);
    assert!(out.stderr.contains("failed to instantiate"), "{}", out.stderr);
}

#[test]
fn preloaded_modules_can_be_imported() {
    let files = Files::new();
    let lib = files.write(
        "lib.wat",
        r#"(module
             (type $s (struct (field i32)))
             (global $ready (mut i32) (i32.const 0))
             (func (export "_initialize") (global.set $ready (i32.const 40)))
             (func (export "make") (result (ref $s)) (struct.new $s (global.get $ready)))
             (func (export "take") (param (ref $s)) (result i32) (struct.get $s 0 (local.get 0))))"#,
    );
    let main = files.write(
        "main.wat",
        r#"(module
             (type $s (struct (field i32)))
             (import "lib" "make" (func $make (result (ref $s))))
             (import "lib" "take" (func $take (param (ref $s)) (result i32)))
             (func (export "f") (result i32)
               (i32.add (call $take (call $make)) (struct.get $s 0 (struct.new $s (i32.const 2))))))"#,
    );
    let out = wasmtime_gc(&["--preload", &format!("lib={lib}"), "--invoke", "f", &main]);
    assert_eq!((out.code, out.stdout.as_str()), (0, "42\n"), "{}", out.stderr);
    let out = wasmtime_gc(&["--preload", "lib=/no/such/file.wat", &main]);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("failed to process preload `lib` at `/no/such/file.wat`"), "{}", out.stderr);
}

/// It had one instance, as if it were a library.
#[test]
fn a_command_that_is_preloaded_has_a_new_instance_for_each_call() {
    let files = Files::new();
    let count = r#"(global $n (mut i32) (i32.const 0))
        (func (export "count") (result i32)
          (global.set $n (i32.add (global.get $n) (i32.const 1)))
          (global.get $n))"#;
    let main = files.write(
        "main.wat",
        r#"(module
             (import "lib" "count" (func $count (result i32)))
             (func (export "f") (result i32) (i32.add (i32.mul (call $count) (i32.const 10)) (call $count))))"#,
    );
    for (start, expected) in [(r#"(func (export "_start"))"#, "11\n"), ("", "12\n")] {
        let lib = files.write("lib.wat", &format!("(module {count} {start})"));
        let out = wasmtime_gc(&["--preload", &format!("lib={lib}"), "--invoke", "f", &main]);
        assert_eq!((out.code, out.stdout.as_str()), (0, expected), "{}", out.stderr);
    }
}

#[test]
fn unknown_imports() {
    let module = r#"
(module
  (import "host" "make" (func $make (param anyref) (result i32 anyref)))
  (func (export "_start")
    (call $make (ref.i31 (i32.const 1)))
    ref.is_null
    i32.eqz
    (if (then unreachable))
    (if (then unreachable))))
"#;
    let out = run_module(&[], module);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("unknown import: `host::make` has not been defined"), "{}", out.stderr);
    let out = run_module(&["-W", "unknown-imports-default"], module);
    assert_eq!((out.code, out.stderr.as_str()), (0, ""));
    let out = run_module(&["-W", "unknown-imports-trap=y"], module);
    assert_ne!(out.code, 0);
    assert!(out.stderr.contains("unknown import: `host::make` has not been defined"), "{}", out.stderr);
}

#[test]
fn without_wasi_its_functions_are_unknown() {
    let out = run_module(&["-S", "cli=n"], ECHO);
    assert_eq!(out.code, 1);
    assert!(out.stderr.contains("unknown import: `wasi_snapshot_preview1::args_sizes_get`"), "{}", out.stderr);
}

/// Programs that are older than `wasi_snapshot_preview1`.
#[test]
fn wasi_has_its_first_name_too() {
    let out = run_module(
        &[],
        r#"(module
            (import "wasi_unstable" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (type $code (struct (field i32)))
            (func (export "_start") (call $exit (struct.get $code 0 (struct.new $code (i32.const 9))))))"#,
    );
    assert_eq!(out.code, 9, "{}", out.stderr);
}
