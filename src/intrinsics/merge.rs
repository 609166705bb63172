//! Writes a program with its intrinsics: imports that they answer are gone, calls of them are direct.
//!
//! ```wat
//! (import "wasmtime-gc:side-table" "get" (func $get (param i32) (result externref)))
//! (func $f (call $get (i32.const 0)))
//! ;; becomes
//! (table $slots 0 externref)
//! (func $f (call $get (i32.const 0)))
//! (func $get (param i32) (result externref) … (table.get $slots (local.get 0)))
//! ```
//!
//! Not kept are sections that count in offsets of the code: debug information, hints, source maps.

use super::plan::{Placed, Plan};
use super::program::each_import;
use super::{Error, Result};
use std::collections::BTreeMap;
use wasm_encoder::reencode::{self, Error as Reencoded, Reencode, utils};
use wasm_encoder::{
    CodeSection, EntityType, FunctionSection, GlobalSection, HeapType, ImportSection, MemorySection, Module, NameMap,
    NameSection, SectionId, TableSection, TypeSection,
};
use wasmparser as p;

type Encoded<T = ()> = Result<T, Reencoded<Error>>;

/// A program that is written.
pub(super) struct Merge<'a> {
    plan: &'a Plan<'a>,
    /// The sections that were written, and what has to be added to them.
    written: Vec<SectionId>,
    named: bool,
    /// Sections that were left out.
    pub(super) dropped: Vec<String>,
}

/// The order of sections in which something is added.
const ADDED: [SectionId; 6] =
    [SectionId::Type, SectionId::Function, SectionId::Table, SectionId::Memory, SectionId::Global, SectionId::Code];

/// The place of a section in a module.
fn rank(section: SectionId) -> u8 {
    use SectionId as S;
    match section {
        S::Custom => 0,
        S::Type => 1,
        S::Import => 2,
        S::Function => 3,
        S::Table => 4,
        S::Memory => 5,
        S::Tag => 6,
        S::Global => 7,
        S::Export => 8,
        S::Start => 9,
        S::Element => 10,
        S::DataCount => 11,
        S::Code => 12,
        S::Data => 13,
    }
}

impl<'a> Merge<'a> {
    /// Writes a program by a plan.
    pub(super) fn run(plan: &'a Plan<'a>, wasm: &[u8]) -> Result<(Vec<u8>, Vec<String>)> {
        let mut merge = Merge { plan, written: Vec::new(), named: false, dropped: Vec::new() };
        let mut module = Module::new();
        merge.parse_core_module(&mut module, p::Parser::new(0), wasm)?;
        if !merge.named {
            let mut names = NameSection::new();
            merge.function_names(&mut names, BTreeMap::new());
            module.section(&names);
        }
        Ok((module.finish(), merge.dropped))
    }

    /// Writes a section that the program does not have.
    fn write(&mut self, module: &mut Module, section: SectionId) -> Encoded {
        match section {
            SectionId::Type => {
                let mut types = TypeSection::new();
                self.add_types(&mut types)?;
                module.section(&types);
            }
            SectionId::Function => {
                let mut functions = FunctionSection::new();
                self.add_functions(&mut functions);
                module.section(&functions);
            }
            SectionId::Table => {
                let mut tables = TableSection::new();
                self.add_tables(&mut tables)?;
                module.section(&tables);
            }
            SectionId::Memory => {
                let mut memories = MemorySection::new();
                self.add_memories(&mut memories)?;
                module.section(&memories);
            }
            SectionId::Global => {
                let mut globals = GlobalSection::new();
                self.add_globals(&mut globals)?;
                module.section(&globals);
            }
            _ => {
                let mut code = CodeSection::new();
                self.add_code(&mut code)?;
                module.section(&code);
            }
        }
        Ok(())
    }

    fn placed(&mut self, section: SectionId) -> impl Iterator<Item = (&'a Placed<'a>, Insert<'a>)> {
        self.written.push(section);
        self.plan.placed.iter().map(|placed| (placed, Insert(placed)))
    }

    fn add_types(&mut self, types: &mut TypeSection) -> Encoded {
        for (placed, mut insert) in self.placed(SectionId::Type) {
            for group in &placed.piece.groups {
                insert.parse_recursive_type_group(types.ty(), group.clone())?;
            }
        }
        Ok(())
    }

    fn add_functions(&mut self, functions: &mut FunctionSection) {
        for (placed, _) in self.placed(SectionId::Function) {
            for added in &placed.added {
                functions.function(added.ty);
            }
        }
    }

