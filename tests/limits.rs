//! Modules at the limits, and one step behind them: each is handled in time that grows with its size, or
//! refused with an error that says which limit it is. `docs/limits.md` is the table of what is here.

use std::fmt::Write;
use wasm_encoder::{
    CodeSection, CompositeInnerType, CompositeType, ExportKind, ExportSection, FieldType, Function, FunctionSection,
    HeapType, Module as Encoder, RefType, StorageType, StructType, SubType, TypeSection, ValType,
};
use wasmtime_gc::api::{self, Config, Engine, Instance, Module, OptLevel, Store, Trap, Val};

fn engine() -> Engine {
    let mut config = Config::new();
    // Cranelift takes most of the time; what is asked here is what lowering does.
    config.cranelift_opt_level(OptLevel::None).gc_optimize(true);
    Engine::new(&config).unwrap()
}

/// Compiles, instantiates, and calls `run`, which returns an `i32`.
fn runs(wasm: impl AsRef<[u8]>) -> i32 {
    let engine = engine();
    let module = Module::new(&engine, wasm).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    instance.get_typed_func::<(), i32>(&mut store, "run").unwrap().call(&mut store, ()).unwrap()
}

/// Is refused with these words.
fn refused(wasm: impl AsRef<[u8]>, words: &str) {
    let err = match Module::new(&engine(), wasm) {
        Ok(_) => panic!("accepted; expected: {words}"),
        Err(err) => format!("{err:?}"),
    };
    assert!(err.contains(words), "{err}");
    assert!(!err.contains("internal error"), "{err}");
}

fn repeat(n: usize, mut part: impl FnMut(&mut String, usize)) -> String {
    let mut text = String::new();
    (0..n).for_each(|at| part(&mut text, at));
    text
}

/// A chain of subtypes; an object of the last is cast up, down, and aside.
fn hierarchy(depth: usize) -> String {
    let types = repeat(depth, |text, at| {
        let fields = "(field i32)".repeat(at + 1);
        writeln!(text, "(type $t{} (sub $t{at} (struct {fields})))", at + 1).unwrap();
    });
    format!(
        "(module (type $t0 (sub (struct))) {types}
            (type $other (sub $t{below} (struct {fields})))
            (func (export \"run\") (result i32)
                (local $x anyref)
                (local.set $x (struct.new_default $t{depth}))
                (i32.add
                    (ref.test (ref $t{depth}) (ref.cast (ref $t0) (local.get $x)))
                    (i32.mul (i32.const 2) (ref.test (ref $other) (local.get $x))))))",
        below = depth - 1,
        fields = "(field i32)".repeat(depth - 1) + "(field f32)",
    )
}

#[test]
fn supertypes_63_deep() {
    assert_eq!(runs(hierarchy(63)), 1);
    refused(hierarchy(64), "depth");
}

/// Each type refers to the one before.
fn chain(n: usize) -> Vec<u8> {
    let mut types = TypeSection::new();
    for at in 0..n as u32 {
        let heap = if at == 0 { HeapType::ANY } else { HeapType::Concrete(at - 1) };
        let field = FieldType {
            element_type: StorageType::Val(ValType::Ref(RefType { nullable: true, heap_type: heap })),
            mutable: true,
        };
        types.ty().struct_([field]);
    }
    with_run(types, n as u32, |f| {
        f.instructions().ref_null(HeapType::Concrete(n as u32 - 2)).struct_new(n as u32 - 1).ref_is_null().end();
    })
}

