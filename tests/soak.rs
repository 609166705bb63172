//! Many host calls that make, root, pass, keep and drop references: what is kept stays what it is, and memory bounded.
//!
//! `WASMTIME_GC_SOAK` says how many calls (10,000,000 for the real thing); without it, few enough for every day.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime_gc::{
    Caller, Config, Engine, ExternRef, FieldType, Func, Instance, Linker, Module, Mutability, OwnedRooted, Ref,
    RootScope, Rooted, Store, StructRef, StructRefPre, StructType, TypedFunc, Val, ValType,
};

const GUEST: &str = r#"(module
    (type $cell (struct (field (mut externref)) (field (mut anyref))))
    (import "host" "swap" (func $swap (param externref) (result externref)))
    (global $kept (export "kept") (mut anyref) (ref.null any))
    (table $shelf (export "shelf") 64 externref)
    (func (export "put") (param $i i32) (param $value externref) (param $object structref) (result anyref)
        (table.set $shelf (i32.and (local.get $i) (i32.const 63)) (call $swap (local.get $value)))
        (global.set $kept (struct.new $cell (local.get $value) (local.get $object)))
        (global.get $kept)))"#;

/// A value of the host that counts its kind.
struct Counted(u64, Arc<AtomicUsize>);

impl Counted {
    fn new(value: u64, alive: &Arc<AtomicUsize>) -> Counted {
        alive.fetch_add(1, Ordering::Relaxed);
        Counted(value, alive.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The last value that the guest gave the host.
type Data = Option<OwnedRooted<ExternRef>>;
type Put = TypedFunc<(i32, Option<Rooted<ExternRef>>, Option<Rooted<StructRef>>), Option<Rooted<wasmtime_gc::AnyRef>>>;

struct Soak {
    store: Store<Data>,
    instance: Instance,
    put: Put,
    pre: StructRefPre,
    alive: Arc<AtomicUsize>,
    /// Handles that outlive their scope, with what they are to.
    kept: VecDeque<(u64, OwnedRooted<StructRef>)>,
}

impl Soak {
    fn new() -> wasmtime_gc::Result<Soak> {
        let mut config = Config::new();
        config.gc_nursery_size(256 << 10).gc_max_heap_size(64 << 20);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, GUEST)?;
        let mut linker: Linker<Data> = Linker::new(&engine);
        linker.func_wrap(
            "host",
            "swap",
            |mut caller: Caller<'_, Data>, value: Option<Rooted<ExternRef>>| -> wasmtime_gc::Result<_> {
                let owned = value.map(|value| value.to_owned_rooted(&mut caller)).transpose()?;
                let old = std::mem::replace(caller.data_mut(), owned);
                Ok(old.map(|old| old.to_rooted(&mut caller)))
            },
        )?;
        let mut store = Store::new(&engine, None);
        let instance = linker.instantiate(&mut store, &module)?;
        let put = instance.get_func(&mut store, "put").map(|put| put.typed(&store)).transpose()?;
        let field = |ty| FieldType::new(Mutability::Var, ValType::into(ty));
        let ty = StructType::new(&engine, [field(ValType::I64), field(ValType::EXTERNREF), field(ValType::FUNCREF)])?;
        let pre = StructRefPre::new(&mut store, ty);
        let alive = Arc::default();
        Ok(Soak { store, instance, put: put.expect("exported"), pre, alive, kept: VecDeque::new() })
    }

    /// Makes a value and an object that holds it, passes both, and keeps the object for some time.
    fn step(&mut self, i: u64, func: Func) -> wasmtime_gc::Result<()> {
        let mut scope = RootScope::new(&mut self.store);
        let value = ExternRef::new(&mut scope, Counted::new(i, &self.alive))?;
        let fields = [Val::I64(i as i64), value.into(), Val::FuncRef(Some(func))];
        let object = StructRef::new(&mut scope, &self.pre, &fields)?;
        let cell = self.put.call(&mut scope, (i as i32, Some(value), Some(object)))?;
        let cell = cell.expect("just made").unwrap_struct(&scope)?;
        let inner = *cell.field(&mut scope, 1)?.unwrap_anyref().expect("just put");
        assert!(Rooted::ref_eq(&scope, &inner, &object.to_anyref())?);
        if i.is_multiple_of(5) {
            cell.set_field(&mut scope, 1, Val::AnyRef(None))?;
        }
        self.kept.push_back((i, object.to_owned_rooted(&mut scope)?));
        Ok(())
    }

    /// Lets go of the oldest handle, whose object is as it was made.
    fn let_go(&mut self) -> wasmtime_gc::Result<()> {
        let Some((i, object)) = self.kept.pop_front() else { return Ok(()) };
        let mut scope = RootScope::new(&mut self.store);
        assert_eq!(object.field(&mut scope, 0)?.unwrap_i64(), i as i64);
        let value = *object.field(&mut scope, 1)?.unwrap_externref().expect("not null");
        let value = value.data(&scope)?.and_then(|data| data.downcast_ref::<Counted>()).map(|counted| counted.0);
        assert_eq!(value, Some(i));
        Ok(())
    }
}

#[test]
fn references_come_and_go_in_bounded_memory() -> wasmtime_gc::Result<()> {
    let calls = std::env::var("WASMTIME_GC_SOAK").ok().and_then(|calls| calls.parse().ok()).unwrap_or(200_000u64);
    let mut soak = Soak::new()?;
    let func = Func::wrap(&mut soak.store, || {});
    for i in 0..calls {
        soak.step(i, func)?;
        if soak.kept.len() > 1_000 {
            soak.let_go()?;
        }
        if i % 100_000 == 99_999 {
            soak.store.gc(None)?;
            let alive = soak.alive.load(Ordering::Relaxed);
            // Those of kept objects, the shelf, the last one, the global.
            assert!(alive <= 1_000 + 64 + 2, "{alive} host values are alive after {i} calls");
        }
    }
    let shelf = soak.instance.get_table(&mut soak.store, "shelf").expect("exported");
    shelf.fill(&mut soak.store, 0, Ref::Extern(None), 64)?;
    let kept = soak.instance.get_global(&mut soak.store, "kept").expect("exported");
    kept.set(&mut soak.store, Val::AnyRef(None))?;
    *soak.store.data_mut() = None;
    soak.kept.clear();
    soak.store.gc(None)?;
    assert_eq!(soak.alive.load(Ordering::Relaxed), 0);
    let stats = soak.store.heap_stats();
    assert!(stats.heap_bytes_peak() < 24 << 20, "{} bytes", stats.heap_bytes_peak());
    assert!(stats.minor > 0 && stats.major > 0);
    Ok(())
}
