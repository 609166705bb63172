//! `ext` as a careless embedder uses it: values of two stores, panics, finalizers that do everything.

use super::{instance, instance_with};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use wasmtime_gc::ext::{self, EphemeronMap, FinalizationRegistry, Member, Trace, Tracer, WeakRef};
use wasmtime_gc::*;

const BOXES: &str = r#"(module
    (type $box (struct (field i32) (field (mut anyref))))
    (func (export "box") (param i32 anyref) (result (ref any)) (struct.new $box (local.get 0) (local.get 1)))
    (func (export "link") (param anyref anyref)
        (struct.set $box 1 (ref.cast (ref $box) (local.get 0)) (local.get 1)))
    (func (export "number") (param anyref) (result i32)
        (struct.get $box 0 (ref.cast (ref $box) (local.get 0)))))"#;

type Any = Rooted<AnyRef>;

/// Collects at every allocation, verifies, and poisons what is free.
fn zeal() -> Config {
    let mut config = Config::new();
    config.gc_zeal(NonZeroU32::new(1)).gc_verify(true).gc_poison(true);
    config
}

fn make(mut store: impl AsContextMut, instance: Instance, number: i32, link: Option<Any>) -> Any {
    let make = instance.get_typed_func::<(i32, Option<Any>), Any>(&mut store, "box").unwrap();
    make.call(&mut store, (number, link)).unwrap()
}

fn number(mut store: impl AsContextMut, instance: Instance, of: Any) -> i32 {
    let number = instance.get_typed_func::<Option<Any>, i32>(&mut store, "number").unwrap();
    number.call(&mut store, Some(of)).unwrap()
}

struct Holder(Vec<Member<AnyRef>>);

impl Trace for Holder {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        self.0.iter().for_each(|member| tracer.visit(member));
    }
}

/// The tracer of one store used to follow members of another: the reference was taken for an address of the wrong
/// heap, and the member was moved there.
#[test]
fn a_tracer_leaves_members_of_other_stores_alone() {
    let (mut ours, one) = instance_with(&zeal(), BOXES);
    let (mut theirs, other) = instance_with(&zeal(), BOXES);
    // Live objects before it, so that the address means something else over there.
    for n in 0..100 {
        make(&mut ours, one, n, None);
    }
    let object = make(&mut ours, one, 42, None);
    let foreign = Member::new(&mut ours, object).unwrap();
    let object = make(&mut theirs, other, 7, None);
    let own = Member::new(&mut theirs, object).unwrap();
    let holder = ExternRef::new_traced(&mut theirs, Holder(vec![foreign, own])).unwrap();
    for _ in 0..3 {
        theirs.gc(None).unwrap();
        ours.gc(None).unwrap();
        make(&mut theirs, other, 8, None);
    }
    let Holder(members) = holder.data_mut(&mut theirs).unwrap().unwrap().downcast_mut().unwrap();
    let [foreign, own] = <[_; 2]>::try_from(std::mem::take(members)).ok().unwrap();
    let object = own.get(&mut theirs).unwrap().unwrap();
    assert_eq!(number(&mut theirs, other, object), 7);
    assert!(foreign.get(&mut theirs).is_err() && foreign.set(&mut theirs, None).is_err());
    // Nobody of its own store has adopted it.
    let object = foreign.get(&mut ours).unwrap().unwrap();
    assert_eq!(number(&mut ours, one, object), 42);
}

/// A finalizer that panicked used to leave its scope of handles open: what was held for it lived on.
#[test]
fn a_finalizer_may_panic() {
    let (mut store, instance) = instance_with(&zeal(), BOXES);
    let calls = Arc::new(AtomicU32::new(0));
    let seen = calls.clone();
    let registry = FinalizationRegistry::<AnyRef>::new(&mut store, move |_, _| {
        if seen.fetch_add(1, Relaxed) == 0 {
            panic!("on purpose");
        }
    })
    .unwrap();
    let held = {
        let mut scope = RootScope::new(&mut store);
        let mut weak = vec![];
        for n in 0..3 {
            let (target, held) = (make(&mut scope, instance, n, None), make(&mut scope, instance, n, None));
            registry.register(&mut scope, &target, Some(held)).unwrap();
            weak.push(WeakRef::new(&mut scope, &held).unwrap());
        }
        weak
    };
    assert!(catch_unwind(AssertUnwindSafe(|| store.gc(None))).is_err());
    // The others run at the next safe point.
    ext::run_finalizers(&mut store).unwrap();
    assert_eq!(calls.load(Relaxed), 3);
    store.gc(None).unwrap();
    for weak in held {
        assert!(weak.upgrade(&mut store).unwrap().is_none());
    }
}

