//! Calls of small functions, replaced by what those do.
//!
//! ```text
//! before                                  after
//!   v2 = call $get v0                       v2 = block
//!                                             v3 = struct.get $t 0 v0
//!                                             yield v3
//! ```
//!
//! It runs before all other passes of one function, so that they see types and fields across the call; and what a caller keeps in
//! root slots across a call that may collect stays where it is.
//!
//! Obligations:
//!
//! - The body runs where the call was, once, with the arguments for its parameters. A return is a branch
//!   behind it. An argument that is a function reference must be of the parameter's very type: lowered
//!   code has those types, and must validate.
//! - Backtraces show the frame that is gone: each instruction tells which call it stands in
//!   ([`Inlined`]).
//! - It ends: what comes from a callee is looked at again only if it is in a loop of the caller, and [`LOOKS`] times in all.
//!
//! What is put in is decided by a cost, which is about the number of machine instructions:
//!
//! - A function is a candidate when its cost is at most [`MAX_COST`]; where the call is in no loop, less. Into candidates, candidates are put
//!   first, from the bodies as they were before the round, for [`ROUNDS`] rounds; what gets too large by
//!   it stays as it was.
//! - A small function that calls itself is put in the place of those calls once: two of three levels of a binary
//!   recursion need no call then. It is put into no other.
//! - What ends in a trap is hardly ever done, and only gets larger: calls there stay.
//! - A caller grows at most by its own cost, or by [`MIN_GROWTH`], whichever is more. Calls in the innermost loops come
//!   first, and as long as it is their turn it may grow to [`MIN_GROWTH_IN_LOOPS`]; what they took is not there for others.
//! - What is put into a loop may call others, as the way to a method does: those calls are in the loop too, and are looked at
//!   again. They take what is left of the growth.
//! - What is handed a closure that is made here counts as in a loop: it calls the closure, perhaps in loops of its own, and
//!   the closure's function is known there (`closures.rs`). Calls that become direct by that are looked at again, too.
//! - A function that calls candidates in its own loops is none: elsewhere those would stay calls, and beside its loop a
//!   call of it costs nothing.
//! - Where hints tell how often a call is made, that counts and not the loops that it is in ([`urgency`]).
//!
//! All of this depends on the module only, not on the order in which functions are worked on. What this is
//! not: a pass over calls through references; and nothing is put in that tail-calls.

use super::closures::Closures;
use super::scope::Scope;
use crate::ir::{
    ArrayOp, BrTarget, Callee, Frequencies, Frequency, Func, I31Op, Inlined, Inst, Op, RefOp, Region, SrcLoc, StructOp,
    Value,
};
use crate::types::{HeapType, ValType};
use crate::workers::Workers;
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use foldhash::HashMap;
use smallvec::SmallVec;
use std::cmp::Reverse;

/// What a candidate costs at most in the place of a call that is in a loop.
pub const MAX_COST: u32 = 90;

/// What it costs at most elsewhere.
pub const MAX_OUTSIDE: u32 = 20;

/// What a function costs at most that is put into itself.
const MAX_ITSELF: u32 = 60;

/// So much a caller may grow, however small it is ...
const MIN_GROWTH: u32 = 200;

/// ... and so much by calls that are in its loops.
const MIN_GROWTH_IN_LOOPS: u32 = 600;

/// No caller grows beyond this.
const MAX_CALLER: u32 = 10_000;

/// A call that is made so many times is taken to be in a loop, as a power of two; in two when it is twice the power.
const POWER_OF_LOOP: u32 = 4;

/// A call that is made less often, as a power of two, stays.
const SELDOM: i8 = -4;

/// How often candidates are put into candidates.
const ROUNDS: usize = 2;

/// How often a function is looked at: first at all of its calls, then at those in loops that came with what was put there. As
/// long as closures become known, twice as often.
const LOOKS: usize = 4;

/// Functions that may be put into others, by index.
#[derive(Default)]
pub struct Candidates<'a> {
    bodies: HashMap<u32, Candidate<'a>>,
    frequencies: Frequencies,
}

