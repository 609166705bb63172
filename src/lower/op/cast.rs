//! `ref.test` and `ref.cast` on heap references.
//!
//! ```wat
//! (ref.test (ref $circle) (local.get $shape))       ;; $shape of a struct type, $circle not final
//! ;; becomes: load the RTT record, then its display entry at the target's depth
//! (i32.eq (i32.load $heap offset=DISPLAY+4*depth (i32.load $heap offset=3 (local.get $shape)))
//!         (i32.const RTT_OF_CIRCLE))
//! ;; final target: (i32.eq (i32.load $heap offset=3 (local.get $shape)) (i32.const RTT_OF_CIRCLE))
//! ```
//!
//! A value that may be null or an i31 is tested for that first, and then taken to have the record of host values, which
//! passes no test. So the header, or that record, is found out once for all tests of a value that follow each other, as
//! in a chain of `br_on_cast`; the engine can share loads, but not branches:
//!
//! ```wat
//! (br_on_cast $is_circle anyref (ref $circle) (local.get $shape))
//! (br_on_cast $is_square anyref (ref $square))
//! ;; becomes, both types being final
//! (local.set $record
//!   (if (result i32) (i32.eq (i32.and (local.get $shape) (i32.const TAG_MASK)) (i32.const TAG_OBJECT))
//!     (then (i32.load $heap offset=3 (local.get $shape)))
//!     (else (i32.const RTT_OF_HOSTS))))
//! (br_if $is_circle (i32.eq (local.get $record) (i32.const RTT_OF_CIRCLE)))
//! (br_if $is_square (i32.eq (local.get $record) (i32.const RTT_OF_SQUARE)))
//! ```
//!
//! Sources: N. Cohen, "Type-extension type tests can be performed in constant time" (1991); Wasm 3.0, section 4.4.5.

use super::super::environ::{Environ, Lowering};
use super::{memory, record};
use crate::ir::{Cursor, Op, RefOp, TrapCode, Value};
use crate::layout::{Kind, reference, rtt};
use crate::types::{HeapTop, HeapType, RefType, TypeId, ValType};
use wasmparser::Operator;

/// What is left to find out about a non-null value.
enum Question {
    Always,
    Never,
    I31,
    /// An object or i31 that is in the `eq` hierarchy.
    Eq,
    /// An object of one kind.
    Kind(Kind),
    /// An object of a type or, unless exact, of its subtypes.
    Type {
        id: TypeId,
        exact: bool,
    },
}

fn question<'a, E: Environ<'a>>(e: &E, from: RefType, to: RefType) -> Question {
    let types = &e.env().module.types;
    if types.is_sub_ref(from.non_null(), to.non_null()) {
        return Question::Always;
    }
    match to.heap {
        _ if from.heap.is_bottom() || to.heap.is_bottom() => Question::Never,
        HeapType::Any | HeapType::Extern | HeapType::Exn | HeapType::Func => Question::Always,
        HeapType::Eq => Question::Eq,
        HeapType::I31 => Question::I31,
        HeapType::Struct => Question::Kind(Kind::Struct),
        HeapType::Array => Question::Kind(Kind::Array),
        HeapType::Concrete(_, id) => Question::Type { id, exact: to.exact || types.def(id).sub.is_final },
        _ => Question::Never,
    }
}

/// Whether a non-null value of a type may be something else than an object: an i31, or a function where any reference may be one.
/// Exact, `eq` has neither.
pub(super) fn may_be_no_object(from: RefType) -> bool {
    match from.heap {
        HeapType::Eq => !from.exact,
        HeapType::Any | HeapType::I31 => true,
        heap => heap.top() == HeapTop::Extern,
    }
}

