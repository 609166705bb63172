//! Structs.

use super::eqref::upcasts;
use super::fields::{object, rooted, slot, value};
use super::rooting::{OwnedRooted, Rooted, gc_ref};
use super::{AnyRef, EqRef};
use crate::api::store::{AsContext, AsContextMut, StoreContextMut};
use crate::api::types::{StructType, assert_same};
use crate::api::values::Val;
use crate::api::{Error, Result};
use crate::layout::{GcType, Width};
use crate::runtime::objects::{self, Object, Slot};
use crate::runtime::ready::patiently;
use crate::types as t;
use smallvec::SmallVec;
use std::sync::{Arc, OnceLock};

/// What structs of a type are made by, in one store.
///
/// ```
/// use wasmtime_gc::{FieldType, Mutability, StorageType, Store, StructRef, StructRefPre, StructType, Val, ValType};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut store = Store::<()>::default();
/// let field = |ty| FieldType::new(Mutability::Var, ty);
/// let ty = StructType::new(store.engine(), [field(StorageType::I8), field(ValType::F32.into())])?;
/// // Made once, used for every struct of the type.
/// let pre = StructRefPre::new(&mut store, ty);
/// for i in 0..100 {
///     let pair = StructRef::new(&mut store, &pre, &[Val::I32(i), Val::F32(0)])?;
///     assert_eq!(pair.field(&mut store, 0)?.unwrap_i32(), i);
/// }
/// # Ok(())
/// # }
/// ```
pub struct StructRefPre {
    store: u64,
    ty: StructType,
    object: OnceLock<Arc<GcType>>,
}

impl std::fmt::Debug for StructRefPre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StructRefPre").field("ty", &self.ty).finish_non_exhaustive()
    }
}

impl StructRefPre {
    /// For structs of a type, in a store.
    ///
    /// # Panics
    ///
    /// When the type is of another engine.
    pub fn new(mut store: impl AsContextMut, ty: StructType) -> Self {
        assert_same(ty.engine(), store.as_context_mut().engine());
        let cx = store.as_context_mut();
        StructRefPre { store: cx.inner.data().gc.id, ty, object: OnceLock::new() }
    }

    /// The type with its layout, known to the store.
    fn object<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>) -> Result<&Arc<GcType>> {
        if cx.inner.data().gc.id != self.store {
            return Err(Error::msg("attempted to use a `StructRefPre` with the wrong store"));
        }
        if let Some(ty) = self.object.get() {
            return Ok(ty);
        }
        let ty = objects::object_type(&mut cx.inner, self.ty.id())?;
        Ok(self.object.get_or_init(|| ty))
    }
}

gc_ref! {
    /// A struct.
    ///
    /// ```
    /// use wasmtime_gc::{FieldType, Instance, Module, Mutability, Rooted, StorageType, Store, StructRef};
    /// use wasmtime_gc::{StructRefPre, StructType, Val, ValType};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let int = FieldType::new(Mutability::Var, ValType::I32.into());
    /// let fixed = FieldType::new(Mutability::Const, StorageType::I16);
    /// let ty = StructType::new(store.engine(), [int, fixed])?;
    /// let pre = StructRefPre::new(&mut store, ty.clone());
    /// let object = StructRef::new(&mut store, &pre, &[Val::I32(1), Val::I32(2)])?;
    ///
    /// // Fields are read, and written as far as the type allows.
    /// object.set_field(&mut store, 0, Val::I32(-5))?;
    /// let fields: Vec<i32> = object.fields(&mut store)?.map(|field| field.unwrap_i32()).collect();
    /// assert_eq!(fields, [-5, 2]);
    /// assert!(object.set_field(&mut store, 1, Val::I32(3)).is_err());
    /// assert!(object.set_field(&mut store, 0, Val::I64(3)).is_err());
    /// assert!(object.field(&mut store, 2).is_err());
    ///
    /// // A guest that declares the same type takes it.
    /// let module = Module::new(
    ///     store.engine(),
    ///     r#"(module
    ///         (type $s (struct (field (mut i32)) (field i16)))
    ///         (func (export "first") (param (ref $s)) (result i32) (struct.get $s 0 (local.get 0))))"#,
    /// )?;
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let first = instance.get_typed_func::<Rooted<StructRef>, i32>(&mut store, "first")?;
    /// assert_eq!(first.call(&mut store, object)?, -5);
    /// assert!(object.matches_ty(&store, &ty)?);
    /// # Ok(())
    /// # }
    /// ```
    StructRef
}

