//! Closures as host functions.
//!
//! A closure over numbers and functions becomes a typed function of the engine. One with references
//! of the GC hierarchies goes through [`HostFunc`], because its type in the engine depends on the module
//! that imports it.

use super::host::HostFunc;
use super::typed::{AbiTy, WasmTy};
use super::{Caller, is_plain};
use crate::api::store::StoreContextMut;
use crate::api::types::{FuncType, ValType};
use crate::api::{Engine, Error, Result};
use crate::runtime::entry::throw_or_raise;
use crate::runtime::hooks::around_host;
use crate::runtime::stand_in;
use crate::runtime::store::StoreData;
use std::mem::MaybeUninit;
use wasmtime::{AsContextMut, ValRaw};

/// What a closure may return: nothing, a [`WasmTy`], a tuple of them, or a `Result` of one of these.
pub trait WasmRet: 'static {
    #[doc(hidden)]
    type Abi: wasmtime::WasmRet;
    #[doc(hidden)]
    fn types() -> Vec<ValType>;
    #[doc(hidden)]
    fn into_plain(self) -> Result<Self::Abi>;
    /// What is returned when an exception is thrown. `func` gives any function.
    #[doc(hidden)]
    fn unread(func: &mut dyn FnMut() -> wasmtime::Func) -> Self::Abi;
    /// Gives the results to lowered code.
    #[doc(hidden)]
    fn store<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, results: &mut [MaybeUninit<ValRaw>]) -> Result<()>;
    /// The same for values that tell their types.
    #[doc(hidden)]
    fn store_vals<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, results: &mut [wasmtime::Val]) -> Result<()>;
}

#[cold]
fn bug() -> Error {
    Error::new(crate::fault::Error::bug("a host function's value is not of its type"))
}

#[cold]
fn not_native() -> Error {
    Error::msg("this function has no type in the engine yet; return it from `Func::new` instead")
}

/// A parameter of a host function, which is of this type.
#[inline]
#[expect(unsafe_code, reason = "what lowered code passes is in untyped storage")]
fn lift<A: WasmTy, T: 'static>(cx: &mut StoreContextMut<'_, T>, param: Option<&MaybeUninit<ValRaw>>) -> Result<A> {
    let param = param.ok_or_else(bug)?;
    // SAFETY: the closure's parameters are the function's (`IntoFunc::signature`), in order, and the engine has put
    // a value of each one's type into the storage, of this very store.
    let abi = unsafe { A::Abi::from_raw(&mut cx.inner, param.assume_init_ref()) };
    A::lift(cx, abi)
}

/// What a host function returns to WebAssembly for its error.
#[cold]
fn thrown<T: 'static, R: WasmRet>(mut caller: wasmtime::Caller<'_, StoreData<T>>, err: Error) -> Result<R::Abi> {
    throw_or_raise(&mut caller, err)?;
    Ok(R::unread(&mut || stand_in::any(&mut caller)))
}

impl<A: WasmTy> WasmRet for A {
    type Abi = A::Abi;
    fn types() -> Vec<ValType> {
        vec![A::valtype()]
    }
    #[inline]
    fn into_plain(self) -> Result<A::Abi> {
        WasmTy::into_plain(self).ok_or_else(not_native)
    }
    fn unread(func: &mut dyn FnMut() -> wasmtime::Func) -> A::Abi {
        A::unread(func)
    }
    #[inline]
    fn store<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, results: &mut [MaybeUninit<ValRaw>]) -> Result<()> {
        let raw = self.lower(cx, None)?.into_raw(&mut cx.inner);
        results.first_mut().ok_or_else(bug)?.write(raw);
        Ok(())
    }
    fn store_vals<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, results: &mut [wasmtime::Val]) -> Result<()> {
        *results.first_mut().ok_or_else(bug)? = self.lower(cx, None)?.into_native();
        Ok(())
    }
}

impl<R: WasmRet> WasmRet for Result<R> {
    type Abi = R::Abi;
    fn types() -> Vec<ValType> {
        R::types()
    }
    #[inline]
    fn into_plain(self) -> Result<R::Abi> {
        self?.into_plain()
    }
    fn unread(func: &mut dyn FnMut() -> wasmtime::Func) -> R::Abi {
        R::unread(func)
    }
    #[inline]
    fn store<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, results: &mut [MaybeUninit<ValRaw>]) -> Result<()> {
        self?.store(cx, results)
    }
    fn store_vals<T: 'static>(self, cx: &mut StoreContextMut<'_, T>, results: &mut [wasmtime::Val]) -> Result<()> {
        self?.store_vals(cx, results)
    }
}

