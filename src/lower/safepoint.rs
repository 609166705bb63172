//! Which functions can not run a collection, so that calls to them are no safepoints.
//!
//! A function may collect when it allocates, calls something unknown (an import, a function
//! reference, a table), or calls a function that may collect. That is reachability in the reversed
//! call graph: one pass over the edges to reverse them, one over those that are reached.
//!
//! What it is not: a points-to analysis. A call through a reference may go anywhere.

use crate::ir::{Callee, Func, HeapOp, Op, effects, reach};
use wasmparser::{BinaryReaderError, FunctionBody, Operator};

/// What matters of one function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// It allocates, or calls something unknown.
    pub collects: bool,
    /// Indices of the functions that it calls, repetitions included.
    pub callees: Vec<u32>,
}

impl Summary {
    /// Of an imported function: the host may do anything.
    pub fn unknown() -> Summary {
        Summary { collects: true, callees: Vec::new() }
    }

    /// Of a function in IR, before or after lowering. A call to an index behind those that are later
    /// given to [`solve`] is a call to something unknown; `known` may say otherwise, for what lowering
    /// itself adds: whether that callee may collect.
    pub fn of(func: &Func<'_>, known: &dyn Fn(u32) -> Option<bool>) -> Summary {
        let mut summary = Summary::default();
        let mut stack = vec![func.body];
        while let Some(region) = stack.pop() {
            for &inst in &func.regions[region].insts {
                let op = &func.insts[inst].op;
                summary.add(op, known);
                stack.extend(op.regions());
            }
        }
        summary
    }

    fn add(&mut self, op: &Op<'_>, known: &dyn Fn(u32) -> Option<bool>) {
        match op {
            Op::Call(Callee::Func(n)) | Op::ReturnCall(Callee::Func(n)) => match known(*n) {
                Some(collects) => self.collects |= collects,
                None => self.callees.push(*n),
            },
            Op::Heap(HeapOp::Alloc { .. } | HeapOp::AllocDynamic) => self.collects = true,
            _ => self.collects |= effects(op).collects,
        }
    }

    /// Of a body without GC operations, that is never translated to IR.
    ///
    /// # Errors
    ///
    /// When the body is malformed.
    pub fn of_body(body: &FunctionBody<'_>) -> Result<Summary, BinaryReaderError> {
        let mut summary = Summary::default();
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            match reader.read()? {
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    summary.callees.push(function_index);
                }
                Operator::CallIndirect { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::CallRef { .. }
                | Operator::ReturnCallRef { .. }
                // Tables of references live in the heap.
                | Operator::TableGrow { .. } => summary.collects = true,
                _ => {}
            }
        }
        Ok(summary)
    }
}

/// Which functions may collect.
#[derive(Clone, Debug, Default)]
pub struct MayCollect {
    funcs: Vec<bool>,
}

impl MayCollect {
    /// Whether a function may collect. Of an unknown one: yes.
    pub fn func(&self, index: u32) -> bool {
        self.funcs.get(index as usize).copied().unwrap_or(true)
    }

    /// Whether a callee may collect.
    pub fn callee(&self, callee: &Callee) -> bool {
        match *callee {
            Callee::Func(index) => self.func(index),
            Callee::Indirect { .. } | Callee::Ref { .. } => true,
        }
    }
}

/// Solves for all functions of a module, given by index, imported ones included.
pub fn solve(summaries: &[Summary]) -> MayCollect {
    let edges = || {
        let all = summaries.iter().enumerate();
        all.flat_map(|(caller, s)| s.callees.iter().map(move |&callee| (caller, callee as usize)))
    };
    MayCollect { funcs: reach::backward(summaries.iter().map(|s| s.collects).collect(), edges) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Cursor, SrcLoc};
    use wasmparser::{Parser, Payload};

    fn calls(callees: &[u32]) -> Summary {
        Summary { collects: false, callees: callees.to_vec() }
    }

    #[test]
    fn collecting_spreads_to_callers_through_cycles() {
        // 0 is imported; 1 and 2 call each other and nobody else; 3 and 4 call each other and 0.
        let all = [Summary::unknown(), calls(&[2]), calls(&[1]), calls(&[4, 1]), calls(&[3, 0]), calls(&[])];
        let found = solve(&all);
        assert_eq!((0..7).map(|f| found.func(f)).collect::<Vec<_>>(), [true, false, false, true, true, false, true]);
        assert!(found.callee(&Callee::Ref { ty: 0 }) && !found.callee(&Callee::Func(5)));
    }

    #[test]
    fn a_callee_that_nobody_described_may_collect() {
        assert!(solve(&[calls(&[9])]).func(0));
    }

    #[test]
    fn summaries_of_ir_look_into_regions() {
        let mut func = Func::new(0, &[], &[]);
        let region = func.body;
        let mut c = Cursor::at(&mut func, region, SrcLoc::NONE);
        let cond = c.i32(0);
        let call = |n| {
            move |c: &mut Cursor<'_, '_>| {
                c.push(Op::ReturnCall(Callee::Func(n)), &[], &[]);
            }
        };
        c.if_else(cond, &[], call(7), call(99));
        c.push(Op::Return, &[], &[]);
        let known = |n| (n == 99).then_some(false);
        assert_eq!(Summary::of(&func, &known), calls(&[7]));
        let region = func.body;
        func.regions[region].insts.pop();
        let mut c = Cursor::at(&mut func, region, SrcLoc::NONE);
        c.alloc(8, crate::types::ValType::I32);
        assert!(Summary::of(&func, &known).collects);
    }

    #[test]
    fn summaries_of_plain_bodies() {
        let wasm = wat::parse_str(
            "(module (table 1 funcref) (func (call 1) (return_call 2)) (func) (func (call_indirect (i32.const 0))))",
        )
        .unwrap();
        let bodies = Parser::new(0).parse_all(&wasm).filter_map(|payload| match payload.unwrap() {
            Payload::CodeSectionEntry(body) => Some(Summary::of_body(&body).unwrap()),
            _ => None,
        });
        assert_eq!(bodies.collect::<Vec<_>>(), [calls(&[1, 2]), calls(&[]), Summary::unknown()]);
    }
}
