//! Debugging of guests: what a debugger sees at each stop.

use super::Log;
use super::wasmtime::*;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// The simplest executor: asks again until there is an answer.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

/// Writes down every stop, and collects garbage at each.
#[derive(Clone, Default)]
struct Watch {
    lines: Arc<Mutex<Vec<String>>>,
    /// What else is to be done.
    also: Option<fn(&mut StoreContextMut<'_, u32>, &DebugEvent<'_>)>,
}

impl DebugHandler for Watch {
    type Data = u32;

    async fn handle(&self, mut store: StoreContextMut<'_, u32>, event: DebugEvent<'_>) {
        let what = match &event {
            DebugEvent::HostcallError(err) => format!("host error: {err}"),
            DebugEvent::Exception(exn) => {
                let exn = exn.to_rooted(&mut store);
                format!("exception: {:?}", exn.field(&mut store, 0).map(|field| field.i32()))
            }
            DebugEvent::Trap(trap) => format!("trap: {trap:?}"),
            DebugEvent::Breakpoint => "stop".to_string(),
            DebugEvent::EpochYield => "epoch".to_string(),
        };
        // Where an epoch has come Wasmtime 48 reads locals that nobody has written yet, also when it collects.
        let early = matches!(event, DebugEvent::EpochYield | DebugEvent::Trap(Trap::Interrupt));
        let frames = if early { String::new() } else { all_frames(&mut store) };
        self.lines.lock().unwrap().push(format!("{what} {frames}"));
        if let Some(also) = self.also {
            also(&mut store, &event);
        }
    }
}

/// Collects, and shows all frames.
fn all_frames(store: &mut StoreContextMut<'_, u32>) -> String {
    store.gc(None).unwrap();
    frames(store)
}

/// All frames, each with its function, its place, locals and operands. References are looked at behind a collection.
fn frames(store: &mut StoreContextMut<'_, u32>) -> String {
    let mut text = String::new();
    let exits: Vec<FrameHandle> = store.debug_exit_frames().collect();
    for exit in exits {
        text += "/";
        let mut next = Some(exit);
        while let Some(frame) = next {
            assert!(frame.is_valid(&mut *store));
            let (func, pc) = frame.wasm_function_index_and_pc(&mut *store).unwrap().unwrap();
            let module = frame.module(&mut *store).unwrap().and_then(|module| module.name()).map(str::to_owned);
            let locals = frame.num_locals(&mut *store).unwrap();
            let locals: Vec<Val> = (0..locals).map(|n| frame.local(&mut *store, n).unwrap()).collect();
            let stack = frame.num_stacks(&mut *store).unwrap();
            let stack: Vec<Val> = (0..stack).map(|n| frame.stack(&mut *store, n).unwrap()).collect();
            store.gc(None).unwrap();
            let locals: Vec<String> = locals.into_iter().map(|value| shown(store, value)).collect();
            let stack: Vec<String> = stack.into_iter().map(|value| shown(store, value)).collect();
            let module = module.unwrap_or_default();
            text += &format!(" {module}{}@{pc:?} [{}] [{}]", func.as_u32(), locals.join(" "), stack.join(" "));
            next = frame.parent(&mut *store).unwrap();
        }
    }
    text
}

/// A value, with what is in it.
fn shown(store: &mut StoreContextMut<'_, u32>, value: Val) -> String {
    match value {
        Val::AnyRef(None) => "null".into(),
        Val::AnyRef(Some(any)) => {
            if let Some(small) = any.as_i31(&*store).unwrap() {
                format!("i31 {}", small.get_i32())
            } else if let Some(object) = any.as_struct(&*store).unwrap() {
                let fields: Vec<Val> = object.fields(&mut *store).unwrap().collect();
                format!("struct {:?}", fields.first().and_then(|field| field.i32()))
            } else {
                let array = any.as_array(&*store).unwrap().unwrap();
                format!("array of {}", array.len(&*store).unwrap())
            }
        }
        Val::ExternRef(Some(host)) => {
            let data = host.data(&*store).unwrap().and_then(|data| data.downcast_ref::<u32>().copied());
            format!("host {data:?}")
        }
        Val::ExternRef(None) => "null extern".into(),
        Val::ExnRef(exn) => format!("exn {}", exn.is_some()),
        Val::FuncRef(func) => format!("func {:?}", func.map(|func| func.ty(&*store).params().len())),
        number => format!("{number:?}"),
    }
}

fn engine() -> Engine {
    let mut config = super::config();
    config.guest_debug(true);
    Engine::new(&config).unwrap()
}

