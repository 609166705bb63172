//! Side tables agree with a model: see `src/fuzzing/side_table.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::side_table::run(data));
