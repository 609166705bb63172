//! External references: values of the host.
//!
//! A host value is dropped when a major collection finds that nothing refers to it. Guests can turn
//! internal references into external ones (`extern.convert_any`); such an `externref` holds no host
//! value.

use super::AnyRef;
use super::rooting::{Rooted, gc_ref, sealed::GcRefImpl};
use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::api::{Error, GcHeapOutOfMemory, Result};
use crate::runtime::hosts::HostValue;
use crate::runtime::ready::patiently;
use crate::runtime::store::{StoreData, ensure_heap, with_heap};
use std::any::Any;

gc_ref! {
    /// A value of the host that guests can hold, pass and compare, but not look into.
    ///
    /// ```
    /// use wasmtime_gc::{ExternRef, Instance, Module, Rooted, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let module = Module::new(
    ///     store.engine(),
    ///     r#"(module
    ///         (table (export "shelf") 1 externref)
    ///         (func (export "put") (param externref) (table.set 0 (i32.const 0) (local.get 0)))
    ///         (func (export "take") (result externref) (table.get 0 (i32.const 0))))"#,
    /// )?;
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let put = instance.get_typed_func::<Option<Rooted<ExternRef>>, ()>(&mut store, "put")?;
    /// let take = instance.get_typed_func::<(), Option<Rooted<ExternRef>>>(&mut store, "take")?;
    ///
    /// let value = ExternRef::new(&mut store, vec![1, 2, 3])?;
    /// put.call(&mut store, Some(value))?;
    /// let back = take.call(&mut store, ())?.unwrap();
    /// back.data_mut(&mut store)?.and_then(|data| data.downcast_mut::<Vec<i32>>()).unwrap().push(4);
    /// let data = value.data(&store)?.and_then(|data| data.downcast_ref::<Vec<i32>>());
    /// assert_eq!(data, Some(&vec![1, 2, 3, 4]));
    /// # Ok(())
    /// # }
    /// ```
    ExternRef
}

impl ExternRef {
    /// A reference to a new host value.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use wasmtime_gc::{ExternRef, GcHeapOutOfMemory, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let shared = Arc::new("a host value");
    /// let made = match ExternRef::new(&mut store, shared.clone()) {
    ///     Ok(made) => made,
    ///     Err(err) => {
    ///         // A full heap gives the value back. Collect, and try again once.
    ///         let oom: GcHeapOutOfMemory<Arc<&str>> = err.downcast()?;
    ///         let (value, why) = oom.take_inner();
    ///         store.gc(Some(&why))?;
    ///         ExternRef::new(&mut store, value)?
    ///     }
    /// };
    /// assert!(made.data(&store)?.is_some_and(|data| data.is::<Arc<&str>>()));
    /// assert_eq!(Arc::strong_count(&shared), 2);
    /// drop(store);
    /// assert_eq!(Arc::strong_count(&shared), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the GC heap is full: then the error is a [`GcHeapOutOfMemory`] that holds the value.
    pub fn new<T: 'static + Any + Send + Sync>(mut store: impl AsContextMut, value: T) -> Result<Rooted<ExternRef>> {
        let mut cx = store.as_context_mut();
        ensure_heap(&mut cx.inner)?;
        let engine = cx.inner.data().gc.engine.clone();
        // The value is given away only when there is an object for it.
        let mut value = Some(value);
        let word = with_heap(&mut cx.inner, |state, mem| {
            state.new_host(&engine, mem, None, &mut || value.take().map(|value| Box::new(value) as HostValue))
        })?;
        match (word, value) {
            (Ok(word), _) => Rooted::new(&mut cx, word),
            (Err(err), Some(value)) => Err(match err.downcast_ref::<GcHeapOutOfMemory<()>>() {
                Some(oom) => Error::new(GcHeapOutOfMemory::new(value, oom.bytes_needed())),
                None => err,
            }),
            (Err(err), None) => Err(err),
        }
    }

    /// The same as [`ExternRef::new`], in a store whose limiter is asynchronous.
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    /// use wasmtime_gc::{ExternRef, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let made = {
    ///     let mut made = pin!(ExternRef::new_async(&mut store, 9));
    ///     let Poll::Ready(made) = made.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
    ///         panic!("there is no limiter to wait for")
    ///     };
    ///     made?
    /// };
    /// assert_eq!(made.data(&store)?.and_then(|data| data.downcast_ref()), Some(&9));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`ExternRef::new`].
    pub async fn new_async<T: 'static + Any + Send + Sync>(
        mut store: impl AsContextMut,
        value: T,
    ) -> Result<Rooted<ExternRef>> {
        let mut value = Some(value);
        let attempt = |inner: wasmtime::StoreContextMut<'_, StoreData<_>>| {
            let of = value.take().ok_or_else(|| Error::new(crate::fault::Error::bug("a host value was given away")))?;
            ExternRef::new(StoreContextMut { inner }, of).map_err(|err| match err.downcast::<GcHeapOutOfMemory<T>>() {
                Ok(oom) => {
                    let (of, oom) = oom.take_inner();
                    value = Some(of);
                    Error::new(oom)
                }
                Err(err) => err,
            })
        };
        let made = patiently(store.as_context_mut().inner, attempt).await;
        made.map_err(|err| match (err.downcast::<GcHeapOutOfMemory<()>>(), value) {
            (Ok(oom), Some(value)) => Error::new(GcHeapOutOfMemory::new(value, oom.bytes_needed())),
            (Ok(oom), None) => Error::new(oom),
            (Err(err), _) => err,
        })
    }

    /// The same object as an external reference (`extern.convert_any`).
    ///
    /// ```
    /// use wasmtime_gc::{ExternRef, Rooted, Store, StructRef, StructRefPre, StructType};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let empty = StructType::new(store.engine(), [])?;
    /// let pre = StructRefPre::new(&mut store, empty);
    /// let object = StructRef::new(&mut store, &pre, &[])?.to_anyref();
    /// let outside = ExternRef::convert_any(&mut store, object)?;
    /// assert!(outside.data(&store)?.is_none(), "it is a guest's object still, and holds no host value");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn convert_any(mut store: impl AsContextMut, any: Rooted<AnyRef>) -> Result<Rooted<ExternRef>> {
        let mut cx = store.as_context_mut();
        let word = any.word(&cx.as_context())?;
        Rooted::new(&mut cx, word)
    }

    /// The host value; `None` if this is an internal reference that a guest made external.
    ///
    /// ```
    /// use wasmtime_gc::{ExternRef, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let name = ExternRef::new(&mut store, String::from("Ada"))?;
    /// let data = name.data(&store)?.expect("it was made from a host value");
    /// assert_eq!(data.downcast_ref::<String>().map(String::as_str), Some("Ada"));
    /// assert!(data.downcast_ref::<u8>().is_none(), "which is of another type");
    /// # Ok(())
    /// # }
    /// ```
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

    /// The host value, to change; `None` as for [`ExternRef::data`].
    ///
    /// ```
    /// use wasmtime_gc::{ExternRef, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let count = ExternRef::new(&mut store, 1u64)?;
    /// for _ in 0..3 {
    ///     let data = count.data_mut(&mut store)?.expect("it was made from a host value");
    ///     *data.downcast_mut::<u64>().expect("a number") *= 2;
    /// }
    /// assert_eq!(count.data(&store)?.and_then(|data| data.downcast_ref()), Some(&8u64));
    /// # Ok(())
    /// # }
    /// ```
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
