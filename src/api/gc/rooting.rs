//! Handles to references.
//!
//! Objects move, so the host never has a reference itself. [`Rooted`] is valid in the scope that it
//! was made in: a host call, a [`RootScope`], or else as long as the store. [`OwnedRooted`] is valid
//! until dropped. Both are used like the reference that they hold: they dereference to it.
//!
//! Where Wasmtime panics because a handle is used with another store than its own, methods that return a
//! `Result` fail.

use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::api::{Error, Result};
use crate::runtime::roots::{RootIndex, StoreRoots};
use crate::runtime::store::ensure_heap;
use sealed::{GcRefImpl, RootedGcRefImpl};
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// What a handle can be to: [`AnyRef`](super::AnyRef), [`EqRef`](super::EqRef),
/// [`StructRef`](super::StructRef), [`ArrayRef`](super::ArrayRef), [`ExternRef`](super::ExternRef),
/// [`ExnRef`](super::ExnRef).
pub trait GcRef: GcRefImpl {}

impl<T: GcRefImpl> GcRef for T {}

/// A handle of either kind.
pub trait RootedGcRef<T: GcRef>: RootedGcRefImpl<T> + Deref<Target = T> {}

impl<T: GcRef, U: RootedGcRefImpl<T> + Deref<Target = T>> RootedGcRef<T> for U {}

pub(crate) mod sealed {
    use super::{GcRef, GcRoot, Result, RootIndex, StoreContext};

    /// A reference is no more than the place of its root.
    pub trait GcRefImpl: Copy + Send + Sync + Sized + 'static {
        #[doc(hidden)]
        fn of_root(root: GcRoot) -> Self;
        #[doc(hidden)]
        fn root(&self) -> GcRoot;
        /// The reference as a word.
        #[doc(hidden)]
        fn word<T: 'static>(&self, cx: &StoreContext<'_, T>) -> Result<u32> {
            self.root().word(cx)
        }
        /// The root, if it is one of this store.
        #[doc(hidden)]
        fn index<T: 'static>(&self, cx: &StoreContext<'_, T>) -> Result<RootIndex> {
            self.root().word(cx)?;
            Ok(self.root().index)
        }
    }

    /// A handle knows its root.
    pub trait RootedGcRefImpl<T: GcRef> {
        #[doc(hidden)]
        fn gc_root(&self) -> GcRoot;
    }
}

/// Which root of which store.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GcRoot {
    store: u64,
    pub(crate) index: RootIndex,
}

impl GcRoot {
    #[inline]
    pub(crate) fn word<T: 'static>(self, cx: &StoreContext<'_, T>) -> Result<u32> {
        let gc = &cx.inner.data().gc;
        if gc.id != self.store {
            return Err(foreign());
        }
        let word = || gc.state().and_then(|state| state.roots.get(self.index));
        self.index.itself().or_else(word).ok_or_else(unrooted)
    }
}

/// Defines the type of a reference.
macro_rules! gc_ref {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name {
            root: crate::api::gc::rooting::GcRoot,
        }

        impl crate::api::gc::rooting::sealed::GcRefImpl for $name {
            #[inline]
            fn of_root(root: crate::api::gc::rooting::GcRoot) -> $name {
                $name { root }
            }
            #[inline]
            fn root(&self) -> crate::api::gc::rooting::GcRoot {
                self.root
            }
        }
    };
}

pub(crate) use gc_ref;

/// A handle that is valid until the end of the scope it was made in.
///
/// ```
/// use wasmtime_gc::{ExternRef, RootScope, Rooted, Store};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut store = Store::<()>::default();
/// let inner: Rooted<ExternRef>;
/// let outer = ExternRef::new(&mut store, "for as long as the store")?;
/// {
///     let mut scope = RootScope::new(&mut store);
///     inner = ExternRef::new(&mut scope, "for as long as the scope")?;
///     assert!(inner.data(&scope)?.is_some());
/// }
/// assert!(inner.data(&store).is_err());
/// assert!(outer.data(&store)?.is_some());
/// # Ok(())
/// # }
/// ```
pub struct Rooted<T: GcRef> {
    to: T,
}

