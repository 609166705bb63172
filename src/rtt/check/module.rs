//! A checked module as `parse` describes modules. It borrows names and contents, and the bytes of bodies.

use super::Checked;
use crate::fault::{Error, Result};
use crate::ir::RttBound;
use crate::parse::{
    self, Body, ConstExpr, Data, DialectResources, ElemItems, Entity, FuncDecl, GlobalDecl, Import, Intrinsic,
    MemoryDecl, Resources, SegmentMode, TableDecl,
};
use crate::rtt::ast::{From, Item, Mode, Op};
use crate::types::{HeapType, RefType, TypeId};
use crate::workers::Workers;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use wasmparser::{BinaryReader, FuncToValidate, FunctionBody, OperatorsReader};

impl Checked {
    /// The description of the module.
    ///
    /// # Errors
    ///
    /// Defects of this crate only.
    pub fn module(&self, workers: Workers) -> Result<parse::Module<'_>> {
        let ast = &self.ast;
        let mut module = parse::Module::empty(workers);
        module.name.clone_from(&ast.name);
        module.types = self.table.clone();
        module.intrinsics.clone_from(&self.intrinsics);
        module.rtt_types = self.rtts.iter().copied().collect();
        module.has_func_words = self.intrinsics.iter().any(|i| matches!(i, Intrinsic::ToAny(_)));
        module.has_gc_types = true;
        module.start = ast.start.map(|(func, _)| func);
        module.has_data_count = !ast.data.is_empty();
        for (ty, func) in self.universe.funcs.iter().zip(&ast.funcs) {
            module.funcs.push(FuncDecl { ty: *ty, imported: func.body.is_err(), exact: func.body.is_ok() });
        }
        let names = (0u32..).zip(&ast.funcs).filter_map(|(n, func)| Some((n, func.name.clone()?)));
        module.func_names = names.collect();
        let added = self.bodies.len() - ast.funcs.iter().filter(|func| func.body.is_ok()).count();
        for (ty, _) in &self.bodies[self.bodies.len() - added..] {
            module.funcs.push(FuncDecl { ty: *ty, imported: false, exact: true });
        }
        self.tables(&mut module);
        self.globals(&mut module)?;
        self.imports(&mut module);
        self.segments(&mut module)?;
        self.bodies_of(&mut module);
        module.workers = workers.on(module.code_bytes());
        bound_rtts(&mut module);
        module.find_throws();
        Ok(module)
    }

    fn tables(&self, module: &mut parse::Module<'_>) {
        for (index, (table, &(elem, shown))) in (0u32..).zip(self.ast.tables.iter().zip(&self.table_types)) {
            let (min, max) = (table.min.into(), table.max.map(u64::from));
            let imported = table.import.is_some();
            module.tables.push(TableDecl { elem, min, max, table64: false, init: None, imported });
            if shown != elem {
                module.shown.insert(Entity::Table(index), shown);
            }
        }
        for memory in &self.ast.memories {
            module.memories.push(MemoryDecl { ty: memory.ty, imported: memory.import.is_some() });
        }
    }

    fn globals<'a>(&'a self, module: &mut parse::Module<'a>) -> Result<()> {
        for (index, (global, &(ty, shown))) in (0u32..).zip(self.ast.globals.iter().zip(&self.global_types)) {
            let init = match self.globals.get(index as usize) {
                Some(Some(range)) => Some(self.expr(range)?),
                _ => None,
            };
            module.globals.push(GlobalDecl { ty, mutable: global.mutable, init });
            if let Some(shown) = shown.as_ref().filter(|_| shown != ty) {
                module.shown.insert(Entity::Global(index), shown);
            }
        }
        Ok(())
    }

    fn imports<'a>(&'a self, module: &mut parse::Module<'a>) {
        let ast = &self.ast;
        for item in &ast.imports {
            let (from, entity) = match *item {
                Item::Func(f) => (ast.funcs.get(f as usize).and_then(|f| f.body.as_ref().err()), Entity::Func(f)),
                Item::Table(t) => (ast.tables.get(t as usize).and_then(|t| t.import.as_ref()), Entity::Table(t)),
                Item::Memory(m) => (ast.memories.get(m as usize).and_then(|m| m.import.as_ref()), Entity::Memory(m)),
                Item::Global(g) => (ast.globals.get(g as usize).and_then(|g| g.init.as_ref().err()), Entity::Global(g)),
                Item::Type(_) => continue,
            };
            if let Some(From { module: from, name }) = from {
                module.imports.push(Import { module: from, name, entity });
            }
        }
        for export in &ast.exports {
            let entity = match export.item {
                Item::Func(f) => Entity::Func(f),
                Item::Table(t) => Entity::Table(t),
                Item::Memory(m) => Entity::Memory(m),
                Item::Global(g) => Entity::Global(g),
                Item::Type(_) => continue,
            };
            module.exports.push(parse::Export { name: &export.name, entity });
        }
    }

    fn mode<'a>(&'a self, mode: &Mode, offset: Option<&Range<usize>>) -> Result<SegmentMode<'a>> {
        Ok(match (mode, offset) {
            (Mode::Active(index, _), Some(range)) => SegmentMode::Active { index: *index, offset: self.expr(range)? },
            (Mode::Declared, _) => SegmentMode::Declared,
            _ => SegmentMode::Passive,
        })
    }

    fn segments<'a>(&'a self, module: &mut parse::Module<'a>) -> Result<()> {
        for ((elem, (offset, items)), &ty) in self.ast.elems.iter().zip(&self.elems).zip(&self.elem_types) {
            let mode = self.mode(&elem.mode, offset.as_ref())?;
            let funcs: Option<Vec<u32>> = elem
                .items
                .iter()
                .map(|item| match item[..] {
                    [ref one] => {
                        if let Op::RefFunc(func) = one.op {
                            Some(func)
                        } else {
                            None
                        }
                    }
                    _ => None,
                })
                .collect();
            let (ty, items) = match funcs {
                Some(funcs) if ty.heap == HeapType::Func => (RefType::new(false, ty.heap), ElemItems::Funcs(funcs)),
                _ => (ty, ElemItems::Exprs(items.iter().map(|range| self.expr(range)).collect::<Result<_>>()?)),
            };
            module.elems.push(parse::Elem { mode, ty, items });
        }
        let referred = ElemItems::Funcs(self.referred.iter().copied().collect());
        if !referred.is_empty() {
            let ty = RefType::new(false, HeapType::Func);
            module.elems.push(parse::Elem { mode: SegmentMode::Declared, ty, items: referred });
        }
        for (data, offset) in self.ast.data.iter().zip(&self.offsets) {
            let mode = self.mode(&data.mode, offset.as_ref())?;
            module.data.push(Data { mode, bytes: &data.bytes });
        }
        Ok(())
    }

    fn reader(&self, range: &Range<usize>) -> BinaryReader<'_> {
        let bytes = self.code.get(range.clone()).unwrap_or_default();
        BinaryReader::new_features(bytes, range.start, self.features)
    }

    /// An expression without its `end`.
    fn expr(&self, range: &Range<usize>) -> Result<ConstExpr<'_>> {
        let mut ops = Vec::new();
        for op in OperatorsReader::new(self.reader(range)).into_iter_with_offsets() {
            let (op, offset) = op.map_err(|err| Error::bug(err.to_string()))?;
            ops.push((op, offset as u32));
        }
        ops.pop();
        Ok(ops)
    }

    fn bodies_of<'a>(&'a self, module: &mut parse::Module<'a>) {
        let resources: DialectResources = self.universe.clone();
        let imported = module.imported_funcs();
        for (index, (ty, range)) in (imported..).zip(&self.bodies) {
            let body = FunctionBody::new(self.reader(range));
            let resources = Resources::Dialect(resources.clone());
            let validator = FuncToValidate { resources, index, ty: *ty, features: self.features };
            module.bodies.push(Body { body, validator });
        }
    }
}

