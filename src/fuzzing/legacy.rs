//! The exceptions of before the standard do what those of the standard do.
//!
//! A module of `generate/` is rendered twice from the same decisions: with `try_table` and `throw_ref`, and with
//! `try`, `catch`, `delegate` and `rethrow`. Wasmtime refuses the second, so both run lowered, and results, traps,
//! numeric globals and memories must agree. That the first is right is for `differential.rs` to say.

use super::differential::{self, Plan, Setup, Tally};
use super::generate::{self, Exceptions, Options, Source};

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    examine(data);
}

fn examine(data: &[u8]) -> Tally {
    let mut source = Source::new(data);
    let setup = differential::setup(&mut source);
    let plan = differential::plan(&mut source);
    let options = differential::options(&mut source);
    let at = data.len() - source.left();
    let text = |exceptions| {
        let mut source = Source::new(data.get(at..).unwrap_or_default());
        generate::module(&mut source, Options { exceptions, ..options })
    };
    let (standard, legacy) = (text(Exceptions::Common), text(Exceptions::Legacy));
    let (expected, found) = (drive(&setup, &plan, &standard), drive(&setup, &plan, &legacy));
    differential::compare(&expected, &found).unwrap_or_else(|what| panic!("{what}\n{setup:?}\n{standard}\n{legacy}"))
}

fn drive(setup: &Setup, plan: &Plan, text: &str) -> Vec<differential::Step> {
    let wasm = generate::binary(text);
    let engine = differential::our_engine(setup).unwrap_or_else(|err| panic!("no engine: {err:?}"));
    differential::drive_lowered(&engine, &wasm, plan)
}

#[cfg(test)]
mod tests {
    use super::examine;
    use crate::fuzzing::replay::{input, replay};

    #[test]
    fn replayed() {
        replay(super::run, 60, 3000);
    }

    /// Two renderings that both fail to compile, or throw nothing, would agree.
    #[test]
    fn some_calls_catch() {
        let tallies = (1000..1040).map(|seed| examine(&input(seed, 3000)));
        let (values, catches, inconclusive) =
            tallies.fold((0, 0, 0), |sum, t| (sum.0 + t.values, sum.1 + t.catches, sum.2 + t.inconclusive));
        assert!(values > 0 && catches > 0 && inconclusive < 10, "{values} {catches} {inconclusive}");
    }
}
