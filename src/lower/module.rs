//! Assembly: the sections of the lowered module, around bodies that are ready to be emitted.

use super::debug::DebugSpaces;
use super::emit::EmittedBody;
use super::env::{ModuleEnv, RuntimeFunc};
use super::index::{IndexMap, Space};
use super::init::Plan;
use super::output::{EntityMeta, ExportMeta, ImportMeta, Lowered, Meta, RuntimeImport, Sites, TableMeta};
use super::sections;
use super::types::Types;
use crate::fault::Error;
use crate::layout::names;
use crate::parse::{Entity, Module};
use crate::types::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder as enc;

/// A function of the lowered module that lowering added or that was there.
pub struct Defined {
    /// Virtual index.
    pub index: u32,
    /// Final type index.
    pub ty: u32,
}

/// Everything about the module but its bodies.
pub struct Assembly<'e, 'm, 'a> {
    env: &'e ModuleEnv<'m, 'a>,
    plan: &'e Plan,
    /// The type section.
    pub types: Types,
    /// Where every index went.
    pub index: IndexMap,
    imports: enc::ImportSection,
    runtime_imports: Vec<RuntimeImport>,
    defined: Vec<Defined>,
    /// Final index of the global that numbers the instance.
    instance_global: Option<u32>,
}

/// What the functions to be emitted refer to, beyond the original index spaces.
#[derive(Default, Clone, Debug)]
pub struct Uses {
    /// Virtual function indices of lowering's own.
    pub funcs: BTreeSet<u32>,
    /// The store's function table.
    pub functions_table: bool,
    /// The first function handle.
    pub function_base: bool,
    /// The identity of the first tag.
    pub tag_base: bool,
    /// Virtual indices of globals with addresses or ids of RTT records.
    pub rtts: BTreeSet<u32>,
    /// Original functions whose references bodies make.
    pub func_refs: BTreeSet<u32>,
}

/// So many references to functions get a global. Each takes an instance about 50 bytes, and 60 ns when it is made.
const MAX_FUNC_REFS: usize = 4096;

/// So many globals a module has at most (`wasmparser`'s limit).
const MAX_GLOBALS: u32 = 1_000_000;

impl<'e, 'm, 'a> Assembly<'e, 'm, 'a> {
    /// Decides every final index. `added` are the virtual indices of the functions that lowering
    /// defines.
    pub fn new(env: &'e ModuleEnv<'m, 'a>, plan: &'e Plan, uses: &Uses, types: Types, added: &[u32]) -> Self {
        let mut this = Assembly {
            env,
            plan,
            types,
            index: IndexMap {
                heap_memory: env.heap(),
                alloc_func: env.runtime(RuntimeFunc::Alloc),
                ..Default::default()
            },
            imports: enc::ImportSection::new(),
            runtime_imports: Vec::new(),
            defined: Vec::new(),
            instance_global: None,
        };
        let counts = this.import(uses);
        this.define(counts, added, uses);
        this
    }

    fn module(&self) -> &'m Module<'a> {
        self.env.module
    }

