//! The module that the operations call, and engines for it.

use crate::api::{AnyRef, Caller, Config, Engine, Instance, Linker, Module, Result, Rooted, Store};
use crate::ext;
use crate::fuzzing::generate::Source;
use std::cell::RefCell;
use std::collections::HashMap;
use std::num::NonZeroU32;

const GUEST: &str = r#"(module
    (type $node (struct (field (mut anyref)) (field (mut anyref)) (field i32)))
    (type $refs (array (mut anyref)))
    (import "host" "back" (func $back (param anyref i32) (result anyref)))
    (global $a (export "a") (mut anyref) (ref.null any))
    (global $b (export "b") (mut anyref) (ref.null any))
    (global $last (mut (ref null $node)) (ref.null $node))
    (table $t (export "t") 4 anyref)
    (func (export "make") (param anyref anyref i32) (result anyref)
        (struct.new $node (local.get 0) (local.get 1) (local.get 2)))
    (func (export "put") (param $at anyref) (param $second i32) (param $v anyref)
        (if (local.get $second)
            (then (struct.set $node 1 (ref.cast (ref $node) (local.get $at)) (local.get $v)))
            (else (struct.set $node 0 (ref.cast (ref $node) (local.get $at)) (local.get $v)))))
    (func (export "pick") (param $at anyref) (param $second i32) (result anyref)
        (if (result anyref) (local.get $second)
            (then (struct.get $node 1 (ref.cast (ref $node) (local.get $at))))
            (else (struct.get $node 0 (ref.cast (ref $node) (local.get $at))))))
    (func (export "swap") (param $n i32) (local $v anyref)
        (local.set $v (global.get $a))
        (global.set $a (table.get $t (local.get $n)))
        (table.set $t (local.get $n) (local.get $v)))
    (func (export "copy") (param $to anyref) (param $from anyref) (param $len i32)
        (array.copy $refs $refs (ref.cast (ref $refs) (local.get $to)) (i32.const 1)
            (ref.cast (ref $refs) (local.get $from)) (i32.const 1) (local.get $len)))
    (func (export "fill") (param $at anyref) (param $v anyref) (param $len i32)
        (array.fill $refs (ref.cast (ref $refs) (local.get $at)) (i32.const 1) (local.get $v) (local.get $len)))
    (func (export "churn") (param $n i32)
        (loop $again
            (global.set $last (struct.new $node (global.get $last) (ref.null any) (local.get $n)))
            (if (i32.eqz (i32.and (local.get $n) (i32.const 15)))
                (then (global.set $last (ref.null $node))))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (global.set $last (ref.null $node)))
    (; What comes back is what went down, through a frame with its own object for each call. ;)
    (func $down (export "down") (param $depth i32) (param $v anyref) (result anyref)
        (local $own (ref null $node))
        (local.set $own (struct.new $node (local.get $v) (ref.null any) (local.get $depth)))
        (struct.set $node 1 (local.get $own)
            (if (result anyref) (local.get $depth)
                (then (call $down (i32.sub (local.get $depth) (i32.const 1)) (local.get $v)))
                (else (call $back (struct.get $node 0 (local.get $own)) (i32.const 3)))))
        (drop (call $back (local.get $v) (local.get $depth)))
        (if (i32.and (local.get $depth) (i32.const 1))
            (then (return (struct.get $node 0 (local.get $own)))))
        (struct.get $node 1 (local.get $own))))"#;

/// How the engine runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Setup {
    zeal: u32,
    explicit_null_checks: bool,
}

impl Setup {
    pub fn choose(s: &mut Source<'_>) -> Setup {
        Setup { zeal: s.weighted(&[(4, 0), (2, 1), (2, 3), (1, 17)]), explicit_null_checks: s.chance(20) }
    }

    fn engine(self) -> Result<Engine> {
        let mut config = Config::new();
        config
            .parallel_compilation(false)
            .gc_nursery_size(64 << 10)
            .gc_zeal(NonZeroU32::new(self.zeal))
            .gc_verify(true)
            .gc_poison(true)
            .explicit_null_checks(self.explicit_null_checks);
        Engine::new(&config)
    }
}

thread_local! {
    /// The engines of this thread: the module is the same for all inputs.
    static ENGINES: RefCell<HashMap<Setup, (Engine, Module)>> = RefCell::default();
}

fn engine(setup: Setup) -> Result<(Engine, Module)> {
    ENGINES.with_borrow_mut(|engines| {
        if let Some(known) = engines.get(&setup) {
            return Ok(known.clone());
        }
        let engine = setup.engine()?;
        let module = Module::new(&engine, GUEST)?;
        engines.insert(setup, (engine.clone(), module.clone()));
        Ok((engine, module))
    })
}

/// A new store, and an instance of the module in it.
pub fn store(setup: Setup) -> Result<(Store<()>, Instance)> {
    let (engine, module) = engine(setup)?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "back", back)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module)?;
    Ok((store, instance))
}

/// Gives back what it gets, after what an embedder may do meanwhile.
fn back(mut caller: Caller<'_, ()>, any: Option<Rooted<AnyRef>>, how: i32) -> Result<Option<Rooted<AnyRef>>> {
    match how {
        1 => ext::gc_young(&mut caller)?,
        2 => caller.gc(None)?,
        3 => {
            let kept = any.map(|any| any.to_owned_rooted(&mut caller)).transpose()?;
            ext::gc_young(&mut caller)?;
            return kept.map(|kept| kept.try_to_rooted(&mut caller)).transpose();
        }
        _ => {}
    }
    Ok(any)
}
