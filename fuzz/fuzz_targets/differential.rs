//! Lowered modules do what stock Wasmtime makes of them: see `src/fuzzing/differential.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::differential::run(data));
