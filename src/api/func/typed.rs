//! Calls whose types are known when the host is compiled.

use super::Func;
use crate::api::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use crate::api::types::{FuncType, HeapType, RefType, ValType};
use crate::api::{Engine, Error, Result, V128};
use crate::runtime::entry::enter;
use crate::runtime::finalize::safe_point;
use crate::types::{self as t, CompositeType, TypeDef};
use std::marker::PhantomData;
use std::sync::Arc;
use wasmtime::ValRaw;
use wasmtime::error::Context;

/// A type of the host that stands for a WebAssembly type.
pub trait WasmTy: Send + Sized + 'static {
    /// How lowered code takes and gives it.
    #[doc(hidden)]
    type Abi: AbiTy;
    /// The WebAssembly type.
    #[doc(hidden)]
    fn valtype() -> ValType;
    /// For types that need no store.
    #[doc(hidden)]
    fn into_plain(self) -> Option<Self::Abi>;
    /// Any value, in place of a result that nobody reads. `func` gives any function.
    #[doc(hidden)]
    fn unread(func: &mut dyn FnMut() -> wasmtime::Func) -> Self::Abi;
    /// For types that need no store.
    #[doc(hidden)]
    fn from_plain(abi: Self::Abi) -> Option<Self>;
    /// `ty` is what the function wants, if that may be narrower than this type.
    #[doc(hidden)]
    fn lower<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, ty: Option<&t::ValType>) -> Result<Self::Abi>;
    #[doc(hidden)]
    fn lift<T: 'static>(cx: &mut StoreContextMut<'_, T>, abi: Self::Abi) -> Result<Self>;
}

/// What lowered code takes and gives, as a typed value of the engine and as any.
#[doc(hidden)]
pub trait AbiTy: wasmtime::WasmTy + Copy + Sync {
    fn into_native(self) -> wasmtime::Val;
    fn from_native(val: &wasmtime::Val) -> Option<Self>;
    /// The value, in the engine's untyped storage.
    fn into_raw(self, cx: impl wasmtime::AsContextMut) -> ValRaw;
    /// The value from there.
    ///
    /// # Safety
    ///
    /// It is of this type, and of this store.
    #[expect(unsafe_code, reason = "the storage is untyped")]
    unsafe fn from_raw(cx: impl wasmtime::AsContextMut, raw: &ValRaw) -> Self;
}

macro_rules! abi {
    ($($ty:ty: $variant:ident, |$v:ident| $into:expr, |$w:ident| $from:expr,
        |$cx:ident, $r:ident| $into_raw:expr, |$from_cx:ident, $raw:ident| $from_raw:expr;)*) => {
        $(impl AbiTy for $ty {
            #[inline]
            #[allow(unused_mut, unused_variables, reason = "one macro for all types")]
            fn into_raw(self, mut $cx: impl wasmtime::AsContextMut) -> ValRaw {
                let $r = self;
                $into_raw
            }
            #[inline]
            #[allow(unsafe_code, unused_variables, reason = "one macro for all types; the storage is untyped")]
            unsafe fn from_raw($from_cx: impl wasmtime::AsContextMut, $raw: &ValRaw) -> $ty {
                $from_raw
            }
            #[inline]
            fn into_native(self) -> wasmtime::Val {
                let $v = self;
                wasmtime::Val::$variant($into)
            }
            #[inline]
            fn from_native(val: &wasmtime::Val) -> Option<$ty> {
                match val {
                    wasmtime::Val::$variant($w) => $from,
                    _ => None,
                }
            }
        })*
    };
}

