//! What the engine does asynchronously for a limiter's sake, done at once.
//!
//! The collector can not wait in the middle of an allocation. A limiter that answers at once, as nearly all do, is
//! asked like any other; one that must wait counts as a refusal, after which the heap makes do with what it has. Where
//! the host can wait, outside of an allocation, it asks again for what was refused so, and then tries again.

use super::Result;
use super::store::{StoreData, ensure_heap_async};
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasmtime::StoreContextMut;

/// The output of a future that is ready at once.
pub fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Waits for what the limiter could not say at once: whether the heap's memory may grow. Whether it has grown.
pub async fn grow_as_awaited<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) -> bool {
    let gc = &mut cx.data_mut().gc;
    let (Some(len), Some(place)) = (gc.awaited.take(), gc.place) else { return false };
    let delta = len.div_ceil(crate::layout::PAGE.into()).saturating_sub(place.memory.size(&*cx));
    delta == 0 || place.memory.grow_async(&mut *cx, delta).await.is_ok()
}

/// Makes an allocation of the host, and waits for the limiter where it has to.
///
/// # Errors
///
/// As the allocation, once the limiter has refused.
pub async fn patiently<T: 'static, R>(
    mut cx: StoreContextMut<'_, StoreData<T>>,
    mut attempt: impl FnMut(StoreContextMut<'_, StoreData<T>>) -> Result<R>,
) -> Result<R> {
    ensure_heap_async(&mut cx).await?;
    cx.data_mut().gc.awaited = None;
    loop {
        let result = attempt(wasmtime::AsContextMut::as_context_mut(&mut cx));
        // Each time round the memory has become larger.
        if result.is_ok() || !grow_as_awaited(&mut cx).await {
            return result;
        }
    }
}

/// Lets others have their turn, once.
pub async fn give_way() {
    let mut gave = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
