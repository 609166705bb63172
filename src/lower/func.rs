//! The driver: walks a function in the original's operations and appends the lowered ones to a new
//! function. It decides nothing; each family does its own work.
//!
//! Control keeps its shape: each control instruction is made anew with new regions, which are then
//! filled. The walk is a loop over an explicit stack, because modules may nest as deep as they like.

use super::compared;
use super::counters::counters;
use super::environ::{Environ, Lowering};
use super::handles::lasting_handles;
use super::op::{self, Arg, Repr, func_ref};
use crate::fault::Error;
use crate::ir::{BrTarget, Cursor, ExnOp, Func, Inst, Op, RefOp, Region, SrcLoc, Value, destinations, targets};
use crate::types::ValType;
use cranelift_entity::{EntitySet, SecondaryMap, packed_option::PackedOption};
use smallvec::SmallVec;

/// Regions of an instruction, and the new ones that are to be filled.
type Nested = SmallVec<[(Region, Region); 2]>;

/// Lowers a function.
///
/// # Errors
///
/// Defects of this crate only: the function comes from a valid module.
pub fn lower_func<'a, E: Environ<'a>>(old: &Func<'a>, environ: &mut E) -> Lowering<Func<'a>> {
    let params: Vec<ValType> = old.params().iter().map(|&p| old.ty(p)).collect();
    let mut new = Func::new(old.index, &params, &old.results);
    new.inlined.clone_from(&old.inlined);
    new.debug.clone_from(&old.debug);
    // About what an operation becomes.
    new.insts.reserve(2 * old.insts.len());
    new.values.reserve(2 * old.values.len());
    let targets = targets(old);
    let counters = if environ.env().bounds { counters(old, &targets) } else { EntitySet::new() };
    let handles = lasting_handles(old, &environ.env().handles);
    let (values, insts) = (old.per_value(), old.per_inst());
    let mut driver = Driver { old, new, environ, values, insts, targets, counters, handles };
    driver.run()?;
    Ok(driver.new)
}

struct Driver<'o, 'a, 'e, E> {
    old: &'o Func<'a>,
    new: Func<'a>,
    environ: &'e mut E,
    values: SecondaryMap<Value, Option<Repr>>,
    insts: SecondaryMap<Inst, PackedOption<Inst>>,
    /// Constructs of the original that something branches to.
    targets: EntitySet<Inst>,
    /// Values of the original that are never negative.
    counters: EntitySet<Value>,
    /// Parameters of loops, results of constructs and of casts that are handles of functions.
    handles: EntitySet<Value>,
}

struct Place {
    /// The instruction that owns the region.
    owner: Option<Inst>,
    old: Region,
    at: usize,
    new: Region,
}