impl<T: GcRef> Clone for Rooted<T> {
    fn clone(&self) -> Rooted<T> {
        *self
    }
}

impl<T: GcRef> Copy for Rooted<T> {}

impl<T: GcRef> std::fmt::Debug for Rooted<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(&format!("Rooted<{}>", short_name::<T>())).field("inner", &self.to.root()).finish()
    }
}

impl<T: GcRef> Deref for Rooted<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.to
    }
}

impl<T: GcRef> RootedGcRefImpl<T> for Rooted<T> {
    #[inline]
    fn gc_root(&self) -> GcRoot {
        self.to.root()
    }
}

/// A handle that is valid until it, and all its clones, are dropped.
///
/// ```
/// use wasmtime_gc::{ExternRef, OwnedRooted, RootScope, Store};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut store = Store::<()>::default();
/// let kept: OwnedRooted<ExternRef> = {
///     let mut scope = RootScope::new(&mut store);
///     let value = ExternRef::new(&mut scope, 41)?;
///     value.to_owned_rooted(&mut scope)?
/// };
/// store.gc(None)?;
/// // The owned handle is used like a scoped one.
/// assert_eq!(kept.data(&store)?.and_then(|data| data.downcast_ref::<i32>()), Some(&41));
/// let again = kept.to_rooted(&mut store);
/// assert!(OwnedRooted::ref_eq(&store, &kept, &again)?);
/// # Ok(())
/// # }
/// ```
pub struct OwnedRooted<T: GcRef> {
    to: T,
    alive: Arc<()>,
}

impl<T: GcRef> Clone for OwnedRooted<T> {
    fn clone(&self) -> OwnedRooted<T> {
        OwnedRooted { to: self.to, alive: self.alive.clone() }
    }
}

impl<T: GcRef> std::fmt::Debug for OwnedRooted<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct(&format!("OwnedRooted<{}>", short_name::<T>())).field("inner", &self.to.root()).finish()
    }
}

impl<T: GcRef> Deref for OwnedRooted<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.to
    }
}

impl<T: GcRef> RootedGcRefImpl<T> for OwnedRooted<T> {
    #[inline]
    fn gc_root(&self) -> GcRoot {
        self.to.root()
    }
}

fn short_name<T>() -> &'static str {
    std::any::type_name::<T>().rsplit("::").next().unwrap_or_default()
}

/// A handle is used behind its scope.
#[derive(Debug, thiserror::Error)]
#[error("attempted to use a garbage-collected object that has been unrooted")]
pub(crate) struct Unrooted;

#[cold]
fn unrooted() -> Error {
    Error::new(Unrooted)
}

#[cold]
pub(crate) fn foreign() -> Error {
    Error::msg("object used with wrong store")
}

#[cold]
pub(crate) fn no_heap() -> Error {
    Error::new(crate::fault::Error::bug("the heap is in use or does not exist"))
}

fn roots<'a, T: 'static>(cx: &'a mut StoreContextMut<'_, T>) -> Result<&'a mut StoreRoots> {
    cx.inner.data_mut().gc.roots().ok_or_else(no_heap)
}

