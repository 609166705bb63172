//! Compile times and code sizes.

use super::all_threads;
use super::contender::{Compiled, Contender};
use super::options::Options;
use super::program::Program;
use super::record::Record;
use std::time::Instant;

/// What each contender made of a program.
pub type CompiledByAll = Vec<Option<Box<dyn Compiled>>>;

/// Compiles with all contenders in turn, some rounds, and keeps what the last gave.
pub fn race(
    program: &Program,
    contenders: &[Box<dyn Contender>],
    options: &Options,
    record: &mut Record,
) -> CompiledByAll {
    let mut compiled: CompiledByAll = contenders.iter().map(|_| None).collect();
    // The first round, which warms allocators and thread pools up, is not counted.
    for round in 0..=options.compilations() {
        for (at, contender) in contenders.iter().enumerate() {
            let figures = &mut record.results[at];
            // A peer compiles again what is hot, while it runs.
            if figures.failure.is_some() || (contender.is_peer() && round > 0) {
                continue;
            }
            let (start, used) = (Instant::now(), all_threads::now());
            let outcome = contender.compile(&program.wasm);
            let elapsed = start.elapsed().as_secs_f64() * 1e3;
            let used = (all_threads::now() - used).as_secs_f64() * 1e3;
            match outcome {
                Ok(code) => {
                    if round > 0 {
                        figures.compile_ms.push(elapsed);
                        figures.compile_cpu_ms.push(used);
                    }
                    figures.code_bytes = code.code_bytes();
                    compiled[at] = Some(code);
                }
                Err(err) => figures.fail(format!("does not compile: {err:#}")),
            }
        }
    }
    compiled
}
