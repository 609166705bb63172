//! What functions refer to: questions about the whole module that decide what is imported or kept.

use super::env::{ModuleEnv, RuntimeFunc};
use super::module::Uses;
use crate::fault::Error;
use crate::ir::{ArrayOp, Callee, Func, GlobalOp, HeapOp, Op, RefOp, TableOp};
use crate::parse::{Module, Translated};
use crate::types::{CompositeKind, HeapType};
use foldhash::HashSet;
use wasmparser::{FunctionBody, Operator};

/// Facts about original functions.
#[derive(Debug, Default)]
pub struct Facts {
    /// Whether any of them tests a reference for a concrete function type.
    pub casts_functions: bool,
    /// For each element segment: whether it is copied to arrays.
    pub array_segments: Vec<bool>,
    /// Tables that may grow.
    pub grown_tables: HashSet<u32>,
}

impl Facts {
    /// Scans all bodies.
    pub fn of(module: &Module<'_>, bodies: &[Translated<'_>]) -> Facts {
        let mut facts = Facts { array_segments: vec![false; module.elems.len()], ..Facts::default() };
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
            Op::Table(TableOp::Grow(table)) => drop(self.grown_tables.insert(*table)),
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
            Op::Ref(RefOp::Func(f)) if f >= original => drop(uses.funcs.insert(f)),
            // What lowering adds runs once, or makes no references.
            Op::Ref(RefOp::Func(f)) if func.index < original => drop(uses.func_refs.insert(f)),
            Op::Heap(HeapOp::Alloc { .. } | HeapOp::AllocDynamic) => {
                uses.funcs.insert(env.runtime(RuntimeFunc::Alloc));
            }
            _ => {}
        }
    }
}

/// The functions whose references a body makes that stays as it is.
pub fn func_refs(body: &FunctionBody<'_>) -> Result<Vec<u32>, Error> {
    let mut funcs = Vec::new();
    for op in body.get_operators_reader()? {
        if let Operator::RefFunc { function_index } = op? {
            funcs.push(function_index);
        }
    }
    Ok(funcs)
}
