//! References as parameters and results of typed functions.
//!
//! In lowered code they are words. A handle is checked against what the function wants only where its own type does
//! not say enough.

use super::typed::WasmTy;
use crate::api::gc::{GcRefImpl, bottom, heap_type_of};
use crate::api::store::{AsContext, StoreContextMut};
use crate::api::types::{HeapType, RefType, ValType};
use crate::api::{
    AnyRef, ArrayRef, EqRef, Error, ExnRef, ExternRef, I31, NoExtern, NoFunc, NoneRef, OwnedRooted, Result, Rooted,
    StructRef,
};
use crate::layout::reference::{self, NULL};
use crate::types as t;

#[cold]
fn bug() -> Error {
    Error::new(crate::fault::Error::bug("a value is not of the type that was checked"))
}

/// Whether a handle's own type is enough for what is wanted.
#[inline]
fn suffices(own: t::HeapType, want: t::RefType) -> bool {
    use t::HeapType as H;
    want.heap == own
        || match want.heap {
            H::Any => matches!(own, H::Eq | H::Struct | H::Array | H::I31),
            H::Eq => matches!(own, H::Struct | H::Array | H::I31),
            _ => false,
        }
}

/// The word of a reference that is not null.
#[inline]
fn word<T: 'static>(
    cx: &mut StoreContextMut<'_, T>,
    handle: &impl GcRefImpl,
    own: t::HeapType,
    want: Option<&t::ValType>,
) -> Result<i32> {
    let word = handle.word(&cx.as_context())?;
    match want {
        Some(t::ValType::Ref(want)) if !suffices(own, *want) => check(cx, word, own, *want)?,
        _ => {}
    }
    Ok(word as i32)
}

/// Checks an object against what the function wants.
fn check<T: 'static>(cx: &mut StoreContextMut<'_, T>, word: u32, own: t::HeapType, want: t::RefType) -> Result<()> {
    let actual = match own {
        t::HeapType::Extern | t::HeapType::Exn => own,
        _ => heap_type_of(&cx.as_context(), word),
    };
    let actual = t::RefType { nullable: false, exact: actual.concrete().is_some(), heap: actual };
    if cx.inner.data().gc.engine.is_sub_ref(actual, want) {
        return Ok(());
    }
    let [want, actual] = [want, actual].map(|ty| HeapType::from_canon(cx.engine(), ty.heap));
    Err(Error::msg(format!("type mismatch: expected `(ref {want})`, found `(ref {actual})`")))
}

/// The word of null, if that is wanted.
#[inline]
fn null(want: Option<&t::ValType>) -> Result<i32> {
    match want {
        Some(t::ValType::Ref(want)) if !want.nullable => {
            Err(Error::msg("expected a non-null reference, but found a null reference"))
        }
        _ => Ok(NULL as i32),
    }
}

/// What types that need a store, and are words, have in common.
macro_rules! word_ty {
    () => {
        type Abi = i32;
        fn into_plain(self) -> Option<i32> {
            None
        }
        fn unread(_: &mut dyn FnMut() -> wasmtime::Func) -> i32 {
            0
        }
        fn from_plain(_: i32) -> Option<Self> {
            None
        }
    };
}

macro_rules! handles {
    ($($handle:ident<$ty:ident>: $heap:ident;)*) => {
        $(
            impl WasmTy for $handle<$ty> {
                word_ty! {}
                fn valtype() -> ValType {
                    ValType::Ref(RefType::new(false, HeapType::$heap))
                }
                #[inline]
                fn lower<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, ty: Option<&t::ValType>) -> Result<i32> {
                    word(cx, &*self, t::HeapType::$heap, ty)
                }
                #[inline]
                fn lift<T: 'static>(cx: &mut StoreContextMut<'_, T>, abi: i32) -> Result<Self> {
                    if abi as u32 == NULL { Err(bug()) } else { $handle::new(cx, abi as u32) }
                }
            }

            impl WasmTy for Option<$handle<$ty>> {
                word_ty! {}
                fn valtype() -> ValType {
                    ValType::Ref(RefType::new(true, HeapType::$heap))
                }
                #[inline]
                fn lower<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, ty: Option<&t::ValType>) -> Result<i32> {
                    match self {
                        Some(handle) => handle.lower(cx, ty),
                        None => null(ty),
                    }
                }
                #[inline]
                fn lift<T: 'static>(cx: &mut StoreContextMut<'_, T>, abi: i32) -> Result<Self> {
                    if abi as u32 == NULL { Ok(None) } else { $handle::new(cx, abi as u32).map(Some) }
                }
            }
        )*
    };
}

handles! {
    Rooted<AnyRef>: Any;
    Rooted<EqRef>: Eq;
    Rooted<StructRef>: Struct;
    Rooted<ArrayRef>: Array;
    Rooted<ExternRef>: Extern;
    Rooted<ExnRef>: Exn;
    OwnedRooted<AnyRef>: Any;
    OwnedRooted<EqRef>: Eq;
    OwnedRooted<StructRef>: Struct;
    OwnedRooted<ArrayRef>: Array;
    OwnedRooted<ExternRef>: Extern;
    OwnedRooted<ExnRef>: Exn;
}

