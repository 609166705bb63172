//! `wasmtime-gc lower`: writes what the engine compiles in place of a module.

use super::options::Common;
use super::{Outcome, input, missing_argument};
use crate::api::{Engine, Module, Result};
use crate::lower::lower;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wasmtime::error::Context;

/// Arguments of `lower`.
#[derive(Args)]
pub(super) struct LowerCommand {
    #[command(flatten)]
    pub(super) common: Common,
    /// Where to write to [default: standard output]
    #[arg(short = 'o', long = "output", value_name = "OUT")]
    output: Option<PathBuf>,
    /// Writes text
    #[arg(long)]
    wat: bool,
    /// The module, binary or text (`-` for standard input)
    #[arg(value_name = "WASM")]
    module: Option<PathBuf>,
}

impl LowerCommand {
    /// Writes the lowered module.
    pub(super) fn execute(self) -> Outcome {
        let Some(path) = &self.module else { missing_argument("lower", "<WASM>") };
        let engine = Engine::new(&self.common.settings()?.config)?;
        let wasm = input::read(path)?;
        Module::validate(&engine, &wasm).with_context(|| format!("failed to validate {path:?}"))?;
        let lowered = lower(&wasm, &engine.state().lower_context());
        let lowered = match lowered.with_context(|| format!("failed to lower {path:?}"))? {
            Some(lowered) => lowered.wasm,
            None => {
                eprintln!("note: {} has nothing to lower; it is written unchanged", path.display());
                wasm
            }
        };
        if self.wat {
            let text = wasmprinter::print_bytes(&lowered).map_err(|e| wasmtime::format_err!("{e:#}"))?;
            write(self.output.as_deref(), text.as_bytes())?;
        } else {
            write(self.output.as_deref(), &lowered)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

pub(super) fn write(path: Option<&Path>, bytes: &[u8]) -> Result<()> {
    match path {
        Some(path) => std::fs::write(path, bytes).with_context(|| format!("failed to write {path:?}")),
        None => std::io::stdout().write_all(bytes).context("failed to write to standard output"),
    }
}
