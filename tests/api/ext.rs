//! `ext`: weak references, ephemerons, finalizers, and host values that hold references.

use super::{instance, instance_with};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wasmtime_gc::ext::{self, EphemeronMap, FinalizationRegistry, Member, Trace, Tracer, WeakRef};
use wasmtime_gc::*;

/// Nodes that guests make: a number and a link.
const NODES: &str = r#"(module
    (type $node (struct (field i32) (field (mut anyref))))
    (; What is not stored anywhere is not allocated. ;)
    (global $last (mut (ref null $node)) (ref.null $node))
    (func (export "node") (param i32) (result (ref any)) (struct.new $node (local.get 0) (ref.null none)))
    (func (export "number") (param anyref) (result i32)
        (struct.get $node 0 (ref.cast (ref $node) (local.get 0))))
    (func (export "link") (param anyref anyref)
        (struct.set $node 1 (ref.cast (ref $node) (local.get 0)) (local.get 1)))
    (func (export "linked") (param anyref) (result anyref)
        (struct.get $node 1 (ref.cast (ref $node) (local.get 0))))
    (func (export "churn") (param i32)
        (loop $again
            (global.set $last (struct.new $node (local.get 0) (ref.null none)))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if $again (local.get 0)))))"#;

type Any = Rooted<AnyRef>;

struct Nodes(Instance);

impl Nodes {
    fn node(&self, store: impl AsContextMut, number: i32) -> Any {
        self.call(store, "node", number)
    }

    fn number(&self, store: impl AsContextMut, node: Any) -> i32 {
        self.call(store, "number", Some(node))
    }

    fn link(&self, store: impl AsContextMut, from: Any, to: Any) {
        self.call(store, "link", (Some(from), Some(to)))
    }

    fn call<P: WasmParams, R: WasmResults>(&self, mut store: impl AsContextMut, name: &str, params: P) -> R {
        let func = self.0.get_typed_func::<P, R>(&mut store, name).unwrap();
        func.call(&mut store, params).unwrap()
    }
}

fn nodes() -> (Store<()>, Nodes) {
    let (store, instance) = instance(NODES);
    (store, Nodes(instance))
}

#[test]
fn a_weak_reference_is_upgraded_or_dead() {
    let (mut store, nodes) = nodes();
    let kept = nodes.node(&mut store, 1);
    let weak_kept = WeakRef::new(&mut store, &kept).unwrap();
    let weak_lost = {
        let mut scope = RootScope::new(&mut store);
        let lost = nodes.node(&mut scope, 2);
        WeakRef::new(&mut scope, &lost).unwrap()
    };
    store.gc(None).unwrap();
    assert!(weak_lost.upgrade(&mut store).unwrap().is_none());
    let again = weak_kept.upgrade(&mut store).unwrap().unwrap();
    assert!(Rooted::ref_eq(&store, &again, &kept).unwrap());
    assert_eq!(nodes.number(&mut store, again), 1);
    let (mut other, _) = instance(NODES);
    let err = weak_kept.upgrade(&mut other).unwrap_err();
    assert!(err.to_string().contains("wrong store"), "{err}");
}

#[test]
fn a_young_object_dies_in_a_minor_collection_too() {
    let (mut store, instance) = instance_with(&Config::new(), NODES);
    let nodes = Nodes(instance);
    let mut scope = RootScope::new(&mut store);
    let kept = nodes.node(&mut scope, 1);
    let weak = [kept, nodes.node(RootScope::new(&mut scope), 2)].map(|node| WeakRef::new(&mut scope, &node));
    // The second handle has gone with its scope.
    assert!(weak[1].is_err());
    let lost = {
        let mut inner = RootScope::new(&mut scope);
        let lost = nodes.node(&mut inner, 2);
        WeakRef::new(&mut inner, &lost).unwrap()
    };
    ext::gc_young(&mut scope).unwrap();
    assert_eq!(scope.as_context().heap_stats().minor, 1);
    assert!(lost.upgrade(&mut scope).unwrap().is_none());
    let kept = weak[0].as_ref().unwrap().upgrade(&mut scope).unwrap().unwrap();
    assert_eq!(nodes.number(&mut scope, kept), 1);
}

