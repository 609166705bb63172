//! The inner engine's names for a module's function types.
//!
//! Its API shows the types of what a module imports and exports, and no others. For the rest a module is
//! made that shows them (`lower/probe.rs`), but only when somebody asks for a type that nothing has shown
//! yet: for example that of a function which a guest returned without exporting it.

use super::{Error, Result};
use crate::lower::probe::{probe, type_section};
use crate::types::TypeId;
use std::sync::atomic::{AtomicBool, Ordering};

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
        let section = TypeProbe::section(lowered, &types).to_vec();
        TypeProbe::of_section(section, types)
    }

    /// What of a lowered module a probe needs.
    pub fn section<'w>(lowered: &'w [u8], types: &[(TypeId, u32)]) -> &'w [u8] {
        if types.is_empty() { &[] } else { type_section(lowered) }
    }

    /// The probe by what it needs.
    pub fn of_section(section: Vec<u8>, types: Vec<(TypeId, u32)>) -> TypeProbe {
        TypeProbe { section: section.into(), types, asked: AtomicBool::new(false) }
    }

    /// What it needs.
    pub fn parts(&self) -> (&[u8], &[(TypeId, u32)]) {
        (&self.section, &self.types)
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
        let wasm = probe(&self.section, self.types.iter().map(|(_, index)| *index));
        let bug = |err| Error::new(crate::fault::Error::bug(format!("type section of a lowered module: {err:#}")));
        let module = wasmtime::Module::from_binary(engine, &wasm).map_err(bug)?;
        let natives = module.imports().filter_map(|import| import.ty().func().cloned());
        Ok(natives.zip(self.types.iter().map(|(id, _)| *id)).collect())
    }
}
