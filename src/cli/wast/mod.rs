//! `wasmtime-gc wast`: scripts of the specification's test suite.
//!
//! [`Scripts`] is what tests use: it runs scripts with an engine of any configuration.
//!
//! | file | what |
//! |---|---|
//! | `script.rs` | runs the directives of one script |
//! | `values.rs` | arguments and results of a script's calls |
//! | `traps.rs` | what a script calls a failure, and what it is here |
//! | `threads.rs` | parts of a script that run at the same time |
//! | `spectest.rs` | the module that every script may import from |
//! | `rtt.rs` | scripts in the dialect of explicit RTTs |

mod rtt;
mod script;
mod spectest;
mod threads;
mod traps;
mod values;

use super::options::Common;
use super::run::interrupt_after;
use super::{Outcome, missing_argument, print, say, stats};
use crate::api::{Dialect, Engine, HeapStats, Result, Store};
use clap::Args;
use script::Done;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::Sender;
use std::time::Duration;
use wasmtime::error::Context;

/// Arguments of `wast`.
#[derive(Args)]
pub(super) struct WastCommand {
    #[command(flatten)]
    pub(super) common: Common,
    /// The scripts
    #[arg(value_name = "SCRIPT")]
    scripts: Vec<PathBuf>,
    /// Let scripts import `gc` from the module `wasmtime`: a function that collects garbage
    #[arg(long)]
    wasmtime_builtins: bool,
    /// Take any failure for the one that a script expects, whatever its message
    #[arg(long)]
    ignore_error_messages: bool,
}

impl WastCommand {
    /// Runs the scripts; prints a count for each, and what failed.
    pub(super) fn execute(self) -> Outcome {
        if self.scripts.is_empty() {
            missing_argument("wast", "<SCRIPT>...");
        }
        let mut settings = self.common.settings()?;
        // Scripts may have them, as with Wasmtime's.
        settings.config.shared_memory(true);
        settings.with_stack(|| {
            let engine = Engine::new(&settings.config)?;
            let mut scripts = Scripts::new(&engine);
            scripts.dialect(settings.dialect).fuel(settings.fuel).timeout(settings.timeout);
            scripts.builtins(self.wasmtime_builtins).ignore_messages(self.ignore_error_messages);
            let mut all_passed = true;
            for path in &self.scripts {
                let text = std::fs::read_to_string(path).with_context(|| format!("failed to read {path:?}"))?;
                let report = scripts.run(&path.display().to_string(), &text)?;
                print(&report.to_string())?;
                if settings.gc_stats {
                    say(format_args!("{}", stats::text(&report.heap).trim_end()));
                }
                all_passed &= report.failures.is_empty();
            }
            Ok(if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        })?
    }
}

/// How a script went.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Its name.
    pub path: String,
    /// How many assertions it has: all `assert_…` directives.
    pub assertions: usize,
    /// How many of them hold.
    pub passed: usize,
    /// What failed: assertions, and any other directive.
    pub failures: Vec<Failure>,
    /// What the heap of its store has been through, but not those of its threads.
    pub heap: HeapStats,
}

/// A directive that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Where it is, from 1.
    pub line: usize,
    /// Why.
    pub message: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} of {} assertions passed", self.path, self.passed, self.assertions)?;
        for failure in &self.failures {
            writeln!(f, "  {}:{}: {}", self.path, failure.line, failure.message)?;
        }
        Ok(())
    }
}

/// How scripts are run: each in a store of its own.
#[derive(Debug, Clone)]
pub struct Scripts<'e> {
    engine: &'e Engine,
    dialect: Dialect,
    ahead_of_time: bool,
    fuel: Option<u64>,
    timeout: Option<Duration>,
    builtins: bool,
    ignore_messages: bool,
}

