//! Definitions and instantiation where something may have to wait.

use super::command::Kind;
use super::{Definition, Linker};
use crate::api::func::{self, Caller, WasmRet, WasmTyList};
use crate::api::store::AsContextMut;
use crate::api::types::FuncType;
use crate::api::values::Val;
use crate::api::{Engine, Instance, Module, Result};
use wasmtime::error::Context;

impl<T: 'static> Linker<T> {
    /// Defines a host function over values of any type that may have to wait. See [`Func::new_async`].
    ///
    /// # Errors
    ///
    /// When the name is taken.
    ///
    /// [`Func::new_async`]: crate::api::Func::new_async
    pub fn func_new_async<F>(&mut self, module: &str, name: &str, ty: FuncType, func: F) -> Result<&mut Self>
    where
        F: for<'a> Fn(Caller<'a, T>, &'a [Val], &'a mut [Val]) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
            + Send
            + Sync
            + 'static,
        T: Send + 'static,
    {
        self.insert(module, name, Definition::Host(func::dynamic(ty, func)))
    }

    /// Defines a host function that may have to wait by a closure. See [`Func::wrap_async`].
    ///
    /// # Errors
    ///
    /// When the name is taken.
    ///
    /// [`Func::wrap_async`]: crate::api::Func::wrap_async
    pub fn func_wrap_async<F, Params: WasmTyList, Args: WasmRet>(
        &mut self,
        module: &str,
        name: &str,
        func: F,
    ) -> Result<&mut Self>
    where
        F: for<'a> Fn(Caller<'a, T>, Params) -> Box<dyn Future<Output = Args> + Send + 'a> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let host = func::typed(&self.engine, func);
        self.insert(module, name, Definition::Host(host))
    }

    /// Instantiates a module, whose start function may have to wait.
    ///
    /// # Errors
    ///
    /// As [`Linker::instantiate`].
    pub async fn instantiate_async(&self, mut store: impl AsContextMut<Data = T>, module: &Module) -> Result<Instance>
    where
        T: Send + 'static,
    {
        let mut cx = store.as_context_mut();
        let imports = self.imports(&mut cx, module)?;
        Instance::of_imports_async(&mut cx, module, &imports).await
    }

    /// Defines a module's exports. See [`Linker::module`].
    ///
    /// # Errors
    ///
    /// As [`Linker::module`].
    ///
    /// # Panics
    ///
    /// When the store is of another engine.
    pub async fn module_async(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module_name: &str,
        module: &Module,
    ) -> Result<&mut Self>
    where
        T: Send + 'static,
    {
        assert!(
            Engine::same(self.engine(), store.as_context().engine()),
            "different engines for this linker and the store provided"
        );
        if let Kind::Command = Kind::of(module)? {
            return self.command(&mut store.as_context_mut(), module_name, module, Linker::fresh_async);
        }
        let instance = self.instantiate_async(&mut store, module).await?;
        if let Some(initialize) = instance.get_func(&mut store, "_initialize") {
            let typed = initialize.typed::<(), ()>(&store)?;
            typed.call_async(&mut store, ()).await.context("calling the Reactor initialization function")?;
        }
        self.instance(store, module_name, instance)
    }
}
