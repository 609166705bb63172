//! Options that a component has no use for, and so must not be thought to have.
//!
//! A flag that is switched off asks for nothing, and is let through.

use crate::api::{Dialect, Result};
use crate::cli::run::RunCommand;
use crate::cli::settings::{Settings, UnknownImports};
use wasmtime::bail;

/// Options of the heap, of lowered code, and of both for modules.
const OF_HEAP: [(char, &str); 13] = [
    ('S', "gc"),
    ('O', "gc-nursery-size"),
    ('O', "gc-max-heap-size"),
    ('O', "gc-growth-factor"),
    ('O', "gc-growth-minimum"),
    ('O', "gc-incremental"),
    ('O', "gc-threads"),
    ('D', "gc-zeal"),
    ('D', "gc-verify"),
    ('D', "gc-check-roots"),
    ('D', "gc-passes"),
    ('D', "gc-stats"),
    ('D', "explicit-null-checks"),
];

/// Proposals that only lowering understands.
const OF_LOWERING: [(char, &str); 2] = [('W', "custom-descriptors"), ('W', "legacy-exceptions")];

/// Refuses options of `run` that a component has no use for.
pub(super) fn check(command: &RunCommand, settings: &Settings) -> Result<()> {
    check_options(settings)?;
    if !command.preloads.is_empty() {
        bail!(
            "`--preload` is for modules, and this is a component: compose it with what it imports before, as `wac` and \
             `wasm-tools compose` do"
        );
    }
    if command.profile_calls.is_some() {
        bail!("`--profile-calls` is for modules that are lowered, and components are not; leave it out");
    }
    if settings.unknown_imports == UnknownImports::Default {
        bail!(
            "`-W unknown-imports-default` is for modules: types of components have no default values; \
             `-W unknown-imports-trap` is for both"
        );
    }
    if settings.unknown_exports {
        bail!(
            "`-W unknown-exports-allow` is for modules that `--preload` names, and components have none; leave it out"
        );
    }
    Ok(())
}

/// Refuses options of every command that a component has no use for.
pub(super) fn check_options(settings: &Settings) -> Result<()> {
    if settings.dialect != Dialect::Standard {
        bail!("this is a component, and the explicit-RTT dialect has none; run it without `--dialect`");
    }
    if !settings.call_profiles.is_empty() {
        bail!("a profile of calls is for modules that are lowered, and components are not; leave it out");
    }
    for option in &settings.asked {
        let (letter, name) = option;
        if OF_LOWERING.contains(option) {
            bail!("`-{letter} {name}` is for modules that are lowered, and Wasmtime compiles components; leave it out");
        }
        if OF_HEAP.contains(option) {
            bail!(
                "`-{letter} {name}` is about the heap of lowered modules. Components run as Wasmtime compiles them, on its own \
                 collector, for which there are `-C collector` and `-W max-memory-size`; leave it out"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tables::{DEBUG, OPTIMIZE, WASI, WASM};

    #[test]
    fn options_are_there() {
        let groups = [&DEBUG, &OPTIMIZE, &WASI, &WASM];
        let all: Vec<_> = groups.iter().flat_map(|of| of.entries.iter().map(|entry| (of.letter, entry.name))).collect();
        for option in OF_HEAP.iter().chain(&OF_LOWERING) {
            assert!(all.contains(option), "{option:?}");
        }
        // The names of options of Wasmtime's own heap begin in another way.
        let ours = |name: &str| name.starts_with("gc-") && !name.starts_with("gc-heap-") && name != "gc-support";
        for option in all.iter().filter(|option| ours(option.1)) {
            assert!(OF_HEAP.contains(option), "{option:?}");
        }
    }
}