#[test]
fn steps_find_what_died_while_the_program_goes_on() {
    let (mut store, instance) = instance_with(Config::new().gc_mark_threads(1), NODES);
    let nodes = Nodes(instance);
    let (kept, weak) = {
        let mut scope = RootScope::new(&mut store);
        let kept = nodes.node(&mut scope, 0);
        let mut last = kept;
        for number in 1..2000 {
            let node = nodes.node(&mut scope, number);
            nodes.link(&mut scope, last, node);
            last = node;
        }
        let lost = nodes.node(&mut scope, 1);
        // Old, and alive until its scope ends.
        ext::gc_young(&mut scope).unwrap();
        (kept.to_owned_rooted(&mut scope).unwrap(), WeakRef::new(&mut scope, &lost).unwrap())
    };
    let mut calls = 1;
    while !ext::gc_step(&mut store, Duration::ZERO).unwrap() {
        calls += 1;
        // The guest stores old objects into old objects meanwhile.
        let mut scope = RootScope::new(&mut store);
        let kept = kept.to_rooted(&mut scope);
        nodes.link(&mut scope, kept, kept);
    }
    assert!(calls > 2, "{calls} calls");
    assert!(weak.upgrade(&mut store).unwrap().is_none());
    let stats = store.as_context().heap_stats();
    assert_eq!((stats.major, stats.mark_steps), (1, calls));
    assert!(ext::gc_step(&mut store, Duration::MAX).unwrap());
    let mut scope = RootScope::new(&mut store);
    let kept = kept.to_rooted(&mut scope);
    assert_eq!(nodes.number(&mut scope, kept), 0);
}

#[test]
fn an_ephemeron_lives_as_long_as_its_key_even_if_the_value_leads_to_it() {
    let (mut store, nodes) = nodes();
    let map = EphemeronMap::<AnyRef, AnyRef>::new(&mut store).unwrap();
    let key = nodes.node(&mut store, 1);
    {
        let mut scope = RootScope::new(&mut store);
        let (lost, value) = (nodes.node(&mut scope, 2), nodes.node(&mut scope, 3));
        nodes.link(&mut scope, value, lost);
        map.insert(&mut scope, &lost, &value).unwrap();
        let value = nodes.node(&mut scope, 4);
        nodes.link(&mut scope, value, key);
        assert!(map.insert(&mut scope, &key, &value).unwrap().is_none());
    }
    store.gc(None).unwrap();
    assert_eq!(map.len(&mut store).unwrap(), 1);
    let value = map.get(&mut store, &key).unwrap().unwrap();
    assert_eq!(nodes.number(&mut store, value), 4);
    assert!(map.remove(&mut store, &key).unwrap().is_some() && map.is_empty(&mut store).unwrap());
    let i31 = AnyRef::from_i31(&mut store, I31::wrapping_u32(1));
    assert!(map.insert(&mut store, &i31, &key).unwrap_err().to_string().contains("i31"));
}

#[test]
fn finalizers_run_at_safe_points_and_may_call_guests() {
    let (mut store, nodes) = nodes();
    let log = Arc::new(Mutex::new(vec![]));
    let registry = {
        let (log, number) = (log.clone(), nodes.0.get_typed_func::<Option<Any>, i32>(&mut store, "number").unwrap());
        FinalizationRegistry::<AnyRef>::new(&mut store, move |mut cx, held| {
            let number = number.call(&mut cx, held).unwrap();
            // A collection in a finalizer is one like any other.
            cx.gc(None).unwrap();
            log.lock().unwrap().push(number);
        })
        .unwrap()
    };
    {
        let mut scope = RootScope::new(&mut store);
        for number in 1..=3 {
            let (target, held) = (nodes.node(&mut scope, number), nodes.node(&mut scope, 10 * number));
            let registration = registry.register(&mut scope, &target, Some(held)).unwrap();
            if number == 2 {
                assert!(registry.unregister(&mut scope, registration).unwrap());
            }
        }
        let target = nodes.node(&mut scope, 4);
        let log = log.clone();
        ext::finalize(&mut scope, &target, move |_| log.lock().unwrap().push(4)).unwrap();
        let held = registry.register(&mut scope, &target, Some(target)).unwrap_err();
        assert!(held.to_string().contains("never die"), "{held}");
    }
    assert!(log.lock().unwrap().is_empty());
    // The end of the outermost call is a safe point.
    nodes.call::<i32, ()>(&mut store, "churn", 100);
    assert_eq!(*log.lock().unwrap(), [10, 30, 4]);
    store.gc(None).unwrap();
    assert_eq!((ext::run_finalizers(&mut store).unwrap(), log.lock().unwrap().len()), (0, 3));
}

