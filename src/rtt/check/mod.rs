//! Validation, which writes bodies anew as it goes.
//!
//! | file | idea |
//! |---|---|
//! | `universe.rs` | what `wasmparser`'s validator of bodies looks things up in |
//! | `ids.rs` | identities of types as the validator wants them |
//! | `arena.rs` | a list that grows while it is read |
//! | `session.rs` | what is shared while a module is checked |
//! | `body.rs` | the driver of a body; operators of the standard |
//! | `special.rs` | references, RTTs, casts, closures |
//! | `objects.rs` | structs and arrays |
//! | `module.rs` | what comes out, as `parse` would have it |
//!
//! The order of things is that of this file: types, declarations, constant expressions, bodies, the functions that
//! `func.bind` added.

mod arena;
mod body;
mod ids;
mod module;
mod objects;
mod session;
mod special;
mod universe;

use super::ast::{Body as Code, Def, Elem, Export, Expr, Heap, Instr, Item, Mode, Module, Op, Sig, Val};
use super::erase::Erased;
use super::structural::Structural;
use crate::fault::{Error, Result};
use crate::parse::Intrinsic;
use crate::types::{RefType, TypeId, TypeRegistry, TypeTable, ValType};
use body::Body;
use session::{Invoker, Session, invalid};
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::Arc;
use universe::Universe;
use wasmparser as wp;
use wasmparser::{Operator, WasmFeatures};

/// A struct type has at most so many fields.
const MAX_FIELDS: usize = 1000;

/// A module has at most so many types, those of blocks included.
const MAX_TYPES: usize = 50_000;

/// All bodies together may become so many bytes.
const MAX_CODE: usize = 256 << 20;

/// Where a segment's expressions are: its offset, and its elements.
type Segment = (Option<Range<usize>>, Vec<Range<usize>>);

/// A module of the dialect that is valid.
pub struct Checked {
    ast: Module,
    features: WasmFeatures,
    universe: Arc<Universe>,
    table: TypeTable,
    intrinsics: Vec<Intrinsic>,
    rtts: BTreeSet<TypeId>,
    referred: BTreeSet<u32>,
    /// Bytes of bodies and constant expressions.
    code: Vec<u8>,
    /// By defined function, those of `func.bind` last: its type index, and its bytes.
    bodies: Vec<(u32, Range<usize>)>,
    globals: Vec<Option<Range<usize>>>,
    offsets: Vec<Option<Range<usize>>>,
    elems: Vec<Segment>,
    /// By global: its type in IR, and as others see it.
    global_types: Vec<(ValType, ValType)>,
    table_types: Vec<(RefType, RefType)>,
    elem_types: Vec<RefType>,
}

impl Checked {
    /// Checks a module.
    ///
    /// # Errors
    ///
    /// `Invalid` for what is not valid, `TooComplex` beyond the limits, `Types` when the registry is full.
    pub fn new(ast: Module, features: WasmFeatures, registry: &TypeRegistry) -> Result<Checked> {
        let features = features
            | WasmFeatures::GC
            | WasmFeatures::FUNCTION_REFERENCES
            | WasmFeatures::REFERENCE_TYPES
            | WasmFeatures::GC_TYPES
            | WasmFeatures::TAIL_CALL
            | WasmFeatures::MULTI_VALUE;
        let types = all_types(&ast)?;
        let structural = Structural::new(&types, ast.types.len())?;
        let erased = Erased::new(&structural, registry)?;
        let universe = Universe::new(structural, erased.index_of.clone());
        let mut session = Session::new(&ast, universe, erased, features);
        declare(&mut session)?;
        let mut out = Pieces::default();
        out.constants(&mut session)?;
        out.bodies(&mut session)?;
        check_exports(&ast)?;
        let Session { universe, erased, intrinsics, rtts, referred, .. } = session;
        if erased.by_index.len() >= universe::PSEUDO as usize {
            return Err(Error::TooComplex { func: 0, what: "the module needs too many types".to_string() });
        }
        let shown = |val: Val| (erased.val(&universe.types, val), erased.shown(&universe.types, val));
        let val = |val: Val| super::structural::map_val(val, &mut |index| universe.types.class_of[index as usize]);
        let global_types = ast.globals.iter().map(|global| shown(val(global.ty))).collect();
        let reference = |ty: ValType| ty.as_ref().ok_or_else(|| Error::bug("a table of numbers"));
        let both = |ty: Val| {
            let (ir, shown) = shown(val(ty));
            Ok((reference(ir)?, reference(shown)?))
        };
        let table_types = ast.tables.iter().map(|table| both(table.elem)).collect::<Result<_>>()?;
        let elem_types = ast.elems.iter().map(|elem| Ok(both(elem.ty)?.0)).collect::<Result<_>>()?;
        let table = erased.table(&universe.types, &universe.pseudo());
        let Pieces { code, bodies, globals, offsets, elems } = out;
        Ok(Checked {
            features,
            universe,
            table,
            intrinsics,
            rtts,
            referred,
            code,
            bodies,
            globals,
            offsets,
            elems,
            global_types,
            table_types,
            elem_types,
            ast,
        })
    }
}

