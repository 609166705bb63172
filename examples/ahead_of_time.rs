//! Ahead of time: compiles a module once, keeps it in a file, and runs it from there in other engines.
//!
//! ```sh
//! cargo run --release --example ahead_of_time
//! ```

use std::time::Instant;
use wasmtime_gc::{Engine, Linker, Module, Result, Store};

/// A guest that sorts a list of numbers by insertion.
const GUEST: &str = r#"(module $sort
    (type $list (struct (field $value i32) (field $next (mut (ref null $list)))))
    (func $insert (param $value i32) (param $list (ref null $list)) (result (ref $list))
        (if (ref.is_null (local.get $list))
            (then (return (struct.new $list (local.get $value) (ref.null $list)))))
        (if (i32.le_s (local.get $value) (struct.get $list $value (local.get $list)))
            (then (return (struct.new $list (local.get $value) (local.get $list)))))
        (struct.set $list $next (local.get $list)
            (call $insert (local.get $value) (struct.get $list $next (local.get $list))))
        (ref.as_non_null (local.get $list)))
    (func (export "smallest") (param $n i32) (result i32)
        (local $list (ref null $list)) (local $seed i32)
        (local.set $seed (i32.const 7))
        (loop $again
            (local.set $seed (i32.rem_u (i32.mul (local.get $seed) (i32.const 75)) (i32.const 65537)))
            (local.set $list (call $insert (local.get $seed) (local.get $list)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (local.get $n)))
        (struct.get $list $value (local.get $list))))"#;

/// Runs a module in a store of its own.
fn run(engine: &Engine, module: &Module) -> Result<i32> {
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, module)?;
    instance.get_typed_func::<i32, i32>(&mut store, "smallest")?.call(&mut store, 300)
}

/// Compiles, loads and runs.
pub fn main() -> Result<()> {
    let file = std::env::temp_dir().join(format!("wasmtime-gc-example-{}.cwasm", std::process::id()));
    let start = Instant::now();
    std::fs::write(&file, Engine::default().precompile_module(GUEST.as_bytes())?)?;
    println!("compiled in {:?}", start.elapsed());

    // Another engine, which has met other modules before.
    let engine = Engine::default();
    let other = Module::new(&engine, "(module (type $t (struct (field f64))) (func (drop (struct.new_default $t))))")?;
    let start = Instant::now();
    // SAFETY: this process has just made the file, and nobody else writes to it.
    let module = unsafe { Module::deserialize_file(&engine, &file)? };
    println!("loaded in {:?}", start.elapsed());
    std::fs::remove_file(&file)?;

    let smallest = run(&engine, &module)?;
    println!("{} has the smallest number {smallest}", module.name().unwrap_or("?"));
    assert_eq!(smallest, run(&engine, &Module::new(&engine, GUEST)?)?);
    assert!(other.name().is_none());
    Ok(())
}
