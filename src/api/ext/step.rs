//! Collecting a little: the part of a collection whose length is bounded.

use crate::api::Result;
use crate::api::store::AsContextMut;
use crate::heap::CollectKind;
use crate::runtime::store::{alloc_error, with_heap};

/// Collects young objects only: those allocated since the last collection. The time is bounded by the nursery's
/// size ([`Config::gc_nursery_size`](crate::Config::gc_nursery_size)) and that of the roots, whatever the heap's
/// size is; an embedder calls it where a pause does no harm, so that none comes where it does.
///
/// It becomes a major collection when memory is so short that young objects can not be promoted. A major collection
/// is one pause; `docs/heap.md` says what a bounded step of one would take.
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
