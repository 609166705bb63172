//! `lower` and `wast`.

use super::{Files, examples, wasmtime_gc};
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
