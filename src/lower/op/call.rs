//! Calls.
//!
//! A call through a function reference that was just read from an object needs no reference:
//!
//! ```wat
//! (call_ref $method (local.get $this) (struct.get $vtable $method (local.get $vt)))
//! ;; becomes
//! (call_indirect $functions (type $method) (local.get $this) (i32.load $heap offset=7 (local.get $vt)))
//! ```
//!
//! The null handle is no index of the table, so the call traps and the trap means a null reference.

use super::super::environ::{Environ, Lowering};
use super::{Arg, Repr, func_ref};
use crate::fault::Error;
use crate::ir::{Callee, Cursor, Inst, Op, TrapCode, Value};
use crate::types::{CompositeKind, FuncType, HeapType, RefType, ValType};

/// Lowers a call, or a tail call.
pub fn lower<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    callee: Callee,
    args: &[Arg],
    results: &[ValType],
    tail: bool,
) -> Lowering<Inst> {
    let signature = signature(e, callee);
    if tail {
        check_results(e, c, signature.as_ref().map(|ty| &ty.results[..]).unwrap_or_default())?;
    }
    // The other two have the target behind the arguments.
    let direct = matches!(callee, Callee::Func(_));
    let (callee, trap, last) = match (callee, args.last()) {
        (Callee::Ref { ty }, Some(target)) => match target.repr {
            Repr::Handle(handle) => {
                let callee = Callee::Indirect { table: e.env().functions(), ty };
                (callee, Some(TrapCode::NullReference), Some(handle))
            }
            Repr::Known(func) => (Callee::Func(func), None, None),
            _ => {
                let heap = HeapType::Concrete(CompositeKind::Func, e.env().module.types.id(ty));
                let expected = ValType::Ref(RefType::new(true, heap));
                let target = func_ref::native_as(e, c, *target, expected)?;
                (callee, Some(TrapCode::NullReference), Some(target))
            }
        },
        (Callee::Indirect { .. }, Some(index)) => (callee, None, Some(func_ref::native(e, c, *index)?)),
        _ => (callee, None, None),
    };
    let plain = if direct { args } else { &args[..args.len().saturating_sub(1)] };
    let mut values: Vec<Value> = Vec::with_capacity(args.len());
    let params = signature.as_ref().map(|ty| &ty.params[..]).unwrap_or_default();
    for (n, &arg) in plain.iter().enumerate() {
        let expected = params.get(n).copied().unwrap_or(arg.ty);
        values.push(func_ref::native_as(e, c, arg, expected)?);
    }
    values.extend(last);
    let op = if tail { Op::ReturnCall(callee) } else { Op::Call(callee) };
    let inst = c.push(op, &values, results);
    c.func.insts[inst].trap = trap;
    Ok(inst)
}

/// The type of a callee, with the results that it has in lowered code.
fn signature<'a, E: Environ<'a>>(e: &E, callee: Callee) -> Option<FuncType> {
    let module = e.env().module;
    let index = match callee {
        Callee::Func(func) => module.funcs.get(func as usize)?.ty,
        Callee::Indirect { ty, .. } | Callee::Ref { ty } => ty,
    };
    let results = module.types.results_without_nofunc(module.types.id(index)).into();
    Some(FuncType { results, params: module.type_func(index)?.params.clone() })
}

/// Lowered code has no `nofunc`, so that a callee's result of that type is of another, which a tail call returns as it
/// is. A caller that returns a narrower type could only call and return another null, in whose handlers the callee's
/// exceptions would then end.
fn check_results<'a, E: Environ<'a>>(e: &E, c: &Cursor<'_, '_>, results: &[ValType]) -> Lowering {
    let types = &e.env().module.types;
    let narrower = |(have, want): (&ValType, &ValType)| match (have, want) {
        (ValType::Ref(have), ValType::Ref(want)) => have.is_func() && !types.is_sub_ref(*have, *want),
        _ => false,
    };
    if !results.iter().zip(&c.func.results).any(narrower) {
        return Ok(());
    }
    Err(Error::Unsupported {
        offset: c.loc.0 as usize,
        feature: "a tail call of a function that returns `nofunc` where a function type is returned".to_string(),
        remedy: "call the function and return a null instead",
    })
}
