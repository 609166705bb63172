//! Runs a harness on pseudo-random inputs: a few in `cargo test`, as many as one likes in a campaign.
//!
//! | variable | what it sets |
//! |---|---|
//! | `WASMTIME_GC_FUZZ_RUNS` | how many inputs a harness gets |
//! | `WASMTIME_GC_FUZZ_SEED` | the seed of the first; the others count up from it |
//! | `WASMTIME_GC_FUZZ_SECONDS` | no input begins after so many seconds |
//! | `WASMTIME_GC_FUZZ_PROGRESS` | seconds between two lines that say how far it is (`--nocapture` shows them) |
//! | `WASMTIME_GC_FUZZ_KEEP_GOING` | 1: goes on after a finding, and fails at the end |

use std::any::type_name;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Runs `harness` on `runs` inputs of up to `most` bytes. Says which input it is when it panics.
pub fn replay<F: Fn(&[u8]) + Send>(harness: F, runs: u64, most: usize) {
    // In a pool of one thread what the compiler does in parallel is done at once, without waiting for other threads.
    match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(|| replay_here(harness, runs, most)),
        Err(_) => replay_here(harness, runs, most),
    }
}

fn replay_here<F: Fn(&[u8])>(harness: F, runs: u64, most: usize) {
    let seconds = number("WASMTIME_GC_FUZZ_SECONDS");
    // A campaign that is limited by time is not limited by the number that suits `cargo test`.
    let usual = if seconds.is_some() { u64::MAX } else { runs };
    let runs = number("WASMTIME_GC_FUZZ_RUNS").unwrap_or(usual);
    let every = number("WASMTIME_GC_FUZZ_PROGRESS").map(Duration::from_secs);
    let keep_going = number("WASMTIME_GC_FUZZ_KEEP_GOING") == Some(1);
    let first = number("WASMTIME_GC_FUZZ_SEED").unwrap_or(1);
    let start = Instant::now();
    let (mut done, mut findings, mut next_line) = (0, 0, Duration::ZERO);
    while done < runs && seconds.is_none_or(|seconds| start.elapsed().as_secs() < seconds) {
        let seed = first.wrapping_add(done);
        let input = input(seed, most);
        let outcome = catch_unwind(AssertUnwindSafe(|| harness(&input)));
        done += 1;
        if let Err(panic) = outcome {
            eprintln!("the input of WASMTIME_GC_FUZZ_RUNS=1 WASMTIME_GC_FUZZ_SEED={seed}");
            findings += 1;
            if !keep_going {
                resume_unwind(panic);
            }
        }
        if let Some(every) = every.filter(|_| start.elapsed() >= next_line) {
            progress::<F>(first, done, findings, start);
            next_line = start.elapsed() + every;
        }
    }
    if every.is_some() {
        progress::<F>(first, done, findings, start);
    }
    assert!(findings == 0, "{findings} findings in {done} executions");
}

fn progress<F>(first: u64, done: u64, findings: u64, start: Instant) {
    let name = type_name::<F>().trim_start_matches("wasmtime_gc::fuzzing::");
    let seconds = start.elapsed().as_secs();
    eprintln!("{name}: {done} executions, seeds from {first}, {findings} findings, {seconds} s");
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
