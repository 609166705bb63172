//! Frames of guests, in terms of the original modules.

use crate::api::externals::{Extern, Global, Table, Tag};
use crate::api::store::{AsContextMut, Store, StoreContextMut};
use crate::api::values::Val;
use crate::api::{Caller, Error, Func, Instance, Memory, Module, ModulePC, Result, SharedMemory};
use crate::ir::VarKind;
use crate::runtime::debug::{Indexed, Noted, Original, Seen, exit_frames as innermost_frames, seen, visible};
use crate::types as t;
use wasmtime as w;
use wasmtime_environ::DefinedFuncIndex;

/// A frame of a guest, valid as long as nothing runs in its store.
///
/// What it tells is of the original module: the function, the offset, locals and operands. A reference is good after a
/// collection too, and one that was given out is rooted as any other.
///
/// ```
/// use wasmtime_gc::api::{Caller, Config, Engine, Func, Instance, Module, Store, Val};
///
/// # fn main() -> wasmtime_gc::api::Result<()> {
/// let mut config = Config::new();
/// config.guest_debug(true);
/// let engine = Engine::new(&config)?;
/// let module = Module::new(
///     &engine,
///     r#"(module
///         (type $box (struct (field i32)))
///         (import "" "look" (func $look))
///         (func (export "run") (param i32) (local $own (ref null $box))
///             (local.set $own (struct.new $box (i32.const 7)))
///             (call $look)))"#,
/// )?;
/// let mut store = Store::new(&engine, 0);
/// let look = Func::wrap(&mut store, |mut caller: Caller<'_, i32>| -> wasmtime_gc::Result<()> {
///     caller.as_context_mut().gc(None)?;
///     let frame = caller.debug_exit_frames().next().unwrap();
///     assert_eq!(frame.num_locals(&mut caller)?, 2);
///     assert_eq!(frame.local(&mut caller, 0)?.unwrap_i32(), 5);
///     let Val::AnyRef(Some(own)) = frame.local(&mut caller, 1)? else { panic!("a struct") };
///     let field = own.unwrap_struct(&caller)?.field(&mut caller, 0)?;
///     *caller.data_mut() = field.unwrap_i32();
///     Ok(())
/// });
/// # use wasmtime_gc::api::AsContextMut;
/// let instance = Instance::new(&mut store, &module, &[look.into()])?;
/// instance.get_typed_func::<i32, ()>(&mut store, "run")?.call(&mut store, 5)?;
/// assert_eq!(*store.data(), 7);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FrameHandle {
    inner: w::FrameHandle,
    /// How many calls had failed when it was made.
    unwound: u64,
}

/// Frames below which is the host.
fn exit_frames<T: 'static>(cx: &mut StoreContextMut<'_, T>) -> std::vec::IntoIter<FrameHandle> {
    let frames = innermost_frames(&mut cx.inner);
    let visible = frames.into_iter().filter_map(|frame| visible(&mut cx.inner, frame).ok().flatten());
    let visible: Vec<w::FrameHandle> = visible.collect();
    let unwound = cx.inner.data().gc.debug.unwound;
    visible.into_iter().map(|inner| FrameHandle { inner, unwound }).collect::<Vec<_>>().into_iter()
}

impl<T: 'static> Store<T> {
    /// The innermost frame of each run of frames between the host and the host, the latest first; none in an engine
    /// that is not for debugging of guests.
    pub fn debug_exit_frames(&mut self) -> impl Iterator<Item = FrameHandle> {
        exit_frames(&mut self.as_context_mut())
    }
}

impl<T: 'static> StoreContextMut<'_, T> {
    /// See [`Store::debug_exit_frames`].
    pub fn debug_exit_frames(&mut self) -> impl Iterator<Item = FrameHandle> {
        exit_frames(self)
    }
}

impl<T: 'static> Caller<'_, T> {
    /// See [`Store::debug_exit_frames`].
    pub fn debug_exit_frames(&mut self) -> impl Iterator<Item = FrameHandle> {
        exit_frames(&mut self.as_context_mut())
    }
}

#[cold]
fn invisible() -> Error {
    Error::new(crate::fault::Error::bug("a frame that no debugger should see"))
}

