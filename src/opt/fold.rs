//! Control on constants, and blocks that nothing branches to.
//!
//! ```text
//! before                                  after
//!   v0 = i32.const 1                        v1 = ...
//!   v2 = if v0                              use v1
//!     v1 = ...
//!     yield v1
//!   else
//!     ...
//!   use v2
//! ```
//!
//! Obligations:
//!
//! - Code that is removed can not be reached: the other arm of an `if`, and what stands behind a
//!   branch that is always taken.
//! - A region that is spliced into its parent ends in a yield, which becomes a renaming of the results,
//!   or in another terminator, which ends the parent as well. Its values are visible in more places
//!   than before, and nobody branches to where it ended.

use crate::ir::{Func, Inst, Op, RefOp, Region, SrcLoc, Value, targets};
use crate::types::{HeapType, ValType};
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{EntitySet, SecondaryMap};
use wasmparser::Operator;

/// Runs the pass.
pub fn run(func: &mut Func<'_>) {
    let targeted = targets(func);
    let replaced = func.per_value();
    let mut pass = Fold { func, targeted, replaced, stack: Vec::new() };
    pass.run();
}

/// A list of instructions under way.
struct Frame {
    insts: std::vec::IntoIter<Inst>,
    /// Whose results the list's yield gives, when it is spliced into the frame below.
    spliced: Option<Inst>,
    /// Where it goes, when it is not.
    region: Region,
    /// The innermost frame, this one included, that is not spliced.
    home: usize,
    out: Vec<Inst>,
}

struct Fold<'f, 'a> {
    func: &'f mut Func<'a>,
    /// Constructs that something branches to.
    targeted: EntitySet<Inst>,
    replaced: SecondaryMap<Value, PackedOption<Value>>,
    stack: Vec<Frame>,
}

impl Fold<'_, '_> {
    fn run(&mut self) {
        self.enter(self.func.body, None);
        while let Some(frame) = self.stack.last_mut() {
            match frame.insts.next() {
                Some(inst) => self.inst(inst),
                None => {
                    if let Some(frame) = self.stack.pop().filter(|frame| frame.spliced.is_none()) {
                        self.func.regions[frame.region].insts = frame.out;
                    }
                }
            }
        }
    }

    fn enter(&mut self, region: Region, spliced: Option<Inst>) {
        let insts = std::mem::take(&mut self.func.regions[region].insts).into_iter();
        let home = match (spliced, self.stack.last()) {
            (Some(_), Some(below)) => below.home,
            _ => self.stack.len(),
        };
        self.stack.push(Frame { insts, spliced, region, home, out: Vec::new() });
    }

    /// Appends to the region that is being made.
    fn put(&mut self, inst: Inst) {
        let home = self.stack.last().map(|frame| frame.home);
        if let Some(frame) = home.and_then(|home| self.stack.get_mut(home)) {
            frame.out.push(inst);
        }
    }

    /// Appends a terminator: what follows can not be reached.
    fn end(&mut self, inst: Inst) {
        self.put(inst);
        while let Some(frame) = self.stack.last_mut() {
            frame.insts = Vec::new().into_iter();
            if frame.spliced.is_none() {
                return;
            }
            self.stack.pop();
        }
    }

    fn inst(&mut self, inst: Inst) {
        for arg in self.func.args_mut(inst) {
            *arg = self.replaced[*arg].expand().unwrap_or(*arg);
        }
        let cond = self.func.args(inst).first().copied();
        match &self.func.insts[inst].op {
            Op::Yield => self.yields(inst),
            op if op.is_terminator() && !matches!(op, Op::BrTable { .. }) => self.end(inst),
            Op::BrTable { .. } => self.br_table(inst, cond),
            Op::BrIf { target } => {
                let target = *target;
                match self.constant(cond) {
                    Some(0) => {}
                    Some(_) => {
                        let values = self.func.args(inst).get(1..).unwrap_or_default().to_vec();
                        self.func.insts[inst].op = Op::Br { target };
                        self.func.set_args(inst, &values);
                        self.end(inst);
                    }
                    None => self.put(inst),
                }
            }
            Op::If { then, els } => {
                let (then, els) = (*then, *els);
                match self.constant(cond) {
                    Some(known) => {
                        let taken = if known != 0 { then } else { els };
                        self.place_trap(inst, taken);
                        self.block(inst, taken);
                    }
                    None => self.construct(inst),
                }
            }
            Op::Block { body } => self.block(inst, *body),
            Op::Loop { body } if !self.targeted.contains(inst) => self.unrepeated(inst, *body),
            Op::Loop { .. } => self.construct(inst),
            Op::Select => match (self.func.args(inst), self.constant(cond_of_select(self.func, inst))) {
                (&[a, b, _], Some(known)) => self.rename(inst, &[if known != 0 { a } else { b }]),
                _ => self.put(inst),
            },
            _ => self.put(inst),
        }
    }

