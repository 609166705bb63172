//! Values of any type.
//!
//! At the border between host and lowered code, references of the GC hierarchies become words of the
//! heap, checked against their original type; everything else goes through as it is.

use super::func::Func;
use super::gc::{AnyRef, ArrayRef, EqRef, ExnRef, ExternRef, GcRefImpl, Rooted, StructRef, Unrooted, heap_type_of};
use super::store::{AsContext, StoreContext, StoreContextMut};
use super::types::{ContRef, HeapType, RefType, ValType};
use super::{Error, Result, V128};
use crate::layout::reference::NULL;
use crate::types as t;

/// A value of any WebAssembly type.
#[derive(Debug, Clone, Copy)]
pub enum Val {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// A 32-bit float, as its bits.
    F32(u32),
    /// A 64-bit float, as its bits.
    F64(u64),
    /// A vector.
    V128(V128),
    /// A function reference.
    FuncRef(Option<Func>),
    /// An external reference.
    ExternRef(Option<Rooted<ExternRef>>),
    /// An internal reference.
    AnyRef(Option<Rooted<AnyRef>>),
    /// An exception reference.
    ExnRef(Option<Rooted<ExnRef>>),
    /// A continuation reference, which fits no type.
    ContRef(Option<ContRef>),
}

/// A reference of any type.
#[derive(Debug, Clone, Copy)]
pub enum Ref {
    /// A function reference.
    Func(Option<Func>),
    /// An external reference.
    Extern(Option<Rooted<ExternRef>>),
    /// An internal reference.
    Any(Option<Rooted<AnyRef>>),
    /// An exception reference.
    Exn(Option<Rooted<ExnRef>>),
}

macro_rules! ref_accessors {
    ($($variant:ident($ty:ty) $is:ident $get:ident $unwrap:ident;)*) => {
        $(
            /// Whether this is in the hierarchy, null or not.
            pub fn $is(&self) -> bool {
                matches!(self, Ref::$variant(_))
            }

            /// The reference, or null, if this is in the hierarchy.
            pub fn $get(&self) -> Option<Option<&$ty>> {
                match self {
                    Ref::$variant(value) => Some(value.as_ref()),
                    _ => None,
                }
            }

            /// The reference, or null.
            ///
            /// # Panics
            ///
            /// When this is in another hierarchy.
            #[track_caller]
            pub fn $unwrap(&self) -> Option<&$ty> {
                match self.$get() {
                    Some(value) => value,
                    None => panic!(concat!("expected ", stringify!($ty), ", found {:?}"), self),
                }
            }
        )*
    };
}

impl Ref {
    /// The null of a heap type's hierarchy.
    ///
    /// # Panics
    ///
    /// For types of continuations, which are not among these references.
    #[track_caller]
    pub fn null(heap_type: &HeapType) -> Self {
        match heap_type.to_canon().top() {
            t::HeapTop::Any => Ref::Any(None),
            t::HeapTop::Exn => Ref::Exn(None),
            t::HeapTop::Cont => panic!("`{heap_type}` has no references that the host can hold"),
            t::HeapTop::Extern => Ref::Extern(None),
            t::HeapTop::Func => Ref::Func(None),
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Ref::Func(None) | Ref::Extern(None) | Ref::Any(None) | Ref::Exn(None))
    }

    /// Whether this is not null.
    pub fn is_non_null(&self) -> bool {
        !self.is_null()
    }

    /// The most precise type of the reference.
    ///
    /// # Errors
    ///
    /// When this is a handle whose scope has ended, or the store is another.
    pub fn ty(&self, store: impl AsContext) -> Result<RefType> {
        match Val::from(*self).ty(store)? {
            ValType::Ref(ty) => Ok(ty),
            _ => Err(Error::new(crate::fault::Error::bug("a reference is no reference"))),
        }
    }

