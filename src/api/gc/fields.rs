//! Values of fields and elements, on their way between host and heap.

use super::rooting::{Rooted, sealed::GcRefImpl};
use crate::api::func::Func;
use crate::api::store::{AsContext, StoreContextMut};
use crate::api::values::Val;
use crate::api::{Error, Result};
use crate::layout::object::FUNC_NULL;
use crate::layout::reference::NULL;
use crate::runtime::handles;
use crate::runtime::objects::{Object, Slot};
use crate::types as t;

/// What is stored for a value, which is checked to be of the type.
///
/// # Errors
///
/// When it is not, which `what` says; when a handle's scope has ended, or something is of another store.
pub(super) fn slot<T: 'static, W: std::fmt::Display + Send + Sync + 'static>(
    cx: &mut StoreContextMut<'_, T>,
    val: &Val,
    ty: t::StorageType,
    what: impl FnOnce() -> W,
) -> Result<Slot> {
    checked_slot(cx, val, ty).map_err(|err| val.unfit(err, ty.unpack(), what()))
}

fn checked_slot<T: 'static>(cx: &mut StoreContextMut<'_, T>, val: &Val, ty: t::StorageType) -> Result<Slot> {
    use t::ValType as V;
    Ok(match (val, ty.unpack()) {
        (Val::I32(v), V::I32) => Slot::Bits((*v as u32).into()),
        (Val::I64(v), V::I64) => Slot::Bits((*v as u64).into()),
        (Val::F32(bits), V::F32) => Slot::Bits((*bits).into()),
        (Val::F64(bits), V::F64) => Slot::Bits((*bits).into()),
        (Val::V128(v), V::V128) => Slot::Bits(v.as_u128()),
        (_, ty) => {
            if let Val::FuncRef(Some(func)) = val {
                func.check_store(cx, "value")?;
            }
            val.check(&cx.as_context(), ty)?;
            match val {
                Val::AnyRef(Some(any)) => Slot::Root(any.root().index),
                Val::ExternRef(Some(external)) => Slot::Root(external.root().index),
                Val::ExnRef(Some(exn)) => Slot::Root(exn.root().index),
                Val::FuncRef(func) => {
                    let func = func.map(|func| func.native(cx)).transpose()?;
                    Slot::Bits(handles::handle_of(&mut cx.inner, func)?.into())
                }
                _ => Slot::Null,
            }
        }
    })
}

/// The value at an offset in an object.
pub(super) fn value<T: 'static>(
    cx: &mut StoreContextMut<'_, T>,
    object: &Object,
    offset: u32,
    ty: t::StorageType,
) -> Result<Val> {
    let bits = object.bits(&cx.as_context().inner, offset, ty)?;
    Ok(match ty.unpack() {
        t::ValType::I32 => Val::I32(bits as i32),
        t::ValType::I64 => Val::I64(bits as i64),
        t::ValType::F32 => Val::F32(bits as u32),
        t::ValType::F64 => Val::F64(bits as u64),
        t::ValType::V128 => Val::V128(bits.into()),
        t::ValType::Ref(r) if !r.is_func() => Val::of_word(cx, bits as u32, r)?,
        t::ValType::Ref(_) if bits as u32 == FUNC_NULL => Val::FuncRef(None),
        t::ValType::Ref(_) => Val::FuncRef(handles::func_of(&mut cx.inner, bits as u32)?.map(Func::of_native)),
    })
}

/// The object that a handle is to.
pub(super) fn object<T: 'static>(cx: &crate::api::StoreContext<'_, T>, handle: &impl GcRefImpl) -> Result<Object> {
    Object::of(&cx.inner, handle.word(cx)?)
}

/// A handle to a new object.
pub(super) fn rooted<T: 'static, R: super::GcRef>(cx: &mut StoreContextMut<'_, T>, word: u32) -> Result<Rooted<R>> {
    if word == NULL {
        return Err(Error::new(crate::fault::Error::bug("an allocation gave null")));
    }
    Rooted::new(cx, word)
}
