//! Golden tests of the lowering: one `.wat` file for each family of operations.
//!
//! A file is a module, followed by its lowered form as `;;` comments. The test lowers the module,
//! prints what comes out, and compares. `WASMTIME_GC_BLESS=1 cargo test --test lower` writes the
//! outcome into the files instead; read the diff before you commit it. `readme.wat` explains the
//! directives.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use wasmparser::{Operator, Payload};
use wasmtime_gc::ir::{LikelyTarget, LikelyTargets};
use wasmtime_gc::layout::{GcTypes, HeapMap, MapParams};
use wasmtime_gc::lower::{LowerContext, Passes, lower};
use wasmtime_gc::types::TypeRegistry;
use wasmtime_gc::workers::Workers;

/// Where the expectation starts in a file.
const MARK: &str = ";; lowered:\n";

/// What the files may use.
const FEATURES: wasmparser::WasmFeatures = wasmparser::WasmFeatures::WASM3
    .union(wasmparser::WasmFeatures::LEGACY_EXCEPTIONS)
    .union(wasmparser::WasmFeatures::CUSTOM_DESCRIPTORS);

struct Case {
    path: PathBuf,
    input: String,
    expected: Option<String>,
    explicit_null_checks: bool,
    relocatable: bool,
    opt_level: u8,
    passes: Passes,
}

impl Case {
    fn read(path: &Path) -> Case {
        let text = std::fs::read_to_string(path).unwrap();
        let (input, expected) = match text.split_once(MARK) {
            Some((input, expected)) => (input.to_string(), Some(expected.to_string())),
            None => (text, None),
        };
        let directive = |name: &str| input.lines().any(|line| line.trim() == format!(";;! {name}"));
        let passes = input.lines().find_map(|line| line.trim().strip_prefix(";;! passes: "));
        let passes = passes.map(|text| Passes::parse(text).unwrap());
        Case {
            path: path.to_path_buf(),
            explicit_null_checks: directive("explicit-null-checks"),
            relocatable: directive("relocatable"),
            opt_level: if directive("compile-fast") { 0 } else { 2 },
            passes: passes.unwrap_or(if directive("optimize") { Passes::ALL } else { Passes::NONE }),
            expected,
            input,
        }
    }

    fn lower(&self) -> String {
        let wasm = wat::parse_str(&self.input).unwrap_or_else(|e| panic!("{}: {e}", self.path.display()));
        let registry = Arc::new(TypeRegistry::new());
        let map = HeapMap::new(MapParams::default());
        let gc_types = GcTypes::new(registry.clone(), map.rtt_start);
        let likely = self.likely(&wasm);
        let cx = LowerContext {
            registry: &registry,
            gc_types: &gc_types,
            map,
            features: FEATURES,
            explicit_null_checks: self.explicit_null_checks,
            relocatable: self.relocatable,
            opt_level: self.opt_level,
            workers: Workers::Many,
            passes: self.passes,
            check_roots: true,
            debug: false,
            profile_calls: false,
            winch: false,
            likely: Some(&likely),
        };
        let lowered = lower(&wasm, &cx).unwrap_or_else(|e| panic!("{}: {e}", self.path.display()));
        let lowered = lowered.unwrap_or_else(|| panic!("{}: nothing was lowered", self.path.display()));
        validate(&lowered.wasm).unwrap_or_else(|e| panic!("{}: {e}", self.path.display()));
        let text = wasmprinter::print_bytes(&lowered.wasm).unwrap();
        text.lines().map(|line| format!(";; {line}").trim_end().to_string() + "\n").collect()
    }
}

impl Case {
    /// What the directive says of the first calls of functions through references: `$caller=$callee:percent …`.
    fn likely(&self, wasm: &[u8]) -> LikelyTargets {
        let mut likely = LikelyTargets::default();
        let line = self.input.lines().find_map(|line| line.trim().strip_prefix(";;! likely: "));
        let names = wasm_names(wasm);
        let index = |name: &str| names.iter().position(|known| Some(known.as_str()) == name.strip_prefix('$')).unwrap();
        let mut calls: std::collections::BTreeMap<u32, Vec<LikelyTarget>> = Default::default();
        for item in line.into_iter().flat_map(str::split_whitespace) {
            let (caller, target) = item.split_once('=').unwrap();
            let (func, percent) = target.split_once(':').unwrap();
            let (func, percent) = (index(func) as u32, percent.parse().unwrap());
            calls.entry(call_in(wasm, index(caller))).or_default().push(LikelyTarget { func, percent });
        }
        calls.into_iter().for_each(|(offset, targets)| likely.insert(offset, targets));
        likely
    }
}