impl<'a, E: Environ<'a>> Driver<'_, 'a, '_, E> {
    fn run(&mut self) -> Lowering {
        let pairs: Vec<_> = self.old.params().iter().copied().zip(self.new.params().to_vec()).collect();
        for (old, new) in pairs {
            self.values[old] = Some(Repr::Plain(new));
        }
        self.environ.known().start(self.old);
        self.environ.known().set_open(self.new.body, true);
        let mut stack = vec![Place { owner: None, old: self.old.body, at: 0, new: self.new.body }];
        while let Some(place) = stack.last_mut() {
            let Some(&inst) = self.old.regions[place.old].insts.get(place.at) else {
                let (owner, arm, new) = (place.owner, place.old, place.new);
                self.environ.known().set_open(new, false);
                stack.pop();
                if let (Some(owner), Some(parent)) = (owner, stack.last()) {
                    self.learn_behind(owner, arm, parent.new);
                }
                continue;
            };
            let first = (place.at == 0).then_some(place.old);
            place.at += 1;
            let (region, owner) = (place.new, place.owner);
            if let (Some(owner), Some(arm)) = (owner, first) {
                self.learn_in(owner, arm, region);
            }
            let nested = self.inst(inst, region, owner)?;
            // The first region of an `if` is filled first. The other is open too early, but nothing is
            // loaded in it before.
            nested.iter().for_each(|&(_, new)| self.environ.known().set_open(new, true));
            stack.extend(nested.into_iter().rev().map(|(old, new)| Place { owner: Some(inst), old, at: 0, new }));
        }
        Ok(())
    }

    /// The condition of an `if`, with its arms.
    fn choice(&self, inst: Inst) -> Option<(Value, Region, Region)> {
        let Op::If { then, els } = self.old.insts[inst].op else { return None };
        match self.values[*self.old.args(inst).first()?]? {
            Repr::Plain(cond) => Some((cond, then, els)),
            _ => None,
        }
    }

    /// What is known where an arm of an `if` begins.
    fn learn_in(&mut self, owner: Inst, arm: Region, region: Region) {
        if let Some((cond, then, _)) = self.choice(owner) {
            self.environ.known().learn(&self.new, cond, arm == then, region);
        }
    }

    /// What is known behind an `if` once its last arm is done, if one arm does not get there.
    fn learn_behind(&mut self, owner: Inst, arm: Region, region: Region) {
        let Some((cond, ..)) = self.choice(owner).filter(|&(_, _, els)| els == arm) else { return };
        if let Some(holds) = compared::behind(self.old, &self.targets, owner) {
            self.environ.known().learn(&self.new, cond, holds, region);
        }
    }

    fn arg(&self, value: Value) -> Result<Arg, Error> {
        let repr = self.values[value].ok_or_else(|| Error::bug(format!("{value} is used before it is lowered")))?;
        Ok(Arg { repr, ty: self.old.ty(value) })
    }

    fn args(&self, inst: Inst) -> Result<SmallVec<[Arg; 4]>, Error> {
        self.old.args(inst).iter().map(|&v| self.arg(v)).collect()
    }

    fn cursor(&mut self, region: Region, loc: SrcLoc) -> (Cursor<'_, 'a>, &mut E) {
        (Cursor { func: &mut self.new, region, loc }, self.environ)
    }

    /// Lowers one instruction; returns the regions that are to be filled next.
    fn inst(&mut self, inst: Inst, region: Region, owner: Option<Inst>) -> Lowering<Nested> {
        let old = self.old;
        let data = &old.insts[inst];
        let args = self.args(inst)?;
        let result = old.results(inst).first().copied();
        let ty = result.map(|v| old.ty(v));
        let lasting = &self.handles;
        let (mut cursor, e) = (Cursor { func: &mut self.new, region, loc: data.loc }, &mut *self.environ);
        let c = &mut cursor;
        e.known().pass(&data.op);
        let out = match &data.op {
            Op::Struct(op) => e.translate_struct(c, *op, &args)?,
            Op::Array(op) => e.translate_array(c, *op, &args)?,
            Op::I31(op) => Some(op::i31::lower(e, c, *op, &args)?),
            Op::Ref(op) => {
                let ty = ty.ok_or_else(|| Error::bug("reference operation without a result"))?;
                let repr = op::ref_::lower(e, c, *op, &args, ty)?;
                Some(match (repr, op, result) {
                    (Repr::Handle(_), RefOp::Cast(_), Some(result)) if !lasting.contains(result) => {
                        Repr::Plain(func_ref::native(e, c, Arg { repr, ty })?)
                    }
                    _ => repr,
                })
            }
            Op::Exn(op) => op::exn::lower(e, c, *op, &args, ty)?,
            Op::Global(op) => op::global::lower(e, c, *op, &args, ty)?,
            Op::Table(op) => op::table::lower(e, c, *op, &args, ty)?,
            Op::Call(callee) | Op::ReturnCall(callee) => {
                let tail = matches!(data.op, Op::ReturnCall(_));
                let results: Vec<ValType> = old.results(inst).iter().map(|&v| old.ty(v)).collect();
                let new = op::call::lower(e, c, *callee, &args, &results, tail)?;
                self.map_results(inst, new);
                return Ok(Nested::new());
            }
            Op::Heap(_) => return Err(Error::bug("lowering a function twice")),
            _ => return self.control(inst, region, owner, &args),
        };
        match (result, out) {
            (Some(result), Some(repr)) => self.values[result] = Some(repr),
            (None, None) => {}
            _ => return Err(Error::bug(format!("wrong number of results of {:?}", data.op))),
        }
        Ok(Nested::new())
    }

    fn map_results(&mut self, old: Inst, new: Inst) {
        for (&old, &new) in self.old.results(old).iter().zip(self.new.results(new)) {
            self.values[old] = Some(self.merged(old, new));
        }
    }

    /// What a parameter of a loop or a result of a construct is in lowered code.
    fn merged(&self, old: Value, new: Value) -> Repr {
        if self.handles.contains(old) { Repr::Handle(new) } else { Repr::Plain(new) }
    }

    /// Its type there.
    fn merged_type(&self, old: Value) -> ValType {
        if self.handles.contains(old) { ValType::I32 } else { self.old.ty(old) }
    }

    fn target(&self, old: Inst) -> Result<Inst, Error> {
        self.insts[old].expand().ok_or_else(|| Error::bug("branch to an instruction that is not open"))
    }

    /// The type of the function's result that an operand becomes.
    fn returned(&self, inst: Inst, operand: usize) -> Option<ValType> {
        let first = match &self.old.insts[inst].op {
            Op::Return => 0,
            Op::BrTable { targets } => {
                let mut first = 1;
                let target = targets.iter().find(|to| {
                    first += to.args as usize;
                    operand < first
                })?;
                first - target.target.is_none().then_some(target.args as usize)?
            }
            _ => return None,
        };
        self.old.results.get(operand.checked_sub(first)?).copied()
    }

    /// Whether a condition is nearly always, or hardly ever, other than zero: an exception is hardly ever pending, and
    /// what ends in a trap is hardly ever done. Of other branches the module may say it.
    fn likely(&self, inst: Inst) -> Option<bool> {
        self.known_likely(inst).or(self.old.likely[inst])
    }

    fn asks_for_exception(&self, branch: Inst) -> bool {
        let cond = self.old.args(branch).first().and_then(|&cond| self.old.def_inst(cond));
        cond.is_some_and(|cond| matches!(self.old.insts[cond].op, Op::Exn(ExnOp::Pending)))
    }

    fn known_likely(&self, inst: Inst) -> Option<bool> {
        let traps = |region: Region| {
            let last = self.old.regions[region].insts.last();
            last.is_some_and(|&last| matches!(self.old.insts[last].op, Op::Trap(_)))
        };
        match self.old.insts[inst].op {
            Op::BrIf { .. } => self.asks_for_exception(inst).then_some(false),
            Op::If { then, els } if traps(then) != traps(els) => Some(traps(els)),
            _ => None,
        }
    }

    /// Control and core instructions: the same operation on the new values.
    fn control(&mut self, inst: Inst, region: Region, owner: Option<Inst>, args: &[Arg]) -> Lowering<Nested> {
        let data = &self.old.insts[inst];
        let destinations = destinations(self.old, inst, owner);
        let mut values = SmallVec::<[Value; 8]>::with_capacity(args.len());
        for (n, &arg) in args.iter().enumerate() {
            let to = destinations.get(n).copied().flatten();
            let is_handle = to.is_some_and(|to| self.handles.contains(to));
            let expected = to.map(|to| self.old.ty(to)).or_else(|| self.returned(inst, n)).unwrap_or(arg.ty);
            let (mut c, e) = self.cursor(region, data.loc);
            values.push(match is_handle {
                true => func_ref::handle(e, &mut c, arg)?,
                false => func_ref::native_as(e, &mut c, arg, expected)?,
            });
        }
        let (c, _) = self.cursor(region, data.loc);
        let nested: Nested = data.op.regions().map(|old| (old, c.func.add_region())).collect();
        let new_region = |n: usize| nested.get(n).map(|&(_, new)| new).ok_or_else(|| Error::bug("no such region"));
        let op = match &data.op {
            Op::Block { .. } => Op::Block { body: new_region(0)? },
            Op::Loop { .. } => Op::Loop { body: new_region(0)? },
            Op::If { .. } => Op::If { then: new_region(0)?, els: new_region(1)? },
            Op::Br { target } => Op::Br { target: self.target(*target)? },
            Op::BrIf { target } => Op::BrIf { target: self.target(*target)? },
            Op::BrTable { targets } => {
                let targets: Result<Box<[_]>, Error> = targets
                    .iter()
                    .map(|t| Ok(BrTarget { target: t.target.map(|i| self.target(i)).transpose()?, args: t.args }))
                    .collect();
                Op::BrTable { targets: targets? }
            }
            other => other.clone(),
        };
        for &(old, new) in &nested {
            for &param in &self.old.regions[old].params {
                let value = self.new.add_param(new, self.merged_type(param));
                self.values[param] = Some(self.merged(param, value));
                if self.counters.contains(param) {
                    self.environ.known().set_never_negative(value);
                }
            }
        }
        let results: SmallVec<[ValType; 4]> = self.old.results(inst).iter().map(|&v| self.merged_type(v)).collect();
        let (mut c, _) = self.cursor(region, data.loc);
        let new = c.push(op, &values, &results);
        c.func.insts[new].trap = data.trap;
        let likely = self.likely(inst);
        self.new.likely[new] = likely;
        if let (Op::BrIf { .. }, Some(&cond)) = (&self.old.insts[inst].op, values.first()) {
            self.environ.known().learn(&self.new, cond, false, region);
        }
        self.insts[inst] = Some(new).into();
        self.map_results(inst, new);
        Ok(nested)
    }
}
