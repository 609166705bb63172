//! One function for each section that the lowered module shares with the original one.

use super::debug::{DebugFunc, DebugTable};
use super::emit::EmittedBody;
use super::env::ModuleEnv;
use super::index::IndexMap;
use super::init::Plan;
use super::module::Defined;
use super::output::{Site, Sites};
use super::types::{Types, ref_type, val_type};
use crate::fault::Error;
use crate::ir::{Inlined, SrcLoc};
use crate::layout::names;
use crate::parse::{ConstExpr, ElemItems, Entity, GlobalDecl, Module, SegmentMode, TableDecl};
use crate::types::ValType;
use wasm_encoder as enc;
use wasmparser::Operator;

/// `(global i32)`: an address or a handle that the runtime hands over.
pub fn address_global() -> enc::EntityType {
    enc::GlobalType { val_type: enc::ValType::I32, mutable: false, shared: false }.into()
}

/// The lowered type of a native table.
pub fn table_type(table: &TableDecl<'_>, types: &Types) -> enc::TableType {
    enc::TableType {
        element_type: ref_type(table.elem, &types.func_types),
        table64: table.table64,
        minimum: table.min,
        maximum: table.max,
        shared: false,
    }
}

/// A memory's type.
pub fn memory_type(ty: &wasmparser::MemoryType) -> enc::MemoryType {
    enc::MemoryType {
        minimum: ty.initial,
        maximum: ty.maximum,
        memory64: ty.memory64,
        shared: ty.shared,
        page_size_log2: ty.page_size_log2,
    }
}

/// The lowered type of a native global.
pub fn global_type(global: &GlobalDecl<'_>, types: &Types) -> enc::GlobalType {
    enc::GlobalType { val_type: val_type(global.ty, &types.func_types), mutable: global.mutable, shared: false }
}

/// Native tables.
pub fn tables(out: &mut enc::Module, env: &ModuleEnv<'_, '_>, index: &IndexMap, types: &Types) -> Result<(), Error> {
    let mut section = enc::TableSection::new();
    for (t, table) in (0u32..).zip(&env.module.tables) {
        if table.imported || !env.native_table(t) {
            continue;
        }
        let ty = table_type(table, types);
        match &table.init {
            Some(init) => {
                section.table_with_init(ty, &const_expr(init, env.module, index, Some(ty.element_type.heap_type))?)
            }
            None => section.table(ty),
        };
    }
    if !section.is_empty() {
        out.section(&section);
    }
    Ok(())
}

/// Memories.
pub fn memories(out: &mut enc::Module, module: &Module<'_>) {
    let mut section = enc::MemorySection::new();
    for memory in module.memories.iter().filter(|m| !m.imported) {
        section.memory(memory_type(&memory.ty));
    }
    if !section.is_empty() {
        out.section(&section);
    }
}

/// Native globals, and those that hold references to functions. The engine asks its runtime for each `ref.func`; a global
/// is a load.
pub fn globals(out: &mut enc::Module, module: &Module<'_>, index: &IndexMap, types: &Types) -> Result<(), Error> {
    let mut section = enc::GlobalSection::new();
    for global in module.globals.iter().filter(|g| !g.ty.is_gc_ref()) {
        if let Some(init) = &global.init {
            let expected = match global.ty {
                ValType::Ref(ty) => Some(ref_type(ty, &types.func_types).heap_type),
                _ => None,
            };
            section.global(global_type(global, types), &const_expr(init, module, index, expected)?);
        }
    }
    let mut refs: Vec<(u32, u32)> = index.func_refs.iter().map(|(&func, &global)| (global, func)).collect();
    refs.sort_unstable();
    for (_, func) in refs {
        let ty = module.funcs.get(func as usize).ok_or_else(|| Error::bug("a reference to no function"))?.ty;
        let heap_type = enc::HeapType::Concrete(types.space.get(ty));
        let val_type = enc::ValType::Ref(enc::RefType { nullable: false, heap_type });
        let init = enc::ConstExpr::ref_func(index.funcs.get(func));
        section.global(enc::GlobalType { val_type, mutable: false, shared: false }, &init);
    }
    if !section.is_empty() {
        out.section(&section);
    }
    Ok(())
}

/// Whether something is exported that the engine does not know, under names that leave room for the number by which
/// the runtime does.
pub fn exports_cells(env: &ModuleEnv<'_, '_>) -> bool {
    let exports = &env.module.exports;
    let in_heap = |entity: &Entity| match *entity {
        Entity::Table(t) => !env.native_table(t),
        Entity::Global(g) => env.globals[g as usize].is_some(),
        Entity::Tag(_) => true,
        Entity::Func(_) | Entity::Memory(_) => false,
    };
    exports.iter().any(|e| in_heap(&e.entity)) && exports.iter().all(|e| e.name != names::INSTANCE_EXPORT)
}

