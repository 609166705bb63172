//! `--config FILE`: option groups as tables of a TOML file.
//!
//! ```toml
//! [optimize]
//! gc-nursery-size = "2m"
//!
//! [wasm]
//! max-wasm-stack = 33_554_432
//! timeout = "300ms"
//! ```
//!
//! Tables have the long names of the groups, keys those of the options. Flags are booleans, numbers are integers, words are
//! strings; a time may be what Wasmtime wants to see there, `{ secs = 0, nanos = 300_000_000 }`. What is a string is read as on
//! the command line, so `"2m"` is a number of bytes.
//!
//! What this is not: the cache's configuration (`-C cache-config`), which is the engine's to read.

use super::options::{Assignment, Group};
use super::tables::{CODEGEN, DEBUG, OPTIMIZE, WASI, WASM};
use crate::api::Result;
use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use toml::de::{DeInteger, DeTable, DeValue};
use wasmtime::error::Context;

/// The groups that a file may have.
const GROUPS: [&Group; 5] = [&OPTIMIZE, &CODEGEN, &DEBUG, &WASM, &WASI];

/// The options of a file.
///
/// # Errors
///
/// A file that can not be read, is not TOML, or has what is no option; with the line and the column.
pub(super) fn read(path: &Path) -> Result<Vec<Assignment>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("failed to read config file: {path:?}"))?;
    parse(&text)
        .map_err(|why| wasmtime::format_err!("{why}"))
        .with_context(|| format!("failed to parse TOML config file {path:?}"))
}

/// The options that a text sets, or what is wrong with it and where.
fn parse(text: &str) -> Result<Vec<Assignment>, String> {
    let file = DeTable::parse(text).map_err(|err| err.to_string().trim_end().to_string())?;
    let mut options = Vec::new();
    for (name, table) in file.get_ref() {
        let at = |span: Range<usize>, why: String| format!("{}: {why}", place(text, span.start));
        let Some(group) = GROUPS.into_iter().find(|group| group.long == name.get_ref()) else {
            let known = GROUPS.map(|group| group.long).join("`, `");
            return Err(at(
                name.span(),
                format!("unknown table or key `{}`, expected one of `{known}`", name.get_ref()),
            ));
        };
        let DeValue::Table(entries) = table.get_ref() else {
            return Err(at(table.span(), format!("`{}` is to be a table, `[{}]`", group.long, group.long)));
        };
        for (key, value) in entries {
            let written =
                written(value.get_ref()).map_err(|why| at(value.span(), format!("{}: {why}", key.get_ref())))?;
            options.push(group.assign(key.get_ref(), Some(&written)).map_err(|why| at(key.span(), why))?);
        }
    }
    Ok(options)
}

/// A value as it would stand on the command line.
fn written<'a>(value: &'a DeValue<'_>) -> Result<Cow<'a, str>, String> {
    Ok(match value {
        DeValue::String(text) => Cow::Borrowed(text.as_ref()),
        DeValue::Boolean(flag) => Cow::Borrowed(if *flag { "y" } else { "n" }),
        DeValue::Integer(number) => Cow::Owned(unsigned(number)?.to_string()),
        DeValue::Table(time) => Cow::Owned(nanoseconds(time)?),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) => {
            return Err(format!("no option has a value of type {}", value.type_str()));
        }
    })
}

/// A number, which no option has below zero.
fn unsigned(number: &DeInteger<'_>) -> Result<u64, String> {
    u64::from_str_radix(number.as_str(), number.radix()).map_err(|err| format!("`{number}` is out of range: {err}"))
}

/// `{ secs = …, nanos = … }`, the form in which Wasmtime reads times.
fn nanoseconds(time: &DeTable<'_>) -> Result<String, String> {
    let part = |name: &str| match time.get(name).map(|value| value.get_ref()) {
        Some(DeValue::Integer(number)) => unsigned(number).ok(),
        _ => None,
    };
    let (Some(secs), Some(nanos), 2) = (part("secs"), part("nanos"), time.len()) else {
        let times = "a time is text, as in `\"300ms\"`, or `{ secs = 0, nanos = 300_000_000 }`";
        return Err(format!("no option has such a table as its value; {times}"));
    };
    let all = secs.checked_mul(1_000_000_000).and_then(|secs| secs.checked_add(nanos));
    all.map(|all| format!("{all}ns")).ok_or_else(|| "such a time is too long".to_string())
}

/// The line and the column of a byte, both from 1.
fn place(text: &str, at: usize) -> String {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    format!("line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text).err().unwrap_or_default()
    }

    #[test]
    fn each_group_has_a_table() {
        let text = "[optimize]\ngc-nursery-size = '2m'\n[codegen]\nparallel-compilation = false\n[debug]\ngc-zeal = 0x10\n\
                    [wasm]\nfuel = 1_000\ntimeout = { secs = 1, nanos = 5 }\n[wasi]\ninherit-env = true\n";
        assert_eq!(parse(text).map(|options| options.len()), Ok(6));
    }

    #[test]
    fn errors_tell_where() {
        assert_eq!(error("[wasm]\n\nshiny = 1"), "line 3, column 1: unknown -W / --wasm option: shiny");
        assert!(
            error("[wasm]\nfuel = 'ten'")
                .starts_with("line 2, column 1: failed to parse fuel option: `ten` is not a number")
        );
        assert!(error("[wasm]\nfuel = -1").starts_with("line 2, column 8: fuel: `-1` is out of range"));
        assert!(
            error("[wasm]\nfuel = 1.5").starts_with("line 2, column 8: fuel: no option has a value of type float"),
            "{}",
            error("[wasm]\nfuel = 1.5")
        );
        assert!(error("[wasm]\ngc = 3").contains("unknown boolean flag `3`"));
        assert!(error("[wasm]\ntimeout = {secs = 1}").contains("a time is text"));
        assert!(error("[wasm]\ntimeout = {secs = 0xFFFFFFFFFFFF, nanos = 0}").contains("too long"));
        assert!(error("[record]\npath = 'x'").starts_with("line 1, column 2: unknown table or key `record`"));
        assert!(error("fuel = 1").starts_with("line 1, column 1: unknown table or key `fuel`"));
        assert!(error("wasm = 1").contains("is to be a table"));
        assert!(error("é = [").contains("TOML parse error at line 1"), "{}", error("é = ["));
    }
}
