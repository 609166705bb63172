//! Configurations.

use super::wasmtime::*;
use super::{Log, Setting};

/// Those that an engine refuses, or does not.
pub fn configs(log: &mut Log) {
    let all: [(&str, Setting); 31] = [
        ("default", |c| c),
        ("gc without functions", |c| c.wasm_gc(true).wasm_function_references(false)),
        ("functions without references", |c| c.wasm_function_references(true).wasm_reference_types(false)),
        ("gc without support", |c| c.wasm_gc(true).gc_support(false)),
        ("exceptions without support", |c| c.wasm_exceptions(true).gc_support(false)),
        ("no support", |c| c.gc_support(false)),
        ("relaxed without simd", |c| c.wasm_simd(false)),
        ("no stack", |c| c.max_wasm_stack(0)),
        ("odd flag", |c| {
            // SAFETY: such a flag is refused.
            unsafe { c.cranelift_flag_set("no_such_flag", "1") }
        }),
        ("odd preset", |c| {
            // SAFETY: such a preset is refused.
            unsafe { c.cranelift_flag_enable("no_such_preset") }
        }),
        ("no signals", |c| c.signals_based_traps(false)),
        ("small guard", |c| c.memory_guard_size(1)),
        ("small reservation", |c| c.memory_reservation(1)),
        ("drc", |c| c.collector(Collector::DeferredReferenceCounting)),
        ("null", |c| c.collector(Collector::Null)),
        ("auto", |c| c.collector(Collector::Auto)),
        ("copying", |c| c.collector(Collector::Copying)),
        ("no backtrace", |c| c.wasm_backtrace_max_frames(None)),
        ("debug", |c| c.debug_info(true)),
        ("coredump", |c| c.coredump_on_trap(true)),
        ("coredump without backtrace", |c| c.coredump_on_trap(true).wasm_backtrace_max_frames(None)),
        ("large stack", |c| c.max_wasm_stack(4 << 20)),
        ("larger stack", |c| c.async_stack_size(1 << 20).max_wasm_stack(2 << 20)),
        ("endless stack", |c| c.async_stack_size(usize::MAX).max_wasm_stack(usize::MAX)),
        ("stack switching", |c| c.wasm_stack_switching(true)),
        ("everything shared", |c| c.wasm_shared_everything_threads(true)),
        ("pages", |c| c.wasm_custom_page_sizes(true)),
        ("speed", |c| c.cranelift_opt_level(OptLevel::None)),
        ("pooling", |c| c.allocation_strategy(InstanceAllocationStrategy::pooling())),
        ("tail", |c| c.wasm_tail_call(false)),
        ("features", |c| c.wasm_features(WasmFeatures::GC, false)),
    ];
    for (name, set) in all {
        let mut config = Config::new();
        set(&mut config);
        let made = Engine::new(&config);
        log.put(name, made.as_ref().map(|_| ()).map_err(|err| Error::msg(format!("{err:?}"))));
    }
}

/// Settings that change what errors say.
pub fn backtraces(log: &mut Log) {
    let text = r#"(module $m (type $s (struct (field i32))) (func $f (export "f") (drop (struct.get $s 0 (ref.null $s)))) (func $g (export "g") (call $f)))"#;
    let all: [(&str, Setting); 4] = [
        ("default", |c| c),
        ("none", |c| c.wasm_backtrace_max_frames(None)),
        ("one", |c| c.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(1))),
        ("coredump", |c| c.coredump_on_trap(true)),
    ];
    for (name, set) in all {
        let mut config = super::config();
        set(&mut config);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, text).unwrap();
        let mut store = Store::new(&engine, ());
        let made = Instance::new(&mut store, &module, &[]).unwrap();
        let g = made.get_typed_func::<(), ()>(&mut store, "g").unwrap();
        let err = g.call(&mut store, ()).unwrap_err();
        log.see(name, err.downcast_ref::<Trap>());
        log.see("frames", err.downcast_ref::<WasmBacktrace>().map(|trace| trace.frames().len()));
        log.see("coredump", err.downcast_ref::<WasmCoreDump>().is_some());
        if name != "coredump" {
            log.put("text", Err::<(), _>(err));
        }
    }
}

/// Compiled code.
pub fn compiled(log: &mut Log) {
    let engine = super::engine();
    for text in [
        "(module $m (func (export \"f\")))",
        "(module $m (type $s (struct)) (func (export \"f\") (drop (struct.new $s))))",
    ] {
        let wasm = engine.precompile_module(text.as_bytes()).unwrap();
        log.see("kind", Engine::detect_precompiled(&wasm));
        // SAFETY: the code is what was made above.
        let module = unsafe { Module::deserialize(&engine, &wasm) };
        log.put("name", module.map(|module| module.name().map(str::to_owned)));
        let mut fueled = super::config();
        fueled.consume_fuel(true);
        let other = Engine::new(&fueled).unwrap();
        // SAFETY: the same; another engine refuses it.
        let module = unsafe { Module::deserialize(&other, &wasm) };
        log.see("other engine", module.is_err());
        // SAFETY: it is cut, which is found out.
        let module = unsafe { Module::deserialize(&engine, &wasm[..40]) };
        log.see("cut", module.is_err());
    }
    log.put("precompile nothing", engine.precompile_module(b"").map(|_| ()));
    log.put("precompile bad", engine.precompile_module(b"(module (func (result i32)))").map(|_| ()));
}
