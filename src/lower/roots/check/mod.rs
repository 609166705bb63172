//! The root checker: holds a function with root slots against the same function before it had any.
//!
//! Written from what a collector may rely on, not from how slots are assigned. It walks the function as
//! a graph (`graph.rs`) and knows at each point which names of references still hold an address, what is
//! in each slot of the frame, and what top is published. Then
//!
//! 1. no instruction uses a reference whose object may have moved since the name was loaded;
//! 2. every operand is the reference that it was before root assignment;
//! 3. at a safepoint each slot below the top holds null or a reference, never garbage;
//! 4. such a reference is still used behind the safepoint: nothing dead is kept alive (`live.rs`).
//!
//! By 1 and 2 every reference that is live across a safepoint is in a slot during it, as it can be had
//! from nowhere else. It is what Cranelift's checker is to its register allocator.
//!
//! What it is not: a check of emission (`lower/emit`), for which there is zeal mode. It is for tests and
//! debugging: a function on which it takes more than [`STEPS`] steps is passed without a verdict.
//!
//! | file | idea |
//! |---|---|
//! | `graph.rs` | basic blocks |
//! | `names.rs` | which values are the same reference |
//! | `state.rs` | what is known at one point, and where paths meet |
//! | `live.rs` | what is used later |

mod graph;
mod live;
mod names;
mod state;

use super::{Safepoint, Safepoints};
use crate::fault::Error;
use crate::ir::{Callee, Func, HeapOp, Inst, Op, Value};
use cranelift_entity::EntitySet;
use graph::{Block, Graph};
use live::Claims;
use names::Names;
use state::{Slot, State};
use std::collections::{HashMap, VecDeque};

/// How much work a function may take.
pub const STEPS: u64 = 20_000_000;

/// Checks a function whose roots are assigned; `before` is what it was before that.
///
/// # Errors
///
/// [`Error::Bug`] with the first instruction that violates the header's list.
pub fn check_roots(before: &Func<'_>, after: &Func<'_>, collects: &dyn Fn(&Callee) -> bool) -> Result<(), Error> {
    let mut checker = Checker {
        before,
        after,
        safepoints: Safepoints { collects, cold: EntitySet::new() },
        names: Names::of(before),
        claims: Claims::new(),
        steps: STEPS,
    };
    let verdict = match checker.walk() {
        Ok(Some(())) => live::check(before, &checker.names, &checker.claims, &mut checker.steps).unwrap_or(Ok(())),
        Ok(None) => Ok(()),
        Err(what) => Err(what),
    };
    verdict.map_err(|what| Error::bug(format!("roots of function {}: {what}", after.index)))
}

struct Checker<'f, 'a, 'c> {
    before: &'f Func<'a>,
    after: &'f Func<'a>,
    safepoints: Safepoints<'c>,
    names: Names,
    /// What safepoints keep alive.
    claims: Claims,
    steps: u64,
}

