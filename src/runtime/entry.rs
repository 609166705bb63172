//! What surrounds every call from the host into WebAssembly, and every error of a host function.
//!
//! Lowered functions restore the shadow stack pointer when they return, but not when they trap; so
//! the host does, where the trap is caught.
//!
//! An error of a host function travels through WebAssembly inside a [`HostError`]. So it comes out as
//! it went in, whatever its type, with a backtrace in terms of the original modules instead of the
//! engine's own.

use super::memory::{read_word, write_word};
use super::store::StoreData;
use super::trap;
use super::{Error, Result};
use wasmtime::StoreContextMut;

/// An error of a host function on its way through WebAssembly.
#[derive(Debug)]
struct HostError(Error);

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for HostError {}

/// Runs something that enters WebAssembly.
#[inline]
pub fn enter<T: 'static, R>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    run: impl FnOnce(&mut StoreContextMut<'_, StoreData<T>>) -> Result<R>,
) -> Result<R> {
    let saved = stack_pointer(cx);
    match run(cx) {
        Ok(result) => Ok(result),
        Err(err) => {
            restore(cx, saved);
            Err(finish(cx, err))
        }
    }
}

fn stack_pointer<T: 'static>(cx: &StoreContextMut<'_, StoreData<T>>) -> Option<u32> {
    let gc = &cx.data().gc;
    read_word(gc.place?.memory.data(cx), gc.engine.map.sp_cell())
}

#[cold]
fn restore<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, saved: Option<u32>) {
    let gc = &cx.data().gc;
    let Some(place) = gc.place else { return };
    let map = gc.engine.map;
    write_word(place.memory.data_mut(cx), map.sp_cell(), saved.unwrap_or(map.stack_top));
}

/// An error that left WebAssembly, as the embedder is to see it.
#[cold]
fn finish<T: 'static>(cx: &StoreContextMut<'_, StoreData<T>>, err: Error) -> Error {
    let engine = &cx.data().gc.engine;
    if !err.is::<HostError>() {
        return trap::rewrite(engine, err);
    }
    let backtrace = err.downcast_ref::<wasmtime::WasmBacktrace>().map(|bt| trap::map(engine, bt));
    match err.downcast::<HostError>() {
        Ok(HostError(err)) => trap::with_backtrace(err, backtrace),
        Err(err) => err,
    }
}

/// The error that a host function passes to the engine for its own error.
#[cold]
pub fn raise(err: Error) -> Error {
    Error::new(HostError(err))
}