#[derive(Clone)]
struct Candidate<'a> {
    func: Func<'a>,
    cost: u32,
}

impl<'a> Candidates<'a> {
    /// Of the functions of a module, those that are small enough.
    pub fn new<'f>(
        funcs: impl Iterator<Item = &'f Func<'a>>,
        frequencies: Frequencies,
        workers: Workers,
    ) -> Candidates<'a>
    where
        'a: 'f,
    {
        Candidates::within(funcs, MAX_COST, frequencies, workers)
    }

    /// Those that cost at most `most`.
    pub fn within<'f>(
        funcs: impl Iterator<Item = &'f Func<'a>>,
        most: u32,
        frequencies: Frequencies,
        workers: Workers,
    ) -> Candidates<'a>
    where
        'a: 'f,
    {
        let candidate = |func: &Func<'a>| {
            let cost = cost(func, most).filter(|_| !calls(func, func.index))?;
            Some((func.index, Candidate { func: func.clone(), cost }))
        };
        let funcs: Vec<&Func<'a>> = funcs.collect();
        let found = workers.map(funcs, candidate);
        let mut all = Candidates { bodies: found.into_iter().flatten().collect(), frequencies };
        for _ in 0..ROUNDS {
            let bodies: Vec<_> = all.bodies.iter().collect();
            let grown = workers.map(bodies, |(&index, of)| all.grown(index, of, most));
            all.bodies.extend(grown.into_iter().flatten());
        }
        let bodies: Vec<_> = all.bodies.iter().collect();
        let apart = workers.map(bodies, |(&index, of)| all.has_call_in_loop(&of.func).then_some(index));
        apart.into_iter().flatten().for_each(|index| drop(all.bodies.remove(&index)));
        all
    }

    /// Whether a function calls a candidate in a loop of its own.
    fn has_call_in_loop(&self, func: &Func<'a>) -> bool {
        let mut stack = vec![(func.body, false)];
        while let Some((region, looped)) = stack.pop() {
            for &inst in &func.regions[region].insts {
                let op = &func.insts[inst].op;
                if looped && matches!(op, Op::Call(Callee::Func(callee)) if self.bodies.contains_key(callee)) {
                    return true;
                }
                let looped = looped || matches!(op, Op::Loop { .. });
                stack.extend(op.regions().map(|nested| (nested, looped)));
            }
        }
        false
    }

    /// A candidate with others put into it, unless there are none in it or it gets too large.
    fn grown(&self, index: u32, of: &Candidate<'a>, most: u32) -> Option<(u32, Candidate<'a>)> {
        let wanted = |callee| self.bodies.get(&callee).filter(|_| callee != index);
        // Most call no other, and need not be copied.
        if !of.func.insts.values().any(|inst| matches!(inst.op, Op::Call(Callee::Func(f)) if wanted(f).is_some())) {
            return None;
        }
        let mut func = of.func.clone();
        put(&mut func, &self.frequencies, &mut Budget::default(), &Closures::default(), wanted);
        let cost = cost(&func, most).filter(|_| !calls(&func, index))?;
        Some((index, Candidate { func, cost }))
    }
}

/// Whether a function calls another directly.
fn calls(func: &Func<'_>, index: u32) -> bool {
    func.insts.values().any(|inst| matches!(inst.op, Op::Call(Callee::Func(callee)) if callee == index))
}

