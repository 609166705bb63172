//! The embedder's interface agrees with a model: see `src/fuzzing/gc_ops/`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::gc_ops::run(data));
