//! What guests do, and how they end.

use super::wasmtime::*;
use super::{Log, config, instance};

const TRAPS: &str = r#"(module $traps
    (type $s (struct (field $f (mut i32)) (field (ref null $s))))
    (type $other (struct (field i64) (field f64)))
    (type $a (array (mut i8)))
    (type $fn (func (param i32) (result i32)))
    (table $t 3 anyref)
    (table $f 3 funcref)
    (memory 1)
    (tag $tag (param i32 anyref))
    (func $unreachable (export "unreachable") unreachable)
    (func $null_get (export "null_get") (result i32) (struct.get $s 0 (ref.null $s)))
    (func (export "null_set") (struct.set $s 0 (ref.null $s) (i32.const 1)))
    (func (export "null_len") (result i32) (array.len (ref.null $a)))
    (func (export "array_get") (result i32) (array.get_u $a (array.new_default $a (i32.const 3)) (i32.const 3)))
    (func (export "array_set") (array.set $a (array.new_default $a (i32.const 3)) (i32.const -1) (i32.const 1)))
    (func (export "array_fill") (array.fill $a (array.new_default $a (i32.const 3)) (i32.const 2) (i32.const 1) (i32.const 2)))
    (func (export "array_copy") (array.copy $a $a (array.new_default $a (i32.const 3)) (i32.const 2) (array.new_default $a (i32.const 3)) (i32.const 0) (i32.const 2)))
    (func (export "cast") (result i32) (struct.get $s 0 (ref.cast (ref $s) (struct.new_default $other))))
    (func (export "cast_null") (drop (ref.cast (ref $s) (ref.null any))))
    (func (export "as_non_null") (drop (ref.as_non_null (table.get $t (i32.const 0)))))
    (func (export "table_get") (drop (table.get $t (i32.const 3))))
    (func (export "table_set") (table.set $t (i32.const 3) (ref.null any)))
    (func (export "table_fill") (table.fill $t (i32.const 3) (ref.null any) (i32.const 1)))
    (func (export "table_copy") (table.copy $t $t (i32.const 3) (i32.const 0) (i32.const 1)))
    (func (export "call_null") (drop (call_indirect $f (type $fn) (i32.const 1) (i32.const 0))))
    (func (export "call_out") (drop (call_indirect $f (type $fn) (i32.const 1) (i32.const 7))))
    (func (export "call_type") (table.set $f (i32.const 1) (ref.func $unreachable)) (drop (call_indirect $f (type $fn) (i32.const 1) (i32.const 1))))
    (elem declare func $unreachable)
    (func (export "call_ref") (drop (call_ref $fn (i32.const 1) (ref.null $fn))))
    (func (export "div") (result i32) (i32.div_s (i32.const 1) (i32.const 0)))
    (func (export "overflow") (result i32) (i32.div_s (i32.const 0x80000000) (i32.const -1)))
    (func (export "trunc") (result i32) (i32.trunc_f32_s (f32.const nan)))
    (func (export "trunc_far") (result i32) (i32.trunc_f32_s (f32.const 1e20)))
    (func (export "memory") (result i32) (i32.load (i32.const 65536)))
    (func (export "memory_fill") (memory.fill (i32.const 65536) (i32.const 0) (i32.const 1)))
    (func $rec (export "recursion") (param i32) (result i32) (i32.add (i32.const 1) (call $rec (local.get 0))))
    (func (export "i31_null") (result i32) (i31.get_s (ref.null i31)))
    (func (export "throw") (throw $tag (i32.const 1) (ref.null any)))
    (func (export "throw_null") (throw_ref (ref.null exn)))
    (func (export "huge") (drop (array.new_default $a (i32.const -1))))
    (func (export "deep") (call $deep1))
    (func $deep1 (call $deep2 (i32.const 5)))
    (func $deep2 (param i32) (loop (drop (struct.new $s (local.get 0) (ref.null $s))) (if (local.get 0) (then (drop (call $null_get)))))))"#;

