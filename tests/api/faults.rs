//! The host at its worst: growth refused at any moment, in the middle of collections too, functions that trap or panic,
//! fuel that ends anywhere. The store stays usable, and nothing of an interrupted call stays behind in it.

use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmtime_gc::api::{
    AnyRef, AsContextMut, Caller, Error, FieldType, GcHeapOutOfMemory, Linker, Mutability, ResourceLimiter, Result,
    RootScope, Rooted, StructRef, StructRefPre, StructType, Trap, Val, ValType,
};

/// Grows everything that can grow, keeps a tree alive meanwhile, and sums it up at the end.
const GROWS: &str = r#"(module $grows
    (type $tree (struct (field $left (ref null $tree)) (field $right (ref null $tree)) (field i32)))
    (type $array (array (mut (ref null $tree))))
    (memory $m 1)
    (table $refs 1 (ref null $tree))
    (table $funcs 1 funcref)
    (func $make (param $depth i32) (result (ref $tree))
        (if (result (ref $tree)) (local.get $depth)
            (then (struct.new $tree
                (call $make (i32.sub (local.get $depth) (i32.const 1)))
                (call $make (i32.sub (local.get $depth) (i32.const 1)))
                (i32.const 1)))
            (else (struct.new $tree (ref.null $tree) (ref.null $tree) (i32.const 1)))))
    (func $sum (param $t (ref null $tree)) (result i32)
        (if (result i32) (ref.is_null (local.get $t))
            (then (i32.const 0))
            (else (i32.add
                (i32.add (call $sum (struct.get $tree $left (local.get $t)))
                         (call $sum (struct.get $tree $right (local.get $t))))
                (struct.get $tree 2 (local.get $t))))))
    (func (export "run") (param $rounds i32) (result i32)
        (local $kept (ref null $tree)) (local $large (ref null $array))
        (local.set $kept (call $make (i32.const 9)))
        (loop $again
            (local.set $large (array.new_default $array (i32.const 40000)))
            (array.set $array (local.get $large) (i32.const 39999) (call $make (i32.const 6)))
            (drop (table.grow $refs (local.get $kept) (i32.const 1000)))
            (drop (table.grow $funcs (ref.null func) (i32.const 100)))
            (drop (memory.grow $m (i32.const 1)))
            (table.set $refs (i32.const 0) (call $make (i32.const 8)))
            (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
        (i32.add (call $sum (local.get $kept))
            (call $sum (array.get $array (local.get $large) (i32.const 39999))))))"#;

const SUM: i32 = 1023 + 127;

/// How growth is refused.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
enum How {
    #[default]
    False,
    Error,
    Panic,
}

/// Refuses from a number of questions on, until it is told to stop.
#[derive(Default)]
struct Refuses {
    asked: usize,
    from: Option<usize>,
    how: How,
}

impl Refuses {
    fn answer(&mut self) -> Result<bool> {
        self.asked += 1;
        match (self.from.is_some_and(|from| self.asked > from), self.how) {
            (false, _) => Ok(true),
            (true, How::False) => Ok(false),
            (true, How::Error) => Err(Error::msg("refused")),
            // Without the hook's message on standard error.
            (true, How::Panic) => std::panic::resume_unwind(Box::new("refused")),
        }
    }
}

impl ResourceLimiter for Refuses {
    fn memory_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        self.answer()
    }
    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        self.answer()
    }
}

fn grow(engine: &Engine, module: &Module, limiter: Refuses) -> Store<Refuses> {
    let mut store = Store::new(engine, limiter);
    store.limiter(|limiter| limiter);
    let instance = match Instance::new(&mut store, module, &[]) {
        Ok(instance) => instance,
        Err(err) => {
            let text = format!("{err:?}");
            assert!(!text.contains("internal error"), "{text}");
            return store;
        }
    };
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    match run.call(&mut store, 6) {
        Ok(sum) => assert_eq!(sum, SUM),
        Err(err) => {
            let text = format!("{err:?}");
            let expected = err.downcast_ref::<Trap>() == Some(&Trap::AllocationTooLarge) || text.contains("refused");
            assert!(expected && !text.contains("internal error"), "{text}");
        }
    }
    store.data_mut().from = None;
    assert_eq!(run.call(&mut store, 6).unwrap(), SUM, "the store stays usable");
    store
}

