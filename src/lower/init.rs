//! The init function: what instantiation does with references, in the specification's order
//! (Wasm 3.0, section 4.5.3): globals, tables, element segments; then active element segments, active
//! data segments; then start.
//!
//! It is made of ordinary operations and lowered like any function, with allocation out of line: it
//! runs once and may hold thousands of allocations. It is split into parts of bounded size, because
//! compilers are not linear in the size of a function.

use super::env::{ModuleEnv, RuntimeFunc};
use crate::fault::Error;
use crate::ir::{Callee, Cursor, Func, GlobalOp, Op, RefOp, SrcLoc, TableOp, TrapCode, Value};
use crate::parse::{ConstExpr, ElemItems, SegmentMode, const_expr};
use crate::types::{CompositeKind, HeapType, RefType, ValType};
use wasmparser::Operator;

/// Operators of constant expressions in one part.
const PART_OPS: usize = 256;

/// What the engine's own instantiation leaves to the init function.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Whether there is anything to do.
    pub needed: bool,
    /// Active segments become passive and are copied by the init function, to keep the order of
    /// effects: set when an active element segment goes to a lowered table, or one of any kind into what is
    /// imported, where others could see it though what comes first has trapped.
    pub all_segments: bool,
    /// For each element segment: whether it lives in the heap.
    pub segments: Vec<bool>,
}

impl Plan {
    /// Decides. `used` tells which segments of functions are copied to arrays.
    pub fn new(env: &ModuleEnv<'_, '_>, used: &[bool]) -> Plan {
        let module = env.module;
        let segments: Vec<bool> = (0..)
            .zip(&module.elems)
            .map(|(i, elem): (usize, _)| !elem.ty.is_func() || used.get(i).copied().unwrap_or(false))
            .collect();
        let needed = segments.contains(&true)
            || (0..).zip(&module.globals).any(|(i, g): (usize, _)| g.init.is_some() && env.globals[i].is_some())
            || (0..).zip(&module.tables).any(|(i, t): (usize, _)| {
                !t.imported && env.tables[i].is_some_and(|place| place.in_line.is_none() || t.init.is_some())
            });
        let table = |index: u32| module.tables.get(index as usize).is_some_and(|table| table.imported);
        let elems = module.elems.iter().any(|elem| match elem.mode {
            SegmentMode::Active { index, .. } => !env.native_table(index) || needed && table(index),
            _ => false,
        });
        let memory = |index: u32| module.memories.get(index as usize).is_some_and(|memory| memory.imported);
        let data = module.data.iter().any(|data| match data.mode {
            SegmentMode::Active { index, .. } => needed && memory(index),
            _ => false,
        });
        Plan { needed, all_segments: elems || data, segments }
    }
}

/// The init function and its parts, in original operations, by virtual function index.
pub fn build<'a>(env: &ModuleEnv<'_, 'a>, plan: &Plan) -> Result<Vec<Func<'a>>, Error> {
    let mut builder = Builder { env, parts: Vec::new(), ops: 0 };
    builder.globals()?;
    builder.tables()?;
    builder.segments(plan)?;
    builder.active_elems(plan)?;
    builder.active_data(plan)?;
    builder.finish()
}

struct Builder<'e, 'm, 'a> {
    env: &'e ModuleEnv<'m, 'a>,
    parts: Vec<Func<'a>>,
    ops: usize,
}

impl<'a> Builder<'_, '_, 'a> {
    /// Runs `fill` at the end of the current part, or of a new one.
    fn part<T>(&mut self, ops: usize, fill: impl FnOnce(&mut Cursor<'_, 'a>) -> Result<T, Error>) -> Result<T, Error> {
        if self.parts.is_empty() || self.ops + ops > PART_OPS {
            let index = self.env.init_part(self.parts.len() as u32);
            self.parts.push(Func::new(index, &[], &[]));
            self.ops = 0;
        }
        self.ops += ops + 1;
        let func = self.parts.last_mut().ok_or_else(|| Error::bug("no part"))?;
        let body = func.body;
        fill(&mut Cursor::at(func, body, SrcLoc::NONE))
    }

