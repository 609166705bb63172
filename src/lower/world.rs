//! Gathers what the whole module says of its objects and function references, and makes calls direct by it.
//!
//! What counts is every body that has objects, and every constant expression. The passes are in
//! `src/opt/closed_world.rs` and `src/opt/devirtualize.rs`.

use super::safepoint;
use crate::fault::Error;
use crate::ir::{Cursor, Func, Op, SrcLoc, TableOp};
use crate::opt::closed_world::{Declared, MAX_PLACES, Places, Summary, World};
use crate::opt::{Calls, Scope, Summary as Writes};
use crate::parse::{ConstExpr, ElemItems, Entity, Module, SegmentMode, Translated, const_expr, is_open};
use crate::types::{RefType, TypeId, ValType};
use rayon::prelude::*;
use wasmparser::Operator;

/// Longer tables are not looked at.
const MAX_ELEMENTS: usize = 1 << 16;

/// Makes calls through fields direct where few functions can be called.
///
/// # Errors
///
/// Defects of this crate only.
pub fn devirtualize<'a>(module: &Module<'a>, bodies: &mut [Translated<'a>]) -> Result<(), Error> {
    let funcs: Vec<TypeId> = module.funcs.iter().map(|func| module.types.id(func.ty)).collect();
    let globals: Vec<Option<u32>> = module
        .globals
        .iter()
        .map(|global| match (global.mutable, global.init.as_deref()) {
            (false, Some([(Operator::RefFunc { function_index }, _)])) => Some(*function_index),
            _ => None,
        })
        .collect();
    let likely = &module.hints.calls;
    let tables = if likely.is_empty() { vec![] } else { fixed_tables(module, bodies)? };
    let closed = !is_open(module);
    let declared = Declared { types: &module.types, funcs: &funcs, globals: &globals, closed, likely, tables: &tables };
    let mut summaries: Vec<Summary> = bodies
        .par_iter()
        .filter_map(|body| if let Translated::Ir(func) = body { Some(Summary::of(func, &declared)) } else { None })
        .collect();
    summaries.push(Summary::of(&constants(module)?, &declared));
    let world = World::new(&declared, &summaries);
    bodies.par_iter_mut().for_each(|body| {
        if let Translated::Ir(func) = body {
            crate::opt::devirtualize(func, &declared, &world);
        }
    });
    Ok(())
}

/// The functions in a table; `None` for null.
type Elements = Vec<Option<u32>>;

/// For each table that nobody outside sees and nothing changes once its active segments are in: where its functions are.
fn fixed_tables(module: &Module<'_>, bodies: &[Translated<'_>]) -> Result<Vec<Option<Places>>, Error> {
    let constant = |expr: &ConstExpr<'_>| match expr[..] {
        [(Operator::RefFunc { function_index }, _)] => Some(Some(function_index)),
        [(Operator::RefNull { .. }, _)] => Some(None),
        _ => None,
    };
    let place = |offset: &ConstExpr<'_>| match offset[..] {
        [(Operator::I32Const { value }, _)] => Some(u64::from(value as u32)),
        [(Operator::I64Const { value }, _)] => Some(value as u64),
        _ => None,
    };
    let mut tables: Vec<Option<Elements>> = module
        .tables
        .iter()
        .map(|table| {
            let start = table.init.as_ref().map_or(Some(None), constant)?;
            let len = usize::try_from(table.min).ok().filter(|&len| len <= MAX_ELEMENTS)?;
            (!table.imported && table.elem.is_func()).then(|| vec![start; len])
        })
        .collect();
    let forget = |tables: &mut Vec<Option<Elements>>, index: u32| {
        if let Some(table) = tables.get_mut(index as usize) {
            *table = None;
        }
    };
    for export in &module.exports {
        if let Entity::Table(table) = export.entity {
            forget(&mut tables, table);
        }
    }
    for table in changed_tables(module, bodies)? {
        forget(&mut tables, table);
    }
    // Behind a segment that does not fit, instantiation has failed, and what is to come does not. Functions may have
    // got out all the same.
    let mut sure = true;
    for elem in &module.elems {
        let SegmentMode::Active { index, offset } = &elem.mode else { continue };
        let start = place(offset);
        let end = start.and_then(|start| start.checked_add(elem.items.len() as u64));
        sure &= end.is_some_and(|end| module.tables.get(*index as usize).is_some_and(|table| end <= table.min));
        if !sure {
            forget(&mut tables, *index);
        }
        let Some(Some(table)) = tables.get_mut(*index as usize) else { continue };
        let items: Option<Elements> = match &elem.items {
            ElemItems::Funcs(funcs) => Some(funcs.iter().copied().map(Some).collect()),
            ElemItems::Exprs(exprs) => exprs.iter().map(constant).collect(),
        };
        let start = start.and_then(|start| usize::try_from(start).ok());
        let places = start.and_then(|start| table.get_mut(start..)?.get_mut(..elem.items.len()));
        match (places, items) {
            (Some(places), Some(items)) => places.copy_from_slice(&items),
            _ => forget(&mut tables, *index),
        }
    }
    Ok(tables.into_iter().map(|table| table.map(|elements| places(&elements))).collect())
}

