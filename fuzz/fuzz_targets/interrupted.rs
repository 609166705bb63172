//! Fuel may run out anywhere: see `src/fuzzing/interrupted.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::interrupted::run(data));
