//! Where the values that need a local are alive.
//!
//! Position `p` has two points: `2p`, where the instruction reads its operands, and `2p + 1`, where
//! it writes its results. A value is alive from the point of its definition to behind the point of
//! its last use, in the order of text; to the end of a loop if it comes from outside the loop and is
//! used in it. That is all of its life when control only goes forward or to the start of a loop.
//!
//! What a branch sets is alive from the end of the construct on, not from the branch: between the two
//! nothing runs. Except where control may also continue behind the branch, after the local was set:
//! then the point of the branch is added, as a [`Clobber`].

use super::flat::{Event, Flat};
use super::locals::{Place, Places};
use super::operands::Operands;
use super::tables::is_loop;
use crate::ir::{Func, HeapOp, Inst, Op, Value};
use cranelift_entity::SecondaryMap;

/// Half-open, in points.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Range {
    /// First point.
    pub start: u32,
    /// Behind the last point.
    pub end: u32,
}

/// A branch sets a value's local, and control may continue behind the branch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clobber {
    /// What is set.
    pub phi: Value,
    /// Where.
    pub point: u32,
    /// What it is set to.
    pub source: Value,
}

/// Ranges of a function's values.
pub(super) struct Ranges {
    /// For each value in a local.
    pub of: SecondaryMap<Value, Range>,
    /// In ascending order.
    pub clobbers: Vec<Clobber>,
}

impl Ranges {
    /// Computes them.
    pub fn new(func: &Func<'_>, flat: &Flat, ops: &Operands, places: &Places) -> Ranges {
        let of = SecondaryMap::with_capacity(func.values.len());
        let mut pass = Pass { func, flat, ops, places, out: Ranges { of, clobbers: Vec::new() }, loops: Vec::new() };
        func.params().iter().for_each(|&param| pass.define(param, 0));
        for (at, &event) in flat.events.iter().enumerate() {
            pass.event(2 * at as u32, event);
        }
        pass.out
    }
}

struct Pass<'f, 'a> {
    func: &'f Func<'a>,
    flat: &'f Flat,
    ops: &'f Operands,
    places: &'f Places,
    out: Ranges,
    /// Open loops: the first and the last point in each.
    loops: Vec<(u32, u32)>,
}

impl Pass<'_, '_> {
    fn event(&mut self, point: u32, event: Event) {
        match event {
            Event::Inst(inst) if self.ops.is_live(inst) => {
                self.operands(inst, point);
                let results = self.func.results(inst);
                results.iter().for_each(|&result| self.define(result, point + 1));
            }
            Event::Open(inst) => {
                self.operands(inst, point);
                if let Op::Loop { body } = self.func.insts[inst].op {
                    self.loops.push((point + 1, 2 * self.flat.close[inst] - 1));
                    self.func.regions[body].params.iter().for_each(|&param| self.define(param, point + 1));
                }
            }
            Event::Close(inst) => {
                if is_loop(self.func, inst) {
                    self.loops.pop();
                }
                self.func.results(inst).iter().for_each(|&result| self.define(result, point));
            }
            Event::Else(_) | Event::Inst(_) => {}
        }
    }

    fn operands(&mut self, inst: Inst, point: u32) {
        let clobbers = self.continues_after_copies(inst);
        // What an allocation reads is needed after its first writes.
        let is_alloc = matches!(self.func.insts[inst].op, Op::Heap(HeapOp::Alloc { .. } | HeapOp::AllocDynamic));
        let read = if is_alloc { point + 1 } else { point };
        for operand in &self.ops.list[self.ops.of[inst].all()] {
            if let (true, Some(phi)) = (clobbers, operand.phi) {
                self.out.clobbers.push(Clobber { phi, point: point + 1, source: operand.value });
            }
            self.use_(operand.value, read);
        }
        // What is refreshed is written behind the results, even if nobody needs it then.
        for &(_, value) in &self.func.refresh[inst] {
            self.use_(self.flat.root(value), point + 1);
        }
    }

    fn continues_after_copies(&self, inst: Inst) -> bool {
        // A `br_table` sets nothing that one of its ways does not hand over: see `super::tables`.
        matches!(self.func.insts[inst].op, Op::BrIf { target } if !is_loop(self.func, target))
    }

    fn define(&mut self, value: Value, point: u32) {
        if self.is_local(value) {
            self.out.of[value] = Range { start: point, end: point + 1 };
        }
    }

    fn use_(&mut self, value: Value, point: u32) {
        if !self.is_local(value) {
            return;
        }
        let range = &mut self.out.of[value];
        let inner = self.loops.partition_point(|&(start, _)| start <= range.start);
        let last = self.loops.get(inner).map_or(point, |&(_, end)| end);
        range.end = range.end.max(last + 1);
    }

    fn is_local(&self, value: Value) -> bool {
        matches!(self.places.get(value), Place::Local(_))
    }
}
