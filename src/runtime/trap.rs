//! The engine's errors, told in terms of the original module.
//!
//! In lowered code a null reference shows as an access out of the heap's bounds and a failed cast as
//! `unreachable`. For each instruction that can trap, lowering says what its trap means; here the
//! engine's trap is replaced by that, and its backtrace by one with the original functions and
//! offsets. A trap carries no other data, so its error is made anew; any other error keeps what it
//! is and gets the backtrace as a context.

use super::Error;
use super::backtrace::{FrameInfo, WasmBacktrace};
use super::code::{Code, LoweredCode, Module};
use super::engine::{Engine, EngineState};
use super::oom::GcHeapOutOfMemory;
use crate::ir::TrapCode;
use crate::layout::reference::NULL;
use crate::lower::output::Site;
use std::sync::Arc;
use wasmtime::{Trap, WasmCoreDump};

/// The engine's error as the embedder is to see it.
#[cold]
pub fn rewrite(engine: &Arc<EngineState>, err: Error, add_dump: impl FnOnce(Error, WasmCoreDump) -> Error) -> Error {
    let backtrace = err.downcast_ref::<wasmtime::WasmBacktrace>();
    let mapped = backtrace.and_then(|backtrace| shown(engine, backtrace));
    let Some(&trap) = err.downcast_ref::<Trap>() else {
        return with_backtrace(err, mapped);
    };
    let fault = fault_address(&err);
    let kept = match backtrace.and_then(|backtrace| meaning(engine, backtrace, trap, fault)) {
        Some(meaning) => Error::from(meaning),
        None => rebuild(&err, trap, backtrace.map(|backtrace| backtrace.to_string())),
    };
    let kept = with_backtrace(kept, mapped);
    match err.downcast::<WasmCoreDump>() {
        Ok(dump) => add_dump(kept, dump),
        Err(_) => kept,
    }
}

/// The same trap without the engine's backtrace. Other contexts are messages of the engine, such as
/// where a fault was.
fn rebuild(err: &Error, trap: Trap, backtrace: Option<String>) -> Error {
    let trap_text = trap.to_string();
    let contexts: Vec<String> = err.chain().map(|cause| cause.to_string()).collect();
    let oom = err.downcast_ref::<GcHeapOutOfMemory<()>>().map(|oom| GcHeapOutOfMemory::new((), oom.bytes_needed()));
    let oom_text = oom.as_ref().map(|oom| oom.to_string());
    let dump_text = err.downcast_ref::<WasmCoreDump>().map(|dump| dump.to_string());
    let gone = [Some(&trap_text), backtrace.as_ref(), oom_text.as_ref(), dump_text.as_ref()];
    let keep = |text: &String| !gone.contains(&Some(text));
    let err = contexts.into_iter().filter(keep).rev().fold(Error::from(trap), |err, text| err.context(text));
    match oom {
        Some(oom) => err.context(oom),
        None => err,
    }
}

/// Adds a backtrace, if there is one and the error has none yet: the innermost one is the longest.
#[cold]
pub fn with_backtrace(err: Error, backtrace: Option<WasmBacktrace>) -> Error {
    match backtrace {
        Some(backtrace) if !backtrace.frames.is_empty() && !err.is::<WasmBacktrace>() => err.context(backtrace),
        _ => err,
    }
}

/// What a trap means where it happened, if not what the engine says.
fn meaning(engine: &EngineState, backtrace: &wasmtime::WasmBacktrace, trap: Trap, fault: Option<u64>) -> Option<Trap> {
    if is_anywhere(trap) {
        return None;
    }
    let frame = backtrace.frames().first()?;
    let code = engine.code_of(frame.module())?;
    let (func, offset) = (frame.func_index(), frame.module_offset());
    let site = trap_site(code.lowered.as_ref()?, func, offset, trap, fault)?;
    Some(trap_of(site.trap?))
}

/// Whether a trap happens anywhere, whatever the instruction.
fn is_anywhere(trap: Trap) -> bool {
    matches!(trap, Trap::StackOverflow | Trap::Interrupt | Trap::OutOfFuel | Trap::AllocationTooLarge)
}

/// What a trap means at an offset of a lowered module, if not what the engine says, in code for debuggers: there
/// every check is one of its own.
pub fn meaning_at(lowered: &LoweredCode, offset: u32, trap: Trap) -> Option<Trap> {
    if is_anywhere(trap) {
        return None;
    }
    Some(trap_of(trap_site(lowered, u32::MAX, Some(offset as usize), trap, None)?.trap?))
}

fn trap_of(code: TrapCode) -> Trap {
    match code {
        TrapCode::Unreachable => Trap::UnreachableCodeReached,
        TrapCode::NullReference => Trap::NullReference,
        TrapCode::ArrayOutOfBounds => Trap::ArrayOutOfBounds,
        TrapCode::CastFailure => Trap::CastFailure,
        TrapCode::AllocationTooLarge => Trap::AllocationTooLarge,
        TrapCode::TableOutOfBounds => Trap::TableOutOfBounds,
        TrapCode::MemoryOutOfBounds => Trap::MemoryOutOfBounds,
        TrapCode::StackOverflow => Trap::StackOverflow,
    }
}

