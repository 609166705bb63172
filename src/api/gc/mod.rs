//! References into the GC heap, as the host holds them.
//!
//! | file | idea |
//! |---|---|
//! | `rooting.rs` | handles: scoped and owned |
//! | `externref.rs` | host values |
//! | `anyref.rs` | internal references: i31, structs, arrays |
//! | `exnref.rs` | exceptions |
//! | `rtt.rs` | runtime types of the dialect of explicit RTTs |

mod anyref;
mod exnref;
mod externref;
pub(crate) mod rooting;
mod rtt;

pub use anyref::AnyRef;
pub use exnref::{ExnRef, ExnRefPre};
pub use externref::ExternRef;
pub use rooting::{GcRef, OwnedRooted, RootScope, Rooted};
pub use rtt::Rtt;
pub use wasmtime::I31;

pub(crate) use anyref::heap_type_of;
