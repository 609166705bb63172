//! Loops that begin with a test, as loops that end with it: one branch in each turn, where there were two.
//!
//! ```text
//! before                                  after
//!   v3 = loop (v1 = v0)                     v3 = block
//!     v2 = i32.lt_s v1 v9                     v7 = block $left
//!     v4 = if v2                                v5 = i32.lt_s v0 v9
//!       ...                                     br_if $left (i32.eqz v5) v0
//!       br loop v6                              v8 = loop (v1 = v0)
//!     else                                        ...
//!       yield v1                                  v2 = i32.lt_s v6 v9
//!     yield v4                                    br_if loop v2 v6
//!                                                 yield v6
//!                                               yield v8
//!                                             v4 = block
//!                                               yield v7
//!                                             yield v4
//! ```
//!
//! What makes the test stands twice: before the loop for the first turn, and at its end for the next. What is behind the
//! loop stands once; what it needs of the loop, it gets from either place. A branch to the loop that is not the only one
//! leads to a block around the body instead.
//!
//! A loop that calls in each turn is left alone: what a branch costs is nothing beside a call, and some became slower.
//!
//! Most compilers of languages with a collector write `while` and `for` with the test first, and the engine leaves them so.
//! This is the loop inversion of S. Muchnick, "Advanced Compiler Design and Implementation" (1997), section 18.4.
//!
//! Why it is right: every instruction is done as often as before and in the same order, whatever it does. The test of
//! the first turn is made with the values that the loop begins with, that of each other with those that the branch to the loop
//! carries.
//!
//! It runs on lowered code, before roots are assigned: lowering learns from a test at the start of a loop which indices are in
//! bounds (`src/lower/known.rs`), and would not from one at its end.

use crate::ir::{Cursor, Func, GlobalOp, Inst, Op, Region, SrcLoc, TrapCode, Value, ValueDef};
use crate::types::ValType;
use cranelift_entity::EntityList;
use foldhash::HashMap;
use wasmparser::Operator;

/// A test of more instructions is not made twice.
const MAX_COPIED: usize = 12;

/// Each loop is looked through once for each loop around it. In all, so many times the instructions of the function are
/// looked at, and then no more loops.
const MAX_LOOKS: usize = 8;

/// So many loops are changed. The engine needs more than twice as long for thousands of them in one function.
const MAX_LOOPS: usize = 1000;

/// Runs the pass.
pub fn run(func: &mut Func<'_>) {
    let (mut left, mut done) = (MAX_LOOKS * func.insts.len(), 0);
    for place in loops(func).into_iter().rev() {
        if let Some(shape) = shape(func, place.inst, &mut left) {
            rotate(func, place, shape);
            done += 1;
        }
        if left == 0 || done == MAX_LOOPS {
            return;
        }
    }
}

/// Where a loop stands. What is done to another one moves none, if inner loops come first.
struct Place {
    inst: Inst,
    region: Region,
    at: usize,
}

/// All loops, outer ones first.
fn loops(func: &Func<'_>) -> Vec<Place> {
    let mut found = Vec::new();
    let mut work = vec![func.body];
    while let Some(region) = work.pop() {
        for (at, &inst) in func.regions[region].insts.iter().enumerate() {
            let op = &func.insts[inst].op;
            if matches!(op, Op::Loop { .. }) {
                found.push(Place { inst, region, at });
            }
            work.extend(op.regions());
        }
    }
    found
}

/// A loop that begins with a test.
struct Shape {
    body: Region,
    /// Constants among what is in front of the test. They stand before the loop, once: as parameters they would be unknown.
    numbers: Vec<Inst>,
    /// The other instructions there, which make the condition.
    head: Vec<Inst>,
    cond: Value,
    /// The loop goes on where the condition is not zero.
    holds: bool,
    /// The `If` or `BrIf`.
    test: Inst,
    /// The arm of an `If` that goes on.
    on: Option<Region>,
    /// Behind the test, in the loop's region.
    rest: Vec<Inst>,
    /// All branches to the loop.
    back: Vec<Inst>,
    /// What the way out uses of the loop's parameters and of the head's results.
    outs: Vec<Value>,
    /// What the way on uses of the head's results.
    kept: Vec<Value>,
}

impl Shape {
    /// The condition under other names, and the place of the test.
    fn condition(&self, func: &Func<'_>, map: &HashMap<Value, Value>) -> (Value, SrcLoc) {
        (mapped(map, self.cond), func.insts[self.test].loc)
    }
}

/// What a walk found.
#[derive(Default)]
struct Found {
    /// Branches to the loop.
    back: Vec<Inst>,
    /// Operands, each as often as it is one.
    uses: Vec<Value>,
    /// Something branches to the test, which is an `If`.
    to_test: bool,
    /// There is a call that no condition guards.
    calls: bool,
}