/// Every trap, with its text, its code and its backtrace.
pub fn traps(log: &mut Log) {
    let (mut store, made) = instance(TRAPS);
    let names: Vec<String> = made.exports(&mut store).map(|export| export.name().to_owned()).collect();
    for name in names {
        let func = made.get_func(&mut store, &name).unwrap();
        let ty = func.ty(&store);
        let args: Vec<Val> = ty.params().map(|_| Val::I32(1)).collect();
        let mut results: Vec<Val> = ty.results().map(|_| Val::I32(0)).collect();
        let result = func.call(&mut store, &args, &mut results);
        if name == "recursion" || name == "huge" {
            // How deep depends on the code, and the heap is another.
            log.see(&name, result.unwrap_err().downcast_ref::<Trap>().is_some());
            continue;
        }
        if let Err(err) = &result {
            let frames = err.downcast_ref::<WasmBacktrace>().map(|trace| {
                let frame = |f: &FrameInfo| {
                    (f.func_index(), f.func_name().map(str::to_owned), f.module_offset(), f.func_offset())
                };
                trace.frames().iter().map(frame).collect::<Vec<_>>()
            });
            log.see("frames", frames);
        }
        log.put(&name, result);
        log.see("pending", store.take_pending_exception().is_some());
    }
}

/// Fuel, epochs, limits.
pub fn limits(log: &mut Log) {
    let text = r#"(module (type $s (struct)) (memory (export "m") 1) (table (export "t") 1 anyref) (table (export "f") 1 funcref)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "table_grow") (param i32) (result i32) (table.grow 0 (ref.null any) (local.get 0)))
        (func (export "funcs_grow") (param i32) (result i32) (table.grow 1 (ref.null func) (local.get 0)))
        (func (export "spin") (loop (drop (struct.new $s)) (br 0))))"#;
    let plain = r#"(module (memory 300) (table 30 funcref))"#;
    let engine = super::engine();
    let module = Module::new(&engine, text).unwrap();
    let large = Module::new(&engine, plain).unwrap();
    for fail in [false, true] {
        let limits =
            StoreLimitsBuilder::new().memory_size(8 << 20).table_elements(4).trap_on_grow_failure(fail).build();
        let mut store = Store::new(&engine, limits);
        store.limiter(|limits| limits);
        log.put("large", Instance::new(&mut store, &large, &[]).map(|_| ()));
        let made = match Instance::new(&mut store, &module, &[]) {
            Ok(made) => made,
            Err(err) => {
                log.put("made", Err::<(), _>(err));
                continue;
            }
        };
        for (name, by) in
            [("grow", 127), ("grow", 1), ("table_grow", 3), ("table_grow", 1), ("funcs_grow", 3), ("funcs_grow", 1)]
        {
            let func = made.get_typed_func::<i32, i32>(&mut store, name).unwrap();
            log.put(&format!("{name} {by}"), func.call(&mut store, by));
        }
        let memory = made.get_memory(&mut store, "m").unwrap();
        log.put("memory of the host", memory.grow(&mut store, 1));
        let table = made.get_table(&mut store, "t").unwrap();
        log.put("table of the host", table.grow(&mut store, 1, Ref::Any(None)));
        let table = made.get_table(&mut store, "f").unwrap();
        log.put("functions of the host", table.grow(&mut store, 1, Ref::Func(None)));
        log.put("new memory", Memory::new(&mut store, MemoryType::new(300, None)).map(|_| ()));
        log.put(
            "new table",
            Table::new(&mut store, TableType::new(RefType::EXTERNREF, 9, None), Ref::Extern(None)).map(|_| ()),
        );
    }
    let limits = StoreLimitsBuilder::new().instances(1).memories(1).tables(1).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let one = Module::new(&engine, "(module)").unwrap();
    log.put("one", Instance::new(&mut store, &one, &[]).map(|_| ()));
    log.put("two", Instance::new(&mut store, &one, &[]).map(|_| ()));
    let mut store = Store::new(&engine, ());
    log.put("no fuel", store.get_fuel());
    log.put("set no fuel", store.set_fuel(1));
    log.put("yield no fuel", store.fuel_async_yield_interval(Some(1)));
    let mut fueled = config();
    fueled.consume_fuel(true).epoch_interruption(true);
    let engine = Engine::new(&fueled).unwrap();
    let module = Module::new(&engine, text).unwrap();
    let mut store = Store::new(&engine, ());
    log.put("yield of nothing", store.fuel_async_yield_interval(Some(0)));
    let made = Instance::new(&mut store, &module, &[]).unwrap();
    let spin = made.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
    store.set_fuel(10_000).unwrap();
    let end = |err: Error| (format!("{}", err.root_cause()), err.downcast_ref::<Trap>().copied());
    log.see("no deadline yet", end(spin.call(&mut store, ()).unwrap_err()));
    store.set_epoch_deadline(5);
    log.see("fuel", end(spin.call(&mut store, ()).unwrap_err()));
    store.set_fuel(u64::MAX).unwrap();
    store.epoch_deadline_callback(|_| bail!("late"));
    (0..5).for_each(|_| engine.increment_epoch());
    log.see("callback", end(spin.call(&mut store, ()).unwrap_err()));
    store.epoch_deadline_trap();
    log.see("epoch", end(spin.call(&mut store, ()).unwrap_err()));
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Interrupt));
    log.see("interrupt", end(spin.call(&mut store, ()).unwrap_err()));
}

