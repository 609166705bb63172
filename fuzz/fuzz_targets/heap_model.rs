//! The heap agrees with a trivial model of one: see `src/fuzzing/heap_model.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::heap_model::run(data));
