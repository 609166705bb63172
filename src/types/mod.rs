//! Types of WebAssembly as the whole engine sees them: value types, recursion groups, canonical
//! identities, subtyping.
//!
//! A module speaks of types by index into its own type section. Everything behind the parser speaks
//! of a [`TypeId`] instead: two types of two modules are the same type exactly when their ids are
//! equal, because [`TypeRegistry`] rolls up every recursion group and hash-conses it
//! (iso-recursive equivalence, Wasm 3.0 core specification, sections 3.1 and 3.3).
//!
//! | file | what |
//! |---|---|
//! | `val_type.rs` | value, reference, heap and storage types |
//! | `rec_group.rs` | recursion groups in rolled-up form |
//! | `registry.rs` | the engine's table of canonical types |
//! | `subtype.rs` | subtyping |
//! | `nofunc.rs` | results of functions where there is no `nofunc` |
//!
//! This room knows no other: no layout, no code, no engine.

#![forbid(unsafe_code)]

mod nofunc;
mod rec_group;
mod registry;
mod subtype;
mod val_type;

pub use rec_group::{CompositeType, FieldType, FuncType, RecGroup, RecRef, SubType};
pub use registry::{TypeDef, TypeRegistry, TypesError};
pub use subtype::TypeTable;
pub use val_type::{CompositeKind, HeapTop, HeapType, RefType, StorageType, TypeId, ValType};
