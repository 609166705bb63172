//! References that guests can compare.

use super::AnyRef;
use super::anyref::of_i31;
use super::rooting::{OwnedRooted, Rooted, gc_ref};
use crate::api::I31;
use crate::api::store::AsContextMut;

gc_ref! {
    /// A reference to what `ref.eq` compares: an i31, a struct, an array.
    ///
    /// ```
    /// use wasmtime_gc::{EqRef, I31, Instance, Module, Rooted, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let module = Module::new(
    ///     store.engine(),
    ///     r#"(module (func (export "same") (param eqref eqref) (result i32)
    ///         (ref.eq (local.get 0) (local.get 1))))"#,
    /// )?;
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let same = instance
    ///     .get_typed_func::<(Option<Rooted<EqRef>>, Option<Rooted<EqRef>>), i32>(&mut store, "same")?;
    /// let seven = EqRef::from_i31(&mut store, I31::wrapping_u32(7));
    /// let eight = EqRef::from_i31(&mut store, I31::wrapping_u32(8));
    /// assert_eq!(same.call(&mut store, (Some(seven), Some(seven)))?, 1);
    /// assert_eq!(same.call(&mut store, (Some(seven), Some(eight)))?, 0);
    /// assert_eq!(seven.to_anyref().unwrap_eqref(&mut store)?.unwrap_i31(&store)?.get_u32(), 7);
    /// # Ok(())
    /// # }
    /// ```
    EqRef
}

impl EqRef {
    /// An unboxed 31-bit integer as a reference.
    ///
    /// ```
    /// use wasmtime_gc::{EqRef, I31, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let number = EqRef::from_i31(&mut store, I31::wrapping_u32(17));
    /// assert!(number.is_i31(&store)?);
    /// assert_eq!(number.unwrap_i31(&store)?.get_u32(), 17);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_i31(mut store: impl AsContextMut, value: I31) -> Rooted<Self> {
        of_i31(&mut store.as_context_mut(), value)
    }
}

/// A handle as one to a supertype.
macro_rules! upcasts {
    ($($from:ident $to:ident $name:ident;)*) => {
        $(
            impl Rooted<$from> {
                #[doc = concat!("The same handle, as one to [`", stringify!($to), "`].")]
                #[inline]
                pub fn $name(self) -> Rooted<$to> {
                    self.cast()
                }
            }

            impl OwnedRooted<$from> {
                #[doc = concat!("The same handle, as one to [`", stringify!($to), "`].")]
                #[inline]
                pub fn $name(self) -> OwnedRooted<$to> {
                    self.cast()
                }
            }

            impl From<Rooted<$from>> for Rooted<$to> {
                #[inline]
                fn from(handle: Rooted<$from>) -> Rooted<$to> {
                    handle.cast()
                }
            }

            impl From<OwnedRooted<$from>> for OwnedRooted<$to> {
                #[inline]
                fn from(handle: OwnedRooted<$from>) -> OwnedRooted<$to> {
                    handle.cast()
                }
            }
        )*
    };
}

pub(super) use upcasts;

upcasts! {
    EqRef AnyRef to_anyref;
}
