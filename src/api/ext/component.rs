//! The heap for components: the host of the package `wasmtime-gc:heap` in `wit/`.
//!
//! Components are Wasmtime's own: they are compiled with [`Engine::wasmtime`], linked by
//! [`wasmtime::component::Linker`] and instantiated in [`Store::wasmtime_mut`](crate::api::Store::wasmtime_mut). Their
//! modules have no objects; what they hold of the heap are resources, each of which is a handle of a side table.
//!
//! The work is done by a small module (`src/intrinsics/component.wat`) into which the side table and the objects are
//! linked. So a call of a component is a call of lowered code with numbers, and the handle is the resource's
//! representation.

use crate::api::func::{TypedFunc, WasmParams, WasmResults};
use crate::api::store::StoreContextMut;
use crate::api::{AsContextMut, Engine, Error, Finalizers, Instance, Linker, Module, Result, StoreData, ext};
use crate::intrinsics;
use bindings::wasmtime_gc::heap::{finalizers, side_table, stats, weak};
use wasmtime::component::{self, Access, HasData, Resource};

#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "generated from `wit/heap.wit`, which has the documentation"
)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "guest",
        with: {
            "wasmtime-gc:heap/side-table.handle": super::Handle,
            "wasmtime-gc:heap/weak.weak-handle": super::WeakHandle,
        },
        imports: { default: store | trappable },
    });
}

/// What a resource of `side-table` stands for. It has no values: the handle is the resource's number.
#[derive(Debug)]
pub enum Handle {}

/// What a resource of `weak` stands for, in the same way.
#[derive(Debug)]
pub enum WeakHandle {}

/// The most references that an object of a component has, and the most bytes.
const MOST: u32 = 1 << 24;

/// What a store has for its components. It is made when a component first asks for something.
#[derive(Debug, Default)]
pub struct HeapHost {
    finalizers: Finalizers,
    functions: Option<Functions>,
}

/// The functions of the module that does the work.
#[derive(Debug, Clone)]
struct Functions {
    new: TypedFunc<(i32, i32), i32>,
    clone: TypedFunc<i32, i32>,
    release: TypedFunc<i32, ()>,
    same: TypedFunc<(i32, i32), i32>,
    references: TypedFunc<i32, i32>,
    bytes: TypedFunc<i32, i32>,
    get: TypedFunc<(i32, i32), i32>,
    set: TypedFunc<(i32, i32, i32), ()>,
    load: TypedFunc<(i32, i32), i32>,
    store: TypedFunc<(i32, i32, i32), ()>,
    register: TypedFunc<(i32, i32), ()>,
    weak: TypedFunc<i32, i32>,
    weak_get: TypedFunc<i32, i32>,
    weak_release: TypedFunc<i32, ()>,
    size: TypedFunc<(), i32>,
    capacity: TypedFunc<(), i32>,
}

/// Embedder's data that has a [`HeapHost`].
pub trait HeapView: 'static {
    /// The host.
    fn heap(&mut self) -> &mut HeapHost;
}

impl HeapView for HeapHost {
    fn heap(&mut self) -> &mut HeapHost {
        self
    }
}

impl HasData for HeapHost {
    type Data<'a> = &'a mut HeapHost;
}

impl HeapHost {
    /// A host without objects.
    pub fn new() -> HeapHost {
        HeapHost::default()
    }

    /// Defines the interfaces of the package in a linker of components.
    ///
    /// # Errors
    ///
    /// When a name is taken.
    pub fn add_to_linker<T: HeapView>(linker: &mut component::Linker<StoreData<T>>) -> Result<()> {
        fn heap<T: HeapView>(data: &mut StoreData<T>) -> &mut HeapHost {
            data.data_mut().heap()
        }
        side_table::add_to_linker::<StoreData<T>, HeapHost>(linker, heap)?;
        weak::add_to_linker::<StoreData<T>, HeapHost>(linker, heap)?;
        finalizers::add_to_linker::<StoreData<T>, HeapHost>(linker, heap)?;
        stats::add_to_linker::<StoreData<T>, HeapHost>(linker, heap)
    }

    /// How many handles are live.
    ///
    /// # Errors
    ///
    /// When the store can not run.
    pub fn size<T: HeapView>(mut store: impl AsContextMut<Data = T>) -> Result<i32> {
        let mut cx = store.as_context_mut();
        let functions = functions(&mut cx)?;
        functions.size.call(&mut cx, ())
    }
}

/// The functions of a store, which are made if there are none.
fn functions<T: HeapView>(cx: &mut StoreContextMut<'_, T>) -> Result<Functions> {
    if let Some(functions) = &cx.data_mut().heap().functions {
        return Ok(functions.clone());
    }
    let functions = instantiate(cx)?;
    cx.data_mut().heap().functions = Some(functions.clone());
    Ok(functions)
}

