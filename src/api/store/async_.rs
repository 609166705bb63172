//! Stores whose calls may have to wait.

use super::{AsContextMut, Store, StoreContextMut};
use crate::api::ext::gc_step;
use crate::api::{GcHeapOutOfMemory, ResourceLimiterAsync, Result};
use crate::runtime::finalize::safe_point;
use crate::runtime::limits::{self, Limiter};
use crate::runtime::ready::give_way;
use std::time::Duration;

/// So long marks [`Store::gc_async`] before it lets others have their turn.
const TURN: Duration = Duration::from_millis(1);

impl<T: 'static> Store<T> {
    /// Sets who decides whether memories and tables may grow, and may have to wait before it does. From then on only
    /// asynchronous functions can be called.
    ///
    /// Where the host allocates (`StructRef::new_async` and its kin) and instantiates, the GC heap waits for the limiter.
    /// A guest's allocation can not: where the limiter does not answer at once the heap makes do with what it has, and
    /// asks again when the next asynchronous call begins; a table in the heap does not grow. Guests' own memories and
    /// tables of functions wait as in Wasmtime.
    pub fn limiter_async(
        &mut self,
        limiter: impl (FnMut(&mut T) -> &mut dyn ResourceLimiterAsync) + Send + Sync + 'static,
    ) {
        limits::set(&mut self.inner, Limiter::Async(Box::new(limiter)));
    }

    /// Makes a call wait for its turn when its epoch has come, and sets its next deadline.
    pub fn epoch_deadline_async_yield_and_update(&mut self, delta: u64) {
        self.inner.data_mut().epoch_yields = true;
        self.inner.epoch_deadline_async_yield_and_update(delta);
    }

    /// Makes a call wait for its turn whenever so much fuel is used; `None` for never.
    ///
    /// # Errors
    ///
    /// When fuel is not switched on, or the interval is 0.
    pub fn fuel_async_yield_interval(&mut self, interval: Option<u64>) -> Result<()> {
        self.inner.fuel_async_yield_interval(interval)?;
        self.inner.data_mut().yields_fuel = interval.is_some();
        Ok(())
    }

    /// Collects all garbage, as [`Store::gc`] does, but marks for about a millisecond at a time, and lets others have their
    /// turn in between. What is not divided ([`gc_step`](crate::ext::gc_step) lists it) takes its time. With
    /// [`Config::gc_incremental`](crate::Config::gc_incremental) off it is `Store::gc`, and a turn for others.
    ///
    /// A future that is dropped before it is ready leaves the rest to the next collection.
    ///
    /// # Errors
    ///
    /// As [`Store::gc`].
    pub async fn gc_async(&mut self, why: Option<&GcHeapOutOfMemory<()>>) -> Result<()>
    where
        T: Send,
    {
        self.as_context_mut().gc_async(why).await
    }
}

impl<T: 'static> StoreContextMut<'_, T> {
    /// Makes a call wait for its turn when its epoch has come. See [`Store::epoch_deadline_async_yield_and_update`].
    pub fn epoch_deadline_async_yield_and_update(&mut self, delta: u64) {
        self.inner.data_mut().epoch_yields = true;
        self.inner.epoch_deadline_async_yield_and_update(delta);
    }

    /// Makes a call wait for its turn whenever so much fuel is used. See [`Store::fuel_async_yield_interval`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn fuel_async_yield_interval(&mut self, interval: Option<u64>) -> Result<()> {
        self.inner.fuel_async_yield_interval(interval)?;
        self.inner.data_mut().yields_fuel = interval.is_some();
        Ok(())
    }

    /// Collects all garbage. See [`Store::gc_async`].
    ///
    /// # Errors
    ///
    /// As [`Store::gc`].
    pub async fn gc_async(&mut self, why: Option<&GcHeapOutOfMemory<()>>) -> Result<()>
    where
        T: Send,
    {
        let state = self.inner.data().gc.state();
        let (in_steps, marking) =
            state.map_or((false, false), |state| (state.heap.options().incremental, state.heap.is_marking()));
        if !in_steps {
            self.gc(why)?;
            give_way().await;
            return Ok(());
        }
        // A collection that is under way frees what was garbage when it began, and the one after it what is garbage now.
        let mut ends = 1 + u32::from(marking);
        while ends > 0 {
            ends -= u32::from(gc_step(&mut *self, TURN)?);
            give_way().await;
        }
        safe_point(&mut self.inner);
        Ok(())
    }
}
