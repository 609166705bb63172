//! The command line.

use std::path::PathBuf;

const USAGE: &str = "\
cargo bench -- [NAME]... [--quick] [--json FILE] [--svg FILE] [--list] [--test]

  NAME         only programs whose name contains NAME; several add up
  --quick      fewer rounds, no resident memory
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
    pub json: Option<PathBuf>,
    pub svg: Option<PathBuf>,
    filters: Vec<String>,
}

impl Options {
    /// Cargo passes `--bench` for `cargo bench` and nothing for `cargo test --benches`.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options { mode: Mode::Test, quick: false, json: None, svg: None, filters: Vec::new() };
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

    /// Samples of each contender that is fast enough.
    pub fn rounds(&self) -> usize {
        if self.quick { 3 } else { 7 }
    }

    /// Processes of each contender for a whole program.
    pub fn processes(&self) -> usize {
        if self.quick { 1 } else { 5 }
    }

    /// Compilations of each contender.
    pub fn compilations(&self) -> usize {
        if self.quick { 3 } else { 9 }
    }

    /// Seconds after which a contender sits the remaining rounds out.
    pub fn patience(&self) -> f64 {
        if self.quick { 6.0 } else { 25.0 }
    }
}
