//! Fifty modules in one store that hand references and exceptions to each other, run with a collection
//! at every allocation and a verified heap, beside Wasmtime's own GC running the same.
//!
//! Each module has tables, globals and a tag that later ones import, and a function `visit` that works
//! on what it is given and what it finds, calls the `visit` of others, throws, and catches. Which of it
//! is decided by a generator with a fixed seed; what comes out is one number a call.

use std::fmt::Write;
use wasmtime_gc as ours;

const MODULES: usize = 50;
const CALLS: i32 = 120;

/// A linear congruential generator (Knuth's MMIX constants).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

/// The text of the `n`th module, which imports from some of those before.
fn module(n: usize, random: &mut Random) -> String {
    let mut text = String::from(
        "(module
  (rec
    (type $node (struct (field $v (mut i32)) (field $next (mut (ref null $node)))))
    (type $many (array (mut anyref)))
    (type $visit (func (param i32 i32 anyref) (result anyref))))\n",
    );
    let from: Vec<usize> = if n == 0 { vec![] } else { (0..3).map(|_| random.below(n)).collect() };
    for (i, m) in from.iter().enumerate() {
        let _ = writeln!(
            text,
            "  (import \"m{m}\" \"table\" (table $table{i} 8 anyref))
  (import \"m{m}\" \"global\" (global $global{i} (mut (ref null $node))))
  (import \"m{m}\" \"exns\" (table $exns{i} 4 exnref))
  (import \"m{m}\" \"visit\" (func $visit{i} (type $visit)))
  (import \"m{m}\" \"tag\" (tag $tag{i} (param i32 (ref null $node))))"
        );
    }
    let own = from.len();
    // Every other tag is an earlier module's, exported again.
    if n == 0 || random.below(2) == 0 {
        let _ = writeln!(text, "  (tag $tag{own} (export \"tag\") (param i32 (ref null $node)))");
    } else {
        let _ = writeln!(text, "  (export \"tag\" (tag $tag0))");
    }
    let tags = if text.contains(&format!("$tag{own}")) { own + 1 } else { own };
    let _ = writeln!(
        text,
        "  (table $table{own} (export \"table\") 8 anyref)
  (table $exns{own} (export \"exns\") 4 exnref)
  (table $funcs (export \"funcs\") 2 funcref)
  (elem (table $funcs) (i32.const 0) func $visit{own} $hash)
  (global $global{own} (export \"global\") (mut (ref null $node)) (struct.new $node (i32.const {n}) (ref.null $node)))
  (func $hash (param $x anyref) (result i32)
    (if (ref.is_null (local.get $x)) (then (return (i32.const 7))))
    (if (ref.test (ref i31) (local.get $x)) (then (return (i31.get_s (ref.cast (ref i31) (local.get $x))))))
    (if (ref.test (ref $many) (local.get $x)) (then (return (array.len (ref.cast (ref $many) (local.get $x))))))
    (if (result i32) (ref.test (ref $node) (local.get $x))
      (then (struct.get $node $v (ref.cast (ref $node) (local.get $x))))
      (else (i32.const 11))))
  (func $visit{own} (export \"visit\") (type $visit) (param $depth i32) (param $acc i32) (param $x anyref) (result anyref)
    (local $n (ref null $node)) (local $e exnref)"
    );
    for _ in 0..6 + random.below(6) {
        step(&mut text, random, own, tags);
    }
    let _ = writeln!(
        text,
        "    (local.get $x))
  (func (export \"run\") (param $seed i32) (result i32)
    (local $e exnref)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught)
        (return (call $hash (call $visit{own} (i32.const 2) (local.get $seed) (ref.i31 (local.get $seed))))))
      (unreachable))
    (local.set $e)
    (table.set $exns{own} (i32.const 1) (local.get $e))
    (i32.const -1))
  ;; What the module holds, as a number.
  (func (export \"sum\") (result i32)
    (local $i i32) (local $sum i32)
    (loop $l
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (call $hash (table.get $table{own} (local.get $i)))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8))))
    (i32.add (local.get $sum) (call $hash (global.get $global{own})))))"
    );
    text
}

/// One thing that `visit` does.
fn step(text: &mut String, random: &mut Random, own: usize, tags: usize) {
    let (which, slot, k) = (random.below(own + 1), random.below(8), random.below(1000));
    let mix = "(local.set $acc (i32.add (i32.mul (local.get $acc) (i32.const 31)) (call $hash (local.get $x))))";
    let _ = match random.below(11) {
        0 => writeln!(
            text,
            "    (local.set $n (struct.new $node (i32.add (local.get $acc) (i32.const {k}))
      (if (result (ref null $node)) (ref.test (ref $node) (local.get $x))
        (then (ref.cast (ref $node) (local.get $x))) (else (local.get $n)))))"
        ),
        1 => writeln!(text, "    (table.set $table{which} (i32.const {slot}) (local.get $x))"),
        2 => writeln!(text, "    (local.set $x (table.get $table{which} (i32.const {slot}))) {mix}"),
        3 => writeln!(text, "    (global.set $global{which} (local.get $n))"),
        4 => writeln!(text, "    (local.set $x (global.get $global{which})) {mix}"),
        5 => writeln!(
            text,
            "    (local.set $x (array.new_fixed $many 3 (local.get $x) (local.get $n) (ref.i31 (local.get $acc))))"
        ),
        6 => writeln!(text, "    (if (ref.is_null (local.get $n)) (then) (else (local.set $x (local.get $n)))) {mix}"),
        7 => {
            let tag = random.below(tags);
            writeln!(
                text,
                "    (if (i32.eq (i32.and (local.get $acc) (i32.const 3)) (i32.const {}))
      (then (throw $tag{tag} (local.get $acc) (local.get $n))))",
                k % 4
            )
        }
        8 => writeln!(
            text,
            "    (if (i32.eq (i32.and (local.get $acc) (i32.const 7)) (i32.const {}))
      (then (local.set $e (table.get $exns{which} (i32.const {})))
        (if (i32.eqz (ref.is_null (local.get $e))) (then (throw_ref (local.get $e))))))",
            k % 8,
            slot % 4
        ),
        // A call, protected or not.
        _ if own == 0 => writeln!(text, "    {mix}"),
        9 => {
            let callee = random.below(own);
            writeln!(
                text,
                "    (if (local.get $depth) (then
      (local.set $x (call $visit{callee} (i32.sub (local.get $depth) (i32.const 1)) (local.get $acc) (local.get $x)))))
    {mix}"
            )
        }
        _ => {
            let (callee, tag) = (random.below(own), random.below(tags));
            writeln!(
                text,
                "    (if (local.get $depth) (then
      (block $done
        (block $caught (result i32 (ref null $node) exnref)
          (try_table (catch_ref $tag{tag} $caught)
            (local.set $x
              (call $visit{callee} (i32.sub (local.get $depth) (i32.const 1)) (local.get $acc) (local.get $n)))
            (br $done))
          (unreachable))
        (local.set $e)
        (local.set $n)
        (local.set $acc (i32.xor (local.get $acc)))
        (table.set $exns{which} (i32.const {}) (local.get $e)))))
    {mix}",
                slot % 4
            )
        }
    };
}

