//! What Wasmtime has for those who know what they do: values in untyped storage, flags that change machine code.
//!
//! A reference in untyped storage is the word by which lowered code knows it. The word of an object is good until the
//! next collection, and null is not 0 but `u32::MAX`.

#![expect(unsafe_code, reason = "unsafe functions of Wasmtime's, with its contracts")]

use super::func::{Caller, Func, HostFunc, TypedFunc, WasmParams, WasmResults};
use super::gc::{AnyRef, ExnRef, ExternRef, GcRefImpl, Rooted};
use super::linker::Linker;
use super::store::{AsContext, AsContextMut};
use super::types::{FuncType, HeapType, ValType};
use super::values::Val;
use super::{Config, Engine, Result, bail};
use crate::layout::reference::NULL;
use crate::runtime::entry::enter;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;
use wasmtime::ValRaw;

macro_rules! words {
    ($($ty:ident)*) => {
        $(impl $ty {
            /// The word by which lowered code knows the reference, until the next collection.
            ///
            /// # Errors
            ///
            /// When the handle's scope has ended, or the store is another.
            pub fn to_raw(&self, mut store: impl AsContextMut) -> Result<u32> {
                self.word(&store.as_context_mut().as_context())
            }

            /// A handle to the reference with this word; `None` for that of null. A word that is none makes a handle
            /// that is of no use, and harms no memory but the heap's.
            pub fn from_raw(mut store: impl AsContextMut, raw: u32) -> Option<Rooted<Self>> {
                if raw == NULL { None } else { Rooted::new(&mut store.as_context_mut(), raw).ok() }
            }
        })*
    };
}

words! { AnyRef ExternRef ExnRef }

impl Val {
    /// The value in untyped storage.
    ///
    /// # Errors
    ///
    /// When a handle's scope has ended, or the store is another.
    pub fn to_raw(&self, mut store: impl AsContextMut) -> Result<ValRaw> {
        let mut cx = store.as_context_mut();
        let word = |word: Option<Result<u32>>| word.unwrap_or(Ok(NULL));
        Ok(match self {
            Val::I32(v) => ValRaw::i32(*v),
            Val::I64(v) => ValRaw::i64(*v),
            Val::F32(bits) => ValRaw::f32(*bits),
            Val::F64(bits) => ValRaw::f64(*bits),
            Val::V128(v) => ValRaw::v128(v.as_u128()),
            Val::FuncRef(func) => {
                let func = func.map(|func| func.native(&mut cx)).transpose()?;
                ValRaw::funcref(func.map_or(std::ptr::null_mut(), |func| func.to_raw(&mut cx.inner)))
            }
            Val::ExternRef(of) => ValRaw::u32(word(of.map(|of| of.word(&cx.as_context())))?),
            Val::AnyRef(of) => ValRaw::u32(word(of.map(|of| of.word(&cx.as_context())))?),
            Val::ExnRef(of) => ValRaw::u32(word(of.map(|of| of.word(&cx.as_context())))?),
            Val::ContRef(_) => bail!("references to continuations can not be stored: no guest takes or gives any"),
        })
    }

    /// The value from untyped storage.
    ///
    /// # Safety
    ///
    /// The storage holds a value of the type, of this store.
    pub unsafe fn from_raw(mut store: impl AsContextMut, raw: ValRaw, ty: ValType) -> Val {
        let mut cx = store.as_context_mut();
        match ty {
            ValType::I32 => Val::I32(raw.get_i32()),
            ValType::I64 => Val::I64(raw.get_i64()),
            ValType::F32 => Val::F32(raw.get_f32()),
            ValType::F64 => Val::F64(raw.get_f64()),
            ValType::V128 => Val::V128(raw.get_v128().into()),
            ValType::Ref(ty) => match ty.heap_type().top() {
                // SAFETY: the contract is the same.
                HeapType::Func => Val::FuncRef(unsafe { Func::from_raw(&mut cx, raw.get_funcref()) }),
                HeapType::Extern => Val::ExternRef(ExternRef::from_raw(&mut cx, raw.get_u32())),
                HeapType::Exn => Val::ExnRef(ExnRef::from_raw(&mut cx, raw.get_u32())),
                _ => Val::AnyRef(AnyRef::from_raw(&mut cx, raw.get_u32())),
            },
        }
    }
}

impl Func {
    /// The function as untyped storage holds it.
    ///
    /// # Panics
    ///
    /// When the store is another, or when no module has shown how a host function's type is lowered.
    pub fn to_raw(&self, mut store: impl AsContextMut) -> *mut c_void {
        let mut cx = store.as_context_mut();
        match self.native(&mut cx) {
            Ok(func) => func.to_raw(&mut cx.inner),
            Err(err) => panic!("{err}"),
        }
    }

