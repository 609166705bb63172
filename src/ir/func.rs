//! The arena of a function: values, instructions, regions.

use super::debug::Debugged;
use super::op::Op;
use crate::types::ValType;
use cranelift_entity::{EntityList, EntityRef, ListPool, PrimaryMap, SecondaryMap, entity_impl};
use serde::{Deserialize, Serialize};
use wasmparser::Operator;

/// An SSA value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(u32);
entity_impl!(Value, "v");

/// An instruction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inst(u32);
entity_impl!(Inst, "inst");

/// A region: a straight list of instructions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(u32);
entity_impl!(Region, "region");

/// Where in the original module an instruction comes from: a byte offset from the module's start.
/// `SrcLoc::NONE` for code that the lowering made of its own accord.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct SrcLoc(pub u32);

impl SrcLoc {
    /// No place in the original module.
    pub const NONE: SrcLoc = SrcLoc(u32::MAX);
    /// From here on, a number stands for an entry of [`Func::inlined`]. Modules are smaller.
    pub const INLINED: u32 = 1 << 31;

    /// Which entry of [`Func::inlined`] it stands for.
    pub fn entry(self) -> Option<usize> {
        (self != SrcLoc::NONE).then(|| self.0.checked_sub(SrcLoc::INLINED)).flatten().map(|entry| entry as usize)
    }
}

/// A place in a function that was put in the place of a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Inlined {
    /// The instruction, a place in the original module.
    pub loc: SrcLoc,
    /// The call that it stands in; that may be such a place itself.
    pub call: SrcLoc,
}

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueDef {
    /// The `n`th result of an instruction.
    Result(Inst, u32),
    /// The `n`th parameter of a region.
    Param(Region, u32),
}

/// A value's type and origin.
#[derive(Clone, Copy, Debug)]
pub struct ValueData {
    /// The most precise type known.
    pub ty: ValType,
    /// Where it comes from.
    pub def: ValueDef,
}

/// An instruction in a region.
#[derive(Clone, Debug)]
pub struct InstData<'a> {
    /// What it does.
    pub op: Op<'a>,
    /// Operands.
    pub args: EntityList<Value>,
    /// Results.
    pub results: EntityList<Value>,
    /// Where it comes from.
    pub loc: SrcLoc,
    /// What a fault of this very instruction means: an out-of-bounds access to the heap memory is a
    /// null reference, for example. `None` where the engine's own trap code is right.
    pub trap: Option<super::TrapCode>,
}

/// A region.
#[derive(Clone, Debug, Default)]
pub struct RegionData {
    /// Parameters: of the function for its body, of the loop for a loop's body; else none.
    pub params: Vec<Value>,
    /// Instructions; the last is a terminator.
    pub insts: Vec<Inst>,
}

/// The frame of root slots of a lowered function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// How many slots it has; 0 for no frame.
    pub slots: u32,
    /// The first so many are a debugger's: roots wherever the function is.
    pub reserved: u32,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Func<'a> {
    /// Index in the original module's function index space; behind its end for functions that
    /// lowering added.
    pub index: u32,
    /// Result types.
    pub results: Vec<ValType>,
    /// All values.
    pub values: PrimaryMap<Value, ValueData>,
    /// All instructions.
    pub insts: PrimaryMap<Inst, InstData<'a>>,
    /// All regions.
    pub regions: PrimaryMap<Region, RegionData>,
    /// Operand and result lists.
    pub pool: ListPool<Value>,
    /// The body. Its parameters are the function's.
    pub body: Region,
    /// Root slots; set by root assignment.
    pub frame: Frame,
    /// For each `HeapOp::Alloc*`, whose cold path may collect, and for calls on one of several ways: which values are to be
    /// saved in which slot, and loaded again in place. Set by root assignment.
    pub refresh: SecondaryMap<Inst, Vec<(u32, Value)>>,
    /// Places in functions that were put in the place of calls.
    pub inlined: Vec<Inlined>,
    /// For an `If` or `BrIf`: whether its condition is nearly always, or hardly ever, other than zero.
    pub likely: SecondaryMap<Inst, Option<bool>>,
    /// What a debugger sees of it, in code for debuggers.
    pub debug: Option<Box<Debugged>>,
}

