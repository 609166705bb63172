//! Exceptions. One is a struct of the identity of its tag and its payload; `exnref` is a reference to
//! it. The one that is pending stands in a fixed cell of the heap, which is 0 otherwise.
//!
//! ```wat
//! (throw $t (local.get $x))
//! ;; becomes
//! (local.set $e (alloc 12))                          ;; header, tag, payload
//! (i32.store $heap offset=PENDING (i32.const 0) (local.get $e))
//! (return (i32.const 0))                             ;; or a branch to the handler
//!
//! (call $f)
//! ;; becomes
//! (call $f)
//! (br_if $handler (i32.load $heap offset=PENDING (i32.const 0)))
//! ```
//!
//! An own tag is the sum of a base that the runtime gives the instance and its index; an imported one
//! is an `i32` global.

use super::super::environ::{Environ, Lowering};
use super::{Arg, Out, Repr, memory, struct_};
use crate::fault::Error;
use crate::ir::{Cursor, ExnOp, GlobalOp, Op, Sign, StructOp, Value, zero};
use crate::layout::Width;
use crate::types::{TypeId, ValType};
use wasmparser::Operator;

/// Lowers an operation on exceptions; `ty` is the type of its result.
pub fn lower<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    op: ExnOp,
    args: &[Arg],
    ty: Option<ValType>,
) -> Lowering<Option<Out>> {
    let cell = e.env().map.pending_cell();
    match op {
        ExnOp::New(tag) => {
            let identity = Arg { repr: Repr::Plain(identity(e, c, tag)), ty: ValType::I32 };
            let fields: Vec<Arg> = [identity].into_iter().chain(args.iter().copied()).collect();
            struct_::lower(e, c, StructOp::New(object_type(e, tag)?), &fields)
        }
        ExnOp::Raise => {
            let (zero, exn) = (c.i32(0), plain(args)?);
            memory::store_word(e.env(), c, zero, cell, exn);
            Ok(None)
        }
        ExnOp::Pending => {
            let zero = c.i32(0);
            Ok(Some(Repr::Plain(memory::load_word(e.env(), c, zero, cell, ValType::I32))))
        }
        ExnOp::Take => {
            let zero = c.i32(0);
            let exn = memory::load_word(e.env(), c, zero, cell, ValType::EXN);
            memory::store_word(e.env(), c, zero, cell, zero);
            Ok(Some(Repr::Plain(exn)))
        }
        ExnOp::Is(tag) => {
            let exn = plain(args)?;
            let layout = struct_::field(e, object_type(e, tag)?, 0)?;
            let of = memory::load(e.env(), c, exn, layout.offset, (Width::I32, Sign::None, ValType::I32), None);
            let identity = identity(e, c, tag);
            Ok(Some(Repr::Plain(c.i32_op(Operator::I32Eq, of, identity))))
        }
        ExnOp::Payload { tag, index } => {
            let get = StructOp::Get { ty: object_type(e, tag)?, field: index + 1, sign: Sign::None };
            struct_::lower(e, c, get, args)
        }
        ExnOp::Unread => {
            let ty = ty.ok_or_else(|| Error::bug("an unread value without a type"))?;
            unread(e, c, ty).map(Some)
        }
    }
}

fn plain(args: &[Arg]) -> Lowering<Value> {
    match args {
        [Arg { repr: Repr::Plain(value), .. }] => Ok(*value),
        _ => Err(Error::bug("an exception that is no value")),
    }
}

fn object_type<'a, E: Environ<'a>>(e: &E, tag: u32) -> Lowering<TypeId> {
    let ty = e.env().module.tag_types.get(tag as usize).copied();
    ty.ok_or_else(|| Error::bug("no such tag"))
}

/// The identity of a tag: an `i32`.
fn identity<'a, E: Environ<'a>>(e: &E, c: &mut Cursor<'_, 'a>, tag: u32) -> Value {
    let place = e.env().tag(tag);
    let base = c.value(Op::Global(GlobalOp::Get(place.base)), &[], ValType::I32);
    if place.offset == 0 {
        return base;
    }
    let offset = c.i32(place.offset);
    c.i32_op(Operator::I32Add, base, offset)
}

/// Some value of a type.
fn unread<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, ty: ValType) -> Lowering<Out> {
    let op = match (zero(ty), ty) {
        (Some(zero), _) => zero,
        (None, ValType::Ref(r)) if r.is_func() && r.nullable => return Ok(Repr::Null(r.heap)),
        (None, ValType::Ref(r)) if r.is_func() => {
            let func = e.env().stand_in(r).ok_or_else(|| Error::bug("no function can stand in"))?;
            return Ok(Repr::Known(func));
        }
        _ => Operator::I32Const { value: 0 },
    };
    Ok(Repr::Plain(c.core(op, &[], ty)))
}
