//! `wasmtime-gc link`: links intrinsics into a module that imports them, or writes them for another linker.

use super::{Outcome, input, lower, missing_argument, say};
use crate::intrinsics::{LinkOptions, Links, link, side_table_object};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use wasmtime::error::Context;

/// Arguments of `link`.
#[derive(Args)]
pub(super) struct LinkCommand {
    /// Where to write to, `-` for standard output [default: standard output]
    #[arg(short = 'o', long = "output", value_name = "OUT")]
    output: Option<PathBuf>,
    /// Handles of side tables are not checked, unless the module asks for it by `/checked`
    #[arg(long)]
    fast: bool,
    /// Where the freelists of side tables live
    #[arg(long, value_enum, default_value_t = Where::Own)]
    links: Where,
    /// Writes text
    #[arg(long, conflicts_with = "object")]
    wat: bool,
    /// Writes the side table as an object file for `wasm-ld` instead; see `include/wasmtime_gc/side_table.h`
    #[arg(long, conflicts_with_all = ["module", "links"])]
    object: bool,
    /// The module, binary or text (`-` for standard input)
    #[arg(value_name = "WASM")]
    module: Option<PathBuf>,
}

/// Where the freelists of side tables live.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Where {
    /// In a memory of their own
    Own,
    /// In pages of the program's memory: for engines without multiple memories
    Program,
}

impl LinkCommand {
    /// Writes the linked module.
    pub(super) fn execute(self) -> Outcome {
        if self.object {
            lower::write(self.output.as_deref(), &side_table_object(!self.fast)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let Some(path) = &self.module else { missing_argument("link", "<WASM>") };
        let wasm = input::read(path)?;
        let links = if self.links == Where::Own { Links::Own } else { Links::Program };
        let linked = link(&wasm, &LinkOptions { checked: !self.fast, links });
        let linked = match linked.with_context(|| format!("failed to link {path:?}"))? {
            Some(linked) => {
                for section in &linked.dropped {
                    say(format_args!("note: the custom section `{section}` is left out: its offsets no longer hold"));
                }
                linked.wasm
            }
            None => {
                say(format_args!("note: {} imports no intrinsics; it is written unchanged", path.display()));
                wasm
            }
        };
        match self.wat {
            true => {
                let text = wasmprinter::print_bytes(&linked).map_err(|e| wasmtime::format_err!("{e:#}"))?;
                lower::write(self.output.as_deref(), text.as_bytes())?;
            }
            false => lower::write(self.output.as_deref(), &linked)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
