//! Programs in the explicit-RTT dialect do what their translation to the standard does on Wasmtime's own collector.
//!
//! A hierarchy of struct types is rendered twice. In the standard subtypes are declared; in the dialect each type has
//! an RTT below that of its supertype, and every object is allocated with the one of its type. Then every test, cast
//! and branch must come out the same. Functions and unboxed scalars are among the values, too. Where RTTs are not
//! canonical there is nothing in the standard to compare with; those are tested by hand in `tests/slides/`.

use super::generate::Source;
use crate::api::{Config, Dialect, Engine, Instance, Module, Store, Trap};
use std::fmt::Write;
use std::num::NonZeroU32;

/// How many values a program has at hand.
const SLOTS: usize = 6;

/// A type: its supertype, and how many fields it adds. Field `n` is mutable and an `i32`, or immutable and a reference.
struct Ty {
    parent: Option<usize>,
    fields: Vec<bool>,
}

/// A step of the program.
enum Step {
    /// Into a slot: an object of a type, of which the first reference is another slot's value.
    New { slot: usize, ty: usize, from: usize },
    /// Into a slot: a scalar.
    Scalar { slot: usize, value: i32 },
    /// Into a slot: null.
    Null { slot: usize },
    /// Adds whether a slot's value is of a type.
    Test { slot: usize, ty: usize },
    /// Adds what a field of a slot's value holds, if it is of a type.
    Branch { slot: usize, ty: usize, fails: bool },
    /// Casts, which may trap, and stores to a field.
    Cast { slot: usize, ty: usize },
    /// Adds whether two slots are the same.
    Same { slot: usize, other: usize },
}

struct Program {
    types: Vec<Ty>,
    steps: Vec<Step>,
    zeal: Option<NonZeroU32>,
}

impl Program {
    fn new(s: &mut Source<'_>) -> Program {
        let mut types: Vec<Ty> = Vec::new();
        for n in 0..s.between(1, 9) {
            let parent = if n > 0 && s.chance(75) { Some(s.below(n)) } else { None };
            let mut fields = parent.map_or(Vec::new(), |parent| types[parent].fields.clone());
            // Types of equal structure below one type are one type in both languages.
            fields.extend((0..s.below(4)).map(|_| s.chance(40)));
            types.push(Ty { parent, fields });
        }
        let steps = (0..s.between(4, 60)).map(|_| {
            let (slot, ty, other) = (s.below(SLOTS), s.below(types.len()), s.below(SLOTS));
            match s.below(10) {
                0..3 => Step::New { slot, ty, from: other },
                3 => Step::Scalar { slot, value: s.integer() as i32 },
                4 => Step::Null { slot },
                5..7 => Step::Test { slot, ty },
                7 => Step::Branch { slot, ty, fails: s.chance(50) },
                8 => Step::Cast { slot, ty },
                _ => Step::Same { slot, other },
            }
        });
        let steps = steps.collect();
        Program { types, steps, zeal: if s.chance(50) { NonZeroU32::new(1) } else { None } }
    }

    /// The program as text, in the dialect or in the standard.
    fn text(&self, rtt: bool) -> String {
        let mut out = String::from("(module\n");
        for (n, ty) in self.types.iter().enumerate() {
            let fields: String =
                ty.fields.iter().map(|is_ref| if *is_ref { "(field eqref)" } else { "(field (mut i32))" }).collect();
            let text = match (rtt, ty.parent) {
                (true, _) => format!("(type $t{n} (struct {fields}))"),
                (false, None) => format!("(type $t{n} (sub (struct {fields})))"),
                (false, Some(parent)) => format!("(type $t{n} (sub $t{parent} (struct {fields})))"),
            };
            // Writing to a string can not fail.
            let _ = writeln!(out, "{text}");
        }
        if rtt {
            for (n, ty) in self.types.iter().enumerate() {
                let _ = match ty.parent {
                    None => writeln!(out, "(global $r{n} (rtt $t{n}) (rtt.canon $t{n}))"),
                    Some(parent) => writeln!(out, "(global $r{n} (rtt $t{n}) (rtt.sub $t{n} (global.get $r{parent})))"),
                };
            }
        }
        out += "(func (export \"run\") (result i32) (local $sum i32)";
        for slot in 0..SLOTS {
            let _ = write!(out, " (local $s{slot} eqref)");
        }
        out.push('\n');
        self.steps.iter().for_each(|step| self.step(&mut out, step, rtt));
        out + "(local.get $sum)))"
    }

