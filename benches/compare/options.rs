//! The command line.

use std::path::PathBuf;

const USAGE: &str = "\
cargo bench --bench compare -- [NAME]... [--quick] [--rounds N] [--compile] [--skip NAME] [--json FILE] [--svg FILE] [--list] [--test]

  NAME         only programs whose name contains NAME; several add up
  --quick      fewer rounds, no resident memory
  --rounds N   so many rounds and processes of each contender, and twice as many compilations
  --compile    compiles only
  --skip NAME  leaves a contender out (not `lowered` or `copying`, which others are compared with); several add up
  --json FILE  writes every figure and every sample to FILE
  --svg FILE   draws the large cases
  --list       prints the programs' names
  --test       runs each micro-benchmark once and compares results";

/// What to do.
#[derive(Debug, PartialEq)]
pub enum Mode {
    /// Measure.
    Bench,
    /// Run everything once with small parameters.
    Test,
    /// Print names.
    List,
    /// Run one program once, as this whole process.
    Whole { program: String, contender: String, memory: bool },
}

/// The parsed command line.
#[derive(Debug)]
pub struct Options {
    pub mode: Mode,
    pub quick: bool,
    /// In place of the usual numbers of rounds.
    rounds: Option<usize>,
    /// Nothing is run.
    pub compile: bool,
    pub json: Option<PathBuf>,
    pub svg: Option<PathBuf>,
    filters: Vec<String>,
    skipped: Vec<String>,
}

impl Options {
    /// Cargo passes `--bench` for `cargo bench` and nothing for `cargo test --benches`.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options {
            mode: Mode::Test,
            quick: false,
            rounds: None,
            compile: false,
            json: None,
            svg: None,
            filters: Vec::new(),
            skipped: Vec::new(),
        };
        let (mut bench, mut test) = (false, false);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("`{arg}` needs a value\n\n{USAGE}"));
            match arg.as_str() {
                "--bench" => bench = true,
                "--test" => test = true,
                "--list" => options.mode = Mode::List,
                "--whole" => {
                    options.mode = Mode::Whole { program: value()?, contender: value()?, memory: false };
                }
                "--memory" => {
                    if let Mode::Whole { memory, .. } = &mut options.mode {
                        *memory = true;
                    }
                }
                "--quick" => options.quick = true,
                "--rounds" => {
                    let count = value()?;
                    options.rounds = Some(count.parse().map_err(|_| format!("`{count}` is no number of rounds"))?);
                }
                "--compile" => options.compile = true,
                "--skip" => options.skipped.push(skipped(value()?)?),
                "--json" => options.json = Some(value()?.into()),
                "--svg" => options.svg = Some(value()?.into()),
                _ if arg.starts_with('-') => return Err(format!("unknown option `{arg}`\n\n{USAGE}")),
                _ => options.filters.push(arg),
            }
        }
        if bench && !test && options.mode == Mode::Test {
            options.mode = Mode::Bench;
        }
        Ok(options)
    }

    /// Whether a program was asked for.
    pub fn selects(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter.as_str()))
    }

    /// Whether a contender takes part.
    pub fn takes(&self, contender: &str) -> bool {
        self.skipped.iter().all(|skipped| skipped != contender)
    }

    /// Samples of each contender that is fast enough.
    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 7 })
    }

    /// Processes of each contender for a whole program.
    pub fn processes(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 5 })
    }

    /// Compilations of each contender.
    pub fn compilations(&self) -> usize {
        self.rounds.map_or(if self.quick { 3 } else { 9 }, |rounds| 2 * rounds)
    }

    /// Seconds after which a contender sits the remaining rounds out.
    pub fn patience(&self) -> f64 {
        if self.quick { 6.0 } else { 25.0 }
    }
}

/// A contender that may be left out.
fn skipped(name: String) -> Result<String, String> {
    match name.as_str() {
        "lowered" | "copying" => Err(format!("`{name}` can not be left out, others are compared with it\n\n{USAGE}")),
        _ => Ok(name),
    }
}