/// The results of a call are words until they are handles. A finalizer that ran before that would move what they
/// refer to.
#[test]
fn the_results_of_a_call_survive_the_finalizers_at_its_end() {
    let (mut store, nodes) = nodes();
    for number in 0..20 {
        let ran = Arc::new(AtomicU32::new(0));
        {
            let mut scope = RootScope::new(&mut store);
            let target = nodes.node(&mut scope, 1);
            let ran = ran.clone();
            ext::finalize(&mut scope, &target, move |mut cx| {
                cx.gc(None).unwrap();
                ran.fetch_add(1, Relaxed);
            })
            .unwrap();
        }
        while ran.load(Relaxed) == 0 {
            let node = nodes.node(&mut store, number);
            assert_eq!(nodes.number(&mut store, node), number);
        }
    }
}

#[test]
fn finalizers_wait_while_a_guest_is_on_the_stack() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module
            (import "" "collect" (func $collect))
            (import "" "inner" (func $inner))
            (func (export "nothing"))
            (func (export "run") (call $collect) (call $inner)))"#,
    )
    .unwrap();
    let ran = Arc::new(AtomicU32::new(0));
    let mut linker = Linker::<Option<Instance>>::new(&engine);
    let seen = ran.clone();
    linker.func_wrap("", "collect", |mut caller: Caller<'_, _>| caller.gc(None)).unwrap();
    linker
        .func_wrap("", "inner", move |mut caller: Caller<'_, Option<Instance>>| -> Result<()> {
            let instance = caller.data().unwrap();
            instance.get_typed_func::<(), ()>(&mut caller, "nothing")?.call(&mut caller, ())?;
            assert_eq!(seen.load(Relaxed), 0, "an inner call has returned, but a guest is on the stack");
            Ok(())
        })
        .unwrap();
    let mut store = Store::new(&engine, None);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    *store.data_mut() = Some(instance);
    {
        let mut scope = RootScope::new(&mut store);
        let target = ExternRef::new(&mut scope, 1).unwrap();
        let ran = ran.clone();
        ext::finalize(&mut scope, &target, move |_| _ = ran.fetch_add(1, Relaxed)).unwrap();
    }
    instance.get_typed_func::<(), ()>(&mut store, "run").unwrap().call(&mut store, ()).unwrap();
    assert_eq!(ran.load(Relaxed), 1);
}

/// A host object that holds a guest's, and tells when it is dropped.
struct Listener {
    target: Member<AnyRef>,
    more: Vec<Member<AnyRef>>,
    dropped: Arc<AtomicU32>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Relaxed);
    }
}

impl Trace for Listener {
    fn trace(&self, tracer: &mut Tracer<'_>) {
        tracer.visit(&self.target);
        self.more.iter().for_each(|member| tracer.visit(member));
    }
}

fn listener(mut store: impl AsContextMut, target: Any, dropped: &Arc<AtomicU32>) -> Rooted<ExternRef> {
    let member = Member::new(&mut store, target).unwrap();
    let listener = Listener { target: member, more: vec![], dropped: dropped.clone() };
    ExternRef::new_traced(&mut store, listener).unwrap()
}

#[test]
fn a_cycle_through_the_host_is_collected() {
    let (mut store, nodes) = nodes();
    let dropped = Arc::new(AtomicU32::new(0));
    let weak = {
        let mut scope = RootScope::new(&mut store);
        let node = nodes.node(&mut scope, 1);
        let listener = listener(&mut scope, node, &dropped);
        let listener = AnyRef::convert_extern(&mut scope, listener).unwrap();
        nodes.link(&mut scope, node, listener);
        scope.as_context_mut().gc(None).unwrap();
        assert_eq!(dropped.load(Relaxed), 0);
        WeakRef::new(&mut scope, &node).unwrap()
    };
    store.gc(None).unwrap();
    assert_eq!((dropped.load(Relaxed), weak.upgrade(&mut store).unwrap().is_none()), (1, true));
}

