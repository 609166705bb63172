//! The parts of the heap memory, each with its own way to hand out and to take back room.
//!
//! | file | what lives there |
//! |---|---|
//! | `nursery.rs` | objects allocated since the last collection |
//! | `pages.rs` | whom each page behind the RTT records belongs to: nobody, or one of the next four |
//! | `old.rs` | objects that survived a collection |
//! | `large.rs` | objects of [`LARGE_OBJECT_BYTES`](crate::layout::object::LARGE_OBJECT_BYTES) or more |
//! | `pinned.rs` | descriptors, which are RTT records of other objects |
//! | `roots_area.rs` | words outside of objects that are always roots: globals, table cells |
//! | `marks.rs` | the mark bits of all of them (a side table, not a space) |
//! | `lines.rs` | the marks of the old space's lines (the same) |

pub(crate) mod large;
pub(crate) mod lines;
pub(crate) mod marks;
pub(crate) mod nursery;
pub(crate) mod old;
pub(crate) mod pages;
pub(crate) mod pinned;
pub(crate) mod roots_area;
