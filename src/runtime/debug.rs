//! Debugging of guests: from the engine's frames and stops to those of the original modules.
//!
//! The engine debugs lowered modules. A lowered module that was made for debuggers brings a table
//! (`lower/debug.rs`) that says which of its places stand for operators of the original, and where the original's
//! locals and operands are. A module that was left alone is its own original. Whatever else runs, such as functions
//! that lowering adds, no debugger sees.
//!
//! | what the engine reports | what a debugger is told |
//! |---|---|
//! | a stop at a mark before an operator | a breakpoint, if one is there or it goes step by step |
//! | a stop at a mark behind a throw | an exception |
//! | any other stop | nothing |
//! | an epoch that has come | the same, before the next operator: only there every reference is where a collection finds it |
//! | a trap | what it means in the original |
//! | an error of the host | the error as the host function gave it |

use super::code::{Code, Module};
use super::instantiate::Exported;
use super::metering::Unmetered;
use super::store::{StoreData, heap_word};
use super::{Error, Result};
use crate::ir::{MarkKind, VarKind};
use crate::layout::reference::NULL;
use crate::lower::debug::{DebugFunc, DebugMark, DebugTable, DebugVar};
use crate::lower::output::EntityMeta;
use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use wasmtime::{AsContextMut, FrameHandle, ModulePC, StoreContextMut, Trap, Val};

/// What a store knows of debugging, besides what the engine's store does.
#[derive(Default)]
pub struct DebugState {
    /// The debugger goes step by step.
    pub single_step: bool,
    /// An epoch has come that the debugger has not been told of.
    pub epoch: bool,
    /// Breakpoints that were asked for between two operators: by code and offset, where they are in the lowered
    /// module.
    pub redirects: HashMap<(usize, u32), u32>,
    /// Codes whose throws stop.
    armed: HashSet<usize>,
}

/// The part of a store that has to do with debugging.
#[derive(Default)]
pub struct Debugging {
    /// Shared with who edits breakpoints, which takes the whole store.
    pub state: Arc<Mutex<DebugState>>,
    /// The modules that a debugger may know of.
    pub modules: Vec<Module>,
    /// A host function has thrown, and nobody was told yet.
    pub host_threw: bool,
    /// How many calls into WebAssembly have not returned in good order: their frames are gone, and the engine does not
    /// take that for the end of their handles.
    pub unwound: u64,
    /// The engine makes an instance. What it runs then has frames that it can not look at.
    pub making: bool,
}

impl DebugState {
    /// Runs something with a shared state.
    pub fn with<R>(state: &Mutex<DebugState>, run: impl FnOnce(&mut DebugState) -> R) -> R {
        run(&mut state.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

impl Debugging {
    /// Runs something with the state.
    pub fn with<R>(&self, run: impl FnOnce(&mut DebugState) -> R) -> R {
        DebugState::with(&self.state, run)
    }

    /// The module, as the embedder knows it, that code belongs to.
    pub fn module_of(&self, code: &Code) -> Option<&Module> {
        self.modules.iter().find(|module| code.is_of(&module.code))
    }
}

impl Code {
    /// What debuggers see of it, if it was lowered for them.
    pub fn debug(&self) -> Option<&DebugTable> {
        self.lowered.as_ref()?.sites.debug.as_deref()
    }

    /// Tells code of one engine apart.
    pub fn identity(self: &Arc<Code>) -> usize {
        Arc::as_ptr(self) as usize
    }
}

/// Makes a module known to debuggers, in an engine for them.
pub fn register<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, module: Module) {
    let debugging = &mut cx.data_mut().gc.debug;
    if debugging.module_of(&module.code).is_none() {
        debugging.modules.push(module);
    }
}

/// Before a module is instantiated: makes it known, and its throws stop.
pub fn prepare<T: 'static>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    module: &Arc<Code>,
    code: &Arc<Code>,
) -> Result<()> {
    let engine = cx.data().engine.clone();
    register(cx, Module { engine, code: module.clone() });
    let Some(table) = code.debug() else { return Ok(()) };
    let first = cx.data().gc.debug.with(|state| state.armed.insert(code.identity()));
    if !first || table.throws.is_empty() {
        return Ok(());
    }
    // The engine has an editor where it debugs guests, and there is no table elsewhere.
    let Some(mut edit) = cx.as_context_mut().edit_breakpoints() else { return Ok(()) };
    table.throws.iter().try_for_each(|&at| edit.add_breakpoint(&code.wasmtime, ModulePC::new(at)))
}

/// Calls a start function in a store whose data may be sent, as that of a store with a debugger.
pub type StartAsync<T> = for<'a> fn(
    StoreContextMut<'a, StoreData<T>>,
    wasmtime::TypedFunc<(), ()>,
) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// See [`StartAsync`].
pub fn call_start<T: Send + 'static>(
    cx: StoreContextMut<'_, StoreData<T>>,
    start: wasmtime::TypedFunc<(), ()>,
) -> Pin<Box<dyn Future<Output = Result<()>> + Send + '_>> {
    Box::pin(async move { start.call_async(cx, ()).await })
}

