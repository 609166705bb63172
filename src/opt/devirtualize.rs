//! Calls through fields that can hold few functions, as direct calls; and casts to types that can be only one.
//!
//! ```text
//! before                                  after
//!   v1 = struct.get $vt 0 v0                v1 = struct.get $vt 0 v0
//!   v2 = call_ref $m v3, v1                 v4 = ref.is_func $circle.area v1
//!                                           v2 = if v4
//!                                             v5 = call $circle.area v3
//!                                             yield v5
//!                                           else
//!                                             v6 = call_ref $m v3, v1
//!                                             yield v6
//! ```
//!
//! What fields hold is known from the whole module (`closed_world.rs`). Where the exact type of the object tells
//! the function, that is tested in place of the function: the code behind the test knows the type then.
//!
//! Obligations:
//!
//! - A direct call stands where it is known what would be called: behind a comparison with that function; or, in a
//!   closed world, where nothing else is left. A field that may be null, or that is written, never gets that far.
//! - The field is read as before, so a null object still traps there.
//! - A function is only called where its type is a subtype of what the call names, so that arguments fit.
//! - What is only likely (`ir/likely.rs`) is compared with first, and never taken for sure: a function that was read
//!   from a field with the likeliest, and the index of a `call_indirect` with the places that hold the likeliest in a
//!   table that nothing changes.
//! - A cast to a type of which only one subtype has objects is a cast to that very type.
//!
//! It runs before `inline.rs`, which puts small targets in the place of the new calls.

use super::closed_world::{Declared, MAX_PLACES, MAX_TARGETS, Places, Source, Targets, World, source};
use crate::ir::{Callee, Func, Inst, Op, RefOp, Region, SrcLoc, Value};
use crate::types::{CompositeKind, HeapType, RefType, ValType};
use wasmparser::Operator;

/// Runs the pass. Whether it changed a call.
pub fn run(func: &mut Func<'_>, declared: &Declared<'_>, world: &World) -> bool {
    let (mut changed, mut asked) = (false, 0);
    let regions: Vec<Region> = func.regions.keys().collect();
    for region in regions {
        let insts = std::mem::take(&mut func.regions[region].insts);
        let mut out = Vec::with_capacity(insts.len());
        for inst in insts {
            match func.insts[inst].op {
                Op::Ref(RefOp::Cast(to)) => func.insts[inst].op = Op::Ref(RefOp::Cast(only(world, declared, to))),
                Op::Ref(RefOp::Test(to)) => func.insts[inst].op = Op::Ref(RefOp::Test(only(world, declared, to))),
                Op::Call(callee @ (Callee::Ref { .. } | Callee::Indirect { .. }))
                | Op::ReturnCall(callee @ (Callee::Ref { .. } | Callee::Indirect { .. })) => {
                    let plan = plan(func, inst, callee, declared, world);
                    if let Some(plan) = plan.filter(|plan| asked + plan.questions() <= MAX_ASKED) {
                        asked += plan.questions();
                        apply(func, inst, &plan, &mut out);
                        changed = true;
                    }
                }
                _ => {}
            }
            out.push(inst);
        }
        func.regions[region].insts = out;
    }
    changed
}

/// The type to cast to.
fn only(world: &World, declared: &Declared<'_>, to: RefType) -> RefType {
    match world.sole(to.heap) {
        Some(ty) if !to.exact && declared.types.def(ty).sub.descriptor.is_none() => {
            let kind = declared.types.def(ty).sub.composite.kind();
            RefType { exact: true, heap: HeapType::Concrete(kind, ty), ..to }
        }
        _ => to,
    }
}

/// How to find out which function is called.
#[derive(Clone, Copy)]
enum Guard {
    /// Compare it. If all objects that hold it are of one type, the object is of that.
    Func(u32, Option<RefType>),
    /// Test the object for this very type, and call the function.
    Type(RefType, u32),
    /// Compare the index of a `call_indirect` with a place of the table that always holds the function.
    Slot { index: u64, is_64: bool, func: u32 },
}

impl Guard {
    fn func(self) -> u32 {
        match self {
            Guard::Func(func, _) | Guard::Type(_, func) | Guard::Slot { func, .. } => func,
        }
    }

    /// What the object is where the guard holds.
    fn object(self) -> Option<RefType> {
        match self {
            Guard::Func(_, ty) => ty,
            Guard::Type(ty, _) => Some(ty),
            Guard::Slot { .. } => None,
        }
    }
}

/// How a call is to be replaced.
struct Plan {
    guards: Vec<Guard>,
    /// The function reference, or the index.
    target: Value,
    /// Where the function was read from.
    object: Option<Value>,
    /// Whether the last guard need not be asked.
    last_is_sure: bool,
}

impl Plan {
    /// How many comparisons it takes.
    fn questions(&self) -> usize {
        self.guards.len() - usize::from(self.last_is_sure).min(self.guards.len())
    }
}

/// So many comparisons a function gets at most. Each makes a branch more, and the engine's time grows faster than their
/// number: 12,000 calls of four targets each took it 25 s, and without comparisons 1 s.
const MAX_ASKED: usize = 1000;

