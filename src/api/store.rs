//! Stores and the ways to borrow one.

mod async_;
mod component;
#[cfg(feature = "call-hook")]
mod hooks;
#[cfg(feature = "wasi")]
mod wasi;
#[cfg(feature = "call-hook")]
pub use hooks::CallHookHandler;

use super::coredump::WasmCoreDump;
use super::gc::GcRefImpl;
use super::{
    Engine, Error, ExnRef, GcHeapOutOfMemory, ResourceLimiter, Result, Rooted, ThrownException, UpdateDeadline,
};
use crate::heap::HeapStats;
use crate::runtime::limits::{self, Limiter};
use crate::runtime::metering::at_deadline;
use crate::runtime::store::{Entries, StoreData, collect};
use wasmtime as w;

/// A store: instances, their functions, memories and objects, and the embedder's data.
pub struct Store<T: 'static> {
    pub(crate) inner: w::Store<StoreData<T>>,
}

/// A borrowed store.
pub struct StoreContext<'a, T: 'static> {
    pub(crate) inner: w::StoreContext<'a, StoreData<T>>,
}

/// A mutably borrowed store.
pub struct StoreContextMut<'a, T: 'static> {
    pub(crate) inner: w::StoreContextMut<'a, StoreData<T>>,
}

/// What a store can be borrowed from.
pub trait AsContext {
    /// The embedder's data.
    type Data: 'static;
    /// The store.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// What a store can be borrowed from mutably.
///
/// ```
/// use wasmtime_gc::{AsContextMut, Store};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// /// Works with stores, callers, and what is borrowed from either.
/// fn count(mut store: impl AsContextMut<Data = u32>) -> u32 {
///     let mut cx = store.as_context_mut();
///     *cx.data_mut() += 1;
///     *cx.data()
/// }
///
/// let mut store = Store::new(&Default::default(), 0);
/// count(&mut store);
/// assert_eq!(count(&mut store.as_context_mut()), 2);
/// # Ok(())
/// # }
/// ```
pub trait AsContextMut: AsContext {
    /// The store.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

impl<T: 'static> Store<T> {
    /// A store without instances. Its GC heap is made when it is first needed.
    pub fn new(engine: &Engine, data: T) -> Self {
        let data = StoreData::new(engine.clone(), data, WasmCoreDump::add);
        Store::of(w::Store::new(&engine.state().wasmtime, data))
    }

    /// The same as [`Store::new`].
    ///
    /// # Errors
    ///
    /// When the host is out of memory.
    pub fn try_new(engine: &Engine, data: T) -> Result<Self> {
        let data = StoreData::new(engine.clone(), data, WasmCoreDump::add);
        Ok(Store::of(w::Store::try_new(&engine.state().wasmtime, data)?))
    }

    fn of(mut inner: w::Store<StoreData<T>>) -> Self {
        if inner.engine().get_epoch_interruption() {
            inner.epoch_deadline_callback(at_deadline);
        }
        Store { inner }
    }

    /// Bytes of the GC heap's memory, whatever is in them.
    pub fn gc_heap_capacity(&self) -> usize {
        self.as_context().gc_heap_capacity()
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        &self.inner.data().user
    }

    /// The embedder's data, to change.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.inner.data_mut().user
    }

    /// The embedder's data; the store is dropped.
    pub fn into_data(self) -> T {
        self.inner.into_data().user
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.inner.data().engine
    }

    /// Sets who decides whether memories and tables may grow, the GC heap among them: it is told of the room for objects
    /// that live on, and not of the nursery and the shadow stack, which are there from the beginning.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Instance, Module, Store, StoreLimits, StoreLimitsBuilder};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// struct State {
    ///     limits: StoreLimits,
    /// }
    ///
    /// let engine = Engine::default();
    /// let state = State { limits: StoreLimitsBuilder::new().memories(1).memory_size(64 << 10).build() };
    /// let mut store = Store::new(&engine, state);
    /// store.limiter(|state| &mut state.limits);
    /// let module = Module::new(&engine, r#"(module (memory (export "m") 1))"#)?;
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let memory = instance.get_memory(&mut store, "m").unwrap();
    /// assert!(memory.grow(&mut store, 1).is_err(), "a page is all there is");
    /// # Ok(())
    /// # }
    /// ```
    pub fn limiter(&mut self, limiter: impl (FnMut(&mut T) -> &mut dyn ResourceLimiter) + Send + Sync + 'static) {
        limits::set(&mut self.inner, Limiter::Sync(Box::new(limiter)));
    }

