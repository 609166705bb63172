//! Definitions for what nobody defines: traps and defaults.

use super::{Definition, Linker, UnknownImportError};
use crate::api::externals::{Global, Table};
use crate::api::func::{Caller, HostFunc};
use crate::api::store::AsContextMut;
use crate::api::types::{ExternType, FuncType, ImportType};
use crate::api::values::{Ref, Val};
use crate::api::{Error, Module, Result};
use std::sync::Arc;

impl<T: 'static> Linker<T> {
    /// Makes every function that a module imports and nobody defines a trap.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Linker, Module, Store, UnknownImportError};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let module = r#"(module (import "gone" "f" (func $f)) (func (export "run") (call $f)))"#;
    /// let module = Module::new(&engine, module)?;
    /// let mut linker = Linker::new(&engine);
    /// linker.define_unknown_imports_as_traps(&module)?;
    /// let run = linker.instantiate(&mut store, &module)?.get_typed_func::<(), ()>(&mut store, "run")?;
    /// assert!(run.call(&mut store, ()).unwrap_err().is::<UnknownImportError>());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When a definition can not be made.
    pub fn define_unknown_imports_as_traps(&mut self, module: &Module) -> Result<()> {
        for import in module.imports() {
            let ExternType::Func(ty) = import.ty() else { continue };
            let err = UnknownImportError {
                module: import.module().to_string(),
                name: import.name().to_string(),
                ty: ty.clone().into(),
            };
            self.define_unknown(&err.module.clone(), &err.name.clone(), ty, move |_, _, _| {
                Err(Error::new(err.clone()))
            })?;
        }
        Ok(())
    }

    /// Defines a function unless there is a definition of that name.
    fn define_unknown(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        if self.map.contains_key(&(module.to_string(), name.to_string())) {
            return Ok(());
        }
        let host = Arc::new(HostFunc::new(ty, func));
        // Wasmtime's linker only tells whether it has a definition when it is given another.
        let probe = wasmtime::FuncType::new(self.engine.wasmtime(), [], []);
        self.inner.allow_shadowing(false);
        let absent = self.inner.func_new(module, name, probe, |_, _, _| Ok(())).is_ok();
        self.inner.allow_shadowing(self.allow_shadowing);
        if absent {
            self.insert(module, name, Definition::Host(host))?;
        }
        Ok(())
    }

    /// Makes everything that a module imports and nobody defines a default: functions that return
    /// zeroes and nulls, globals that hold them, empty tables and memories.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Linker, Module, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let module = Module::new(
    ///     &engine,
    ///     r#"(module (import "gone" "f" (func $f (result anyref)))
    ///         (func (export "run") (result i32) (ref.is_null (call $f))))"#,
    /// )?;
    /// let mut linker = Linker::new(&engine);
    /// linker.define_unknown_imports_as_default_values(&mut store, &module)?;
    /// let run = linker.instantiate(&mut store, &module)?.get_typed_func::<(), i32>(&mut store, "run")?;
    /// assert_eq!(run.call(&mut store, ())?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When a type has no default.
    pub fn define_unknown_imports_as_default_values(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<()> {
        for import in module.imports() {
            let (module, name) = (import.module(), import.name());
            match import.ty() {
                _ if self.get(&mut store, module, name).is_ok() => {}
                ExternType::Func(ty) => {
                    let defaults: Option<Vec<Val>> = ty.results().map(|ty| Val::default_for_ty(&ty)).collect();
                    let defaults =
                        defaults.ok_or_else(|| no_default(&import, "function results do not have a default value"))?;
                    self.define_unknown(module, name, ty, move |_, _, results| {
                        results.copy_from_slice(&defaults);
                        Ok(())
                    })?;
                }
                ExternType::Global(ty) => {
                    let val = Val::default_for_ty(ty.content());
                    let val = val.ok_or_else(|| no_default(&import, "global type has no default value"))?;
                    let global = Global::new(&mut store, ty, val)?;
                    self.insert(module, name, Definition::Extern(global.into()))?;
                }
                ExternType::Table(ty) => {
                    if !ty.element().is_nullable() {
                        return Err(no_default(&import, "table element type does not have a default value"));
                    }
                    let null = Ref::null(ty.element().heap_type());
                    let table = Table::new(&mut store, ty, null)?;
                    self.insert(module, name, Definition::Extern(table.into()))?;
                }
                ty @ (ExternType::Memory(_) | ExternType::Tag(_)) => {
                    let default = ty.default_value(&mut store)?;
                    self.insert(module, name, Definition::Extern(default))?;
                }
            }
        }
        Ok(())
    }
}

#[cold]
fn no_default(import: &ImportType<'_>, why: &str) -> Error {
    let (module, name) = (import.module(), import.name());
    Error::msg(why.to_string())
        .context(format!("no default value exists for `{module}::{name}` with type `{:?}`", import.ty()))
}
