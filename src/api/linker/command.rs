//! Modules as definitions: commands, of which every call makes an instance, and reactors, which are one.

use super::{Definition, Linker};
use crate::api::func::Func;
use crate::api::store::{AsContextMut, StoreContextMut};
use crate::api::types::{ExternType, FuncType};
use crate::api::{Engine, Error, Module, Result};
use wasmtime::error::Context;

/// What a module is, by what it exports.
pub(super) enum Kind {
    Command,
    Reactor,
}

impl Kind {
    pub(super) fn of(module: &Module) -> Result<Kind> {
        match (module.get_export("_start"), module.get_export("_initialize")) {
            (Some(_), Some(_)) => Err(Error::msg("Program cannot be both a Command and a Reactor")),
            (Some(ExternType::Func(_)), None) => Ok(Kind::Command),
            (Some(_), None) => Err(Error::msg("`_start` must be a function")),
            (None, None | Some(ExternType::Func(_))) => Ok(Kind::Reactor),
            (None, Some(_)) => Err(Error::msg("`_initialize` must be a function")),
        }
    }
}

/// Whether toolchains export this of a command, for no good reason.
fn is_tolerated(name: &str, ty: &ExternType) -> bool {
    match ty {
        ExternType::Memory(_) => name == "memory",
        ExternType::Table(_) => matches!(name, "table" | "__indirect_function_table"),
        ExternType::Global(_) => matches!(name, "__data_end" | "__heap_base" | "__dso_handle" | "__rtti_base"),
        _ => false,
    }
}

impl<T: 'static> Linker<T> {
    /// Defines a module's exports.
    ///
    /// A *command*, which exports `_start`, is instantiated anew for every call of one of its functions. Anything
    /// else is instantiated now, and its `_initialize` called if it has one.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Linker, Module, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let count = r#"(module (global $n (mut i32) (i32.const 0))
    ///     (func (export "_initialize") (global.set $n (i32.const 5)))
    ///     (func (export "next") (result i32)
    ///         (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))"#;
    /// let mut linker = Linker::new(&engine);
    /// linker.module(&mut store, "count", &Module::new(&engine, count)?)?;
    /// let next = linker.get(&mut store, "count", "next")?.into_func().unwrap().typed::<(), i32>(&store)?;
    /// assert_eq!((next.call(&mut store, ())?, next.call(&mut store, ())?), (6, 7));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the module can not be instantiated, a command exports something else than functions, or a name is taken.
    ///
    /// # Panics
    ///
    /// When the store is of another engine.
    pub fn module(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module_name: &str,
        module: &Module,
    ) -> Result<&mut Self> {
        assert!(
            Engine::same(self.engine(), store.as_context().engine()),
            "different engines for this linker and the store provided"
        );
        if let Kind::Command = Kind::of(module)? {
            return self.command(&mut store.as_context_mut(), module_name, module, Linker::fresh);
        }
        let instance = self.instantiate(&mut store, module)?;
        if let Some(initialize) = instance.get_func(&mut store, "_initialize") {
            let typed = initialize.typed::<(), ()>(&store);
            typed.and_then(|f| f.call(&mut store, ())).context("calling the Reactor initialization function")?;
        }
        self.instance(store, module_name, instance)
    }

    pub(super) fn command(
        &mut self,
        cx: &mut StoreContextMut<'_, T>,
        module_name: &str,
        module: &Module,
        fresh: impl Fn(&Self, &mut StoreContextMut<'_, T>, &Module, &str, FuncType) -> Func,
    ) -> Result<&mut Self> {
        // What is missing is told now, and not by each call. What types that are imported stand for is not known yet.
        if module.code().type_imports().next().is_none() {
            self.instantiate_pre(module)?;
        }
        for export in module.exports() {
            match export.ty() {
                ExternType::Func(ty) => {
                    let func = fresh(self, cx, module, export.name(), ty);
                    self.insert(module_name, export.name(), Definition::Extern(func.into()))?;
                }
                ty if self.allow_unknown_exports || is_tolerated(export.name(), &ty) => {}
                _ => return Err(Error::msg(format!("command export '{}' is not a function", export.name()))),
            }
        }
        Ok(self)
    }

    /// A function that instantiates the module, and calls one of its exports.
    fn fresh(&self, cx: &mut StoreContextMut<'_, T>, module: &Module, name: &str, ty: FuncType) -> Func {
        let (linker, module, name) = (self.clone(), module.clone(), name.to_string());
        Func::new(cx, ty, move |mut caller, params, results| {
            let instance = linker.instantiate(&mut caller, &module)?;
            let func = instance.get_func(&mut caller, &name);
            let func = func.ok_or_else(|| Error::new(crate::fault::Error::bug("an export has gone")))?;
            func.call(&mut caller, params, results)
        })
    }

    /// The same where something may have to wait.
    pub(super) fn fresh_async(&self, cx: &mut StoreContextMut<'_, T>, module: &Module, name: &str, ty: FuncType) -> Func
    where
        T: Send,
    {
        let source = std::sync::Arc::new((self.clone(), module.clone(), name.to_string()));
        Func::new_async(cx, ty, move |mut caller, params, results| {
            let source = source.clone();
            Box::new(async move {
                let (linker, module, name) = &*source;
                let instance = linker.instantiate_async(&mut caller, module).await?;
                let func = instance.get_func(&mut caller, name);
                let func = func.ok_or_else(|| Error::new(crate::fault::Error::bug("an export has gone")))?;
                func.call_async(&mut caller, params, results).await
            })
        })
    }
}
