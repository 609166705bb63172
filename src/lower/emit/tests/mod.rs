//! Emission, tested by running what it emits.

mod by_hand;
mod host;
mod interp;
mod random;
