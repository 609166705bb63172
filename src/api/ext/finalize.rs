//! Finalizers of guests' objects: what the host does when one has died.
//!
//! Guarantees:
//! 1. A finalizer runs at a *safe point*, never inside a collection: when the outermost call into WebAssembly or
//!    instantiation has returned (or failed), after [`Store::gc`](crate::Store::gc), and in [`run_finalizers`].
//!    It may do whatever the host may: call guests, allocate, collect, register more.
//! 2. It runs at most once for each registration, and only after a collection has found the target dead. When that
//!    is, or whether it is before the store is dropped, is not said.
//! 3. The target is not brought back: a finalizer gets what was *held* for it, which is alive until then. Weak
//!    references to the target are dead before any finalizer runs.
//! 4. Within a registry, and among the functions given to [`finalize`], targets that die in the same collection are
//!    finalized in the order of registration.
//! 5. Finalizers do not nest: what dies while one runs waits until it has returned.
//!
//! Guests whose objects are in linear memory have [`Finalizers`](crate::api::Finalizers) instead, which report numbers;
//! `docs/handles.md` compares them.

use super::weak::handle;
use super::{check_mortal, heap, heap_of};
use crate::api::gc::{AnyRef, GcRef, Rooted};
use crate::api::store::{AsContext, AsContextMut, StoreContextMut};
use crate::api::{Error, Result};
use crate::heap::QueueId;
use crate::layout::reference::NULL;
use crate::runtime::finalize::{self as run, Finalizer};
use std::marker::PhantomData;
use std::sync::Arc;

/// Runs a function when an object has died.
///
/// # Errors
///
/// When the target is an i31, the handle's scope has ended, or the store is another.
pub fn finalize<T: 'static, R: GcRef>(
    mut store: impl AsContextMut<Data = T>,
    target: &Rooted<R>,
    then: impl FnOnce(StoreContextMut<'_, T>) + Send + Sync + 'static,
) -> Result<()> {
    let mut cx = store.as_context_mut();
    let word = target.word(&cx.as_context())?;
    check_mortal(word, "what is finalized")?;
    let state = heap(&mut cx)?;
    let queue = state.heap.new_queue(true);
    state.heap.register_finalizer(&queue, word, NULL);
    let number = queue.number();
    let run = Box::new(|inner: wasmtime::StoreContextMut<'_, _>| then(StoreContextMut { inner }));
    let once = Finalizer::Once { _queue: queue, run };
    cx.inner.data_mut().callbacks_mut().finalizers.insert(number, once);
    Ok(())
}

/// Runs the finalizers of all objects that collections have found dead: how many. It is a safe point of its own for
/// an embedder that does not return from guests for long: a host function may call it.
///
/// # Errors
///
/// None at present.
pub fn run_finalizers(mut store: impl AsContextMut) -> Result<usize> {
    run::run(&mut store.as_context_mut().inner)
}

/// A function that runs for each registered object that has died, with the reference that was held for it. As
/// JavaScript's of that name. Cheap to clone; when the last clone is dropped, registrations are forgotten.
pub struct FinalizationRegistry<H: GcRef = AnyRef> {
    store: u64,
    queue: QueueId,
    _held: PhantomData<fn() -> H>,
}

impl<H: GcRef> Clone for FinalizationRegistry<H> {
    fn clone(&self) -> FinalizationRegistry<H> {
        FinalizationRegistry { store: self.store, queue: self.queue.clone(), _held: PhantomData }
    }
}

impl<H: GcRef> std::fmt::Debug for FinalizationRegistry<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FinalizationRegistry").field("store", &self.store).finish_non_exhaustive()
    }
}

/// What [`FinalizationRegistry::unregister`] takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Registration(pub(super) u64);

impl<H: GcRef> FinalizationRegistry<H> {
    /// A registry with its function.
    ///
    /// # Errors
    ///
    /// When the store's heap can not be made.
    pub fn new<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        then: impl Fn(StoreContextMut<'_, T>, Option<Rooted<H>>) + Send + Sync + 'static,
    ) -> Result<FinalizationRegistry<H>> {
        let mut cx = store.as_context_mut();
        let registry = FinalizationRegistry::with_queue(&mut cx, true)?;
        let each = move |inner: wasmtime::StoreContextMut<'_, _>, held| {
            let mut cx = StoreContextMut { inner };
            // A heap that holds a reference has room for its handle.
            let held = handle(&mut cx, held).unwrap_or_default();
            then(cx, held);
        };
        let each = Finalizer::Each { holder: registry.queue.holder(), run: Arc::new(each) };
        cx.inner.data_mut().callbacks_mut().finalizers.insert(registry.queue.number(), each);
        Ok(registry)
    }

    pub(super) fn with_queue<T: 'static>(cx: &mut StoreContextMut<'_, T>, tells: bool) -> Result<Self> {
        let queue = heap(cx)?.heap.new_queue(tells);
        Ok(FinalizationRegistry { store: cx.inner.data().gc.id, queue, _held: PhantomData })
    }

    /// Registers a target, with a reference to hold for it.
    ///
    /// The held reference is alive until it is handed out, so one that leads to the target would keep that forever.
    ///
    /// # Errors
    ///
    /// When the target is an i31 or what is held itself, a handle's scope has ended, or the store is another.
    pub fn register<R: GcRef>(
        &self,
        mut store: impl AsContextMut,
        target: &Rooted<R>,
        held: Option<Rooted<H>>,
    ) -> Result<Registration> {
        let mut cx = store.as_context_mut();
        heap_of(&mut cx, self.store)?;
        let target = target.word(&cx.as_context())?;
        let held = held.map(|held| held.word(&cx.as_context())).transpose()?.unwrap_or(NULL);
        check_mortal(target, "what is registered")?;
        if target == held {
            return Err(Error::msg("what is held for a target must not be the target, which would never die"));
        }
        let state = heap_of(&mut cx, self.store)?;
        Ok(Registration(state.heap.register_finalizer(&self.queue, target, held)))
    }

    /// Takes a registration back; whether the target was not found dead before.
    ///
    /// # Errors
    ///
    /// When the store is another.
    pub fn unregister(&self, mut store: impl AsContextMut, registration: Registration) -> Result<bool> {
        let mut cx = store.as_context_mut();
        let state = heap_of(&mut cx, self.store)?;
        Ok(state.heap.unregister_finalizer(&self.queue, registration.0))
    }

    /// Takes what was held for the next dead target, for a registry that is asked instead of telling.
    pub(super) fn take<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>) -> Result<Option<Option<Rooted<H>>>> {
        let held = heap_of(cx, self.store)?.heap.take_finalization(self.queue.number());
        held.map(|held| handle(cx, held)).transpose()
    }
}
