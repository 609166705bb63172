//! Which intrinsic the module name of an import means.
//!
//! ```text
//! wasmtime-gc:side-table[/fast|/checked][/weak|/finalizing][#label]
//! wasmtime-gc:objects
//! ```
//!
//! Imports from the same name share one table; a label tells several of a program apart.

use super::{Error, LinkOptions, Links, Result};

/// The module that operations on side tables are imported from.
pub const SIDE_TABLE: &str = "wasmtime-gc:side-table";
/// The module that operations on objects without a type are imported from.
pub const OBJECTS: &str = "wasmtime-gc:objects";

pub(super) const SIDE_TABLE_TEXT: &str = include_str!("side_table.wat");
pub(super) const OBJECTS_TEXT: &str = include_str!("objects.wat");

/// An intrinsic as a program asks for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Library {
    pub(super) text: &'static str,
    pub(super) features: Vec<&'static str>,
    /// `externref` stands for the type that the program uses.
    pub(super) generic: bool,
    /// What it is called in names.
    pub(super) label: String,
}

/// The intrinsic of a module name; none if it means something else.
pub(super) fn find(module: &str, options: &LinkOptions) -> Result<Option<Library>> {
    let (path, label) = module.split_once('#').unwrap_or((module, ""));
    if path == OBJECTS {
        let label = "objects".to_string();
        return Ok(Some(Library { text: OBJECTS_TEXT, features: Vec::new(), generic: false, label }));
    }
    let Some(rest) = path.strip_prefix(SIDE_TABLE) else { return Ok(None) };
    let (mut checked, mut features) = (options.checked, Vec::new());
    for word in rest.split('/').skip(1) {
        match word {
            "checked" => checked = true,
            "fast" => checked = false,
            "weak" => features.push("weak"),
            "finalizing" => features.extend(["weak", "finalizing"]),
            _ => return Err(unknown(module)),
        }
    }
    if !rest.is_empty() && !rest.starts_with('/') {
        return Err(unknown(module));
    }
    // A report is of a generation: the slot may be another's when it is taken.
    if checked || features.contains(&"finalizing") {
        features.push("checked");
    }
    if options.links == Links::Program {
        features.push("program");
    }
    let label = if label.is_empty() { "side_table".to_string() } else { format!("side_table#{label}") };
    let generic = !features.contains(&"weak");
    Ok(Some(Library { text: SIDE_TABLE_TEXT, features, generic, label }))
}

#[cold]
fn unknown(module: &str) -> Error {
    let known = "`wasmtime-gc:side-table`, with `/fast` or `/checked`, `/weak` or `/finalizing`, and `#` and a label \
                 after it, and `wasmtime-gc:objects`";
    Error::UnknownModule { module: module.to_string(), known }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(module: &str, checked: bool) -> Option<Vec<&'static str>> {
        let options = LinkOptions { checked, links: Links::Own };
        find(module, &options).unwrap().map(|library| library.features)
    }

    #[test]
    fn names_choose_the_mode_before_options_do() {
        assert_eq!(features("wasmtime-gc:side-table", true), Some(vec!["checked"]));
        assert_eq!(features("wasmtime-gc:side-table#a", false), Some(vec![]));
        assert_eq!(features("wasmtime-gc:side-table/fast", true), Some(vec![]));
        assert_eq!(features("wasmtime-gc:side-table/checked#b", false), Some(vec!["checked"]));
        assert_eq!(features("wasmtime-gc:side-table/weak/fast", true), Some(vec!["weak"]));
        assert_eq!(features("wasmtime-gc:side-table/finalizing", false), Some(vec!["weak", "finalizing", "checked"]));
        assert!(find("wasmtime-gc:side-tables", &LinkOptions::default()).is_err());
    }

    #[test]
    fn other_modules_are_left_alone_and_other_modes_refused() {
        assert_eq!(features("wasmtime-gc:heap", true), None);
        assert_eq!(features("env", true), None);
        let err = find("wasmtime-gc:side-table/quick", &LinkOptions::default()).unwrap_err();
        assert!(err.to_string().contains("`/fast` or `/checked`"), "{err}");
    }
}
