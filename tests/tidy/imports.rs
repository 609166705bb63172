//! Which room names which, and where dependencies are named.

use super::rules::{FENCE_EXCEPTIONS, FENCES, Imports, ROOMS, Room};
use super::text::{braces_length, code, ident, line_of, without_tests, words};
use super::tree::{Tree, Violation};

/// Rooms import only what the design allows.
pub fn rooms(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (room, path, text) in production(tree) {
        let Some(rule) = ROOMS.iter().find(|r| r.name == room) else {
            found.push(Violation::new(path, 0, format!("room `{room}` is not in the table of rooms")));
            continue;
        };
        for (at, name) in imports(path, &text) {
            if name != room && !allows(rule, &name) {
                found.push(Violation::new(
                    path,
                    line_of(&text, at),
                    format!("`{room}` may not import `crate::{name}`"),
                ));
            }
        }
    }
    found
}

/// Dependencies are named only where the design has them.
pub fn crates(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (_, path, text) in production(tree) {
        for fence in FENCES.iter().filter(|f| !f.only_in.iter().any(|place| path.starts_with(place))) {
            for name in fence.crates {
                let excepted = FENCE_EXCEPTIONS.iter().any(|(file, krate, _)| *file == path && krate == name);
                for at in words(&text, name).filter(|at| !excepted && is_path_root(&text, *at, name)) {
                    let message = format!("`{name}` may be named only in {}", fence.only_in.join(", "));
                    found.push(Violation::new(path, line_of(&text, at), message));
                }
            }
        }
    }
    found
}

fn allows(rule: &Room, name: &str) -> bool {
    match rule.may_import {
        Imports::Only(rooms) => rooms.contains(&name),
        Imports::AllBut(rooms) => !rooms.contains(&name),
    }
}

/// The files of the rooms as code without tests, and without the files that are tests as a whole.
fn production(tree: &Tree) -> Vec<(&str, &str, String)> {
    let mut files = Vec::new();
    let mut tests = Vec::new();
    for (room, path, text) in tree.room_files() {
        let (code, names) = without_tests(&code(text));
        let folder = module_folder(path);
        tests.extend(names.into_iter().flat_map(|name| [format!("{folder}{name}.rs"), format!("{folder}{name}/")]));
        files.push((room, path, code));
    }
    files.retain(|(_, path, _)| !tests.iter().any(|test| path.starts_with(test.as_str())));
    files
}

/// Where the submodules of a file are: `src/heap/` for `src/heap/mod.rs`, `src/heap/a/` for `src/heap/a.rs`.
fn module_folder(path: &str) -> String {
    match path.strip_suffix("mod.rs") {
        Some(folder) => folder.to_string(),
        None => format!("{}/", path.trim_end_matches(".rs")),
    }
}

/// What a file names of the crate root, with offsets: through `crate::`, or `super::` often enough.
fn imports(path: &str, code: &str) -> Vec<(usize, String)> {
    let depth = module_folder(path).matches('/').count() - 1;
    let mut found = Vec::new();
    for at in words(code, "crate").filter(|at| !code[..*at].ends_with("extern ")) {
        if let Some(rest) = after_colons(&code[at + "crate".len()..]) {
            found.extend(first_segments(rest).into_iter().map(|name| (at, name)));
        }
    }
    for start in words(code, "super").filter(|at| !code[..*at].trim_end().ends_with("::")) {
        let (mut rest, mut climbed) = (&code[start..], 0);
        while let Some(next) = rest.strip_prefix("super").and_then(after_colons) {
            (rest, climbed) = (next, climbed + 1);
        }
        if climbed >= depth {
            found.extend(first_segments(rest).into_iter().map(|name| (start, name)));
        }
    }
    found
}

fn after_colons(text: &str) -> Option<&str> {
    Some(text.trim_start().strip_prefix("::")?.trim_start())
}

/// The first segments of a use tree. Macros have no room: they are left out.
fn first_segments(tree: &str) -> Vec<String> {
    let Some(group) = tree.strip_prefix('{') else {
        let name = ident(tree);
        let is_macro = tree[name.len()..].starts_with('!');
        return if is_macro || name.is_empty() { Vec::new() } else { vec![name.to_string()] };
    };
    let group = &group[..braces_length(tree).saturating_sub(2)];
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, byte) in group.bytes().chain(std::iter::once(b',')).enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                names.extend(Some(ident(group[start..at].trim_start())).filter(|n| !n.is_empty()).map(str::to_string));
                start = at + 1;
            }
            _ => {}
        }
    }
    names
}

