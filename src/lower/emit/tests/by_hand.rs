//! Small functions, each for one thing that emission must get right.

use super::super::{EmitContext, MAX_LOCALS, emit_func, emit_plain};
use super::host::{self, COLD, GC, LOG, MIX, Outcome, PAIR, heap_map, moved};
use crate::fault::Error;
use crate::ir::{BrTarget, Callee, Cursor, Func, HeapOp, Op, RefOp, SrcLoc, TrapCode, memarg};
use crate::lower::index::{IndexMap, Space};
use crate::types::{CompositeKind, HeapType, RefType, TypeId, ValType};
use foldhash::HashMap;
use wasmparser::Operator;
use wasmtime::Engine;

const I32: ValType = ValType::I32;
const REF: ValType = ValType::Ref(RefType::new(true, HeapType::Any));

fn run(func: &Func<'_>, args: &[u64]) -> Outcome {
    host::run(&Engine::default(), func, args, &[0; 4])
}

fn results(func: &Func<'_>, args: &[u64]) -> Vec<u64> {
    run(func, args).results.expect("no trap")
}

fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

/// `(a, b, n)`: swaps `a` and `b` `n` times.
#[test]
fn a_branch_to_a_loop_is_a_parallel_copy() {
    let mut func = Func::new(0, &[I32, I32, I32], &[I32, I32]);
    let (body, params) = (func.body, func.params().to_vec());
    let region = func.add_region();
    let [a, b, n] = [0; 3].map(|_| func.add_param(region, I32));
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    let looped = c.push(Op::Loop { body: region }, &params, &[I32, I32]);
    c.region = region;
    let one = c.i32(1);
    let next = c.i32_op(Operator::I32Sub, n, one);
    c.push(Op::BrIf { target: looped }, &[n, b, a, next], &[]);
    c.yield_(&[a, b]);
    c.region = body;
    let results_ = c.func.results(looped).to_vec();
    c.push(Op::Return, &results_, &[]);
    assert_eq!(results(&func, &[7, 9, 4]), [7, 9]);
    assert_eq!(results(&func, &[7, 9, 5]), [9, 7]);
}

/// A counter and a sum: after coalescing each lives in one local, and nothing is copied.
#[test]
fn a_loop_variable_has_one_local() {
    let mut func = Func::new(0, &[I32], &[I32]);
    let (body, n) = (func.body, func.params()[0]);
    let region = func.add_region();
    let [i, sum] = [0; 2].map(|_| func.add_param(region, I32));
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    let zero = c.i32(0);
    let looped = c.push(Op::Loop { body: region }, &[n, zero], &[I32]);
    c.region = region;
    let one = c.i32(1);
    let more = c.i32_op(Operator::I32Add, sum, i);
    let less = c.i32_op(Operator::I32Sub, i, one);
    c.push(Op::BrIf { target: looped }, &[less, less, more], &[]);
    c.yield_(&[more]);
    c.region = body;
    let result = c.func.results(looped)[0];
    c.push(Op::Return, &[result], &[]);
    assert_eq!(results(&func, &[4]), [10]);
    let text = host::text(&func);
    // The sum's first value, and the two new values in the loop.
    assert_eq!(count(&text, "local.set") + count(&text, "local.tee"), 3, "{text}");
    assert!(text.contains("br_if"), "{text}");
}

#[test]
fn ifs_nest_and_yield() {
    let mut func = Func::new(0, &[I32, I32], &[I32]);
    let (body, params) = (func.body, func.params().to_vec());
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    let outer = c.if_else(
        params[0],
        &[I32],
        |c| {
            let inner = c.if_else(
                params[1],
                &[I32],
                |c| {
                    let v = c.i32(11);
                    c.yield_(&[v]);
                },
                |c| {
                    let v = c.i32(10);
                    c.yield_(&[v]);
                },
            );
            let inner = c.func.results(inner)[0];
            c.yield_(&[inner]);
        },
        |c| c.yield_(&[params[1]]),
    );
    let result = c.func.results(outer)[0];
    c.push(Op::Return, &[result], &[]);
    assert_eq!(results(&func, &[1, 1]), [11]);
    assert_eq!(results(&func, &[1, 0]), [10]);
    assert_eq!(results(&func, &[0, 5]), [5]);
}

