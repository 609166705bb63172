//! `cargo bench --bench rtt_casts`: a cast against an RTT that is known only at run time, beside a cast of the standard.
//!
//! Both programs walk an array and cast each element to a type below that of the elements. In the first world this
//! type has no subtype, so that either cast can compare the header; in the second every other object is of a subtype,
//! and displays are read. Then the same in modules that objects can come into from outside, of which neither kind of
//! cast can take anything for granted. The code is compiled by the same engine: what differs is the cast, that is,
//! whether the number of RTTs above its operand is known, and whether that has to be read from a global each time.
//! The programs take turns; a figure is the median of processor times. Without `--bench` they run once, and their
//! results are compared.

#[path = "compare/clock.rs"]
mod clock;

use std::time::Duration;
use wasmtime_gc::{Dialect, Engine, Instance, Module, Store, TypedFunc};

/// Turns over the array.
const TURNS: i32 = 50_000;

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

/// Which objects there are.
#[derive(Clone, Copy)]
struct World {
    name: &'static str,
    /// Whether there are objects of a subtype of the one that is cast to.
    subtype: bool,
    /// What else the module exports.
    export: &'static str,
}

/// An object may come in, with an RTT that another module made.
const OPEN: &str = "(func (export \"open\") (param (ref null $a)))";

const WORLDS: [World; 4] = [
    World { name: "no subtype", subtype: false, export: "" },
    World { name: "objects of a subtype", subtype: true, export: "" },
    World { name: "no subtype, objects can come from outside", subtype: false, export: OPEN },
    World { name: "objects of a subtype, and from outside", subtype: true, export: OPEN },
];

fn object(world: World, plain: &str, below: &str) -> String {
    match world.subtype {
        false => plain.to_string(),
        true => format!("(if (result (ref $b)) (i32.and (local.get $i) (i32.const 1)) (then {plain}) (else {below}))"),
    }
}

fn standard(world: World) -> String {
    let export = world.export;
    let plain = "(struct.new $b (i32.const 1) (local.get $i))";
    let below = "(struct.new $c (i32.const 1) (local.get $i) (i32.const 2))";
    let code = LOOP
        .replace("CAST", "(ref.cast (ref $b) (ref.as_non_null (array.get $objects (local.get $all) (local.get $i))))")
        .replace("GIVEN", "(i32.const 0)")
        .replace("TYPE", "i32")
        .replace("ARRAY", "(array.new_default $objects (i32.const 64))")
        .replace("OBJECT", &object(world, plain, below));
    format!(
        "(module (type $a (sub (struct (field i32)))) (type $b (sub $a (struct (field i32) (field i32))))
         (type $c (sub $b (struct (field i32) (field i32) (field i32))))
         (type $objects (array (mut (ref null $a)))) {code} {export})"
    )
}

/// An RTT of the type at another depth, so that the module does not tell how deep its RTTs are.
const OTHER: &str = "(func $other (result (rtt $b)) (rtt.canon $b))";

fn dialect(world: World, rtt: &str, operand: &str, other: &str) -> String {
    let cast = format!(
        "(ref.cast (ref.as_non_null (array.get $objects (local.get $all) (local.get $i))) ({operand}.get $rtt))"
    );
    let export = world.export;
    let plain = "(struct.new_with_rtt $b (i32.const 1) (local.get $i) (global.get $rtt))";
    let below = "(struct.new_with_rtt $c (i32.const 1) (local.get $i) (i32.const 2) (rtt.sub $c (global.get $rtt)))";
    let code = LOOP
        .replace("CAST", &cast)
        .replace("GIVEN", "(global.get $rtt)")
        .replace("TYPE", rtt)
        .replace("ARRAY", "(array.new_default_with_rtt $objects (i32.const 64) (rtt.canon $objects))")
        .replace("OBJECT", &object(world, plain, below));
    format!(
        "(module (type $a (struct (field i32))) (type $b (struct (field i32) (field i32)))
         (type $c (struct (field i32) (field i32) (field i32)))
         (type $objects (array (mut (ref null $a))))
         (global $rtt (mut {rtt}) (rtt.sub $b (rtt.canon $a))) {code} {other} {export})"
    )
}

/// The rows of a world: what is cast against, its type, where the operand comes from, what else the module has.
const ROWS: [(&str, &str, &str, &str); 5] = [
    ("RTT at a known depth", "(rtt 1 $b)", "local", OTHER),
    ("RTT at the only depth that there is", "(rtt $b)", "local", ""),
    ("RTT at an unknown depth", "(rtt $b)", "local", OTHER),
    ("known depth, and a global read", "(rtt 1 $b)", "global", OTHER),
    ("unknown depth, and a global read", "(rtt $b)", "global", OTHER),
];

/// A program that has been instantiated.
struct Contender {
    name: &'static str,
    /// Whether it reads a global each time, which is no part of the cast.
    reads: bool,
    store: Store<()>,
    run: TypedFunc<i32, i32>,
    result: i32,
    times: Vec<Duration>,
}

impl Contender {
    fn new(engine: &Engine, name: &'static str, reads: bool, module: &Module) -> Contender {
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, module, &[]).expect("the program has no imports");
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run").expect("the program exports `run`");
        Contender { name, reads, store, run, result: 0, times: Vec::new() }
    }

    fn round(&mut self, turns: i32) {
        let start = clock::now();
        self.result = self.run.call(&mut self.store, turns).expect("no cast fails");
        self.times.push(clock::now() - start);
    }

    fn median(&mut self) -> f64 {
        self.times.sort_unstable();
        self.times[self.times.len() / 2].as_secs_f64() * 1e3
    }
}

fn main() {
    let bench = std::env::args().any(|arg| arg == "--bench");
    let (turns, rounds) = if bench { (TURNS, 21) } else { (100, 1) };
    let engine = Engine::default();
    let mut worst = 0f64;
    for world in WORLDS {
        println!("{}", world.name);
        worst = worst.max(compare(&engine, world, turns, rounds));
    }
    if bench && worst > LIMIT {
        println!("a cast against an RTT takes more than {LIMIT} times as long");
        std::process::exit(1);
    }
}

/// Prints a world's rows. The greatest ratio, of those that count.
fn compare(engine: &Engine, world: World, turns: i32, rounds: u32) -> f64 {
    let module = Module::new(engine, standard(world)).expect("the program is valid");
    let mut contenders = vec![Contender::new(engine, "cast of the standard", false, &module)];
    for (name, rtt, operand, other) in ROWS {
        let source = dialect(world, rtt, operand, other);
        let module = Module::with_dialect(engine, source, Dialect::Rtt2020).expect("the program is valid");
        contenders.push(Contender::new(engine, name, operand == "global", &module));
    }
    for _ in 0..rounds {
        contenders.iter_mut().for_each(|contender| contender.round(turns));
    }
    let (expected, base) = (contenders[0].result, contenders[0].median());
    let mut worst = 0f64;
    for contender in &mut contenders {
        assert_eq!(contender.result, expected, "{}, {}", world.name, contender.name);
        let time = contender.median();
        let ratio = time / base;
        println!("  {:<40} {time:>8.2} ms {ratio:>6.2} times", contender.name);
        if !contender.reads {
            worst = worst.max(ratio);
        }
    }
    worst
}
