//! Arrays.

use super::eqref::upcasts;
use super::fields::{object, rooted, slot, value};
use super::rooting::{OwnedRooted, Rooted, gc_ref};
use super::{AnyRef, EqRef};
use crate::api::store::{AsContext, AsContextMut, StoreContextMut};
use crate::api::types::{ArrayType, StorageType, assert_same};
use crate::api::values::Val;
use crate::api::{Error, Result};
use crate::layout::{GcType, Width};
use crate::runtime::objects::{self, Elements, Object, Slot, element_offset};
use crate::runtime::ready::patiently;
use crate::types as t;
use std::sync::{Arc, OnceLock};
use wasmtime::AsContext as _;

const MISMATCH: &str = "element type mismatch";

/// What arrays of a type are made by, in one store.
///
/// ```
/// use wasmtime_gc::{ArrayRef, ArrayRefPre, ArrayType, FieldType, Mutability, Store, Val, ValType};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut store = Store::<()>::default();
/// let ty = ArrayType::new(store.engine(), FieldType::new(Mutability::Var, ValType::I64.into()));
/// let pre = ArrayRefPre::new(&mut store, ty);
/// for len in 0..10 {
///     let array = ArrayRef::new(&mut store, &pre, &Val::I64(1), len)?;
///     assert_eq!(array.len(&store)?, len);
/// }
/// # Ok(())
/// # }
/// ```
pub struct ArrayRefPre {
    store: u64,
    ty: ArrayType,
    object: OnceLock<Arc<GcType>>,
}

impl std::fmt::Debug for ArrayRefPre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrayRefPre").field("ty", &self.ty).finish_non_exhaustive()
    }
}

impl ArrayRefPre {
    /// For arrays of a type, in a store.
    ///
    /// # Panics
    ///
    /// When the type is of another engine.
    pub fn new(mut store: impl AsContextMut, ty: ArrayType) -> Self {
        assert_same(ty.engine(), store.as_context_mut().engine());
        let cx = store.as_context_mut();
        ArrayRefPre { store: cx.inner.data().gc.id, ty, object: OnceLock::new() }
    }

    /// The type with its layout, known to the store, and what its elements hold.
    fn object<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>) -> Result<(&Arc<GcType>, t::StorageType)> {
        if cx.inner.data().gc.id != self.store {
            return Err(Error::msg("attempted to use a `ArrayRefPre` with the wrong store"));
        }
        let ty = match self.object.get() {
            Some(ty) => ty,
            None => {
                let ty = objects::object_type(&mut cx.inner, self.ty.id())?;
                self.object.get_or_init(|| ty)
            }
        };
        match ty.def.as_ref().map(|def| &def.sub.composite) {
            Some(t::CompositeType::Array(element)) => Ok((ty, element.storage)),
            _ => Err(bug()),
        }
    }
}

#[cold]
fn bug() -> Error {
    Error::new(crate::fault::Error::bug("an array without an array type"))
}

gc_ref! {
    /// An array.
    ///
    /// ```
    /// use wasmtime_gc::{AnyRef, ArrayRef, ArrayRefPre, ArrayType, FieldType, I31, Mutability, Store, Val, ValType};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let ty = ArrayType::new(store.engine(), FieldType::new(Mutability::Var, ValType::ANYREF.into()));
    /// let pre = ArrayRefPre::new(&mut store, ty.clone());
    ///
    /// // All elements the same, or each by itself.
    /// let nulls = ArrayRef::new(&mut store, &pre, &Val::AnyRef(None), 3)?;
    /// let one = AnyRef::from_i31(&mut store, I31::wrapping_u32(1));
    /// let array = ArrayRef::new_fixed(&mut store, &pre, &[one.into(), nulls.into()])?;
    /// assert_eq!(array.len(&store)?, 2);
    ///
    /// let first = array.get(&mut store, 0)?;
    /// assert_eq!(first.unwrap_anyref().unwrap().unwrap_i31(&store)?.get_u32(), 1);
    /// array.set(&mut store, 0, Val::AnyRef(None))?;
    /// assert_eq!(array.elems(&mut store)?.filter(|element| element.unwrap_anyref().is_none()).count(), 1);
    /// assert!(array.get(&mut store, 2).is_err());
    /// assert!(array.set(&mut store, 0, Val::I32(0)).is_err());
    /// assert!(array.matches_ty(&store, &ty)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Bytes go in and out at once:
    ///
    /// ```
    /// use wasmtime_gc::{ArrayRef, ArrayRefPre, ArrayType, FieldType, Mutability, StorageType, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let ty = ArrayType::new(store.engine(), FieldType::new(Mutability::Const, StorageType::I8));
    /// let pre = ArrayRefPre::new(&mut store, ty);
    /// let text = ArrayRef::new_from_i8_slice(&mut store, &pre, b"in one piece")?;
    /// let mut copy = vec![0; text.len(&store)? as usize];
    /// text.copy_to_i8_slice(&mut store, &mut copy)?;
    /// assert_eq!(copy, b"in one piece");
    /// # Ok(())
    /// # }
    /// ```
    ArrayRef
}

