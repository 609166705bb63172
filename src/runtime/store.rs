//! What a store has besides the embedder's data: its heap, and what the host holds of it.
//!
//! The heap's memory is in the same store as the data, so one can not be borrowed while the other is
//! in use. [`with_heap`] therefore takes the heap's state out for the length of an operation and puts
//! it back whatever happens.

use super::call_profile::Marked;
use super::callbacks::{Callbacks, OfStore};
use super::code::Code;
use super::debug::Debugging;
use super::engine::{Engine, EngineState};
use super::finalize::FinalizerTable;
use super::func_refs::FuncRefs;
use super::held::Below;
use super::hosts::{HostValue, TraceFn};
use super::imports::RuntimeFuncs;
use super::instantiate::{ExportCells, InstanceState};
use super::limits::{ForHeap, Limits};
use super::memory::{HostMemory, read_word};
use super::oom::GcHeapOutOfMemory;
use super::ready::at_once;
use super::roots::StoreRoots;
use super::stand_in::StandIns;
use super::{Error, Result};
use crate::heap::{AllocError, CollectKind, GrowRefused, Heap, HeapMemory, HeapStats};
use crate::layout::rtt::{HOST_SLOT, RTT_OF_HOSTS, RTT_OF_TABLES};
use crate::layout::{GcType, Kind, RttAddr, reference};
use crate::types::TypeId;
use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wasmtime::{AsContext, AsContextMut, Global, Memory, MemoryType, StoreContextMut, Table, Trap};

/// The data of the inner store: the embedder's, and the heap's.
pub struct StoreData<T> {
    pub(crate) user: T,
    pub(crate) gc: GcStore,
    /// The engine, as the embedder knows it.
    pub(crate) engine: Engine,
    /// Host functions whose signature holds lowered references, as the API made them.
    pub(crate) host_funcs: Vec<Arc<dyn Any + Send + Sync>>,
    /// The engine's functions for those that were called from the host, by index.
    pub(crate) host_natives: HashMap<usize, wasmtime::Func>,
    /// Where a function of the engine shows whether it is of this store.
    pub(crate) func_global: Option<wasmtime::Global>,
    /// Who decides whether memories, tables and the heap may grow.
    pub(crate) limits: Limits<T>,
    /// When an epoch's deadline has come a call waits for its turn, and nothing else happens.
    pub(crate) epoch_yields: bool,
    /// Calls wait for their turn whenever so much fuel is used.
    pub(crate) yields_fuel: bool,
    /// Nothing of an original module is running.
    pub(crate) unmetered: bool,
    /// Closures over the store itself: see [`StoreData::callbacks`].
    pub(super) closures: Box<dyn OfStore<T>>,
}

/// Adds a core dump, which the engine made, to an error.
pub type OnCoreDump<T> = fn(&StoreContextMut<'_, StoreData<T>>, Error, wasmtime::WasmCoreDump) -> Error;

/// So that libraries that are told how to get from a store's data to theirs are told the same as with Wasmtime.
impl<T> std::ops::Deref for StoreData<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.user
    }
}

impl<T> std::ops::DerefMut for StoreData<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.user
    }
}

impl<T: 'static> StoreData<T> {
    pub(crate) fn new(engine: Engine, user: T, on_core_dump: OnCoreDump<T>) -> StoreData<T> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let gc = GcStore {
            engine: engine.state.clone(),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            place: None,
            entries: Entries::Counted(0),
            state: None,
            instances: Vec::new(),
            export_cells: Vec::new(),
            failed: Vec::new(),
            stand_ins: StandIns::default(),
            tags: Vec::new(),
            rtt_globals: HashMap::new(),
            finalize: false,
            awaited: None,
            marked_call: None,
            func_refs: FuncRefs::default(),
            debug: Debugging::default(),
            below: Below::default(),
        };
        let callbacks = Callbacks {
            finalizers: FinalizerTable::default(),
            on_epoch: None,
            on_core_dump,
            start_async: None,
            #[cfg(feature = "call-hook")]
            hook: None,
        };
        StoreData {
            user,
            gc,
            engine,
            host_funcs: Vec::new(),
            host_natives: HashMap::new(),
            func_global: None,
            limits: Limits::none(),
            epoch_yields: false,
            yields_fuel: false,
            unmetered: false,
            closures: Box::new(callbacks),
        }
    }
}

impl<T> StoreData<T> {
    /// The embedder's data.
    pub fn data(&self) -> &T {
        &self.user
    }

    /// The embedder's data, to change.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.user
    }
}