/// Index 0 goes back to the loop, 1 leaves the block, 2 leaves it with another value, 3 returns.
#[test]
fn br_table_carries_values_in_all_directions() {
    let mut func = Func::new(0, &[I32], &[I32]);
    let (body, index) = (func.body, func.params()[0]);
    let (in_block, in_loop) = (func.add_region(), func.add_region());
    let at = func.add_param(in_loop, I32);
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    let block = c.push(Op::Block { body: in_block }, &[], &[I32]);
    c.region = in_block;
    let looped = c.push(Op::Loop { body: in_loop }, &[index], &[]);
    c.region = in_loop;
    let [one, ten, twenty, thirty] = [1, 10, 20, 30].map(|n| c.i32(n));
    let to = |target, args| BrTarget { target, args };
    let targets = [to(Some(looped), 1), to(Some(block), 1), to(Some(block), 1), to(None, 1)];
    c.push(Op::BrTable { targets: targets.into() }, &[at, one, ten, twenty, thirty], &[]);
    c.region = in_block;
    c.push(Op::Trap(TrapCode::Unreachable), &[], &[]);
    c.region = body;
    let result = c.func.results(block)[0];
    let next = c.i32_op(Operator::I32Add, result, result);
    c.push(Op::Return, &[next], &[]);
    assert_eq!([0, 1, 2, 3, 9].map(|n| results(&func, &[n])[0]), [20, 20, 40, 30, 30]);
}

#[test]
fn root_slots_are_scanned_and_given_back() {
    let mut func = Func::new(0, &[REF, REF], &[REF, REF]);
    func.frame.slots = 3;
    let (body, params) = (func.body, func.params().to_vec());
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    c.push(Op::Heap(HeapOp::Spill { slot: 0 }), &[params[0]], &[]);
    c.push(Op::Heap(HeapOp::Spill { slot: 1 }), &[params[1]], &[]);
    c.push(Op::Heap(HeapOp::SetTop { slots: 1 }), &[], &[]);
    c.push(Op::Call(Callee::Func(GC)), &[], &[]);
    let a = c.value(Op::Heap(HeapOp::Reload { slot: 0 }), &[], REF);
    let b = c.value(Op::Heap(HeapOp::Reload { slot: 1 }), &[], REF);
    c.push(Op::Return, &[b, a], &[]);
    assert_eq!(results(&func, &[1, 5]), [5, u64::from(moved(1))]);
}

/// An early return has no frame, and neither has an arm without safepoint.
#[test]
fn a_frame_exists_only_where_it_is_used() {
    let mut func = Func::new(0, &[REF, I32, I32], &[REF]);
    func.frame.slots = 1;
    let (body, params) = (func.body, func.params().to_vec());
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    c.if_else(
        params[1],
        &[],
        |c| {
            c.push(Op::Return, &[params[0]], &[]);
        },
        |c| c.yield_(&[]),
    );
    let choice = c.if_else(
        params[2],
        &[REF],
        |c| {
            c.push(Op::Heap(HeapOp::Spill { slot: 0 }), &[params[0]], &[]);
            c.push(Op::Heap(HeapOp::SetTop { slots: 1 }), &[], &[]);
            c.push(Op::Call(Callee::Func(GC)), &[], &[]);
            let moved = c.value(Op::Heap(HeapOp::Reload { slot: 0 }), &[], REF);
            c.yield_(&[moved]);
        },
        |c| c.yield_(&[params[0]]),
    );
    let choice = c.func.results(choice)[0];
    c.push(Op::Return, &[choice], &[]);
    assert_eq!(results(&func, &[1, 1, 1]), [1]);
    assert_eq!(results(&func, &[1, 0, 0]), [1]);
    assert_eq!(results(&func, &[1, 0, 1]), [u64::from(moved(1))]);
    let text = host::text(&func);
    let (early, late) = text.split_once("local.get 2").expect("the second condition");
    let sp = format!("offset={}", heap_map().sp_cell());
    assert_eq!((count(early, &sp), count(late, &sp)), (0, 3), "{text}");
    let arm = late.split("end").next().unwrap_or_default();
    assert_eq!(count(arm, &sp), 3, "{text}");
}