#[test]
fn a_finalizer_may_allocate_register_collect_and_call() {
    let (mut store, instance) = instance_with(&zeal(), BOXES);
    let log = Arc::new(Mutex::new(vec![]));
    fn again(mut store: impl AsContextMut<Data = ()>, instance: Instance, n: i32, log: Arc<Mutex<Vec<i32>>>) {
        let mut scope = RootScope::new(&mut store);
        let target = make(&mut scope, instance, n, None);
        let then = move |mut cx: StoreContextMut<'_, ()>| {
            log.lock().unwrap().push(n);
            let kept = make(&mut cx, instance, n, None);
            if n > 0 {
                again(&mut cx, instance, n - 1, log);
            }
            // Finalizers do not nest: what dies by this waits.
            cx.gc(None).unwrap();
            assert_eq!(ext::run_finalizers(&mut cx).unwrap(), 0);
            assert_eq!(number(&mut cx, instance, kept), n);
        };
        ext::finalize(&mut scope, &target, then).unwrap();
    }
    again(&mut store, instance, 5, log.clone());
    store.gc(None).unwrap();
    ext::run_finalizers(&mut store).unwrap();
    assert_eq!(*log.lock().unwrap(), [5, 4, 3, 2, 1, 0]);
}

/// Keys that only values lead to, in a ring over two maps, die together; one root keeps them all.
#[test]
fn rings_of_ephemerons_live_and_die_together() {
    let (mut store, instance) = instance_with(&zeal(), BOXES);
    let maps = [(); 2].map(|()| EphemeronMap::<AnyRef, AnyRef>::new(&mut store).unwrap());
    let root = {
        let mut scope = RootScope::new(&mut store);
        let keys: Vec<_> = (0..20).map(|n| make(&mut scope, instance, n, None)).collect();
        for (n, key) in keys.iter().enumerate() {
            let value = make(&mut scope, instance, 100 + n as i32, Some(keys[(n + 1) % 20]));
            maps[n % 2].insert(&mut scope, key, &value).unwrap();
        }
        keys[11].to_owned_rooted(&mut scope).unwrap()
    };
    store.gc(None).unwrap();
    let lens = |store: &mut Store<()>| maps.iter().map(|map| map.len(&mut *store).unwrap()).collect::<Vec<_>>();
    assert_eq!(lens(&mut store), [10, 10]);
    {
        let mut scope = RootScope::new(&mut store);
        let key = root.to_rooted(&mut scope);
        let value = maps[1].get(&mut scope, &key).unwrap().unwrap();
        assert_eq!(number(&mut scope, instance, value), 111);
    }
    drop(root);
    store.gc(None).unwrap();
    assert_eq!(lens(&mut store), [0, 0]);
}

/// `Drop` is the embedder's code: it may lock what its functions lock, and it may panic.
#[test]
fn a_host_value_may_lock_or_panic_when_it_is_dropped() {
    struct Noisy(Arc<Mutex<Vec<u32>>>, u32);
    impl Drop for Noisy {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(self.1);
            assert_ne!(self.1, 1, "on purpose");
        }
    }
    let (mut store, instance) = instance(BOXES);
    let log = Arc::new(Mutex::new(vec![]));
    {
        let mut scope = RootScope::new(&mut store);
        for n in 0..2 {
            ExternRef::new(&mut scope, Noisy(log.clone(), n)).unwrap();
        }
    }
    assert!(catch_unwind(AssertUnwindSafe(|| store.gc(None))).is_err());
    log.clear_poison();
    assert_eq!(*log.lock().unwrap(), [0, 1]);
    // The store goes on.
    let kept = make(&mut store, instance, 3, None);
    store.gc(None).unwrap();
    assert_eq!(number(&mut store, instance, kept), 3);
}

