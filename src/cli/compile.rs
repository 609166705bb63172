//! `wasmtime-gc compile`: compiles a module or a component ahead of time.

use super::options::Common;
use super::settings::Settings;
use super::{Outcome, component, input, missing_argument};
use crate::api::{Dialect, Engine, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wasmtime::bail;
use wasmtime::error::Context;

/// Arguments of `compile`.
#[derive(Args)]
pub(super) struct CompileCommand {
    #[command(flatten)]
    pub(super) common: Common,
    /// Where to write to [default: the module's name with `.cwasm`, in the present folder]
    #[arg(short = 'o', long = "output", value_name = "OUT")]
    output: Option<PathBuf>,
    /// The module or component, binary or text (`-` for standard input)
    #[arg(value_name = "WASM")]
    module: Option<PathBuf>,
}

impl CompileCommand {
    /// Writes the compiled module.
    pub(super) fn execute(self) -> Outcome {
        let Some(path) = &self.module else { missing_argument("compile", "<WASM>") };
        let mut settings = self.common.settings()?;
        let input = input::open(path, settings.dialect)?;
        if input.compiled {
            bail!("{path:?} was compiled before");
        }
        let compiled = match input.component {
            true => component::precompile(&mut settings, &input.bytes, path)?,
            false => precompile(&settings, input.bytes, path)?,
        };
        let output = self.output.unwrap_or_else(|| {
            let stem = path.file_stem().filter(|stem| *stem != "-").unwrap_or("out".as_ref());
            PathBuf::from(stem).with_extension("cwasm")
        });
        std::fs::write(&output, compiled).with_context(|| format!("failed to write {output:?}"))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The compiled form of a module.
fn precompile(settings: &Settings, bytes: Vec<u8>, path: &Path) -> Result<Vec<u8>> {
    let engine = Engine::new(&settings.config)?;
    let compiled = match settings.dialect {
        Dialect::Standard => {
            let wasm = input::linked(&engine, path, bytes)?;
            settings.check_profiles(&wasm, path)?;
            engine.precompile_module(&wasm)
        }
        dialect => engine.precompile_with_dialect(bytes, dialect),
    };
    compiled.with_context(|| format!("failed to compile {path:?}"))
}