/// Runs the function `run` of a module with a handler, step by step or not.
fn watch(log: &mut Log, name: &str, text: &str, step: bool, args: &[Val]) {
    let watch = Watch::default();
    let engine = engine();
    let module = Module::new(&engine, text).unwrap();
    let mut store = Store::new(&engine, 0);
    store.set_debug_handler(watch.clone());
    let result: Result<Vec<Val>> = block_on(async {
        let mut linker = Linker::<u32>::new(&engine);
        linker.func_wrap("host", "look", look)?;
        linker.func_wrap("host", "fail", || -> Result<()> { bail!("the host has failed") })?;
        linker.func_wrap("host", "trap", || -> Result<()> { Err(Trap::IntegerOverflow.into()) })?;
        linker.func_wrap("host", "throw", throw)?;
        let instance = linker.instantiate_async(&mut store, &module).await?;
        store.edit_breakpoints().unwrap().single_step(step)?;
        let run = instance.get_func(&mut store, "run").unwrap();
        let mut results = vec![Val::I32(0); run.ty(&store).results().len()];
        run.call_async(&mut store, args, &mut results).await?;
        Ok(results)
    });
    for line in watch.lines.lock().unwrap().iter() {
        log.0.push(format!("{name}: {line}"));
    }
    let code = result.as_ref().err().and_then(|err| err.downcast_ref::<Trap>().copied());
    let result = result.map(|values| values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>());
    log.see(name, (result.ok(), code));
}

/// A host function that throws what it is given.
fn throw(mut caller: Caller<'_, u32>, value: i32) -> Result<()> {
    let ty = ExnType::new(caller.engine(), [ValType::I32])?;
    let tag = Tag::new(&mut caller, &ty.tag_type())?;
    let pre = ExnRefPre::new(&mut caller, ty);
    let exn = ExnRef::new(&mut caller, &pre, &tag, &[value.into()])?;
    caller.as_context_mut().throw(exn)
}

/// A host function that writes down the frames that it was called from, in the order of digits.
fn look(mut caller: Caller<'_, u32>) -> Result<()> {
    *caller.data_mut() += 1;
    let text = frames(&mut caller.as_context_mut());
    LOOKED.with_borrow_mut(|looked| looked.push(text));
    Ok(())
}