    /// Sets who is told when calls enter and leave WebAssembly and the host, once for each. Its error is that of the
    /// call.
    #[cfg(feature = "call-hook")]
    pub fn call_hook(
        &mut self,
        mut hook: impl FnMut(StoreContextMut<'_, T>, super::CallHook) -> Result<()> + Send + Sync + 'static,
    ) {
        self.inner.data_mut().callbacks_mut().hook =
            Some(Box::new(move |inner, of| hook(StoreContextMut { inner }, of)));
    }

    /// Fuel that is left.
    ///
    /// # Errors
    ///
    /// When fuel is not switched on.
    pub fn get_fuel(&self) -> Result<u64> {
        self.inner.get_fuel()
    }

    /// Sets the fuel.
    ///
    /// # Errors
    ///
    /// When fuel is not switched on.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.inner.set_fuel(fuel)
    }

    /// Sets the epoch at which code is interrupted, relative to the present one.
    pub fn set_epoch_deadline(&mut self, ticks_beyond_current: u64) {
        self.inner.set_epoch_deadline(ticks_beyond_current);
    }

    /// Makes code trap when its epoch has come. This is the default.
    pub fn epoch_deadline_trap(&mut self) {
        self.as_context_mut().epoch_deadline_trap();
    }

    /// Sets what happens when an epoch has come.
    pub fn epoch_deadline_callback(
        &mut self,
        mut callback: impl FnMut(StoreContextMut<'_, T>) -> Result<UpdateDeadline> + Send + Sync + 'static,
    ) {
        let data = self.inner.data_mut();
        data.callbacks_mut().on_epoch = Some(Box::new(move |inner| callback(StoreContextMut { inner })));
        data.epoch_yields = false;
        self.inner.epoch_deadline_callback(at_deadline);
    }

    /// Collects all garbage. Host values that no reference reaches any more are dropped.
    ///
    /// # Errors
    ///
    /// When the heap is corrupt, which is a bug, or found so by [`Config::gc_verify`].
    ///
    /// [`Config::gc_verify`]: super::Config::gc_verify
    pub fn gc(&mut self, _why: Option<&GcHeapOutOfMemory<()>>) -> Result<()> {
        collect(&mut self.inner)
    }

    /// What the heap has done so far.
    pub fn heap_stats(&self) -> HeapStats {
        self.inner.data().gc.stats()
    }

    /// Makes an exception pending and gives the error that throws it: a host function that returns
    /// this error throws in its caller.
    ///
    /// An exception that nobody catches is pending again when the outermost call has failed with
    /// [`ThrownException`]. Whatever was pending before is forgotten.
    ///
    /// # Errors
    ///
    /// Always: [`ThrownException`], or another when the handle's scope has ended or the store is another.
    pub fn throw<R>(&mut self, exception: Rooted<ExnRef>) -> Result<R> {
        self.as_context_mut().throw(exception)
    }

    /// The exception that is pending; it no longer is.
    pub fn take_pending_exception(&mut self) -> Option<Rooted<ExnRef>> {
        self.as_context_mut().take_pending_exception()
    }

    /// Whether an exception is pending: one that left WebAssembly, or that the host is about to throw.
    pub fn has_pending_exception(&self) -> bool {
        self.inner.data().gc.has_pending()
    }

    /// The store that runs lowered modules.
    pub fn wasmtime_mut(&mut self) -> &mut w::Store<StoreData<T>> {
        self.inner.data_mut().gc.entries = Entries::Unknown;
        &mut self.inner
    }
}

impl<T: Default> Default for Store<T> {
    fn default() -> Store<T> {
        Store::new(&Engine::default(), T::default())
    }
}

impl<T> std::fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("id", &self.inner.data().gc.id).finish_non_exhaustive()
    }
}

impl<'a, T: 'static> StoreContext<'a, T> {
    /// The embedder's data.
    pub fn data(&self) -> &'a T {
        &self.inner.data().user
    }

    /// The engine.
    pub fn engine(&self) -> &'a Engine {
        &self.inner.data().engine
    }

    /// Fuel that is left.
    ///
    /// # Errors
    ///
    /// When fuel is not switched on.
    pub fn get_fuel(&self) -> Result<u64> {
        self.inner.get_fuel()
    }

    /// Bytes of the GC heap's memory, whatever is in them.
    pub fn gc_heap_capacity(&self) -> usize {
        self.inner.data().gc.place.map_or(0, |place| place.memory.data_size(&self.inner))
    }

    /// What the heap has done so far.
    pub fn heap_stats(&self) -> HeapStats {
        self.inner.data().gc.stats()
    }
}

