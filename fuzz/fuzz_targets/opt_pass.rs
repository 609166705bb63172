//! Each pass of the optimiser alone: see `src/fuzzing/opt_pass.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::opt_pass::run(data));
