//! The driver: events to Wasm, control instructions themselves.
//!
//! All Wasm blocks have the empty type: values cross their borders in locals. A construct that no
//! branch names needs no label, and but for `if` no Wasm block at all.

use super::code::Code;
use super::flat::{Event, Flat};
use super::frame::FramePlan;
use super::locals::{Locals, Place, Places};
use super::operands::{Operand, Operands};
use super::reindex::Reindex;
use super::tables::Tables;
use super::traps::LastBranch;
use super::{EmitContext, EmittedBody};
use crate::fault::Error;
use crate::ir::{Func, Inst, Op, Value};
use crate::lower::debug::DebugFunc;
use cranelift_entity::SecondaryMap;
use std::ops::Range;
use wasm_encoder::{BlockType, Instruction};

/// Emission of one function.
pub(super) struct Emitter<'e, 'a> {
    pub func: &'e Func<'a>,
    pub cx: &'e EmitContext<'e>,
    pub flat: &'e Flat,
    pub tables: &'e Tables,
    pub ops: &'e Operands,
    pub places: &'e Places,
    pub locals: Locals,
    pub frame: FramePlan,
    /// How many sections of the frame have begun.
    pub begun: usize,
    /// Where the code that is written is in one: its positions.
    pub section: Option<Range<usize>>,
    pub reindex: Reindex<'e>,
    pub code: Code,
    /// Places of marks, and behind calls.
    pub debug: DebugFunc,
    /// How many labels are open.
    pub depth: u32,
    /// How many labels were open when a construct's own was opened, plus one; 0 without a label.
    pub label: SecondaryMap<Inst, u32>,
    /// An `if` that was emitted with its condition inverted, because its first arm is empty.
    inverted: SecondaryMap<Inst, bool>,
    /// What traps must know of it.
    pub branch: LastBranch,
}

/// Writes a function with all decisions made.
#[expect(clippy::too_many_arguments, reason = "the results of the phases, each of its own type")]
pub(super) fn emit(
    func: &Func<'_>,
    cx: &EmitContext<'_>,
    flat: &Flat,
    tables: &Tables,
    ops: &Operands,
    places: &Places,
    locals: Locals,
    frame: FramePlan,
) -> Result<EmittedBody, Error> {
    let code = Code::new(&locals.declared);
    let mut emitter = Emitter {
        func,
        cx,
        flat,
        tables,
        ops,
        places,
        locals,
        frame,
        begun: 0,
        section: None,
        reindex: Reindex(cx),
        code,
        debug: DebugFunc::default(),
        depth: 0,
        label: func.per_inst(),
        inverted: func.per_inst(),
        branch: LastBranch::default(),
    };
    emitter.check_frame()?;
    for at in 0..flat.events.len() {
        emitter.begin_section(at);
        emitter.event(at)?;
        emitter.end_section(at);
    }
    emitter.code.put(Instruction::End);
    let debug = emitter.debugged();
    Ok(EmittedBody { inlined: func.inlined.clone(), debug, ..emitter.code.finish() })
}

impl Emitter<'_, '_> {
    fn event(&mut self, at: usize) -> Result<(), Error> {
        match self.flat.events[at] {
            Event::Inst(inst) if self.is_emitted(inst) => {
                self.code.enter(self.func, self.func.insts[inst].loc);
                self.fetch_outer(inst)?;
                self.fetch_own(inst)?;
                self.inst(inst, at + 1 == self.flat.events.len())
            }
            Event::Inst(_) => Ok(()),
            Event::Open(inst) => {
                self.code.enter(self.func, self.func.insts[inst].loc);
                self.fetch_outer(inst)?;
                self.fetch_own(inst)?;
                self.open(inst, at)
            }
            Event::Else(inst) => {
                if !self.inverted[inst] && self.empty_arm(at + 1, Event::Close(inst)).is_none() {
                    self.code.put(Instruction::Else);
                }
                Ok(())
            }
            Event::Close(inst) => {
                if self.label[inst] > 0 {
                    self.close_label();
                }
                Ok(())
            }
        }
    }

    pub fn is_emitted(&self, inst: Inst) -> bool {
        let is_const =
            matches!(self.func.results(inst), &[result] if matches!(self.places.get(result), Place::Const(_)));
        self.ops.is_live(inst) && !is_const
    }

