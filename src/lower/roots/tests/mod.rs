//! Tests of root assignment: small functions against what is expected of them, and random functions
//! executed on a machine whose collector moves everything at every safepoint.

mod broken;
mod generate;
mod machine;

use super::{assign_roots, check_roots};
use crate::fault::Error;
use crate::ir::{Callee, Cursor, Func, HeapOp, Op, SrcLoc, Value, print::print, verify::verify};
use crate::types::{HeapType, RefType, ValType};
use proptest::prelude::*;

const ANY: ValType = ValType::Ref(RefType::new(true, HeapType::Any));
const EXTERN: ValType = ValType::Ref(RefType::new(true, HeapType::Extern));

/// Functions with an even index may collect.
fn collects(callee: &Callee) -> bool {
    !matches!(callee, Callee::Func(n) if n % 2 == 1)
}

const GC: Op<'static> = Op::Call(Callee::Func(0));
const USE: Op<'static> = Op::Call(Callee::Func(1));

fn func(params: &[ValType], fill: impl FnOnce(&mut Cursor<'_, 'static>, &[Value])) -> Func<'static> {
    let mut func = Func::new(0, params, &[]);
    let (body, params) = (func.body, func.params().to_vec());
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    fill(&mut c, &params);
    c.push(Op::Return, &[], &[]);
    assert_eq!(verify(&func), Ok(()));
    func
}

/// An `if` whose other arm does nothing.
fn only_if(c: &mut Cursor<'_, 'static>, cond: Value, then: impl FnOnce(&mut Cursor<'_, 'static>)) {
    c.if_else(cond, &[], then, |c| c.yield_(&[]));
}

/// What root assignment made of a function: its heap operations, calls and control, a word each.
fn assigned(mut func: Func<'static>) -> (Func<'static>, String) {
    assign_roots(&mut func, &collects).unwrap();
    assert_eq!(verify(&func), Ok(()), "{}", print(&func));
    let mut words = Vec::new();
    brief(&func, func.body, &mut words);
    (func, words.join(" "))
}

fn brief(func: &Func<'_>, region: crate::ir::Region, words: &mut Vec<String>) {
    for &inst in &func.regions[region].insts {
        let word = match &func.insts[inst].op {
            Op::Heap(HeapOp::Spill { slot }) => format!("spill{slot}"),
            Op::Heap(HeapOp::Reload { slot }) => format!("reload{slot}"),
            Op::Heap(HeapOp::Clear { slot }) => format!("clear{slot}"),
            Op::Heap(HeapOp::SetTop { slots }) => format!("top{slots}"),
            Op::Heap(_) => {
                let slots: Vec<_> = func.refresh[inst].iter().map(|(slot, _)| slot.to_string()).collect();
                format!("alloc({})", slots.join(","))
            }
            Op::Call(Callee::Func(0)) if !func.refresh[inst].is_empty() => {
                let slots: Vec<_> = func.refresh[inst].iter().map(|(slot, _)| slot.to_string()).collect();
                format!("GC({})", slots.join(","))
            }
            Op::Call(Callee::Func(0)) => "GC".to_string(),
            Op::Call(_) => "use".to_string(),
            Op::Block { .. } => "block".to_string(),
            Op::Loop { .. } => "loop".to_string(),
            Op::If { .. } => "if".to_string(),
            _ => continue,
        };
        words.push(word);
        for region in func.insts[inst].op.regions() {
            words.push("{".to_string());
            brief(func, region, words);
            words.push("}".to_string());
        }
    }
}

#[test]
fn a_value_across_a_call_is_spilled_once_and_reloaded_lazily() {
    let f = func(&[ANY], |c, p| {
        c.push(GC, &[], &[]);
        c.push(GC, &[], &[]);
        c.push(USE, &[p[0]], &[]);
        c.push(USE, &[p[0]], &[]);
        c.push(GC, &[], &[]);
        c.push(USE, &[p[0]], &[]);
    });
    assert_eq!(assigned(f).1, "spill0 top1 GC GC reload0 use use GC reload0 use");
}