/// Exceptions between guests and hosts.
pub fn exceptions(log: &mut Log) {
    let mut store = super::store();
    let engine = store.engine().clone();
    let tag_type = TagType::new(FuncType::new(&engine, [ValType::I32, ValType::ANYREF], []));
    log.put("results", ExnType::from_tag_type(&TagType::new(FuncType::new(&engine, [], [ValType::I32]))).map(|_| ()));
    let tag = Tag::new(&mut store, &tag_type).unwrap();
    let other = Tag::new(&mut store, &tag_type).unwrap();
    log.see("same", (Tag::eq(&tag, &tag, &store), Tag::eq(&tag, &other, &store)));
    let ty = ExnType::from_tag_type(&tag_type).unwrap();
    log.see("fields", ty.fields().map(|field| format!("{field}")).collect::<Vec<_>>());
    let pre = ExnRefPre::new(&mut store, ty.clone());
    log.put("few", ExnRef::new(&mut store, &pre, &tag, &[Val::I32(1)]).map(|_| ()));
    log.put("wrong", ExnRef::new(&mut store, &pre, &tag, &[Val::I64(1), Val::AnyRef(None)]).map(|_| ()));
    let exn = ExnRef::new(&mut store, &pre, &tag, &[Val::I32(1), Val::AnyRef(None)]).unwrap();
    log.put("field", exn.field(&mut store, 0).map(|v| v.unwrap_i32()));
    log.put("field out", exn.field(&mut store, 2).map(|_| ()));
    log.put("tag", exn.tag(&mut store).map(|t| Tag::eq(&t, &tag, &store)));
    log.put("type", exn.ty(&store).map(|of| of.matches(&ty)));
    let module = Module::new(
        &engine,
        r#"(module $m (import "h" "tag" (tag $t (param i32 anyref))) (import "h" "f" (func $f))
            (func (export "catch") (result i32)
                (block $h (result i32 anyref) (try_table (catch $t $h) (call $f)) (i32.const -1) (return)) drop)
            (func (export "all") (result i32)
                (block $h (try_table (catch_all $h) (call $f)) (return (i32.const -1))) (i32.const 3))
            (func $let (export "let") (call $f))
            (func $throw (export "throw") (throw $t (i32.const 9) (ref.null any))))"#,
    )
    .unwrap();
    let thrower = Func::wrap(&mut store, move |mut caller: Caller<'_, u32>| -> Result<()> {
        let pre = ExnRefPre::new(&mut caller, ty.clone());
        let exn = ExnRef::new(&mut caller, &pre, &tag, &[Val::I32(42), Val::AnyRef(None)])?;
        caller.as_context_mut().throw(exn)
    });
    let foreign = Func::wrap(&mut store, || -> Result<()> { Err(Error::msg("no exception")) });
    for (name, func) in [("thrower", thrower), ("foreign", foreign)] {
        let made = Instance::new(&mut store, &module, &[tag.into(), func.into()]).unwrap();
        for export in ["catch", "all"] {
            let call = made.get_typed_func::<(), i32>(&mut store, export).unwrap();
            log.put(&format!("{name} {export}"), call.call(&mut store, ()));
            log.see("pending", store.has_pending_exception());
        }
        for export in ["let", "throw"] {
            let call = made.get_typed_func::<(), ()>(&mut store, export).unwrap();
            log.put(&format!("{name} {export}"), call.call(&mut store, ()));
            let pending = store.take_pending_exception();
            log.see("pending", pending.map(|exn| exn.field(&mut store, 0).unwrap().unwrap_i32()));
            log.see("pending no more", store.has_pending_exception());
        }
    }
    let made = store.throw::<()>(exn);
    log.put("thrown by the host", made);
    log.see("pending", store.take_pending_exception().is_some());
}

