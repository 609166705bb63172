//! Marks for debuggers: before each operator that can be reached, with what the locals and the operand stack hold.
//!
//! Locals are noted where they are assigned. Operands are noted before the next operator, those that are not noted
//! there yet. What stands below a block can not change in it, so only what a block leaves is noted again behind it.
//!
//! ```text
//! (local.set 0 (struct.new $t))     mark; v1 = struct.new; set stack0 v1; mark; set local0 v1
//! ```
//!
//! Which operands an operator has taken when it calls or traps is as in Wasmtime's own code: calls, throws and
//! `struct.new` leave their operands where they are until they are done, all others take them first. A debugger that is
//! used to that sees what it is used to.

use super::control::{Frame, underflow};
use super::translate::Translator;
use crate::fault::{Error, Result};
use crate::ir::{Cursor, DebugOp, Debugged, Mark, MarkKind, Op, Shape, Value, VarKind};
use std::collections::HashMap;
use wasmparser::Operator;

/// What is noted where.
#[derive(Default)]
pub(super) struct Tracker {
    /// The operands that are noted, from the bottom, and the shape up to each.
    known: Vec<(Value, u32)>,
    vars: HashMap<(usize, VarKind), u32>,
    shapes: HashMap<Shape, u32>,
}

impl<'a> Translator<'_, 'a> {
    /// Begins to note what debuggers see: the locals are declared.
    pub(super) fn start_debugging(&mut self) -> Result<()> {
        let params = self.func.params().to_vec();
        let count = self.locals.count();
        let kinds = (0..count).map(|local| {
            let kind = VarKind::of(self.locals.ty(local)?);
            kind.ok_or_else(|| Error::bug("a local that holds a continuation"))
        });
        let vars = kinds.collect::<Result<_>>()?;
        let debug = Debugged { vars, locals: count, params: params.len() as u32, ..Debugged::default() };
        self.func.debug = Some(Box::new(debug));
        self.debug = Some(Box::default());
        for (local, param) in (0u32..).zip(params) {
            self.note(local, param);
        }
        Ok(())
    }

    /// Notes a value in a variable.
    fn note(&mut self, var: u32, value: Value) {
        Cursor::at(&mut self.func, self.region, self.loc).push(Op::Debug(DebugOp::Set(var)), &[value], &[]);
    }

    /// A local was assigned.
    pub(super) fn note_local(&mut self, local: u32, value: Value) {
        if self.debug.is_some() {
            self.note(local, value);
        }
    }

    /// What is on the stack from a height on may be something else from here on.
    pub(super) fn forget_operands(&mut self, height: usize) {
        if self.debug.is_none() {
            return;
        }
        let hidden = self.hidden(height);
        if let Some(tracker) = &mut self.debug {
            tracker.known.truncate(height.saturating_sub(hidden));
        }
    }

    /// How many values below a height are not the program's: the parameters of an `if`, kept for its second arm.
    fn hidden(&self, height: usize) -> usize {
        self.frames.iter().filter_map(|frame| frame.hidden()).filter(|range| range.end <= height).map(|r| r.len()).sum()
    }

    /// The mark before an operator that ends at an offset.
    pub(super) fn mark(&mut self, op: &Operator<'a>, next: usize) -> Result<()> {
        if self.debug.is_none() || !self.reachable || self.dead > 0 {
            return Ok(());
        }
        // What follows looks at all frames and operands.
        self.budget.spend(0, self.frames.len() + self.stack.len(), self.scan.ops)?;
        let shape = self.note_operands()?;
        let pc = self.offset as u32;
        let (next, taken) = if self.is_caught(op) { (pc, 0) } else { (next as u32, self.taken(op)) };
        self.push_mark(Mark { kind: MarkKind::Step, pc, next, shape, taken });
        Ok(())
    }

    /// Whether it is a call whose exceptions find a clause in this function. In Wasmtime's own code such a call is where
    /// it was before it began, as long as it is under way.
    fn is_caught(&self, op: &Operator<'a>) -> bool {
        matches!(op, Operator::Call { .. } | Operator::CallIndirect { .. } | Operator::CallRef { .. })
            && self.frames.iter().any(Frame::catches)
    }

    /// A mark of another kind, for the operator at hand.
    pub(super) fn mark_again(&mut self, kind: MarkKind) {
        let last = self.func.debug.as_ref().and_then(|debug| debug.marks.last());
        if let Some(&last) = last {
            self.push_mark(Mark { kind, ..last });
        }
    }

    /// A mark of another kind where an `i32` is not zero.
    pub(super) fn mark_if(&mut self, cond: Value, kind: MarkKind) {
        let last = self.func.debug.as_ref().and_then(|debug| debug.marks.last());
        let Some(&last) = last else { return };
        let Some(mark) = self.add_mark(Mark { kind, ..last }) else { return };
        let op = Op::Debug(DebugOp::Mark(mark));
        Cursor::at(&mut self.func, self.region, self.loc).if_else(
            cond,
            &[],
            |c| {
                c.push(op, &[], &[]);
                c.yield_(&[]);
            },
            |c| c.yield_(&[]),
        );
    }

    fn push_mark(&mut self, mark: Mark) {
        if let Some(mark) = self.add_mark(mark) {
            Cursor::at(&mut self.func, self.region, self.loc).push(Op::Debug(DebugOp::Mark(mark)), &[], &[]);
        }
    }

    fn add_mark(&mut self, mark: Mark) -> Option<u32> {
        let debug = self.func.debug.as_mut()?;
        debug.marks.push(mark);
        Some(debug.marks.len() as u32 - 1)
    }

    /// Notes the operands that are not noted yet; the shape of the stack.
    fn note_operands(&mut self) -> Result<u32> {
        let mut hidden = self.frames.iter().filter_map(|frame| frame.hidden()).peekable();
        let mut visible = Vec::with_capacity(self.stack.len());
        let mut at = 0;
        while at < self.stack.len() {
            match hidden.next_if(|range| range.start <= at) {
                Some(range) => at = at.max(range.end),
                None => {
                    visible.push(self.stack[at]);
                    at += 1;
                }
            }
        }
        let Some(mut tracker) = self.debug.take() else { return Ok(Shape::EMPTY) };
        let same = tracker.known.iter().zip(&visible).take_while(|(known, value)| known.0 == **value).count();
        tracker.known.truncate(same);
        for (depth, &value) in visible.iter().enumerate().skip(same) {
            let below = tracker.known.last().map_or(Shape::EMPTY, |&(_, shape)| shape);
            let shape = self.note_operand(&mut tracker, depth, value, below)?;
            tracker.known.push((value, shape));
        }
        let shape = tracker.known.last().map_or(Shape::EMPTY, |&(_, shape)| shape);
        self.debug = Some(tracker);
        Ok(shape)
    }

    fn note_operand(&mut self, tracker: &mut Tracker, depth: usize, value: Value, below: u32) -> Result<u32> {
        self.budget.spend(0, 1, self.scan.ops)?;
        let kind = VarKind::of(self.func.ty(value)).ok_or_else(|| Error::bug("an operand that is a continuation"))?;
        let debug = self.func.debug.as_mut().ok_or_else(underflow)?;
        let var = *tracker.vars.entry((depth, kind)).or_insert_with(|| {
            debug.vars.push(kind);
            debug.vars.len() as u32 - 1
        });
        let shape = Shape { below, var };
        let shape = *tracker.shapes.entry(shape).or_insert_with(|| {
            debug.shapes.push(shape);
            debug.shapes.len() as u32 - 1
        });
        self.note(var, value);
        Ok(shape)
    }

    /// How many operands an operator has taken when it calls or traps.
    fn taken(&self, op: &Operator<'a>) -> u32 {
        match op {
            Operator::CallIndirect { .. }
            | Operator::CallRef { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::ReturnCallRef { .. }
            | Operator::If { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::BrOnNull { .. }
            | Operator::BrOnNonNull { .. }
            | Operator::BrOnCast { .. }
            | Operator::BrOnCastFail { .. } => 1,
            Operator::Call { .. }
            | Operator::ReturnCall { .. }
            | Operator::Return
            | Operator::StructNew { .. }
            | Operator::ArrayNewFixed { .. }
            | Operator::Throw { .. }
            | Operator::ThrowRef
            | Operator::Rethrow { .. }
            | Operator::Unreachable
            | Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::TryTable { .. }
            | Operator::Try { .. }
            | Operator::Catch { .. }
            | Operator::CatchAll
            | Operator::Delegate { .. } => 0,
            op => op.operator_arity(&self.validator).map_or(0, |(args, _)| args),
        }
    }
}