/// Puts candidates into a function, and a function that calls itself once into itself. Whether it did.
pub fn run<'a>(func: &mut Func<'a>, scope: Scope<'_>, candidates: &Candidates<'a>) -> bool {
    let index = func.index;
    let (bodies, often) = (&candidates.bodies, &candidates.frequencies);
    let wanted = |callee| bodies.get(&callee).filter(|_| callee != index);
    let mut budget = Budget::default();
    let looks = if bodies.is_empty() { 0 } else { LOOKS };
    let mut changed = false;
    for look in 0.. {
        let closures = Closures::run(func, scope);
        changed |= !closures.direct.is_empty();
        // A chain of closures takes a look for each.
        let most = if closures.direct.is_empty() { looks } else { 2 * looks };
        if look >= most || !put(func, often, &mut budget, &closures, wanted) {
            break;
        }
        changed = true;
    }
    // Behind the others, so that they are in what is put there.
    let itself = itself(func);
    let again = itself.is_some_and(|itself| {
        let closures = Closures::default();
        put(func, often, &mut Budget::default(), &closures, |callee| Some(&itself).filter(|_| callee == index))
    });
    changed || again
}

/// Puts functions into a function: in the place of all calls, or of those in loops if it is not the first time. Whether it
/// did.
fn put<'c, 'a: 'c>(
    func: &mut Func<'a>,
    often: &Frequencies,
    budget: &mut Budget,
    closures: &Closures,
    wanted: impl Fn(u32) -> Option<&'c Candidate<'a>>,
) -> bool {
    let mut changed = false;
    let (found, own) = sites(func, often, |callee| wanted(callee).is_some());
    let again = budget.own.is_some();
    let own = *budget.own.get_or_insert(own);
    for (Reverse(depth), call, callee) in found {
        let hands_over = closures.handed.contains(&call);
        if again && depth == 0 && !hands_over && !closures.direct.contains(&call) {
            continue;
        }
        let growth = own.max(if depth > 0 || hands_over { MIN_GROWTH_IN_LOOPS } else { MIN_GROWTH });
        let left = growth.min(MAX_CALLER.saturating_sub(own)).saturating_sub(budget.spent);
        let most = if depth > 0 || hands_over || callee == func.index { left } else { left.min(MAX_OUTSIDE) };
        if let Some(candidate) = wanted(callee)
            && candidate.cost <= most
            && splice(func, call, &candidate.func)
        {
            budget.spent += candidate.cost;
            changed = true;
        }
    }
    changed
}

/// What a function cost before anything was put into it, and what was put into it since.
#[derive(Default)]
struct Budget {
    own: Option<u32>,
    spent: u32,
}

/// A call: how deep in loops, which instruction, whom it calls.
type Site = (Reverse<u32>, Inst, u32);

/// A function that calls itself, as it is to be put in the place of those calls.
fn itself<'a>(func: &Func<'a>) -> Option<Candidate<'a>> {
    let cost = cost(func, MAX_ITSELF).filter(|_| calls(func, func.index))?;
    Some(Candidate { func: func.clone(), cost })
}

/// The calls of functions that are wanted, those in the innermost loops first; and what the function costs.
fn sites(func: &Func<'_>, often: &Frequencies, wanted: impl Fn(u32) -> bool) -> (Vec<Site>, u32) {
    let (mut found, mut own) = (Vec::new(), 0u32);
    let mut stack = vec![(func.body, 0)];
    while let Some((region, depth)) = stack.pop() {
        let insts = &func.regions[region].insts;
        let fails = insts.last().is_some_and(|&last| matches!(func.insts[last].op, Op::Trap(_)));
        for &inst in insts {
            let op = &func.insts[inst].op;
            own = own.saturating_add(weight(func, inst));
            match *op {
                Op::Call(Callee::Func(callee)) if !fails && wanted(callee) => {
                    let loc = func.insts[inst].loc;
                    let frequency = often.at(func.inlined_at(loc).map_or(loc, |inlined| inlined.loc));
                    found.extend(urgency(frequency, depth).map(|depth| (Reverse(depth), inst, callee)));
                }
                _ => {}
            }
            let depth = depth + u32::from(matches!(op, Op::Loop { .. }));
            stack.extend(op.regions().map(|nested| (nested, depth)));
        }
    }
    // By place in the loops, then by place in the text.
    found.sort_unstable();
    (found, own)
}

