//! `run` of components: what a command of WASI 0.2 prints and sees, how it ends, and what is said of one that can not run.

use super::{Files, Ran, run_module, wasmtime_gc};

/// A command that prints its arguments, its environment and its folders, one to a line. Strings are on the heap for a moment.
const ECHO: &str = r#"
(component
  (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error (type $e))
    (export "error" (type $error (eq $e)))
    (export "output-stream" (type $output (sub resource)))
    (type $failure (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $failure)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $output)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output (type $o))
    (export "output-stream" (type $output (eq $o)))
    (export "get-stdout" (func (result (own $output))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-arguments" (func (result (list string))))
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "initial-cwd" (func (result (option string))))))
  (import "wasi:filesystem/types@0.2.0" (instance $files (export "descriptor" (type (sub resource)))))
  (alias export $files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $d))
    (export "descriptor" (type $descriptor (eq $d)))
    (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))

  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    ;; Everything begins at a multiple of 8.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get 3)) (i32.const 7)) (i32.const -8)))))
  (core instance $libc (instantiate $libc))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $arguments (canon lower (func $environment "get-arguments")
    (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $environment (canon lower (func $environment "get-environment")
    (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $cwd (canon lower (func $environment "initial-cwd")
    (memory $libc "memory") (realloc (func $libc "realloc"))))
  (core func $folders (canon lower (func $preopens "get-directories")
    (memory $libc "memory") (realloc (func $libc "realloc"))))

  (core module $main
    (import "libc" "memory" (memory 1))
    (import "wasi" "get-stdout" (func $get-stdout (result i32)))
    (import "wasi" "write" (func $write (param i32 i32 i32 i32)))
    (import "wasi" "arguments" (func $arguments (param i32)))
    (import "wasi" "environment" (func $environment (param i32)))
    (import "wasi" "cwd" (func $cwd (param i32)))
    (import "wasi" "folders" (func $folders (param i32)))
    (data (i32.const 64) "\n")
    (global $stdout (mut i32) (i32.const 0))
    (func $print (param $at i32) (param $length i32)
      (call $write (global.get $stdout) (local.get $at) (local.get $length) (i32.const 32))
      (call $write (global.get $stdout) (i32.const 64) (i32.const 1) (i32.const 32)))
    ;; Prints the strings of the list at 0: the first is so far into an item, and items are so long.
    (func $all (param $first i32) (param $step i32)
      (local $at i32)
      (local $n i32)
      (local.set $at (i32.add (i32.load (i32.const 0)) (local.get $first)))
      (local.set $n (i32.load (i32.const 4)))
      (block $done
        (loop $next
          (br_if $done (i32.eqz (local.get $n)))
          (call $print (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))
          (local.set $at (i32.add (local.get $at) (local.get $step)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next))))
    (func (export "run") (result i32)
      (global.set $stdout (call $get-stdout))
      (call $arguments (i32.const 0))
      (call $all (i32.const 0) (i32.const 8))
      (call $environment (i32.const 0))
      (call $all (i32.const 0) (i32.const 16))
      (call $environment (i32.const 0))
      (call $all (i32.const 8) (i32.const 16))
      (call $folders (i32.const 0))
      (call $all (i32.const 4) (i32.const 12))
      (call $cwd (i32.const 0))
      (if (i32.load8_u (i32.const 0)) (then (call $print (i32.load (i32.const 4)) (i32.load (i32.const 8)))))
      (i32.const 0)))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "wasi" (instance
      (export "get-stdout" (func $get-stdout)) (export "write" (func $write)) (export "cwd" (func $cwd))
      (export "arguments" (func $arguments)) (export "environment" (func $environment))
      (export "folders" (func $folders))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
"#;

/// A command whose `run` is this body, with these fields in its module before it.
fn command(fields: &str, body: &str) -> String {
    format!(
        r#"(component
             (core module $main {fields} (func $run (export "run") (result i32) {body}))
             (core instance $main (instantiate $main))
             (func $run (result (result)) (canon lift (core func $main "run")))
             (instance $command (export "run" (func $run)))
             (export "wasi:cli/run@0.2.0" (instance $command)))"#
    )
}

/// A command that calls this function of `wasi:cli/exit`, which has such a parameter, with this number.
fn exits(function: &str, param: &str, code: i32) -> String {
    format!(
        r#"(component
             (import "wasi:cli/exit@0.2.0" (instance $exit (export "{function}" (func {param}))))
             (core func $exit (canon lower (func $exit "{function}")))
             (core module $main
               (import "wasi" "exit" (func $exit (param i32)))
               (func (export "run") (result i32) (call $exit (i32.const {code})) unreachable))
             (core instance $main (instantiate $main (with "wasi" (instance (export "exit" (func $exit))))))
             (func $run (result (result)) (canon lift (core func $main "run")))
             (instance $command (export "run" (func $run)))
             (export "wasi:cli/run@0.2.0" (instance $command)))"#
    )
}

#[track_caller]
fn expect(out: &Ran, code: i32, message: &str) {
    assert!(out.code == code && out.stderr.contains(message), "{code} {message}: {out:?}");
}

#[test]
fn commands_see_what_they_are_given() {
    let files = Files::new();
    let (path, dir) = (files.write("echo.wat", ECHO), files.path("").display().to_string());
    let dir = format!("--dir={dir}::/here");
    let out = wasmtime_gc(&["run", "--env", "A=1", &dir, "-S", "cwd=/here", &path, "-W", "x"]);
    assert_eq!((out.code, out.stdout.as_str(), out.stderr.as_str()), (0, "echo.wat\n-W\nx\nA\n1\n/here\n/here\n", ""));
    let out = wasmtime_gc(&["--argv0", "me", &path]);
    assert_eq!((out.code, out.stdout.as_str()), (0, "me\n"), "{}", out.stderr);
    let out = wasmtime_gc(&["-S", "inherit-stdout=n", &path]);
    assert_eq!((out.code, out.stdout.as_str()), (0, ""), "{}", out.stderr);
    expect(&wasmtime_gc(&["--dir", "/no/such/folder", &path]), 1, "failed to open directory '/no/such/folder'");
    expect(&wasmtime_gc(&["-S", "max-resources=0", &path]), 1, "resource table has no free keys");
    expect(&wasmtime_gc(&["-S", "hostcall-fuel=10", &path, "12345678901234567890"]), 1, "fuel");
}

#[test]
fn binaries_are_run_as_text_is() {
    let files = Files::new();
    let path = files.path("echo.wasm").display().to_string();
    std::fs::write(&path, wat::parse_str(ECHO).expect("the component is well-formed")).expect("files can be written");
    assert_eq!(wasmtime_gc(&[&path, "x"]).stdout, "echo.wasm\nx\n");
}

#[test]
fn commands_choose_their_exit_codes() {
    for (component, code) in [
        (command("", "i32.const 0"), 0),
        (command("", "i32.const 1"), 1),
        (exits("exit", "(param \"status\" (result))", 0), 0),
        (exits("exit", "(param \"status\" (result))", 1), 1),
        (exits("exit-with-code", "(param \"status-code\" u8)", 42), 42),
    ] {
        let out = run_module(&[], &component);
        assert_eq!((out.code, out.stderr.as_str()), (code, ""), "{component}");
    }
}

#[test]
fn traps_have_backtraces() {
    let out = run_module(&[], &command("(func $deep unreachable)", "call $deep i32.const 0"));
    expect(&out, 134, "Error: failed to run main module");
    for line in ["error while executing at wasm backtrace", "main!deep", "main!run", "wasm `unreachable` instruction"] {
        assert!(out.stderr.contains(line), "{line}: {}", out.stderr);
    }
    let out = run_module(&[], &command("(func $bad unreachable) (start $bad)", "i32.const 0"));
    expect(&out, 134, "wasm `unreachable` instruction");
}

#[test]
fn limits_hold() {
    let spin = command("", "(loop (br 0)) i32.const 0");
    expect(&run_module(&["-W", "fuel=10000"], &spin), 134, "all fuel consumed by WebAssembly");
    expect(&run_module(&["-W", "timeout=100ms"], &spin), 134, "wasm trap: interrupt");
    let deep = command("(func $f call $f)", "call $f i32.const 0");
    expect(&run_module(&["-W", "max-wasm-stack=100000"], &deep), 134, "call stack exhausted");
    // It is a failure, 1, where the memory grows.
    let grow = command("(memory 1)", "(i32.ne (memory.grow (i32.const 100)) (i32.const -1))");
    assert_eq!(run_module(&[], &grow).code, 1);
    assert_eq!(run_module(&["-W", "max-memory-size=1m"], &grow).code, 0);
    expect(&run_module(&["-W", "max-memory-size=1m,trap-on-grow-failure"], &grow), 1, "growing");
    expect(&run_module(&["-W", "max-memories=0"], &grow), 1, "memory count too high");
    expect(&run_module(&["-W", "max-instances=0"], &grow), 1, "instance count too high");
    expect(
        &run_module(&["-O", "pooling-allocator,pooling-total-component-instances=0"], &grow),
        1,
        "component instances",
    );
}

/// It waits for a clock of WASI, in a minute.
#[test]
fn a_timeout_ends_a_wait() {
    let component = r#"
(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $p))
    (export "pollable" (type $pollable (eq $p)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core module $main
    (import "wasi" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "wasi" "block" (func $block (param i32)))
    (func (export "run") (result i32) (call $block (call $subscribe (i64.const 60000000000))) (i32.const 0)))
  (core instance $main (instantiate $main
    (with "wasi" (instance (export "subscribe" (func $subscribe)) (export "block" (func $block))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
"#;
    let out = run_module(&["-W", "timeout=100ms"], component);
    expect(&out, 134, "wasm trap: interrupt");
    assert!(out.stderr.starts_with("Error: timed out after deadline has elapsed"), "{}", out.stderr);
}

/// Objects of a component's modules live on Wasmtime's own collector, whichever was chosen.
#[test]
fn modules_of_components_may_have_gc_types() {
    let fields = "(type $box (struct (field i32) (field (ref null $box))))
        (global $list (mut (ref null $box)) (ref.null $box))
        (tag $end)
        (func $build (local $n i32)
          (loop
            (global.set $list (struct.new $box (local.get $n) (global.get $list)))
            (br_if 0 (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000))))
          (throw $end))";
    let component = command(
        fields,
        "(block $caught (try_table (catch_all $caught) (call $build)))
         (i32.ne (struct.get $box 0 (global.get $list)) (i32.const 999))",
    );
    for options in [&[][..], &["-C", "collector=null"], &["-C", "collector=drc"], &["-O", "gc-heap-reservation=65536"]]
    {
        let out = run_module(options, &component);
        assert_eq!((out.code, out.stderr.as_str()), (0, ""), "{options:?}");
    }
    // What that collector has is limited as memories are.
    let endless = component.replace("i32.const 1000", "i32.const -1");
    let out = run_module(&["-W", "max-memory-size=2m", "-C", "collector=copying"], &endless);
    assert!(out.code != 0 && out.stderr.contains("GC heap out of memory"), "{out:?}");
    for (option, why) in [("gc=n", "GC"), ("exceptions=n", "exceptions"), ("gc-support=n", "gc")] {
        let out = run_module(&["-W", option], &component);
        assert!(out.code == 1 && out.stderr.contains("failed to compile component"), "{option}: {out:?}");
        assert!(out.stderr.contains(why), "{option}: {out:?}");
    }
}

#[test]
fn backends_and_options_of_components() {
    let echo = |options: &[&str]| {
        let out = run_module(options, ECHO);
        assert_eq!((out.code, out.stdout.as_str(), out.stderr.as_str()), (0, "m.wat\n", ""), "{options:?}");
    };
    for options in [
        &["-C", "compiler=winch"][..],
        &["--target", "pulley64"],
        &["-O", "pooling-allocator"],
        &["-O", "pooling-allocator,pooling-total-component-instances=1,pooling-total-gc-heaps=1"],
        &["-O", "pooling-allocator,pooling-max-core-instances-per-component=9,pooling-max-memories-per-component=1"],
        &["-O", "pooling-allocator,pooling-max-tables-per-component=9,pooling-max-component-instance-size=1m"],
        &["-W", "all-proposals"],
        &["-W", "concurrency-support=n,component-model-async=n"],
        &["-S", "inherit-network,allow-ip-name-lookup,tcp,udp=n,network-error-code,max-random-size=1k"],
        &["-S", "cli-exit-with-code,max-component-handles=100,p3=n,preview2"],
        &["-D", "guest-debug"],
        &["-D", "gc-verify=n,gc-stats=n"],
    ] {
        echo(options);
    }
    expect(&run_module(&["-W", "component-model=n"], ECHO), 1, "`-W component-model=n` allows none");
    expect(&run_module(&["-S", "max-component-handles=0"], ECHO), 1, "store handle limit exceeded");
    expect(&run_module(&["-S", "cli-exit-with-code=n"], ECHO), 2, "can not be switched off");
    expect(&run_module(&["-S", "p3"], ECHO), 2, "this command has WASI 0.2");
}

#[test]
fn options_without_a_meaning_are_refused() {
    let files = Files::new();
    let (path, module) = (files.write("c.wat", ECHO), files.write("m.wat", "(module)"));
    let preload = format!("--preload=m={module}");
    for (options, why) in [
        (&[preload.as_str()][..], "`--preload` is for modules"),
        (&["--profile-calls", "calls.json"], "`--profile-calls` is for modules that are lowered"),
        (&["-W", "unknown-imports-default"], "`-W unknown-imports-trap` is for both"),
        (&["-W", "unknown-exports-allow"], "leave it out"),
        (&["-W", "custom-descriptors"], "`-W custom-descriptors` is for modules that are lowered"),
        (&["-D", "gc-zeal=1"], "`-D gc-zeal` is about the heap of lowered modules"),
        (&["-D", "gc-stats"], "for which there are `-C collector`"),
        (&["-S", "gc"], "`-S gc` is about the heap"),
        (&["-O", "gc-max-heap-size=1m"], "`-O gc-max-heap-size` is about the heap"),
    ] {
        expect(&wasmtime_gc(&[options, &[&path]].concat()), 1, why);
    }
    let binary = files.path("c.wasm").display().to_string();
    std::fs::write(&binary, wat::parse_str(ECHO).expect("the component is well-formed")).expect("files can be written");
    expect(&wasmtime_gc(&["--dialect", "rtt2020", &binary]), 1, "run it without `--dialect`");
    expect(&wasmtime_gc(&["compile", "-O", "gc-threads=2", &path]), 1, "`-O gc-threads` is about the heap");
    for component in [&path, &binary] {
        let preload = format!("--preload=c={component}");
        expect(&wasmtime_gc(&["run", &preload, &module]), 1, "only modules can be preloaded");
    }
}

#[test]
fn components_that_can_not_run() {
    expect(&run_module(&[], "(component (core module (func (result i32))))"), 1, "type mismatch");
    expect(&run_module(&[], "(component (nonsense))"), 1, "nonsense");
    let out = run_module(&[], "(component)");
    expect(&out, 1, "it does not export `run` of `wasi:cli/run@0.2`");
    assert!(out.stderr.contains("--invoke"), "{}", out.stderr);
    let newer = command("", "i32.const 0").replace("run@0.2.0", "run@0.3.0");
    expect(&run_module(&[], &newer), 1, "a command of WASI 0.3");
    for (import, options, why) in [
        ("wasi:http/types@0.2.0", &[][..], "`wasi:http/types@0.2.0` is not among what this command has of WASI"),
        ("wasi:cli/stdout@0.3.0", &[], "`wasi:cli/stdout@0.3.0` is not among"),
        ("wasi:cli/stdout@0.2.0", &["-S", "cli=n"], "which `-S cli=n` leaves out"),
        ("wasmtime-gc:heap/stats@0.1.0", &[], "with `ext::component::HeapHost`"),
        ("other:package/face", &[], "a matching implementation was not found in the linker"),
    ] {
        let component = format!(r#"(component (import "{import}" (instance (export "nothing" (func)))))"#);
        let out = run_module(options, &component);
        expect(&out, 1, why);
        assert!(out.stderr.contains(&format!("component imports instance `{import}`")), "{}", out.stderr);
        // Then there is nothing to be said of imports.
        let out = run_module(&[&["-W", "unknown-imports-trap"], options].concat(), &component);
        expect(&out, 1, "it does not export `run`");
    }
}

#[test]
fn compiled_components_run_only_if_they_are_allowed() {
    let files = Files::new();
    let (source, out) = (files.write("echo.wat", ECHO), files.path("echo.cwasm").display().to_string());
    let made = wasmtime_gc(&["compile", "-o", &out, &source]);
    assert_eq!((made.code, made.stderr.as_str()), (0, ""));
    let ran = wasmtime_gc(&["run", "--allow-precompiled", &out, "x"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "echo.cwasm\nx\n"), "{}", ran.stderr);
    expect(&wasmtime_gc(&[&out]), 1, "`--allow-precompiled`");
    expect(&wasmtime_gc(&["--allow-precompiled", "-W", "fuel=1000", &out]), 1, "failed to load compiled component");
    expect(&wasmtime_gc(&["compile", &out]), 1, "was compiled before");
    std::fs::write(&out, &std::fs::read(&out).expect("it is there")[..2000]).expect("files can be written");
    expect(&wasmtime_gc(&["--allow-precompiled", &out]), 1, "compile it again");
    expect(
        &wasmtime_gc(&["compile", &files.write("bad.wat", "(component (core module (func (result i32))))")]),
        1,
        "mismatch",
    );
}

#[test]
fn core_dumps_and_profiles_are_written() {
    let files = Files::new();
    let dump = files.path("core").display().to_string();
    let out = run_module(&["-D", &format!("coredump={dump}")], &command("", "unreachable"));
    expect(&out, 134, &format!("core dumped at {dump}"));
    assert!(std::fs::read(&dump).expect("a file").starts_with(b"\0asm"));

    let profile = files.path("p.json").display().to_string();
    let options = [&format!("--profile=guest,{profile},5ms"), "-W", "timeout=100ms"];
    let out = run_module(&options, &command("(func $busy (loop (br 0)))", "call $busy i32.const 0"));
    expect(&out, 134, &format!("Profile written to: {profile}"));
    assert!(std::fs::read_to_string(&profile).expect("a file").contains("busy"));
}
