//! Sections to the description of a module.
//!
//! Each section is validated before it is read; names are the exception, which validation does not
//! look at, so that broken ones are only ignored.

use super::hints::Hints;
use super::module::{
    Body, ConstExpr, Data, Elem, ElemItems, Entity, Export, FuncDecl, GlobalDecl, Import, MemoryDecl, Module,
    SegmentMode, TableDecl,
};
use super::resources::standard;
use super::throws::{MayThrow, Through};
use super::types::{exception_type, has_gc, is_gc_heap, ref_type, type_section, val_type};
use super::unsupported::Feature;
use super::validate::exact_functions;
use crate::fault::Error;
use crate::fault::Result;
use crate::types::{CompositeType, RefType, TypeDef, TypeId, TypeRegistry, TypeTable, ValType};
use crate::workers::Workers;
use std::collections::HashMap;
use wasmparser::{
    CustomSectionReader, DataKind, ElementItems, ElementKind, Encoding, ExternalKind, KnownCustom, Name, Operator,
    Parser, Payload, TableInit, TypeRef, ValidPayload, Validator, WasmFeatures,
};

impl<'a> Module<'a> {
    /// Decodes a module and validates everything but bodies.
    ///
    /// # Errors
    ///
    /// `Invalid` for what is not WebAssembly with these features, `Unsupported` for what is but can
    /// not be compiled, `Types` when the registry is full.
    pub fn parse(wasm: &'a [u8], features: WasmFeatures, registry: &TypeRegistry) -> Result<Module<'a>, Error> {
        Module::parse_with(wasm, features, registry, Workers::Many)
    }

    /// The same with these workers.
    ///
    /// # Errors
    ///
    /// As [`Module::parse`].
    pub fn parse_with(
        wasm: &'a [u8],
        features: WasmFeatures,
        registry: &TypeRegistry,
        workers: Workers,
    ) -> Result<Module<'a>, Error> {
        if u32::try_from(wasm.len()).is_err() {
            return Err(Feature::HugeModule.at(0));
        }
        let mut parser = Parser::new(0);
        parser.set_features(features);
        let mut validator = Validator::new_with_features(features);
        let mut module = Module::empty(workers);
        for payload in parser.parse_all(wasm) {
            let payload = payload?;
            exact_functions(&payload, features)?;
            if let Payload::Version { encoding: Encoding::Component, .. } = payload {
                return Err(Feature::Components.at(0));
            }
            if let ValidPayload::Func(validator, body) = validator.payload(&payload)? {
                module.bodies.push(Body { body, validator: standard(validator) });
            } else {
                module.payload(payload, registry)?;
            }
        }
        module.workers = workers.on(module.code_bytes());
        for &tag in &module.tags {
            let sig = module.type_func(tag).ok_or_else(|| Error::bug("a tag without a signature"))?;
            module.tag_types.push(exception_type(registry, sig)?);
        }
        module.tag_types.iter().for_each(|&id| module.types.add(registry, id));
        module.has_gc_types = module.mentions_gc();
        let exceptions = WasmFeatures::EXCEPTIONS | WasmFeatures::LEGACY_EXCEPTIONS;
        let through = if features.intersects(exceptions) { Through::References } else { Through::Nothing };
        module.throws = MayThrow::of(&module, through);
        module.hints = Hints::of(&module);
        Ok(module)
    }

    /// Finds out which calls may throw, for a module that was put together and not parsed.
    pub fn find_throws(&mut self) {
        self.throws = MayThrow::of(self, Through::References);
    }

    /// Takes all imported functions to throw, even if the module would be left alone.
    pub fn expect_exceptions(&mut self) {
        self.throws = MayThrow::of(self, Through::Imports);
    }

