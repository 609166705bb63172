//! What is known of references at the point that a walk has reached.
//!
//! Casts and refinements give an object another name; a fact about one name is a fact about all. So
//! facts are kept for the first name, the *root*. They are scoped: a trail of changes is wound back
//! where a region ends.

use super::lattice::meet;
use crate::ir::{Func, Inst, Op, RefOp, Value};
use crate::types::{RefType, TypeTable, ValType};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;

/// Which values are names of the same reference.
pub struct Aliases {
    root: SecondaryMap<Value, PackedOption<Value>>,
}

impl Aliases {
    /// None so far.
    pub fn of(func: &Func<'_>) -> Aliases {
        Aliases { root: func.per_value() }
    }

    /// The first name.
    pub fn root(&self, value: Value) -> Value {
        self.root[value].expand().unwrap_or(value)
    }

    /// Notes what an instruction that comes up renames.
    pub fn define(&mut self, func: &Func<'_>, inst: Inst) {
        let renames = matches!(func.insts[inst].op, Op::Ref(RefOp::Refine | RefOp::Cast(_) | RefOp::AsNonNull));
        if let (true, &[of], &[result]) = (renames, func.args(inst), func.results(inst)) {
            let top = |v: Value| func.ty(v).as_ref().map(|r| r.heap.top());
            if top(of) == top(result) {
                self.root[result] = self.root(of).into();
            }
        }
    }
}

/// Types that are known here, by root.
pub struct Facts<'t> {
    types: &'t TypeTable,
    pub aliases: Aliases,
    known: SecondaryMap<Value, Option<RefType>>,
    /// Roots whose fact changed, with what was known before.
    trail: Vec<(Value, Option<RefType>)>,
}

impl<'t> Facts<'t> {
    pub fn new(func: &Func<'_>, types: &'t TypeTable) -> Facts<'t> {
        Facts { types, aliases: Aliases::of(func), known: func.per_value(), trail: Vec::new() }
    }

    /// The most precise type of a reference here; `None` for what is no reference.
    pub fn of(&self, func: &Func<'_>, value: Value) -> Option<RefType> {
        let ValType::Ref(own) = func.ty(value) else { return None };
        let root = self.aliases.root(value);
        let known = self.known[root].or_else(|| func.ty(root).as_ref());
        Some(known.map_or(own, |known| meet(self.types, known, own)))
    }

    /// From here on a reference has a type.
    pub fn assume(&mut self, func: &Func<'_>, value: Value, ty: RefType) {
        let root = self.aliases.root(value);
        let Some(known) = self.of(func, value) else { return };
        let new = meet(self.types, known, ty);
        if self.known[root] != Some(new) {
            self.trail.push((root, self.known[root]));
            self.known[root] = Some(new);
        }
    }

    /// From here on a reference is not null.
    pub fn assume_non_null(&mut self, func: &Func<'_>, value: Value) {
        if let Some(ty) = self.of(func, value) {
            self.assume(func, value, ty.non_null());
        }
    }

    /// The present end of the trail.
    pub fn mark(&self) -> usize {
        self.trail.len()
    }

    /// Forgets what was learnt since a mark.
    pub fn undo(&mut self, mark: usize) {
        while self.trail.len() > mark {
            if let Some((root, before)) = self.trail.pop() {
                self.known[root] = before;
            }
        }
    }

    /// What was learnt since a mark, unless it is more than `most` facts.
    pub fn since(&self, mark: usize, most: usize) -> Vec<(Value, RefType)> {
        let new = self.trail.get(mark..).filter(|new| new.len() <= most).unwrap_or_default();
        new.iter().filter_map(|&(root, _)| Some((root, self.known[root]?))).collect()
    }
}
