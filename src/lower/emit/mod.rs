//! IR to Wasm bytes.
//!
//! What comes in is lowered: control, calls, Wasm operators, function references, and
//! [`crate::ir::HeapOp`]. What goes out is the content of one code entry, and where its instructions
//! come from. What this is not: an optimiser. It removes what nothing uses and chooses between
//! operand stack and locals, no more.
//!
//! | file | idea |
//! |---|---|
//! | `flat.rs` | the region tree as one list of events; an event's index is its position |
//! | `tables.rs` | how each `br_table` is written |
//! | `operands.rs` | what is used: live instructions and their operands in the order of evaluation |
//! | `stackify.rs` | which values stay on the operand stack |
//! | `ranges.rs` | where the other values are alive |
//! | `coalesce.rs` | which of them share a local because one is copied to the other |
//! | `locals.rs` | linear scan: the others get locals that are free |
//! | `code.rs` | the byte buffer, with its peepholes and sites |
//! | `body.rs` | the driver: events to control instructions |
//! | `branch.rs` | branches and the copies that they carry |
//! | `inst.rs` | one instruction |
//! | `traps.rs` | traps, and the branches around them |
//! | `frame.rs` | where the frame of root slots exists |
//! | `debug.rs` | what is noted for debuggers |
//! | `heap.rs` | accesses to root slots, inline allocation |
//! | `reindex.rs` | Wasm operators with new indices; which of them can trap or call |
//!
//! Every phase is linear in the size of the function, but for the balanced trees and sorts in
//! `coalesce.rs` and `locals.rs`, and none recurses: nesting is as deep as a module wants it.

mod body;
mod branch;
mod coalesce;
mod code;
mod debug;
mod flat;
mod frame;
mod heap;
mod inst;
mod locals;
mod operands;
mod ranges;
mod reindex;
mod stackify;
mod tables;
#[cfg(test)]
mod tests;
mod traps;

use super::debug::DebugFunc;
use super::index::IndexMap;
use super::output::Site;
use crate::fault::Error;
use crate::ir::{Func, Inlined};
use crate::layout::HeapMap;
use crate::types::{HeapType, RefType, TypeId, ValType};
use foldhash::HashMap;
use wasm_encoder as enc;

/// The most locals a function may have, parameters included: the limit of engines.
pub const MAX_LOCALS: usize = 50_000;

/// The most bytes a function's body may have: the limit of engines.
pub const MAX_BODY_BYTES: usize = 7_654_321;

/// What emission must know of the module.
pub struct EmitContext<'m> {
    /// Addresses of the heap's fixed cells.
    pub map: HeapMap,
    /// Final indices.
    pub index: &'m IndexMap,
    /// The final type index of each function type.
    pub func_types: &'m HashMap<TypeId, u32>,
    /// How many functions the original module has.
    pub originals: u32,
}

impl EmitContext<'_> {
    /// The type of a value once it is emitted: references are `i32`, but for those to functions.
    pub fn val_type(&self, ty: ValType) -> enc::ValType {
        match ty {
            ValType::I32 => enc::ValType::I32,
            ValType::I64 => enc::ValType::I64,
            ValType::F32 => enc::ValType::F32,
            ValType::F64 => enc::ValType::F64,
            ValType::V128 => enc::ValType::V128,
            ValType::Ref(r) if r.is_func() => enc::ValType::Ref(self.func_ref(r)),
            ValType::Ref(_) => enc::ValType::I32,
        }
    }

    /// A type of function references. A type that the module does not have gets an index that no
    /// validator accepts.
    pub(crate) fn func_ref(&self, ty: RefType) -> enc::RefType {
        enc::RefType { nullable: ty.nullable, heap_type: self.func_heap(ty.heap) }
    }

    fn func_heap(&self, heap: HeapType) -> enc::HeapType {
        match heap {
            HeapType::Concrete(_, id) => enc::HeapType::Concrete(self.func_types.get(&id).copied().unwrap_or(u32::MAX)),
            _ => enc::HeapType::FUNC,
        }
    }
}

/// A function's code.
#[derive(Debug, Clone, Default)]
pub struct EmittedBody {
    /// The content of the code entry, without the size in front: locals, instructions, `end`.
    pub body: Vec<u8>,
    /// Instructions that can trap or call, by ascending offset from the start of `body`.
    pub sites: Vec<Site>,
    /// What the sites' places stand for that are in the place of a call: [`Func::inlined`].
    pub inlined: Vec<Inlined>,
    /// Branches that are nearly always, or hardly ever, taken, by ascending offset from the start of `body`.
    pub hints: Vec<(u32, bool)>,
    /// What a debugger sees of it.
    pub debug: Option<Box<DebugFunc>>,
}

impl EmittedBody {
    fn within_limits(self, func: u32) -> Result<EmittedBody, Error> {
        match self.body.len() {
            0..=MAX_BODY_BYTES => Ok(self),
            bytes => {
                let what = format!("lowered it is {bytes} bytes, and the most are {MAX_BODY_BYTES}; split it");
                Err(Error::TooComplex { func, what })
            }
        }
    }
}

/// Emits a lowered function.
///
/// # Errors
///
/// [`Error::TooComplex`] when it needs more than [`MAX_LOCALS`] locals or [`MAX_BODY_BYTES`] bytes;
/// [`Error::Bug`] when it contains what lowering should have removed.
pub fn emit_func(func: &Func<'_>, cx: &EmitContext<'_>) -> Result<EmittedBody, Error> {
    let flat = flat::Flat::new(func);
    let tables = tables::Tables::new(func, &flat);
    let mut ops = operands::Operands::new(func, &flat, &tables);
    let mut places = stackify::run(func, &flat, &mut ops);
    let ranges = ranges::Ranges::new(func, &flat, &ops, &places);
    let classes = locals::Classes::new(func, cx, &places);
    let bundles = coalesce::run(func, &flat, &ops, &ranges, &classes, &places);
    let frame = frame::FramePlan::new(func, &flat, &ops);
    let locals = locals::assign(func, &ranges, &bundles, classes, &frame, &mut places)?;
    body::emit(func, cx, &flat, &tables, &ops, &places, locals, frame)?.within_limits(func.index)
}

/// Re-encodes the body of function `index`, which has no references but to functions: only indices
/// change.
///
/// # Errors
///
/// When the body is malformed, names what lowering removed, or becomes too large.
pub fn emit_plain(body: &wasmparser::FunctionBody<'_>, index: u32, cx: &EmitContext<'_>) -> Result<EmittedBody, Error> {
    reindex::body(body, cx)?.within_limits(index)
}
