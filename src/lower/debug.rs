//! From places in the lowered module to what a debugger sees of the original.
//!
//! Each variable (`ir/debug.rs`) has a place of its own in the lowered frame: a local behind all others, or, where the
//! collector may move what it holds, a root slot. These slots come first in the frame and are published wherever the
//! function is; at its entry they are null. So a debugger reads a reference from where the collector keeps it up to
//! date, whatever became of the program's own copies.
//!
//! ```text
//! (local.set $s (struct.new $t))   =>   ... i32.store offset=8 (local.get $frame) ; a mark: nop nop ...
//! ```
//!
//! A mark is two `nop`s, and its place is the second. The first is where the engine says a frame is whose call came
//! right before: the two must not be taken for each other.
//!
//! What this is not: the reader, which asks the engine for a frame's locals (`runtime/debug.rs`).

use super::output::EntityMeta;
use crate::fault::Error;
use crate::ir::{Cursor, DebugOp, Func, HeapOp, MarkKind, Op, Shape, SrcLoc, VarKind};
use serde::{Deserialize, Serialize};

/// A function, as a debugger sees it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DebugFunc {
    /// How many locals the original has.
    pub locals: u32,
    /// How many of them are parameters.
    pub params: u32,
    /// All variables, those of the locals first.
    pub vars: Vec<DebugVar>,
    /// Operands on the stack.
    pub shapes: Vec<Shape>,
    /// Marks, by ascending place. Relative to the body at first, then to the lowered module.
    pub marks: Vec<DebugMark>,
    /// Places behind calls of the original, ascending.
    pub returns: Vec<u32>,
    /// The local that holds the address of the root slots.
    pub frame: u32,
    /// How many root slots there are: slot 0 is the last word.
    pub slots: u32,
}

/// Where a variable is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct DebugVar {
    /// What it holds.
    pub kind: VarKind,
    /// A local, or a root slot if the collector may move it.
    pub place: u32,
}

/// A mark and its place.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct DebugMark {
    /// The offset in the lowered module.
    pub at: u32,
    /// What it is for.
    pub kind: MarkKind,
    /// The offset of the operator in the original.
    pub pc: u32,
    /// The offset behind it.
    pub next: u32,
    /// The operands before it.
    pub shape: u32,
    /// How many of them it has taken when it calls or traps.
    pub taken: u32,
}

/// A module, as a debugger sees it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DebugTable {
    /// The functions that the original defines, in order. The lowered module defines them in the same order, and its
    /// own behind them.
    pub funcs: Vec<DebugFunc>,
    /// For each operator that can be stopped at: where it is in the original and in the lowered module. Ascending.
    pub steps: Vec<(u32, u32)>,
    /// Where to stop for exceptions, in the lowered module.
    pub throws: Vec<u32>,
}

impl DebugTable {
    /// Of functions.
    pub fn new(funcs: Vec<DebugFunc>) -> DebugTable {
        let marks = || funcs.iter().flat_map(|func| &func.marks);
        let mut steps: Vec<(u32, u32)> =
            marks().filter(|mark| mark.kind == MarkKind::Step).map(|mark| (mark.pc, mark.at)).collect();
        steps.sort_unstable();
        let throws = marks().filter(|mark| mark.kind != MarkKind::Step).map(|mark| mark.at).collect();
        DebugTable { funcs, steps, throws }
    }

    /// The first operator at or behind an offset of the original: that offset, and the one in the lowered module.
    pub fn step_from(&self, pc: u32) -> Option<(u32, u32)> {
        self.steps.get(self.steps.partition_point(|&(at, _)| at < pc)).copied()
    }

    /// The mark at a place of the lowered module.
    pub fn mark_at(&self, at: u32) -> Option<DebugMark> {
        // Functions stand one behind the other.
        let end = self.funcs.partition_point(|func| func.marks.first().is_none_or(|mark| mark.at <= at));
        let func = self.funcs.get(..end)?.iter().rev().find(|func| !func.marks.is_empty())?;
        let index = func.marks.binary_search_by_key(&at, |mark| mark.at).ok()?;
        func.marks.get(index).copied()
    }
}