    /// Imports of the runtime, then the original ones. Returns the number of imported functions,
    /// tables, memories and globals.
    fn import(&mut self, uses: &Uses) -> [u32; 4] {
        let (env, module) = (self.env, self.module());
        let [mut funcs, mut tables, mut memories, mut globals] = [0u32; 4];
        let heap =
            enc::MemoryType { minimum: 1, maximum: Some(65536), memory64: false, shared: false, page_size_log2: None };
        self.runtime_import(names::HEAP, None, heap.into());
        set(&mut self.index.memories, env.heap(), &mut memories);
        for &virt in &uses.funcs {
            let Some((name, cast, params, results)) = self.runtime_func(virt) else { continue };
            let ty = self.types.add(&params, &results);
            self.runtime_import(&name, cast, enc::EntityType::Function(ty));
            set(&mut self.index.funcs, virt, &mut funcs);
        }
        if uses.functions_table || !env.handles.is_empty() {
            let ty = enc::TableType {
                element_type: enc::RefType::FUNCREF,
                table64: false,
                minimum: 0,
                maximum: None,
                shared: false,
            };
            self.runtime_import(names::FUNCTIONS, None, ty.into());
            set(&mut self.index.tables, env.functions(), &mut tables);
        }
        if env.area_words > 0 {
            self.runtime_import(names::AREA, None, sections::address_global());
            set(&mut self.index.globals, env.area_global(), &mut globals);
        }
        if uses.function_base || !env.handles.is_empty() {
            self.runtime_import(names::FUNCTION_BASE, None, sections::address_global());
            set(&mut self.index.globals, env.function_base_global(), &mut globals);
        }
        if uses.tag_base {
            self.runtime_import(names::TAG_BASE, None, sections::address_global());
            set(&mut self.index.globals, env.tag_base_global(), &mut globals);
        }
        for &global in &uses.rtts {
            let Some((ty, id)) = env.rtt_of_global(global) else { continue };
            let prefix = if id { names::RTT_ID } else { names::RTT };
            self.runtime_import(&format!("{prefix}{}", env.rtts[&ty]), Some(ty), sections::address_global());
            set(&mut self.index.globals, global, &mut globals);
        }
        if sections::exports_cells(env) {
            self.runtime_import(names::INSTANCE, None, sections::address_global());
            self.instance_global = Some(globals);
            globals += 1;
        }
        for import in &module.imports {
            let ty = match import.entity {
                Entity::Func(f) => {
                    set(&mut self.index.funcs, f, &mut funcs);
                    enc::EntityType::Function(self.types.space.get(module.funcs[f as usize].ty))
                }
                Entity::Table(t) if !env.native_table(t) => {
                    set(&mut self.index.globals, env.imported_table_global(t), &mut globals);
                    sections::address_global()
                }
                Entity::Table(t) => {
                    set(&mut self.index.tables, t, &mut tables);
                    sections::table_type(&module.tables[t as usize], &self.types).into()
                }
                Entity::Memory(m) => {
                    set(&mut self.index.memories, m, &mut memories);
                    sections::memory_type(&module.memories[m as usize].ty).into()
                }
                Entity::Global(g) => {
                    set(&mut self.index.globals, g, &mut globals);
                    let global = &module.globals[g as usize];
                    if global.ty.is_gc_ref() {
                        sections::address_global()
                    } else {
                        sections::global_type(global, &self.types).into()
                    }
                }
                Entity::Tag(t) => {
                    set(&mut self.index.globals, env.imported_tag_global(t), &mut globals);
                    sections::address_global()
                }
            };
            self.imports.import(import.module, import.name, ty);
        }
        [funcs, tables, memories, globals]
    }

    fn runtime_import(&mut self, name: &str, of_type: Option<TypeId>, ty: enc::EntityType) {
        self.imports.import(names::NAMESPACE, name, ty);
        self.runtime_imports.push(RuntimeImport { name: name.to_string(), of_type });
    }

