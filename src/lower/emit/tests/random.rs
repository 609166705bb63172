//! Random functions: what is emitted must do what the interpreter does.
//!
//! Functions are valid by construction. Loops end because each takes fuel from a cell of memory.

use super::host::{self, COLD, GC, HEAP, LOG, MIX, PAIR, data_start};
use super::interp;
use crate::ir::{BrTarget, Callee, Cursor, Func, HeapOp, Inst, Op, RefOp, Region, SrcLoc, TrapCode, Value, memarg};
use crate::types::{HeapType, RefType, ValType};
use proptest::prelude::*;
use wasmparser::Operator;
use wasmtime::Engine;

const WORDS: u32 = 8;
const FUEL: u32 = 40;
/// Slots `0..SPILL` are for `Spill` and `Reload`, the rest for allocations.
const SPILL: u32 = 3;
const SLOTS: u32 = 8;
const REF: ValType = ValType::Ref(RefType::new(true, HeapType::Any));
const TYPES: [ValType; 4] = [ValType::I32, ValType::I32, ValType::I64, REF];

struct Gen {
    func: Func<'static>,
    state: u64,
    visible: Vec<Value>,
    /// Constructs that are open, and what a branch to each must carry.
    targets: Vec<(Inst, Vec<ValType>)>,
    /// Instructions that may still be made.
    budget: u32,
    /// Spills and calls of the collector, not only allocations.
    eager: bool,
}

impl Gen {
    fn function(seed: u64, budget: u32) -> Func<'static> {
        let mut gen_ = Gen {
            func: Func::new(0, &[], &[]),
            state: seed | 1,
            visible: Vec::new(),
            targets: Vec::new(),
            budget,
            eager: seed & 2 != 0,
        };
        let (params, results) = (gen_.types(4), gen_.types(3));
        gen_.func = Func::new(0, &params, &results);
        gen_.visible = gen_.func.params().to_vec();
        if gen_.chance(4) == 0 || gen_.eager {
            gen_.func.frame.slots = SLOTS;
        }
        let body = gen_.func.body;
        gen_.fill(body, None);
        gen_.func
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn chance(&mut self, n: u32) -> u32 {
        ((self.next() >> 16) % u64::from(n)) as u32
    }

    fn types(&mut self, below: u32) -> Vec<ValType> {
        (0..self.chance(below)).map(|_| TYPES[self.chance(4) as usize]).collect()
    }

    fn push(&mut self, region: Region, op: Op<'static>, args: &[Value], results: &[ValType]) -> Inst {
        let inst = Cursor::at(&mut self.func, region, SrcLoc(7)).push(op, args, results);
        self.visible.extend_from_slice(self.func.results(inst));
        inst
    }

    fn value(&mut self, region: Region, op: Op<'static>, args: &[Value], ty: ValType) -> Value {
        let inst = self.push(region, op, args, &[ty]);
        self.func.results(inst)[0]
    }

    /// A visible value of a type; recent ones are likelier, so that some nest on the stack.
    fn pick(&mut self, region: Region, ty: ValType) -> Value {
        let known: Vec<Value> = self.visible.iter().copied().filter(|&v| self.func.ty(v) == ty).collect();
        if known.is_empty() || self.chance(6) == 0 {
            let value = self.chance(5) as i32;
            let op = match ty {
                ValType::I64 => Operator::I64Const { value: value.into() },
                // Only null and i31 references are constants.
                REF => Operator::I32Const { value: 2 * value },
                _ => Operator::I32Const { value },
            };
            return self.value(region, Op::Core(op), &[], ty);
        }
        let back = match self.chance(3) {
            0 => self.chance(known.len() as u32),
            _ => self.chance(3).min(known.len() as u32 - 1),
        };
        known[known.len() - 1 - back as usize]
    }

    fn picks(&mut self, region: Region, types: &[ValType]) -> Vec<Value> {
        types.iter().map(|&ty| self.pick(region, ty)).collect()
    }

