//! The linker and its intrinsics.