/// Hooks, in their order.
#[cfg(feature = "call-hook")]
pub fn hooks(log: &mut Log) {
    let engine = super::engine();
    let module = Module::new(
        &engine,
        r#"(module (type $s (struct (field i32))) (import "" "" (func $h (param anyref) (result i32)))
            (func (export "run") (result i32) (call $h (struct.new $s (i32.const 1)))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, Vec::<String>::new());
    let host = Func::wrap(&mut store, |_: Option<Rooted<AnyRef>>| 7);
    let made = Instance::new(&mut store, &module, &[host.into()]).unwrap();
    let run = made.get_typed_func::<(), i32>(&mut store, "run").unwrap();
    // Wasmtime's first allocation is a call of the host.
    run.call(&mut store, ()).unwrap();
    store.call_hook(|mut cx, hook| {
        let text = format!("{hook:?}");
        cx.data_mut().push(text);
        Ok(())
    });
    log.put("run", run.call(&mut store, ()));
    log.see("hooks", store.data().clone());
    store.call_hook(|_, hook| if hook.entering_host() { bail!("no") } else { Ok(()) });
    log.put("refused", run.call(&mut store, ()));
    // A hook that calls a guest behind a call that threw took the exception for its own.
    let text =
        r#"(module (tag $t) (func (export "throw") (throw $t)) (func (export "eleven") (result i32) (i32.const 11)))"#;
    let module = Module::new(&engine, text).unwrap();
    let made = Instance::new(&mut store, &module, &[]).unwrap();
    let [throw, eleven] = ["throw", "eleven"].map(|name| made.get_func(&mut store, name).unwrap());
    store.data_mut().clear();
    store.call_hook(move |mut cx, hook| {
        if format!("{hook:?}") == "ReturningFromWasm" {
            let mut results = [Val::I32(0)];
            let called = eleven.call(&mut cx, &[], &mut results).map_err(|err| err.to_string());
            cx.data_mut().push(format!("{called:?} {:?}", results[0].i32()));
        }
        Ok(())
    });
    log.see("thrown", throw.call(&mut store, &[], &mut []).is_err());
    store.call_hook(|_, _| Ok(()));
    log.see("pending", (store.take_pending_exception().is_some(), store.data().clone()));
    // Start functions are calls, too.
    for text in [
        r#"(module (type $s (struct)) (import "" "" (func $h (param anyref) (result i32)))
            (func $s (drop (call $h (struct.new $s)))) (start $s))"#,
        "(module (memory 1) (func $s (i32.store (i32.const 0) (i32.const 1))) (start $s))",
        "(module (func unreachable) (start 0))",
    ] {
        let module = Module::new(&engine, text).unwrap();
        let imports = if module.imports().len() == 0 { vec![] } else { vec![host.into()] };
        for refuses in [false, true] {
            store.data_mut().clear();
            store.call_hook(move |mut cx, hook| {
                let text = format!("{hook:?}");
                let refused = refuses && text == "CallingWasm";
                cx.data_mut().push(text);
                if refused { bail!("no") } else { Ok(()) }
            });
            log.put("instance", Instance::new(&mut store, &module, &imports).map(drop));
            log.see("hooks", store.data().clone());
        }
    }
    hooks_of_what_waits(log);
}

