//! A module that runs out of fuel anywhere leaves a heap that can be used again.
//!
//! A module is called again and again in one store, with so little fuel that most calls end in the middle of something: between
//! two stores of a fill, say. Collections at every allocation, by choice of the input, and those between calls
//! have the verifier look at what was left. Half of the inputs are modules of `generate/`. The others are calls of one module that
//! stores many references at once wherever that can be done, as random programs seldom have much to store.
//!
//! What this is not: a comparison. What an interrupted call came to is nobody's business.

use super::differential::{self, Outcome};
use super::generate::{self, Exceptions, Options, Source};
use crate::api::{Engine, Instance, Module, Store};

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    examine(data);
}

/// Runs an input: how many calls ran out of fuel.
fn examine(data: &[u8]) -> usize {
    let mut source = Source::new(data);
    let setup = differential::setup(&mut source);
    if source.chance(50) {
        let setup = if source.chance(60) { setup.without_zeal() } else { setup };
        return store_much(&mut source, &differential::metered_engine(&setup));
    }
    let plan = differential::plan(&mut source).interrupted(&mut source);
    let options = differential::options(&mut source);
    let text = generate::module(&mut source, Options { exceptions: Exceptions::All, ..options });
    let wasm = generate::binary(&text);
    let engine = differential::metered_engine(&setup).unwrap_or_else(|err| panic!("no engine: {err:?}"));
    let steps = differential::drive_lowered(&engine, &wasm, &plan);
    let found = steps.iter().filter_map(|step| match &step.outcome {
        Outcome::Trap(wasmtime::Trap::OutOfFuel) => Some(1),
        Outcome::Failure(what) => panic!("{what}\n{setup:?}\n{text}"),
        _ => None,
    });
    found.sum()
}

/// Small and large arrays, tables, objects; each operation takes a place and a number of elements, which are new objects.
const STORES: &str = r#"(module
    (type $o (struct (field (mut anyref)) (field i32)))
    (type $a (array (mut anyref)))
    (global $small (mut (ref $a)) (array.new_default $a (i32.const 300)))
    (global $large (mut (ref $a)) (array.new_default $a (i32.const 5000)))
    (global $list (mut (ref null $o)) (ref.null $o))
    (table $t 300 anyref)
    (table $grown 0 anyref)
    (elem $e anyref (item (ref.i31 (i32.const 1))) (item (struct.new $o (ref.null any) (i32.const 2)))
        (item (array.new_default $a (i32.const 7))) (item (ref.null any)))
    (tag $tag (param anyref))
    (func $new (result (ref $o)) (struct.new $o (global.get $list) (i32.const 3)))
    (func $fresh (param i32) (result (ref $a)) (array.new $a (call $new) (local.get 0)))
    (func (export "0") (param i32 i32) (array.fill $a (global.get $small) (local.get 0) (call $new) (local.get 1)))
    (func (export "1") (param i32 i32) (array.fill $a (global.get $large) (local.get 0) (call $new) (local.get 1)))
    (func (export "2") (param i32 i32)
        (array.copy $a $a (global.get $small) (local.get 0) (call $fresh (local.get 1)) (i32.const 0) (local.get 1)))
    (func (export "3") (param i32 i32)
        (array.copy $a $a (global.get $large) (local.get 0) (call $fresh (local.get 1)) (i32.const 0) (local.get 1)))
    (func (export "4") (param i32 i32)
        (array.init_elem $a $e (global.get $large) (local.get 0) (i32.const 0) (i32.const 4))
        (array.init_elem $a $e (global.get $small) (local.get 1) (i32.const 1) (i32.const 3)))
    (func (export "5") (param i32 i32) (table.fill $t (local.get 0) (call $new) (local.get 1)))
    (func (export "6") (param i32 i32)
        (table.init $t $e (local.get 0) (i32.const 0) (i32.const 4))
        (table.copy $t $t (local.get 1) (local.get 0) (i32.const 30)))
    (func (export "7") (param i32 i32)
        (drop (table.grow $grown (call $new) (local.get 1)))
        (table.fill $grown (i32.const 0) (call $new) (table.size $grown)))
    (func (export "8") (param i32 i32)
        (loop $again
            (global.set $list (call $new))
            (array.set $a (global.get $small) (local.get 0) (global.get $list))
            (struct.set $o 0 (global.get $list) (array.get $a (global.get $large) (local.get 1)))
            (br_if $again (local.tee 1 (i32.sub (local.get 1) (i32.const 1))))))
    (func (export "9") (param i32 i32)
        (global.set $large (array.new $a (call $new) (i32.add (i32.const 4000) (local.get 1))))
        (array.copy $a $a (global.get $large) (i32.const 1) (global.get $large) (i32.const 0) (i32.const 3000)))
    (func $throws (param i32) (if (local.get 0) (then (call $throws (i32.sub (local.get 0) (i32.const 1)))))
        (throw $tag (call $new)))
    (func (export "10") (param i32 i32)
        (array.set $a (global.get $large) (local.get 0)
            (block $caught (result anyref) (try_table (catch $tag $caught) (call $throws (local.get 1))) (unreachable))))
    (func (export "11") (param i32 i32) (global.set $list (ref.null $o))))"#;

/// Calls operations of [`STORES`].
fn store_much(s: &mut Source<'_>, engine: &wasmtime::Result<Engine>) -> usize {
    let begun = engine.as_ref().map_err(|err| format!("{err:?}")).and_then(|engine| {
        let mut store = Store::new(engine, ());
        let module = Module::new(engine, STORES).map_err(|err| format!("{err:?}"))?;
        store.set_fuel(1 << 40).map_err(|err| format!("{err:?}"))?;
        let instance = Instance::new(&mut store, &module, &[]).map_err(|err| format!("{err:?}"))?;
        Ok((store, instance))
    });
    let (mut store, instance) = begun.unwrap_or_else(|err| panic!("{err}"));
    let (mut interrupted, mut calls) = (0, vec![]);
    for _ in 0..s.between(10, 60) {
        let (operation, place, count) = (s.below(12), s.below(250) as i32, s.between(1, 50) as i32);
        let fuel = s.weighted(&[(6, 60), (4, 300), (2, 1500), (2, 1 << 30)]) + s.below(100) as u64;
        calls.push((operation, place, count, fuel));
        let result = store.set_fuel(fuel).and_then(|()| {
            let func = instance.get_typed_func::<(i32, i32), ()>(&mut store, &operation.to_string())?;
            func.call(&mut store, (place, count))
        });
        match result.as_ref().map_err(|err| err.downcast_ref::<wasmtime::Trap>()) {
            Ok(()) => {}
            Err(Some(wasmtime::Trap::OutOfFuel)) => interrupted += 1,
            Err(_) => panic!("{result:?}\n{calls:?}"),
        }
        if s.chance(20)
            && let Err(err) = store.gc(None)
        {
            panic!("{err:?}\n{calls:?}");
        }
    }
    interrupted
}

#[cfg(test)]
mod tests {
    use super::examine;
    use crate::fuzzing::replay::{input, replay};

    #[test]
    fn replayed() {
        replay(super::run, 60, 3000);
    }

    /// Calls that always end, or never begin, would find nothing.
    #[test]
    fn some_calls_run_out_of_fuel() {
        let interrupted: usize = (2000..2020).map(|seed| examine(&input(seed, 3000))).sum();
        assert!(interrupted > 20, "{interrupted}");
    }
}