/// Finds what is known of the RTTs that objects are tested against because nothing else makes RTTs. Types of RTTs are
/// invariant: what no `rtt.sub` takes has no RTT below it, and how deep one is, those tell that make it. In a module
/// that references can come into, others may.
fn bound_rtts(module: &mut parse::Module<'_>) {
    if parse::is_open(module) {
        return;
    }
    let mut above = HashSet::new();
    let mut bounds: HashMap<TypeId, RttBound> = HashMap::new();
    let mut made = |ty: TypeId, depth: Option<u32>| {
        let bound = depth.map_or(RttBound::Unknown, RttBound::Depth);
        bounds.entry(ty).and_modify(|known| *known = either(*known, bound)).or_insert(bound);
    };
    for intrinsic in &module.intrinsics {
        match *intrinsic {
            Intrinsic::RttCanon(ty) => made(ty, Some(0)),
            Intrinsic::RttSub { ty, above: of, depth } => {
                above.extend(of);
                made(ty, depth);
            }
            _ => {}
        }
    }
    for intrinsic in &mut module.intrinsics {
        let Intrinsic::TestRtt { of: Some(of), bound } = intrinsic else { continue };
        match (*bound, bounds.get(of)) {
            _ if !above.contains(of) => *bound = RttBound::Lowest,
            (RttBound::Unknown, Some(&made)) => *bound = made,
            _ => {}
        }
    }
}

/// What is known of one of two RTTs.
fn either(a: RttBound, b: RttBound) -> RttBound {
    use RttBound::{AtMost, Depth};
    match (a, b) {
        _ if a == b => a,
        (Depth(a) | AtMost(a), Depth(b) | AtMost(b)) => AtMost(a.max(b)),
        _ => RttBound::Unknown,
    }
}
