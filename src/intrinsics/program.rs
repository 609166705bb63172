//! What has to be known of a program to link intrinsics into it.

use super::{Error, Result};
use wasmparser::{Encoding, Import, Imports, MemoryType, Parser, Payload, SubType, TypeRef, WasmFeatures};

/// A function that the program imports.
#[derive(Debug, Clone)]
pub(super) struct ImportedFunc {
    pub(super) module: String,
    pub(super) name: String,
    /// Index of its type.
    pub(super) ty: u32,
}

/// The index spaces of a program.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) types: Vec<SubType>,
    pub(super) imported: Vec<ImportedFunc>,
    /// Imports that are no functions: module and name.
    pub(super) other_imports: Vec<(String, String)>,
    /// Functions that are defined.
    pub(super) defined: u32,
    pub(super) tables: u32,
    pub(super) memories: Vec<MemoryType>,
    pub(super) globals: u32,
}

impl Program {
    /// Validates a program and reads its index spaces.
    pub(super) fn parse(wasm: &[u8]) -> Result<Program> {
        let mut program = Program::default();
        for payload in Parser::new(0).parse_all(wasm) {
            program.add(payload?)?;
        }
        wasmparser::Validator::new_with_features(features()).validate_all(wasm)?;
        Ok(program)
    }

    fn add(&mut self, payload: Payload<'_>) -> Result<()> {
        match payload {
            Payload::Version { encoding: Encoding::Component, range, .. } => {
                let message =
                    "this is a component: link the modules in it before they are made a component".to_string();
                return Err(Error::Invalid { offset: range.start, message });
            }
            Payload::TypeSection(section) => {
                for group in section {
                    self.types.extend(group?.types().cloned());
                }
            }
            Payload::ImportSection(section) => {
                for imports in section {
                    each_import(imports?, |import| {
                        self.import(&import);
                        Ok(())
                    })?;
                }
            }
            Payload::FunctionSection(section) => self.defined = section.count(),
            Payload::TableSection(section) => self.tables = self.tables.saturating_add(section.count()),
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memories.push(memory?);
                }
            }
            Payload::GlobalSection(section) => self.globals = self.globals.saturating_add(section.count()),
            Payload::CustomSection(section) if section.name() == "linking" => return Err(Error::Object),
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: &Import<'_>) {
        let (module, name) = (import.module.to_string(), import.name.to_string());
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                return self.imported.push(ImportedFunc { module, name, ty });
            }
            TypeRef::Table(_) => self.tables += 1,
            TypeRef::Memory(ty) => self.memories.push(ty),
            TypeRef::Global(_) => self.globals += 1,
            TypeRef::Tag(_) => {}
        }
        self.other_imports.push((module, name));
    }
}

/// What a program may use: everything that is known of core WebAssembly.
pub(super) fn features() -> WasmFeatures {
    WasmFeatures::all()
}

/// Calls `f` with each import of a group.
pub(super) fn each_import<'a>(imports: Imports<'a>, mut f: impl FnMut(Import<'a>) -> Result<()>) -> Result<()> {
    match imports {
        Imports::Single(_, import) => f(import),
        Imports::Compact1 { module, items } => {
            for item in items {
                let item = item?;
                f(Import { module, name: item.name, ty: item.ty })?;
            }
            Ok(())
        }
        Imports::Compact2 { module, ty, names } => {
            for name in names {
                f(Import { module, name: name?, ty })?;
            }
            Ok(())
        }
    }
}