/// The start function of a new instance, where the engine has not called it.
fn start_of<T: 'static>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    code: &Code,
    instance: wasmtime::Instance,
) -> Option<wasmtime::Func> {
    let start = code.lowered.as_ref()?.meta.debug.as_ref()?.start?;
    instance.debug_function(&mut *cx, start)
}

/// Calls the start function of a new instance, where the engine has not called it.
///
/// # Errors
///
/// Those of the function.
pub fn start<T: 'static>(free: &mut Unmetered<'_, T>, code: &Code, instance: wasmtime::Instance) -> Result<()> {
    free.made();
    match start_of(&mut free.cx, code, instance) {
        Some(start) => start.call(&mut free.cx, &[], &mut []),
        None => Ok(()),
    }
}

/// The same where it may wait. Without a debugger it is left to the engine after all, and has no frames.
///
/// # Errors
///
/// Those of the function.
pub async fn start_async<T: 'static>(
    free: &mut Unmetered<'_, T>,
    code: &Code,
    instance: wasmtime::Instance,
) -> Result<()> {
    let Some(start) = start_of(&mut free.cx, code, instance) else { return Ok(()) };
    if let Some(call) = free.cx.data().callbacks().start_async {
        free.made();
        let start = start.typed(&free.cx)?;
        return call(free.cx.as_context_mut(), start).await;
    }
    // (module (import "" "" (func)) (start 0))
    const STARTER: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x05\x01\0\0\0\0\x08\x01\0";
    let starter = wasmtime::Module::from_binary(free.cx.engine(), STARTER)?;
    wasmtime::Instance::new_async(&mut free.cx, &starter, &[start.into()]).await.map(drop)
}

/// The innermost frames between the host and the host, as the engine has them.
pub fn exit_frames<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) -> Vec<FrameHandle> {
    match cx.data().gc.debug.making {
        true => Vec::new(),
        false => cx.debug_exit_frames().collect(),
    }
}

fn innermost<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) -> Option<FrameHandle> {
    exit_frames(cx).into_iter().next()
}

/// What a frame of the engine is.
pub enum Seen {
    /// Nothing that debuggers see.
    Hidden,
    /// A frame of a module that was left alone.
    Same(Arc<Code>),
    /// A frame of a lowered module.
    Original(Original),
}

/// A frame of a lowered module.
pub struct Original {
    /// The code.
    pub code: Arc<Code>,
    /// Which of the functions that the original defines it is.
    pub func: u32,
    /// Where it is in the lowered module.
    at: u32,
}