#[test]
fn what_does_not_cross_needs_no_frame() {
    let f = func(&[ANY], |c, p| {
        c.push(GC, &[p[0]], &[]);
        c.alloc(8, ANY);
        c.push(GC, &[], &[]);
    });
    let (f, text) = assigned(f);
    assert_eq!((text.as_str(), f.frame.slots), ("GC alloc() GC", 0));
}

#[test]
fn an_allocation_refreshes_in_place() {
    let f = func(&[ANY, ANY], |c, p| {
        c.alloc(8, ANY);
        c.push(USE, p, &[]);
    });
    let (f, text) = assigned(f);
    assert_eq!((text.as_str(), f.frame.slots), ("alloc(0,1) use", 2));
}

#[test]
fn the_top_shrinks_as_values_die_and_the_longest_lived_is_lowest() {
    let f = func(&[ANY, ANY], |c, p| {
        c.push(GC, &[], &[]);
        c.push(USE, &[p[0]], &[]);
        c.push(GC, &[], &[]);
        c.push(USE, &[p[1]], &[]);
    });
    assert_eq!(assigned(f).1, "spill0 spill1 top2 GC reload1 use top1 GC reload0 use");
}

#[test]
fn a_dead_slot_below_the_top_is_cleared_once() {
    let f = func(&[ANY, ANY], |c, p| {
        c.push(GC, &[], &[]);
        c.push(USE, &[p[0]], &[]);
        let late = c.alloc(8, ANY);
        c.push(USE, &[p[1]], &[]);
        c.push(GC, &[], &[]);
        c.push(USE, &[p[0], late], &[]);
        c.push(GC, &[], &[]);
        c.push(USE, &[late], &[]);
        c.push(GC, &[], &[]);
        c.push(USE, &[late], &[]);
    });
    let text = assigned(f).1;
    assert!(text.ends_with("clear0 GC reload1 use GC reload1 use"), "{text}");
}

#[test]
fn the_slot_of_a_value_that_is_dead_in_an_arm_is_cleared_or_reused_there() {
    let f = func(&[ANY, ANY, ValType::I32], |c, p| {
        c.push(GC, &[], &[]);
        c.if_else(
            p[2],
            &[],
            |c| {
                c.push(GC, &[], &[]);
                c.push(USE, &[p[1]], &[]);
                let own = c.alloc(8, ANY);
                c.push(GC, &[], &[]);
                c.push(USE, &[own], &[]);
                c.push(Op::Trap(crate::ir::TrapCode::Unreachable), &[], &[]);
            },
            |c| c.yield_(&[]),
        );
        c.push(USE, &[p[0]], &[]);
    });
    let expected =
        "spill0 spill1 top2 GC if { clear0 GC reload1 use alloc() spill0 top1 GC reload0 use } { } reload0 use";
    assert_eq!(assigned(f).1, expected);
}

#[test]
fn a_dead_slot_may_come_back_to_a_loop_as_garbage() {
    let f = func(&[ANY, ValType::I32], |c, p| {
        c.push(GC, &[], &[]);
        let late = c.alloc(8, ANY);
        c.push(GC, &[], &[]);
        c.push(USE, &[p[0]], &[]);
        // The slot is null from here to the loop, but not when the loop repeats.
        c.push(GC, &[], &[]);
        let body = c.func.add_region();
        let inst = c.push(Op::Loop { body }, &[], &[]);
        let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
        inner.push(GC, &[], &[]);
        let own = inner.alloc(8, ANY);
        inner.push(GC, &[], &[]);
        inner.push(USE, &[own, late], &[]);
        inner.push(Op::BrIf { target: inst }, &[p[1]], &[]);
        inner.yield_(&[]);
    });
    let expected = "spill0 top1 GC reload0 alloc(0) spill1 top2 GC reload0 use clear0 GC \
                    loop { clear0 top2 GC reload1 alloc(1) spill0 top2 GC reload0 reload1 use }";
    assert_eq!(assigned(f).1, expected);
}