/// The names of functions. There are no imports where they are wanted.
fn wasm_names(wasm: &[u8]) -> Vec<String> {
    let payloads = || wasmparser::Parser::new(0).parse_all(wasm).flatten();
    let mut names = vec![String::new(); payloads().filter(|p| matches!(p, Payload::CodeSectionEntry(_))).count()];
    for payload in payloads() {
        let Payload::CustomSection(section) = payload else { continue };
        let wasmparser::KnownCustom::Name(parts) = section.as_known() else { continue };
        for part in parts.flatten() {
            let wasmparser::Name::Function(map) = part else { continue };
            for name in map.into_iter().flatten() {
                if let Some(place) = names.get_mut(name.index as usize) {
                    *place = name.name.to_string();
                }
            }
        }
    }
    names
}

/// The offset of the first call through a reference or table in a function.
fn call_in(wasm: &[u8], func: usize) -> u32 {
    let payloads = wasmparser::Parser::new(0).parse_all(wasm).flatten();
    let mut bodies = payloads.filter_map(|p| if let Payload::CodeSectionEntry(body) = p { Some(body) } else { None });
    let ops = bodies.nth(func).unwrap().get_operators_reader().unwrap().into_iter_with_offsets();
    let is_call = |op: &Operator<'_>| {
        matches!(op, Operator::CallRef { .. } | Operator::CallIndirect { .. } | Operator::ReturnCallIndirect { .. })
    };
    let found = ops.flatten().find(|(op, _)| is_call(op)).map(|(_, offset)| offset as u32);
    found.expect("there is a call through a reference")
}

/// Lowered code is core WebAssembly: no GC types exist for it.
fn validate(wasm: &[u8]) -> Result<(), wasmparser::BinaryReaderError> {
    let gone = wasmparser::WasmFeatures::GC_TYPES | wasmparser::WasmFeatures::EXCEPTIONS;
    let features = wasmparser::WasmFeatures::WASM3 & !gone;
    wasmparser::Validator::new_with_features(features).validate_all(wasm).map(|_| ())
}

#[test]
fn goldens() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lower");
    let bless = std::env::var_os("WASMTIME_GC_BLESS").is_some();
    let mut failures = Vec::new();
    let mut count = 0;
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "wat")) {
        count += 1;
        let case = Case::read(path);
        let lowered = case.lower();
        if case.expected.as_ref() == Some(&lowered) {
            continue;
        }
        if bless {
            std::fs::write(path, format!("{}{MARK}{lowered}", case.input)).unwrap();
        } else {
            failures.push(format!("{}:\n{lowered}", path.display()));
        }
    }
    assert!(count > 5, "the goldens are gone");
    assert!(
        failures.is_empty(),
        "lowered code changed; look at it, then run again with WASMTIME_GC_BLESS=1\n{}",
        failures.join("\n")
    );
}

/// Folding constants copied the rest of every region into its parent, level by level: a hundred thousand nested
/// `if`s on constants took a quarter of a minute, and three hundred thousand of them ten times as long. Nothing
/// here measures time; who waits for this test has found it again.
#[test]
fn folding_is_linear_in_nesting() {
    let deep = 300_000;
    let input = format!(
        "(module (func (param anyref) (local i32) {} local.get 0 drop i32.const 7 local.set 1 {}))",
        "i32.const 1 if ".repeat(deep),
        " else end ".repeat(deep)
    );
    let case = Case {
        path: "nested".into(),
        input,
        expected: None,
        explicit_null_checks: false,
        relocatable: false,
        opt_level: 2,
        passes: Passes::ALL,
    };
    assert!(case.lower().lines().count() < 40, "the `if`s are gone");
}
