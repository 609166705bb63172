//! Weak references, finalizers and the rest for modules, as imports of the module [`MODULE`].
//!
//! ```text
//! weak_new           (param (ref any)) (result (ref extern))   a weak reference
//! weak_get           (param externref) (result anyref)         what it refers to; null once that is dead
//! map_new            (result (ref extern))                     an ephemeron map
//! map_set            (param externref (ref any) anyref)        sets the value of a key
//! map_get            (param externref (ref any)) (result anyref)
//! map_delete         (param externref (ref any)) (result i32)  1 if the key had a value that was not null
//! registry_new       (result (ref extern))                     a finalization registry
//! registry_register  (param externref (ref any) anyref) (result i64)   target, held: a registration
//! registry_unregister (param externref i64) (result i32)       1 if the target was not found dead before
//! registry_take      (param externref) (result anyref i32)     what was held for the next dead target, and 1;
//!                                                              or null and 0
//! collect                                                      a major collection
//! minor_collections, major_collections, allocated_bytes, live_bytes, heap_bytes,
//! pause_max_ns, pause_total_ns   (result i64)                  statistics of the heap
//! ```
//!
//! A registry calls nobody: the module asks, when it suits it. External references are converted
//! (`any.convert_extern`). A wrong kind of external reference, a null one, and a key or target that is an i31 are
//! errors, which trap the module.
//!
//! A store has four million weak references, and as many entries of ephemeron maps, at most that its guests made: then
//! there are no new ones, which is an error too.
//!
//! They let a guest see when collections happen, and cause them. So they are there only if the embedder says so.

use super::{EphemeronMap, FinalizationRegistry, Registration, WeakRef, heap};
use crate::api::func::Caller;
use crate::api::gc::{AnyRef, ExternRef, Rooted};
use crate::api::store::{AsContextMut, StoreContext};
use crate::api::{Error, Linker, Result};
use crate::heap::{Heap, HeapStats};
use std::any::Any;

/// The name of the module that is imported from.
pub const MODULE: &str = "wasmtime_gc";

/// How many registrations and reports a store may have before its guests get no more: as many as a side table has
/// handles; and so many weak references, and so many ephemeron maps and entries of them. They take memory of the host
/// that the limit of the heap does not count.
const MOST: usize = 1 << 22;

type Anything = Option<Rooted<AnyRef>>;
type External = Option<Rooted<ExternRef>>;
type Map = EphemeronMap<AnyRef, AnyRef>;
type Registry = FinalizationRegistry<AnyRef>;

/// Defines the functions of this module's documentation.
///
/// # Errors
///
/// When a name is taken.
pub fn add_to_linker<T: 'static>(linker: &mut Linker<T>) -> Result<()> {
    add_weak(linker)?;
    add_maps(linker)?;
    add_registries(linker)?;
    linker.func_wrap(MODULE, "collect", |mut caller: Caller<'_, T>| caller.as_context_mut().gc(None))?;
    add_statistics(linker)
}

/// The host value behind an external reference.
fn value<T: 'static, V: Any + Clone>(caller: &Caller<'_, T>, of: External, what: &str) -> Result<V> {
    let wrong = || Error::msg(format!("the reference is not to {what} of `{MODULE}`"));
    let data = of.ok_or_else(wrong)?.data(StoreContext::from(caller))?;
    data.and_then(|data| data.downcast_ref::<V>()).cloned().ok_or_else(wrong)
}

/// Checks that a guest may have one more of something. Those that are garbage are found out before it may not.
fn room<T: 'static>(caller: &mut Caller<'_, T>, count: fn(&mut Heap, usize) -> usize, what: &str) -> Result<()> {
    let full =
        |caller: &mut Caller<'_, T>| Ok::<_, Error>(count(&mut heap(&mut caller.as_context_mut())?.heap, MOST) >= MOST);
    if full(caller)? {
        caller.gc(None)?;
        if full(caller)? {
            return Err(Error::msg(format!(
                "too many {what}: a store has {MOST} at most; drop those that are not needed"
            )));
        }
    }
    Ok(())
}

