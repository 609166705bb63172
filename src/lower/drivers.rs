//! Functions without references in whose loops small ones with references are called: they become IR too, so that the
//! small ones can be put there.
//!
//! Without this a `main` that only counts, and calls a method of a global object in each turn, would stay as it is, and
//! so would all of its calls.

use super::MOST_BYTES;
use crate::fault::Error;
use crate::parse::{Body, Module, Translated};
use wasmparser::Operator;

/// Longer ones stay as they are.
const MOST_OF_DRIVER: usize = 4096;

/// Makes IR of them.
///
/// # Errors
///
/// As for any other body.
pub fn make_ir<'a>(module: &Module<'a>, bodies: &mut [Translated<'a>]) -> Result<(), Error> {
    let imported = module.imported_funcs();
    let len = |at: usize| module.bodies.get(at).map_or(usize::MAX, |body| body.body.range().len());
    let wanted = |func: u32| {
        let at = func.checked_sub(imported).map(|at| at as usize);
        at.is_some_and(|at| matches!(bodies.get(at), Some(Translated::Ir(_))) && len(at) <= MOST_BYTES)
    };
    let is_driver = |&at: &usize| {
        let plain = matches!(bodies[at], Translated::Plain) && len(at) <= MOST_OF_DRIVER;
        plain && module.bodies.get(at).is_some_and(|body| calls_in_loop(body, wanted))
    };
    let found = module.workers.map(0..bodies.len(), |at| is_driver(&at).then_some(at));
    let drivers: Vec<usize> = found.into_iter().flatten().collect();
    let mut allocations = Default::default();
    for at in drivers {
        bodies[at] = match module.bodies[at].to_ir(module, at, &mut allocations) {
            Ok(func) => Translated::Ir(func),
            // It needs no IR.
            Err(Error::TooComplex { .. }) => Translated::Plain,
            Err(err) => return Err(err),
        };
    }
    Ok(())
}

/// Whether a function of a kind is called in a loop of the body.
fn calls_in_loop(body: &Body<'_>, wanted: impl Fn(u32) -> bool) -> bool {
    let Ok(reader) = body.body.get_operators_reader() else { return false };
    let (mut open, mut loops) = (Vec::new(), 0u32);
    for op in reader {
        match op {
            Ok(Operator::Loop { .. }) => {
                open.push(true);
                loops += 1;
            }
            Ok(Operator::Block { .. } | Operator::If { .. } | Operator::Try { .. } | Operator::TryTable { .. }) => {
                open.push(false);
            }
            Ok(Operator::End | Operator::Delegate { .. }) => loops -= u32::from(open.pop().unwrap_or(false)),
            Ok(Operator::Call { function_index }) if loops > 0 && wanted(function_index) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    false
}
