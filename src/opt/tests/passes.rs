//! One test for each thing that a pass does, and for each that it must not. What is expected is the
//! text of the function's body, indentation and types of results left out.

use super::{World, scope, world};
use crate::ir::{
    ArrayOp, Callee, Cursor, Func, GlobalOp, Inst, Op, RefOp, Region, Sign, SrcLoc, StructOp, TrapCode, Value,
    print::print, verify::verify,
};
use crate::opt::{Candidates, Passes, dce, fold, redundant_loads, type_flow};
use crate::types::{HeapType, RefType, TypeTable, ValType};

const ANY: ValType = ValType::Ref(RefType::new(true, HeapType::Any));
pub(super) const USE: Op<'static> = Op::Call(Callee::Func(1));

pub(super) fn nullable(heap: HeapType) -> ValType {
    ValType::Ref(RefType::new(true, heap))
}

pub(super) fn func(params: &[ValType], fill: impl FnOnce(&mut Cursor<'_, 'static>, &[Value])) -> Func<'static> {
    let mut func = Func::new(0, params, &[]);
    let (body, params) = (func.body, func.params().to_vec());
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    fill(&mut c, &params);
    c.push(Op::Return, &[], &[]);
    assert_eq!(verify(&func), Ok(()));
    func
}

/// The instructions after a pass, a line each, without types of results and without regions.
pub(super) fn after(mut func: Func<'static>, pass: impl FnOnce(&mut Func<'static>)) -> Vec<String> {
    pass(&mut func);
    assert_eq!(verify(&func), Ok(()), "{}", print(&func));
    let mut lines = Vec::new();
    for line in print(&func).lines().map(str::trim).filter(|l| !l.ends_with(':')) {
        let line = line.split(" ; ").next().unwrap_or(line);
        lines.push(match line.split_once(" = ") {
            Some((results, op)) => {
                let names: Vec<_> = results.split(", ").filter_map(|r| r.split(':').next()).collect();
                format!("{} = {op}", names.join(", "))
            }
            None => line.to_string(),
        });
    }
    lines
}

pub(super) fn get(heap: HeapType, field: u32) -> Op<'static> {
    let sign = if field == 3 { Sign::Unsigned } else { Sign::None };
    Op::Struct(StructOp::Get { ty: World::id(heap), field, sign })
}

pub(super) fn set(heap: HeapType, field: u32) -> Op<'static> {
    Op::Struct(StructOp::Set { ty: World::id(heap), field })
}

