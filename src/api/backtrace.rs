//! Backtraces that the host asks for.

use super::store::AsContext;
use crate::runtime::backtrace::WasmBacktrace;
use crate::runtime::trap;

impl WasmBacktrace {
    /// The frames that are there now: those that called the host. None, if the engine makes no backtraces.
    ///
    /// ```
    /// use wasmtime_gc::{Caller, Func, Instance, Module, Store, WasmBacktrace};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::new(&Default::default(), 0);
    /// let look = Func::wrap(&mut store, |mut caller: Caller<'_, usize>| {
    ///     *caller.data_mut() = WasmBacktrace::capture(&caller).frames().len();
    /// });
    /// let module = r#"(module (import "" "" (func $look)) (func $a (call $look)) (func (export "f") (call $a)))"#;
    /// let module = Module::new(store.engine(), module)?;
    /// let f = Instance::new(&mut store, &module, &[look.into()])?.get_typed_func::<(), ()>(&mut store, "f")?;
    /// f.call(&mut store, ())?;
    /// assert_eq!(*store.data(), 2);
    /// # Ok(())
    /// # }
    /// ```
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
