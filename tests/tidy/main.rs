//! The house rules as a test: headers, file sizes, imports between rooms, links of the documents.
//!
//! The rules themselves are tables in `rules.rs`; to allow an exception, add a row with its reason there.
//! All violations are listed at once. What it is not: a formatter or a linter of code (rustfmt and clippy
//! are), nor a parser of Rust: it works on text from which comments and literals were blanked out.

mod docs;
mod imports;
mod rules;
mod source;
mod text;
mod tree;

use tree::{Tree, Violation};

#[test]
fn repository_is_tidy() {
    let tree = Tree::read(env!("CARGO_MANIFEST_DIR"));
    assert!(tree.files().count() > 10, "the walk over the repository found almost nothing");
    let mut found: Vec<Violation> = Vec::new();
    found.extend(source::headers(&tree));
    found.extend(source::sizes(&tree));
    found.extend(source::safe_rooms(&tree));
    found.extend(source::unfinished(&tree));
    found.extend(source::machine_paths(&tree));
    found.extend(source::fuzz_targets(&tree));
    found.extend(source::top_files(&tree));
    found.extend(source::mutations(&tree));
    found.extend(imports::rooms(&tree));
    found.extend(imports::crates(&tree));
    found.extend(docs::links(&tree));
    found.extend(docs::paths(&tree));
    found.sort();
    let list: String = found.iter().map(|v| format!("\n{v}")).collect();
    assert!(found.is_empty(), "{} violations of the house rules:{list}\n", found.len());
}
