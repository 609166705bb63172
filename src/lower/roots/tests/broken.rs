//! The checker finds what is broken on purpose: one instruction of what root assignment added is taken
//! away or changed.

use super::{ANY, GC, USE, assign_roots, check_roots, collects, func};
use crate::ir::{Func, HeapOp, Inst, Op, ValueDef};
use proptest::prelude::*;

/// Two references across calls and allocations, one of them in a loop, and one that dies early.
fn example() -> Func<'static> {
    func(&[ANY, ANY, crate::types::ValType::I32], |c, p| {
        c.push(GC, &[], &[]);
        let late = c.alloc(8, ANY);
        c.push(USE, &[p[1]], &[]);
        let body = c.func.add_region();
        let inst = c.push(Op::Loop { body }, &[], &[]);
        let mut inner = crate::ir::Cursor::at(c.func, body, crate::ir::SrcLoc::NONE);
        inner.push(USE, &[p[0]], &[]);
        inner.push(GC, &[], &[]);
        inner.push(Op::BrIf { target: inst }, &[p[2]], &[]);
        inner.yield_(&[]);
        c.push(USE, &[p[0], late], &[]);
        c.push(GC, &[], &[]);
        c.push(USE, &[late], &[]);
    })
}

fn verdict(before: &Func<'static>, after: &Func<'static>) -> Result<(), String> {
    check_roots(before, after, &collects).map_err(|err| err.to_string())
}

/// Instructions of these kinds, in order of number.
fn find(func: &Func<'static>, wanted: impl Fn(&HeapOp) -> bool) -> Vec<Inst> {
    func.insts.keys().filter(|&inst| matches!(&func.insts[inst].op, Op::Heap(op) if wanted(op))).collect()
}

fn remove(func: &mut Func<'static>, inst: Inst) {
    func.regions.values_mut().for_each(|region| region.insts.retain(|&other| other != inst));
}

/// The value of a removed reload is another name of the reference it loaded: the stale one.
fn unload(before: &Func<'static>, func: &mut Func<'static>, reload: Inst) {
    let results = func.results(reload).to_vec();
    for user in func.insts.keys().collect::<Vec<_>>() {
        for n in 0..func.args(user).len() {
            if results.contains(&func.args(user)[n]) && before.insts.get(user).is_some() {
                let old = before.args(user)[n];
                func.args_mut(user)[n] = old;
            }
        }
    }
    remove(func, reload);
}

#[test]
fn a_missing_spill_reload_clear_or_top_is_found() {
    let before = example();
    let mut after = before.clone();
    assign_roots(&mut after, &collects).unwrap();
    verdict(&before, &after).unwrap();
    for inst in find(&after, |op| matches!(op, HeapOp::Spill { .. } | HeapOp::Clear { .. } | HeapOp::SetTop { .. })) {
        let mut broken = after.clone();
        remove(&mut broken, inst);
        assert!(verdict(&before, &broken).is_err(), "without {inst}, {:?}", after.insts[inst].op);
    }
    let reloads = find(&after, |op| matches!(op, HeapOp::Reload { .. }));
    assert!(!reloads.is_empty());
    for inst in reloads {
        let mut broken = after.clone();
        unload(&before, &mut broken, inst);
        assert!(verdict(&before, &broken).unwrap_err().contains("may have moved"), "without {inst}");
    }
}

#[test]
fn a_forgotten_refresh_is_found() {
    let before = example();
    let mut after = before.clone();
    assign_roots(&mut after, &collects).unwrap();
    let allocs = find(&after, |op| matches!(op, HeapOp::Alloc { .. }));
    let lists: Vec<_> = allocs.iter().flat_map(|&a| (0..after.refresh[a].len()).map(move |n| (a, n))).collect();
    assert!(!lists.is_empty());
    for (alloc, n) in lists {
        let mut broken = after.clone();
        broken.refresh[alloc].remove(n);
        assert!(verdict(&before, &broken).is_err(), "without entry {n} of {alloc}");
    }
}

#[test]
fn a_reference_that_is_kept_alive_for_nothing_is_found() {
    let before = func(&[ANY, ANY], |c, p| {
        c.push(GC, &[], &[]);
        c.push(USE, &[p[0]], &[]);
        c.push(GC, &[], &[]);
        c.push(USE, &[p[1]], &[]);
    });
    let mut after = before.clone();
    assign_roots(&mut after, &collects).unwrap();
    for inst in find(&after, |op| matches!(op, HeapOp::SetTop { slots: 1 })) {
        after.insts[inst].op = Op::Heap(HeapOp::SetTop { slots: 2 });
    }
    assert!(verdict(&before, &after).unwrap_err().contains("dead"));
}

#[test]
fn the_wrong_reference_is_found() {
    let before = example();
    let mut after = before.clone();
    assign_roots(&mut after, &collects).unwrap();
    let params: Vec<_> = before.params()[..2].to_vec();
    let mut found = 0;
    for inst in find(&after, |op| matches!(op, HeapOp::Spill { .. })) {
        let mut broken = after.clone();
        let other = params.iter().find(|&&p| p != broken.args(inst)[0]).copied().unwrap();
        assert!(matches!(broken.values[other].def, ValueDef::Param(..)));
        broken.args_mut(inst)[0] = other;
        assert!(verdict(&before, &broken).is_err(), "{inst} spills {other}");
        found += 1;
    }
    assert!(found > 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the machine that moves everything objects to, the checker objects to as well.
    #[test]
    fn it_objects_to_what_goes_wrong(choices in prop::collection::vec(any::<u8>(), 0..400), which in any::<u16>()) {
        let before = super::generate::function(&choices);
        let mut after = before.clone();
        assign_roots(&mut after, &collects).unwrap();
        let added = find(&after, |op| matches!(op, HeapOp::Spill { .. } | HeapOp::Clear { .. } | HeapOp::SetTop { .. }));
        prop_assume!(!added.is_empty());
        remove(&mut after, added[which as usize % added.len()]);
        if (0..12).any(|seed| super::machine::same(&before, &after, seed).is_err()) {
            prop_assert!(verdict(&before, &after).is_err());
        }
    }
}
