//! An interpreter of lowered IR, written from the IR's invariants: the oracle of the random tests.
//!
//! It knows no locals and no operand stack. The values that a cold safepoint refreshes are changed in
//! place, for themselves and all their other names.

use super::host::{COLD, GC, LOG, MIX, NURSERY, Outcome, PAIR, data_start, heap_map, log_result, moved};
use crate::ir::{Callee, Func, HeapOp, Inst, Op, RefOp, Region, TrapCode, Value};
use std::collections::HashMap;
use wasmparser::Operator;

/// How control leaves a region or an instruction.
enum Flow {
    Next,
    Yield(Vec<u64>),
    Branch(Inst, Vec<u64>),
    Return(Vec<u64>),
    Trap,
}

struct Interp<'f, 'a> {
    func: &'f Func<'a>,
    values: HashMap<Value, u64>,
    names: HashMap<Value, Value>,
    slots: Vec<u32>,
    published: u32,
    bump: u32,
    log: Vec<u64>,
    data: Vec<u32>,
}

/// Runs a function.
pub fn run(func: &Func<'_>, args: &[u64], data: &[u32]) -> Outcome {
    let mut interp = Interp {
        func,
        values: func.params().iter().copied().zip(args.iter().copied()).collect(),
        names: HashMap::new(),
        slots: vec![0; func.frame.slots as usize],
        published: 0,
        bump: heap_map().nursery_start,
        log: Vec::new(),
        data: data.to_vec(),
    };
    let results = match interp.region(func.body) {
        Flow::Return(results) => Some(results),
        Flow::Trap => None,
        _ => panic!("control left the body"),
    };
    Outcome { results, log: interp.log, data: interp.data }
}

impl Interp<'_, '_> {
    fn root(&self, value: Value) -> Value {
        self.names.get(&value).map_or(value, |&name| self.root(name))
    }

    fn get(&self, value: Value) -> u64 {
        self.values[&self.root(value)]
    }

    fn set_all(&mut self, to: &[Value], from: &[u64]) {
        for (&to, &from) in to.iter().zip(from) {
            self.names.remove(&to);
            self.values.insert(to, from);
        }
    }

    fn region(&mut self, region: Region) -> Flow {
        for &inst in &self.func.regions[region].insts {
            match self.inst(inst) {
                Flow::Next => {}
                flow => return flow,
            }
        }
        panic!("a region without terminator")
    }

    fn inst(&mut self, inst: Inst) -> Flow {
        let func = self.func;
        let args: Vec<u64> = func.args(inst).iter().map(|&v| self.get(v)).collect();
        match &func.insts[inst].op {
            Op::Block { body } => {
                let flow = self.region(*body);
                self.leave(inst, flow)
            }
            Op::If { then, els } => {
                let flow = self.region(if args[0] as u32 != 0 { *then } else { *els });
                self.leave(inst, flow)
            }
            Op::Loop { body } => {
                let mut next = args;
                loop {
                    self.set_all(&func.regions[*body].params, &next);
                    match self.region(*body) {
                        Flow::Branch(target, args) if target == inst => next = args,
                        flow => return self.leave(inst, flow),
                    }
                }
            }
            Op::Br { target } => Flow::Branch(*target, args),
            Op::BrIf { target } if args[0] as u32 != 0 => Flow::Branch(*target, args[1..].to_vec()),
            Op::BrIf { .. } => Flow::Next,
            Op::BrTable { targets } => {
                let at = (args[0] as u32 as usize).min(targets.len() - 1);
                let skip: u32 = targets[..at].iter().map(|t| t.args).sum();
                let start = 1 + skip as usize;
                let mine = args[start..start + targets[at].args as usize].to_vec();
                match targets[at].target {
                    Some(target) => Flow::Branch(target, mine),
                    None => Flow::Return(mine),
                }
            }
            Op::Yield => Flow::Yield(args),
            Op::Return => Flow::Return(args),
            Op::Trap(TrapCode::Unreachable) => Flow::Trap,
            Op::Ref(RefOp::Refine) => {
                self.names.insert(func.results(inst)[0], func.args(inst)[0]);
                Flow::Next
            }
            op => match self.simple(inst, op, &args) {
                Some(results) => {
                    self.set_all(func.results(inst), &results);
                    Flow::Next
                }
                None => Flow::Trap,
            },
        }
    }

    fn leave(&mut self, inst: Inst, flow: Flow) -> Flow {
        match flow {
            Flow::Yield(results) => {
                self.set_all(self.func.results(inst), &results);
                Flow::Next
            }
            Flow::Branch(target, results) if target == inst => {
                self.set_all(self.func.results(inst), &results);
                Flow::Next
            }
            flow => flow,
        }
    }