    /// Fills a region up to its terminator.
    fn fill(&mut self, region: Region, owner: Option<Inst>) {
        let outer = self.visible.len();
        while self.budget > 0 && self.chance(9) != 0 {
            self.budget -= 1;
            match self.chance(24) {
                0..10 => self.arithmetic(region),
                10..13 => self.memory(region),
                13..16 => self.call(region),
                16 | 17 => self.alloc(region),
                18 if self.chance(2) == 0 => self.cold(region),
                18 => self.refine(region),
                19 => self.br_if(region),
                _ => self.construct(region),
            }
        }
        self.terminate(region, owner);
        self.visible.truncate(outer);
    }

    fn arithmetic(&mut self, region: Region) {
        let (i32, i64) = (ValType::I32, ValType::I64);
        let (op, args, result): (_, &[ValType], _) = match self.chance(10) {
            0 | 1 => (Op::Core(Operator::I32Add), &[i32, i32], i32),
            2 => (Op::Core(Operator::I32Sub), &[i32, i32], i32),
            3 => (Op::Core(Operator::I32LtU), &[i32, i32], i32),
            4 => (Op::Core(Operator::I32Eqz), &[i32], i32),
            5 => (Op::Core(Operator::I64Add), &[i64, i64], i64),
            6 => (Op::Core(Operator::I64Mul), &[i64, i64], i64),
            7 => (Op::Core(Operator::I64ExtendI32U), &[i32], i64),
            8 => (Op::Core(Operator::I32WrapI64), &[i64], i32),
            _ => {
                let ty = TYPES[self.chance(4) as usize];
                let args = self.picks(region, &[ty, ty, i32]);
                self.value(region, Op::Select, &args, ty);
                return;
            }
        };
        let args = self.picks(region, args);
        self.value(region, op, &args, result);
    }

    fn memory(&mut self, region: Region) {
        let (i32, memarg) = (ValType::I32, memarg(HEAP, u64::from(data_start())));
        let index = self.pick(region, i32);
        let mask = self.value(region, Op::Core(Operator::I32Const { value: 4 * (WORDS as i32 - 2) }), &[], i32);
        let address = self.value(region, Op::Core(Operator::I32And), &[index, mask], i32);
        if self.chance(2) == 0 {
            self.value(region, Op::Core(Operator::I32Load { memarg }), &[address], i32);
        } else {
            let value = self.pick(region, i32);
            self.push(region, Op::Core(Operator::I32Store { memarg }), &[address, value], &[]);
        }
    }

    fn call(&mut self, region: Region) {
        let (i32, i64) = (ValType::I32, ValType::I64);
        match self.chance(7) {
            5.. => {
                let args = self.picks(region, &[REF, i32, REF]);
                self.push(region, Op::Call(Callee::Func(MIX)), &args, &[]);
            }
            0 => {
                let args = self.picks(region, &[i64, i32]);
                self.push(region, Op::Call(Callee::Func(PAIR)), &args, &[i64, i32]);
            }
            1 if self.chance(4) == 0 => {
                let args = self.picks(region, &[i32, i32]);
                self.value(region, Op::Core(Operator::I32DivU), &args, i32);
            }
            1 | 2 if self.eager => self.collect(region),
            n => {
                let args = self.picks(region, &[if n == 3 { REF } else { i32 }]);
                self.value(region, Op::Call(Callee::Func(LOG)), &args, i32);
            }
        }
    }

    /// Spill, publish, collect, reload.
    fn collect(&mut self, region: Region) {
        let used = self.chance(SPILL) + 1;
        for slot in 0..used {
            if self.chance(5) == 0 {
                self.push(region, Op::Heap(HeapOp::Clear { slot }), &[], &[]);
            } else {
                let value = self.pick(region, REF);
                self.push(region, Op::Heap(HeapOp::Spill { slot }), &[value], &[]);
            }
        }
        self.push(region, Op::Heap(HeapOp::SetTop { slots: used }), &[], &[]);
        self.push(region, Op::Call(Callee::Func(GC)), &[], &[]);
        for slot in 0..used {
            self.value(region, Op::Heap(HeapOp::Reload { slot }), &[], REF);
        }
    }

