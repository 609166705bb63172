//! Why intrinsics can not be linked into a program.

use thiserror::Error;

/// Why intrinsics can not be linked into a program.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The program is not valid WebAssembly.
    #[error("{message} (at offset {offset:#x})")]
    Invalid {
        /// Byte offset in the program.
        offset: usize,
        /// What the validator found.
        message: String,
    },
    /// The program is an object file.
    #[error("the program is an object file: link it with `wasm-ld` first, then link the intrinsics into the result")]
    Object,
    /// The program asks for an intrinsic that does not exist.
    #[error("unknown intrinsic `{module}`: there are {known}")]
    UnknownModule {
        /// What the program imports from.
        module: String,
        /// What there is.
        known: &'static str,
    },
    /// The program asks for an operation that the intrinsic does not have.
    #[error("`{module}` has no `{name}`: it has {known}")]
    UnknownName {
        /// What the program imports from.
        module: String,
        /// What it imports.
        name: String,
        /// What there is.
        known: String,
    },
    /// The program expects an operation with another type.
    #[error("`{module}` `{name}` is imported with a type that it does not have: {remedy}")]
    Type {
        /// What the program imports from.
        module: String,
        /// What it imports.
        name: String,
        /// What the type has to be.
        remedy: String,
    },
    /// Links are to live in the program's memory, and it has none that can hold them.
    #[error("links can not live in the program's memory: {why}; give them one of their own with `--links=own`")]
    Memory {
        /// What is wrong with the memory.
        why: &'static str,
    },
    /// The program has so much that nothing can be added.
    #[error("with the intrinsics the program has more than {most} {what}, and no engine has to take more")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How much there can be.
        most: u32,
    },
    /// A defect of this crate. Please report it.
    #[error("internal error in wasmtime-gc: {0}; please report this as a bug")]
    Bug(String),
}

impl Error {
    /// A defect of this crate that was found out.
    #[cold]
    pub(super) fn bug(what: impl Into<String>) -> Error {
        Error::Bug(what.into())
    }
}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(err: wasmparser::BinaryReaderError) -> Error {
        Error::Invalid { offset: err.offset(), message: err.message().to_string() }
    }
}

impl From<wasm_encoder::reencode::Error<Error>> for Error {
    fn from(err: wasm_encoder::reencode::Error<Error>) -> Error {
        match err {
            wasm_encoder::reencode::Error::ParseError(err) => err.into(),
            wasm_encoder::reencode::Error::UserError(err) => err,
            other => Error::bug(format!("a valid module can not be encoded again: {other}")),
        }
    }
}

impl From<wasm_encoder::reencode::Error> for Error {
    fn from(err: wasm_encoder::reencode::Error) -> Error {
        Error::bug(format!("a type can not be encoded again: {err}"))
    }
}

/// The result of linking.
pub type Result<T, E = Error> = std::result::Result<T, E>;
