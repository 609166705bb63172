//! `cargo bench --bench rtt_casts`: a cast against an RTT that is known only at run time, beside a cast of the standard.
//!
//! Both programs walk an array of objects of two subtypes and cast each to the common supertype's subtype that it has.
//! The code is compiled by the same engine, so that what differs is the cast: whether the number of RTTs above its
//! operand is known, and whether that has to be read from a global each time. Without `--bench` the programs run once,
//! and their results are compared.

use std::time::{Duration, Instant};
use wasmtime_gc::{Dialect, Engine, Instance, Module, Store};

/// Turns over the array.
const TURNS: i32 = 200_000;

/// A cast may take so many times as long.
const LIMIT: f64 = 1.5;

const LOOP: &str = "
    (func (export \"run\") (param $turns i32) (result i32) (call $walk (local.get $turns) GIVEN))
    (func $walk (param $turns i32) (param $rtt TYPE) (result i32)
        (local $i i32) (local $sum i32) (local $all (ref null $objects))
        (local.set $all (call $make))
        (loop $turn
            (local.set $i (i32.const 64))
            (loop $next
                (local.set $i (i32.sub (local.get $i) (i32.const 1)))
                (local.set $sum (i32.add (local.get $sum) (struct.get $b 1 CAST)))
                (br_if $next (local.get $i)))
            (br_if $turn (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
        (local.get $sum))
    (func $make (result (ref $objects)) (local $i i32) (local $all (ref null $objects))
        (local.set $all ARRAY)
        (local.set $i (i32.const 64))
        (loop $next
            (local.set $i (i32.sub (local.get $i) (i32.const 1)))
            (array.set $objects (local.get $all) (local.get $i) OBJECT)
            (br_if $next (local.get $i)))
        (ref.as_non_null (local.get $all)))";

fn standard() -> String {
    let code = LOOP
        .replace("CAST", "(ref.cast (ref $b) (ref.as_non_null (array.get $objects (local.get $all) (local.get $i))))")
        .replace("GIVEN", "(i32.const 0)")
        .replace("TYPE", "i32")
        .replace("ARRAY", "(array.new_default $objects (i32.const 64))")
        .replace("OBJECT", "(struct.new $b (i32.const 1) (local.get $i))");
    format!(
        "(module (type $a (sub (struct (field i32)))) (type $b (sub $a (struct (field i32) (field i32))))
         (type $objects (array (mut (ref null $a)))) {code})"
    )
}

fn dialect(rtt: &str, operand: &str) -> String {
    let cast = format!(
        "(ref.cast (ref.as_non_null (array.get $objects (local.get $all) (local.get $i))) ({operand}.get $rtt))"
    );
    let code = LOOP
        .replace("CAST", &cast)
        .replace("GIVEN", "(global.get $rtt)")
        .replace("TYPE", rtt)
        .replace("ARRAY", "(array.new_default_with_rtt $objects (i32.const 64) (rtt.canon $objects))")
        .replace("OBJECT", "(struct.new_with_rtt $b (i32.const 1) (local.get $i) (global.get $rtt))");
    format!(
        "(module (type $a (struct (field i32))) (type $b (struct (field i32) (field i32)))
         (type $objects (array (mut (ref null $a))))
         (global $rtt (mut {rtt}) (rtt.sub $b (rtt.canon $a))) {code})"
    )
}

/// The result of a run, and the shortest time of some.
fn run(engine: &Engine, module: &Module, turns: i32, runs: u32) -> (i32, Duration) {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, module, &[]).expect("the program has no imports");
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").expect("the program exports `run`");
    let mut best = Duration::MAX;
    let mut result = 0;
    for _ in 0..runs {
        let start = Instant::now();
        result = run.call(&mut store, turns).expect("no cast fails");
        best = best.min(start.elapsed());
    }
    (result, best)
}

fn main() {
    let bench = std::env::args().any(|arg| arg == "--bench");
    let (turns, runs) = if bench { (TURNS, 7) } else { (100, 1) };
    let engine = Engine::default();
    let standard = Module::new(&engine, standard()).expect("the program is valid");
    let (expected, base) = run(&engine, &standard, turns, runs);
    println!("{:<40} {:>8.2} ms", "cast of the standard", base.as_secs_f64() * 1e3);
    let mut worst = 0f64;
    for (name, rtt, operand) in [
        ("RTT at a known depth", "(rtt 1 $b)", "local"),
        ("RTT at an unknown depth", "(rtt $b)", "local"),
        ("known depth, and a global read", "(rtt 1 $b)", "global"),
        ("unknown depth, and a global read", "(rtt $b)", "global"),
    ] {
        let module =
            Module::with_dialect(&engine, dialect(rtt, operand), Dialect::Rtt2020).expect("the program is valid");
        let (result, time) = run(&engine, &module, turns, runs);
        assert_eq!(result, expected, "{name}");
        let ratio = time.as_secs_f64() / base.as_secs_f64();
        println!("{name:<40} {:>8.2} ms {ratio:>6.2} times", time.as_secs_f64() * 1e3);
        // Reading the global is no part of the cast.
        if operand == "local" {
            worst = worst.max(ratio);
        }
    }
    if bench && worst > LIMIT {
        println!("a cast against an RTT takes more than {LIMIT} times as long");
        std::process::exit(1);
    }
}
