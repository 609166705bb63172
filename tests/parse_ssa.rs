//! SSA construction against an engine: random structured programs run the same as IR, in the
//! interpreter below, and as the Wasm that they were, in Wasmtime.
//!
//! Programs are made of `i32` locals, blocks, loops, `if`s and branches of all kinds, with parameters and
//! results. They always end: every loop counts down a local.

use std::collections::HashMap;
use wasm_encoder::{
    BlockType, CodeSection, ExportKind, ExportSection, Function, FunctionSection, Instruction as I, TypeSection,
    ValType as V,
};
use wasmparser::{Operator, WasmFeatures};
use wasmtime_gc::ir::{Func, Inst, Op, Region, Value, print, verify};
use wasmtime_gc::parse::Module;
use wasmtime_gc::types::TypeRegistry;

const LOCALS: u32 = 5;
/// The local that every loop counts down.
const FUEL: u32 = LOCALS;

/// xorshift64
struct Random(u64);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 20) % u64::from(n)) as u32
    }
}

/// Writes a body in which every operator finds its operands.
struct Writer {
    random: Random,
    func: Function,
    /// Heights that branches to the enclosing labels want.
    labels: Vec<u32>,
    left: u32,
}

impl Writer {
    fn emit(&mut self, op: I<'_>) {
        self.func.instruction(&op);
    }

    /// Pushes a value.
    fn value(&mut self) {
        match self.random.below(4) {
            0 => {
                let value = self.random.below(7) as i32 - 3;
                self.emit(I::I32Const(value));
            }
            1 => {
                self.value();
                let local = self.random.below(LOCALS);
                self.emit(I::LocalTee(local));
            }
            _ => {
                let local = self.random.below(LOCALS);
                self.emit(I::LocalGet(local));
            }
        }
    }

    fn values(&mut self, n: u32) {
        (0..n).for_each(|_| self.value());
    }

    /// Code that leaves the stack as it is; `false` when its end is unreachable.
    fn sequence(&mut self, depth: u32) -> bool {
        for _ in 0..self.random.below(6) {
            if self.left == 0 || !self.statement(depth) {
                break;
            }
        }
        if self.random.below(6) == 0 {
            self.jump();
            return false;
        }
        true
    }

    fn statement(&mut self, depth: u32) -> bool {
        self.left = self.left.saturating_sub(1);
        let kinds = if depth == 0 { 3 } else { 8 };
        match self.random.below(kinds) {
            0 => {
                self.values(2);
                let ops = [I::I32Add, I::I32Sub, I::I32Mul, I::I32LtS];
                let op = ops[self.random.below(4) as usize].clone();
                self.emit(op);
                let local = self.random.below(LOCALS);
                self.emit(I::LocalSet(local));
            }
            1 => {
                self.value();
                let local = self.random.below(LOCALS);
                self.emit(I::LocalSet(local));
            }
            2 => self.branch_if(),
            3 | 4 => self.block(depth - 1),
            5 => self.loop_(depth - 1),
            _ => self.if_(depth - 1),
        }
        true
    }

    fn target(&mut self) -> (u32, u32) {
        let depth = self.random.below(self.labels.len() as u32);
        (depth, self.labels[self.labels.len() - 1 - depth as usize])
    }

    fn branch_if(&mut self) {
        let (depth, arity) = self.target();
        self.values(arity + 1);
        self.emit(I::BrIf(depth));
        (0..arity).for_each(|_| self.emit(I::Drop));
    }

    /// An unconditional branch of some kind.
    fn jump(&mut self) {
        let (depth, arity) = self.target();
        let same: Vec<u32> = (0..self.labels.len() as u32)
            .filter(|d| self.labels[self.labels.len() - 1 - *d as usize] == arity)
            .collect();
        self.values(arity);
        match self.random.below(4) {
            0 => self.emit(I::Unreachable),
            1 => {
                self.value();
                self.emit(I::BrTable(same.into(), depth));
            }
            _ => self.emit(I::Br(depth)),
        }
    }

    fn ty(&mut self) -> (u32, u32) {
        (self.random.below(3), self.random.below(3))
    }