impl Found {
    fn add(&mut self, other: Found) {
        self.back.extend(other.back);
        self.uses.extend(other.uses);
        self.to_test |= other.to_test;
        self.calls |= other.calls;
    }
}

fn shape(func: &Func<'_>, inst: Inst, left: &mut usize) -> Option<Shape> {
    let Op::Loop { body } = func.insts[inst].op else { return None };
    let insts = &func.regions[body].insts;
    let many = insts.iter().take_while(|&&inst| may_stand_twice(func, inst)).count();
    let (head, rest) = insts.split_at(many);
    let (&test, rest) = rest.split_first()?;
    let (numbers, head): (Vec<Inst>, Vec<Inst>) = head.iter().partition(|&&inst| {
        let op = &func.insts[inst].op;
        op.is_number() || matches!(op, Op::Core(Operator::V128Const { .. }))
    });
    if head.len() > MAX_COPIED {
        return None;
    }
    let &cond = func.args(test).first()?;
    let mut look = |insts: &[Inst]| look(func, insts, (inst, test), left);
    let (holds, on, mut goes_on, mut goes_out) = match func.insts[test].op {
        Op::If { then, els } => {
            let arms = [then, els].map(|arm| &func.regions[arm].insts[..]);
            let [yes, no] = [look(arms[0])?, look(arms[1])?];
            let holds = !yes.back.is_empty();
            let (on, goes_on, mut out) = if holds { (then, yes, no) } else { (els, no, yes) };
            let ends = func.regions[on].insts.last()?;
            if goes_on.to_test || matches!(func.insts[*ends].op, Op::Yield) {
                return None;
            }
            out.add(look(rest)?);
            (holds, Some(on), goes_on, out)
        }
        Op::BrIf { target } if target != inst => {
            let uses = func.args(test).get(1..).unwrap_or_default().to_vec();
            (false, None, look(rest)?, Found { uses, ..Found::default() })
        }
        _ => return None,
    };
    if goes_on.back.is_empty() || goes_on.calls || !goes_out.back.is_empty() {
        return None;
    }
    let made: Vec<Value> = head.iter().flat_map(|&inst| func.results(inst)).copied().collect();
    [&mut goes_on, &mut goes_out].into_iter().for_each(|way| way.uses.sort_unstable());
    let used = |by: &Found, values: &[Value]| -> Vec<Value> {
        values.iter().copied().filter(|value| by.uses.binary_search(value).is_ok()).collect()
    };
    let all = [&func.regions[body].params[..], &made].concat();
    let (outs, kept) = (used(&goes_out, &all), used(&goes_on, &made));
    let (rest, back) = (rest.to_vec(), goes_on.back);
    Some(Shape { body, numbers, head, cond, holds, test, on, rest, back, outs, kept })
}

/// What has no region, is no call, allocates nothing, and stays where it is otherwise; and checks.
fn may_stand_twice(func: &Func<'_>, inst: Inst) -> bool {
    matches!(&func.insts[inst].op, Op::Core(_) | Op::Select | Op::Global(GlobalOp::Get(_)))
        || check(func, inst).is_some()
}

/// The trap of an `If` that traps or does nothing, and where that comes from.
fn check(func: &Func<'_>, inst: Inst) -> Option<(TrapCode, SrcLoc)> {
    let Op::If { then, els } = func.insts[inst].op else { return None };
    let (&[trap], &[end]) = (&func.regions[then].insts[..], &func.regions[els].insts[..]) else { return None };
    match (&func.insts[trap].op, &func.insts[end].op) {
        (&Op::Trap(code), Op::Yield) if func.args(end).is_empty() => Some((code, func.insts[trap].loc)),
        _ => None,
    }
}

/// Looks through instructions and what is nested in them. `None` if that takes too long.
fn look(func: &Func<'_>, insts: &[Inst], (to, test): (Inst, Inst), left: &mut usize) -> Option<Found> {
    let mut found = Found::default();
    let mut work = Vec::new();
    let mut each = |insts: &[Inst], guarded: bool, work: &mut Vec<(Region, bool)>| {
        *left = left.saturating_sub(insts.len());
        for &inst in insts {
            let op = &func.insts[inst].op;
            found.back.extend(op.targets().any(|target| target == to).then_some(inst));
            found.to_test |= op.targets().any(|target| target == test);
            found.calls |= !guarded && matches!(op, Op::Call(_));
            found.uses.extend(func.args(inst));
            work.extend(op.regions().map(|region| (region, guarded || matches!(op, Op::If { .. }))));
        }
        *left > 0
    };
    each(insts, false, &mut work).then_some(())?;
    while let Some((region, guarded)) = work.pop() {
        each(&func.regions[region].insts, guarded, &mut work).then_some(())?;
    }
    Some(found)
}