/// How deep in loops a call counts as; `None` if it is to stay.
fn urgency(frequency: Option<Frequency>, depth: u32) -> Option<u32> {
    match frequency {
        None => Some(depth),
        Some(Frequency::Always) => Some(u32::MAX),
        Some(Frequency::Never | Frequency::Power(..SELDOM)) => None,
        Some(Frequency::Power(power)) => Some(u32::try_from(power).unwrap_or(0).div_ceil(POWER_OF_LOOP)),
    }
}

/// What a function costs; `None` if that is more than `most`, or if it can not be put anywhere.
fn cost(func: &Func<'_>, most: u32) -> Option<u32> {
    let mut cost = 0;
    let mut stack = vec![func.body];
    while let Some(region) = stack.pop() {
        for &inst in &func.regions[region].insts {
            let op = &func.insts[inst].op;
            cost += weight(func, inst);
            if cost > most || matches!(op, Op::ReturnCall(_)) {
                return None;
            }
            stack.extend(op.regions());
        }
    }
    Some(cost)
}

/// About how many machine instructions an instruction becomes.
fn weight(func: &Func<'_>, inst: Inst) -> u32 {
    let args = func.args(inst).len() as u32;
    let stores_ref = func.args(inst).last().is_some_and(|&v| func.ty(v).is_gc_ref());
    match &func.insts[inst].op {
        Op::Yield | Op::Return | Op::Block { .. } | Op::Trap(_) => 0,
        op if op.is_number() => 0,
        Op::Ref(RefOp::Refine | RefOp::Null(_) | RefOp::AsNonNull) => 0,
        Op::Ref(RefOp::Test(_) | RefOp::Cast(_)) => 5,
        Op::Call(_) | Op::ReturnCall(_) => 4 + args,
        Op::BrTable { targets } => 4 + targets.len() as u32,
        Op::Struct(StructOp::New(_) | StructOp::NewDefault(_)) => 6 + args,
        Op::Struct(StructOp::Set { .. }) if stores_ref => 5,
        Op::Array(ArrayOp::Get { .. }) => 4,
        Op::Array(ArrayOp::Set(_)) => 4 + 4 * u32::from(stores_ref),
        Op::Array(ArrayOp::Len) | Op::I31(I31Op::New | I31Op::Get(_)) => 1,
        Op::Array(_) => 10 + args,
        Op::Table(_) => 6,
        _ => 1,
    }
}

/// Puts a function in the place of a call to it. Whether it could.
fn splice<'a>(func: &mut Func<'a>, call: Inst, callee: &Func<'a>) -> bool {
    let args = func.args(call).to_vec();
    let is_func = |ty: ValType| ty.as_ref().is_some_and(|ty| ty.is_func());
    let fits = |(&arg, &param): (&Value, &Value)| !is_func(callee.ty(param)) || func.ty(arg) == callee.ty(param);
    if args.len() != callee.params().len() || !args.iter().zip(callee.params()).all(fits) {
        return false;
    }
    // In the callee another type stands for it.
    if func.results(call).iter().any(|&result| func.ty(result).as_ref().is_some_and(|r| r.heap == HeapType::NoFunc)) {
        return false;
    }
    func.insts.reserve(callee.insts.len());
    func.values.reserve(callee.values.len());
    let body = func.add_region();
    let mut copy = Copy {
        at: func.insts[call].loc,
        values: callee.per_value(),
        insts: callee.per_inst(),
        locs: Vec::new(),
        func,
        callee,
        call,
    };
    for (&param, arg) in callee.params().iter().zip(args) {
        copy.values[param] = arg.into();
    }
    copy.run(body);
    func.insts[call].op = Op::Block { body };
    func.insts[call].trap = None;
    func.set_args(call, &[]);
    true
}

struct Copy<'f, 'c, 'a> {
    func: &'f mut Func<'a>,
    callee: &'c Func<'a>,
    call: Inst,
    /// Where the call is.
    at: SrcLoc,
    values: SecondaryMap<Value, PackedOption<Value>>,
    insts: SecondaryMap<Inst, PackedOption<Inst>>,
    /// Places of the callee and what they are here, sorted.
    locs: Vec<(SrcLoc, SrcLoc)>,
}

