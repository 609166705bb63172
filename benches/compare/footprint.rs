//! Resident memory of whole programs: each runs once, in a process of its own.
//!
//! The child compiles and instantiates, resets the kernel's high-water mark, runs the program and prints by how
//! much the mark exceeds what was resident before. Linux only.

use super::contender::{self, Contender};
use super::options::Options;
use super::program::{Group, Program};
use super::record::Record;
use std::process::Command;
use wasmtime::error::Context;
use wasmtime::{Result, bail};

/// Measures `large` programs on all contenders that finished.
pub fn measure(program: &Program, contenders: &[Box<dyn Contender>], options: &Options, record: &mut Record) {
    if program.group != Group::Large || options.quick || !cfg!(target_os = "linux") {
        return;
    }
    for (contender, figures) in contenders.iter().zip(&mut record.results) {
        if figures.time().is_some() {
            figures.resident_kib = spawn(&program.name, contender.name()).ok();
        }
    }
}

fn spawn(program: &str, contender: &str) -> Result<u64> {
    let output = Command::new(std::env::current_exe()?).args(["--child", program, contender]).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// The child's side.
pub fn child(program: &str, contender: &str) -> Result<()> {
    let program = super::all_programs()?.into_iter().find(|p| p.name == program).context("no such program")?;
    let contender = contender::all()?.into_iter().find(|c| c.name() == contender).context("no such contender")?;
    let mut instance = contender.compile(&program.wasm)?.instantiate(&program.entry)?;
    std::fs::write("/proc/self/clear_refs", "5")?;
    let before = status("VmRSS:")?;
    let outcome = instance.run()?;
    if program.expected().is_some_and(|expected| expected != outcome) {
        bail!("gave {outcome:?}");
    }
    println!("{}", status("VmHWM:")?.saturating_sub(before));
    Ok(())
}

/// What is resident of this process, in KiB.
pub fn resident() -> Result<u64> {
    status("VmRSS:")
}

/// A line of `/proc/self/status`, in KiB.
fn status(key: &str) -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)).context("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
