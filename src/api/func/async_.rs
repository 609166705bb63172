//! Calls and host functions that may have to wait.
//!
//! An asynchronous call runs WebAssembly on a stack of its own (a *fiber*). When a host function must wait, that
//! stack is left and the call's future is pending; everything in the heap stays as it is, and nothing else runs in the
//! store. So collections need to know nothing of it: what the guest has on the shadow stack is there, waiting or not.

use super::host::{HostFunc, INCOMPATIBLE};
use super::typed::{AbiTy, TypedFunc, WasmParams, WasmResults, WasmTy};
use super::{Caller, Func, WasmRet, check_len, lift_all};
use crate::api::gc::rooting::{enter_scope, exit_scope};
use crate::api::store::{AsContext, AsContextMut, StoreContextMut};
use crate::api::types::{FuncType, ValType};
use crate::api::values::Val;
use crate::api::{Engine, Error, Result};
use crate::runtime::entry::{enter_async, raise, throw_or_raise};
use crate::runtime::finalize::safe_point;
use crate::runtime::hooks::tell;
use crate::runtime::ready::grow_as_awaited;
use crate::runtime::store::StoreData;
use crate::types::{self as t, CompositeType};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use wasmtime as w;
use wasmtime::CallHook;

/// What a host function waits for.
type Waiting<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// An asynchronous host function over lowered values.
trait RunAsync<T: 'static>: Send + Sync {
    fn run<'a>(
        &'a self,
        signature: &'a t::FuncType,
        caller: &'a mut w::Caller<'_, StoreData<T>>,
        params: &'a [w::Val],
        results: &'a mut [w::Val],
    ) -> Waiting<'a>;
}

type Materialize<T> = fn(Arc<dyn RunAsync<T>>, &Arc<HostFunc<T>>, &mut StoreContextMut<'_, T>, w::FuncType) -> w::Func;

/// An asynchronous host function, and how it becomes one of the engine: that needs data that may be sent, which only
/// who makes one knows of.
pub(crate) struct AsyncHost<T: 'static> {
    run: Arc<dyn RunAsync<T>>,
    materialize: Materialize<T>,
}

impl<T: 'static> AsyncHost<T> {
    /// A function of the engine that does this.
    pub fn materialize(&self, host: &Arc<HostFunc<T>>, cx: &mut StoreContextMut<'_, T>, ty: w::FuncType) -> w::Func {
        (self.materialize)(self.run.clone(), host, cx, ty)
    }
}

impl<T: Send + 'static> AsyncHost<T> {
    fn of(run: impl RunAsync<T> + 'static) -> AsyncHost<T> {
        AsyncHost { run: Arc::new(run), materialize }
    }
}

fn materialize<T: Send + 'static>(
    run: Arc<dyn RunAsync<T>>,
    host: &Arc<HostFunc<T>>,
    cx: &mut StoreContextMut<'_, T>,
    ty: w::FuncType,
) -> w::Func {
    let host = host.clone();
    w::Func::new_async(&mut cx.inner, ty, move |caller, params, results| {
        let (run, host) = (run.clone(), host.clone());
        Box::new(async move { call(&*run, &host, caller, params, results).await })
    })
}

/// As a host function that need not wait is called, but for the waiting.
async fn call<T: Send + 'static>(
    run: &dyn RunAsync<T>,
    host: &HostFunc<T>,
    mut caller: w::Caller<'_, StoreData<T>>,
    params: &[w::Val],
    results: &mut [w::Val],
) -> Result<()> {
    tell(&mut w::AsContextMut::as_context_mut(&mut caller), CallHook::CallingHost).map_err(raise)?;
    let scope = enter_scope(&mut StoreContextMut { inner: w::AsContextMut::as_context_mut(&mut caller) });
    let result = run.run(host.signature(), &mut caller, params, results).await;
    exit_scope(&mut StoreContextMut { inner: w::AsContextMut::as_context_mut(&mut caller) }, scope);
    let told = tell(&mut w::AsContextMut::as_context_mut(&mut caller), CallHook::ReturningFromHost);
    match told.and(result) {
        Ok(()) => Ok(()),
        Err(err) => {
            throw_or_raise(&mut caller, err)?;
            host.unread(&mut caller, results)
        }
    }
}

/// A closure over values of any type.
struct Dynamic<F>(F);