    /// The import behind a virtual function index of lowering's own, unless lowering defines it.
    #[expect(clippy::type_complexity, reason = "a row of a table: name, cast type, parameters, results")]
    fn runtime_func(&self, virt: u32) -> Option<(String, Option<TypeId>, Vec<enc::ValType>, Vec<enc::ValType>)> {
        use enc::ValType::I32;
        let env = self.env;
        let row = |name: &str, params: &[enc::ValType], results: &[enc::ValType]| {
            Some((name.to_string(), None, params.to_vec(), results.to_vec()))
        };
        let funcref = enc::ValType::Ref(enc::RefType::FUNCREF);
        match virt {
            v if v == env.runtime(RuntimeFunc::Alloc) => row(names::ALLOC, &[I32], &[I32]),
            v if v == env.runtime(RuntimeFunc::AllocDescriptor) => row(names::ALLOC_DESCRIPTOR, &[I32, I32], &[I32]),
            v if v == env.runtime(RuntimeFunc::RememberObject) => row(names::REMEMBER_OBJECT, &[I32], &[]),
            v if v == env.runtime(RuntimeFunc::RememberElements) => {
                row(names::REMEMBER_ELEMENTS, &[I32, I32, I32], &[])
            }
            v if v == env.runtime(RuntimeFunc::TableGrow) => row(names::TABLE_GROW, &[I32, I32, I32], &[I32]),
            v if v == env.runtime(RuntimeFunc::FunctionHandle) => row(names::FUNCTION_HANDLE, &[funcref], &[I32]),
            v if v == env.runtime(RuntimeFunc::ProfileCall) => row(names::PROFILE_CALL, &[I32], &[]),
            v if v == env.runtime(RuntimeFunc::ProfileEntry) => row(names::PROFILE_ENTRY, &[I32], &[]),
            v if v == env.runtime(RuntimeFunc::RttSub) => row(names::RTT_SUB, &[I32, I32], &[I32]),
            v if env.bind_index(v).is_some() => {
                let index = env.bind_index(v)?;
                let heap_type = enc::HeapType::Concrete(self.types.space.get(index));
                let result = enc::ValType::Ref(enc::RefType { nullable: true, heap_type });
                let id = Some(env.module.types.id(index));
                Some((format!("{}{index}", names::FUNC_BIND), id, vec![I32, funcref], vec![result]))
            }
            v => {
                let (index, exact) = env.cast_index(v)?;
                let id = env.module.types.id(index);
                let heap_type = enc::HeapType::Concrete(self.types.space.get(index));
                let result = enc::ValType::Ref(enc::RefType { nullable: true, heap_type });
                let prefix = if exact { names::FUNCTION_CAST_EXACT } else { names::FUNCTION_CAST };
                Some((format!("{prefix}{index}"), Some(id), vec![funcref], vec![result]))
            }
        }
    }

    /// Indices of what the module defines itself.
    fn define(&mut self, [mut funcs, mut tables, mut memories, mut globals]: [u32; 4], added: &[u32], uses: &Uses) {
        let (env, module) = (self.env, self.module());
        for (f, decl) in (0u32..).zip(&module.funcs) {
            if !decl.imported {
                set(&mut self.index.funcs, f, &mut funcs);
                self.defined.push(Defined { index: f, ty: self.types.space.get(decl.ty) });
            }
        }
        let i32 = enc::ValType::I32;
        let slot = self.types.add(&[i32], &[]);
        let nothing = self.types.add(&[], &[]);
        for &index in added {
            set(&mut self.index.funcs, index, &mut funcs);
            let ty = match env.stand_in_type(index) {
                Some(ty) => self.types.space.get(ty),
                None if index == env.runtime(RuntimeFunc::Remember) => slot,
                None if index == env.runtime(RuntimeFunc::Allocate) => self.types.add(&[i32], &[i32]),
                None if [RuntimeFunc::CopyBytes, RuntimeFunc::FillBytes].iter().any(|&f| index == env.runtime(f)) => {
                    self.types.add(&[i32, i32, i32], &[])
                }
                None => nothing,
            };
            self.defined.push(Defined { index, ty });
        }
        for (t, table) in (0u32..).zip(&module.tables) {
            if !table.imported && env.native_table(t) {
                set(&mut self.index.tables, t, &mut tables);
            }
        }
        for (m, memory) in (0u32..).zip(&module.memories) {
            if !memory.imported {
                set(&mut self.index.memories, m, &mut memories);
            }
        }
        for (g, global) in (0u32..).zip(&module.globals) {
            if global.init.is_some() && !global.ty.is_gc_ref() {
                set(&mut self.index.globals, g, &mut globals);
            }
        }
        let room = MAX_FUNC_REFS.min(MAX_GLOBALS.saturating_sub(globals) as usize);
        self.index.func_refs = uses.func_refs.iter().copied().take(room).zip(globals..).collect();
        let mut elems = 0;
        for (e, elem) in (0u32..).zip(&module.elems) {
            if elem.ty.is_func() {
                set(&mut self.index.elems, e, &mut elems);
            }
        }
        self.index.data = Space { map: (0..module.data.len() as u32).collect() };
        self.index.types = self.types.space.clone();
    }

