//! Linking intrinsics changes nothing else: see `src/fuzzing/linked.rs`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::linked::run(data));
