//! What a script calls a failure, and what it is here.
//!
//! The specification's scripts name traps by the messages of its reference interpreter. They are
//! compared by trap code, so that `null array reference` and a cast failure can never pass for one
//! another, and not by the wording. As in the test suite's own convention, the expected text is a
//! prefix of the reference message. Any other text is looked for in the error's own message, as Wasmtime does; so scripts
//! written for it pass, and the empty text stands for any failure of the kind.

use crate::api::{Error, Trap};

/// Trap codes by the reference interpreter's messages. The first row that a text begins with counts.
const TRAPS: &[(&str, &[Trap])] = &[
    ("unreachable", &[Trap::UnreachableCodeReached]),
    ("integer divide by zero", &[Trap::IntegerDivisionByZero]),
    ("integer overflow", &[Trap::IntegerOverflow]),
    ("invalid conversion to integer", &[Trap::BadConversionToInteger]),
    ("out of bounds memory access", &[Trap::MemoryOutOfBounds]),
    ("out of bounds table access", &[Trap::TableOutOfBounds]),
    ("out of bounds array access", &[Trap::ArrayOutOfBounds]),
    ("undefined element", &[Trap::TableOutOfBounds]),
    ("uninitialized element", &[Trap::IndirectCallToNull]),
    ("indirect call type mismatch", &[Trap::BadSignature]),
    ("indirect call", &[Trap::BadSignature]),
    ("null reference", &[Trap::NullReference]),
    ("null function", &[Trap::NullReference]),
    ("null structure reference", &[Trap::NullReference]),
    ("null array reference", &[Trap::NullReference]),
    ("null i31 reference", &[Trap::NullReference]),
    ("null exception reference", &[Trap::NullReference]),
    ("null descriptor reference", &[Trap::NullReference]),
    // What scripts of older drafts say.
    ("null array", &[Trap::NullReference]),
    ("null structure", &[Trap::NullReference]),
    ("out of bounds", &[Trap::MemoryOutOfBounds, Trap::TableOutOfBounds, Trap::ArrayOutOfBounds]),
    ("undefined", &[Trap::TableOutOfBounds]),
    ("uninitialized", &[Trap::IndirectCallToNull]),
    ("cast failure", &[Trap::CastFailure]),
    ("descriptor cast failure", &[Trap::CastFailure]),
    ("call stack exhausted", &[Trap::StackOverflow]),
    ("allocation size too large", &[Trap::AllocationTooLarge]),
    // What options of the command cause.
    ("interrupt", &[Trap::Interrupt]),
    ("all fuel consumed", &[Trap::OutOfFuel]),
    ("unaligned atomic", &[Trap::HeapMisaligned]),
    ("expected shared memory", &[Trap::AtomicWaitNonSharedMemory]),
];

/// Messages of linking: the script's, and what ours contains.
const LINKING: &[(&str, &str)] =
    &[("unknown import", "unknown import"), ("incompatible import type", "incompatible import type")];

/// Checks that an error is the trap that a script expects.
pub(super) fn expect_trap(err: &Error, expected: &str) -> Result<(), String> {
    let codes: Vec<Trap> = match TRAPS.iter().find(|(text, _)| expected.starts_with(text)) {
        Some((_, codes)) => codes.to_vec(),
        // A part of a message stands for all that begin so.
        None => {
            TRAPS.iter().filter(|(text, _)| text.starts_with(expected)).flat_map(|(_, codes)| *codes).copied().collect()
        }
    };
    match err.downcast_ref::<Trap>() {
        _ if codes.is_empty() || expected.is_empty() => contains(err, "trap", expected),
        Some(trap) if codes.contains(trap) => Ok(()),
        Some(trap) => Err(format!("expected trap `{expected}`, got `{trap}`")),
        None => Err(format!("expected trap `{expected}`, got error `{err:#}`")),
    }
}

/// Checks that an error is the failure to link that a script expects.
pub(super) fn expect_unlinkable(err: &Error, expected: &str) -> Result<(), String> {
    // What follows the message of the specification is Wasmtime's: the import, say.
    let known =
        LINKING.iter().find(|(text, _)| *text == expected || !expected.is_empty() && text.starts_with(expected));
    match known {
        Some(_) if err.is::<Trap>() => Err(format!("expected link error `{expected}`, got `{err:#}`")),
        Some((_, ours)) => contains(err, "link error", ours),
        None => contains(err, "link error", expected),
    }
}

/// Checks that the message of an error has a text in it.
fn contains(err: &Error, kind: &str, expected: &str) -> Result<(), String> {
    let message = format!("{err:#}");
    match message.contains(expected) {
        true => Ok(()),
        false => Err(format!("expected {kind} `{expected}`, got `{message}`")),
    }
}

/// Checks that an error says that a module is malformed or not valid, and nothing else.
pub(super) fn expect_invalid(err: &Error) -> Result<(), String> {
    match err.downcast_ref::<crate::fault::Error>() {
        None | Some(crate::fault::Error::Invalid { .. } | crate::fault::Error::InvalidCode { .. }) => Ok(()),
        Some(other) => Err(format!("expected the module to be invalid, got `{other}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart() {
        let trap = Error::from(Trap::CastFailure);
        assert_eq!(expect_trap(&trap, "cast failure"), Ok(()));
        assert_eq!(expect_trap(&trap, "cast"), Ok(()));
        assert!(expect_trap(&trap, "null reference").is_err());
        assert!(expect_trap(&trap, "null").is_err());
        assert!(expect_trap(&trap, "something new").is_err());
        assert_eq!(expect_trap(&trap, "wasm trap: cast failure"), Ok(()));
        assert_eq!(expect_trap(&Error::from(Trap::BadSignature), "call type mismatch"), Ok(()));
        assert_eq!(expect_trap(&trap, ""), Ok(()));
        assert!(expect_trap(&wasmtime::format_err!("cast failure"), "cast failure").is_err());
    }

    #[test]
    fn linking_is_not_a_trap() {
        let link = wasmtime::format_err!("unknown import: `a::b` has not been defined");
        assert_eq!(expect_unlinkable(&link, "unknown import"), Ok(()));
        assert_eq!(expect_unlinkable(&link, "unknown"), Ok(()));
        assert_eq!(expect_unlinkable(&link, "unknown import: `a::b`"), Ok(()));
        assert!(expect_unlinkable(&link, "unknown import: `a::c`").is_err());
        assert!(expect_unlinkable(&link, "incompatible import type").is_err());
        assert!(expect_unlinkable(&Error::from(Trap::CastFailure), "unknown import").is_err());
        assert_eq!(expect_unlinkable(&Error::from(Trap::MemoryOutOfBounds), "out of bounds memory access"), Ok(()));
    }

    #[test]
    fn a_bug_is_not_an_invalid_module() {
        let invalid = crate::fault::Error::Invalid { offset: 0, message: "type mismatch".to_string() };
        assert_eq!(expect_invalid(&Error::from(invalid)), Ok(()));
        assert!(expect_invalid(&Error::from(crate::fault::Error::Bug(String::new()))).is_err());
    }
}
