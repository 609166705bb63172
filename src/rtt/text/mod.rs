//! The text format of the dialect: everything that the slides and the documents of 2018 to 2021 wrote, at once.
//!
//! | file | idea |
//! |---|---|
//! | `tokens.rs` | a cursor over the tokens of `wast` |
//! | `names.rs` | names before anything is read |
//! | `types.rs` | types |
//! | `module.rs` | the fields of a module |
//! | `fold.rs` | bodies: folded instructions, constructs, scopes |
//! | `instr.rs` | instructions |
//! | `immediates.rs` | constants, alignments, lanes |
//!
//! What it is not: a check of anything but form.

mod fold;
mod immediates;
mod instr;
mod module;
mod names;
pub mod tokens;
mod types;

use crate::fault::Error;
pub use module::{parse, parse_with};
use tokens::Tokens;

/// Words that only the dialect has: a text with one of them is not of the standard.
const WORDS: &[&str] = &[
    "rtt",
    "rtt.canon",
    "rtt.sub",
    "rtt.new",
    "rtt.anyref",
    "optref",
    "dataref",
    "func.bind",
    "let",
    "struct.new_with_rtt",
    "struct.new_default_with_rtt",
    "struct.new_rtt",
    "array.new_with_rtt",
    "array.new_default_with_rtt",
    "array.new_rtt",
    "i31.new",
    "ref.get_i31_s",
    "ref.get_i31_u",
    "ref.is_func",
    "ref.is_data",
    "ref.is_i31",
    "ref.as_func",
    "ref.as_data",
    "ref.as_i31",
    "br_on_func",
    "br_on_data",
    "br_on_i31",
    "br_on_non_func",
    "br_on_non_data",
    "br_on_non_i31",
];

/// An error of validation, with the line and column of its offset.
pub fn locate(err: Error, text: &str) -> Error {
    match err {
        Error::Invalid { offset, message } => tokens::error(text, offset, message),
        err => err,
    }
}

/// The first word in a text that only the dialect has.
pub fn dialect_word(text: &str) -> Option<&'static str> {
    let tokens = Tokens::new(text).ok()?;
    let mut cursor = tokens.cursor();
    while !cursor.is_empty() {
        if let Some(word) = cursor.peek_keyword()
            && let Some(&word) = WORDS.iter().find(|&&known| known == word)
        {
            return Some(word);
        }
        cursor.skip();
    }
    None
}
