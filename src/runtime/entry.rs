//! What surrounds every call from the host into WebAssembly, and every error of a host function.
//!
//! Lowered functions restore the shadow stack pointer when they return, but not when they trap; so
//! the host does, where the trap is caught. Before a call that nothing else of WebAssembly waits for, the stack is
//! empty, so that its pointer need not be read; but only calls through this module are counted.
//!
//! An error of a host function travels through WebAssembly inside a [`HostError`]. So it comes out as
//! it went in, whatever its type, with a backtrace in terms of the original modules instead of the
//! engine's own.
//!
//! An exception that leaves the outermost frame is still pending when that returns. It moves from the
//! heap's cell to the store, and the call fails with [`ThrownException`]; one that a host function throws
//! goes the other way. Exceptions are pending in the cell only between two frames of WebAssembly.

use super::held::keep_below;
use super::hooks::tell;
use super::memory::{read_word, write_word};
use super::store::{Entries, StoreData};
use super::trap;
use super::{Error, Result};
use std::sync::atomic::Ordering;
use wasmtime::{AsContextMut, CallHook, StoreContextMut, ThrownException};

/// An error of a host function on its way through WebAssembly.
#[derive(Debug)]
struct HostError(Error);

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for HostError {}

/// The error of a host function, if it is one on its way.
pub fn host_error(err: &Error) -> Option<&Error> {
    err.downcast_ref::<HostError>().map(|HostError(err)| err)
}

/// Runs something that enters WebAssembly.
#[inline(always)]
pub fn enter<T: 'static, R>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    run: impl FnOnce(&mut StoreContextMut<'_, StoreData<T>>) -> Result<R>,
) -> Result<R> {
    let mut entry = Entry::new(cx);
    if let Err(err) = tell(&mut entry.cx, CallHook::CallingWasm) {
        return entry.leave(Err(err));
    }
    #[expect(
        clippy::needless_match,
        reason = "a result that is moved as a whole right after it was written waits for that"
    )]
    let result = match run(&mut entry.cx) {
        Ok(value) => Ok(value),
        Err(err) => Err(err),
    };
    // A hook may call guests: by then no exception is pending between two frames.
    let result = entry.leave(result);
    match tell(cx, CallHook::ReturningFromWasm) {
        Ok(()) => result,
        Err(err) => Err(finish(cx, err)),
    }
}

/// The same for what may have to wait.
pub async fn enter_async<'c, 's, T: 'static, R>(
    cx: &'c mut StoreContextMut<'s, StoreData<T>>,
    run: impl AsyncFnOnce(&mut StoreContextMut<'_, StoreData<T>>) -> Result<R>,
) -> Result<R> {
    let mut entry = Entry::new(cx);
    if let Err(err) = tell(&mut entry.cx, CallHook::CallingWasm) {
        return entry.leave(Err(err));
    }
    let result = run(&mut entry.cx).await;
    let result = entry.leave(result);
    match tell(cx, CallHook::ReturningFromWasm) {
        Ok(()) => result,
        Err(err) => Err(finish(cx, err)),
    }
}

/// A call into WebAssembly. Where it never returns, because a host function panicked or because it was given up
/// while it waited, the stack is as before too.
///
/// What every call does is inlined into it; what only some do is apart.
pub struct Entry<'a, T: 'static> {
    /// The store.
    pub cx: StoreContextMut<'a, StoreData<T>>,
    saved: Option<u32>,
    left: bool,
}

impl<'a, T: 'static> Entry<'a, T> {
    /// Before the call.
    #[inline(always)]
    pub fn new(cx: &'a mut StoreContextMut<'_, StoreData<T>>) -> Entry<'a, T> {
        let entries = &mut cx.data_mut().gc.entries;
        let saved = match entries {
            Entries::Counted(count @ 0) => {
                *count = 1;
                None
            }
            _ => nested(cx),
        };
        debug_assert!(saved.is_some() || is_empty(cx), "a frame is left on the shadow stack");
        Entry { cx: cx.as_context_mut(), saved, left: false }
    }

    /// After it.
    #[inline(always)]
    pub fn leave<R>(mut self, result: Result<R>) -> Result<R> {
        self.left = true;
        self.uncount();
        match result {
            Ok(value) if !self.cx.data().gc.has_tags() => Ok(value),
            result => leave(&mut self.cx, self.saved, result),
        }
    }

    #[inline(always)]
    fn uncount(&mut self) {
        if let Entries::Counted(count) = &mut self.cx.data_mut().gc.entries {
            *count = count.saturating_sub(1);
        }
    }
}

impl<T: 'static> Drop for Entry<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.left {
            self.uncount();
            restore(&mut self.cx, self.saved);
        }
    }
}

/// The shadow stack pointer before a call that is within another, or may be.
#[inline(never)]
fn nested<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) -> Option<u32> {
    let gc = &mut cx.data_mut().gc;
    if let Entries::Counted(count) = &mut gc.entries {
        *count += 1;
    }
    // The call that was told of has reached the host.
    gc.marked_call = None;
    keep_below(cx);
    stack_pointer(cx)
}