/// What futures give that need not wait.
#[cfg(feature = "call-hook")]
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Nobody told of asynchronous calls and host functions, so a hook could not refuse them.
#[cfg(feature = "call-hook")]
fn hooks_of_what_waits(log: &mut Log) {
    let engine = super::engine();
    let mut store = Store::new(&engine, Vec::<String>::new());
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap_async("", "h", |mut caller: Caller<'_, Vec<String>>, (): ()| {
            Box::new(async move { caller.data_mut().push("waits".into()) })
        })
        .unwrap();
    let text = r#"(module (import "" "h" (func $h)) (func (export "run") (call $h)))"#;
    let module = Module::new(&engine, text).unwrap();
    let made = block_on(linker.instantiate_async(&mut store, &module)).unwrap();
    let [run, refused] = [(); 2].map(|()| made.get_func(&mut store, "run").unwrap());
    let typed = refused.typed::<(), ()>(&store).unwrap();
    for refuses in ["nothing", "CallingWasm", "ReturningFromWasm", "CallingHost", "ReturningFromHost"] {
        store.data_mut().clear();
        store.call_hook(move |mut cx, hook| {
            let text = format!("{hook:?}");
            let refused = refuses == text;
            cx.data_mut().push(text);
            if refused { bail!("no") } else { Ok(()) }
        });
        log.put(&format!("{refuses} refused"), block_on(run.call_async(&mut store, &[], &mut [])));
        log.put("typed", block_on(typed.call_async(&mut store, ())));
        log.see("hooks", store.data().clone());
    }
}

/// Where conditions lead to traps, the engine makes one instruction of both: where that is.
pub fn conditional_traps(log: &mut Log) {
    let engine = super::engine();
    let module = Module::new(
        &engine,
        r#"(module (type $s (struct (field (mut i32))))
            (import "" "" (func $host (param anyref)))
            (func $id (param i32) (result i32) (local.get 0))
            (func (export "hosted") (param i32) (call $host (ref.null any)) unreachable)
            (func (export "hosted_if") (param i32) (call $host (ref.null any)) (if (local.get 0) (then unreachable)))
            (func (export "hosted_one") (param i32) (call $host (ref.null any)) (if (i32.const 1) (then unreachable)))
            (func (export "hosted_null") (param i32) (call $host (ref.null any)) (drop (ref.as_non_null (ref.null any))))
            (func (export "a") (param i32) nop (if (local.get 0) (then unreachable)))
            (func (export "b") (param i32) nop (if (local.get 0) (then) (else unreachable)))
            (func (export "c") (param i32) nop (block (br_if 0 (i32.eqz (local.get 0))) unreachable))
            (func (export "d") (param i32) nop (block (br_if 0 (local.get 0)) (return)) unreachable)
            (func (export "e") (param i32) nop (if (local.get 0) (then (drop (call $id (local.get 0))) unreachable)))
            (func (export "f") (param i32) nop (block (block (br_table 0 1 (local.get 0))) (return)) unreachable)
            (func (export "ra") (param i32) (local $s (ref null $s)) nop (if (local.get 0) (then unreachable)))
            (func (export "rb") (param i32) (local $s (ref null $s)) nop (if (local.get 0) (then) (else unreachable)))
            (func (export "rc") (param i32) (local $s (ref null $s)) nop (block (br_if 0 (i32.eqz (local.get 0))) unreachable))
            (func (export "rd") (param i32) (local $s (ref null $s)) nop (block (br_if 0 (local.get 0)) (return)) unreachable)
            (func (export "re") (param i32) (local $s (ref null $s)) nop (if (local.get 0) (then (drop (call $id (local.get 0))) unreachable)))
            (func (export "rf") (param i32) (local $s (ref null $s)) nop (block (block (br_table 0 1 (local.get 0))) (return)) unreachable)
            )"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let host = Func::wrap(&mut store, |_: Option<Rooted<AnyRef>>| {});
    let made = Instance::new(&mut store, &module, &[host.into()]).unwrap();
    for export in module.exports() {
        for arg in [0, 1] {
            let func = made.get_func(&mut store, export.name()).unwrap();
            let Err(err) = func.call(&mut store, &[Val::I32(arg)], &mut []) else { continue };
            let frames = err.downcast_ref::<WasmBacktrace>().unwrap().frames();
            log.see(export.name(), (arg, frames.len(), frames[0].func_offset(), frames[0].module_offset()));
        }
    }
}

