//! Where a function has its frame of root slots.
//!
//! A frame costs a load on entry and a store on exit. Many functions return early without a safepoint,
//! so the frame exists only in *sections* that contain every use of it: from an instruction to the end
//! of its region. A section is not put into a loop, nor are two on one path; but each arm of an `if`
//! may have its own.
//!
//! ```text
//! if fast          if fast
//!   return x   =>    return x
//! end              end
//! f()              frame = sp - 4n;  sp = frame ..;  f();  sp = frame + 4n
//! ```
//!
//! A cold safepoint outside all sections, that is, an allocation's or that of a call, makes a frame of its own.

use super::flat::{Event, Flat};
use super::operands::Operands;
use crate::ir::{Func, HeapOp, Inst, Op, Region};
use cranelift_entity::SecondaryMap;
use std::ops::Range;

/// The plan for one function.
#[derive(Clone, Debug, Default)]
pub(super) struct FramePlan {
    /// How many slots; 0 when nothing uses them.
    pub slots: u32,
    /// Positions from the first of a section to behind its last; in ascending order, disjoint.
    pub sections: Vec<Range<usize>>,
    /// There are inline allocations.
    pub allocates: bool,
}

impl FramePlan {
    /// Plans the frame of a function.
    pub fn new(func: &Func<'_>, flat: &Flat, ops: &Operands) -> FramePlan {
        let mut plan = FramePlan::default();
        let mut uses = Uses { inside: SecondaryMap::new(), tables: SecondaryMap::new() };
        let mut used = false;
        for &event in &flat.events {
            let Event::Inst(inst) = event else { continue };
            used |= !func.refresh[inst].is_empty() && ops.is_live(inst);
            match func.insts[inst].op {
                Op::Heap(HeapOp::Alloc { .. } | HeapOp::AllocDynamic) if ops.is_live(inst) => plan.allocates = true,
                Op::Heap(_) if ops.is_live(inst) => {
                    used = true;
                    mark(&mut uses.inside, flat, Some(inst));
                }
                Op::BrTable { .. } => mark(&mut uses.tables, flat, flat.owner[inst]),
                _ => {}
            }
        }
        if used {
            plan.slots = func.frame.slots;
            plan.sections = sections(func, flat, ops, &uses);
        }
        plan
    }

    /// Whether a local holds the frame's address.
    pub fn exists(&self) -> bool {
        self.slots > 0
    }

    /// How many locals the frame and allocations need.
    pub fn scratch_locals(&self) -> u32 {
        u32::from(self.exists()) + 2 * u32::from(self.allocates)
    }
}

struct Uses {
    /// Instructions that use the frame themselves or within.
    inside: SecondaryMap<Inst, bool>,
    /// Constructs that contain a `br_table`, which could leave a section in many ways.
    tables: SecondaryMap<Inst, bool>,
}

/// Marks an instruction and all constructs that it is in.
fn mark(map: &mut SecondaryMap<Inst, bool>, flat: &Flat, mut inst: Option<Inst>) {
    while let Some(at) = inst
        && !std::mem::replace(&mut map[at], true)
    {
        inst = flat.owner[at];
    }
}

fn sections(func: &Func<'_>, flat: &Flat, ops: &Operands, uses: &Uses) -> Vec<Range<usize>> {
    let mut sections = Vec::new();
    let mut stack = vec![func.body];
    while let Some(region) = stack.pop() {
        let insts = &func.regions[region].insts;
        let users: Vec<Inst> = insts.iter().copied().filter(|&inst| uses.inside[inst]).collect();
        match users[..] {
            [only] if can_enter(func, uses, only) => stack.extend(children(func, only).rev()),
            _ => {
                let first = users.iter().map(|&inst| start(func, flat, ops, inst)).min();
                let last = insts.last().map(|&inst| flat.at[inst] as usize + 1);
                sections.extend(first.zip(last).map(|(first, last)| first..last));
            }
        }
    }
    sections
}

fn can_enter(func: &Func<'_>, uses: &Uses, inst: Inst) -> bool {
    matches!(func.insts[inst].op, Op::Block { .. } | Op::If { .. }) && !uses.tables[inst]
}

fn children(func: &Func<'_>, inst: Inst) -> impl DoubleEndedIterator<Item = Region> + use<> {
    func.insts[inst].op.regions().collect::<Vec<_>>().into_iter()
}

/// Where the code of an instruction begins, with that of its operands on the stack.
fn start(func: &Func<'_>, flat: &Flat, ops: &Operands, mut inst: Inst) -> usize {
    while let Some(operand) = ops.list[ops.of[inst].inline()].iter().find(|operand| operand.claimed)
        && let Some(def) = func.def_inst(operand.value)
    {
        inst = def;
    }
    flat.at[inst] as usize
}
