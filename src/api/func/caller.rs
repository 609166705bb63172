//! What a host function sees of its caller.

use crate::api::externals::Extern;
use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::api::{Engine, ExnRef, GcHeapOutOfMemory, ModuleExport, Result, Rooted};
use crate::layout::names;
use crate::runtime::store::{StoreData, collect};
use wasmtime as w;

/// The store that a host function is called in, and the exports of its caller.
pub struct Caller<'a, T: 'static> {
    inner: &'a mut (dyn Lent<T> + 'a),
}

// SAFETY: what is lent is always an engine's caller of these types, see `Caller::lend`, and the bound asks whether that
// may be sent.
#[expect(unsafe_code, reason = "a trait object can not depend on whether `T` may be sent")]
unsafe impl<'a, T: 'static> Send for Caller<'a, T> where w::Caller<'a, StoreData<T>>: Send {}

// SAFETY: the same for being shared.
#[expect(unsafe_code, reason = "a trait object can not depend on whether `T` may be shared")]
unsafe impl<'a, T: 'static> Sync for Caller<'a, T> where w::Caller<'a, StoreData<T>>: Sync {}

/// A caller that is needed again when the host function has returned.
trait Lent<T: 'static> {
    fn export(&mut self, name: &str) -> Option<w::Extern>;
    fn user_mut(&mut self) -> &mut StoreData<T>;
    fn cx(&self) -> w::StoreContext<'_, StoreData<T>>;
    fn cx_mut(&mut self) -> w::StoreContextMut<'_, StoreData<T>>;
}

impl<T: 'static> Lent<T> for w::Caller<'_, StoreData<T>> {
    fn export(&mut self, name: &str) -> Option<w::Extern> {
        self.get_export(name)
    }

    fn user_mut(&mut self) -> &mut StoreData<T> {
        self.data_mut()
    }

    fn cx(&self) -> w::StoreContext<'_, StoreData<T>> {
        w::AsContext::as_context(self)
    }

    fn cx_mut(&mut self) -> w::StoreContextMut<'_, StoreData<T>> {
        w::AsContextMut::as_context_mut(self)
    }
}

impl<'a, T: 'static> Caller<'a, T> {
    pub(in crate::api) fn lend<'b: 'a>(inner: &'a mut w::Caller<'b, StoreData<T>>) -> Caller<'a, T> {
        Caller { inner }
    }

    /// What the caller's instance exports under a name. Nothing, if the caller is no WebAssembly.
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        if name == names::INSTANCE_EXPORT {
            return None;
        }
        if let Some(native) = self.inner.export(name) {
            return Extern::of_native(native);
        }
        // What lives in the heap the engine does not know.
        let number = self.inner.export(names::INSTANCE_EXPORT)?.into_global()?;
        let number = number.get(self.inner.cx_mut()).i32()?;
        let gc = &self.inner.cx().data().gc;
        let cells = gc.export_cells.get(number as usize)?.clone();
        Extern::of_export(gc.id, cells.export(name)?)
    }

    /// What the caller's instance exports at a place that its module told.
    ///
    /// ```
    /// use wasmtime_gc::{Caller, Engine, Extern, Func, Instance, Module, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let module = r#"(module (import "" "" (func $look)) (memory (export "m") 3)
    ///     (func (export "run") (call $look)))"#;
    /// let module = Module::new(&engine, module)?;
    /// let memory = module.get_export_index("m").unwrap();
    /// let mut store = Store::new(&engine, 0);
    /// let look = Func::wrap(&mut store, move |mut caller: Caller<'_, u64>| {
    ///     let Some(Extern::Memory(memory)) = caller.get_module_export(&memory) else { return };
    ///     *caller.data_mut() = memory.size(&caller);
    /// });
    /// let instance = Instance::new(&mut store, &module, &[look.into()])?;
    /// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
    /// assert_eq!(*store.data(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_module_export(&mut self, export: &ModuleExport) -> Option<Extern> {
        let name = export.name(self.engine())?;
        self.get_export(&name)
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        &self.inner.cx().data().user
    }

    /// The embedder's data, to change.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.inner.user_mut().user
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.inner.cx().data().engine
    }

    /// Collects all garbage. See [`Store::gc`](crate::api::Store::gc).
    ///
    /// # Errors
    ///
    /// As `Store::gc`.
    pub fn gc(&mut self, _why: Option<&GcHeapOutOfMemory<()>>) -> Result<()> {
        collect(self.as_context_mut().inner)
    }

    /// Collects all garbage. See [`Store::gc_async`](crate::api::Store::gc_async).
    ///
    /// # Errors
    ///
    /// As `Store::gc`.
    pub async fn gc_async(&mut self, why: Option<&GcHeapOutOfMemory<()>>) -> Result<()>
    where
        T: Send,
    {
        self.as_context_mut().gc_async(why).await
    }

    /// Makes calls wait for their turn whenever so much fuel is used. See
    /// [`Store::fuel_async_yield_interval`](crate::api::Store::fuel_async_yield_interval).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn fuel_async_yield_interval(&mut self, interval: Option<u64>) -> Result<()> {
        self.as_context_mut().fuel_async_yield_interval(interval)
    }

    /// Bytes of the GC heap's memory, whatever is in them.
    pub fn gc_heap_capacity(&self) -> usize {
        self.as_context().gc_heap_capacity()
    }

    /// Makes an exception pending. See [`Store::throw`](crate::api::Store::throw).
    ///
    /// # Errors
    ///
    /// As `Store::throw`.
    pub fn throw<R>(&mut self, exception: Rooted<ExnRef>) -> Result<R> {
        self.as_context_mut().throw(exception)
    }

    /// The exception that is pending; it no longer is.
    pub fn take_pending_exception(&mut self) -> Option<Rooted<ExnRef>> {
        self.as_context_mut().take_pending_exception()
    }

    /// Whether an exception is pending.
    pub fn has_pending_exception(&self) -> bool {
        self.inner.cx().data().gc.has_pending()
    }

    /// Fuel that is left.
    ///
    /// # Errors
    ///
    /// When fuel is not switched on.
    pub fn get_fuel(&self) -> Result<u64> {
        self.as_context().get_fuel()
    }

    /// Sets the fuel.
    ///
    /// # Errors
    ///
    /// When fuel is not switched on.
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.as_context_mut().set_fuel(fuel)
    }
}

impl<'a, T: 'static> From<Caller<'a, T>> for StoreContextMut<'a, T> {
    fn from(caller: Caller<'a, T>) -> StoreContextMut<'a, T> {
        StoreContextMut { inner: caller.inner.cx_mut() }
    }
}

impl<T: 'static> AsContext for Caller<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { inner: self.inner.cx() }
    }
}

impl<T: 'static> AsContextMut for Caller<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { inner: self.inner.cx_mut() }
    }
}