thread_local! {
    static LOOKED: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Numbers of all types, and control.
pub fn steps(log: &mut Log) {
    let text = r#"(module $steps
        (type $box (struct (field (mut i32))))
        (func $add (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
        (func (export "run") (param $n i32) (result i32) (local $l i64) (local $f f32) (local $d f64) (local $v v128)
            (local.set $l (call $add (i64.const 40) (i64.extend_i32_s (local.get $n))))
            (local.set $f (f32.const 1.5))
            (local.set $d (f64.promote_f32 (local.get $f)))
            (local.set $v (i32x4.splat (local.get $n)))
            (drop (struct.new $box (local.get $n)))
            (i32.const 1000)
            (block $out (result i32)
                (loop $again
                    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                    (br_if $again (i32.gt_s (local.get $n) (i32.const 1))))
                (if (result i32) (i32.eqz (local.get $n))
                    (then (i32.const 5) (br $out))
                    (else (i32.const 6)))
                (i32.add (i32.const 10)))
            (block $a (block $b (block $c (br_table $a $b $c (local.get $n)))))
            (i32.add)
            (local.tee $n)
            (block (nop))
            (return)
            (unreachable)))"#;
    watch(log, "steps", text, true, &[Val::I32(3)]);
    watch(log, "ran", text, false, &[Val::I32(3)]);
}

/// References of all kinds, in locals and on the stack.
pub fn refs(log: &mut Log) {
    let text = r#"(module $refs
        (type $box (struct (field (mut i32))))
        (type $list (array (mut i32)))
        (import "host" "look" (func $look))
        (elem declare func $inner)
        (func $inner (param $own (ref null $box)) (param $x externref) (result anyref) (local $f funcref)
            (local.set $f (ref.func $inner))
            (call $look)
            (struct.set $box 0 (local.get $own) (i32.const 99))
            (local.get $own))
        (func (export "run") (param $x externref) (result i32) (local $box (ref $box)) (local $any anyref)
            (local.set $box (struct.new $box (i32.const 7)))
            (local.set $any (array.new $list (i32.const 1) (i32.const 12)))
            (ref.i31 (i32.const -3))
            (call $inner (struct.new $box (i32.const 8)) (local.get $x))
            (drop (drop))
            (local.set $any (ref.null none))
            (call $look)
            (block $is (result (ref $box))
                (br_on_cast $is anyref (ref $box) (local.get $box))
                (unreachable))
            (struct.get $box 0)))"#;
    for step in [false, true] {
        LOOKED.take();
        watch(log, "refs", text, step, &[Val::ExternRef(None)]);
        log.0.extend(LOOKED.take());
    }
}

/// Traps: which, where, and what is on the stack then.
pub fn faults(log: &mut Log) {
    for body in [
        "(unreachable)",
        "(drop (i32.div_s (local.get 0) (i32.const 0)))",
        "(drop (struct.get $box 0 (ref.null $box)))",
        "(struct.set $box 0 (ref.null $box) (i32.const 1))",
        "(drop (array.get $list (array.new $list (i32.const 1) (i32.const 2)) (local.get 0)))",
        "(array.set $list (array.new $list (i32.const 1) (i32.const 2)) (local.get 0) (i32.const 4))",
        "(drop (array.len (ref.null $list)))",
        "(drop (ref.cast (ref $box) (ref.i31 (local.get 0))))",
        "(drop (ref.as_non_null (ref.null any)))",
        "(drop (i31.get_s (ref.null i31)))",
        "(call_indirect (type $v) (local.get 0))",
        "(call_indirect (type $v) (i32.const 0))",
        "(call_ref $v (ref.null $v))",
        "(drop (table.get $anys (local.get 0)))",
        "(table.set $anys (local.get 0) (ref.null any))",
        "(drop (i32.load (i32.const -1)))",
        "(drop (i32.trunc_f32_s (f32.const 1e30)))",
        "(call $trap)",
        "(call $fail)",
        "(throw_ref (ref.null exn))",
    ] {
        let text = format!(
            r#"(module $faults
            (type $box (struct (field (mut i32))))
            (type $list (array (mut i32)))
            (type $v (func))
            (import "host" "trap" (func $trap))
            (import "host" "fail" (func $fail))
            (table 1 funcref)
            (table $anys 1 anyref)
            (memory 1)
            (func $inner (param i32) (i32.const 1) (i32.const 2) {body} (drop) (drop))
            (func (export "run") (param i32) (local $box (ref null $box))
                (local.set $box (struct.new $box (i32.const 70)))
                (ref.null extern)
                (call $inner (i32.add (local.get 0) (i32.const 1)))
                (drop)))"#
        );
        watch(log, body, &text, false, &[Val::I32(30)]);
    }
}

/// Exceptions: thrown here, in callees and by the host; caught here, by callers, by nobody.
pub fn thrown(log: &mut Log) {
    let module = |body: &str| {
        format!(
            r#"(module $thrown
            (type $box (struct (field (mut i32))))
            (import "host" "throw" (func $host (param i32)))
            (tag $t (param i32))
            (tag $u (param i32))
            (func $thrower (param i32) (local $box (ref null $box))
                (local.set $box (struct.new $box (local.get 0)))
                (i32.const 1)
                (throw $t (i32.add (local.get 0) (i32.const 1))))
            (func $between (param i32) (call $thrower (i32.mul (local.get 0) (i32.const 2))))
            (func (export "run") (param $n i32) (result i32) (local $box (ref null $box))
                (local.set $box (struct.new $box (i32.const 5)))
                {body}))"#
        )
    };
    for body in [
        "(block $h (result i32) (try_table (result i32) (catch $t $h) (throw $t (local.get 0))))",
        "(block $h (result i32) (try_table (result i32) (catch $t $h) (call $between (local.get 0)) (i32.const 3)))",
        "(block $h (result i32) (try_table (result i32) (catch $u $h) (call $thrower (local.get 0)) (i32.const 3)))",
        "(block $h (try_table (catch_all $h) (call $host (local.get 0)))) (i32.const 4)",
        "(call $host (local.get 0)) (i32.const 4)",
        "(block $h (result i32) (try_table (result i32) (catch $t $h)
            (block $r (result i32 exnref) (try_table (result i32 exnref) (catch_ref $t $r)
                (call $thrower (local.get 0)) (unreachable)))
            (throw_ref)))",
    ] {
        let name = body.split_whitespace().collect::<Vec<_>>().join(" ");
        watch(log, &name, &module(body), false, &[Val::I32(20)]);
    }
}

