//! Modules whose imports are resolved, to be instantiated many times.

use super::{Definition, Linker, UnknownImportError};
use crate::api::store::{AsContextMut, StoreContextMut};
use crate::api::types::{ExternType, FuncType};
use crate::api::{Engine, Error, Instance, Module, Result};
use crate::runtime::linking::{Import, func_mismatch, incompatible};
use crate::runtime::store::StoreData;
use std::sync::Arc;

/// What an import is resolved to.
enum Item<T> {
    /// A definition, and the import's type in the engine.
    Own(Definition<T>, wasmtime::ExternType),
    /// A definition of Wasmtime's linker, by its names.
    Plain(String, String),
}

/// A module with definitions for all of its imports.
pub struct InstancePre<T> {
    module: Module,
    items: Arc<[Item<T>]>,
    /// The linker's definitions are no others later.
    plain: Arc<wasmtime::Linker<StoreData<T>>>,
}

impl<T> Clone for InstancePre<T> {
    fn clone(&self) -> InstancePre<T> {
        InstancePre { module: self.module.clone(), items: self.items.clone(), plain: self.plain.clone() }
    }
}

impl<T> std::fmt::Debug for InstancePre<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstancePre").field("module", &self.module).finish_non_exhaustive()
    }
}

impl<T: 'static> Linker<T> {
    /// Resolves the imports of a module, so that it can be instantiated many times without looking for them. What is
    /// of a store can only be used in that store.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Linker, Module, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let mut linker = Linker::new(&engine);
    /// linker.func_wrap("env", "two", || 2)?;
    /// let module = r#"(module (import "env" "two" (func $two (result i32))) (export "f" (func $two)))"#;
    /// let pre = linker.instantiate_pre(&Module::new(&engine, module)?)?;
    /// for _ in 0..3 {
    ///     let mut store = Store::new(&engine, ());
    ///     let f = pre.instantiate(&mut store)?.get_typed_func::<(), i32>(&mut store, "f")?;
    ///     assert_eq!(f.call(&mut store, ())?, 2);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`UnknownImportError`] when something is not defined; when a definition is of another kind, or a host function of
    /// another type. The types of other definitions are checked when the module is instantiated, as are those of host
    /// functions that were there when a library got [`Linker::wasmtime_mut`] or that it has defined, unless the module
    /// imports nothing else and needs no heap.
    pub fn instantiate_pre(&self, module: &Module) -> Result<InstancePre<T>> {
        if !Engine::same(module.engine(), &self.engine) {
            return Err(Error::msg("cross-`Engine` instantiation is not currently supported"));
        }
        let mut plain = self.inner.clone();
        plain.allow_shadowing(false);
        let mut items = Vec::new();
        for (native, import) in module.code().imports().zip(module.imports()) {
            let names = (import.module().to_string(), import.name().to_string());
            items.push(match self.map.get(&names) {
                Some(definition) => Item::Own(definition.clone(), native.ty()),
                None if self.has_plain(&mut plain, &names) => Item::Plain(names.0, names.1),
                None => {
                    return Err(UnknownImportError { module: names.0, name: names.1, ty: import.ty() }.into());
                }
            });
        }
        for (item, import) in items.iter().zip(module.imports()) {
            let checked = self.check(item, &import.ty());
            checked.map_err(|err| incompatible(err, import.module(), import.name()))?;
        }
        if module.code().lowered.is_none() && items.iter().all(|item| matches!(item, Item::Plain(..))) {
            // The engine knows everything that it needs.
            self.inner.instantiate_pre(&module.code().wasmtime)?;
        }
        Ok(InstancePre { module: module.clone(), items: items.into(), plain: Arc::new(self.inner.clone()) })
    }

    /// Checks what is known of a definition without a store: that it is of the kind, and the type of a host function.
    fn check(&self, item: &Item<T>, import: &ExternType) -> Result<()> {
        let found = match item {
            Item::Own(Definition::Extern(definition), _) => return expect(kind_of(import), definition.kind()),
            Item::Own(Definition::Host(host), _) => host.clone().host().type_id(),
            Item::Plain(module, name) => match self.plain.get(&(module.clone(), name.clone())) {
                Some(Some(signature)) => {
                    let (params, results) = signature();
                    // Without room for one more type it is left to the engine to tell, at instantiation.
                    let Ok(ty) = FuncType::try_new(&self.engine, params, results) else { return Ok(()) };
                    ty.id()
                }
                // Wasmtime's linker tells the types of all that it has, or none.
                _ => return Ok(()),
            },
        };
        let ExternType::Func(expected) = import else { return expect(kind_of(import), "function") };
        let state = self.engine.state();
        if state.is_sub_id(found, expected.id()) { Ok(()) } else { Err(func_mismatch(state, expected.id(), found)) }
    }

    /// Whether Wasmtime's linker has a definition: it tells without a store only when it is given another.
    fn has_plain(&self, plain: &mut wasmtime::Linker<StoreData<T>>, (module, name): &(String, String)) -> bool {
        let probe = wasmtime::FuncType::new(self.engine.wasmtime(), [], []);
        plain.func_new(module, name, probe, |_, _, _| Ok(())).is_err()
    }
}

/// What an import wants, in Wasmtime's word for it.
fn kind_of(import: &ExternType) -> &'static str {
    match import {
        ExternType::Func(_) => "func",
        ExternType::Global(_) => "global",
        ExternType::Table(_) => "table",
        ExternType::Memory(_) => "memory",
        ExternType::Tag(_) => "tag",
    }
}

/// An error unless a definition is of the kind that is wanted.
fn expect(expected: &str, found: &str) -> Result<()> {
    if found.starts_with(expected) {
        return Ok(());
    }
    Err(Error::msg(format!("expected {expected}, but found {found}")))
}

impl<T: 'static> InstancePre<T> {
    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// Instantiates the module.
    ///
    /// # Errors
    ///
    /// As [`Instance::new`].
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        let mut cx = store.as_context_mut();
        let imports = self.imports(&mut cx)?;
        Instance::of_imports(&mut cx, &self.module, &imports)
    }

    /// Instantiates the module, whose start function may have to wait.
    ///
    /// # Errors
    ///
    /// As [`Instance::new`].
    pub async fn instantiate_async(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        let mut cx = store.as_context_mut();
        let imports = self.imports(&mut cx)?;
        Instance::of_imports_async(&mut cx, &self.module, &imports).await
    }

    fn imports(&self, cx: &mut StoreContextMut<'_, T>) -> Result<Vec<Import>> {
        if !Engine::same(self.module.engine(), cx.engine()) {
            return Err(Error::msg("cross-`Engine` usage is not supported"));
        }
        let import = |item: &Item<T>| match item {
            Item::Own(Definition::Extern(definition), native) => definition.to_import(cx, native),
            Item::Own(Definition::Host(host), wasmtime::ExternType::Func(ty)) => {
                Ok(Import::Silent(host.clone().host().materialize(cx, ty.clone())))
            }
            Item::Own(Definition::Host(host), _) => {
                let host = host.clone().host();
                Ok(Import::Silent(host.materialize(cx, host.lowered_type()?)))
            }
            Item::Plain(module, name) => {
                let found = self.plain.get(&mut cx.inner, module, name);
                found.map(super::import_of_plain)
            }
        };
        self.items.iter().map(import).collect()
    }
}
