//! Backtraces that the host asks for.

use super::store::AsContext;
use crate::runtime::backtrace::WasmBacktrace;
use crate::runtime::trap;

impl WasmBacktrace {
    /// The frames that are there now: those that called the host. None, if the engine makes no backtraces.
    pub fn capture(store: impl AsContext) -> WasmBacktrace {
        let cx = store.as_context();
        let engine = &cx.inner.data().gc.engine;
        let none = || WasmBacktrace { frames: Vec::new() };
        trap::shown(engine, &wasmtime::WasmBacktrace::capture(&cx.inner)).unwrap_or_else(none)
    }

    /// The frames that are there now, even if the engine makes no backtraces.
    pub fn force_capture(store: impl AsContext) -> WasmBacktrace {
        let cx = store.as_context();
        trap::map(&cx.inner.data().gc.engine, &wasmtime::WasmBacktrace::force_capture(&cx.inner))
    }
}