/// The types of a module, and those that its bodies need: signatures of blocks, and of what `func.bind` adds.
fn all_types(ast: &Module) -> Result<Vec<(Def, usize)>> {
    let mut types = ast.types.clone();
    let mut sigs: HashSet<Sig> = HashSet::new();
    for (def, at) in &types {
        match def {
            Def::Struct(fields) if fields.len() > MAX_FIELDS => {
                return Err(invalid(*at, format!("a structure type has more than {MAX_FIELDS} fields")));
            }
            Def::Func(sig) => drop(sigs.insert(sig.clone())),
            _ => {}
        }
    }
    let mut add = |sig: Sig, at: usize| {
        if sigs.insert(sig.clone()) {
            types.push((Def::Func(sig), at));
        }
    };
    let bodies = ast.funcs.iter().filter_map(|func| func.body.as_ref().ok());
    for Instr { op, at } in bodies.flat_map(|body| &body.code) {
        match op {
            Op::Open(_, sig) | Op::Let(sig, _) if !sig.params.is_empty() || sig.results.len() > 1 => {
                add(sig.clone(), *at);
            }
            Op::FuncBind(ty) => {
                if let Some((Def::Func(sig), _)) = ast.types.get(*ty as usize) {
                    let mut sig = sig.clone();
                    sig.params.insert(0, Val::Ref(false, Heap::Data));
                    add(sig, *at);
                }
            }
            _ => {}
        }
    }
    if types.len() > MAX_TYPES {
        return Err(Error::TooComplex { func: 0, what: format!("the module has more than {MAX_TYPES} types") });
    }
    Ok(types)
}

/// Tells the validator of functions, tables and the rest.
fn declare(session: &mut Session<'_, '_>) -> Result<()> {
    let ast = session.ast;
    let mut funcs = Vec::new();
    for func in &ast.funcs {
        let class = session.class(func.ty, func.at)?;
        if !matches!(session.def(class), Some(Def::Func(_))) {
            return Err(invalid(func.at, format!("unknown type: type {} is no function type", func.ty)));
        }
        funcs.push(session.universe.index_of[class as usize]);
    }
    let reference = |session: &Session<'_, '_>, ty: Val, at: usize| match session.val(ty, at)? {
        Val::Ref(null, heap) => Ok(session.universe.reference(null, heap)),
        _ => Err(invalid(at, "a table holds references")),
    };
    let mut tables = Vec::new();
    for table in &ast.tables {
        let element_type = reference(session, table.elem, table.at)?;
        if table.max.is_some_and(|max| max < table.min) {
            return Err(invalid(table.at, "size minimum must not be greater than maximum"));
        }
        if table.min > 10_000_000 {
            return Err(invalid(table.at, "a table is too large"));
        }
        if !element_type.is_nullable() && table.import.is_none() {
            return Err(invalid(table.at, "type mismatch: a table's elements are null at first"));
        }
        let (initial, maximum) = (table.min.into(), table.max.map(u64::from));
        tables.push(wp::TableType { element_type, table64: false, initial, maximum, shared: false });
    }
    let mut globals = Vec::new();
    for global in &ast.globals {
        let content_type = session.universe.val(session.val(global.ty, global.at)?);
        globals.push(wp::GlobalType { content_type, mutable: global.mutable, shared: false });
    }
    let mut elems = Vec::new();
    for elem in &ast.elems {
        elems.push(reference(session, elem.ty, elem.at)?);
    }
    for memory in &ast.memories {
        let ty = memory.ty;
        if ty.initial > 65536 || ty.maximum.is_some_and(|max| max > 65536) {
            return Err(invalid(0, "memory size must be at most 65536 pages"));
        }
        if ty.maximum.is_some_and(|max| max < ty.initial) {
            return Err(invalid(0, "size minimum must not be greater than maximum"));
        }
        if ty.shared && ty.maximum.is_none() {
            return Err(invalid(0, "shared memory must have maximum"));
        }
    }
    let Some(universe) = Arc::get_mut(&mut session.universe) else { return Err(Error::bug("types are in use")) };
    (universe.funcs, universe.tables, universe.globals, universe.elems) = (funcs, tables, globals, elems);
    universe.memories = ast.memories.iter().map(|memory| memory.ty).collect();
    universe.data = ast.data.len() as u32;
    session.declared = declared(ast);
    Ok(())
}