abi! {
    i32: I32, |v| v, |w| Some(*w), |_cx, v| ValRaw::i32(v), |_cx, raw| raw.get_i32();
    u32: I32, |v| v as i32, |w| Some(*w as u32), |_cx, v| ValRaw::u32(v), |_cx, raw| raw.get_u32();
    i64: I64, |v| v, |w| Some(*w), |_cx, v| ValRaw::i64(v), |_cx, raw| raw.get_i64();
    u64: I64, |v| v as i64, |w| Some(*w as u64), |_cx, v| ValRaw::u64(v), |_cx, raw| raw.get_u64();
    f32: F32, |v| v.to_bits(), |w| Some(f32::from_bits(*w)),
        |_cx, v| ValRaw::f32(v.to_bits()), |_cx, raw| f32::from_bits(raw.get_f32());
    f64: F64, |v| v.to_bits(), |w| Some(f64::from_bits(*w)),
        |_cx, v| ValRaw::f64(v.to_bits()), |_cx, raw| f64::from_bits(raw.get_f64());
    V128: V128, |v| v, |w| Some(*w), |_cx, v| ValRaw::v128(v.as_u128()), |_cx, raw| V128::from(raw.get_v128());
    Option<wasmtime::Func>: FuncRef, |v| v, |w| Some(*w),
        |cx, v| ValRaw::funcref(v.map_or(std::ptr::null_mut(), |func| func.to_raw(&mut cx))),
        |cx, raw| match raw.get_funcref() {
            null if null.is_null() => None,
            // SAFETY: by the contract of `from_raw` this is a function of the store.
            func => unsafe { wasmtime::Func::from_raw(cx, func) },
        };
    wasmtime::Func: FuncRef, |v| Some(v), |w| *w,
        |cx, v| ValRaw::funcref(v.to_raw(&mut cx)),
        |cx, raw| {
            // SAFETY: by the contract of `from_raw` this is a function of the store.
            let func = unsafe { wasmtime::Func::from_raw(cx, raw.get_funcref()) };
            func.expect("a function reference that can not be null")
        };
}

#[cold]
fn bug() -> Error {
    Error::new(crate::fault::Error::bug("a value is not of the type that was checked"))
}

macro_rules! plain {
    ($($ty:ty: $valtype:ident, $zero:expr;)*) => {
        $(impl WasmTy for $ty {
            type Abi = $ty;
            fn valtype() -> ValType {
                ValType::$valtype
            }
            #[inline]
            fn into_plain(self) -> Option<$ty> {
                Some(self)
            }
            fn unread(_: &mut dyn FnMut() -> wasmtime::Func) -> $ty {
                $zero
            }
            #[inline]
            fn from_plain(abi: $ty) -> Option<$ty> {
                Some(abi)
            }
            #[inline]
            fn lower<T: 'static>(self, _: &mut StoreContextMut<'_, T>, _: Option<&t::ValType>) -> Result<$ty> {
                Ok(self)
            }
            #[inline]
            fn lift<T: 'static>(_: &mut StoreContextMut<'_, T>, abi: $ty) -> Result<$ty> {
                Ok(abi)
            }
        })*
    };
}

plain! {
    i32: I32, 0;
    u32: I32, 0;
    i64: I64, 0;
    u64: I64, 0;
    f32: F32, 0.0;
    f64: F64, 0.0;
    V128: V128, 0u128.into();
}

impl WasmTy for Option<Func> {
    type Abi = Option<wasmtime::Func>;
    fn valtype() -> ValType {
        ValType::FUNCREF
    }
    fn into_plain(self) -> Option<Option<wasmtime::Func>> {
        match self {
            Some(func) => Some(Some(func.as_native()?)),
            None => Some(None),
        }
    }
    fn unread(_: &mut dyn FnMut() -> wasmtime::Func) -> Option<wasmtime::Func> {
        None
    }
    fn from_plain(abi: Option<wasmtime::Func>) -> Option<Option<Func>> {
        Some(abi.map(Func::of_native))
    }
    fn lower<T: 'static>(
        self,
        cx: &mut StoreContextMut<'_, T>,
        ty: Option<&t::ValType>,
    ) -> Result<Option<wasmtime::Func>> {
        self.map(|func| WasmTy::lower(func, cx, ty)).transpose()
    }
    fn lift<T: 'static>(_: &mut StoreContextMut<'_, T>, abi: Option<wasmtime::Func>) -> Result<Option<Func>> {
        Ok(abi.map(Func::of_native))
    }
}

impl WasmTy for Func {
    type Abi = wasmtime::Func;
    fn valtype() -> ValType {
        ValType::Ref(RefType::new(false, HeapType::Func))
    }
    fn into_plain(self) -> Option<wasmtime::Func> {
        self.as_native()
    }
    fn unread(func: &mut dyn FnMut() -> wasmtime::Func) -> wasmtime::Func {
        func()
    }
    fn from_plain(abi: wasmtime::Func) -> Option<Func> {
        Some(Func::of_native(abi))
    }
    fn lower<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, ty: Option<&t::ValType>) -> Result<wasmtime::Func> {
        check_func(cx, &self, ty)?;
        self.native(cx)
    }
    fn lift<T: 'static>(_: &mut StoreContextMut<'_, T>, abi: wasmtime::Func) -> Result<Func> {
        Ok(Func::of_native(abi))
    }
}

