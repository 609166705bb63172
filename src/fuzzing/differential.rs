//! Lowered modules do what they do on the engine's own collector.
//!
//! A module of `generate/` runs on stock Wasmtime with its null collector, which never frees and never
//! moves, and lowered on ours, which by choice of the input collects and moves everything at every
//! allocation, with the verifier on. Results, traps by code, numeric globals and memories must agree
//! after every call. One text drives both: the interfaces have the same names.
//!
//! A run counts for nothing from where an engine fails by a limit of its own: a full heap on Wasmtime's
//! side, the stack on either. Not compared are messages and backtraces.

use super::generate::{self, Exceptions, Options, Source};
use crate::runtime::call_profile::{CallCounts, CallProfile};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::num::NonZeroU32;
use wasmparser::{Operator, Payload};

/// What a call came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// The bits of the results.
    Values(Vec<u64>),
    Trap(wasmtime::Trap),
    /// An exception that nothing caught.
    Thrown,
    /// What is no trap, and no business of the module.
    Failure(String),
}

/// What can be seen after a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    call: String,
    pub(super) outcome: Outcome,
    globals: Vec<(String, u64)>,
    /// Length and a hash of the bytes.
    memories: Vec<(String, usize, u64)>,
}

/// A call from the host.
#[derive(Clone)]
pub(super) struct Call {
    export: String,
    args: (i32, i64),
}

/// How our side runs.
#[derive(Debug)]
pub(super) struct Setup {
    zeal: Option<NonZeroU32>,
    nursery: usize,
    opt: bool,
    explicit_null_checks: bool,
    signals: bool,
    cranelift: bool,
    /// Registers are allocated in one pass, on both sides.
    single_pass: bool,
}

/// What both sides do.
pub(super) struct Plan {
    calls: Vec<Call>,
    /// Instances of the module, called in turn.
    instances: usize,
    /// Collect between calls, and when the host is called.
    collect: bool,
    /// The fuel of each call; empty if the engine consumes none.
    fuel: Vec<u64>,
}

impl Plan {
    /// The same calls, each several times, most of them with little fuel.
    pub(super) fn interrupted(mut self, s: &mut Source<'_>) -> Plan {
        self.calls = self.calls.iter().flat_map(|call| std::iter::repeat_n(call.clone(), 4)).collect();
        let mut fuel = || s.weighted(&[(3, 100), (4, 400), (4, 2000), (1, 1 << 20)]) + s.below(400) as u64;
        self.fuel = self.calls.iter().map(|_| fuel()).collect();
        self
    }
}

/// How many calls came to what.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Calls that gave values on both sides.
    pub values: usize,
    /// Calls that trapped on both sides.
    pub traps: usize,
    /// Calls that threw on both sides.
    pub thrown: usize,
    /// Calls in which an exception was thrown, and in which one was caught.
    pub throws: usize,
    pub catches: usize,
    /// Modules that could not be compared to their end.
    pub inconclusive: usize,
}

/// See `fuzz/README.md`.
pub fn run(data: &[u8]) {
    examine(data);
}

/// Runs an input and counts.
fn examine(data: &[u8]) -> Tally {
    let mut source = Source::new(data);
    let setup = setup(&mut source);
    let plan = plan(&mut source);
    let mut options = options(&mut source);
    options.exceptions = source.weighted(&[(2, Exceptions::None), (9, Exceptions::All), (1, Exceptions::Common)]);
    let text = generate::module(&mut source, options);
    let wasm = generate::binary(&text);
    let (native, lowered) = match (native_engine(&setup), guessing_engine(&setup, data, &wasm)) {
        (Ok(native), Ok(lowered)) => (native, lowered),
        (native, lowered) => panic!("no engine: {:?} {:?}", native.err(), lowered.err()),
    };
    let expected = native::drive(&native, &wasm, &plan);
    let found = lowered::drive(&lowered, &wasm, &plan);
    compare(&expected, &found).unwrap_or_else(|what| panic!("{what}\n{setup:?}\n{text}"))
}

impl Setup {
    /// The same with the optimiser on.
    pub(super) fn optimized(self) -> Setup {
        Setup { opt: true, cranelift: true, ..self }
    }

    /// The same with collections only when they are due.
    pub(super) fn without_zeal(self) -> Setup {
        Setup { zeal: None, ..self }
    }
}

pub(super) fn setup(s: &mut Source<'_>) -> Setup {
    let zeal = s.weighted(&[(6, 1), (2, 2), (1, 7), (2, 0)]);
    let signals = !s.chance(12);
    Setup {
        zeal: NonZeroU32::new(zeal),
        nursery: s.pick(&[1 << 16, 1 << 17, 1 << 20]).unwrap_or(1 << 16),
        opt: !s.chance(30),
        explicit_null_checks: !signals || s.chance(25),
        signals,
        cranelift: s.chance(15),
        single_pass: !s.chance(20),
    }
}