/// `ref.test`: an `i32`.
pub fn test<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    value: Value,
    from: RefType,
    to: RefType,
) -> Lowering<Value> {
    let null_passes = to.nullable && from.nullable;
    let question = question(e, from, to);
    let ok = match question {
        Question::Always if to.nullable || !from.nullable => return Ok(c.i32(1)),
        Question::Always => {
            let null = c.i32(reference::NULL);
            return Ok(c.i32_op(Operator::I32Ne, value, null));
        }
        Question::Never => c.i32(0),
        Question::I31 => is_i31(c, value),
        Question::Eq => {
            let header = header(e, c, value, from);
            let kind = load_record(e.env(), c, header, rtt::RTT_KIND);
            let last = c.i32(rtt::LAST_EQ_KIND);
            let is_eq = c.i32_op(Operator::I32LeU, kind, last);
            let is_i31 = is_i31(c, value);
            c.i32_op(Operator::I32Or, is_eq, is_i31)
        }
        Question::Kind(_) | Question::Type { .. } => {
            let header = header(e, c, value, from);
            passes(e.env(), c, header, &question)
        }
    };
    Ok(or_null(c, ok, value, null_passes))
}

fn is_i31(c: &mut Cursor<'_, '_>, value: Value) -> Value {
    // Null has the bit that no i31 has.
    let tag = c.i32(reference::NOT_I31);
    let bit = c.i32_op(Operator::I32And, value, tag);
    c.core(Operator::I32Eqz, &[bit], ValType::I32)
}

/// The answer of a test, or that a value is null, if that passes and may be.
pub(super) fn or_null(c: &mut Cursor<'_, '_>, ok: Value, value: Value, null_passes: bool) -> Value {
    if !null_passes {
        return ok;
    }
    let null = c.i32(reference::NULL);
    let is_null = c.i32_op(Operator::I32Eq, value, null);
    c.i32_op(Operator::I32Or, ok, is_null)
}

/// The header of a value; if that is no object, the address of the record of host values.
pub(super) fn header<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, value: Value, from: RefType) -> Value {
    if let Some(header) = e.known().header(value) {
        return header;
    }
    let (region, env) = (c.region, e.env());
    let header = match object_test(c, value, from) {
        None => memory::header(env, c, value, None),
        Some(is_object) => {
            let inst = c.if_else(
                is_object,
                &[ValType::I32],
                |c| {
                    let header = memory::header(env, c, value, None);
                    c.yield_(&[header]);
                },
                |c| {
                    let hosts = record::address(env, c, &env.hosts);
                    c.yield_(&[hosts]);
                },
            );
            c.func.results(inst)[0]
        }
    };
    e.known().set_header(value, header, region);
    header
}

/// Whether a value is an object, if that is to be asked.
fn object_test(c: &mut Cursor<'_, '_>, value: Value, from: RefType) -> Option<Value> {
    if may_be_no_object(from) {
        let mask = c.i32(reference::TAG_MASK);
        let tag = c.i32_op(Operator::I32And, value, mask);
        let wanted = c.i32(reference::TAG_OBJECT);
        Some(c.i32_op(Operator::I32Eq, tag, wanted))
    } else {
        from.nullable.then(|| {
            let null = c.i32(reference::NULL);
            c.i32_op(Operator::I32Ne, value, null)
        })
    }
}

/// A word of an RTT record, given the record's address.
fn load_record(
    env: &super::super::env::ModuleEnv<'_, '_>,
    c: &mut Cursor<'_, '_>,
    record: Value,
    offset: u32,
) -> Value {
    memory::load_word(env, c, record, offset, ValType::I32)
}

