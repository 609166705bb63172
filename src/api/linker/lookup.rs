//! Definitions, found by name, and given more names.

use super::{Definition, Linker, defined_twice};
use crate::api::externals::Extern;
use crate::api::func::Func;
use crate::api::store::{AsContextMut, StoreContextMut};
use crate::api::types::ImportType;
use crate::api::{Error, Result};

impl<T: 'static> Linker<T> {
    fn find(&self, cx: &mut StoreContextMut<'_, T>, module: &str, name: &str) -> Option<Extern> {
        match self.map.get(&(module.to_string(), name.to_string())) {
            Some(definition) => Some(definition.to_extern(cx)),
            None => self.inner.get(&mut cx.inner, module, name).ok().and_then(of_plain),
        }
    }

    /// The definition of a name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn get(&self, mut store: impl AsContextMut<Data = T>, module: &str, name: &str) -> Result<Extern> {
        let found = self.find(&mut store.as_context_mut(), module, name);
        found.ok_or_else(|| Error::msg(format!("missing definition for `{module}::{name}`")))
    }

    /// The definition for an import, if there is one.
    pub fn get_by_import(&self, mut store: impl AsContextMut<Data = T>, import: &ImportType<'_>) -> Option<Extern> {
        self.find(&mut store.as_context_mut(), import.module(), import.name())
    }

    /// The definition for an import, if there is one.
    ///
    /// # Errors
    ///
    /// Never; Wasmtime's fails when the host is out of memory.
    pub fn try_get_by_import(
        &self,
        store: impl AsContextMut<Data = T>,
        import: &ImportType<'_>,
    ) -> Result<Option<Extern>> {
        Ok(self.get_by_import(store, import))
    }

    /// The function that a module is for: what has no name, else `_start`, else one that does nothing.
    ///
    /// # Errors
    ///
    /// When that is defined and no function.
    pub fn get_default(&self, mut store: impl AsContextMut<Data = T>, module: &str) -> Result<Func> {
        let mut cx = store.as_context_mut();
        for (name, what) in [("", "default export"), ("_start", "`_start`")] {
            match self.find(&mut cx, module, name) {
                Some(Extern::Func(func)) => return Ok(func),
                Some(_) => return Err(Error::msg(format!("{what} in '{module}' is not a function"))),
                None => {}
            }
        }
        Ok(Func::wrap(cx, || {}))
    }

    /// All definitions, in no particular order: module, name, and what it is.
    pub fn iter<'a: 'p, 'p>(
        &'a self,
        mut store: impl AsContextMut<Data = T> + 'p,
    ) -> impl Iterator<Item = (&'a str, &'a str, Extern)> + 'p {
        let mut cx = store.as_context_mut();
        let own = self
            .map
            .iter()
            .map(|((module, name), definition)| (module.as_str(), name.as_str(), definition.to_extern(&mut cx)));
        let mut all: Vec<_> = own.collect();
        all.extend(self.inner.iter(&mut cx.inner).filter_map(|(module, name, native)| {
            let hidden = self.map.contains_key(&(module.to_string(), name.to_string()));
            if hidden { None } else { Some((module, name, of_plain(native)?)) }
        }));
        all.into_iter()
    }
}

impl<T> Linker<T> {
    /// Defines a name to be what another is.
    ///
    /// # Errors
    ///
    /// When that is not defined, or the new name is taken.
    pub fn alias(&mut self, module: &str, name: &str, as_module: &str, as_name: &str) -> Result<&mut Self> {
        if let Some(definition) = self.map.get(&(module.to_string(), name.to_string())).cloned() {
            return self.insert(as_module, as_name, definition);
        }
        let key = (as_module.to_string(), as_name.to_string());
        if !self.allow_shadowing && self.map.contains_key(&key) {
            // That there is nothing to have another name is told first.
            self.inner.clone().alias(module, name, as_module, as_name)?;
            return Err(defined_twice(as_module, as_name));
        }
        self.inner.alias(module, name, as_module, as_name)?;
        self.map.remove(&key);
        let of = self.plain.get(&(module.to_string(), name.to_string())).copied();
        self.plain.insert(key, of.flatten());
        Ok(self)
    }
}

impl<T: 'static> Definition<T> {
    fn to_extern(&self, cx: &mut StoreContextMut<'_, T>) -> Extern {
        match self {
            Definition::Extern(definition) => definition.clone(),
            Definition::Host(host) => Func::of_host(cx, host.clone().host()).into(),
        }
    }
}

/// What Wasmtime's own linker holds.
fn of_plain(native: wasmtime::Extern) -> Option<Extern> {
    match native {
        wasmtime::Extern::Func(func) => Some(Func::of_silent(func).into()),
        native => Extern::of_native(native),
    }
}
