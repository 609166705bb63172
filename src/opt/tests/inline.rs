//! Which functions are put in the place of calls, and where an end is made.

use super::passes::{USE, after, func};
use super::{scope, world};
use crate::ir::{Callee, Cursor, Frequencies, Frequency, Func, Op, SrcLoc, Value, print::print, verify::verify};
use crate::opt::{Candidates, inline};
use crate::types::ValType;
use crate::workers::Workers;

/// A function with an index, which returns one `i32`.
pub(super) fn callee(index: u32, fill: impl FnOnce(&mut Cursor<'_, 'static>, Value)) -> Func<'static> {
    let mut func = Func::new(index, &[ValType::I32], &[ValType::I32]);
    let (body, param) = (func.body, func.params()[0]);
    fill(&mut Cursor::at(&mut func, body, SrcLoc(100 + index)), param);
    assert_eq!(verify(&func), Ok(()));
    func
}

pub(super) fn call(c: &mut Cursor<'_, 'static>, index: u32, arg: Value) -> Value {
    c.value(Op::Call(Callee::Func(index)), &[arg], ValType::I32)
}

/// One that does nothing but add, so many times.
fn sized(index: u32, size: u32) -> Func<'static> {
    callee(index, |c, p| {
        let sum = (0..size).fold(p, |sum, _| c.i32_op(wasmparser::Operator::I32Add, sum, p));
        c.push(Op::Return, &[sum], &[]);
    })
}

/// One that does nothing but call another.
fn calling(index: u32, to: u32) -> Func<'static> {
    callee(index, |c, p| {
        let got = call(c, to, p);
        c.push(Op::Return, &[got], &[]);
    })
}

