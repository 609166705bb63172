//! The command `wasmtime-gc`. Everything is in [`wasmtime_gc::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    wasmtime_gc::cli::main()
}