impl<T: 'static> StoreContextMut<'_, T> {
    /// The embedder's data.
    pub fn data(&self) -> &T {
        &self.inner.data().user
    }

    /// The embedder's data, to change.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.inner.data_mut().user
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.inner.data().engine
    }

    /// Fuel that is left.
    ///
    /// # Errors
    ///
    /// When fuel is not switched on.
    pub fn get_fuel(&self) -> Result<u64> {
        self.inner.get_fuel()
    }

    /// Sets the fuel.
    ///
    /// # Errors
    ///
    /// When fuel is not switched on.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.inner.set_fuel(fuel)
    }

    /// Sets the epoch at which code is interrupted, relative to the present one.
    pub fn set_epoch_deadline(&mut self, ticks_beyond_current: u64) {
        self.inner.set_epoch_deadline(ticks_beyond_current);
    }

    /// Makes code trap when its epoch has come. This is the default.
    pub fn epoch_deadline_trap(&mut self) {
        let data = self.inner.data_mut();
        data.callbacks_mut().on_epoch = None;
        if std::mem::take(&mut data.epoch_yields) {
            self.inner.epoch_deadline_trap();
        }
    }

    /// Collects all garbage. See [`Store::gc`].
    ///
    /// # Errors
    ///
    /// As [`Store::gc`].
    pub fn gc(&mut self, _why: Option<&GcHeapOutOfMemory<()>>) -> Result<()> {
        collect(&mut self.inner)
    }

    /// What the heap has done so far.
    pub fn heap_stats(&self) -> HeapStats {
        self.inner.data().gc.stats()
    }

    /// Makes an exception pending and gives the error that throws it: a host function that returns
    /// this error throws in its caller.
    ///
    /// An exception that nobody catches is pending again when the outermost call has failed with
    /// [`ThrownException`]. Whatever was pending before is forgotten.
    ///
    /// # Errors
    ///
    /// Always: [`ThrownException`], or another when the handle's scope has ended or the store is another.
    pub fn throw<R>(&mut self, exception: Rooted<ExnRef>) -> Result<R> {
        let word = exception.word(&self.as_context())?;
        if let Some(roots) = self.inner.data_mut().gc.roots() {
            roots.pending = Some(word);
        }
        Err(Error::new(ThrownException))
    }

    /// The exception that is pending; it no longer is.
    pub fn take_pending_exception(&mut self) -> Option<Rooted<ExnRef>> {
        let word = self.inner.data_mut().gc.roots()?.pending.take()?;
        Rooted::new(self, word).ok()
    }

    /// Whether an exception is pending: one that left WebAssembly, or that the host is about to throw.
    pub fn has_pending_exception(&self) -> bool {
        self.inner.data().gc.has_pending()
    }
}

impl<T: 'static> AsContext for Store<T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: w::AsContext::as_context(&self.inner) }
    }
}

impl<T: 'static> AsContextMut for Store<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { inner: w::AsContextMut::as_context_mut(&mut self.inner) }
    }
}

impl<T: 'static> AsContext for StoreContext<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: w::AsContext::as_context(&self.inner) }
    }
}

impl<T: 'static> AsContext for StoreContextMut<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: w::AsContext::as_context(&self.inner) }
    }
}

impl<T: 'static> AsContextMut for StoreContextMut<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { inner: w::AsContextMut::as_context_mut(&mut self.inner) }
    }
}

impl<C: AsContext> AsContext for &'_ C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(*self)
    }
}

impl<C: AsContext> AsContext for &'_ mut C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(*self)
    }
}

impl<C: AsContextMut> AsContextMut for &'_ mut C {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        C::as_context_mut(*self)
    }
}

impl<'a, T: 'static> From<StoreContextMut<'a, T>> for StoreContext<'a, T> {
    fn from(cx: StoreContextMut<'a, T>) -> StoreContext<'a, T> {
        StoreContext { inner: cx.inner.into() }
    }
}

impl<'a, C: AsContext> From<&'a C> for StoreContext<'a, C::Data> {
    fn from(cx: &'a C) -> StoreContext<'a, C::Data> {
        cx.as_context()
    }
}

impl<'a, C: AsContext> From<&'a mut C> for StoreContext<'a, C::Data> {
    fn from(cx: &'a mut C) -> StoreContext<'a, C::Data> {
        C::as_context(cx)
    }
}

impl<'a, C: AsContextMut> From<&'a mut C> for StoreContextMut<'a, C::Data> {
    fn from(cx: &'a mut C) -> StoreContextMut<'a, C::Data> {
        cx.as_context_mut()
    }
}
