//! Casts against RTTs do what those of the standard do: see `src/fuzzing/rtt_differential.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::rtt_differential::run(data));
