//! Which values stay on the operand stack.
//!
//! One walk over the events from the last to the first, with a stack of operands that are still
//! *wanted*: those of the latest instruction on top, its last operand uppermost. When the definition
//! of the top comes by and nothing else uses it, the operand is *claimed*: the value goes from its
//! definition straight to its consumer. Its place on the stack is taken by the operands of its
//! definition.
//!
//! Instructions keep their order, and an instruction between a claimed value and its consumer runs
//! with the value below it on the stack. What decides are the operands in front of a claimed one:
//! they are fetched where the claimed one's code begins, so
//!
//! 1. at the definition of a wanted value everything above it is given up;
//! 2. at an instruction that changes locals (an allocation or a cold call refreshes references) every wanted
//!    operand that it could change is given up, together with what is above.
//!
//! Each region has a part of the stack of its own, because a block can not take operands.

use super::flat::{Event, Flat};
use super::locals::{Place, Places};
use super::operands::{Operand, Operands, is_const};
use crate::ir::{Func, Inst, Op, Value};
use cranelift_entity::SecondaryMap;

/// Runs over a function: marks claimed operands, says for each value whether it is a constant, on
/// the stack, or in a local.
pub(super) fn run(func: &Func<'_>, flat: &Flat, ops: &mut Operands) -> Places {
    let mut pass = Stackify {
        func,
        flat,
        ops,
        places: Places::new(func),
        wanted: Vec::new(),
        lowest: SecondaryMap::with_capacity(func.values.len()),
        pinned: Vec::new(),
        bases: vec![0],
    };
    for &param in func.params() {
        pass.local(param);
    }
    for &event in flat.events.iter().rev() {
        match event {
            Event::Inst(inst) => pass.inst(inst),
            Event::Close(inst) => pass.close(inst),
            Event::Else(_) => {
                pass.leave();
                pass.bases.push(pass.wanted.len());
            }
            Event::Open(inst) => {
                pass.leave();
                if let Op::Loop { body } = func.insts[inst].op {
                    func.regions[body].params.iter().for_each(|&param| pass.local(param));
                }
                pass.want(inst);
            }
        }
    }
    pass.places
}

struct Stackify<'f, 'a> {
    func: &'f Func<'a>,
    flat: &'f Flat,
    ops: &'f mut Operands,
    places: Places,
    /// Indices of operands.
    wanted: Vec<usize>,
    /// The lowest index in `wanted` where a value is, plus one.
    lowest: SecondaryMap<Value, u32>,
    /// Indices in `wanted` of values that are refreshed somewhere.
    pinned: Vec<usize>,
    /// Where in `wanted` the part of each open region begins.
    bases: Vec<usize>,
}

impl Stackify<'_, '_> {
    fn inst(&mut self, inst: Inst) {
        if !self.ops.is_live(inst) {
            return;
        }
        self.settle();
        if !self.func.refresh[inst].is_empty() {
            self.give_up_pinned();
        }
        match self.func.results(inst) {
            &[result] => self.result(inst, result),
            results => results.iter().for_each(|&result| self.define_local(result)),
        }
        self.want(inst);
    }

    fn result(&mut self, inst: Inst, result: Value) {
        let uses = self.ops.uses[result];
        if uses == 0 {
            return;
        }
        if is_const(self.func, result, uses) {
            self.places.set(result, Place::Const(inst));
            return;
        }
        if uses == 1 && !self.ops.pinned[result] {
            let at = self.lowest[result] as usize;
            if at > self.base() {
                self.truncate(at);
                return self.claim(inst, result);
            }
        }
        self.define_local(result);
    }

    fn claim(&mut self, inst: Inst, result: Value) {
        if let Some(operand) = self.pop() {
            self.ops.list[operand].claimed = true;
            self.places.claim(inst, operand);
            self.places.set(result, Place::Stack);
        }
    }

    fn close(&mut self, inst: Inst) {
        if self.flat.refreshes[inst] {
            self.give_up_pinned();
        }
        self.func.results(inst).iter().for_each(|&result| self.define_local(result));
        self.bases.push(self.wanted.len());
    }

    fn define_local(&mut self, value: Value) {
        let at = self.lowest[value] as usize;
        if at > self.base() {
            self.truncate(at - 1);
        }
        self.local(value);
    }

    fn local(&mut self, value: Value) {
        if !self.ops.is_unused(value) {
            self.places.set(value, Place::Local(u32::MAX));
        }
    }

    /// Puts the operands of an instruction on top, up to the last that can be claimed.
    fn want(&mut self, inst: Inst) {
        let operands = self.ops.of[inst].inline();
        let Some(last) = operands.clone().rev().find(|&operand| self.claimable(operand)) else { return };
        for operand in operands.start..=last {
            let Operand { value, frame, .. } = self.ops.list[operand];
            if !frame && self.lowest[value] == 0 {
                self.lowest[value] = self.wanted.len() as u32 + 1;
            }
            if !frame && self.ops.pinned[value] {
                self.pinned.push(self.wanted.len());
            }
            self.wanted.push(operand);
        }
    }

    fn claimable(&self, operand: usize) -> bool {
        let Operand { value, frame, .. } = self.ops.list[operand];
        if frame {
            return false;
        }
        let Some(def) = self.func.def_inst(value) else { return false };
        let uses = self.ops.uses[value];
        uses == 1
            && !self.ops.pinned[value]
            && self.func.results(def).len() == 1
            && self.func.insts[def].op.regions().next().is_none()
            && self.flat.owner[def] == self.flat.owner[self.ops.list[operand].owner]
            && !is_const(self.func, value, uses)
    }

    /// Forgets operands on top that can not be claimed: all code in front of which they must be
    /// fetched is behind the current instruction.
    fn settle(&mut self) {
        while self.wanted.len() > self.base()
            && let Some(&operand) = self.wanted.last()
            && !self.claimable(operand)
        {
            self.pop();
        }
    }

    fn give_up_pinned(&mut self) {
        self.settle();
        let first = self.pinned.partition_point(|&at| at < self.base());
        if let Some(&at) = self.pinned.get(first) {
            self.truncate(at);
        }
    }

    /// Ends the part of the stack that belongs to a region.
    fn leave(&mut self) {
        self.truncate(self.base());
        self.bases.pop();
    }

    fn base(&self) -> usize {
        self.bases.last().copied().unwrap_or(0)
    }

    fn truncate(&mut self, len: usize) {
        while self.wanted.len() > len {
            self.pop();
        }
    }

    fn pop(&mut self) -> Option<usize> {
        let operand = self.wanted.pop()?;
        let at = self.wanted.len();
        let value = self.ops.list[operand].value;
        if self.lowest[value] == at as u32 + 1 {
            self.lowest[value] = 0;
        }
        if self.pinned.last() == Some(&at) {
            self.pinned.pop();
        }
        Some(operand)
    }
}