    /// A module of nothing.
    pub fn empty(workers: Workers) -> Module<'a> {
        Module {
            name: None,
            types: TypeTable::default(),
            types_at: 0,
            imports: Vec::new(),
            funcs: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            imported_tags: 0,
            tag_types: Vec::new(),
            exports: Vec::new(),
            start: None,
            elems: Vec::new(),
            data: Vec::new(),
            has_data_count: false,
            bodies: Vec::new(),
            func_names: HashMap::new(),
            customs: Vec::new(),
            has_gc_types: false,
            workers,
            throws: MayThrow::default(),
            intrinsics: Vec::new(),
            rtt_types: Vec::new(),
            has_func_words: false,
            shown: HashMap::new(),
            hints: Hints::default(),
            debug: false,
        }
    }

    fn payload(&mut self, payload: Payload<'a>, registry: &TypeRegistry) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => {
                self.types_at = section.range().start;
                self.types = type_section(section, registry)?;
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    self.import(import, offset)?;
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.funcs.push(FuncDecl { ty: ty?, imported: false, exact: true });
                }
            }
            Payload::TableSection(section) => {
                for table in section.into_iter_with_offsets() {
                    let (offset, table) = table?;
                    let init = match table.init {
                        TableInit::RefNull => None,
                        TableInit::Expr(expr) => Some(const_expr(&expr)?),
                    };
                    let decl = self.table(table.ty, offset)?;
                    self.tables.push(TableDecl { init, ..decl });
                }
            }
            Payload::MemorySection(section) => {
                for ty in section {
                    self.memories.push(MemoryDecl { ty: ty?, imported: false });
                }
            }
            Payload::TagSection(section) => {
                for tag in section {
                    self.tags.push(tag?.func_type_idx);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section.into_iter_with_offsets() {
                    let (offset, global) = global?;
                    let init = Some(const_expr(&global.init_expr)?);
                    let decl = self.global(global.ty, offset)?;
                    self.globals.push(GlobalDecl { init, ..decl });
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    let entity = entity(export.kind, export.index);
                    self.exports.push(Export { name: export.name, entity });
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => {
                for elem in section {
                    let elem = self.elem(elem?)?;
                    self.elems.push(elem);
                }
            }
            Payload::DataCountSection { .. } => self.has_data_count = true,
            Payload::DataSection(section) => {
                for data in section {
                    self.data.push(data_segment(data?)?);
                }
            }
            Payload::CustomSection(section) => self.custom(&section),
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import<'a>, offset: usize) -> Result<()> {
        let entity = match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                let exact = matches!(import.ty, TypeRef::FuncExact(_));
                self.funcs.push(FuncDecl { ty, imported: true, exact });
                Entity::Func(self.funcs.len() as u32 - 1)
            }
            TypeRef::Table(ty) => {
                let decl = self.table(ty, offset)?;
                self.tables.push(TableDecl { imported: true, ..decl });
                Entity::Table(self.tables.len() as u32 - 1)
            }
            TypeRef::Memory(ty) => {
                self.memories.push(MemoryDecl { ty, imported: true });
                Entity::Memory(self.memories.len() as u32 - 1)
            }
            TypeRef::Global(ty) => {
                let decl = self.global(ty, offset)?;
                self.globals.push(decl);
                Entity::Global(self.globals.len() as u32 - 1)
            }
            TypeRef::Tag(ty) => {
                self.tags.push(ty.func_type_idx);
                self.imported_tags += 1;
                Entity::Tag(self.tags.len() as u32 - 1)
            }
        };
        self.imports.push(Import { module: import.module, name: import.name, entity });
        Ok(())
    }

    fn table(&self, ty: wasmparser::TableType, offset: usize) -> Result<TableDecl<'a>> {
        if ty.shared {
            return Err(Feature::Shared.at(offset));
        }
        Ok(TableDecl {
            elem: ref_type(&self.types, ty.element_type, offset)?,
            min: ty.initial,
            max: ty.maximum,
            table64: ty.table64,
            init: None,
            imported: false,
        })
    }

    fn global(&self, ty: wasmparser::GlobalType, offset: usize) -> Result<GlobalDecl<'a>> {
        if ty.shared {
            return Err(Feature::Shared.at(offset));
        }
        Ok(GlobalDecl { ty: val_type(&self.types, ty.content_type, offset)?, mutable: ty.mutable, init: None })
    }

    fn elem(&self, elem: wasmparser::Element<'a>) -> Result<Elem<'a>> {
        let mode = match elem.kind {
            ElementKind::Passive => SegmentMode::Passive,
            ElementKind::Declared => SegmentMode::Declared,
            ElementKind::Active { table_index, offset_expr } => {
                SegmentMode::Active { index: table_index.unwrap_or(0), offset: const_expr(&offset_expr)? }
            }
        };
        let (ty, items) = match elem.items {
            ElementItems::Functions(funcs) => {
                let funcs = funcs.into_iter().collect::<Result<_, _>>()?;
                (RefType::new(false, crate::types::HeapType::Func), ElemItems::Funcs(funcs))
            }
            ElementItems::Expressions(ty, exprs) => {
                let exprs = exprs.into_iter().map(|expr| const_expr(&expr?)).collect::<Result<_>>()?;
                (ref_type(&self.types, ty, elem.range.start)?, ElemItems::Exprs(exprs))
            }
        };
        Ok(Elem { mode, ty, items })
    }

    fn custom(&mut self, section: &CustomSectionReader<'a>) {
        let KnownCustom::Name(names) = section.as_known() else {
            self.customs.push((section.name(), section.data()));
            return;
        };
        for name in names {
            match name {
                Ok(Name::Module { name, .. }) => self.name = Some(name.to_string()),
                Ok(Name::Function(map)) => {
                    let names = map.into_iter().map_while(|name| name.ok());
                    self.func_names.extend(names.map(|n| (n.index, n.name.to_string())));
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    /// Whether a type and its supertype may refer to each other. The engine shows a module's types without their groups, and
    /// such a type can not be built from what it shows: only a lowered module tells its types (`runtime/func_types.rs`).
    fn has_supertype_in_group(&self, id: TypeId) -> bool {
        let of = self.types.def(id);
        let group = |def: &TypeDef| def.id.0 - def.group_pos;
        of.sub.supertype.is_some_and(|above| group(self.types.def(above)) == group(of))
    }

    fn mentions_gc(&self) -> bool {
        let types = || {
            self.types.ids().iter().any(|&id| match &self.types.def(id).sub.composite {
                CompositeType::Struct(_) | CompositeType::Array(_) => true,
                CompositeType::Func(sig) => has_gc(sig) || self.has_supertype_in_group(id),
            })
        };
        // The engine knows no null but that of `func` as long as nothing is lowered.
        let names_null = |expr: &ConstExpr<'_>| {
            expr.iter().any(|(op, _)| matches!(op, Operator::RefNull { hty } if is_gc_heap(&self.types, *hty)))
        };
        let exprs = self.globals.iter().filter_map(|global| global.init.as_ref());
        let mut exprs = exprs.chain(self.tables.iter().filter_map(|table| table.init.as_ref()));
        let items = self.elems.iter().filter_map(|elem| match &elem.items {
            ElemItems::Exprs(exprs) => Some(exprs),
            ElemItems::Funcs(_) => None,
        });
        !self.tags.is_empty()
            || exprs.any(names_null)
            || items.flatten().any(names_null)
            || self.funcs.iter().any(|func| func.imported && func.exact)
            || self.globals.iter().any(|global| global.ty.is_lowered())
            || self.tables.iter().any(|table| ValType::Ref(table.elem).is_lowered())
            || self.elems.iter().any(|elem| ValType::Ref(elem.ty).is_lowered())
            || types()
    }
}

fn entity(kind: ExternalKind, index: u32) -> Entity {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => Entity::Func(index),
        ExternalKind::Table => Entity::Table(index),
        ExternalKind::Memory => Entity::Memory(index),
        ExternalKind::Global => Entity::Global(index),
        ExternalKind::Tag => Entity::Tag(index),
    }
}

fn data_segment(data: wasmparser::Data<'_>) -> Result<Data<'_>> {
    let mode = match data.kind {
        DataKind::Passive => SegmentMode::Passive,
        DataKind::Active { memory_index, offset_expr } => {
            SegmentMode::Active { index: memory_index, offset: const_expr(&offset_expr)? }
        }
    };
    Ok(Data { mode, bytes: data.data })
}

fn const_expr<'a>(expr: &wasmparser::ConstExpr<'a>) -> Result<ConstExpr<'a>> {
    let mut ops = Vec::new();
    for op in expr.get_operators_reader().into_iter_with_offsets() {
        let (op, offset) = op?;
        ops.push((op, offset as u32));
    }
    ops.pop();
    Ok(ops)
}
