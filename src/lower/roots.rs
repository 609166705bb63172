//! Root slots.
