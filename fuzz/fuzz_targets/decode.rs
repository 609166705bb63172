//! Arbitrary bytes give a lowered module or an error: see `src/fuzzing/decode.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::decode::run(data));