impl Checker<'_, '_, '_> {
    /// Goes round until nothing changes; `None` when that takes too long.
    fn walk(&mut self) -> Result<Option<()>, String> {
        let graph = Graph::of(self.after);
        let mut states: HashMap<Block, State> = HashMap::new();
        states.insert(graph.entry, State::at_entry(self.after.frame.slots));
        let mut queue = VecDeque::from([graph.entry]);
        while let Some(block) = queue.pop_front() {
            let Some(mut state) = states.get(&block).cloned() else { continue };
            let data = &graph.blocks[block];
            for &param in &data.params {
                self.define(&mut state, param);
            }
            for &inst in &data.insts {
                self.inst(&mut state, inst)?;
            }
            let cost = data.insts.len() + (data.successors.len() + 1) * state.size();
            match self.steps.checked_sub(cost as u64) {
                Some(left) => self.steps = left,
                None => return Ok(None),
            }
            for &to in &data.successors {
                let changed = match states.get_mut(&to) {
                    Some(known) => known.meet(&state),
                    None => {
                        states.insert(to, state.clone());
                        true
                    }
                };
                if changed {
                    queue.push_back(to);
                }
            }
        }
        Ok(Some(()))
    }

    fn define(&self, state: &mut State, value: Value) {
        if let Some(identity) = self.names.reference(value) {
            state.define(value, identity);
        }
    }

    fn inst(&mut self, state: &mut State, inst: Inst) -> Result<(), String> {
        if self.names.is_alias(self.after, inst) {
            return self.alias(state, inst);
        }
        self.operands(state, inst)?;
        match self.after.insts[inst].op {
            Op::Heap(HeapOp::Spill { slot }) => {
                let value = self.after.args(inst).first().copied();
                let identity = value.and_then(|value| self.names.reference(value));
                let identity = identity.ok_or_else(|| format!("{inst} spills what is no reference"))?;
                *state.slot(slot, inst)? = Slot::Holds(identity);
            }
            Op::Heap(HeapOp::Clear { slot }) => *state.slot(slot, inst)? = Slot::Null,
            Op::Heap(HeapOp::SetTop { slots }) => state.top = Some(slots),
            Op::Heap(HeapOp::Reload { slot }) => return self.reload(state, inst, slot),
            _ => match self.safepoints.of(self.after, inst) {
                Some(Safepoint::Call) if self.after.refresh[inst].is_empty() => self.call(state, inst)?,
                Some(_) => self.cold(state, inst)?,
                None => {}
            },
        }
        // The results of constructs are defined behind them.
        if self.after.insts[inst].op.regions().next().is_none() {
            self.after.results(inst).iter().for_each(|&result| self.define(state, result));
        }
        Ok(())
    }

    /// Another name, which holds the address if the first one does. Root assignment makes such names too.
    fn alias(&mut self, state: &mut State, inst: Inst) -> Result<(), String> {
        let (&[of], &[result]) = (self.after.args(inst), self.after.results(inst)) else { return Ok(()) };
        let identity = self.names.identity(of);
        if !self.names.name(result, identity) {
            return Err(format!("{inst} renames {of}, which is not the reference that {result} is"));
        }
        if state.fresh.contains(&of) {
            state.fresh.insert(result);
        } else {
            state.fresh.remove(&result);
        }
        Ok(())
    }

    /// No operand is stale, and each is the reference that it was.
    fn operands(&self, state: &State, inst: Inst) -> Result<(), String> {
        let args = self.after.args(inst);
        for &arg in args {
            if self.names.reference(arg).is_some() && !state.fresh.contains(&arg) {
                return Err(format!("{inst} uses {arg}, whose object may have moved"));
            }
        }
        if self.before.insts.get(inst).is_none() {
            return Ok(());
        }
        let was = self.before.args(inst);
        let same = |(&a, &b): (&Value, &Value)| self.names.identity(a) == self.names.identity(b);
        if was.len() == args.len() && was.iter().zip(args).all(same) {
            return Ok(());
        }
        Err(format!("{inst} has operands {args:?} where it had {was:?}"))
    }

    fn reload(&mut self, state: &mut State, inst: Inst, slot: u32) -> Result<(), String> {
        let &[result] = self.after.results(inst) else { return Err(format!("{inst} has no result")) };
        match *state.slot(slot, inst)? {
            Slot::Holds(identity) if self.names.name(result, identity) => {
                state.fresh.insert(result);
                Ok(())
            }
            ref held => Err(format!("{inst} reloads slot {slot}, which holds {held:?}")),
        }
    }

    fn call(&mut self, state: &mut State, inst: Inst) -> Result<(), String> {
        let top = match (self.after.frame.slots, state.top) {
            (0, _) => 0,
            (_, Some(top)) => top,
            (_, None) => return Err(format!("{inst}: what is published differs from path to path")),
        };
        self.scan(state, top, inst)?;
        state.collect(top, &[]);
        Ok(())
    }

    /// Saves, collects and loads again; an allocation may also do nothing.
    fn cold(&mut self, state: &mut State, inst: Inst) -> Result<(), String> {
        let list = &self.after.refresh[inst];
        let mut cold = state.clone();
        for (at, &(slot, value)) in list.iter().enumerate() {
            if list[..at].iter().any(|&(other, _)| other == slot) {
                return Err(format!("{inst} saves two references in slot {slot}"));
            }
            match self.names.reference(value) {
                Some(identity) if state.fresh.contains(&value) => *cold.slot(slot, inst)? = Slot::Holds(identity),
                _ => return Err(format!("{inst} saves {value}, whose object may have moved")),
            }
        }
        let top = list.iter().map(|&(slot, _)| slot + 1).max().unwrap_or(0);
        self.scan(&cold, top, inst)?;
        let again: Vec<Value> = list.iter().map(|&(_, value)| value).collect();
        cold.collect(top, &again);
        cold.top = list.is_empty().then_some(0);
        match self.after.insts[inst].op {
            Op::Call(_) => *state = cold,
            _ => drop(state.meet(&cold)),
        }
        Ok(())
    }

    /// A collection with slots `0..top` as roots.
    fn scan(&mut self, state: &State, top: u32, inst: Inst) -> Result<(), String> {
        for slot in 0..top {
            match state.slots.get(slot as usize) {
                Some(Slot::Null) => {}
                Some(&Slot::Holds(identity)) => {
                    self.claims.entry(inst).or_default().insert(identity);
                }
                Some(Slot::Garbage) => return Err(format!("{inst} scans slot {slot} of {top}, which is garbage")),
                None => return Err(format!("{inst} scans slot {slot} of {top}, which is not in the frame")),
            }
        }
        Ok(())
    }
}