upcasts! {
    StructRef AnyRef to_anyref;
    StructRef EqRef to_eqref;
}

impl StructRef {
    /// A new struct.
    ///
    /// # Errors
    ///
    /// When there are too many or too few fields, one is not of its type, a handle's scope has ended, something is
    /// of another store, or the heap is full: then the error is a
    /// [`GcHeapOutOfMemory`](crate::api::GcHeapOutOfMemory).
    pub fn new(mut store: impl AsContextMut, allocator: &StructRefPre, fields: &[Val]) -> Result<Rooted<StructRef>> {
        let mut cx = store.as_context_mut();
        let ty = allocator.object(&mut cx)?;
        let types = fields_of(ty);
        if types.len() != fields.len() {
            return Err(Error::msg(format!("expected {} fields, got {}", types.len(), fields.len())));
        }
        let mut slots = SmallVec::<[Slot; 8]>::with_capacity(fields.len());
        for (field, ty) in fields.iter().zip(types) {
            slots.push(slot(&mut cx, field, ty.storage, || "field type mismatch")?);
        }
        let word = objects::new_struct(&mut cx.inner, ty, &slots)?;
        rooted(&mut cx, word)
    }

    /// The same as [`StructRef::new`], in a store whose limiter is asynchronous.
    ///
    /// # Errors
    ///
    /// As [`StructRef::new`].
    pub async fn new_async(
        mut store: impl AsContextMut,
        allocator: &StructRefPre,
        fields: &[Val],
    ) -> Result<Rooted<StructRef>> {
        patiently(store.as_context_mut().inner, |inner| StructRef::new(StoreContextMut { inner }, allocator, fields))
            .await
    }

    /// Its type.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn ty(&self, store: impl AsContext) -> Result<StructType> {
        let cx = store.as_context();
        let object = object(&cx, self)?;
        let id = object.ty.id.ok_or_else(|| Error::new(crate::fault::Error::bug("a struct without a type")))?;
        Ok(StructType::of(cx.engine(), id))
    }

    /// Whether it is of a type.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn matches_ty(&self, store: impl AsContext, ty: &StructType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// Its fields, in order.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn fields<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<impl ExactSizeIterator<Item = Val> + 'a> {
        let mut cx = store.into();
        let object = object(&cx.as_context(), self)?;
        let fields = (0..object.fields().len()).map(|i| read(&mut cx, &object, i));
        Ok(fields.collect::<Result<Vec<Val>>>()?.into_iter())
    }

    /// A field. Packed ones are extended by zeroes.
    ///
    /// # Errors
    ///
    /// When there is none at the index, the handle's scope has ended, or the store is another.
    pub fn field(&self, mut store: impl AsContextMut, index: usize) -> Result<Val> {
        let mut cx = store.as_context_mut();
        let object = object(&cx.as_context(), self)?;
        read(&mut cx, &object, index)
    }

    /// Sets a field. Of a value for a packed one the low bits count.
    ///
    /// # Errors
    ///
    /// When there is none at the index, it is immutable, the value is not of its type, a handle's scope has ended,
    /// or something is of another store.
    pub fn set_field(&self, mut store: impl AsContextMut, index: usize, value: Val) -> Result<()> {
        let mut cx = store.as_context_mut();
        let object = object(&cx.as_context(), self)?;
        let (field, offset) = place(&object, index)?;
        if !field.mutable {
            return Err(Error::msg(format!("cannot set field {index}: field is not mutable")));
        }
        let slot = slot(&mut cx, &value, field.storage, || format!("cannot set field {index}: type mismatch"))?;
        objects::set(&mut cx.inner, object.word, offset, Width::of(field.storage), slot)
    }
}

fn fields_of(ty: &GcType) -> &[t::FieldType] {
    match ty.def.as_ref().map(|def| &def.sub.composite) {
        Some(t::CompositeType::Struct(fields)) => fields,
        _ => &[],
    }
}

/// A field, and where it is.
fn place(object: &Object, index: usize) -> Result<(t::FieldType, u32)> {
    let fields = object.fields();
    let Some((&field, offset)) = fields.get(index).zip(object.field_offset(index)) else {
        return Err(Error::msg(format!("cannot access field {index}: struct only has {} fields", fields.len())));
    };
    Ok((field, offset))
}

fn read<T: 'static>(cx: &mut StoreContextMut<'_, T>, object: &Object, index: usize) -> Result<Val> {
    let (field, offset) = place(object, index)?;
    value(cx, object, offset, field.storage)
}
