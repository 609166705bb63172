//! Throws and handlers as control: `try_table` of the standard, and `try` of the proposal before it,
//! which compilers still emit.
//!
//! A throw leaves an exception *pending* and goes to the handler of the construct around it. A call that
//! may throw is followed by a question. Without a handler in the function, the handler is a `return`
//! whose results nobody reads; so the caller asks next.
//!
//! ```text
//! try_table (catch $t $out)        v1 = block {                    ;; results, locals
//!   call $f                            v2 = block {                ;; locals
//! end                         =>           call $f
//!                                          br_if v2 (exn.pending)
//!                                          br v1
//!                                      }
//!                                      v3 = exn.take
//!                                      if (exn.is $t v3) { br $out (exn.payload v3) }
//!                                      exn.raise v3; br <the handler around>
//!                                  }
//! ```
//!
//! A throw whose clause is in the same function and takes no reference is a branch, without an exception.
//!
//! What this is not: the unwinding of an engine. Frames return one by one; that costs a load and a
//! branch for each, a hundredth of what an engine's tables cost. Why it is done so: `docs/lowering.md`.

use super::control::{Frame, Kind, underflow};
use super::emit::signature;
use super::translate::Translator;
use crate::fault::Error;
use crate::fault::Result;
use crate::ir::{Cursor, ExnOp, Inst, MarkKind, Op, RefOp, Region, TrapCode, Value};
use crate::types::ValType;
use wasmparser::{BlockType, Catch};

/// Where exceptions go that are thrown in a frame.
#[derive(Debug)]
pub(super) struct Handler {
    /// The block that a throw leaves. It carries the locals of the frame.
    block: Inst,
    /// Where handlers go: behind that block. In a `try`, what the clauses so far do not catch.
    behind: Option<Region>,
    /// The clauses of a `try_table`; `None` for a `try`, whose clauses come later.
    catches: Option<Vec<Catch>>,
    /// Whether anything can be thrown.
    hit: bool,
    /// The exception that was caught.
    exn: Option<Value>,
}

impl Handler {
    /// Whether it is of a `try_table` with clauses.
    pub(super) fn has_clauses(&self) -> bool {
        self.catches.as_ref().is_some_and(|catches| !catches.is_empty())
    }
}

