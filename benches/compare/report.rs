//! Tables on standard output, and every figure as JSON.

use super::contender::Contender;
use super::options::Options;
use super::program::Group;
use super::record::{Figures, Record, median};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use wasmtime::Result;

/// Width of the column of names.
const NAME: usize = 30;

/// The head of the table of times. Rows follow as they are measured.
pub fn times_header(options: &Options, contenders: &[Box<dyn Contender>]) {
    println!("Run time: median of {} interleaved rounds, ms. Then how many times as fast as", options.rounds());
    println!(
        "Wasmtime lowered execution is: against its fastest collector, and against each; then as JavaScript engines.\n"
    );
    print!("{:NAME$}", "program");
    contenders.iter().for_each(|contender| print!("{:>10}", contender.name()));
    print!("  |{:>8}", "best");
    contenders.iter().skip(1).for_each(|contender| print!("{:>9}", contender.name()));
    println!();
}

/// A row of the table of times.
pub fn times_row(record: &Record) {
    if record.group == Group::CompileOnly {
        return;
    }
    print!("{:NAME$}", record.name);
    record.results.iter().for_each(|figures| print!("{:>10}", cell(figures.time(), 2, "")));
    print!("  |{:>8}", cell(record.speedup(), 2, "x"));
    for other in &record.results[1..] {
        print!("{:>9}", cell(ratio(other.time(), record.lowered().time()), 2, "x"));
    }
    println!();
}

/// Whole processes, where they were measured.
pub fn whole(records: &[Record], contenders: &[Box<dyn Contender>]) {
    let measured = |record: &&Record| record.results.iter().any(|figures| !figures.whole_ms.is_empty());
    let mut rows = records.iter().filter(measured).peekable();
    if rows.peek().is_none() {
        return;
    }
    println!(
        "\nWhole process, from its start to its end: median of the time that passes, ms; then of processor time.\n"
    );
    print!("{:NAME$}", "program");
    contenders.iter().for_each(|contender| print!("{:>10}", contender.name()));
    print!("  |");
    contenders.iter().for_each(|contender| print!("{:>10}", contender.name()));
    println!();
    for record in rows {
        print!("{:NAME$}", record.name);
        record.results.iter().for_each(|figures| print!("{:>10}", cell(median(&figures.whole_ms), 0, "")));
        print!("  |");
        record.results.iter().for_each(|figures| print!("{:>10}", cell(median(&figures.whole_cpu_ms), 0, "")));
        println!();
    }
}

/// Heaps and pauses.
pub fn sizes(records: &[Record], contenders: &[Box<dyn Contender>]) {
    println!("\nPeak of the GC heap's length, MiB; pauses of the lowered heap, ms: the longest, and all of a run;");
    println!("beside it the longest collection found on Wasmtime's copying collector, in processor time.\n");
    print!("{:NAME$}", "program");
    contenders.iter().for_each(|contender| print!("{:>10}", contender.name()));
    println!("  |{:>10}{:>10}{:>10}", "longest", "a run", "copying");
    for record in records.iter().filter(|record| record.group != Group::CompileOnly) {
        print!("{:NAME$}", record.name);
        for figures in record.results.iter().filter(|figures| !figures.peer) {
            let mib = figures.time().map(|_| figures.heap.peak_bytes as f64 / f64::from(1 << 20));
            print!("{:>10}", cell(mib, 1, ""));
        }
        let (longest, total) = pauses(record.lowered()).unzip();
        let copying = cell(record.copying_pause_ms, 1, "");
        println!("  |{:>10}{:>10}{copying:>10}", cell(longest, 3, ""), cell(total, 2, ""));
    }
}

/// Compile times and code sizes.
pub fn compiled(records: &[Record]) {
    println!("\nCompile time, ms (ours: lowering too), then the ratio of processor time of all threads;");
    println!("machine code, KiB; each beside Wasmtime with its default.\n");
    print!("{:NAME$}{:>10}{:>10}{:>8}{:>8}", "program", "lowered", "copying", "", "cpu");
    println!("  |{:>10}{:>10}{:>8}", "code", "", "");
    for record in records.iter().filter(|record| !record.name.contains(':') || record.name.ends_with(":256")) {
        let name = record.name.split(':').next().unwrap_or_default();
        let (ours, theirs) = (record.lowered(), &record.stock()[0]);
        let kib = |figures: &Figures| figures.code_bytes.map(|bytes| bytes as f64 / 1024.0);
        print!("{name:NAME$}{:>10}", cell(median(&ours.compile_ms), 2, ""));
        print!("{:>10}{:>8}", cell(median(&theirs.compile_ms), 2, ""), cell(record.compile_ratio(), 2, "x"));
        print!("{:>8}", cell(record.compile_cpu_ratio(), 2, "x"));
        print!("  |{:>10}{:>10}", cell(kib(ours), 1, ""), cell(kib(theirs), 1, ""));
        println!("{:>8}", cell(record.code_ratio(), 2, "x"));
    }
}

