//! Each pass of the optimiser alone, and all others without it, do what stock Wasmtime does.
//!
//! A module of `generate/` runs as in `differential.rs`, on stock Wasmtime and lowered, but of the optimiser's passes
//! only one runs, and then all but that one. Which one is the input's choice. A pass that is only right because
//! another has run before it, or that hides what another does wrong, is a finding.

use super::differential::{self, Tally};
use super::generate::{self, Exceptions, Source};
use crate::lower::Passes;

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    examine(data);
}

fn examine(data: &[u8]) -> Tally {
    let mut source = Source::new(data);
    let setup = differential::setup(&mut source).optimized();
    let plan = differential::plan(&mut source);
    let pass = source.pick(Passes::names()).unwrap_or("inline");
    let mut options = differential::options(&mut source);
    options.exceptions = source.weighted(&[(4, Exceptions::None), (1, Exceptions::All)]);
    let text = generate::module(&mut source, options);
    let wasm = generate::binary(&text);
    let expected = differential::drive_native(&setup, &wasm, &plan);
    let mut tally = Tally::default();
    for passes in [format!("none+{pass}"), format!("all-{pass}")] {
        let engine = differential::engine_with(&setup, &passes).unwrap_or_else(|err| panic!("no engine: {err:?}"));
        let found = differential::drive_lowered(&engine, &wasm, &plan);
        tally = differential::compare(&expected, &found)
            .unwrap_or_else(|what| panic!("{passes}: {what}\n{setup:?}\n{text}"));
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::examine;
    use crate::fuzzing::replay::{input, replay};

    #[test]
    fn replayed() {
        replay(super::run, 60, 3000);
    }

    /// Modules of which nothing is left to compare would agree.
    #[test]
    fn most_calls_give_values() {
        let tallies = (1000..1020).map(|seed| examine(&input(seed, 3000)));
        let (values, inconclusive) = tallies.fold((0, 0), |sum, t| (sum.0 + t.values, sum.1 + t.inconclusive));
        assert!(values > 20 && inconclusive < 5, "{values} {inconclusive}");
    }
}
