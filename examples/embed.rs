//! An embedder: instantiates a GC module, hands it host values, and looks at its heap.
//!
//! ```sh
//! cargo run --release --example embed
//! ```

use wasmtime_gc::api::{Caller, Config, Engine, ExternRef, Linker, Module, Result, RootScope, Rooted, Store, Trap};

/// A guest that keeps a list of host values, the newest first.
const GUEST: &str = r#"(module $guest
    (type $node (struct (field $value externref) (field $next (ref null $node))))
    (import "host" "show" (func $show (param externref)))
    (global $list (mut (ref null $node)) (ref.null $node))
    (func (export "add") (param externref)
        (global.set $list (struct.new $node (local.get 0) (global.get $list))))
    (func (export "show_all") (local $n (ref null $node))
        (local.set $n (global.get $list))
        (loop $again
            (if (i32.eqz (ref.is_null (local.get $n)))
                (then
                    (call $show (struct.get $node $value (local.get $n)))
                    (local.set $n (struct.get $node $next (local.get $n)))
                    (br $again)))))
    (func (export "waste") (param i32)
        (loop $again
            (drop (struct.new $node (ref.null extern) (global.get $list)))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if $again (local.get 0))))
    (func $fourth (export "fourth") (result externref)
        (struct.get $node $value
            (struct.get $node $next (struct.get $node $next (struct.get $node $next (global.get $list)))))))"#;

/// Runs the guest.
pub fn main() -> Result<()> {
    let mut config = Config::new();
    config.gc_max_heap_size(64 << 20).gc_nursery_size(256 << 10);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, GUEST)?;

    let mut linker = Linker::<u32>::new(&engine);
    linker.func_wrap(
        "host",
        "show",
        |mut caller: Caller<'_, u32>, value: Option<Rooted<ExternRef>>| -> Result<()> {
            *caller.data_mut() += 1;
            let data = value.map(|value| value.data(&caller)).transpose()?.flatten();
            let text = data.and_then(|data| data.downcast_ref::<String>());
            println!("guest shows {text:?}");
            Ok(())
        },
    )?;

    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &module)?;
    let add = instance.get_typed_func::<Rooted<ExternRef>, ()>(&mut store, "add")?;
    for word in ["one", "two", "three"] {
        // Handles that are made in a scope end with it; the guest's references stay.
        let mut scope = RootScope::new(&mut store);
        let value = ExternRef::new(&mut scope, word.to_string())?;
        add.call(&mut scope, value)?;
    }
    instance.get_typed_func::<i32, ()>(&mut store, "waste")?.call(&mut store, 1_000_000)?;
    store.gc(None)?;
    instance.get_typed_func::<(), ()>(&mut store, "show_all")?.call(&mut store, ())?;
    println!("{} values shown", store.data());

    // The list has three elements: the fourth is null.
    let fourth = instance.get_typed_func::<(), Option<Rooted<ExternRef>>>(&mut store, "fourth")?;
    let err = fourth.call(&mut store, ()).unwrap_err();
    assert_eq!(err.downcast_ref::<Trap>(), Some(&Trap::NullReference));
    println!("{err}");

    let stats = store.heap_stats();
    println!(
        "{} minor and {} major collections, {} KiB of heap, longest pause {:?}",
        stats.minor,
        stats.major,
        stats.heap_bytes / 1024,
        stats.pause_max
    );
    Ok(())
}