macro_rules! results {
    ($(($($a:ident)*))*) => {
        $(
            #[allow(non_snake_case, unused_mut, unused_variables, clippy::unused_unit, reason = "one macro for all arities")]
            impl<$($a: WasmTy),*> WasmRet for ($($a,)*) {
                type Abi = ($($a::Abi,)*);
                fn types() -> Vec<ValType> {
                    vec![$($a::valtype()),*]
                }
                #[inline]
                fn into_plain(self) -> Result<Self::Abi> {
                    let ($($a,)*) = self;
                    Ok(($(WasmTy::into_plain($a).ok_or_else(not_native)?,)*))
                }
                fn unread(func: &mut dyn FnMut() -> wasmtime::Func) -> Self::Abi {
                    ($($a::unread(func),)*)
                }
                fn store<T: 'static>(
                    self,
                    cx: &mut StoreContextMut<'_, T>,
                    results: &mut [MaybeUninit<ValRaw>],
                ) -> Result<()> {
                    let ($($a,)*) = self;
                    let mut results = results.iter_mut();
                    $(
                        let raw = $a.lower(cx, None)?.into_raw(&mut cx.inner);
                        results.next().ok_or_else(bug)?.write(raw);
                    )*
                    Ok(())
                }
                fn store_vals<T: 'static>(
                    self,
                    cx: &mut StoreContextMut<'_, T>,
                    results: &mut [wasmtime::Val],
                ) -> Result<()> {
                    let ($($a,)*) = self;
                    let mut results = results.iter_mut();
                    $(*results.next().ok_or_else(bug)? = $a.lower(cx, None)?.into_native();)*
                    Ok(())
                }
            }
        )*
    };
}

/// A closure that can be a host function: up to seventeen [`WasmTy`] parameters, perhaps a [`Caller`]
/// before them, and a [`WasmRet`].
pub trait IntoFunc<T, Params, Results>: Send + Sync + Sized + 'static {
    /// Parameter and result types.
    #[doc(hidden)]
    fn signature() -> (Vec<ValType>, Vec<ValType>);
    #[doc(hidden)]
    fn into_native(self, cx: wasmtime::StoreContextMut<'_, StoreData<T>>) -> wasmtime::Func
    where
        T: 'static;
    #[doc(hidden)]
    fn link(self, linker: &mut wasmtime::Linker<StoreData<T>>, module: &str, name: &str) -> Result<()>
    where
        T: 'static;
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "no caller outside of this crate")]
    fn into_host(self, engine: &Engine) -> HostFunc<T>
    where
        T: 'static;
    /// Whether the engine's type is the same for all modules.
    #[doc(hidden)]
    fn is_plain(&self) -> bool {
        let (params, results) = Self::signature();
        params.iter().chain(&results).all(|ty| is_plain(&ty.to_canon()))
    }
}

/// What stands for the parameters of a closure without a [`Caller`]: the type itself where there is one.
macro_rules! params {
    ($a:ident) => { $a };
    ($($a:ident)*) => { ($($a,)*) };
}

/// Tells the parameter and result types of a closure.
pub(crate) type Signature = fn() -> (Vec<ValType>, Vec<ValType>);

/// Who tells those of this one.
pub(crate) fn signature_of<T, Params, Results, F: IntoFunc<T, Params, Results>>(_: &F) -> Signature {
    F::signature
}

