//! Handles to references.
//!
//! Objects move, so the host never has a reference itself. [`Rooted`] is valid in the scope that it
//! was made in: a host call, a [`RootScope`], or else as long as the store. [`OwnedRooted`] is valid
//! until dropped.

use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::api::{Error, Result};
use crate::runtime::roots::{OwnedIndex, RootIndex, StoreRoots};
use crate::runtime::store::ensure_heap;
use std::marker::PhantomData;

/// What a handle can be to: [`ExternRef`](super::ExternRef), [`AnyRef`](super::AnyRef).
pub trait GcRef: sealed::Sealed + 'static {}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// A handle that is valid until the end of the scope it was made in.
pub struct Rooted<R: GcRef> {
    store: u64,
    index: RootIndex,
    _to: PhantomData<fn() -> R>,
}

impl<R: GcRef> Clone for Rooted<R> {
    fn clone(&self) -> Rooted<R> {
        *self
    }
}

impl<R: GcRef> Copy for Rooted<R> {}

impl<R: GcRef> std::fmt::Debug for Rooted<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = std::any::type_name::<R>().rsplit("::").next().unwrap_or_default();
        write!(f, "Rooted<{name}>({:?})", self.index)
    }
}

/// A handle that is valid until it, and all its clones, are dropped.
pub struct OwnedRooted<R: GcRef> {
    store: u64,
    index: OwnedIndex,
    _to: PhantomData<fn() -> R>,
}

impl<R: GcRef> Clone for OwnedRooted<R> {
    fn clone(&self) -> OwnedRooted<R> {
        OwnedRooted { store: self.store, index: self.index.clone(), _to: PhantomData }
    }
}

impl<R: GcRef> std::fmt::Debug for OwnedRooted<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = std::any::type_name::<R>().rsplit("::").next().unwrap_or_default();
        write!(f, "OwnedRooted<{name}>")
    }
}

#[cold]
fn unrooted() -> Error {
    Error::msg("attempted to use a garbage-collected object that has been unrooted")
}

#[cold]
pub(crate) fn foreign() -> Error {
    Error::msg("object used with the wrong store")
}

#[cold]
pub(crate) fn no_heap() -> Error {
    Error::new(crate::error::Error::bug("the heap is in use or does not exist"))
}

fn roots<'a, T: 'static>(cx: &'a mut StoreContextMut<'_, T>) -> Result<&'a mut StoreRoots> {
    cx.inner.data_mut().gc.roots().ok_or_else(no_heap)
}

impl<R: GcRef> Rooted<R> {
    /// A handle to a reference that is not null.
    pub(crate) fn new<T: 'static>(cx: &mut StoreContextMut<'_, T>, word: u32) -> Result<Rooted<R>> {
        if cx.inner.data().gc.place.is_none() {
            ensure_heap(&mut cx.inner)?;
        }
        let index = roots(cx)?.push(word);
        Ok(Rooted { store: cx.inner.data().gc.id, index, _to: PhantomData })
    }

    /// The reference.
    pub(crate) fn word<T: 'static>(&self, cx: &StoreContext<'_, T>) -> Result<u32> {
        let gc = &cx.inner.data().gc;
        if gc.id != self.store {
            return Err(foreign());
        }
        gc.state().and_then(|state| state.roots.get(self.index)).ok_or_else(unrooted)
    }

    pub(crate) fn cast<S: GcRef>(self) -> Rooted<S> {
        Rooted { store: self.store, index: self.index, _to: PhantomData }
    }

    /// A handle to the same object that is valid until dropped.
    ///
    /// # Errors
    ///
    /// When this handle's scope has ended, or the store is another.
    pub fn to_owned_rooted(&self, mut store: impl AsContextMut) -> Result<OwnedRooted<R>> {
        let mut cx = store.as_context_mut();
        let word = self.word(&cx.as_context())?;
        let index = roots(&mut cx)?.own(word);
        Ok(OwnedRooted { store: self.store, index, _to: PhantomData })
    }

    /// Whether two handles are to the same object.
    ///
    /// # Errors
    ///
    /// When a handle's scope has ended, or the store is another.
    pub fn ref_eq(store: impl AsContext, a: &Rooted<R>, b: &Rooted<R>) -> Result<bool> {
        let cx = store.as_context();
        Ok(a.word(&cx)? == b.word(&cx)?)
    }

    /// Whether two handles are the same handle.
    pub fn rooted_eq(a: Rooted<R>, b: Rooted<R>) -> bool {
        a.store == b.store && a.index == b.index
    }
}

impl<R: GcRef> OwnedRooted<R> {
    /// A handle to the same object that is valid in the present scope.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn to_rooted(&self, store: impl AsContextMut) -> Rooted<R> {
        match self.try_to_rooted(store) {
            Ok(rooted) => rooted,
            Err(err) => panic!("{err}"),
        }
    }

    /// A handle to the same object that is valid in the present scope.
    ///
    /// # Errors
    ///
    /// When the store is another.
    pub fn try_to_rooted(&self, mut store: impl AsContextMut) -> Result<Rooted<R>> {
        let mut cx = store.as_context_mut();
        if cx.inner.data().gc.id != self.store {
            return Err(foreign());
        }
        let word = roots(&mut cx)?.get_owned(&self.index).ok_or_else(unrooted)?;
        Rooted::new(&mut cx, word)
    }
}

/// A scope: handles that are made in it end with it.
pub struct RootScope<C: AsContextMut> {
    store: C,
    scope: usize,
}

impl<C: AsContextMut> RootScope<C> {
    /// Begins a scope.
    pub fn new(mut store: C) -> RootScope<C> {
        let scope = enter_scope(&mut store.as_context_mut());
        RootScope { store, scope }
    }
}

impl<C: AsContextMut> Drop for RootScope<C> {
    fn drop(&mut self) {
        exit_scope(&mut self.store.as_context_mut(), self.scope);
    }
}

impl<C: AsContextMut> AsContext for RootScope<C> {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        self.store.as_context()
    }
}

impl<C: AsContextMut> AsContextMut for RootScope<C> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        self.store.as_context_mut()
    }
}

/// Begins a scope: what [`exit_scope`] ends.
pub(crate) fn enter_scope<T: 'static>(cx: &mut StoreContextMut<'_, T>) -> usize {
    cx.inner.data_mut().gc.roots().map_or(0, |roots| roots.enter_scope())
}

/// Ends a scope.
pub(crate) fn exit_scope<T: 'static>(cx: &mut StoreContextMut<'_, T>, scope: usize) {
    if let Some(roots) = cx.inner.data_mut().gc.roots() {
        roots.exit_scope(scope);
    }
}
