//! The passes that are about loops, conditions and what calls write.

use super::inline::{call, callee};
use super::passes::{USE, after, func, get, nullable, set};
use super::{World, calls, scope, world};
use crate::ir::{ArrayOp, Callee, Cursor, Func, Op, Sign, SrcLoc, StructOp, Value};
use crate::opt::{Scope, conditions, hoist, loop_fields, redundant_loads};
use crate::types::{HeapType, RefType, ValType};

fn struct_new(c: &mut Cursor<'_, 'static>, heap: HeapType, args: &[Value]) -> Value {
    c.value(Op::Struct(StructOp::New(World::id(heap))), args, ValType::Ref(RefType::new(false, heap)))
}

fn struct_new_default(c: &mut Cursor<'_, 'static>, heap: HeapType) -> Value {
    c.value(Op::Struct(StructOp::NewDefault(World::id(heap))), &[], ValType::Ref(RefType::new(false, heap)))
}

/// The lines of the loops, and how many of them read a field.
fn in_loop(lines: &[String]) -> (Vec<String>, usize) {
    let inside: Vec<_> = lines.iter().skip_while(|line| !line.contains("Loop")).cloned().collect();
    let reads = inside.iter().filter(|line| line.contains("Struct(Get")).count();
    (inside, reads)
}

/// A loop that reads field 1 of its parameter, writes it in one arm, and does something more.
fn stepping(more: impl FnOnce(&World, &mut Cursor<'_, 'static>, &[Value])) -> Func<'static> {
    let w = world();
    func(&[ValType::Ref(RefType::new(false, w.base)), ValType::I32, nullable(w.base)], |c, p| {
        let body = c.func.add_region();
        let inst = c.push(Op::Loop { body }, &[], &[]);
        let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
        let old = inner.value(get(w.base, 1), &[p[0]], ValType::I32);
        inner.if_else(
            p[1],
            &[],
            |c| {
                let new = c.i32_op(wasmparser::Operator::I32Add, old, p[1]);
                c.push(set(w.base, 1), &[p[0], new], &[]);
                c.yield_(&[]);
            },
            |c| c.yield_(&[]),
        );
        more(&w, &mut inner, p);
        inner.push(Op::BrIf { target: inst }, &[old], &[]);
        inner.yield_(&[]);
    })
}

#[test]
fn a_field_that_a_loop_reads_and_writes_is_its_parameter() {
    let w = world();
    let carried = |f: Func<'static>| in_loop(&after(f, |f| loop_fields::run(f, scope(&w.types))));
    let (lines, reads) = carried(stepping(|_, _, _| {}));
    assert_eq!(reads, 0, "{lines:#?}");
    // The write stays; the arms hand over what it wrote, and the branch carries it.
    assert!(lines.iter().any(|line| line.contains("Struct(Set")), "{lines:#?}");
    assert_eq!(lines[0], "Loop { body: region1 } v5");
    assert!(lines.contains(&"Yield v4".to_string()) && lines.contains(&"Yield v6".to_string()), "{lines:#?}");
    assert!(lines.contains(&"BrIf { target: inst0 } v6 v7".to_string()), "{lines:#?}");
}

#[test]
fn a_field_that_something_else_may_write_is_not_carried() {
    let w = world();
    let reads = |f: Func<'static>| in_loop(&after(f, |f| loop_fields::run(f, scope(&w.types)))).1;
    // Another object of the type, which may be the same.
    assert_eq!(
        reads(stepping(|w, c, p| {
            c.push(set(w.base, 1), &[p[2], p[1]], &[]);
        })),
        1
    );
    // A call of the host.
    assert_eq!(
        reads(stepping(|_, c, _| {
            c.push(USE, &[], &[]);
        })),
        1
    );
    // Another field, or another type, does no harm.
    assert_eq!(
        reads(stepping(|w, c, p| {
            c.push(set(w.base, 2), &[p[2], p[2]], &[]);
        })),
        0
    );
    assert_eq!(
        reads(stepping(|w, c, p| {
            let other = struct_new(c, w.other, &[p[1]]);
            c.push(set(w.other, 0), &[other, p[1]], &[]);
        })),
        0
    );
}

#[test]
fn a_field_of_what_may_be_null_is_not_carried() {
    let w = world();
    let f = func(&[nullable(w.base), ValType::I32], |c, p| {
        let body = c.func.add_region();
        let inst = c.push(Op::Loop { body }, &[], &[]);
        let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
        inner.push(USE, &[], &[]);
        let old = inner.value(get(w.base, 1), &[p[0]], ValType::I32);
        inner.push(set(w.base, 1), &[p[0], old], &[]);
        inner.push(Op::BrIf { target: inst }, &[old], &[]);
        inner.yield_(&[]);
    });
    let known = calls(&w.types, &[]);
    let lines = after(f, |f| loop_fields::run(f, Scope { calls: &known, ..scope(&w.types) }));
    assert_eq!(in_loop(&lines).1, 1, "{lines:#?}");
}

