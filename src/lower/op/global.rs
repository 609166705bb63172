//! Globals. Numbers and function references stay WebAssembly globals; other references live in the
//! heap, at a fixed distance from the instance's root area, where the collector finds them.
//!
//! The root area is scanned at every collection, so a store to it needs no barrier.

use super::super::env::Place;
use super::super::environ::{Environ, Lowering};
use super::{Arg, Out, Repr, func_ref, memory};
use crate::ir::{Cursor, GlobalOp, Op, Value};
use crate::types::ValType;

/// Lowers `global.get` and `global.set`.
pub fn lower<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    op: GlobalOp,
    args: &[Arg],
    ty: Option<ValType>,
) -> Lowering<Option<Out>> {
    let (GlobalOp::Get(index) | GlobalOp::Set(index)) = op;
    let place = e.env().globals.get(index as usize).copied().flatten();
    match (op, place, ty) {
        (GlobalOp::Get(_), Some(place), Some(ty)) => {
            let base = base(e, c, place);
            Ok(Some(Repr::Plain(memory::load_word(e.env(), c, base, place.offset, ty))))
        }
        (GlobalOp::Get(_), _, ty) => {
            let ty = ty.ok_or_else(|| crate::fault::Error::bug("global.get without a result"))?;
            Ok(Some(Repr::Plain(c.value(Op::Global(op), &[], ty))))
        }
        (GlobalOp::Set(_), Some(place), _) => {
            let value = func_ref::native(e, c, args[0])?;
            let base = base(e, c, place);
            memory::store_word(e.env(), c, base, place.offset, value);
            Ok(None)
        }
        (GlobalOp::Set(_), None, _) => {
            let expected = e.env().module.globals.get(index as usize).map_or(args[0].ty, |global| global.ty);
            let value = func_ref::native_as(e, c, args[0], expected)?;
            c.push(Op::Global(op), &[value], &[]);
            Ok(None)
        }
    }
}

/// The address that a place is at a fixed distance from. Where there are loops it is read at the
/// function's beginning: the engine does not move the load out of them, but all arithmetic on the address.
pub fn base<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, place: Place) -> Value {
    if let Some(known) = e.known().base(place.base) {
        return known;
    }
    let region = if e.known().early() { c.func.body } else { c.region };
    let read = c.func.make_inst(Op::Global(GlobalOp::Get(place.base)), &[], &[ValType::I32], c.loc);
    let base = c.func.results(read)[0];
    let insts = &mut c.func.regions[region].insts;
    let at = if e.known().early() { 0 } else { insts.len() };
    insts.insert(at, read);
    e.known().set_base(place.base, base, region);
    base
}
