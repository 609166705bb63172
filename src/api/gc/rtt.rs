//! Runtime types as values: what `rtt.canon` and `rtt.sub` make, for the host.
//!
//! An RTT is a reference like any other, to the record that headers of objects point to. It is passed to guests as an
//! [`AnyRef`], and compared by [`Rooted::ref_eq`] or [`Rtt::same`]. What it is not: a type of Wasmtime's API, which has
//! no such values.

use super::AnyRef;
use super::rooting::{Rooted, sealed::GcRefImpl};
use crate::api::store::{AsContext, AsContextMut, StoreContext};
use crate::api::types::HeapType;
use crate::api::{Error, Result};
use crate::layout::{GcType, Kind, reference, rtt as layout};
use crate::runtime::memory::{read_word, write_word};
use crate::runtime::rtts;
use crate::runtime::store::{alloc_error, ensure_heap, with_heap};
use std::sync::Arc;

/// A runtime type of the dialect of explicit RTTs.
#[derive(Clone, Copy, Debug)]
pub struct Rtt {
    any: Rooted<AnyRef>,
}

/// How many RTTs are above a reference that is an RTT, and what it is of.
pub(super) fn describe<T: 'static>(cx: &StoreContext<'_, T>, word: u32) -> Option<(u32, Arc<GcType>)> {
    let gc = &cx.inner.data().gc;
    let (place, state) = (gc.place?, gc.state()?);
    state.rtt_in(&gc.engine, place.memory.data(&cx.inner), word)
}

impl Rtt {
    /// The canonical RTT of a defined type, as `rtt.canon` makes it. The type is one that a module's function or global
    /// has in its own type.
    ///
    /// # Errors
    ///
    /// When the type is abstract, is of another engine, or the GC heap is full.
    pub fn canon(mut store: impl AsContextMut, ty: &HeapType) -> Result<Rtt> {
        let mut cx = store.as_context_mut();
        let record = record(&cx.as_context(), ty)?;
        ensure_heap(&mut cx.inner)?;
        let engine = cx.inner.data().gc.engine.clone();
        with_heap(&mut cx.inner, |state, mem| state.sync_type(&engine, mem, record.index))??;
        Ok(Rtt { any: Rooted::new(&mut cx, reference::from_header(record.rtt.0))? })
    }

    /// The RTT that a reference is.
    ///
    /// # Errors
    ///
    /// When it is none, the handle's scope has ended, or the store is another.
    pub fn from_any(store: impl AsContext, any: Rooted<AnyRef>) -> Result<Rtt> {
        match any.is_rtt(store)? {
            true => Ok(Rtt { any }),
            false => Err(Error::msg("the reference is no RTT")),
        }
    }

    /// The RTT as a reference.
    pub fn to_any(self) -> Rooted<AnyRef> {
        self.any
    }

    /// The RTT of a type below this one, as `rtt.sub` makes it: the same operands give the same RTT. That the type is
    /// below this RTT's own is for the caller to know; an object that is no such thing could not be made anyway.
    ///
    /// # Errors
    ///
    /// When the type is abstract or of another engine, the chain is too long, the GC heap is full, the handle's scope
    /// has ended, or the store is another.
    pub fn sub(&self, mut store: impl AsContextMut, ty: &HeapType) -> Result<Rtt> {
        let mut cx = store.as_context_mut();
        let record = record(&cx.as_context(), ty)?;
        if !record.has_descriptor {
            return Err(Error::msg("a type of the standard has no RTTs below others"));
        }
        let engine = cx.inner.data().gc.engine.clone();
        let parent = self.any.word(&cx.as_context())?;
        with_heap(&mut cx.inner, |state, mem| state.sync_type(&engine, mem, record.index))??;
        let made = rtts::sub_of(&mut cx.inner, parent, record.rtt)?;
        Ok(Rtt { any: Rooted::new(&mut cx, made)? })
    }

    /// How many RTTs are above this one.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn depth(&self, store: impl AsContext) -> Result<u32> {
        let cx = store.as_context();
        let found = describe(&cx, self.any.word(&cx)?);
        Ok(found.map_or(0, |(depth, _)| depth))
    }

    /// Whether two RTTs are the same.
    ///
    /// # Errors
    ///
    /// When a handle's scope has ended, or the store is another.
    pub fn same(&self, store: impl AsContext, other: &Rtt) -> Result<bool> {
        Rooted::ref_eq(store, &self.any, &other.any)
    }

    /// Whether a reference is to an object that was allocated with this RTT or one below it, as `ref.test` tells.
    ///
    /// # Errors
    ///
    /// When a handle's scope has ended, or the store is another.
    pub fn test(&self, store: impl AsContext, value: Rooted<AnyRef>) -> Result<bool> {
        let cx = store.as_context();
        let (rtt, value) = (self.any.word(&cx)?, value.word(&cx)?);
        let Some(place) = cx.inner.data().gc.place.filter(|_| reference::is_object(value)) else { return Ok(false) };
        let bytes = place.memory.data(&cx.inner);
        let word = |at: u32| read_word(bytes, at);
        let depth = word(reference::header(rtt) + layout::RTT_DEPTH);
        let record = word(reference::header(value));
        let (Some(depth), Some(record)) = (depth, record) else { return Ok(false) };
        let deep = word(record.wrapping_add(layout::RTT_DEPTH)).is_some_and(|has| has >= depth);
        let entry = word(record.wrapping_add(layout::RTT_DISPLAY).wrapping_add(depth.wrapping_mul(4)));
        Ok(deep && entry == Some(reference::header(rtt)))
    }

    /// A new struct with this RTT: fields are zero or null, whatever their types say.
    ///
    /// # Errors
    ///
    /// When the RTT is not of a struct type, the GC heap is full, the handle's scope has ended, or the store is another.
    pub fn new_default(&self, mut store: impl AsContextMut) -> Result<Rooted<AnyRef>> {
        let mut cx = store.as_context_mut();
        let rtt = self.any.word(&cx.as_context())?;
        let found = describe(&cx.as_context(), rtt).filter(|(_, ty)| ty.kind == Kind::Struct);
        let (_, ty) = found.ok_or_else(|| Error::msg("the RTT is not of a struct type"))?;
        let object = with_heap(&mut cx.inner, |state, mem| {
            let object = state.heap.alloc_object(mem, &mut state.roots, &ty).map_err(alloc_error)?;
            // RTTs never move.
            let written = write_word(mem.bytes_mut(), reference::header(object), reference::header(rtt));
            written.ok_or_else(|| Error::new(crate::fault::Error::bug("a new object is out of bounds")))?;
            Ok::<u32, Error>(object)
        })??;
        Rooted::new(&mut cx, object)
    }
}

/// The record of a defined type.
fn record<T: 'static>(cx: &StoreContext<'_, T>, ty: &HeapType) -> Result<Arc<GcType>> {
    let id = ty.to_canon().concrete().ok_or_else(|| Error::msg("an abstract type has no RTT"))?;
    let record = cx.inner.data().gc.engine.gc_types.ensure_record(id);
    record.ok_or_else(|| Error::new(crate::types::TypesError::Full))
}
