//! Gathers what the whole module says of its objects and function references, and makes calls direct by it.
//!
//! What counts is every body that has objects, and every constant expression. The passes are in
//! `src/opt/closed_world.rs` and `src/opt/devirtualize.rs`.

use super::fixed_tables::fixed_tables;
use super::safepoint;
use crate::fault::Error;
use crate::ir::{Cursor, Func, Op, SrcLoc};
use crate::opt::closed_world::{Declared, Summary, World};
use crate::opt::{Calls, Scope, Summary as Writes, Written};
use crate::parse::{ConstExpr, ElemItems, Module, Translated, const_expr, is_open};
use crate::types::{RefType, TypeId, ValType};
use wasmparser::Operator;

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
    let irs: Vec<_> = bodies.iter().filter_map(Translated::ir).collect();
    let mut summaries: Vec<Summary> = module.workers.map(irs, |func| Summary::of(func, &declared));
    summaries.push(Summary::of(&constants(module)?, &declared));
    let world = World::new(&declared, &summaries);
    let irs: Vec<_> = bodies.iter_mut().filter_map(Translated::ir_mut).collect();
    module.workers.map(irs, |func| crate::opt::devirtualize(func, &declared, &world));
    Ok(())
}

/// Which fields the module writes, if nobody else can.
pub fn written(module: &Module<'_>, bodies: &[Translated<'_>]) -> Written {
    if is_open(module) {
        return Written::default();
    }
    let irs: Vec<_> = bodies.iter().filter_map(Translated::ir).collect();
    Written::only(module.workers.map(irs, |func| Written::by(func, &module.types)))
}

/// What the functions of a module write.
///
/// # Errors
///
/// When a body is malformed.
pub fn calls(module: &Module<'_>, bodies: &[Translated<'_>], scope: Scope<'_>) -> Result<Calls, Error> {
    let imported = (0..module.imported_funcs()).map(|_| Ok(Writes::unknown()));
    let both: Vec<_> = bodies.iter().zip(&module.bodies).collect();
    let defined: Vec<Result<Writes, Error>> = module.workers.map(both, |(body, original)| match body {
        Translated::Ir(func) => Ok(Writes::of(func, scope)),
        // It has no objects, but what it calls has.
        Translated::Plain => {
            let plain = safepoint::Summary::of_body(&original.body)?;
            Ok(if plain.collects { Writes::unknown() } else { Writes::of_callees(plain.callees) })
        }
    });
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
