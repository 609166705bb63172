//! `wasmtime-gc wast`: scripts of the specification's test suite.
//!
//! [`run`] is what tests use: it runs one script with an engine of any configuration.
//!
//! | file | what |
//! |---|---|
//! | `script.rs` | runs the directives of one script |
//! | `values.rs` | arguments and results of a script's calls |
//! | `traps.rs` | what a script calls a failure, and what it is here |
//! | `spectest.rs` | the module that every script may import from |
//! | `rtt.rs` | scripts in the dialect of explicit RTTs |

mod rtt;
mod script;
mod spectest;
mod traps;
mod values;

use super::options::Common;
use super::{Outcome, missing_argument, print};
use crate::api::{Dialect, Engine, Result};
use clap::Args;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use wasmtime::error::Context;

/// Arguments of `wast`.
#[derive(Args)]
pub(super) struct WastCommand {
    #[command(flatten)]
    pub(super) common: Common,
    /// The scripts
    #[arg(value_name = "SCRIPT")]
    scripts: Vec<PathBuf>,
}

impl WastCommand {
    /// Runs the scripts; prints a count for each, and what failed.
    pub(super) fn execute(self) -> Outcome {
        if self.scripts.is_empty() {
            missing_argument("wast", "<SCRIPT>...");
        }
        let settings = self.common.settings()?;
        settings.with_stack(|| {
            let engine = Engine::new(&settings.config)?;
            let mut all_passed = true;
            for path in &self.scripts {
                let text = std::fs::read_to_string(path).with_context(|| format!("failed to read {path:?}"))?;
                let report = run_dialect(&engine, &path.display().to_string(), &text, settings.dialect)?;
                print(&report.to_string())?;
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

/// Runs a script whose modules are written in a dialect, in a store of its own.
///
/// # Errors
///
/// The text is no script, or the engine's configuration does not even allow the module `spectest`.
/// Failing directives are in the report.
pub fn run_dialect(engine: &Engine, path: &str, text: &str, dialect: Dialect) -> Result<Report> {
    match dialect {
        Dialect::Standard => run(engine, path, text).map_err(|err| match crate::rtt::text::dialect_word(text) {
            Some(word) => err
                .context(format!("`{word}` is of the explicit-RTT dialect; run the command with `--dialect rtt2020`")),
            None => err,
        }),
        dialect => rtt::run(engine, path, text, dialect, false),
    }
}

/// Runs a script, in a store of its own.
///
/// # Errors
///
/// The text is no script, or the engine's configuration does not even allow the module `spectest`.
/// Failing directives are in the report.
pub fn run(engine: &Engine, path: &str, text: &str) -> Result<Report> {
    run_in(engine, path, text, false)
}

/// The same with modules that are compiled to bytes, and loaded from there.
///
/// # Errors
///
/// As [`run`].
pub fn run_ahead_of_time(engine: &Engine, path: &str, text: &str) -> Result<Report> {
    run_in(engine, path, text, true)
}

/// A script in a dialect with modules that are compiled to bytes, and loaded from there.
///
/// # Errors
///
/// As [`run_dialect`].
pub fn run_dialect_ahead_of_time(engine: &Engine, path: &str, text: &str, dialect: Dialect) -> Result<Report> {
    match dialect {
        Dialect::Standard => run_ahead_of_time(engine, path, text),
        dialect => rtt::run(engine, path, text, dialect, true),
    }
}

fn run_in(engine: &Engine, path: &str, text: &str, ahead_of_time: bool) -> Result<Report> {
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
    script::Script::new(engine, ahead_of_time)?.run(parsed, |span, assertion, result| {
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
    Ok(report)
}
