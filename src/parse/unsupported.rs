//! Features that are valid WebAssembly, yet refused: what they are called, and what to do instead.
//!
//! What this is not: the switches of features. Those are `WasmFeatures`, and `wasmparser` has its own
//! words for a feature that is off.

use crate::fault::Error;
use wasmparser::Operator;

/// A feature that is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Feature {
    Components,
    Continuations,
    HugeModule,
    Shared,
}

impl Feature {
    /// The error for a use of it.
    #[cold]
    pub(super) fn at(self, offset: usize) -> Error {
        let (feature, remedy) = match self {
            Feature::Components => ("components", "extract the core module and compile that"),
            Feature::Continuations => ("stack switching", "build the module without continuations"),
            Feature::HugeModule => ("modules of 4 GiB and more", "split the module"),
            Feature::Shared => ("shared references, globals and tables", "build the module without shared types"),
        };
        Error::Unsupported { offset, feature: feature.to_string(), remedy }
    }
}

/// How much an operator asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// Every engine has it.
    Core,
    /// The GC proposal added it.
    Gc,
    /// Exceptions, of the standard or of before.
    Exn,
    /// It is refused.
    Refused(Feature),
}

macro_rules! class_of_proposal {
    (gc) => {
        Class::Gc
    };
    (custom_descriptors) => {
        Class::Gc
    };
    (exceptions) => {
        Class::Exn
    };
    (legacy_exceptions) => {
        Class::Exn
    };
    (shared_everything_threads) => {
        Class::Refused(Feature::Shared)
    };
    (stack_switching) => {
        Class::Refused(Feature::Continuations)
    };
    ($other:ident) => {
        Class::Core
    };
}

/// Classifies an operator by the proposal that it comes from.
pub(super) fn class(op: &Operator<'_>) -> Class {
    macro_rules! class {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* $(,)? })? => $visit:ident ($($ann:tt)*))*) => {
            match op {
                $( Operator::$op { .. } => class_of_proposal!($proposal), )*
                _ => Class::Core,
            }
        };
    }
    wasmparser::for_each_operator!(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_classified_by_proposal() {
        assert_eq!(class(&Operator::I32Add), Class::Core);
        assert_eq!(class(&Operator::RefEq), Class::Gc);
        assert_eq!(class(&Operator::ThrowRef), Class::Exn);
        assert_eq!(class(&Operator::CatchAll), Class::Exn);
        assert_eq!(class(&Operator::RefI31Shared), Class::Refused(Feature::Shared));
    }
}