    fn alloc(&mut self, region: Region) {
        let refs = self.refs();
        let bytes = 4 * (self.chance(8) + 1);
        let inst = if self.chance(3) == 0 {
            let bytes = self.value(region, Op::Core(Operator::I32Const { value: bytes as i32 }), &[], ValType::I32);
            let index = self.pick(region, ValType::I32);
            let mask = self.value(region, Op::Core(Operator::I32Const { value: 12 }), &[], ValType::I32);
            let low = self.value(region, Op::Core(Operator::I32And), &[index, mask], ValType::I32);
            let bytes = self.value(region, Op::Core(Operator::I32Add), &[low, bytes], ValType::I32);
            self.push(region, Op::Heap(HeapOp::AllocDynamic), &[bytes], &[REF])
        } else {
            self.push(region, Op::Heap(HeapOp::Alloc { bytes }), &[], &[REF])
        };
        self.func.refresh[inst] = self.refresh_list(refs);
    }

    fn refs(&self) -> Vec<Value> {
        self.visible.iter().copied().filter(|&v| self.func.ty(v) == REF).collect()
    }

    fn refresh_list(&mut self, mut refs: Vec<Value>) -> Vec<(u32, Value)> {
        let mut list = Vec::new();
        for slot in SPILL..self.func.frame.slots {
            if refs.is_empty() || self.chance(4) == 0 {
                break;
            }
            let at = self.chance(refs.len() as u32) as usize;
            list.push((slot, refs.swap_remove(at)));
        }
        list
    }

    /// A call that collects, and is a cold safepoint if there is anything to refresh.
    fn cold(&mut self, region: Region) {
        let refs = self.refs();
        let list = self.refresh_list(refs);
        if list.is_empty() {
            return;
        }
        let args = self.picks(region, &[REF, ValType::I32]);
        let inst = self.push(region, Op::Call(Callee::Func(COLD)), &args, &[ValType::I32]);
        self.func.refresh[inst] = list;
    }

    fn refine(&mut self, region: Region) {
        let value = self.pick(region, REF);
        self.value(region, Op::Ref(RefOp::Refine), &[value], REF);
    }

    fn br_if(&mut self, region: Region) {
        let Some((target, types)) = self.target() else { return };
        let mut args = self.picks(region, &types);
        args.insert(0, self.pick(region, ValType::I32));
        self.push(region, Op::BrIf { target }, &args, &[]);
    }

    fn target(&mut self) -> Option<(Inst, Vec<ValType>)> {
        if self.targets.is_empty() {
            return None;
        }
        let back = self.chance(4).min(self.targets.len() as u32 - 1) as usize;
        self.targets.get(self.targets.len() - 1 - back).cloned()
    }

    fn construct(&mut self, region: Region) {
        let results = self.types(4);
        let (first, second) = (self.func.add_region(), self.func.add_region());
        let outer = self.visible.len();
        let (op, args, carried, regions) = match self.chance(5) {
            0 | 1 => {
                let cond = self.pick(region, ValType::I32);
                (Op::If { then: first, els: second }, vec![cond], results.clone(), vec![first, second])
            }
            2 => (Op::Block { body: first }, vec![], results.clone(), vec![first]),
            _ => {
                let params = self.types(4);
                let args = self.picks(region, &params);
                for &ty in &params {
                    self.func.add_param(first, ty);
                }
                (Op::Loop { body: first }, args, params, vec![first])
            }
        };
        let is_loop = matches!(op, Op::Loop { .. });
        let inst = self.push(region, op, &args, &results);
        let results: Vec<Value> = self.func.results(inst).to_vec();
        self.visible.retain(|v| !results.contains(v));
        self.targets.push((inst, carried));
        for region in regions {
            let outer = self.visible.len();
            self.visible.extend_from_slice(&self.func.regions[region].params);
            if is_loop {
                self.burn(region);
            }
            self.fill(region, Some(inst));
            self.visible.truncate(outer);
        }
        self.targets.pop();
        debug_assert!(self.visible.len() >= outer);
        self.visible.extend(results);
    }

