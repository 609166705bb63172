//! What is noted for debuggers: variables in locals, marks, places behind calls.

use super::body::Emitter;
use crate::fault::Error;
use crate::ir::{Callee, DebugOp, Inst, VarKind};
use crate::lower::debug::{DebugFunc, DebugMark, DebugVar, slots};
use wasm_encoder::{Instruction, RefType, ValType};

/// Declares the locals of variables behind all others; the place of each variable.
pub(super) fn declare(vars: &[VarKind], params: u32, declared: &mut Vec<(u32, ValType)>) -> Vec<u32> {
    let mut next = params + declared.iter().map(|&(count, _)| count).sum::<u32>();
    let mut places: Vec<u32> = slots(vars).into_iter().map(|slot| slot.unwrap_or(u32::MAX)).collect();
    for (kind, ty) in [
        (VarKind::I32, ValType::I32),
        (VarKind::I64, ValType::I64),
        (VarKind::F32, ValType::F32),
        (VarKind::F64, ValType::F64),
        (VarKind::V128, ValType::V128),
        (VarKind::Func, ValType::Ref(RefType::FUNCREF)),
    ] {
        let first = next;
        for (place, _) in places.iter_mut().zip(vars).filter(|&(_, &of)| of == kind) {
            *place = next;
            next += 1;
        }
        if next > first {
            declared.push((next - first, ty));
        }
    }
    places
}

impl Emitter<'_, '_> {
    /// An operation for debuggers, with its operands fetched.
    pub fn debug_op(&mut self, inst: Inst, op: DebugOp) -> Result<(), Error> {
        let unknown = || Error::bug(format!("{inst} is for a debugger that sees nothing"));
        match op {
            DebugOp::Set(var) => {
                let local = self.locals.vars.get(var as usize).copied().ok_or_else(unknown)?;
                self.code.put(Instruction::LocalSet(local));
            }
            DebugOp::Mark(mark) => {
                let marks = self.func.debug.as_ref().map(|debug| &debug.marks);
                let mark = *marks.and_then(|marks| marks.get(mark as usize)).ok_or_else(unknown)?;
                self.code.put(Instruction::Nop);
                let at = self.code.bytes.len() as u32;
                self.code.put(Instruction::Nop);
                let (kind, pc, next, shape, taken) = (mark.kind, mark.pc, mark.next, mark.shape, mark.taken);
                self.debug.marks.push(DebugMark { at, kind, pc, next, shape, taken });
            }
        }
        Ok(())
    }

    /// Behind a call.
    pub fn note_return(&mut self, callee: &Callee) {
        let is_original = !matches!(*callee, Callee::Func(func) if func >= self.cx.originals);
        if self.func.debug.is_some() && is_original {
            self.debug.returns.push(self.code.bytes.len() as u32);
        }
    }

    /// What a debugger sees of the function.
    pub fn debugged(&mut self) -> Option<Box<DebugFunc>> {
        let debug = self.func.debug.as_ref()?;
        let vars = debug.vars.iter().zip(&self.locals.vars).map(|(&kind, &place)| DebugVar { kind, place });
        Some(Box::new(DebugFunc {
            locals: debug.locals,
            params: debug.params,
            vars: vars.collect(),
            shapes: debug.shapes.clone(),
            frame: self.locals.frame,
            slots: self.frame.slots,
            ..std::mem::take(&mut self.debug)
        }))
    }
}
