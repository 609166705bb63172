//! The repository as a map from path to text, so that a rule can be tried on a made-up one.

use super::rules::{ROOMS, RUST_FOLDERS, SKIPPED_FOLDERS};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

/// A rule broken at a place. Lines count from 1; 0 stands for the whole file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    pub file: String,
    pub line: usize,
    pub message: String,
}

impl Violation {
    pub fn new(file: &str, line: usize, message: impl Into<String>) -> Violation {
        Violation { file: file.to_string(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

/// Every file by its path from the root, with `/`. Files that are not UTF-8 have an empty text.
pub struct Tree(BTreeMap<String, String>);

impl Tree {
    pub fn read(root: &str) -> Tree {
        let mut files = BTreeMap::new();
        walk(Path::new(root), "", &mut files);
        Tree(files)
    }

    /// A made-up repository.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        Tree(files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect())
    }

    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The Rust files that are held to the rules.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs") && RUST_FOLDERS.iter().any(|f| path.starts_with(f)))
    }

    /// Rust files of the rooms, with the room's name: `src/heap/alloc.rs` is of `heap`, so is `src/heap.rs`.
    pub fn room_files(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.rust().filter_map(|(path, text)| {
            let inside = path.strip_prefix("src/")?;
            let room = inside.split('/').next()?.trim_end_matches(".rs");
            (!matches!(room, "lib" | "bin")).then_some((room, path, text))
        })
    }

    /// Whether there is a file or folder of this path.
    pub fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.0.contains_key(path) || self.has_folder(path)
    }

    pub fn has_folder(&self, path: &str) -> bool {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        self.0.range(prefix.clone()..).next().is_some_and(|(first, _)| first.starts_with(&prefix))
    }

    pub fn has_top_folder(&self, name: &str) -> bool {
        !name.contains('/') && self.has_folder(name)
    }
}

/// Whether the design knows a room of this name.
pub fn is_room(name: &str) -> bool {
    ROOMS.iter().any(|room| room.name == name)
}

fn walk(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let entry = entry.expect("a readable folder entry");
        let name = entry.file_name().into_string().expect("file names are UTF-8");
        let path = format!("{prefix}{name}");
        if SKIPPED_FOLDERS.contains(&name.as_str()) {
            continue;
        }
        if entry.file_type().expect("a file type").is_dir() {
            walk(&entry.path(), &format!("{path}/"), files);
        } else {
            files.insert(path, fs::read_to_string(entry.path()).unwrap_or_default());
        }
    }
}

#[test]
fn a_tree_knows_its_folders() {
    let tree = Tree::of(&[("src/heap/mod.rs", ""), ("src/heap-x.rs", ""), ("README.md", "")]);
    assert!(tree.exists("src/heap") && tree.exists("src/heap/") && tree.exists("README.md"));
    assert!(!tree.exists("src/hea") && !tree.exists("docs/"));
    let rooms: Vec<_> = tree.room_files().map(|(room, ..)| room).collect();
    assert_eq!(rooms, ["heap-x", "heap"]);
}