fn places(elements: &[Option<u32>]) -> Places {
    let mut places = Places::new();
    for (place, func) in (0u64..).zip(elements) {
        if let Some(func) = func {
            let of_func = places.entry(*func).or_default();
            if of_func.len() <= MAX_PLACES {
                of_func.push(place);
            }
        }
    }
    places
}

/// The tables that functions change.
fn changed_tables(module: &Module<'_>, bodies: &[Translated<'_>]) -> Result<Vec<u32>, Error> {
    let mut changed = Vec::new();
    for (body, original) in bodies.iter().zip(&module.bodies) {
        if let Translated::Ir(func) = body {
            changed.extend(func.insts.values().filter_map(|inst| match inst.op {
                Op::Table(TableOp::Set(table) | TableOp::Grow(table) | TableOp::Fill(table)) => Some(table),
                Op::Table(TableOp::Copy { dst: table, .. } | TableOp::Init { table, .. }) => Some(table),
                _ => None,
            }));
            continue;
        }
        for op in original.body.get_operators_reader()? {
            changed.extend(match op? {
                Operator::TableSet { table }
                | Operator::TableGrow { table }
                | Operator::TableFill { table }
                | Operator::TableCopy { dst_table: table, .. }
                | Operator::TableInit { table, .. } => Some(table),
                _ => None,
            });
        }
    }
    Ok(changed)
}

/// What the functions of a module write.
///
/// # Errors
///
/// When a body is malformed.
pub fn calls(module: &Module<'_>, bodies: &[Translated<'_>], scope: Scope<'_>) -> Result<Calls, Error> {
    let imported = (0..module.imported_funcs()).map(|_| Ok(Writes::unknown()));
    let defined: Vec<Result<Writes, Error>> = bodies
        .par_iter()
        .zip(&module.bodies)
        .map(|(body, original)| match body {
            Translated::Ir(func) => Ok(Writes::of(func, scope)),
            // It has no objects, but what it calls has.
            Translated::Plain => {
                let plain = safepoint::Summary::of_body(&original.body)?;
                Ok(if plain.collects { Writes::unknown() } else { Writes::of_callees(plain.callees) })
            }
        })
        .collect();
    Ok(Calls::solve(imported.chain(defined).collect::<Result<_, _>>()?))
}

/// All constant expressions that make references, as one function that nobody calls.
fn constants<'a>(module: &Module<'a>) -> Result<Func<'a>, Error> {
    let mut func = Func::new(u32::MAX, &[], &[]);
    let body = func.body;
    let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
    let mut eval = |expr: &ConstExpr<'a>, ty: RefType| const_expr(&mut c, module, expr, ValType::Ref(ty)).map(drop);
    for global in &module.globals {
        if let (Some(expr), ValType::Ref(ty)) = (&global.init, global.ty) {
            eval(expr, ty)?;
        }
    }
    for table in &module.tables {
        if let Some(expr) = &table.init {
            eval(expr, table.elem)?;
        }
    }
    for elem in &module.elems {
        if let ElemItems::Exprs(exprs) = &elem.items {
            exprs.iter().try_for_each(|expr| eval(expr, elem.ty))?;
        }
    }
    c.push(Op::Return, &[], &[]);
    Ok(func)
}