/// Breakpoints, between operators and at them, set while nothing runs and while something does.
pub fn breakpoints(log: &mut Log) {
    let watch = Watch {
        also: Some(|store, event| {
            if let (DebugEvent::Breakpoint, 0) = (event, *store.data()) {
                *store.data_mut() = 1;
                let module = store.as_context_mut().debug_all_modules().remove(0);
                let at = ModulePC::new(store_pc(store) + 3);
                store.as_context_mut().edit_breakpoints().unwrap().add_breakpoint(&module, at).unwrap();
            }
        }),
        ..Watch::default()
    };
    let engine = engine();
    let module = Module::new(
        &engine,
        r#"(module $points
            (type $box (struct (field (mut i32))))
            (func $f (param i32) (result i32)
                (struct.get $box 0 (struct.new $box (i32.const 300)))
                (i32.add (local.get 0)))
            (func (export "run") (result i32) (i32.add (call $f (i32.const 100)) (call $f (i32.const 200)))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, 0);
    store.set_debug_handler(watch.clone());
    log.see("no breakpoints", store.breakpoints().unwrap().count());
    log.see("modules", store.debug_all_modules().len());
    store.debug_register_module(&module).unwrap();
    log.see("registered", store.debug_all_modules().len());
    let first = {
        let mut edit = store.edit_breakpoints().unwrap();
        edit.add_breakpoint(&module, ModulePC::new(0)).unwrap();
        edit.add_breakpoint(&module, ModulePC::new(0)).unwrap();
        drop(edit);
        store.breakpoints().unwrap().next().unwrap().pc
    };
    log.see("first", (first, store.breakpoints().unwrap().count(), store.is_single_step()));
    let other = Engine::default();
    let foreign = Module::new(&other, "(module)").unwrap();
    log.put("foreign", store.edit_breakpoints().unwrap().add_breakpoint(&foreign, first));
    log.put("foreign", store.edit_breakpoints().unwrap().remove_breakpoint(&foreign, first));
    let instance = block_on(Instance::new_async(&mut store, &module, &[])).unwrap();
    let run = instance.get_typed_func::<(), i32>(&mut store, "run").unwrap();
    log.put("run", block_on(run.call_async(&mut store, ())));
    let listed: Vec<ModulePC> = store.breakpoints().unwrap().map(|at| at.pc).collect();
    log.see("listed", listed);
    let mut edit = store.edit_breakpoints().unwrap();
    edit.remove_breakpoint(&module, ModulePC::new(first.raw() + 1)).unwrap();
    edit.remove_breakpoint(&module, ModulePC::new(0)).unwrap();
    drop(edit);
    log.see("removed", store.breakpoints().unwrap().count());
    log.put("again", block_on(run.call_async(&mut store, ())));
    let mut edit = store.edit_breakpoints().unwrap();
    edit.remove_breakpoint(&module, first).unwrap();
    drop(edit);
    log.see("removed", store.breakpoints().unwrap().count());
    log.put("again", block_on(run.call_async(&mut store, ())));
    store.edit_breakpoints().unwrap().single_step(true).unwrap();
    log.see("stepping", store.is_single_step());
    store.clear_debug_handler();
    log.put("nobody", block_on(run.call_async(&mut store, ())));
    log.0.extend(watch.lines.lock().unwrap().drain(..));
}

fn store_pc(store: &mut StoreContextMut<'_, u32>) -> u32 {
    let frame = store.debug_exit_frames().next().unwrap();
    frame.wasm_function_index_and_pc(store).unwrap().unwrap().1.raw()
}

/// What instances have, exported or not; and what engines do that are for no debugger.
pub fn insides(log: &mut Log) {
    let text = r#"(module
        (type $box (struct (field i32)))
        (import "m" "any" (global $imported anyref))
        (global $number (mut i32) (i32.const 5))
        (global $any (mut anyref) (struct.new $box (i32.const 6)))
        (table $funcs 2 funcref)
        (table $anys 3 anyref)
        (memory 1)
        (tag $t (param i32))
        (func $f (param i32) (result i32) (local.get 0)))"#;
    for debug in [true, false] {
        let mut config = super::config();
        config.guest_debug(debug);
        let engine = Engine::new(&config).unwrap();
        let mut store = Store::new(&engine, 0);
        let module = Module::new(&engine, text).unwrap();
        let ty = GlobalType::new(ValType::ANYREF, Mutability::Const);
        let small = AnyRef::from_i31(&mut store, I31::wrapping_u32(3));
        let global = Global::new(&mut store, ty, small.into()).unwrap();
        let instance = Instance::new(&mut store, &module, &[global.into()]).unwrap();
        for index in 0..4 {
            let global = instance.debug_global(&mut store, index).map(|global| global.get(&mut store));
            let global = global.map(|value| shown(&mut store.as_context_mut(), value));
            log.see("global", global);
            let table = instance.debug_table(&mut store, index);
            log.see("table", table.map(|table| table.size(&store)));
            let memory = instance.debug_memory(&mut store, index);
            log.see("memory", memory.map(|memory| memory.size(&store)));
            log.see("shared", instance.debug_shared_memory(&mut store, index).is_some());
            let tag = instance.debug_tag(&mut store, index);
            log.see("tag", tag.map(|tag| tag.ty(&store).ty().params().len()));
            let func = instance.debug_function(&mut store, index);
            log.see("func", func.map(|func| func.ty(&store).params().len()));
        }
        log.see("frames", store.debug_exit_frames().count());
        log.see("breakpoints", store.breakpoints().map(|all| all.count()));
        log.see("edit", store.edit_breakpoints().is_some());
        log.see("all", (store.debug_all_modules().len(), store.debug_all_instances().len()));
    }
    let mut store = super::store();
    log.panics("handler", move || store.set_debug_handler(Watch::default()));
}

