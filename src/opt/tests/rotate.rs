//! Loops that begin with a test.

use super::passes::{USE, after, func};
use crate::ir::{Cursor, Inst, Op, TrapCode, Value, verify::verify};
use crate::opt::rotate;
use crate::types::ValType;
use wasmparser::Operator;

const I32: ValType = ValType::I32;

/// A loop from the first of three parameters to the second, whose body is made by a closure: it is given the loop, the
/// counter, and the condition.
fn counting(fill: impl FnOnce(&mut Cursor<'_, 'static>, Inst, Value, Value)) -> Vec<String> {
    let made = func(&[I32; 3], |c, p| {
        let body = c.func.add_region();
        let counter = c.func.add_param(body, I32);
        let inst = c.push(Op::Loop { body }, &[p[0]], &[I32]);
        let mut inner = Cursor::at(c.func, body, c.loc);
        let cond = inner.i32_op(Operator::I32LtS, counter, p[1]);
        fill(&mut inner, inst, counter, cond);
        let result = c.func.results(inst)[0];
        c.effect(Operator::Drop, &[result]);
    });
    after(made, rotate::run)
}

/// `if cond { each; br loop (counter + 1) } else { yield }; yield counter`.
fn plain(each: impl FnOnce(&mut Cursor<'_, 'static>, Inst, Value)) -> Vec<String> {
    counting(|c, inst, counter, cond| {
        let on = |c: &mut Cursor<'_, 'static>| {
            each(c, inst, counter);
            let one = c.i32(1);
            let next = c.i32_op(Operator::I32Add, counter, one);
            c.push(Op::Br { target: inst }, &[next], &[]);
        };
        c.if_else(cond, &[], on, |c| c.yield_(&[]));
        c.yield_(&[counter]);
    })
}

/// What stands in the loop.
fn turn(lines: &[String]) -> &[String] {
    let start = lines.iter().position(|line| line.contains("Loop")).expect("a loop");
    &lines[start..]
}

fn position(lines: &[String], what: &str) -> usize {
    lines.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what}: {lines:#?}"))
}

#[test]
fn the_test_stands_before_the_loop_and_at_its_end() {
    let lines = plain(|_, _, _| ());
    let all = turn(&lines);
    assert_eq!(lines.iter().filter(|line| line.contains("I32LtS")).count(), 2, "{lines:#?}");
    assert!(position(&lines, "I32LtS") < position(&lines, "Loop"));
    // In each turn: count, compare, branch.
    assert!(position(all, "I32Add") < position(all, "I32LtS") && position(all, "I32LtS") < position(all, "BrIf"));
    assert!(!all.iter().any(|line| line.starts_with("If") || line.contains("I32Eqz")), "{all:#?}");
    // Of what the next turn begins with, not of what this one did.
    let next = all[position(all, "I32Add")].split(" = ").next().expect("a result");
    assert!(all[position(all, "I32LtS")].contains(&format!("{next} ")), "{all:#?}");
}

#[test]
fn where_it_goes_on_when_the_condition_is_zero_the_opposite_is_asked() {
    let lines = counting(|c, inst, counter, cond| {
        let on = |c: &mut Cursor<'_, 'static>| {
            c.push(Op::Br { target: inst }, &[counter], &[]);
        };
        c.if_else(cond, &[], |c| c.yield_(&[]), on);
        c.yield_(&[counter]);
    });
    let all = turn(&lines);
    assert!(position(all, "I32Eqz") < position(all, "BrIf"), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.contains("I32Eqz")).count(), 1);
}

