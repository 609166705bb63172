//! Weak references, and ephemeron maps: values that live as long as their keys.

use super::{check_mortal, heap, heap_of};
use crate::api::gc::{GcRef, Rooted};
use crate::api::store::{AsContext, AsContextMut};
use crate::api::{Result, StoreContextMut};
use crate::heap::{MapId, WeakId};
use crate::layout::reference::NULL;
use std::marker::PhantomData;

/// A reference that does not keep what it refers to. Cheap to clone.
///
/// An i31 has no identity: a weak reference to one never dies.
pub struct WeakRef<R: GcRef> {
    store: u64,
    id: WeakId,
    _to: PhantomData<fn() -> R>,
}

impl<R: GcRef> Clone for WeakRef<R> {
    fn clone(&self) -> WeakRef<R> {
        WeakRef { store: self.store, id: self.id.clone(), _to: PhantomData }
    }
}

impl<R: GcRef> std::fmt::Debug for WeakRef<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WeakRef").field("store", &self.store).finish_non_exhaustive()
    }
}

impl<R: GcRef> WeakRef<R> {
    /// A weak reference to what a handle refers to.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn new(mut store: impl AsContextMut, to: &Rooted<R>) -> Result<WeakRef<R>> {
        let mut cx = store.as_context_mut();
        let word = to.word(&cx.as_context())?;
        let id = heap(&mut cx)?.heap.new_weak(word);
        Ok(WeakRef { store: cx.inner.data().gc.id, id, _to: PhantomData })
    }

    /// A handle to what this refers to, in the present scope; `None` once that is dead.
    ///
    /// What nothing else refers to may be given out until a collection has found it dead. It then lives as
    /// long as the handle.
    ///
    /// # Errors
    ///
    /// When the store is another.
    pub fn upgrade(&self, mut store: impl AsContextMut) -> Result<Option<Rooted<R>>> {
        let mut cx = store.as_context_mut();
        let word = heap_of(&mut cx, self.store)?.heap.weak(&self.id);
        handle(&mut cx, word)
    }
}

/// A handle to a reference; `None` for null.
pub(super) fn handle<T: 'static, R: GcRef>(cx: &mut StoreContextMut<'_, T>, word: u32) -> Result<Option<Rooted<R>>> {
    if word == NULL {
        return Ok(None);
    }
    Rooted::new(cx, word).map(Some)
}

/// A map whose entries vanish when their keys die. A value that refers to its key, even if it is the only thing
/// that does, does not keep it: that is what tells this from a map of weak references to rooted values.
///
/// Keys are compared by identity. Cheap to clone; clones are the same map.
pub struct EphemeronMap<K: GcRef, V: GcRef> {
    store: u64,
    id: MapId,
    _to: PhantomData<fn() -> (K, V)>,
}

impl<K: GcRef, V: GcRef> Clone for EphemeronMap<K, V> {
    fn clone(&self) -> EphemeronMap<K, V> {
        EphemeronMap { store: self.store, id: self.id.clone(), _to: PhantomData }
    }
}

impl<K: GcRef, V: GcRef> std::fmt::Debug for EphemeronMap<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EphemeronMap").field("store", &self.store).finish_non_exhaustive()
    }
}

impl<K: GcRef, V: GcRef> EphemeronMap<K, V> {
    /// An empty map.
    ///
    /// # Errors
    ///
    /// When the store's heap can not be made.
    pub fn new(mut store: impl AsContextMut) -> Result<EphemeronMap<K, V>> {
        let mut cx = store.as_context_mut();
        let id = heap(&mut cx)?.heap.new_ephemerons();
        Ok(EphemeronMap { store: cx.inner.data().gc.id, id, _to: PhantomData })
    }

    /// Sets the value of a key: the former value.
    ///
    /// # Errors
    ///
    /// When the key is an i31, a handle's scope has ended, or the store is another.
    pub fn insert(
        &self,
        mut store: impl AsContextMut,
        key: &Rooted<K>,
        value: &Rooted<V>,
    ) -> Result<Option<Rooted<V>>> {
        let mut cx = store.as_context_mut();
        let key = self.key(&mut cx, key)?;
        let value = value.word(&cx.as_context())?;
        check_mortal(key, "a key")?;
        let former = heap_of(&mut cx, self.store)?.heap.set_ephemeron(&self.id, key, value);
        handle(&mut cx, former.unwrap_or(NULL))
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn get(&self, mut store: impl AsContextMut, key: &Rooted<K>) -> Result<Option<Rooted<V>>> {
        let mut cx = store.as_context_mut();
        let key = self.key(&mut cx, key)?;
        let value = heap_of(&mut cx, self.store)?.heap.ephemeron(&self.id, key);
        handle(&mut cx, value.unwrap_or(NULL))
    }

    /// Removes a key: its value.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn remove(&self, mut store: impl AsContextMut, key: &Rooted<K>) -> Result<Option<Rooted<V>>> {
        let mut cx = store.as_context_mut();
        let key = self.key(&mut cx, key)?;
        let value = heap_of(&mut cx, self.store)?.heap.remove_ephemeron(&self.id, key);
        handle(&mut cx, value.unwrap_or(NULL))
    }

    /// How many keys there are that no collection has found dead.
    ///
    /// # Errors
    ///
    /// When the store is another.
    pub fn len(&self, mut store: impl AsContextMut) -> Result<usize> {
        let mut cx = store.as_context_mut();
        Ok(heap_of(&mut cx, self.store)?.heap.ephemerons(&self.id))
    }

    /// Whether there are no keys.
    ///
    /// # Errors
    ///
    /// When the store is another.
    pub fn is_empty(&self, store: impl AsContextMut) -> Result<bool> {
        Ok(self.len(store)? == 0)
    }

    fn key<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>, key: &Rooted<K>) -> Result<u32> {
        heap_of(cx, self.store)?;
        key.word(&cx.as_context())
    }
}