impl<'a> Copy<'_, '_, 'a> {
    fn run(&mut self, body: Region) {
        // Regions in order of text, so that values are defined before they are used.
        let mut stack = vec![(self.callee.body, body, 0)];
        while let Some((old, new, at)) = stack.pop() {
            let Some(&inst) = self.callee.regions[old].insts.get(at) else { continue };
            stack.push((old, new, at + 1));
            let nested = self.inst(inst, new, old == self.callee.body);
            stack.extend(nested.into_iter().rev().map(|(old, new)| (old, new, 0)));
        }
    }

    /// Copies an instruction; gives the regions that are to be filled next.
    fn inst(&mut self, inst: Inst, region: Region, outermost: bool) -> SmallVec<[(Region, Region); 2]> {
        let callee = self.callee;
        let data = &callee.insts[inst];
        let args: SmallVec<[Value; 8]> =
            callee.args(inst).iter().map(|&v| self.values[v].expand().unwrap_or(v)).collect();
        let nested: SmallVec<[_; 2]> = data.op.regions().map(|old| (old, self.func.add_region())).collect();
        for &(old, new) in &nested {
            for &param in &callee.regions[old].params {
                self.values[param] = self.func.add_param(new, callee.ty(param)).into();
            }
        }
        let op = self.op(&data.op, outermost, &nested);
        let results: SmallVec<[ValType; 4]> = callee.results(inst).iter().map(|&v| callee.ty(v)).collect();
        let loc = self.loc(data.loc);
        let new = self.func.make_inst(op, &args, &results, loc);
        self.func.insts[new].trap = data.trap;
        if callee.likely[inst].is_some() {
            self.func.likely[new] = callee.likely[inst];
        }
        self.func.regions[region].insts.push(new);
        self.insts[inst] = new.into();
        for (&old, &new) in callee.results(inst).iter().zip(self.func.results(new)) {
            self.values[old] = new.into();
        }
        nested
    }

    fn op(&self, op: &Op<'a>, outermost: bool, nested: &[(Region, Region)]) -> Op<'a> {
        // Targets enclose the branch, so they have been copied.
        let target = |old: Inst| self.insts[old].expand().unwrap_or(self.call);
        match (op, nested) {
            (Op::Block { .. }, &[(_, body)]) => Op::Block { body },
            (Op::Loop { .. }, &[(_, body)]) => Op::Loop { body },
            (Op::If { .. }, &[(_, then), (_, els)]) => Op::If { then, els },
            (Op::Return, _) if outermost => Op::Yield,
            (Op::Return, _) => Op::Br { target: self.call },
            (Op::Br { target: to }, _) => Op::Br { target: target(*to) },
            (Op::BrIf { target: to }, _) => Op::BrIf { target: target(*to) },
            (Op::BrTable { targets }, _) => {
                let same = |t: &BrTarget| BrTarget { target: Some(t.target.map_or(self.call, target)), args: t.args };
                Op::BrTable { targets: targets.iter().map(same).collect() }
            }
            (op, _) => op.clone(),
        }
    }

    /// A place in the callee, as a place in this call.
    fn loc(&mut self, loc: SrcLoc) -> SrcLoc {
        if loc == SrcLoc::NONE {
            return self.at;
        }
        if let Ok(known) = self.locs.binary_search_by_key(&loc, |&(of, _)| of) {
            return self.locs[known].1;
        }
        let new = match self.callee.inlined_at(loc) {
            // A call in the callee stands in this call; so deep as there are rounds.
            Some(Inlined { loc, call }) => Inlined { loc, call: self.loc(call) },
            None => Inlined { loc, call: self.at },
        };
        let new = self.func.add_inlined(new);
        // Nearly always at the end: the instructions come in the order of the text.
        let at = self.locs.partition_point(|&(of, _)| of < loc);
        self.locs.insert(at, (loc, new));
        new
    }
}