/// Adds the function `run` to types.
fn with_run(mut types: TypeSection, at: u32, body: impl FnOnce(&mut Function)) -> Vec<u8> {
    types.ty().function([], [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(at);
    let mut exports = ExportSection::new();
    exports.export("run", ExportKind::Func, 0);
    let mut function = Function::new([]);
    body(&mut function);
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Encoder::new();
    module.section(&types).section(&functions).section(&exports).section(&code);
    module.finish()
}

#[test]
fn types_that_refer_to_types_50_000_deep() {
    assert_eq!(runs(chain(50_000)), 0);
}

/// One group; each type refers to the next, and the last to the first.
fn group(n: u32) -> Vec<u8> {
    let types = (0..n).map(|at| {
        let next = RefType { nullable: true, heap_type: HeapType::Concrete((at + 1) % n) };
        let field = FieldType { element_type: StorageType::Val(ValType::Ref(next)), mutable: false };
        let inner = CompositeInnerType::Struct(StructType { fields: [field].into() });
        SubType {
            is_final: true,
            supertype_idx: None,
            composite_type: CompositeType { inner, shared: false, descriptor: None, describes: None },
        }
    });
    let mut section = TypeSection::new();
    section.ty().rec(types);
    with_run(section, n, |f| {
        f.instructions().struct_new_default(0).struct_new(n - 1).struct_get(n - 1, 0).ref_is_null().end();
    })
}

#[test]
fn groups_of_20_000_types() {
    assert_eq!(runs(group(20_000)), 0);
}

#[test]
fn a_million_types_and_one() {
    let mut types = TypeSection::new();
    for _ in 0..=1_000_000 {
        types.ty().struct_([]);
    }
    let mut module = Encoder::new();
    module.section(&types);
    refused(module.finish(), "types count exceeds limit of 1000000");
}

#[test]
fn a_million_types_of_which_one_is_used() {
    let mut types = TypeSection::new();
    for _ in 0..999_999 {
        types.ty().struct_([]);
    }
    let wasm = with_run(types, 999_999, |f| {
        f.instructions().struct_new(5).ref_test_non_null(HeapType::Concrete(999_998)).end();
    });
    assert_eq!(runs(wasm), 1);
}

/// A store that was made early took no more modules once its engine knew some thousand types more, not even those that use
/// none of them, as every type was written to every heap.
#[test]
fn types_of_other_modules_do_not_fill_a_store() {
    let engine = engine();
    let mut store = Store::new(&engine, ());
    let uses = "(module (type $s (struct (field i32)))
        (func (export \"run\") (result i32) (struct.get $s 0 (struct.new $s (i32.const 7)))))";
    let run = |store: &mut Store<()>, wasm: &[u8]| -> api::Result<i32> {
        let module = Module::new(store.engine(), wasm)?;
        let instance = Instance::new(&mut *store, &module, &[])?;
        instance.get_typed_func::<(), i32>(&mut *store, "run")?.call(&mut *store, ())
    };
    assert_eq!(run(&mut store, uses.as_bytes()).unwrap(), 7);
    // So many types, each other than those of other seeds, of which the last is used.
    let many = |seed: usize, count: u32| {
        let mut types = TypeSection::new();
        for n in 0..count {
            let of_bit = |bit: u32| StorageType::Val(if n >> bit & 1 == 1 { ValType::I64 } else { ValType::I32 });
            let field = |element_type| FieldType { element_type, mutable: false };
            let fields = (0..14).map(|bit| field(of_bit(bit))).chain(vec![field(StorageType::I8); seed]);
            types.ty().struct_(fields.collect::<Vec<_>>());
        }
        with_run(types, count, |f| {
            f.instructions().struct_new_default(count - 1).ref_test_non_null(HeapType::Concrete(count - 1)).end();
        })
    };
    assert_eq!(run(&mut store, &many(0, 6_000)).unwrap(), 1, "the store has room for them");
    Module::new(&engine, many(1, 16_000)).unwrap();
    Module::new(&engine, many(2, 16_000)).unwrap();
    assert_eq!(run(&mut store, uses.as_bytes()).unwrap(), 7);
    let field = api::FieldType::new(api::Mutability::Const, api::StorageType::ValType(api::ValType::I32));
    let ty = api::StructType::new(&engine, [field]).unwrap();
    let pre = api::StructRefPre::new(&mut store, ty);
    assert!(api::StructRef::new(&mut store, &pre, &[Val::I32(1)]).is_ok());
    // Those of the last can not be written there, but to a new one.
    let err = run(&mut store, &many(2, 16_000)).unwrap_err();
    assert!(err.to_string().contains("use a new store"), "{err:?}");
    assert_eq!(run(&mut Store::new(&engine, ()), &many(2, 16_000)).unwrap(), 1);
    assert_eq!(run(&mut store, uses.as_bytes()).unwrap(), 7);
}

/// A function with so many references in locals, all of them live across a call that collects.
fn locals(n: usize) -> String {
    format!(
        "(module (type $box (struct (field i32)))
            (func $gc (drop (struct.new $box (i32.const 0))))
            (func (export \"run\") (result i32) {locals}
                {set}
                (call $gc)
                {sum}))",
        locals = "(local (ref null $box))".repeat(n),
        set = repeat(n, |text, at| {
            write!(text, "(local.set {at} (struct.new $box (i32.const 1)))").unwrap();
        }),
        sum = "i32.const 0 ".to_string()
            + &repeat(n, |text, at| {
                write!(text, "(struct.get $box 0 (local.get {at})) i32.add ").unwrap();
            }),
    )
}

#[test]
fn a_thousand_references_live_at_once() {
    assert_eq!(runs(locals(1_000)), 1_000);
}

#[test]
fn fifty_thousand_locals() {
    let text = |n| {
        format!(
            "(module (type $box (struct (field i32)))
                (func (export \"run\") (result i32) {}
                    (local.set {last} (struct.new $box (i32.const 7)))
                    (drop (struct.new $box (i32.const 8)))
                    (struct.get $box 0 (local.get {last}))))",
            "(local (ref null $box))".repeat(n),
            last = n - 1
        )
    };
    assert_eq!(runs(text(50_000)), 7);
    refused(text(50_001), "locals");
}

#[test]
fn a_struct_of_10_000_fields() {
    let text = |n: usize| {
        format!(
            "(module (type $wide (struct {}))
                (func (export \"run\") (result i32)
                    (ref.is_null (struct.get $wide {} (struct.new_default $wide)))))",
            "(field (mut anyref))".repeat(n),
            n - 1
        )
    };
    assert_eq!(runs(text(10_000)), 1);
    refused(text(10_001), "struct");
}

fn fixed(n: usize) -> String {
    format!(
        "(module (type $words (array (mut i32)))
            (func (export \"run\") (result i32)
                {} array.new_fixed $words {n}
                i32.const {} array.get $words))",
        repeat(n, |text, at| write!(text, "i32.const {} ", at % 64).unwrap()),
        n - 1
    )
}

/// Lowered, and then the engine's: its compiler refuses functions of this size, with an error.
#[test]
fn array_new_fixed_of_many_operands() {
    assert_eq!(runs(fixed(10_000)), 9_999 % 64);
    refused(fixed(1_000_000), "and the most are 7654321");
}

/// Each took the validator 25 seconds: it counted the operands that code which can not be reached need not have.
#[test]
fn array_new_fixed_of_4_294_967_295_operands_that_nobody_reaches() {
    let dead = "unreachable array.new_fixed $a 4294967295 drop i32.const 1 array.new_fixed $a 0xfffffffe drop";
    let text = format!(
        "(module (type $a (array i32)) (func (param i32) (block {}) (block {dead}))
            (func (export \"run\") (result i32) i32.const 3))",
        format!("(block {dead})").repeat(100)
    );
    Module::validate(&engine(), &wat::parse_str(&text).unwrap()).unwrap();
    assert_eq!(runs(text), 3);
    refused(
        "(module (type $a (array i32)) (func unreachable i64.const 1 array.new_fixed $a 4294967295 drop))",
        "type mismatch",
    );
}

/// Which of the values share a local was asked anew at each branch, and took 17 seconds.
#[test]
fn a_thousand_branches_with_900_references() {
    let (results, calls) = ("anyref ".repeat(900), "call $f ".repeat(900));
    let branches = "local.get 0 br_if 0 ".repeat(1000);
    let text = format!(
        "(module (type $many (func (result {results})))
            (func $f (result anyref) (ref.i31 (i32.const 5)))
            (func $all (param i32) (result {results}) (block (type $many) {calls} {branches}))
            (func (export \"run\") (result i32)
                (call $all (i32.const 1)) {drops} (ref.cast (ref i31)) (i31.get_s)))",
        drops = "drop ".repeat(899),
    );
    assert_eq!(runs(text), 5);
}

/// A million operands in all.
#[test]
fn a_hundred_arrays_of_10_000_operands() {
    let one = repeat(10_000, |text, at| write!(text, "i32.const {} ", at % 64).unwrap());
    let text = format!(
        "(module (type $bytes (array i8))
            (func $part (result i32) {one} array.new_fixed $bytes 10000 array.len)
            (func (export \"run\") (result i32) i32.const 0 {}))",
        "call $part i32.add ".repeat(100)
    );
    assert_eq!(runs(text), 1_000_000);
}

#[test]
fn a_body_larger_than_7_654_321_bytes_is_refused() {
    let mut body = Function::new([]);
    for _ in 0..7_654_321 {
        body.instructions().nop();
    }
    body.instructions().i32_const(0).end();
    let wasm = with_run(TypeSection::new(), 0, |f| *f = body);
    refused(wasm, "function body size");
}

#[test]
fn a_body_of_20_000_accesses() {
    let text = format!(
        "(module (type $box (struct (field (mut i32)) (field (mut anyref))))
            (func (export \"run\") (result i32)
                (local $x (ref null $box))
                (local.set $x (struct.new_default $box))
                {}
                (struct.get $box 0 (local.get $x))))",
        "(struct.set $box 0 (local.get $x) (i32.add (i32.const 1) (struct.get $box 0 (local.get $x))))
         (struct.set $box 1 (local.get $x) (local.get $x))
         "
        .repeat(10_000)
    );
    assert_eq!(runs(text), 10_000);
}

#[test]
fn a_thousand_parameters_and_results() {
    let text = format!(
        "(module (type $box (struct (field i32)))
            (func $all (param {types}) (result {types}) {back})
            (func (export \"run\") (result i32)
                {args} call $all {drops} struct.get $box 0))",
        types = "(ref null $box) ".repeat(1_000),
        back = repeat(1_000, |text, at| write!(text, "local.get {at} ").unwrap()),
        args = repeat(1_000, |text, at| write!(text, "(struct.new $box (i32.const {at})) ").unwrap()),
        drops = "drop ".repeat(999),
    );
    assert_eq!(runs(text), 0);
}

#[test]
fn globals_of_references() {
    let n = 50_000;
    let text = format!(
        "(module (type $box (struct (field i32)))
            {}
            (func (export \"run\") (result i32) (struct.get $box 0 (global.get {}))))",
        repeat(n, |text, at| {
            writeln!(text, "(global (ref $box) (struct.new $box (i32.const {at})))").unwrap();
        }),
        n - 1
    );
    assert_eq!(runs(text), n as i32 - 1);
}

#[test]
fn a_constant_expression_that_nests_5_000_deep() {
    let n = 5_000;
    let text = format!(
        "(module (type $list (struct (field (ref null $list))))
            (global $g (ref null $list) ref.null $list {} )
            (func (export \"run\") (result i32) (ref.is_null (global.get $g))))",
        "struct.new $list ".repeat(n)
    );
    assert_eq!(runs(text), 0);
}

#[test]
fn element_segments_of_50_000_objects() {
    let n = 50_000;
    let text = format!(
        "(module (type $box (struct (field i32)))
            (table $t {n} (ref null $box))
            (elem (table $t) (i32.const 0) (ref null $box) {})
            (func (export \"run\") (result i32) (struct.get $box 0 (table.get $t (i32.const {})))))",
        repeat(n, |text, at| write!(text, "(item (struct.new $box (i32.const {at}))) ").unwrap()),
        n - 1
    );
    assert_eq!(runs(text), n as i32 - 1);
}

#[test]
fn tables_grow_until_there_is_no_more() {
    let text = "(module (table $t 10 anyref)
        (func (export \"run\") (result i32)
            (drop (table.grow $t (ref.null any) (i32.const 10000000)))
            (i32.and
                (i32.eq (table.size $t) (i32.const 10000010))
                (i32.eq (table.grow $t (ref.null any) (i32.const -100)) (i32.const -1)))))";
    assert_eq!(runs(text), 1);
}

#[test]
fn a_table_that_no_heap_holds_is_an_error_of_instantiation() {
    let engine = engine();
    let module = Module::new(&engine, "(module (table 0xffffffff anyref))").unwrap();
    let err = Instance::new(&mut Store::new(&engine, ()), &module, &[]).unwrap_err();
    assert!(!format!("{err:?}").contains("internal error"), "{err:?}");
}

#[test]
fn handlers_that_nest_2_000_deep() {
    let n = 2_000;
    let text = format!(
        "(module (tag $e (param i32))
            (func (export \"run\") (result i32) {} (throw $e (i32.const 9)) {} ))",
        "block $h (result i32) try_table (result i32) (catch $e $h) ".repeat(n),
        "end end ".repeat(n)
    );
    assert_eq!(runs(text), 9);
}

#[test]
fn blocks_with_references_that_nest_20_000_deep() {
    let n = 20_000;
    let text = format!(
        "(module (type $box (struct (field i32)))
            (func (export \"run\") (result i32)
                {} (struct.new $box (i32.const 3)) {} struct.get $box 0))",
        "block (result (ref $box)) ".repeat(n),
        "end ".repeat(n)
    );
    assert_eq!(runs(text), 3);
}

/// Marking follows references with a stack of its own, so the length of a list is no depth of calls.
#[test]
fn a_list_of_2_000_000_objects_is_marked_and_moved() {
    let engine = engine();
    let module = Module::new(
        &engine,
        "(module (type $list (struct (field (ref null $list))))
            (global $g (mut (ref null $list)) (ref.null $list))
            (func (export \"run\") (param $n i32)
                (loop $again
                    (global.set $g (struct.new $list (global.get $g)))
                    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
            (func (export \"len\") (result i32)
                (local $n i32) (local $at (ref null $list))
                (local.set $at (global.get $g))
                (loop $again
                    (if (i32.eqz (ref.is_null (local.get $at)))
                        (then
                            (local.set $n (i32.add (local.get $n) (i32.const 1)))
                            (local.set $at (struct.get $list 0 (local.get $at)))
                            (br $again))))
                (local.get $n)))",
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    instance.get_typed_func::<i32, ()>(&mut store, "run").unwrap().call(&mut store, 2_000_000).unwrap();
    store.gc(None).unwrap();
    let len = instance.get_typed_func::<(), i32>(&mut store, "len").unwrap();
    assert_eq!(len.call(&mut store, ()).unwrap(), 2_000_000);
}

#[test]
fn arrays_that_are_too_large_trap() {
    let engine = engine();
    let module = Module::new(
        &engine,
        "(module (type $w (array (mut i64)))
            (func (export \"new\") (param i32) (result i32) (array.len (array.new_default $w (local.get 0)))))",
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let new = instance.get_func(&mut store, "new").unwrap();
    for n in [-1, i32::MIN, i32::MAX, 1 << 29, (1 << 29) - 1] {
        let err = new.call(&mut store, &[Val::I32(n)], &mut [Val::I32(0)]).unwrap_err();
        assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::AllocationTooLarge), "{n}: {err:?}");
    }
}

/// Each call of one of four methods became four comparisons, for which the engine took 25 s where there were 12,000 in one
/// function, and one second without them. There is an end to how many a function gets.
#[test]
fn a_body_of_12_000_virtual_calls() {
    let methods = repeat(4, |out, n| {
        write!(out, "(func $m{n} (type $m) (i32.add (struct.get $o 1 (local.get 0)) (i32.const {n})))").unwrap();
    });
    let objects = repeat(4, |out, n| {
        write!(out, "(global.set $o (struct.new $o (ref.func $m{n}) (i32.const {n})))").unwrap();
    });
    let calls = repeat(12_000, |out, _| {
        out.push_str(
            "(struct.set $o 1 (global.get $o)
                (call_ref $m (global.get $o) (struct.get $o 0 (global.get $o))))",
        );
    });
    let text = format!(
        "(module
            (rec (type $o (sub (struct (field (ref $m)) (field (mut i32)))))
                 (type $m (func (param (ref $o)) (result i32))))
            {methods}
            (elem declare func $m0 $m1 $m2 $m3)
            (global $o (mut (ref $o)) (struct.new $o (ref.func $m0) (i32.const 1)))
            (func (export \"run\") (result i32)
                {objects}
                {calls}
                (struct.get $o 1 (global.get $o))))"
    );
    assert_eq!(runs(&text), 3 + 3 * 12_000);
    let code = Module::new(&engine(), &text).unwrap().text().len();
    assert!(code < 12_000 * 200, "{code} bytes of code");
}

/// A call in an arm saves and reloads what is live in the arm. With 50 references that no other call had saved, each used
/// often, the engine took 8 s for 2,000 such arms, and their code was 4 MB. What is saved so often is saved once, before.
#[test]
fn a_body_of_2_000_calls_in_arms() {
    let made = repeat(50, |out, n| {
        write!(out, "(local.set $r{n} (struct.new $o (i32.const {n})))").unwrap();
    });
    let locals = repeat(50, |out, n| write!(out, "(local $r{n} (ref $o))").unwrap());
    let arms = repeat(2_000, |out, n| {
        let at = n % 50;
        write!(
            out,
            "(if (i32.eq (local.get $n) (i32.const {n})) (then (call $f)))
             (struct.set $o 0 (local.get $r{at}) (i32.add (struct.get $o 0 (local.get $r{at})) (i32.const 1)))"
        )
        .unwrap();
    });
    let text = format!(
        "(module
            (type $o (sub (struct (field (mut i32)))))
            (global $g (mut (ref null $o)) (ref.null $o))
            (func $f (global.set $g (struct.new $o (i32.const 1))) (if (ref.is_null (global.get $g)) (then (call $f))))
            (func $run (param $n i32) (result i32) {locals} {made} {arms} (struct.get $o 0 (local.get $r7)))
            (func (export \"run\") (result i32) (call $run (i32.const 500))))"
    );
    assert_eq!(runs(&text), 7 + 40);
    let code = Module::new(&engine(), &text).unwrap().text().len();
    assert!(code < 2_000 * 300, "{code} bytes of code");
}

/// What stands at the start of the innermost of many blocks leaves them all. It did so one block at a time: 30 s and 10 GB
/// for 50,000 of each.
#[test]
fn blocks_that_nest_20_000_deep_with_a_long_start() {
    let depth = 20_000;
    let starts = repeat(depth, |out, _| out.push_str("(local.set $x (global.get $g))"));
    let ends = repeat(depth, |out, _| out.push_str("(br_if 0 (local.get $n)))"));
    let text = format!(
        "(module
            (global $g (mut anyref) (ref.null any))
            (func $nest (param $n i32) (result i32) (local $x anyref)
                {} {starts} {ends} (ref.is_null (local.get $x)))
            (func (export \"run\") (result i32) (call $nest (i32.const 1))))",
        "(block ".repeat(depth),
    );
    assert_eq!(runs(&text), 1);
}

/// A test of a function from an object compares its handle in line, and asks the runtime about functions from elsewhere
/// behind that. 4,000 of them in one function took the engine 17 s and 1.5 GB, where calls alone take 4. There is an end to
/// how many a function gets.
#[test]
fn a_body_of_1_000_tests_of_functions() {
    let tests = repeat(1000, |out, _| {
        out.push_str(
            "(local.set $sum
                (i32.add (local.get $sum) (ref.test (ref $f) (struct.get $o 0 (global.get $o)))))",
        );
    });
    let text = format!(
        "(module
            (type $f (func (param i32) (result i32)))
            (type $g (func (param i32 i32) (result i32)))
            (type $o (sub (struct (field (mut funcref)))))
            (elem declare func $a $b)
            (func $a (type $f) (local.get 0))
            (func $b (type $g) (local.get 0))
            (global $o (mut (ref $o)) (struct.new $o (ref.func $a)))
            (func (export \"set\") (param (ref $f)) (struct.set $o 0 (global.get $o) (local.get 0)))
            (func (export \"run\") (result i32) (local $sum i32)
                {tests}
                (local.get $sum)))"
    );
    assert_eq!(runs(&text), 1000);
    let code = Module::new(&engine(), &text).unwrap().text().len();
    assert!(code < 1000 * 150, "{code} bytes of code");
}

/// To find out which struct each of them is a name of, all names before it were gone through: four times as long for twice
/// as many, 14 s for these.
#[test]
fn a_chain_of_40_000_casts() {
    let casts = "(local.set $r (ref.cast (ref $a) (local.get $r)))".repeat(40_000);
    let text = format!(
        "(module
            (type $a (sub (struct (field i32) (field f64))))
            (func (export \"run\") (result i32) (local $r eqref)
                (local.set $r (struct.new $a (i32.const 7) (f64.const 2)))
                {casts}
                (struct.get $a 0 (ref.cast (ref $a) (local.get $r)))))"
    );
    assert_eq!(runs(text), 7);
}
