//! Linking intrinsics into a module changes nothing else.
//!
//! A module of `generate/` gets imports of intrinsics among its own, so that every function moves, and functions that
//! use them. Linked, it has to do what it did without: results, traps, numeric globals and memories must agree. That
//! the intrinsics do what they should is for `side_table.rs` to say; here they only have to be in the way.

use super::differential::{self, Plan, Setup, Tally};
use super::generate::{self, Exceptions, Options, Source};
use crate::intrinsics::{LinkOptions, Links, link};

/// Imports of intrinsics.
const IMPORTS: [&str; 6] = [
    r#"(import "wasmtime-gc:side-table" "size" (func $wgc0 (result i32)))"#,
    r#"(import "wasmtime-gc:side-table/fast#a" "intern" (func $wgc1 (param anyref) (result i32)))"#,
    r#"(import "wasmtime-gc:side-table/fast#a" "get" (func $wgc2 (param i32) (result anyref)))"#,
    r#"(import "wasmtime-gc:objects" "alloc" (func $wgc3 (param i32 i32) (result externref)))"#,
    r#"(import "wasmtime-gc:side-table" "release" (func $wgc4 (param i32)))"#,
    r#"(import "wasmtime-gc:side-table#f" "intern" (func $wgc5 (param funcref) (result i32)))"#,
];

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    examine(data);
}

fn examine(data: &[u8]) -> Tally {
    let mut source = Source::new(data);
    let setup = differential::setup(&mut source);
    let plan = differential::plan(&mut source);
    let links = if source.chance(50) { Links::Own } else { Links::Program };
    let chosen: Vec<usize> = (0..source.between(1, 6)).map(|_| source.below(IMPORTS.len())).collect();
    let options = differential::options(&mut source);
    let text = generate::module(&mut source, Options { exceptions: Exceptions::All, ..options });
    let mixed = mixed(&text, &chosen);
    let wasm = wat::parse_str(&mixed).unwrap_or_else(|err| panic!("the imports do not fit: {err}\n{mixed}"));
    let linked = match link(&wasm, &LinkOptions { checked: true, links }) {
        Ok(Some(linked)) => linked.wasm,
        // Not each module has a memory for the links.
        Err(crate::intrinsics::Error::Memory { .. }) => return Tally::default(),
        other => panic!("{other:?}\n{mixed}"),
    };
    let plain = generate::binary(&text);
    let (expected, found) = (drive(&setup, &plan, &plain), drive(&setup, &plan, &linked));
    differential::compare(&expected, &found).unwrap_or_else(|what| panic!("{what}\n{setup:?}\n{mixed}"))
}

/// The module with imports before, among and behind its own.
fn mixed(text: &str, chosen: &[usize]) -> String {
    let mut chosen: Vec<usize> = chosen.to_vec();
    chosen.sort_unstable();
    chosen.dedup();
    let mut mixed = String::with_capacity(text.len() + 1000);
    for line in text.lines() {
        if line.trim_start().starts_with("(import \"host\"")
            && let Some(index) = chosen.pop()
        {
            mixed.push_str(IMPORTS[index]);
            mixed.push('\n');
        }
        // Behind the last import.
        if line.trim_start().starts_with("(memory $m0") {
            for index in chosen.drain(..) {
                mixed.push_str(IMPORTS[index]);
                mixed.push('\n');
            }
        }
        mixed.push_str(line);
        mixed.push('\n');
    }
    mixed
}

fn drive(setup: &Setup, plan: &Plan, wasm: &[u8]) -> Vec<differential::Step> {
    let engine = differential::our_engine(setup).unwrap_or_else(|err| panic!("no engine: {err:?}"));
    differential::drive_lowered(&engine, wasm, plan)
}

#[cfg(test)]
mod tests {
    use super::examine;
    use crate::fuzzing::replay::{input, replay};

    #[test]
    fn replayed() {
        replay(super::run, 60, 3000);
    }

    /// Two modules that both fail would agree.
    #[test]
    fn some_calls_give_values() {
        let tallies = (2000..2030).map(|seed| examine(&input(seed, 3000)));
        let (values, inconclusive) = tallies.fold((0, 0), |sum, t| (sum.0 + t.values, sum.1 + t.inconclusive));
        assert!(values > 0 && inconclusive < 10, "{values} {inconclusive}");
    }
}