    /// Whether the reference is of a type.
    ///
    /// # Errors
    ///
    /// When this is a handle whose scope has ended, or the store is another.
    pub fn matches_ty(&self, store: impl AsContext, ty: &RefType) -> Result<bool> {
        Val::from(*self).matches_ty(store, &ValType::Ref(ty.clone()))
    }

    ref_accessors! {
        Func(Func) is_func as_func unwrap_func;
        Extern(Rooted<ExternRef>) is_extern as_extern unwrap_extern;
        Any(Rooted<AnyRef>) is_any as_any unwrap_any;
        Exn(Rooted<ExnRef>) is_exn as_exn unwrap_exn;
    }
}

macro_rules! accessors {
    ($($variant:ident($ty:ty) $get:ident $unwrap:ident |$value:ident| $convert:expr;)*) => {
        $(
            /// The value, if it is of this type.
            pub fn $get(&self) -> Option<$ty> {
                match self {
                    Val::$variant($value) => Some($convert),
                    _ => None,
                }
            }

            /// The value.
            ///
            /// # Panics
            ///
            /// When it is of another type.
            #[track_caller]
            pub fn $unwrap(&self) -> $ty {
                match self.$get() {
                    Some(value) => value,
                    None => panic!(concat!("expected ", stringify!($ty), ", found {:?}"), self),
                }
            }
        )*
    };
}

impl Val {
    accessors! {
        I32(i32) i32 unwrap_i32 |v| *v;
        I64(i64) i64 unwrap_i64 |v| *v;
        F32(f32) f32 unwrap_f32 |v| f32::from_bits(*v);
        F64(f64) f64 unwrap_f64 |v| f64::from_bits(*v);
        V128(V128) v128 unwrap_v128 |v| *v;
        FuncRef(Option<&Func>) func_ref unwrap_func_ref |v| v.as_ref();
        ExternRef(Option<&Rooted<ExternRef>>) extern_ref unwrap_extern_ref |v| v.as_ref();
        ExnRef(Option<&Rooted<ExnRef>>) exnref unwrap_exnref |v| v.as_ref();
        AnyRef(Option<&Rooted<AnyRef>>) any_ref unwrap_any_ref |v| v.as_ref();
        FuncRef(Option<&Func>) funcref unwrap_funcref |v| v.as_ref();
        ExternRef(Option<&Rooted<ExternRef>>) externref unwrap_externref |v| v.as_ref();
        AnyRef(Option<&Rooted<AnyRef>>) anyref unwrap_anyref |v| v.as_ref();
    }

    /// The null of a heap type's hierarchy.
    pub fn null_ref(heap_type: &HeapType) -> Val {
        Ref::null(heap_type).into()
    }

    /// The null function reference.
    pub const fn null_func_ref() -> Val {
        Val::FuncRef(None)
    }

    /// The null external reference.
    pub const fn null_extern_ref() -> Val {
        Val::ExternRef(None)
    }

    /// The null exception reference.
    pub const fn null_exn_ref() -> Val {
        Val::ExnRef(None)
    }

    /// The null internal reference.
    pub const fn null_any_ref() -> Val {
        Val::AnyRef(None)
    }

    /// The default of a type: zero or null. References that can not be null have none.
    pub fn default_for_ty(ty: &ValType) -> Option<Val> {
        Val::default_for(ty.to_canon())
    }

    pub(crate) fn default_for(ty: t::ValType) -> Option<Val> {
        Some(match ty {
            t::ValType::I32 => Val::I32(0),
            t::ValType::I64 => Val::I64(0),
            t::ValType::F32 => Val::F32(0),
            t::ValType::F64 => Val::F64(0),
            t::ValType::V128 => Val::V128(0u128.into()),
            t::ValType::Ref(t::RefType { nullable: false, .. }) => return None,
            t::ValType::Ref(ty) => match ty.heap.top() {
                t::HeapTop::Any => Val::AnyRef(None),
                t::HeapTop::Exn => Val::ExnRef(None),
                t::HeapTop::Cont => Val::ContRef(None),
                t::HeapTop::Extern => Val::ExternRef(None),
                t::HeapTop::Func => Val::FuncRef(None),
            },
        })
    }

