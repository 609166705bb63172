//! Internal references.

use super::rooting::{Rooted, gc_ref, sealed::GcRefImpl};
use super::{ArrayRef, EqRef, ExternRef, StructRef};
use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::api::types::HeapType;
use crate::api::{I31, Result};
use crate::layout::{Kind, reference};
use crate::types as t;

gc_ref! {
    /// A reference to anything that a guest can make: an i31, a struct, an array; or to a host value that a
    /// guest has made internal (`any.convert_extern`).
    ///
    /// ```
    /// use wasmtime_gc::{AnyRef, ExternRef, HeapType, I31, Rooted, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let any = AnyRef::from_i31(&mut store, I31::wrapping_u32(7));
    /// assert!(any.is_i31(&store)? && any.is_eqref(&store)?);
    /// assert!(!any.is_struct(&store)? && !any.is_array(&store)?);
    /// assert_eq!(any.unwrap_i31(&store)?.get_u32(), 7);
    /// assert!(any.matches_ty(&store, &HeapType::Eq)?);
    ///
    /// // A host value, seen from inside, and back.
    /// let host = ExternRef::new(&mut store, "host")?;
    /// let inside = AnyRef::convert_extern(&mut store, host)?;
    /// assert!(!inside.is_eqref(&store)? && inside.as_i31(&store)?.is_none());
    /// let outside = ExternRef::convert_any(&mut store, inside)?;
    /// assert!(Rooted::ref_eq(&store, &host, &outside)?);
    /// # Ok(())
    /// # }
    /// ```
    AnyRef
}

impl AnyRef {
    /// An unboxed 31-bit integer as a reference.
    ///
    /// ```
    /// use wasmtime_gc::{AnyRef, I31, Rooted, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let five: Rooted<AnyRef> = AnyRef::from_i31(&mut store, I31::wrapping_i32(-5));
    /// assert_eq!(five.unwrap_i31(&store)?.get_i32(), -5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_i31(mut store: impl AsContextMut, value: I31) -> Rooted<Self> {
        of_i31(&mut store.as_context_mut(), value)
    }

    /// The same object as an internal reference (`any.convert_extern`).
    ///
    /// ```
    /// use wasmtime_gc::{AnyRef, ExternRef, Rooted, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let outside = ExternRef::new(&mut store, 'x')?;
    /// let inside = AnyRef::convert_extern(&mut store, outside)?;
    /// assert!(!inside.is_eqref(&store)?, "a host value is opaque in there");
    /// let back = ExternRef::convert_any(&mut store, inside)?;
    /// assert!(Rooted::ref_eq(&store, &outside, &back)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn convert_extern(mut store: impl AsContextMut, externref: Rooted<ExternRef>) -> Result<Rooted<Self>> {
        let mut cx = store.as_context_mut();
        let word = externref.word(&cx.as_context())?;
        Rooted::new(&mut cx, word)
    }

    /// Whether this is in the `eq` hierarchy.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn is_eqref(&self, store: impl AsContext) -> Result<bool> {
        let cx = store.as_context();
        Ok(!matches!(heap_type_of(&cx, self.word(&cx)?), t::HeapType::Any))
    }

    /// The same object, if it is in the `eq` hierarchy.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn as_eqref(&self, mut store: impl AsContextMut) -> Result<Option<Rooted<EqRef>>> {
        let mut cx = store.as_context_mut();
        if !self.is_eqref(&cx)? {
            return Ok(None);
        }
        let word = self.word(&cx.as_context())?;
        Rooted::new(&mut cx, word).map(Some)
    }

    /// Whether this is an RTT, a value of the dialect of explicit RTTs. [`Rtt`](super::Rtt) has what can be done with
    /// one.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn is_rtt(&self, store: impl AsContext) -> Result<bool> {
        let cx = store.as_context();
        let word = self.word(&cx)?;
        Ok(super::rtt::describe(&cx, word).is_some())
    }

    /// The same object, which is in the `eq` hierarchy.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    ///
    /// # Panics
    ///
    /// When it is not.
    pub fn unwrap_eqref(&self, store: impl AsContextMut) -> Result<Rooted<EqRef>> {
        Ok(self.as_eqref(store)?.expect("AnyRef::unwrap_eqref on non-eqref"))
    }
}