/// Exports of what is native, and of the instance's number; the runtime answers for the rest.
pub fn exports(out: &mut enc::Module, env: &ModuleEnv<'_, '_>, index: &IndexMap, instance: Option<u32>) {
    let mut section = enc::ExportSection::new();
    for export in &env.module.exports {
        let (kind, at) = match export.entity {
            Entity::Func(f) => (enc::ExportKind::Func, index.funcs.get(f)),
            Entity::Table(t) if env.native_table(t) => (enc::ExportKind::Table, index.tables.get(t)),
            Entity::Memory(m) => (enc::ExportKind::Memory, index.memories.get(m)),
            Entity::Global(g) if env.globals[g as usize].is_none() => (enc::ExportKind::Global, index.globals.get(g)),
            Entity::Table(_) | Entity::Global(_) | Entity::Tag(_) => continue,
        };
        section.export(export.name, kind, at);
    }
    if let Some(global) = instance {
        section.export(names::INSTANCE_EXPORT, enc::ExportKind::Global, global);
    }
    if !section.is_empty() {
        out.section(&section);
    }
}

/// Segments of functions, the one that registers the instance's function handles, and the one that
/// declares stand-ins.
pub fn elems(
    out: &mut enc::Module,
    env: &ModuleEnv<'_, '_>,
    plan: &Plan,
    index: &IndexMap,
    types: &Types,
    stand_ins: &[u32],
) -> Result<(), Error> {
    let mut section = enc::ElementSection::new();
    for elem in env.module.elems.iter().filter(|e| e.ty.is_func()) {
        let ty = ref_type(env.elem_type(elem), &types.func_types);
        let exprs = match &elem.items {
            ElemItems::Funcs(_) => Vec::new(),
            ElemItems::Exprs(exprs) => exprs
                .iter()
                .map(|e| const_expr(e, env.module, index, Some(ty.heap_type)))
                .collect::<Result<Vec<_>, _>>()?,
        };
        let items = match &elem.items {
            ElemItems::Funcs(funcs) => {
                enc::Elements::Functions(funcs.iter().map(|&f| index.funcs.get(f)).collect::<Vec<_>>().into())
            }
            ElemItems::Exprs(_) => enc::Elements::Expressions(ty, exprs.into()),
        };
        match &elem.mode {
            SegmentMode::Active { index: table, offset } if !plan.all_segments => {
                // The short form is only for tables of nullable functions.
                section.active(Some(index.tables.get(*table)), &const_expr(offset, env.module, index, None)?, items)
            }
            SegmentMode::Active { .. } | SegmentMode::Passive => section.passive(items),
            SegmentMode::Declared => section.declared(items),
        };
    }
    if !env.handles.is_empty() {
        let offset = enc::ConstExpr::global_get(index.globals.get(env.function_base_global()));
        let funcs: Vec<u32> = env.functions_with_handles().into_iter().map(|f| index.funcs.get(f)).collect();
        section.active(Some(index.tables.get(env.functions())), &offset, enc::Elements::Functions(funcs.into()));
    }
    if !stand_ins.is_empty() {
        let funcs: Vec<u32> = stand_ins.iter().map(|&f| index.funcs.get(f)).collect();
        section.declared(enc::Elements::Functions(funcs.into()));
    }
    if !section.is_empty() {
        out.section(&section);
    }
    Ok(())
}

/// Which branches are hardly ever taken: the engine puts what is behind them out of the way. `funcs` are the final
/// indices of the bodies.
pub fn hints(out: &mut enc::Module, funcs: &[u32], bodies: &[EmittedBody]) {
    let mut section = enc::BranchHints::new();
    let mut all: Vec<(u32, &EmittedBody)> = funcs.iter().copied().zip(bodies).collect();
    all.retain(|(_, body)| !body.hints.is_empty());
    all.sort_unstable_by_key(|&(func, _)| func);
    for &(func, body) in &all {
        let hint = |&(at, likely): &(u32, bool)| enc::BranchHint {
            branch_func_offset: at,
            branch_hint_value: u32::from(likely),
        };
        section.function_hints(func, body.hints.iter().map(hint).collect::<Vec<_>>());
    }
    if !all.is_empty() {
        out.section(&section);
    }
}

/// The code section. Returns the sites, by offset in the module.
pub fn code(out: &mut enc::Module, bodies: &[EmittedBody]) -> Sites {
    let mut section = enc::CodeSection::new();
    let mut debug: Vec<DebugFunc> = Vec::new();
    let mut sites: Vec<Site> = Vec::new();
    let mut inlined: Vec<Inlined> = Vec::new();
    for body in bodies {
        // The entries of all functions, one after the other.
        let behind = |loc: u32| SrcLoc(loc).entry().map_or(loc, |_| loc + inlined.len() as u32);
        section.raw(&body.body);
        // Relative to the section's functions for now.
        let start = section.byte_len() as u32 - body.body.len() as u32;
        sites.extend(body.sites.iter().map(|site| Site {
            lowered: site.lowered + start,
            original: behind(site.original),
            ..*site
        }));
        let places = body.inlined.iter().map(|place| Inlined { call: SrcLoc(behind(place.call.0)), ..*place });
        let places: Vec<Inlined> = places.collect();
        inlined.extend(places);
        if let Some(seen) = &body.debug {
            let mut seen = (**seen).clone();
            seen.shift(start);
            debug.push(seen);
        }
    }
    out.section(&section);
    // The functions are the last bytes of the module so far.
    let contents = out.len() as u32 - section.byte_len() as u32;
    sites.iter_mut().for_each(|site| site.lowered += contents);
    debug.iter_mut().for_each(|func| func.shift(contents));
    let debug = (!debug.is_empty()).then(|| Box::new(DebugTable::new(debug)));
    Sites { entries: sites, inlined, debug, ..Sites::default() }
}

