//! Calls of a function that an object holds which is made in the same function, as direct calls.
//!
//! ```text
//! before                                  after
//!   v1 = ref.func $f                        v1 = ref.func $f
//!   v2 = struct.new $closure v1, v0         v2 = struct.new $closure v1, v0
//!   v3 = struct.get $closure 0 v2           v3 = struct.get $closure 0 v2
//!   call_ref $t v2, v3                      call $f v2
//! ```
//!
//! That is what is left of a higher-order function when it stands in the place of its call, with the closure that it was
//! given. So this runs while `inline.rs` is at work, which then may put the closure's function there too.
//!
//! Obligations:
//!
//! - A field keeps what the object was made with ([`Scope::is_constant`]), whatever is called in between.
//! - The function is of the very type that the call names, so that operands and results are of the same types.
//!
//! What this is not: `devirtualize.rs`, which asks which functions a field can hold in any object.

use super::names::{Names, each_inst};
use super::scope::Scope;
use crate::ir::{Callee, Func, Inst, InstData, Op, RefOp, StructOp, Value, ValueDef, targets};
use cranelift_entity::EntitySet;
use foldhash::HashSet;

/// What a look at a function found.
#[derive(Default)]
pub struct Closures {
    /// Calls that are direct now.
    pub direct: HashSet<Inst>,
    /// Calls to which a closure is handed that is made here.
    pub handed: HashSet<Inst>,
}

/// So many blocks and fields a reference is followed through.
const MAX_STEPS: u32 = 32;

impl Closures {
    /// Makes calls direct, and notes who is handed a closure.
    pub fn run(func: &mut Func<'_>, scope: Scope<'_>) -> Closures {
        let mut out = Closures::default();
        let names_func = |inst: &InstData<'_>| matches!(inst.op, Op::Ref(RefOp::Func(_)));
        if !func.insts.values().any(names_func) {
            return out;
        }
        let mut direct: Vec<(Inst, u32)> = Vec::new();
        let made = Made::of(func, scope);
        each_inst(func, |inst, _| {
            let Op::Call(callee) = func.insts[inst].op else { return };
            if let Callee::Ref { ty } = callee
                && let Some(to) = made.target(inst, ty)
            {
                direct.push((inst, to));
            } else if !matches!(callee, Callee::Func(_)) {
                return;
            }
            if func.args(inst).iter().any(|&arg| made.is_closure(arg)) {
                out.handed.insert(inst);
            }
        });
        for (inst, to) in direct {
            let args = func.args(inst);
            let args = args[..args.len().saturating_sub(1)].to_vec();
            func.set_args(inst, &args);
            func.insts[inst].op = Op::Call(Callee::Func(to));
            out.direct.insert(inst);
        }
        out
    }
}

/// Where references come from.
struct Made<'f, 'a> {
    func: &'f Func<'a>,
    scope: Scope<'f>,
    names: Names,
    /// Blocks that something branches out of.
    left: EntitySet<Inst>,
}

impl<'f, 'a> Made<'f, 'a> {
    fn of(func: &'f Func<'a>, scope: Scope<'f>) -> Self {
        Made { func, scope, names: Names::of(func), left: targets(func) }
    }

    /// The instruction that a reference always comes from: through blocks, and out of the fields of what is made here.
    fn origin(&self, value: Value) -> Option<Inst> {
        let mut steps = MAX_STEPS;
        self.origin_within(value, &mut steps)
    }

    fn origin_within(&self, mut value: Value, steps: &mut u32) -> Option<Inst> {
        let func = self.func;
        loop {
            *steps = steps.checked_sub(1)?;
            let ValueDef::Result(inst, n) = func.values[self.names.first(value)].def else { return None };
            value = match func.insts[inst].op {
                Op::Block { body } => {
                    let last = *func.regions[body].insts.last()?;
                    if self.left.contains(inst) || !matches!(func.insts[last].op, Op::Yield) {
                        return None;
                    }
                    *func.args(last).get(n as usize)?
                }
                Op::Struct(StructOp::Get { ty, field, .. }) if self.scope.is_constant(ty, field) => {
                    let made = self.origin_within(*func.args(inst).first()?, steps)?;
                    let Op::Struct(StructOp::New(_)) = func.insts[made].op else { return None };
                    *func.args(made).get(field as usize)?
                }
                _ => return Some(inst),
            };
        }
    }

    /// The function that a reference is to.
    fn to(&self, value: Value) -> Option<u32> {
        match self.func.insts[self.origin(value)?].op {
            Op::Ref(RefOp::Func(index)) => Some(index),
            _ => None,
        }
    }

    /// Whether a reference is to an object that is made here of a function.
    fn is_closure(&self, value: Value) -> bool {
        if !self.func.ty(value).is_gc_ref() {
            return false;
        }
        let Some(made) = self.origin(value) else { return false };
        matches!(self.func.insts[made].op, Op::Struct(StructOp::New(_)))
            && self.func.args(made).iter().any(|&arg| self.to(arg).is_some())
    }

    /// The function that a call reaches through a reference, if it is of the type that the call names.
    fn target(&self, call: Inst, named: u32) -> Option<u32> {
        let index = self.to(*self.func.args(call).last()?)?;
        let fits = self.scope.funcs.get(index as usize) == self.scope.types.ids().get(named as usize);
        fits.then_some(index)
    }
}
