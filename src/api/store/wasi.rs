//! WASI for components, which are Wasmtime's own: see [`Store::wasmtime_mut`](super::Store::wasmtime_mut).

use crate::runtime::store::StoreData;
use wasmtime_wasi::{WasiCtxView, WasiView};

/// What shows its WASI does so as a store's data too, so that `wasmtime_wasi::p2` can be added to a linker of components.
///
/// ```
/// use wasmtime_gc::component::{Component, Linker, ResourceTable};
/// use wasmtime_gc::{Engine, Store, StoreData};
/// use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
///
/// struct State {
///     wasi: WasiCtx,
///     table: ResourceTable,
/// }
///
/// impl WasiView for State {
///     fn ctx(&mut self) -> WasiCtxView<'_> {
///         WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
///     }
/// }
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let engine = Engine::default();
/// let mut linker = Linker::<StoreData<State>>::new(engine.wasmtime());
/// wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
/// let component = Component::new(engine.wasmtime(), "(component)")?;
/// let state = State { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
/// let mut store = Store::new(&engine, state);
/// linker.instantiate(store.wasmtime_mut(), &component)?;
/// # Ok(())
/// # }
/// ```
impl<T: WasiView> WasiView for StoreData<T> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.data_mut().ctx()
    }
}