/// Functions that bodies may refer to: those of segments, globals and exports.
fn declared(ast: &Module) -> HashSet<u32> {
    let segments = ast.elems.iter().flat_map(|elem| &elem.items);
    let globals = ast.globals.iter().filter_map(|global| global.init.as_ref().ok());
    let referred = segments.chain(globals).flatten().filter_map(|instr| match instr.op {
        Op::RefFunc(func) => Some(func),
        _ => None,
    });
    let exported = ast.exports.iter().filter_map(|export| match export.item {
        Item::Func(func) => Some(func),
        _ => None,
    });
    referred.chain(exported).collect()
}

fn check_exports(ast: &Module) -> Result<()> {
    let mut names = HashSet::new();
    for Export { name, item, at } in &ast.exports {
        let (what, index, count) = match *item {
            Item::Func(index) => ("function", index, ast.funcs.len()),
            Item::Table(index) => ("table", index, ast.tables.len()),
            Item::Memory(index) => ("memory", index, ast.memories.len()),
            Item::Global(index) => ("global", index, ast.globals.len()),
            Item::Type(Heap::Type(index)) => ("type", index, ast.types.len()),
            Item::Type(_) => ("type", 0, 1),
        };
        if index as usize >= count {
            return Err(invalid(*at, format!("unknown {what} {index}")));
        }
        if !names.insert(name) {
            return Err(invalid(*at, format!("duplicate export name `{name}`")));
        }
    }
    match ast.start {
        Some((func, at)) => {
            let ty = ast.funcs.get(func as usize).map(|func| func.ty);
            let ty = ty.ok_or_else(|| invalid(at, format!("unknown function {func}")))?;
            match ast.types.get(ty as usize) {
                Some((Def::Func(sig), _)) if *sig == Sig::default() => Ok(()),
                _ => Err(invalid(at, "invalid start function type")),
            }
        }
        None => Ok(()),
    }
}

/// What is written.
#[derive(Default)]
struct Pieces {
    code: Vec<u8>,
    bodies: Vec<(u32, Range<usize>)>,
    globals: Vec<Option<Range<usize>>>,
    offsets: Vec<Option<Range<usize>>>,
    elems: Vec<Segment>,
}

impl Pieces {
    fn push(&mut self, bytes: &[u8]) -> Result<Range<usize>> {
        let start = self.code.len();
        if start + bytes.len() > MAX_CODE {
            return Err(Error::TooComplex { func: 0, what: "the module's bodies are too large".to_string() });
        }
        self.code.extend_from_slice(bytes);
        Ok(start..self.code.len())
    }

    fn constant(&mut self, session: &mut Session<'_, '_>, expr: &Expr, ty: Val, at: usize) -> Result<Range<usize>> {
        for instr in expr {
            if !is_constant(&instr.op) {
                return Err(invalid(instr.at, "constant expression required"));
            }
        }
        let mut body = Body::constant(session, ty, at);
        body.run(expr, at)?;
        let bytes = body.code;
        self.push(&bytes)
    }

