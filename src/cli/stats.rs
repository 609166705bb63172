//! `-D gc-stats`: what the heap of a store has been through, on standard error.

use super::wasi::Host;
use crate::api::Store;

/// Prints the statistics.
pub(super) fn print(store: &mut Store<Host>) {
    eprintln!("{:#?}", store.gc_statistics());
}