/// A likely target is compared with if it is that of so many of a hundred calls.
const LIKELY: u32 = 20;
/// ... and of so many at most.
const MAX_LIKELY: usize = 2;

fn plan(func: &Func<'_>, call: Inst, callee: Callee, declared: &Declared<'_>, world: &World) -> Option<Plan> {
    let &target = func.args(call).last()?;
    let likely = declared.likely.at(func.insts[call].loc);
    let (Callee::Ref { ty } | Callee::Indirect { ty, .. }) = callee else { return None };
    let named = declared.types.ids().get(ty as usize).copied()?;
    let fits = |func: u32| declared.funcs.get(func as usize).is_some_and(|&of| declared.types.is_sub_id(of, named));
    let mut guesses: Vec<u32> = Vec::new();
    for of in likely.iter().take_while(|of| of.percent >= LIKELY).filter(|of| fits(of.func)) {
        if !guesses.contains(&of.func) {
            guesses.push(of.func);
        }
    }
    if let Callee::Indirect { table, .. } = callee {
        let guards = slots(func.ty(target), declared.tables.get(table as usize)?.as_ref()?, &guesses);
        return (!guards.is_empty()).then_some(Plan { guards, target, object: None, last_is_sure: false });
    }
    let mut plan = known(func, target, fits, declared, world).or_else(|| {
        let Source::Field(_, object) = source(func, declared.globals, target) else { return None };
        let guards: Vec<Guard> = guesses.iter().take(MAX_LIKELY).map(|&func| Guard::Func(func, None)).collect();
        (!guards.is_empty()).then_some(Plan { guards, target, object: Some(object), last_is_sure: false })
    })?;
    let share = |guard: &Guard| likely.iter().find(|of| of.func == guard.func()).map_or(0, |of| of.percent);
    plan.guards.sort_by_key(|guard| std::cmp::Reverse(share(guard)));
    Some(plan)
}

/// Comparisons with the places of functions in a table.
fn slots(index: ValType, places: &Places, funcs: &[u32]) -> Vec<Guard> {
    let is_64 = index == ValType::I64;
    let of_func = |&func: &u32| {
        let places = places.get(&func).filter(|places| places.len() <= MAX_PLACES)?;
        Some(places.iter().map(move |&index| Guard::Slot { index, is_64, func }))
    };
    funcs.iter().filter_map(of_func).take(MAX_LIKELY).flatten().collect()
}

/// What the whole module says of a call.
fn known(
    func: &Func<'_>,
    target: Value,
    fits: impl Fn(u32) -> bool,
    declared: &Declared<'_>,
    world: &World,
) -> Option<Plan> {
    let (field, object) = match source(func, declared.globals, target) {
        Source::Func(known) if fits(known) => {
            return Some(Plan { guards: vec![Guard::Func(known, None)], target, object: None, last_is_sure: true });
        }
        Source::Field(field, object) => (field, object),
        _ => return None,
    };
    let targets = world.targets(field)?;
    if targets.funcs.is_empty() || targets.funcs.len() > MAX_TARGETS || !targets.funcs.iter().all(|&func| fits(func)) {
        return None;
    }
    let last_is_sure = world.closed && !targets.other;
    let guards = guards(declared, world, targets);
    Some(Plan { guards, target, object: Some(object), last_is_sure })
}

fn guards(declared: &Declared<'_>, world: &World, targets: &Targets) -> Vec<Guard> {
    let plain = |ty| declared.types.def(ty).sub.descriptor.is_none();
    let exact = |ty| RefType { nullable: false, exact: true, heap: HeapType::Concrete(CompositeKind::Struct, ty) };
    if world.closed && targets.told_by_type() && targets.types.iter().all(|&(ty, _)| plain(ty)) {
        return targets.types.iter().map(|&(ty, func)| Guard::Type(exact(ty), func)).collect();
    }
    let all_known = world.closed && !targets.other && targets.types.len() <= MAX_TARGETS;
    let only = |func: u32| {
        let mut types = targets.types.iter().filter(|row| row.1 == func).map(|row| row.0);
        types.next().filter(|&ty| all_known && plain(ty) && types.next().is_none()).map(exact)
    };
    targets.funcs.iter().map(|&func| Guard::Func(func, only(func))).collect()
}

