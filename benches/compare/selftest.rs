//! The benches as tests: every micro-benchmark once with a small parameter, on every contender.

use super::contender::{self, Contender};
use super::options::Options;
use super::program::{Outcome, Program};
use super::programs;
use std::collections::BTreeSet;
use wasmtime::Result;

/// Whether all contenders agree on all programs.
pub fn run(options: &Options) -> Result<bool> {
    let contenders = contender::all()?;
    let mut seen = BTreeSet::new();
    let mut good = true;
    for program in programs::all()?.iter().filter(|program| options.selects(&program.name)) {
        // Rows of one program differ in their parameter only.
        let name = program.name.split(':').next().unwrap_or_default().to_string();
        if seen.insert(name.clone()) {
            let outcomes: Vec<_> = contenders.iter().map(|contender| once(program, contender.as_ref())).collect();
            let agree = outcomes.iter().all(|outcome| matches!((outcome, &outcomes[0]), (Ok(a), Ok(b)) if a == b));
            println!("test {name} ... {}", if agree { "ok" } else { "FAILED" });
            for (contender, outcome) in contenders.iter().zip(&outcomes).filter(|_| !agree) {
                match outcome {
                    Ok(outcome) => println!("    {}: {outcome:?}", contender.name()),
                    Err(err) => println!("    {}: {err:#}", contender.name()),
                }
            }
            good &= agree;
        }
    }
    Ok(good)
}

fn once(program: &Program, contender: &dyn Contender) -> Result<Outcome> {
    contender.compile(&program.wasm)?.instantiate(&program.test_entry())?.run()
}
