//! Which functions can still be called, once small ones stand in the place of calls.
//!
//! ```wat
//! (func $get (param (ref $t)) (result i32) (struct.get $t 0 (local.get 0)))   ;; all calls are gone
//! ;; becomes
//! (func $get (param i32) (result i32) unreachable)
//! ```
//!
//! A function keeps its index, as backtraces and names speak of it; only its body goes, which need be neither
//! lowered nor compiled. Reachable is what is exported, started, or may be referred to (validation lets
//! code refer only to what a segment, a global or an export names), and what that calls.

use super::safepoint::Summary;
use crate::error::Error;
use crate::ir::{Func, Op, SrcLoc, TrapCode};
use crate::parse::{ConstExpr, ElemItems, Entity, Module, Translated};
use wasmparser::Operator;

/// Takes the bodies of functions that nothing can call.
///
/// # Errors
///
/// When a body is malformed.
pub fn prune(module: &Module<'_>, bodies: &mut [Translated<'_>]) -> Result<(), Error> {
    let imported = module.imported_funcs() as usize;
    let mut callees = Vec::with_capacity(bodies.len());
    for (body, original) in bodies.iter().zip(&module.bodies) {
        callees.push(match body {
            Translated::Plain => Summary::of_body(&original.body)?.callees,
            Translated::Ir(func) => Summary::of(func, &|_| None).callees,
        });
    }
    let mut reached = vec![false; bodies.len()];
    let mut work = roots(module);
    while let Some(func) = work.pop() {
        let Some(defined) = (func as usize).checked_sub(imported) else { continue };
        if let Some(reached) = reached.get_mut(defined)
            && !std::mem::replace(reached, true)
        {
            work.append(&mut callees[defined]);
        }
    }
    for (body, _) in bodies.iter_mut().zip(reached).filter(|(_, reached)| !reached) {
        if let Translated::Ir(func) = body {
            *func = trap(func);
        }
    }
    Ok(())
}

fn trap<'a>(of: &Func<'a>) -> Func<'a> {
    let params: Vec<_> = of.params().iter().map(|&param| of.ty(param)).collect();
    let mut func = Func::new(of.index, &params, &of.results);
    let body = func.body;
    crate::ir::Cursor::at(&mut func, body, SrcLoc::NONE).push(Op::Trap(TrapCode::Unreachable), &[], &[]);
    func
}

/// What the module itself names.
fn roots(module: &Module<'_>) -> Vec<u32> {
    let mut roots: Vec<u32> = module.start.into_iter().collect();
    roots.extend(module.exports.iter().filter_map(|export| match export.entity {
        Entity::Func(func) => Some(func),
        _ => None,
    }));
    let mut named = |expr: &ConstExpr<'_>| {
        roots.extend(expr.iter().filter_map(|(op, _)| match op {
            Operator::RefFunc { function_index } => Some(*function_index),
            _ => None,
        }));
    };
    module.globals.iter().filter_map(|global| global.init.as_ref()).for_each(&mut named);
    module.tables.iter().filter_map(|table| table.init.as_ref()).for_each(&mut named);
    for elem in &module.elems {
        if let ElemItems::Exprs(exprs) = &elem.items {
            exprs.iter().for_each(&mut named);
        }
    }
    for elem in &module.elems {
        if let ElemItems::Funcs(funcs) = &elem.items {
            roots.extend(funcs);
        }
    }
    roots
}