    /// The reference, if this is one.
    pub fn ref_(self) -> Option<Ref> {
        match self {
            Val::FuncRef(func) => Some(Ref::Func(func)),
            Val::ExternRef(external) => Some(Ref::Extern(external)),
            Val::AnyRef(any) => Some(Ref::Any(any)),
            Val::ExnRef(exn) => Some(Ref::Exn(exn)),
            _ => None,
        }
    }

    /// The most precise type of the value.
    ///
    /// # Errors
    ///
    /// When this is a handle whose scope has ended, or the store is another.
    pub fn ty(&self, store: impl AsContext) -> Result<ValType> {
        let cx = store.as_context();
        if let Val::ExnRef(Some(exn)) = self {
            return Ok(ValType::Ref(RefType::new(false, exn.ty(&cx)?.into())));
        }
        let ty = self.canon_ty(&cx)?;
        Ok(ValType::from_canon(cx.engine(), ty))
    }

    fn canon_ty<T: 'static>(&self, cx: &StoreContext<'_, T>) -> Result<t::ValType> {
        use t::{CompositeKind, HeapType as H, RefType as R};
        Ok(match self {
            Val::I32(_) => t::ValType::I32,
            Val::I64(_) => t::ValType::I64,
            Val::F32(_) => t::ValType::F32,
            Val::F64(_) => t::ValType::F64,
            Val::V128(_) => t::ValType::V128,
            Val::FuncRef(None) => t::ValType::Ref(R::new(true, H::NoFunc)),
            Val::FuncRef(Some(func)) => {
                t::ValType::Ref(R::new(false, H::Concrete(CompositeKind::Func, func.type_id(cx)?)))
            }
            Val::ExternRef(None) => t::ValType::Ref(R::new(true, H::NoExtern)),
            Val::ExternRef(Some(external)) => {
                external.word(cx)?;
                t::ValType::Ref(R::new(false, H::Extern))
            }
            Val::ExnRef(None) => t::ValType::Ref(R::new(true, H::NoExn)),
            Val::ExnRef(Some(exn)) => {
                exn.word(cx)?;
                t::ValType::Ref(R::new(false, H::Exn))
            }
            Val::ContRef(_) => {
                return Err(Error::msg("references to continuations have no type: no guest takes or gives any"));
            }
            Val::AnyRef(None) => t::ValType::Ref(R::new(true, H::None)),
            Val::AnyRef(Some(any)) => {
                let heap = heap_type_of(cx, any.word(cx)?);
                t::ValType::Ref(R { nullable: false, exact: heap.concrete().is_some(), heap })
            }
        })
    }

    /// Whether the value is of a type.
    ///
    /// # Errors
    ///
    /// When this is a handle whose scope has ended, or the store is another.
    pub fn matches_ty(&self, store: impl AsContext, ty: &ValType) -> Result<bool> {
        let cx = store.as_context();
        if matches!(self, Val::ContRef(_)) {
            return Ok(false);
        }
        if matches!(ty, ValType::Ref(ty) if ty.heap_type().is_concrete_exn()) {
            // A type that is not among the canonical ones.
            return Ok(self.ty(&cx)?.matches(ty));
        }
        self.matches(&cx, ty.to_canon())
    }

    pub(crate) fn matches<T: 'static>(&self, cx: &StoreContext<'_, T>, ty: t::ValType) -> Result<bool> {
        let actual = self.canon_ty(cx)?;
        Ok(actual == ty || cx.inner.data().gc.engine.is_sub_val(actual, ty))
    }

    /// The word of a lowered reference.
    pub(crate) fn word<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>, ty: t::RefType) -> Result<u32> {
        self.check(&cx.as_context(), t::ValType::Ref(ty))?;
        match self {
            Val::ExternRef(Some(external)) => external.word(&cx.as_context()),
            Val::AnyRef(Some(any)) => any.word(&cx.as_context()),
            Val::ExnRef(Some(exn)) => exn.word(&cx.as_context()),
            _ => Ok(NULL),
        }
    }

    /// The value of a word of a type of the GC hierarchies.
    pub(crate) fn of_word<T: 'static>(cx: &mut StoreContextMut<'_, T>, word: u32, ty: t::RefType) -> Result<Val> {
        let null = word == NULL;
        Ok(match ty.heap.top() {
            t::HeapTop::Extern if null => Val::ExternRef(None),
            t::HeapTop::Extern => Val::ExternRef(Some(Rooted::new(cx, word)?)),
            t::HeapTop::Exn if null => Val::ExnRef(None),
            t::HeapTop::Exn => Val::ExnRef(Some(Rooted::new(cx, word)?)),
            _ if null => Val::AnyRef(None),
            _ => Val::AnyRef(Some(Rooted::new(cx, word)?)),
        })
    }

    /// Checks that the value is of a type.
    pub(crate) fn check<T: 'static>(&self, cx: &StoreContext<'_, T>, ty: t::ValType) -> Result<()> {
        if self.matches(cx, ty)? {
            return Ok(());
        }
        let engine = cx.engine();
        let actual = ValType::from_canon(engine, self.canon_ty(cx)?);
        let expected = ValType::from_canon(engine, ty);
        Err(Error::msg(format!("type mismatch: expected {expected}, found {actual}")))
    }

    /// The error for a value that is not good for what is wanted, which `what` says. A handle behind its scope fits each
    /// type that takes all of its references; of that nothing more is said, as in Wasmtime.
    #[cold]
    pub(crate) fn unfit(
        &self,
        err: Error,
        ty: t::ValType,
        what: impl std::fmt::Display + Send + Sync + 'static,
    ) -> Error {
        use t::HeapType as H;
        let top = match self {
            Val::AnyRef(_) => H::Any,
            Val::ExternRef(_) => H::Extern,
            Val::ExnRef(_) => H::Exn,
            _ => return err.context(what),
        };
        let takes_all = matches!(ty, t::ValType::Ref(ty) if ty.heap == top);
        if takes_all && err.is::<Unrooted>() { err } else { err.context(what) }
    }

    /// The value as lowered code takes it, which expects a value of the original type `ty`.
    pub(crate) fn lower<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>, ty: t::ValType) -> Result<wasmtime::Val> {
        self.lower_as(cx, ty, "value")
    }

    /// The same for what errors call a `what`.
    pub(crate) fn lower_as<T: 'static>(
        &self,
        cx: &mut StoreContextMut<'_, T>,
        ty: t::ValType,
        what: &str,
    ) -> Result<wasmtime::Val> {
        use wasmtime::Val as W;
        Ok(match (self, ty) {
            (Val::I32(v), t::ValType::I32) => W::I32(*v),
            (Val::I64(v), t::ValType::I64) => W::I64(*v),
            (Val::F32(v), t::ValType::F32) => W::F32(*v),
            (Val::F64(v), t::ValType::F64) => W::F64(*v),
            (Val::V128(v), t::ValType::V128) => W::V128(*v),
            (Val::FuncRef(func), t::ValType::Ref(r)) if r.is_func() => {
                func.iter().try_for_each(|func| func.check_store(cx, what))?;
                self.check(&cx.as_context(), ty)?;
                match func {
                    Some(func) => W::FuncRef(Some(func.native(cx)?)),
                    None => W::FuncRef(None),
                }
            }
            (_, t::ValType::Ref(r)) if !r.is_func() => W::I32(self.word(cx, r)? as i32),
            _ => {
                self.check(&cx.as_context(), ty)?;
                return Err(Error::new(crate::fault::Error::bug("a value matches a type that is not its own")));
            }
        })
    }

    /// A value of the original type `ty`, as lowered code gives it.
    pub(crate) fn lift<T: 'static>(
        cx: &mut StoreContextMut<'_, T>,
        value: &wasmtime::Val,
        ty: t::ValType,
    ) -> Result<Val> {
        use wasmtime::Val as W;
        Ok(match (value, ty) {
            (W::I32(word), t::ValType::Ref(r)) => Val::of_word(cx, *word as u32, r)?,
            (W::I32(v), _) => Val::I32(*v),
            (W::I64(v), _) => Val::I64(*v),
            (W::F32(v), _) => Val::F32(*v),
            (W::F64(v), _) => Val::F64(*v),
            (W::V128(v), _) => Val::V128(*v),
            (W::FuncRef(func), _) => Val::FuncRef(func.map(Func::of_native)),
            _ => return Err(Error::new(crate::fault::Error::bug("lowered code gave a value of a GC type"))),
        })
    }
}

