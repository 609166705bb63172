//! Small functions.