/// Looks at a frame of the engine.
pub fn seen<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, frame: &FrameHandle) -> Result<Seen> {
    let module = frame.module(&mut *cx)?.cloned();
    let Some(code) = module.and_then(|module| cx.data().gc.engine.code_of(&module)) else { return Ok(Seen::Hidden) };
    let Some((func, pc)) = frame.wasm_function_index_and_pc(&mut *cx)? else { return Ok(Seen::Hidden) };
    if code.lowered.is_none() {
        return Ok(Seen::Same(code));
    }
    let known = code.debug().is_some_and(|table| table.funcs.len() > func.as_u32() as usize);
    Ok(if known { Seen::Original(Original { code, func: func.as_u32(), at: pc.raw() }) } else { Seen::Hidden })
}

/// The frame, or the nearest of its callers, that a debugger sees.
pub fn visible<T: 'static>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    frame: FrameHandle,
) -> Result<Option<FrameHandle>> {
    let mut frame = Some(frame);
    while let Some(at) = frame {
        if !matches!(seen(cx, &at)?, Seen::Hidden) {
            return Ok(Some(at));
        }
        frame = at.parent(&mut *cx)?;
    }
    Ok(None)
}

impl Original {
    fn table(&self) -> Result<(&DebugTable, &DebugFunc)> {
        let table = self.code.debug();
        let func = table.and_then(|table| Some((table, table.funcs.get(self.func as usize)?)));
        func.ok_or_else(|| Error::new(crate::fault::Error::bug("a frame of a function that nobody knows")))
    }

    /// The mark that it is at, if it stopped at one; or that it is behind.
    fn mark(&self) -> Result<(bool, Option<DebugMark>)> {
        let mark = self.table()?.1.mark_of(self.at);
        Ok((mark.is_some_and(|mark| mark.at == self.at), mark))
    }

    /// What it stopped for, if it stopped at a mark.
    pub fn stopped(&self) -> Result<Option<MarkKind>> {
        let (at, mark) = self.mark()?;
        Ok(mark.filter(|_| at).map(|mark| mark.kind))
    }

    /// The offset in the original, and how many of the operands before that operator are taken.
    fn place(&self) -> Result<Option<(u32, u32)>> {
        let func = self.table()?.1;
        let (at, Some(mark)) = self.mark()? else { return Ok(None) };
        Ok(Some(match mark.kind {
            MarkKind::Step if at => (mark.pc, 0),
            MarkKind::Thrown if at => (mark.next, mark.taken),
            _ if !at && func.is_return(self.at) => (mark.next, mark.taken),
            _ => (mark.pc, mark.taken),
        }))
    }

    /// The offset in the original: of the operator, or behind it if that is a call under way.
    pub fn pc(&self) -> Result<u32> {
        if let Some((pc, _)) = self.place()? {
            return Ok(pc);
        }
        let start = self.code.lowered.as_ref().and_then(|code| code.sites.func_offsets.get(self.func as usize));
        Ok(start.copied().unwrap_or_default())
    }

    /// The variables of the locals.
    pub fn locals(&self) -> Result<&[DebugVar]> {
        let func = self.table()?.1;
        Ok(func.vars.get(..func.locals as usize).unwrap_or_default())
    }

    /// The variables of the operands, from the bottom.
    pub fn operands(&self) -> Result<Vec<DebugVar>> {
        let func = self.table()?.1;
        let (Some((_, taken)), (_, Some(mark))) = (self.place()?, self.mark()?) else { return Ok(Vec::new()) };
        Ok(func.operands(mark.shape, taken))
    }

