//! Arguments and results of a script's calls.
//!
//! `ref.extern n` is a host reference to the number `n`; `ref.host n` is the same in the hierarchy of
//! `any`. Two are the same value when their numbers are.

use crate::api::{AnyRef, ExternRef, Result, Rooted, Store, Val};
use wasmtime::{bail, format_err};
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Const, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};
use wast::{WastArg, WastRet};

/// The value of an argument.
pub(super) fn argument(store: &mut Store<()>, arg: &WastArg<'_>) -> Result<Val> {
    let WastArg::Core(arg) = arg else { bail!("components are not supported") };
    Ok(match arg {
        WastArgCore::I32(x) => Val::I32(*x),
        WastArgCore::I64(x) => Val::I64(*x),
        WastArgCore::F32(x) => Val::F32(x.bits),
        WastArgCore::F64(x) => Val::F64(x.bits),
        WastArgCore::V128(x) => Val::V128(v128(x).into()),
        WastArgCore::RefNull(ty) => null(ty)?,
        WastArgCore::RefExtern(n) => Val::ExternRef(Some(ExternRef::new(&mut *store, *n)?)),
        WastArgCore::RefHost(n) => {
            let host = ExternRef::new(&mut *store, *n)?;
            Val::AnyRef(Some(AnyRef::convert_extern(&mut *store, host)?))
        }
    })
}

fn v128(value: &V128Const) -> u128 {
    u128::from_le_bytes(value.to_le_bytes())
}

/// The null of a hierarchy.
fn null(ty: &HeapType<'_>) -> Result<Val> {
    use AbstractHeapType as T;
    let HeapType::Abstract { ty: abstract_type, .. } = ty else {
        bail!("null of type {ty:?} in a script is not supported")
    };
    Ok(match abstract_type {
        T::Extern | T::NoExtern => Val::ExternRef(None),
        T::Func | T::NoFunc => Val::FuncRef(None),
        T::Any | T::Eq | T::I31 | T::Struct | T::Array | T::None => Val::AnyRef(None),
        T::Exn | T::NoExn => Val::ExnRef(None),
        T::Cont | T::NoCont => bail!("null of type {ty:?} in a script is not supported"),
    })
}

