//! What the documents point to exists: links, their anchors, and paths in code.

use super::text::line_of;
use super::tree::{Tree, Violation, is_room};

/// Files that are read by people: those of the root and of `docs/`, and each folder's README.
fn documents(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.files().filter(|(path, _)| {
        path.ends_with(".md") && (!path.contains('/') || path.starts_with("docs/") || path.ends_with("/README.md"))
    })
}

/// Relative links lead to a file or folder, and their anchors to a heading.
pub fn links(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in documents(tree) {
        let prose = split(text).prose;
        for (at, target) in link_targets(&prose) {
            if let Some(problem) = broken(tree, path, target) {
                found.push(Violation::new(path, line_of(text, at), problem));
            }
        }
    }
    found
}

/// Words in code that look like paths of the repository are.
pub fn paths(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in documents(tree) {
        for (at, word) in split(text).code {
            if looks_like_ours(tree, word) && !tree.exists(word) && !tree.exists(&format!("src/{word}")) {
                found.push(Violation::new(path, line_of(text, at), format!("there is no `{word}`")));
            }
        }
    }
    found
}

/// A path below a folder of the root, or a file of a room as `heap/alloc.rs`.
fn looks_like_ours(tree: &Tree, word: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-');
    let Some((first, rest)) = word.split_once('/') else { return false };
    let is_file = [".rs", ".md", ".wat", ".toml"].iter().any(|end| rest.ends_with(end));
    word.bytes().all(plain) && (tree.has_top_folder(first) && first != "target" || is_room(first) && is_file)
}

fn broken(tree: &Tree, from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { from.to_string() } else { resolve(from, file) };
    if !tree.exists(&path) {
        return Some(format!("link to `{target}`: there is no `{path}`"));
    }
    let (anchor, text) = (anchor?, tree.get(&path).filter(|_| path.ends_with(".md"))?);
    let found = headings(text).any(|heading| heading == anchor);
    (!found).then(|| format!("link to `{target}`: no heading has this anchor"))
}

/// A relative path from the folder of a file, without `.` and `..`.
fn resolve(from: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => parts.push(".."),
            ".." => {}
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// The anchors of the headings: lower case, blanks to `-`, without punctuation.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let lines = split(text).prose.lines().filter(|line| line.starts_with('#')).map(str::to_string).collect::<Vec<_>>();
    lines.into_iter().map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

struct Split<'a> {
    /// The document with blanks of the same length for fenced blocks and, outside of headings, inline code.
    prose: String,
    /// The words of code, inline and fenced, with offsets.
    code: Vec<(usize, &'a str)>,
}

fn split(text: &str) -> Split<'_> {
    let (mut prose, mut code) = (String::with_capacity(text.len()), Vec::new());
    let (mut at, mut fenced) = (0, false);
    for line in text.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        if fenced || is_fence {
            if !is_fence {
                code.extend(path_words(line).map(|(offset, word)| (at + offset, word)));
            }
            prose.extend(line.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
            fenced ^= is_fence;
        } else {
            split_inline(line, at, &mut prose, &mut code);
        }
        at += line.len();
    }
    Split { prose, code }
}

fn split_inline<'a>(line: &'a str, at: usize, prose: &mut String, code: &mut Vec<(usize, &'a str)>) {
    let (mut offset, is_heading) = (0, line.starts_with('#'));
    for (index, part) in line.split('`').enumerate() {
        if index % 2 == 1 {
            code.extend(path_words(part).map(|(inner, word)| (at + offset + inner, word)));
        }
        if index > 0 {
            prose.push(if is_heading { '`' } else { ' ' });
        }
        match index % 2 == 1 && !is_heading {
            true => prose.extend(part.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' })),
            false => prose.push_str(part),
        }
        offset += part.len() + 1;
    }
}

/// Words that are separated by blanks, quotes and the like, without a final full stop.
fn path_words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = text.as_ptr() as usize;
    text.split(|c: char| c.is_whitespace() || "\"'=()[],;:<>|".contains(c))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr() as usize - start, word))
}

/// The targets of `[text](target)`, with offsets.
fn link_targets(prose: &str) -> impl Iterator<Item = (usize, &str)> {
    prose.match_indices("](").filter_map(|(at, mark)| {
        let rest = &prose[at + mark.len()..];
        let target = &rest[..rest.find(')')?];
        Some((at, target.split_whitespace().next()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(readme: &str) -> Vec<String> {
        let guide = "# The `first` Guide, part-one!\n```\n# not a heading\n```\n";
        let files = [("README.md", readme), ("docs/guide.md", guide), ("src/heap/alloc.rs", ""), ("docs/a/b.md", "")];
        let tree = Tree::of(&files);
        links(&tree).into_iter().chain(paths(&tree)).map(|v| v.to_string()).collect()
    }

    #[test]
    fn good_links_and_paths_pass() {
        let text = "[g](docs/guide.md) [h](./docs/guide.md#the-first-guide-part-one) [d](docs/) [w](https://x.y/z)\n\
                    `src/heap/alloc.rs`, `heap/alloc.rs`, `docs/`, `cargo x docs/guide.md`, `a/b.rs`, `src/{a,b}.rs`,\n\
                    `[c](nowhere.md)`, `target/debug`.\n";
        assert_eq!(messages(text), [""; 0]);
    }

    #[test]
    fn broken_links_are_flagged_with_their_line() {
        let found = messages("\n[x](docs/gone.md)\n\n[y](docs/guide.md#not-a-heading) [z](#self)\n");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("README.md:2: link to `docs/gone.md`"), "{found:?}");
        assert!(found[1].starts_with("README.md:4:") && found[2].starts_with("README.md:4:"), "{found:?}");
    }

    #[test]
    fn stale_paths_are_flagged_inline_and_fenced() {
        let found = messages("Read `src/heap/gone.rs` and\n```sh\ncargo run docs/gone.wat\n```\nor `heap/free.rs`.\n");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("README.md:1: there is no `src/heap/gone.rs`"), "{found:?}");
    }

    #[test]
    fn links_resolve_from_the_folder_of_their_file() {
        assert_eq!(resolve("docs/a/b.md", "../guide.md"), "docs/guide.md");
        assert_eq!(resolve("README.md", "./docs/guide.md"), "docs/guide.md");
        assert_eq!(resolve("README.md", "../out.md"), "../out.md");
    }
}