/// How large a module is. Nearly all time goes to compiling both sides, so most are small.
pub(super) fn options(s: &mut Source<'_>) -> Options {
    let small = !s.chance(10);
    let ticks = s.pick(&[8, 30, 60]).unwrap_or(8);
    let func_size = s.pick(if small { &[25, 40, 60] } else { &[25, 60, 120] }).unwrap_or(25);
    Options { ticks, func_size, exceptions: Exceptions::None, small }
}

pub(super) fn plan(s: &mut Source<'_>) -> Plan {
    let mut calls = vec![];
    for _ in 0..s.between(2, 6) {
        let export = format!("run{}", s.below(3));
        calls.push(Call { export, args: (s.integer() as i32, s.integer()) });
        calls.push(Call { export: "state".into(), args: (0, 0) });
    }
    Plan { calls, instances: s.weighted(&[(3, 1), (1, 2)]), collect: s.chance(30), fuel: vec![] }
}

fn native_engine(setup: &Setup) -> wasmtime::Result<wasmtime::Engine> {
    let mut config = wasmtime::Config::new();
    config.wasm_gc(true).wasm_function_references(true).wasm_exceptions(true).collector(wasmtime::Collector::Null);
    config.cranelift_opt_level(wasmtime::OptLevel::None).parallel_compilation(false);
    config.cranelift_regalloc_algorithm(registers(setup));
    wasmtime::Engine::new(&config)
}

fn registers(setup: &Setup) -> wasmtime::RegallocAlgorithm {
    match setup.single_pass {
        true => wasmtime::RegallocAlgorithm::SinglePass,
        false => wasmtime::RegallocAlgorithm::Backtracking,
    }
}

pub(super) fn our_engine(setup: &Setup) -> wasmtime::Result<crate::api::Engine> {
    engine_with(setup, "all")
}

/// One that consumes fuel.
pub(super) fn metered_engine(setup: &Setup) -> wasmtime::Result<crate::api::Engine> {
    let mut config = config_with(setup, "all")?;
    config.consume_fuel(true);
    crate::api::Engine::new(&config)
}

/// Counts calls, or has a profile of a module's calls that is made up.
fn guessing_engine(setup: &Setup, data: &[u8], wasm: &[u8]) -> wasmtime::Result<crate::api::Engine> {
    // Not what is left of the input, which modules mostly use up.
    let byte = |n: u64| BuildHasherDefault::<DefaultHasher>::default().hash_one((n, data)) as u8;
    let bytes: Vec<u8> = (0..512).map(byte).collect();
    let s = &mut Source::new(&bytes);
    let mut config = config_with(setup, "all")?;
    config.gc_profile_calls(s.chance(5));
    if s.chance(30) {
        config.gc_call_profile(&guesses(s, wasm));
    }
    crate::api::Engine::new(&config)
}

/// A profile that says of each call through a reference or table that it reaches one or two functions.
fn guesses(s: &mut Source<'_>, wasm: &[u8]) -> CallProfile {
    let (counts, mut funcs, mut calls) = (CallCounts::default(), 0, vec![]);
    for payload in wasmparser::Parser::new(0).parse_all(wasm).flatten() {
        match payload {
            Payload::ImportSection(section) => {
                let is_func = |import: &wasmparser::Import<'_>| matches!(import.ty, wasmparser::TypeRef::Func(_));
                funcs += section.into_imports().flatten().filter(is_func).count() as u32;
            }
            Payload::CodeSectionEntry(body) => {
                funcs += 1;
                let ops =
                    body.get_operators_reader().into_iter().flat_map(|ops| ops.into_iter_with_offsets()).flatten();
                let through = ops.filter(|(op, _)| {
                    matches!(
                        op,
                        Operator::CallRef { .. }
                            | Operator::ReturnCallRef { .. }
                            | Operator::CallIndirect { .. }
                            | Operator::ReturnCallIndirect { .. }
                    )
                });
                calls.extend(through.map(|(_, offset)| offset as u32));
            }
            _ => {}
        }
    }
    for offset in calls {
        for _ in 0..s.between(1, 2) {
            counts.count(offset, s.below(funcs.max(1) as usize) as u32);
        }
    }
    CallProfile::new(wasm, &counts)
}

/// With some of the optimiser's passes only.
pub(super) fn engine_with(setup: &Setup, passes: &str) -> wasmtime::Result<crate::api::Engine> {
    crate::api::Engine::new(&config_with(setup, passes)?)
}