impl FrameHandle {
    /// Whether the frame is still there. The engine does not take it for gone when its call has failed.
    fn is_there<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>) -> bool {
        self.inner.is_valid(&mut cx.inner) && cx.inner.data().gc.debug.unwound == self.unwound
    }

    fn check<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>) -> Result<()> {
        match self.is_there(cx) {
            true => Ok(()),
            false => Err(Error::msg("Frame handle is no longer valid.")),
        }
    }

    fn seen<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>) -> Result<Seen> {
        self.check(cx)?;
        seen(&mut cx.inner, &self.inner)
    }

    /// Whether the frame is still there, and is of this store.
    pub fn is_valid(&self, mut store: impl AsContextMut) -> bool {
        self.is_there(&mut store.as_context_mut())
    }

    /// The frame of the caller; `None` if that is the host.
    ///
    /// # Errors
    ///
    /// When something has run since.
    pub fn parent(&self, mut store: impl AsContextMut) -> Result<Option<FrameHandle>> {
        let cx = &mut store.as_context_mut();
        self.check(cx)?;
        let Some(parent) = self.inner.parent(&mut cx.inner)? else { return Ok(None) };
        Ok(visible(&mut cx.inner, parent)?.map(|inner| FrameHandle { inner, unwound: self.unwound }))
    }

    /// The instance whose function it is.
    ///
    /// # Errors
    ///
    /// When something has run since, or the instance is not there yet: its start function runs.
    pub fn instance(&self, mut store: impl AsContextMut) -> Result<Instance> {
        let cx = &mut store.as_context_mut();
        self.check(cx)?;
        let inner = self.inner.instance(&mut cx.inner)?;
        let gc = &cx.inner.data().gc;
        let found = gc.instances.iter().position(|instance| instance.wasmtime == inner);
        let early =
            || Error::msg("the instance is not there yet: its start function runs; `FrameHandle::module` is known");
        Ok(Instance::numbered(gc.id, found.ok_or_else(early)?))
    }

    /// The module whose function it is.
    ///
    /// # Errors
    ///
    /// When something has run since.
    pub fn module<'a, T: 'static>(&self, store: impl Into<StoreContextMut<'a, T>>) -> Result<Option<&'a Module>> {
        let mut cx = store.into();
        let code = match self.seen(&mut cx)? {
            Seen::Hidden => return Ok(None),
            Seen::Same(code) | Seen::Original(Original { code, .. }) => code,
        };
        Ok(w::StoreContext::from(cx.inner).data().gc.debug.module_of(&code))
    }

    /// Which of the functions that the module defines it is, and where in the module it is: the offset of the operator
    /// that is next or has trapped, or of the one behind a call that is under way.
    ///
    /// # Errors
    ///
    /// When something has run since.
    pub fn wasm_function_index_and_pc(
        &self,
        mut store: impl AsContextMut,
    ) -> Result<Option<(DefinedFuncIndex, ModulePC)>> {
        let cx = &mut store.as_context_mut();
        match self.seen(cx)? {
            Seen::Hidden => Ok(None),
            Seen::Same(_) => self.inner.wasm_function_index_and_pc(&mut cx.inner),
            Seen::Original(original) => {
                Ok(Some((DefinedFuncIndex::from_u32(original.func), ModulePC::new(original.pc()?))))
            }
        }
    }

    /// How many locals it has, parameters included.
    ///
    /// # Errors
    ///
    /// When something has run since.
    pub fn num_locals(&self, mut store: impl AsContextMut) -> Result<u32> {
        let cx = &mut store.as_context_mut();
        match self.seen(cx)? {
            Seen::Original(original) => Ok(original.locals()?.len() as u32),
            _ => self.inner.num_locals(&mut cx.inner),
        }
    }

    /// How many operands are on its stack.
    ///
    /// # Errors
    ///
    /// When something has run since.
    pub fn num_stacks(&self, mut store: impl AsContextMut) -> Result<u32> {
        let cx = &mut store.as_context_mut();
        match self.seen(cx)? {
            Seen::Original(original) => Ok(original.operands()?.len() as u32),
            _ => self.inner.num_stacks(&mut cx.inner),
        }
    }

    /// The value of a local.
    ///
    /// # Errors
    ///
    /// When something has run since.
    ///
    /// # Panics
    ///
    /// When there are not so many locals.
    pub fn local(&self, mut store: impl AsContextMut, index: u32) -> Result<Val> {
        let cx = &mut store.as_context_mut();
        match self.seen(cx)? {
            Seen::Original(original) => {
                let noted = original.local(&mut cx.inner, &self.inner, index)?;
                value(cx, noted)
            }
            _ => {
                let value = self.inner.local(&mut cx.inner, index)?;
                same(cx, &value)
            }
        }
    }

    /// The value of an operand; 0 is the one at the bottom of the stack.
    ///
    /// # Errors
    ///
    /// When something has run since.
    ///
    /// # Panics
    ///
    /// When there are not so many operands.
    pub fn stack(&self, mut store: impl AsContextMut, index: u32) -> Result<Val> {
        let cx = &mut store.as_context_mut();
        match self.seen(cx)? {
            Seen::Original(original) => {
                let var = original.operands()?[index as usize];
                let noted = original.value(&mut cx.inner, &self.inner, var)?;
                value(cx, noted)
            }
            _ => {
                let value = self.inner.stack(&mut cx.inner, index)?;
                same(cx, &value)
            }
        }
    }
}

