//! What the engine does asynchronously for a limiter's sake, done at once.
//!
//! The collector can not wait in the middle of an allocation. A limiter that answers at once, as nearly all do, is
//! asked like any other; one that must wait counts as a refusal, after which the heap makes do with what it has.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The output of a future that is ready at once.
pub fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