/// The number of calls that are left of each function, when the last is a caller of all others.
fn calls_left(funcs: &[Func<'static>]) -> Vec<usize> {
    let candidates = Candidates::new(funcs.iter(), Frequencies::default(), Workers::Many);
    let mut caller = func(&[ValType::I32], |c, p| {
        for f in funcs {
            call(c, f.index, p[0]);
        }
    });
    caller.index = 99;
    let lines = after(caller, |f| {
        inline::run(f, scope(&world().types), &candidates);
    });
    let left = |f: &Func<'_>| lines.iter().filter(|l| l.contains(&format!("Call(Func({}))", f.index))).count();
    funcs.iter().map(left).collect()
}

#[test]
fn hints_tell_which_calls_are_worth_it() {
    // More than is put where a call is in no loop.
    let large = sized(5, 30);
    let small = callee(6, |c, p| {
        c.push(Op::Return, &[p], &[]);
    });
    let left = |frequency: Option<Frequency>| {
        let mut often = Frequencies::default();
        frequency.into_iter().for_each(|frequency| often.insert(7, frequency));
        let candidates = Candidates::new([&large, &small].into_iter(), often, Workers::Many);
        let caller = func(&[ValType::I32], |c, p| {
            c.loc = SrcLoc(7);
            let got = [call(c, 5, p[0]), call(c, 6, p[0])];
            c.push(Op::Core(wasmparser::Operator::Drop), &got[..1], &[]);
            c.push(USE, &got[1..], &[]);
        });
        let lines = after(caller, |f| {
            inline::run(f, scope(&world().types), &candidates);
        });
        [5, 6].map(|f| lines.iter().any(|l| l.contains(&format!("Call(Func({f}))"))))
    };
    assert_eq!(left(None), [true, false]);
    assert_eq!(left(Some(Frequency::Power(0))), [true, false]);
    assert_eq!(left(Some(Frequency::Power(5))), [false, false]);
    assert_eq!(left(Some(Frequency::Always)), [false, false]);
    assert_eq!(left(Some(Frequency::Power(-20))), [true, true]);
    assert_eq!(left(Some(Frequency::Never)), [true, true]);
}

#[test]
fn a_small_function_is_put_in_the_place_of_a_call() {
    let early = callee(5, |c, p| {
        let body = c.func.add_region();
        let one = c.i32(1);
        let mut inner = Cursor::at(c.func, body, c.loc);
        inner.push(Op::Return, &[one], &[]);
        c.push(Op::Block { body }, &[], &[]);
        c.push(Op::Return, &[p], &[]);
    });
    let outer = calling(6, 5);
    let candidates = Candidates::new([&early, &outer].into_iter(), Frequencies::default(), Workers::Many);
    let mut caller = func(&[ValType::I32], |c, p| {
        c.loc = SrcLoc(7);
        let got = call(c, 6, p[0]);
        c.push(USE, &[got], &[]);
    });
    assert!(inline::run(&mut caller, scope(&world().types), &candidates));
    assert_eq!(verify(&caller), Ok(()), "{}", print(&caller));
    // Places tell the calls: this return is in the call at 106, and that in the one at 7.
    let at = caller.insts.values().find(|inst| matches!(inst.op, Op::Br { .. })).unwrap().loc;
    let inner = caller.inlined_at(at).unwrap();
    let outer = caller.inlined_at(inner.call).unwrap();
    assert_eq!((inner.loc, outer.loc, outer.call), (SrcLoc(105), SrcLoc(106), SrcLoc(7)));
    assert!(!after(caller, |_| {}).iter().any(|l| l.contains("Func(5)") || l.contains("Func(6)")));
}

#[test]
fn large_and_recursive_functions_stay_calls() {
    let most = inline::MAX_OUTSIDE;
    assert_eq!(calls_left(&[sized(5, most), sized(6, most + 1), calling(7, 7)]), [0, 1, 1]);
    // Two that call each other are put into the caller, but neither into itself.
    assert_eq!(calls_left(&[calling(5, 6), calling(6, 5)]), [1, 1]);
    // There is an end to how much a caller grows.
    let many: Vec<_> = (10..40).map(|index| sized(index, most)).collect();
    let left: usize = calls_left(&many).iter().sum();
    assert!(left > 10 && left < 25, "{left}");
}

/// The way to a method: what a loop calls does nothing but call another, which is too large to be put where no loop is.
/// The loop kept its calls, and the scheduler of richards took a fifth longer for that.
#[test]
fn what_a_loop_calls_may_call_what_is_put_there_too() {
    let way = calling(6, 5);
    let left = |method: &Func<'static>, looped: bool| {
        let candidates = Candidates::new([method, &way].into_iter(), Frequencies::default(), Workers::Many);
        let caller = func(&[ValType::I32], |c, p| {
            let body = c.func.add_region();
            let mut inner = Cursor::at(c.func, body, c.loc);
            let got = call(&mut inner, 6, p[0]);
            inner.push(USE, &[got], &[]);
            inner.yield_(&[]);
            c.push(if looped { Op::Loop { body } } else { Op::Block { body } }, &[], &[]);
        });
        let lines = after(caller, |f| {
            inline::run(f, scope(&world().types), &candidates);
        });
        [5, 6].map(|f| lines.iter().filter(|l| l.contains(&format!("Call(Func({f}))"))).count())
    };
    let method = sized(5, inline::MAX_OUTSIDE + 1);
    assert_eq!(left(&method, true), [0, 0]);
    assert_eq!(left(&method, false), [1, 0]);
    // Two that call each other: there is an end to it.
    let back = callee(5, |c, p| {
        let sum = (0..inline::MAX_OUTSIDE).fold(p, |sum, _| c.i32_op(wasmparser::Operator::I32Add, sum, p));
        let got = call(c, 6, sum);
        c.push(Op::Return, &[got], &[]);
    });
    assert_eq!(left(&back, true).iter().sum::<usize>(), 1);
}

#[test]
fn a_small_recursive_function_is_put_into_itself_once() {
    let mut twice = callee(5, |c, p| {
        let first = call(c, 5, p);
        let second = call(c, 5, first);
        c.push(Op::Return, &[second], &[]);
    });
    assert!(inline::run(&mut twice, scope(&world().types), &Candidates::default()));
    let calls = after(twice, |_| {}).iter().filter(|line| line.contains("Func(5)")).count();
    assert_eq!(calls, 4);
}
