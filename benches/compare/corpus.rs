//! The corpus: modules from real compilers, read from the folder that `WASMTIME_GC_CORPUS` names.
//!
//! `large` cases are run. Modules of other cases are compiled only, for the figures of compilers.

use super::program::{Class, Entry, Group, Program};
use serde_json::Value;
use std::path::{Path, PathBuf};
use wasmtime::error::Context;
use wasmtime::{Result, bail};

/// The variable that names the folder.
const VARIABLE: &str = "WASMTIME_GC_CORPUS";

/// The programs, or none, with a line that says so.
pub fn programs() -> Result<Vec<Program>> {
    let Some((folder, cases)) = cases()? else {
        eprintln!("corpus: skipped, {VARIABLE} is not set");
        return Ok(Vec::new());
    };
    let mut programs = Vec::new();
    for case in cases.iter().filter(|case| is_large(case)) {
        programs.push(large(&folder, case).with_context(|| format!("corpus case {}", case["name"]))?);
    }
    programs.extend(compile_only(&folder, &cases, &programs)?);
    Ok(programs)
}

/// One of those that are run, without reading the others.
pub fn large_program(name: &str) -> Result<Program> {
    let (folder, cases) = cases()?.with_context(|| format!("{VARIABLE} is not set"))?;
    let case = cases.iter().find(|case| is_large(case) && case["name"] == name);
    large(&folder, case.with_context(|| format!("no large case `{name}`"))?)
}

/// The folder, and what it lists; nothing where the variable is not set.
fn cases() -> Result<Option<(PathBuf, Vec<Value>)>> {
    let Some(folder) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let folder = PathBuf::from(folder);
    let cases = folder.join("cases.json");
    let text = std::fs::read_to_string(&cases).with_context(|| format!("failed to read {}", cases.display()))?;
    Ok(Some((folder, serde_json::from_str(&text)?)))
}

fn is_large(case: &Value) -> bool {
    case["size"] == "large" && case["needs"].is_null()
}

fn large(folder: &Path, case: &Value) -> Result<Program> {
    let entry = match string(case, "kind")? {
        "invoke" => Entry::Invoke {
            export: string(case, "invoke")?.to_string(),
            args: strings(case, "args").iter().map(|arg| arg.parse()).collect::<Result<_, _>>()?,
            returns: Some(string(case, "returns")?.parse()?),
        },
        "wasi" => Entry::Wasi {
            args: strings(case, "args"),
            dir: case["dir"].as_str().map(|dir| folder.join(dir)),
            stdout: std::fs::read(folder.join(string(case, "expect")?))?,
        },
        kind => bail!("unknown kind `{kind}`"),
    };
    program(folder, case, Group::Large, entry)
}

/// The modules that no `large` case has.
fn compile_only(folder: &Path, cases: &[Value], large: &[Program]) -> Result<Vec<Program>> {
    let mut programs: Vec<Program> = Vec::new();
    for case in cases {
        let program = program(folder, case, Group::CompileOnly, Entry::CompileOnly)?;
        if large.iter().chain(&programs).all(|other| other.wasm != program.wasm) {
            programs.push(program);
        }
    }
    Ok(programs)
}

fn program(folder: &Path, case: &Value, group: Group, entry: Entry) -> Result<Program> {
    let file = folder.join(string(case, "file")?);
    let wasm = std::fs::read(&file).with_context(|| format!("failed to read {}", file.display()))?;
    Ok(Program {
        name: string(case, "name")?.to_string(),
        group,
        wasm,
        file: Some(file),
        entry,
        test: 0,
        class: Class::Other,
    })
}

fn string<'a>(case: &'a Value, key: &str) -> Result<&'a str> {
    case[key].as_str().with_context(|| format!("no string `{key}`"))
}

fn strings(case: &Value, key: &str) -> Vec<String> {
    let values = case[key].as_array().into_iter().flatten();
    values.filter_map(|value| value.as_str().map(str::to_string)).collect()
}