#[test]
fn a_branch_out_of_the_loop_is_a_test_too() {
    let made = func(&[I32; 2], |c, p| {
        let out = c.func.add_region();
        let block = c.push(Op::Block { body: out }, &[], &[I32]);
        let mut c = Cursor::at(c.func, out, c.loc);
        let body = c.func.add_region();
        let counter = c.func.add_param(body, I32);
        let inst = c.push(Op::Loop { body }, &[p[0]], &[I32]);
        let result = c.func.results(inst)[0];
        c.yield_(&[result]);
        let mut c = Cursor::at(c.func, body, c.loc);
        let done = c.i32_op(Operator::I32GeS, counter, p[1]);
        c.push(Op::BrIf { target: block }, &[done, counter], &[]);
        let one = c.i32(1);
        let next = c.i32_op(Operator::I32Add, counter, one);
        c.push(Op::BrIf { target: inst }, &[next, next], &[]);
        // It ends without a test, too.
        c.yield_(&[next]);
    });
    let lines = after(made, rotate::run);
    let all = turn(&lines);
    assert_eq!(lines.iter().filter(|line| line.contains("I32GeS")).count(), 2, "{lines:#?}");
    assert!(position(all, "I32Add") < position(all, "I32GeS") && position(all, "I32GeS") < position(all, "I32Eqz"));
}

#[test]
fn several_branches_to_the_loop_meet_at_one_test() {
    let lines = plain(|c, inst, counter| {
        c.push(Op::BrIf { target: inst }, &[counter, counter], &[]);
    });
    let all = turn(&lines);
    assert!(all[1].contains("Block"), "{lines:#?}");
    assert_eq!(all.iter().filter(|line| line.contains("I32LtS")).count(), 1, "{lines:#?}");
}

/// What the test has computed is not computed again in the body: it may be something that changes.
#[test]
fn what_the_test_needed_comes_with_each_turn() {
    let mut sum = None;
    let lines = counting(|c, inst, counter, cond| {
        let more = c.i32_op(Operator::I32Mul, counter, counter);
        sum = Some(more);
        let on = |c: &mut Cursor<'_, 'static>| {
            let next = c.i32_op(Operator::I32Add, counter, more);
            c.push(Op::Br { target: inst }, &[next], &[]);
        };
        c.if_else(cond, &[], on, |c| c.yield_(&[]));
        c.yield_(&[more]);
    });
    let add = lines.iter().find(|line| line.contains("I32Add")).expect("it counts");
    assert!(add.contains(&sum.expect("it was made").to_string()), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.contains("I32Mul")).count(), 2, "{lines:#?}");
}

/// A check of an index that stands in the condition of a `while` is part of the test.
#[test]
fn checks_stand_twice_and_end_where_numbers_say_so() {
    let lines = |first: Option<u32>| {
        let made = func(&[I32; 2], |c, p| {
            let first = first.map_or(p[0], |first| c.i32(first));
            let body = c.func.add_region();
            let counter = c.func.add_param(body, I32);
            let inst = c.push(Op::Loop { body }, &[first], &[]);
            let mut c = Cursor::at(c.func, body, c.loc);
            let limit = c.i32(7);
            let over = c.i32_op(Operator::I32GeU, counter, limit);
            c.trap_if(over, TrapCode::ArrayOutOfBounds);
            let cond = c.i32_op(Operator::I32LtS, counter, p[1]);
            let on = |c: &mut Cursor<'_, 'static>| {
                let one = c.i32(1);
                let next = c.i32_op(Operator::I32Add, counter, one);
                c.push(Op::Br { target: inst }, &[next], &[]);
            };
            c.if_else(cond, &[], on, |c| c.yield_(&[]));
            c.yield_(&[]);
        });
        after(made, rotate::run)
    };
    let count = |lines: &[String], what: &str| lines.iter().filter(|line| line.contains(what)).count();
    let all = lines(None);
    assert_eq!([count(&all, "Trap"), count(&all, "I32GeU"), count(&all, "I32LtS")], [2; 3], "{all:#?}");
    // The engine tells the wrong place of a trap behind one that a constant says never happens.
    let all = lines(Some(3));
    assert_eq!([count(&all, "Trap"), count(&all, "I32GeU"), count(&all, "I32LtS")], [1, 1, 2], "{all:#?}");
}

