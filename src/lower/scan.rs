//! What functions refer to: questions about the whole module that decide what is imported or kept.

use super::env::{ModuleEnv, RuntimeFunc};
use super::module::Uses;
use crate::ir::{ArrayOp, Callee, Func, GlobalOp, HeapOp, Op, RefOp, TableOp};
use crate::parse::{Module, Translated};
use crate::types::{CompositeKind, HeapType};

/// Facts about original functions.
#[derive(Debug, Default)]
pub struct Facts {
    /// Whether any of them tests a reference for a concrete function type.
    pub casts_functions: bool,
    /// For each element segment: whether it is copied to arrays.
    pub array_segments: Vec<bool>,
}

impl Facts {
    /// Scans all bodies.
    pub fn of(module: &Module<'_>, bodies: &[Translated<'_>]) -> Facts {
        let mut facts = Facts { casts_functions: false, array_segments: vec![false; module.elems.len()] };
        for body in bodies {
            let Translated::Ir(func) = body else { continue };
            for inst in func.insts.values() {
                facts.op(&inst.op);
            }
        }
        facts
    }

    fn op(&mut self, op: &Op<'_>) {
        match op {
            Op::Ref(RefOp::Test(to) | RefOp::Cast(to)) => {
                self.casts_functions |= matches!(to.heap, HeapType::Concrete(CompositeKind::Func, _));
            }
            Op::Ref(RefOp::AnyToFunc(to)) => {
                self.casts_functions |= matches!(to.heap, HeapType::Concrete(CompositeKind::Func, _));
            }
            Op::Array(ArrayOp::NewElem { elem, .. } | ArrayOp::InitElem { elem, .. }) => {
                if let Some(used) = self.array_segments.get_mut(*elem as usize) {
                    *used = true;
                }
            }
            _ => {}
        }
    }
}

/// Collects what a lowered function needs of lowering's own.
pub fn uses(env: &ModuleEnv<'_, '_>, func: &Func<'_>, uses: &mut Uses) {
    let original = env.module.funcs.len() as u32;
    for inst in func.insts.values() {
        match inst.op {
            Op::Call(Callee::Func(f)) | Op::ReturnCall(Callee::Func(f)) if f >= original => {
                uses.funcs.insert(f);
            }
            Op::Call(Callee::Indirect { table, .. }) | Op::ReturnCall(Callee::Indirect { table, .. }) => {
                uses.functions_table |= table == env.functions();
            }
            Op::Table(TableOp::Get(table)) => uses.functions_table |= table == env.functions(),
            Op::Global(GlobalOp::Get(g)) => {
                uses.function_base |= g == env.function_base_global();
                uses.tag_base |= g == env.tag_base_global();
                if g >= env.imported_tag_global(env.module.imported_tags) {
                    uses.rtts.insert(g);
                }
            }
            Op::Ref(RefOp::Func(f)) if f >= original => {
                uses.funcs.insert(f);
            }
            Op::Heap(HeapOp::Alloc { .. } | HeapOp::AllocDynamic) => {
                uses.funcs.insert(env.runtime(RuntimeFunc::Alloc));
            }
            _ => {}
        }
    }
}
