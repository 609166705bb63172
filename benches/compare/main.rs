//! `cargo bench`: lowered execution beside each of Wasmtime's own collectors, in one process and one run, and beside
//! the JavaScript engines that are there.
//!
//! Programs are the micro-benchmarks of `benches/programs/` and the `large` cases of the corpus, the folder that
//! the environment variable `WASMTIME_GC_CORPUS` names. What is measured, and how, is in `docs/performance.md`.
//! Without `--bench`, as under `cargo test --benches`, each micro-benchmark runs once with a small parameter on
//! every contender, and results are compared: so the benches are tests.

mod all_threads;
mod chart;
mod clock;
mod compile;
mod contender;
mod corpus;
mod host;
mod instantiate;
mod lowered;
mod memory;
mod options;
mod pauses;
mod peer;
mod program;
mod programs;
mod race;
mod record;
mod report;
mod selftest;
mod stock;
mod summary;
mod whole;

use contender::Contender;
use options::{Mode, Options};
use program::Program;
use record::Record;
use std::process::ExitCode;
use wasmtime::Result;

fn main() -> ExitCode {
    let outcome = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => run(&options),
        Err(message) => Err(wasmtime::Error::msg(message)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(err) => {
            eprintln!("error: {err:?}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every contender that finished gave the expected results.
fn run(options: &Options) -> Result<bool> {
    match &options.mode {
        Mode::Test => Ok(selftest::run(options)? & instantiate::test(options)?),
        Mode::Whole { program, contender, memory } => whole::run(program, contender, *memory).map(|()| true),
        Mode::List => {
            all_programs()?.iter().for_each(|program| println!("{}", program.name));
            Ok(true)
        }
        Mode::Bench => bench(options),
    }
}

fn bench(options: &Options) -> Result<bool> {
    let mut contenders = contender::all()?;
    contenders.retain(|contender| options.takes(contender.name()));
    let own = contenders.len();
    // What a peer compiles can not be compared.
    if !options.compile {
        contenders.extend(peer::all().into_iter().filter(|peer| options.takes(peer.name())));
    }
    let programs: Vec<Program> = all_programs()?.into_iter().filter(|p| options.selects(&p.name)).collect();
    if !options.compile {
        report::times_header(options, &contenders);
    }
    let mut records = Vec::new();
    for program in &programs {
        let record = measure(program, &contenders, options)?;
        if !options.compile {
            report::times_row(&record);
        }
        records.push(record);
    }
    if options.compile {
        report::compiled(&records);
    } else {
        report::whole(&records, &contenders);
        report::sizes(&records, &contenders[..own]);
        report::compiled(&records);
        report::footprints(&records, &contenders);
        instantiate::bench(options, &contenders[..own])?;
    }
    summary::print(&records);
    let failures = report::failures(&records);
    if let Some(file) = &options.json {
        report::json(file, options, &records)?;
    }
    if let Some(file) = &options.svg {
        chart::draw(file, &records)?;
    }
    Ok(failures)
}

/// All figures of one program.
fn measure(program: &Program, contenders: &[Box<dyn Contender>], options: &Options) -> Result<Record> {
    let mut record = Record::new(program, contenders);
    let compiled = compile::race(program, contenders, options, &mut record);
    if !program.is_compile_only() && !options.compile {
        race::race(program, contenders, &compiled, options, &mut record);
        pauses::measure(program, &mut record);
        whole::measure(program, contenders, options, &mut record);
    }
    Ok(record)
}

/// Corpus first: the order of the report.
fn all_programs() -> Result<Vec<Program>> {
    let mut programs = corpus::programs()?;
    programs.extend(programs::all()?);
    Ok(programs)
}
