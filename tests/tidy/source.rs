//! Rules on single files: header, size, safety, words, and what a fuzz target may hold.

use super::rules::{
    FORBIDDEN_WORDS, LONG_FILES, MACHINE_PATHS, MAX_FUZZ_TARGET_LINES, MAX_LINES, RUST_FOLDERS, SAFE_ROOMS, TOP_FILES,
};
use super::text::{code, words};
use super::tree::{Tree, Violation};

/// Every Rust file says first what it is.
pub fn headers(tree: &Tree) -> Vec<Violation> {
    let bare = |text: &str| !text.trim_start().starts_with("//!");
    tree.rust().filter(|(_, text)| bare(text)).map(|(path, _)| Violation::new(path, 1, "no `//!` header")).collect()
}

/// No file is too long, and no row for a long file is stale.
pub fn sizes(tree: &Tree) -> Vec<Violation> {
    sizes_but(tree, LONG_FILES)
}

fn sizes_but(tree: &Tree, long: &[(&str, &str)]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.rust() {
        let lines = text.lines().count();
        let listed = long.iter().any(|(file, _)| *file == path);
        if lines > MAX_LINES && !listed {
            found.push(Violation::new(path, 0, format!("{lines} lines, more than {MAX_LINES}")));
        } else if lines <= MAX_LINES && listed {
            found.push(Violation::new(path, 0, format!("listed as long, but has {lines} lines only")));
        }
    }
    let gone = long.iter().filter(|(file, _)| tree.get(file).is_none());
    found.extend(gone.map(|(file, _)| Violation::new(file, 0, "listed as long, but there is no such file")));
    found
}

/// The rooms that are to be safe say so to the compiler.
pub fn safe_rooms(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for room in SAFE_ROOMS {
        let module = [format!("src/{room}/mod.rs"), format!("src/{room}.rs")];
        let Some((path, text)) = module.iter().find_map(|path| Some((path, tree.get(path)?))) else { continue };
        if !code(text).contains("#![forbid(unsafe_code)]") {
            found.push(Violation::new(path, 1, "no `#![forbid(unsafe_code)]`"));
        }
    }
    found
}

/// Unfinished business is in issues, not in the source.
pub fn unfinished(tree: &Tree) -> Vec<Violation> {
    tree.rust()
        .filter(|(path, _)| path.starts_with("src/"))
        .flat_map(|(path, text)| unfinished_in(path, text))
        .collect()
}

fn unfinished_in(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let here = FORBIDDEN_WORDS.iter().filter(|word| words(content, word).next().is_some());
        found.extend(here.map(|word| Violation::new(path, line + 1, format!("`{word}`"))));
    }
    found
}

/// No file names a place that exists on one machine only.
pub fn machine_paths(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        for (line, content) in text.lines().enumerate() {
            let here = MACHINE_PATHS.iter().filter(|place| starts_a_path(content, place));
            found.extend(here.map(|place| Violation::new(path, line + 1, format!("names `{place}`"))));
        }
    }
    found
}

/// The top folder holds what is listed, and nothing that a command left there.
pub fn top_files(tree: &Tree) -> Vec<Violation> {
    let stray = tree.files().filter(|(path, _)| !path.contains('/') && !TOP_FILES.contains(path));
    stray.map(|(path, _)| Violation::new(path, 0, "no file of this name belongs into the top folder")).collect()
}

/// `/a/` is a place in `x = "/a/b"`, not in `b/a/c`.
fn starts_a_path(line: &str, place: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'*' | b'}');
    line.match_indices(place).any(|(at, _)| !line[..at].bytes().last().is_some_and(inside))
}

/// A fuzz target only calls the harness of its name, which tests call as well.
pub fn fuzz_targets(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    let manifest = tree.get("fuzz/Cargo.toml").unwrap_or_default();
    for (path, text) in tree.files().filter(|(path, _)| path.starts_with("fuzz/fuzz_targets/")) {
        let name = path.trim_start_matches("fuzz/fuzz_targets/").trim_end_matches(".rs");
        let mut check = |good: bool, message: String| {
            if !good {
                found.push(Violation::new(path, 0, message));
            }
        };
        check(text.lines().count() <= MAX_FUZZ_TARGET_LINES, format!("more than {MAX_FUZZ_TARGET_LINES} lines"));
        let call = format!("wasmtime_gc::fuzzing::{name}::run(");
        check(text.contains(&call), format!("does not call `{call}…)`"));
        check(manifest.contains(&format!("name = \"{name}\"")), "is not in fuzz/Cargo.toml".to_string());
        let harness = format!("src/fuzzing/{name}");
        let exists = tree.exists(&format!("{harness}.rs")) || tree.exists(&format!("{harness}/mod.rs"));
        check(exists, format!("there is no harness `{harness}.rs`"));
    }
    found
}