/// What internal references of every kind have: questions about what they are.
macro_rules! internal {
    ($name:ident) => {
        impl $name {
            /// The type of what is referred to.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            pub fn ty(&self, store: impl AsContext) -> Result<HeapType> {
                let cx = store.as_context();
                let ty = heap_type_of(&cx, self.word(&cx)?);
                Ok(HeapType::from_canon(cx.engine(), ty))
            }

            /// Whether what is referred to is of a type.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            pub fn matches_ty(&self, store: impl AsContext, ty: &HeapType) -> Result<bool> {
                Ok(self.ty(store)?.matches(ty))
            }

            /// Whether this is an i31.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            pub fn is_i31(&self, store: impl AsContext) -> Result<bool> {
                Ok(reference::is_i31(self.word(&store.as_context())?))
            }

            /// The integer, if this is an i31.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            pub fn as_i31(&self, store: impl AsContext) -> Result<Option<I31>> {
                let word = self.word(&store.as_context())?;
                Ok(reference::is_i31(word).then(|| I31::wrapping_u32(reference::i31_u(word))))
            }

            /// The integer.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            ///
            /// # Panics
            ///
            /// When this is no i31.
            pub fn unwrap_i31(&self, store: impl AsContext) -> Result<I31> {
                Ok(self.as_i31(store)?.expect(concat!(stringify!($name), "::unwrap_i31 on non-i31")))
            }

            /// Whether this is a struct.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            pub fn is_struct(&self, store: impl AsContext) -> Result<bool> {
                let cx = store.as_context();
                Ok(kind_of(&cx, self.word(&cx)?) == Some(Kind::Struct))
            }

            /// The struct, if this is one.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            pub fn as_struct(&self, store: impl AsContext) -> Result<Option<Rooted<StructRef>>> {
                Ok(self.is_struct(store)?.then(|| Rooted::of_root(self.root())))
            }

            /// The struct.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            ///
            /// # Panics
            ///
            /// When this is no struct.
            pub fn unwrap_struct(&self, store: impl AsContext) -> Result<Rooted<StructRef>> {
                Ok(self.as_struct(store)?.expect(concat!(stringify!($name), "::unwrap_struct on non-structref")))
            }

            /// Whether this is an array.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            pub fn is_array(&self, store: impl AsContext) -> Result<bool> {
                let cx = store.as_context();
                Ok(kind_of(&cx, self.word(&cx)?) == Some(Kind::Array))
            }

            /// The array, if this is one.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            pub fn as_array(&self, store: impl AsContext) -> Result<Option<Rooted<ArrayRef>>> {
                Ok(self.is_array(store)?.then(|| Rooted::of_root(self.root())))
            }

            /// The array.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            ///
            /// # Panics
            ///
            /// When this is no array.
            pub fn unwrap_array(&self, store: impl AsContext) -> Result<Rooted<ArrayRef>> {
                Ok(self.as_array(store)?.expect(concat!(stringify!($name), "::unwrap_array on non-arrayref")))
            }
        }
    };
}

internal! { AnyRef }
internal! { EqRef }

/// A handle to an i31.
pub(super) fn of_i31<T: 'static, R: super::GcRef>(cx: &mut StoreContextMut<'_, T>, value: I31) -> Rooted<R> {
    Rooted::of_i31(cx, reference::i31(value.get_u32()))
}

/// What an object is; `None` for an i31.
fn kind_of<T: 'static>(cx: &StoreContext<'_, T>, word: u32) -> Option<Kind> {
    let gc = &cx.inner.data().gc;
    Some(gc.state()?.type_in(gc.place?.memory.data(&cx.inner), word)?.kind)
}

/// The most precise type of an internal reference.
pub(crate) fn heap_type_of<T: 'static>(cx: &StoreContext<'_, T>, word: u32) -> t::HeapType {
    if word == reference::NULL {
        return t::HeapType::None;
    }
    if reference::is_i31(word) {
        return t::HeapType::I31;
    }
    let gc = &cx.inner.data().gc;
    let (Some(place), Some(state)) = (gc.place, gc.state()) else { return t::HeapType::Any };
    match state.type_in(place.memory.data(&cx.inner), word) {
        Some(ty) => match (ty.kind, ty.id) {
            (Kind::Struct, Some(id)) => t::HeapType::Concrete(t::CompositeKind::Struct, id),
            (Kind::Array, Some(id)) => t::HeapType::Concrete(t::CompositeKind::Array, id),
            (Kind::Rtt, _) => rtt_heap_type(cx, state, word).unwrap_or(t::HeapType::Eq),
            _ => t::HeapType::Any,
        },
        None => t::HeapType::Any,
    }
}

/// The type that an RTT is shown as.
fn rtt_heap_type<T: 'static>(
    cx: &StoreContext<'_, T>,
    state: &crate::runtime::store::GcState,
    word: u32,
) -> Option<t::HeapType> {
    let gc = &cx.inner.data().gc;
    let (depth, ty) = state.rtt_in(&gc.engine, gc.place?.memory.data(&cx.inner), word)?;
    let id = crate::rtt::erase::rtt_type(&gc.engine.registry, Some(depth), ty.id?)?;
    Some(t::HeapType::Concrete(t::CompositeKind::Struct, id))
}
