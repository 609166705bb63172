//! GC operations to core operations, and the assembly of the lowered module.
//!
//! | file | idea |
//! |---|---|
//! | `context.rs` | what lowering needs to know of the engine |
//! | `output.rs` | what comes out: the module's bytes and what the runtime must know about it |
//! | `env.rs` | what every function's lowering shares: places and virtual indices |
//! | `index.rs` | index spaces: the original ones, extended by what lowering adds |
//! | `environ.rs` | the hooks: one method for each GC operation, implemented per heap flavour |
//! | `func.rs` | the driver: walks a function and dispatches |
//! | `op/` | one file for each family of operations |
//! | `known.rs` | words that are known already: lengths, headers, cells of tables, addresses of root areas |
//! | `compared.rs` | what a condition tells of numbers |
//! | `counters.rs` | parameters of loops that are never negative |
//! | `handles.rs` | function references that stay handles where ways meet, and behind casts |
//! | `helper.rs` | functions that lowering adds |
//! | `init.rs` | the init function: globals, tables, segments and start in the specification's order |
//! | `world.rs` | which functions calls through fields can reach |
//! | `drivers.rs` | functions without references that become IR for what they call |
//! | `bytes.rs` | the functions of lowering's own that copy and fill |
//! | `fixed_tables.rs` | which functions are where in tables that nothing changes |
//! | `scan.rs` | what the lowered functions refer to |
//! | `safepoint.rs` | which functions can not collect |
//! | `reach.rs` | which functions nothing calls any more |
//! | `roots/` | root slots: what is spilled and reloaded where |
//! | `debug.rs` | what a debugger sees of the original in the lowered frames |
//! | `emit/` | IR to Wasm bytes |
//! | `types.rs` | function types that stay as exact as they were |
//! | `probe.rs` | a module that shows the types of another |
//! | `profile.rs` | marks by which calls are counted |
//! | `module.rs`, `sections.rs` | the sections of the lowered module |
//!
//! What this is not: the collector (`heap/`) or the host's side of the imports (`runtime/`). It
//! never looks at a running heap.

#![forbid(unsafe_code)]

mod bytes;
mod compared;
pub mod context;
mod counters;
pub mod debug;
mod drivers;
pub mod emit;
pub mod env;
pub mod environ;
mod fixed_tables;
pub mod func;
mod handles;
mod helper;
pub mod index;
mod init;
mod known;
mod module;
pub mod op;
pub mod output;
pub mod probe;
mod profile;
mod reach;
pub mod roots;
pub mod safepoint;
mod scan;
mod sections;
mod types;
mod world;

pub use crate::opt::Passes;
pub use context::LowerContext;
pub use output::Lowered;

use crate::fault::Error;
use crate::ir::{Callee, Func, Op, RefOp, SrcLoc};
use crate::opt::{Calls, Candidates, GlobalKind, Scope};
use crate::parse::{self, GlobalDecl, Module, Translated};
use crate::types::TypeId;
use emit::{EmitContext, EmittedBody};
use env::{ModuleEnv, RuntimeFunc};
use environ::Generational;
use init::Plan;
use module::{Assembly, Uses};
use safepoint::{MayCollect, Summary};
use types::Types;