    fn constants(&mut self, session: &mut Session<'_, '_>) -> Result<()> {
        let ast = session.ast;
        for (index, global) in (0u32..).zip(&ast.globals) {
            let Ok(init) = &global.init else {
                self.globals.push(None);
                continue;
            };
            for instr in init {
                if let Op::Plain(Operator::GlobalGet { global_index }) = instr.op
                    && global_index >= index
                {
                    return Err(invalid(instr.at, format!("unknown global {global_index}: it comes later")));
                }
            }
            let ty = session.val(global.ty, global.at)?;
            let range = self.constant(session, init, ty, global.at)?;
            self.globals.push(Some(range));
        }
        for elem in &ast.elems {
            let pieces = self.elem(session, elem)?;
            self.elems.push(pieces);
        }
        for data in &ast.data {
            let range = match &data.mode {
                Mode::Active(memory, offset) => {
                    if *memory as usize >= ast.memories.len() {
                        return Err(invalid(data.at, format!("unknown memory {memory}")));
                    }
                    Some(self.constant(session, offset, Val::I32, data.at)?)
                }
                _ => None,
            };
            self.offsets.push(range);
        }
        Ok(())
    }

    fn elem(&mut self, session: &mut Session<'_, '_>, elem: &Elem) -> Result<Segment> {
        let ty = session.val(elem.ty, elem.at)?;
        let offset = match &elem.mode {
            Mode::Active(table, offset) => {
                let of = session.ast.tables.get(*table as usize).map(|table| table.elem);
                let of = of.ok_or_else(|| invalid(elem.at, format!("unknown table {table}")))?;
                let of = session.val(of, elem.at)?;
                if !session.universe.types.is_sub_val(ty, of) || ty != of && matches!(of, Val::Ref(_, Heap::Any)) {
                    return Err(invalid(elem.at, "type mismatch: the segment's elements do not fit the table"));
                }
                Some(self.constant(session, offset, Val::I32, elem.at)?)
            }
            _ => None,
        };
        let mut items = Vec::new();
        for item in &elem.items {
            items.push(self.constant(session, item, ty, elem.at)?);
        }
        Ok((offset, items))
    }

    fn bodies(&mut self, session: &mut Session<'_, '_>) -> Result<()> {
        let ast = session.ast;
        for (func, &ty) in ast.funcs.iter().zip(&session.universe.clone().funcs) {
            let Ok(Code { locals, code, end }) = &func.body else { continue };
            let class = session.class(func.ty, func.at)?;
            let Some(Def::Func(sig)) = session.def(class).cloned() else { continue };
            let locals = session.vals(locals, func.at)?;
            let mut body = Body::new(session, ty, &sig.params, func.at);
            body.declare(&locals)?;
            body.run(code, *end)?;
            let bytes = body.finish();
            let range = self.push(&bytes)?;
            self.bodies.push((ty, range));
        }
        let mut next = 0;
        while let Some(Invoker { ty, sig, callee, bound }) = session.invokers.get(next) {
            let (ty, params, callee, bound) = (*ty, sig.params.clone(), *callee, bound.clone());
            let mut body = Body::new(session, ty, &params, 0);
            body.invoke(callee, &bound, params.len())?;
            let bytes = body.finish();
            let range = self.push(&bytes)?;
            self.bodies.push((ty, range));
            next += 1;
        }
        Ok(())
    }
}

/// Whether an instruction may be in a constant expression.
fn is_constant(op: &Op) -> bool {
    match op {
        Op::Plain(op) => matches!(
            op,
            Operator::I32Const { .. }
                | Operator::I64Const { .. }
                | Operator::F32Const { .. }
                | Operator::F64Const { .. }
                | Operator::V128Const { .. }
                | Operator::GlobalGet { .. }
                | Operator::RefI31
        ),
        Op::RefNull(_) | Op::RefFunc(_) | Op::RttCanon(_) | Op::RttSub(_) | Op::StructNew(..) | Op::ArrayNew(..) => {
            true
        }
        _ => false,
    }
}
