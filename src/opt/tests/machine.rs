//! A machine that executes GC-level IR, from the specification. What can be observed is its trace: the
//! arguments of calls and results, and how it ends. Calls change the objects that they were given.

use super::World;
use crate::ir::{ArrayOp, Callee, Func, GlobalOp, I31Op, Inst, Op, RefOp, Region, Sign, StructOp, Value};
use crate::types::{CompositeKind, HeapType, RefType, StorageType, TypeId, ValType};
use std::collections::HashMap;
use wasmparser::Operator;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    Int(i32),
    Null,
    I31(i32),
    Object(usize),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    Call(Vec<Word>),
    Return(Vec<Word>),
    Trap,
    Fuel,
}

struct Object {
    ty: TypeId,
    kind: CompositeKind,
    fields: Vec<Word>,
}

enum Exit {
    Return(Vec<Word>),
    Yield(Vec<Word>),
    Branch(Inst, Vec<Word>),
    Over,
}

struct Machine<'f> {
    world: &'f World,
    func: &'f Func<'static>,
    /// Functions that calls run, and do not only show in the trace.
    others: &'f [Func<'static>],
    values: HashMap<Value, Word>,
    heap: Vec<Object>,
    /// Objects that a call has seen, in that order; the trace names them by their place here.
    escaped: Vec<usize>,
    /// Four, of which the last two are one.
    globals: [Word; 3],
    random: u64,
    fuel: u32,
    trace: Vec<Event>,
}

/// Executes a function; the seed gives its parameters and what calls do.
pub fn run(world: &World, func: &Func<'static>, others: &[Func<'static>], seed: u64) -> Vec<Event> {
    let mut machine = Machine {
        world,
        func,
        others,
        values: HashMap::new(),
        heap: Vec::new(),
        escaped: Vec::new(),
        globals: [Word::Null; 3],
        random: seed,
        fuel: 50,
        trace: Vec::new(),
    };
    for &param in func.params() {
        let word = machine.foreign(func.ty(param));
        machine.values.insert(param, word);
    }
    if let Exit::Return(words) = machine.region(func.body) {
        let words = words.into_iter().map(|word| machine.named(word)).collect();
        machine.trace.push(Event::Return(words));
    }
    machine.trace
}

