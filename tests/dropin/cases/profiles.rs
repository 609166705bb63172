//! Profiles of guests.

use super::wasmtime::*;
use std::time::Duration;

/// A store's data: the profiler, unless it is at work.
type Profiling = Option<GuestProfiler>;

fn profile(text: &str, name: &str, include: bool) -> Result<String> {
    let engine = Engine::default();
    let module = Module::new(&engine, text)?;
    let modules = include.then(|| (name.to_string(), module.clone()));
    let profiler = GuestProfiler::new(&engine, "the guest", Duration::from_millis(1), modules)?;
    let mut store = Store::new(&engine, Some(profiler));
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "sample", |mut caller: Caller<'_, Profiling>| {
        let mut profiler = caller.data_mut().take().expect("nobody else has it");
        profiler.call_hook(&caller, CallHook::CallingHost);
        profiler.sample(&caller, Duration::from_micros(5));
        profiler.call_hook(&caller, CallHook::ReturningFromHost);
        *caller.data_mut() = Some(profiler);
    })?;
    let instance = linker.instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, 3)?, 3);
    let mut json = Vec::new();
    store.into_data().expect("it was put back").finish(&mut json)?;
    Ok(String::from_utf8(json)?)
}

const OBJECTS: &str = r#"(module
    (type $box (struct (field i32)))
    (import "host" "sample" (func $sample))
    (func $innermost (param $b (ref $box)) (result i32) (call $sample) (struct.get $box 0 (local.get $b)))
    (func $loops (param $n i32) (result i32)
        (if (result i32) (i32.eqz (local.get $n))
            (then (i32.const 0))
            (else (i32.add
                (call $innermost (struct.new $box (i32.const 1)))
                (call $loops (i32.sub (local.get $n) (i32.const 1)))))))
    (func (export "run") (param i32) (result i32) (call $loops (local.get 0))))"#;

const PLAIN: &str = r#"(module
    (import "host" "sample" (func $sample))
    (func $innermost (param i32) (result i32) (call $sample) (local.get 0))
    (func $outer (export "run") (param i32) (result i32) (call $innermost (local.get 0))))"#;

/// Samples used to be of lowered modules, as far as somebody could take any.
#[test]
fn samples_show_the_functions_that_were_written() -> Result<()> {
    for (text, names) in [(OBJECTS, ["innermost", "loops"]), (PLAIN, ["innermost", "outer"])] {
        let json = profile(text, "guest.wasm", true)?;
        for name in names {
            assert!(json.contains(&format!("\"{name}\"")), "{name} is not in {json}");
        }
        assert!(json.contains("guest.wasm") && json.contains("hostcall") && json.contains("the guest"));
        let without = profile(text, "guest.wasm", false)?;
        assert!(!without.contains("innermost"), "only what was given is shown");
    }
    Ok(())
}

#[test]
fn engines_for_debugging_are_not_profiled() -> Result<()> {
    let mut config = Config::new();
    config.guest_debug(true);
    let engine = Engine::new(&config)?;
    assert!(GuestProfiler::new(&engine, "none", Duration::ZERO, []).is_err());
    Ok(())
}