fn config_with(setup: &Setup, passes: &str) -> wasmtime::Result<crate::api::Config> {
    let mut config = crate::api::Config::new();
    config
        .gc_passes(passes)?
        .signals_based_traps(setup.signals)
        .parallel_compilation(false)
        .cranelift_regalloc_algorithm(registers(setup))
        .cranelift_opt_level(if setup.cranelift { wasmtime::OptLevel::Speed } else { wasmtime::OptLevel::None })
        .gc_optimize(setup.opt)
        .explicit_null_checks(setup.explicit_null_checks)
        .gc_nursery_size(setup.nursery)
        .gc_zeal(setup.zeal)
        .gc_verify(true)
        .gc_poison(true);
    Ok(config)
}

/// Runs a module on stock Wasmtime.
pub(super) fn drive_native(setup: &Setup, wasm: &[u8], plan: &Plan) -> Vec<Step> {
    let engine = native_engine(setup).unwrap_or_else(|err| panic!("no engine: {err:?}"));
    native::drive(&engine, wasm, plan)
}

/// Runs a module on our side.
pub(super) fn drive_lowered(engine: &crate::api::Engine, wasm: &[u8], plan: &Plan) -> Vec<Step> {
    lowered::drive(engine, wasm, plan)
}

/// Whether the lowered run is what it should be, as far as the other goes.
pub(super) fn compare(expected: &[Step], found: &[Step]) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for (n, step) in expected.iter().enumerate() {
        let Some(other) = found.get(n) else {
            return Err(format!("lowered, nothing follows on step {n}; expected {step:?}"));
        };
        let stack = Outcome::Trap(wasmtime::Trap::StackOverflow);
        if matches!(step.outcome, Outcome::Failure(_)) || step.outcome == stack || other.outcome == stack {
            tally.inconclusive = 1;
            return Ok(tally);
        }
        if step != other {
            return Err(format!("step {n}:\nexpected {step:?}\nfound    {other:?}"));
        }
        let counter = |step: &Step, name: &str| step.globals.iter().find(|g| g.0 == name).map_or(0, |g| g.1);
        let more = |name| counter(step, name) > n.checked_sub(1).map_or(0, |n| counter(&expected[n], name));
        tally.throws += usize::from(more("throws"));
        tally.catches += usize::from(more("catches"));
        match step.outcome {
            Outcome::Trap(_) => tally.traps += 1,
            Outcome::Thrown => tally.thrown += 1,
            _ => tally.values += 1,
        }
    }
    Ok(tally)
}

