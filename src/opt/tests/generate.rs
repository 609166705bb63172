//! Random functions with GC operations, valid by construction, from a string of bytes.

use super::World;
use crate::ir::{
    ArrayOp, Callee, Cursor, Func, GlobalOp, Inst, Op, RefOp, Region, Sign, SrcLoc, StructOp, TrapCode, Value,
};
use crate::types::{HeapType, RefType, StorageType, ValType};
use wasmparser::Operator;

const ANY: ValType = ValType::Ref(RefType::new(true, HeapType::Any));

/// The index of the first function that others call.
pub const FIRST: u32 = 7;

/// A function that does what the bytes say. Behind their end everything is a zero. It calls functions of its
/// own type that have a smaller index, from [`FIRST`] on.
pub fn function(world: &World, index: u32, choices: &[u8]) -> Func<'static> {
    let base = world_base(world);
    let mut func = Func::new(index, &[ValType::I32, ANY, base(true), base(false)], &[ANY]);
    let (body, params) = (func.body, func.params().to_vec());
    let mut generate =
        Generate { world, choices, index, at: 0, labels: Vec::new(), values: params, length: 1, kinds: 1 };
    // Long or short; all operations alike, or mostly accesses to fields.
    generate.length = [6, 14, 40][generate.pick(3)];
    generate.kinds = [28, 60][generate.pick(2)];
    generate.region(&mut func, body, &[ANY], None, 0);
    func
}

fn world_base(world: &World) -> impl Fn(bool) -> ValType + use<> {
    let heap = world.base;
    move |nullable| ValType::Ref(RefType::new(nullable, heap))
}

struct Generate<'c> {
    world: &'c World,
    index: u32,
    choices: &'c [u8],
    at: usize,
    labels: Vec<(Inst, Vec<ValType>)>,
    /// Values in sight.
    values: Vec<Value>,
    /// Regions have fewer instructions than this.
    length: usize,
    /// The first so many kinds of instructions occur.
    kinds: usize,
}

fn is_ref(ty: ValType) -> bool {
    ty.as_ref().is_some()
}