/// What callers and instances show.
pub fn callers(log: &mut Log) {
    let engine = super::engine();
    let module = Module::new(
        &engine,
        r#"(module $named (type $s (struct (field i32))) (import "" "" (func $h (param anyref)))
            (memory (export "m") 1) (global (export "g") (mut anyref) (ref.i31 (i32.const 4))) (table (export "t") 2 4 eqref)
            (tag (export "e") (param i32))
            (func (export "run") (call $h (struct.new $s (i32.const 1)))))"#,
    )
    .unwrap();
    log.see("name", module.name());
    for import in module.imports() {
        log.see("import", (import.module(), import.name(), import.ty().func().map(|ty| ty.params().len())));
    }
    for export in module.exports() {
        log.see("export", (export.name(), format!("{:?}", export.ty()).split(['(', ' ']).next().map(str::to_owned)));
    }
    log.see(
        "get",
        (module.get_export("m").is_some(), module.get_export("x").is_some(), module.get_export_index("g").is_some()),
    );
    let mut store = Store::new(&engine, Vec::<String>::new());
    let index = module.get_export_index("g").unwrap();
    let host = Func::wrap(&mut store, move |mut caller: Caller<'_, Vec<String>>, any: Option<Rooted<AnyRef>>| {
        for name in ["m", "g", "t", "e", "run", "x"] {
            let kind = match caller.get_export(name) {
                Some(Extern::Memory(_)) => "memory",
                Some(Extern::Global(_)) => "global",
                Some(Extern::Table(_)) => "table",
                Some(Extern::Tag(_)) => "tag",
                Some(Extern::Func(_)) => "func",
                Some(_) => "other",
                None => "none",
            };
            caller.data_mut().push(format!("{name} {kind}"));
        }
        let global = caller.get_module_export(&index).and_then(Extern::into_global).unwrap();
        global.set(&mut caller, any.into()).unwrap();
        let held = global.get(&mut caller);
        let is =
            held.unwrap_anyref().unwrap().unwrap_struct(&caller).unwrap().field(&mut caller, 0).unwrap().unwrap_i32();
        caller.data_mut().push(format!("{is}"));
    });
    let made = Instance::new(&mut store, &module, &[host.into()]).unwrap();
    log.put("run", made.get_typed_func::<(), ()>(&mut store, "run").unwrap().call(&mut store, ()));
    log.see("seen", store.data().clone());
    let direct = Func::wrap(&mut store, |mut caller: Caller<'_, Vec<String>>| caller.get_export("m").is_some() as i32);
    log.put("no guest", direct.typed::<(), i32>(&store).unwrap().call(&mut store, ()));
    for export in made.exports(&mut store).map(|export| export.name().to_owned()).collect::<Vec<_>>() {
        log.see("exports", export);
    }
    log.see("absent", (made.get_func(&mut store, "m").is_none(), made.get_memory(&mut store, "run").is_none()));
    log.see("module", made.module(&store).name());
    log.see("resources", {
        let needs = Module::new(&engine, "(module (memory 2) (table 3 funcref))").unwrap().resources_required();
        (needs.num_memories, needs.max_initial_memory_size, needs.num_tables, needs.max_initial_table_size)
    });
}