#[test]
fn a_call_in_a_cold_arm_that_traps_costs_the_hot_path_nothing() {
    let f = func(&[ANY, ValType::I32], |c, p| {
        only_if(c, p[1], |c| {
            c.push(GC, &[], &[]);
            c.push(Op::Trap(crate::ir::TrapCode::Unreachable), &[], &[]);
        });
        c.push(USE, &[p[0]], &[]);
    });
    assert_eq!(assigned(f).1, "if { GC } { } use");
}

#[test]
fn a_value_that_dies_in_an_arm_is_spilled_there() {
    let f = func(&[ANY, ValType::I32], |c, p| {
        only_if(c, p[1], |c| {
            c.push(GC, &[], &[]);
            c.push(GC, &[], &[]);
            c.push(USE, &[p[0]], &[]);
            c.yield_(&[]);
        });
    });
    assert_eq!(assigned(f).1, "if { spill0 top1 GC GC reload0 use } { }");
}

#[test]
fn a_loop_spills_and_publishes_in_front() {
    let f = func(&[ANY, ValType::I32], |c, p| {
        let body = c.func.add_region();
        let inst = c.push(Op::Loop { body }, &[], &[]);
        let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
        inner.push(USE, &[p[0]], &[]);
        inner.push(GC, &[], &[]);
        inner.push(Op::BrIf { target: inst }, &[p[1]], &[]);
        inner.yield_(&[]);
    });
    assert_eq!(assigned(f).1, "spill0 top1 loop { reload0 use GC }");
}

#[test]
fn a_refined_value_is_its_operand() {
    let sub = ValType::Ref(RefType::new(false, HeapType::Struct));
    let f = func(&[ANY], |c, p| {
        let refined = c.value(Op::Ref(crate::ir::RefOp::Refine), &[p[0]], sub);
        c.push(GC, &[], &[]);
        c.push(USE, &[refined, p[0]], &[]);
    });
    assert_eq!(assigned(f).1, "spill0 top1 GC reload0 use");
}

#[test]
fn many_values_over_many_allocations_have_short_lists() {
    let many = |n: usize| {
        let f = func(&[], |c, _| {
            let all: Vec<_> = (0..n).map(|_| c.alloc(8, ANY)).collect();
            c.push(USE, &all, &[]);
        });
        let (f, _) = assigned(f);
        let entries: usize = f.refresh.values().map(Vec::len).sum();
        assert!(entries < n * 20, "{entries}");
        f
    };
    machine::check(&many(400), 1).unwrap();
    many(20_000);
}

#[test]
fn too_much_is_refused() {
    let f = func(&[], |c, _| {
        let all: Vec<_> = (0..8_000).map(|_| c.alloc(8, ANY)).collect();
        for _ in 0..30_000 {
            let body = c.func.add_region();
            let block = c.push(Op::Block { body }, &[], &[]);
            Cursor::at(c.func, body, SrcLoc::NONE).push(Op::Br { target: block }, &[], &[]);
        }
        c.push(USE, &all, &[]);
    });
    let mut f = f;
    assert!(matches!(assign_roots(&mut f, &collects), Err(Error::TooComplex { .. })));
}

