//! Blocks, branches, and SSA construction.
//!
//! A block of the IR has as results those of the Wasm block, then the locals that are assigned in it,
//! ascending; a loop has parameters in the same order. Every branch carries the values that these
//! locals have where it stands. Nothing is ever renamed later: the prescan says early what a block
//! assigns.
//!
//! Blocks and loops that no branch leads to do not exist in the IR: their instructions go straight
//! into the region around.
//!
//! Unreachable code makes no IR. The control stack has no frames for blocks that open in it; they are
//! only counted.

use super::emit::signature;
use super::exceptions::Handler;
use super::prescan::Block;
use super::translate::Translator;
use crate::fault::Error;
use crate::fault::Result;
use crate::ir::{BrTarget, Cursor, Inst, Op, Region, TrapCode, Value};
use crate::types::ValType;
use cranelift_entity::packed_option::PackedOption;
use smallvec::SmallVec;
use std::ops::Range;
use wasmparser::{BlockType, BrTable};

/// What a frame of the control stack is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// The function. A branch to it returns.
    Func,
    /// A block or loop that no branch leads to.
    Flat,
    Block,
    Loop,
    Then,
    Else,
    /// What a `try_table` or `try` protects.
    Try,
    /// A handler of a `try`.
    Catch,
}

/// An open block.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) inst: PackedOption<Inst>,
    /// Where instructions go behind it.
    outer: Region,
    /// The region of the second arm, while in the first.
    els: PackedOption<Region>,
    /// Height of the operand stack below its parameters.
    pub(super) base: usize,
    params: usize,
    results: usize,
    pub(super) block: Block,
    /// Where its locals start in the pools `carried` and `saved`.
    pub(super) carried: usize,
    saved: usize,
    /// Something yields to it or branches to its end.
    reached: bool,
    /// Where exceptions go that are thrown in it: of a function, `try_table` or `try`.
    pub(super) handler: Option<Box<Handler>>,
}

impl Frame {
    /// Whether it has clauses for exceptions that are thrown in it.
    pub(super) fn catches(&self) -> bool {
        self.kind == Kind::Try && self.handler.as_ref().is_some_and(|handler| handler.has_clauses())
    }

    /// Values on the stack that are not the program's: the parameters of an `if`, kept for its second arm.
    pub(super) fn hidden(&self) -> Option<Range<usize>> {
        (self.els.is_some() && self.params > 0).then(|| self.base..self.base + self.params)
    }
}

/// Where a branch goes, and with how many Wasm operands; the locals follow.
struct Label {
    at: usize,
    inst: Option<Inst>,
    arity: usize,
}

type Types = SmallVec<[ValType; 8]>;
/// Operands of a branch.
pub(super) type Args = SmallVec<[Value; 16]>;

