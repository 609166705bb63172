//! Side tables, objects and finalizers from outside: embedders, the command, C programs, components.

mod c;
mod component;
mod embed;
mod link;
mod weak;

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a run of a command gave.
#[derive(Debug)]
struct Ran {
    /// Exit code; -1 if a signal ended it.
    code: i32,
    stdout: String,
    stderr: String,
}

fn ran(command: &mut Command) -> Ran {
    let out = command.env("RUST_BACKTRACE", "0").output().unwrap_or_else(|err| panic!("{command:?}: {err}"));
    Ran {
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

/// Runs a tool that may not be installed.
fn ran_if_there(tool: &str, args: &[&str]) -> Option<Ran> {
    Command::new(tool).arg("--version").output().ok()?;
    Some(ran(Command::new(tool).args(args)))
}

/// Runs `wasmtime-gc`.
fn wasmtime_gc(args: &[&str]) -> Ran {
    ran(Command::new(env!("CARGO_BIN_EXE_wasmtime-gc")).args(args))
}

/// A folder of the repository.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Runs `test` for ours and for stock Wasmtime: the interfaces have the same names.
macro_rules! on_both {
    ($name:ident, $($body:tt)*) => {
        mod $name {
            mod ours {
                #[allow(unused_imports, reason = "not each test needs each name")]
                use wasmtime_gc::*;
                $($body)*
            }
            mod stock {
                #[allow(unused_imports, reason = "not each test needs each name")]
                use wasmtime::*;
                $($body)*
            }
        }
    };
}
pub(crate) use on_both;