    fn burn(&mut self, region: Region) {
        let memarg = memarg(HEAP, u64::from(data_start() + 4 * (WORDS - 1)));
        let mut c = Cursor::at(&mut self.func, region, SrcLoc::NONE);
        let zero = c.i32(0);
        let fuel = c.load(Operator::I32Load { memarg }, zero, ValType::I32, None);
        let none = c.core(Operator::I32Eqz, &[fuel], ValType::I32);
        c.trap_if(none, TrapCode::Unreachable);
        let one = c.i32(1);
        let less = c.i32_op(Operator::I32Sub, fuel, one);
        c.store(Operator::I32Store { memarg }, zero, less, None);
    }

    fn terminate(&mut self, region: Region, owner: Option<Inst>) {
        let results = self.func.results.clone();
        match (self.chance(8), self.target(), owner) {
            (0, Some((target, types)), _) => {
                let args = self.picks(region, &types);
                self.push(region, Op::Br { target }, &args, &[]);
            }
            (1, Some(_), _) => self.br_table(region),
            (2, _, Some(_)) if self.chance(3) == 0 => {
                self.push(region, Op::Trap(TrapCode::Unreachable), &[], &[]);
            }
            (3, _, Some(_)) | (_, _, None) => {
                let args = self.picks(region, &results);
                self.push(region, Op::Return, &args, &[]);
            }
            (_, _, Some(owner)) => {
                let types: Vec<ValType> = self.func.results(owner).iter().map(|&v| self.func.ty(v)).collect();
                let args = self.picks(region, &types);
                self.push(region, Op::Yield, &args, &[]);
            }
        }
    }

    fn br_table(&mut self, region: Region) {
        let mut args = vec![self.pick(region, ValType::I32)];
        let mut targets = Vec::new();
        for _ in 0..self.chance(4) + 1 {
            let (target, types) = match self.target() {
                Some((target, types)) if self.chance(8) != 0 => (Some(target), types),
                _ => (None, self.func.results.clone()),
            };
            args.extend(self.picks(region, &types));
            targets.push(BrTarget { target, args: types.len() as u32 });
        }
        self.push(region, Op::BrTable { targets: targets.into() }, &args, &[]);
    }
}

fn check(seed: u64, budget: u32) {
    let func = Gen::function(seed, budget);
    let engine = ENGINE.with(Engine::clone);
    let mut data = vec![0x11, 0x2222, 3, 0, 5, 6, 7, FUEL];
    data.truncate(WORDS as usize);
    let args: Vec<u64> = (0..func.params().len() as u64).map(|n| 0x0101 * (seed % 5 + n)).collect();
    let expected = interp::run(&func, &args, &data);
    let actual = host::run(&engine, &func, &args, &data);
    if actual != expected {
        panic!("{}\n{}\nexpected {expected:x?}\nfound {actual:x?}", crate::ir::print::print(&func), host::text(&func));
    }
}

thread_local! {
    static ENGINE: Engine = {
        let mut config = wasmtime::Config::new();
        config.cranelift_opt_level(wasmtime::OptLevel::None);
        Engine::new(&config).expect("an engine")
    };
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn emitted_code_does_what_the_interpreter_does(seed in any::<u64>(), budget in 1_u32..120) {
        check(seed, budget);
    }
}

/// How many functions to try; `EMIT_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("EMIT_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(400)
}
