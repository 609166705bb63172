//! Broken modules of the explicit-RTT dialect are refused: see `src/fuzzing/text_rtt.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::text_rtt::run(data));
