//! A template that was assembled, taken apart.
//!
//! Templates are ours, so this knows what they have: types, imported functions, at most one imported memory,
//! functions, tables, memories, globals, exported functions, names. They have no segments, tags or start functions.

use super::Result;
use super::program::each_import;
use wasmparser::{
    FunctionBody, Global, KnownCustom, MemoryType, Name, Parser, Payload, RecGroup, SubType, Table, TypeRef,
};

/// The parts of a template.
#[derive(Default)]
pub(super) struct Piece<'a> {
    pub(super) groups: Vec<RecGroup>,
    /// The types of all groups.
    pub(super) types: Vec<SubType>,
    /// It uses the program's memory, as memory 0.
    pub(super) uses_memory: bool,
    /// Imported functions: what the host answers.
    pub(super) imports: Vec<(&'a str, &'a str)>,
    /// Types of functions, imported ones first.
    pub(super) functions: Vec<u32>,
    pub(super) tables: Vec<Table<'a>>,
    pub(super) memories: Vec<MemoryType>,
    pub(super) globals: Vec<Global<'a>>,
    /// Exported functions.
    pub(super) operations: Vec<(&'a str, u32)>,
    pub(super) bodies: Vec<FunctionBody<'a>>,
    /// Names of functions.
    pub(super) names: Vec<(u32, &'a str)>,
}

impl<'a> Piece<'a> {
    /// Takes a template apart.
    pub(super) fn parse(wasm: &'a [u8]) -> Result<Piece<'a>> {
        let mut piece = Piece::default();
        for payload in Parser::new(0).parse_all(wasm) {
            piece.add(payload?)?;
        }
        Ok(piece)
    }

    fn add(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    let group = group?;
                    self.types.extend(group.types().cloned());
                    self.groups.push(group);
                }
            }
            Payload::ImportSection(section) => {
                for imports in section {
                    each_import(imports?, |import| {
                        match import.ty {
                            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                                self.imports.push((import.module, import.name));
                                self.functions.push(ty);
                            }
                            _ => self.uses_memory = true,
                        }
                        Ok(())
                    })?;
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(section) => self.tables = section.into_iter().collect::<Result<_, _>>()?,
            Payload::MemorySection(section) => self.memories = section.into_iter().collect::<Result<_, _>>()?,
            Payload::GlobalSection(section) => self.globals = section.into_iter().collect::<Result<_, _>>()?,
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.operations.push((export.name, export.index));
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    self.add_names(names)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_names(&mut self, names: wasmparser::NameSectionReader<'a>) -> Result<()> {
        for subsection in names {
            if let Name::Function(map) = subsection? {
                for naming in map {
                    let naming = naming?;
                    self.names.push((naming.index, naming.name));
                }
            }
        }
        Ok(())
    }

    /// The function of an operation.
    pub(super) fn operation(&self, name: &str) -> Option<u32> {
        self.operations.iter().find(|(operation, _)| *operation == name).map(|(_, func)| *func)
    }

    /// The code of a function.
    pub(super) fn body(&self, func: u32) -> Option<&FunctionBody<'a>> {
        self.bodies.get((func as usize).checked_sub(self.imports.len())?)
    }

    /// The name of a function.
    pub(super) fn name(&self, func: u32) -> Option<&'a str> {
        self.names.iter().find(|(named, _)| *named == func).map(|(_, name)| *name)
    }

    /// Whether a function is an operation, and not a part of others.
    pub(super) fn is_operation(&self, func: u32) -> bool {
        self.operations.iter().any(|(_, operation)| *operation == func)
    }

    /// The type of a function.
    pub(super) fn type_of(&self, func: u32) -> Option<&wasmparser::FuncType> {
        let ty = self.types.get(*self.functions.get(func as usize)? as usize)?;
        match &ty.composite_type.inner {
            wasmparser::CompositeInnerType::Func(ty) => Some(ty),
            _ => None,
        }
    }
}
