//! GC operations to core operations, and the assembly of the lowered module.
//!
//! | file | idea |
//! |---|---|
//! | `output.rs` | what comes out: the module's bytes and what the runtime must know about it |
//! | `index.rs` | index spaces: the original ones, extended by what lowering adds |
//! | `environ.rs` | the hooks: one method for each GC operation, implemented per heap flavour |
//! | `func.rs` | the driver: walks a function and dispatches |
//! | `op/` | one file for each family of operations |
//! | `safepoint.rs` | which functions can not collect |
//! | `roots/` | root slots: what is spilled and reloaded where |
//! | `emit/` | IR to Wasm bytes |
//! | `init.rs` | the init function: globals, tables, segments and start in the specification's order |
//! | `module.rs` | sections of the lowered module |

#![forbid(unsafe_code)]

pub mod emit;
pub mod index;
pub mod output;
pub mod roots;
pub mod safepoint;