#[test]
fn growth_may_be_refused_at_every_moment() {
    for zeal in [None, std::num::NonZeroU32::new(97)] {
        let mut config = Config::new();
        config.gc_nursery_size(64 << 10).gc_verify(zeal.is_some()).gc_zeal(zeal);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, GROWS).unwrap();
        let questions = grow(&engine, &module, Refuses::default()).data().asked / 2;
        assert!(questions > 15, "{questions}");
        for from in 0..=questions {
            for how in [How::False, How::Error] {
                grow(&engine, &module, Refuses { asked: 0, from: Some(from), how });
            }
        }
    }
}

/// A server caught a panic of its limiter, which a guest's allocation had asked for memory, and went on with the store:
/// its heap refused all work from then on, and asked to report that. A panic at any question is a refusal to the heap.
#[test]
fn a_limiter_may_panic_at_every_moment() {
    let mut config = Config::new();
    config.gc_nursery_size(64 << 10).gc_verify(true);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, GROWS).unwrap();
    let questions = grow(&engine, &module, Refuses::default()).data().asked / 2;
    for from in 0..questions {
        let mut store = Store::new(&engine, Refuses { asked: 0, from: Some(from), how: How::Panic });
        store.limiter(|limiter| limiter);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let instance = Instance::new(&mut store, &module, &[])?;
            instance.get_typed_func::<i32, i32>(&mut store, "run")?.call(&mut store, 6)
        }));
        assert_eq!(outcome.err().and_then(|panic| panic.downcast_ref::<&str>().copied()), Some("refused"));
        store.data_mut().from = None;
        store.gc(None).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
        assert_eq!(run.call(&mut store, 2).unwrap(), SUM, "{from}");
    }
}

/// What the host makes of a heap that may not grow any more: each allocation that fails has changed nothing, and
/// collections, which have nowhere to move young objects to, lose nothing.
#[test]
fn a_collection_without_memory_loses_nothing() {
    for from in [0, 1, 2, 3, 4, 6] {
        let mut config = Config::new();
        config.gc_nursery_size(64 << 10).gc_verify(true).gc_poison(true);
        let engine = Engine::new(&config).unwrap();
        let mut store = Store::new(&engine, Refuses { asked: 0, from: Some(from), how: How::False });
        store.limiter(|limiter| limiter);
        let field = |ty: ValType| FieldType::new(Mutability::Var, ty.into());
        let node = StructType::new(&engine, [field(ValType::ANYREF), field(ValType::I32)]).unwrap();
        let node = StructRefPre::new(&mut store, node);
        let (mut kept, mut made, mut refused) = (None, 0, 0);
        while refused < 3 {
            let mut scope = RootScope::new(&mut store);
            let tail = kept.as_ref().map(|kept: &wasmtime_gc::OwnedRooted<AnyRef>| kept.to_rooted(&mut scope));
            match StructRef::new(&mut scope, &node, &[Val::AnyRef(tail), Val::I32(made)]) {
                Ok(head) => {
                    kept = Some(head.to_anyref().to_owned_rooted(&mut scope).unwrap());
                    made += 1;
                }
                Err(err) => {
                    let text = format!("{err:?}");
                    // The first questions are those for the heap itself.
                    let full = err.is::<GcHeapOutOfMemory<()>>() || made == 0 && text.contains(" limits");
                    assert!(full && !text.contains("internal error"), "{text}");
                    refused += 1;
                }
            }
            drop(scope);
            if refused > 0 {
                wasmtime_gc::ext::gc_young(&mut store).unwrap();
                store.gc(None).unwrap();
            }
        }
        let mut scope = RootScope::new(&mut store);
        let head = kept.map(|kept| kept.to_rooted(&mut scope));
        assert_eq!(length(&mut scope, head, made), made, "{from}");
        drop(scope);
        store.data_mut().from = None;
        StructRef::new(&mut store, &node, &[Val::AnyRef(None), Val::I32(0)]).unwrap();
    }
}

