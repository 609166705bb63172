//! The explicit-RTT dialect: the GC proposal as it was from 2018 to 2021, on slides and in documents.
//!
//! A module of the dialect becomes what `parse` makes of a module of today, with a few operations more; everything
//! behind that is shared.
//!
//! ```text
//! text ──text──▶ ast ◀──binary── bytes
//!                 │ structural: which types are equal, which below which
//!                 │ erase: types as the engine knows types
//!                 ▼ check: validation, and bodies in operators and intrinsics
//!             parse::Module ──▶ lower
//! ```
//!
//! | file | idea |
//! |---|---|
//! | `ast.rs` | a module with its names resolved |
//! | `text/` | the text front end |
//! | `binary/` | the binary front end, and the encoder |
//! | `print.rs` | a module as text |
//! | `plain.rs` | instructions that are those of the standard |
//! | `structural.rs` | equality, digests and subtyping of types by structure |
//! | `erase.rs` | types as the rest of the crate has them |
//! | `link.rs` | type imports and exports |
//! | `check/` | the validator, which writes bodies anew as it goes |
//!
//! What it is not: a second compiler. Choices are listed in `docs/rtt.md`.

#![forbid(unsafe_code)]

pub mod ast;
pub mod binary;
mod check;
pub mod erase;
pub mod link;
mod plain;
mod print;
mod structural;
pub mod text;

pub use check::Checked;
pub use print::print;

use crate::fault::{Error, Result};

/// Reads a module, binary or text, with what the slides or the snapshot say about null.
///
/// # Errors
///
/// `Invalid` for what is malformed.
pub fn read(bytes: &[u8], nulls: ast::Nulls) -> Result<ast::Module> {
    if bytes.starts_with(b"\0asm") {
        return Ok(ast::Module { nulls, ..binary::read(bytes)? });
    }
    text::parse_with(utf8(bytes)?, nulls)
}

/// An error of validation, with line and column if the module is text.
pub fn locate(err: Error, bytes: &[u8]) -> Error {
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.starts_with(b"\0asm") => text::locate(err, text),
        _ => err,
    }
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|err| Error::Invalid {
        offset: err.valid_up_to(),
        message: "malformed UTF-8 encoding: neither text nor a binary".to_string(),
    })
}