/// The test proper: whether a header's record is what is asked for.
fn passes<'a>(
    env: &super::super::env::ModuleEnv<'_, 'a>,
    c: &mut Cursor<'_, 'a>,
    header: Value,
    question: &Question,
) -> Value {
    match *question {
        Question::Kind(kind) => {
            let found = load_record(env, c, header, rtt::RTT_KIND);
            let wanted = c.i32(kind as u32);
            c.i32_op(Operator::I32Eq, found, wanted)
        }
        Question::Type { id, exact } => {
            let Some(ty) = env.gc_types.get(&id) else { return c.i32(0) };
            let wanted = record::address(env, c, ty);
            if exact && env.module.types.def(id).sub.descriptor.is_some() {
                // Its objects have records of their own, which tell the same type.
                let found = load_record(env, c, header, rtt::RTT_TYPE_ID);
                let wanted = record::index(env, c, ty);
                return c.i32_op(Operator::I32Eq, found, wanted);
            }
            if exact {
                return c.i32_op(Operator::I32Eq, header, wanted);
            }
            let entry = rtt::RTT_DISPLAY + 4 * ty.depth();
            if ty.depth() < rtt::MIN_DISPLAY {
                let found = load_record(env, c, header, entry);
                return c.i32_op(Operator::I32Eq, found, wanted);
            }
            let depth = load_record(env, c, header, rtt::RTT_DEPTH);
            let at_least = c.i32(ty.depth());
            let deep = c.i32_op(Operator::I32GeU, depth, at_least);
            let inst = c.if_else(
                deep,
                &[ValType::I32],
                |c| {
                    let found = load_record(env, c, header, entry);
                    let wanted = record::address(env, c, ty);
                    let equal = c.i32_op(Operator::I32Eq, found, wanted);
                    c.yield_(&[equal]);
                },
                |c| {
                    let zero = c.i32(0);
                    c.yield_(&[zero]);
                },
            );
            c.func.results(inst)[0]
        }
        _ => c.i32(1),
    }
}

/// `ref.cast`: traps unless the value is of the type.
pub fn cast<'a, E: Environ<'a>>(
    e: &mut E,
    c: &mut Cursor<'_, 'a>,
    value: Value,
    from: RefType,
    to: RefType,
) -> Lowering {
    let asked = question(e, from, to);
    let objects_only = !may_be_no_object(from);
    let explicit = e.env().explicit_null_checks;
    match asked {
        // The header load itself faults on null, and the fault is the failure of the cast.
        Question::Kind(_) | Question::Type { .. } if objects_only && !(from.nullable && (to.nullable || explicit)) => {
            let header = e.known().header(value).unwrap_or_else(|| {
                let header = memory::header(e.env(), c, value, Some(TrapCode::CastFailure));
                e.known().set_header(value, header, c.region);
                header
            });
            let ok = passes(e.env(), c, header, &asked);
            fail_unless(c, ok);
        }
        // Null passes: nothing to load then.
        Question::Kind(_) | Question::Type { .. }
            if objects_only && to.nullable && e.known().header(value).is_none() =>
        {
            let null = c.i32(reference::NULL);
            let object = c.i32_op(Operator::I32Ne, value, null);
            let env = e.env();
            c.if_else(
                object,
                &[],
                |c| {
                    let header = memory::header(env, c, value, Some(TrapCode::CastFailure));
                    let ok = passes(env, c, header, &asked);
                    fail_unless(c, ok);
                    c.yield_(&[]);
                },
                |c| c.yield_(&[]),
            );
        }
        Question::Always if to.nullable || !from.nullable => {}
        _ => {
            let ok = test(e, c, value, from, to)?;
            fail_unless(c, ok);
        }
    }
    Ok(())
}

pub(super) fn fail_unless(c: &mut Cursor<'_, '_>, ok: Value) {
    let failed = c.core(Operator::I32Eqz, &[ok], ValType::I32);
    c.trap_if(failed, TrapCode::CastFailure);
}

/// The operand under a new type, of which is known what was known of it.
pub fn renamed<'a, E: Environ<'a>>(e: &mut E, c: &mut Cursor<'_, 'a>, value: Value, ty: ValType) -> Value {
    let new = refine(c, value, ty);
    e.known().rename(value, new);
    new
}

/// The operand under a new type; nothing at run time.
fn refine(c: &mut Cursor<'_, '_>, value: Value, ty: ValType) -> Value {
    c.value(Op::Ref(RefOp::Refine), &[value], ty)
}
