//! Places whose value changes, as SSA: what each holds at the point that a walk has reached, and what constructs that
//! write it hand over.
//!
//! A construct that writes a place has what it holds as a result; a loop has it as a parameter as well, and what
//! branches to it carries it. Who uses this says which constructs those are, and that none of them is the target of a
//! `br_table`: that has the operands of all targets in one list.

use crate::ir::{Func, Inst, Op, Value};
use crate::types::ValType;
use foldhash::{HashMap, HashMapExt};
use std::hash::Hash;

/// Places by `V`, which is also their type.
pub struct Vars<V> {
    /// What constructs give as results, in the order in which they hand it over.
    pub results: HashMap<Inst, Vec<V>>,
    /// What loops have as parameters.
    pub params: HashMap<Inst, Vec<V>>,
    /// What each holds here.
    now: HashMap<V, Value>,
    /// Changes of `now`, with what was there before.
    trail: Vec<(V, Option<Value>)>,
    marks: Vec<usize>,
}

impl<V: Copy + Eq + Hash> Vars<V> {
    /// With the constructs that hand something over.
    pub fn new(results: HashMap<Inst, Vec<V>>, params: HashMap<Inst, Vec<V>>) -> Vars<V> {
        Vars { results, params, now: HashMap::new(), trail: Vec::new(), marks: Vec::new() }
    }

    /// What a place holds here, if it is known.
    pub fn get(&self, var: V) -> Option<Value> {
        self.now.get(&var).copied()
    }

    /// From here on a place holds a value.
    pub fn set(&mut self, var: V, value: Value) {
        let before = self.now.insert(var, value);
        self.trail.push((var, before));
    }

    /// From here on it is not known what a place holds.
    pub fn forget(&mut self, var: V) {
        let before = self.now.remove(&var);
        self.trail.push((var, before));
    }

    /// A region of a construct begins.
    pub fn enter(&mut self, func: &mut Func<'_>, owner: Inst, ty: impl Fn(V) -> ValType) {
        self.marks.push(self.trail.len());
        if let Op::Loop { body } = func.insts[owner].op {
            for var in self.params.get(&owner).cloned().unwrap_or_default() {
                let param = func.add_param(body, ty(var));
                self.set(var, param);
            }
        }
    }

    /// A region of a construct is done.
    pub fn leave(&mut self) {
        let mark = self.marks.pop().unwrap_or(0);
        while self.trail.len() > mark {
            match self.trail.pop() {
                Some((var, Some(before))) => drop(self.now.insert(var, before)),
                Some((var, None)) => drop(self.now.remove(&var)),
                None => {}
            }
        }
    }

    /// All regions of a construct are done.
    pub fn close(&mut self, func: &mut Func<'_>, inst: Inst, ty: impl Fn(V) -> ValType) {
        for var in self.results.get(&inst).cloned().unwrap_or_default() {
            let result = func.add_result(inst, ty(var));
            self.set(var, result);
        }
    }

    /// Appends to a control instruction what it must hand over besides.
    pub fn hand_over(&self, func: &mut Func<'_>, inst: Inst, owner: Option<Inst>) {
        let is_loop = |func: &Func<'_>, target: Inst| matches!(func.insts[target].op, Op::Loop { .. });
        let vars = match func.insts[inst].op {
            Op::Yield => owner.and_then(|owner| self.results.get(&owner)),
            Op::Br { target } | Op::BrIf { target } if is_loop(func, target) => self.params.get(&target),
            Op::Br { target } | Op::BrIf { target } => self.results.get(&target),
            Op::Loop { .. } => self.params.get(&inst),
            _ => None,
        };
        if let Some(vars) = vars {
            let mut args = func.args(inst).to_vec();
            args.extend(vars.iter().filter_map(|var| self.now.get(var)));
            func.set_args(inst, &args);
        }
    }
}
