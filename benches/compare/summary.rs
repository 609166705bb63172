//! The last lines: means, and each target with what was reached.

use super::program::{Class, Group};
use super::record::{Figures, Record, geomean, median};
use super::report::cell;

/// Targets: at least so many times as fast as the fastest of Wasmtime's collectors.
const LARGE: f64 = 2.0;
const CLASS: f64 = 3.0;
const ANY: f64 = 0.8;
/// As many times as fast as a JavaScript engine: in the mean of a steady state, at least, and as a whole process.
const PEER: f64 = 1.0;
const PEER_ANY: f64 = 0.5;
const PEER_WHOLE: f64 = 1.5;
/// At most so many times Wasmtime's compile time.
const COMPILE: f64 = 1.5;
/// At most this share of the heap of Wasmtime's default collector, for these programs.
const HEAP: f64 = 0.5;
const HEAP_PROGRAMS: &[&str] = &["moonbit/binary_trees", "sightglass/splay"];

/// Prints the summary.
pub fn print(records: &[Record]) {
    println!("\nSummary: geometric means; times as fast as the fastest of Wasmtime's collectors.\n");
    let group = |group: Group| records.iter().filter(move |record| record.group == group);
    at_least("corpus, large cases", geomean(group(Group::Large).filter_map(Record::speedup)), LARGE);
    let collecting = group(Group::Large).filter_map(Record::speedup_collecting);
    line("  the fastest that collects, that is, without null", geomean(collecting), "");
    line("micro-benchmarks", geomean(group(Group::Micro).filter_map(Record::speedup)), "");
    peers(records);
    class(records, Class::VirtualCalls, "virtual calls");
    class(records, Class::Casts, "non-final casts");
    slowest(records);
    compile(records);
    line("machine code, of Wasmtime's", geomean(records.iter().filter_map(Record::code_ratio)), "");
    for record in records.iter().filter(|record| HEAP_PROGRAMS.contains(&record.name.as_str())) {
        heap(record);
    }
    println!();
}

/// Against JavaScript engines: the large cases and the micro-benchmarks together, and the slowest of them.
fn peers(records: &[Record]) {
    let Some(first) = records.first() else { return };
    for peer in first.peers().map(|figures| figures.name) {
        let times = |record: &Record| Some(record.named(peer)?.time()? / record.lowered().time()?);
        let large = || records.iter().filter(|record| record.group == Group::Large);
        at_least(&format!("large cases, steady state, as {peer}"), geomean(large().filter_map(times)), PEER);
        line("  micro-benchmarks", geomean(records.iter().filter(|r| r.group == Group::Micro).filter_map(times)), "");
        let slowest = records.iter().filter_map(|record| Some((times(record)?, &record.name)));
        if let Some((ratio, name)) = slowest.min_by(|a, b| a.0.total_cmp(&b.0)) {
            at_least(&format!("  slowest: {name}"), Some(ratio), PEER_ANY);
        }
        let whole =
            |record: &Record| Some(median(&record.named(peer)?.whole_ms)? / median(&record.lowered().whole_ms)?);
        at_least("  whole process", geomean(large().filter_map(whole)), PEER_WHOLE);
        let whole = |record: &Record| {
            Some(median(&record.named(peer)?.whole_cpu_ms)? / median(&record.lowered().whole_cpu_ms)?)
        };
        at_least("    in processor time", geomean(large().filter_map(whole)), PEER_WHOLE);
        let memory = |record: &Record| {
            Some(
                record.lowered().resident_kib? as f64 / record.named(peer)?.resident_kib.filter(|kib| *kib > 0)? as f64,
            )
        };
        at_most("  resident memory", geomean(large().filter_map(memory)), HEAP);
    }
}

fn class(records: &[Record], class: Class, name: &str) {
    let rows = || records.iter().filter(|record| record.class == class);
    at_least(name, geomean(rows().filter_map(Record::speedup)), CLASS);
    for record in rows() {
        at_least(&format!("  {}", record.name), record.speedup(), CLASS);
    }
}

/// The slowest program, and each that misses the target.
fn slowest(records: &[Record]) {
    let mut rows: Vec<(f64, &str)> = records.iter().filter_map(|r| Some((r.speedup()?, r.name.as_str()))).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((speedup, name)) = rows.first() {
        at_least(&format!("slowest: {name}"), Some(*speedup), ANY);
    }
    for (speedup, name) in rows.iter().skip(1).filter(|(speedup, _)| *speedup < ANY) {
        at_least(&format!("  {name}"), Some(*speedup), ANY);
    }
}

fn compile(records: &[Record]) {
    at_most(
        "lowering and compiling, of Wasmtime's",
        geomean(records.iter().filter_map(Record::compile_ratio)),
        COMPILE,
    );
    let corpus = || records.iter().filter(|record| record.group != Group::Micro);
    at_most("  modules of the corpus", geomean(corpus().filter_map(Record::compile_ratio)), COMPILE);
    at_most("    in processor time", geomean(corpus().filter_map(Record::compile_cpu_ratio)), COMPILE);
    let worst = records.iter().filter_map(|record| Some((record.compile_cpu_ratio()?, &record.name)));
    if let Some((ratio, name)) = worst.max_by(|a, b| a.0.total_cmp(&b.0)) {
        at_most(&format!("  slowest in processor time: {name}"), Some(ratio), COMPILE);
    }
}

fn heap(record: &Record) {
    let bytes = |figures: &Figures| figures.time().map(|_| figures.heap.peak_bytes as f64);
    let share = bytes(record.lowered()).zip(bytes(&record.stock()[0])).map(|(ours, theirs)| ours / theirs);
    at_most(&format!("heap of {}, of Wasmtime's", record.name), share, HEAP);
}

fn at_least(name: &str, value: Option<f64>, target: f64) {
    let reached = value.is_some_and(|value| value >= target);
    line(name, value, &format!("target ≥ {target}: {}", verdict(value, reached)));
}

fn at_most(name: &str, value: Option<f64>, target: f64) {
    let reached = value.is_some_and(|value| value <= target);
    line(name, value, &format!("target ≤ {target}: {}", verdict(value, reached)));
}

fn verdict(value: Option<f64>, reached: bool) -> &'static str {
    match (value, reached) {
        (None, _) => "not measured",
        (_, true) => "reached",
        (_, false) => "MISSED",
    }
}

fn line(name: &str, value: Option<f64>, remark: &str) {
    println!("{}", format!("{name:50}{:>9}   {remark}", cell(value, 2, "x")).trim_end());
}
