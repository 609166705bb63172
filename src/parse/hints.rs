//! What a module's custom sections say of how it runs.
//!
//! | section | what it tells |
//! |---|---|
//! | `metadata.code.branch_hint` | whether a `br_if` or `if` is likely to see a condition other than zero |
//! | `metadata.code.call_targets` | which functions a `call_ref` or `call_indirect` reaches, in percent |
//! | `metadata.code.instr_freq` | how often a call is made while its function runs once |
//! | `metadata.code.compilation_priority` | that a function runs once, so that optimising it is not worth the time |
//!
//! Hints change nothing of what a program does. So one that is malformed is ignored, and the rest of its section with
//! it.
//!
//! What this is not: an order of compilation. Which functions to compile and to optimise first, which the priorities tell
//! too, is a question of engines that compile while a program runs; here all of a module is compiled before.
//!
//! Sources: `CodeMetadata.md` of the tool conventions; the branch hinting section of WebAssembly 3.0; `Overview.md` of
//! the compilation hints proposal.

use super::module::Module;
use crate::ir::{Frequencies, Frequency, LikelyTarget, LikelyTargets, SrcLoc};
use std::collections::{HashMap, HashSet};
use wasmparser::{BinaryReader, BranchHintSectionReader, Result};

/// The optimisation priority of a function that runs once.
const RUNS_ONCE: u32 = 127;

/// Hints by offset in the module, or by function.
#[derive(Default)]
pub struct Hints {
    branches: HashMap<u32, bool>,
    once: HashSet<u32>,
    /// Where calls lead.
    pub calls: LikelyTargets,
    /// How often they are made.
    pub frequencies: Frequencies,
}

impl Hints {
    /// Those in a module whose sections have all been read.
    pub fn of(module: &Module<'_>) -> Hints {
        let mut hints = Hints::default();
        let imported = module.imported_funcs();
        let start = |func: u32| {
            let body = module.bodies.get(func.checked_sub(imported)? as usize)?;
            u32::try_from(body.body.range().start).ok()
        };
        for (name, contents) in &module.customs {
            // The first hint that can not be read ends its section.
            let _ = match *name {
                "metadata.code.branch_hint" => hints.read_branches(contents, start),
                "metadata.code.call_targets" => hints.read_calls(contents, start),
                "metadata.code.instr_freq" => hints.read_frequencies(contents, start),
                "metadata.code.compilation_priority" => hints.read_priorities(contents),
                _ => continue,
            };
        }
        hints
    }

    /// Whether the condition of the branch at an offset is likely to be other than zero.
    pub fn branch(&self, loc: SrcLoc) -> Option<bool> {
        self.branches.get(&loc.0).copied()
    }

    /// Whether a function, by its index in the module, runs no more than once.
    pub fn runs_once(&self, func: u32) -> bool {
        self.once.contains(&func)
    }

    fn read_branches(&mut self, contents: &[u8], start: impl Fn(u32) -> Option<u32>) -> Result<()> {
        for func in BranchHintSectionReader::new(BinaryReader::new(contents, 0))? {
            let func = func?;
            let Some(start) = start(func.func) else { continue };
            for hint in func.hints {
                let hint = hint?;
                self.branches.insert(start.saturating_add(hint.func_offset), hint.taken);
            }
        }
        Ok(())
    }

    fn read_calls(&mut self, contents: &[u8], start: impl Fn(u32) -> Option<u32>) -> Result<()> {
        each_place(contents, start, |offset, mut payload| {
            let mut targets = Vec::new();
            while !payload.eof() {
                targets.push(LikelyTarget { func: payload.read_var_u32()?, percent: payload.read_var_u32()? });
            }
            self.calls.insert(offset, targets);
            Ok(())
        })
    }

    fn read_frequencies(&mut self, contents: &[u8], start: impl Fn(u32) -> Option<u32>) -> Result<()> {
        each_place(contents, start, |offset, mut payload| {
            let frequency = match payload.read_u8()? {
                0 => Frequency::Never,
                127 => Frequency::Always,
                // A power of two, of which the middle is the zeroth.
                power => Frequency::Power(power.min(64) as i8 - 32),
            };
            self.frequencies.insert(offset, frequency);
            Ok(())
        })
    }

    fn read_priorities(&mut self, contents: &[u8]) -> Result<()> {
        each(contents, |func, offset, mut payload| {
            payload.read_var_u32()?;
            // What is said at another place than its begin is not said of the function. The second number need not be there.
            if offset == 0 && !payload.eof() && payload.read_var_u32()? == RUNS_ONCE {
                self.once.insert(func);
            }
            Ok(())
        })
    }
}