    fn add_tables(&mut self, tables: &mut TableSection) -> Encoded {
        for (placed, mut insert) in self.placed(SectionId::Table) {
            for table in &placed.piece.tables {
                tables.table(insert.table_type(table.ty)?);
            }
        }
        Ok(())
    }

    fn add_memories(&mut self, memories: &mut MemorySection) -> Encoded {
        for (placed, mut insert) in self.placed(SectionId::Memory) {
            for memory in &placed.piece.memories {
                memories.memory(insert.memory_type(*memory)?);
            }
        }
        Ok(())
    }

    fn add_globals(&mut self, globals: &mut GlobalSection) -> Encoded {
        for (placed, mut insert) in self.placed(SectionId::Global) {
            for global in &placed.piece.globals {
                insert.parse_global(globals, global.clone())?;
            }
        }
        Ok(())
    }

    fn add_code(&mut self, code: &mut CodeSection) -> Encoded {
        for (placed, mut insert) in self.placed(SectionId::Code) {
            for added in &placed.added {
                let body = placed.piece.body(added.func);
                let body = body.ok_or_else(|| Reencoded::UserError(Error::bug("a function has no body")))?;
                insert.parse_function_body(code, body.clone())?;
            }
        }
        Ok(())
    }

    /// Writes the names of the program's functions and of ours.
    fn function_names(&mut self, names: &mut NameSection, mut functions: BTreeMap<u32, String>) {
        if std::mem::replace(&mut self.named, true) {
            return;
        }
        for placed in &self.plan.placed {
            let imports = (0..placed.piece.imports.len() as u32).map(|func| (func, placed.first_import + func));
            for (func, index) in imports.chain(placed.added.iter().map(|added| (added.func, added.index))) {
                if let Some(name) = placed.piece.name(func) {
                    functions.insert(index, format!("{}.{name}", placed.label));
                }
            }
        }
        let mut map = NameMap::new();
        for (index, name) in &functions {
            map.append(*index, name);
        }
        names.functions(&map);
    }

    fn is_answered(&self, func: u32) -> bool {
        self.plan.answered.get(func as usize).copied().unwrap_or(false)
    }

    /// The new index of a function that is left. None for one that there never was, which names may name.
    fn kept(&self, func: u32) -> Option<u32> {
        if self.is_answered(func) {
            return None;
        }
        self.plan.functions.get(func as usize).copied()
    }

    /// Names of the locals or labels of the functions that are left.
    fn kept_names(&mut self, map: p::IndirectNameMap<'_>) -> Encoded<wasm_encoder::IndirectNameMap> {
        let mut kept = wasm_encoder::IndirectNameMap::new();
        for naming in map {
            let naming = naming?;
            if let Some(index) = self.kept(naming.index) {
                kept.append(index, &utils::name_map(naming.names, Ok::<_, Reencoded<Error>>)?);
            }
        }
        Ok(kept)
    }

    /// The names of what is left, and of what is added.
    fn names(&mut self, section: p::NameSectionReader<'_>) -> Encoded<NameSection> {
        let mut names = NameSection::new();
        for subsection in section {
            match subsection? {
                module @ p::Name::Module { .. } => self.parse_custom_name_subsection(&mut names, module)?,
                p::Name::Function(map) => {
                    let mut functions = BTreeMap::new();
                    for naming in map {
                        let naming = naming?;
                        if let Some(index) = self.kept(naming.index) {
                            functions.insert(index, naming.name.to_string());
                        }
                    }
                    self.function_names(&mut names, functions);
                }
                other => {
                    self.function_names(&mut names, BTreeMap::new());
                    match other {
                        p::Name::Local(map) => names.locals(&self.kept_names(map)?),
                        p::Name::Label(map) => names.labels(&self.kept_names(map)?),
                        other => self.parse_custom_name_subsection(&mut names, other)?,
                    }
                }
            }
        }
        self.function_names(&mut names, BTreeMap::new());
        Ok(names)
    }
}

