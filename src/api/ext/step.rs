//! Collecting a little: collections whose length is bounded.

use crate::api::Result;
use crate::api::store::AsContextMut;
use crate::heap::CollectKind;
use crate::runtime::store::{alloc_error, with_heap};
use std::time::Duration;

/// Collects young objects only: those allocated since the last collection. The time is bounded by the nursery's
/// size ([`Config::gc_nursery_size`](crate::Config::gc_nursery_size)) and that of the roots, whatever the heap's
/// size is; an embedder calls it where a pause does no harm, so that none comes where it does.
///
/// It becomes a major collection when memory is so short that young objects can not be promoted, and when the program has
/// stored more references into old objects since the last collection than there was room to remember.
///
/// While a major collection marks in steps ([`Config::gc_incremental`](crate::Config::gc_incremental)), this does the
/// next step too. [`gc_step`] does as much as there is time for.
///
/// # Errors
///
/// When the heap is corrupt, which is a bug.
pub fn gc_young(mut store: impl AsContextMut) -> Result<()> {
    let mut cx = store.as_context_mut();
    if cx.inner.data().gc.place.is_none() {
        return Ok(());
    }
    with_heap(&mut cx.inner, |state, mem| state.heap.collect(mem, &mut state.roots, CollectKind::Minor))?
        .map_err(alloc_error)
}

/// Collects for about as long as `deadline` allows: the nursery first, then all of the heap, in steps. A major collection
/// that is under way goes on, else one begins. Whether it has come to its end, that is, whether all that was
/// unreachable when it began is freed; if not, another call goes on, or the program's own minor collections do.
///
/// An embedder calls it where it has time: between two requests, or while it waits for the next frame.
///
/// The deadline bounds marking. What is not divided is done whatever it is: the collection of the nursery (see
/// [`gc_young`]) at each call, and at the end the treatment of weak references, ephemerons, finalizers and host values,
/// and the sweep, which take time in proportion to their number and to the heap's length. With a deadline of zero
/// a call does a step of some microseconds. No object moves but young ones; when memory is so short that these can not, or
/// references that were stored could not be remembered (see there), a whole major collection is done at once.
///
/// Finalizers do not run here but at the next safe point, as after any collection of the program's own.
///
/// In an epoch callback and in a call hook nothing is collected: there it says at once that all is done.
///
/// ```
/// use std::time::Duration;
/// use wasmtime_gc::ext::{WeakRef, gc_step};
/// use wasmtime_gc::{Engine, ExternRef, RootScope, Store};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut store = Store::new(&Engine::default(), ());
/// let weak = {
///     let mut scope = RootScope::new(&mut store);
///     let value = ExternRef::new(&mut scope, "of no use any more")?;
///     WeakRef::new(&mut scope, &value)?
/// };
/// // Between two requests:
/// while !gc_step(&mut store, Duration::from_micros(500))? {}
/// assert!(weak.upgrade(&mut store)?.is_none());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// When the heap is corrupt, which is a bug.
pub fn gc_step(mut store: impl AsContextMut, deadline: Duration) -> Result<bool> {
    let mut cx = store.as_context_mut();
    if cx.inner.data().gc.place.is_none() {
        return Ok(true);
    }
    with_heap(&mut cx.inner, |state, mem| state.heap.step(mem, &mut state.roots, deadline))?.map_err(alloc_error)
}
