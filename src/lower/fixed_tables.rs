//! Which functions are where in tables that nothing changes.
//!
//! Such a table is not imported or exported, no function writes it, and its active segments have constant places and
//! surely fit. An index then tells the function, by which `opt/devirtualize.rs` guards calls of `call_indirect`.
//!
//! What this is not: needed for anything but a speed-up. A table that is not understood has no places.

use crate::fault::Error;
use crate::ir::{Op, TableOp};
use crate::opt::closed_world::{MAX_PLACES, Places};
use crate::parse::{ConstExpr, ElemItems, Entity, Module, SegmentMode, Translated};
use wasmparser::Operator;

/// Longer tables are not looked at.
const MAX_ELEMENTS: usize = 1 << 16;

/// The functions in a table; `None` for null.
type Elements = Vec<Option<u32>>;

/// For each table that nobody outside sees and nothing changes once its active segments are in: where its functions are.
pub fn fixed_tables(module: &Module<'_>, bodies: &[Translated<'_>]) -> Result<Vec<Option<Places>>, Error> {
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
    let mut places = Places::default();
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