fn instantiate<T: HeapView>(cx: &mut StoreContextMut<'_, T>) -> Result<Functions> {
    let engine: Engine = cx.engine().clone();
    let module = Module::from_binary(&engine, &intrinsics::component().map_err(Error::new)?)?;
    let reports = cx.data_mut().heap().finalizers.clone();
    let mut linker = Linker::new(&engine);
    ext::add_to_linker(&mut linker)?;
    Finalizers::token_to_linker(&mut linker, move |_| reports.clone())?;
    let instance = linker.instantiate(&mut *cx, &module)?;
    Ok(Functions {
        new: func(cx, &instance, "new")?,
        clone: func(cx, &instance, "clone")?,
        release: func(cx, &instance, "release")?,
        same: func(cx, &instance, "same")?,
        references: func(cx, &instance, "references")?,
        bytes: func(cx, &instance, "bytes")?,
        get: func(cx, &instance, "get")?,
        set: func(cx, &instance, "set")?,
        load: func(cx, &instance, "load")?,
        store: func(cx, &instance, "store")?,
        register: func(cx, &instance, "register")?,
        weak: func(cx, &instance, "weak")?,
        weak_get: func(cx, &instance, "weak_get")?,
        weak_release: func(cx, &instance, "weak_release")?,
        size: func(cx, &instance, "size")?,
        capacity: func(cx, &instance, "capacity")?,
    })
}

fn func<T: 'static, Params: WasmParams, Results: WasmResults>(
    cx: &mut StoreContextMut<'_, T>,
    instance: &Instance,
    name: &str,
) -> Result<TypedFunc<Params, Results>> {
    instance.get_typed_func(cx, name)
}

/// A call of a component: the store, and the functions.
fn enter<'a, T: HeapView>(
    access: &'a mut Access<'_, StoreData<T>, HeapHost>,
) -> Result<(StoreContextMut<'a, T>, Functions)> {
    let mut cx = StoreContextMut { inner: wasmtime::AsContextMut::as_context_mut(access) };
    let functions = functions(&mut cx)?;
    Ok((cx, functions))
}

fn raw(handle: &Resource<Handle>) -> i32 {
    handle.rep() as i32
}

fn owned(handle: i32) -> Resource<Handle> {
    Resource::new_own(handle as u32)
}

/// Checks an index or the end of a range.
fn check(what: &str, at: u64, below: i32) -> Result<()> {
    if at < u64::from(below as u32) {
        return Ok(());
    }
    Err(Error::msg(format!("{what} {at} is out of range: the object has {below}")))
}

impl<T: HeapView> side_table::HostHandleWithStore<StoreData<T>> for HeapHost {
    fn new(mut host: Access<'_, StoreData<T>, Self>, references: u32, bytes: u32) -> Result<Resource<Handle>> {
        if references >= MOST || bytes >= MOST {
            return Err(Error::msg(format!("an object has fewer than {MOST} references and fewer than {MOST} bytes")));
        }
        let (mut cx, functions) = enter(&mut host)?;
        functions.new.call(&mut cx, (references as i32, bytes as i32)).map(owned)
    }

    fn clone(mut host: Access<'_, StoreData<T>, Self>, handle: Resource<Handle>) -> Result<Resource<Handle>> {
        let (mut cx, functions) = enter(&mut host)?;
        functions.clone.call(&mut cx, raw(&handle)).map(owned)
    }

    fn same(
        mut host: Access<'_, StoreData<T>, Self>,
        handle: Resource<Handle>,
        other: Resource<Handle>,
    ) -> Result<bool> {
        let (mut cx, functions) = enter(&mut host)?;
        Ok(functions.same.call(&mut cx, (raw(&handle), raw(&other)))? != 0)
    }

    fn references(mut host: Access<'_, StoreData<T>, Self>, handle: Resource<Handle>) -> Result<u32> {
        let (mut cx, functions) = enter(&mut host)?;
        Ok(functions.references.call(&mut cx, raw(&handle))? as u32)
    }

    fn bytes(mut host: Access<'_, StoreData<T>, Self>, handle: Resource<Handle>) -> Result<u32> {
        let (mut cx, functions) = enter(&mut host)?;
        Ok(functions.bytes.call(&mut cx, raw(&handle))? as u32)
    }

    fn get(
        mut host: Access<'_, StoreData<T>, Self>,
        handle: Resource<Handle>,
        index: u32,
    ) -> Result<Option<Resource<Handle>>> {
        let (mut cx, functions) = enter(&mut host)?;
        let handle = raw(&handle);
        check("reference", index.into(), functions.references.call(&mut cx, handle)?)?;
        let found = functions.get.call(&mut cx, (handle, index as i32))?;
        Ok((found != -1).then(|| owned(found)))
    }

    fn set(
        mut host: Access<'_, StoreData<T>, Self>,
        handle: Resource<Handle>,
        index: u32,
        to: Option<Resource<Handle>>,
    ) -> Result<()> {
        let (mut cx, functions) = enter(&mut host)?;
        let handle = raw(&handle);
        check("reference", index.into(), functions.references.call(&mut cx, handle)?)?;
        functions.set.call(&mut cx, (handle, index as i32, to.map_or(-1, |to| raw(&to))))
    }

