//! The command `wasmtime-gc`, in the manner of `wasmtime`.
//!
//! | file | what |
//! |---|---|
//! | [`mod@options`], `tables`, `settings` | the option groups `-C -D -O -S -W`, and what they set |
//! | `config_file` | the same from a file |
//! | `input` | modules and components from files |
//! | `run` (with `invoke`, `preload`, `wasi`, `guest_profile`) | runs a module |
//! | `component` | runs a component |
//! | `compile` | compiles ahead of time |
//! | `lower` | writes the lowered module |
//! | `link` | writes a module with the intrinsics that it imports |
//! | [`wast`] | runs scripts of the specification's test suite |
//!
//! Names, messages and exit codes are those of `wasmtime` where it has them: 0, the program's own exit
//! code, 134 for a trap (as if by `SIGABRT`), 1 for any other error, 2 for wrong use.

// Only loading compiled code is unsafe, and says so.
#![deny(unsafe_code)]

mod compile;
mod component;
mod config_file;
mod guest_profile;
mod input;
mod invoke;
mod link;
mod lower;
pub mod options;
mod preload;
mod run;
mod settings;
mod stats;
mod tables;
mod wasi;
pub mod wast;

use crate::api::Trap;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use options::Common;
use std::io::Write;
use std::process::ExitCode;
use wasmtime::error::Context;
use wasmtime_wasi::I32Exit;

/// What a shell makes of a process that aborts: 128 + `SIGABRT`.
const EXIT_TRAP: u8 = 134;

/// Runs WebAssembly GC modules on Wasmtime, by lowering them to core WebAssembly.
#[derive(Parser)]
#[command(name = "wasmtime-gc", version, subcommand_negates_reqs = true)]
#[command(override_usage = "wasmtime-gc [OPTIONS] <WASM> [ARGS]...\n       wasmtime-gc [OPTIONS] <COMMAND>")]
#[command(after_help = "If no command is given, `run` is meant: `wasmtime-gc example.wasm`.")]
struct Command {
    #[command(subcommand)]
    sub: Option<Sub>,
    #[command(flatten)]
    run: run::RunCommand,
}

#[derive(Subcommand)]
enum Sub {
    /// Runs a module or a component [default]
    Run(run::RunCommand),
    /// Compiles a module or a component ahead of time
    Compile(compile::CompileCommand),
    /// Writes a module as core WebAssembly without GC
    Lower(lower::LowerCommand),
    /// Links intrinsics into a module that imports them
    Link(link::LinkCommand),
    /// Runs test scripts of the WebAssembly specification
    Wast(wast::WastCommand),
}

/// How a command ended.
pub(crate) type Outcome = crate::api::Result<ExitCode>;

/// Runs the command with the arguments of the process.
pub fn main() -> ExitCode {
    let Command { sub, run } = Command::parse();
    let outcome = match sub {
        None => with_help(run, |run| &run.common, run::RunCommand::execute),
        Some(Sub::Run(sub)) => with_help(run.then(sub), |run| &run.common, run::RunCommand::execute),
        Some(Sub::Compile(mut sub)) => {
            sub.common = run.common.then(sub.common);
            with_help(sub, |sub| &sub.common, compile::CompileCommand::execute)
        }
        Some(Sub::Lower(mut sub)) => {
            sub.common = run.common.then(sub.common);
            with_help(sub, |sub| &sub.common, lower::LowerCommand::execute)
        }
        Some(Sub::Link(sub)) => sub.execute(),
        Some(Sub::Wast(mut sub)) => {
            sub.common = run.common.then(sub.common);
            with_help(sub, |sub| &sub.common, wast::WastCommand::execute)
        }
    };
    let code = outcome.unwrap_or_else(report);
    let _ = std::io::stdout().flush();
    code
}

/// Answers `-W help` and the like, or else runs a command.
fn with_help<C>(command: C, common: impl Fn(&C) -> &Common, execute: impl FnOnce(C) -> Outcome) -> Outcome {
    match common(&command).help() {
        Some(text) => {
            print(&text)?;
            Ok(ExitCode::SUCCESS)
        }
        None => execute(command),
    }
}

/// Prints to standard output, which may have been closed.
fn print(text: &str) -> crate::api::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("failed to write to standard output")
}

/// Ends the process as clap does when `command` lacks an argument.
fn missing_argument(command: &str, name: &str) -> ! {
    let message = format!("the following required arguments were not provided:\n  {name}");
    let mut all = Command::command();
    all.build();
    let command = match all.find_subcommand_mut(command) {
        Some(command) => command,
        None => &mut all,
    };
    command.error(ErrorKind::MissingRequiredArgument, message).exit()
}

/// Writes a line to standard error, where nobody may be listening.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints an error, but for a program's own exit; gives its exit code.
fn report(err: crate::api::Error) -> ExitCode {
    if let Some(exit) = err.downcast_ref::<I32Exit>() {
        return exit_code(exit.0);
    }
    say(format_args!("Error: {err:?}"));
    if err.is::<Trap>() { ExitCode::from(EXIT_TRAP) } else { ExitCode::FAILURE }
}

/// The low eight bits are what a parent process sees.
fn exit_code(code: i32) -> ExitCode {
    ExitCode::from((code & 0xff) as u8)
}
