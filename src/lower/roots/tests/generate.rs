//! Random functions in structured SSA, valid by construction, from a string of bytes.

use super::{ANY, EXTERN};
use crate::ir::{BrTarget, Callee, Cursor, Func, HeapOp, Inst, Op, RefOp, Region, SrcLoc, TrapCode, Value};
use crate::types::{HeapType, RefType, ValType};
use wasmparser::Operator;

/// A function that does what the bytes say. Behind their end everything is a zero.
pub fn function(choices: &[u8]) -> Func<'static> {
    let mut func = Func::new(0, &[ANY, EXTERN, ValType::I32], &[ANY]);
    let (body, params) = (func.body, func.params().to_vec());
    let (cond, refs) = (params[2], params[..2].to_vec());
    let mut generate = Generate { choices, at: 0, labels: Vec::new(), cond, refs, length: 1, kinds: 1 };
    // Long and straight, or short and nested, or between.
    generate.length = [4, 10, 24][generate.pick(3)];
    generate.kinds = [12, 14, 18, 18][generate.pick(4)];
    generate.region(&mut func, body, &[ANY], None, 0);
    func
}

struct Generate<'c> {
    choices: &'c [u8],
    at: usize,
    /// Constructs around, with the types that a branch to them carries.
    labels: Vec<(Inst, Vec<ValType>)>,
    cond: Value,
    /// References in sight.
    refs: Vec<Value>,
    /// Regions have fewer instructions than this.
    length: usize,
    /// The first so many kinds of instructions occur.
    kinds: usize,
}

