//! Host functions over values of any type.

use super::async_::AsyncHost;
use super::{Caller, is_plain};
use crate::api::gc::rooting::{enter_scope, exit_scope};
use crate::api::store::StoreContextMut;
use crate::api::types::FuncType;
use crate::api::values::Val;
use crate::api::{Engine, Error, Result};
use crate::runtime::entry::throw_or_raise;
use crate::runtime::hooks::around_host;
use crate::runtime::stand_in::stand_in;
use crate::runtime::store::StoreData;
use crate::types::{self as t, TypeId};
use std::mem::MaybeUninit;
use std::sync::Arc;
use wasmtime::{AsContextMut, ValRaw};

/// What is said of a host function's result that is not of its type.
pub(super) const INCOMPATIBLE: &str = "function attempted to return an incompatible value";

type Dynamic<T> = dyn Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync;
type Typed<T> = dyn Fn(&mut wasmtime::Caller<'_, StoreData<T>>, &mut [MaybeUninit<ValRaw>]) -> Result<()> + Send + Sync;

enum Run<T: 'static> {
    /// Over values of any type, which are checked.
    Dynamic(Box<Dynamic<T>>),
    /// Over the engine's own storage, which holds lowered values of the function's types: parameters, then results.
    Typed(Box<Typed<T>>),
    /// One that may have to wait.
    Async(AsyncHost<T>),
}

/// A host function that no store knows yet.
pub(crate) struct HostFunc<T: 'static> {
    ty: FuncType,
    signature: t::FuncType,
    run: Run<T>,
}

