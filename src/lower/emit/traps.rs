//! Traps, and the branches that have a trap on one of their ways: where each is told to be.
//!
//! The engine makes a conditional trap of a branch around nothing but a trap, and that trap has the place of the branch. So the
//! branch is a site of the trap too:
//!
//! ```text
//! if (ref.is_null x)  unreachable  end     ;; one instruction of the machine: a null reference, at the `if`
//! ```
//!
//! Where there is nothing but a trap on both ways of a branch, it may be either that comes to the branch's place. So another
//! trap behind it has something in front of it that stays, a store to a cell that nobody reads, if it or the branch's means
//! more than the engine tells.
//!
//! What this is not: what a trap means to the embedder, which is in `runtime/trap.rs`.

use super::body::Emitter;
use super::flat::Event;
use crate::ir::{Inst, Op, TrapCode};
use wasm_encoder::Instruction;

/// What is known of the branch that was emitted last.
#[derive(Default)]
pub(super) struct LastBranch {
    /// The trap that is all there is on one of its ways, and has its place.
    around: Option<Inst>,
    /// That trap means more than the engine tells, and nothing was emitted since that the engine leaves where it is.
    has_meaning: bool,
}

/// What the engine does not tell of a trap.
fn meaning(code: TrapCode) -> Option<TrapCode> {
    (code != TrapCode::Unreachable).then_some(code)
}

impl Emitter<'_, '_> {
    /// In front of an `if`.
    pub fn if_site(&mut self, inst: Inst) {
        let arms = self.func.insts[inst].op.regions();
        let found = arms.into_iter().find_map(|arm| {
            let (&last, others) = self.func.regions[arm].insts.split_last()?;
            match self.func.insts[last].op {
                Op::Trap(code) if !others.iter().any(|&inst| self.ops.is_live(inst)) => Some((last, code)),
                _ => None,
            }
        });
        self.branch.has_meaning = false;
        if let Some((last, code)) = found {
            self.branch = LastBranch { around: Some(last), has_meaning: meaning(code).is_some() };
            self.code.branch_site(self.func.insts[inst].loc, meaning(code));
        }
    }

    /// In front of a conditional branch. What comes next behind it may be nothing but a trap.
    pub fn br_if_site(&mut self, inst: Inst) {
        let around = self.trap_behind(inst);
        let own = &self.func.insts[inst];
        let behind = around.map(|trap| (&self.func.insts[trap].op, self.func.insts[trap].loc));
        let asks_for_an_exception = self.func.likely[inst] == Some(false);
        let (loc, trap) = match behind {
            // It is our own: told where it stands.
            Some((&Op::Trap(code), loc)) if meaning(code).is_some() => (loc, Some(code)),
            // The program has no branch here, but the trap.
            Some((Op::Trap(_), loc)) if asks_for_an_exception => (loc, None),
            // The program has both: told at the branch, as on the engine alone.
            _ => (own.loc, own.trap),
        };
        self.branch = LastBranch { around, has_meaning: trap.is_some() };
        self.code.branch_site(loc, trap);
    }

    /// `Op::Trap`
    pub fn trap(&mut self, inst: Inst, code: TrapCode) {
        let trap = meaning(code);
        if self.branch.around != Some(inst) && (trap.is_some() || self.branch.has_meaning) {
            self.code.put(Instruction::I32Const(0));
            self.code.put(Instruction::I32Const(0));
            let cell = self.at(self.cx.map.mark_cell());
            self.code.put(Instruction::I32Store(cell));
        }
        self.code.site(self.func.insts[inst].loc, trap);
        self.code.put(Instruction::Unreachable);
    }

    /// In front of a call, which the engine leaves where it is.
    pub fn stays(&mut self) {
        self.branch.has_meaning = false;
    }

    /// The trap that comes next behind an instruction, if nothing does before.
    fn trap_behind(&self, inst: Inst) -> Option<Inst> {
        let next = self.flat.at[inst] as usize + 1;
        self.flat.events.get(next..)?.iter().find_map(|event| match *event {
            Event::Inst(inst) if !self.is_emitted(inst) => None,
            Event::Inst(inst) => Some(Some(inst).filter(|&inst| matches!(self.func.insts[inst].op, Op::Trap(_)))),
            _ => Some(None),
        })?
    }
}
