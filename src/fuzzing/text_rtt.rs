//! Modules of the explicit-RTT dialect, likely broken ones, in either format: refused or lowered to valid modules, and
//! nothing worse. What can be read goes to bytes and back, and is the same.
//!
//! An input is a module of the dialect's own tests with tokens changed, removed, repeated or moved, or its binary with
//! bytes changed, or plain bytes.

use super::generate::Source;
use super::lower_valid::is_core;
use crate::fault::Error;
use crate::layout::{GcTypes, HeapMap, MapParams};
use crate::lower::{LowerContext, lower_module};
use crate::rtt::text::tokens::Tokens;
use crate::rtt::{Checked, ast, binary, print, text};
use crate::types::TypeRegistry;
use crate::workers::Workers;
use std::sync::Arc;
use wasmparser::WasmFeatures;

/// The longest input that is looked at.
const MOST: usize = 1 << 14;

/// Scripts and modules that between them have every type and instruction.
const SEEDS: &[&str] = &[
    include_str!("../../tests/slides/classes.wat"),
    include_str!("../../tests/slides/types.wast"),
    include_str!("../../tests/slides/instructions.wast"),
    include_str!("../../tests/slides/rtts.wast"),
    include_str!("../../tests/slides/functions.wast"),
    include_str!("../../tests/slides/type_imports.wast"),
];

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    let data = data.get(..MOST).unwrap_or(data);
    let mut source = Source::new(data);
    match source.below(8) {
        0 => text_module(&String::from_utf8_lossy(data.get(1..).unwrap_or_default())),
        1 => binary_module(data.get(1..).unwrap_or_default()),
        choice => {
            let seed = source.pick(SEEDS).unwrap_or_default();
            let module = module_of(seed, &mut source);
            if choice < 6 {
                return text_module(&edited(&module, &mut source));
            }
            let bytes = text::parse(&module).and_then(|module| binary::write(&module));
            let Ok(mut bytes) = bytes else { return };
            for _ in 0..source.below(6) {
                let at = source.below(bytes.len());
                match source.below(3) {
                    0 => bytes[at] = source.integer() as u8,
                    1 => drop(bytes.remove(at)),
                    _ => bytes[at] ^= 1 << source.below(8),
                }
            }
            binary_module(&bytes);
        }
    }
}

/// Inputs that are whole modules, in both formats.
#[cfg(test)]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![];
    for script in SEEDS {
        let module = module_of(script, &mut Source::new(&[]));
        if let Ok(bytes) = text::parse(&module).and_then(|module| binary::write(&module)) {
            seeds.push([&[1], bytes.as_slice()].concat());
        }
        seeds.push([&[0], module.as_bytes()].concat());
    }
    seeds.retain(|seed| seed.len() < 4000);
    seeds
}

/// One of the modules of a script.
fn module_of(script: &str, source: &mut Source<'_>) -> String {
    let Ok(tokens) = Tokens::new(script) else { return String::new() };
    let mut cursor = tokens.cursor();
    let mut modules = Vec::new();
    while !cursor.is_empty() {
        if cursor.peek_form() == Some("module") {
            modules.push(cursor.text());
        }
        cursor.skip_form();
    }
    source.pick(&modules).unwrap_or_default().to_string()
}

/// A text with some words changed for others of it.
fn edited(text: &str, source: &mut Source<'_>) -> String {
    let mut words: Vec<&str> = text.split_inclusive([' ', '(', ')', '\n']).collect();
    for _ in 0..source.below(6) {
        let (at, other) = (source.below(words.len()), source.below(words.len()));
        match source.below(4) {
            0 => words[at] = words[other],
            1 => drop(words.remove(at)),
            2 => words.insert(at, words[other]),
            _ => words.swap(at, other),
        }
    }
    words.concat()
}

fn text_module(source: &str) {
    match text::parse(source) {
        Ok(module) => examine(module, source),
        Err(err) => no_bug(&err, source),
    }
}

fn binary_module(bytes: &[u8]) {
    match binary::read(bytes) {
        Ok(module) => {
            let text = print(&module);
            examine(module, &text);
        }
        Err(err) => no_bug(&err, "a binary"),
    }
}

fn no_bug(err: &Error, what: &str) {
    assert!(!matches!(err, Error::Bug(_)), "{err}\n{what}");
}

fn examine(module: ast::Module, what: &str) {
    let registry = Arc::new(TypeRegistry::new());
    let map = HeapMap::new(MapParams::default());
    let gc_types = GcTypes::new(registry.clone(), map.rtt_start);
    let features = WasmFeatures::WASM3;
    let checked = match Checked::new(module.clone(), features, &registry) {
        Ok(checked) => checked,
        Err(err) => return no_bug(&err, what),
    };
    let cx = LowerContext {
        check_roots: true,
        debug: false,
        profile_calls: false,
        winch: false,
        likely: None,
        relocatable: false,
        registry: &registry,
        gc_types: &gc_types,
        map,
        features,
        explicit_null_checks: false,
        opt_level: 2,
        workers: Workers::Many,
        passes: crate::lower::Passes::ALL,
    };
    match checked.module(cx.workers).and_then(|module| lower_module(module, &cx)) {
        Ok(Some(lowered)) => {
            if let Err(fault) = is_core(&lowered) {
                panic!("{fault}\n{what}");
            }
        }
        Ok(None) => panic!("a module of the dialect was left alone\n{what}"),
        Err(err) => no_bug(&err, what),
    }
    round_trip(&module, what);
}

/// A valid module goes to bytes, back, to text, and back. Names are no part of it: some can not be written as text.
fn round_trip(module: &ast::Module, what: &str) {
    let mut module = module.clone();
    module.name = None;
    module.funcs.iter_mut().for_each(|func| func.name = None);
    let fail = |stage: &str, err: Error| -> ! { panic!("{stage}: {err}\n{what}") };
    let bytes = binary::write(&module).unwrap_or_else(|err| fail("write", err));
    let again = binary::read(&bytes).unwrap_or_else(|err| fail("read", err));
    let printed = print(&again);
    let parsed = text::parse(&printed).unwrap_or_else(|err| fail(&printed, err));
    let bytes_again = binary::write(&parsed).unwrap_or_else(|err| fail("write", err));
    assert!(bytes == bytes_again, "the module is another after a round trip\n{what}\n{printed}");
}

#[cfg(test)]
mod tests {
    use crate::fuzzing::replay::replay;
    use crate::rtt::text::tokens::Tokens;

    #[test]
    fn replayed() {
        replay(super::run, 1200, 400);
    }

    #[test]
    fn every_module_of_the_slides_survives_the_round_trip() {
        let mut count = 0;
        for script in super::SEEDS {
            let tokens = Tokens::new(script).unwrap();
            let mut cursor = tokens.cursor();
            while !cursor.is_empty() {
                if cursor.peek_form() == Some("module") {
                    super::text_module(cursor.text());
                    super::round_trip(&crate::rtt::text::parse(cursor.text()).unwrap(), cursor.text());
                    count += 1;
                }
                cursor.skip_form();
            }
        }
        assert!(count >= 9, "{count} modules");
    }
}