/// Calls `read` with what a section of code metadata says of each place: its offset in the module, and the payload.
fn each_place<'a>(
    contents: &'a [u8],
    start: impl Fn(u32) -> Option<u32>,
    mut read: impl FnMut(u32, BinaryReader<'a>) -> Result<()>,
) -> Result<()> {
    each(contents, |func, offset, payload| {
        start(func).map_or(Ok(()), |start| read(start.saturating_add(offset), payload))
    })
}

/// Calls `read` with what a section of code metadata says: the function, the offset in its body, and the payload.
fn each<'a>(contents: &'a [u8], mut read: impl FnMut(u32, u32, BinaryReader<'a>) -> Result<()>) -> Result<()> {
    let mut reader = BinaryReader::new(contents, 0);
    for _ in 0..reader.read_var_u32()? {
        let func = reader.read_var_u32()?;
        for _ in 0..reader.read_var_u32()? {
            let offset = reader.read_var_u32()?;
            let size = reader.read_var_u32()? as usize;
            read(func, offset, BinaryReader::new(reader.read_bytes(size)?, 0))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TypeRegistry;
    use wasmparser::WasmFeatures;

    /// A module with an `if` and a `call_indirect` in its second function, and sections behind it.
    fn hints(sections: &[(&str, &[u8])]) -> (Hints, [SrcLoc; 2]) {
        let mut wasm = wat::parse_str(
            r#"(module
                (import "" "" (func))
                (type $f (func))
                (table 1 funcref)
                (func)
                (func (param i32)
                    (if (local.get 0) (then (call_indirect (type $f) (local.get 0))))))"#,
        )
        .unwrap();
        for (name, contents) in sections {
            wasm_encoder::Section::append_to(
                &wasm_encoder::CustomSection { name: (*name).into(), data: (*contents).into() },
                &mut wasm,
            );
        }
        let module = Module::parse(&wasm, WasmFeatures::WASM3, &TypeRegistry::new()).unwrap();
        let start = module.bodies[1].body.range().start as u32;
        // Behind the count of locals: local.get, if and its type, local.get, call_indirect.
        (Hints::of(&module), [SrcLoc(start + 3), SrcLoc(start + 7)])
    }

    #[test]
    fn hints_are_found_by_the_place_of_their_operators() {
        let (hints, [branch, call]) = hints(&[
            ("metadata.code.branch_hint", &[1, 2, 1, 3, 1, 1]),
            ("metadata.code.call_targets", &[1, 2, 1, 7, 4, 1, 20, 0, 80]),
            ("metadata.code.instr_freq", &[1, 2, 2, 3, 1, 0, 7, 1, 36]),
        ]);
        assert_eq!((hints.branch(branch), hints.branch(call)), (Some(true), None));
        let target = |func, percent| LikelyTarget { func, percent };
        assert_eq!(hints.calls.at(call), [target(0, 80), target(1, 20)]);
        assert!(hints.calls.at(branch).is_empty());
        let frequencies = [branch, call].map(|at| hints.frequencies.at(at));
        assert_eq!(frequencies, [Some(Frequency::Never), Some(Frequency::Power(4))]);
    }

    #[test]
    fn a_function_that_runs_once_is_told_by_the_second_priority() {
        // Of the functions 0 to 5: once; another priority; no second one; more than two numbers; at another place; cut off.
        let (hints, _) = hints(&[(
            "metadata.code.compilation_priority",
            &[
                6, 0, 1, 0, 2, 5, 127, 1, 1, 0, 2, 127, 5, 2, 1, 0, 1, 127, 3, 1, 0, 3, 1, 127, 9, 4, 1, 3, 2, 5, 127,
                5, 1, 0, 3, 5, 127,
            ],
        )]);
        assert_eq!([0, 1, 2, 3, 4, 5].map(|func| hints.runs_once(func)), [true, false, false, true, false, false]);
    }

    #[test]
    fn what_is_malformed_is_ignored_from_there_on() {
        // The second function with branches is cut off; the second call's payload is longer than the section, and a
        // third is of a function that there is not.
        let (hints, [branch, call]) = hints(&[
            ("metadata.code.branch_hint", &[2, 2, 1, 3, 1, 0, 3]),
            ("metadata.code.call_targets", &[2, 2, 2, 7, 2, 1, 100, 8, 200]),
            ("metadata.code.call_targets", &[1, 99, 1, 7, 2, 0, 100]),
            ("metadata.code.call_targets", &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
            // The second place has no frequency.
            ("metadata.code.instr_freq", &[1, 2, 2, 3, 1, 255, 7, 0]),
        ]);
        assert_eq!(hints.branch(branch), Some(false));
        assert_eq!(hints.calls.at(call), [LikelyTarget { func: 1, percent: 100 }]);
        let frequencies = [branch, call].map(|at| hints.frequencies.at(at));
        assert_eq!(frequencies, [Some(Frequency::Power(32)), None]);
    }
}
