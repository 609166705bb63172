//! One test for each thing that a pass does, and for each that it must not.