/// Whether the crate name at `at` starts a path or is imported, and is not a segment or a binding.
fn is_path_root(code: &str, at: usize, name: &str) -> bool {
    let (before, after) = (code[..at].trim_end(), code[at + name.len()..].trim_start());
    let follows_use = before.ends_with("use") || before.ends_with("extern crate");
    !before.ends_with('.') && (after.starts_with("::") || follows_use) && !is_inner_segment(before)
}

/// `a::wasmtime::b` names a module of `a`; `::wasmtime::b` names the crate.
fn is_inner_segment(before: &str) -> bool {
    before.strip_suffix("::").is_some_and(|b| b.bytes().last().is_some_and(super::text::is_ident))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let tree = Tree::of(&[(path, text)]);
        rooms(&tree).into_iter().chain(crates(&tree)).map(|v| v.to_string()).collect()
    }

    #[test]
    fn a_forbidden_room_is_flagged() {
        let text = "//! x\nuse crate::layout::Width;\nuse crate::lower::Lowering;\n";
        assert_eq!(messages("src/heap/a.rs", text), ["src/heap/a.rs:3: `heap` may not import `crate::lower`"]);
        assert_eq!(messages("src/ir/mod.rs", "fn f() { crate::layout::g() }").len(), 1);
        assert_eq!(messages("src/heap.rs", "pub use crate::types as t;").len(), 1);
    }

    #[test]
    fn groups_are_taken_apart() {
        let text = "use crate::{\n    types::{A, B},\n    heap::Heap, layout,\n    Error,\n};";
        let found = messages("src/lower/op/x.rs", text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("`crate::heap`") && found[1].contains("`crate::Error`"), "{found:?}");
    }

    #[test]
    fn super_can_not_climb_out() {
        assert_eq!(messages("src/heap/mod.rs", "use super::lower::X;").len(), 1);
        assert_eq!(messages("src/heap/a.rs", "use super::super::lower::X;").len(), 1);
        assert_eq!(messages("src/heap/space/b.rs", "use super::super::alloc::X; use super::c;").len(), 0);
    }

    #[test]
    fn comments_strings_and_tests_are_free() {
        let text = "//! [`crate::lower`]\nconst A: &str = \"crate::lower\";\n#[cfg(test)]\nmod t { use crate::lower; }";
        assert_eq!(messages("src/heap/a.rs", text), [""; 0]);
        let tree = Tree::of(&[
            ("src/heap/mod.rs", "#[cfg(test)]\nmod model;"),
            ("src/heap/model.rs", "use crate::types::A;"),
            ("src/heap/model/graph.rs", "use crate::types::A;"),
        ]);
        assert_eq!(rooms(&tree), []);
    }

    #[test]
    fn own_room_visibility_and_macros_are_free() {
        let text = "use crate::heap::X; pub(crate) fn f() { crate::bug!(); } pub(in crate::heap) fn g() {}";
        assert_eq!(messages("src/heap/a.rs", text), [""; 0]);
    }

    #[test]
    fn an_unknown_room_is_flagged() {
        assert_eq!(messages("src/attic/mod.rs", ""), ["src/attic/mod.rs: room `attic` is not in the table of rooms"]);
    }

    #[test]
    fn the_engine_is_fenced() {
        assert_eq!(messages("src/lower/a.rs", "use wasmtime::Engine;").len(), 1);
        assert_eq!(messages("src/heap/a.rs", "fn f() -> ::wasmtime_environ::X {}").len(), 1);
        assert_eq!(messages("src/opt/a.rs", "use wasm_encoder as e;").len(), 1);
        assert_eq!(messages("src/lower/emit.rs", "use wasm_encoder::Module; let wasmtime = x.wasmtime;"), [""; 0]);
        assert_eq!(messages("src/runtime/a.rs", "use wasmtime::Engine; use crate::names::wasmtime::X;").len(), 1);
    }
}