/// Checks the results of a call.
pub(super) fn check(store: &mut Store<()>, actual: &[Val], expected: &[WastRet<'_>]) -> Result<()> {
    if actual.len() != expected.len() {
        bail!("expected {} results, got {}", expected.len(), actual.len());
    }
    for (at, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let WastRet::Core(expected) = expected else { bail!("components are not supported") };
        if !matches(store, actual, expected)? {
            return Err(format_err!("result {at}: expected {}, got {}", describe(expected), show(actual)));
        }
    }
    Ok(())
}

fn matches(store: &mut Store<()>, actual: &Val, expected: &WastRetCore<'_>) -> Result<bool> {
    use WastRetCore as Ret;
    Ok(match (actual, expected) {
        (_, Ret::Either(options)) => {
            for option in options {
                if matches(store, actual, option)? {
                    return Ok(true);
                }
            }
            false
        }
        (Val::I32(a), Ret::I32(b)) => a == b,
        (Val::I64(a), Ret::I64(b)) => a == b,
        (Val::F32(a), Ret::F32(b)) => f32_matches(*a, b),
        (Val::F64(a), Ret::F64(b)) => f64_matches(*a, b),
        (Val::V128(a), Ret::V128(b)) => v128_matches(a.as_u128(), b),
        (Val::FuncRef(r), Ret::RefFunc(_)) => r.is_some(),
        (Val::ExternRef(Some(_)), Ret::RefExtern(None)) => true,
        (Val::ExternRef(Some(r)), Ret::RefExtern(Some(n))) => host_number(store, *r)? == Some(*n),
        (Val::AnyRef(Some(r)), ret) => any_matches(store, *r, ret)?,
        (val, Ret::RefNull(ty)) => is_null(val, ty.as_ref())?,
        _ => false,
    })
}

fn any_matches(store: &mut Store<()>, actual: Rooted<AnyRef>, expected: &WastRetCore<'_>) -> Result<bool> {
    use WastRetCore as Ret;
    Ok(match expected {
        Ret::RefAny => true,
        Ret::RefEq => actual.is_eqref(&*store)?,
        Ret::RefI31 => actual.is_i31(&*store)?,
        Ret::RefStruct => actual.is_struct(&*store)?,
        Ret::RefArray => actual.is_array(&*store)?,
        Ret::RefHost(n) => {
            let host = ExternRef::convert_any(&mut *store, actual)?;
            host_number(store, host)? == Some(*n)
        }
        _ => false,
    })
}

/// The number of a `ref.extern` or `ref.host`.
fn host_number(store: &mut Store<()>, host: Rooted<ExternRef>) -> Result<Option<u32>> {
    Ok(host.data(&*store)?.and_then(|data| data.downcast_ref::<u32>().copied()))
}

/// A null, of the expected hierarchy if one is expected.
fn is_null(actual: &Val, expected: Option<&HeapType<'_>>) -> Result<bool> {
    let is_null = |val: &Val| val.ref_().is_some_and(|r| r.is_null());
    let Some(ty) = expected else { return Ok(is_null(actual)) };
    let same = std::mem::discriminant(actual) == std::mem::discriminant(&null(ty)?);
    Ok(same && is_null(actual))
}

fn f32_matches(actual: u32, expected: &NanPattern<F32>) -> bool {
    match expected {
        NanPattern::CanonicalNan => actual & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => actual & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(value) => actual == value.bits,
    }
}

fn f64_matches(actual: u64, expected: &NanPattern<F64>) -> bool {
    match expected {
        NanPattern::CanonicalNan => actual & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => actual & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(value) => actual == value.bits,
    }
}

fn v128_matches(actual: u128, expected: &V128Pattern) -> bool {
    let lane = |at: usize, bits: usize| actual >> (at * bits);
    match expected {
        V128Pattern::I8x16(lanes) => lanes.iter().enumerate().all(|(at, x)| lane(at, 8) as i8 == *x),
        V128Pattern::I16x8(lanes) => lanes.iter().enumerate().all(|(at, x)| lane(at, 16) as i16 == *x),
        V128Pattern::I32x4(lanes) => lanes.iter().enumerate().all(|(at, x)| lane(at, 32) as i32 == *x),
        V128Pattern::I64x2(lanes) => lanes.iter().enumerate().all(|(at, x)| lane(at, 64) as i64 == *x),
        V128Pattern::F32x4(lanes) => lanes.iter().enumerate().all(|(at, x)| f32_matches(lane(at, 32) as u32, x)),
        V128Pattern::F64x2(lanes) => lanes.iter().enumerate().all(|(at, x)| f64_matches(lane(at, 64) as u64, x)),
    }
}

fn describe(expected: &WastRetCore<'_>) -> String {
    match expected {
        WastRetCore::F32(NanPattern::Value(x)) => format!("f32 {:#010x}", x.bits),
        WastRetCore::F64(NanPattern::Value(x)) => format!("f64 {:#018x}", x.bits),
        other => format!("{other:?}"),
    }
}

fn show(actual: &Val) -> String {
    match actual {
        Val::F32(bits) => format!("f32 {bits:#010x}"),
        Val::F64(bits) => format!("f64 {bits:#018x}"),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_patterns() {
        assert!(f32_matches(0xffc0_0000, &NanPattern::CanonicalNan));
        assert!(!f32_matches(0x7fc0_0001, &NanPattern::CanonicalNan));
        assert!(f32_matches(0x7fc0_0001, &NanPattern::ArithmeticNan));
        assert!(!f32_matches(0x7f80_0001, &NanPattern::ArithmeticNan));
        assert!(f64_matches(0x7ff8_0000_0000_0000, &NanPattern::CanonicalNan));
        assert!(!f64_matches(0, &NanPattern::ArithmeticNan));
    }

    #[test]
    fn lanes_are_little_endian() {
        let value = u128::from_le_bytes([1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0]);
        assert!(v128_matches(value, &V128Pattern::I16x8([1, 2, 3, 4, 5, 6, 7, 8])));
        assert!(!v128_matches(value, &V128Pattern::I64x2([0, 0])));
    }

    #[test]
    fn nulls_have_hierarchies() {
        let extern_ty = HeapType::Abstract { shared: false, ty: AbstractHeapType::NoExtern };
        assert!(is_null(&Val::ExternRef(None), Some(&extern_ty)).unwrap());
        assert!(!is_null(&Val::AnyRef(None), Some(&extern_ty)).unwrap());
        assert!(is_null(&Val::AnyRef(None), None).unwrap());
        assert!(!is_null(&Val::I32(0), None).unwrap());
    }
}
