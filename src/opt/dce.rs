//! What nobody uses: pure instructions, parameters of loops, results of constructs.
//!
//! ```text
//! before                                  after
//!   v3 = loop v0, v1 (v4, v5)               loop v0 (v4)
//!     v6 = ref.cast_known v5                  br_if v4 loop (v4)
//!     br_if v4 loop (v4, v6)                  yield
//!     yield v5
//! ```
//!
//! Obligations:
//!
//! - An instruction goes when its results are dead and it has no effect. Reading a field of what can
//!   not be null has none. An allocation has one: it can find the heap full. A loop that fills the heap
//!   with what nobody reads must end in a trap, not run forever.
//! - A value is live when something that stays uses it. A branch's operand is only used if what it
//!   becomes is; so cycles through loops do not keep themselves alive.

use crate::ir::{ArrayOp, Func, Inst, Op, Region, StructOp, Value, ValueDef, effects};
use cranelift_entity::{EntityList, SecondaryMap};
use foldhash::{HashMap, HashMapExt};

/// Runs the pass.
pub fn run(func: &mut Func<'_>) {
    let mut mark = Mark {
        func,
        live: func.per_value(),
        kept: func.per_inst(),
        work: Vec::new(),
        ends: HashMap::new(),
        starts: HashMap::new(),
        loops: SecondaryMap::new(),
        order: Vec::new(),
    };
    mark.scan();
    mark.spread();
    let Mark { live, kept, ends, starts, order, .. } = mark;
    sweep(func, &Swept { live, kept, ends, starts }, &order);
}

/// Operands of an instruction, from an index on, that become results or parameters.
type Edge = (Inst, usize);

struct Mark<'f, 'a> {
    func: &'f Func<'a>,
    live: SecondaryMap<Value, bool>,
    kept: SecondaryMap<Inst, bool>,
    work: Vec<Value>,
    /// What becomes the results of a construct.
    ends: HashMap<Inst, Vec<Edge>>,
    /// What becomes the parameters of a loop.
    starts: HashMap<Inst, Vec<Edge>>,
    /// The loop that a region is the body of.
    loops: SecondaryMap<Region, Option<Inst>>,
    order: Vec<Region>,
}

impl Mark<'_, '_> {
    fn scan(&mut self) {
        let mut stack = vec![(self.func.body, None)];
        while let Some((region, owner)) = stack.pop() {
            self.order.push(region);
            for &inst in &self.func.regions[region].insts {
                self.inst(inst, owner);
                stack.extend(self.func.insts[inst].op.regions().map(|nested| (nested, Some(inst))));
            }
        }
    }

    fn inst(&mut self, inst: Inst, owner: Option<Inst>) {
        let op = &self.func.insts[inst].op;
        let args = self.func.args(inst);
        match op {
            Op::Yield => self.ends.entry(owner.unwrap_or(inst)).or_default().push((inst, 0)),
            Op::Br { target } => self.edge(*target, (inst, 0)),
            Op::BrIf { target } => self.edge(*target, (inst, 1)),
            Op::BrTable { targets } => {
                let mut from = 1;
                for to in targets {
                    match to.target {
                        Some(target) => self.edge(target, (inst, from)),
                        None => args.iter().skip(from).take(to.args as usize).for_each(|&v| self.work.push(v)),
                    }
                    from += to.args as usize;
                }
            }
            Op::Loop { body } => {
                self.loops[*body] = Some(inst);
                self.starts.entry(inst).or_default().push((inst, 0));
            }
            Op::Block { .. } => {}
            Op::If { .. } => self.work.extend(args),
            _ if removable(self.func, inst) => return,
            _ => self.work.extend(args),
        }
        self.kept[inst] = true;
        if matches!(op, Op::BrIf { .. } | Op::BrTable { .. }) {
            self.work.extend(args.first());
        }
    }

    fn edge(&mut self, target: Inst, edge: Edge) {
        let to = match self.func.insts[target].op {
            Op::Loop { .. } => &mut self.starts,
            _ => &mut self.ends,
        };
        to.entry(target).or_default().push(edge);
    }

