//! External references: values of the host.
//!
//! A host value is dropped when a major collection finds that nothing refers to it. Guests can turn
//! internal references into external ones (`extern.convert_any`); such an `externref` holds no host
//! value.

use super::AnyRef;
use super::rooting::{GcRef, Rooted, sealed};
use crate::api::Result;
use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::runtime::store::{ensure_heap, with_heap};
use std::any::Any;

/// A value of the host that guests can hold, pass and compare, but not look into.
#[derive(Debug)]
pub struct ExternRef(());

impl sealed::Sealed for ExternRef {}
impl GcRef for ExternRef {}

impl ExternRef {
    /// A reference to a new host value.
    ///
    /// # Errors
    ///
    /// When the GC heap is full.
    pub fn new<V: 'static + Any + Send + Sync>(mut store: impl AsContextMut, value: V) -> Result<Rooted<ExternRef>> {
        let mut cx = store.as_context_mut();
        ensure_heap(&mut cx.inner)?;
        let engine = cx.inner.data().gc.engine.clone();
        let word = with_heap(&mut cx.inner, |state, mem| state.new_host(&engine, mem, Box::new(value), None))??;
        Rooted::new(&mut cx, word)
    }

    /// The same object as an external reference (`extern.convert_any`).
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn convert_any(mut store: impl AsContextMut, any: Rooted<AnyRef>) -> Result<Rooted<ExternRef>> {
        any.word(&store.as_context_mut().as_context())?;
        Ok(any.cast())
    }
}

impl Rooted<ExternRef> {
    /// The host value; `None` if this is an internal reference that a guest made external.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn data<'a, T: 'static>(
        &self,
        store: impl Into<StoreContext<'a, T>>,
    ) -> Result<Option<&'a (dyn Any + Send + Sync)>> {
        let cx = store.into();
        let word = self.word(&cx)?;
        // The contexts' lifetime is that of the store, so the value's is too.
        let data = wasmtime::StoreContext::data(&cx.inner);
        let Some(place) = data.gc.place else { return Ok(None) };
        let Some(state) = data.gc.state() else { return Ok(None) };
        let slot = state.host_slot_in(place.memory.data(&cx.inner), word);
        Ok(slot.and_then(|slot| state.roots.hosts.get(slot)).map(|value| &**value))
    }

    /// The host value, to change; `None` as for [`Rooted::data`].
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn data_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<Option<&'a mut (dyn Any + Send + Sync)>> {
        let cx = store.into();
        let word = self.word(&cx.as_context())?;
        let Some(place) = cx.inner.data().gc.place else { return Ok(None) };
        let (bytes, data) = place.memory.data_and_store_mut(cx.inner);
        let Some(state) = data.gc.state_mut() else { return Ok(None) };
        let slot = state.host_slot_in(bytes, word);
        Ok(slot.and_then(|slot| state.roots.hosts.get_mut(slot)).map(|value| &mut **value))
    }
}