/// The length of a list whose numbers count down from `next - 1`.
fn length(scope: &mut RootScope<&mut Store<Refuses>>, mut head: Option<Rooted<AnyRef>>, mut next: i32) -> i32 {
    let mut length = 0;
    while let Some(any) = head {
        let node = any.unwrap_struct(&*scope).unwrap();
        next -= 1;
        assert_eq!(node.field(&mut *scope, 1).unwrap().unwrap_i32(), next);
        head = node.field(&mut *scope, 0).unwrap().unwrap_anyref().copied();
        length += 1;
    }
    length
}

/// Descends with a live reference in each frame, and calls the host at the bottom.
const CALLS: &str = r#"(module $calls
    (type $box (struct (field (mut i32))))
    (import "host" "call" (func $host (param i32)))
    (; What is seen nowhere else, or never changed, is no object once it is optimised, and needs no slot. ;)
    (global $seen (mut (ref null $box)) (ref.null $box))
    (func (export "change") (struct.set $box 0 (global.get $seen) (i32.const -1)))
    (func $down (export "down") (param $depth i32) (param $how i32) (result i32)
        (local $own (ref null $box))
        (global.set $seen (local.tee $own (struct.new $box (local.get $depth))))
        (if (local.get $depth)
            (then (drop (call $down (i32.sub (local.get $depth) (i32.const 1)) (local.get $how))))
            (else (call $host (local.get $how))))
        (struct.get $box 0 (local.get $own))))"#;

/// A panic in a function of the host passed through the frames of WebAssembly and left their roots on the shadow
/// stack: every such call made it shorter, until none could begin any more.
#[test]
fn traps_and_panics_of_the_host_leave_no_frames() {
    let mut config = Config::new();
    config.gc_zeal(std::num::NonZeroU32::new(5003)).gc_verify(true);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, CALLS).unwrap();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "call", |how: i32| -> Result<()> {
            match how {
                0 => Ok(()),
                1 => Err(Trap::BadSignature.into()),
                2 => Err(Error::msg("an error")),
                // Without the hook's message on standard error.
                _ => std::panic::resume_unwind(Box::new("a panic")),
            }
        })
        .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let down = instance.get_typed_func::<(i32, i32), i32>(&mut store, "down").unwrap();
    // Two calls, of which one is in the place of the other, have a word of the shadow stack, which has 2^18: what all
    // panics together would leave is more. Errors are few, as each has a backtrace of all frames.
    for round in 0..500 {
        let how = if round % 25 == 0 { 1 + round / 25 % 2 } else { 3 };
        let outcome = catch_unwind(AssertUnwindSafe(|| down.call(&mut store, (2500, how))));
        match outcome {
            Ok(result) => assert!(how < 3 && result.is_err(), "{how}: {result:?}"),
            Err(panic) => assert_eq!((how, panic.downcast_ref::<&str>()), (3, Some(&"a panic"))),
        }
    }
    assert_eq!(down.call(&mut store, (2500, 0)).unwrap(), 2500);
}