/// The heap's part of a store.
pub struct GcStore {
    /// The engine.
    pub engine: Arc<EngineState>,
    /// Tells stores apart.
    pub id: u64,
    /// Where the heap is, once there is one.
    pub place: Option<HeapPlace>,
    /// How many calls into WebAssembly have not come back.
    pub entries: Entries,
    state: Option<Box<GcState>>,
    /// All instances made through the API.
    pub instances: Vec<Arc<InstanceState>>,
    /// What instances export that the engine does not know, by their number.
    pub export_cells: Vec<Arc<ExportCells>>,
    /// The code of instantiations that failed.
    failed: Vec<Arc<Code>>,
    /// What host functions that throw return.
    pub stand_ins: StandIns,
    /// All tags, by identity: the canonical types of their signatures.
    tags: Vec<TypeId>,
    /// For relocatable code: address and id of the records of types, by canonical id.
    pub rtt_globals: HashMap<TypeId, (Global, Global)>,
    /// Finalizers are to run at the next safe point.
    pub finalize: bool,
    /// The size that the heap's memory did not get because the limiter has to wait.
    pub awaited: Option<u64>,
    /// The call that a profile is told of.
    pub marked_call: Marked,
    /// What lowered code has asked about functions.
    pub func_refs: FuncRefs,
    /// What has to do with debugging of guests.
    pub debug: Debugging,
    /// What is below the pointer of the shadow stack.
    pub below: Below,
}

/// What is known of calls into WebAssembly that have not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entries {
    /// There are so many.
    Counted(u32),
    /// The embedder had the engine's own store, by which it may call too.
    Unknown,
}

/// The entities of the engine that a heap consists of.
#[derive(Clone, Copy)]
pub struct HeapPlace {
    /// The memory.
    pub memory: Memory,
    /// The table of functions that have handles.
    pub functions: Table,
    /// The imports that the runtime answers.
    pub funcs: RuntimeFuncs,
}

/// A heap, and what refers to it from outside.
pub struct GcState {
    /// The collector.
    pub heap: Heap,
    /// References of the host.
    pub roots: StoreRoots,
    /// How many entries of the function table are in use.
    pub handles_used: u32,
    /// The record of the arrays that hold tables' elements.
    pub table_rtt: RttAddr,
    /// The largest size of tables in the heap that have one, by the address of their cells.
    pub table_max: HashMap<u32, u64>,
    /// Those of them that have no elements yet, but may have their first.
    pub table_granted: HashSet<u32>,
}

/// Takes the heap's state out of its store, and puts it back.
struct Taken<'a, T: 'static> {
    cx: StoreContextMut<'a, StoreData<T>>,
    state: Option<Box<GcState>>,
}

impl<T: 'static> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let gc = &mut self.cx.data_mut().gc;
        gc.finalize |= self.state.as_ref().is_some_and(|state| state.heap.told_finalization().is_some());
        gc.state = self.state.take();
    }
}

/// Runs an operation on the heap, which must exist.
pub fn with_heap<T: 'static, R>(
    mut cx: impl AsContextMut<Data = StoreData<T>>,
    run: impl FnOnce(&mut GcState, &mut dyn HeapMemory) -> R,
) -> Result<R> {
    let mut cx = cx.as_context_mut();
    let memory = cx.data().gc.place.map(|place| place.memory);
    let state = cx.data_mut().gc.state.take();
    let mut taken = Taken { cx, state };
    let (Some(memory), Some(state)) = (memory, &mut taken.state) else {
        return Err(Error::new(crate::fault::Error::bug("the heap is in use or does not exist")));
    };
    let mut mem = HostMemory::new(memory, taken.cx.as_context_mut());
    let result = run(state, &mut mem);
    let (awaited, panicked) = (mem.awaited, mem.panicked.take());
    let gc = &mut taken.cx.data_mut().gc;
    gc.awaited = awaited.or(gc.awaited);
    let dead = state.roots.hosts.take_dead();
    drop(taken);
    drop(dead);
    go_on(panicked);
    Ok(result)
}

/// Goes on with a panic of the limiter, once the heap is back in its place.
fn go_on(panicked: Option<Box<dyn Any + Send>>) {
    if let Some(panic) = panicked {
        std::panic::resume_unwind(panic);
    }
}

/// Makes the store's heap if it has none.
pub fn ensure_heap<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>) -> Result<HeapPlace> {
    let mut cx = cx.as_context_mut();
    if let Some(place) = cx.data().gc.place {
        return Ok(place);
    }
    let engine = cx.data().gc.engine.clone();
    // The store may be one for asynchronous calls only. The module has no start function to wait for, and the limiter that
    // is asked does not wait.
    let room = at_once(room(ForHeap::new(&mut cx).0, &engine));
    let room = room.unwrap_or_else(|| Err(Error::new(crate::fault::Error::bug("the GC heap has to be waited for"))))?;
    heap_in(cx, room)
}