upcasts! {
    ArrayRef AnyRef to_anyref;
    ArrayRef EqRef to_eqref;
}

impl ArrayRef {
    /// A new array, with every element the same.
    ///
    /// # Errors
    ///
    /// When the element is not of the type, its handle's scope has ended, something is of another store, or the heap
    /// is full: then the error is a [`GcHeapOutOfMemory`](crate::api::GcHeapOutOfMemory).
    pub fn new(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elem: &Val,
        len: u32,
    ) -> Result<Rooted<ArrayRef>> {
        let mut cx = store.as_context_mut();
        let (ty, storage) = allocator.object(&mut cx)?;
        let slot = slot(&mut cx, elem, storage, || MISMATCH)?;
        let word = objects::new_array(&mut cx.inner, ty, Elements::Repeat(slot, len))?;
        rooted(&mut cx, word)
    }

    /// The same as [`ArrayRef::new`], in a store whose limiter is asynchronous.
    ///
    /// # Errors
    ///
    /// As [`ArrayRef::new`].
    pub async fn new_async(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elem: &Val,
        len: u32,
    ) -> Result<Rooted<ArrayRef>> {
        patiently(store.as_context_mut().inner, |inner| ArrayRef::new(StoreContextMut { inner }, allocator, elem, len))
            .await
    }

    /// A new array of these elements.
    ///
    /// # Errors
    ///
    /// As [`ArrayRef::new`].
    pub fn new_fixed(mut store: impl AsContextMut, allocator: &ArrayRefPre, elems: &[Val]) -> Result<Rooted<ArrayRef>> {
        let mut cx = store.as_context_mut();
        let (ty, storage) = allocator.object(&mut cx)?;
        let slots: Result<Vec<Slot>> = elems.iter().map(|elem| slot(&mut cx, elem, storage, || MISMATCH)).collect();
        let slots = slots?;
        let word = objects::new_array(&mut cx.inner, ty, Elements::Each(&slots))?;
        rooted(&mut cx, word)
    }

    /// The same as [`ArrayRef::new_fixed`], in a store whose limiter is asynchronous.
    ///
    /// # Errors
    ///
    /// As [`ArrayRef::new`].
    pub async fn new_fixed_async(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elems: &[Val],
    ) -> Result<Rooted<ArrayRef>> {
        patiently(store.as_context_mut().inner, |inner| {
            ArrayRef::new_fixed(StoreContextMut { inner }, allocator, elems)
        })
        .await
    }

    /// A new array of these bytes.
    ///
    /// # Errors
    ///
    /// When the elements are no packed bytes, or as [`ArrayRef::new`].
    pub fn new_from_i8_slice(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elems: &[u8],
    ) -> Result<Rooted<ArrayRef>> {
        let mut cx = store.as_context_mut();
        let (ty, storage) = allocator.object(&mut cx)?;
        if storage != t::StorageType::I8 {
            return Err(not_bytes(&allocator.ty.element_type(), "initialize", "from"));
        }
        let word = objects::new_array(&mut cx.inner, ty, Elements::Bytes(elems))?;
        rooted(&mut cx, word)
    }

    /// The same as [`ArrayRef::new_from_i8_slice`], in a store whose limiter is asynchronous.
    ///
    /// # Errors
    ///
    /// As [`ArrayRef::new_from_i8_slice`].
    pub async fn new_from_i8_slice_async(
        mut store: impl AsContextMut,
        allocator: &ArrayRefPre,
        elems: &[u8],
    ) -> Result<Rooted<ArrayRef>> {
        patiently(store.as_context_mut().inner, |inner| {
            ArrayRef::new_from_i8_slice(StoreContextMut { inner }, allocator, elems)
        })
        .await
    }