    /// Gets rid of the parameters, runs some code, makes the results.
    fn body(&mut self, (params, results): (u32, u32), label: u32, depth: u32, fuel: bool) {
        for _ in 0..params {
            let local = self.random.below(LOCALS);
            self.emit(I::LocalSet(local));
        }
        self.labels.push(label);
        if fuel {
            for op in
                [I::LocalGet(FUEL), I::I32Const(1), I::I32Sub, I::LocalTee(FUEL), I::I32Eqz, I::If(BlockType::Empty)]
            {
                self.emit(op);
            }
            self.value();
            self.emit(I::Return);
            self.emit(I::End);
        }
        if self.sequence(depth) {
            self.values(results);
        }
        self.labels.pop();
    }

    fn results(&mut self, results: u32) {
        for _ in 0..results {
            let local = self.random.below(LOCALS);
            self.emit(I::LocalSet(local));
        }
    }

    fn block(&mut self, depth: u32) {
        let ty = self.ty();
        self.values(ty.0);
        self.emit(I::Block(block_type(ty)));
        self.body(ty, ty.1, depth, false);
        self.emit(I::End);
        self.results(ty.1);
    }

    fn loop_(&mut self, depth: u32) {
        let ty = self.ty();
        self.values(ty.0);
        self.emit(I::Loop(block_type(ty)));
        self.body(ty, ty.0, depth, true);
        self.emit(I::End);
        self.results(ty.1);
    }

    fn if_(&mut self, depth: u32) {
        let mut ty = self.ty();
        let els = self.random.below(3) > 0;
        if !els {
            ty.1 = ty.0;
        }
        self.values(ty.0 + 1);
        self.emit(I::If(block_type(ty)));
        self.body(ty, ty.1, depth, false);
        if els {
            self.emit(I::Else);
            self.body(ty, ty.1, depth, false);
        }
        self.emit(I::End);
        self.results(ty.1);
    }
}

fn block_type((params, results): (u32, u32)) -> BlockType {
    BlockType::FunctionType(1 + params * 3 + results)
}

fn program(seed: u64) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([V::I32, V::I32], [V::I32]);
    for params in 0..3 {
        for results in 0..3 {
            types.ty().function(vec![V::I32; params], vec![V::I32; results]);
        }
    }
    let mut writer = Writer {
        random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1),
        func: Function::new([(LOCALS + 1 - 2, V::I32)]),
        labels: vec![1],
        left: 60,
    };
    writer.emit(I::I32Const(20));
    writer.emit(I::LocalSet(FUEL));
    while writer.left > 0 {
        writer.statement(4);
    }
    // All of the state is the result.
    writer.emit(I::LocalGet(0));
    for local in 1..LOCALS {
        writer.emit(I::I32Const(31));
        writer.emit(I::I32Mul);
        writer.emit(I::LocalGet(local));
        writer.emit(I::I32Add);
    }
    writer.emit(I::End);
    let mut module = wasm_encoder::Module::new();
    let mut funcs = FunctionSection::new();
    funcs.function(0);
    let mut exports = ExportSection::new();
    exports.export("f", ExportKind::Func, 0);
    let mut code = CodeSection::new();
    code.function(&writer.func);
    module.section(&types).section(&funcs).section(&exports).section(&code);
    module.finish()
}

/// How control leaves a region.
enum Exit {
    Yield(Vec<i32>),
    Branch(Inst, Vec<i32>),
    Return(Vec<i32>),
    Trap,
}

struct Interpreter<'f, 'a> {
    func: &'f Func<'a>,
    values: HashMap<Value, i32>,
}

impl Interpreter<'_, '_> {
    fn bind(&mut self, names: &[Value], values: &[i32]) {
        assert_eq!(names.len(), values.len());
        self.values.extend(names.iter().copied().zip(values.iter().copied()));
    }

