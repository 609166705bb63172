//! The command, from outside: arguments, output, messages, exit codes.

mod component_calls;
mod components;
mod options;
mod passed_on;
mod run;
mod tools;
mod traps;

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a run of the command gave.
#[derive(Debug)]
struct Ran {
    /// Exit code; -1 if a signal ended it.
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs `wasmtime-gc` with these arguments.
fn wasmtime_gc(args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wasmtime-gc"));
    let out = command.args(args).env("RUST_BACKTRACE", "0").output().expect("the command starts");
    Ran {
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

/// Files of one test.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().expect("a folder for temporary files can be made"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file; gives its path.
    fn write(&self, name: &str, contents: &str) -> String {
        std::fs::write(self.path(name), contents).expect("temporary files can be written");
        self.path(name).display().to_string()
    }
}

/// Runs `wasmtime-gc` with these arguments and then a module, `m.wat`.
fn run_module(args: &[&str], wat: &str) -> Ran {
    let files = Files::new();
    let path = files.write("m.wat", wat);
    wasmtime_gc(&[args, &[path.as_str()]].concat())
}

/// Where the examples are.
fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}