/// A variable that is set to a number at the start of each turn was carried around: a division by it became a real one.
#[test]
fn numbers_are_not_carried() {
    let lines = counting(|c, inst, counter, cond| {
        let ten = c.i32(10);
        let on = |c: &mut Cursor<'_, 'static>| {
            let next = c.i32_op(Operator::I32DivU, counter, ten);
            c.push(Op::Br { target: inst }, &[next], &[]);
        };
        c.if_else(cond, &[], on, |c| c.yield_(&[]));
        c.yield_(&[ten]);
    });
    let ten = &lines[position(&lines, "value: 10")];
    let name = ten.split(" = ").next().expect("a result");
    assert!(lines[position(&lines, "I32DivU")].ends_with(&format!(" {name}")), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.contains("value: 10")).count(), 1);
    assert!(position(&lines, "value: 10") < position(&lines, "Loop"), "{lines:#?}");
}

#[test]
fn other_loops_stay() {
    let stays = |lines: Vec<String>| lines.iter().filter(|line| line.contains("I32LtS")).count() == 1;
    assert!(!stays(plain(|_, _, _| ())));
    let calls = |c: &mut Cursor<'_, 'static>| {
        c.push(USE, &[], &[]);
    };
    assert!(stays(plain(|c, _, _| calls(c))), "it calls in each turn");
    let seldom = |c: &mut Cursor<'_, 'static>, counter: Value| {
        c.if_else(
            counter,
            &[],
            |c| {
                calls(c);
                c.yield_(&[]);
            },
            |c| c.yield_(&[]),
        );
    };
    assert!(!stays(plain(|c, _, counter| seldom(c, counter))), "it calls in some");
    assert!(
        stays(counting(|c, inst, counter, cond| {
            let back = |c: &mut Cursor<'_, 'static>| {
                c.push(Op::BrIf { target: inst }, &[counter, counter], &[]);
                c.yield_(&[]);
            };
            c.if_else(cond, &[], back, |c| c.yield_(&[]));
            c.yield_(&[counter]);
        })),
        "both arms may leave"
    );
    assert!(
        stays(counting(|c, inst, counter, cond| {
            let mut sum = cond;
            (0..13).for_each(|_| sum = c.i32_op(Operator::I32Add, sum, counter));
            c.push(Op::BrIf { target: inst }, &[sum, sum], &[]);
            c.yield_(&[sum]);
        })),
        "it begins with much"
    );
}

/// Each loop is looked through for each that is around it, which would take some minutes.
#[test]
fn deeply_nested_loops_take_linear_time() {
    const DEPTH: usize = if cfg!(miri) { 30 } else { 30_000 };
    let mut made = func(&[I32], |c, p| {
        let (mut region, loc) = (c.func.add_region(), c.loc);
        c.push(Op::Block { body: region }, &[], &[]);
        for _ in 0..DEPTH {
            let mut c = Cursor::at(c.func, region, loc);
            let body = c.func.add_region();
            let inst = c.push(Op::Loop { body }, &[], &[]);
            c.yield_(&[]);
            let mut c = Cursor::at(c.func, body, loc);
            let on = c.func.add_region();
            c.if_else(p[0], &[], |c| c.yield_(&[]), |c| c.yield_(&[]));
            let last = c.func.regions[body].insts.pop().expect("an If");
            let (Op::If { els, .. }, cond) = (c.func.insts[last].op.clone(), p[0]) else { unreachable!() };
            c.push(Op::If { then: on, els }, &[cond], &[]);
            c.yield_(&[]);
            let inner = c.func.add_region();
            let mut c = Cursor::at(c.func, on, loc);
            c.push(Op::Block { body: inner }, &[], &[]);
            c.push(Op::Br { target: inst }, &[], &[]);
            region = inner;
        }
        Cursor::at(c.func, region, loc).yield_(&[]);
    });
    rotate::run(&mut made);
    assert_eq!(verify(&made), Ok(()));
}