    fn region(&mut self, region: Region) -> Exit {
        let func = self.func;
        for &inst in &func.regions[region].insts {
            let args: Vec<i32> = func.args(inst).iter().map(|arg| self.values[arg]).collect();
            let results = match &func.insts[inst].op {
                Op::Core(op) => vec![number(op, &args)],
                Op::Br { target } => return Exit::Branch(*target, args),
                Op::BrIf { target } => {
                    if args[0] != 0 {
                        return Exit::Branch(*target, args[1..].to_vec());
                    }
                    vec![]
                }
                Op::BrTable { targets } => return table(targets, &args),
                Op::Yield => return Exit::Yield(args),
                Op::Return => return Exit::Return(args),
                Op::Trap(_) => return Exit::Trap,
                Op::Block { body } => match self.owned(inst, *body) {
                    Ok(values) => values,
                    Err(exit) => return exit,
                },
                Op::If { then, els } => match self.owned(inst, if args[0] != 0 { *then } else { *els }) {
                    Ok(values) => values,
                    Err(exit) => return exit,
                },
                Op::Loop { body } => match self.repeat(inst, *body, args) {
                    Ok(values) => values,
                    Err(exit) => return exit,
                },
                op => panic!("{op:?}"),
            };
            self.bind(func.results(inst), &results);
        }
        panic!("no terminator")
    }

    fn owned(&mut self, inst: Inst, region: Region) -> Result<Vec<i32>, Exit> {
        match self.region(region) {
            Exit::Yield(values) => Ok(values),
            Exit::Branch(target, values) if target == inst => Ok(values),
            exit => Err(exit),
        }
    }

    fn repeat(&mut self, inst: Inst, body: Region, mut args: Vec<i32>) -> Result<Vec<i32>, Exit> {
        loop {
            self.bind(&self.func.regions[body].params, &args);
            match self.region(body) {
                Exit::Yield(values) => return Ok(values),
                Exit::Branch(target, values) if target == inst => args = values,
                exit => return Err(exit),
            }
        }
    }
}

fn table(targets: &[wasmtime_gc::ir::BrTarget], args: &[i32]) -> Exit {
    let taken = (args[0] as u32 as usize).min(targets.len() - 1);
    let before: u32 = targets[..taken].iter().map(|t| t.args).sum();
    let values = args[1 + before as usize..][..targets[taken].args as usize].to_vec();
    match targets[taken].target {
        Some(target) => Exit::Branch(target, values),
        None => Exit::Return(values),
    }
}

fn number(op: &Operator<'_>, args: &[i32]) -> i32 {
    match (op, args) {
        (Operator::I32Const { value }, _) => *value,
        (Operator::I32Eqz, [a]) => i32::from(*a == 0),
        (Operator::I32Add, [a, b]) => a.wrapping_add(*b),
        (Operator::I32Sub, [a, b]) => a.wrapping_sub(*b),
        (Operator::I32Mul, [a, b]) => a.wrapping_mul(*b),
        (Operator::I32LtS, [a, b]) => i32::from(a < b),
        _ => panic!("{op:?}"),
    }
}

#[test]
fn ir_computes_what_wasm_does() {
    let engine = wasmtime::Engine::default();
    let registry = TypeRegistry::new();
    let (mut returned, mut trapped) = (0, 0);
    for seed in 0..600 {
        let wasm = program(seed);
        let module = Module::parse(&wasm, WasmFeatures::WASM3, &registry).unwrap();
        let func = module.bodies[0].to_ir(&module, 0, &mut Default::default()).unwrap();
        verify::verify(&func).unwrap();
        let compiled = wasmtime::Module::new(&engine, &wasm).unwrap();
        let mut store = wasmtime::Store::new(&engine, ());
        let instance = wasmtime::Instance::new(&mut store, &compiled, &[]).unwrap();
        let f = instance.get_typed_func::<(i32, i32), i32>(&mut store, "f").unwrap();
        for (a, b) in [(0, 0), (1, -1), (7, 3), (-5, 1)] {
            let expected = f.call(&mut store, (a, b)).ok();
            let mut interpreter = Interpreter { func: &func, values: HashMap::new() };
            interpreter.bind(func.params(), &[a, b]);
            let actual = match interpreter.region(func.body) {
                Exit::Return(values) => Some(values[0]),
                Exit::Trap => None,
                Exit::Yield(_) | Exit::Branch(..) => panic!("leaves the function: {}", print::print(&func)),
            };
            assert_eq!(actual, expected, "seed {seed} on {a}, {b}:\n{}", print::print(&func));
            *(if expected.is_some() { &mut returned } else { &mut trapped }) += 1;
        }
    }
    assert!(returned > 1000 && trapped > 20, "{returned} returned, {trapped} trapped");
}
