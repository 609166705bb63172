//! Breakpoints and single steps, in terms of the original modules.

use crate::api::store::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut};
use crate::api::{Caller, Engine, Error, Module, ModulePC, Result};
use crate::ir::MarkKind;
use crate::runtime::code::Code;
use crate::runtime::debug::DebugState;
use std::sync::{Arc, Mutex};
use wasmtime as w;

/// A breakpoint.
pub struct Breakpoint {
    /// The module that it is in.
    pub module: Module,
    /// The offset of the operator in the module.
    pub pc: ModulePC,
}

/// Changes breakpoints of a store, until it is dropped. Then they are in effect, also for what is running.
pub struct BreakpointEdit<'a> {
    inner: w::BreakpointEdit<'a>,
    engine: Engine,
    state: Arc<Mutex<DebugState>>,
}

impl BreakpointEdit<'_> {
    /// The codes of a module: itself, and what was lowered of it after all.
    fn codes(&self, module: &Module) -> Result<Vec<Arc<Code>>> {
        if !Engine::same(&self.engine, module.engine()) {
            return Err(Error::msg("cross-`Engine` breakpoint editing is not supported"));
        }
        let checked = module.code().checked(self.engine.state())?;
        Ok([module.code().clone()].into_iter().chain(checked).collect())
    }

    /// Adds a breakpoint before the operator at an offset of a module, or before the next one behind it. One that was
    /// added twice must be removed twice.
    ///
    /// # Errors
    ///
    /// When the module is of another engine.
    pub fn add_breakpoint(&mut self, module: &Module, pc: ModulePC) -> Result<()> {
        for code in self.codes(module)? {
            let Some(table) = code.debug() else {
                // That of a module which is its own original; no debugger sees any other.
                if code.lowered.is_none() {
                    self.inner.add_breakpoint(&code.wasmtime, pc)?;
                }
                continue;
            };
            let Some((actual, at)) = table.step_from(pc.raw()) else { continue };
            if actual != pc.raw() {
                DebugState::with(&self.state, |state| state.redirects.insert((code.identity(), pc.raw()), at));
            }
            self.inner.add_breakpoint(&code.wasmtime, ModulePC::new(at))?;
        }
        Ok(())
    }

    /// Removes a breakpoint. One that is not there is no error.
    ///
    /// # Errors
    ///
    /// When the module is of another engine.
    pub fn remove_breakpoint(&mut self, module: &Module, pc: ModulePC) -> Result<()> {
        for code in self.codes(module)? {
            let Some(table) = code.debug() else {
                if code.lowered.is_none() {
                    self.inner.remove_breakpoint(&code.wasmtime, pc)?;
                }
                continue;
            };
            let redirect = DebugState::with(&self.state, |state| state.redirects.remove(&(code.identity(), pc.raw())));
            let exact = || table.step_from(pc.raw()).filter(|&(actual, _)| actual == pc.raw());
            if let Some(at) = redirect.or_else(|| exact().map(|(_, at)| at)) {
                self.inner.remove_breakpoint(&code.wasmtime, ModulePC::new(at))?;
            }
        }
        Ok(())
    }

    /// Stops before every operator of every module of the store, or no longer.
    ///
    /// # Errors
    ///
    /// When the system does not let code be changed.
    pub fn single_step(&mut self, enabled: bool) -> Result<()> {
        let step = DebugState::with(&self.state, |state| {
            state.single_step = enabled;
            enabled || state.epoch
        });
        self.inner.single_step(step)
    }
}

impl<T: 'static> Store<T> {
    /// All breakpoints; `None` in an engine that is not for debugging of guests.
    pub fn breakpoints(&self) -> Option<impl Iterator<Item = Breakpoint> + '_> {
        self.as_context().breakpoints()
    }

    /// Whether the store stops before every operator.
    pub fn is_single_step(&self) -> bool {
        self.as_context().is_single_step()
    }

    /// Changes breakpoints; `None` in an engine that is not for debugging of guests.
    ///
    /// ```
    /// use wasmtime_gc::api::{Config, Engine, Module, ModulePC, Store};
    ///
    /// # fn main() -> wasmtime_gc::api::Result<()> {
    /// let mut config = Config::new();
    /// config.guest_debug(true);
    /// let engine = Engine::new(&config)?;
    /// let module = Module::new(&engine, "(module (func (drop (ref.i31 (i32.const 1)))))")?;
    /// let mut store = Store::new(&engine, ());
    /// store.debug_register_module(&module)?;
    /// store.edit_breakpoints().unwrap().add_breakpoint(&module, ModulePC::new(0))?;
    /// let first = store.breakpoints().unwrap().next().unwrap();
    /// assert!(first.pc.raw() > 0, "the first operator");
    /// # Ok(())
    /// # }
    /// ```
    pub fn edit_breakpoints<'a>(&'a mut self) -> Option<BreakpointEdit<'a>> {
        self.as_context_mut().edit_breakpoints()
    }
}

impl<'a, T: 'static> StoreContext<'a, T> {
    /// All breakpoints. See [`Store::breakpoints`].
    pub fn breakpoints(self) -> Option<impl Iterator<Item = Breakpoint> + 'a> {
        let data = self.inner.data();
        let mut all: Vec<Breakpoint> = Vec::new();
        for at in self.inner.breakpoints()? {
            let Some(code) = data.gc.engine.code_of(&at.module) else { continue };
            let pc = match code.debug().map(|table| table.mark_at(at.pc.raw())) {
                None => at.pc,
                Some(Some(mark)) if mark.kind == MarkKind::Step => ModulePC::new(mark.pc),
                Some(_) => continue,
            };
            let known = data.gc.debug.module_of(&code).cloned();
            let module = known.unwrap_or_else(|| Module { engine: data.engine.clone(), code });
            if !all.iter().any(|other| other.pc == pc && Module::same(&other.module, &module)) {
                all.push(Breakpoint { module, pc });
            }
        }
        Some(all.into_iter())
    }

    /// Whether the store stops before every operator.
    pub fn is_single_step(&self) -> bool {
        self.inner.data().gc.debug.with(|state| state.single_step)
    }
}

impl<'a, T: 'static> StoreContextMut<'a, T> {
    /// Changes breakpoints. See [`Store::edit_breakpoints`].
    pub fn edit_breakpoints(self) -> Option<BreakpointEdit<'a>> {
        let data = self.inner.data();
        let (engine, state) = (data.engine.clone(), data.gc.debug.state.clone());
        Some(BreakpointEdit { inner: self.inner.edit_breakpoints()?, engine, state })
    }
}

impl<T: 'static> Caller<'_, T> {
    /// Changes breakpoints. See [`Store::edit_breakpoints`].
    pub fn edit_breakpoints<'b>(&'b mut self) -> Option<BreakpointEdit<'b>> {
        self.as_context_mut().edit_breakpoints()
    }
}