    /// Copies all elements, which are bytes.
    ///
    /// # Errors
    ///
    /// When the elements are no packed bytes, there are more or fewer of them than there is room, the handle's scope
    /// has ended, or the store is another.
    pub fn copy_to_i8_slice(&self, mut store: impl AsContextMut, dst: &mut [u8]) -> Result<()> {
        let cx = store.as_context_mut();
        let object = object(&cx.as_context(), self)?;
        if element(&object)?.storage != t::StorageType::I8 {
            return Err(not_bytes(&self.ty(&cx)?.element_type(), "read", "into"));
        }
        let cx = cx.inner.as_context();
        let len = object.len(&cx)?;
        if dst.len() != len as usize {
            let dst = dst.len();
            return Err(Error::msg(format!("destination slice length is {dst} but the array length is {len}")));
        }
        dst.copy_from_slice(object.element_bytes(&cx, len)?);
        Ok(())
    }

    /// Its type.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn ty(&self, store: impl AsContext) -> Result<ArrayType> {
        let cx = store.as_context();
        let id = object(&cx, self)?.ty.id.ok_or_else(bug)?;
        Ok(ArrayType::of(cx.engine(), id))
    }

    /// Whether it is of a type.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn matches_ty(&self, store: impl AsContext, ty: &ArrayType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// How many elements it has.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn len(&self, store: impl AsContext) -> Result<u32> {
        let cx = store.as_context();
        object(&cx, self)?.len(&cx.inner)
    }

    /// Its elements, in order.
    ///
    /// # Errors
    ///
    /// When the handle's scope has ended, or the store is another.
    pub fn elems<'a, T: 'static>(
        &'a self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<impl ExactSizeIterator<Item = Val> + 'a> {
        let mut cx = store.into();
        let object = object(&cx.as_context(), self)?;
        let (len, storage) = (object.len(&cx.inner.as_context())?, element(&object)?.storage);
        // Making handles moves nothing, so the object stays where it is.
        let elems = (0..len).map(|i| read(&mut cx, &object, i, storage));
        Ok(elems.collect::<Result<Vec<Val>>>()?.into_iter())
    }

    /// An element. Packed ones are extended by zeroes.
    ///
    /// # Errors
    ///
    /// When there is none at the index, the handle's scope has ended, or the store is another.
    pub fn get(&self, mut store: impl AsContextMut, index: u32) -> Result<Val> {
        let mut cx = store.as_context_mut();
        let object = object(&cx.as_context(), self)?;
        let storage = element(&object)?.storage;
        check(index, object.len(&cx.inner.as_context())?)?;
        read(&mut cx, &object, index, storage)
    }

    /// Sets an element. Of a value for a packed one the low bits count.
    ///
    /// # Errors
    ///
    /// When there is none at the index, elements are immutable, the value is not of their type, a handle's scope has
    /// ended, or something is of another store.
    pub fn set(&self, mut store: impl AsContextMut, index: u32, value: Val) -> Result<()> {
        let mut cx = store.as_context_mut();
        let object = object(&cx.as_context(), self)?;
        let element = element(&object)?;
        if !element.mutable {
            return Err(Error::msg(format!("cannot set element {index}: array elements are not mutable")));
        }
        let slot = slot(&mut cx, &value, element.storage, || format!("cannot set element {index}: type mismatch"))?;
        check(index, object.len(&cx.inner.as_context())?)?;
        let width = Width::of(element.storage);
        objects::set(&mut cx.inner, object.word, element_offset(width, index), width, slot)
    }
}

fn element(object: &Object) -> Result<t::FieldType> {
    object.element().ok_or_else(bug)
}

fn check(index: u32, len: u32) -> Result<()> {
    if index < len {
        return Ok(());
    }
    Err(Error::msg(format!("index out of bounds: the length is {len} but the index is {index}")))
}

fn read<T: 'static>(
    cx: &mut StoreContextMut<'_, T>,
    object: &Object,
    index: u32,
    storage: t::StorageType,
) -> Result<Val> {
    value(cx, object, element_offset(Width::of(storage), index), storage)
}

#[cold]
fn not_bytes(ty: &StorageType, verb: &str, way: &str) -> Error {
    Error::msg(format!("element type mismatch: cannot {verb} an array of `{ty}` elements {way} a slice of `i8`s"))
}
