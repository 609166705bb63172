//! Custom descriptors. An object's descriptor *is* the RTT record that its header points to, followed
//! by the fields that its type declares; there is no word for it in the object.
//!
//! ```wat
//! (ref.get_desc $t (local.get $x))
//! ;; becomes
//! (i32.sub (i32.load $heap offset=3 (local.get $x)) (i32.const 3))     ;; from address to reference
//!
//! (ref.cast_desc_eq (ref $t) (local.get $x) (local.get $d))
//! ;; becomes
//! (i32.eq (i32.load $heap offset=3 (local.get $x)) (i32.add (local.get $d) (i32.const 3)))
//! ```
//!
//! That a type's objects have descriptors of the right type is what validation proves; equality of
//! descriptors is therefore all that there is to find out. Ordinary casts look at the record as ever.
//!
//! Source: the custom descriptors proposal, phase 3.

use super::super::environ::Environ;
use super::cast::{fail_unless, header, or_null};
use super::memory;
use crate::ir::{Cursor, Value};
use crate::layout::reference;
use crate::types::{RefType, ValType};
use wasmparser::Operator;

/// The address of the record that a descriptor is.
pub fn record(c: &mut Cursor<'_, '_>, descriptor: Value) -> Value {
    let bias = c.i32(reference::BIAS);
    c.i32_op(Operator::I32Add, descriptor, bias)
}

/// `ref.get_desc`
pub fn get<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, value: Value, ty: ValType) -> Value {
    e.null_check(c, value);
    let fault = memory::null_fault(c, value);
    let header = memory::header(e.env(), c, value, fault);
    let bias = c.i32(reference::BIAS);
    c.core(Operator::I32Sub, &[header, bias], ty)
}

/// Whether a value has a descriptor, or is a null that passes: an `i32`.
pub fn test<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    (value, from): (Value, RefType),
    to: RefType,
    descriptor: Value,
) -> Value {
    let header = header(e, c, value, from);
    let wanted = record(c, descriptor);
    let equal = c.i32_op(Operator::I32Eq, header, wanted);
    or_null(c, equal, value, from.nullable && to.nullable)
}

/// `ref.cast_desc_eq`: traps unless the value passes.
pub fn cast<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    value: (Value, RefType),
    to: RefType,
    descriptor: Value,
) {
    let ok = test(e, c, value, to, descriptor);
    fail_unless(c, ok);
}