/// A function on its way through the pipeline.
#[expect(clippy::large_enum_variant, reason = "nearly all are the large one")]
enum Body<'a> {
    /// Re-encoded as it is.
    Plain(wasmparser::FunctionBody<'a>),
    /// Lowered IR.
    Ir(Func<'a>),
}

/// Lowers a module; `None` when nothing in it needs lowering.
///
/// # Errors
///
/// When the module is invalid, unsupported, or too complex.
pub fn lower(wasm: &[u8], cx: &LowerContext<'_>) -> Result<Option<Lowered>, Error> {
    lower_module(Module::parse_with(wasm, cx.features, cx.registry, cx.workers)?, cx)
}

/// Lowers a module that [`lower`] leaves alone, so that exceptions from its imports pass through it;
/// `None` when it calls nothing from outside.
///
/// # Errors
///
/// As [`lower`].
pub fn lower_checked(wasm: &[u8], cx: &LowerContext<'_>) -> Result<Option<Lowered>, Error> {
    let mut module = Module::parse_with(wasm, cx.features, cx.registry, cx.workers)?;
    module.expect_exceptions();
    lower_module(module, cx)
}

/// Lowers a module that was put together by a front end of its own.
///
/// # Errors
///
/// As [`lower`].
pub fn lower_module(mut module: Module<'_>, cx: &LowerContext<'_>) -> Result<Option<Lowered>, Error> {
    let mut bodies = translate(&module)?;
    // No debugger can walk past the frame in which the engine calls a start function, so that is left to the runtime.
    let must_start = cx.debug && module.start.is_some();
    if !module.has_gc_types && !must_start && bodies.iter().all(|body| matches!(body, Translated::Plain)) {
        return Ok(None);
    }
    if cx.debug {
        module.debug = true;
        bodies = translate(&module)?;
    } else if cx.profile_calls {
        profile::mark(&module, &mut bodies)?;
    }
    if let Some(likely) = cx.likely {
        module.hints.calls.extend(likely);
    }
    optimize(&module, &mut bodies, cx)?;
    let facts = scan::Facts::of(&module, &bodies);
    let env = ModuleEnv::new(&module, &facts, cx)?;
    let plan = Plan::new(&env, &facts.array_segments);
    let mut lowered = lower_bodies(&env, bodies, cx.opt_level == 0 || cx.debug)?;
    let mut added = Vec::new();
    if plan.needed {
        for func in init::build(&env, &plan)? {
            added.push(func.index);
            lowered.push(Body::Ir(func::lower_func(&func, &mut Generational::new(&env, true))?));
        }
    }
    let mut uses = uses(&env, &lowered)?;
    if cx.winch {
        uses.func_refs.clear();
    }
    for (func, make) in helper::HELPERS {
        if uses.funcs.contains(&env.runtime(func)) {
            let helper = make(&env);
            added.push(helper.index);
            scan::uses(&env, &helper, &mut uses);
            lowered.push(Body::Ir(helper));
        }
    }
    for &virt in uses.funcs.iter().filter(|&&virt| env.stand_in_type(virt).is_some()) {
        added.push(virt);
        lowered.push(Body::Ir(helper::stand_in(&env, virt)));
    }
    added.iter().for_each(|index| {
        uses.funcs.remove(index);
    });
    let types = Types::new(&module, facts.casts_functions)?;
    let assembly = Assembly::new(&env, &plan, &uses, types, &added);
    let emitted = emit_all(&env, cx, &assembly, lowered)?;
    let start = if plan.needed { Some(env.runtime(RuntimeFunc::Init)) } else { module.start };
    let offsets = module.bodies.iter().map(|body| body.body.range().start as u32).collect();
    assembly.finish(&emitted, start, offsets).map(Some)
}

/// Validates every body and makes IR of those that need it.
fn translate<'a>(module: &Module<'a>) -> Result<Vec<Translated<'a>>, Error> {
    let each = |allocations: &mut _, at: usize| module.bodies[at].translate(module, at, allocations);
    module.workers.map_with(0..module.bodies.len(), Default::default, each).into_iter().collect()
}

/// Optimises what is IR.
fn optimize<'a>(module: &Module<'a>, bodies: &mut [Translated<'a>], cx: &LowerContext<'_>) -> Result<(), Error> {
    let passes = cx.passes.at_level(cx.opt_level);
    if passes == Passes::NONE || cx.debug {
        return Ok(());
    }
    if passes.has(Passes::INLINE) {
        drivers::make_ir(module, bodies)?;
    }
    if passes.has(Passes::DEVIRTUALIZE) {
        world::devirtualize(module, bodies)?;
    }
    let globals = global_kinds(module);
    let funcs: Vec<TypeId> = module.funcs.iter().map(|func| module.types.id(func.ty)).collect();
    let (unknown, written) = (Calls::default(), world::written(module, bodies));
    let mut scope =
        Scope { types: &module.types, funcs: &funcs, globals: &globals, calls: &unknown, written: &written };
    let calls = if passes.has(Passes::CALLS) { world::calls(module, bodies, scope)? } else { Calls::default() };
    scope.calls = &calls;
    let candidates = if passes.has(Passes::INLINE) { candidates(module, bodies)? } else { Candidates::default() };
    let irs: Vec<_> = bodies.iter_mut().filter_map(Translated::ir_mut).collect();
    module.workers.map(irs, |func| {
        if !is_straight_and_runs_once(module, func) {
            crate::opt::optimize(func, scope, &candidates, passes);
        }
    });
    if passes.has(Passes::INLINE) { reach::prune(module, bodies) } else { Ok(()) }
}

/// Whether a hint says that a function runs once, and nothing in it runs more often: faster code is then not worth what
/// it takes to find it.
fn is_straight_and_runs_once(module: &Module<'_>, func: &Func<'_>) -> bool {
    module.hints.runs_once(func.index) && !func.insts.values().any(|inst| matches!(inst.op, Op::Loop { .. }))
}

/// Longer functions are put in the place of no call: they cost too much, whatever they do.
const MOST_BYTES: usize = 250;

/// Functions that may be put in the place of calls. A small one that could stay as it is becomes IR too if
/// one that does not calls it, or another that becomes IR.
fn candidates<'a>(module: &Module<'a>, bodies: &[Translated<'a>]) -> Result<Candidates<'a>, Error> {
    if module.bodies.last().is_some_and(|body| body.body.range().end >= SrcLoc::INLINED as usize) {
        return Ok(Candidates::default());
    }
    let imported = module.imported_funcs();
    let mut called = vec![false; bodies.len()];
    let mut work = Vec::new();
    let mut calls = |func: &Func<'a>, work: &mut Vec<usize>| {
        for inst in func.insts.values() {
            // A closure's function is called directly where it is known what closure it is.
            if let Op::Call(Callee::Func(callee)) | Op::Ref(RefOp::Func(callee)) = inst.op
                && let Some(defined) = callee.checked_sub(imported).map(|defined| defined as usize)
                && called.get_mut(defined).is_some_and(|called| !std::mem::replace(called, true))
            {
                work.push(defined);
            }
        }
    };
    let irs = || bodies.iter().filter_map(Translated::ir);
    irs().for_each(|func| calls(func, &mut work));
    let mut allocations = Default::default();
    let mut plain = Vec::new();
    while let Some(index) = work.pop() {
        let (body, original) = (&bodies[index], &module.bodies[index]);
        if matches!(body, Translated::Plain) && original.body.range().len() <= MOST_BYTES {
            let func = original.to_ir(module, index, &mut allocations)?;
            calls(&func, &mut work);
            plain.push(func);
        }
    }
    let small = irs()
        .filter(|func| called.get((func.index - imported) as usize) == Some(&true))
        .filter(|func| !module.hints.runs_once(func.index));
    Ok(Candidates::new(small.chain(&plain), module.hints.frequencies.clone(), module.workers))
}