impl Reencode for Merge<'_> {
    type Error = Error;

    fn function_index(&mut self, func: u32) -> Encoded<u32> {
        let index = self.plan.functions.get(func as usize).copied();
        index.ok_or_else(|| Reencoded::UserError(Error::bug("a function index is out of range")))
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Encoded {
        let before = before.map_or(u8::MAX, rank);
        for section in ADDED {
            if rank(section) < before && !self.written.contains(&section) {
                self.write(module, section)?;
            }
        }
        Ok(())
    }

    fn parse_type_section(&mut self, types: &mut TypeSection, section: p::TypeSectionReader<'_>) -> Encoded {
        utils::parse_type_section(self, types, section)?;
        self.add_types(types)
    }

    fn parse_import_section(&mut self, imports: &mut ImportSection, section: p::ImportSectionReader<'_>) -> Encoded {
        let mut func = 0;
        for group in section {
            let mut kept = Vec::new();
            each_import(group?, |import| {
                let is_func = matches!(import.ty, p::TypeRef::Func(_) | p::TypeRef::FuncExact(_));
                if !is_func || !self.is_answered(func) {
                    kept.push(import);
                }
                func += u32::from(is_func);
                Ok(())
            })
            .map_err(Reencoded::UserError)?;
            for import in kept {
                self.parse_import(imports, import)?;
            }
        }
        for placed in &self.plan.placed {
            for (&(module, name), ty) in placed.piece.imports.iter().zip(&placed.piece.functions) {
                imports.import(module, name, EntityType::Function(placed.first_type + ty));
            }
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: p::FunctionSectionReader<'_>,
    ) -> Encoded {
        utils::parse_function_section(self, functions, section)?;
        self.add_functions(functions);
        Ok(())
    }

    fn parse_table_section(&mut self, tables: &mut TableSection, section: p::TableSectionReader<'_>) -> Encoded {
        utils::parse_table_section(self, tables, section)?;
        self.add_tables(tables)
    }

    fn parse_memory_section(&mut self, memories: &mut MemorySection, section: p::MemorySectionReader<'_>) -> Encoded {
        utils::parse_memory_section(self, memories, section)?;
        self.add_memories(memories)
    }

    fn parse_global_section(&mut self, globals: &mut GlobalSection, section: p::GlobalSectionReader<'_>) -> Encoded {
        utils::parse_global_section(self, globals, section)?;
        self.add_globals(globals)
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: p::CodeSectionReader<'_>) -> Encoded {
        utils::parse_code_section(self, code, section)?;
        self.add_code(code)
    }

    fn parse_custom_section(&mut self, module: &mut Module, section: p::CustomSectionReader<'_>) -> Encoded {
        let name = section.name();
        let counts_offsets = [".debug_", "metadata.code.", "sourceMappingURL", "external_debug_info"];
        if counts_offsets.iter().any(|prefix| name.starts_with(prefix)) {
            self.dropped.push(name.to_string());
            return Ok(());
        }
        utils::parse_custom_section(self, module, section)
    }

    /// Names that can not be read are no names: a module is valid whatever they are.
    fn custom_name_section(&mut self, section: p::NameSectionReader<'_>) -> Encoded<NameSection> {
        let named = self.named;
        self.names(section).or_else(|_| {
            self.named = named;
            let mut names = NameSection::new();
            self.function_names(&mut names, BTreeMap::new());
            Ok(names)
        })
    }
}

/// A piece that is written into a program.
struct Insert<'a>(&'a Placed<'a>);

impl Reencode for Insert<'_> {
    type Error = Error;

    fn type_index(&mut self, ty: u32) -> Encoded<u32> {
        Ok(self.0.first_type + ty)
    }

    fn function_index(&mut self, func: u32) -> Encoded<u32> {
        if (func as usize) < self.0.piece.imports.len() {
            return Ok(self.0.first_import + func);
        }
        let added = self.0.added.iter().find(|added| added.func == func);
        added.map(|added| added.index).ok_or_else(|| Reencoded::UserError(Error::bug("an operation is called")))
    }

    fn table_index(&mut self, table: u32) -> Encoded<u32> {
        Ok(self.0.first_table + table)
    }

    fn memory_index(&mut self, memory: u32) -> Encoded<u32> {
        Ok(match (self.0.piece.uses_memory, memory) {
            (true, 0) => 0,
            (true, memory) => self.0.first_memory + memory - 1,
            (false, memory) => self.0.first_memory + memory,
        })
    }

    fn global_index(&mut self, global: u32) -> Encoded<u32> {
        Ok(self.0.first_global + global)
    }

    fn heap_type(&mut self, heap_type: p::HeapType) -> Encoded<HeapType> {
        match (heap_type, self.0.element) {
            (p::HeapType::EXTERN, Some(element)) => {
                reencode::RoundtripReencoder.heap_type(element).map_err(|err| Reencoded::UserError(err.into()))
            }
            _ => utils::heap_type(self, heap_type),
        }
    }
}