/// Parameters: a [`WasmTy`], or a tuple of up to seventeen.
pub trait WasmParams: Send + Sized + 'static {
    #[doc(hidden)]
    type Abi: wasmtime::WasmParams + Sync;
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    #[doc(hidden)]
    fn lower<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, types: &[t::ValType]) -> Result<Self::Abi>;
}

/// Results: a [`WasmTy`], or a tuple of up to seventeen.
pub trait WasmResults: WasmParams<Abi: wasmtime::WasmResults> {
    #[doc(hidden)]
    fn lift<T: 'static>(cx: &mut StoreContextMut<'_, T>, abi: Self::Abi) -> Result<Self>;
}

impl<A: WasmTy> WasmParams for A {
    type Abi = (A::Abi,);
    fn types() -> Vec<ValType> {
        vec![A::valtype()]
    }
    #[inline]
    fn lower<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, types: &[t::ValType]) -> Result<(A::Abi,)> {
        Ok((WasmTy::lower(self, cx, types.first())?,))
    }
}

impl<A: WasmTy> WasmResults for A {
    #[inline]
    fn lift<T: 'static>(cx: &mut StoreContextMut<'_, T>, abi: (A::Abi,)) -> Result<A> {
        WasmTy::lift(cx, abi.0)
    }
}

macro_rules! tuples {
    ($(($($a:ident)*))*) => {
        $(
            #[allow(non_snake_case, unused_variables, unused_mut, reason = "one macro for all arities")]
            impl<$($a: WasmTy),*> WasmParams for ($($a,)*) {
                type Abi = ($($a::Abi,)*);
                fn types() -> Vec<ValType> {
                    vec![$($a::valtype()),*]
                }
                #[inline]
                fn lower<T: 'static>(
                    self,
                    cx: &mut StoreContextMut<'_, T>,
                    types: &[t::ValType],
                ) -> Result<Self::Abi> {
                    let ($($a,)*) = self;
                    let mut types = types.iter();
                    Ok(($(WasmTy::lower($a, cx, types.next())?,)*))
                }
            }

            #[allow(non_snake_case, unused_variables, reason = "one macro for all arities")]
            impl<$($a: WasmTy),*> WasmResults for ($($a,)*) {
                #[inline]
                fn lift<T: 'static>(cx: &mut StoreContextMut<'_, T>, abi: Self::Abi) -> Result<Self> {
                    let ($($a,)*) = abi;
                    Ok(($(<$a as WasmTy>::lift(cx, $a)?,)*))
                }
            }
        )*
    };
}

for_each_arity! { tuples }

/// A function whose types are known when the host is compiled: calls are checked once, when it is made.
pub struct TypedFunc<Params, Results> {
    func: Func,
    /// Missing for a host function whose type in the engine depends on who calls.
    inner: Option<Arc<Native<Params, Results>>>,
    def: Arc<TypeDef>,
    _types: PhantomData<fn(Params) -> Results>,
}

type Native<Params, Results> = dyn Typed<Params, Results> + Send + Sync;

/// The engine's typed function, behind a type that can be named without knowing that these are WebAssembly's types.
trait Typed<Params, Results> {
    fn native(&self) -> &wasmtime::TypedFunc<Params::Abi, Results::Abi>
    where
        Params: WasmParams,
        Results: WasmResults;
}

impl<Params: WasmParams, Results: WasmResults> Typed<Params, Results>
    for wasmtime::TypedFunc<Params::Abi, Results::Abi>
{
    #[inline]
    fn native(&self) -> &wasmtime::TypedFunc<Params::Abi, Results::Abi> {
        self
    }
}

impl<Params, Results> Clone for TypedFunc<Params, Results> {
    fn clone(&self) -> Self {
        TypedFunc { func: self.func, inner: self.inner.clone(), def: self.def.clone(), _types: PhantomData }
    }
}

impl<Params, Results> std::fmt::Debug for TypedFunc<Params, Results> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TypedFunc").field("func", &self.func).finish_non_exhaustive()
    }
}

