//! Programs of real compilers, run by the command: what they print is what is expected.
//!
//! The folder with the programs is named by the environment variable `WASMTIME_GC_CORPUS`. Cases of
//! size `large` run only when asked for: `cargo test --release --test corpus -- --ignored`.

use serde_json::Value;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// How long a program may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Programs that allocate so much that a collection at each allocation would take hours: at every how
/// many allocations they collect instead.
const RARELY: &[(&str, u32)] = &[("moonbit/binary_trees", 211), ("moonbit/hashmap", 5003)];

/// One program with its arguments.
struct Case {
    name: String,
    size: String,
    args: Vec<String>,
    expect: String,
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

fn list(row: &Value, key: &str) -> Vec<String> {
    let items = row[key].as_array().into_iter().flatten();
    items.map(|item| item.as_str().expect("lists hold strings").to_string()).collect()
}

impl Case {
    /// The case of a row, if it can be run.
    fn new(folder: &Path, row: &Value) -> Option<Case> {
        let kind = text(row, "kind");
        if !list(row, "needs").is_empty() || kind == "lower-only" {
            return None;
        }
        let at = |name: &str| folder.join(name).display().to_string();
        let mut args = vec!["run".to_string()];
        if row["dir"].is_string() {
            args.push(format!("--dir={}::.", at(text(row, "dir"))));
        }
        if !list(row, "stubs").is_empty() {
            args.push("-Wunknown-imports-default".to_string());
        }
        if kind != "wasi" {
            args.push(format!("--preload=spectest={}", at("spectest-wasi.wat")));
        }
        if kind == "invoke" {
            args.push(format!("--invoke={}", text(row, "invoke")));
        }
        args.push(at(text(row, "file")));
        args.extend(list(row, "args"));
        let expect = match kind {
            "invoke" => text(row, "returns").to_string() + "\n",
            _ => std::fs::read_to_string(at(text(row, "expect"))).expect("the expected output is there"),
        };
        Some(Case { name: text(row, "name").to_string(), size: text(row, "size").to_string(), args, expect })
    }

    /// Runs the program; says what is wrong, if anything is.
    fn run(&self, options: &[String]) -> Result<(), String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasmtime-gc"));
        command.args(options).args(&self.args).env("RUST_BACKTRACE", "0");
        let Output { status, stdout, stderr } = output(command);
        if status.success() && stdout == self.expect.as_bytes() {
            return Ok(());
        }
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        Err(format!(
            "{} ({}) {options:?}: {status}\nexpected: {:?}\nprinted:  {stdout:?}\n{stderr}",
            self.name, self.size, self.expect
        ))
    }
}

/// What a command gives. It is killed after [`LIMIT`].
fn output(mut command: Command) -> Output {
    let file = || tempfile::tempfile().expect("temporary files can be made");
    let read = |mut file: File| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("temporary files can be read");
        bytes
    };
    let (stdout, stderr) = (file(), file());
    command.stdout(stdout.try_clone().expect("files can be shared"));
    command.stderr(stderr.try_clone().expect("files can be shared"));
    let mut child = command.spawn().expect("the command starts");
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("the command can be waited for") {
            break status;
        }
        if start.elapsed() > LIMIT {
            child.kill().expect("the command can be killed");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Output { status, stdout: read(stdout), stderr: read(stderr) }
}

/// The cases of some sizes; none, with a message, where there is no corpus.
fn cases(sizes: &[&str]) -> Vec<Case> {
    let Some(folder) = std::env::var_os("WASMTIME_GC_CORPUS").map(PathBuf::from) else {
        println!("skipped: WASMTIME_GC_CORPUS is not set");
        return Vec::new();
    };
    let rows = std::fs::read_to_string(folder.join("cases.json")).expect("the corpus has a list of cases");
    let rows: Vec<Value> = serde_json::from_str(&rows).expect("the list of cases is JSON");
    let cases: Vec<_> = rows.iter().filter_map(|row| Case::new(&folder, row)).collect();
    cases.into_iter().filter(|case| sizes.contains(&case.size.as_str())).collect()
}

fn run_all(sizes: &[&str], options: &[&str]) {
    run_with(sizes, |_| options.iter().map(|option| option.to_string()).collect());
}

fn run_with(sizes: &[&str], options: impl Fn(&Case) -> Vec<String>) {
    let cases = cases(sizes);
    let failures: Vec<_> = cases.iter().filter_map(|case| case.run(&options(case)).err()).collect();
    println!("{} of {} cases passed", cases.len() - failures.len(), cases.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn test_and_small_cases() {
    run_all(&["test", "small"], &[]);
}

#[test]
fn test_and_small_cases_under_zeal() {
    let rarely = |case: &Case| RARELY.iter().find(|(name, ..)| *name == case.name).map_or(1, |(_, every)| *every);
    run_with(&["test", "small"], |case| vec![format!("-Dgc-zeal={}", rarely(case)), "-Dgc-verify".to_string()]);
}

#[test]
fn test_and_small_cases_with_explicit_null_checks() {
    run_all(&["test", "small"], &["-Dexplicit-null-checks"]);
}

#[test]
#[ignore = "takes long without optimization"]
fn large_cases() {
    run_all(&["large"], &[]);
}
