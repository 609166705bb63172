//! A cache that keeps nothing alive: what the host computed for a guest's object is there as long as that object is.
//!
//! ```sh
//! cargo run --release --example weak_cache
//! ```
//!
//! Three ways to know of an object without keeping it: the map, whose values live as long as their keys; a weak
//! reference; a function that runs when the object is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use wasmtime_gc::ext::{self, EphemeronMap, WeakRef};
use wasmtime_gc::{AnyRef, Caller, Engine, ExternRef, Instance, Linker, Module, Result, RootScope, Rooted, Store};

/// A guest with a few shapes, which asks the host for their areas again and again.
const GUEST: &str = r#"(module $guest
    (type $shape (struct (field $width i32) (field $height i32)))
    (import "host" "area" (func $area (param (ref any) i32 i32) (result i32)))
    (table $shapes 3 (ref null $shape))
    (func (export "make") (param $at i32) (param $width i32) (param $height i32) (result anyref)
        (table.set $shapes (local.get $at) (struct.new $shape (local.get $width) (local.get $height)))
        (table.get $shapes (local.get $at)))
    (func (export "forget") (param $at i32)
        (table.set $shapes (local.get $at) (ref.null $shape)))
    (func (export "area") (param $at i32) (result i32)
        (local $shape (ref null $shape))
        (local.set $shape (table.get $shapes (local.get $at)))
        (call $area
            (ref.as_non_null (local.get $shape))
            (struct.get $shape $width (local.get $shape))
            (struct.get $shape $height (local.get $shape)))))"#;

/// What the host has: the cache, once there is a store to make it in, and how often it had to compute.
#[derive(Default)]
struct Host {
    areas: Option<EphemeronMap<AnyRef, ExternRef>>,
    computed: u32,
}

/// The host function: the area, from the cache if it is there.
fn area(mut caller: Caller<'_, Host>, shape: Rooted<AnyRef>, width: i32, height: i32) -> Result<i32> {
    let areas = match caller.data().areas.clone() {
        Some(areas) => areas,
        None => EphemeronMap::new(&mut caller)?,
    };
    caller.data_mut().areas = Some(areas.clone());
    if let Some(known) = areas.get(&mut caller, &shape)?
        && let Some(known) = known.data(&caller)?.and_then(|data| data.downcast_ref::<i32>())
    {
        return Ok(*known);
    }
    caller.data_mut().computed += 1;
    let value = ExternRef::new(&mut caller, width * height)?;
    areas.insert(&mut caller, &shape, &value)?;
    Ok(width * height)
}

/// Makes a shape in the guest: a weak reference to it.
fn make(store: &mut Store<Host>, guest: &Instance, at: i32, gone: &Arc<AtomicU32>) -> Result<WeakRef<AnyRef>> {
    let make = guest.get_typed_func::<(i32, i32, i32), Option<Rooted<AnyRef>>>(&mut *store, "make")?;
    // The handle ends with the scope, so that only the guest keeps the shape.
    let mut scope = RootScope::new(store);
    let shape = make.call(&mut scope, (at, at + 2, 10))?.expect("a shape");
    let gone = gone.clone();
    ext::finalize(&mut scope, &shape, move |_| {
        gone.fetch_add(1, Relaxed);
        println!("shape {at} is gone");
    })?;
    WeakRef::new(&mut scope, &shape)
}

/// Runs the guest.
pub fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, GUEST)?;
    let mut linker = Linker::<Host>::new(&engine);
    linker.func_wrap("host", "area", area)?;
    let mut store = Store::new(&engine, Host::default());
    let guest = linker.instantiate(&mut store, &module)?;

    let gone = Arc::new(AtomicU32::new(0));
    let shapes = (0..3).map(|at| make(&mut store, &guest, at, &gone)).collect::<Result<Vec<_>>>()?;
    let area = guest.get_typed_func::<i32, i32>(&mut store, "area")?;
    for _ in 0..1000 {
        for at in 0..3 {
            assert_eq!(area.call(&mut store, at)?, 10 * (at + 2));
        }
    }
    println!("3000 questions, {} computed", store.data().computed);
    assert_eq!(store.data().computed, 3);

    guest.get_typed_func::<i32, ()>(&mut store, "forget")?.call(&mut store, 1)?;
    store.gc(None)?;
    let areas = store.data().areas.clone().expect("the cache was used");
    println!("{} left in the cache", areas.len(&mut store)?);
    assert_eq!((areas.len(&mut store)?, gone.load(Relaxed)), (2, 1));
    assert!(shapes[1].upgrade(&mut store)?.is_none() && shapes[0].upgrade(&mut store)?.is_some());
    Ok(())
}
