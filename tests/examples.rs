//! Every program in `examples/` prints what stands beside it, also when each of its objects moves.

/// The embedders among the examples, which check themselves what they print.
#[path = "../examples"]
mod embedders {
    pub mod ahead_of_time;
    pub mod async_host;
    pub mod weak_cache;
}

use std::path::{Path, PathBuf};
use std::process::Command;

fn programs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut programs: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    programs.retain(|path| path.extension().is_some_and(|e| e == "wat"));
    assert!(programs.len() >= 3, "the examples are gone");
    programs
}

fn check(program: &Path, options: &[&str]) {
    let run = Command::new(env!("CARGO_BIN_EXE_wasmtime-gc")).args(options).arg(program).output().unwrap();
    let expected = std::fs::read_to_string(program.with_extension("stdout")).unwrap();
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{} {options:?}: {stderr}", program.display());
    assert_eq!(String::from_utf8_lossy(&run.stdout), expected, "{} {options:?}", program.display());
}

#[test]
fn examples_print_what_stands_beside_them() {
    programs().iter().for_each(|program| check(program, &[]));
}

/// The trees allocate too much to move all of them at each allocation.
#[test]
fn examples_survive_zeal() {
    for program in programs() {
        let zeal = if program.ends_with("binary_trees.wat") { "gc-zeal=50021" } else { "gc-zeal=1" };
        check(&program, &["-D", zeal, "-D", "gc-verify"]);
    }
}

#[test]
fn embedders_run() {
    embedders::ahead_of_time::main().unwrap();
    embedders::async_host::main().unwrap();
    embedders::weak_cache::main().unwrap();
}
