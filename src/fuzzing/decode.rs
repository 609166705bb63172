//! Broken modules are refused, and nothing worse.
//!
//! An input is either the bytes of a module, or a list of edits of a module that is embedded here, so
//! that most of what is decoded is intact. A panic is a finding, and so is a module that passes
//! validation and is not lowered to a valid one, or into which intrinsics are linked so that it is invalid. Time and memory are bounded by the input's length.

use super::generate::Source;
use super::lower_valid::{is_core, lowered};
use crate::fault::Error;
use crate::intrinsics::{self, LinkOptions, Links};
use wasmparser::{Validator, WasmFeatures};

/// The longest input that is looked at.
const MOST: usize = 1 << 16;

/// Small modules that between them have every section and every family of operations.
const SEEDS: &[&str] = &[
    include_str!("../../examples/binary_trees.wat"),
    include_str!("../../examples/classes.wat"),
    include_str!("../../examples/linked_strings.wat"),
    include_str!("../intrinsics/component.wat"),
    include_str!("../../tests/lower/array.wat"),
    include_str!("../../tests/lower/call.wat"),
    include_str!("../../tests/lower/cast.wat"),
    include_str!("../../tests/lower/global_table.wat"),
    include_str!("../../tests/lower/i31.wat"),
    include_str!("../../tests/lower/roots.wat"),
    include_str!("../../tests/lower/struct.wat"),
];

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else { return };
    if rest.len() > MOST {
        return;
    }
    match SEEDS.get(usize::from(choice) % (SEEDS.len() + 1)) {
        Some(text) => match wat::parse_str(text) {
            Ok(wasm) => decode(&edited(wasm, &mut Source::new(rest))),
            Err(err) => panic!("a seed is no module: {err}\n{text}"),
        },
        None => decode(rest),
    }
}

/// Inputs that are whole modules.
#[cfg(test)]
pub fn seeds() -> Vec<Vec<u8>> {
    let whole = |wasm: Vec<u8>| [&[SEEDS.len() as u8], wasm.as_slice()].concat();
    SEEDS.iter().filter_map(|text| wat::parse_str(text).ok()).filter(|wasm| wasm.len() < 4000).map(whole).collect()
}

/// A module with some bytes changed, removed, repeated, or moved.
fn edited(mut wasm: Vec<u8>, s: &mut Source<'_>) -> Vec<u8> {
    for _ in 0..s.between(1, 6) {
        // Behind the magic number and the version.
        let at = s.below(wasm.len().max(9) - 8) + 8;
        let Some(byte) = wasm.get(at).copied() else { continue };
        match s.below(6) {
            0 => wasm[at] = byte ^ 1 << s.below(8),
            1 => wasm[at] = s.integer() as u8,
            2 => wasm[at] = byte.wrapping_add(1),
            3 => drop(wasm.remove(at)),
            4 => wasm.insert(at, s.integer() as u8),
            _ => {
                let len = s.below(12).min(wasm.len() - at);
                let from = s.below(wasm.len() - len);
                wasm.copy_within(from..from + len, at);
            }
        }
    }
    wasm
}

fn decode(wasm: &[u8]) {
    let valid = Validator::new_with_features(WasmFeatures::WASM3).validate_all(wasm).is_ok();
    for links in [Links::Own, Links::Program] {
        if let Err(err @ intrinsics::Error::Bug(_)) = intrinsics::link(wasm, &LinkOptions { checked: true, links }) {
            panic!("linking: {err}, valid: {valid}\n{}", hex(wasm));
        }
    }
    for opt_level in [0, 2] {
        match lowered(wasm, opt_level, false) {
            Ok(Some(lowered)) => {
                if let (true, Err(what)) = (valid, is_core(&lowered)) {
                    panic!("{what}, opt_level {opt_level}\n{}", hex(wasm));
                }
                assert!(valid, "an invalid module was lowered, opt_level {opt_level}\n{}", hex(wasm));
            }
            // Left as it is: the engine validates it.
            Ok(None) => {}
            Err(err @ Error::Bug(_)) => panic!("{err}, opt_level {opt_level}, valid: {valid}\n{}", hex(wasm)),
            Err(_) => {}
        }
    }
}

fn hex(wasm: &[u8]) -> String {
    wasm.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use crate::fuzzing::replay::replay;

    #[test]
    fn replayed() {
        replay(super::run, 1500, 400);
    }
}