/// The stack pointer is restored before a tail call, and a fault of a spill is an overflow.
#[test]
fn spills_fault_as_stack_overflow() {
    let mut func = Func::new(0, &[REF], &[I32]);
    func.frame.slots = 1;
    let (body, param) = (func.body, func.params()[0]);
    let mut c = Cursor::at(&mut func, body, SrcLoc(12));
    c.push(Op::Heap(HeapOp::Spill { slot: 0 }), &[param], &[]);
    c.push(Op::Heap(HeapOp::SetTop { slots: 1 }), &[], &[]);
    let n = c.i32(3);
    c.push(Op::ReturnCall(Callee::Func(LOG)), &[n], &[]);
    assert_eq!(run(&func, &[1]).log, [3]);
    let body = host::emit(&func);
    let site = body.sites.iter().find(|site| site.trap == Some(TrapCode::StackOverflow)).expect("a site");
    assert_eq!((site.original, body.body[site.lowered as usize]), (12, 0x36));
}

/// A reference that is refreshed had a local that the call's result was given too, as nothing that is emitted needs it
/// behind the call; and then the reload overwrote the result.
#[test]
fn what_a_cold_call_refreshes_for_nobody_spares_its_result() {
    let mut func = Func::new(0, &[I32], &[I32, I32, I32]);
    func.frame.slots = 1;
    let (body, param) = (func.body, func.params()[0]);
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    let object = c.alloc(8, REF);
    let inst = c.push(Op::Call(Callee::Func(COLD)), &[object, param], &[I32]);
    c.func.refresh[inst] = vec![(0, object)];
    let result = c.func.results(inst)[0];
    c.push(Op::Return, &[result, result, param], &[]);
    let expected = u64::from(host::log_result(7));
    assert_eq!(results(&func, &[7]), [expected, expected, 7]);
}

/// Allocates until the cold path runs; the parameter moves there, in all its names.
#[test]
fn the_cold_path_of_an_allocation_refreshes() {
    let mut func = Func::new(0, &[REF, I32], &[REF, REF, REF]);
    func.frame.slots = 2;
    let (body, params) = (func.body, func.params().to_vec());
    let region = func.add_region();
    let n = func.add_param(region, I32);
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    let name = c.value(Op::Ref(RefOp::Refine), &[params[0]], REF);
    let looped = c.push(Op::Loop { body: region }, &[params[1]], &[REF]);
    c.region = region;
    let object = c.alloc(48, REF);
    let inst = c.func.def_inst(object).expect("an instruction");
    c.func.refresh[inst] = vec![(1, params[0])];
    let one = c.i32(1);
    let less = c.i32_op(Operator::I32Sub, n, one);
    c.push(Op::BrIf { target: looped }, &[less, less], &[]);
    c.yield_(&[object]);
    c.region = body;
    let last = c.func.results(looped)[0];
    c.push(Op::Return, &[params[0], name, last], &[]);
    let start = u64::from(heap_map().nursery_start - 3);
    assert_eq!(results(&func, &[1, 1]), [1, 1, start]);
    let once = u64::from(moved(1));
    assert_eq!(results(&func, &[1, 2]), [once, once, start]);
    let text = host::text(&func);
    let hot = text.split("if ").next().unwrap_or_default();
    assert!(!hot.contains("offset=65536"), "the frame costs nothing on the hot path\n{text}");
}

/// The end of a large object wraps around the address space, below the limit.
#[test]
fn a_large_dynamic_allocation_is_cold() {
    let mut func = Func::new(0, &[I32], &[REF]);
    let (body, bytes) = (func.body, func.params()[0]);
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    c.alloc(4, REF);
    let object = c.value(Op::Heap(HeapOp::AllocDynamic), &[bytes], REF);
    c.push(Op::Return, &[object], &[]);
    let start = u64::from(heap_map().nursery_start);
    assert_eq!(results(&func, &[8]), [start + 4 - 3]);
    assert_eq!(results(&func, &[0xFFFF_FFF0]), [start - 3]);
}