    /// The function from untyped storage; `None` for null.
    ///
    /// # Safety
    ///
    /// It is null, or came from [`Func::to_raw`] or untyped storage of this store.
    pub unsafe fn from_raw(mut store: impl AsContextMut, raw: *mut c_void) -> Option<Func> {
        if raw.is_null() {
            return None;
        }
        // SAFETY: the contract is the same.
        unsafe { wasmtime::Func::from_raw(store.as_context_mut().inner, raw) }.map(Func::of_native)
    }

    /// A host function over untyped storage: parameters, then results.
    ///
    /// # Safety
    ///
    /// The closure leaves values of all result types, of this store.
    pub unsafe fn new_unchecked<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &mut [MaybeUninit<ValRaw>]) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Func::of_host(&mut store.as_context_mut(), unchecked(ty, func))
    }

    /// Calls the function with parameters in untyped storage, where the results are found afterwards.
    ///
    /// # Safety
    ///
    /// The storage is as long as the longer of the two, and holds values of all parameter types, of this store.
    ///
    /// # Errors
    ///
    /// As [`Func::call`].
    pub unsafe fn call_unchecked(&self, mut store: impl AsContextMut, params_and_returns: *mut [ValRaw]) -> Result<()> {
        let mut cx = store.as_context_mut();
        let func = self.native(&mut cx)?;
        // SAFETY: the contract is the same; lowered code finds references as the words that storage holds.
        enter(&mut cx.inner, |cx| unsafe { func.call_unchecked(cx, params_and_returns) })
    }
}

fn unchecked<T: 'static>(
    ty: FuncType,
    func: impl Fn(Caller<'_, T>, &mut [MaybeUninit<ValRaw>]) -> Result<()> + Send + Sync + 'static,
) -> Arc<HostFunc<T>> {
    Arc::new(HostFunc::typed(ty, move |caller, values| func(Caller::lend(caller), values)))
}

impl<T: 'static> Linker<T> {
    /// Defines a host function over untyped storage. See [`Func::new_unchecked`].
    ///
    /// # Safety
    ///
    /// As there.
    ///
    /// # Errors
    ///
    /// When the name is taken.
    pub unsafe fn func_new_unchecked(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &mut [MaybeUninit<ValRaw>]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        self.define_host(module, name, unchecked(ty, func))
    }
}

impl<Params: WasmParams, Results: WasmResults> TypedFunc<Params, Results> {
    /// The function as one of these types. They are checked all the same.
    ///
    /// # Safety
    ///
    /// As Wasmtime's: the types are the function's.
    ///
    /// # Panics
    ///
    /// When they are not.
    pub unsafe fn new_unchecked(store: impl AsContext, func: Func) -> TypedFunc<Params, Results> {
        match func.typed(store) {
            Ok(typed) => typed,
            Err(err) => panic!("{err:?}"),
        }
    }
}

impl Config {
    /// Switches a flag of Cranelift's on.
    ///
    /// # Safety
    ///
    /// As Wasmtime's: a flag may make machine code that does not do what the module says.
    pub unsafe fn cranelift_flag_enable(&mut self, flag: &str) -> &mut Self {
        // SAFETY: the contract is the same.
        unsafe { self.wasmtime_mut().cranelift_flag_enable(flag) };
        self
    }

    /// Sets a flag of Cranelift's.
    ///
    /// # Safety
    ///
    /// As Wasmtime's: a flag may make machine code that does not do what the module says.
    pub unsafe fn cranelift_flag_set(&mut self, name: &str, value: &str) -> &mut Self {
        // SAFETY: the contract is the same.
        unsafe { self.wasmtime_mut().cranelift_flag_set(name, value) };
        self
    }

    /// Who tells whether the host has a feature that machine code uses.
    ///
    /// # Safety
    ///
    /// As Wasmtime's: the answer is true.
    pub unsafe fn detect_host_feature(&mut self, detect: fn(&str) -> Option<bool>) -> &mut Self {
        // SAFETY: the contract is the same.
        unsafe { self.wasmtime_mut().detect_host_feature(detect) };
        self
    }

    /// Whether the host passes floats in registers, on targets that do not tell.
    ///
    /// # Safety
    ///
    /// As Wasmtime's: the answer is true.
    pub unsafe fn x86_float_abi_ok(&mut self, enable: bool) -> &mut Self {
        // SAFETY: the contract is the same.
        unsafe { self.wasmtime_mut().x86_float_abi_ok(enable) };
        self
    }
}

impl Engine {
    /// Takes back what was set up in the process for traps.
    ///
    /// # Safety
    ///
    /// As Wasmtime's: no thread runs WebAssembly of any engine, now or later.
    ///
    /// # Panics
    ///
    /// When the engine is still in use.
    #[cfg(not(miri))]
    pub unsafe fn unload_process_handlers(self) {
        // SAFETY: the contract is the same.
        unsafe { self.wasmtime().clone().unload_process_handlers() }
    }

    /// Compiles a component, to be loaded by Wasmtime's own
    /// [`Component::deserialize`](crate::api::component::Component::deserialize).
    ///
    /// # Errors
    ///
    /// When the component is invalid.
    pub fn precompile_component(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        self.wasmtime().precompile_component(bytes)
    }
}
