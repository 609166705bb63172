//! The ABI: everything that lowered code and the collector must agree on, as data, and nowhere else.
//!
//! `lower/` and `heap/` never name each other; they meet here. A change in this room raises the format of code that is
//! kept (`runtime/artifact.rs`). What it is not: code that reads or writes the heap.
//!
//! | file | what it fixes |
//! |---|---|
//! | `reference.rs` | the bits of a reference: null, i31, object |
//! | `object.rs` | header, struct and array layouts |
//! | `rtt.rs` | the RTT record that an object's header points to |
//! | `map.rs` | who lives where in the heap memory; the fixed cells |
//! | `names.rs` | the imports by which a lowered module reaches the heap |

#![forbid(unsafe_code)]

pub mod map;
pub mod names;
pub mod object;
pub mod reference;
pub mod rtt;

pub use map::{HeapMap, MapParams, PAGE};
pub use object::{ArrayLayout, FieldLayout, ObjectLayout, StructLayout, Width};
pub use rtt::{GcType, GcTypes, Kind, RttAddr};