impl<T: GcRef> Rooted<T> {
    /// A handle to a reference that is not null.
    #[inline]
    pub(crate) fn new<D: 'static>(cx: &mut StoreContextMut<'_, D>, word: u32) -> Result<Rooted<T>> {
        let gc = &mut cx.inner.data_mut().gc;
        let store = gc.id;
        let index = match gc.roots() {
            Some(roots) => roots.push(word),
            None => {
                ensure_heap(&mut cx.inner)?;
                roots(cx)?.push(word)
            }
        };
        Ok(Rooted { to: T::of_root(GcRoot { store, index }) })
    }

    /// A handle to an i31, which needs no root where there is no heap.
    pub(crate) fn of_i31<D: 'static>(cx: &mut StoreContextMut<'_, D>, word: u32) -> Rooted<T> {
        Rooted::new(cx, word).unwrap_or_else(|_| {
            let store = cx.inner.data().gc.id;
            Rooted { to: T::of_root(GcRoot { store, index: RootIndex::of_i31(word) }) }
        })
    }

    /// A handle to the same root, by what is known of its type.
    #[inline]
    pub(crate) fn of_root(root: GcRoot) -> Rooted<T> {
        Rooted { to: T::of_root(root) }
    }

    #[inline]
    pub(crate) fn cast<S: GcRef>(self) -> Rooted<S> {
        Rooted { to: S::of_root(self.to.root()) }
    }

    /// A handle to the same object that is valid until dropped.
    ///
    /// ```
    /// use wasmtime_gc::{ExternRef, OwnedRooted, RootScope, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let mut kept: Vec<OwnedRooted<ExternRef>> = Vec::new();
    /// for n in 0..3 {
    ///     let mut scope = RootScope::new(&mut store);
    ///     let value = ExternRef::new(&mut scope, n)?;
    ///     // The scope ends with this turn of the loop; what is owned does not.
    ///     kept.push(value.to_owned_rooted(&mut scope)?);
    /// }
    /// assert!(kept.iter().all(|value| value.data(&store).is_ok()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When this handle's scope has ended, or the store is another.
    pub fn to_owned_rooted(&self, mut store: impl AsContextMut) -> Result<OwnedRooted<T>> {
        let mut cx = store.as_context_mut();
        let word = self.word(&cx.as_context())?;
        OwnedRooted::new(&mut cx, word)
    }

    /// Whether two handles are the same handle.
    ///
    /// ```
    /// use wasmtime_gc::{ExternRef, Rooted, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let one = ExternRef::new(&mut store, 1)?;
    /// let copy = one;
    /// let again = one.to_owned_rooted(&mut store)?.to_rooted(&mut store);
    /// assert!(Rooted::rooted_eq(one, copy));
    /// // Another handle, though to the same object.
    /// assert!(!Rooted::rooted_eq(one, again));
    /// assert!(Rooted::ref_eq(&store, &one, &again)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn rooted_eq(a: Self, b: Self) -> bool {
        a.to.root() == b.to.root()
    }

    /// Whether two handles are to the same object.
    ///
    /// ```
    /// use wasmtime_gc::{ExternRef, Rooted, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let [one, two] = [ExternRef::new(&mut store, "same")?, ExternRef::new(&mut store, "same")?];
    /// let owned = one.to_owned_rooted(&mut store)?;
    /// assert!(Rooted::ref_eq(&store, &one, &owned)?);
    /// assert!(!Rooted::ref_eq(&store, &one, &two)?, "two objects, whatever they hold");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When a handle's scope has ended, or the store is another.
    pub fn ref_eq(store: impl AsContext, a: &impl RootedGcRef<T>, b: &impl RootedGcRef<T>) -> Result<bool> {
        let cx = store.as_context();
        Ok(a.gc_root().word(&cx)? == b.gc_root().word(&cx)?)
    }

    /// Hashes the handle: other handles to the same object have other hashes.
    pub fn rooted_hash<H: Hasher>(&self, state: &mut H) {
        self.to.root().hash(state);
    }

    /// Hashes the reference: all handles to the same object have the same hash, until the next collection.
    /// Objects move, so it is of no use beyond that.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn ref_hash<H: Hasher>(&self, store: impl AsContext, state: &mut H) -> Result<()> {
        self.word(&store.as_context())?.hash(state);
        Ok(())
    }
}