/// A memory and a table for a heap: those of an instance of a module, as the engine would give to any, or of the host where
/// nothing can be compiled.
async fn room<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, engine: &EngineState) -> Result<(Memory, Table)> {
    let Some(module) = engine.heap_module()? else {
        let memory = Memory::new_async(&mut *cx, MemoryType::new(1, Some(65536))).await?;
        let functions = wasmtime::TableType::new(wasmtime::RefType::FUNCREF, 0, None);
        return Ok((memory, Table::new_async(&mut *cx, functions, wasmtime::Ref::Func(None)).await?));
    };
    let instance = wasmtime::Instance::new_async(&mut *cx, module, &[]).await?;
    let missing = || Error::new(crate::fault::Error::bug("the heap module lacks an export"));
    let memory = instance.get_memory(&mut *cx, "heap").ok_or_else(missing)?;
    Ok((memory, instance.get_table(&mut *cx, "functions").ok_or_else(missing)?))
}

/// Makes the heap in its memory.
fn heap_in<T: 'static>(
    mut cx: StoreContextMut<'_, StoreData<T>>,
    (memory, functions): (Memory, Table),
) -> Result<HeapPlace> {
    let engine = cx.data().gc.engine.clone();
    let types = engine.gc_types.since(0);
    let rtt_end = engine.gc_types.end();
    cx.data_mut().heap_is_fixed(engine.map.space_start(rtt_end).into());
    let mut mem = HostMemory::new(memory, cx.as_context_mut());
    let heap = Heap::new(&mut mem, engine.map, &types, rtt_end, engine.options.heap.clone());
    // It has asked for the fixed part only, of which no limiter is told.
    let heap = heap.map_err(alloc_error)?;
    let state = GcState {
        heap,
        roots: StoreRoots::of_store(cx.data().gc.id),
        handles_used: 0,
        table_rtt: engine.gc_types.builtin(RTT_OF_TABLES).rtt,
        table_max: HashMap::new(),
        table_granted: HashSet::new(),
    };
    let place = HeapPlace { memory, functions, funcs: RuntimeFuncs::default() };
    let gc = &mut cx.data_mut().gc;
    gc.state = Some(Box::new(state));
    gc.place = Some(place);
    Ok(place)
}

/// The error that an allocation fails with: a trap that the host can catch.
#[cold]
pub fn alloc_error(err: AllocError) -> Error {
    match err {
        // More than a memory has addresses.
        AllocError::TooLarge { requested, .. } if u32::try_from(requested).is_err() => {
            Error::from(Trap::AllocationTooLarge)
        }
        AllocError::Full { requested, .. } | AllocError::TooLarge { requested, .. } => {
            let trap = Error::from(Trap::AllocationTooLarge).context(err.to_string());
            trap.context(GcHeapOutOfMemory::new((), requested))
        }
        AllocError::UnknownType { .. } | AllocError::Corrupt(_) => {
            Error::new(crate::fault::Error::bug(err.to_string()))
        }
        AllocError::Types(err) => Error::new(err),
    }
}

impl GcState {
    /// Teaches the heap a type, and those before.
    ///
    /// # Errors
    ///
    /// When there is no room for it.
    pub fn sync_type(&mut self, engine: &EngineState, mem: &mut dyn HeapMemory, index: u32) -> Result<()> {
        if (index as usize) < self.heap.known_types() {
            return Ok(());
        }
        self.sync_types(engine, mem, || Some(index))
    }

    /// Teaches the heap the types that were registered since it last asked. Those that this store does not use may be too
    /// many for it.
    ///
    /// # Errors
    ///
    /// When there is no room for a type up to the `last` that is needed, which is only asked then.
    pub fn sync_types(
        &mut self,
        engine: &EngineState,
        mem: &mut dyn HeapMemory,
        last: impl FnOnce() -> Option<u32>,
    ) -> Result<()> {
        let new = engine.gc_types.since(self.heap.known_types());
        let Err(full) = self.heap.sync_types(mem, &new) else { return Ok(()) };
        match last() {
            Some(last) if last as usize >= self.heap.known_types() => Err(full.into()),
            _ => Ok(()),
        }
    }

