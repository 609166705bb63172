//! What the embedder has a store do, in closures over the store itself.
//!
//! They are behind a trait object, so that [`StoreData`], and with it the embedder's `Linker<T>`, can be named for any `T`:
//! only a `T` of which there is a store must outlive everything.

use super::finalize::FinalizerTable;
use super::store::{OnCoreDump, StoreData};

/// A store's closures.
pub struct Callbacks<T: 'static> {
    /// What is to be done for objects that die.
    pub finalizers: FinalizerTable<T>,
    /// What happens when an epoch's deadline has come; a trap, if there is nothing else.
    pub on_epoch: Option<super::metering::OnEpoch<T>>,
    /// What the embedder finds in an error instead of the engine's core dump.
    pub on_core_dump: OnCoreDump<T>,
    /// Calls start functions, in a store with a debugger.
    pub start_async: Option<super::debug::StartAsync<T>>,
    /// Who is told of calls.
    #[cfg(feature = "call-hook")]
    pub hook: Option<super::hooks::Hook<T>>,
}

/// A store's closures, if `T` is one of which there are stores.
pub trait OfStore<T>: Send + Sync {
    /// To look at.
    fn get(&self) -> &Callbacks<T>
    where
        T: 'static;
    /// To change.
    fn get_mut(&mut self) -> &mut Callbacks<T>
    where
        T: 'static;
}

impl<T: 'static> OfStore<T> for Callbacks<T> {
    #[inline]
    fn get(&self) -> &Callbacks<T> {
        self
    }

    #[inline]
    fn get_mut(&mut self) -> &mut Callbacks<T> {
        self
    }
}

impl<T: 'static> StoreData<T> {
    /// The store's closures.
    #[inline]
    pub(crate) fn callbacks(&self) -> &Callbacks<T> {
        self.closures.get()
    }

    /// The same to change.
    #[inline]
    pub(crate) fn callbacks_mut(&mut self) -> &mut Callbacks<T> {
        self.closures.get_mut()
    }
}
