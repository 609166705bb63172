//! Definitions by name.
//!
//! Host functions over numbers are definitions of Wasmtime's linker, where libraries such as its WASI
//! can add theirs too ([`Linker::wasmtime_mut`]). Everything else is kept here and looked up first.

mod async_;
mod command;
mod lookup;
mod pre;
mod unknown;

pub use pre::InstancePre;

use super::externals::Extern;
use super::func::{Caller, HostFunc, IntoFunc, Signature, signature_of};
use super::store::{AsContext, AsContextMut, StoreContextMut};
use super::types::{ExternType, FuncType};
use super::values::Val;
use super::{Engine, Error, Instance, Module, Result};
use crate::rtt::link::TypeExport;
use crate::runtime::linking::Import;
use crate::runtime::store::StoreData;
use std::collections::HashMap;
use std::sync::Arc;

/// Definitions by module and name, by which modules are instantiated.
pub struct Linker<T> {
    engine: Engine,
    inner: wasmtime::Linker<StoreData<T>>,
    map: HashMap<(String, String), Definition<T>>,
    /// Names that were given to `inner`, and the types of what has them, where they are known.
    plain: HashMap<(String, String), Option<Signature>>,
    allow_shadowing: bool,
    allow_unknown_exports: bool,
    /// Types that instances export, of the dialect of explicit RTTs.
    types: HashMap<(String, String), TypeExport>,
}

enum Definition<T> {
    /// Of one store.
    Extern(Extern),
    /// Of any store.
    Host(Arc<dyn OfLinker<T>>),
}

/// A host function that a linker has: only where one is defined or used need it be known that `T` is a store's.
trait OfLinker<T>: Send + Sync {
    fn host(self: Arc<Self>) -> Arc<HostFunc<T>>
    where
        T: 'static;
}

impl<T: 'static> OfLinker<T> for HostFunc<T> {
    fn host(self: Arc<Self>) -> Arc<HostFunc<T>> {
        self
    }
}

/// Wasmtime's linker, for libraries that define host functions there: see [`Linker::wasmtime_mut`].
impl<T> std::ops::Deref for Linker<T> {
    type Target = wasmtime::Linker<StoreData<T>>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl<T> std::ops::DerefMut for Linker<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.wasmtime_mut()
    }
}

impl<T: 'static> Default for Linker<T> {
    fn default() -> Linker<T> {
        Linker::new(&Engine::default())
    }
}

impl<T> Clone for Definition<T> {
    fn clone(&self) -> Definition<T> {
        match self {
            Definition::Extern(definition) => Definition::Extern(definition.clone()),
            Definition::Host(host) => Definition::Host(host.clone()),
        }
    }
}

impl<T> Clone for Linker<T> {
    fn clone(&self) -> Linker<T> {
        Linker {
            engine: self.engine.clone(),
            inner: self.inner.clone(),
            map: self.map.clone(),
            plain: self.plain.clone(),
            allow_shadowing: self.allow_shadowing,
            allow_unknown_exports: self.allow_unknown_exports,
            types: self.types.clone(),
        }
    }
}

impl<T> std::fmt::Debug for Linker<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Linker").finish_non_exhaustive()
    }
}

/// A module imports what the linker does not define.
#[derive(Debug, Clone, thiserror::Error)]
#[error("unknown import: `{module}::{name}` has not been defined")]
pub struct UnknownImportError {
    module: String,
    name: String,
    ty: ExternType,
}

impl UnknownImportError {
    /// The module that it is expected from.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The name that it is expected under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is expected.
    pub fn ty(&self) -> ExternType {
        self.ty.clone()
    }
}

impl<T> Linker<T> {
    /// A linker without definitions.
    pub fn new(engine: &Engine) -> Linker<T> {
        Linker {
            engine: engine.clone(),
            inner: wasmtime::Linker::new(engine.wasmtime()),
            map: HashMap::new(),
            plain: HashMap::new(),
            allow_shadowing: false,
            allow_unknown_exports: false,
            types: HashMap::new(),
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a definition may replace another of the same name.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Linker};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let mut linker = Linker::<()>::new(&engine);
    /// linker.func_wrap("env", "answer", || 41)?;
    /// assert!(linker.func_wrap("env", "answer", || 42).is_err());
    /// linker.allow_shadowing(true);
    /// linker.func_wrap("env", "answer", || 42)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        self.allow_shadowing = allow;
        self.inner.allow_shadowing(allow);
        self
    }

