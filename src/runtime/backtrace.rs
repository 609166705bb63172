//! Backtraces in terms of the original modules.

use super::code::Module;
use std::fmt;
use wasmtime::FrameSymbol;

/// The WebAssembly frames of an error, the innermost first: a context of the error that a call into
/// WebAssembly returns.
///
/// ```
/// use wasmtime_gc::{Instance, Module, Store, WasmBacktrace};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut store = Store::<()>::default();
/// let module = r#"(module $m (type $s (struct (field i32)))
///     (func $inner (param (ref null $s)) (result i32) (struct.get $s 0 (local.get 0)))
///     (func $outer (export "f") (result i32) (call $inner (ref.null $s))))"#;
/// let module = Module::new(store.engine(), module)?;
/// let f = Instance::new(&mut store, &module, &[])?.get_typed_func::<(), i32>(&mut store, "f")?;
/// let err = f.call(&mut store, ()).unwrap_err();
/// let frames = err.downcast_ref::<WasmBacktrace>().unwrap().frames();
/// let names: Vec<_> = frames.iter().map(|frame| frame.func_name()).collect();
/// assert_eq!(names, [Some("inner"), Some("outer")]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WasmBacktrace {
    pub(crate) frames: Vec<FrameInfo>,
}

impl WasmBacktrace {
    /// The frames, the innermost first.
    pub fn frames(&self) -> &[FrameInfo] {
        &self.frames
    }
}

/// One frame.
#[derive(Debug, Clone)]
pub struct FrameInfo {
    pub(crate) module: Module,
    pub(crate) func_index: u32,
    pub(crate) func_name: Option<String>,
    pub(crate) module_offset: Option<usize>,
    pub(crate) func_offset: Option<usize>,
}

impl FrameInfo {
    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The index of the function in its module.
    pub fn func_index(&self) -> u32 {
        self.func_index
    }

    /// The name that the module gives the function.
    pub fn func_name(&self) -> Option<&str> {
        self.func_name.as_deref()
    }

    /// The name of the module.
    pub fn module_name(&self) -> Option<&str> {
        self.module.name()
    }

    /// Where in the module the instruction is, in bytes.
    pub fn module_offset(&self) -> Option<usize> {
        self.module_offset
    }

    /// Where in the function's body the instruction is, in bytes.
    pub fn func_offset(&self) -> Option<usize> {
        self.func_offset
    }

    /// The source lines of the instruction: none, because lowering drops the debug information that they would come
    /// from.
    pub fn symbols(&self) -> &[FrameSymbol] {
        &[]
    }
}

impl fmt::Display for WasmBacktrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error while executing at wasm backtrace:")?;
        for (i, frame) in self.frames.iter().enumerate() {
            write!(f, "\n  {i:>3}: ")?;
            if let Some(offset) = frame.module_offset {
                write!(f, "{offset:#8x} - ")?;
            }
            write!(f, "{}!", frame.module_name().unwrap_or("<unknown>"))?;
            wasmtime_environ::demangle_function_name_or_index(f, frame.func_name(), frame.func_index as usize)?;
        }
        Ok(())
    }
}