/// What a mutation takes away is in the code, with what is around it, in one place.
pub fn mutations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.starts_with("tests/mutations/")) {
        let mut hunks: Vec<(&str, String)> = Vec::new();
        let mut file = "";
        for line in text.lines() {
            match (line.strip_prefix("--- a/"), line.starts_with("@@"), hunks.last_mut()) {
                (Some(changed), ..) => file = changed,
                (_, true, _) => hunks.push((file, String::new())),
                (.., Some((_, before))) if !line.starts_with('+') => {
                    before.push_str(line.get(1..).unwrap_or_default());
                    before.push('\n');
                }
                _ => {}
            }
        }
        for (file, before) in hunks {
            let places = tree.get(file).unwrap_or_default().matches(&before).count();
            if places != 1 {
                found.push(Violation::new(path, 0, format!("what it changes is {places} times in {file}")));
            }
        }
    }
    found
}

/// Four of them did not apply any more, some for weeks: only `.ci/mutate` knew, which hardly ever runs.
#[test]
fn a_mutation_that_does_not_apply_is_flagged() {
    let patch = "what: w\n\n--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,2 +1,2 @@ fn f\n one\n-two\n+three\n";
    let flagged =
        |source: &str| mutations(&Tree::of(&[("tests/mutations/m.patch", patch), ("src/a.rs", source)])).len();
    assert_eq!((flagged("one\ntwo\n"), flagged("one\nthree\n"), flagged("")), (0, 1, 1));
}

#[test]
fn the_folders_of_the_rules_are_folders() {
    assert!(RUST_FOLDERS.iter().all(|folder| folder.ends_with('/')));
}

/// A lowered module was in the repository for days, as `-`: `lower -o -` wrote a file of that name.
#[test]
fn stray_files_are_flagged() {
    let tree = Tree::of(&[("-", ""), ("README.md", ""), ("src/-", "")]);
    assert_eq!(top_files(&tree).into_iter().map(|v| v.file).collect::<Vec<_>>(), ["-"]);
}

#[test]
fn headers_are_required() {
    let tree = Tree::of(&[("src/a.rs", "use x;\n"), ("src/b.rs", "//! B.\n"), ("a.rs", ""), ("fuzz/c.rs", "")]);
    let found: Vec<String> = headers(&tree).into_iter().map(|v| v.file).collect();
    assert_eq!(found, ["fuzz/c.rs", "src/a.rs"]);
}

#[test]
fn sizes_and_stale_rows_are_flagged() {
    let long = "//!\n".repeat(MAX_LINES + 1);
    let tree = Tree::of(&[("src/long.rs", &long), ("src/listed.rs", &long), ("src/short.rs", "//!\n")]);
    let rows = [("src/listed.rs", "x"), ("src/short.rs", "x"), ("src/gone.rs", "x")];
    let found: Vec<String> = sizes_but(&tree, &rows).into_iter().map(|v| v.file).collect();
    assert_eq!(found, ["src/long.rs", "src/short.rs", "src/gone.rs"]);
}

#[test]
fn safe_rooms_forbid_unsafe_code_outside_of_comments() {
    let good = Tree::of(&[("src/heap/mod.rs", "//! x\n#![forbid(unsafe_code)]\n")]);
    let bad = Tree::of(&[("src/heap/mod.rs", "//! #![forbid(unsafe_code)]\n")]);
    assert_eq!((safe_rooms(&good).len(), safe_rooms(&bad).len()), (0, 1));
}

#[test]
fn unfinished_business_is_flagged() {
    let found = unfinished_in("src/a.rs", "fn f() {\n    todo!()\n}\n// FIXME later\nlet todos = 1;\n");
    assert_eq!(found.iter().map(|v| v.line).collect::<Vec<_>>(), [2, 4]);
}

#[test]
fn machine_paths_are_flagged_where_they_start() {
    let root = MACHINE_PATHS[1];
    let text = format!("x = \"{root}a\"\nframe{root}a\n{root}\n../{root}\n");
    let found = machine_paths(&Tree::of(&[("a.toml", &text)]));
    assert_eq!(found.iter().map(|v| v.line).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn fuzz_targets_have_a_harness_a_row_and_little_else() {
    let target = ("fuzz/fuzz_targets/a.rs", "fuzz_target!(|data: &[u8]| wasmtime_gc::fuzzing::a::run(data));");
    let good = Tree::of(&[target, ("fuzz/Cargo.toml", "name = \"a\""), ("src/fuzzing/a.rs", "//!")]);
    assert_eq!(fuzz_targets(&good), []);
    assert_eq!(fuzz_targets(&Tree::of(&[target])).len(), 2);
    assert_eq!(fuzz_targets(&Tree::of(&[("fuzz/fuzz_targets/b.rs", &"\n".repeat(20))])).len(), 4);
}