    fn construct(&mut self, inst: Inst) {
        self.put(inst);
        self.func.insts[inst].op.regions().rev().for_each(|region| self.enter(region, None));
    }

    /// An arm that is nothing but a trap has the place of its `if`, as with the engine, which makes one instruction of both.
    fn place_trap(&mut self, inst: Inst, arm: Region) {
        if let [trap] = self.func.regions[arm].insts[..]
            && matches!(self.func.insts[trap].op, Op::Trap(_))
        {
            self.func.insts[trap].loc = self.func.insts[inst].loc;
        }
    }

    /// A construct that runs one region, once.
    fn block(&mut self, inst: Inst, body: Region) {
        if self.targeted.contains(inst) {
            self.func.insts[inst].op = Op::Block { body };
            self.func.set_args(inst, &[]);
            self.construct(inst);
        } else {
            self.enter(body, Some(inst));
        }
    }

    /// A loop that nothing goes back to.
    fn unrepeated(&mut self, inst: Inst, body: Region) {
        let params = std::mem::take(&mut self.func.regions[body].params);
        let args = self.func.args(inst).to_vec();
        for (param, arg) in params.into_iter().zip(args) {
            self.replace(param, arg);
        }
        self.enter(body, Some(inst));
    }

    fn yields(&mut self, inst: Inst) {
        match self.stack.last().and_then(|frame| frame.spliced) {
            Some(of) => {
                let values = self.func.args(inst).to_vec();
                self.rename(of, &values);
            }
            None => self.end(inst),
        }
    }

    fn rename(&mut self, of: Inst, values: &[Value]) {
        for (n, &value) in values.iter().enumerate() {
            if let Some(&result) = self.func.results(of).get(n) {
                self.replace(result, value);
            }
        }
    }

    /// Uses one value in place of another. A null of `nofunc` becomes one of the type that is expected, which lowering
    /// can not make of it.
    fn replace(&mut self, of: Value, value: Value) {
        let (wanted, given) = (self.func.ty(of), self.func.ty(value));
        let value = match (wanted, given) {
            (ValType::Ref(wanted), ValType::Ref(given))
                if given.heap == HeapType::NoFunc && wanted.heap != given.heap && wanted.nullable =>
            {
                let op = Op::Ref(RefOp::Null(wanted.heap));
                let null = self.func.make_inst(op, &[], &[ValType::Ref(wanted)], SrcLoc::NONE);
                self.put(null);
                self.func.results(null)[0]
            }
            _ => value,
        };
        self.replaced[of] = value.into();
    }

    fn br_table(&mut self, inst: Inst, cond: Option<Value>) {
        if let (Some(known), Op::BrTable { targets }) = (self.constant(cond), &self.func.insts[inst].op) {
            let n = (known as u32 as usize).min(targets.len().saturating_sub(1));
            let from = 1 + targets.iter().take(n).map(|t| t.args as usize).sum::<usize>();
            if let Some(&to) = targets.get(n) {
                let values = self.func.args(inst).get(from..from + to.args as usize).unwrap_or_default().to_vec();
                self.func.insts[inst].op = to.target.map_or(Op::Return, |target| Op::Br { target });
                self.func.set_args(inst, &values);
            }
        }
        self.end(inst);
    }

    /// The value of a constant, or of a comparison of one with zero.
    fn constant(&self, value: Option<Value>) -> Option<i32> {
        let def = &self.func.insts[self.func.def_inst(value?)?];
        match def.op {
            Op::Core(Operator::I32Const { value }) => Some(value),
            Op::Core(Operator::I32Eqz) => {
                let of = *def.args.as_slice(&self.func.pool).first()?;
                let of = self.replaced[of].expand().unwrap_or(of);
                match self.func.insts[self.func.def_inst(of)?].op {
                    Op::Core(Operator::I32Const { value }) => Some(i32::from(value == 0)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn cond_of_select(func: &Func<'_>, inst: Inst) -> Option<Value> {
    func.args(inst).get(2).copied()
}
