//! Internal references.

use super::ExternRef;
use super::rooting::{GcRef, Rooted, sealed};
use crate::api::store::{AsContext, AsContextMut, StoreContext};
use crate::api::types::HeapType;
use crate::api::{Error, I31, Result};
use crate::layout::{Kind, reference};
use crate::types as t;

/// A reference to anything that a guest can make: an i31, a struct, an array; or to a host value that a
/// guest has made internal (`any.convert_extern`).
#[derive(Debug)]
pub struct AnyRef(());

impl sealed::Sealed for AnyRef {}
impl GcRef for AnyRef {}

impl AnyRef {
    /// An unboxed 31-bit integer as a reference.
    ///
    /// # Panics
    ///
    /// When the store's heap can not be made, for its limits.
    pub fn from_i31(mut store: impl AsContextMut, value: I31) -> Rooted<AnyRef> {
        match Rooted::new(&mut store.as_context_mut(), reference::i31(value.get_u32())) {
            Ok(rooted) => rooted,
            Err(err) => panic!("{err:?}"),
        }
    }

    /// The same object as an internal reference (`any.convert_extern`).
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn convert_extern(mut store: impl AsContextMut, external: Rooted<ExternRef>) -> Result<Rooted<AnyRef>> {
        external.word(&store.as_context_mut().as_context())?;
        Ok(external.cast())
    }
}

impl Rooted<AnyRef> {
    /// The type of what is referred to.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn ty(&self, store: impl AsContext) -> Result<HeapType> {
        let cx = store.as_context();
        let ty = heap_type_of(&cx, self.word(&cx)?);
        Ok(HeapType::from_canon(&cx.engine(), ty))
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
    /// When this is no i31, the handle's scope has ended, or the store is another.
    pub fn unwrap_i31(&self, store: impl AsContext) -> Result<I31> {
        self.as_i31(store)?.ok_or_else(|| Error::msg("the reference is not an i31"))
    }

    /// Whether this is in the `eq` hierarchy.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn is_eqref(&self, store: impl AsContext) -> Result<bool> {
        self.matches_ty(store, &HeapType::Eq)
    }

    /// Whether this is a struct.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn is_struct(&self, store: impl AsContext) -> Result<bool> {
        let cx = store.as_context();
        Ok(self.matches_ty(&cx, &HeapType::Struct)? && !self.is_rtt(&cx)?)
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

    /// Whether this is an array.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn is_array(&self, store: impl AsContext) -> Result<bool> {
        self.matches_ty(store, &HeapType::Array)
    }
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