impl Generate<'_> {
    fn pick(&mut self, n: usize) -> usize {
        let byte = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte as usize % n
    }

    fn one(&mut self, func: &mut Func<'static>, region: Region, ty: ValType) -> Value {
        let n = self.pick(self.refs.len());
        let same: Vec<Value> = self.refs.iter().copied().filter(|&v| func.ty(v) == ty).collect();
        match same.get(n % same.len().max(1)) {
            Some(&value) => value,
            None => {
                let of = self.refs[n];
                Cursor::at(func, region, SrcLoc::NONE).value(Op::Ref(RefOp::Refine), &[of], ty)
            }
        }
    }

    fn all(&mut self, func: &mut Func<'static>, region: Region, types: &[ValType]) -> Vec<Value> {
        types.iter().map(|&ty| self.one(func, region, ty)).collect()
    }

    fn types(&mut self, most: usize) -> Vec<ValType> {
        (0..self.pick(most + 1)).map(|n| if n == 1 { EXTERN } else { ANY }).collect()
    }

    /// Fills a region whose yield carries these types. `owner`: none for the body, which returns.
    fn region(
        &mut self,
        func: &mut Func<'static>,
        region: Region,
        yields: &[ValType],
        owner: Option<Inst>,
        depth: usize,
    ) {
        let outer = self.refs.len();
        for _ in 0..self.pick(self.length) {
            self.inst(func, region, depth);
        }
        self.end(func, region, yields, owner);
        self.refs.truncate(outer);
    }

    fn end(&mut self, func: &mut Func<'static>, region: Region, yields: &[ValType], owner: Option<Inst>) {
        let choice = self.pick(12);
        match choice {
            0 if owner.is_some() && !self.labels.is_empty() => {
                let n = self.pick(self.labels.len());
                let (target, types) = self.labels[n].clone();
                let args = self.all(func, region, &types);
                Cursor::at(func, region, SrcLoc::NONE).push(Op::Br { target }, &args, &[]);
            }
            1 if owner.is_some() => {
                let args = self.all(func, region, &[ANY]);
                Cursor::at(func, region, SrcLoc::NONE).push(Op::Return, &args, &[]);
            }
            2 => {
                Cursor::at(func, region, SrcLoc::NONE).push(Op::Trap(TrapCode::Unreachable), &[], &[]);
            }
            3 => self.br_table(func, region),
            _ => {
                let args = self.all(func, region, yields);
                let op = if owner.is_some() { Op::Yield } else { Op::Return };
                Cursor::at(func, region, SrcLoc::NONE).push(op, &args, &[]);
            }
        }
    }

    fn br_table(&mut self, func: &mut Func<'static>, region: Region) {
        let mut args = vec![self.cond];
        let mut targets = Vec::new();
        for _ in 0..1 + self.pick(3) {
            let n = self.pick(self.labels.len() + 1);
            let (target, types) = match self.labels.get(n).cloned() {
                Some((target, types)) => (Some(target), types),
                None => (None, vec![ANY]),
            };
            args.extend(self.all(func, region, &types));
            targets.push(BrTarget { target, args: types.len() as u32 });
        }
        Cursor::at(func, region, SrcLoc::NONE).push(Op::BrTable { targets: targets.into() }, &args, &[]);
    }

    fn inst(&mut self, func: &mut Func<'static>, region: Region, depth: usize) {
        let choice = self.pick(self.kinds);
        let mut at = |op: Op<'static>, args: &[Value], results: &[ValType]| {
            let inst = Cursor::at(func, region, SrcLoc::NONE).push(op, args, results);
            func.results(inst).to_vec()
        };
        match choice {
            0..=1 => {
                let results = at(Op::Heap(HeapOp::Alloc { bytes: 8 }), &[], &[ANY]);
                self.refs.extend(results);
            }
            2 => {
                let null = Op::Core(Operator::I32Const { value: -1 });
                self.refs.extend(at(null, &[], &[ANY]));
            }
            3..=6 => {
                let types = self.types(3);
                let args = self.all(func, region, &types);
                let results = self.types(1);
                let callee = Callee::Func(self.pick(2) as u32);
                let inst = Cursor::at(func, region, SrcLoc::NONE).push(Op::Call(callee), &args, &results);
                self.refs.extend_from_slice(func.results(inst));
            }
            7..=8 => {
                let n = self.pick(self.refs.len());
                let types = [ANY, EXTERN, ValType::Ref(RefType::new(false, HeapType::Struct)), ValType::I32];
                let ty = types[self.pick(4)];
                let of = self.refs[n];
                let results = Cursor::at(func, region, SrcLoc::NONE).push(Op::Ref(RefOp::Refine), &[of], &[ty]);
                if ty != ValType::I32 {
                    self.refs.extend_from_slice(func.results(results));
                }
            }
            9 => {
                let args = self.all(func, region, &[ANY, ANY]);
                let results =
                    Cursor::at(func, region, SrcLoc::NONE).push(Op::Select, &[args[0], args[1], self.cond], &[ANY]);
                self.refs.extend_from_slice(func.results(results));
            }
            10..=11 if !self.labels.is_empty() => {
                let n = self.pick(self.labels.len());
                let (target, types) = self.labels[n].clone();
                let mut args = vec![self.cond];
                args.extend(self.all(func, region, &types));
                Cursor::at(func, region, SrcLoc::NONE).push(Op::BrIf { target }, &args, &[]);
            }
            12..=17 if depth < 4 => self.construct(func, region, choice, depth),
            _ => {}
        }
    }

    fn construct(&mut self, func: &mut Func<'static>, region: Region, choice: usize, depth: usize) {
        let results = self.types(2);
        let (one, two) = (func.add_region(), func.add_region());
        let mut params = Vec::new();
        let (op, args) = match choice {
            12 | 13 => (Op::Block { body: one }, Vec::new()),
            14 | 15 => {
                params = self.types(2);
                (Op::Loop { body: one }, self.all(func, region, &params))
            }
            _ => (Op::If { then: one, els: two }, vec![self.cond]),
        };
        let is_loop = matches!(op, Op::Loop { .. });
        let regions: Vec<Region> = op.regions().collect();
        let inst = Cursor::at(func, region, SrcLoc::NONE).push(op, &args, &results);
        self.labels.push((inst, if is_loop { params.clone() } else { results.clone() }));
        let outer = self.refs.len();
        if is_loop {
            for &ty in &params {
                let param = func.add_param(one, ty);
                self.refs.push(param);
            }
        }
        for nested in regions {
            self.region(func, nested, &results, Some(inst), depth + 1);
        }
        self.labels.pop();
        self.refs.truncate(outer);
        self.refs.extend_from_slice(func.results(inst));
    }
}
