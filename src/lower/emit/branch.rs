//! Branches and the copies that they carry.
//!
//! A branch pushes all operands that are not where they must be, then sets the locals in reverse: a
//! parallel copy. Forward, the locals are set in front of the branch, conditional or not, since they
//! are dead until the construct's end. Backward, a conditional branch with copies becomes
//!
//! ```text
//! condition  if  copies  br  end
//! ```
//!
//! A branch that leaves a section of the frame gives the stack pointer back, in the same place.

use super::body::Emitter;
use super::locals::Place;
use super::operands::Operand;
use crate::fault::Error;
use crate::ir::Inst;
use std::ops::Range;
use wasm_encoder::{BlockType, Instruction};

impl Emitter<'_, '_> {
    /// Whether an operand of a branch is in the local that the branch sets.
    pub fn is_in_place(&self, operand: &Operand) -> bool {
        let Some(phi) = operand.phi else { return false };
        !operand.claimed
            && matches!(
                (self.places.get(phi), self.places.get(operand.value)),
                (Place::Local(to), Place::Local(from)) if to == from
            )
    }

    /// Sets what a branch's operands set, from the stack.
    pub fn set_phis(&mut self, operands: Range<usize>) -> Result<(), Error> {
        for at in operands.rev() {
            let operand = self.ops.list[at];
            let Some(phi) = operand.phi else { continue };
            if self.is_in_place(&operand) {
                continue;
            }
            match self.places.get(phi) {
                Place::Local(local) => self.code.set(local),
                _ => return Err(Error::bug(format!("{phi} is set by a branch and has no local"))),
            }
        }
        Ok(())
    }

    /// How many labels out a target is; the function itself for `None`.
    fn label_of(&self, target: Option<Inst>) -> Result<u32, Error> {
        let level = match target {
            Some(inst) => self.label[inst],
            None => return Ok(self.depth),
        };
        match self.depth.checked_sub(level) {
            Some(depth) if level > 0 => Ok(depth),
            _ => Err(Error::bug(format!("a branch in function {} leaves no construct", self.func.index))),
        }
    }

    /// `Op::Br`, with its operands fetched.
    pub fn br(&mut self, inst: Inst, target: Inst) -> Result<(), Error> {
        self.set_phis(self.ops.of[inst].inline())?;
        self.leave_to(target)
    }

    /// Branches to a construct when all copies are made.
    fn leave_to(&mut self, target: Inst) -> Result<(), Error> {
        if self.leaves(target) {
            self.restore();
        }
        let label = self.label_of(Some(target))?;
        self.code.put(Instruction::Br(label));
        Ok(())
    }

    /// `Op::BrIf`, with its inline operands fetched.
    pub fn br_if(&mut self, inst: Inst, target: Inst) -> Result<(), Error> {
        let operands = self.ops.of[inst];
        self.set_phis(operands.inline())?;
        let copied = self.ops.list[operands.deferred()].iter().all(|operand| self.is_in_place(operand));
        self.br_if_site(inst);
        if copied && !self.leaves(target) {
            let label = self.label_of(Some(target))?;
            self.code.hint(self.func.likely[inst]);
            self.code.put(Instruction::BrIf(label));
            return Ok(());
        }
        self.code.hint(self.func.likely[inst]);
        self.open_label(None, Instruction::If(BlockType::Empty));
        self.fetch(operands.deferred())?;
        self.set_phis(operands.deferred())?;
        self.leave_to(target)?;
        self.close_label();
        Ok(())
    }

    /// `Op::BrTable`, with its inline operands fetched.
    pub fn br_table(&mut self, inst: Inst) -> Result<(), Error> {
        let tables = self.tables;
        let table = tables.get(inst).ok_or_else(|| Error::bug(format!("{inst} has no plan")))?;
        let operands = self.ops.of[inst];
        self.set_phis(operands.inline())?;
        let trampolines = table.routes.iter().filter(|route| route.trampoline).count() as u32;
        for _ in 0..trampolines {
            self.open_label(None, Instruction::Block(BlockType::Empty));
        }
        let mut rest = operands.deferred();
        if trampolines > 0 {
            self.fetch(rest.start..rest.start + 1)?;
            rest.start += 1;
        }
        let mut next = 0;
        let mut labels = Vec::with_capacity(table.routes.len());
        for route in &table.routes {
            labels.push(if route.trampoline { next } else { self.label_of(route.target)? });
            next += u32::from(route.trampoline);
        }
        let mut entries: Vec<u32> = table.entries.iter().map(|&route| labels[route as usize]).collect();
        let default = entries.pop().ok_or_else(|| Error::bug(format!("{inst} has no default")))?;
        self.code.put(Instruction::BrTable(entries.into(), default));
        for route in table.routes.iter().filter(|route| route.trampoline) {
            self.close_label();
            let count = match route.target {
                Some(target) => self.live_phis(target),
                None => route.args.len(),
            };
            let mine = rest.start..(rest.start + count).min(rest.end);
            rest.start = mine.end;
            self.fetch(mine.clone())?;
            match route.target {
                Some(target) => {
                    self.set_phis(mine)?;
                    self.leave_to(target)?;
                }
                None => {
                    self.restore();
                    self.code.put(Instruction::Return);
                }
            }
        }
        Ok(())
    }

    fn live_phis(&self, target: Inst) -> usize {
        crate::ir::handed(self.func, target).iter().filter(|&&phi| !self.ops.is_unused(phi)).count()
    }
}
