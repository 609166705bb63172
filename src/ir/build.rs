//! Appending instructions to a region.

use super::func::{Func, Inst, Region, SrcLoc, Value};
use super::op::{HeapOp, Op, TrapCode};
use crate::types::ValType;
use wasmparser::{MemArg, Operator};

/// A place at the end of a region, where instructions are appended.
pub struct Cursor<'f, 'a> {
    /// The function under construction.
    pub func: &'f mut Func<'a>,
    /// Where instructions go.
    pub region: Region,
    /// The source location that new instructions get.
    pub loc: SrcLoc,
}

impl<'f, 'a> Cursor<'f, 'a> {
    /// A cursor at the end of a region.
    pub fn at(func: &'f mut Func<'a>, region: Region, loc: SrcLoc) -> Cursor<'f, 'a> {
        Cursor { func, region, loc }
    }

    /// Appends an instruction.
    pub fn push(&mut self, op: Op<'a>, args: &[Value], results: &[ValType]) -> Inst {
        let inst = self.func.make_inst(op, args, results, self.loc);
        self.func.regions[self.region].insts.push(inst);
        inst
    }

    /// Appends an instruction with one result.
    pub fn value(&mut self, op: Op<'a>, args: &[Value], ty: ValType) -> Value {
        let inst = self.push(op, args, &[ty]);
        self.func.results(inst)[0]
    }

    /// Appends a Wasm operator with one result.
    pub fn core(&mut self, op: Operator<'a>, args: &[Value], ty: ValType) -> Value {
        self.value(Op::Core(op), args, ty)
    }

    /// Appends a Wasm operator without a result.
    pub fn effect(&mut self, op: Operator<'a>, args: &[Value]) -> Inst {
        self.push(Op::Core(op), args, &[])
    }

    /// `i32.const`
    pub fn i32(&mut self, value: u32) -> Value {
        self.core(Operator::I32Const { value: value as i32 }, &[], ValType::I32)
    }

    /// A binary operator on `i32` with an `i32` result. Of constants it is one.
    pub fn i32_op(&mut self, op: Operator<'a>, a: Value, b: Value) -> Value {
        match (self.constant(a), self.constant(b)) {
            (Some(x), Some(y)) if let Some(known) = fold(&op, x, y) => self.i32(known),
            (_, Some(0)) if matches!(op, Operator::I32Add) && self.func.ty(a) == ValType::I32 => a,
            _ => self.core(op, &[a, b], ValType::I32),
        }
    }

    /// The value of an `i32.const`.
    pub fn constant(&self, value: Value) -> Option<u32> {
        self.func.constant(value)
    }

    /// The same of a constant's negation, too.
    fn known(&self, value: Value) -> Option<u32> {
        let negated = || {
            let inst = self.func.def_inst(value)?;
            match (&self.func.insts[inst].op, self.func.args(inst)) {
                (Op::Core(Operator::I32Eqz), &[of]) => Some(u32::from(self.constant(of)? == 0)),
                _ => None,
            }
        };
        self.constant(value).or_else(negated)
    }

    /// A load from a memory; a fault in it means `trap`.
    pub fn load(&mut self, op: Operator<'a>, address: Value, ty: ValType, trap: Option<TrapCode>) -> Value {
        let value = self.core(op, &[address], ty);
        if let Some(inst) = self.func.def_inst(value) {
            self.func.insts[inst].trap = trap;
        }
        value
    }

    /// A store to a memory; a fault in it means `trap`.
    pub fn store(&mut self, op: Operator<'a>, address: Value, value: Value, trap: Option<TrapCode>) {
        let inst = self.effect(op, &[address, value]);
        self.func.insts[inst].trap = trap;
    }

    /// Appends an `if` whose arms are filled by two functions, each of which ends its region (by a
    /// `Yield` or another terminator).
    pub fn if_else(
        &mut self,
        cond: Value,
        results: &[ValType],
        then: impl FnOnce(&mut Cursor<'_, 'a>),
        els: impl FnOnce(&mut Cursor<'_, 'a>),
    ) -> Inst {
        let then_region = self.func.add_region();
        let else_region = self.func.add_region();
        then(&mut Cursor { func: self.func, region: then_region, loc: self.loc });
        els(&mut Cursor { func: self.func, region: else_region, loc: self.loc });
        self.push(Op::If { then: then_region, els: else_region }, &[cond], results)
    }

    /// Ends the region, handing values to the owner.
    pub fn yield_(&mut self, values: &[Value]) {
        self.push(Op::Yield, values, &[]);
    }

    /// Traps when the condition is not zero.
    pub fn trap_if(&mut self, cond: Value, code: TrapCode) {
        // The engine tells the wrong place of a trap behind one that never happens by a constant.
        if self.known(cond) == Some(0) {
            return;
        }
        self.if_else(
            cond,
            &[],
            |c| {
                c.push(Op::Trap(code), &[], &[]);
            },
            |c| c.yield_(&[]),
        );
    }

    /// Inline allocation of a fixed size.
    pub fn alloc(&mut self, bytes: u32, ty: ValType) -> Value {
        self.value(Op::Heap(HeapOp::Alloc { bytes }), &[], ty)
    }
}

/// What an operator makes of two constants.
fn fold(op: &Operator<'_>, a: u32, b: u32) -> Option<u32> {
    Some(match op {
        Operator::I32Add => a.wrapping_add(b),
        Operator::I32Sub => a.wrapping_sub(b),
        Operator::I32Shl => a.wrapping_shl(b),
        Operator::I32And => a & b,
        Operator::I32Or => a | b,
        Operator::I32Eq => u32::from(a == b),
        Operator::I32GtU => u32::from(a > b),
        Operator::I32GeU => u32::from(a >= b),
        _ => return None,
    })
}

/// A memory operand without alignment promises.
pub fn memarg(memory: u32, offset: u64) -> MemArg {
    MemArg { align: 0, max_align: 4, offset, memory }
}

/// The constant zero of a numeric type.
pub fn zero<'a>(ty: ValType) -> Option<Operator<'a>> {
    Some(match ty {
        ValType::I32 => Operator::I32Const { value: 0 },
        ValType::I64 => Operator::I64Const { value: 0 },
        ValType::F32 => Operator::F32Const { value: 0f32.into() },
        ValType::F64 => Operator::F64Const { value: 0f64.into() },
        ValType::V128 => Operator::V128Const { value: 0i128.into() },
        ValType::Ref(_) => return None,
    })
}
