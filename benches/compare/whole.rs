//! Whole processes: each `large` program runs once in a process of its own, from its start to its end.
//!
//! What is timed is what a person waits for: the process starts, compiles, runs the program and ends. By turns, round
//! after round; the figures are the medians of the time that passes, and of the processor time of all threads. In one more process each, the kernel's high-water
//! mark is reset behind the instantiation, and the program tells by how much the mark exceeds what was resident then.

use super::all_threads;
use super::contender::{self, Contender};
use super::corpus;
use super::memory::Watch;
use super::options::Options;
use super::program::{Group, Outcome, Program};
use super::record::Record;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Instant;
use wasmtime::error::Context;
use wasmtime::{Result, bail, ensure};

/// Measures a `large` program on all contenders that finished.
pub fn measure(program: &Program, contenders: &[Box<dyn Contender>], options: &Options, record: &mut Record) {
    if program.group != Group::Large {
        return;
    }
    for round in 0..options.processes() {
        for step in 0..contenders.len() {
            let at = (round + step) % contenders.len();
            let figures = &mut record.results[at];
            if figures.time().is_none() {
                continue;
            }
            let (start, used) = (Instant::now(), all_threads::children());
            match spawn(program, contenders[at].as_ref(), false) {
                Ok(_) => {
                    figures.whole_ms.push(start.elapsed().as_secs_f64() * 1e3);
                    let used = all_threads::children().zip(used).map(|(now, then)| now.saturating_sub(then));
                    figures.whole_cpu_ms.extend(used.map(|used| used.as_secs_f64() * 1e3));
                }
                Err(err) => figures.fail(format!("as a process: {err:#}")),
            }
        }
    }
    if options.quick || !cfg!(target_os = "linux") {
        return;
    }
    for (contender, figures) in contenders.iter().zip(&mut record.results) {
        if figures.time().is_some() {
            figures.resident_kib = spawn(program, contender.as_ref(), true).ok();
        }
    }
}

/// Runs a program in a process; KiB that it needed, if it was asked.
fn spawn(program: &Program, contender: &dyn Contender, memory: bool) -> Result<u64> {
    let output = contender.process(program, memory)?.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = String::from_utf8(output.stdout)?;
    let told: Value = serde_json::from_str(line.trim()).with_context(|| format!("it printed `{line}`"))?;
    if let Some(Outcome::Number(expected)) = program.expected() {
        ensure!(told["number"].as_i64() == Some(expected.into()), "gave {}", told["number"]);
    }
    told["kib"].as_u64().context("it told no `kib`")
}

/// A process of this benchmark that runs one program on one of the contenders that are part of it.
pub fn process(program: &Program, contender: &str, memory: bool) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--whole", &program.name, contender]);
    if memory {
        command.arg("--memory");
    }
    Ok(command)
}

/// The process' side.
pub fn run(program: &str, contender: &str, memory: bool) -> Result<()> {
    let program = corpus::large_program(program)?;
    let contender = contender::named(contender)?;
    let mut instance = contender.compile(&program.wasm)?.instantiate(&program.entry)?;
    let watch = if memory { Some(Watch::start()?) } else { None };
    let outcome = instance.run()?;
    if program.expected().is_some_and(|expected| expected != outcome) {
        bail!("gave {outcome:?}");
    }
    let number = if let Outcome::Number(number) = outcome { Some(number) } else { None };
    let kib = watch.map_or(Ok(0), |watch| watch.most())?;
    println!("{}", json!({ "number": number, "kib": kib }));
    Ok(())
}