    /// Whether a command may export something else than functions, which is then ignored.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Linker, Module, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let command = r#"(module (func (export "_start")) (global (export "g") i32 (i32.const 1)))"#;
    /// let command = Module::new(&engine, command)?;
    /// let mut linker = Linker::new(&engine);
    /// assert!(linker.module(&mut store, "command", &command).is_err());
    /// linker.allow_unknown_exports(true).module(&mut store, "again", &command)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_unknown_exports(&mut self, allow: bool) -> &mut Self {
        self.allow_unknown_exports = allow;
        self
    }

    /// Wasmtime's linker: for libraries that define host functions there. Such functions see
    /// [`StoreData`], which leads to the embedder's data ([`StoreData::data_mut`]). Where Wasmtime's linker is expected,
    /// this one is taken as that, and so is a reference to `StoreData` where one to the data is. So WASI is added as it
    /// is with Wasmtime:
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Linker, Store};
    /// use wasmtime_wasi::p1::{self, WasiP1Ctx};
    /// use wasmtime_wasi::WasiCtxBuilder;
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let mut linker = Linker::<WasiP1Ctx>::new(&engine);
    /// p1::add_to_linker_sync(&mut linker, |data| data)?;
    /// let mut store = Store::new(&engine, WasiCtxBuilder::new().build_p1());
    /// assert!(linker.get(&mut store, "wasi_snapshot_preview1", "fd_write").is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn wasmtime_mut(&mut self) -> &mut wasmtime::Linker<StoreData<T>> {
        // A library may put functions of other types in the place of those that are there.
        self.plain.values_mut().for_each(|signature| *signature = None);
        &mut self.inner
    }

    /// Defines everything of a module's under another module's name too.
    ///
    /// # Errors
    ///
    /// When a name is taken.
    pub fn alias_module(&mut self, module: &str, as_module: &str) -> Result<()> {
        let own: Vec<_> = self
            .map
            .iter()
            .filter(|((of, _), _)| of == module)
            .map(|((_, name), definition)| (name.clone(), definition.clone()))
            .collect();
        for (name, definition) in own {
            self.insert(as_module, &name, definition)?;
        }
        let plain = self.plain.iter().filter(|(key, _)| key.0 == module && !self.map.contains_key(*key));
        let plain: Vec<_> = plain.map(|((_, name), &of)| (name.clone(), of)).collect();
        let keys = plain.into_iter().map(|(name, of)| Ok((self.uncover(as_module, &name)?, of)));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        self.inner.alias_module(module, as_module)?;
        self.plain.extend(keys);
        Ok(())
    }

    /// Makes sure that what `inner` gets under a name is not hidden by a definition here.
    fn uncover(&mut self, module: &str, name: &str) -> Result<(String, String)> {
        let key = (module.to_string(), name.to_string());
        if !self.allow_shadowing && self.map.contains_key(&key) {
            return Err(defined_twice(module, name));
        }
        self.map.remove(&key);
        Ok(key)
    }

    fn insert(&mut self, module: &str, name: &str, definition: Definition<T>) -> Result<&mut Self> {
        let key = (module.to_string(), name.to_string());
        if !self.allow_shadowing && (self.map.contains_key(&key) || self.plain.contains_key(&key)) {
            return Err(defined_twice(module, name));
        }
        self.map.insert(key, definition);
        Ok(self)
    }
}