fn rotate(func: &mut Func<'_>, place: Place, shape: Shape) {
    let loc = func.insts[place.inst].loc;
    let [around, before] = [(); 2].map(|()| func.add_region());
    // The whole takes the loop's place and results; in it, the loop and its first test give what the way out needs.
    let whole = func.make_inst(Op::Block { body: around }, &[], &[], loc);
    for result in func.results(place.inst).to_vec() {
        func.push_result(whole, result);
    }
    func.regions[place.region].insts[place.at] = whole;
    let types: Vec<ValType> = shape.outs.iter().map(|&out| func.ty(out)).collect();
    let left = func.make_inst(Op::Block { body: before }, &[], &types, loc);
    func.insts[place.inst].results = EntityList::new();
    types.into_iter().for_each(|ty| {
        func.add_result(place.inst, ty);
    });
    func.regions[before].insts = first_turn(func, place.inst, left, &shape);
    func.regions[shape.body].insts = next_turns(func, place.inst, whole, &shape);
    func.regions[around].insts = way_out(func, left, &shape);
    func.likely[shape.test] = None;

    // What the head made for the body comes with each turn now.
    shape.head.iter().for_each(|&inst| func.insts[inst].results = EntityList::new());
    for value in shape.kept {
        let n = func.regions[shape.body].params.len() as u32;
        func.values[value].def = ValueDef::Param(shape.body, n);
        func.regions[shape.body].params.push(value);
    }
}

/// The first test, and the loop.
fn first_turn(func: &mut Func<'_>, inst: Inst, left: Inst, shape: &Shape) -> Vec<Inst> {
    let loc = func.insts[inst].loc;
    let first = func.args(inst).to_vec();
    let (mut insts, map) = copy(func, shape, &first);
    let exit = condition(func, &mut insts, shape.condition(func, &map), !shape.holds);
    let leave = branch(func, left, exit, &mapped_all(&map, &shape.outs), shape.test);
    func.likely[leave] = func.likely[shape.test].map(|likely| likely != shape.holds);
    let begins = [first, mapped_all(&map, &shape.kept)].concat();
    func.set_args(inst, &begins);
    let through = func.results(inst).to_vec();
    let give = func.make_inst(Op::Yield, &through, &[], loc);
    insts.extend([leave, inst, give]);
    insts
}

/// What goes on, and behind it the test of the next turn.
fn next_turns(func: &mut Func<'_>, inst: Inst, whole: Inst, shape: &Shape) -> Vec<Inst> {
    let loc = func.insts[inst].loc;
    let mut insts = match shape.on {
        Some(arm) => std::mem::take(&mut func.regions[arm].insts),
        None => shape.rest.clone(),
    };
    if let (None, Some(&last)) = (shape.on, insts.last())
        && matches!(func.insts[last].op, Op::Yield)
    {
        func.insts[last].op = Op::Br { target: whole };
    }
    let carried = match (&shape.back[..], insts.last()) {
        ([one], Some(&last)) if *one == last && matches!(func.insts[last].op, Op::Br { .. }) => {
            insts.pop();
            func.args(last).to_vec()
        }
        _ => {
            let inner = shape.on.unwrap_or_else(|| func.add_region());
            func.regions[inner].insts = std::mem::take(&mut insts);
            let types: Vec<ValType> = func.regions[shape.body].params.iter().map(|&param| func.ty(param)).collect();
            let turn = func.make_inst(Op::Block { body: inner }, &[], &types, loc);
            shape.back.iter().for_each(|&branch| retarget(func, branch, inst, turn));
            insts.push(turn);
            func.results(turn).to_vec()
        }
    };
    let (copied, map) = copy(func, shape, &carried);
    insts.extend(copied);
    let again = condition(func, &mut insts, shape.condition(func, &map), shape.holds);
    let next = [carried, mapped_all(&map, &shape.kept)].concat();
    let turn = branch(func, inst, again, &next, shape.test);
    func.likely[turn] = func.likely[shape.test].map(|likely| likely == shape.holds);
    let give = func.make_inst(Op::Yield, &mapped_all(&map, &shape.outs), &[], loc);
    insts.extend([turn, give]);
    insts
}