#[test]
fn deep_nesting_does_not_recurse() {
    let f = func(&[ANY], |c, p| {
        let mut region = c.region;
        for _ in 0..50_000 {
            let body = c.func.add_region();
            Cursor::at(c.func, region, SrcLoc::NONE).push(Op::Block { body }, &[], &[]);
            if region != c.region {
                Cursor::at(c.func, region, SrcLoc::NONE).yield_(&[]);
            }
            region = body;
        }
        let mut inner = Cursor::at(c.func, region, SrcLoc::NONE);
        inner.push(GC, &[], &[]);
        inner.push(USE, &[p[0]], &[]);
        inner.yield_(&[]);
    });
    let mut f = f;
    assign_roots(&mut f, &collects).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_functions_run_as_if_nothing_moved(choices in prop::collection::vec(any::<u8>(), 0..600)) {
        let before = generate::function(&choices);
        prop_assert_eq!(verify(&before), Ok(()), "{}", print(&before));
        let mut after = before.clone();
        assign_roots(&mut after, &collects).unwrap();
        prop_assert_eq!(verify(&after), Ok(()), "{}", print(&after));
        if let Err(what) = check_roots(&before, &after, &collects) {
            prop_assert!(false, "{}\n{}\n{}", what, print(&before), print(&after));
        }
        for seed in 0..12 {
            if let Err(what) = machine::same(&before, &after, seed) {
                prop_assert!(false, "{}\n{}\n{}\nrefresh {:?}", what, print(&before), print(&after),
                    after.refresh.iter().filter(|(_, list)| !list.is_empty()).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn a_call_in_one_arm_saves_and_reloads_there() {
    let f = func(&[ANY, ValType::I32], |c, p| {
        only_if(c, p[1], |c| {
            c.push(GC, &[], &[]);
            c.yield_(&[]);
        });
        c.push(USE, &[p[0]], &[]);
    });
    let (f, text) = assigned(f);
    assert_eq!((text.as_str(), f.frame.slots), ("if { GC(0) } { } use", 1));
}

#[test]
fn calls_in_both_arms_are_no_exception() {
    let f = func(&[ANY, ValType::I32], |c, p| {
        let arm = |c: &mut Cursor<'_, 'static>| {
            c.push(GC, &[], &[]);
            c.yield_(&[]);
        };
        c.if_else(p[1], &[], arm, arm);
        c.push(USE, &[p[0]], &[]);
    });
    assert_eq!(assigned(f).1, "spill0 if { top1 GC } { top1 GC } reload0 use");
}

#[test]
fn what_a_branch_may_skip_in_a_block_is_one_of_several_ways() {
    let f = func(&[ANY, ValType::I32], |c, p| {
        let body = c.func.add_region();
        let block = c.push(Op::Block { body }, &[], &[]);
        let mut inner = Cursor { func: c.func, region: body, loc: c.loc };
        inner.push(Op::BrIf { target: block }, &[p[1]], &[]);
        inner.push(GC, &[], &[]);
        inner.yield_(&[]);
        c.push(USE, &[p[0]], &[]);
    });
    assert_eq!(assigned(f).1, "block { GC(0) } use");
}

/// What is saved already is not saved again; what nobody needs behind the call is not saved at all.
#[test]
fn a_cold_call_keeps_what_is_saved_below_its_top() {
    let f = func(&[ANY, ValType::I32, ANY], |c, p| {
        c.push(GC, &[], &[]);
        only_if(c, p[1], |c| {
            c.push(GC, &[], &[]);
            c.yield_(&[]);
        });
        c.push(USE, &[p[0]], &[]);
    });
    assert_eq!(assigned(f).1, "spill0 top1 GC if { reload0 GC(0) } { } reload0 use");
}

/// A body that calls and goes round again is the loop itself, and no seldom way in it.
#[test]
fn what_goes_back_to_a_loop_is_no_cold_way() {
    let f = func(&[ANY, ValType::I32], |c, p| {
        let body = c.func.add_region();
        let looped = c.push(Op::Loop { body }, &[], &[]);
        let mut inner = Cursor { func: c.func, region: body, loc: c.loc };
        only_if(&mut inner, p[1], |c| {
            c.push(GC, &[], &[]);
            c.push(Op::Br { target: looped }, &[], &[]);
        });
        inner.yield_(&[]);
        c.push(USE, &[p[0]], &[]);
    });
    assert_eq!(assigned(f).1, "spill0 top1 loop { if { GC } { } } reload0 use");
}
