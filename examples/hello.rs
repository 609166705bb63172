//! The shortest program: a module with objects, and a call.
//!
//! Everything here is Wasmtime's API; with `wasmtime = { package = "wasmtime-gc", … }` in `Cargo.toml` the first line
//! would be `use wasmtime::…`.

use wasmtime_gc::{Engine, Instance, Module, Result, Store};

const GUEST: &str = r#"(module
    (type $point (struct (field $x f64) (field $y f64)))
    (func $length (param $p (ref $point)) (result f64)
        (f64.sqrt (f64.add
            (f64.mul (struct.get $point $x (local.get $p)) (struct.get $point $x (local.get $p)))
            (f64.mul (struct.get $point $y (local.get $p)) (struct.get $point $y (local.get $p))))))
    (func (export "length") (param f64 f64) (result f64)
        (call $length (struct.new $point (local.get 0) (local.get 1)))))"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, GUEST)?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let length = instance.get_typed_func::<(f64, f64), f64>(&mut store, "length")?;
    println!("the point (3, 4) is {} away", length.call(&mut store, (3.0, 4.0))?);
    Ok(())
}