    fn globals(&mut self) -> Result<(), Error> {
        let env = self.env;
        for (index, global) in (0u32..).zip(&env.module.globals) {
            let (Some(expr), Some(_)) = (&global.init, env.globals[index as usize]) else { continue };
            self.part(expr.len(), |c| {
                let value = const_expr(c, env.module, expr, global.ty)?;
                c.push(Op::Global(GlobalOp::Set(index)), &[value], &[]);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn tables(&mut self) -> Result<(), Error> {
        let env = self.env;
        for (index, table) in (0u32..).zip(&env.module.tables) {
            if table.imported || env.native_table(index) {
                continue;
            }
            let ops = table.init.as_ref().map_or(0, Vec::len);
            self.part(ops, |c| {
                let value = match &table.init {
                    Some(expr) => const_expr(c, env.module, expr, ValType::Ref(table.elem))?,
                    None => null(c, table.elem),
                };
                if env.table_place(index).is_some_and(|table| table.in_line.is_some()) {
                    // A root area is full of nulls from the start.
                    if table.init.is_some() {
                        let [start, count] = [0, table.min].map(|at| index_const(c, table.table64, at));
                        c.push(Op::Table(TableOp::Fill(index)), &[start, value, count], &[]);
                    }
                    return Ok(());
                }
                grow(c, index, table.table64, value, table.min);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Evaluates the elements of segments once.
    fn segments(&mut self, plan: &Plan) -> Result<(), Error> {
        let env = self.env;
        for (index, elem) in (0u32..).zip(&env.module.elems) {
            if !plan.segments[index as usize] {
                continue;
            }
            let table = env.segment_table(index);
            let live = match elem.mode {
                SegmentMode::Passive => elem.items.len(),
                SegmentMode::Active { .. } if !elem.ty.is_func() => elem.items.len(),
                _ => 0,
            };
            self.part(0, |c| {
                let value = null(c, elem.ty);
                grow(c, table, false, value, live as u64);
                Ok(())
            })?;
            for at in 0..live {
                let ops = match &elem.items {
                    ElemItems::Funcs(_) => 1,
                    ElemItems::Exprs(exprs) => exprs[at].len(),
                };
                self.part(ops, |c| {
                    let value = match &elem.items {
                        ElemItems::Funcs(funcs) => ref_func(c, env, funcs[at])?,
                        ElemItems::Exprs(exprs) => const_expr(c, env.module, &exprs[at], ValType::Ref(elem.ty))?,
                    };
                    let at = c.i32(at as u32);
                    c.push(Op::Table(TableOp::Set(table)), &[at, value], &[]);
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    fn active_elems(&mut self, plan: &Plan) -> Result<(), Error> {
        let env = self.env;
        for (elem, segment) in (0u32..).zip(&env.module.elems) {
            let SegmentMode::Active { index: table, offset } = &segment.mode else { continue };
            if !plan.all_segments {
                continue;
            }
            let wide = env.module.tables.get(*table as usize).is_some_and(|t| t.table64);
            self.part(offset.len(), |c| {
                let offset = index_expr(c, env, offset, wide)?;
                let zero = c.i32(0);
                let count = c.i32(segment.items.len() as u32);
                c.push(Op::Table(TableOp::Init { elem, table: *table }), &[offset, zero, count], &[]);
                c.push(Op::Table(TableOp::ElemDrop(elem)), &[], &[]);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn active_data(&mut self, plan: &Plan) -> Result<(), Error> {
        let env = self.env;
        for (data_index, segment) in (0u32..).zip(&env.module.data) {
            let SegmentMode::Active { index: mem, offset } = &segment.mode else { continue };
            if !plan.all_segments {
                continue;
            }
            let wide = env.module.memories.get(*mem as usize).is_some_and(|m| m.ty.memory64);
            self.part(offset.len(), |c| {
                let offset = index_expr(c, env, offset, wide)?;
                let zero = c.i32(0);
                let count = c.i32(segment.bytes.len() as u32);
                c.effect(Operator::MemoryInit { data_index, mem: *mem }, &[offset, zero, count]);
                c.effect(Operator::DataDrop { data_index }, &[]);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The init function itself: calls the parts, then the start function.
    fn finish(mut self) -> Result<Vec<Func<'a>>, Error> {
        for part in &mut self.parts {
            let body = part.body;
            Cursor::at(part, body, SrcLoc::NONE).push(Op::Return, &[], &[]);
        }
        let mut init = Func::new(self.env.runtime(RuntimeFunc::Init), &[], &[]);
        let body = init.body;
        let mut c = Cursor::at(&mut init, body, SrcLoc::NONE);
        for part in &self.parts {
            c.push(Op::Call(Callee::Func(part.index)), &[], &[]);
        }
        if let Some(start) = self.env.module.start {
            c.push(Op::Call(Callee::Func(start)), &[], &[]);
        }
        c.push(Op::Return, &[], &[]);
        self.parts.insert(0, init);
        Ok(self.parts)
    }
}

fn null(c: &mut Cursor<'_, '_>, ty: RefType) -> Value {
    let bottom = ty.heap.bottom();
    c.value(Op::Ref(RefOp::Null(bottom)), &[], ValType::Ref(RefType::new(true, bottom)))
}

fn ref_func(c: &mut Cursor<'_, '_>, env: &ModuleEnv<'_, '_>, func: u32) -> Result<Value, Error> {
    let decl = env.module.funcs.get(func as usize).ok_or_else(|| Error::bug("no such function"))?;
    let heap = HeapType::Concrete(CompositeKind::Func, env.module.types.id(decl.ty));
    Ok(c.value(Op::Ref(RefOp::Func(func)), &[], ValType::Ref(RefType::new(false, heap))))
}

/// An offset expression in a table's or memory's index type.
fn index_expr<'a>(
    c: &mut Cursor<'_, 'a>,
    env: &ModuleEnv<'_, 'a>,
    expr: &ConstExpr<'a>,
    wide: bool,
) -> Result<Value, Error> {
    const_expr(c, env.module, expr, if wide { ValType::I64 } else { ValType::I32 })
}

/// Gives a new table its first elements. That a heap can not hold them is an allocation failure.
fn grow(c: &mut Cursor<'_, '_>, table: u32, wide: bool, value: Value, count: u64) {
    let delta = index_const(c, wide, count);
    let (ty, equal) = if wide { (ValType::I64, Operator::I64Eq) } else { (ValType::I32, Operator::I32Eq) };
    let old = c.value(Op::Table(TableOp::Grow(table)), &[value, delta], ty);
    let none = index_const(c, wide, u64::MAX);
    let failed = c.core(equal, &[old, none], ValType::I32);
    c.trap_if(failed, TrapCode::AllocationTooLarge);
}

/// A constant of a table's index type.
fn index_const(c: &mut Cursor<'_, '_>, wide: bool, value: u64) -> Value {
    if wide { c.core(Operator::I64Const { value: value as i64 }, &[], ValType::I64) } else { c.i32(value as u32) }
}
