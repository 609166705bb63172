//! Errors of the compiler as Wasmtime words them: which stage failed, in which function, and why.

use crate::api::Error;
use crate::fault;
use std::fmt::Write;
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

/// Names of functions are shown up to this length.
const MAX_NAME: usize = 96;

/// The same error with contexts. [`CompileError`](crate::CompileError) can be got out of it.
#[cold]
pub fn explain(err: Error, wasm: &[u8]) -> Error {
    const PARSE: &str = "failed to parse WebAssembly module";
    match err.downcast::<fault::Error>() {
        Ok(fault::Error::Invalid { offset, message }) => match function_at(wasm, offset) {
            Some(func) => Error::new(fault::Error::InvalidCode { offset, message })
                .context("WebAssembly translation error")
                .context(format!("failed to compile: {}", symbol(wasm, func))),
            None => Error::new(fault::Error::Invalid { offset, message }).context(PARSE),
        },
        Ok(err) if Parser::is_component(wasm) => Error::new(err)
            .context("expected a WebAssembly module but was given a WebAssembly component")
            .context(PARSE),
        Ok(err) => Error::new(err),
        Err(err) => err,
    }
}

/// The function in whose body an offset is.
fn function_at(wasm: &[u8], offset: usize) -> Option<u32> {
    let mut func = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.ok()? {
            Payload::ImportSection(imports) => {
                let imports = imports.into_imports().flatten();
                func += imports.filter(|import| matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_))).count();
            }
            Payload::CodeSectionEntry(body) => {
                // An error at the end of a body is behind it.
                if (body.range().start..=body.range().end).contains(&offset) {
                    return u32::try_from(func).ok();
                }
                func += 1;
            }
            _ => {}
        }
    }
    None
}

/// What compiled code calls a function.
fn symbol(wasm: &[u8], func: u32) -> String {
    let mut symbol = format!("wasm[0]::function[{func}]");
    if let Some(name) = name(wasm, func) {
        let mut name: Vec<char> = name.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect();
        name.dedup_by(|a, b| *a == '?' && *b == '?');
        let name: String = name.into_iter().take(MAX_NAME).collect();
        // Writing to a string does not fail.
        write!(symbol, "::{name}").ok();
    }
    symbol
}

/// The name that a module gives a function.
fn name(wasm: &[u8], func: u32) -> Option<String> {
    let payloads = Parser::new(0).parse_all(wasm).map_while(Result::ok);
    let sections = payloads.filter_map(|payload| match payload {
        Payload::CustomSection(section) => match section.as_known() {
            KnownCustom::Name(names) => Some(names),
            _ => None,
        },
        _ => None,
    });
    let maps = sections.flat_map(|names| names.into_iter().flatten()).filter_map(|name| match name {
        Name::Function(map) => Some(map),
        _ => None,
    });
    maps.flat_map(|map| map.into_iter().flatten())
        .find(|naming| naming.index == func)
        .map(|naming| naming.name.to_string())
}