impl<'a> Translator<'_, 'a> {
    /// Opens the frame of the function.
    pub(super) fn enter_func(&mut self, results: usize) {
        let (region, block) = (self.func.body, Block::default());
        self.push_frame(Kind::Func, None, region, 0, (0, results), block);
        if self.scan.throws {
            self.open_propagation();
        }
    }

    /// `block`
    pub(super) fn enter_block(&mut self, ty: BlockType) -> Result<()> {
        let Some(block) = self.open_block() else { return Ok(()) };
        let (params, mut results) = self.block_type(ty)?;
        let base = self.height(params.len())?;
        let arity = (params.len(), results.len());
        if !block.kept {
            self.push_frame(Kind::Flat, None, self.region, base, arity, block);
            return Ok(());
        }
        self.push_frame(Kind::Block, None, self.region, base, arity, block);
        let carried = self.carry()?;
        self.local_types(&carried, &mut results)?;
        let body = self.func.add_region();
        self.place(Op::Block { body }, &[], &results, body)
    }

    /// `loop`
    pub(super) fn enter_loop(&mut self, ty: BlockType) -> Result<()> {
        let Some(block) = self.open_block() else { return Ok(()) };
        let (mut params, mut results) = self.block_type(ty)?;
        let base = self.height(params.len())?;
        let arity = (params.len(), results.len());
        if !block.kept {
            self.push_frame(Kind::Flat, None, self.region, base, arity, block);
            return Ok(());
        }
        self.push_frame(Kind::Loop, None, self.region, base, arity, block);
        let carried = self.carry()?;
        self.local_types(&carried, &mut results)?;
        self.local_types(&carried, &mut params)?;
        let mut args: Args = self.stack.drain(base..).collect();
        for &local in &carried {
            args.push(self.locals.get(&mut self.func, local)?);
        }
        let body = self.func.add_region();
        self.budget.spend(params.len(), args.len(), self.scan.ops)?;
        for (n, &ty) in params.iter().enumerate() {
            let param = self.func.add_param(body, ty);
            match n.checked_sub(arity.0).and_then(|n| carried.get(n)) {
                Some(&local) => self.locals.set(local, param.into()),
                None => self.stack.push(param),
            }
        }
        self.place(Op::Loop { body }, &args, &results, body)
    }

    /// `if`
    pub(super) fn enter_if(&mut self, ty: BlockType) -> Result<()> {
        let Some(block) = self.open_block() else { return Ok(()) };
        let cond = self.pop()?;
        let (params, mut results) = self.block_type(ty)?;
        let base = self.height(params.len())?;
        let arity = (params.len(), results.len());
        self.push_frame(Kind::Then, None, self.region, base, arity, block);
        let carried = self.carry()?;
        self.local_types(&carried, &mut results)?;
        let (then, els) = (self.func.add_region(), self.func.add_region());
        // The parameters stay below for the second arm.
        self.stack.extend_from_within(base..);
        if let Some(frame) = self.frames.last_mut() {
            frame.els = els.into();
            let assigned = self.scan.assigned(&frame.block);
            self.saved.extend(assigned.iter().map(|&local| self.locals.raw(local)));
        }
        self.place(Op::If { then, els }, &[cond], &results, then)
    }

    /// `else`
    pub(super) fn enter_else(&mut self) -> Result<()> {
        if self.dead > 0 {
            return Ok(());
        }
        self.yield_to_top()?;
        let frame = self.frames.last_mut().ok_or_else(underflow)?;
        let Some(els) = frame.els.take() else { return Err(Error::bug("`else` without `if` after validation")) };
        frame.kind = Kind::Else;
        self.stack.truncate(frame.base + frame.params);
        self.stack.extend_from_within(frame.base..);
        for (at, &local) in self.scan.assigned(&frame.block).iter().enumerate() {
            self.locals.set(local, self.saved.get(frame.saved + at).copied().unwrap_or_default());
        }
        let base = frame.base;
        self.region = els;
        self.reachable = true;
        self.forget_operands(base);
        Ok(())
    }

    /// `end`
    pub(super) fn end(&mut self) -> Result<()> {
        if self.dead > 0 {
            self.dead -= 1;
            return Ok(());
        }
        self.yield_to_top()?;
        let mut frame = self.frames.pop().ok_or_else(underflow)?;
        self.close_handler(&mut frame)?;
        if let Some(els) = frame.els.take() {
            self.empty_else(&frame, els)?;
            frame.reached = true;
        }
        match frame.inst.expand() {
            Some(inst) => self.leave(&frame, inst)?,
            None if !self.reachable => self.stack.truncate(frame.base),
            None => {}
        }
        self.forget(&frame);
        self.forget_operands(frame.base);
        Ok(())
    }

    /// Gives back the pools of a frame that was closed.
    fn forget(&mut self, frame: &Frame) {
        self.carried.truncate(frame.carried);
        self.saved.truncate(frame.saved);
    }

    /// Ends the region of the innermost frame, if its end is reachable.
    pub(super) fn yield_to_top(&mut self) -> Result<()> {
        if !self.reachable {
            return Ok(());
        }
        let Some(frame) = self.frames.last_mut() else { return Err(underflow()) };
        let op = match (frame.kind, frame.inst.expand()) {
            (Kind::Flat, _) => return Ok(()),
            (Kind::Func, _) => Op::Return,
            // Between its region and the end of the whole are the handlers.
            (Kind::Try | Kind::Catch, Some(target)) => Op::Br { target },
            _ => Op::Yield,
        };
        frame.reached = true;
        let arity = frame.results;
        let args = self.operands(self.frames.len() - 1, arity)?;
        self.terminate(op, &args);
        Ok(())
    }

    /// The second arm of an `if` without `else`: everything stays as it was.
    fn empty_else(&mut self, frame: &Frame, els: Region) -> Result<()> {
        let params = self.stack.get(frame.base..frame.base + frame.params).ok_or_else(underflow)?;
        let mut args = Args::from_slice(params);
        // Both lists ascend.
        let mut carried = self.carried.get(frame.carried..).unwrap_or_default().iter().peekable();
        for (at, &local) in self.scan.assigned(&frame.block).iter().enumerate() {
            if carried.next_if_eq(&&local).is_some() {
                let saved = self.saved.get(frame.saved + at).copied().unwrap_or_default();
                args.push(self.locals.saved(&mut self.func, local, saved)?);
            }
        }
        self.budget.spend(0, args.len(), self.scan.ops)?;
        Cursor::at(&mut self.func, els, self.loc).push(Op::Yield, &args, &[]);
        Ok(())
    }

    /// Goes on behind an instruction that owns regions, with its results.
    fn leave(&mut self, frame: &Frame, inst: Inst) -> Result<()> {
        self.restore(frame, inst, frame.results)?;
        self.region = frame.outer;
        self.reachable = frame.reached;
        if !frame.reached {
            self.terminate(Op::Trap(TrapCode::Unreachable), &[]);
        }
        Ok(())
    }

    /// The operand stack and the locals as an instruction of a frame leaves them: so many operands, then
    /// the locals that the frame carries.
    pub(super) fn restore(&mut self, frame: &Frame, inst: Inst, operands: usize) -> Result<()> {
        self.stack.truncate(frame.base);
        for &local in self.scan.assigned(&frame.block) {
            self.locals.set(local, None.into());
        }
        let (wasm, carried) = self.func.results(inst).split_at_checked(operands).ok_or_else(underflow)?;
        self.stack.extend_from_slice(wasm);
        for (&local, &value) in self.carried.get(frame.carried..).unwrap_or_default().iter().zip(carried) {
            self.locals.set(local, value.into());
        }
        Ok(())
    }

    /// `br`, without its end of the reachable code.
    pub(super) fn branch(&mut self, depth: u32) -> Result<()> {
        let label = self.label(depth)?;
        let args = self.operands(label.at, label.arity)?;
        self.terminate(jump(&label), &args);
        Ok(())
    }

    /// `return`
    pub(super) fn return_(&mut self) -> Result<()> {
        let depth = self.frames.len().checked_sub(1).ok_or_else(underflow)?;
        self.branch(depth as u32)
    }

    /// `br_if`, and what is made of it: branches with the operands on top of the stack.
    pub(super) fn branch_if(&mut self, cond: Value, depth: u32) -> Result<()> {
        let label = self.label(depth)?;
        let mut args = self.operands(label.at, label.arity)?;
        let mut cursor = Cursor::at(&mut self.func, self.region, self.loc);
        match label.inst {
            Some(target) => {
                args.insert(0, cond);
                let branch = cursor.push(Op::BrIf { target }, &args, &[]);
                self.hint(branch);
            }
            None => {
                let branch = cursor.if_else(
                    cond,
                    &[],
                    |c| {
                        c.push(Op::Return, &args, &[]);
                    },
                    |c| c.yield_(&[]),
                );
                self.hint(branch);
            }
        }
        Ok(())
    }

    /// Takes over what the module says of a branch.
    fn hint(&mut self, branch: Inst) {
        if let Some(likely) = self.module.hints.branch(self.loc) {
            self.func.likely[branch] = Some(likely);
        }
    }

    /// A branch that only happens when `cond` is (or is not) zero, and then carries as its last
    /// operand a value that is known better on this path: `br_on_non_null`, `br_on_cast`. That
    /// operand is not on the stack.
    pub(super) fn branch_refined(
        &mut self,
        cond: Value,
        when: bool,
        value: (Value, ValType),
        depth: u32,
    ) -> Result<()> {
        let label = self.label(depth)?;
        let others = label.arity.checked_sub(1).ok_or_else(underflow)?;
        let mut args = self.operands(label.at, others)?;
        let mut cursor = Cursor::at(&mut self.func, self.region, self.loc);
        let taken = |c: &mut Cursor<'_, 'a>| {
            args.insert(others, refine(c, value.0, value.1));
            c.push(jump(&label), &args, &[]);
        };
        let not_taken = |c: &mut Cursor<'_, 'a>| c.yield_(&[]);
        if when {
            cursor.if_else(cond, &[], taken, not_taken);
        } else {
            cursor.if_else(cond, &[], not_taken, taken);
        }
        Ok(())
    }

    /// `br_table`
    pub(super) fn branch_table(&mut self, table: &BrTable<'a>) -> Result<()> {
        let index = self.pop()?;
        let mut all = vec![index];
        let mut targets = Vec::with_capacity(table.len() as usize + 1);
        for depth in table.targets().chain([Ok(table.default())]) {
            let label = self.label(depth?)?;
            let args = self.operands(label.at, label.arity)?;
            targets.push(BrTarget { target: label.inst, args: args.len() as u32 });
            all.extend_from_slice(&args);
        }
        self.terminate(Op::BrTable { targets: targets.into() }, &all);
        Ok(())
    }

    /// Finds the target of a branch, and notes that it has one.
    fn label(&mut self, depth: u32) -> Result<Label> {
        let at = self.frames.len().checked_sub(1).and_then(|top| top.checked_sub(depth as usize));
        let at = at.ok_or_else(|| Error::bug("branch out of the function after validation"))?;
        let frame = self.frames.get_mut(at).ok_or_else(underflow)?;
        let inst = frame.inst.expand();
        if inst.is_none() && frame.kind != Kind::Func {
            return Err(Error::bug("branch to a block that no branch leads to"));
        }
        let arity = match frame.kind {
            Kind::Loop => frame.params,
            _ => frame.results,
        };
        frame.reached |= frame.kind != Kind::Loop;
        Ok(Label { at, inst, arity })
    }

    /// The operands of a branch to a frame: so many from the top of the stack, which keeps them, then
    /// the locals that it carries.
    pub(super) fn operands(&mut self, to: usize, arity: usize) -> Result<Args> {
        let at = self.height(arity)?;
        let mut args = Args::from_slice(&self.stack[at..]);
        let start = self.frames.get(to).ok_or_else(underflow)?.carried;
        let end = self.frames.get(to + 1).map_or(self.carried.len(), |next| next.carried);
        self.budget.spend(0, arity + (end - start), self.scan.ops)?;
        for at in start..end {
            args.push(self.locals.get(&mut self.func, self.carried[at])?);
        }
        Ok(args)
    }

    /// Ends the region, and with it the reachable code.
    pub(super) fn terminate(&mut self, op: Op<'a>, args: &[Value]) {
        Cursor::at(&mut self.func, self.region, self.loc).push(op, args, &[]);
        self.reachable = false;
    }

    /// The next block, unless it opens in unreachable code.
    pub(super) fn open_block(&mut self) -> Option<Block> {
        let block = self.scan.block(self.opened);
        self.opened += 1;
        if !self.reachable {
            self.dead += 1;
            return None;
        }
        Some(block)
    }

    pub(super) fn push_frame(
        &mut self,
        kind: Kind,
        inst: Option<Inst>,
        outer: Region,
        base: usize,
        (params, results): (usize, usize),
        block: Block,
    ) {
        self.frames.push(Frame {
            kind,
            inst: inst.into(),
            outer,
            els: None.into(),
            base,
            params,
            results,
            block,
            carried: self.carried.len(),
            saved: self.saved.len(),
            reached: false,
            handler: None,
        });
    }

    /// Which locals the innermost frame carries: those that it assigns and that are set before.
    pub(super) fn carry(&mut self) -> Result<SmallVec<[u32; 16]>> {
        let Some(frame) = self.frames.last() else { return Err(underflow()) };
        let mut carried = SmallVec::new();
        for &local in self.scan.assigned(&frame.block) {
            if self.locals.is_set(local)? {
                carried.push(local);
            }
        }
        self.carried.extend_from_slice(&carried);
        Ok(carried)
    }

    pub(super) fn local_types(&self, locals: &[u32], types: &mut Types) -> Result<()> {
        for &local in locals {
            types.push(self.locals.ty(local)?);
        }
        Ok(())
    }

    /// Appends the instruction of the innermost frame, and goes on in its region.
    pub(super) fn place(&mut self, op: Op<'a>, args: &[Value], results: &[ValType], body: Region) -> Result<()> {
        self.budget.spend(results.len(), 0, self.scan.ops)?;
        let inst = Cursor::at(&mut self.func, self.region, self.loc).push(op, args, results);
        if let Some(frame) = self.frames.last_mut() {
            frame.inst = inst.into();
        }
        self.hint(inst);
        self.region = body;
        Ok(())
    }

    pub(super) fn block_type(&self, ty: BlockType) -> Result<(Types, Types)> {
        let types = &self.module.types;
        Ok(match ty {
            BlockType::Empty => (Types::new(), Types::new()),
            BlockType::Type(ty) => {
                (Types::new(), Types::from_slice(&[super::types::val_type(types, ty, self.offset)?]))
            }
            BlockType::FuncType(ty) => {
                let sig = signature(self.module, ty)?;
                (Types::from_slice(&sig.params), Types::from_slice(&sig.results))
            }
        })
    }

    /// The height of the stack below so many operands.
    pub(super) fn height(&self, operands: usize) -> Result<usize> {
        self.stack.len().checked_sub(operands).ok_or_else(underflow)
    }

    pub(super) fn pop(&mut self) -> Result<Value> {
        self.stack.pop().ok_or_else(underflow)
    }
}

/// A branch to a label.
fn jump<'a>(label: &Label) -> Op<'a> {
    match label.inst {
        Some(target) => Op::Br { target },
        None => Op::Return,
    }
}

/// The same value with a better type, if it is better.
pub(super) fn refine<'a>(cursor: &mut Cursor<'_, 'a>, value: Value, ty: ValType) -> Value {
    if cursor.func.ty(value) == ty { value } else { cursor.value(Op::Ref(crate::ir::RefOp::Refine), &[value], ty) }
}

#[cold]
pub(super) fn underflow() -> Error {
    Error::bug("control or operand stack underflow after validation")
}
