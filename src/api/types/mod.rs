//! Types as the embedder sees them, with Wasmtime's names.
//!
//! They are the *original* types of modules: lowering does not show. Inside, a type is a canonical id
//! of the engine's registry (`crate::types`); here a concrete type carries its engine, so that it can
//! be inspected. Numeric and memory types are Wasmtime's own.

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