impl<T: 'static> HostFunc<T> {
    pub fn new(
        ty: FuncType,
        run: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> HostFunc<T> {
        let signature = ty.signature().cloned().unwrap_or_default();
        HostFunc { ty, signature, run: Run::Dynamic(Box::new(run)) }
    }

    /// One that takes and gives values as lowered code does, of these very types: `run` finds its parameters in the
    /// storage and leaves its results there.
    pub fn typed(
        ty: FuncType,
        run: impl Fn(&mut wasmtime::Caller<'_, StoreData<T>>, &mut [MaybeUninit<ValRaw>]) -> Result<()>
        + Send
        + Sync
        + 'static,
    ) -> HostFunc<T> {
        let signature = ty.signature().cloned().unwrap_or_default();
        HostFunc { ty, signature, run: Run::Typed(Box::new(run)) }
    }

    /// One that may have to wait.
    pub fn new_async(ty: FuncType, run: AsyncHost<T>) -> HostFunc<T> {
        let signature = ty.signature().cloned().unwrap_or_default();
        HostFunc { ty, signature, run: Run::Async(run) }
    }

    /// Parameter and result types.
    pub fn signature(&self) -> &t::FuncType {
        &self.signature
    }

    /// The engine that its type is of.
    pub fn engine(&self) -> &Engine {
        self.ty.engine()
    }

    pub fn type_id(&self) -> TypeId {
        self.ty.id()
    }

    /// The engine's type, if it is the same for all modules: no lowered references are in it.
    pub fn plain_type(&self) -> Option<wasmtime::FuncType> {
        let mut types = self.signature.params.iter().chain(&self.signature.results);
        if !types.all(is_plain) {
            return None;
        }
        self.ty.engine().state().lowered_func(self.ty.id())
    }

    /// The engine's type. It is no other's: a function whose references are numbers to the engine must not be taken for one
    /// over numbers.
    ///
    /// # Errors
    ///
    /// As [`EngineState::made_func`](crate::runtime::engine::EngineState::made_func).
    pub fn lowered_type(&self) -> Result<wasmtime::FuncType> {
        self.ty.engine().state().made_func(self.ty.id())
    }

    /// A function of the engine that does this, with one of the types that stand for the original.
    pub fn materialize(
        self: &Arc<HostFunc<T>>,
        cx: &mut StoreContextMut<'_, T>,
        ty: wasmtime::FuncType,
    ) -> wasmtime::Func {
        if let Run::Async(run) = &self.run {
            return run.materialize(self, cx, ty);
        }
        let host = self.clone();
        if let Run::Typed(_) = self.run {
            return self.materialize_typed(cx, ty);
        }
        wasmtime::Func::new(&mut cx.inner, ty, move |caller, params, results| host.call(caller, params, results))
    }

    #[expect(unsafe_code, reason = "calls with references are hot, and the engine's safe way has types of its own")]
    fn materialize_typed(
        self: &Arc<HostFunc<T>>,
        cx: &mut StoreContextMut<'_, T>,
        ty: wasmtime::FuncType,
    ) -> wasmtime::Func {
        let host = self.clone();
        // SAFETY: `ty` is what this function's type is lowered to, and a typed function reads parameters and writes
        // results of that type (see `HostFunc::typed`, which only closures of such types are given to, and
        // `HostFunc::call_typed`, which writes all results where the function failed and its caller goes on).
        unsafe {
            wasmtime::Func::new_unchecked(&mut cx.inner, ty, move |caller, values| host.call_typed(caller, values))
        }
    }

    fn call_typed(
        &self,
        mut caller: wasmtime::Caller<'_, StoreData<T>>,
        values: &mut [MaybeUninit<ValRaw>],
    ) -> Result<()> {
        let Run::Typed(run) = &self.run else {
            return Err(Error::new(crate::fault::Error::bug("a function has changed its kind")));
        };
        let scope = enter_scope(&mut StoreContextMut { inner: caller.as_context_mut() });
        let result = around_host(&mut caller, |caller| run(caller, values));
        exit_scope(&mut StoreContextMut { inner: caller.as_context_mut() }, scope);
        match result {
            Ok(()) => Ok(()),
            Err(err) => {
                throw_or_raise(&mut caller, err)?;
                let mut results = vec![wasmtime::Val::I32(0); self.signature.results.len()];
                self.unread(&mut caller, &mut results)?;
                for (slot, result) in values.iter_mut().zip(&results) {
                    slot.write(result.to_raw(&mut caller)?);
                }
                Ok(())
            }
        }
    }

    fn call(
        &self,
        mut caller: wasmtime::Caller<'_, StoreData<T>>,
        params: &[wasmtime::Val],
        results: &mut [wasmtime::Val],
    ) -> Result<()> {
        let scope = enter_scope(&mut StoreContextMut { inner: caller.as_context_mut() });
        let result = around_host(&mut caller, |caller| self.call_in_scope(caller, params, results));
        exit_scope(&mut StoreContextMut { inner: caller.as_context_mut() }, scope);
        match result {
            Ok(()) => Ok(()),
            Err(err) => {
                throw_or_raise(&mut caller, err)?;
                self.unread(&mut caller, results)
            }
        }
    }

    /// Results that nobody reads, because an exception is pending.
    #[cold]
    pub(super) fn unread(
        &self,
        caller: &mut wasmtime::Caller<'_, StoreData<T>>,
        results: &mut [wasmtime::Val],
    ) -> Result<()> {
        let state = self.ty.engine().state();
        for (result, &ty) in results.iter_mut().zip(&self.signature.results) {
            *result = match ty {
                t::ValType::I64 => wasmtime::Val::I64(0),
                t::ValType::F32 => wasmtime::Val::F32(0),
                t::ValType::F64 => wasmtime::Val::F64(0),
                t::ValType::V128 => wasmtime::Val::V128(0u128.into()),
                t::ValType::Ref(r) if r.is_func() && r.nullable => wasmtime::Val::FuncRef(None),
                t::ValType::Ref(r) if r.is_func() => {
                    let id = r.heap.concrete();
                    let ty = id.map_or_else(
                        || Some(wasmtime::FuncType::new(&state.wasmtime, [], [])),
                        |id| state.lowered_func(id),
                    );
                    let ty = ty.ok_or_else(|| Error::msg("no module has shown how this function's type is lowered"))?;
                    wasmtime::Val::FuncRef(Some(stand_in(&mut *caller, &ty)))
                }
                t::ValType::I32 | t::ValType::Ref(_) => wasmtime::Val::I32(0),
            };
        }
        Ok(())
    }

    fn call_in_scope(
        &self,
        caller: &mut wasmtime::Caller<'_, StoreData<T>>,
        params: &[wasmtime::Val],
        results: &mut [wasmtime::Val],
    ) -> Result<()> {
        let run = match &self.run {
            Run::Typed(_) => {
                return Err(Error::new(crate::fault::Error::bug("a typed function was called with any values")));
            }
            Run::Dynamic(run) => run,
            Run::Async(_) => {
                return Err(Error::new(crate::fault::Error::bug("an asynchronous function was called at once")));
            }
        };
        let mut cx = StoreContextMut { inner: caller.as_context_mut() };
        let mut args = Vec::with_capacity(params.len());
        for (param, &ty) in params.iter().zip(&self.signature.params) {
            args.push(Val::lift(&mut cx, param, ty)?);
        }
        let mut values = vec![Val::FuncRef(None); results.len()];
        run(Caller::lend(caller), &args, &mut values)?;
        let mut cx = StoreContextMut { inner: caller.as_context_mut() };
        for ((result, value), &ty) in results.iter_mut().zip(&values).zip(&self.signature.results) {
            *result = value.lower(&mut cx, ty).map_err(|err| value.unfit(err, ty, INCOMPATIBLE))?;
        }
        Ok(())
    }
}
