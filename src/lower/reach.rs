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

use super::helper::trapping;
use super::safepoint::Summary;
use crate::fault::Error;
use crate::parse::{Module, Translated};

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
    let mut work: Vec<u32> = module.start.into_iter().chain(module.referable()).collect();
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
            let params: Vec<_> = func.params().iter().map(|&param| func.ty(param)).collect();
            *func = trapping(func.index, &params, &func.results);
        }
    }
    Ok(())
}