    fn open(&mut self, inst: Inst, at: usize) -> Result<(), Error> {
        match self.func.insts[inst].op {
            Op::Loop { .. } => {
                self.set_phis(self.ops.of[inst].inline())?;
                if self.flat.targeted[inst] {
                    self.open_label(Some(inst), Instruction::Loop(BlockType::Empty));
                }
            }
            Op::If { .. } => {
                if let Some(other) = self.empty_arm(at + 1, Event::Else(inst)) {
                    self.inverted[inst] = true;
                    if !self.flat.targeted[inst] && self.empty_arm(other + 1, Event::Close(inst)).is_some() {
                        self.code.put(Instruction::Drop);
                        return Ok(());
                    }
                    self.code.invert();
                }
                self.if_site(inst);
                self.code.hint(self.func.likely[inst].map(|likely| likely != self.inverted[inst]));
                self.open_label(Some(inst), Instruction::If(BlockType::Empty));
            }
            _ if self.flat.targeted[inst] => self.open_label(Some(inst), Instruction::Block(BlockType::Empty)),
            _ => {}
        }
        Ok(())
    }

    /// Opens a label, for a construct or for emission's own use.
    pub fn open_label(&mut self, inst: Option<Inst>, opcode: Instruction<'_>) {
        self.code.put(opcode);
        self.depth += 1;
        if let Some(inst) = inst {
            self.label[inst] = self.depth;
        }
    }

    /// Closes the innermost label.
    pub fn close_label(&mut self) {
        self.code.put(Instruction::End);
        self.depth -= 1;
    }

    /// Whether the arm that begins at an event does nothing but fall out of its end; where that is.
    fn empty_arm(&self, mut at: usize, end: Event) -> Option<usize> {
        while let Some(&Event::Inst(inst)) = self.flat.events.get(at) {
            let is_yield = matches!(self.func.insts[inst].op, Op::Yield);
            let in_place = || self.ops.list[self.ops.of[inst].all()].iter().all(|operand| self.is_in_place(operand));
            if self.is_emitted(inst) && !(is_yield && in_place()) {
                return None;
            }
            at += 1;
        }
        (self.flat.events.get(at) == Some(&end)).then_some(at)
    }

    /// At the start of a claimed operand's code: fetches the operands in front of it.
    fn fetch_outer(&mut self, inst: Inst) -> Result<(), Error> {
        if self.last_claimed(self.ops.of[inst].inline()).is_some() {
            return Ok(());
        }
        let mut chain = Vec::new();
        let mut inner = inst;
        while let Some(operand) = self.places.claimed_by(inner) {
            let owner = self.ops.list[operand].owner;
            let in_front = self.ops.of[owner].inline().start..operand;
            let first = self.last_claimed(in_front.clone());
            chain.push(first.map_or(in_front.start, |claimed| claimed + 1)..operand);
            if first.is_some() {
                break;
            }
            inner = owner;
        }
        chain.into_iter().rev().try_for_each(|operands| self.fetch(operands))
    }

    /// Fetches an instruction's operands behind the last that is claimed.
    fn fetch_own(&mut self, inst: Inst) -> Result<(), Error> {
        let inline = self.ops.of[inst].inline();
        let start = self.last_claimed(inline.clone()).map_or(inline.start, |claimed| claimed + 1);
        self.fetch(start..inline.end)
    }

    fn last_claimed(&self, operands: Range<usize>) -> Option<usize> {
        operands.rev().find(|&operand| self.ops.list[operand].claimed)
    }

    /// Pushes operands that are not on the stack yet.
    pub fn fetch(&mut self, operands: Range<usize>) -> Result<(), Error> {
        for at in operands {
            let operand = self.ops.list[at];
            if !self.is_in_place(&operand) {
                self.get(&operand)?;
            }
        }
        Ok(())
    }

    fn get(&mut self, operand: &Operand) -> Result<(), Error> {
        if operand.frame {
            self.code.get(self.locals.frame);
            return Ok(());
        }
        match self.places.get(operand.value) {
            Place::Local(local) => {
                self.code.get(local);
                let never_null = self.locals.non_null.get(local as usize).copied().unwrap_or(false);
                if operand.non_null && !never_null {
                    self.code.put(Instruction::RefAsNonNull);
                }
                Ok(())
            }
            Place::Const(inst) => self.constant(inst),
            Place::None | Place::Stack => Err(Error::bug(format!("{} is not in a local", operand.value))),
        }
    }

    /// Pushes a value other than by being an operand.
    pub fn get_value(&mut self, value: Value) -> Result<(), Error> {
        match self.places.get(value) {
            Place::Local(local) => {
                self.code.get(local);
                Ok(())
            }
            Place::Const(inst) => self.constant(inst),
            Place::None | Place::Stack => Err(Error::bug(format!("{value} is not in a local"))),
        }
    }

    /// Sets the results of an instruction from the stack.
    pub fn set_results(&mut self, inst: Inst) {
        let func = self.func;
        for &result in func.results(inst).iter().rev() {
            match self.places.get(result) {
                Place::Local(local) => self.code.set(local),
                Place::None => self.code.put(Instruction::Drop),
                Place::Stack | Place::Const(_) => {}
            }
        }
    }
}