    fn read(
        mut host: Access<'_, StoreData<T>, Self>,
        handle: Resource<Handle>,
        offset: u32,
        length: u32,
    ) -> Result<Vec<u8>> {
        let (mut cx, functions) = enter(&mut host)?;
        let handle = raw(&handle);
        if let Some(last) = length.checked_sub(1) {
            let last = u64::from(offset) + u64::from(last);
            check("byte", last, functions.bytes.call(&mut cx, handle)?)?;
        }
        let byte = |at: u32| Ok(functions.load.call(&mut cx, (handle, at as i32))? as u8);
        (0..length).map(|n| offset + n).map(byte).collect()
    }

    fn write(
        mut host: Access<'_, StoreData<T>, Self>,
        handle: Resource<Handle>,
        offset: u32,
        bytes: Vec<u8>,
    ) -> Result<()> {
        let (mut cx, functions) = enter(&mut host)?;
        let handle = raw(&handle);
        if let Some(last) = bytes.len().checked_sub(1) {
            check("byte", u64::from(offset) + last as u64, functions.bytes.call(&mut cx, handle)?)?;
        }
        // Bytes first: a range that starts at the largest number must not be asked where there are none.
        for (byte, at) in bytes.into_iter().zip(offset..) {
            functions.store.call(&mut cx, (handle, at as i32, byte.into()))?;
        }
        Ok(())
    }

    fn drop(mut host: Access<'_, StoreData<T>, Self>, handle: Resource<Handle>) -> Result<()> {
        let (mut cx, functions) = enter(&mut host)?;
        functions.release.call(&mut cx, raw(&handle))
    }
}

impl<T: HeapView> side_table::HostWithStore<StoreData<T>> for HeapHost {
    fn size(mut host: Access<'_, StoreData<T>, Self>) -> Result<u32> {
        let (mut cx, functions) = enter(&mut host)?;
        Ok(functions.size.call(&mut cx, ())? as u32)
    }

    fn capacity(mut host: Access<'_, StoreData<T>, Self>) -> Result<u32> {
        let (mut cx, functions) = enter(&mut host)?;
        Ok(functions.capacity.call(&mut cx, ())? as u32)
    }
}

impl<T: HeapView> weak::HostWeakHandleWithStore<StoreData<T>> for HeapHost {
    fn new(mut host: Access<'_, StoreData<T>, Self>, to: Resource<Handle>) -> Result<Resource<WeakHandle>> {
        let (mut cx, functions) = enter(&mut host)?;
        let handle = functions.weak.call(&mut cx, raw(&to))?;
        Ok(Resource::new_own(handle as u32))
    }

    fn get(mut host: Access<'_, StoreData<T>, Self>, handle: Resource<WeakHandle>) -> Result<Option<Resource<Handle>>> {
        let (mut cx, functions) = enter(&mut host)?;
        let found = functions.weak_get.call(&mut cx, handle.rep() as i32)?;
        Ok((found != -1).then(|| owned(found)))
    }

    fn drop(mut host: Access<'_, StoreData<T>, Self>, handle: Resource<WeakHandle>) -> Result<()> {
        let (mut cx, functions) = enter(&mut host)?;
        functions.weak_release.call(&mut cx, handle.rep() as i32)
    }
}

impl<T: HeapView> finalizers::HostWithStore<StoreData<T>> for HeapHost {
    fn register(mut host: Access<'_, StoreData<T>, Self>, target: Resource<Handle>, number: i32) -> Result<()> {
        let (mut cx, functions) = enter(&mut host)?;
        functions.register.call(&mut cx, (raw(&target), number))
    }

    fn next(mut host: Access<'_, StoreData<T>, Self>) -> Result<Option<i32>> {
        Ok(host.get().finalizers.next_report())
    }
}

impl<T: HeapView> stats::HostWithStore<StoreData<T>> for HeapHost {
    fn collect(mut host: Access<'_, StoreData<T>, Self>) -> Result<()> {
        enter(&mut host)?.0.gc(None)
    }

    fn minor_collections(mut host: Access<'_, StoreData<T>, Self>) -> Result<u64> {
        Ok(enter(&mut host)?.0.heap_stats().minor)
    }

    fn major_collections(mut host: Access<'_, StoreData<T>, Self>) -> Result<u64> {
        Ok(enter(&mut host)?.0.heap_stats().major)
    }

    fn allocated_bytes(mut host: Access<'_, StoreData<T>, Self>) -> Result<u64> {
        Ok(enter(&mut host)?.0.heap_stats().allocated_bytes)
    }

    fn live_bytes(mut host: Access<'_, StoreData<T>, Self>) -> Result<u64> {
        Ok(enter(&mut host)?.0.heap_stats().live_after_major)
    }

    fn heap_bytes(mut host: Access<'_, StoreData<T>, Self>) -> Result<u64> {
        Ok(enter(&mut host)?.0.heap_stats().heap_bytes)
    }
}

impl side_table::Host for &mut HeapHost {}
impl side_table::HostHandle for &mut HeapHost {}
impl weak::Host for &mut HeapHost {}
impl weak::HostWeakHandle for &mut HeapHost {}
impl finalizers::Host for &mut HeapHost {}
impl stats::Host for &mut HeapHost {}
