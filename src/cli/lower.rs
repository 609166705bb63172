//! `wasmtime-gc lower`: writes what the engine compiles in place of a module.

use super::options::Common;
use super::{Outcome, input, missing_argument, say};
use crate::api::{Engine, Module, Result};
use crate::lower::{lower, lower_module};
use crate::rtt;
use crate::rtt::ast::Nulls;
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
    /// Where to write to, `-` for standard output [default: standard output]
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
        let settings = self.common.settings()?;
        let engine = Engine::new(&settings.config)?;
        if let Some(nulls) = settings.dialect.nulls() {
            return self.write_dialect(path, &engine, nulls);
        }
        let wasm = input::read(path)?;
        Module::validate(&engine, &wasm).with_context(|| format!("failed to validate {path:?}"))?;
        settings.check_profiles(&wasm, path)?;
        let lowered = lower(&wasm, &engine.state().lower_context_of(&wasm));
        let lowered = match lowered.with_context(|| format!("failed to lower {path:?}"))? {
            Some(lowered) => lowered.wasm,
            None => {
                say(format_args!("note: {} has nothing to lower; it is written unchanged", path.display()));
                wasm
            }
        };
        self.write(&lowered)
    }

    /// The same for a module of the dialect of explicit RTTs.
    fn write_dialect(&self, path: &Path, engine: &Engine, nulls: Nulls) -> Outcome {
        let state = engine.state();
        let bytes = input::read_any(path)?;
        let ast = rtt::read(&bytes, nulls).with_context(|| format!("failed to parse {path:?}"))?;
        let checked = rtt::Checked::new(ast, state.options.features, &state.registry);
        let checked = checked.map_err(|err| rtt::locate(err, &bytes));
        let checked = checked.with_context(|| format!("failed to validate {path:?}"))?;
        let context = state.lower_context();
        let lowered = lower_module(checked.module(context.workers)?, &context);
        match lowered.with_context(|| format!("failed to lower {path:?}"))? {
            Some(lowered) => self.write(&lowered.wasm),
            None => wasmtime::bail!("the module was left alone"),
        }
    }

    fn write(&self, lowered: &[u8]) -> Outcome {
        if self.wat {
            let text = wasmprinter::print_bytes(lowered).map_err(|e| wasmtime::format_err!("{e:#}"))?;
            write(self.output.as_deref(), text.as_bytes())?;
        } else {
            write(self.output.as_deref(), lowered)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

pub(super) fn write(path: Option<&Path>, bytes: &[u8]) -> Result<()> {
    match path.filter(|path| path.as_os_str() != "-") {
        Some(path) => std::fs::write(path, bytes).with_context(|| format!("failed to write {path:?}")),
        None => std::io::stdout().write_all(bytes).context("failed to write to standard output"),
    }
}