    /// A reference to a new host value, which is asked for when there is room for it.
    pub fn new_host(
        &mut self,
        engine: &EngineState,
        mem: &mut dyn HeapMemory,
        trace: Option<TraceFn>,
        value: &mut dyn FnMut() -> Option<HostValue>,
    ) -> Result<u32> {
        let ty = engine.gc_types.builtin(RTT_OF_HOSTS);
        let object = self.heap.alloc_object(mem, &mut self.roots, &ty).map_err(alloc_error)?;
        let value = value().ok_or_else(|| Error::new(crate::fault::Error::bug("a host value was given away")))?;
        // Before the object's first collection: what is adopted must have an owner.
        if let Some(trace) = trace {
            self.roots.members.adopt(|tracer| trace(&*value, tracer));
        }
        let slot = self.roots.hosts.insert(value, trace);
        let at = reference::header(object) + HOST_SLOT;
        super::memory::write_word(mem.bytes_mut(), at, slot)
            .ok_or_else(|| Error::new(crate::fault::Error::bug("a new object is out of bounds")))?;
        Ok(object)
    }

    /// The type of the object that a reference refers to.
    pub fn type_in(&self, bytes: &[u8], word: u32) -> Option<Arc<GcType>> {
        self.heap.type_of(&Bytes(bytes), word)
    }

    /// What an RTT is of: how many RTTs are above it, and its type. `None` for any other reference.
    pub fn rtt_in(&self, engine: &EngineState, bytes: &[u8], word: u32) -> Option<(u32, Arc<GcType>)> {
        use crate::layout::rtt::{RTT_DEPTH, RTT_TYPE_ID};
        self.type_in(bytes, word).filter(|ty| ty.kind == Kind::Rtt)?;
        let index = self.heap.read_u32(&Bytes(bytes), word, RTT_TYPE_ID);
        Some((self.heap.read_u32(&Bytes(bytes), word, RTT_DEPTH), engine.gc_types.at(index)?))
    }

    /// The slot of the host value that a reference refers to.
    pub fn host_slot_in(&self, bytes: &[u8], word: u32) -> Option<u32> {
        let ty = self.type_in(bytes, word)?;
        (ty.kind == Kind::Host).then(|| self.heap.read_u32(&Bytes(bytes), word, HOST_SLOT))
    }
}

/// The heap's memory, only to be read.
struct Bytes<'a>(&'a [u8]);

impl HeapMemory for Bytes<'_> {
    fn bytes(&self) -> &[u8] {
        self.0
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut []
    }

    fn grow_to(&mut self, _: u64) -> Result<(), GrowRefused> {
        Err(GrowRefused)
    }
}

impl GcStore {
    /// Makes new tags; the identity of the first, the others follow.
    pub fn add_tags(&mut self, types: &[TypeId]) -> u32 {
        let first = self.tags.len() as u32;
        self.tags.extend_from_slice(types);
        first
    }

    /// Whether there is any tag.
    #[inline]
    pub fn has_tags(&self) -> bool {
        !self.tags.is_empty()
    }

    /// The type of a tag's signature.
    pub fn tag_type(&self, identity: u32) -> Option<TypeId> {
        self.tags.get(identity as usize).copied()
    }

    /// What the host holds, unless the heap is in use.
    pub fn roots(&mut self) -> Option<&mut StoreRoots> {
        self.state.as_mut().map(|state| &mut state.roots)
    }

    /// Keeps code for as long as the store lives.
    pub fn keep(&mut self, code: &Arc<Code>) {
        if !self.failed.iter().any(|kept| Arc::ptr_eq(kept, code)) {
            self.failed.push(code.clone());
        }
    }

    /// Whether an exception is pending in the host.
    pub fn has_pending(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.roots.pending.is_some())
    }

    /// The heap's state, unless it is in use.
    pub fn state(&self) -> Option<&GcState> {
        self.state.as_deref()
    }

    /// The heap's state, to change, unless it is in use.
    pub fn state_mut(&mut self) -> Option<&mut GcState> {
        self.state.as_deref_mut()
    }

    /// The heap's totals; zeroes if there is no heap yet.
    pub fn stats(&self) -> HeapStats {
        self.state.as_ref().map(|state| state.heap.stats().clone()).unwrap_or_default()
    }
}

/// Collects all garbage, if there is a heap. Then finalizers run, unless WebAssembly is on the stack.
pub fn collect<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>) -> Result<()> {
    if cx.as_context().data().gc.place.is_none() {
        return Ok(());
    }
    let mut cx = cx.as_context_mut();
    with_heap(&mut cx, |state, mem| state.heap.collect(mem, &mut state.roots, CollectKind::Major))?
        .map_err(alloc_error)?;
    super::finalize::safe_point(&mut cx);
    Ok(())
}

/// The word at an address of the heap.
pub fn heap_word<T: 'static>(cx: impl AsContext<Data = StoreData<T>>, at: u32) -> Option<u32> {
    let memory = cx.as_context().data().gc.place?.memory;
    read_word(memory.data(&cx), at)
}
