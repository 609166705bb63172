//! The inner engine's names for a module's function types.
//!
//! Its API shows the types of what a module imports and exports, and no others. So a module with the
//! same type section is made that imports one function of each type: equal recursion groups are the same
//! types throughout an engine. This is done only when somebody asks for a type that nothing has shown
//! yet, for example that of a function which a guest returned without exporting it.

use super::{Error, Result};
use crate::types::TypeId;
use std::sync::atomic::{AtomicBool, Ordering};
use wasm_encoder as enc;

/// What is needed to ask for the types of a lowered module.
#[derive(Debug)]
pub struct TypeProbe {
    section: Box<[u8]>,
    types: Vec<(TypeId, u32)>,
    asked: AtomicBool,
}

impl TypeProbe {
    /// The probe for a lowered module, whose function types are at these indices.
    pub fn new(lowered: &[u8], types: Vec<(TypeId, u32)>) -> TypeProbe {
        let section = match types.is_empty() {
            true => &[][..],
            false => type_section(lowered).unwrap_or_default(),
        };
        TypeProbe { section: section.into(), types, asked: AtomicBool::new(false) }
    }

    /// Asks, unless it was done before: each type with the original that it stands for.
    ///
    /// # Errors
    ///
    /// When the inner engine refuses the module, which is a bug.
    pub fn ask(&self, engine: &wasmtime::Engine) -> Result<Vec<(wasmtime::FuncType, TypeId)>> {
        if self.section.is_empty() || self.asked.swap(true, Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let mut imports = enc::ImportSection::new();
        for (_, index) in &self.types {
            imports.import("", "", enc::EntityType::Function(*index));
        }
        let mut module = enc::Module::new();
        module.section(&enc::RawSection { id: enc::SectionId::Type.into(), data: &self.section });
        module.section(&imports);
        let bug = |err| Error::new(crate::error::Error::bug(format!("type section of a lowered module: {err:#}")));
        let module = wasmtime::Module::from_binary(engine, &module.finish()).map_err(bug)?;
        let natives = module.imports().filter_map(|import| import.ty().func().cloned());
        Ok(natives.zip(self.types.iter().map(|(id, _)| *id)).collect())
    }
}

/// The contents of a module's type section.
fn type_section(wasm: &[u8]) -> Option<&[u8]> {
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        if let wasmparser::Payload::TypeSection(section) = payload.ok()? {
            return wasm.get(section.range().clone());
        }
    }
    None
}
