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
use crate::ir::{Callee, Cursor, Inst, Op, TrapCode, Value};
use crate::types::{CompositeKind, HeapType, RefType, ValType};

/// Lowers a call, or a tail call.
pub fn lower<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    callee: Callee,
    args: &[Arg],
    results: &[ValType],
    tail: bool,
) -> Lowering<Inst> {
    let original = callee;
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
    let params = params(e, original);
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

/// The parameter types of a callee.
fn params<'a, E: Environ<'a>>(e: &E, callee: Callee) -> Vec<ValType> {
    let module = e.env().module;
    let ty = match callee {
        Callee::Func(func) => module.func_type(func),
        Callee::Indirect { ty, .. } | Callee::Ref { ty } => module.type_func(ty),
    };
    ty.map(|ty| ty.params.to_vec()).unwrap_or_default()
}