impl<T: 'static> Linker<T> {
    pub(super) fn define_host(&mut self, module: &str, name: &str, host: Arc<HostFunc<T>>) -> Result<&mut Self> {
        self.insert(module, name, Definition::Host(host))
    }

    /// Defines something of a store.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Global, GlobalType, Linker, Module, Mutability, Store, Val, ValType};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let ty = GlobalType::new(ValType::ANYREF, Mutability::Const);
    /// let nothing = Global::new(&mut store, ty, Val::AnyRef(None))?;
    /// let mut linker = Linker::new(&engine);
    /// linker.define(&store, "env", "nothing", nothing)?;
    /// let module = Module::new(&engine, r#"(module (import "env" "nothing" (global anyref)))"#)?;
    /// linker.instantiate(&mut store, &module)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the name is taken.
    pub fn define(
        &mut self,
        _store: impl AsContext<Data = T>,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<&mut Self> {
        self.insert(module, name, Definition::Extern(item.into()))
    }

    /// Defines a host function over values of any type. See [`Func::new`](super::Func::new).
    ///
    /// # Errors
    ///
    /// When the name is taken.
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        self.insert(module, name, Definition::Host(Arc::new(HostFunc::new(ty, func))))
    }

    /// Defines a host function by a closure. See [`Func::wrap`](super::Func::wrap).
    ///
    /// ```
    /// use wasmtime_gc::{Caller, Engine, Linker, Module, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let mut linker = Linker::new(&engine);
    /// linker.func_wrap("env", "add", |mut caller: Caller<'_, i64>, n: i32| *caller.data_mut() += i64::from(n))?;
    /// let module = Module::new(
    ///     &engine,
    ///     r#"(module (import "env" "add" (func $add (param i32)))
    ///         (func (export "run") (call $add (i32.const 5)) (call $add (i32.const 6))))"#,
    /// )?;
    /// let mut store = Store::new(&engine, 100);
    /// let instance = linker.instantiate(&mut store, &module)?;
    /// instance.get_typed_func::<(), ()>(&mut store, "run")?.call(&mut store, ())?;
    /// assert_eq!(*store.data(), 111);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the name is taken.
    pub fn func_wrap<Params, Args>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoFunc<T, Params, Args>,
    ) -> Result<&mut Self> {
        if !func.is_plain() {
            let host = func.into_host(&self.engine);
            return self.insert(module, name, Definition::Host(Arc::new(host)));
        }
        let key = self.uncover(module, name)?;
        let signature = signature_of(&func);
        func.link(&mut self.inner, module, name)?;
        self.plain.insert(key, Some(signature));
        Ok(self)
    }

    /// Defines all exports of an instance.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Instance, Linker, Module, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let lists = r#"(module (type $l (struct (field i32)))
    ///     (func (export "one") (result anyref) (struct.new $l (i32.const 1))))"#;
    /// let lists = Instance::new(&mut store, &Module::new(&engine, lists)?, &[])?;
    /// let mut linker = Linker::new(&engine);
    /// linker.instance(&mut store, "lists", lists)?;
    /// let user = r#"(module (import "lists" "one" (func (result anyref))))"#;
    /// linker.instantiate(&mut store, &Module::new(&engine, user)?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When a name is taken.
    pub fn instance(
        &mut self,
        mut store: impl AsContextMut<Data = T>,
        module_name: &str,
        instance: Instance,
    ) -> Result<&mut Self> {
        for ty in instance.type_exports(store.as_context_mut()) {
            self.types.insert((module_name.to_string(), ty.name.clone()), ty);
        }
        for export in instance.exports(store.as_context_mut()) {
            self.insert(module_name, export.name, Definition::Extern(export.definition))?;
        }
        Ok(self)
    }

    /// Instantiates a module.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Linker, Module, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let mut linker = Linker::new(&engine);
    /// let module = Module::new(&engine, r#"(module (import "env" "two" (func (result i32))))"#)?;
    /// assert!(linker.instantiate(&mut store, &module).is_err(), "nobody defines it");
    /// linker.func_wrap("env", "two", || 2)?;
    /// linker.instantiate(&mut store, &module)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`UnknownImportError`] when something is not defined, or as [`Instance::new`].
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>, module: &Module) -> Result<Instance> {
        let mut cx = store.as_context_mut();
        let specialized = self.specialized(module)?;
        let module = specialized.as_ref().unwrap_or(module);
        let imports = self.imports(&mut cx, module)?;
        Instance::of_imports(&mut cx, module, &imports)
    }

    /// The module with the types that it imports, if it imports any.
    fn specialized(&self, module: &Module) -> Result<Option<Module>> {
        if !Engine::same(module.engine(), &self.engine) {
            return Err(Error::msg("cross-`Engine` instantiation is not currently supported"));
        }
        let mut types = Vec::new();
        for import in module.code().type_imports() {
            let key = (import.module.to_string(), import.name.to_string());
            let unknown = || format!("unknown import: type `{}::{}` has not been defined", key.0, key.1);
            types.push(self.types.get(&key).cloned().ok_or_else(|| Error::msg(unknown()))?);
        }
        if types.is_empty() {
            return Ok(None);
        }
        let code = module.code().specialize(self.engine.state(), &types)?;
        Ok(Some(Module { engine: self.engine.clone(), code }))
    }

    fn imports(&self, cx: &mut StoreContextMut<'_, T>, module: &Module) -> Result<Vec<Import>> {
        let mut imports = Vec::new();
        for (native, import) in module.code().imports().zip(module.imports()) {
            let found = self.import(cx, native.module(), native.name(), &native.ty())?;
            imports.push(found.ok_or_else(|| UnknownImportError {
                module: import.module().to_string(),
                name: import.name().to_string(),
                ty: import.ty(),
            })?);
        }
        Ok(imports)
    }

    fn import(
        &self,
        cx: &mut StoreContextMut<'_, T>,
        module: &str,
        name: &str,
        native: &wasmtime::ExternType,
    ) -> Result<Option<Import>> {
        match self.map.get(&(module.to_string(), name.to_string())) {
            Some(Definition::Extern(definition)) => definition.to_import(cx, native).map(Some),
            Some(Definition::Host(host)) => {
                let host = host.clone().host();
                let id = native.func().and_then(|ty| self.engine.state().canon_func(ty));
                let fits = id.is_some_and(|id| self.engine.state().is_sub_id(host.type_id(), id));
                let ty = match native {
                    wasmtime::ExternType::Func(ty) if fits => ty.clone(),
                    _ => host.lowered_type()?,
                };
                Ok(Some(Import::Silent(host.materialize(cx, ty))))
            }
            None => Ok(self.inner.get(&mut cx.inner, module, name).ok().map(import_of_plain)),
        }
    }
}

#[cold]
fn defined_twice(module: &str, name: &str) -> Error {
    Error::msg(format!("import of `{module}::{name}` defined twice"))
}

/// What Wasmtime's own linker holds, for an import.
fn import_of_plain(native: wasmtime::Extern) -> Import {
    match native {
        wasmtime::Extern::Func(func) => Import::Silent(func),
        native => Import::Native(native),
    }
}
