//! Lowered modules validate as core WebAssembly: see `src/fuzzing/lower_valid.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::lower_valid::run(data));
