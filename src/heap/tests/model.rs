//! Random programs, run on the heap and on a model of plain Rust values side by side.