    /// Puts the module together. `bodies` are in the order of definition.
    ///
    /// # Errors
    ///
    /// Defects of this crate only.
    pub fn finish(self, bodies: &[EmittedBody], start: Option<u32>, func_offsets: Vec<u32>) -> Result<Lowered, Error> {
        let module = self.module();
        let mut out = enc::Module::new();
        out.section(&self.types.section);
        out.section(&self.imports);
        let mut funcs = enc::FunctionSection::new();
        for f in &self.defined {
            funcs.function(f.ty);
        }
        out.section(&funcs);
        sections::tables(&mut out, self.env, &self.index, &self.types)?;
        sections::memories(&mut out, module);
        sections::globals(&mut out, module, &self.index, &self.types)?;
        sections::exports(&mut out, self.env, &self.index, self.instance_global);
        // A debugger could not walk past the frame in which the engine calls it: the runtime does.
        if let Some(start) = start.filter(|_| !module.debug) {
            out.section(&enc::StartSection { function_index: self.index.funcs.get(start) });
        }
        let stand_ins: Vec<u32> =
            self.defined.iter().map(|f| f.index).filter(|&f| self.env.stand_in_type(f).is_some()).collect();
        sections::elems(&mut out, self.env, self.plan, &self.index, &self.types, &stand_ins)?;
        if !module.data.is_empty() {
            out.section(&enc::DataCountSection { count: module.data.len() as u32 });
        }
        let funcs: Vec<u32> = self.defined.iter().map(|f| self.index.funcs.get(f.index)).collect();
        sections::hints(&mut out, &funcs, bodies);
        let mut sites = sections::code(&mut out, bodies);
        sections::data(&mut out, module, self.plan, &self.index)?;
        sections::names(&mut out, module, &self.index, &self.defined);
        // Everything else (DWARF, the original's branch hints, linking) speaks of offsets that are gone.
        for (name, contents) in module.customs.iter().filter(|(name, _)| *name == "producers") {
            out.section(&enc::CustomSection { name: (*name).into(), data: (*contents).into() });
        }
        self.site_tables(&mut sites, func_offsets);
        let mut meta = self.meta();
        if let Some(debug) = &mut meta.debug {
            debug.start = start.map(|start| self.index.funcs.get(start));
        }
        Ok(Lowered { wasm: out.finish(), sites, meta })
    }

    fn site_tables(&self, sites: &mut Sites, func_offsets: Vec<u32>) {
        let module = self.module();
        let original = module.funcs.len() as u32;
        let total = self.index.funcs.map.iter().filter(|&&f| f != u32::MAX).count();
        sites.funcs = vec![u32::MAX; total];
        for (virt, &last) in (0u32..).zip(&self.index.funcs.map) {
            if let (true, Some(slot)) = (virt < original, sites.funcs.get_mut(last as usize)) {
                *slot = virt;
            }
        }
        sites.names = module.func_names.clone();
        sites.func_offsets = func_offsets;
        sites.imported_funcs = module.imported_funcs();
    }