/// Resident memory of whole programs, where it was measured.
pub fn footprints(records: &[Record], contenders: &[Box<dyn Contender>]) {
    let measured = |record: &&Record| record.results.iter().any(|figures| figures.resident_kib.is_some());
    let mut rows = records.iter().filter(measured).peekable();
    if rows.peek().is_none() {
        return;
    }
    println!("\nResident memory that a run adds at most, in a process of its own, MiB.\n");
    print!("{:NAME$}", "program");
    contenders.iter().for_each(|contender| print!("{:>10}", contender.name()));
    println!();
    for record in rows {
        print!("{:NAME$}", record.name);
        for figures in &record.results {
            print!("{:>10}", cell(figures.resident_kib.map(|kib| kib as f64 / 1024.0), 1, ""));
        }
        println!();
    }
}

/// Prints what failed. Whether nothing gave a wrong result and nothing of ours failed.
pub fn failures(records: &[Record]) -> bool {
    let mut good = true;
    for record in records {
        for (at, figures) in record.results.iter().enumerate() {
            let Some(failure) = &figures.failure else { continue };
            let stock_refuses = record.stock().iter().all(|stock| stock.failure.is_some());
            // What a peer can not do is no failure of ours.
            good &= figures.peer || !figures.wrong && (at > 0 || stock_refuses || record.group == Group::CompileOnly);
            println!("{}: {}: {}", record.name, figures.name, failure.lines().next().unwrap_or_default());
        }
    }
    good
}

/// Writes every figure and sample.
pub fn json(file: &Path, options: &Options, records: &[Record]) -> Result<()> {
    let programs: Vec<Value> = records.iter().map(program_json).collect();
    let all = json!({
        "rounds": options.rounds(),
        "compilations": options.compilations(),
        "wasmtime": "48.0.8",
        "arch": std::env::consts::ARCH,
        "os": std::env::consts::OS,
        "programs": programs,
    });
    std::fs::write(file, serde_json::to_string_pretty(&all)? + "\n")?;
    Ok(())
}

fn program_json(record: &Record) -> Value {
    let group = match record.group {
        Group::Large => "large",
        Group::CompileOnly => "compile-only",
        Group::Micro => "micro",
    };
    json!({
        "name": record.name,
        "group": group,
        "calls_per_sample": record.calls,
        "speedup_to_best": record.speedup(),
        "compile_ratio": record.compile_ratio(),
        "code_ratio": record.code_ratio(),
        "copying_pause_longest_ms": record.copying_pause_ms,
        "contenders": record.results.iter().map(figures_json).collect::<Vec<_>>(),
    })
}

fn figures_json(figures: &Figures) -> Value {
    let pauses = figures.heap.pauses;
    json!({
        "name": figures.name,
        "median_ms": figures.time(),
        "run_ms": figures.run_ms,
        "whole_ms": figures.whole_ms,
        "whole_cpu_ms": figures.whole_cpu_ms,
        "compile_ms": figures.compile_ms,
        "compile_cpu_ms": figures.compile_cpu_ms,
        "code_bytes": figures.code_bytes,
        "heap_peak_bytes": figures.heap.peak_bytes,
        "resident_kib": figures.resident_kib,
        "pause_longest_ms": pauses.map(|pauses| milliseconds(pauses.longest)),
        "pause_total_ms_per_run": pauses.map(|pauses| milliseconds(pauses.total) / figures.heap_runs.max(1) as f64),
        "collections_minor": pauses.map(|pauses| pauses.minor),
        "collections_major": pauses.map(|pauses| pauses.major),
        "promoted_bytes": pauses.map(|pauses| pauses.promoted_bytes),
        "runs": figures.heap_runs,
        "failure": figures.failure,
    })
}

/// The longest pause and the sum of a run's, in milliseconds.
fn pauses(figures: &Figures) -> Option<(f64, f64)> {
    let pauses = figures.heap.pauses.filter(|_| figures.time().is_some())?;
    Some((milliseconds(pauses.longest), milliseconds(pauses.total) / figures.heap_runs.max(1) as f64))
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn ratio(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a? / b?)
}

/// A number, or `-`.
pub fn cell(value: Option<f64>, digits: usize, unit: &str) -> String {
    value.map_or_else(|| "-".to_string(), |value| format!("{value:.digits$}{unit}"))
}