/// What follows a call into WebAssembly that failed or may have left an exception, `saved` being the stack pointer from
/// before.
#[inline(never)]
fn leave<T: 'static, R>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    saved: Option<u32>,
    result: Result<R>,
) -> Result<R> {
    match result {
        Ok(_) if has_pending(cx) => {
            move_out(cx);
            Err(Error::new(ThrownException))
        }
        Ok(result) => Ok(result),
        Err(err) => {
            restore(cx, saved);
            Err(finish(cx, err))
        }
    }
}

fn has_pending<T: 'static>(cx: &StoreContextMut<'_, StoreData<T>>) -> bool {
    let gc = &cx.data().gc;
    // Every exception has a tag.
    if !gc.has_tags() {
        return false;
    }
    let cell = gc.engine.map.pending_cell();
    gc.place.is_some_and(|place| read_word(place.memory.data(cx), cell).is_some_and(|word| word != 0))
}

/// Moves the pending exception from the heap to the store.
#[cold]
pub fn move_out<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) {
    let gc = &cx.data().gc;
    let Some(place) = gc.place else { return };
    let cell = gc.engine.map.pending_cell();
    let word = read_word(place.memory.data(&*cx), cell);
    write_word(place.memory.data_mut(&mut *cx), cell, 0);
    if let Some(roots) = cx.data_mut().gc.roots() {
        roots.pending = word;
    }
}

/// Moves the exception that is pending in the store to the heap, or another if there is none.
pub fn move_in<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, other: Option<u32>) {
    let word = cx.data_mut().gc.roots().and_then(|roots| roots.pending.take()).or(other);
    let gc = &cx.data().gc;
    let (Some(word), Some(place)) = (word, gc.place) else { return };
    let cell = gc.engine.map.pending_cell();
    write_word(place.memory.data_mut(cx), cell, word);
}

/// What a host function's error is to WebAssembly: an exception if the store has one pending, which
/// then is pending in the heap.
#[cold]
pub fn throw_or_raise<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>, err: Error) -> Result<()> {
    let mut cx = cx.as_context_mut();
    if !err.is::<ThrownException>() || !caller_asks(&cx) {
        return Err(raise(err));
    }
    let word = cx.data_mut().gc.roots().and_then(|roots| roots.pending.take());
    let gc = &cx.data().gc;
    let (Some(word), Some(place)) = (word, gc.place) else { return Err(raise(err)) };
    let cell = gc.engine.map.pending_cell();
    write_word(place.memory.data_mut(&mut cx), cell, word);
    cx.data_mut().gc.debug.host_threw = true;
    Ok(())
}

/// Whether the caller of a host function asks for exceptions: any does but a module that was left alone. In
/// that the exception can not be pending; it stays in the store, and the outermost call fails.
fn caller_asks<T: 'static>(cx: &StoreContextMut<'_, StoreData<T>>) -> bool {
    // Walking the stack takes long when it is deep.
    if !cx.data().gc.engine.has_untouched.load(Ordering::Relaxed) {
        return true;
    }
    let backtrace = wasmtime::WasmBacktrace::force_capture(cx);
    let Some(frame) = backtrace.frames().first() else { return true };
    // Code that nobody knows is none of ours.
    cx.data().gc.engine.code_of(frame.module()).is_some_and(|code| code.lowered.is_some())
}

fn stack_pointer<T: 'static>(cx: &StoreContextMut<'_, StoreData<T>>) -> Option<u32> {
    let gc = &cx.data().gc;
    read_word(gc.place?.memory.data(cx), gc.engine.map.sp_cell())
}

/// Whether nothing is on the shadow stack.
fn is_empty<T: 'static>(cx: &StoreContextMut<'_, StoreData<T>>) -> bool {
    stack_pointer(cx).is_none_or(|sp| sp == cx.data().gc.engine.map.stack_top)
}

#[cold]
fn restore<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, saved: Option<u32>) {
    let gc = &mut cx.data_mut().gc;
    gc.debug.unwound += 1;
    gc.marked_call = None;
    let gc = &cx.data().gc;
    let Some(place) = gc.place else { return };
    let map = gc.engine.map;
    let memory = place.memory.data_mut(cx);
    write_word(memory, map.sp_cell(), saved.unwrap_or(map.stack_top));
    write_word(memory, map.pending_cell(), 0);
}

/// An error that left WebAssembly, as the embedder is to see it.
#[cold]
fn finish<T: 'static>(cx: &StoreContextMut<'_, StoreData<T>>, err: Error) -> Error {
    let engine = &cx.data().gc.engine;
    if !err.is::<HostError>() {
        return trap::rewrite(engine, err, |err, dump| (cx.data().callbacks().on_core_dump)(cx, err, dump));
    }
    let mut err = err;
    let backtrace = err.downcast_ref::<wasmtime::WasmBacktrace>().and_then(|bt| trap::shown(engine, bt));
    let host = err.downcast_mut::<HostError>().map(|HostError(host)| std::mem::replace(host, Error::msg("")));
    let Some(host) = host else { return err };
    let host = trap::with_backtrace(host, backtrace);
    match err.downcast::<wasmtime::WasmCoreDump>() {
        Ok(dump) => (cx.data().callbacks().on_core_dump)(cx, host, dump),
        Err(_) => host,
    }
}

/// The error that a host function passes to the engine for its own error.
#[cold]
pub fn raise(err: Error) -> Error {
    Error::new(HostError(err))
}