/// A reference is an operand in front of one that stays on the stack over an allocation. Fetched
/// with the first operand's code it would be stale. The allocation is in a nested construct, where
/// it is less visible.
#[test]
fn a_reference_is_not_fetched_before_an_allocation_in_a_block() {
    for nested in [false, true] {
        let mut func = Func::new(0, &[REF, I32], &[]);
        func.frame.slots = 1;
        let (body, params) = (func.body, func.params().to_vec());
        let region = func.add_region();
        let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
        let kept = c.value(Op::Call(Callee::Func(LOG)), &[params[1]], I32);
        if nested {
            c.push(Op::Block { body: region }, &[], &[]);
            c.region = region;
        }
        for _ in 0..3 {
            let object = c.alloc(64, REF);
            let inst = c.func.def_inst(object).expect("an instruction");
            c.func.refresh[inst] = vec![(0, params[0])];
        }
        if nested {
            c.yield_(&[]);
            c.region = body;
        }
        c.push(Op::Call(Callee::Func(MIX)), &[params[0], kept, params[1]], &[]);
        c.push(Op::Return, &[], &[]);
        let kept = u64::from(host::log_result(8));
        assert_eq!(run(&func, &[1, 8]).log, [8, u64::from(moved(moved(1))), kept, 8]);
    }
}

/// What stays on the stack stays in order.
#[test]
fn single_uses_nest() {
    let mut func = Func::new(0, &[I32, I32], &[I32]);
    let (body, params) = (func.body, func.params().to_vec());
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    let sum = c.i32_op(Operator::I32Add, params[0], params[1]);
    let one = c.value(Op::Call(Callee::Func(LOG)), &[params[0]], I32);
    let two = c.value(Op::Call(Callee::Func(LOG)), &[params[1]], I32);
    let difference = c.i32_op(Operator::I32Sub, one, two);
    let result = c.i32_op(Operator::I32Mul, sum, difference);
    c.push(Op::Return, &[result], &[]);
    let text = host::text(&func);
    assert_eq!(count(&text, "local.set") + count(&text, "local.tee"), 0, "{text}");
    let outcome = run(&func, &[3, 4]);
    let difference = host::log_result(3).wrapping_sub(host::log_result(4));
    assert_eq!((outcome.results, outcome.log), (Some(vec![u64::from(7_u32.wrapping_mul(difference))]), vec![3, 4]));
}

#[test]
fn unused_results_are_dropped_and_unused_arithmetic_is_not_emitted() {
    let mut func = Func::new(0, &[I32], &[]);
    let (body, param) = (func.body, func.params()[0]);
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    let wide = c.core(Operator::I64ExtendI32U, &[param], ValType::I64);
    c.push(Op::Call(Callee::Func(PAIR)), &[wide, param], &[ValType::I64, I32]);
    c.i32_op(Operator::I32Add, param, param);
    c.push(Op::Return, &[], &[]);
    assert_eq!(run(&func, &[3]).log, [3, 3]);
    let text = host::text(&func);
    assert_eq!((count(&text, "drop"), count(&text, "i32.add")), (2, 0), "{text}");
}

#[test]
fn sites_name_the_opcode_of_what_traps() {
    let mut func = Func::new(0, &[I32, I32], &[I32]);
    let (body, params) = (func.body, func.params().to_vec());
    let mut c = Cursor::at(&mut func, body, SrcLoc(100));
    let memarg = memarg(host::HEAP, 4);
    let field = c.load(Operator::I32Load { memarg }, params[0], I32, Some(TrapCode::NullReference));
    c.loc = SrcLoc(200);
    let quotient = c.i32_op(Operator::I32DivS, field, params[1]);
    c.loc = SrcLoc(300);
    c.trap_if(params[1], TrapCode::CastFailure);
    c.push(Op::Return, &[quotient], &[]);
    let body = host::emit(&func);
    let found: Vec<_> = body.sites.iter().map(|s| (body.body[s.lowered as usize], s.original, s.trap)).collect();
    // The branch around a trap counts as the trap.
    let (null, cast) = (Some(TrapCode::NullReference), Some(TrapCode::CastFailure));
    let expected = [(0x28, 100, null), (0x6d, 200, None), (0x04, 300, cast), (0x00, 300, cast)];
    assert_eq!(found, expected);
}