/// A call within a call that traps must leave the frames of the outer one where they are: a host that counted its calls
/// wrongly would empty the whole shadow stack, and the outer function would find its object where it was before it moved.
#[test]
fn a_trap_within_a_call_leaves_the_frames_of_the_outer_one() {
    let text = r#"(module
        (import "host" "inner" (func $inner (param anyref)))
        (type $box (struct (field (mut i32))))
        (func (export "fill") (param i32)
            (loop $more
                (call $keep (struct.new $box (i32.const 7)))
                (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (global $last (mut (ref null $box)) (ref.null $box))
        (func $keep (param (ref $box)) (global.set $last (local.get 0)))
        (func (export "trap") (call $inner (ref.null any)) unreachable)
        (func (export "outer") (result i32) (local $own (ref null $box))
            (local.set $own (struct.new $box (i32.const 42)))
            (call $inner (local.get $own))
            (struct.get $box 0 (local.get $own))))"#;
    let engine = Engine::default();
    let module = Module::new(&engine, text).unwrap();
    for by_real_store in [false, true] {
        let mut linker = Linker::new(&engine);
        linker
            .func_wrap("host", "inner", |mut caller: Caller<'_, ()>, object: Option<Rooted<AnyRef>>| -> Result<()> {
                if object.is_none() {
                    return Ok(());
                }
                let export = |caller: &mut Caller<'_, ()>, name| caller.get_export(name).unwrap().into_func().unwrap();
                let trap = export(&mut caller, "trap");
                assert!(trap.call(&mut caller, &[], &mut []).is_err());
                caller.as_context_mut().gc(None)?;
                let fill = export(&mut caller, "fill");
                fill.call(&mut caller, &[Val::I32(300_000)], &mut [])
            })
            .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let outer = instance.get_func(&mut store, "outer").unwrap();
        for _ in 0..3 {
            if by_real_store {
                // From here on nobody can tell which call is the outermost.
                store.wasmtime_mut();
            }
            let mut results = [Val::I32(0)];
            outer.call(&mut store, &[], &mut results).unwrap();
            assert_eq!(results[0].unwrap_i32(), 42);
        }
    }
}

#[test]
fn fuel_may_end_anywhere() {
    let mut config = Config::new();
    config.consume_fuel(true).gc_nursery_size(64 << 10).gc_zeal(std::num::NonZeroU32::new(61));
    config.gc_verify(true);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, GROWS).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_fuel(u64::MAX).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, 1).unwrap(), SUM);
    let needed = u64::MAX - store.get_fuel().unwrap();
    for part in 0..60 {
        store.set_fuel(needed * part / 60 + part).unwrap();
        let err = run.call(&mut store, 1).unwrap_err();
        assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel), "{err:?}");
    }
    store.set_fuel(u64::MAX).unwrap();
    assert_eq!(run.call(&mut store, 1).unwrap(), SUM);
}

/// The deadline's callback is called at every check, and interrupts at every fiftieth, by an error or by a panic.
#[test]
fn epochs_may_pass_anywhere() {
    let mut config = Config::new();
    config.epoch_interruption(true).gc_nursery_size(64 << 10);
    config.gc_verify(true).gc_zeal(std::num::NonZeroU32::new(211));
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, GROWS).unwrap();
    let mut store = Store::new(&engine, Checks { passed: 0, interrupt: true });
    store.set_epoch_deadline(1);
    check_deadlines(&mut store);
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    engine.increment_epoch();
    for _ in 0..30 {
        match catch_unwind(AssertUnwindSafe(|| run.call(&mut store, 1))) {
            Ok(result) => {
                let text = format!("{:?}", result.unwrap_err());
                assert!(text.contains("interrupted"), "{text}");
            }
            Err(panic) => {
                assert_eq!(panic.downcast_ref::<&str>(), Some(&"a panic"));
                // As with Wasmtime, one that has panicked is gone, and the deadline is a trap.
                let err = run.call(&mut store, 1).unwrap_err();
                assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::Interrupt), "{err:?}");
                check_deadlines(&mut store);
            }
        }
    }
    store.data_mut().interrupt = false;
    assert_eq!(run.call(&mut store, 1).unwrap(), SUM, "nothing of the interrupted calls is left");
}

struct Checks {
    passed: u32,
    interrupt: bool,
}

fn check_deadlines(store: &mut Store<Checks>) {
    store.epoch_deadline_callback(|mut cx| {
        cx.data_mut().passed += 1;
        match (cx.data().interrupt, cx.data().passed % 100) {
            (true, 50) => std::panic::resume_unwind(Box::new("a panic")),
            (true, 0) => Err(Error::msg("interrupted")),
            _ => Ok(wasmtime_gc::api::UpdateDeadline::Continue(0)),
        }
    });
}