/// What was noted, as the embedder is to see it.
fn value<T: 'static>(cx: &mut StoreContextMut<'_, T>, noted: Noted) -> Result<Val> {
    let heap = match noted {
        Noted::Value(value) => return same(cx, &value),
        Noted::Word(_, VarKind::Any) => t::HeapType::Any,
        Noted::Word(_, VarKind::Extern) => t::HeapType::Extern,
        Noted::Word(_, VarKind::Exn) => t::HeapType::Exn,
        Noted::Word(..) => return Err(invisible()),
    };
    let Noted::Word(word, _) = noted else { return Err(invisible()) };
    Val::of_word(cx, word, t::RefType::new(true, heap))
}

/// A value that is the same in the lowered module.
fn same<T: 'static>(cx: &mut StoreContextMut<'_, T>, value: &w::Val) -> Result<Val> {
    Val::lift(cx, value, t::ValType::I32)
}

impl Instance {
    fn indexed(&self, mut store: impl AsContextMut, at: Indexed) -> Option<Extern> {
        let cx = &mut store.as_context_mut();
        if !cx.engine().get_guest_debug() {
            return None;
        }
        let state = self.state(cx)?;
        let found = state.indexed(&mut cx.inner, at)?;
        Extern::of_export(cx.inner.data().gc.id, found)
    }

    /// The function at an index, exported or not; `None` if there is none, or in an engine that is not for debugging
    /// of guests.
    pub fn debug_function(&self, store: impl AsContextMut, function_index: u32) -> Option<Func> {
        self.indexed(store, Indexed::Func(function_index))?.into_func()
    }

    /// The global at an index. See [`Instance::debug_function`].
    pub fn debug_global(&self, store: impl AsContextMut, global_index: u32) -> Option<Global> {
        self.indexed(store, Indexed::Global(global_index))?.into_global()
    }

    /// The table at an index. See [`Instance::debug_function`].
    pub fn debug_table(&self, store: impl AsContextMut, table_index: u32) -> Option<Table> {
        self.indexed(store, Indexed::Table(table_index))?.into_table()
    }

    /// The memory at an index, unless it is shared. See [`Instance::debug_function`].
    pub fn debug_memory(&self, store: impl AsContextMut, memory_index: u32) -> Option<Memory> {
        self.indexed(store, Indexed::Memory(memory_index))?.into_memory()
    }

    /// The shared memory at an index. See [`Instance::debug_function`].
    pub fn debug_shared_memory(&self, store: impl AsContextMut, memory_index: u32) -> Option<SharedMemory> {
        self.indexed(store, Indexed::SharedMemory(memory_index))?.into_shared_memory()
    }

    /// The tag at an index. See [`Instance::debug_function`].
    pub fn debug_tag(&self, store: impl AsContextMut, tag_index: u32) -> Option<Tag> {
        self.indexed(store, Indexed::Tag(tag_index))?.into_tag()
    }
}