/// What is behind the loop, whichever test ended it.
fn way_out(func: &mut Func<'_>, left: Inst, shape: &Shape) -> Vec<Inst> {
    let gets: HashMap<Value, Value> = shape.outs.iter().copied().zip(func.results(left).to_vec()).collect();
    let mut insts = vec![left];
    match (shape.on, &func.insts[shape.test].op) {
        (Some(on), &Op::If { then, els }) => {
            func.insts[shape.test].op = Op::Block { body: if on == then { els } else { then } };
            func.set_args(shape.test, &[]);
            insts.push(shape.test);
            insts.extend(&shape.rest);
            rename(func, &insts[1..], &gets);
        }
        (_, &Op::BrIf { target }) => {
            let values = mapped_all(&gets, func.args(shape.test).get(1..).unwrap_or_default());
            insts.push(func.make_inst(Op::Br { target }, &values, &[], func.insts[shape.test].loc));
        }
        _ => {}
    }
    [&shape.numbers[..], &insts].concat()
}

/// Copies the head, with these values for the loop's parameters: the copies, and what stands for what.
fn copy(func: &mut Func<'_>, shape: &Shape, values: &[Value]) -> (Vec<Inst>, HashMap<Value, Value>) {
    let params = func.regions[shape.body].params.iter().copied();
    let mut map: HashMap<Value, Value> = params.zip(values.iter().copied()).collect();
    let region = func.add_region();
    for &inst in &shape.head {
        let args = mapped_all(&map, func.args(inst));
        let results: Vec<Value> = func.results(inst).to_vec();
        let loc = func.insts[inst].loc;
        if let Some((code, loc)) = check(func, inst) {
            Cursor::at(func, region, loc).trap_if(args[0], code);
            continue;
        }
        let (op, trap) = (func.insts[inst].op.clone(), func.insts[inst].trap);
        let mut c = Cursor::at(func, region, loc);
        if let (Op::Core(op), &[a, b], &[result], None) = (&op, &args[..], &results[..], trap)
            && c.constant(a).is_some()
            && c.constant(b).is_some()
            && c.func.ty(result) == ValType::I32
        {
            // The first turn often begins with a number.
            let value = c.i32_op(op.clone(), a, b);
            map.insert(result, value);
            continue;
        }
        let types: Vec<_> = results.iter().map(|&result| c.func.ty(result)).collect();
        let copy = c.push(op, &args, &types);
        func.insts[copy].trap = trap;
        map.extend(results.into_iter().zip(func.results(copy).to_vec()));
    }
    (std::mem::take(&mut func.regions[region].insts), map)
}

fn mapped(map: &HashMap<Value, Value>, value: Value) -> Value {
    map.get(&value).copied().unwrap_or(value)
}

fn mapped_all(map: &HashMap<Value, Value>, values: &[Value]) -> Vec<Value> {
    values.iter().map(|&value| mapped(map, value)).collect()
}

/// A condition as it is, or the opposite.
fn condition(func: &mut Func<'_>, insts: &mut Vec<Inst>, (cond, loc): (Value, SrcLoc), holds: bool) -> Value {
    if holds {
        return cond;
    }
    // Where the way out is a trap, the engine makes one instruction of both, and tells the place of this one.
    let inst = func.make_inst(Op::Core(Operator::I32Eqz), &[cond], &[], loc);
    insts.push(inst);
    func.add_result(inst, ValType::I32)
}

/// A conditional branch in the place of the test.
fn branch<'a>(func: &mut Func<'a>, target: Inst, cond: Value, values: &[Value], test: Inst) -> Inst {
    let args = [&[cond], values].concat();
    func.make_inst(Op::BrIf { target }, &args, &[], func.insts[test].loc)
}

/// Makes a branch lead elsewhere.
fn retarget(func: &mut Func<'_>, inst: Inst, from: Inst, to: Inst) {
    match &mut func.insts[inst].op {
        Op::Br { target } | Op::BrIf { target } => *target = to,
        Op::BrTable { targets } => {
            targets.iter_mut().filter(|t| t.target == Some(from)).for_each(|t| t.target = Some(to));
        }
        _ => {}
    }
}

/// Replaces values in instructions and what is nested in them.
fn rename(func: &mut Func<'_>, insts: &[Inst], map: &HashMap<Value, Value>) {
    if map.is_empty() {
        return;
    }
    let mut work = Vec::new();
    let each = |func: &mut Func<'_>, inst: Inst, work: &mut Vec<Region>| {
        func.args_mut(inst).iter_mut().for_each(|arg| *arg = mapped(map, *arg));
        work.extend(func.insts[inst].op.regions());
    };
    insts.iter().for_each(|&inst| each(func, inst, &mut work));
    while let Some(region) = work.pop() {
        for inst in func.regions[region].insts.clone() {
            each(func, inst, &mut work);
        }
    }
}