fn add_weak<T: 'static>(linker: &mut Linker<T>) -> Result<()> {
    linker.func_wrap(MODULE, "weak_new", |mut caller: Caller<'_, T>, to: Rooted<AnyRef>| {
        room(&mut caller, Heap::weak_refs, "weak references")?;
        let weak = WeakRef::new(&mut caller, &to)?;
        ExternRef::new(&mut caller, weak)
    })?;
    linker.func_wrap(MODULE, "weak_get", |mut caller: Caller<'_, T>, weak: External| {
        value::<T, WeakRef<AnyRef>>(&caller, weak, "a weak reference")?.upgrade(&mut caller)
    })?;
    Ok(())
}

fn add_maps<T: 'static>(linker: &mut Linker<T>) -> Result<()> {
    let map = |caller: &Caller<'_, T>, map| value::<T, Map>(caller, map, "an ephemeron map");
    linker.func_wrap(MODULE, "map_new", |mut caller: Caller<'_, T>| {
        room(&mut caller, Heap::ephemeron_entries, "ephemeron maps and entries in them")?;
        let map = Map::new(&mut caller)?;
        ExternRef::new(&mut caller, map)
    })?;
    linker.func_wrap(
        MODULE,
        "map_set",
        move |mut caller: Caller<'_, T>, of: External, key: Rooted<AnyRef>, value: Anything| {
            let map = map(&caller, of)?;
            match value {
                Some(value) => {
                    room(&mut caller, Heap::ephemeron_entries, "ephemeron maps and entries in them")?;
                    map.insert(&mut caller, &key, &value).map(drop)
                }
                None => map.remove(&mut caller, &key).map(drop),
            }
        },
    )?;
    linker.func_wrap(MODULE, "map_get", move |mut caller: Caller<'_, T>, of: External, key: Rooted<AnyRef>| {
        map(&caller, of)?.get(&mut caller, &key)
    })?;
    linker.func_wrap(MODULE, "map_delete", move |mut caller: Caller<'_, T>, of: External, key: Rooted<AnyRef>| {
        Ok(i32::from(map(&caller, of)?.remove(&mut caller, &key)?.is_some()))
    })?;
    Ok(())
}

fn add_registries<T: 'static>(linker: &mut Linker<T>) -> Result<()> {
    let registry = |caller: &Caller<'_, T>, of| value::<T, Registry>(caller, of, "a finalization registry");
    linker.func_wrap(MODULE, "registry_new", |mut caller: Caller<'_, T>| {
        let registry = Registry::with_queue(&mut caller.as_context_mut(), false)?;
        ExternRef::new(&mut caller, registry)
    })?;
    linker.func_wrap(
        MODULE,
        "registry_register",
        move |mut caller: Caller<'_, T>, of: External, target: Rooted<AnyRef>, held: Anything| {
            let registry = registry(&caller, of)?;
            if heap(&mut caller.as_context_mut())?.heap.finalizers() >= MOST {
                return Err(Error::msg("too many finalizers: unregister, or take the reports of those that have died"));
            }
            let Registration(number) = registry.register(&mut caller, &target, held)?;
            Ok(number)
        },
    )?;
    linker.func_wrap(MODULE, "registry_unregister", move |mut caller: Caller<'_, T>, of: External, number: u64| {
        Ok(i32::from(registry(&caller, of)?.unregister(&mut caller, Registration(number))?))
    })?;
    linker.func_wrap(MODULE, "registry_take", move |mut caller: Caller<'_, T>, of: External| {
        let held = registry(&caller, of)?.take(&mut caller.as_context_mut())?;
        let found = i32::from(held.is_some());
        Ok((held.flatten(), found))
    })?;
    Ok(())
}

fn add_statistics<T: 'static>(linker: &mut Linker<T>) -> Result<()> {
    let nanoseconds = |duration: std::time::Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let mut add = |name, of: fn(&HeapStats, &dyn Fn(std::time::Duration) -> u64) -> u64| {
        let read = move |caller: Caller<'_, T>| of(&StoreContext::from(&caller).heap_stats(), &nanoseconds);
        linker.func_wrap(MODULE, name, read).map(drop)
    };
    add("minor_collections", |stats, _| stats.minor)?;
    add("major_collections", |stats, _| stats.major)?;
    add("allocated_bytes", |stats, _| stats.allocated_bytes)?;
    add("live_bytes", |stats, _| stats.live_after_major)?;
    add("heap_bytes", |stats, _| stats.heap_bytes)?;
    add("pause_max_ns", |stats, ns| ns(stats.pause_max))?;
    add("pause_total_ns", |stats, ns| ns(stats.pause_total))
}
