//! Operations of the dialect of explicit RTTs (`src/rtt/`), which the binary format of today has no operators for.
//!
//! Its bodies are ordinary operators, and calls of functions that do not exist: from [`INTRINSICS`] on, a call of the
//! `n`th means [`Intrinsic`] `n` of the module. Validation sees a call with a signature in the dialect's own types
//! (see `resources.rs`); here it becomes instructions. Types are already what they are taken for in IR: references to
//! structs are `(ref struct)`, because the dialect's subtyping is not declared.

use super::emit::Emit;
use crate::fault::{Error, Result};
use crate::ir::{ArrayOp, Op, RefOp, RttBound, Sign, StructOp, Value};
use crate::types::{HeapType, RefType, TypeId, ValType};
use wasmparser::Operator;

/// The first function index that means an intrinsic.
pub const INTRINSICS: u32 = 1 << 24;

/// An operation, with the type of its result in IR.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Intrinsic {
    /// The operand under another type.
    Refine(ValType),
    /// A function or external reference as one of any kind.
    ToAny(ValType),
    /// A reference of any kind that is null or a function, as a function reference.
    ToFunc(RefType),
    /// `ref.func`
    RefFunc(u32),
    /// `rtt.canon`
    RttCanon(TypeId),
    /// `rtt.sub`. Operand: the RTT above, perhaps null.
    RttSub {
        /// The type whose RTT it makes.
        ty: TypeId,
        /// That of the operand, unless it is `any`.
        above: Option<TypeId>,
        /// How many RTTs are above the new one, if it is known.
        depth: Option<u32>,
    },
    /// `struct.new_with_rtt`; the RTT is not null. With so many fields, or default ones.
    StructNew(TypeId, Option<u32>),
    /// `array.new_with_rtt`, or with default elements; the RTT is not null.
    ArrayNew(TypeId, bool),
    /// `struct.get`
    StructGet(TypeId, u32, Sign, ValType),
    /// `struct.set`
    StructSet(TypeId, u32),
    /// `array.get`
    ArrayGet(TypeId, Sign, ValType),
    /// `array.set`
    ArraySet(TypeId),
    /// `array.len`
    ArrayLen,
    /// Whether a value is an object under an RTT. Operands: the value, the RTT, perhaps null.
    TestRtt {
        /// The type that it is the RTT of, unless it is `any`.
        of: Option<TypeId>,
        /// What is known of it.
        bound: RttBound,
    },
    /// Whether a function is of a type. Operands: the function, the RTT, which is not looked at if it is `canon`.
    TestFunc {
        /// The type.
        ty: TypeId,
        /// The RTT is known to be the canonical one.
        canon: bool,
    },
    /// Whether a value is a function.
    IsFunc,
    /// Whether a value is a struct or an array.
    IsData,
    /// Whether a value is an i31.
    IsI31,
    /// `func.bind`, with an environment. Operands: the environment, the function that takes it.
    Bind(TypeId),
    /// `ref.as_…`: a trap unless the operand, an `i32`, is not zero.
    CastUnless,
}

/// Appends what an intrinsic means.
pub(super) fn emit(cx: &mut Emit<'_, '_, '_>, index: u32) -> Result<()> {
    let intrinsic = cx.module.intrinsics.get((index - INTRINSICS) as usize).copied();
    let intrinsic = intrinsic.ok_or_else(|| Error::bug("no such intrinsic"))?;
    let rtt = ValType::Ref(RefType::new(false, HeapType::Eq));
    match intrinsic {
        Intrinsic::Refine(ty) => cx.value(Op::Ref(RefOp::Refine), 1, ty),
        Intrinsic::ToAny(ty) => {
            let is_func = cx.ref_ty(cx.peek()?)?.is_func();
            let op = if is_func { RefOp::FuncToAny } else { RefOp::AnyConvertExtern };
            cx.value(Op::Ref(op), 1, ty)
        }
        Intrinsic::ToFunc(ty) => cx.value(Op::Ref(RefOp::AnyToFunc(ty)), 1, ValType::Ref(ty)),
        Intrinsic::RefFunc(func) => super::plain::ref_func(cx, func),
        Intrinsic::RttCanon(id) => cx.value(Op::Ref(RefOp::RttCanon(id)), 0, rtt),
        Intrinsic::RttSub { ty, .. } => {
            super::gc::descriptor(cx)?;
            cx.value(Op::Ref(RefOp::RttSub(ty)), 1, rtt)
        }
        Intrinsic::StructNew(..) | Intrinsic::ArrayNew(..) => allocate(cx, intrinsic),
        Intrinsic::StructGet(ty, field, sign, result) => {
            get(cx, Op::Struct(StructOp::Get { ty, field, sign }), 1, result)
        }
        Intrinsic::StructSet(ty, field) => cx.effect(Op::Struct(StructOp::Set { ty, field }), 2),
        Intrinsic::ArrayGet(ty, sign, result) => get(cx, Op::Array(ArrayOp::Get { ty, sign }), 2, result),
        Intrinsic::ArraySet(ty) => cx.effect(Op::Array(ArrayOp::Set(ty)), 3),
        Intrinsic::ArrayLen => cx.value(Op::Array(ArrayOp::Len), 1, ValType::I32),
        Intrinsic::TestRtt { bound, .. } => {
            super::gc::descriptor(cx)?;
            cx.value(Op::Ref(RefOp::TestRtt(bound)), 2, ValType::I32)
        }
        Intrinsic::TestFunc { ty, canon } => test_func(cx, ty, canon),
        Intrinsic::IsFunc => cx.value(Op::Ref(RefOp::AnyIsFunc), 1, ValType::I32),
        Intrinsic::IsData => is_data(cx),
        Intrinsic::IsI31 => cx.value(Op::Ref(RefOp::Test(RefType::new(false, HeapType::I31))), 1, ValType::I32),
        Intrinsic::Bind(id) => {
            let heap = HeapType::Concrete(crate::types::CompositeKind::Func, id);
            cx.value(Op::Ref(RefOp::Bind(id)), 2, ValType::Ref(RefType::new(false, heap)))
        }
        Intrinsic::CastUnless => {
            let ok = cx.pop()?;
            if cast_rtt(cx, ok) {
                return Ok(());
            }
            let failed = cx.cursor.core(Operator::I32Eqz, &[ok], ValType::I32);
            cx.cursor.trap_if(failed, crate::ir::TrapCode::CastFailure);
            Ok(())
        }
    }
}