#[test]
fn calls_write_what_their_callees_write() {
    let w = world();
    let base = ValType::Ref(RefType::new(false, w.base));
    // 7 writes field 1, 8 calls 7, 9 writes nothing.
    let writer = callee(7, |c, p| {
        let new = struct_new_default(c, w.base);
        c.push(set(w.base, 1), &[new, p], &[]);
        c.push(Op::Return, &[p], &[]);
    });
    let through = callee(8, |c, p| {
        let result = call(c, 7, p);
        c.push(Op::Return, &[result], &[]);
    });
    let pure = callee(9, |c, p| {
        c.push(Op::Return, &[p], &[]);
    });
    let known = calls(&w.types, &[writer, through, pure]);
    let reads = |index: u32, field: u32| {
        let f = func(&[base, ValType::I32], |c, p| {
            let ty = w.fields(World::id(w.base))[field as usize].storage.unpack();
            c.value(get(w.base, field), &[p[0]], ty);
            c.value(Op::Call(Callee::Func(index)), &[p[1]], ValType::I32);
            c.value(get(w.base, field), &[p[0]], ty);
        });
        let scope = Scope { calls: &known, ..scope(&w.types) };
        let lines = after(f, |f| redundant_loads::run(f, scope, Default::default()));
        lines.iter().filter(|line| line.contains("Struct(Get")).count()
    };
    assert_eq!([7, 8, 9, 10].map(|index| reads(index, 1)), [2, 2, 1, 2]);
    assert_eq!([7, 8, 9, 10].map(|index| reads(index, 2)), [1, 1, 1, 2]);
}

#[test]
fn loads_of_what_does_not_change_are_before_the_loop() {
    let w = world();
    let base = ValType::Ref(RefType::new(false, w.base));
    let reads = |object: ValType, field: u32, written: u32| {
        let f = func(&[object, ValType::I32], |c, p| {
            let body = c.func.add_region();
            let inst = c.push(Op::Loop { body }, &[], &[]);
            let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
            let got = inner.value(get(w.base, field), &[p[0]], ValType::I32);
            inner.push(set(w.base, written), &[p[0], got], &[]);
            inner.push(Op::BrIf { target: inst }, &[got], &[]);
            inner.yield_(&[]);
        });
        let lines = after(f, |f| hoist::run(f, scope(&w.types)));
        in_loop(&lines).1
    };
    assert_eq!(reads(base, 1, 3), 0);
    assert_eq!(reads(base, 1, 1), 1);
    assert_eq!(reads(base, 0, 1), 0);
    // It could trap before what is in the loop.
    assert_eq!(reads(nullable(w.base), 1, 3), 1);
}

#[test]
fn lengths_of_arrays_are_read_before_the_loop() {
    let w = world();
    let f = func(&[nullable(w.ints), ValType::I32], |c, p| {
        let array = p[0];
        // Behind this it is known not to be null.
        c.value(Op::Array(ArrayOp::Len), &[array], ValType::I32);
        let body = c.func.add_region();
        let inst = c.push(Op::Loop { body }, &[], &[]);
        let mut inner = Cursor::at(c.func, body, SrcLoc::NONE);
        let op = ArrayOp::Get { ty: World::id(w.ints), sign: Sign::None };
        let got = inner.value(Op::Array(op), &[array, p[1]], ValType::I32);
        inner.push(Op::BrIf { target: inst }, &[got], &[]);
        inner.yield_(&[]);
    });
    let lines = after(f, |f| hoist::run(f, scope(&w.types)));
    assert!(lines[1].contains("Refine") && lines[2].contains("Len") && lines[3].contains("Loop"), "{lines:#?}");
}

#[test]
fn choices_between_conditions_are_arithmetic() {
    let chosen = |yes: Option<u32>, no: Option<u32>| {
        let f = func(&[ValType::I32, ValType::I32], |c, p| {
            let arm = |known: Option<u32>| {
                move |c: &mut Cursor<'_, 'static>| {
                    let value = match known {
                        Some(value) => c.i32(value),
                        None => c.core(wasmparser::Operator::I32Eqz, &[p[1]], ValType::I32),
                    };
                    c.yield_(&[value]);
                }
            };
            let inst = c.if_else(p[0], &[ValType::I32], arm(yes), arm(no));
            let result = c.func.results(inst)[0];
            c.push(USE, &[result], &[]);
        });
        after(f, conditions::run)
    };
    let has = |lines: &[String], op: &str| lines.iter().any(|line| line.contains(op));
    assert!(has(&chosen(Some(1), None), "I32Or") && has(&chosen(None, Some(0)), "I32And"));
    assert!(!has(&chosen(Some(0), Some(1)), "If ") && !has(&chosen(Some(1), Some(0)), "If "));
    // A number is no condition.
    assert!(has(&chosen(Some(2), None), "If ") && has(&chosen(None, Some(1)), "If "));
}

#[test]
fn the_lesser_of_two_is_selected() {
    let chosen = |op: wasmparser::Operator<'static>, yes: usize, no: usize| {
        let f = func(&[ValType::I32, ValType::I32, ValType::I32], |c, p| {
            let cond = c.core(op, &[p[0], p[1]], ValType::I32);
            let inst = c.if_else(cond, &[ValType::I32], |c| c.yield_(&[p[yes]]), |c| c.yield_(&[p[no]]));
            let result = c.func.results(inst)[0];
            c.push(USE, &[result], &[]);
        });
        after(f, conditions::run).iter().any(|line| line.contains("Select"))
    };
    use wasmparser::Operator::{I32Eq, I32LtS};
    assert!(chosen(I32LtS, 0, 1) && chosen(I32LtS, 1, 0));
    // Another number, and another comparison.
    assert!(!chosen(I32LtS, 0, 2) && !chosen(I32LtS, 0, 0) && !chosen(I32Eq, 0, 1));
}