impl<'e> Scripts<'e> {
    /// Scripts whose modules are standard WebAssembly, compiled as they come.
    pub fn new(engine: &'e Engine) -> Scripts<'e> {
        Scripts {
            engine,
            dialect: Dialect::Standard,
            ahead_of_time: false,
            fuel: None,
            timeout: None,
            builtins: false,
            ignore_messages: false,
        }
    }

    /// The dialect that their modules are written in.
    pub fn dialect(&mut self, dialect: Dialect) -> &mut Self {
        self.dialect = dialect;
        self
    }

    /// Whether modules are compiled to bytes, and loaded from there.
    pub fn ahead_of_time(&mut self, enable: bool) -> &mut Self {
        self.ahead_of_time = enable;
        self
    }

    /// The fuel of each script, if the engine consumes fuel. When there is no more, all its code traps.
    pub fn fuel(&mut self, fuel: Option<u64>) -> &mut Self {
        self.fuel = fuel;
        self
    }

    /// How long a script may take, compiling included, until all its code traps, if the engine interrupts by epochs.
    pub fn timeout(&mut self, timeout: Option<Duration>) -> &mut Self {
        self.timeout = timeout;
        self
    }

    /// Whether they can import `gc` from the module `wasmtime`, which collects garbage.
    pub fn builtins(&mut self, enable: bool) -> &mut Self {
        self.builtins = enable;
        self
    }

    /// Whether a trap, or a failure to link, is taken for the one that is expected, whatever it is.
    pub fn ignore_messages(&mut self, enable: bool) -> &mut Self {
        self.ignore_messages = enable;
        self
    }

    /// Runs a script; `path` is its name in the report.
    ///
    /// # Errors
    ///
    /// The text is no script, or the engine's configuration does not even allow the module `spectest`.
    /// Failing directives are in the report.
    pub fn run(&self, path: &str, text: &str) -> Result<Report> {
        if self.dialect != Dialect::Standard {
            return rtt::run(self, path, text);
        }
        standard(self, path, text).map_err(|err| match crate::rtt::text::dialect_word(text) {
            Some(word) => err
                .context(format!("`{word}` is of the explicit-RTT dialect; run the command with `--dialect rtt2020`")),
            None => err,
        })
    }

    /// A store, and what must live as long as it is to be interrupted.
    fn store(&self) -> Result<(Store<()>, Option<Sender<()>>)> {
        let mut store = Store::new(self.engine, ());
        if let Some(fuel) = self.fuel {
            store.set_fuel(fuel)?;
        }
        let interrupt = self.timeout.map(|timeout| {
            store.set_epoch_deadline(1);
            interrupt_after(self.engine, timeout)
        });
        Ok((store, interrupt))
    }
}

/// Runs a script whose modules are standard WebAssembly, compiled as they come.
///
/// # Errors
///
/// As [`Scripts::run`].
pub fn run(engine: &Engine, path: &str, text: &str) -> Result<Report> {
    Scripts::new(engine).run(path, text)
}

fn standard(scripts: &Scripts<'_>, path: &str, text: &str) -> Result<Report> {
    let mut lexer = wast::lexer::Lexer::new(text);
    // Names in the test suite hold all of Unicode.
    lexer.allow_confusing_unicode(true);
    let locate = |mut err: wast::Error| {
        err.set_path(path.as_ref());
        err.set_text(text);
        err
    };
    let buffer = wast::parser::ParseBuffer::new_with_lexer(lexer).map_err(locate)?;
    let parsed = wast::parser::parse::<wast::Wast<'_>>(&buffer).map_err(locate)?;

    let mut report = Report { path: path.to_string(), ..Report::default() };
    let mut script = script::Script::new(scripts)?;
    script.run(parsed, |Done { span, assertion, result }| {
        report.assertions += usize::from(assertion);
        match result {
            Ok(()) => report.passed += usize::from(assertion),
            Err(err) => {
                let line = span.linecol_in(text).0 + 1;
                let message = format!("{err:#}").replace('\n', "\n    ");
                report.failures.push(Failure { line, message });
            }
        }
    });
    report.heap = script.store.heap_stats();
    Ok(report)
}