/// A driver for one of the two interfaces, which have the same names but for how to collect.
macro_rules! driver {
    ($name:ident, $($api:ident)::+, |$store:ident| $collect:expr) => {
        mod $name {
            use super::{Call, Outcome, Plan, Step};
            use std::hash::Hasher;
            use $($api)::+::{
                AnyRef, AsContextMut, Caller, Engine, Error, Extern, ExternRef, Func, FuncType, Instance, Linker, Module,
                Rooted, Store, Tag, TagType, Val, ValType,
            };

            /// Instantiates a module and calls what it exports.
            pub fn drive(engine: &Engine, wasm: &[u8], plan: &Plan) -> Vec<Step> {
                let mut store = Store::new(engine, plan.collect);
                if !plan.fuel.is_empty()
                    && let Err(err) = store.set_fuel(1 << 40)
                {
                    panic!("no fuel: {err:?}");
                }
                let instances = match instantiate(engine, &mut store, wasm, plan.instances) {
                    Ok(instances) => instances,
                    Err(err) => {
                        let (call, outcome) = ("(instantiate)".into(), failure(&err));
                        return vec![Step { call, outcome, globals: vec![], memories: vec![] }];
                    }
                };
                let mut steps = vec![];
                // Two calls each.
                let turns = (0..).filter_map(|n| instances.get(n / 2 % instances.len()));
                for (n, (call, instance)) in plan.calls.iter().zip(turns).enumerate() {
                    if let Some(fuel) = plan.fuel.get(n)
                        && let Err(err) = store.set_fuel(*fuel)
                    {
                        panic!("no fuel: {err:?}");
                    }
                    let outcome = outcome(&mut store, instance, call);
                    let Some(outcome) = outcome else { continue };
                    steps.push(step(&mut store, instance, call, outcome));
                    collect(&mut store, plan.collect);
                }
                steps
            }

            fn instantiate(
                engine: &Engine,
                store: &mut Store<bool>,
                wasm: &[u8],
                count: usize,
            ) -> Result<Vec<Instance>, Error> {
                let module = Module::new(engine, wasm)?;
                let mut linker = Linker::new(engine);
                linker.func_wrap("host", "any", any)?;
                linker.func_wrap("host", "extern", external)?;
                linker.func_wrap("host", "func", |mut caller: Caller<'_, bool>, f: Option<Func>, _: i32| {
                    back(&mut caller);
                    f
                })?;
                linker.func_wrap("host", "call", |mut caller: Caller<'_, bool>, f: Option<Func>| -> Result<(), Error> {
                    back(&mut caller);
                    f.map_or(Ok(()), |f| f.call(&mut caller, &[], &mut []))
                })?;
                let tag = Tag::new(&mut *store, &TagType::new(FuncType::new(engine, [ValType::I32], [])))?;
                linker.define(&mut *store, "host", "tag", tag)?;
                (0..count).map(|_| linker.instantiate(&mut *store, &module)).collect()
            }

            fn any(mut caller: Caller<'_, bool>, _: i32, any: Option<Rooted<AnyRef>>) -> Option<Rooted<AnyRef>> {
                back(&mut caller);
                any
            }

            fn external(mut caller: Caller<'_, bool>, e: Option<Rooted<ExternRef>>) -> Option<Rooted<ExternRef>> {
                back(&mut caller);
                e
            }

            fn back(caller: &mut Caller<'_, bool>) {
                let wanted = *caller.data();
                collect(caller.as_context_mut(), wanted);
            }

            fn collect(mut store: impl AsContextMut<Data = bool>, wanted: bool) {
                if wanted {
                    let mut $store = store.as_context_mut();
                    $collect
                }
            }

            fn failure(err: &Error) -> Outcome {
                match err.downcast_ref::<wasmtime::Trap>() {
                    Some(trap) => Outcome::Trap(*trap),
                    None if err.is::<wasmtime::ThrownException>() => Outcome::Thrown,
                    None => Outcome::Failure(format!("{err:?}")),
                }
            }

            fn outcome(store: &mut Store<bool>, instance: &Instance, call: &Call) -> Option<Outcome> {
                let func = instance.get_func(&mut *store, &call.export)?;
                let ty = func.ty(&*store);
                let args = [Val::I32(call.args.0), Val::I64(call.args.1)];
                let args = args.get(..ty.params().len())?;
                let mut results = vec![Val::I32(0); ty.results().len()];
                Some(match func.call(&mut *store, args, &mut results) {
                    Ok(()) => Outcome::Values(results.iter().map(bits).collect()),
                    Err(err) => {
                        // Some exceptions stay with the store for its next calls.
                        if call.args.0 % 2 == 0 {
                            store.take_pending_exception();
                        }
                        failure(&err)
                    }
                })
            }

            fn bits(val: &Val) -> u64 {
                match val {
                    Val::I32(n) => *n as u32 as u64,
                    Val::I64(n) => *n as u64,
                    Val::F32(bits) => u64::from(*bits),
                    Val::F64(bits) => *bits,
                    _ => 0,
                }
            }

            fn step(store: &mut Store<bool>, instance: &Instance, call: &Call, outcome: Outcome) -> Step {
                let exports: Vec<_> = instance
                    .exports(&mut *store)
                    .map(|export| (export.name().to_string(), export.into_extern()))
                    .collect();
                let (mut globals, mut memories) = (vec![], vec![]);
                for (name, export) in exports {
                    match export {
                        Extern::Global(global) => globals.push((name, bits(&global.get(&mut *store)))),
                        Extern::Memory(memory) => {
                            let bytes = memory.data(&*store);
                            let mut hasher = std::hash::DefaultHasher::new();
                            hasher.write(bytes);
                            memories.push((name, bytes.len(), hasher.finish()));
                        }
                        _ => {}
                    }
                }
                Step { call: format!("{}{:?}", call.export, call.args), outcome, globals, memories }
            }
        }
    };
}

driver!(native, wasmtime, |store| {
    let _ = store.data_mut();
});
driver!(lowered, crate::api, |store| {
    if let Err(err) = store.gc(None) {
        panic!("a collection failed: {err:?}");
    }
});

#[cfg(test)]
mod tests {
    use super::{Tally, examine};
    use crate::fuzzing::replay::{input, replay};

    #[test]
    fn replayed() {
        replay(super::run, 60, 3000);
    }

    /// A generator that only traps, or an engine that always gives up, would make every run agree.
    #[test]
    fn most_calls_give_values() {
        let mut sum = Tally::default();
        for seed in 1000..1080 {
            let tally = examine(&input(seed, 3000));
            sum.values += tally.values;
            sum.traps += tally.traps;
            sum.thrown += tally.thrown;
            sum.throws += tally.throws;
            sum.catches += tally.catches;
            sum.inconclusive += tally.inconclusive;
        }
        let calls = sum.values + sum.traps + sum.thrown;
        assert!(sum.values > calls / 2 && sum.traps < calls / 3 && sum.inconclusive < 10, "{sum:?}");
        assert!(sum.thrown > calls / 50 && sum.throws > calls / 20 && sum.catches > 0, "{sum:?}");
    }
}
