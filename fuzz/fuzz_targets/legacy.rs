//! Exceptions of both kinds agree: see `src/fuzzing/legacy.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::legacy::run(data));