/// Cranelift computes the address of the second load in the instruction that does the first, and gives
/// a fault there the second one's place. The second can not fault; a site for it hid the first.
#[test]
fn a_load_that_can_not_fault_has_no_site() {
    let mut func = Func::new(0, &[I32], &[I32]);
    let (body, param) = (func.body, func.params()[0]);
    let mut c = Cursor::at(&mut func, body, SrcLoc(100));
    let memarg = memarg(host::HEAP, 3);
    let header = c.load(Operator::I32Load { memarg }, param, I32, Some(TrapCode::CastFailure));
    let field = c.load(Operator::I32Load { memarg }, header, I32, None);
    c.push(Op::Return, &[field], &[]);
    let traps: Vec<_> = host::emit(&func).sites.iter().map(|site| site.trap).collect();
    assert_eq!(traps, [Some(TrapCode::CastFailure)]);
}

/// A function type `$t` at virtual index 0, final index 2.
fn with_func_type(test: impl Fn(&EmitContext<'_>, ValType)) {
    let space = |map: &[u32]| Space { map: map.to_vec() };
    let index = IndexMap {
        types: space(&[2]),
        funcs: space(&[1]),
        tables: space(&[u32::MAX, 0]),
        memories: space(&[0]),
        ..IndexMap::default()
    };
    let func_types = HashMap::from_iter([(TypeId(9), 2)]);
    let cx = EmitContext { map: heap_map(), index: &index, func_types: &func_types, originals: u32::MAX };
    test(&cx, ValType::Ref(RefType::new(false, HeapType::Concrete(CompositeKind::Func, TypeId(9)))));
}

/// Wraps a body of type `(ref $t), i32 -> i32` where `$t` is `(i32) -> i32`.
fn validate(body: &[u8]) {
    let mut types = wasm_encoder::TypeSection::new();
    let (i32, t) = (wasm_encoder::ValType::I32, wasm_encoder::HeapType::Concrete(2));
    types.ty().function([], []);
    types.ty().function([], []);
    types.ty().function([i32], [i32]);
    types
        .ty()
        .function([wasm_encoder::ValType::Ref(wasm_encoder::RefType { nullable: false, heap_type: t }), i32], [i32]);
    let mut funcs = wasm_encoder::FunctionSection::new();
    funcs.function(3);
    let mut code = wasm_encoder::CodeSection::new();
    code.raw(body);
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&funcs).section(&code);
    let wasm = module.finish();
    let features = wasmparser::WasmFeatures::default() - wasmparser::WasmFeatures::GC;
    if let Err(err) = wasmparser::Validator::new_with_features(features).validate_all(&wasm) {
        panic!("{err}\n{}", wasmprinter::print_bytes(&wasm).unwrap_or_default());
    }
}

/// Locals for function references are nullable, the consumers here are not.
#[test]
fn function_references_are_non_null_where_wasm_wants_it() {
    with_func_type(|cx, ty| {
        let mut func = Func::new(0, &[ty, I32], &[I32]);
        let (body, params) = (func.body, func.params().to_vec());
        let nullable = ValType::Ref(ty.as_ref().expect("a reference").as_nullable());
        let heap = ty.as_ref().expect("a reference").heap;
        let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
        let chosen = c.if_else(
            params[1],
            &[nullable],
            |c| c.yield_(&[params[0]]),
            |c| {
                let null = c.value(Op::Ref(RefOp::Null(heap)), &[], nullable);
                c.yield_(&[null]);
            },
        );
        let chosen = c.func.results(chosen)[0];
        let known = c.value(Op::Ref(RefOp::Refine), &[chosen], ty);
        let again = c.value(Op::Ref(RefOp::AsNonNull), &[chosen], ty);
        let choice = c.value(Op::Select, &[known, again, params[1]], ty);
        let is_null = c.value(Op::Ref(RefOp::IsNull), &[known], I32);
        let ret = c.value(Op::Call(Callee::Ref { ty: 0 }), &[is_null, choice], I32);
        c.push(Op::ReturnCall(Callee::Ref { ty: 0 }), &[ret, known], &[]);
        let emitted = emit_func(&func, cx).expect("emission succeeds");
        validate(&emitted.body);
    });
}

