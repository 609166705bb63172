//! Runs a harness on pseudo-random inputs.
//!
//! `WASMTIME_GC_FUZZ_RUNS` and `WASMTIME_GC_FUZZ_SEED` make a replay longer, or another one.

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs `harness` on `runs` inputs of up to `most` bytes. Says which input it is when it panics.
pub fn replay(harness: fn(&[u8]), runs: u64, most: usize) {
    let runs = number("WASMTIME_GC_FUZZ_RUNS", runs);
    let seed = number("WASMTIME_GC_FUZZ_SEED", 1);
    for run in 0..runs {
        let input = input(seed.wrapping_add(run), most);
        let outcome = std::panic::catch_unwind(|| harness(&input));
        if let Err(panic) = outcome {
            eprintln!("the input of WASMTIME_GC_FUZZ_RUNS=1 WASMTIME_GC_FUZZ_SEED={}", seed.wrapping_add(run));
            std::panic::resume_unwind(panic);
        }
    }
}

/// The bytes of a seed, by splitmix64.
pub fn input(seed: u64, most: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let len = next() as usize % most + 1;
    (0..len).map(|_| (next() >> 32) as u8).collect()
}
