//! JavaScript engines as contenders: V8 and JavaScriptCore run the same files, in processes that are told what to do.
//!
//! `WASMTIME_GC_PEERS` names their executables, as `PATH` names folders; without it they are `node` and `bun`, where
//! `PATH` has them. One that can not run WebAssembly GC is left out, and a line says so. What they do is in `peer.mjs`.
//! They stay alive over the rounds of a program, so that their figures are those of a steady state: they compile what is
//! hot again, better. How long a run took they tell themselves.

use super::contender::{Compiled, Contender, HeapFigures, Running};
use super::program::{Entry, Outcome, Program};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;
use tempfile::{NamedTempFile, TempPath};
use wasmtime::error::Context;
use wasmtime::{Result, bail, ensure};

/// The variable that names the executables.
const VARIABLE: &str = "WASMTIME_GC_PEERS";
/// Those that are looked for without it.
const DEFAULT: &[&str] = &["node", "bun"];
/// What runs in them.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/compare/peer.mjs");

/// A JavaScript engine.
struct Peer {
    name: &'static str,
    command: PathBuf,
}

/// Those that are there and run WebAssembly GC.
pub fn all() -> Vec<Box<dyn Contender>> {
    let asked = std::env::var_os(VARIABLE);
    let commands: Vec<PathBuf> = match &asked {
        Some(list) => std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => DEFAULT.iter().map(PathBuf::from).collect(),
    };
    let mut peers: Vec<Box<dyn Contender>> = Vec::new();
    for command in commands {
        match Peer::new(command.clone()) {
            Ok(peer) => peers.push(Box::new(peer)),
            Err(err) => eprintln!("peer: {} is left out: {err:#}", command.display()),
        }
    }
    peers
}

impl Peer {
    fn new(command: PathBuf) -> Result<Peer> {
        let version = Command::new(&command).arg("--version").output().context("it does not start")?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_string();
        let wasm = wat::parse_str(r#"(module (type (struct)) (func (export "run") (result i32) (i32.const 7)))"#)?;
        let code = PeerModule::new(&command, &wasm).with_context(|| version.clone())?;
        let entry = Entry::Invoke { export: "run".to_string(), args: Vec::new(), returns: None };
        ensure!(code.instantiate(&entry)?.run()? == Outcome::Number(7), "it computes something else");
        let name = command.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        eprintln!("peer: {name} {version}");
        // A few bytes, once.
        Ok(Peer { name: name.leak(), command })
    }
}

impl Contender for Peer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn is_peer(&self) -> bool {
        true
    }

    fn compile(&self, wasm: &[u8]) -> Result<Box<dyn Compiled>> {
        Ok(Box::new(PeerModule::new(&self.command, wasm)?))
    }

    fn process(&self, program: &Program, memory: bool) -> Result<Command> {
        let nowhere = Path::new(if cfg!(windows) { "NUL" } else { "/dev/null" });
        let mut told = start(&program.entry, nowhere)?;
        told["wasm"] = json!(program.file.as_ref().context("the program is no file")?);
        told["memory"] = json!(memory);
        let mut command = Command::new(&self.command);
        command.args([SCRIPT, "--whole", &told.to_string()]);
        Ok(command)
    }
}

/// A module, in a process of its own.
struct PeerModule {
    process: Rc<RefCell<Process>>,
    _wasm: TempPath,
}

impl PeerModule {
    fn new(command: &Path, wasm: &[u8]) -> Result<PeerModule> {
        let wasm = file(wasm)?;
        let mut process = Process::new(command)?;
        process.ask(&json!({ "op": "load", "wasm": wasm.to_path_buf() }))?;
        Ok(PeerModule { process: Rc::new(RefCell::new(process)), _wasm: wasm })
    }
}

impl Compiled for PeerModule {
    fn code_bytes(&self) -> Option<usize> {
        None
    }

    fn instantiate(&self, entry: &Entry) -> Result<Box<dyn Running>> {
        let stdout = NamedTempFile::new()?.into_temp_path();
        self.process.borrow_mut().ask(&start(entry, &stdout)?)?;
        let prints = matches!(entry, Entry::Wasi { .. });
        Ok(Box::new(PeerInstance { process: self.process.clone(), stdout, prints, spent: Duration::ZERO }))
    }
}

/// The instance that its process has now.
struct PeerInstance {
    process: Rc<RefCell<Process>>,
    stdout: TempPath,
    prints: bool,
    spent: Duration,
}

impl Running for PeerInstance {
    fn run(&mut self) -> Result<Outcome> {
        let told = self.process.borrow_mut().ask(&json!({ "op": "run", "calls": 1 }))?;
        self.spent += Duration::from_secs_f64(told["ms"].as_f64().context("it told no time")? / 1e3);
        if self.prints {
            return Ok(Outcome::Text(std::fs::read(&self.stdout)?));
        }
        Ok(Outcome::Number(i32::try_from(told["number"].as_i64().context("it gave no number")?)?))
    }

    fn clock(&self) -> Duration {
        self.spent
    }

    fn heap(&self) -> HeapFigures {
        HeapFigures::default()
    }
}

/// The message that instantiates a module.
fn start(entry: &Entry, stdout: &Path) -> Result<Value> {
    let wasi = match entry {
        Entry::Invoke { .. } => Value::Null,
        Entry::Wasi { args, dir, .. } => json!({ "args": args, "dir": dir, "stdout": stdout }),
        Entry::CompileOnly => bail!("the program is not run"),
    };
    Ok(json!({ "op": "start", "export": entry.export(), "args": entry.args(), "wasi": wasi }))
}

fn file(wasm: &[u8]) -> Result<TempPath> {
    let mut file = NamedTempFile::new()?;
    file.write_all(wasm)?;
    Ok(file.into_temp_path())
}

/// A running engine. It is killed when this is dropped.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn new(command: &Path) -> Result<Process> {
        let mut child = Command::new(command)
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let output = child.stdout.take().context("no standard output")?;
        Ok(Process { child, input, output: BufReader::new(output) })
    }

    fn ask(&mut self, message: &Value) -> Result<Value> {
        writeln!(self.input, "{message}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line).with_context(|| format!("it said `{line}`"))?;
        match told["error"].as_str() {
            Some(error) => bail!("{error}"),
            None => Ok(told),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
