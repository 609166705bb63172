//! The tables: what is allowed, and where it is not, why.

/// Folders whose Rust files are held to the rules.
pub const RUST_FOLDERS: &[&str] = &["src/", "tests/", "benches/", "examples/", "fuzz/"];

/// The most lines a Rust file may have.
pub const MAX_LINES: usize = 900;

/// Longer files: path and reason. A row for a file that is not longer is a violation too.
pub const LONG_FILES: &[(&str, &str)] = &[];

/// A room of `src/` (a folder, or a file `src/<name>.rs`) and the rooms that it may import.
pub struct Room {
    pub name: &'static str,
    pub may_import: Imports,
}

pub enum Imports {
    /// These rooms, and nothing that the crate root re-exports.
    Only(&'static [&'static str]),
    /// Everything but these rooms.
    AllBut(&'static [&'static str]),
}

use Imports::{AllBut, Only};

/// Which way the light falls. `heap` and `lower` never name each other: they meet in `layout`.
/// Code under `#[cfg(test)]` is free.
pub const ROOMS: &[Room] = &[
    Room { name: "types", may_import: Only(&[]) },
    Room { name: "layout", may_import: Only(&["types"]) },
    Room { name: "ir", may_import: Only(&["types"]) },
    Room { name: "intrinsics", may_import: Only(&[]) },
    Room { name: "fault", may_import: Only(&["types"]) },
    Room { name: "workers", may_import: Only(&[]) },
    Room { name: "parse", may_import: Only(&["types", "ir", "fault", "workers"]) },
    Room { name: "rtt", may_import: Only(&["types", "ir", "parse", "fault", "workers"]) },
    Room { name: "opt", may_import: Only(&["types", "ir", "fault", "workers"]) },
    Room { name: "lower", may_import: Only(&["types", "ir", "layout", "opt", "parse", "fault", "workers"]) },
    Room { name: "heap", may_import: Only(&["layout"]) },
    Room {
        name: "runtime",
        may_import: Only(&["types", "layout", "ir", "heap", "lower", "parse", "rtt", "fault", "workers"]),
    },
    Room { name: "api", may_import: AllBut(&["cli", "fuzzing"]) },
    Room { name: "cli", may_import: AllBut(&["fuzzing"]) },
    Room { name: "fuzzing", may_import: AllBut(&[]) },
];

/// Rooms whose `mod.rs` forbids unsafe code.
pub const SAFE_ROOMS: &[&str] = &["types", "layout", "ir", "parse", "rtt", "opt", "lower", "heap", "intrinsics"];

/// A dependency that may be named only under some paths of `src/`.
pub struct Fence {
    pub crates: &'static [&'static str],
    pub only_in: &'static [&'static str],
}

/// The engine stays out of the compiler and the heap; encoding stays out of everything but the compiler.
/// Code under `#[cfg(test)]` is free.
pub const FENCES: &[Fence] = &[
    Fence {
        crates: &["wasmtime", "wasmtime_wasi", "wasmtime_environ"],
        only_in: &["src/api/", "src/runtime/", "src/cli/", "src/bin/", "src/fuzzing/", "src/lib.rs"],
    },
    Fence {
        crates: &["wasm_encoder"],
        only_in: &["src/lower/", "src/parse/", "src/rtt/", "src/intrinsics/", "src/fuzzing/"],
    },
    Fence { crates: &["clap", "tokio"], only_in: &["src/cli/", "src/bin/"] },
    Fence { crates: &["wast"], only_in: &["src/cli/", "src/bin/", "src/rtt/"] },
    Fence { crates: &["wasmprinter"], only_in: &["src/cli/", "src/bin/", "src/fuzzing/"] },
];

/// Exceptions to [`FENCES`]: path, crate, reason.
pub const FENCE_EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// Unfinished business, which belongs into an issue. Matched as whole words in `src/`, comments included.
pub const FORBIDDEN_WORDS: &[&str] = &["TODO", "FIXME", "XXX", "todo!", "unimplemented!", "dbg!"];

/// Places that exist on one machine only, in any file. Split so that this file does not match.
pub const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tm", "p/"), concat!("/ho", "me/")];

/// What the top folder holds beside folders.
pub const TOP_FILES: &[&str] = &[
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "rust-toolchain.toml",
    "rustfmt.toml",
];

/// Folders that are not ours, anywhere in the tree.
pub const SKIPPED_FOLDERS: &[&str] = &["target", ".git"];

/// The most lines of a fuzz target: it only calls its harness.
pub const MAX_FUZZ_TARGET_LINES: usize = 15;