impl<T: GcRef> OwnedRooted<T> {
    /// A handle to a reference that is not null.
    pub(crate) fn new<D: 'static>(cx: &mut StoreContextMut<'_, D>, word: u32) -> Result<OwnedRooted<T>> {
        ensure_heap(&mut cx.inner)?;
        let store = cx.inner.data().gc.id;
        let owned = roots(cx)?.own(word);
        Ok(OwnedRooted { to: T::of_root(GcRoot { store, index: owned.root }), alive: owned.alive })
    }

    #[inline]
    pub(crate) fn cast<S: GcRef>(self) -> OwnedRooted<S> {
        OwnedRooted { to: S::of_root(self.to.root()), alive: self.alive }
    }

    /// A handle to the same object that is valid in the present scope.
    ///
    /// ```
    /// use wasmtime_gc::{ExternRef, RootScope, Rooted, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let owned = ExternRef::new(&mut store, ())?.to_owned_rooted(&mut store)?;
    /// let rooted: Rooted<ExternRef> = {
    ///     let mut scope = RootScope::new(&mut store);
    ///     owned.to_rooted(&mut scope)
    /// };
    /// assert!(rooted.data(&store).is_err(), "it is bound to the scope");
    /// assert!(owned.data(&store).is_ok(), "this is not");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn to_rooted(&self, store: impl AsContextMut) -> Rooted<T> {
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
    pub fn try_to_rooted(&self, mut store: impl AsContextMut) -> Result<Rooted<T>> {
        let mut cx = store.as_context_mut();
        let word = self.to.word(&cx.as_context())?;
        Rooted::new(&mut cx, word)
    }

    /// Whether two handles are to the same object.
    ///
    /// # Errors
    ///
    /// When a handle's scope has ended, or the store is another.
    pub fn ref_eq(store: impl AsContext, a: &impl RootedGcRef<T>, b: &impl RootedGcRef<T>) -> Result<bool> {
        Rooted::ref_eq(store, a, b)
    }

    /// Hashes the handle: other handles to the same object have other hashes.
    pub fn rooted_hash<H: Hasher>(&self, state: &mut H) {
        self.to.root().hash(state);
    }

    /// Hashes the reference: all handles to the same object have the same hash, until the next collection.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn ref_hash<H: Hasher>(&self, store: impl AsContext, state: &mut H) {
        match self.to.word(&store.as_context()) {
            Ok(word) => word.hash(state),
            Err(err) => panic!("{err}"),
        }
    }
}

/// A scope: handles that are made in it end with it.
///
/// ```
/// use wasmtime_gc::{ExternRef, RootScope, Store};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut store = Store::<()>::default();
/// for i in 0..10_000u32 {
///     // Without the scope every handle, and so every value, would live as long as the store.
///     let mut scope = RootScope::new(&mut store);
///     scope.reserve(1);
///     ExternRef::new(&mut scope, i)?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct RootScope<C: AsContextMut> {
    store: C,
    scope: usize,
}

impl<C: AsContextMut> RootScope<C> {
    /// Begins a scope.
    ///
    /// ```
    /// use wasmtime_gc::{AsContext, AsContextMut, ExternRef, Result, RootScope, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// fn chars(store: impl AsContextMut, text: &str) -> Result<usize> {
    ///     let mut scope = RootScope::new(store);
    ///     let text = ExternRef::new(&mut scope, text.to_owned())?;
    ///     let data = text.data(scope.as_context())?.and_then(|data| data.downcast_ref::<String>());
    ///     Ok(data.map_or(0, |text| text.chars().count()))
    ///     // The scope ends here, and the handle with it.
    /// }
    ///
    /// let mut store = Store::<()>::default();
    /// assert_eq!(chars(&mut store, "three")?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(mut store: C) -> Self {
        let scope = enter_scope(&mut store.as_context_mut());
        RootScope { store, scope }
    }

    /// Makes room for handles, so that making them does not allocate.
    ///
    /// ```
    /// use wasmtime_gc::{AnyRef, I31, RootScope, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let mut scope = RootScope::new(&mut store);
    /// scope.reserve(100);
    /// let numbers: Vec<_> = (0..100).map(|n| AnyRef::from_i31(&mut scope, I31::wrapping_u32(n))).collect();
    /// assert_eq!(numbers[99].unwrap_i31(&scope)?.get_u32(), 99);
    /// # Ok(())
    /// # }
    /// ```
    pub fn reserve(&mut self, additional: usize) {
        if let Some(roots) = self.store.as_context_mut().inner.data_mut().gc.roots() {
            roots.reserve(additional);
        }
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
