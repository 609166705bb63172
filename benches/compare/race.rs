//! Run times: all contenders in turn, round after round, so that a change in the machine's speed meets all alike.

use super::compile::CompiledByAll;
use super::contender::{Compiled, Contender, HeapFigures, Running};
use super::options::Options;
use super::program::{Entry, Group, Outcome, Program};
use super::record::{Figures, Record};
use wasmtime::error::Context;
use wasmtime::{Result, ensure};

/// A sample of a steady state takes at least so long, on the fastest contender.
const SAMPLE_MS: f64 = 10.0;
/// ... by so many calls at most.
const MAX_CALLS: u32 = 500;

/// A contender in the race for one program.
struct Runner<'a> {
    code: &'a dyn Compiled,
    entry: &'a Entry,
    /// The instance that all samples share, unless each needs a new one.
    instance: Option<Box<dyn Running>>,
    renews: bool,
    runs: u64,
    spent_ms: f64,
}

/// Measures the run times and what the heaps did.
pub fn race(
    program: &Program,
    contenders: &[Box<dyn Contender>],
    compiled: &CompiledByAll,
    options: &Options,
    record: &mut Record,
) {
    let mut expected = program.expected();
    let mut runners: Vec<Option<Runner<'_>>> = contenders
        .iter()
        .zip(compiled)
        .map(|(contender, code)| Some(Runner::new(program, contender.as_ref(), code.as_deref()?)))
        .collect();
    if program.group == Group::Micro {
        record.calls = warm_up(&mut runners, &mut record.results, &mut expected);
    }
    for round in 0..options.rounds() {
        for step in 0..runners.len() {
            // Each goes first now and then.
            let at = (round + step) % runners.len();
            let (Some(runner), figures) = (&mut runners[at], &mut record.results[at]) else { continue };
            let waits = figures.failure.is_some() || runner.spent_ms > options.patience() * 1e3;
            if !waits && let Some(ms) = runner.sample(record.calls, figures, &mut expected) {
                figures.run_ms.push(ms);
            }
        }
    }
}

/// A run of each. Tells how many calls make a sample.
fn warm_up(runners: &mut [Option<Runner<'_>>], results: &mut [Figures], expected: &mut Option<Outcome>) -> u32 {
    let mut fastest = f64::INFINITY;
    for (runner, figures) in runners.iter_mut().zip(results) {
        let Some(runner) = runner else { continue };
        fastest = fastest.min(runner.sample(1, figures, expected).unwrap_or(f64::INFINITY));
    }
    ((SAMPLE_MS / fastest).ceil() as u32).clamp(1, MAX_CALLS)
}

impl<'a> Runner<'a> {
    fn new(program: &'a Program, contender: &dyn Contender, code: &'a dyn Compiled) -> Runner<'a> {
        let renews = program.group == Group::Large || contender.keeps_garbage();
        Runner { code, entry: &program.entry, instance: None, renews, runs: 0, spent_ms: 0.0 }
    }

    /// Milliseconds of one call, as the mean of several; a failure is noted.
    fn sample(&mut self, calls: u32, figures: &mut Figures, expected: &mut Option<Outcome>) -> Option<f64> {
        match self.time(calls) {
            Ok((ms, outcome, heap)) => {
                figures.heap = heap;
                figures.heap_runs = self.runs;
                if *expected.get_or_insert_with(|| outcome.clone()) != outcome {
                    figures.fail(format!("gave {outcome:?}"));
                    figures.wrong = true;
                }
                Some(ms)
            }
            Err(err) => {
                figures.fail(format!("{err:#}"));
                None
            }
        }
    }

    fn time(&mut self, calls: u32) -> Result<(f64, Outcome, HeapFigures)> {
        if self.renews || self.instance.is_none() {
            self.instance = None;
            self.instance = Some(self.code.instantiate(self.entry)?);
            self.runs = 0;
        }
        let instance = self.instance.as_mut().context("no instance")?;
        let start = instance.clock();
        let outcome = instance.run()?;
        for _ in 1..calls {
            let again = instance.run()?;
            ensure!(again == outcome, "gave {outcome:?}, then {again:?}");
        }
        let ms = (instance.clock() - start).as_secs_f64() * 1e3;
        let heap = instance.heap();
        self.runs += u64::from(calls);
        self.spent_ms += ms;
        if self.renews {
            self.instance = None;
        }
        Ok((ms / f64::from(calls), outcome, heap))
    }
}