/// Modules with and without references that call each other; parameters of blocks; epochs.
pub fn mixed(log: &mut Log) {
    let watch = Watch::default();
    let mut config = super::config();
    config.guest_debug(true).epoch_interruption(true);
    let engine = Engine::new(&config).unwrap();
    let plain = r#"(module $plain
        (import "refs" "get" (func $get (param i32) (result i32)))
        (func (export "run") (param i32) (result i32) (local i64)
            (local.set 1 (i64.const 9))
            (i32.add (local.get 0) (call $get (i32.const 4)))))"#;
    let refs = r#"(module $refs
        (type $box (struct (field (mut i32))))
        (global $g (mut (ref null $box)) (struct.new $box (i32.const 1)))
        (func (export "get") (param i32) (result i32) (local $box (ref null $box))
            (local.set $box (global.get $g))
            (struct.set $box 0 (local.get $box) (local.get 0))
            (i32.const 100)
            (loop $l (param i32) (result i32)
                (i32.const 1)
                (i32.add)
                (br_if $l (i32.const 0)))
            (i32.add (struct.get $box 0 (local.get $box)))
            (i32.const 5)
            (loop $l (param i32 i32) (result i32) (i32.mul))))"#;
    let mut store = Store::new(&engine, 0);
    store.set_epoch_deadline(1000);
    store.set_debug_handler(watch.clone());
    let done: Result<i32> = block_on(async {
        store.edit_breakpoints().unwrap().single_step(true)?;
        let mut linker = Linker::<u32>::new(&engine);
        let module = Module::new(&engine, refs)?;
        linker.module_async(&mut store, "refs", &module).await?;
        let module = Module::new(&engine, plain)?;
        let instance = linker.instantiate_async(&mut store, &module).await?;
        let run = instance.get_typed_func::<i32, i32>(&mut store, "run")?;
        run.call_async(&mut store, 7).await
    });
    log.put("done", done);
    log.0.extend(watch.lines.lock().unwrap().drain(..));

    // Told in another place here: before the next operator.
    store.edit_breakpoints().unwrap().single_step(false).unwrap();
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1000);
    engine.increment_epoch();
    let module = Module::new(&engine, refs).unwrap();
    let instance = block_on(Instance::new_async(&mut store, &module, &[])).unwrap();
    let get = instance.get_typed_func::<i32, i32>(&mut store, "get").unwrap();
    log.put("epoch", block_on(get.call_async(&mut store, 7)));
    let seen = watch.lines.lock().unwrap().drain(..).collect::<Vec<_>>();
    log.see("epochs", seen.iter().map(|line| line.split_once(' ').unwrap().0).collect::<Vec<_>>());
    log.see("stepping", store.is_single_step());

    // Interrupted where no operator was reached.
    store.set_epoch_deadline(1);
    store.epoch_deadline_trap();
    engine.increment_epoch();
    let ended = block_on(get.call_async(&mut store, 8));
    log.see("interrupted", ended.err().and_then(|err| err.downcast_ref::<Trap>().copied()));
    let seen = watch.lines.lock().unwrap().drain(..).collect::<Vec<_>>();
    log.see("events", seen.iter().map(|line| line.split_once(' ').unwrap().0).collect::<Vec<_>>());
}