impl<T: Send + 'static, F> RunAsync<T> for Dynamic<F>
where
    F: for<'a> Fn(Caller<'a, T>, &'a [Val], &'a mut [Val]) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
        + Send
        + Sync
        + 'static,
{
    fn run<'a>(
        &'a self,
        signature: &'a t::FuncType,
        caller: &'a mut w::Caller<'_, StoreData<T>>,
        params: &'a [w::Val],
        results: &'a mut [w::Val],
    ) -> Waiting<'a> {
        Box::pin(async move {
            let mut args = Vec::with_capacity(params.len());
            let mut cx = StoreContextMut { inner: w::AsContextMut::as_context_mut(caller) };
            for (param, &ty) in params.iter().zip(&signature.params) {
                args.push(Val::lift(&mut cx, param, ty)?);
            }
            let mut values = vec![Val::FuncRef(None); results.len()];
            Box::into_pin((self.0)(Caller::lend(caller), &args, &mut values)).await?;
            let mut cx = StoreContextMut { inner: w::AsContextMut::as_context_mut(caller) };
            for ((result, value), &ty) in results.iter_mut().zip(&values).zip(&signature.results) {
                *result = value.lower(&mut cx, ty).map_err(|err| value.unfit(err, ty, INCOMPATIBLE))?;
            }
            Ok(())
        })
    }
}

/// A closure over a list of typed values.
struct Typed<F, P, R>(F, PhantomData<fn(P) -> R>);

impl<T: Send + 'static, F, P: WasmTyList, R: WasmRet> RunAsync<T> for Typed<F, P, R>
where
    F: for<'a> Fn(Caller<'a, T>, P) -> Box<dyn Future<Output = R> + Send + 'a> + Send + Sync + 'static,
{
    fn run<'a>(
        &'a self,
        _: &'a t::FuncType,
        caller: &'a mut w::Caller<'_, StoreData<T>>,
        params: &'a [w::Val],
        results: &'a mut [w::Val],
    ) -> Waiting<'a> {
        Box::pin(async move {
            let params = P::load(&mut StoreContextMut { inner: w::AsContextMut::as_context_mut(caller) }, params)?;
            let returned = Box::into_pin((self.0)(Caller::lend(caller), params)).await;
            returned.store_vals(&mut StoreContextMut { inner: w::AsContextMut::as_context_mut(caller) }, results)
        })
    }
}

/// The parameters of an asynchronous host function: a tuple of up to seventeen [`WasmTy`].
pub trait WasmTyList: Send + 'static {
    /// The WebAssembly type of each.
    fn valtypes() -> impl Iterator<Item = ValType>;
    #[doc(hidden)]
    fn load<T: 'static>(cx: &mut StoreContextMut<'_, T>, params: &[w::Val]) -> Result<Self>
    where
        Self: Sized;
}

macro_rules! lists {
    ($(($($a:ident)*))*) => {
        $(
            #[allow(unused_variables, unused_mut, reason = "one macro for all arities")]
            impl<$($a: WasmTy),*> WasmTyList for ($($a,)*) {
                fn valtypes() -> impl Iterator<Item = ValType> {
                    [$($a::valtype()),*].into_iter()
                }
                fn load<T: 'static>(cx: &mut StoreContextMut<'_, T>, params: &[w::Val]) -> Result<Self> {
                    let mut params = params.iter();
                    Ok(($($a::lift(cx, params.next().and_then(<$a as WasmTy>::Abi::from_native).ok_or_else(bug)?)?,)*))
                }
            }
        )*
    };
}

for_each_arity! { lists }

#[cold]
fn bug() -> Error {
    Error::new(crate::fault::Error::bug("a host function's value is not of its type"))
}

/// An asynchronous host function over values of any type.
pub(crate) fn dynamic<T: Send + 'static>(
    ty: FuncType,
    func: impl for<'a> Fn(Caller<'a, T>, &'a [Val], &'a mut [Val]) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
    + Send
    + Sync
    + 'static,
) -> Arc<HostFunc<T>> {
    Arc::new(HostFunc::new_async(ty, AsyncHost::of(Dynamic(func))))
}

/// An asynchronous host function from a closure, whose parameters and result give its type.
pub(crate) fn typed<T: Send + 'static, P: WasmTyList, R: WasmRet>(
    engine: &Engine,
    func: impl for<'a> Fn(Caller<'a, T>, P) -> Box<dyn Future<Output = R> + Send + 'a> + Send + Sync + 'static,
) -> Arc<HostFunc<T>> {
    let ty = FuncType::new(engine, P::valtypes(), R::types());
    Arc::new(HostFunc::new_async(ty, AsyncHost::of(Typed(func, PhantomData))))
}

