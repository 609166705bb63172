//! Instances.

use super::externals::{Export, Extern, Global, Table};
use super::func::{Func, TypedFunc, WasmParams, WasmResults};
use super::memory::Memory;
use super::store::{AsContext, AsContextMut, StoreContextMut};
use super::{Error, Module, Result};
use crate::runtime::instantiate::{InstanceState, instantiate};
use crate::runtime::linking::Import;
use std::sync::Arc;

/// An instance of a module.
#[derive(Clone, Copy, Debug)]
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
        let expected = module.code().imports().len();
        if imports.len() != expected {
            return Err(Error::msg(format!("expected {expected} imports, found {}", imports.len())));
        }
        let mut resolved = Vec::with_capacity(imports.len());
        for (import, native) in imports.iter().zip(module.code().imports()) {
            resolved.push(import.to_import(&mut cx, &native.ty())?);
        }
        Instance::of_imports(&mut cx, module, &resolved)
    }

    pub(crate) fn of_imports<T: 'static>(
        cx: &mut StoreContextMut<'_, T>,
        module: &Module,
        imports: &[Import],
    ) -> Result<Instance> {
        if !Arc::ptr_eq(module.engine().state(), &cx.inner.data().gc.engine) {
            return Err(Error::msg("cross-`Engine` instantiation is not currently supported"));
        }
        if let Some(import) = module.code().type_imports().next() {
            return Err(Error::msg(format!(
                "unknown import: type `{}::{}`; a module that imports types is instantiated by a `Linker` that knows them",
                import.module, import.name
            )));
        }
        let state = instantiate(&mut cx.inner, module.code(), imports)?;
        let gc = &mut cx.inner.data_mut().gc;
        gc.instances.push(Arc::new(state));
        Ok(Instance { store: gc.id, index: gc.instances.len() - 1 })
    }

    fn state<T: 'static>(&self, cx: &StoreContextMut<'_, T>) -> Option<Arc<InstanceState>> {
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
    pub fn exports(&self, mut store: impl AsContextMut) -> impl ExactSizeIterator<Item = Export> {
        let mut cx = store.as_context_mut();
        let names = self.state(&cx).map(|state| state.export_names()).unwrap_or_default();
        let exports: Vec<Export> = names
            .into_iter()
            .filter_map(|name| {
                let definition = self.get_export(&mut cx, &name)?;
                Some(Export { name, definition })
            })
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

    /// The module that it is an instance of.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn module(&self, store: impl AsContext) -> Module {
        let cx = store.as_context();
        let gc = &cx.inner.data().gc;
        match gc.instances.get(self.index) {
            Some(state) if gc.id == self.store => Module::of(cx.engine(), state.code.clone()),
            _ => panic!("instance used with the wrong store"),
        }
    }
}
