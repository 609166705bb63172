//! `cargo bench --bench calls`: what it costs to cross the border between host and guest, beside Wasmtime.
//!
//! Each row is the same source for both (see `rows.rs`), in one process, samples by turns; the figure is the best
//! sample, in nanoseconds for one crossing. Without `--bench` every row runs a few times and checks what it computes.

mod rows;

use std::hint::black_box;
use std::time::Instant;

/// With this crate.
mod ours {
    pub use wasmtime_gc as wasmtime;
    super::rows::rows! {}
}

/// With Wasmtime.
mod theirs {
    pub use wasmtime;
    super::rows::rows! {}
}

/// Something that crosses the border so many times, and a number that says that it has.
type Run = Box<dyn FnMut(u32) -> u32>;

/// Crossings in a sample.
const SAMPLE: u32 = 20_000;
/// Samples of each contender.
const SAMPLES: u32 = 60;

fn main() {
    let names: Vec<&str> = rows::NAMES.to_vec();
    let bench = std::env::args().any(|arg| arg == "--bench");
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    if bench {
        println!("{:<34} {:>9} {:>9} {:>7} {:>7}", "ns for one crossing", "ours", "wasmtime", "ratio", "bound");
    }
    for ((name, bound), (mut ours, mut theirs)) in
        names.into_iter().zip(rows::BOUNDS).zip(ours::rows().into_iter().zip(theirs::rows()))
    {
        if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        assert_eq!((ours(3), theirs(3)), (3, 3), "{name}");
        if bench {
            let [ours, theirs] = race([&mut ours, &mut theirs]);
            println!("{name:<34} {ours:>9.1} {theirs:>9.1} {:>7.2} {bound:>7.1}", ours / theirs);
        }
    }
}

/// The best sample of each, in nanoseconds for one crossing.
fn race(runs: [&mut Run; 2]) -> [f64; 2] {
    let mut best = [f64::MAX; 2];
    let [a, b] = runs;
    for _ in 0..SAMPLES {
        for (run, best) in [&mut *a, &mut *b].into_iter().zip(&mut best) {
            let start = Instant::now();
            black_box(run(SAMPLE));
            *best = best.min(start.elapsed().as_nanos() as f64 / f64::from(SAMPLE));
        }
    }
    best
}