/// Makes direct calls of a call, which becomes the construct around them or the last of them. What must come
/// before it goes to `out`.
fn apply(func: &mut Func<'_>, call: Inst, plan: &Plan, out: &mut Vec<Inst>) {
    let (asked, sure) = match plan.guards.split_last() {
        Some((&last, rest)) if plan.last_is_sure => (rest, Some(last)),
        _ => (plan.guards.as_slice(), None),
    };
    if let Op::ReturnCall(_) = func.insts[call].op {
        for &guard in asked {
            tail_guard(func, call, guard, plan, out);
        }
        if let Some(guard) = sure {
            let args = sure_args(func, call, guard, plan.object, out);
            set(func, call, Op::ReturnCall(Callee::Func(guard.func())), &args);
        }
        return;
    }
    let results: Vec<ValType> = func.results(call).iter().map(|&v| func.ty(v)).collect();
    let loc = func.insts[call].loc;
    // From the inside out: the last of them gives the results.
    let mut rest = Vec::new();
    let (op, args) = match sure {
        Some(guard) => (Op::Call(Callee::Func(guard.func())), sure_args(func, call, guard, plan.object, &mut rest)),
        None => (func.insts[call].op.clone(), func.args(call).to_vec()),
    };
    let mut last = func.make_inst(op, &args, &results, loc);
    for &guard in asked.iter().rev() {
        rest.push(last);
        let mut insts = Vec::new();
        let args = sure_args(func, call, guard, plan.object, &mut insts);
        let direct = func.make_inst(Op::Call(Callee::Func(guard.func())), &args, &results, loc);
        insts.push(direct);
        let then = arm(func, insts, direct);
        let els = arm(func, std::mem::take(&mut rest), last);
        let cond = condition(func, call, guard, plan, &mut rest);
        last = func.make_inst(Op::If { then, els }, &[cond], &results, loc);
    }
    out.append(&mut rest);
    let args = func.args(last).to_vec();
    let op = func.insts[last].op.clone();
    set(func, call, op, &args);
}

fn set<'a>(func: &mut Func<'a>, inst: Inst, op: Op<'a>, args: &[Value]) {
    func.insts[inst].op = op;
    func.insts[inst].trap = None;
    func.set_args(inst, args);
}

/// A region that ends by handing over the results of an instruction.
fn arm(func: &mut Func<'_>, mut insts: Vec<Inst>, from: Inst) -> Region {
    let results = func.results(from).to_vec();
    insts.push(func.make_inst(Op::Yield, &results, &[], SrcLoc::NONE));
    let region = func.add_region();
    func.regions[region].insts = insts;
    region
}

/// The question whether a guard holds.
fn condition(func: &mut Func<'_>, call: Inst, guard: Guard, plan: &Plan, out: &mut Vec<Inst>) -> Value {
    let loc = func.insts[call].loc;
    let mut value = |op: Op<'static>, args: &[Value], ty: ValType| {
        let inst = func.make_inst(op, args, &[ty], loc);
        out.push(inst);
        func.results(inst)[0]
    };
    match (guard, plan.object) {
        (Guard::Type(ty, _), Some(object)) => value(Op::Ref(RefOp::Test(ty)), &[object], ValType::I32),
        (Guard::Slot { index, is_64: true, .. }, _) => {
            let place = value(Op::Core(Operator::I64Const { value: index as i64 }), &[], ValType::I64);
            value(Op::Core(Operator::I64Eq), &[plan.target, place], ValType::I32)
        }
        (Guard::Slot { index, .. }, _) => {
            let place = value(Op::Core(Operator::I32Const { value: index as i32 }), &[], ValType::I32);
            value(Op::Core(Operator::I32Eq), &[plan.target, place], ValType::I32)
        }
        (guard, _) => value(Op::Ref(RefOp::IsFunc(guard.func())), &[plan.target], ValType::I32),
    }
}

/// The operands of the direct call.
fn direct_args(func: &Func<'_>, call: Inst) -> Vec<Value> {
    func.args(call).split_last().map(|(_, args)| args.to_vec()).unwrap_or_default()
}

/// The same where it is known what the guard asks: the object's type is known then.
fn sure_args(func: &mut Func<'_>, call: Inst, guard: Guard, object: Option<Value>, out: &mut Vec<Inst>) -> Vec<Value> {
    let mut args = direct_args(func, call);
    if let (Some(ty), Some(object)) = (guard.object(), object)
        && args.iter().any(|&arg| name(func, arg) == name(func, object))
    {
        let refine = func.make_inst(Op::Ref(RefOp::Refine), &[object], &[ValType::Ref(ty)], func.insts[call].loc);
        out.push(refine);
        let refined = func.results(refine)[0];
        args.iter_mut().filter(|arg| name(func, **arg) == name(func, object)).for_each(|arg| *arg = refined);
    }
    args
}

/// The first name of a reference.
fn name(func: &Func<'_>, mut value: Value) -> Value {
    while let Some(inst) = func.def_inst(value) {
        match (&func.insts[inst].op, func.args(inst)) {
            (Op::Ref(RefOp::Refine | RefOp::AsNonNull), &[of]) => value = of,
            _ => break,
        }
    }
    value
}

/// A tail call for the case that a guard holds.
fn tail_guard(func: &mut Func<'_>, call: Inst, guard: Guard, plan: &Plan, out: &mut Vec<Inst>) {
    let loc = func.insts[call].loc;
    let cond = condition(func, call, guard, plan, out);
    let then = func.add_region();
    let mut insts = Vec::new();
    let args = sure_args(func, call, guard, plan.object, &mut insts);
    let direct = func.make_inst(Op::ReturnCall(Callee::Func(guard.func())), &args, &[], loc);
    insts.push(direct);
    func.regions[then].insts = insts;
    let end = func.make_inst(Op::Yield, &[], &[], SrcLoc::NONE);
    let els = func.add_region();
    func.regions[els].insts.push(end);
    out.push(func.make_inst(Op::If { then, els }, &[cond], &[], loc));
}