    fn step(&self, out: &mut String, step: &Step, rtt: bool) {
        let add =
            |what: String| format!("(local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) {what}))\n");
        // In the dialect casts are of data only.
        let data = |slot: usize| match rtt {
            true => format!(
                "(if (result (ref null data)) (ref.is_data (local.get $s{slot})) (then (ref.as_data (local.get $s{slot}))) (else (ref.null data)))"
            ),
            false => format!(
                "(if (result (ref null struct)) (ref.test (ref struct) (local.get $s{slot})) (then (ref.cast (ref struct) (local.get $s{slot}))) (else (ref.null struct)))"
            ),
        };
        let number = |ty: usize| self.types[ty].fields.iter().position(|is_ref| !is_ref);
        let read = |ty: usize, what: &str| match number(ty) {
            Some(field) => format!("(struct.get $t{ty} {field} {what})"),
            None => format!("(ref.is_null {what})"),
        };
        *out += &match *step {
            Step::New { slot, ty, from } => {
                let fields = self.types[ty].fields.iter().enumerate().map(|(n, is_ref)| match is_ref {
                    true => format!("(local.get $s{from})"),
                    false => format!("(i32.const {})", n * 7 + ty),
                });
                let fields: String = fields.collect();
                match rtt {
                    true => format!("(local.set $s{slot} (struct.new_with_rtt $t{ty} {fields} (global.get $r{ty})))\n"),
                    false => format!("(local.set $s{slot} (struct.new $t{ty} {fields}))\n"),
                }
            }
            Step::Scalar { slot, value } => format!("(local.set $s{slot} (ref.i31 (i32.const {value})))\n"),
            Step::Null { slot } => format!("(local.set $s{slot} (ref.null eq))\n"),
            Step::Test { slot, ty } => add(match rtt {
                true => format!("(ref.test {} (global.get $r{ty}))", data(slot)),
                false => format!("(ref.test (ref $t{ty}) {})", data(slot)),
            }),
            Step::Branch { slot, ty, fails } => {
                let (value, found) = (data(slot), read(ty, ""));
                let top = if rtt { "data" } else { "struct" };
                let branch = match (rtt, fails) {
                    (true, false) => format!("(br_on_cast $yes {value} (global.get $r{ty}))"),
                    (false, false) => format!("(br_on_cast $yes (ref null struct) (ref $t{ty}) {value})"),
                    (true, true) => format!("(br_on_cast_fail $no {value} (global.get $r{ty}))"),
                    (false, true) => format!("(br_on_cast_fail $no (ref null struct) (ref $t{ty}) {value})"),
                };
                add(match fails {
                    false => format!(
                        "(block $out (result i32) (block $yes (result (ref $t{ty})) (drop {branch}) (br $out (i32.const -3))) {found})"
                    ),
                    true => format!(
                        "(block $out (result i32) (block $no (result (ref null {top})) (br $out (block (result i32) {branch} {found}))) (drop) (i32.const -5))"
                    ),
                })
            }
            Step::Cast { slot, ty } => {
                let cast = match rtt {
                    true => format!("(ref.cast (ref.as_data (local.get $s{slot})) (global.get $r{ty}))"),
                    false => format!("(ref.cast (ref $t{ty}) (ref.cast (ref struct) (local.get $s{slot})))"),
                };
                match number(ty) {
                    Some(field) => format!("(struct.set $t{ty} {field} {cast} (local.get $sum))\n"),
                    None => format!("(drop {cast})\n"),
                }
            }
            Step::Same { slot, other } => add(format!("(ref.eq (local.get $s{slot}) (local.get $s{other}))")),
        };
    }
}

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    examine(data);
}

/// Runs a program both ways: whether it came to a result, and not to a trap.
fn examine(data: &[u8]) -> bool {
    let program = Program::new(&mut Source::new(data));
    let (old, new) = (program.text(true), program.text(false));
    let ours = dialect(&old, program.zeal).unwrap_or_else(|err| panic!("{err:?}\n{old}"));
    let theirs = stock(&new).unwrap_or_else(|err| panic!("{err:?}\n{new}"));
    assert_eq!(ours, theirs, "\n{old}\n{new}");
    ours.is_ok()
}

/// What a call came to.
type Outcome = std::result::Result<i32, Trap>;

fn outcome(result: wasmtime::Result<i32>) -> wasmtime::Result<Outcome> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(err) => match err.downcast_ref::<Trap>() {
            Some(&trap) => Ok(Err(trap)),
            None => Err(err),
        },
    }
}

fn dialect(text: &str, zeal: Option<NonZeroU32>) -> wasmtime::Result<Outcome> {
    let mut config = Config::new();
    config.gc_zeal(zeal).gc_verify(zeal.is_some());
    let engine = Engine::new(&config)?;
    let module = Module::with_dialect(&engine, text, Dialect::Rtt2020)?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
    outcome(run.call(&mut store, ()))
}

fn stock(text: &str) -> wasmtime::Result<Outcome> {
    let mut config = wasmtime::Config::new();
    config.wasm_gc(true).wasm_function_references(true).collector(wasmtime::Collector::Null);
    let engine = wasmtime::Engine::new(&config)?;
    let module = wasmtime::Module::new(&engine, text)?;
    let mut store = wasmtime::Store::new(&engine, ());
    let instance = wasmtime::Instance::new(&mut store, &module, &[])?;
    let run = instance.get_typed_func::<(), i32>(&mut store, "run")?;
    outcome(run.call(&mut store, ()))
}

#[cfg(test)]
mod tests {
    use super::examine;
    use crate::fuzzing::replay::{input, replay};

    #[test]
    fn replayed() {
        replay(super::run, 60, 300);
    }

    /// Programs that all trap, or never do, would compare little.
    #[test]
    fn some_come_to_a_result_and_some_trap() {
        let results = (0..40).filter(|&seed| examine(&input(seed + 5000, 300))).count();
        assert!((4..=38).contains(&results), "{results} of 40 programs came to a result");
    }
}