macro_rules! closures {
    ($(($($a:ident)*))*) => {
        $(
            results! { ($($a)*) }

            #[allow(non_snake_case, unused_mut, unused_variables, reason = "one macro for all arities")]
            impl<T: 'static, F, $($a: WasmTy,)* R: WasmRet> IntoFunc<T, params!($($a)*), R> for F
            where
                F: Fn($($a),*) -> R + Send + Sync + 'static,
            {
                fn signature() -> (Vec<ValType>, Vec<ValType>) {
                    (vec![$($a::valtype()),*], R::types())
                }
                fn into_native(self, cx: wasmtime::StoreContextMut<'_, StoreData<T>>) -> wasmtime::Func {
                    wasmtime::Func::wrap(
                        cx,
                        move |mut caller: wasmtime::Caller<'_, StoreData<T>>, $($a: $a::Abi),*| -> Result<R::Abi> {
                            $(let $a = $a::from_plain($a).ok_or_else(bug)?;)*
                            let result = around_host(&mut caller, |_| self($($a),*).into_plain());
                            result.or_else(|err| thrown::<T, R>(caller, err))
                        },
                    )
                }
                fn link(
                    self,
                    linker: &mut wasmtime::Linker<StoreData<T>>,
                    module: &str,
                    name: &str,
                ) -> Result<()> {
                    linker.func_wrap(
                        module,
                        name,
                        move |mut caller: wasmtime::Caller<'_, StoreData<T>>, $($a: $a::Abi),*| -> Result<R::Abi> {
                            $(let $a = $a::from_plain($a).ok_or_else(bug)?;)*
                            let result = around_host(&mut caller, |_| self($($a),*).into_plain());
                            result.or_else(|err| thrown::<T, R>(caller, err))
                        },
                    )?;
                    Ok(())
                }
                #[allow(private_interfaces, reason = "no caller outside of this crate")]
                fn into_host(self, engine: &Engine) -> HostFunc<T> {
                    let (params, results) = <F as IntoFunc<T, params!($($a)*), R>>::signature();
                    HostFunc::typed(FuncType::new(engine, params, results), move |caller, values| {
                        let mut params = values.iter();
                        let mut cx = StoreContextMut { inner: caller.as_context_mut() };
                        $(let $a = lift::<$a, T>(&mut cx, params.next())?;)*
                        self($($a),*).store(&mut cx, values)
                    })
                }
            }

            #[allow(non_snake_case, unused_mut, unused_variables, reason = "one macro for all arities")]
            impl<T: 'static, F, $($a: WasmTy,)* R: WasmRet> IntoFunc<T, (Caller<'_, T>, $($a,)*), R> for F
            where
                F: Fn(Caller<'_, T>, $($a),*) -> R + Send + Sync + 'static,
            {
                fn signature() -> (Vec<ValType>, Vec<ValType>) {
                    (vec![$($a::valtype()),*], R::types())
                }
                fn into_native(self, cx: wasmtime::StoreContextMut<'_, StoreData<T>>) -> wasmtime::Func {
                    wasmtime::Func::wrap(
                        cx,
                        move |mut caller: wasmtime::Caller<'_, StoreData<T>>, $($a: $a::Abi),*| -> Result<R::Abi> {
                            $(let $a = $a::from_plain($a).ok_or_else(bug)?;)*
                            let result = around_host(&mut caller, |caller| self(Caller::lend(caller), $($a),*).into_plain());
                            result.or_else(|err| thrown::<T, R>(caller, err))
                        },
                    )
                }
                fn link(
                    self,
                    linker: &mut wasmtime::Linker<StoreData<T>>,
                    module: &str,
                    name: &str,
                ) -> Result<()> {
                    linker.func_wrap(
                        module,
                        name,
                        move |mut caller: wasmtime::Caller<'_, StoreData<T>>, $($a: $a::Abi),*| -> Result<R::Abi> {
                            $(let $a = $a::from_plain($a).ok_or_else(bug)?;)*
                            let result = around_host(&mut caller, |caller| self(Caller::lend(caller), $($a),*).into_plain());
                            result.or_else(|err| thrown::<T, R>(caller, err))
                        },
                    )?;
                    Ok(())
                }
                #[allow(private_interfaces, reason = "no caller outside of this crate")]
                fn into_host(self, engine: &Engine) -> HostFunc<T> {
                    let params = vec![$($a::valtype()),*];
                    HostFunc::typed(FuncType::new(engine, params, R::types()), move |caller, values| {
                        let mut params = values.iter();
                        let mut cx = StoreContextMut { inner: caller.as_context_mut() };
                        $(let $a = lift::<$a, T>(&mut cx, params.next())?;)*
                        let result = self(Caller::lend(caller), $($a),*);
                        result.store(&mut StoreContextMut { inner: caller.as_context_mut() }, values)
                    })
                }
            }
        )*
    };
}

for_each_arity! { closures }