impl Func {
    /// A host function over values of any type that may have to wait. The store is one for asynchronous calls from
    /// then on.
    ///
    /// ```
    /// use wasmtime_gc::{Engine, Func, FuncType, Store, Val, ValType};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut future = pin!(future);
    /// #     loop {
    /// #         if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
    /// #             return output;
    /// #         }
    /// #     }
    /// # }
    ///
    /// let engine = Engine::default();
    /// let mut store = Store::new(&engine, ());
    /// let ty = FuncType::new(&engine, [ValType::I32], [ValType::I32]);
    /// let next = Func::new_async(&mut store, ty, |_caller, params, results| {
    ///     Box::new(async move {
    ///         // Whatever has to be waited for.
    ///         std::future::ready(()).await;
    ///         results[0] = Val::I32(params[0].unwrap_i32() + 1);
    ///         Ok(())
    ///     })
    /// });
    /// let mut results = [Val::I32(0)];
    /// block_on(next.call_async(&mut store, &[Val::I32(41)], &mut results))?;
    /// assert_eq!(results[0].unwrap_i32(), 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_async<T, F>(mut store: impl AsContextMut<Data = T>, ty: FuncType, func: F) -> Func
    where
        F: for<'a> Fn(Caller<'a, T>, &'a [Val], &'a mut [Val]) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
            + Send
            + Sync
            + 'static,
        T: Send + 'static,
    {
        Func::of_host(&mut store.as_context_mut(), dynamic(ty, func))
    }

    /// A host function that may have to wait, from a closure whose parameters, in a tuple, and result give its type.
    pub fn wrap_async<T, F, P, R>(mut store: impl AsContextMut<Data = T>, func: F) -> Func
    where
        F: for<'a> Fn(Caller<'a, T>, P) -> Box<dyn Future<Output = R> + Send + 'a> + Send + Sync + 'static,
        P: WasmTyList,
        R: WasmRet,
        T: Send + 'static,
    {
        let mut cx = store.as_context_mut();
        let host = typed(cx.engine(), func);
        Func::of_host(&mut cx, host)
    }

    /// Calls the function, which may have to wait: for asynchronous host functions, or for its turn by epochs or fuel.
    ///
    /// # Errors
    ///
    /// As [`Func::call`].
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub async fn call_async(
        &self,
        mut store: impl AsContextMut<Data: Send>,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let mut cx = store.as_context_mut();
        let def = self.def(&cx.as_context())?;
        let CompositeType::Func(ty) = &def.sub.composite else {
            return Err(Error::new(crate::fault::Error::bug("a function's type is no function type")));
        };
        check_len("arguments", ty.params.len(), params.len())?;
        check_len("results", ty.results.len(), results.len())?;
        let func = self.native(&mut cx)?;
        let mut args = Vec::with_capacity(params.len());
        for (param, &ty) in params.iter().zip(&ty.params) {
            args.push(param.lower(&mut cx, ty).map_err(|err| param.unfit(err, ty, "argument type mismatch"))?);
        }
        grow_as_awaited(&mut cx.inner).await;
        let mut values = vec![w::Val::I32(0); results.len()];
        let called = enter_async(&mut cx.inner, async |cx| func.call_async(cx, &args, &mut values).await).await;
        let lifted = called.and_then(|()| lift_all(&mut cx, &values, &ty.results, results));
        safe_point(&mut cx.inner);
        lifted
    }
}

impl<Params: WasmParams, Results: WasmResults> TypedFunc<Params, Results> {
    /// Calls the function, which may have to wait. See [`Func::call_async`].
    ///
    /// # Errors
    ///
    /// As [`Func::call`].
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub async fn call_async(&self, mut store: impl AsContextMut<Data: Send>, params: Params) -> Result<Results>
    where
        Params: Sync,
        Results: Sync,
    {
        let mut cx = store.as_context_mut();
        let params = params.lower(&mut cx, self.param_types())?;
        let inner = self.inner(&mut cx)?;
        grow_as_awaited(&mut cx.inner).await;
        let results = enter_async(&mut cx.inner, async |cx| inner.call_async(cx, params).await).await;
        let results = results.and_then(|results| Results::lift(&mut cx, results));
        safe_point(&mut cx.inner);
        results
    }
}
