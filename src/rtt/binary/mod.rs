//! The binary format of the snapshot of May 2021 (GC proposal, `dfc44cc3`).
//!
//! Its bytes collide with today's: `0xd3` is `ref.as_non_null` here and `ref.eq` there. So nothing is guessed: whoever
//! has such a binary says so, and what is written begins with a custom section [`MARKER`] by which others can tell.
//!
//! | file | idea |
//! |---|---|
//! | `codes.rs` | the tables of types and operators |
//! | `write.rs` | a module to bytes |
//! | `cursor.rs`, `read_types.rs`, `read_body.rs`, `read.rs` | bytes; to types; to instructions; to a module |
//!
//! What the snapshot has no code for, because it is older or was never settled, has one of its own here; they are
//! marked in `codes.rs`. Names of functions are kept; all others are not.

pub(super) mod codes;
mod cursor;
mod read;
mod read_body;
mod read_types;
mod write;

pub use read::read;
pub use write::write;

/// The name of the custom section at the start of what is written.
pub const MARKER: &str = "rtt2020";

/// Whether a binary begins with the marker.
pub fn is_marked(bytes: &[u8]) -> bool {
    let name = MARKER.as_bytes();
    let section = [&[0, name.len() as u8 + 1, name.len() as u8], name].concat();
    bytes.get(8..).is_some_and(|rest| rest.starts_with(&section))
}