/// What a program gives, in either engine: each call's number, then each module's sum.
macro_rules! run {
    ($api:ident, $engine:expr, $texts:expr, $name:literal) => {{
        let engine = $engine;
        let mut store = $api::Store::new(&engine, ());
        let mut linker = $api::Linker::new(&engine);
        let mut instances = Vec::new();
        for (n, text) in $texts.iter().enumerate() {
            let module = $api::Module::new(&engine, text)
                .unwrap_or_else(|err| panic!(concat!($name, ": module {}: {:?}\n{}"), n, err, text));
            let instance = linker.instantiate(&mut store, &module).expect(concat!($name, ": instantiation"));
            linker.instance(&mut store, &format!("m{n}"), instance).expect("names differ");
            instances.push(instance);
        }
        let mut numbers = Vec::new();
        for call in 0..CALLS {
            let instance = instances[call as usize * 7 % MODULES];
            let run = instance.get_typed_func::<i32, i32>(&mut store, "run").expect("it is exported");
            numbers.push(run.call(&mut store, call * 37).expect(concat!($name, ": a call")));
        }
        for instance in instances {
            let sum = instance.get_typed_func::<(), i32>(&mut store, "sum").expect("it is exported");
            numbers.push(sum.call(&mut store, ()).expect(concat!($name, ": a sum")));
        }
        numbers
    }};
}

#[test]
fn fifty_modules_agree_with_wasmtime() {
    let mut random = Random(20181);
    let texts: Vec<String> = (0..MODULES).map(|n| module(n, &mut random)).collect();
    let mut config = wasmtime::Config::new();
    config.wasm_gc(true).wasm_function_references(true).wasm_exceptions(true);
    let expected = run!(wasmtime, wasmtime::Engine::new(&config).expect("an engine"), texts, "Wasmtime");
    let caught = expected.iter().filter(|&&number| number == -1).count();
    assert!(caught > 5 && caught < CALLS as usize / 2, "{caught} of {CALLS} calls end in an exception: {expected:?}");
    let mut config = ours::Config::new();
    let plain = run!(ours, ours::Engine::new(&config).expect("an engine"), texts, "ours");
    assert_eq!(plain, expected);
    config.gc_zeal(std::num::NonZeroU32::new(1)).gc_verify(true);
    let zeal = run!(ours, ours::Engine::new(&config).expect("an engine"), texts, "ours, with zeal");
    assert_eq!(zeal, expected);
}