/// After a panic in a trace the heap is out of order: errors from then on, and no wrong reference.
#[test]
fn a_panic_in_a_trace_is_contained() {
    struct Bad(Arc<AtomicU32>);
    impl Trace for Bad {
        fn trace(&self, _: &mut Tracer<'_>) {
            assert_eq!(self.0.load(Relaxed), 0, "on purpose");
        }
    }
    let (mut store, instance) = instance(BOXES);
    let fuse = Arc::new(AtomicU32::new(0));
    let _bad = ExternRef::new_traced(&mut store, Bad(fuse.clone())).unwrap();
    let kept = make(&mut store, instance, 3, None);
    fuse.store(1, Relaxed);
    assert!(catch_unwind(AssertUnwindSafe(|| store.gc(None))).is_err());
    let make = instance.get_typed_func::<(i32, Option<Any>), Any>(&mut store, "box").unwrap();
    let rest = catch_unwind(AssertUnwindSafe(|| {
        (0..100_000).try_for_each(|n| {
            let mut scope = RootScope::new(&mut store);
            make.call(&mut scope, (n, Some(kept))).map(drop)
        })
    }));
    assert!(matches!(rest, Ok(Err(_))), "the heap says that it can not go on");
}

/// A collection inside a host function, with handles of that function, of its caller and of guests' frames.
#[test]
fn a_host_function_collects_what_nobody_holds_and_nothing_else() {
    let engine = Engine::new(&zeal()).unwrap();
    let module = Module::new(
        &engine,
        r#"(module
            (type $box (struct (field i32) (field (mut anyref))))
            (import "" "collect" (func $collect (param anyref) (result anyref)))
            (func (export "run") (param anyref) (result i32)
                (local $own (ref $box)) (local $back (ref $box))
                (local.set $own (struct.new $box (i32.const 40) (local.get 0)))
                (local.set $back (ref.cast (ref $box) (call $collect (local.get $own))))
                (i32.add
                    (i32.add (struct.get $box 0 (local.get $back)) (struct.get $box 0 (local.get $own)))
                    (i31.get_u (ref.cast (ref i31) (struct.get $box 1 (local.get $own)))))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, Vec::<WeakRef<AnyRef>>::new());
    let collect = Func::wrap(
        &mut store,
        |mut caller: Caller<'_, Vec<WeakRef<AnyRef>>>, value: Option<Any>| -> Result<Option<Any>> {
            let lost = {
                let mut scope = RootScope::new(&mut caller);
                let lost = ExternRef::new(&mut scope, "lost")?;
                let lost = AnyRef::convert_extern(&mut scope, lost)?;
                WeakRef::new(&mut scope, &lost)?
            };
            let weak = WeakRef::new(&mut caller, &value.unwrap())?;
            caller.gc(None)?;
            assert!(lost.upgrade(&mut caller)?.is_none());
            caller.data_mut().push(weak.clone());
            weak.upgrade(&mut caller)
        },
    );
    let instance = Instance::new(&mut store, &module, &[collect.into()]).unwrap();
    let run = instance.get_typed_func::<Option<Any>, i32>(&mut store, "run").unwrap();
    for _ in 0..10 {
        let mut scope = RootScope::new(&mut store);
        let n = AnyRef::from_i31(&mut scope, I31::wrapping_u32(7));
        assert_eq!(run.call(&mut scope, Some(n)).unwrap(), 87);
    }
    store.gc(None).unwrap();
    for weak in std::mem::take(store.data_mut()) {
        assert!(weak.upgrade(&mut store).unwrap().is_none());
    }
}

/// The functions of registries that nobody holds any more used to stay as long as the store.
#[test]
fn registries_come_and_go_in_any_number() {
    let (mut store, _) = instance(BOXES);
    let alive = Arc::new(());
    for _ in 0..1_000 {
        let held = alive.clone();
        FinalizationRegistry::<AnyRef>::new(&mut store, move |_, _| _ = held.clone()).unwrap();
    }
    assert!(Arc::strong_count(&alive) < 40, "{}", Arc::strong_count(&alive));
}