/// The same cycle with a root in the host value, as an embedder of Wasmtime must write it, lives forever.
#[test]
fn a_cycle_through_an_owned_root_is_not_collected() {
    let (mut store, nodes) = nodes();
    let weak = {
        let mut scope = RootScope::new(&mut store);
        let node = nodes.node(&mut scope, 1);
        let owned = node.to_owned_rooted(&mut scope).unwrap();
        let host = ExternRef::new(&mut scope, owned).unwrap();
        let host = AnyRef::convert_extern(&mut scope, host).unwrap();
        nodes.link(&mut scope, node, host);
        WeakRef::new(&mut scope, &node).unwrap()
    };
    (0..5).for_each(|_| store.gc(None).unwrap());
    assert!(weak.upgrade(&mut store).unwrap().is_some());
}

#[test]
fn members_of_old_host_objects_follow_young_targets() {
    // Without zeal, so that minor collections happen; with the verifier.
    let mut config = Config::new();
    config.gc_verify(true).gc_poison(true);
    let (mut store, instance) = instance_with(&config, NODES);
    let nodes = Nodes(instance);
    let dropped = Arc::new(AtomicU32::new(0));
    let first = nodes.node(&mut store, 0);
    let host = listener(&mut store, first, &dropped);
    store.gc(None).unwrap();
    for number in 1..50 {
        let mut scope = RootScope::new(&mut store);
        let young = nodes.node(&mut scope, number);
        let added = Member::new(&mut scope, young).unwrap();
        {
            let data = host.data_mut(&mut scope).unwrap().unwrap();
            data.downcast_mut::<Listener>().unwrap().more.push(added);
        }
        let null = Member::new(&mut scope, None).unwrap();
        let member = std::mem::replace(&mut member_of(&host, &mut scope).target, null);
        member.set(&mut scope, young).unwrap();
        member_of(&host, &mut scope).target = member;
        if number % 3 == 0 {
            scope.as_context_mut().gc(None).unwrap();
        } else {
            ext::gc_young(&mut scope).unwrap();
        }
    }
    // The last one becomes the owner's by this.
    store.gc(None).unwrap();
    let more = std::mem::take(&mut member_of(&host, &mut store).more);
    for (number, member) in (1..).zip(&more) {
        let mut scope = RootScope::new(&mut store);
        let node = member.get(&mut scope).unwrap().unwrap();
        assert_eq!(nodes.number(&mut scope, node), number);
    }
    // What no owner shows any more is dead, though somebody holds the member.
    store.gc(None).unwrap();
    assert!(more.iter().all(|member| member.get(&mut store).unwrap().is_none()));
    assert_eq!(dropped.load(Relaxed), 0);
}

fn member_of<'a>(host: &Rooted<ExternRef>, store: impl Into<StoreContextMut<'a, ()>>) -> &'a mut Listener {
    host.data_mut(store).unwrap().unwrap().downcast_mut::<Listener>().unwrap()
}

/// A host value whose trace is wrong may lose its own members and nothing else.
#[test]
fn a_trace_that_forgets_its_members_does_no_harm() {
    struct Forgets(Member<AnyRef>);
    impl Trace for Forgets {
        fn trace(&self, _: &mut Tracer<'_>) {}
    }
    let (mut store, nodes) = nodes();
    let host = {
        let node = nodes.node(&mut store, 1);
        let member = Member::new(&mut store, node).unwrap();
        ExternRef::new_traced(&mut store, Forgets(member)).unwrap()
    };
    nodes.call::<i32, ()>(&mut store, "churn", 50);
    store.gc(None).unwrap();
    // It was never shown to a tracer, so it is a root still.
    let null = Member::new(&mut store, None).unwrap();
    let data = host.data_mut(&mut store).unwrap().unwrap().downcast_mut::<Forgets>().unwrap();
    let member = std::mem::replace(&mut data.0, null);
    let node = member.get(&mut store).unwrap().unwrap();
    assert_eq!(nodes.number(&mut store, node), 1);
}

#[test]
fn the_histogram_counts_every_pause() {
    let (mut store, nodes) = nodes();
    nodes.call::<i32, ()>(&mut store, "churn", 50);
    store.gc(None).unwrap();
    let stats = store.heap_stats();
    assert_eq!(stats.pauses.iter().sum::<u64>(), stats.minor + stats.major);
    assert!(stats.pause_below(1.0) >= stats.pause_below(0.5));
    assert!(stats.pause_below(1.0) > std::time::Duration::ZERO);
}