/// Data segments.
pub fn data(out: &mut enc::Module, module: &Module<'_>, plan: &Plan, index: &IndexMap) -> Result<(), Error> {
    let mut section = enc::DataSection::new();
    for data in &module.data {
        match &data.mode {
            SegmentMode::Active { index: memory, offset } if !plan.all_segments => {
                let offset = const_expr(offset, module, index, None)?;
                section.active(index.memories.get(*memory), &offset, data.bytes.iter().copied())
            }
            _ => section.passive(data.bytes.iter().copied()),
        };
    }
    if !section.is_empty() {
        out.section(&section);
    }
    Ok(())
}

/// Function names, for profilers and for backtraces that nobody translates.
pub fn names(out: &mut enc::Module, module: &Module<'_>, index: &IndexMap, defined: &[Defined]) {
    let mut names: Vec<(u32, String)> =
        module.func_names.iter().map(|(&f, name)| (index.funcs.get(f), name.clone())).collect();
    for f in defined.iter().filter(|f| f.index >= module.funcs.len() as u32) {
        names.push((index.funcs.get(f.index), format!("wasmtime-gc helper {}", f.index - module.funcs.len() as u32)));
    }
    names.retain(|&(f, _)| f != u32::MAX);
    names.sort_unstable();
    let mut map = enc::NameMap::new();
    for (f, name) in &names {
        map.append(*f, name);
    }
    let mut section = enc::NameSection::new();
    if let Some(name) = &module.name {
        section.module(name);
    }
    section.functions(&map);
    out.section(&section);
}

/// A constant expression over native globals and functions; `expected` is the heap type of its value.
pub fn const_expr(
    expr: &ConstExpr<'_>,
    module: &Module<'_>,
    index: &IndexMap,
    expected: Option<enc::HeapType>,
) -> Result<enc::ConstExpr, Error> {
    use enc::Encode;
    let mut bytes = Vec::new();
    for (op, _) in expr {
        let instruction = match *op {
            Operator::I32Const { value } => enc::Instruction::I32Const(value),
            Operator::I64Const { value } => enc::Instruction::I64Const(value),
            Operator::F32Const { value } => enc::Instruction::F32Const(value.into()),
            Operator::F64Const { value } => enc::Instruction::F64Const(value.into()),
            Operator::V128Const { value } => enc::Instruction::V128Const(value.i128()),
            Operator::I32Add => enc::Instruction::I32Add,
            Operator::I32Sub => enc::Instruction::I32Sub,
            Operator::I32Mul => enc::Instruction::I32Mul,
            Operator::I64Add => enc::Instruction::I64Add,
            Operator::I64Sub => enc::Instruction::I64Sub,
            Operator::I64Mul => enc::Instruction::I64Mul,
            Operator::GlobalGet { global_index } => match expected {
                Some(expected) if is_null(module, global_index) => enc::Instruction::RefNull(expected),
                _ => enc::Instruction::GlobalGet(index.globals.get(global_index)),
            },
            Operator::RefFunc { function_index } => enc::Instruction::RefFunc(index.funcs.get(function_index)),
            Operator::RefNull { hty } => enc::Instruction::RefNull(null_type(hty, index, expected)),
            _ => return Err(Error::bug(format!("{op:?} in a native constant expression"))),
        };
        instruction.encode(&mut bytes);
    }
    Ok(enc::ConstExpr::raw(bytes))
}

/// Whether a global's type says that it is a null function reference.
fn is_null(module: &Module<'_>, global: u32) -> bool {
    let ty = module.globals.get(global as usize).and_then(|global| global.ty.as_ref());
    ty.is_some_and(|ty| ty.heap == crate::types::HeapType::NoFunc)
}

fn null_type(ty: wasmparser::HeapType, index: &IndexMap, expected: Option<enc::HeapType>) -> enc::HeapType {
    match ty {
        wasmparser::HeapType::Concrete(i) => match i.as_module_index() {
            Some(i) => enc::HeapType::Concrete(index.types.get(i)),
            None => enc::HeapType::FUNC,
        },
        // There is no `nofunc` in lowered code: the null of what is expected stands for it.
        wasmparser::HeapType::Abstract { ty: wasmparser::AbstractHeapType::NoFunc, .. } => {
            expected.unwrap_or(enc::HeapType::FUNC)
        }
        _ => enc::HeapType::FUNC,
    }
}
