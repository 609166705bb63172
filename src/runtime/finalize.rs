//! Finalizers run here: between calls, never inside a collection.
//!
//! A collection only fills queues ([`crate::heap`]). They are emptied at a *safe point*: when the outermost
//! call into WebAssembly has returned to the host, and after a collection that the host asked for. No frame
//! of WebAssembly is then on the stack, and none of this code, so a finalizer may do whatever the host may.

use super::Result;
use super::store::StoreData;
use crate::heap::QueueId;
use crate::layout::reference::NULL;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use wasmtime::{AsContextMut, StoreContextMut};

/// What runs once for one target.
pub type RunOnce<T> = Box<dyn FnOnce(StoreContextMut<'_, StoreData<T>>) + Send + Sync>;
/// What runs for each target of a registry, with the reference that was held for it.
pub type RunEach<T> = Arc<dyn Fn(StoreContextMut<'_, StoreData<T>>, u32) + Send + Sync>;

/// What is to be done for a queue.
pub enum Finalizer<T: 'static> {
    /// For the only target. The queue is held here.
    Once {
        /// Ends the queue when this has run.
        _queue: QueueId,
        /// What runs.
        run: RunOnce<T>,
    },
    /// For each target.
    Each {
        /// The queue is held by who registers.
        holder: Weak<()>,
        /// What runs.
        run: RunEach<T>,
    },
}

/// A store's finalizers, by the numbers of their queues.
pub struct FinalizerTable<T: 'static> {
    by_queue: HashMap<u64, Finalizer<T>>,
    running: bool,
    /// Functions of registries that nobody holds are looked for when there are this many.
    trim_at: usize,
}

/// So many functions are too few to trim.
const MIN_TRIM: usize = 16;

impl<T: 'static> Default for FinalizerTable<T> {
    fn default() -> FinalizerTable<T> {
        FinalizerTable { by_queue: HashMap::new(), running: false, trim_at: 0 }
    }
}

impl<T: 'static> FinalizerTable<T> {
    /// Enters what is to be done for a queue.
    pub fn insert(&mut self, queue: u64, finalizer: Finalizer<T>) {
        if self.by_queue.len() >= self.trim_at.max(MIN_TRIM) {
            self.by_queue.retain(|_, finalizer| match finalizer {
                Finalizer::Once { .. } => true,
                Finalizer::Each { holder, .. } => holder.strong_count() > 0,
            });
            self.trim_at = 2 * self.by_queue.len();
        }
        self.by_queue.insert(queue, finalizer);
    }
}

/// Where a call has returned and its results are in handles: a safe point, if the call was the outermost.
#[inline]
pub fn safe_point<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) {
    if cx.data().gc.finalize {
        at_return(cx);
    }
}

/// At the return of a call: runs finalizers, if that was the outermost.
#[cold]
fn at_return<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) {
    let outermost = wasmtime::WasmBacktrace::force_capture(&*cx).frames().is_empty();
    if outermost {
        // Without a heap there is nothing to run.
        run(cx).ok();
    }
}

/// Runs the finalizers of all targets that are known to be dead: how many. None if some are running already.
///
/// # Errors
///
/// When there is no heap.
pub fn run<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) -> Result<usize> {
    if std::mem::replace(&mut cx.data_mut().callbacks_mut().finalizers.running, true) {
        return Ok(0);
    }
    let mut running = Running(cx.as_context_mut());
    let mut count = 0;
    while run_next(&mut running.0) {
        count += 1;
    }
    running.0.data_mut().gc.finalize = false;
    Ok(count)
}

/// Unsets the mark that finalizers are running, even if one panics.
struct Running<'a, T: 'static>(StoreContextMut<'a, StoreData<T>>);

impl<T: 'static> Drop for Running<'_, T> {
    fn drop(&mut self) {
        self.0.data_mut().callbacks_mut().finalizers.running = false;
    }
}

fn run_next<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) -> bool {
    let Some(state) = cx.data_mut().gc.state_mut() else { return false };
    let Some(queue) = state.heap.told_finalization() else { return false };
    let held = state.heap.take_finalization(queue).unwrap_or(NULL);
    // What was held has no root but the handles of this scope.
    let scope = state.roots.enter_scope();
    let mut scoped = Scoped(cx.as_context_mut(), scope);
    let cx = &mut scoped.0;
    match cx.data_mut().callbacks_mut().finalizers.by_queue.remove(&queue) {
        Some(Finalizer::Once { run, .. }) => run(cx.as_context_mut()),
        Some(Finalizer::Each { holder, run }) => {
            let again = Finalizer::Each { holder, run: run.clone() };
            cx.data_mut().callbacks_mut().finalizers.by_queue.insert(queue, again);
            run(cx.as_context_mut(), held);
        }
        None => {}
    }
    true
}

/// Ends a scope of handles, even if the finalizer panics.
struct Scoped<'a, T: 'static>(StoreContextMut<'a, StoreData<T>>, usize);

impl<T: 'static> Drop for Scoped<'_, T> {
    fn drop(&mut self) {
        let Scoped(cx, scope) = self;
        cx.data_mut().gc.roots().into_iter().for_each(|roots| roots.exit_scope(*scope));
    }
}
