//! References into the GC heap, as the host holds them.
//!
//! | file | idea |
//! |---|---|
//! | `rooting.rs` | handles: scoped and owned |
//! | `externref.rs` | host values |
//! | `anyref.rs`, `eqref.rs` | internal references: i31, structs, arrays |
//! | `structref.rs`, `arrayref.rs` | objects, their fields and elements |
//! | `fields.rs` | values on their way between host and object |
//! | `exnref.rs` | exceptions |
//! | `bottoms.rs` | types without a value but null |
//! | `rtt.rs` | runtime types of the dialect of explicit RTTs |

mod anyref;
mod arrayref;
mod bottoms;
mod eqref;
mod exnref;
mod externref;
mod fields;
pub(crate) mod rooting;
mod rtt;
mod structref;

pub use anyref::AnyRef;
pub use arrayref::{ArrayRef, ArrayRefPre};
pub use bottoms::{NoExtern, NoFunc, NoneRef};
pub use eqref::EqRef;
pub use exnref::{ExnRef, ExnRefPre};
pub use externref::ExternRef;
pub use rooting::{GcRef, OwnedRooted, RootScope, Rooted, RootedGcRef};
pub use rtt::Rtt;
pub use structref::{StructRef, StructRefPre};
pub use wasmtime::I31;

pub(crate) use anyref::heap_type_of;
pub(crate) use bottoms::bottom;
pub(crate) use rooting::Unrooted;
pub(crate) use rooting::sealed::GcRefImpl;