/// The instruction that is meant by an offset where something trapped, in a function of the lowered module.
///
/// Cranelift makes a load an operand of the instruction that uses it, and then that is where the load's
/// fault is found: most often at the offset, or one before it. But the user may have been moved itself, as what traps
/// nowhere, and have another place or none. So if the address is that of a field of null, what is meant is the
/// nearest instruction of the function that accesses such a field. A branch around a trap has no fault of its own.
fn trap_site(lowered: &LoweredCode, func: u32, offset: Option<usize>, trap: Trap, fault: Option<u64>) -> Option<Site> {
    let sites = &lowered.sites;
    let offset = offset.and_then(|offset| u32::try_from(offset).ok());
    if trap != Trap::MemoryOutOfBounds {
        return sites.find(offset?);
    }
    let end = offset.map_or(0, |offset| sites.entries.partition_point(|site| site.lowered <= offset));
    let mut candidates = sites.entries[..end].iter().rev().filter(|site| !site.is_branch).take(2);
    let of_null =
        |site: &&Site| site.heap_offset.is_some_and(|offset| fault == Some(u64::from(NULL) + u64::from(offset)));
    let found = candidates.clone().find(of_null).or_else(|| {
        let func = sites.funcs.get(func as usize).copied()?;
        let caller = |site: &Site| sites.stack(*site).last().and_then(|&offset| sites.func_at(offset));
        let own = |site: &&Site| !site.is_branch && caller(site).is_some_and(|(of, _)| of == func);
        let anywhere = sites.entries.iter().filter(of_null).filter(own);
        anywhere.min_by_key(|site| offset.map_or(0, |offset| site.lowered.abs_diff(offset)))
    });
    // Without an address it was no fault but a check of bounds, which is found where the access is; any other is that of a memory
    // of the program's.
    let is_checked = |site: &&Site| fault.is_some() || site.heap_offset.is_some() && Some(site.lowered) == offset;
    found.or_else(|| candidates.next().filter(is_checked)).copied()
}

/// The address of a memory fault, which the engine gives only in words.
fn fault_address(err: &Error) -> Option<u64> {
    err.chain().find_map(|cause| {
        let text = cause.to_string();
        let (_, rest) = text.split_once("memory fault at wasm address 0x")?;
        let digits = rest.split(|c: char| !c.is_ascii_hexdigit()).next()?;
        u64::from_str_radix(digits, 16).ok()
    })
}

/// The instruction at an offset, or the last one before it that comes from the original.
fn near_site(lowered: &LoweredCode, offset: usize) -> Option<Site> {
    let is_original = |site: &Site| site.original != u32::MAX;
    if let Some(site) = u32::try_from(offset).ok().and_then(|offset| lowered.sites.find(offset)).filter(is_original) {
        return Some(site);
    }
    let entries = &lowered.sites.entries;
    let end = entries.partition_point(|site| site.lowered as usize <= offset);
    entries[..end].iter().rev().take(16).find(|site| is_original(site)).copied()
}

/// A backtrace in terms of the original modules, if the embedder wants any.
pub fn shown(engine: &Arc<EngineState>, backtrace: &wasmtime::WasmBacktrace) -> Option<WasmBacktrace> {
    engine.options.backtrace_frames.is_some().then(|| map(engine, backtrace))
}

/// A backtrace in terms of the original modules.
pub fn map(engine: &Arc<EngineState>, backtrace: &wasmtime::WasmBacktrace) -> WasmBacktrace {
    WasmBacktrace { frames: map_frames(engine, backtrace.frames()) }
}

/// Frames in terms of the original modules. One of the engine may stand for several.
pub fn map_frames(engine: &Arc<EngineState>, frames: &[wasmtime::FrameInfo]) -> Vec<FrameInfo> {
    let most = engine.options.backtrace_frames.map_or(usize::MAX, |frames| frames.get());
    let mut mapped: Vec<FrameInfo> = frames.iter().flat_map(|frame| map_frame(engine, frame)).take(most).collect();
    if !engine.options.address_map {
        mapped.iter_mut().for_each(|frame| (frame.module_offset, frame.func_offset) = (None, None));
    }
    mapped
}

/// The frames that one of the engine's stands for: functions in the place of calls have none there.
fn map_frame(engine: &Arc<EngineState>, frame: &wasmtime::FrameInfo) -> Vec<FrameInfo> {
    let code = engine.code_of(frame.module()).unwrap_or_else(|| Code::unknown(frame.module().clone()));
    let module = Module { engine: Engine { state: engine.clone() }, code: code.clone() };
    let Some(lowered) = &code.lowered else {
        return vec![FrameInfo {
            module,
            func_index: frame.func_index(),
            func_name: frame.func_name().map(str::to_string),
            module_offset: frame.module_offset(),
            func_offset: frame.func_offset(),
        }];
    };
    let sites = &lowered.sites;
    let Some(func) = sites.funcs.get(frame.func_index() as usize).copied().filter(|&func| func != u32::MAX) else {
        return Vec::new();
    };
    let start = func.checked_sub(sites.imported_funcs).and_then(|defined| sites.func_offsets.get(defined as usize));
    let start = start.copied();
    // A site before the function's body is another function's.
    let stack = frame
        .module_offset()
        .and_then(|offset| near_site(lowered, offset))
        .map(|site| sites.stack(site))
        .filter(|stack| stack.last().zip(start).is_none_or(|(&offset, start)| offset >= start));
    let info = |func: u32, start: Option<u32>, offset: Option<u32>| FrameInfo {
        module: module.clone(),
        func_index: func,
        func_name: sites.names.get(&func).cloned(),
        module_offset: offset.map(|offset| offset as usize),
        func_offset: offset.zip(start).map(|(offset, start)| (offset - start) as usize),
    };
    let Some((&last, inner)) = stack.as_ref().and_then(|stack| stack.split_last()) else {
        return vec![info(func, start, start)];
    };
    let inner = inner.iter().filter_map(|&offset| Some((sites.func_at(offset)?, offset)));
    let mut frames: Vec<FrameInfo> =
        inner.map(|((func, start), offset)| info(func, Some(start), Some(offset))).collect();
    frames.push(info(func, start, Some(last)));
    frames
}
