//! Types as the embedder sees them, with Wasmtime's names.
//!
//! They are the *original* types of modules: lowering does not show. Inside, a type is a canonical id
//! of the engine's registry (`crate::types`); here a concrete type carries its engine, so that it can
//! be inspected. Numeric and memory types are Wasmtime's own.
//!
//! | file | what |
//! |---|---|
//! | `val.rs` | value, reference and heap types |
//! | `composite.rs`, `supertypes.rs` | defined types, and those that the host makes with supertypes |
//! | `entity.rs` | what modules import and export |
//! | `exn.rs`, `cont.rs` | types of exceptions and of continuations |
//! | `predicates.rs`, `defaults.rs` | questions about types, and their defaults |

mod composite;
mod cont;
mod defaults;
mod entity;
mod exn;
mod predicates;
mod supertypes;
mod val;

pub use composite::{ArrayType, FieldType, Finality, FuncType, Mutability, StorageType, StructType};
pub use cont::{ContRef, ContType};
pub use entity::{ExportType, ExternType, GlobalType, ImportType, TableType, TagType};
pub use exn::ExnType;
pub use val::{HeapType, RefType, ValType};

pub(crate) use val::{assert_same, check_same};
pub use wasmtime::{MemoryType, MemoryTypeBuilder};