impl WasmTy for I31 {
    word_ty! {}
    fn valtype() -> ValType {
        ValType::Ref(RefType::new(false, HeapType::I31))
    }
    #[inline]
    fn lower<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, ty: Option<&t::ValType>) -> Result<i32> {
        let word = reference::i31(self.get_u32());
        match ty {
            Some(t::ValType::Ref(want)) if !suffices(t::HeapType::I31, *want) => {
                check(cx, word, t::HeapType::I31, *want)?;
            }
            _ => {}
        }
        Ok(word as i32)
    }
    #[inline]
    fn lift<T: 'static>(_: &mut StoreContextMut<'_, T>, abi: i32) -> Result<I31> {
        let word = abi as u32;
        if reference::is_i31(word) { Ok(I31::wrapping_u32(reference::i31_u(word))) } else { Err(bug()) }
    }
}

impl WasmTy for Option<I31> {
    word_ty! {}
    fn valtype() -> ValType {
        ValType::I31REF
    }
    #[inline]
    fn lower<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, ty: Option<&t::ValType>) -> Result<i32> {
        match self {
            Some(i31) => i31.lower(cx, ty),
            None => null(ty),
        }
    }
    #[inline]
    fn lift<T: 'static>(cx: &mut StoreContextMut<'_, T>, abi: i32) -> Result<Self> {
        if abi as u32 == NULL { Ok(None) } else { I31::lift(cx, abi).map(Some) }
    }
}

macro_rules! bottoms {
    ($($ty:ident: $heap:ident;)*) => {
        $(
            impl WasmTy for $ty {
                word_ty! {}
                fn valtype() -> ValType {
                    bottom(false, HeapType::$heap)
                }
                fn lower<T: 'static>(self, _: &mut StoreContextMut<'_, T>, _: Option<&t::ValType>) -> Result<i32> {
                    self.never()
                }
                fn lift<T: 'static>(_: &mut StoreContextMut<'_, T>, _: i32) -> Result<Self> {
                    Err(bug())
                }
            }

            impl WasmTy for Option<$ty> {
                word_ty! {}
                fn valtype() -> ValType {
                    bottom(true, HeapType::$heap)
                }
                fn lower<T: 'static>(self, _: &mut StoreContextMut<'_, T>, ty: Option<&t::ValType>) -> Result<i32> {
                    null(ty)
                }
                fn lift<T: 'static>(_: &mut StoreContextMut<'_, T>, abi: i32) -> Result<Self> {
                    if abi as u32 == NULL { Ok(None) } else { Err(bug()) }
                }
            }
        )*
    };
}

bottoms! {
    NoneRef: None;
    NoExtern: NoExtern;
}

impl WasmTy for NoFunc {
    type Abi = wasmtime::Func;
    fn valtype() -> ValType {
        bottom(false, HeapType::NoFunc)
    }
    fn into_plain(self) -> Option<wasmtime::Func> {
        self.never()
    }
    fn unread(func: &mut dyn FnMut() -> wasmtime::Func) -> wasmtime::Func {
        func()
    }
    fn from_plain(_: wasmtime::Func) -> Option<NoFunc> {
        None
    }
    fn lower<T: 'static>(self, _: &mut StoreContextMut<'_, T>, _: Option<&t::ValType>) -> Result<wasmtime::Func> {
        self.never()
    }
    fn lift<T: 'static>(_: &mut StoreContextMut<'_, T>, _: wasmtime::Func) -> Result<NoFunc> {
        Err(bug())
    }
}

impl WasmTy for Option<NoFunc> {
    type Abi = Option<wasmtime::Func>;
    fn valtype() -> ValType {
        bottom(true, HeapType::NoFunc)
    }
    fn into_plain(self) -> Option<Option<wasmtime::Func>> {
        Some(None)
    }
    fn unread(_: &mut dyn FnMut() -> wasmtime::Func) -> Option<wasmtime::Func> {
        None
    }
    fn from_plain(abi: Option<wasmtime::Func>) -> Option<Option<NoFunc>> {
        abi.is_none().then_some(None)
    }
    fn lower<T: 'static>(
        self,
        _: &mut StoreContextMut<'_, T>,
        ty: Option<&t::ValType>,
    ) -> Result<Option<wasmtime::Func>> {
        null(ty).map(|_| None)
    }
    fn lift<T: 'static>(_: &mut StoreContextMut<'_, T>, abi: Option<wasmtime::Func>) -> Result<Option<NoFunc>> {
        // A function of the engine with such a parameter may be called with any.
        if abi.is_none() { Ok(None) } else { Err(Error::msg("argument type mismatch: a function is no `nullfuncref`")) }
    }
}