impl DebugFunc {
    /// The mark that a place of the lowered module belongs to; `None` before the first.
    pub fn mark_of(&self, at: u32) -> Option<DebugMark> {
        let index = self.marks.partition_point(|mark| mark.at <= at).checked_sub(1)?;
        self.marks.get(index).copied()
    }

    /// Whether a place of the lowered module is right behind a call of the original.
    pub fn is_return(&self, at: u32) -> bool {
        self.returns.binary_search(&at).is_ok()
    }

    /// The variables of the operands in a shape without its uppermost, from the bottom.
    pub fn operands(&self, mut shape: u32, without: u32) -> Vec<DebugVar> {
        let mut vars = Vec::new();
        let mut skip = without;
        // Shapes come after those that they are made of, so this ends.
        while let Some(&Shape { below, var }) = self.shapes.get(shape as usize) {
            match skip {
                0 => vars.extend(self.vars.get(var as usize)),
                _ => skip -= 1,
            }
            shape = below;
        }
        vars.reverse();
        vars
    }

    /// Moves all places.
    pub fn shift(&mut self, by: u32) {
        self.marks.iter_mut().for_each(|mark| mark.at += by);
        self.returns.iter_mut().for_each(|at| *at += by);
    }
}

/// What a module has by index, exported or not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DebugSpaces {
    /// For each function: its index in the lowered module.
    pub funcs: Vec<u32>,
    /// For each global: what it is, and its index in the lowered module if it is one there.
    pub globals: Vec<(EntityMeta, u32)>,
    /// The same for tables.
    pub tables: Vec<(EntityMeta, u32)>,
    /// For each memory: its index in the lowered module.
    pub memories: Vec<u32>,
    /// Tags.
    pub tags: Vec<EntityMeta>,
    /// The index of the start function in the lowered module, which is none there: the runtime calls it.
    pub start: Option<u32>,
}

/// Behind root assignment: gives the variables that the collector may move their slots, in front of all others.
///
/// # Errors
///
/// Defects of this crate only.
pub fn reserve(func: &mut Func<'_>) -> Result<(), Error> {
    let Some(debug) = &func.debug else { return Ok(()) };
    let slots = slots(&debug.vars);
    let reserved = debug.vars.iter().filter(|kind| kind.is_moved()).count() as u32;
    if reserved == 0 {
        return Ok(());
    }
    func.frame.slots += reserved;
    func.frame.reserved = reserved;
    for data in func.insts.values_mut() {
        match &mut data.op {
            Op::Heap(HeapOp::Spill { slot } | HeapOp::Reload { slot } | HeapOp::Clear { slot }) => *slot += reserved,
            Op::Heap(HeapOp::SetTop { slots }) => *slots += reserved,
            Op::Debug(DebugOp::Set(var)) => {
                let slot = slots.get(*var as usize).ok_or_else(|| Error::bug("an unknown variable of a debugger"))?;
                if let Some(slot) = *slot {
                    data.op = Op::Heap(HeapOp::Spill { slot });
                }
            }
            _ => {}
        }
    }
    let insts: Vec<_> = func.insts.keys().collect();
    for inst in insts {
        func.refresh[inst].iter_mut().for_each(|(slot, _)| *slot += reserved);
    }
    let body = func.body;
    let rest = std::mem::take(&mut func.regions[body].insts);
    let c = &mut Cursor::at(func, body, SrcLoc::NONE);
    for slot in 0..reserved {
        c.push(Op::Heap(HeapOp::Clear { slot }), &[], &[]);
    }
    c.push(Op::Heap(HeapOp::SetTop { slots: reserved }), &[], &[]);
    func.regions[body].insts.extend(rest);
    Ok(())
}

/// The root slot of each variable that the collector may move.
pub fn slots(vars: &[VarKind]) -> Vec<Option<u32>> {
    let mut next = 0;
    let slot = |kind: &VarKind| {
        kind.is_moved().then(|| {
            next += 1;
            next - 1
        })
    };
    vars.iter().map(slot).collect()
}