impl<'a> Translator<'_, 'a> {
    /// Opens what leaves the function with an exception pending, around everything in it.
    pub(super) fn open_propagation(&mut self) {
        let outer = self.region;
        let body = self.func.add_region();
        let block = Cursor::at(&mut self.func, outer, self.loc).push(Op::Block { body }, &[], &[]);
        self.region = body;
        let handler = Handler { block, behind: Some(outer), catches: None, hit: false, exn: None };
        if let Some(frame) = self.frames.last_mut() {
            frame.handler = Some(Box::new(handler));
        }
    }

    /// `try_table`, with its clauses, or `try`.
    pub(super) fn enter_try(&mut self, ty: BlockType, catches: Option<Vec<Catch>>) -> Result<()> {
        let Some(block) = self.open_block() else { return Ok(()) };
        let (params, mut results) = self.block_type(ty)?;
        let base = self.height(params.len())?;
        let arity = (params.len(), results.len());
        self.push_frame(Kind::Try, None, self.region, base, arity, block);
        let carried = self.carry()?;
        self.local_types(&carried, &mut results)?;
        let mut locals = Default::default();
        self.local_types(&carried, &mut locals)?;
        let behind = self.func.add_region();
        self.place(Op::Block { body: behind }, &[], &results, behind)?;
        self.budget.spend(locals.len(), 0, self.scan.ops)?;
        let body = self.func.add_region();
        let block = Cursor::at(&mut self.func, behind, self.loc).push(Op::Block { body }, &[], &locals);
        self.region = body;
        if let Some(frame) = self.frames.last_mut() {
            frame.handler = Some(Box::new(Handler { block, behind: Some(behind), catches, hit: false, exn: None }));
        }
        Ok(())
    }

    /// `throw`
    pub(super) fn throw(&mut self, tag: u32) -> Result<()> {
        if let Some((at, label, payload)) = self.known_clause(tag) {
            if !payload {
                let at = self.height(self.payload(tag)?.len())?;
                self.stack.truncate(at);
            }
            // Labels of clauses are counted from around their construct.
            let depth = self.frames.len() as u32 - at as u32 + label;
            return self.branch(depth);
        }
        let count = self.payload(tag)?.len();
        let at = self.height(count)?;
        let exn = Cursor::at(&mut self.func, self.region, self.loc).value(
            Op::Exn(ExnOp::New(tag)),
            &self.stack[at..],
            ValType::EXN,
        );
        self.stack.truncate(at);
        self.raise(exn)
    }

    /// The clause that is sure to catch a tag that is thrown here, if no exception is needed for it: the
    /// frame, the label, and whether it wants the payload.
    fn known_clause(&self, tag: u32) -> Option<(usize, u32, bool)> {
        // A debugger is told of every exception.
        if self.module.debug {
            return None;
        }
        let imported = self.module.imported_tags;
        for (at, frame) in self.frames.iter().enumerate().rev().filter(|(_, frame)| frame.kind == Kind::Try) {
            for catch in frame.handler.as_ref()?.catches.as_ref()? {
                match *catch {
                    Catch::One { tag: of, label } if of == tag => return Some((at, label, true)),
                    Catch::All { label } => return Some((at, label, false)),
                    Catch::AllRef { .. } => return None,
                    Catch::OneRef { tag: of, .. } if of == tag => return None,
                    // Two imports may be the same tag.
                    Catch::One { tag: of, .. } | Catch::OneRef { tag: of, .. } if of < imported && tag < imported => {
                        return None;
                    }
                    Catch::One { .. } | Catch::OneRef { .. } => {}
                }
            }
        }
        None
    }

    /// `throw_ref`
    pub(super) fn throw_ref(&mut self) -> Result<()> {
        let exn = self.pop()?;
        let nullable = self.func.ty(exn).as_ref().is_none_or(|ty| ty.nullable);
        let mut cursor = Cursor::at(&mut self.func, self.region, self.loc);
        let exn = if nullable { cursor.value(Op::Ref(RefOp::AsNonNull), &[exn], ValType::EXN) } else { exn };
        self.raise(exn)
    }

    /// `rethrow`
    pub(super) fn rethrow(&mut self, depth: u32) -> Result<()> {
        let at = self.frames.len().checked_sub(1).and_then(|top| top.checked_sub(depth as usize));
        let handler = at.and_then(|at| self.frames.get(at)).and_then(|frame| frame.handler.as_ref());
        let exn = handler.and_then(|handler| handler.exn);
        self.raise(exn.ok_or_else(|| Error::bug("`rethrow` outside of a handler after validation"))?)
    }

    /// Makes an exception pending and goes to its handler.
    fn raise(&mut self, exn: Value) -> Result<()> {
        Cursor::at(&mut self.func, self.region, self.loc).push(Op::Exn(ExnOp::Raise), &[exn], &[]);
        self.mark_again(MarkKind::Throw);
        self.unwind(self.frames.len())
    }

    /// Behind a call: goes to the handler if an exception is pending.
    pub(super) fn check(&mut self) -> Result<()> {
        let pending =
            Cursor::at(&mut self.func, self.region, self.loc).value(Op::Exn(ExnOp::Pending), &[], ValType::I32);
        self.mark_if(pending, MarkKind::Thrown);
        let (target, mut args) = self.handler(self.frames.len())?;
        args.insert(0, pending);
        Cursor::at(&mut self.func, self.region, self.loc).push(Op::BrIf { target }, &args, &[]);
        Ok(())
    }

    /// Goes to the handler of what is pending, in the frames below a height.
    fn unwind(&mut self, below: usize) -> Result<()> {
        let (target, args) = self.handler(below)?;
        self.terminate(Op::Br { target }, &args);
        Ok(())
    }

    /// The handler that the frames below a height have, and what a branch to it carries.
    fn handler(&mut self, below: usize) -> Result<(Inst, super::control::Args)> {
        let frames = self.frames.get_mut(..below).unwrap_or_default().iter_mut().enumerate().rev();
        let mut active = frames.filter(|(_, frame)| matches!(frame.kind, Kind::Try | Kind::Func));
        let found = active.find_map(|(at, frame)| frame.handler.as_mut().map(|handler| (at, handler)));
        let (at, handler) = found.ok_or_else(|| Error::bug("a throw in a function that was found not to throw"))?;
        handler.hit = true;
        let block = handler.block;
        Ok((block, self.operands(at, 0)?))
    }

    /// `catch` and `catch_all` of a `try`.
    pub(super) fn catch(&mut self, tag: Option<u32>) -> Result<()> {
        if self.dead > 0 {
            return Ok(());
        }
        self.yield_to_top()?;
        let mut frame = self.frames.pop().ok_or_else(underflow)?;
        let Some(mut handler) = frame.handler.take() else { return Err(Error::bug("`catch` without `try`")) };
        let exn = self.enter_handler(&frame, &mut handler)?;
        frame.kind = Kind::Catch;
        let payload = match tag {
            Some(tag) => {
                handler.behind = Some(self.when_is(tag, exn)?);
                self.payload(tag)?.len()
            }
            None => {
                handler.behind = None;
                0
            }
        };
        frame.handler = Some(handler);
        self.forget_operands(frame.base);
        self.frames.push(frame);
        self.reachable = true;
        match tag {
            Some(tag) => self.push_payload(tag, exn, payload),
            None => Ok(()),
        }
    }

    /// `delegate`: the end of a `try` without handlers of its own.
    pub(super) fn delegate(&mut self, depth: u32) -> Result<()> {
        if self.dead == 0
            && let Some(top) = self.frames.len().checked_sub(1)
        {
            // The label is counted from around the construct, and is itself among those asked.
            self.delegated = Some(top.checked_sub(depth as usize).ok_or_else(underflow)?);
        }
        self.end()
    }

    /// At the end of a frame that was popped: what happens to exceptions that it does not catch.
    pub(super) fn close_handler(&mut self, frame: &mut Frame) -> Result<()> {
        let to = self.delegated.take().unwrap_or(self.frames.len());
        let Some(mut handler) = frame.handler.take() else { return Ok(()) };
        let Some(behind) = handler.behind else { return Ok(()) };
        self.region = behind;
        if !handler.hit {
            self.terminate(Op::Trap(TrapCode::Unreachable), &[]);
            return Ok(());
        }
        if frame.kind == Kind::Func {
            return self.leave_pending();
        }
        let catches = handler.catches.take().unwrap_or_default();
        let exn = match handler.exn {
            None if catches.is_empty() => {
                self.restore(frame, handler.block, 0)?;
                None
            }
            _ => Some(self.enter_handler(frame, &mut handler)?),
        };
        // Branches from here carry what the frames around carry, and nothing of this one.
        let own = self.carried.split_off(frame.carried);
        let done = self.clauses(catches, exn, to);
        self.carried.extend(own);
        done
    }

    /// The clauses of a `try_table`, and what happens to an exception that they do not catch.
    fn clauses(&mut self, catches: Vec<Catch>, exn: Option<Value>, to: usize) -> Result<()> {
        if let Some(exn) = exn {
            for catch in catches {
                if self.clause(catch, exn)? {
                    return Ok(());
                }
            }
            Cursor::at(&mut self.func, self.region, self.loc).push(Op::Exn(ExnOp::Raise), &[exn], &[]);
        }
        self.unwind(to)
    }

    /// Returns from the function with an exception pending.
    fn leave_pending(&mut self) -> Result<()> {
        let types = self.func.results.clone();
        let mut cursor = Cursor::at(&mut self.func, self.region, self.loc);
        let results: Vec<Value> = types.iter().map(|&ty| cursor.value(Op::Exn(ExnOp::Unread), &[], ty)).collect();
        self.terminate(Op::Return, &results);
        Ok(())
    }

    /// Goes behind the block that throws leave, with the locals as they were then. Takes the exception
    /// if this is the first clause.
    fn enter_handler(&mut self, frame: &Frame, handler: &mut Handler) -> Result<Value> {
        let behind = handler.behind.ok_or_else(|| Error::bug("a clause behind `catch_all` after validation"))?;
        self.region = behind;
        self.restore(frame, handler.block, 0)?;
        if let Some(exn) = handler.exn {
            return Ok(exn);
        }
        let exn = Cursor::at(&mut self.func, behind, self.loc).value(Op::Exn(ExnOp::Take), &[], ValType::EXN);
        handler.exn = Some(exn);
        Ok(exn)
    }

    /// A clause of `try_table`; whether it catches everything.
    fn clause(&mut self, catch: Catch, exn: Value) -> Result<bool> {
        let (tag, label, with_ref) = match catch {
            Catch::One { tag, label } => (Some(tag), label, false),
            Catch::OneRef { tag, label } => (Some(tag), label, true),
            Catch::All { label } => (None, label, false),
            Catch::AllRef { label } => (None, label, true),
        };
        let base = self.stack.len();
        let mut rest = None;
        if let Some(tag) = tag {
            rest = Some(self.when_is(tag, exn)?);
            let count = self.payload(tag)?.len();
            self.push_payload(tag, exn, count)?;
        }
        if with_ref {
            self.stack.push(exn);
        }
        self.branch(label)?;
        self.stack.truncate(base);
        if let Some(rest) = rest {
            self.region = rest;
        }
        Ok(rest.is_none())
    }

    /// Goes where an exception is known to be of a tag; returns where it is not. Neither comes back.
    fn when_is(&mut self, tag: u32, exn: Value) -> Result<Region> {
        self.budget.spend(1, 2, self.scan.ops)?;
        let (then, els) = (self.func.add_region(), self.func.add_region());
        let mut cursor = Cursor::at(&mut self.func, self.region, self.loc);
        let is = cursor.value(Op::Exn(ExnOp::Is(tag)), &[exn], ValType::I32);
        cursor.push(Op::If { then, els }, &[is], &[]);
        cursor.push(Op::Trap(TrapCode::Unreachable), &[], &[]);
        self.region = then;
        Ok(els)
    }

    fn push_payload(&mut self, tag: u32, exn: Value, count: usize) -> Result<()> {
        self.budget.spend(count, count, self.scan.ops)?;
        for index in 0..count as u32 {
            let ty = self.payload(tag)?.get(index as usize).copied().ok_or_else(underflow)?;
            let op = Op::Exn(ExnOp::Payload { tag, index });
            let value = Cursor::at(&mut self.func, self.region, self.loc).value(op, &[exn], ty);
            self.stack.push(value);
        }
        Ok(())
    }

    fn payload(&self, tag: u32) -> Result<&[ValType]> {
        let ty = self.module.tags.get(tag as usize).ok_or_else(|| Error::bug("unknown tag after validation"))?;
        Ok(&signature(self.module, *ty)?.params)
    }
}
