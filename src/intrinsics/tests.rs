//! What is linked: indices, sections and names, without an engine.

use super::*;

fn linked(text: &str) -> Linked {
    let wasm = wat::parse_str(text).expect("the program can be parsed");
    link(&wasm, &LinkOptions::default()).expect("it can be linked").expect("it imports intrinsics")
}

fn refused(text: &str, links: Links) -> String {
    let wasm = wat::parse_str(text).expect("the program can be parsed");
    link(&wasm, &LinkOptions { checked: true, links }).expect_err("it can not be linked").to_string()
}

fn printed(wasm: &[u8]) -> String {
    wasmprinter::print_bytes(wasm).expect("it can be printed")
}

/// Operations are the only functions that templates do not call themselves: each import gets its own copy.
#[test]
fn templates_call_no_operation() {
    let sets = [
        &[][..],
        &["checked"],
        &["counted"],
        &["program"],
        &["checked", "counted", "program"],
        &["weak", "counted"],
        &["weak", "checked", "internal"],
        &["weak", "finalizing", "checked", "program"],
        &["weak", "finalizing", "checked", "internal", "counted"],
    ];
    for features in sets {
        for text in [library::SIDE_TABLE_TEXT, library::OBJECTS_TEXT] {
            let wasm = template::assemble(text, features).expect("the template is a module");
            let piece = piece::Piece::parse(&wasm).expect("it can be taken apart");
            for body in &piece.bodies {
                for op in body.get_operators_reader().expect("there is code") {
                    if let Ok(wasmparser::Operator::Call { function_index }) = op {
                        assert!(!piece.is_operation(function_index), "{features:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn templates_are_modules_of_their_own() {
    for heap_type in ["extern", "any", "func", "struct", "exn"] {
        for checked in [false, true] {
            let wasm = side_table(heap_type, checked).expect("there is such a table");
            wasmparser::Validator::new_with_features(program::features()).validate_all(&wasm).expect("it is valid");
        }
    }
    objects().expect("there are objects");
}

#[test]
fn programs_without_intrinsics_are_left_alone() {
    let wasm = wat::parse_str(r#"(module (import "a" "b" (func)) (import "wasmtime-gc:heap" "collect" (func)))"#);
    assert!(link(&wasm.unwrap(), &LinkOptions::default()).unwrap().is_none());
}

/// Calls, exports, elements, constants and the start function follow the functions that move.
#[test]
fn functions_move_up_into_the_gaps_of_imports() {
    let text = printed(
        &linked(
            r#"(module
              (import "wasmtime-gc:side-table" "size" (func $size (result i32)))
              (import "env" "log" (func $log (param i32)))
              (import "wasmtime-gc:side-table" "release" (func $release (param i32)))
              (table funcref (elem $log $release $main))
              (global $g funcref (ref.func $size))
              (export "size" (func $size))
              (func $main (call $log (call $size)) (call $release (i32.const -1)))
              (start $main))"#,
        )
        .wasm,
    );
    for expected in [
        "(import \"env\" \"log\" (func $log",
        "(export \"size\" (func $side_table.size))",
        "(i32.const 0) func $log $side_table.release $main)",
        "(global $g (;0;) funcref ref.func $side_table.size)",
        "(start $main)",
        "call $side_table.size\n    call $log",
        "call $side_table.release",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert!(!text.contains("import \"wasmtime-gc"), "{text}");
}

#[test]
fn labels_make_several_tables_and_types_are_the_programs() {
    let text = printed(
        &linked(
            r#"(module
              (type $s (struct (field i32)))
              (import "wasmtime-gc:side-table#a" "intern" (func (param externref) (result i32)))
              (import "wasmtime-gc:side-table/fast#b" "get" (func (param i32) (result (ref null $s))))
              (import "wasmtime-gc:side-table#a" "get" (func (param i32) (result externref))))"#,
        )
        .wasm,
    );
    assert_eq!(text.matches("(table").count(), 2, "{text}");
    assert!(text.contains("0 (ref null $s))") && text.contains("0 externref)"), "{text}");
    assert!(text.contains("$side_table#a.stale") || text.contains("side_table#a.stale"), "{text}");
    assert!(!text.contains("side_table#b.stale"), "{text}");
}

/// An import may have a type that is declared a subtype, and the same operation may be imported as two types.
#[test]
fn operations_have_the_types_of_their_imports() {
    let text = r#"(module
        (type $open (sub (func (param i32))))
        (type $plain (func (param i32)))
        (import "wasmtime-gc:side-table" "release" (func $a (type $open)))
        (import "wasmtime-gc:side-table" "release" (func $b (type $plain)))
        (global (ref $open) (ref.func $a))
        (global (ref $plain) (ref.func $b)))"#;
    linked(text);
}

/// A weak table has imports of its own, which come behind the program's and before its functions.
#[test]
fn imports_of_intrinsics_stay() {
    let text = printed(
        &linked(
            r#"(module
              (import "wasmtime-gc:side-table/finalizing" "next" (func $next (result i32)))
              (import "env" "log" (func $log (param i32)))
              (import "wasmtime-gc:side-table/weak#w" "intern" (func $intern (param anyref) (result i32)))
              (func $main (call $log (call $next)) (drop (call $intern (ref.null any))))
              (start $main))"#,
        )
        .wasm,
    );
    let imports: Vec<&str> = text.lines().filter(|line| line.trim_start().starts_with("(import")).collect();
    assert!(imports[0].contains("$log") && imports.len() == 1 + 6 + 2, "{text}");
    assert!(text.contains("call $side_table.next\n    call $log\n"), "{text}");
    assert!(text.contains("call $side_table#w.weak_new") || text.contains("side_table#w.weak_new"), "{text}");
}

#[test]
fn links_can_live_in_the_programs_memory() {
    let text = r#"(module
        (import "wasmtime-gc:side-table" "intern" (func (param externref) (result i32)))
        (memory 1))"#;
    let wasm = wat::parse_str(text).unwrap();
    let linked = link(&wasm, &LinkOptions { checked: false, links: Links::Program }).unwrap().unwrap();
    // Reference types and bulk memory are all it needs.
    let features = wasmparser::WasmFeatures::WASM2 - wasmparser::WasmFeatures::SIMD;
    wasmparser::Validator::new_with_features(features).validate_all(&linked.wasm).expect("it is WebAssembly 2.0");
}

/// The first thing that is linked with a C program: its sections of debug information count in offsets.
#[test]
fn sections_of_offsets_are_left_out() {
    let linked = linked(
        r#"(module
          (import "wasmtime-gc:side-table" "size" (func (result i32)))
          (@custom ".debug_line" "x") (@custom "producers" "\00"))"#,
    );
    assert_eq!(linked.dropped, [".debug_line"]);
    assert!(printed(&linked.wasm).contains("producers"));
}

/// A program with as many memories or tables as there can be is no defect of ours, as the message once said. Nor does
/// it lack an operation that the message did not name.
#[test]
fn programs_at_the_limits_are_told_so() {
    let size = "(import \"wasmtime-gc:side-table\" \"size\" (func (result i32)))";
    for (what, one) in [("memories", "(memory 0)"), ("tables", "(table 0 funcref)")] {
        let program = |count: usize| format!("(module {size} {})", one.repeat(count));
        linked(&program(99));
        let message = refused(&program(100), Links::Own);
        assert!(message.contains(&format!("more than 100 {what}")), "{message}");
    }
    let message = refused("(module (import \"wasmtime-gc:side-table\" \"retian\" (func)))", Links::Own);
    assert!(message.contains("`fault`, `retain`"), "{message}");
}

/// Modules with names of functions that there are not, or with names that can not be read, are valid. They were refused,
/// the former as a defect of ours.
#[test]
fn names_that_mean_nothing_do_not_matter() {
    let size = "(import \"wasmtime-gc:side-table\" \"size\" (func (result i32)))";
    for (names, kept) in [
        ("\\01\\07\\02\\01\\01f\\63\\01z", true),
        ("\\01\\04\\01\\01\\01f\\02\\05\\01\\63\\01\\00\\00", true),
        ("\\01\\04\\01\\01\\01f\\02\\7f", false),
        ("\\01\\7f", false),
    ] {
        let text = printed(&linked(&format!("(module {size} (func) (@custom \"name\" \"{names}\"))")).wasm);
        assert_eq!(text.contains("(func $f "), kept, "{text}");
        assert!(text.contains("side_table.size"), "{text}");
    }
}

#[test]
fn what_can_not_be_linked_is_refused_with_a_remedy() {
    let import = |module: &str, name: &str, ty: &str| format!("(module (import \"{module}\" \"{name}\" {ty}))");
    let side = "wasmtime-gc:side-table";
    let own = |text: String| refused(&text, Links::Own);
    let has = |message: String, part: &str| assert!(message.contains(part), "{message}");
    has(own(import(side, "put", "(func)")), "it has `intern`, `get`");
    has(own(import(side, "get", "(func (param i64))")), "(param i32) (result externref)");
    has(own(import(side, "get", "(func (param i32) (result (ref extern)))")), "any nullable reference type");
    has(own(import(side, "intern", "(table 0 externref)")), "functions");
    has(own(import("wasmtime-gc:side-table/slow", "get", "(func)")), "`/fast` or `/checked`");
    has(own(import("wasmtime-gc:objects", "alloc", "(func (param i32 i32) (result anyref))")), "(result externref)");
    let weak = "wasmtime-gc:side-table/weak";
    has(own(import(weak, "get", "(func (param i32) (result i31ref))")), "with `externref` or with `anyref`");
    let two = format!(
        "(module (import \"{side}\" \"intern\" (func (param externref) (result i32)))
           (import \"{side}\" \"get\" (func (param i32) (result anyref))))"
    );
    has(own(two), "the same in all operations");
    let size = import(side, "size", "(func (result i32))");
    has(refused(&size, Links::Program), "there is no memory");
    let wide = format!("(module (import \"{side}\" \"size\" (func (result i32))) (memory i64 1))");
    has(refused(&wide, Links::Program), "64 bits");
    let invalid = format!("(module (import \"{side}\" \"size\" (func (result i32))) (func (result i32)))");
    has(refused(&invalid, Links::Own), "type mismatch");
    has(own("(component (core module))".to_string()), "component");
    let object = format!("(module (import \"{side}\" \"size\" (func (result i32))) (@custom \"linking\" \"\\02\"))");
    has(refused(&object, Links::Own), "wasm-ld");
}
