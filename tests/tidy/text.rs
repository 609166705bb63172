//! Rust source as text without what is not code: comments, literals and test modules are blanked out,
//! byte by byte, so that offsets and line numbers stay.

/// The line of a byte offset, from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|b| **b == b'\n').count() + 1
}

pub fn is_ident(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The identifier at the start of `text`, possibly empty.
pub fn ident(text: &str) -> &str {
    let end = text.bytes().position(|b| !is_ident(b)).unwrap_or(text.len());
    &text[..end]
}

/// Offsets at which `word` stands alone: no identifier character on either side.
pub fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = text.as_bytes();
    let edge = |at: Option<&u8>| at.is_none_or(|b| !is_ident(*b));
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| edge(at.checked_sub(1).and_then(|i| bytes.get(i))))
        .filter(move |at| !is_ident(word.as_bytes()[word.len() - 1]) || edge(bytes.get(at + word.len())))
}

/// Blanks comments, strings and characters.
pub fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match literal_end(bytes, at) {
            Some(end) => end.min(bytes.len()),
            None => {
                // An identifier in one step, so that the `r` of `for"…"` does not start a raw string.
                at += bytes[at..].iter().position(|b| !is_ident(*b)).unwrap_or(bytes.len() - at).max(1);
                continue;
            }
        };
        blank(&mut out[at..end]);
        at = end;
    }
    String::from_utf8(out).expect("only whole literals were blanked")
}

fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
}

/// The end of the comment or literal that starts at `at`, if one does.
fn literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return Some(at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return Some(at + block_comment_length(rest));
    }
    let prefix = rest.iter().take_while(|b| matches!(b, b'b' | b'r' | b'c')).count();
    let hashes = rest[prefix..].iter().take_while(|b| **b == b'#').count();
    match rest.get(prefix + hashes) {
        Some(b'"') if rest[..prefix].contains(&b'r') => {
            let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
            let body = prefix + hashes + 1;
            let length = rest[body..].windows(close.len()).position(|w| w == close).unwrap_or(rest.len());
            Some(at + body + length + close.len())
        }
        Some(b'"') if hashes == 0 => Some(at + prefix + quoted_length(&rest[prefix..], b'"')),
        Some(b'\'') if hashes == 0 && is_char(&rest[prefix..]) => {
            Some(at + prefix + quoted_length(&rest[prefix..], b'\''))
        }
        _ => None,
    }
}

fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") if depth == 1 => return at + 2,
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Whether `'` starts a character and not a lifetime or label: a character closes after one.
fn is_char(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'\\') => true,
        Some(b) if is_ident(*b) => rest.get(2) == Some(&b'\''),
        Some(_) => true,
        None => false,
    }
}

/// Blanks `#[cfg(test)]` items with a body, in text that [`code`] made. Returns as well the names of the
/// test modules that are files of their own.
pub fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.as_bytes().to_vec();
    let mut files = Vec::new();
    for (start, _) in code.match_indices(MARK) {
        let item = &code[start + MARK.len()..];
        let Some(stop) = item.find(['{', ';']) else { continue };
        let head = &item[..stop];
        if item.as_bytes()[stop] == b';' {
            files.extend(words(head, "mod").next().map(|at| ident(head[at + 3..].trim_start()).to_string()));
        }
        let length = if item.as_bytes()[stop] == b'{' { braces_length(&item[stop..]) } else { 1 };
        let end = start + MARK.len() + stop + length;
        blank(&mut out[start..end]);
    }
    (String::from_utf8(out).expect("code is ASCII where it is blanked"), files)
}

/// The length of a balanced `{…}` at the start of `text`, or of all of it.
pub fn braces_length(text: &str) -> usize {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return at + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn comments_and_literals_are_blanked() {
    let text = "a /* x /* y */ z */ b // c\nd \"e\\\" f\" g r#\"h \" i\"# j 'k' '\\'' 'l: m<'n> b'o' p\"q\"";
    let code = code(text);
    assert_eq!(code.len(), text.len());
    let kept: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(kept, ["a", "b", "d", "g", "j", "'l:", "m<'n>", "p"]);
    assert_eq!(line_of(&code, code.find('d').unwrap()), 2);
}

#[test]
fn test_modules_are_blanked_and_named() {
    let (code, files) = without_tests("use a;\n#[cfg(test)]\nmod model;\n#[cfg(test)]\nmod t { use b; { } }\nuse c;");
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["use", "a;", "use", "c;"]);
    assert_eq!(files, ["model"]);
}

#[test]
fn words_stand_alone() {
    assert_eq!(words("XXX aXXX XXXb (XXX)", "XXX").collect::<Vec<_>>(), [0, 15]);
    assert_eq!(words("dbg!(x) my_dbg!(x)", "dbg!").collect::<Vec<_>>(), [0]);
}