    fn meta(&self) -> Meta {
        let (env, module) = (self.env, self.module());
        let import_of = |entity: Entity| module.imports.iter().position(|i| i.entity == entity).map(|n| n as u32);
        let entity = |entity: Entity, export: bool| -> EntityMeta {
            let cell = |place| export.then(|| env.cell(place, import_of(entity)));
            match entity {
                Entity::Func(f) => EntityMeta::Func {
                    id: module.types.id(module.funcs[f as usize].ty),
                    ty: module
                        .types
                        .shown_signature(module.types.id(module.funcs[f as usize].ty))
                        .cloned()
                        .unwrap_or_default(),
                    exact: module.funcs[f as usize].exact,
                },
                Entity::Global(g) => {
                    let global = &module.globals[g as usize];
                    let shown = module.shown.get(&entity).map_or(global.ty, |&ty| crate::types::ValType::Ref(ty));
                    match (shown, env.globals[g as usize]) {
                        (crate::types::ValType::Ref(ty), Some(place)) => {
                            EntityMeta::RefGlobal { ty, mutable: global.mutable, cell: cell(place) }
                        }
                        (ty, _) => EntityMeta::Global { ty, mutable: global.mutable },
                    }
                }
                Entity::Table(t) => {
                    let mut ty = table_meta(&module.tables[t as usize]);
                    ty.elem = module.shown.get(&entity).copied().unwrap_or(ty.elem);
                    match env.tables[t as usize] {
                        Some(table) => EntityMeta::RefTable { ty, cell: cell(table.place) },
                        None => EntityMeta::Table(ty),
                    }
                }
                Entity::Memory(_) => EntityMeta::Memory,
                Entity::Tag(t) => EntityMeta::Tag {
                    id: module.types.id(module.tags[t as usize]),
                    cell: export.then(|| env.cell(env.tag(t), import_of(entity))),
                },
            }
        };
        let debug = module.debug.then(|| {
            let all = |count: usize| 0..count as u32;
            let globals =
                all(module.globals.len()).map(|g| (entity(Entity::Global(g), true), self.index.globals.get(g)));
            let tables = all(module.tables.len()).map(|t| (entity(Entity::Table(t), true), self.index.tables.get(t)));
            Box::new(DebugSpaces {
                funcs: all(module.funcs.len()).map(|f| self.index.funcs.get(f)).collect(),
                globals: globals.collect(),
                tables: tables.collect(),
                memories: all(module.memories.len()).map(|m| self.index.memories.get(m)).collect(),
                start: None,
                tags: all(module.tags.len()).map(|t| entity(Entity::Tag(t), true)).collect(),
            })
        });
        let own_tables = (0u32..)
            .zip(&module.tables)
            .filter(|(_, t)| !t.imported)
            .filter_map(|(i, t)| {
                let table = env.tables[i as usize]?;
                Some((table.in_line.is_none().then_some(table.place.offset), table_meta(t)))
            })
            .collect();
        Meta {
            name: module.name.clone(),
            runtime_imports: self.runtime_imports.clone(),
            imports: module
                .imports
                .iter()
                .map(|i| ImportMeta { module: i.module.into(), name: i.name.into(), ty: entity(i.entity, false) })
                .collect(),
            exports: module
                .exports
                .iter()
                .map(|e| ExportMeta { name: e.name.into(), ty: entity(e.entity, true) })
                .collect(),
            area_words: env.area_words,
            own_tables,
            own_segments: env.elems.iter().map(|place| place.offset).collect(),
            function_handles: env.handles.len() as u32,
            own_tags: module.tags[module.imported_tags as usize..].iter().map(|&ty| module.types.id(ty)).collect(),
            types: env.gc_types.keys().copied().collect::<BTreeSet<_>>().into_iter().collect(),
            has_start: module.start.is_some(),
            func_types: self
                .types
                .func_types
                .iter()
                .map(|(&id, &index)| (id, index))
                .collect::<BTreeMap<_, _>>()
                .into_iter()
                .collect(),
            debug,
        }
    }
}

fn table_meta(table: &crate::parse::TableDecl<'_>) -> TableMeta {
    TableMeta { elem: table.elem, min: table.min, max: table.max, table64: table.table64 }
}

/// Gives a virtual index the next final one.
fn set(space: &mut Space, virt: u32, next: &mut u32) {
    let at = virt as usize;
    if space.map.len() <= at {
        space.map.resize(at + 1, u32::MAX);
    }
    space.map[at] = *next;
    *next += 1;
}
