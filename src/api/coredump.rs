//! Core dumps: what a store's instances looked like when something trapped.
//!
//! What this is not: a dump of the GC heap's objects. The engine's dump, which [`WasmCoreDump::serialize`] writes, has
//! the heap as a memory, and the modules as they were lowered.

use super::store::{AsContextMut, StoreContextMut};
use super::{Error, FrameInfo, Global, Instance, Memory, Module};
use crate::runtime::store::StoreData;
use crate::runtime::trap;
use std::fmt;

/// What a store's instances looked like when a call failed. Errors have it where
/// [`Config::coredump_on_trap`](super::Config::coredump_on_trap) is on.
///
/// Frames, modules and instances are those that the embedder knows. The GC heap is not among the memories, nor are
/// globals of references, which it has.
///
/// ```
/// use wasmtime_gc::{Config, Engine, Instance, Module, Store, WasmCoreDump};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut config = Config::new();
/// config.coredump_on_trap(true);
/// let engine = Engine::new(&config)?;
/// let text = r#"(module
///     (type $box (struct (field i32)))
///     (memory 1)
///     (data (i32.const 40) "!")
///     (func $look (export "look") (param i32) (result i32)
///         (struct.get $box 0 (ref.null $box))))"#;
/// let module = Module::new(&engine, text)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let look = instance.get_typed_func::<i32, i32>(&mut store, "look")?;
/// let err = look.call(&mut store, 1).unwrap_err();
/// let dump = err.downcast_ref::<WasmCoreDump>().unwrap();
/// assert_eq!(dump.frames()[0].func_name(), Some("look"));
/// assert_eq!((dump.modules().len(), dump.instances().len()), (1, 1));
/// assert_eq!(dump.memories()[0].data(&store)[40], b'!');
/// assert!(dump.serialize(&mut store, "look.wasm").starts_with(b"\0asm"));
/// # Ok(())
/// # }
/// ```
pub struct WasmCoreDump {
    native: wasmtime::WasmCoreDump,
    frames: Vec<FrameInfo>,
    modules: Vec<Module>,
    instances: Vec<Instance>,
    memories: Vec<Memory>,
    globals: Vec<Global>,
}

impl WasmCoreDump {
    /// Adds one to an error.
    pub(super) fn add<T: 'static>(
        cx: &wasmtime::StoreContextMut<'_, StoreData<T>>,
        err: Error,
        native: wasmtime::WasmCoreDump,
    ) -> Error {
        let data = cx.data();
        let state = &data.gc.engine;
        let heap = data.gc.place.map(|place| place.memory.debug_index_in_store());
        let code = native.modules().iter().filter_map(|module| state.code_of(module));
        let memories = native.memories().iter().filter(|memory| Some(memory.debug_index_in_store()) != heap);
        let dump = WasmCoreDump {
            frames: trap::map_frames(state, native.frames()),
            modules: code.map(|code| Module { engine: data.engine.clone(), code }).collect(),
            instances: Instance::all(&data.gc),
            memories: memories.map(|&inner| Memory { inner }).collect(),
            globals: native.globals().iter().map(|&global| Global::of_native(global)).collect(),
            native,
        };
        err.context(dump)
    }

    /// The stack frames, the innermost first.
    pub fn frames(&self) -> &[FrameInfo] {
        &self.frames
    }

    /// The modules of which there are instances.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// The instances.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// The globals of numbers and of functions, and those that lowered modules have for themselves.
    pub fn globals(&self) -> &[Global] {
        &self.globals
    }

    /// The memories, without that of the GC heap.
    pub fn memories(&self) -> &[Memory] {
        &self.memories
    }

    /// The dump in the [standard format](https://github.com/WebAssembly/tool-conventions/blob/main/Coredump.md), as the
    /// engine sees it: the heap is a memory, and modules, frames and offsets are lowered ones. `name` is that of the
    /// program.
    pub fn serialize(&self, mut store: impl AsContextMut, name: &str) -> Vec<u8> {
        let StoreContextMut { inner } = store.as_context_mut();
        self.native.serialize(inner, name)
    }
}

impl fmt::Display for WasmCoreDump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "wasm coredump generated while executing store_name:")?;
        writeln!(f, "modules:")?;
        self.modules.iter().try_for_each(|module| writeln!(f, "  {}", module.name().unwrap_or("<module>")))?;
        writeln!(f, "instances:")?;
        self.instances.iter().try_for_each(|instance| writeln!(f, "  {instance:?}"))?;
        writeln!(f, "memories:")?;
        self.memories.iter().try_for_each(|memory| writeln!(f, "  {memory:?}"))?;
        writeln!(f, "globals:")?;
        self.globals.iter().try_for_each(|global| writeln!(f, "  {global:?}"))?;
        writeln!(f, "backtrace:")?;
        write!(f, "{}", crate::runtime::backtrace::WasmBacktrace { frames: self.frames.clone() })
    }
}

impl fmt::Debug for WasmCoreDump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<wasm core dump>")
    }
}
