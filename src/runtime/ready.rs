//! What the engine does asynchronously for a limiter's sake, done at once.
//!
//! The collector can not wait in the middle of an allocation. A limiter that answers at once, as nearly all do, is
//! asked like any other; one that must wait counts as a refusal, after which the heap makes do with what it has. Where
//! the host can wait, outside of an allocation, it asks again for what was refused so, and then tries again.

use super::Result;
use super::memory::grow;
use super::store::{StoreData, ensure_heap};
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

/// A table that is to grow, in elements, or a memory, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Growth {
    /// From.
    pub current: usize,
    /// To.
    pub desired: usize,
    /// What it has at most.
    pub max: Option<usize>,
}

impl Growth {
    /// `max` is `u64::MAX` for none.
    pub fn of(current: u64, desired: u64, max: u64) -> Growth {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Growth { current: size(current), desired: size(desired), max: (max != u64::MAX).then(|| size(max)) }
    }
}

/// What the limiter has said of tables in one attempt after the other, which ask in the same order: what it has allowed
/// it is not asked again.
#[derive(Default)]
pub struct TableAnswers {
    allowed: Vec<Growth>,
    /// How many of them this attempt has come to.
    next: usize,
    /// What it could not say at once.
    awaited: Option<Growth>,
}

impl TableAnswers {
    /// Whether an earlier attempt was allowed this.
    pub fn has_allowed(&mut self, growth: Growth) -> bool {
        let allowed = self.allowed.get(self.next) == Some(&growth);
        self.next += usize::from(allowed);
        allowed
    }

    /// This attempt is.
    pub fn allows(&mut self, growth: Growth) {
        self.allowed.truncate(self.next);
        self.allowed.push(growth);
        self.next += 1;
    }

    /// The limiter has to wait before it answers.
    pub fn awaits(&mut self, growth: Growth) {
        self.awaited = Some(growth);
    }
}

/// Makes an attempt, and waits for the limiter and makes another where that could not answer at once.
///
/// # Errors
///
/// As the attempt, once the limiter has refused; what it says in place of an answer.
pub async fn retried<T: 'static, R>(
    cx: &mut StoreContextMut<'_, StoreData<T>>,
    mut attempt: impl FnMut(&mut StoreContextMut<'_, StoreData<T>>) -> Result<R>,
) -> Result<R> {
    let mut answers = TableAnswers::default();
    cx.data_mut().gc.awaited = None;
    loop {
        cx.data_mut().limits.table_answers = Some(answers);
        let result = attempt(cx);
        answers = cx.data_mut().limits.table_answers.take().unwrap_or_default();
        answers.next = 0;
        if result.is_ok() {
            return result;
        }
        if let Some(growth) = answers.awaited.take() {
            if !cx.data_mut().table_growing_async(growth).await? {
                return result;
            }
            answers.allowed.push(growth);
        } else if !grow_as_awaited(cx).await {
            // Each time round the memory has become larger.
            return result;
        }
    }
}

/// Waits for what the limiter could not say at once: whether the heap's memory may grow. Whether it has grown.
pub async fn grow_as_awaited<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) -> bool {
    let gc = &mut cx.data_mut().gc;
    let (Some(len), Some(place)) = (gc.awaited.take(), gc.place) else { return false };
    let (current, desired) = (place.memory.data_size(&*cx) as u64, len.next_multiple_of(crate::layout::PAGE.into()));
    if desired <= current {
        return true;
    }
    cx.data_mut().heap_growing_async(current, desired).await && grow(cx, place.memory, desired)
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
    ensure_heap(&mut cx)?;
    retried(&mut cx, |cx| attempt(wasmtime::AsContextMut::as_context_mut(cx))).await
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