    fn spread(&mut self) {
        while let Some(value) = self.work.pop() {
            if std::mem::replace(&mut self.live[value], true) {
                continue;
            }
            let (edges, n) = match self.func.values[value].def {
                ValueDef::Result(inst, n) if self.func.insts[inst].op.regions().next().is_some() => {
                    (self.ends.get(&inst), n)
                }
                ValueDef::Result(inst, _) => {
                    if !std::mem::replace(&mut self.kept[inst], true) {
                        self.work.extend(self.func.args(inst));
                    }
                    continue;
                }
                ValueDef::Param(region, n) => (self.loops[region].and_then(|of| self.starts.get(&of)), n),
            };
            for &(inst, from) in edges.into_iter().flatten() {
                self.work.extend(self.func.args(inst).get(from + n as usize));
            }
        }
    }
}

/// Whether an instruction can go when its results are dead.
fn removable(func: &Func<'_>, inst: Inst) -> bool {
    let op = &func.insts[inst].op;
    let first = func.args(inst).first().and_then(|&v| func.ty(v).as_ref());
    match op {
        Op::Struct(StructOp::Get { .. }) | Op::Array(ArrayOp::Len) => first.is_some_and(|ty| !ty.nullable),
        _ => effects(op).removable(),
    }
}

struct Swept {
    live: SecondaryMap<Value, bool>,
    kept: SecondaryMap<Inst, bool>,
    ends: HashMap<Inst, Vec<Edge>>,
    starts: HashMap<Inst, Vec<Edge>>,
}

fn sweep(func: &mut Func<'_>, swept: &Swept, order: &[Region]) {
    // Operands that go, with their instructions.
    let mut dead: HashMap<Inst, Vec<usize>> = HashMap::new();
    let mut drop_operands = |edges: Option<&Vec<Edge>>, values: &[Value]| {
        for (n, _) in values.iter().enumerate().filter(|&(_, &value)| !swept.live[value]) {
            edges.into_iter().flatten().for_each(|&(inst, from)| dead.entry(inst).or_default().push(from + n));
        }
    };
    for &region in order {
        func.regions[region].insts.retain(|&inst| swept.kept[inst]);
        for &inst in &func.regions[region].insts {
            if func.insts[inst].op.regions().next().is_some() {
                drop_operands(swept.ends.get(&inst), func.results(inst));
            }
            if let Op::Loop { body } = func.insts[inst].op {
                drop_operands(swept.starts.get(&inst), &func.regions[body].params);
            }
        }
    }
    for &region in order {
        for at in 0..func.regions[region].insts.len() {
            let inst = func.regions[region].insts[at];
            if func.insts[inst].op.regions().next().is_some() {
                shrink_construct(func, swept, inst);
            }
            if let Some(dead) = dead.remove(&inst) {
                shrink_operands(func, inst, dead);
            }
        }
    }
}

fn shrink_construct(func: &mut Func<'_>, swept: &Swept, inst: Inst) {
    let results: Vec<Value> = func.results(inst).iter().copied().filter(|&v| swept.live[v]).collect();
    if results.len() != func.results(inst).len() {
        for (n, &value) in (0..).zip(&results) {
            func.values[value].def = ValueDef::Result(inst, n);
        }
        func.insts[inst].results = EntityList::from_slice(&results, &mut func.pool);
    }
    if let Op::Loop { body } = func.insts[inst].op {
        func.regions[body].params.retain(|&param| swept.live[param]);
        for n in 0..func.regions[body].params.len() {
            let param = func.regions[body].params[n];
            func.values[param].def = ValueDef::Param(body, n as u32);
        }
    }
}

fn shrink_operands(func: &mut Func<'_>, inst: Inst, mut dead: Vec<usize>) {
    dead.sort_unstable();
    dead.dedup();
    let stays = |n: &usize| dead.binary_search(n).is_err();
    let args = func.args(inst);
    let kept: Vec<Value> = (0..args.len()).filter(stays).map(|n| args[n]).collect();
    func.set_args(inst, &kept);
    if let Op::BrTable { targets } = &mut func.insts[inst].op {
        let mut from = 1;
        for to in targets {
            let all = from..from + to.args as usize;
            from = all.end;
            to.args = all.filter(stays).count() as u32;
        }
    }
}
