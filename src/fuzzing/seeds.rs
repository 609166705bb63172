//! The seed corpus: the committed inputs that libFuzzer starts from, replayed by `cargo test`.
//!
//! `fuzz/corpus/<target>/seed-…` are made here, by the same generators that make everything else: pseudo-random
//! decisions of several lengths for harnesses that take decisions, modules of this repository for those that take
//! modules. Inputs of past findings are added by hand. `WASMTIME_GC_BLESS=1 cargo test --lib fuzzing::seeds` writes the
//! files.

use super::replay::input;
use super::{
    decode, differential, gc_ops, heap_model, interrupted, legacy, linked, lower_valid, opt_pass, rtt_differential,
    side_table, text_rtt,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A target, its harness, and the length of its longest seed.
type Target = (&'static str, fn(&[u8]), usize);

const TARGETS: &[Target] = &[
    ("decode", decode::run, 400),
    ("differential", differential::run, 3000),
    ("gc_ops", gc_ops::run, 1500),
    ("heap_model", heap_model::run, 1200),
    ("interrupted", interrupted::run, 3000),
    ("legacy", legacy::run, 3000),
    ("linked", linked::run, 2000),
    ("lower_valid", lower_valid::run, 3000),
    ("opt_pass", opt_pass::run, 3000),
    ("rtt_differential", rtt_differential::run, 300),
    ("side_table", side_table::run, 2000),
    ("text_rtt", text_rtt::run, 400),
];

/// Pseudo-random seeds of each target.
const COUNT: u64 = 6;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The seeds of a target: each is longer than the one before.
fn seeds(target: &str, most: usize) -> Vec<Vec<u8>> {
    let number = target.bytes().fold(0, |number: u64, byte| number.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let decisions = (1..=COUNT).map(|n| {
        let len = most * n as usize / COUNT as usize;
        // The generator's own length is random.
        let long = (0..).map(|more| input(number + 1000 * n + more, most)).find(|long| long.len() >= len);
        long.map(|mut long| {
            long.truncate(len);
            long
        })
    });
    let whole: Vec<Vec<u8>> = match target {
        "decode" => decode::seeds(),
        "text_rtt" => text_rtt::seeds(),
        _ => vec![],
    };
    decisions.flatten().chain(whole).collect()
}

#[test]
fn the_corpus_is_replayed() {
    let bless = std::env::var_os("WASMTIME_GC_BLESS").is_some();
    let mut bytes = 0;
    for &(target, harness, most) in TARGETS {
        let folder = folder(target);
        if bless {
            std::fs::create_dir_all(&folder).unwrap();
            for (n, seed) in seeds(target, most).iter().enumerate() {
                std::fs::write(folder.join(format!("seed-{n:02}")), seed).unwrap();
            }
        }
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|err| panic!("{}: {err}", folder.display()));
        let files: BTreeSet<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        // What libFuzzer has found here is replayed too, but not counted.
        let ours =
            files.iter().filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("seed-")));
        assert!(ours.clone().count() as u64 >= COUNT, "{target}");
        bytes += ours.map(|path| path.metadata().unwrap().len()).sum::<u64>();
        for path in &files {
            let input = std::fs::read(path).unwrap();
            if let Err(panic) = std::panic::catch_unwind(|| harness(&input)) {
                eprintln!("the input is {}", path.display());
                std::panic::resume_unwind(panic);
            }
        }
    }
    assert!(bytes < 300_000, "{bytes} bytes are committed");
}
