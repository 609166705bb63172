//! What a guest can ask of its heap by imports: tokens that report their end, and collections.
//!
//! | import | type | what |
//! |---|---|---|
//! | `wasmtime-gc:finalizers` `token` | `(i32) -> externref` | a new object that reports this number when it is garbage |
//! | `wasmtime-gc:finalizers` `pending` | `() -> i32` | how many numbers were reported and not taken |
//! | `wasmtime-gc:finalizers` `next` | `() -> i32` | takes the oldest of them; -1 if there is none |
//! | `wasmtime-gc:heap` `collect` | `()` | collects all garbage |
//! | `wasmtime-gc:heap` `collections` | `() -> i64` | how many collections there were |
//!
//! A token is a host value whose `Drop` reports the number. An object that holds the only reference to a token has
//! a finalizer: both die together. Reports are taken, not called: no guest code runs while the heap is collected,
//! and a finalizer runs where the program is ready for it.
//!
//! For programs and components that know objects by numbers. Those that can hold references, and embedders that want
//! to be called, have [`FinalizationRegistry`](super::ext::FinalizationRegistry); `docs/handles.md` compares them.

use super::func::Caller;
use super::{AsContext, AsContextMut, Error, ExternRef, Linker, Result, Rooted};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

type Queue = Arc<Mutex<VecDeque<i32>>>;

/// The module of tokens.
const FINALIZERS: &str = "wasmtime-gc:finalizers";
/// The module of the heap.
const HEAP: &str = "wasmtime-gc:heap";

/// How many reports may wait. A guest that lets them pile up gets no new tokens, or it could fill the host's memory.
const MOST: usize = 1 << 20;

/// The reports of a store's tokens. Clones share them.
#[derive(Debug, Default, Clone)]
pub struct Finalizers {
    reports: Queue,
}

/// A host value that reports its number when it is dropped.
struct Token {
    number: i32,
    reports: Queue,
}

impl Drop for Token {
    fn drop(&mut self) {
        lock(&self.reports).push_back(self.number);
    }
}

/// A queue is whole between any two operations on it, whoever panicked.
fn lock(queue: &Queue) -> MutexGuard<'_, VecDeque<i32>> {
    queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Finalizers {
    /// No reports.
    pub fn new() -> Finalizers {
        Finalizers::default()
    }

    /// A new token.
    ///
    /// # Errors
    ///
    /// When the GC heap is full, or more than a million reports wait.
    pub fn token(&self, store: impl AsContextMut, number: i32) -> Result<Rooted<ExternRef>> {
        if self.pending() > MOST {
            return Err(Error::msg("too many finalizers are pending: take their reports before there are new tokens"));
        }
        ExternRef::new(store, Token { number, reports: self.reports.clone() })
    }

    /// How many numbers were reported and not taken.
    pub fn pending(&self) -> usize {
        lock(&self.reports).len()
    }

    /// Takes the oldest report.
    pub fn next_report(&self) -> Option<i32> {
        lock(&self.reports).pop_front()
    }

    /// Defines `wasmtime-gc:finalizers` and `wasmtime-gc:heap`; `get` finds a store's reports in its data.
    ///
    /// # Errors
    ///
    /// When a name is taken.
    pub fn add_to_linker<T: 'static>(
        linker: &mut Linker<T>,
        get: impl Fn(&T) -> &Finalizers + Copy + Send + Sync + 'static,
    ) -> Result<()> {
        Finalizers::token_to_linker(linker, move |data| get(data).clone())?;
        linker.func_wrap(FINALIZERS, "pending", move |caller: Caller<'_, T>| {
            i32::try_from(get(caller.data()).pending()).unwrap_or(i32::MAX)
        })?;
        linker.func_wrap(FINALIZERS, "next", move |caller: Caller<'_, T>| {
            get(caller.data()).next_report().unwrap_or(-1)
        })?;
        linker.func_wrap(HEAP, "collect", |mut caller: Caller<'_, T>| caller.gc(None))?;
        linker.func_wrap(HEAP, "collections", |caller: Caller<'_, T>| {
            let stats = caller.as_context().heap_stats();
            (stats.minor + stats.major) as i64
        })?;
        Ok(())
    }

    /// Defines `token` of `wasmtime-gc:finalizers`.
    pub(crate) fn token_to_linker<T: 'static>(
        linker: &mut Linker<T>,
        get: impl Fn(&T) -> Finalizers + Send + Sync + 'static,
    ) -> Result<()> {
        linker.func_wrap(FINALIZERS, "token", move |mut caller: Caller<'_, T>, number: i32| {
            let finalizers = get(caller.data());
            finalizers.token(&mut caller, number).map(Some)
        })?;
        Ok(())
    }
}
