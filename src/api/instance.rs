//! Instances.

use super::externals::{Export, Extern, Global, Table};
use super::func::{Func, TypedFunc, WasmParams, WasmResults};
use super::memory::Memory;
use super::store::{AsContextMut, StoreContext, StoreContextMut};
use super::{Error, Module, ModuleExport, Result, SharedMemory, Tag};
use crate::runtime::finalize::safe_point;
use crate::runtime::instantiate::{InstanceState, instantiate, instantiate_async};
use crate::runtime::linking::Import;
use crate::runtime::store::GcStore;
use std::sync::Arc;

/// An instance of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    store: u64,
    index: usize,
}

impl Instance {
    /// Instantiates a module, with a definition for each of its imports, in order.
    ///
    /// # Errors
    ///
    /// When definitions do not match the imports, limits are reached, or the start function fails.
    pub fn new(mut store: impl AsContextMut, module: &Module, imports: &[Extern]) -> Result<Instance> {
        let mut cx = store.as_context_mut();
        let resolved = Instance::resolve(&mut cx, module, imports)?;
        Instance::of_imports(&mut cx, module, &resolved)
    }

    pub(crate) fn of_imports<T: 'static>(
        cx: &mut StoreContextMut<'_, T>,
        module: &Module,
        imports: &[Import],
    ) -> Result<Instance> {
        Instance::check_engine(cx, module)?;
        let state = instantiate(&mut cx.inner, module.code(), imports);
        Instance::enter(cx, state)
    }

    /// Instantiates a module, whose start function may have to wait. See [`Instance::new`].
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Instance, Module, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut future = pin!(future);
    /// #     loop {
    /// #         if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
    /// #             return output;
    /// #         }
    /// #     }
    /// # }
    ///
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let module = Module::new(&engine, r#"(module (func $start) (start $start) (func (export "f")))"#)?;
    /// let instance = block_on(Instance::new_async(&mut store, &module, &[]))?;
    /// assert!(instance.get_func(&mut store, "f").is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Instance::new`].
    pub async fn new_async(mut store: impl AsContextMut, module: &Module, imports: &[Extern]) -> Result<Instance> {
        let mut cx = store.as_context_mut();
        let resolved = Instance::resolve(&mut cx, module, imports)?;
        Instance::of_imports_async(&mut cx, module, &resolved).await
    }

    pub(crate) async fn of_imports_async<T: 'static>(
        cx: &mut StoreContextMut<'_, T>,
        module: &Module,
        imports: &[Import],
    ) -> Result<Instance> {
        Instance::check_engine(cx, module)?;
        let state = instantiate_async(&mut cx.inner, module.code(), imports).await;
        Instance::enter(cx, state)
    }

    fn resolve<T: 'static>(
        cx: &mut StoreContextMut<'_, T>,
        module: &Module,
        imports: &[Extern],
    ) -> Result<Vec<Import>> {
        Instance::check_engine(cx, module)?;
        let expected = module.code().imports().len();
        if imports.len() != expected {
            return Err(Error::msg(format!("expected {expected} imports, found {}", imports.len())));
        }
        if let Some(import) = module.code().type_imports().next() {
            return Err(Error::msg(format!(
                "unknown import: type `{}::{}`; a module that imports types is instantiated by a `Linker` that knows them",
                import.module, import.name
            )));
        }
        let natives = module.code().imports();
        imports.iter().zip(natives).map(|(import, native)| import.to_import(cx, &native.ty())).collect()
    }

    fn check_engine<T: 'static>(cx: &StoreContextMut<'_, T>, module: &Module) -> Result<()> {
        match Arc::ptr_eq(module.engine().state(), &cx.inner.data().gc.engine) {
            true => Ok(()),
            false => Err(Error::msg("cross-`Engine` instantiation is not currently supported")),
        }
    }

    fn enter<T: 'static>(cx: &mut StoreContextMut<'_, T>, state: Result<InstanceState>) -> Result<Instance> {
        safe_point(&mut cx.inner);
        let state = state?;
        let gc = &mut cx.inner.data_mut().gc;
        gc.instances.push(Arc::new(state));
        Ok(Instance { store: gc.id, index: gc.instances.len() - 1 })
    }

    /// All instances of a store.
    pub(super) fn all(gc: &GcStore) -> Vec<Instance> {
        (0..gc.instances.len()).map(|index| Instance::numbered(gc.id, index)).collect()
    }

    /// Its number in the store.
    pub(super) fn number(&self) -> usize {
        self.index
    }

    /// The instance of a store with a number.
    pub(super) fn numbered(store: u64, index: usize) -> Instance {
        Instance { store, index }
    }

    pub(super) fn state<T: 'static>(&self, cx: &StoreContextMut<'_, T>) -> Option<Arc<InstanceState>> {
        let gc = &cx.inner.data().gc;
        if gc.id != self.store {
            return None;
        }
        gc.instances.get(self.index).cloned()
    }

    /// The types that it exports.
    pub(crate) fn type_exports(&self, mut store: impl AsContextMut) -> Vec<crate::rtt::link::TypeExport> {
        let state = self.state(&store.as_context_mut());
        state.map(|state| state.code.type_exports()).unwrap_or_default()
    }

    /// What it exports under a name. Nothing, for an instance of another store.
    pub fn get_export(&self, mut store: impl AsContextMut, name: &str) -> Option<Extern> {
        let mut cx = store.as_context_mut();
        let state = self.state(&cx)?;
        let export = state.export(&mut cx.inner, name)?;
        Extern::of_export(self.store, export)
    }

    /// All that it exports, in order.
    pub fn exports<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> impl ExactSizeIterator<Item = Export<'a>> + 'a {
        let mut cx = store.into();
        let state = self.state(&cx);
        let names = state.as_ref().map(|state| state.export_names()).unwrap_or_default();
        let definitions: Vec<Option<Extern>> = names.into_iter().map(|name| self.get_export(&mut cx, name)).collect();
        let gc = &wasmtime::StoreContext::from(cx.inner).data().gc;
        let state = gc.instances.get(self.index).filter(|_| gc.id == self.store);
        let names = state.map(|state| state.export_names()).unwrap_or_default();
        let exports: Vec<Export<'a>> = names
            .into_iter()
            .zip(definitions)
            .filter_map(|(name, of)| Some(Export { name, definition: of? }))
            .collect();
        exports.into_iter()
    }

    /// The function that it exports under a name.
    pub fn get_func(&self, store: impl AsContextMut, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// The function that it exports under a name, with its types.
    ///
    /// # Errors
    ///
    /// When there is none, or its type is another.
    pub fn get_typed_func<Params, Results>(
        &self,
        mut store: impl AsContextMut,
        name: &str,
    ) -> Result<TypedFunc<Params, Results>>
    where
        Params: WasmParams,
        Results: WasmResults,
    {
        let export = self.get_export(&mut store, name);
        let func = export
            .and_then(Extern::into_func)
            .ok_or_else(|| Error::msg(format!("failed to find function export `{name}`")))?;
        func.typed(store).map_err(|err| err.context(format!("failed to convert function `{name}` to given type")))
    }

    /// The global that it exports under a name.
    pub fn get_global(&self, store: impl AsContextMut, name: &str) -> Option<Global> {
        self.get_export(store, name)?.into_global()
    }

    /// The table that it exports under a name.
    pub fn get_table(&self, store: impl AsContextMut, name: &str) -> Option<Table> {
        self.get_export(store, name)?.into_table()
    }

    /// The memory that it exports under a name.
    pub fn get_memory(&self, store: impl AsContextMut, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }

    /// The shared memory that it exports under a name.
    pub fn get_shared_memory(&self, store: impl AsContextMut, name: &str) -> Option<SharedMemory> {
        self.get_export(store, name)?.into_shared_memory()
    }

    /// The tag that it exports under a name.
    pub fn get_tag(&self, store: impl AsContextMut, name: &str) -> Option<Tag> {
        self.get_export(store, name)?.into_tag()
    }

    /// What it exports at a place that its module told.
    pub fn get_module_export(&self, mut store: impl AsContextMut, export: &ModuleExport) -> Option<Extern> {
        let name = export.name(store.as_context_mut().engine())?;
        self.get_export(store, &name)
    }

    /// The module that it is an instance of.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn module<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> &'a Module {
        let cx = store.into();
        let gc = &wasmtime::StoreContext::data(&cx.inner).gc;
        match gc.instances.get(self.index) {
            Some(state) if gc.id == self.store => &state.module,
            _ => panic!("instance used with the wrong store"),
        }
    }
}
