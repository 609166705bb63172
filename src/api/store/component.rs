//! What a store says about components, which are Wasmtime's own: see [`Store::wasmtime_mut`].

use super::{Store, StoreContextMut};
use crate::api::Result;
use wasmtime::component::{GuestTaskId, ResourceTable};

impl<T: 'static> Store<T> {
    /// How much one call of the host from a component may copy; see [`Store::set_hostcall_fuel`].
    pub fn hostcall_fuel(&self) -> usize {
        self.inner.hostcall_fuel()
    }

    /// Sets how much one call of the host from a component may copy, in Wasmtime's units of about a byte.
    pub fn set_hostcall_fuel(&mut self, fuel: usize) {
        self.inner.set_hostcall_fuel(fuel);
    }

    /// How many handles to resources components may have at once.
    pub fn max_component_handles(&self) -> usize {
        self.inner.max_component_handles()
    }

    /// Sets how many handles to resources components may have at once.
    pub fn set_max_component_handles(&mut self, limit: usize) {
        self.inner.set_max_component_handles(limit);
    }

    /// The table of tasks and the like of components; none if the engine does not support concurrency.
    pub fn concurrent_resource_table(&mut self) -> Option<&mut ResourceTable> {
        self.inner.concurrent_resource_table()
    }
}

impl<T: 'static> StoreContextMut<'_, T> {
    /// See [`Store::hostcall_fuel`].
    pub fn hostcall_fuel(&self) -> usize {
        self.inner.hostcall_fuel()
    }

    /// See [`Store::set_hostcall_fuel`].
    pub fn set_hostcall_fuel(&mut self, fuel: usize) {
        self.inner.set_hostcall_fuel(fuel);
    }

    /// See [`Store::max_component_handles`].
    pub fn max_component_handles(&self) -> usize {
        self.inner.max_component_handles()
    }

    /// See [`Store::set_max_component_handles`].
    pub fn set_max_component_handles(&mut self, limit: usize) {
        self.inner.set_max_component_handles(limit);
    }

    /// See [`Store::concurrent_resource_table`].
    pub fn concurrent_resource_table(&mut self) -> Option<&mut ResourceTable> {
        self.inner.concurrent_resource_table()
    }

    /// The tasks of components that have led to the present call, the youngest first.
    ///
    /// # Errors
    ///
    /// When no component is running.
    pub fn async_call_stack(&mut self) -> Result<impl Iterator<Item = GuestTaskId>> {
        self.inner.async_call_stack()
    }
}
