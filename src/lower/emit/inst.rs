//! One instruction: opcode and immediates. Its operands are on the stack already.

use super::body::Emitter;
use super::operands::is_const;
use super::reindex::{self, traps_or_calls};
use crate::fault::Error;
use crate::ir::{Callee, GlobalOp, Inst, Op, RefOp, TableOp};
use crate::types::{HeapType, RefType, ValType};
use wasm_encoder::reencode::Reencode;
use wasm_encoder::{Encode, Instruction};
use wasmparser::Operator;

impl Emitter<'_, '_> {
    /// Any instruction without regions. `last`: nothing follows in the function.
    pub fn inst(&mut self, inst: Inst, last: bool) -> Result<(), Error> {
        let func = self.func;
        match &func.insts[inst].op {
            Op::Br { target } => return self.br(inst, *target),
            Op::BrIf { target } => return self.br_if(inst, *target),
            Op::BrTable { .. } => return self.br_table(inst),
            Op::Yield => {
                self.set_phis(self.ops.of[inst].inline())?;
                if self.leaves(inst) {
                    self.restore();
                }
                return Ok(());
            }
            Op::Return => {
                self.restore();
                if !last {
                    self.code.put(Instruction::Return);
                }
                return Ok(());
            }
            Op::Trap(code) => {
                self.trap(inst, *code);
                return Ok(());
            }
            Op::Call(callee) => {
                self.stays();
                let opcode = self.call(*callee)?;
                if !self.func.refresh[inst].is_empty() {
                    let published = self.save(inst)?;
                    self.with_site(inst, opcode);
                    self.set_results(inst);
                    return self.load_again(inst, published);
                }
                self.with_site(inst, opcode);
                self.note_return(callee);
            }
            Op::ReturnCall(callee) => {
                self.restore();
                let opcode = self.return_call(*callee)?;
                self.with_site(inst, opcode);
                return Ok(());
            }
            Op::Core(op) => self.core(inst, op)?,
            Op::Select => self.select(inst),
            Op::Global(op) => self.global(*op)?,
            Op::Table(op) => self.table(inst, *op)?,
            Op::Ref(op) => self.reference(inst, *op)?,
            Op::Heap(op) => return self.heap(inst, *op),
            Op::Debug(op) => return self.debug_op(inst, *op),
            op => return Err(Error::bug(format!("{op:?} was not lowered"))),
        }
        self.set_results(inst);
        Ok(())
    }

    /// An instruction that can trap or call.
    pub fn with_site(&mut self, inst: Inst, opcode: Instruction<'_>) {
        let data = &self.func.insts[inst];
        self.code.site(data.loc, data.trap);
        self.code.put(opcode);
    }

    /// Writes a constant.
    pub fn constant(&mut self, inst: Inst) -> Result<(), Error> {
        debug_assert!(self.func.results(inst).iter().all(|&value| is_const(self.func, value, 1)));
        match &self.func.insts[inst].op {
            Op::Core(op) => self.core(inst, op),
            Op::Ref(op) => self.reference(inst, *op),
            op => Err(Error::bug(format!("{op:?} is no constant"))),
        }
    }

    fn core(&mut self, inst: Inst, op: &Operator<'_>) -> Result<(), Error> {
        if matches!(op, Operator::I32Eqz) {
            self.code.eqz();
            return Ok(());
        }
        let data = &self.func.insts[inst];
        match reindex::memarg(op).filter(|memarg| memarg.memory == self.cx.index.heap_memory) {
            // Only where lowering says what a fault means can there be one. A site for any other access
            // would hide that of a load which Cranelift moves into it.
            Some(memarg) if data.trap.is_some() => self.code.heap_site(data.loc, data.trap, memarg.offset),
            Some(_) => {}
            None if traps_or_calls(op) => self.code.site(data.loc, data.trap),
            None => {}
        }
        self.reindex.operator(op.clone())?.encode(&mut self.code.bytes);
        Ok(())
    }

