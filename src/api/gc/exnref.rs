//! Exception references.

use super::rooting::{Rooted, gc_ref, sealed::GcRefImpl};
use crate::api::func::Func;
use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::api::types::{ExnType, HeapType, assert_same};
use crate::api::values::Val;
use crate::api::{Error, Result, Tag};
use crate::layout::object::FUNC_NULL;
use crate::runtime::ready::patiently;
use crate::runtime::{exceptions, handles};
use crate::types as t;

gc_ref! {
    /// An exception: a tag and a payload. Guests make one by `throw` and get hold of it by `catch_ref`;
    /// the host makes one by [`ExnRef::new`] and throws it by [`Store::throw`](crate::api::Store::throw).
    ExnRef
}

/// What exceptions of a type are made by, in one store.
///
/// ```
/// use wasmtime_gc::api::{Engine, ExnRef, ExnRefPre, ExnType, Store, Tag, Val, ValType};
///
/// # fn main() -> wasmtime_gc::api::Result<()> {
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let ty = ExnType::new(&engine, [ValType::I32])?;
/// let tag = Tag::new(&mut store, &ty.tag_type())?;
/// let pre = ExnRefPre::new(&mut store, ty);
/// let exn = ExnRef::new(&mut store, &pre, &tag, &[Val::I32(7)])?;
/// assert_eq!(exn.field(&mut store, 0)?.unwrap_i32(), 7);
///
/// let err = store.throw::<()>(exn).unwrap_err();
/// assert!(err.is::<wasmtime_gc::ThrownException>() && store.has_pending_exception());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ExnRefPre {
    store: u64,
    ty: ExnType,
}

impl ExnRefPre {
    /// For exceptions of a type, in a store.
    ///
    /// # Panics
    ///
    /// When the type is of another engine.
    pub fn new(mut store: impl AsContextMut, ty: ExnType) -> Self {
        assert_same(ty.engine(), store.as_context_mut().engine());
        ExnRefPre { store: store.as_context_mut().inner.data().gc.id, ty }
    }

    /// Checks what an exception is to be made of.
    fn check<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>, tag: &Tag, fields: &[Val]) -> Result<()> {
        if cx.inner.data().gc.id != self.store {
            return Err(Error::msg("attempted to use an `ExnRefPre` with the wrong store"));
        }
        if tag.type_id(&cx.as_context())? != self.ty.id() {
            return Err(Error::msg("incorrect signature for tag when creating exception object"));
        }
        let payload = self.ty.payload();
        if fields.len() != payload.len() {
            return Err(Error::msg(format!("expected {} fields, got {}", payload.len(), fields.len())));
        }
        for (val, &ty) in fields.iter().zip(payload) {
            let checked = val.check(&cx.as_context(), ty);
            checked.map_err(|err| val.unfit(err, ty, "field type mismatch"))?;
        }
        Ok(())
    }
}

impl ExnRef {
    /// A new exception.
    ///
    /// # Errors
    ///
    /// When the tag has another signature, the payload is not of its types, a handle's scope has ended,
    /// something is of another store, or the GC heap is full.
    pub fn new(
        mut store: impl AsContextMut,
        allocator: &ExnRefPre,
        tag: &Tag,
        fields: &[Val],
    ) -> Result<Rooted<ExnRef>> {
        let mut cx = store.as_context_mut();
        allocator.check(&mut cx, tag, fields)?;
        let payload = allocator.ty.payload();
        let object = exceptions::object_type(&cx.inner, allocator.ty.signature()?)?;
        let word = exceptions::alloc(&mut cx.inner, object, tag.identity)?;
        // References are read only now, since the allocation may have moved what they refer to.
        for (i, (val, &ty)) in fields.iter().zip(payload).enumerate() {
            let bits = to_bits(&mut cx, val, ty)?;
            exceptions::set(&mut cx.inner, word, i, bits)?;
        }
        Rooted::new(&mut cx, word)
    }

    /// The same as [`ExnRef::new`], in a store whose limiter is asynchronous.
    ///
    /// # Errors
    ///
    /// As [`ExnRef::new`].
    pub async fn new_async(
        mut store: impl AsContextMut,
        allocator: &ExnRefPre,
        tag: &Tag,
        fields: &[Val],
    ) -> Result<Rooted<ExnRef>> {
        patiently(store.as_context_mut().inner, |inner| ExnRef::new(StoreContextMut { inner }, allocator, tag, fields))
            .await
    }

    /// The exception's type.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn ty(&self, store: impl AsContext) -> Result<ExnType> {
        let cx = store.as_context();
        ExnType::of(cx.engine(), self.tag_in(&cx)?.type_id(&cx)?)
    }

    /// Whether it is of a type: `exn`, or its own.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn matches_ty(&self, store: impl AsContext, ty: &HeapType) -> Result<bool> {
        Ok(HeapType::from(self.ty(store)?).matches(ty))
    }

    /// The exception's tag.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn tag(&self, mut store: impl AsContextMut) -> Result<Tag> {
        self.tag_in(&store.as_context_mut().as_context())
    }

    fn tag_in<T: 'static>(&self, cx: &StoreContext<'_, T>) -> Result<Tag> {
        let identity = exceptions::identity(&cx.inner, self.word(cx)?)?;
        Ok(Tag { store: cx.inner.data().gc.id, identity })
    }

    /// A value of the payload.
    ///
    /// # Errors
    ///
    /// When there is none at the index, the handle's scope has ended, or the store is another.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val> {
        let mut cx = store.as_context_mut();
        let ty = self.ty(&cx)?;
        let payload = ty.payload();
        let Some(&field) = payload.get(index) else {
            return Err(Error::msg(format!("cannot access field {index}: exn only has {} fields", payload.len())));
        };
        of_bits(&mut cx, self, index, field)
    }

    /// The payload, in order.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn fields<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<impl ExactSizeIterator<Item = Val> + 'a> {
        let mut cx = store.into();
        let ty = self.ty(&cx)?;
        let fields = ty.payload().iter().enumerate().map(|(i, &ty)| of_bits(&mut cx, self, i, ty));
        Ok(fields.collect::<Result<Vec<Val>>>()?.into_iter())
    }
}

/// A value as an object holds it.
fn to_bits<T: 'static>(cx: &mut StoreContextMut<'_, T>, val: &Val, ty: t::ValType) -> Result<u128> {
    use wasmtime::Val as W;
    Ok(match val.lower(cx, ty)? {
        W::I32(v) => (v as u32).into(),
        W::I64(v) => (v as u64).into(),
        W::F32(bits) => bits.into(),
        W::F64(bits) => bits.into(),
        W::V128(v) => v.as_u128(),
        W::FuncRef(func) => handles::handle_of(&mut cx.inner, func)?.into(),
        _ => return Err(Error::new(crate::fault::Error::bug("a lowered value of a GC type"))),
    })
}

/// A value of the payload.
fn of_bits<T: 'static>(cx: &mut StoreContextMut<'_, T>, exn: &ExnRef, index: usize, ty: t::ValType) -> Result<Val> {
    let bits = exceptions::get(&cx.inner, exn.word(&cx.as_context())?, index)?;
    Ok(match ty {
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
