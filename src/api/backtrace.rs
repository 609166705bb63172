//! Backtraces that the host asks for.

use super::store::AsContext;
use crate::runtime::backtrace::WasmBacktrace;
use crate::runtime::trap;

impl WasmBacktrace {
    /// The frames that are there now: those that called the host. None, if the engine makes no backtraces.
    pub fn capture(store: impl AsContext) -> WasmBacktrace {
        let cx = store.as_context();
        trap::map(&cx.inner.data().gc.engine, &wasmtime::WasmBacktrace::capture(&cx.inner))
    }

    /// The frames that are there now, even if the engine makes no backtraces.
    pub fn force_capture(store: impl AsContext) -> WasmBacktrace {
        let cx = store.as_context();
        trap::map(&cx.inner.data().gc.engine, &wasmtime::WasmBacktrace::force_capture(&cx.inner))
    }
}