    fn call(&mut self, callee: Callee) -> Result<Instruction<'static>, Error> {
        Ok(match callee {
            Callee::Func(func) => Instruction::Call(self.reindex.func(func)?),
            Callee::Indirect { table, ty } => {
                Instruction::CallIndirect { type_index: self.reindex.ty(ty)?, table_index: self.reindex.table(table)? }
            }
            Callee::Ref { ty } => Instruction::CallRef(self.reindex.ty(ty)?),
        })
    }

    fn return_call(&mut self, callee: Callee) -> Result<Instruction<'static>, Error> {
        Ok(match callee {
            Callee::Func(func) => Instruction::ReturnCall(self.reindex.func(func)?),
            Callee::Indirect { table, ty } => Instruction::ReturnCallIndirect {
                type_index: self.reindex.ty(ty)?,
                table_index: self.reindex.table(table)?,
            },
            Callee::Ref { ty } => Instruction::ReturnCallRef(self.reindex.ty(ty)?),
        })
    }

    fn select(&mut self, inst: Inst) {
        let ty = self.func.results(inst).first().map(|&result| self.func.ty(result));
        match ty {
            Some(ty @ ValType::Ref(r)) if r.is_func() => {
                self.code.put(Instruction::TypedSelect(self.cx.val_type(ty)));
            }
            _ => self.code.put(Instruction::Select),
        }
    }

    fn global(&mut self, op: GlobalOp) -> Result<(), Error> {
        let index = |this: &mut Self, global| this.reindex.global_index(global).map_err(reindex::error);
        let opcode = match op {
            GlobalOp::Get(global) => Instruction::GlobalGet(index(self, global)?),
            GlobalOp::Set(global) => Instruction::GlobalSet(index(self, global)?),
        };
        self.code.put(opcode);
        Ok(())
    }

    fn table(&mut self, inst: Inst, op: TableOp) -> Result<(), Error> {
        let elem = |this: &mut Self, elem| this.reindex.element_index(elem).map_err(reindex::error);
        let opcode = match op {
            TableOp::Get(table) => Instruction::TableGet(self.reindex.table(table)?),
            TableOp::Set(table) => Instruction::TableSet(self.reindex.table(table)?),
            TableOp::Grow(table) => Instruction::TableGrow(self.reindex.table(table)?),
            TableOp::Fill(table) => Instruction::TableFill(self.reindex.table(table)?),
            TableOp::Copy { dst, src } => {
                Instruction::TableCopy { src_table: self.reindex.table(src)?, dst_table: self.reindex.table(dst)? }
            }
            TableOp::Init { elem: segment, table } => {
                Instruction::TableInit { elem_index: elem(self, segment)?, table: self.reindex.table(table)? }
            }
            TableOp::ElemDrop(segment) => Instruction::ElemDrop(elem(self, segment)?),
            TableOp::Size(table) => {
                let table = self.reindex.table(table)?;
                self.code.put(Instruction::TableSize(table));
                return Ok(());
            }
        };
        self.with_site(inst, opcode);
        Ok(())
    }

    fn reference(&mut self, inst: Inst, op: RefOp) -> Result<(), Error> {
        match op {
            RefOp::Func(func) => {
                let opcode = self.reindex.func_ref(func)?;
                self.code.put(opcode);
            }
            RefOp::IsNull => self.code.put(Instruction::RefIsNull),
            RefOp::AsNonNull => self.with_site(inst, Instruction::RefAsNonNull),
            RefOp::Null(heap) => self.null(heap)?,
            RefOp::Refine => self.refine(inst)?,
            op => return Err(Error::bug(format!("{op:?} was not lowered"))),
        }
        Ok(())
    }

    fn null(&mut self, heap: HeapType) -> Result<(), Error> {
        let ty = RefType::new(true, heap);
        if !ty.is_func() {
            return Err(Error::bug(format!("null of type {ty} was not lowered")));
        }
        self.code.put(Instruction::RefNull(self.cx.func_ref(ty).heap_type));
        Ok(())
    }

    /// A refinement of a function reference, of which Wasm's type system must be convinced.
    fn refine(&mut self, inst: Inst) -> Result<(), Error> {
        let (&[arg], &[result]) = (self.func.args(inst), self.func.results(inst)) else {
            return Err(Error::bug(format!("{inst} refines nothing")));
        };
        let (ValType::Ref(from), ValType::Ref(to)) = (self.func.ty(arg), self.func.ty(result)) else {
            return Err(Error::bug(format!("{inst} refines no reference")));
        };
        if from.heap != to.heap && to.heap != HeapType::Func {
            let heap = self.cx.func_ref(to).heap_type;
            self.code.put(if to.nullable {
                Instruction::RefCastNullable(heap)
            } else {
                Instruction::RefCastNonNull(heap)
            });
        } else if !to.nullable {
            self.code.put(Instruction::RefAsNonNull);
        }
        Ok(())
    }
}
