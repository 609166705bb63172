//! A module that shows types.
//!
//! The engine tells the types of imports and exports, and no others. Equal recursion groups are the same
//! types throughout an engine; so a module with the type section of a lowered one, that imports one function
//! of each type, tells them all. It is compiled only to be looked at.
//!
//! ```wat
//! (module
//!   (type …) …                            ;; as in the lowered module
//!   (import "" "" (func (type 0)))
//!   (import "" "" (func (type 2))))
//! ```

use super::types::Types;
use crate::fault::Error;
use crate::types::{TypeId, TypeTable};
use wasm_encoder as enc;

/// A module with nothing but types.
pub struct TypesAlone {
    /// The module.
    pub wasm: Vec<u8>,
    /// Where its function types are.
    pub funcs: Vec<(TypeId, u32)>,
}

/// The types of a table as a module that lowering makes.
///
/// # Errors
///
/// As lowering a module that has these types.
pub fn types_alone(table: &TypeTable) -> Result<TypesAlone, Error> {
    let types = Types::shown(table)?;
    let mut module = enc::Module::new();
    module.section(&types.section);
    let mut funcs: Vec<(TypeId, u32)> = types.func_types.into_iter().collect();
    funcs.sort_unstable_by_key(|&(_, index)| index);
    Ok(TypesAlone { wasm: module.finish(), funcs })
}

/// The contents of a lowered module's type section; nothing if it has none.
pub fn type_section(lowered: &[u8]) -> &[u8] {
    for payload in wasmparser::Parser::new(0).parse_all(lowered) {
        if let Ok(wasmparser::Payload::TypeSection(section)) = payload {
            return lowered.get(section.range()).unwrap_or_default();
        }
    }
    &[]
}

/// The module for a type section and the indices of the function types in it.
pub fn probe(type_section: &[u8], funcs: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let mut imports = enc::ImportSection::new();
    for index in funcs {
        imports.import("", "", enc::EntityType::Function(index));
    }
    let mut module = enc::Module::new();
    module.section(&enc::RawSection { id: enc::SectionId::Type.into(), data: type_section });
    module.section(&imports);
    module.finish()
}
