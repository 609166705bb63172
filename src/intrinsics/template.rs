//! From a template to a module: conditions and the type of elements.
//!
//! A template is the text of a module with lines `;;@if NAME`, `;;@else` and `;;@end`, which nest. What it is
//! not: a macro language. Everything else about an intrinsic is WebAssembly.

use super::{Error, Result};

/// The lines of a template that hold where the `features` are there and no others.
fn preprocess(text: &str, features: &[&str]) -> Result<String> {
    let mut kept = String::with_capacity(text.len());
    let mut conditions: Vec<bool> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.trim().strip_prefix(";;@if ") {
            conditions.push(features.contains(&name));
        } else if line.trim() == ";;@else" {
            let Some(last) = conditions.last_mut() else { return Err(unbalanced(line)) };
            *last = !*last;
        } else if line.trim() == ";;@end" {
            conditions.pop().ok_or_else(|| unbalanced(line))?;
        } else if conditions.iter().all(|holds| *holds) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    match conditions.is_empty() {
        true => Ok(kept),
        false => Err(unbalanced("the end of the text")),
    }
}

#[cold]
fn unbalanced(line: &str) -> Error {
    Error::bug(format!("the conditions of a template do not nest at `{line}`"))
}

/// A template as a binary module, whose elements are still `externref`.
pub(super) fn assemble(text: &str, features: &[&str]) -> Result<Vec<u8>> {
    let text = preprocess(text, features)?;
    wat::parse_str(&text).map_err(|err| Error::bug(format!("a template is no module: {err}")))
}

/// A template as a binary module of its own, with elements of an abstract heap type such as `any`.
pub(super) fn assemble_for(text: &str, features: &[&str], heap_type: &str) -> Result<Vec<u8>> {
    let text = preprocess(text, features)?
        .replace("ref.null extern", &format!("ref.null {heap_type}"))
        .replace("externref", &format!("(ref null {heap_type})"));
    wat::parse_str(&text).map_err(|err| Error::bug(format!("a template is no module: {err}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_nest() {
        let text = "a\n;;@if x\nb\n  ;;@if y\nc\n;;@else\nd\n;;@end\n;;@else\ne\n;;@end\nf\n";
        let lines = |features: &[&str]| preprocess(text, features).unwrap().replace('\n', "");
        assert_eq!(lines(&[]), "aef");
        assert_eq!(lines(&["x"]), "abdf");
        assert_eq!(lines(&["x", "y"]), "abcf");
        assert_eq!(lines(&["y"]), "aef");
    }

    #[test]
    fn conditions_that_do_not_nest_are_refused() {
        for text in [";;@if x\n", ";;@end\n", ";;@else\n"] {
            assert!(preprocess(text, &[]).is_err(), "{text}");
        }
    }
}