fn flow(types: &TypeTable) -> impl FnOnce(&mut Func<'static>) + '_ {
    |func| type_flow::run(func, types)
}

fn loads(types: &TypeTable) -> impl FnOnce(&mut Func<'static>) + '_ {
    |func| redundant_loads::run(func, scope(types), Default::default())
}

#[test]
fn a_cast_behind_a_successful_test_is_a_refinement() {
    let w = world();
    let to = RefType::new(false, w.base);
    let f = func(&[ANY], |c, p| {
        let test = c.value(Op::Ref(RefOp::Test(to)), &[p[0]], ValType::I32);
        c.if_else(
            test,
            &[],
            |c| {
                let cast = c.value(Op::Ref(RefOp::Cast(to)), &[p[0]], ValType::Ref(to));
                c.value(Op::Ref(RefOp::IsNull), &[cast], ValType::I32);
                c.yield_(&[]);
            },
            |c| {
                c.value(Op::Ref(RefOp::Cast(to)), &[p[0]], ValType::Ref(to));
                c.yield_(&[]);
            },
        );
        c.value(Op::Ref(RefOp::Cast(to)), &[p[0]], ValType::Ref(to));
    });
    let cast = format!("Ref(Cast({to}))");
    let text = after(f, flow(&w.types));
    assert_eq!(text[1], "If { then: region1, els: region2 } v1");
    assert_eq!(text[2..5], ["v2 = Ref(Refine) v0", "v3 = Core(I32Const { value: 0 })", "Yield"]);
    assert_eq!(text[5], format!("v4 = {cast} v0"));
    assert_eq!(text[7], format!("v5 = {cast} v0"));
}

#[test]
fn what_holds_at_the_only_exit_holds_behind_it() {
    let w = world();
    let to = RefType::new(false, w.base);
    let f = func(&[ANY], |c, p| {
        let test = c.value(Op::Ref(RefOp::Test(to)), &[p[0]], ValType::I32);
        let fails = c.core(wasmparser::Operator::I32Eqz, &[test], ValType::I32);
        c.trap_if(fails, TrapCode::Unreachable);
        c.value(Op::Ref(RefOp::Cast(to)), &[p[0]], ValType::Ref(to));
        c.value(Op::Ref(RefOp::Cast(RefType::new(true, w.sub))), &[p[0]], nullable(w.sub));
    });
    let text = after(f, flow(&w.types));
    assert!(text.contains(&"v3 = Ref(Refine) v0".to_string()), "{text:?}");
    // The other cast stays, but knows that its operand is a base and not null.
    assert!(text.iter().any(|l| l.starts_with("v4 = Ref(Cast((ref type1))) v5")), "{text:?}");
}

#[test]
fn a_branch_tells_both_ways() {
    let w = world();
    let f = func(&[ANY], |c, p| {
        let body = c.func.add_region();
        let inst = c.push(Op::Block { body }, &[], &[]);
        let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
        let null = inner.value(Op::Ref(RefOp::IsNull), &[p[0]], ValType::I32);
        inner.push(Op::BrIf { target: inst }, &[null], &[]);
        inner.value(Op::Ref(RefOp::AsNonNull), &[p[0]], ANY);
        inner.push(Op::Trap(TrapCode::Unreachable), &[], &[]);
        c.value(Op::Ref(RefOp::IsNull), &[p[0]], ValType::I32);
    });
    let text = after(f, flow(&w.types));
    assert!(text.contains(&"v2 = Ref(Refine) v0".to_string()), "{text:?}");
    assert!(text.contains(&"v3 = Core(I32Const { value: 1 })".to_string()), "{text:?}");
}

#[test]
fn short_circuits_are_seen_through() {
    let w = world();
    let to = RefType::new(false, w.base);
    let f = func(&[ANY, ValType::I32], |c, p| {
        let zero = c.i32(0);
        let both = c.if_else(
            p[1],
            &[ValType::I32],
            |c| {
                let test = c.value(Op::Ref(RefOp::Test(to)), &[p[0]], ValType::I32);
                c.yield_(&[test]);
            },
            |c| c.yield_(&[zero]),
        );
        let both = c.func.results(both)[0];
        c.if_else(
            both,
            &[],
            |c| {
                c.value(Op::Ref(RefOp::Cast(to)), &[p[0]], ValType::Ref(to));
                c.yield_(&[]);
            },
            |c| {
                c.value(Op::Ref(RefOp::Cast(to)), &[p[0]], ValType::Ref(to));
                c.yield_(&[]);
            },
        );
    });
    let text = after(f, flow(&w.types));
    assert_eq!(text.iter().filter(|l| l.contains("Refine")).count(), 1, "{text:?}");
    assert_eq!(text.iter().filter(|l| l.contains("Cast")).count(), 1, "{text:?}");
}

#[test]
fn a_new_object_has_exactly_its_type_through_a_join() {
    let w = world();
    let test = |heap| Op::Ref(RefOp::Test(RefType::new(false, heap)));
    let f = func(&[ValType::I32], |c, p| {
        let make = |heap| {
            move |c: &mut Cursor<'_, 'static>| {
                let new = c.value(Op::Struct(StructOp::NewDefault(World::id(heap))), &[], nullable(heap));
                c.yield_(&[new]);
            }
        };
        let same = c.if_else(p[0], &[ANY], make(w.base), make(w.base));
        let same = c.func.results(same)[0];
        c.value(test(w.sub), &[same], ValType::I32);
        c.value(test(w.base), &[same], ValType::I32);
        let mixed = c.if_else(p[0], &[ANY], make(w.base), make(w.sub));
        let mixed = c.func.results(mixed)[0];
        c.value(test(w.sub), &[mixed], ValType::I32);
        c.value(test(w.other), &[mixed], ValType::I32);
    });
    let text = after(f, flow(&w.types));
    let of = |name: &str| text.iter().find(|l| l.starts_with(name)).unwrap().as_str();
    assert_eq!(of("v4 ="), "v4 = Core(I32Const { value: 0 })");
    assert_eq!(of("v5 ="), "v5 = Core(I32Const { value: 1 })");
    assert_eq!(of("v9 ="), "v9 = Ref(Test((ref type1))) v8");
    assert_eq!(of("v10 ="), "v10 = Core(I32Const { value: 0 })");
}

#[test]
fn a_cast_that_always_fails_stays() {
    let w = world();
    let f = func(&[], |c, _| {
        let new = c.value(Op::Struct(StructOp::NewDefault(World::id(w.base))), &[], nullable(w.base));
        c.value(Op::Ref(RefOp::Cast(RefType::new(true, w.other))), &[new], nullable(w.other));
    });
    let text = after(f, |f| crate::opt::optimize(f, scope(&w.types), &Candidates::default(), Passes::ALL));
    assert!(text.iter().any(|l| l.contains("Cast")), "{text:?}");
}

#[test]
fn an_access_checks_for_null() {
    let w = world();
    let f = func(&[nullable(w.base)], |c, p| {
        c.value(Op::Ref(RefOp::AsNonNull), &[p[0]], ANY);
        c.value(get(w.base, 0), &[p[0]], ValType::I32);
        c.value(Op::Ref(RefOp::AsNonNull), &[p[0]], ANY);
    });
    let text = after(f, flow(&w.types));
    assert!(text[0].contains("AsNonNull") && text[2].contains("Refine"), "{text:?}");
}

#[test]
fn function_references_keep_their_casts() {
    let w = world();
    let f = func(&[ValType::Ref(RefType::new(false, HeapType::Func))], |c, p| {
        c.value(Op::Ref(RefOp::AsNonNull), &[p[0]], ValType::Ref(RefType::new(false, HeapType::Func)));
        c.value(Op::Ref(RefOp::IsNull), &[p[0]], ValType::I32);
    });
    let text = after(f, flow(&w.types));
    assert_eq!(text[..2], ["v1 = Ref(AsNonNull) v0", "v2 = Core(I32Const { value: 0 })"]);
}

#[test]
fn a_field_is_read_once() {
    let w = world();
    let f = func(&[nullable(w.base)], |c, p| {
        let a = c.value(get(w.base, 0), &[p[0]], ValType::I32);
        c.push(set(w.base, 1), &[p[0], a], &[]);
        let b = c.value(get(w.base, 1), &[p[0]], ValType::I32);
        let c2 = c.value(get(w.base, 0), &[p[0]], ValType::I32);
        c.push(USE, &[a, b, c2], &[]);
        let d = c.value(get(w.base, 0), &[p[0]], ValType::I32);
        let e = c.value(get(w.base, 1), &[p[0]], ValType::I32);
        c.push(USE, &[d, e], &[]);
    });
    let text = after(f, loads(&w.types));
    assert_eq!(text[2], "Call(Func(1)) v1 v1 v1");
    // The call may have written the mutable one.
    assert!(text[3].starts_with("v5 = ") && text[4] == "Call(Func(1)) v1 v5", "{text:?}");
}

#[test]
fn a_store_through_another_reference_of_a_related_type_counts() {
    let w = world();
    let f = func(&[nullable(w.base), nullable(w.sub), nullable(w.other)], |c, p| {
        let a = c.value(get(w.base, 1), &[p[0]], ValType::I32);
        c.push(set(w.other, 0), &[p[2], a], &[]);
        c.push(set(w.sub, 5), &[p[1], a], &[]);
        let b = c.value(get(w.base, 1), &[p[0]], ValType::I32);
        c.push(set(w.sub, 1), &[p[1], b], &[]);
        let d = c.value(get(w.base, 1), &[p[0]], ValType::I32);
        c.push(USE, &[a, b, d], &[]);
    });
    assert_eq!(after(f, loads(&w.types)).iter().rev().nth(1).unwrap(), "Call(Func(1)) v3 v3 v5");
}

#[test]
fn a_packed_field_does_not_forward_what_was_stored() {
    let w = world();
    let f = func(&[nullable(w.base), ValType::I32], |c, p| {
        c.push(set(w.base, 3), &[p[0], p[1]], &[]);
        let a = c.value(get(w.base, 3), &[p[0]], ValType::I32);
        let b = c.value(get(w.base, 3), &[p[0]], ValType::I32);
        c.push(USE, &[a, b], &[]);
    });
    assert_eq!(after(f, loads(&w.types))[2], "Call(Func(1)) v2 v2");
}

#[test]
fn a_loop_may_write_before_it_reads() {
    let w = world();
    let f = func(&[nullable(w.base), ValType::I32], |c, p| {
        let mutable = c.value(get(w.base, 1), &[p[0]], ValType::I32);
        let immutable = c.value(get(w.base, 0), &[p[0]], ValType::I32);
        let body = c.func.add_region();
        let inst = c.push(Op::Loop { body }, &[], &[]);
        let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
        let a = inner.value(get(w.base, 1), &[p[0]], ValType::I32);
        let b = inner.value(get(w.base, 0), &[p[0]], ValType::I32);
        inner.push(Op::Core(wasmparser::Operator::Drop), &[mutable, immutable, a, b], &[]);
        inner.push(set(w.base, 1), &[p[0], p[1]], &[]);
        inner.push(Op::BrIf { target: inst }, &[p[1]], &[]);
        inner.yield_(&[]);
    });
    let text = after(f, loads(&w.types));
    assert!(text.contains(&"Core(Drop) v2 v3 v4 v3".to_string()), "{text:?}");
}

#[test]
fn what_an_arm_has_read_is_not_visible_behind_it() {
    let w = world();
    let f = func(&[nullable(w.base), ValType::I32], |c, p| {
        let read = |c: &mut Cursor<'_, 'static>| {
            c.value(get(w.base, 0), &[p[0]], ValType::I32);
            c.yield_(&[]);
        };
        c.if_else(p[1], &[], read, read);
        let last = c.value(get(w.base, 0), &[p[0]], ValType::I32);
        c.push(USE, &[last], &[]);
    });
    let text = after(f, loads(&w.types));
    assert_eq!(text.iter().filter(|l| l.contains("Get")).count(), 3, "{text:?}");
}

#[test]
fn lengths_and_immutable_elements_do_not_change() {
    let w = world();
    let id = World::id(w.ints);
    let elem = Op::Array(ArrayOp::Get { ty: id, sign: Sign::None });
    let f = func(&[nullable(w.ints), ValType::I32], |c, p| {
        let new = c.value(Op::Array(ArrayOp::New(id)), &[p[1], p[1]], nullable(w.ints));
        let known = c.value(Op::Array(ArrayOp::Len), &[new], ValType::I32);
        let a = c.value(Op::Array(ArrayOp::Len), &[p[0]], ValType::I32);
        let one = c.i32(1);
        let x = c.value(elem.clone(), &[p[0], one], ValType::I32);
        c.push(USE, &[], &[]);
        let b = c.value(Op::Array(ArrayOp::Len), &[p[0]], ValType::I32);
        let one = c.i32(1);
        let y = c.value(elem, &[p[0], one], ValType::I32);
        c.push(USE, &[known, a, b, x, y], &[]);
    });
    assert_eq!(after(f, loads(&w.types)).iter().rev().nth(1).unwrap(), "Call(Func(1)) v1 v4 v4 v6 v6");
}

fn if_else(c: &mut Cursor<'_, 'static>, cond: Value) -> (Inst, Region, Region) {
    let (then, els) = (c.func.add_region(), c.func.add_region());
    (c.push(Op::If { then, els }, &[cond], &[ValType::I32]), then, els)
}

#[test]
fn constant_conditions_choose_their_arm() {
    let f = func(&[ValType::I32], |c, p| {
        let zero = c.i32(0);
        let (inst, then, els) = if_else(c, zero);
        Cursor::at(c.func, then, SrcLoc::NONE).push(Op::Trap(TrapCode::Unreachable), &[], &[]);
        let mut inner = Cursor::at(c.func, els, SrcLoc::NONE);
        inner.push(Op::BrIf { target: inst }, &[zero, zero], &[]);
        inner.push(USE, &[], &[]);
        inner.yield_(&[p[0]]);
        let result = c.func.results(inst)[0];
        c.push(USE, &[result], &[]);
    });
    let text = after(f, |f| {
        fold::run(f);
        // The branch is gone now, and so nothing needs the block.
        fold::run(f);
        dce::run(f);
    });
    assert_eq!(text, ["Call(Func(1))", "Call(Func(1)) v0", "Return"]);
}

#[test]
fn what_follows_a_spliced_end_is_gone() {
    let f = func(&[ValType::I32], |c, _| {
        let one = c.i32(1);
        let (_, then, els) = if_else(c, one);
        Cursor::at(c.func, then, SrcLoc::NONE).push(Op::Return, &[], &[]);
        Cursor::at(c.func, els, SrcLoc::NONE).yield_(&[one]);
        c.push(USE, &[], &[]);
    });
    assert_eq!(after(f, fold::run), ["v1 = Core(I32Const { value: 1 })", "Return"]);
}

#[test]
fn a_parameter_that_only_feeds_itself_goes() {
    let f = func(&[ANY, ValType::I32], |c, p| {
        let body = c.func.add_region();
        let (dead, live) = (c.func.add_param(body, ANY), c.func.add_param(body, ValType::I32));
        let inst = c.push(Op::Loop { body }, &[p[0], p[1]], &[ANY, ValType::I32]);
        let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
        let same = inner.value(Op::Ref(RefOp::Refine), &[dead], ANY);
        inner.push(Op::BrIf { target: inst }, &[live, same, live], &[]);
        inner.yield_(&[same, live]);
        let results = c.func.results(inst).to_vec();
        c.push(USE, &results[1..], &[]);
    });
    let text = after(f, dce::run);
    assert_eq!(text[0], "v5 = Loop { body: region1 } v1");
    assert_eq!(text[1..], ["BrIf { target: inst0 } v3 v3", "Yield v3", "Call(Func(1)) v5", "Return"]);
}

/// A loop that built a list which nobody read lost its allocations, and so ran forever where the heap
/// should have filled up and trapped: an allocation stays, as does a read that may trap.
#[test]
fn what_may_trap_stays() {
    let w = world();
    let f = func(&[nullable(w.base), ValType::Ref(RefType::new(false, w.base))], |c, p| {
        c.value(get(w.base, 0), &[p[0]], ValType::I32);
        c.value(get(w.base, 0), &[p[1]], ValType::I32);
        c.value(Op::Struct(StructOp::NewDefault(World::id(w.base))), &[], nullable(w.base));
    });
    let text = after(f, dce::run);
    assert_eq!(text.len(), 3, "{text:?}");
    assert!(text[0].ends_with(" v0") && text[1].contains("NewDefault"));
}

fn global_get(c: &mut Cursor<'_, 'static>, index: u32) -> Value {
    c.value(Op::Global(GlobalOp::Get(index)), &[], ANY)
}

/// What is used behind an instruction, of a global that was set before it.
fn global_behind(global: u32, between: impl FnOnce(&mut Cursor<'_, 'static>, Value)) -> String {
    let w = world();
    let f = func(&[ANY, ANY], |c, p| {
        c.push(Op::Global(GlobalOp::Set(global)), &[p[0]], &[]);
        between(c, p[1]);
        let got = global_get(c, global);
        c.push(USE, &[got], &[]);
    });
    after(f, loads(&w.types)).iter().rev().nth(1).cloned().unwrap_or_default()
}

#[test]
fn a_global_is_forwarded_until_it_may_be_written() {
    let set = |index| {
        move |c: &mut Cursor<'_, 'static>, v: Value| {
            c.push(Op::Global(GlobalOp::Set(index)), &[v], &[]);
        }
    };
    // 0 and 1 are the module's own; 2 and 3 are imported.
    assert_eq!(global_behind(0, |_, _| {}), "Call(Func(1)) v0");
    assert_eq!(global_behind(0, set(1)), "Call(Func(1)) v0");
    assert_eq!(global_behind(0, set(0)), "Call(Func(1)) v1");
    assert_eq!(global_behind(2, set(0)), "Call(Func(1)) v0");
    assert_eq!(global_behind(2, set(3)), "Call(Func(1)) v2");
    let call = |c: &mut Cursor<'_, 'static>, _| {
        c.push(USE, &[], &[]);
    };
    assert_eq!(global_behind(0, call), "Call(Func(1)) v2");
}

#[test]
fn a_global_that_a_loop_writes_is_read_again() {
    let w = world();
    let f = func(&[ANY, ANY], |c, p| {
        global_get(c, 1);
        global_get(c, 0);
        let body = c.func.add_region();
        let inst = c.push(Op::Loop { body }, &[], &[]);
        let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
        let (again, other) = (global_get(&mut inner, 1), global_get(&mut inner, 0));
        inner.push(Op::Global(GlobalOp::Set(0)), &[p[0]], &[]);
        let cond = inner.value(Op::Ref(RefOp::Eq), &[again, other], ValType::I32);
        inner.push(Op::BrIf { target: inst }, &[cond], &[]);
        inner.yield_(&[]);
    });
    let lines = after(f, loads(&w.types));
    let reads = |index: u32| lines.iter().filter(|l| l.contains(&format!("Get({index})"))).count();
    assert_eq!((reads(0), reads(1)), (2, 1), "{lines:#?}");
}

#[test]
fn a_global_that_a_loop_reads_and_writes_is_its_parameter() {
    let w = world();
    let turns = |global: u32, call: bool| {
        let f = func(&[ANY], |c, p| {
            let body = c.func.add_region();
            let inst = c.push(Op::Loop { body }, &[], &[]);
            let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
            let got = global_get(&mut inner, global);
            inner.push(Op::Global(GlobalOp::Set(global)), &[p[0]], &[]);
            if call {
                inner.push(USE, &[], &[]);
            }
            let cond = inner.value(Op::Ref(RefOp::IsNull), &[got], ValType::I32);
            inner.push(Op::BrIf { target: inst }, &[cond], &[]);
            inner.yield_(&[]);
        });
        after(f, |f| crate::opt::optimize(f, scope(&w.types), &Candidates::default(), Passes::ALL))
    };
    // The branch carries what was written.
    assert_eq!(
        turns(0, false),
        [
            "v3 = Global(Get(0))",
            "Loop { body: region1 } v3",
            "Global(Set(0)) v0",
            "v2 = Ref(IsNull) v4",
            "BrIf { target: inst0 } v2 v0",
            "Yield",
            "Return"
        ]
    );
    let reads_in_loop =
        |lines: Vec<String>| lines.iter().skip_while(|l| !l.contains("Loop")).any(|l| l.contains("Get"));
    assert!(reads_in_loop(turns(0, true)) && reads_in_loop(turns(2, false)));
}

fn scalar(types: &TypeTable) -> impl FnOnce(&mut Func<'static>) + '_ {
    |func| crate::opt::scalars::run(func, scope(types))
}

#[test]
fn a_struct_that_nobody_sees_is_its_fields() {
    let w = world();
    let counter = |escapes: bool| {
        let f = func(&[ValType::I32], |c, p| {
            let op = Op::Struct(StructOp::New(World::id(w.other)));
            let object = c.value(op, &[p[0]], ValType::Ref(RefType::new(false, w.other)));
            let body = c.func.add_region();
            let inst = c.push(Op::Loop { body }, &[], &[]);
            let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
            let old = inner.value(get(w.other, 0), &[object], ValType::I32);
            let new = inner.i32_op(wasmparser::Operator::I32Add, old, p[0]);
            inner.push(set(w.other, 0), &[object, new], &[]);
            inner.push(Op::BrIf { target: inst }, &[new], &[]);
            inner.yield_(&[]);
            let end = c.value(get(w.other, 0), &[object], ValType::I32);
            c.push(USE, &[if escapes { object } else { end }], &[]);
        });
        after(f, scalar(&w.types))
    };
    let kept = counter(true);
    assert!(kept.iter().any(|line| line.contains("New")) && kept.iter().any(|line| line.contains("Set")), "{kept:#?}");
    let gone = counter(false);
    assert_eq!(gone[1..5], ["v3 = Core(I32Add) v5 v0", "BrIf { target: inst1 } v3 v3", "Yield v3", "Call(Func(1)) v6"]);
}

#[test]
fn arms_hand_over_what_they_wrote() {
    let w = world();
    let f = func(&[ValType::I32], |c, p| {
        let op = Op::Struct(StructOp::NewDefault(World::id(w.other)));
        let object = c.value(op, &[], ValType::Ref(RefType::new(false, w.other)));
        c.if_else(
            p[0],
            &[],
            |c| {
                c.push(set(w.other, 0), &[object, p[0]], &[]);
                c.yield_(&[]);
            },
            |c| c.yield_(&[]),
        );
        let end = c.value(get(w.other, 0), &[object], ValType::I32);
        c.push(USE, &[end], &[]);
    });
    let text = after(f, scalar(&w.types));
    assert_eq!(text[0], "v3 = Core(I32Const { value: 0 })");
    assert_eq!(text[2..5], ["Yield v0", "Yield v3", "Call(Func(1)) v4"]);
}

/// A loop that carries a struct, which each turn makes anew from what it reads of the last one. `how` may do more with it.
fn carried(w: &World, how: impl Fn(&mut Cursor<'_, 'static>, Value)) -> Vec<String> {
    let ty = ValType::Ref(RefType::new(false, w.other));
    let new = || Op::Struct(StructOp::New(World::id(w.other)));
    let f = func(&[ValType::I32], |c, p| {
        let first = c.value(new(), &[p[0]], ty);
        let body = c.func.add_region();
        let param = c.func.add_param(body, ANY);
        let inst = c.push(Op::Loop { body }, &[first], &[ValType::I32]);
        let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
        let cast = inner.value(Op::Ref(RefOp::Cast(RefType::new(false, w.other))), &[param], ty);
        let old = inner.value(get(w.other, 0), &[cast], ValType::I32);
        let sum = inner.i32_op(wasmparser::Operator::I32Add, old, p[0]);
        let next = inner.value(new(), &[sum], ty);
        how(&mut inner, cast);
        inner.push(Op::BrIf { target: inst }, &[sum, next], &[]);
        inner.yield_(&[old]);
        let end = c.func.results(inst)[0];
        c.push(USE, &[end], &[]);
    });
    after(f, scalar(&w.types))
}

#[test]
fn a_struct_that_a_loop_carries_is_its_fields() {
    let w = world();
    let gone = carried(&w, |_, _| {});
    assert_eq!(gone[..2], ["v3 = Loop { body: region1 } v0", "v6 = Core(I32Add) v8 v0"]);
    assert_eq!(gone[2..5], ["BrIf { target: inst1 } v6 v6", "Yield v8", "Call(Func(1)) v3"]);
    let kept = |lines: Vec<String>| lines.iter().filter(|line| line.contains("New")).count();
    // Somebody sees it, writes to it, asks which it is, or takes it for what it is not.
    let seen = carried(&w, |c, object| {
        c.push(USE, &[object], &[]);
    });
    assert_eq!(kept(seen), 2);
    assert_eq!(
        kept(carried(&w, |c, object| {
            let one = c.i32(1);
            c.push(set(w.other, 0), &[object, one], &[]);
        })),
        2
    );
    assert_eq!(
        kept(carried(&w, |c, object| {
            let same = c.value(Op::Ref(RefOp::Eq), &[object, object], ValType::I32);
            c.push(USE, &[same], &[]);
        })),
        2
    );
    assert_eq!(
        kept(carried(&w, |c, object| {
            c.value(
                Op::Ref(RefOp::Cast(RefType::new(false, w.base))),
                &[object],
                ValType::Ref(RefType::new(false, w.base)),
            );
        })),
        2
    );
    // A test has an outcome that is known.
    let tested = carried(&w, |c, object| {
        let is = c.value(Op::Ref(RefOp::Test(RefType::new(false, w.base))), &[object], ValType::I32);
        c.push(USE, &[is], &[]);
    });
    assert!(
        kept(tested.clone()) == 0 && tested.iter().any(|line| line.contains("I32Const { value: 0 }")),
        "{tested:#?}"
    );
}

#[test]
fn structs_of_two_arms_are_their_fields() {
    let w = world();
    let arms = |second: HeapType| {
        let f = func(&[ValType::I32], |c, p| {
            let make = |heap: HeapType| {
                move |c: &mut Cursor<'_, 'static>| {
                    let args = if heap == w.other { vec![p[0]] } else { vec![] };
                    let op = if heap == w.other { StructOp::New } else { StructOp::NewDefault };
                    let made = c.value(Op::Struct(op(World::id(heap))), &args, ValType::Ref(RefType::new(false, heap)));
                    c.yield_(&[made]);
                }
            };
            let inst = c.if_else(p[0], &[ANY], make(w.other), make(second));
            let got = c.func.results(inst)[0];
            let is = c.value(Op::Ref(RefOp::Test(RefType::new(false, w.other))), &[got], ValType::I32);
            c.push(USE, &[is], &[]);
        });
        after(f, scalar(&w.types))
    };
    let made = |lines: Vec<String>| lines.iter().filter(|line| line.contains("Struct(New")).count();
    assert_eq!((made(arms(w.other)), made(arms(w.base))), (0, 2));
}

#[test]
fn where_there_are_too_many_merges_all_stay_objects() {
    let w = world();
    let made = |merges: usize| {
        let f = func(&[ValType::I32], |c, p| {
            for _ in 0..merges {
                let arm = |c: &mut Cursor<'_, 'static>| {
                    let op = Op::Struct(StructOp::New(World::id(w.other)));
                    let made = c.value(op, &[p[0]], ValType::Ref(RefType::new(false, w.other)));
                    c.yield_(&[made]);
                };
                let inst = c.if_else(p[0], &[ANY], arm, arm);
                let got = c.func.results(inst)[0];
                let is = c.value(Op::Ref(RefOp::IsNull), &[got], ValType::I32);
                c.push(USE, &[is], &[]);
            }
        });
        after(f, scalar(&w.types)).iter().filter(|line| line.contains("Struct(New")).count()
    };
    assert_eq!((made(128), made(129)), (0, 258));
}
