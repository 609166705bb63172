//! Globals of references that a loop reads and writes, carried as parameters of the loop.
//!
//! ```text
//! before                                  after
//!   loop                                    v5 = global.get $g
//!     v1 = global.get $g                    loop v5 (v6)
//!     v2 = struct.get $t 0 v1                 v2 = struct.get $t 0 v6
//!     global.set $g v2                        global.set $g v2
//!     br_if v3 loop                           br_if v3 loop (v2)
//! ```
//!
//! Every write stays where it is: others must see it when something traps. What goes is the load, which would
//! wait for the store of the turn before. This pass only adds parameters, and reads of the global before the loop
//! and before each branch to it; `redundant_loads.rs` is told what the parameters hold, and does the rest.
//!
//! Obligations:
//!
//! - Nothing else writes the global in the loop: there is no call in it, and the global is the module's own.
//! - A branch carries what the global holds when it is taken.

use super::scope::{GlobalKind, Scope};
use super::walk::{Pass, walk};
use crate::ir::{Func, GlobalOp, Inst, Op, Value, loops};
use crate::types::ValType;
use foldhash::{HashMap, HashMapExt};

/// So many globals are carried by a loop.
const MAX_CARRIED: usize = 4;

/// Which parameter of a loop holds which global where the loop starts.
pub type Carried = HashMap<Inst, Vec<(u32, Value)>>;

/// Runs the pass.
pub fn run(func: &mut Func<'_>, scope: Scope<'_>) -> Carried {
    let writes = |inst: &Op<'_>| matches!(inst, Op::Global(GlobalOp::Set(g)) if scope.global(*g) == GlobalKind::Own);
    if !func.insts.values().any(|inst| writes(&inst.op)) {
        return Carried::new();
    }
    let wanted = wanted(func, scope);
    let mut pass = Carry { wanted, carried: Carried::new() };
    if !pass.wanted.is_empty() {
        walk(func, &mut pass);
    }
    pass.carried
}

/// What happens in a loop.
#[derive(Default)]
struct Uses {
    calls: bool,
    read: Vec<(u32, ValType)>,
    written: Vec<u32>,
}

impl Uses {
    fn add(&mut self, func: &Func<'_>, inst: Inst, scope: Scope<'_>) {
        let own = |global| scope.global(global) == GlobalKind::Own;
        match func.insts[inst].op {
            Op::Call(_) | Op::ReturnCall(_) => self.calls = true,
            Op::Global(GlobalOp::Get(global)) if own(global) => {
                self.read.extend(func.results(inst).first().map(|&v| (global, func.ty(v))));
            }
            Op::Global(GlobalOp::Set(global)) if own(global) => self.written.push(global),
            _ => {}
        }
    }

    fn wanted(&mut self) -> Vec<(u32, ValType)> {
        self.read.sort_unstable_by_key(|&(global, _)| global);
        self.read.dedup_by_key(|&mut (global, _)| global);
        self.written.sort_unstable();
        self.written.dedup();
        let both = self.read.iter().filter(|(global, _)| self.written.binary_search(global).is_ok());
        if self.calls { Vec::new() } else { both.take(MAX_CARRIED).copied().collect() }
    }
}

/// The globals that each loop is to carry.
fn wanted(func: &Func<'_>, scope: Scope<'_>) -> HashMap<Inst, Vec<(u32, ValType)>> {
    let mut found = HashMap::new();
    let visit = |uses: &mut Uses, inst| uses.add(func, inst, scope);
    loops::gather(func, visit, |inst, mut inner: Uses, outer| {
        let globals = inner.wanted();
        if !globals.is_empty() {
            found.insert(inst, globals);
        }
        outer.calls |= inner.calls;
        outer.read.append(&mut inner.read);
        outer.written.append(&mut inner.written);
    });
    // A `br_table` has the operands of all targets in one list.
    for inst in func.insts.values() {
        if let Op::BrTable { targets } = &inst.op {
            targets.iter().filter_map(|to| to.target).for_each(|target| drop(found.remove(&target)));
        }
    }
    found
}

struct Carry {
    wanted: HashMap<Inst, Vec<(u32, ValType)>>,
    carried: Carried,
}

impl<'a> Pass<'a> for Carry {
    fn inst(&mut self, func: &mut Func<'a>, inst: Inst, _: Option<Inst>, out: &mut Vec<Inst>) -> bool {
        let to = match func.insts[inst].op {
            Op::Loop { .. } => inst,
            Op::Br { target } | Op::BrIf { target } => target,
            _ => return true,
        };
        let Some(globals) = self.wanted.get(&to) else { return true };
        let mut args = func.args(inst).to_vec();
        for &(global, ty) in globals {
            let read = func.make_inst(Op::Global(GlobalOp::Get(global)), &[], &[ty], func.insts[inst].loc);
            args.extend(func.results(read));
            out.push(read);
        }
        func.set_args(inst, &args);
        if let Op::Loop { body } = func.insts[inst].op {
            let carried = globals.iter().map(|&(global, ty)| (global, func.add_param(body, ty))).collect();
            self.carried.insert(inst, carried);
        }
        true
    }

    fn enter(&mut self, _: &mut Func<'a>, _: Inst, _: usize) {}

    fn leave(&mut self, _: &mut Func<'a>, _: Inst) {}

    fn close(&mut self, _: &mut Func<'a>, _: Inst) {}
}