#[test]
fn a_plain_body_changes_its_indices_only() {
    let wat = r#"(module
        (type $t (func (param i32) (result i32)))
        (table 0 funcref) (table 0 funcref) (memory 1)
        (func $f (type $t)
            (local (ref null $t)) (local i64 i64)
            (block (type $t) (param i32) (result i32)
                (call $f) (i32.load offset=8) (call_indirect 1 (type $t) (i32.const 1) (i32.const 2)) (i32.add))))"#;
    let wasm = wat::parse_str(wat.replace("(block (type $t) (param i32) (result i32)", "local.get 0 (block (type $t)"))
        .expect("the text is right");
    let mut bodies = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(&wasm) {
        if let wasmparser::Payload::CodeSectionEntry(body) = payload.expect("the module is right") {
            bodies.push(body);
        }
    }
    with_func_type(|cx, _| {
        let emitted = emit_plain(&bodies[0], 0, cx).expect("emission succeeds");
        let opcodes: Vec<u8> = emitted.sites.iter().map(|site| emitted.body[site.lowered as usize]).collect();
        assert_eq!(opcodes, [0x10, 0x28, 0x11]);
        for site in &emitted.sites {
            assert_eq!(wasm[site.original as usize], emitted.body[site.lowered as usize]);
        }
        let calls = emitted.body.windows(2).any(|bytes| bytes == [0x10, 1]);
        let indirect = emitted.body.windows(3).any(|bytes| bytes == [0x11, 2, 0]);
        let block = emitted.body.windows(2).any(|bytes| bytes == [0x02, 2]);
        // Two runs of locals: one of type `(ref null 2)`, two `i64`.
        assert_eq!((&emitted.body[..6], calls, indirect, block), (&[2, 1, 0x63, 2, 2, 0x7e][..], true, true, true));
    });
}

#[test]
fn what_was_removed_can_not_be_named() {
    with_func_type(|cx, _| {
        let mut func = Func::new(0, &[], &[]);
        let body = func.body;
        let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
        c.push(Op::Call(Callee::Func(17)), &[], &[]);
        c.push(Op::Return, &[], &[]);
        assert!(matches!(emit_func(&func, cx), Err(Error::Bug(_))));
    });
}

#[test]
fn locals_have_a_limit() {
    let build = |n: usize| {
        let mut func = Func::new(3, &[], &[]);
        let body = func.body;
        let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
        let zero = c.i32(0);
        let values: Vec<_> = (0..n).map(|_| c.value(Op::Call(Callee::Func(LOG)), &[zero], I32)).collect();
        for _ in 0..2 {
            values.iter().for_each(|&v| {
                c.value(Op::Call(Callee::Func(LOG)), &[v], I32);
            });
        }
        c.push(Op::Return, &[], &[]);
        func
    };
    host::module(&build(MAX_LOCALS), &host::emit(&build(MAX_LOCALS)));
    with_func_type(|cx, _| {
        assert!(matches!(emit_func(&build(MAX_LOCALS + 1), cx), Err(Error::TooComplex { func: 3, .. })));
    });
}

/// Nothing recurses, and nothing is quadratic: a hundred thousand nested ifs, each with a value.
#[test]
fn nesting_is_as_deep_as_a_module_wants_it() {
    let depth = 100_000;
    let mut func = Func::new(0, &[I32], &[I32]);
    let (mut region, param) = (func.body, func.params()[0]);
    let mut outer = Vec::new();
    for _ in 0..depth {
        let (then, els) = (func.add_region(), func.add_region());
        let mut c = Cursor::at(&mut func, region, SrcLoc::NONE);
        let inst = c.push(Op::If { then, els }, &[param], &[I32]);
        c.region = els;
        c.yield_(&[param]);
        outer.push((region, inst));
        region = then;
    }
    Cursor::at(&mut func, region, SrcLoc::NONE).yield_(&[param]);
    while let Some((region, inst)) = outer.pop() {
        let result = func.results(inst)[0];
        let op = if outer.is_empty() { Op::Return } else { Op::Yield };
        Cursor::at(&mut func, region, SrcLoc::NONE).push(op, &[result], &[]);
    }
    with_func_type(|cx, _| {
        let start = std::time::Instant::now();
        let emitted = emit_func(&func, cx).expect("emission succeeds");
        assert!(emitted.body.len() < 11 * depth);
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    });
}