impl Generate<'_> {
    fn pick(&mut self, n: usize) -> usize {
        let byte = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte as usize % n
    }

    fn heap(&mut self) -> HeapType {
        let world = self.world;
        [world.base, world.sub, world.other, HeapType::Struct, world.ints, HeapType::I31, HeapType::Eq][self.pick(7)]
    }

    fn push(&mut self, func: &mut Func<'static>, region: Region, op: Op<'static>, args: &[Value], results: &[ValType]) {
        let inst = Cursor::at(func, region, SrcLoc::NONE).push(op, args, results);
        self.values.extend_from_slice(func.results(inst));
    }

    /// A value of a type; a reference may need a cast to get there.
    fn one(&mut self, func: &mut Func<'static>, region: Region, ty: ValType) -> Value {
        let n = self.pick(64);
        let fits = |&v: &Value| self.world.types.is_sub_val(func.ty(v), ty);
        let fitting: Vec<Value> = self.values.iter().copied().filter(fits).collect();
        if (!n.is_multiple_of(4) || n > 20) && !fitting.is_empty() {
            // The latest, the first, or any.
            let (last, any) = (fitting.len() - 1, (n / 4) % fitting.len());
            return fitting[[any, last, 0, any][n % 4]];
        }
        let mut c = Cursor::at(func, region, SrcLoc::NONE);
        match ty {
            ValType::Ref(to) => {
                let refs: Vec<Value> = self.values.iter().copied().filter(|&v| is_ref(c.func.ty(v))).collect();
                c.value(Op::Ref(RefOp::Cast(to)), &[refs[n % refs.len()]], ty)
            }
            _ => fitting.first().copied().unwrap_or_else(|| c.i32(n as u32)),
        }
    }

    fn all(&mut self, func: &mut Func<'static>, region: Region, types: &[ValType]) -> Vec<Value> {
        types.iter().map(|&ty| self.one(func, region, ty)).collect()
    }

    fn types(&mut self, most: usize) -> Vec<ValType> {
        (0..self.pick(most + 1)).map(|n| if n > 0 { ValType::I32 } else { ANY }).collect()
    }

    fn region(
        &mut self,
        func: &mut Func<'static>,
        region: Region,
        yields: &[ValType],
        owner: Option<Inst>,
        depth: usize,
    ) {
        let outer = self.values.len();
        for _ in 0..self.pick(self.length) {
            self.inst(func, region, depth);
        }
        let choice = self.pick(10);
        let (op, types) = match choice {
            0 if owner.is_some() && !self.labels.is_empty() => {
                let n = self.pick(self.labels.len());
                let (target, types) = self.labels[n].clone();
                (Op::Br { target }, types)
            }
            1 => (Op::Trap(TrapCode::Unreachable), Vec::new()),
            2 => (Op::Return, vec![ANY]),
            _ if owner.is_some() => (Op::Yield, yields.to_vec()),
            _ => (Op::Return, vec![ANY]),
        };
        let args = self.all(func, region, &types);
        self.push(func, region, op, &args, &[]);
        self.values.truncate(outer);
    }

    fn inst(&mut self, func: &mut Func<'static>, region: Region, depth: usize) {
        let nullable = |heap| ValType::Ref(RefType::new(true, heap));
        let exactly = |heap| ValType::Ref(RefType::new(false, heap));
        let i31 = exactly(HeapType::I31);
        match self.pick(self.kinds) {
            0 => {
                let heap = [self.world.base, self.world.sub, self.world.other][self.pick(3)];
                let fields = self.world.fields(World::id(heap));
                let types: Vec<ValType> = fields.iter().map(|f| f.storage.unpack()).collect();
                let args = self.all(func, region, &types);
                self.push(func, region, Op::Struct(StructOp::New(World::id(heap))), &args, &[exactly(heap)]);
            }
            1 => {
                let heap = [self.world.base, self.world.sub][self.pick(2)];
                self.push(func, region, Op::Struct(StructOp::NewDefault(World::id(heap))), &[], &[exactly(heap)]);
            }
            2 => {
                let args = self.all(func, region, &[ValType::I32, ValType::I32]);
                let length = Cursor::at(func, region, SrcLoc::NONE).i32(3);
                let op = Op::Array(ArrayOp::New(World::id(self.world.ints)));
                self.push(func, region, op, &[args[0], length], &[exactly(self.world.ints)]);
            }
            3 => {
                let args = self.all(func, region, &[ValType::I32]);
                self.push(func, region, Op::I31(crate::ir::I31Op::New), &args, &[i31]);
            }
            4 => {
                let heap = self.heap();
                self.push(func, region, Op::Ref(RefOp::Null(heap)), &[], &[nullable(heap)]);
            }
            5..=8 | 24..=49 => {
                let heap = [self.world.base, self.world.base, self.world.sub, self.world.other][self.pick(4)];
                let fields = self.world.fields(World::id(heap));
                let field = self.pick(fields.len());
                let storage = fields[field].storage;
                let object = self.one(func, region, nullable(heap));
                let (ty, field, mutable) = (World::id(heap), field as u32, fields[field].mutable);
                if mutable && self.pick(2) == 0 {
                    let value = self.one(func, region, storage.unpack());
                    self.push(func, region, Op::Struct(StructOp::Set { ty, field }), &[object, value], &[]);
                } else {
                    let sign = match storage {
                        StorageType::I8 => [Sign::Signed, Sign::Unsigned][self.pick(2)],
                        _ => Sign::None,
                    };
                    let op = Op::Struct(StructOp::Get { ty, field, sign });
                    self.push(func, region, op, &[object], &[storage.unpack()]);
                }
            }
            9 => {
                let object = self.one(func, region, nullable(HeapType::Array));
                self.push(func, region, Op::Array(ArrayOp::Len), &[object], &[ValType::I32]);
            }
            10 => {
                let object = self.one(func, region, nullable(self.world.ints));
                let index = Cursor::at(func, region, SrcLoc::NONE).i32(1);
                let op = ArrayOp::Get { ty: World::id(self.world.ints), sign: Sign::None };
                self.push(func, region, Op::Array(op), &[object, index], &[ValType::I32]);
            }
            11 => {
                let object = self.one(func, region, ANY);
                self.push(func, region, Op::Ref(RefOp::IsNull), &[object], &[ValType::I32]);
            }
            12..=13 => {
                let object = self.one(func, region, ANY);
                let ty = RefType::new(self.pick(2) == 0, self.heap());
                self.push(func, region, Op::Ref(RefOp::Test(ty)), &[object], &[ValType::I32]);
            }
            14 => {
                let args = self.all(func, region, &[nullable(HeapType::Eq), nullable(HeapType::Eq)]);
                self.push(func, region, Op::Ref(RefOp::Eq), &args, &[ValType::I32]);
            }
            15 => {
                let object = self.one(func, region, ANY);
                let ty = func.ty(object).as_ref().map_or(ANY, |r| ValType::Ref(r.non_null()));
                self.push(func, region, Op::Ref(RefOp::AsNonNull), &[object], &[ty]);
            }
            16 => {
                let args = self.all(func, region, &[ValType::I32, ValType::I32]);
                let op = [Operator::I32Eqz, Operator::I32And, Operator::I32Or, Operator::I32Add][self.pick(4)].clone();
                let args = if matches!(op, Operator::I32Eqz) { &args[..1] } else { &args };
                self.push(func, region, Op::Core(op), args, &[ValType::I32]);
            }
            17 => {
                let args = self.all(func, region, &[ANY, ANY, ValType::I32]);
                self.push(func, region, Op::Select, &args, &[ANY]);
            }
            50..=52 => {
                let global = self.pick(4) as u32;
                if self.pick(2) == 0 {
                    let value = self.one(func, region, ANY);
                    self.push(func, region, Op::Global(GlobalOp::Set(global)), &[value], &[]);
                } else {
                    self.push(func, region, Op::Global(GlobalOp::Get(global)), &[], &[ANY]);
                }
            }
            53 if self.index > FIRST => {
                let base = world_base(self.world);
                let args = self.all(func, region, &[ValType::I32, ANY, base(true), base(false)]);
                let callee = FIRST + self.pick((self.index - FIRST) as usize) as u32;
                self.push(func, region, Op::Call(Callee::Func(callee)), &args, &[ANY]);
            }
            18..=19 | 53..=55 => {
                let types = self.types(3);
                let args = self.all(func, region, &types);
                let results = [vec![], vec![ANY], vec![ANY, ValType::I32]][self.pick(3)].clone();
                self.push(func, region, Op::Call(Callee::Func(0)), &args, &results);
            }
            20 if !self.labels.is_empty() => {
                let n = self.pick(self.labels.len());
                let (target, types) = self.labels[n].clone();
                let mut args = self.all(func, region, &[ValType::I32]);
                args.extend(self.all(func, region, &types));
                self.push(func, region, Op::BrIf { target }, &args, &[]);
            }
            choice @ (21..=23 | 56..) if depth < 4 => self.construct(func, region, 21 + choice % 3, depth),
            _ => {}
        }
    }

    fn construct(&mut self, func: &mut Func<'static>, region: Region, choice: usize, depth: usize) {
        let results = self.types(2);
        let (one, two) = (func.add_region(), func.add_region());
        let mut params = Vec::new();
        let (op, args) = match choice {
            21 => (Op::Block { body: one }, Vec::new()),
            22 => {
                params = self.types(2);
                (Op::Loop { body: one }, self.all(func, region, &params))
            }
            _ => (Op::If { then: one, els: two }, self.all(func, region, &[ValType::I32])),
        };
        let is_loop = matches!(op, Op::Loop { .. });
        let regions: Vec<Region> = op.regions().collect();
        let inst = Cursor::at(func, region, SrcLoc::NONE).push(op, &args, &results);
        self.labels.push((inst, if is_loop { params.clone() } else { results.clone() }));
        let outer = self.values.len();
        if is_loop {
            for &ty in &params {
                let param = func.add_param(one, ty);
                self.values.push(param);
            }
        }
        for nested in regions {
            if is_loop && self.pick(3) == 1 {
                self.tested(func, inst, &results, depth + 1);
            } else {
                self.region(func, nested, &results, Some(inst), depth + 1);
            }
        }
        self.labels.pop();
        self.values.truncate(outer);
        self.values.extend_from_slice(func.results(inst));
    }

    /// The body of a loop that begins with a test, and may go on behind it.
    fn tested(&mut self, func: &mut Func<'static>, inst: Inst, results: &[ValType], depth: usize) {
        let Op::Loop { body } = func.insts[inst].op else { return };
        let outer = self.values.len();
        for _ in 0..self.pick(4) {
            let args = self.all(func, body, &[ValType::I32; 2]);
            let op = [Operator::I32Add, Operator::I32And][self.pick(2)].clone();
            self.push(func, body, Op::Core(op), &args, &[ValType::I32]);
        }
        let cond = self.one(func, body, ValType::I32);
        let others = self.labels.len() - 1;
        if self.pick(2) == 0 && others > 0 {
            let (target, types) = self.labels[self.at % others].clone();
            let args = [vec![cond], self.all(func, body, &types)].concat();
            self.push(func, body, Op::BrIf { target }, &args, &[]);
            self.turn(func, body, inst, results, depth);
        } else {
            let (arms, types) = ([func.add_region(), func.add_region()], self.types(2));
            let [on, out] = if self.pick(2) == 0 { [1, 0] } else { [0, 1] }.map(|n| arms[n]);
            let op = Op::If { then: arms[0], els: arms[1] };
            let test = Cursor::at(func, body, SrcLoc::NONE).push(op, &[cond], &types);
            self.labels.push((test, types.clone()));
            // It seldom goes out behind the part that goes on.
            self.turn(func, on, inst, &types, depth);
            self.region(func, out, &types, Some(test), depth);
            self.labels.pop();
            self.values.extend_from_slice(func.results(test));
            self.region(func, body, results, Some(inst), depth);
        }
        self.values.truncate(outer);
    }

    /// The rest of a region, at whose end there is a branch to the loop more often than not.
    fn turn(&mut self, func: &mut Func<'static>, region: Region, to: Inst, yields: &[ValType], depth: usize) {
        let Op::Loop { body } = func.insts[to].op else { return };
        if self.pick(6) == 0 {
            return self.region(func, region, yields, Some(to), depth);
        }
        let outer = self.values.len();
        for _ in 0..self.pick(self.length) {
            self.inst(func, region, depth);
        }
        let types: Vec<ValType> = func.regions[body].params.iter().map(|&param| func.ty(param)).collect();
        let args = self.all(func, region, &types);
        self.push(func, region, Op::Br { target: to }, &args, &[]);
        self.values.truncate(outer);
    }
}