/// Who may write each global.
fn global_kinds(module: &Module<'_>) -> Vec<GlobalKind> {
    let kind = |global: &GlobalDecl<'_>| match (global.ty.is_gc_ref(), global.mutable, &global.init) {
        (false, ..) => GlobalKind::Native,
        (true, false, _) => GlobalKind::Constant,
        (true, true, Some(_)) => GlobalKind::Own,
        (true, true, None) => GlobalKind::Imported,
    };
    module.globals.iter().map(kind).collect()
}

fn lower_bodies<'a>(env: &ModuleEnv<'_, 'a>, bodies: Vec<Translated<'a>>, small: bool) -> Result<Vec<Body<'a>>, Error> {
    let both: Vec<_> = bodies.into_iter().zip(&env.module.bodies).collect();
    let each = |(translated, body): (_, &parse::Body<'a>)| match translated {
        Translated::Plain => Ok(Body::Plain(body.body.clone())),
        Translated::Ir(func) => {
            let small = small || is_straight_and_runs_once(env.module, &func);
            Ok(Body::Ir(func::lower_func(&func, &mut Generational::new(env, small))?))
        }
    };
    env.module.workers.map(both, each).into_iter().collect()
}

fn uses(env: &ModuleEnv<'_, '_>, bodies: &[Body<'_>]) -> Result<Uses, Error> {
    let mut uses = Uses::default();
    for body in bodies {
        if let Body::Ir(func) = body {
            scan::uses(env, func, &mut uses);
        }
    }
    let plain = bodies.iter().filter_map(|body| if let Body::Plain(body) = body { Some(body) } else { None });
    for funcs in env.module.workers.map(plain.collect::<Vec<_>>(), scan::func_refs) {
        uses.func_refs.extend(funcs?);
    }
    Ok(uses)
}

/// Assigns roots and emits, function by function.
fn emit_all(
    env: &ModuleEnv<'_, '_>,
    cx: &LowerContext<'_>,
    assembly: &Assembly<'_, '_, '_>,
    bodies: Vec<Body<'_>>,
) -> Result<Vec<EmittedBody>, Error> {
    let may_collect = may_collect(env, &bodies)?;
    let context = EmitContext {
        map: cx.map,
        index: &assembly.index,
        func_types: &assembly.types.func_types,
        originals: env.module.funcs.len() as u32,
    };
    let collects = |callee: &Callee| match callee {
        Callee::Func(f) => env.runtime_collects(*f).unwrap_or_else(|| may_collect.func(*f)),
        Callee::Indirect { .. } | Callee::Ref { .. } => true,
    };
    let imported = env.module.imported_funcs();
    let rotates = cx.passes.at_level(cx.opt_level).has(Passes::ROTATE);
    let each = |(at, body): (usize, _)| match body {
        Body::Plain(body) => emit::emit_plain(&body, imported + at as u32, &context),
        Body::Ir(mut func) => {
            if rotates && func.debug.is_none() {
                crate::opt::rotate(&mut func);
            }
            let before = cx.check_roots.then(|| func.clone());
            roots::assign_roots(&mut func, &collects)?;
            if let Some(before) = before {
                roots::check_roots(&before, &func, &collects)?;
            }
            debug::reserve(&mut func)?;
            emit::emit_func(&func, &context)
        }
    };
    let numbered: Vec<_> = bodies.into_iter().enumerate().collect();
    env.module.workers.map(numbered, each).into_iter().collect()
}

/// Which of the original functions may collect.
fn may_collect(env: &ModuleEnv<'_, '_>, bodies: &[Body<'_>]) -> Result<MayCollect, Error> {
    let imported = (0..env.module.imported_funcs()).map(|_| Ok(Summary::unknown()));
    // What lowering added stands behind the original bodies and is called by nothing but itself.
    let defined = bodies.iter().take(env.module.bodies.len()).map(|body| match body {
        Body::Plain(body) => Ok(Summary::of_body(body)?),
        Body::Ir(func) => Ok(Summary::of(func, &|f| env.runtime_collects(f))),
    });
    let summaries: Result<Vec<Summary>, Error> = imported.chain(defined).collect();
    Ok(safepoint::solve(&summaries?))
}
