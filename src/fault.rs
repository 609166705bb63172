//! Errors of the compiler: what is wrong, where, and what to do.
//!
//! Traps of running code are not here (see `runtime/trap.rs`), nor are the embedder's own errors.

use thiserror::Error;

/// Why a module was not compiled.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The module is not valid WebAssembly, or uses a feature that is switched off.
    #[error("{message} (at offset {offset:#x})")]
    Invalid {
        /// Byte offset in the module.
        offset: usize,
        /// What the validator found.
        message: String,
    },
    /// The body of a function is not valid, or uses a feature that is switched off. Only errors of `Module` tell this
    /// from [`Error::Invalid`].
    #[error("Invalid input WebAssembly code at offset {offset}: {message}")]
    InvalidCode {
        /// Byte offset in the module.
        offset: usize,
        /// What the validator found.
        message: String,
    },
    /// The module is valid, but asks for something that is not supported.
    #[error("unsupported: {feature} (at offset {offset:#x}); {remedy}")]
    Unsupported {
        /// Byte offset in the module.
        offset: usize,
        /// What is not supported.
        feature: String,
        /// What the author of the module can do.
        remedy: &'static str,
    },
    /// A function or type section is so large that compiling it would take unreasonable time or
    /// memory.
    #[error("function {func} is too complex: {what}")]
    TooComplex {
        /// Index of the function.
        func: u32,
        /// Which limit it exceeds.
        what: String,
    },
    /// The engine can not hold more types.
    #[error(transparent)]
    Types(#[from] crate::types::TypesError),
    /// A defect of this crate. Please report it.
    #[error("internal error in wasmtime-gc: {0}; please report this as a bug")]
    Bug(String),
}

impl Error {
    /// A defect of this crate that was found out.
    #[cold]
    pub(crate) fn bug(what: impl Into<String>) -> Error {
        Error::Bug(what.into())
    }
}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(err: wasmparser::BinaryReaderError) -> Error {
        Error::Invalid { offset: err.offset(), message: err.message().to_string() }
    }
}

/// The result of compiling.
pub type Result<T, E = Error> = std::result::Result<T, E>;
