//! The types that have no value but null.

use crate::api::types::{HeapType, RefType, ValType};
use crate::api::values::{Ref, Val};
use std::convert::Infallible;

macro_rules! bottoms {
    ($($(#[$doc:meta])* $name:ident $variant:ident $val:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Copy, Clone, Debug, PartialEq, Eq)]
            pub struct $name {
                never: Infallible,
            }

            impl $name {
                /// The null reference, as a parameter or result of a typed function.
                #[inline]
                pub fn null() -> Option<Self> {
                    None
                }

                /// The null reference.
                #[inline]
                pub fn null_ref() -> Ref {
                    Ref::$variant(None)
                }

                /// The null reference, as a value.
                #[inline]
                pub fn null_val() -> Val {
                    Val::$val(None)
                }

                pub(crate) fn never<T>(self) -> T {
                    match self.never {}
                }
            }
        )*
    };
}

bottoms! {
    /// A reference that is none: there is no value of this type, and one of `Option<NoneRef>`, the null of all
    /// internal references.
    ///
    /// ```
    /// use wasmtime_gc::{Func, NoneRef, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let null = Func::wrap(&mut store, |none: Option<NoneRef>| none.is_none() as i32);
    /// assert_eq!(null.typed::<Option<NoneRef>, i32>(&store)?.call(&mut store, NoneRef::null())?, 1);
    /// assert!(NoneRef::null_ref().is_null());
    /// # Ok(())
    /// # }
    /// ```
    NoneRef Any AnyRef;
    /// An external reference that is none: there is no value of this type, and one of `Option<NoExtern>`, null.
    NoExtern Extern ExternRef;
    /// A function reference that is none: there is no value of this type, and one of `Option<NoFunc>`, null.
    NoFunc Func FuncRef;
}

/// The type of a value of one of these.
pub(crate) fn bottom(nullable: bool, heap: HeapType) -> ValType {
    ValType::Ref(RefType::new(nullable, heap))
}