impl<'a> Func<'a> {
    /// An empty function with these parameters and results.
    pub fn new(index: u32, params: &[ValType], results: &[ValType]) -> Func<'a> {
        let mut regions = PrimaryMap::new();
        let body = regions.push(RegionData::default());
        let mut func = Func {
            index,
            results: results.to_vec(),
            values: PrimaryMap::new(),
            insts: PrimaryMap::new(),
            regions,
            pool: ListPool::new(),
            body,
            frame: Frame::default(),
            refresh: SecondaryMap::new(),
            inlined: Vec::new(),
            likely: SecondaryMap::new(),
            debug: None,
        };
        for &ty in params {
            func.add_param(body, ty);
        }
        func
    }

    /// A map with a place for each instruction that there is. It takes others too, and then has to grow.
    pub fn per_inst<T: Clone + Default>(&self) -> SecondaryMap<Inst, T> {
        sized(self.insts.len())
    }

    /// The same for values.
    pub fn per_value<T: Clone + Default>(&self) -> SecondaryMap<Value, T> {
        sized(self.values.len())
    }

    /// The same for regions.
    pub fn per_region<T: Clone + Default>(&self) -> SecondaryMap<Region, T> {
        sized(self.regions.len())
    }

    /// Adds a parameter to a region.
    pub fn add_param(&mut self, region: Region, ty: ValType) -> Value {
        let n = self.regions[region].params.len() as u32;
        let value = self.values.push(ValueData { ty, def: ValueDef::Param(region, n) });
        self.regions[region].params.push(value);
        value
    }

    /// A new, empty region.
    pub fn add_region(&mut self) -> Region {
        self.regions.push(RegionData::default())
    }

    /// Makes an instruction, with new values for its results, without placing it in a region.
    pub fn make_inst(&mut self, op: Op<'a>, args: &[Value], results: &[ValType], loc: SrcLoc) -> Inst {
        let args = EntityList::from_slice(args, &mut self.pool);
        let inst = self.insts.push(InstData { op, args, results: EntityList::new(), loc, trap: None });
        for &ty in results {
            self.add_result(inst, ty);
        }
        inst
    }

    /// Adds a result to an instruction.
    pub fn add_result(&mut self, inst: Inst, ty: ValType) -> Value {
        let n = self.insts[inst].results.len(&self.pool) as u32;
        let value = self.values.push(ValueData { ty, def: ValueDef::Result(inst, n) });
        self.insts[inst].results.push(value, &mut self.pool);
        value
    }

    /// Makes a value the next result of an instruction.
    pub fn push_result(&mut self, inst: Inst, value: Value) {
        let n = self.insts[inst].results.len(&self.pool) as u32;
        self.values[value].def = ValueDef::Result(inst, n);
        self.insts[inst].results.push(value, &mut self.pool);
    }

    /// A place in a function that was put in the place of a call.
    pub fn add_inlined(&mut self, place: Inlined) -> SrcLoc {
        self.inlined.push(place);
        SrcLoc(SrcLoc::INLINED + (self.inlined.len() - 1) as u32)
    }

    /// What a place stands for, if it is in a function that was put in the place of a call.
    pub fn inlined_at(&self, loc: SrcLoc) -> Option<Inlined> {
        self.inlined.get(loc.entry()?).copied()
    }

    /// Operands of an instruction.
    pub fn args(&self, inst: Inst) -> &[Value] {
        self.insts[inst].args.as_slice(&self.pool)
    }

    /// Operands of an instruction, to be changed.
    pub fn args_mut(&mut self, inst: Inst) -> &mut [Value] {
        self.insts[inst].args.as_mut_slice(&mut self.pool)
    }

    /// Replaces the operands of an instruction.
    pub fn set_args(&mut self, inst: Inst, args: &[Value]) {
        self.insts[inst].args = EntityList::from_slice(args, &mut self.pool);
    }

    /// Results of an instruction.
    pub fn results(&self, inst: Inst) -> &[Value] {
        self.insts[inst].results.as_slice(&self.pool)
    }

    /// The type of a value.
    pub fn ty(&self, value: Value) -> ValType {
        self.values[value].ty
    }

    /// The parameters of the function.
    pub fn params(&self) -> &[Value] {
        &self.regions[self.body].params
    }

    /// The instruction that defines a value, unless it is a parameter.
    pub fn def_inst(&self, value: Value) -> Option<Inst> {
        match self.values[value].def {
            ValueDef::Result(inst, _) => Some(inst),
            ValueDef::Param(..) => None,
        }
    }

    /// The number that a value is, if it is a constant of type `i32`.
    pub fn constant(&self, value: Value) -> Option<u32> {
        match self.insts[self.def_inst(value)?].op {
            Op::Core(Operator::I32Const { value }) => Some(value as u32),
            _ => None,
        }
    }
}

/// One that grows as its keys come would grow at each of them.
fn sized<K: EntityRef, T: Clone + Default>(len: usize) -> SecondaryMap<K, T> {
    let mut map = SecondaryMap::new();
    map.resize(len);
    map
}