impl Machine<'_> {
    fn random(&mut self, n: usize) -> usize {
        self.random = self.random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.random >> 33) as usize % n
    }

    fn new_object(&mut self, heap: HeapType, fields: Vec<Word>) -> Word {
        let HeapType::Concrete(kind, ty) = heap else { return Word::Null };
        self.heap.push(Object { ty, kind, fields });
        Word::Object(self.heap.len() - 1)
    }

    fn default_fields(&self, id: TypeId) -> Vec<Word> {
        let zero =
            |storage| if matches!(storage, StorageType::Val(ValType::Ref(_))) { Word::Null } else { Word::Int(0) };
        self.world.fields(id).iter().map(|f| zero(f.storage)).collect()
    }

    /// A value from outside.
    fn foreign(&mut self, ty: ValType) -> Word {
        let choice = self.random(7);
        let heap = [self.world.base, self.world.sub, self.world.other][self.random(3)];
        match (ty, choice) {
            (ValType::I32, _) => Word::Int(choice as i32 % 3),
            (ValType::Ref(ty), _) if ty.heap == self.world.base => {
                let known = self.escaped.iter().copied().find(|&e| self.has_type(Word::Object(e), ty));
                match known.filter(|_| choice > 2) {
                    Some(at) => Word::Object(at),
                    None => {
                        let heap = [self.world.base, self.world.sub][choice % 2];
                        let fields = self.default_fields(World::id(heap));
                        let word = self.new_object(heap, fields);
                        self.named(word);
                        word
                    }
                }
            }
            (_, 0) => Word::Null,
            (_, 1) => Word::I31(self.random(3) as i32),
            (_, 2) => self.new_object(self.world.ints, vec![Word::Int(7); 2]),
            (_, 3 | 4) if !self.escaped.is_empty() => {
                let n = self.random(self.escaped.len());
                Word::Object(self.escaped[n])
            }
            _ => {
                let fields = self.default_fields(World::id(heap));
                let word = self.new_object(heap, fields);
                self.named(word);
                word
            }
        }
    }

    fn named(&mut self, word: Word) -> Word {
        let Word::Object(at) = word else { return word };
        if !self.escaped.contains(&at) {
            self.escaped.push(at);
        }
        Word::Object(self.escaped.iter().position(|&e| e == at).unwrap())
    }

    fn call(&mut self, args: &[Word], results: &[Value]) -> Vec<Word> {
        let args = args.iter().map(|&word| self.named(word)).collect();
        self.trace.push(Event::Call(args));
        if !self.escaped.is_empty() {
            let n = self.random(self.escaped.len());
            let at = self.escaped[n];
            let n = self.random(1000) as i32;
            let field = if World::id(self.world.other) == self.heap[at].ty { 0 } else { 1 };
            if self.heap[at].kind == CompositeKind::Struct {
                self.heap[at].fields[field] = Word::Int(n);
            }
        }
        let any = ValType::Ref(RefType::new(true, HeapType::Any));
        let n = self.random(3);
        self.globals[n] = self.foreign(any);
        results.iter().map(|&v| self.foreign(self.func.ty(v))).collect()
    }

    /// Runs another function.
    fn activate(&mut self, index: u32, args: &[Word], results: &[Value]) -> Option<Exit> {
        let callee = self.others.iter().find(|other| other.index == index)?;
        let (func, values) = (std::mem::replace(&mut self.func, callee), std::mem::take(&mut self.values));
        self.set(callee.params(), args);
        let exit = self.region(callee.body);
        (self.func, self.values) = (func, values);
        match exit {
            Exit::Return(words) => self.set(results, &words),
            exit => return Some(exit),
        }
        None
    }

    fn has_type(&self, word: Word, mut ty: RefType) -> bool {
        // That is, without i31.
        let no_i31 = ty.exact && ty.heap == HeapType::Eq;
        ty.exact &= !no_i31;
        let heap = match word {
            Word::Null => return ty.nullable,
            Word::I31(_) if no_i31 => return false,
            Word::I31(_) => HeapType::I31,
            Word::Object(at) => HeapType::Concrete(self.heap[at].kind, self.heap[at].ty),
            Word::Int(_) => return false,
        };
        self.world.types.is_sub_ref(RefType { nullable: false, exact: true, heap }, ty)
    }

    fn region(&mut self, region: Region) -> Exit {
        for &inst in &self.func.regions[region].insts {
            let args: Vec<Word> = self.func.args(inst).iter().map(|v| self.values[v]).collect();
            // What the types promise must be so.
            for (&value, &word) in self.func.args(inst).iter().zip(&args) {
                if let ValType::Ref(ty) = self.func.ty(value) {
                    assert!(self.has_type(word, ty), "{value}: {ty} is {word:?}");
                }
            }
            if let Some(exit) = self.inst(inst, args) {
                return exit;
            }
        }
        unreachable!("{region} has no end")
    }

    fn inst(&mut self, inst: Inst, args: Vec<Word>) -> Option<Exit> {
        let func = self.func;
        match &func.insts[inst].op {
            Op::Block { body } => return self.construct(inst, *body),
            Op::If { then, els } => return self.construct(inst, if args[0] == Word::Int(0) { *els } else { *then }),
            Op::Loop { body } => return self.repeat(inst, *body, args),
            Op::Yield => return Some(Exit::Yield(args)),
            Op::Br { target } => return Some(Exit::Branch(*target, args)),
            Op::BrIf { target } => {
                return (args[0] != Word::Int(0)).then(|| Exit::Branch(*target, args[1..].to_vec()));
            }
            Op::Return => return Some(Exit::Return(args)),
            Op::Call(Callee::Func(index)) if self.others.iter().any(|other| other.index == *index) => {
                return self.activate(*index, &args, func.results(inst));
            }
            op => {
                let Some(words) = self.compute(op, &args, func.results(inst)) else {
                    self.trace.push(Event::Trap);
                    return Some(Exit::Over);
                };
                self.set(func.results(inst), &words);
            }
        }
        None
    }

    fn set(&mut self, values: &[Value], words: &[Word]) {
        self.values.extend(values.iter().copied().zip(words.iter().copied()));
    }

    /// The results of an instruction; `None` when it traps.
    fn compute(&mut self, op: &Op<'_>, args: &[Word], results: &[Value]) -> Option<Vec<Word>> {
        let flag = |b: bool| Some(vec![Word::Int(b.into())]);
        let ints = || match args {
            [Word::Int(a), Word::Int(b)] => (*a, *b),
            _ => (0, 0),
        };
        Some(vec![match op {
            Op::Call(_) => return Some(self.call(args, results)),
            Op::Global(GlobalOp::Get(n)) => self.globals[(*n as usize).min(2)],
            Op::Global(GlobalOp::Set(n)) => {
                self.globals[(*n as usize).min(2)] = args[0];
                return Some(Vec::new());
            }
            Op::Core(Operator::I32Const { value }) => Word::Int(*value),
            Op::Core(Operator::I32Eqz) => return flag(args[0] == Word::Int(0)),
            Op::Core(Operator::I32And) => Word::Int(ints().0 & ints().1),
            Op::Core(Operator::I32Or) => Word::Int(ints().0 | ints().1),
            Op::Core(Operator::I32Add) => Word::Int(ints().0.wrapping_add(ints().1)),
            Op::Select => args[if args[2] == Word::Int(0) { 1 } else { 0 }],
            Op::Ref(RefOp::Null(_)) => Word::Null,
            Op::Ref(RefOp::IsNull) => return flag(args[0] == Word::Null),
            Op::Ref(RefOp::Eq) => return flag(args[0] == args[1]),
            Op::Ref(RefOp::Test(ty)) => return flag(self.has_type(args[0], *ty)),
            Op::Ref(RefOp::Cast(ty)) => self.has_type(args[0], *ty).then_some(args[0])?,
            Op::Ref(RefOp::AsNonNull) => (args[0] != Word::Null).then_some(args[0])?,
            Op::Ref(RefOp::Refine) => args[0],
            Op::I31(I31Op::New) => match args[0] {
                Word::Int(n) => Word::I31(n),
                _ => return None,
            },
            Op::Struct(op) => return self.strukt(*op, args),
            Op::Array(ArrayOp::New(_)) => {
                let Word::Int(length) = args[1] else { return None };
                self.new_object(self.world.ints, vec![args[0]; length as usize])
            }
            Op::Array(op) => {
                let Word::Object(at) = args[0] else { return None };
                match (op, args.get(1)) {
                    (ArrayOp::Len, _) => Word::Int(self.heap[at].fields.len() as i32),
                    (ArrayOp::Get { .. }, Some(&Word::Int(n))) => *self.heap[at].fields.get(n as usize)?,
                    _ => return None,
                }
            }
            _ => return None,
        }])
    }

    fn strukt(&mut self, op: StructOp, args: &[Word]) -> Option<Vec<Word>> {
        let heap = |id| HeapType::Concrete(CompositeKind::Struct, id);
        match op {
            StructOp::New(id) => {
                let packed = |(n, &word): (usize, &Word)| self.pack(id, n as u32, word);
                let fields = args.iter().enumerate().map(packed).collect();
                Some(vec![self.new_object(heap(id), fields)])
            }
            // Not in generated functions.
            StructOp::NewDesc(_) | StructOp::NewDefaultDesc(_) => None,
            StructOp::NewDefault(id) => {
                let fields = self.default_fields(id);
                Some(vec![self.new_object(heap(id), fields)])
            }
            StructOp::Get { field, sign, .. } => {
                let Word::Object(at) = args[0] else { return None };
                Some(vec![match (self.heap[at].fields[field as usize], sign) {
                    (Word::Int(n), Sign::Signed) => Word::Int(i32::from(n as i8)),
                    (word, _) => word,
                }])
            }
            StructOp::Set { ty, field } => {
                let Word::Object(at) = args[0] else { return None };
                self.heap[at].fields[field as usize] = self.pack(ty, field, args[1]);
                Some(Vec::new())
            }
        }
    }

    fn pack(&self, ty: TypeId, field: u32, word: Word) -> Word {
        match (self.world.fields(ty)[field as usize].storage, word) {
            (StorageType::I8, Word::Int(n)) => Word::Int(n & 0xFF),
            (_, word) => word,
        }
    }

    fn construct(&mut self, inst: Inst, region: Region) -> Option<Exit> {
        match self.region(region) {
            Exit::Yield(words) => self.set(self.func.results(inst), &words),
            Exit::Branch(to, words) if to == inst => self.set(self.func.results(inst), &words),
            exit => return Some(exit),
        }
        None
    }

    fn repeat(&mut self, inst: Inst, body: Region, mut words: Vec<Word>) -> Option<Exit> {
        loop {
            self.set(&self.func.regions[body].params, &words);
            match self.region(body) {
                Exit::Yield(words) => {
                    self.set(self.func.results(inst), &words);
                    return None;
                }
                Exit::Branch(to, args) if to == inst => words = args,
                exit => return Some(exit),
            }
            // Only repetition costs, as what is not repeated may be no loop any more.
            if self.fuel == 0 {
                self.trace.push(Event::Fuel);
                return Some(Exit::Over);
            }
            self.fuel -= 1;
        }
    }
}