/// Makes the test against an RTT that was just appended a cast, which traps where it fails.
fn cast_rtt(cx: &mut Emit<'_, '_, '_>, ok: Value) -> bool {
    let c = &mut cx.cursor;
    let Some(test) = c.func.def_inst(ok) else { return false };
    let Op::Ref(RefOp::TestRtt(bound)) = c.func.insts[test].op else { return false };
    let appended = &mut c.func.regions[c.region].insts;
    if appended.pop_if(|last| *last == test).is_none() {
        return false;
    }
    let args = c.func.args(test).to_vec();
    c.push(Op::Ref(RefOp::CastRtt(bound)), &args, &[ValType::I32]);
    true
}

fn allocate(cx: &mut Emit<'_, '_, '_>, intrinsic: Intrinsic) -> Result<()> {
    let new = |heap| ValType::Ref(RefType::new(false, heap));
    match intrinsic {
        Intrinsic::StructNew(ty, Some(fields)) => {
            cx.value(Op::Struct(StructOp::NewDesc(ty)), fields as usize + 1, new(HeapType::Struct))
        }
        Intrinsic::StructNew(ty, None) => cx.value(Op::Struct(StructOp::NewDefaultDesc(ty)), 1, new(HeapType::Struct)),
        Intrinsic::ArrayNew(ty, true) => cx.value(Op::Array(ArrayOp::NewDefaultRtt(ty)), 2, new(HeapType::Array)),
        Intrinsic::ArrayNew(ty, false) => cx.value(Op::Array(ArrayOp::NewRtt(ty)), 3, new(HeapType::Array)),
        _ => Err(Error::bug("no allocation")),
    }
}

/// Objects hold functions as values of any kind, and a field's type is more precise than what lies there.
fn get<'a>(cx: &mut Emit<'_, '_, 'a>, op: Op<'a>, args: usize, result: ValType) -> Result<()> {
    let ValType::Ref(ty) = result else { return cx.value(op, args, result) };
    let loaded = if ty.is_func() { RefType::new(ty.nullable, HeapType::Any) } else { ty };
    cx.value(op, args, ValType::Ref(loaded))?;
    match ty.is_func() {
        true => cx.value(Op::Ref(RefOp::AnyToFunc(ty)), 1, result),
        false => Ok(()),
    }
}

fn is_data(cx: &mut Emit<'_, '_, '_>) -> Result<()> {
    let value = cx.pop()?;
    let mut test =
        |heap| -> Value { cx.cursor.value(Op::Ref(RefOp::Test(RefType::new(false, heap))), &[value], ValType::I32) };
    let (is_struct, is_array) = (test(HeapType::Struct), test(HeapType::Array));
    let either = cx.cursor.core(Operator::I32Or, &[is_struct, is_array], ValType::I32);
    cx.stack.push(either);
    Ok(())
}

/// A function carries the canonical RTT of its type, and so is under that and no other.
fn test_func(cx: &mut Emit<'_, '_, '_>, ty: TypeId, canon: bool) -> Result<()> {
    super::gc::descriptor(cx)?;
    let (rtt, func) = (cx.pop()?, cx.pop()?);
    let to = RefType::new(false, HeapType::Concrete(crate::types::CompositeKind::Func, ty));
    let mut passes = cx.cursor.value(Op::Ref(RefOp::Test(to)), &[func], ValType::I32);
    if !canon {
        let any_rtt = ValType::Ref(RefType::new(false, HeapType::Eq));
        let own = cx.cursor.value(Op::Ref(RefOp::RttCanon(ty)), &[], any_rtt);
        let same = cx.cursor.value(Op::Ref(RefOp::Eq), &[rtt, own], ValType::I32);
        passes = cx.cursor.core(Operator::I32And, &[passes, same], ValType::I32);
    }
    cx.stack.push(passes);
    Ok(())
}
