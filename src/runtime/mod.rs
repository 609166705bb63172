//! The bridge: lowered modules and their heap on the real engine.
//!
//! | file | idea |
//! |---|---|
//! | `engine.rs` | what an engine shares: types, map, compiled code |
//! | `call_profile.rs` | whom calls through references and tables reach |
//! | `func_types.rs` | the engine's function types and the original ones |
//! | `type_probe.rs` | function types that no import or export shows |
//! | `code.rs` | a module as compiled: the engine's module and what lowering told about it |
//! | `artifact.rs` | that as bytes, for other engines |
//! | `store.rs` | what a store has besides the embedder's data |
//! | `callbacks.rs` | what the embedder has a store do |
//! | `memory.rs` | the heap over a linear memory of the engine |
//! | `limits.rs` | what a store's limiter is asked |
//! | `roots.rs` | references that the host holds |
//! | `rtts.rs` | RTTs below others, and functions with bound arguments |
//! | `hosts.rs` | host values behind references |
//! | `members.rs` | references that live as long as a host value |
//! | `finalize.rs` | when finalizers run |
//! | `imports.rs` | the imports that the runtime answers |
//! | `handles.rs` | function handles |
//! | `func_refs.rs` | casts and handles of function references, for lowered code |
//! | `cells.rs` | globals and tables that live in the heap |
//! | `linking.rs` | do import and definition match |
//! | `instantiate.rs` | instantiation |
//! | `ready.rs` | what the engine does asynchronously, done at once |
//! | `entry.rs` | what surrounds every call from the host into WebAssembly |
//! | `objects.rs` | structs and arrays as the host makes and reads them |
//! | `held.rs` | calls of the embedder amid lowered code |
//! | `hooks.rs` | who is told when calls enter and leave |
//! | `metering.rs` | what instantiation does is neither charged nor interrupted |
//! | `oom.rs` | the error of an allocation without room |
//! | `exceptions.rs` | exceptions as the host makes and reads them |
//! | `stand_in.rs` | functions in place of results that nobody reads |
//! | `trap.rs` | the engine's errors, told in terms of the original module |
//! | `backtrace.rs` | backtraces |
//! | `debug.rs` | frames and stops of the engine, told in terms of the original module |
//!
//! What this is not: anything that an embedder sees; that is `api/`.

// Only loading compiled code is unsafe, and imports that are called in loops; both say so.
#![deny(unsafe_code)]

pub(crate) mod artifact;
pub(crate) mod backtrace;
pub(crate) mod call_profile;
pub(crate) mod callbacks;
pub(crate) mod cells;
pub(crate) mod code;
pub(crate) mod debug;
pub(crate) mod engine;
pub(crate) mod entry;
pub(crate) mod exceptions;
pub(crate) mod finalize;
pub(crate) mod func_refs;
pub(crate) mod func_types;
pub(crate) mod handles;
pub(crate) mod held;
pub(crate) mod hooks;
pub(crate) mod hosts;
pub(crate) mod imports;
pub(crate) mod instantiate;
pub(crate) mod limits;
pub(crate) mod linking;
pub(crate) mod members;
pub(crate) mod memory;
pub(crate) mod metering;
pub(crate) mod objects;
pub(crate) mod oom;
pub(crate) mod ready;
pub(crate) mod roots;
pub(crate) mod rtts;
pub(crate) mod stand_in;
pub(crate) mod store;
pub(crate) mod trap;
pub(crate) mod type_probe;

pub(crate) use wasmtime::{Error, Result};