    /// The value of a local: what the engine has, or a word of the heap.
    pub fn local<T: 'static>(
        &self,
        cx: &mut StoreContextMut<'_, StoreData<T>>,
        frame: &FrameHandle,
        local: u32,
    ) -> Result<Noted> {
        let var = self.locals()?[local as usize];
        match self.mark()?.1 {
            Some(_) => self.value(cx, frame, var),
            // Before the first operator nothing is noted. A parameter is where it came in; no collection knows it there.
            None if local < self.table()?.1.params && !var.kind.is_moved() => {
                Ok(Noted::Value(frame.local(&mut *cx, local)?))
            }
            None => Ok(initial(var.kind)),
        }
    }

    /// The value of a variable.
    pub fn value<T: 'static>(
        &self,
        cx: &mut StoreContextMut<'_, StoreData<T>>,
        frame: &FrameHandle,
        var: DebugVar,
    ) -> Result<Noted> {
        if !var.kind.is_moved() {
            return Ok(Noted::Value(frame.local(&mut *cx, var.place)?));
        }
        let func = self.table()?.1;
        let missing = || Error::new(crate::fault::Error::bug("a frame without its root slots"));
        let Val::I32(base) = frame.local(&mut *cx, func.frame)? else { return Err(missing()) };
        let offset = 4 * (func.slots.checked_sub(var.place + 1).ok_or_else(missing)?);
        let word = heap_word(&*cx, (base as u32).wrapping_add(offset)).ok_or_else(missing)?;
        Ok(Noted::Word(word, var.kind))
    }

    /// What a trap of the engine means.
    fn meaning(&self, trap: Trap) -> Trap {
        let lowered = self.code.lowered.as_ref();
        lowered.and_then(|lowered| super::trap::meaning_at(lowered, self.at, trap)).unwrap_or(trap)
    }
}

/// A value as it is noted.
pub enum Noted {
    /// A value of the engine.
    Value(Val),
    /// A reference in the heap.
    Word(u32, VarKind),
}

/// What a local holds at first.
fn initial(kind: VarKind) -> Noted {
    Noted::Value(match kind {
        VarKind::I32 => Val::I32(0),
        VarKind::I64 => Val::I64(0),
        VarKind::F32 => Val::F32(0),
        VarKind::F64 => Val::F64(0),
        VarKind::V128 => Val::V128(0u128.into()),
        VarKind::Func => Val::FuncRef(None),
        VarKind::Any | VarKind::Extern | VarKind::Exn => return Noted::Word(NULL, kind),
    })
}

/// Why the engine has stopped.
pub enum Stop {
    /// For nothing that a debugger wants to know.
    Nothing,
    /// Before an operator; whether there is a breakpoint, or the debugger goes step by step.
    Operator(bool),
    /// For an exception that is pending in the heap.
    Exception,
}

/// What a stop of the engine is.
pub fn stop<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) -> Result<Stop> {
    let Some(frame) = innermost(cx) else { return Ok(Stop::Nothing) };
    match seen(cx, &frame)? {
        Seen::Hidden => return Ok(Stop::Nothing),
        Seen::Same(_) => {}
        Seen::Original(original) => match original.stopped()? {
            None => return Ok(Stop::Nothing),
            Some(MarkKind::Step) => {}
            Some(MarkKind::Throw) => return Ok(Stop::Exception),
            Some(MarkKind::Thrown) => {
                let told = std::mem::take(&mut cx.data_mut().gc.debug.host_threw);
                return Ok(if told { Stop::Exception } else { Stop::Nothing });
            }
        },
    }
    Ok(Stop::Operator(is_wanted(cx, &frame)?))
}

/// Whether the debugger has asked for a stop where a frame is. The engine may have stopped for another reason.
fn is_wanted<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, frame: &FrameHandle) -> Result<bool> {
    if cx.data().gc.debug.with(|state| state.single_step) {
        return Ok(true);
    }
    let Some(module) = frame.module(&mut *cx)?.cloned() else { return Ok(false) };
    let Some((_, pc)) = frame.wasm_function_index_and_pc(&mut *cx)? else { return Ok(false) };
    let all = wasmtime::AsContext::as_context(&*cx).breakpoints();
    Ok(all.into_iter().flatten().any(|at| at.pc == pc && wasmtime::Module::same(&at.module, &module)))
}

/// An epoch has come: whether the debugger is to be told at once, because nothing of ours is running.
pub fn epoch<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) -> Result<bool> {
    let Some(frame) = innermost(cx) else { return Ok(true) };
    if matches!(seen(cx, &frame)?, Seen::Same(_)) {
        return Ok(true);
    }
    cx.data().gc.debug.with(|state| state.epoch = true);
    step_as_wanted(cx)?;
    Ok(false)
}