macro_rules! from_value {
    ($($ty:ty => |$value:ident| $convert:expr;)*) => {
        $(impl From<$ty> for Val {
            fn from($value: $ty) -> Val {
                $convert
            }
        })*
    };
}

from_value! {
    i32 => |v| Val::I32(v);
    i64 => |v| Val::I64(v);
    f32 => |v| Val::F32(v.to_bits());
    f64 => |v| Val::F64(v.to_bits());
    u128 => |v| Val::V128(v.into());
    V128 => |v| Val::V128(v);
    Func => |v| Val::FuncRef(Some(v));
    Option<Func> => |v| Val::FuncRef(v);
    Rooted<ExternRef> => |v| Val::ExternRef(Some(v));
    Option<Rooted<ExternRef>> => |v| Val::ExternRef(v);
    Rooted<AnyRef> => |v| Val::AnyRef(Some(v));
    Option<Rooted<AnyRef>> => |v| Val::AnyRef(v);
    Rooted<ExnRef> => |v| Val::ExnRef(Some(v));
    Option<Rooted<ExnRef>> => |v| Val::ExnRef(v);
    Rooted<EqRef> => |v| Val::AnyRef(Some(v.to_anyref()));
    Option<Rooted<EqRef>> => |v| Val::AnyRef(v.map(Rooted::<EqRef>::to_anyref));
    Rooted<StructRef> => |v| Val::AnyRef(Some(v.to_anyref()));
    Option<Rooted<StructRef>> => |v| Val::AnyRef(v.map(Rooted::<StructRef>::to_anyref));
    Rooted<ArrayRef> => |v| Val::AnyRef(Some(v.to_anyref()));
    Option<Rooted<ArrayRef>> => |v| Val::AnyRef(v.map(Rooted::<ArrayRef>::to_anyref));
    Ref => |v| match v {
        Ref::Func(func) => Val::FuncRef(func),
        Ref::Extern(external) => Val::ExternRef(external),
        Ref::Any(any) => Val::AnyRef(any),
        Ref::Exn(exn) => Val::ExnRef(exn),
    };
}

macro_rules! from_reference {
    ($($ty:ty => $variant:ident;)*) => {
        $(
            impl From<$ty> for Ref {
                fn from(value: $ty) -> Ref {
                    Ref::$variant(Some(value.into()))
                }
            }

            impl From<Option<$ty>> for Ref {
                fn from(value: Option<$ty>) -> Ref {
                    Ref::$variant(value.map(Into::into))
                }
            }
        )*
    };
}

from_reference! {
    Func => Func;
    Rooted<ExternRef> => Extern;
    Rooted<AnyRef> => Any;
    Rooted<ExnRef> => Exn;
    Rooted<EqRef> => Any;
    Rooted<StructRef> => Any;
    Rooted<ArrayRef> => Any;
}
