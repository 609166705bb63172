//! Holds what `probes/` see with this crate against what they see with Wasmtime.
//!
//! The lines that may differ are listed here with the reason, as few as there can be; one that no longer differs has
//! to go.

use super::{ours, theirs};

/// A line of a probe that is another here than with Wasmtime: the probe, how the line begins here, and why.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("traps", "frames: None", UNCAUGHT),
    ("traps", "throw: error: thrown Wasm exception [None] [thrown]", UNCAUGHT),
    ("exceptions", "thrower let: error: thrown Wasm exception [None] [thrown]", UNCAUGHT),
    ("exceptions", "thrower throw: error: thrown Wasm exception [None] [thrown]", UNCAUGHT),
    ("exceptions", "foreign throw: error: thrown Wasm exception [None] [thrown]", UNCAUGHT),
    ("modules", "no file: error: failed to read from", "the cause is told, too"),
    ("modules", "(component): error: failed to parse", "the remedy is told, too"),
    ("linkers", "defaults: error: no default value exists for `x::r` with type", DEBUG_FORM),
    ("linkers", "which: Some((\"x\", \"y\", ", DEBUG_FORM),
    ("limits", "grow 1: error: error while executing at wasm backtrace:", ENGINES_OWN),
    ("limits", "table_grow 1: error: error while executing at wasm backtrace:", ENGINES_OWN),
    ("limits", "funcs_grow 1: error: error while executing at wasm backtrace:", ENGINES_OWN),
];

const DEBUG_FORM: &str = "the debug form of a defined type is another";

const ENGINES_OWN: &str =
    "the engine's own backtrace can not be taken out of the error of a limiter that forces a trap";

const UNCAUGHT: &str = "an exception has left its frames behind before anybody knows that nobody catches it";

/// What Wasmtime 48 says wrongly, in its words and in the right ones.
const SLIPS: &[(&str, &str)] = &[
    ("(ref null nofunc)", "(ref null noextern)"),
    ("found (ref null extern)", "found (ref extern)"),
    ("type: \"(ref null extern)\"", "type: \"(ref extern)\""),
    ("found (ref null none)", "found (ref null noexn)"),
];

/// Whether lines are the same but for such slips.
fn same(our: &str, their: &str) -> bool {
    our == their || SLIPS.iter().any(|(slip, right)| their.replace(slip, right) == our)
}

/// Both lists, line by line.
fn compare(probe: &str, ours: &[String], theirs: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut used = vec![];
    for (i, (our, their)) in ours.iter().zip(theirs).enumerate() {
        if same(our, their) {
            continue;
        }
        match DIFFERENT.iter().position(|(of, start, _)| *of == probe && our.starts_with(start)) {
            Some(known) => used.push(known),
            None => wrong.push(format!("{probe}, line {i}\n  here:     {our}\n  Wasmtime: {their}")),
        }
    }
    if ours.len() != theirs.len() {
        wrong.push(format!("{probe}: {} lines here, {} with Wasmtime", ours.len(), theirs.len()));
    }
    for (known, (of, start, reason)) in DIFFERENT.iter().enumerate() {
        if *of == probe && !used.contains(&known) {
            wrong.push(format!("{probe}: `{start}` is the same now; it was another because {reason}"));
        }
    }
    wrong
}

macro_rules! probes {
    ($($file:ident: $($(#[$meta:meta])* $probe:ident)*;)*) => {
        $($(
            $(#[$meta])*
            #[test]
            fn $probe() {
                let (mut here, mut there) = (ours::probes::Log::default(), theirs::probes::Log::default());
                ours::probes::$file::$probe(&mut here);
                theirs::probes::$file::$probe(&mut there);
                assert!(!here.0.is_empty());
                let wrong = compare(stringify!($probe), &here.0, &there.0);
                assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
            }
        )*)*
    };
}

probes! {
    debugging: steps refs faults thrown breakpoints insides mixed;
    epochs: callbacks frames fuel_of_tables;
    errors: modules features imports subtypes linkers;
    entities: calls hosts globals tables memories;
    guests: traps conditional_traps limits exceptions #[cfg(feature = "call-hook")] hooks callers;
    objects: structs arrays references;
    settings: configs backtraces compiled;
    strangers: functions items engines;
    types: heaps values defined;
}
