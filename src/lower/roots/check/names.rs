//! Which reference a value is: values that are the same reference under different names have one
//! *identity*, the value that was defined first.

use crate::ir::{Func, Inst, Op, RefOp, Value};
use crate::types::{HeapType, ValType};
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{EntitySet, SecondaryMap};
use wasmparser::Operator;

/// The identities of a function's values.
pub struct Names {
    /// Values that are missing are their own.
    identities: SecondaryMap<Value, PackedOption<Value>>,
    /// Identities that may be objects that move.
    moving: EntitySet<Value>,
}

impl Names {
    /// Identities before root assignment.
    pub fn of(func: &Func<'_>) -> Names {
        let mut names = Names { identities: SecondaryMap::new(), moving: EntitySet::new() };
        // Definitions precede uses in order of number, but for what inlining copied: so follow chains.
        for value in func.values.keys() {
            let mut at = value;
            while let Some(inst) = func.def_inst(at)
                && refines(func, inst)
                && let [of] = *func.args(inst)
            {
                at = of;
            }
            names.identities[value] = at.into();
            if at == value && moves(func, value) {
                names.moving.insert(value);
            }
        }
        names
    }

    /// The identity of a value.
    pub fn identity(&self, value: Value) -> Value {
        self.identities[value].expand().unwrap_or(value)
    }

    /// The identity of a value, if it may be an object that moves.
    pub fn reference(&self, value: Value) -> Option<Value> {
        Some(self.identity(value)).filter(|&identity| self.moving.contains(identity))
    }

    /// Names a value that root assignment made. False when it is named otherwise already.
    pub fn name(&mut self, value: Value, identity: Value) -> bool {
        let was = self.identities[value].expand();
        self.identities[value] = identity.into();
        was.is_none_or(|was| was == identity)
    }

    /// Whether an instruction merely gives a reference another name.
    pub fn is_alias(&self, func: &Func<'_>, inst: Inst) -> bool {
        refines(func, inst)
    }
}

fn refines(func: &Func<'_>, inst: Inst) -> bool {
    let gc = |values: &[Value]| matches!(values, &[v] if func.ty(v).is_gc_ref());
    matches!(func.insts[inst].op, Op::Ref(RefOp::Refine)) && gc(func.args(inst)) && gc(func.results(inst))
}

/// Whether a value may refer to an object that a collection moves: not i31, not null, not a constant.
fn moves(func: &Func<'_>, value: Value) -> bool {
    let ValType::Ref(ty) = func.ty(value) else { return false };
    let constant =
        func.def_inst(value).is_some_and(|inst| matches!(func.insts[inst].op, Op::Core(Operator::I32Const { .. })));
    func.ty(value).is_gc_ref() && ty.heap != HeapType::I31 && !ty.heap.is_bottom() && !constant
}