/// Whether an epoch has come that the debugger has not been told of; from now on it has.
pub fn take_epoch<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) -> Result<bool> {
    let epoch = cx.data().gc.debug.with(|state| std::mem::take(&mut state.epoch));
    if epoch {
        step_as_wanted(cx)?;
    }
    Ok(epoch)
}

/// Makes the engine go step by step if the debugger does, or must be told something before the next operator.
fn step_as_wanted<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) -> Result<()> {
    let step = cx.data().gc.debug.with(|state| state.single_step || state.epoch);
    match cx.as_context_mut().edit_breakpoints() {
        Some(mut edit) => edit.single_step(step),
        None => Ok(()),
    }
}

/// What a trap of the engine means where it has just happened.
pub fn trap<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, trap: Trap) -> Trap {
    let Some(frame) = innermost(cx) else { return trap };
    match seen(cx, &frame) {
        Ok(Seen::Original(original)) => original.meaning(trap),
        _ => trap,
    }
}

/// What an instance has at an index of one of its index spaces.
#[derive(Clone, Copy)]
pub enum Indexed {
    /// A function.
    Func(u32),
    /// A global.
    Global(u32),
    /// A table.
    Table(u32),
    /// A memory that is not shared.
    Memory(u32),
    /// A memory that threads share.
    SharedMemory(u32),
    /// A tag.
    Tag(u32),
}

impl super::instantiate::InstanceState {
    /// What the instance has at an index, exported or not; only in an engine for debugging.
    pub fn indexed<T: 'static>(&self, cx: &mut StoreContextMut<'_, StoreData<T>>, at: Indexed) -> Option<Exported> {
        let spaces = self.code.lowered.as_ref().and_then(|lowered| lowered.meta.debug.as_deref());
        let Some(spaces) = spaces else { return self.same(cx, at) };
        let get = |space: &[u32], index: u32| space.get(index as usize).copied();
        let entry = |space: &[(EntityMeta, u32)], index: u32| space.get(index as usize).cloned();
        let (meta, native) = match at {
            Indexed::Func(index) => return self.native(cx, Indexed::Func(get(&spaces.funcs, index)?)),
            Indexed::Memory(index) => return self.native(cx, Indexed::Memory(get(&spaces.memories, index)?)),
            Indexed::SharedMemory(index) => {
                return self.native(cx, Indexed::SharedMemory(get(&spaces.memories, index)?));
            }
            Indexed::Global(index) => {
                let (meta, native) = entry(&spaces.globals, index)?;
                (meta, Indexed::Global(native))
            }
            Indexed::Table(index) => {
                let (meta, native) = entry(&spaces.tables, index)?;
                (meta, Indexed::Table(native))
            }
            Indexed::Tag(index) => (spaces.tags.get(index as usize)?.clone(), at),
        };
        self.in_heap(&meta).unwrap_or_else(|| self.native(cx, native))
    }

    /// The same of a module that was left alone.
    fn same<T: 'static>(&self, cx: &mut StoreContextMut<'_, StoreData<T>>, at: Indexed) -> Option<Exported> {
        let native = self.native(cx, at)?;
        Some(match native {
            Exported::Native(wasmtime::Extern::Func(func)) if self.is_silent() => Exported::Silent(func),
            native => native,
        })
    }

    fn native<T: 'static>(&self, cx: &mut StoreContextMut<'_, StoreData<T>>, at: Indexed) -> Option<Exported> {
        let of = &self.wasmtime;
        Some(Exported::Native(match at {
            Indexed::Func(index) => of.debug_function(cx, index)?.into(),
            Indexed::Global(index) => of.debug_global(cx, index)?.into(),
            Indexed::Table(index) => of.debug_table(cx, index)?.into(),
            Indexed::Memory(index) => of.debug_memory(cx, index)?.into(),
            Indexed::SharedMemory(index) => of.debug_shared_memory(cx, index)?.into(),
            Indexed::Tag(index) => of.debug_tag(cx, index)?.into(),
        }))
    }
}
