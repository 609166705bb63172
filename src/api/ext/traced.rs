//! Host values that hold references without rooting them.
//!
//! A host value that holds an `OwnedRooted` keeps it whatever happens: if the object leads back to the host value,
//! both live as long as the store. A [`Member`] instead is alive only as long as its owner is, and the collector
//! follows it through the owner's [`Trace`].

use super::weak::handle;
use super::{heap, heap_of};
use crate::api::Result;
use crate::api::gc::{ExternRef, GcRef, Rooted};
use crate::api::store::{AsContext, AsContextMut};
use crate::layout::reference::NULL;
use crate::runtime::members;
use crate::runtime::store::{ensure_heap, with_heap};
use std::any::Any;
use std::marker::PhantomData;

/// A host value that holds references.
pub trait Trace: Any + Send + Sync {
    /// Visits each [`Member`] that this value holds, and does nothing else: it is called in the middle of a
    /// collection.
    ///
    /// A member that is not visited is dead from then on ([`Member::get`] finds nothing), which is no danger to
    /// anything else. After a panic in here the store's heap refuses all further work.
    fn trace(&self, tracer: &mut Tracer<'_>);
}

/// What [`Trace::trace`] shows its members to.
pub struct Tracer<'a> {
    store: u64,
    visit: &'a mut dyn FnMut(&members::Member),
}

impl std::fmt::Debug for Tracer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracer").finish_non_exhaustive()
    }
}

impl Tracer<'_> {
    /// Visits a member. Those of other stores are left out.
    pub fn visit<R: GcRef>(&mut self, member: &Member<R>) {
        if member.store == self.store {
            (self.visit)(&member.inner);
        }
    }
}

fn trace_of<V: Trace>(value: &(dyn Any + Send + Sync), tracer: &mut members::Tracer<'_>) {
    if let Some(value) = value.downcast_ref::<V>() {
        let store = tracer.store();
        value.trace(&mut Tracer { store, visit: &mut |member| tracer.visit(member) });
    }
}

/// A reference that is alive as long as the host value that it is in, or null.
///
/// Before that is made, or when the member was put into an older one and no major collection has visited it there,
/// the member is a root, as an `OwnedRooted` is. In a value without a [`Trace`] it stays one.
pub struct Member<R: GcRef> {
    store: u64,
    inner: members::Member,
    _to: PhantomData<fn() -> R>,
}

impl<R: GcRef> std::fmt::Debug for Member<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").field("store", &self.store).finish_non_exhaustive()
    }
}

impl<R: GcRef> Member<R> {
    /// A member that refers to something, or is null.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn new(mut store: impl AsContextMut, to: impl Into<Option<Rooted<R>>>) -> Result<Member<R>> {
        let mut cx = store.as_context_mut();
        let word = to.into().map(|to| to.word(&cx.as_context())).transpose()?.unwrap_or(NULL);
        let inner = heap(&mut cx)?.roots.members.new_member(word);
        Ok(Member { store: cx.inner.data().gc.id, inner, _to: PhantomData })
    }

    /// A handle to what the member refers to, in the present scope; `None` if it is null, or dead because its
    /// owner's trace did not visit it.
    ///
    /// # Errors
    ///
    /// When the store is another.
    pub fn get(&self, mut store: impl AsContextMut) -> Result<Option<Rooted<R>>> {
        let mut cx = store.as_context_mut();
        let word = heap_of(&mut cx, self.store)?.roots.members.get(&self.inner);
        handle(&mut cx, word.unwrap_or(NULL))
    }

    /// Sets what the member refers to.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn set(&self, mut store: impl AsContextMut, to: impl Into<Option<Rooted<R>>>) -> Result<()> {
        let mut cx = store.as_context_mut();
        let word = to.into().map(|to| to.word(&cx.as_context())).transpose()?.unwrap_or(NULL);
        heap_of(&mut cx, self.store)?.roots.members.set(&self.inner, word);
        Ok(())
    }
}

impl ExternRef {
    /// A reference to a new host value that holds references: what its trace visits is alive as long as this is.
    /// A cycle through it is collected like any other.
    ///
    /// [`ExternRef::data`] finds the value, as for [`ExternRef::new`].
    ///
    /// # Errors
    ///
    /// When the GC heap is full.
    pub fn new_traced<V: Trace>(mut store: impl AsContextMut, value: V) -> Result<Rooted<ExternRef>> {
        let mut cx = store.as_context_mut();
        ensure_heap(&mut cx.inner)?;
        let engine = cx.inner.data().gc.engine.clone();
        let mut value = Some(value);
        let make = |state: &mut crate::runtime::store::GcState, mem: &mut dyn crate::heap::HeapMemory| {
            state.new_host(&engine, mem, Some(trace_of::<V>), &mut || {
                value.take().map(|value| Box::new(value) as crate::runtime::hosts::HostValue)
            })
        };
        let word = with_heap(&mut cx.inner, make)??;
        Rooted::new(&mut cx, word)
    }
}