impl<Params: WasmParams, Results: WasmResults> TypedFunc<Params, Results> {
    pub(super) fn new<T: 'static>(cx: &StoreContext<'_, T>, func: Func) -> Result<Self> {
        let def = func.def(cx)?;
        let CompositeType::Func(ty) = &def.sub.composite else { return Err(bug()) };
        let engine = cx.engine();
        let state = engine.state();
        let is_param = |own: t::ValType, of: t::ValType| match (own, of) {
            // The host has no types for what guests define, so any of the hierarchy will do, and is checked at each
            // call.
            (t::ValType::Ref(own), t::ValType::Ref(of)) if of.heap.concrete().is_some() => {
                own.heap.top() == of.heap.top()
            }
            _ => state.is_sub_val(own, of),
        };
        check(engine, (&Params::types(), &ty.params), is_param, false).context("type mismatch with parameters")?;
        let is_result = |own: t::ValType, of: t::ValType| state.is_sub_val(of, own);
        check(engine, (&Results::types(), &ty.results), is_result, true).context("type mismatch with results")?;
        let native = func.as_native().map(|native| native.typed::<Params::Abi, Results::Abi>(&cx.inner));
        let inner = native.transpose()?.map(|native| Arc::new(native) as Arc<Native<Params, Results>>);
        Ok(TypedFunc { func, inner, def, _types: PhantomData })
    }

    /// The function.
    pub fn func(&self) -> &Func {
        &self.func
    }

    /// Calls the function.
    ///
    /// # Errors
    ///
    /// As [`Func::call`].
    ///
    /// # Panics
    ///
    /// When the store is another.
    #[inline]
    pub fn call(&self, mut store: impl AsContextMut, params: Params) -> Result<Results> {
        let mut cx = store.as_context_mut();
        let params = params.lower(&mut cx, self.param_types())?;
        let results = match &self.inner {
            Some(inner) => {
                let inner = inner.native();
                enter(&mut cx.inner, |cx| inner.call(cx, params))
            }
            None => {
                let inner = self.native(&mut cx)?;
                enter(&mut cx.inner, |cx| inner.call(cx, params))
            }
        };
        let results = results.and_then(|results| Results::lift(&mut cx, results));
        safe_point(&mut cx.inner);
        results
    }

    #[inline]
    pub(super) fn param_types(&self) -> &[t::ValType] {
        match &self.def.sub.composite {
            CompositeType::Func(ty) => &ty.params[..],
            _ => &[],
        }
    }

    /// The engine's function, whoever calls.
    pub(super) fn inner<T: 'static>(
        &self,
        cx: &mut StoreContextMut<'_, T>,
    ) -> Result<wasmtime::TypedFunc<Params::Abi, Results::Abi>> {
        match &self.inner {
            Some(inner) => Ok(inner.native().clone()),
            None => self.native(cx),
        }
    }

    /// The engine's function.
    #[cold]
    fn native<T: 'static>(
        &self,
        cx: &mut StoreContextMut<'_, T>,
    ) -> Result<wasmtime::TypedFunc<Params::Abi, Results::Abi>> {
        self.func.native(cx)?.typed(&cx.inner)
    }
}

/// Checks the host's types against a function's, of which there are as many.
fn check(
    engine: &Engine,
    (own, of): (&[ValType], &[t::ValType]),
    fits: impl Fn(t::ValType, t::ValType) -> bool,
    of_results: bool,
) -> Result<()> {
    if own.len() != of.len() {
        return Err(Error::msg(format!("expected {} types, found {}", own.len(), of.len())));
    }
    for (own, &of) in own.iter().zip(of) {
        if !fits(own.to_canon(), of) {
            let of = ValType::from_canon(engine, of);
            let [expected, found] = if of_results { [own, &of] } else { [&of, own] };
            return Err(Error::msg(format!("type mismatch: expected {expected}, found {found}")));
        }
    }
    Ok(())
}

/// Checks a function against what is wanted of it, where that is a defined type: the engine sees no more than the
/// structure of lowered types.
fn check_func<T: 'static>(cx: &mut StoreContextMut<'_, T>, func: &Func, ty: Option<&t::ValType>) -> Result<()> {
    let Some(want) = ty.and_then(|ty| ty.as_ref()?.heap.concrete()) else { return Ok(()) };
    let actual = func.type_id(&cx.as_context())?;
    let engine = cx.engine();
    if engine.state().is_sub_id(actual, want) {
        return Ok(());
    }
    let [want, actual] = [want, actual].map(|id| FuncType::of(engine, id));
    Err(Error::msg(format!("type mismatch: expected `(ref {want})`, found `(ref {actual})`")))
}
