//! The figures of one program.

use super::contender::{Contender, HeapFigures};
use super::program::{Class, Group, Program};

/// Everything that was measured of a program.
pub struct Record {
    pub name: String,
    pub group: Group,
    pub class: Class,
    /// Calls in each sample.
    pub calls: u32,
    /// In the order of the contenders: lowered, then Wasmtime's collectors, then peers.
    pub results: Vec<Figures>,
    /// Milliseconds of the longest collection of Wasmtime's copying collector.
    pub copying_pause_ms: Option<f64>,
}

/// What was measured of one contender.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub name: &'static str,
    /// It never collects.
    pub keeps_garbage: bool,
    /// It is a JavaScript engine.
    pub peer: bool,
    /// Milliseconds of a run, a value for each round.
    pub run_ms: Vec<f64>,
    /// Milliseconds from binary to machine code, a value for each compilation.
    pub compile_ms: Vec<f64>,
    /// The same in processor time of all threads.
    pub compile_cpu_ms: Vec<f64>,
    /// Bytes of machine code.
    pub code_bytes: Option<usize>,
    /// Of the last store.
    pub heap: HeapFigures,
    /// Runs in the last store, for pauses per run.
    pub heap_runs: u64,
    /// Milliseconds of whole processes.
    pub whole_ms: Vec<f64>,
    /// The same in processor time of all threads.
    pub whole_cpu_ms: Vec<f64>,
    /// KiB by which resident memory grows at most while the program runs in a process of its own.
    pub resident_kib: Option<u64>,
    /// Why there are no times.
    pub failure: Option<String>,
    /// Whether the failure is a wrong result.
    pub wrong: bool,
}

impl Record {
    pub fn new(program: &Program, contenders: &[Box<dyn Contender>]) -> Record {
        let figures = |c: &dyn Contender| Figures {
            name: c.name(),
            keeps_garbage: c.keeps_garbage(),
            peer: c.is_peer(),
            ..Figures::default()
        };
        let results = contenders.iter().map(|c| figures(&**c)).collect();
        Record {
            name: program.name.clone(),
            group: program.group,
            class: program.class,
            calls: 1,
            results,
            copying_pause_ms: None,
        }
    }

    pub fn lowered(&self) -> &Figures {
        &self.results[0]
    }

    /// Wasmtime's collectors, its default first.
    pub fn stock(&self) -> &[Figures] {
        let peers = self.results.iter().filter(|figures| figures.peer).count();
        &self.results[1..self.results.len() - peers]
    }

    /// JavaScript engines.
    pub fn peers(&self) -> impl Iterator<Item = &Figures> {
        self.results.iter().filter(|figures| figures.peer)
    }

    /// That with a name.
    pub fn named(&self, name: &str) -> Option<&Figures> {
        self.results.iter().find(|figures| figures.name == name)
    }

    /// How many times as fast as the fastest of Wasmtime's collectors lowered execution is.
    pub fn speedup(&self) -> Option<f64> {
        self.speedup_over(|_| true)
    }

    /// The same, without the collector that never collects.
    pub fn speedup_collecting(&self) -> Option<f64> {
        self.speedup_over(|figures| !figures.keeps_garbage)
    }

    fn speedup_over(&self, counts: impl Fn(&Figures) -> bool) -> Option<f64> {
        let stock = self.stock().iter().filter(|figures| counts(figures));
        Some(stock.filter_map(Figures::time).min_by(f64::total_cmp)? / self.lowered().time()?)
    }

    /// Lowering and compiling in times of Wasmtime's compile time, with its default collector.
    pub fn compile_ratio(&self) -> Option<f64> {
        Some(median(&self.lowered().compile_ms)? / median(&self.stock()[0].compile_ms)?)
    }

    /// The same of the least processor time of each.
    pub fn compile_cpu_ratio(&self) -> Option<f64> {
        Some(least(&self.lowered().compile_cpu_ms)? / least(&self.stock()[0].compile_cpu_ms)?)
    }

    /// Machine code in times of Wasmtime's, with its default collector.
    pub fn code_ratio(&self) -> Option<f64> {
        Some(self.lowered().code_bytes? as f64 / self.stock()[0].code_bytes? as f64)
    }
}

impl Figures {
    /// Median of the run times, unless something failed.
    pub fn time(&self) -> Option<f64> {
        median(&self.run_ms).filter(|_| self.failure.is_none())
    }

    pub fn fail(&mut self, failure: String) {
        self.failure.get_or_insert(failure);
    }
}

/// The middle of the values, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = *sorted.get(sorted.len().checked_sub(1)? / 2)?;
    Some((lower + upper) / 2.0)
}

/// The smallest of the values.
pub fn least(values: &[f64]) -> Option<f64> {
    values.iter().copied().min_by(f64::total_cmp)
}

/// The geometric mean; none of no values.
pub fn geomean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = values.map(f64::ln).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}