    /// Everything without control; `None` for a trap.
    fn simple(&mut self, inst: Inst, op: &Op<'_>, args: &[u64]) -> Option<Vec<u64>> {
        Some(match op {
            Op::Core(op) => return self.core(op, args),
            Op::Select => vec![if args[2] as u32 != 0 { args[0] } else { args[1] }],
            Op::Call(Callee::Func(LOG)) => {
                self.log.push(args[0]);
                vec![u64::from(log_result(args[0] as u32))]
            }
            Op::Call(Callee::Func(PAIR)) => {
                self.log.extend([args[0], args[1]]);
                vec![args[0] ^ args[1], u64::from((args[1] as u32).wrapping_add(1))]
            }
            Op::Call(Callee::Func(MIX)) => {
                self.log.extend(args);
                vec![]
            }
            Op::Call(Callee::Func(COLD)) => {
                self.log.extend(args);
                self.cold(inst);
                vec![u64::from(log_result(args[1] as u32))]
            }
            Op::Call(Callee::Func(GC)) => {
                self.collect(self.published);
                vec![]
            }
            Op::Heap(HeapOp::Alloc { bytes }) => vec![self.alloc(inst, *bytes)],
            Op::Heap(HeapOp::AllocDynamic) => vec![self.alloc(inst, args[0] as u32)],
            Op::Heap(HeapOp::Spill { slot }) => {
                self.slots[*slot as usize] = args[0] as u32;
                vec![]
            }
            Op::Heap(HeapOp::Clear { slot }) => {
                self.slots[*slot as usize] = u32::MAX;
                vec![]
            }
            Op::Heap(HeapOp::Reload { slot }) => vec![u64::from(self.slots[*slot as usize])],
            Op::Heap(HeapOp::SetTop { slots }) => {
                self.published = *slots;
                vec![]
            }
            op => panic!("{op:?} is not generated"),
        })
    }

    fn collect(&mut self, published: u32) {
        self.slots.iter_mut().take(published as usize).for_each(|slot| *slot = moved(*slot));
    }

    fn alloc(&mut self, inst: Inst, bytes: u32) -> u64 {
        let start = heap_map().nursery_start;
        let end = self.bump + bytes;
        if end <= start + NURSERY {
            let object = self.bump - 3;
            self.bump = end;
            return u64::from(object);
        }
        self.cold(inst);
        self.bump = start + bytes;
        u64::from(start - 3)
    }

    /// Saves what is to be refreshed, collects, and loads it again.
    fn cold(&mut self, inst: Inst) {
        let refresh = &self.func.refresh[inst];
        for &(slot, value) in refresh {
            self.slots[slot as usize] = self.get(value) as u32;
        }
        self.collect(refresh.iter().map(|&(slot, _)| slot + 1).max().unwrap_or(0));
        for &(slot, value) in refresh {
            let root = self.root(value);
            self.values.insert(root, u64::from(self.slots[slot as usize]));
        }
    }

    fn core(&mut self, op: &Operator<'_>, args: &[u64]) -> Option<Vec<u64>> {
        let word = |n: usize| args[n] as u32;
        let result = match *op {
            Operator::I32Const { value } => u64::from(value as u32),
            Operator::I64Const { value } => value as u64,
            Operator::I32Add => u64::from(word(0).wrapping_add(word(1))),
            Operator::I32Sub => u64::from(word(0).wrapping_sub(word(1))),
            Operator::I32And => u64::from(word(0) & word(1)),
            Operator::I32LtU => u64::from(word(0) < word(1)),
            Operator::I32Eqz => u64::from(word(0) == 0),
            Operator::I32DivU => u64::from(word(0).checked_div(word(1))?),
            Operator::I64Add => args[0].wrapping_add(args[1]),
            Operator::I64Mul => args[0].wrapping_mul(args[1]),
            Operator::I64ExtendI32U => u64::from(word(0)),
            Operator::I32WrapI64 => u64::from(args[0] as u32),
            Operator::I32Load { memarg } => u64::from(self.data[self.at(word(0), memarg.offset)]),
            Operator::I32Store { memarg } => {
                let at = self.at(word(0), memarg.offset);
                self.data[at] = word(1);
                return Some(vec![]);
            }
            ref op => panic!("{op:?} is not generated"),
        };
        Some(vec![result])
    }

    fn at(&self, address: u32, offset: u64) -> usize {
        (u64::from(address) + offset - u64::from(data_start())) as usize / 4
    }
}
