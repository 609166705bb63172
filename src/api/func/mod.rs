//! Functions.
//!
//! | file | idea |
//! |---|---|
//! | `async_.rs` | calls and host functions that may have to wait |
//! | `caller.rs` | what a host function sees of its caller |
//! | `host.rs` | host functions over values of any type |
//! | `into.rs` | closures as host functions |
//! | `references.rs` | references as parameters and results |
//! | `typed.rs` | calls whose types are known when the host is compiled |

/// Gives a macro the names of as many types as a function may have parameters, or results.
macro_rules! for_each_arity {
    ($each:ident) => {
        $each! {
            ()
            (A1)
            (A1 A2)
            (A1 A2 A3)
            (A1 A2 A3 A4)
            (A1 A2 A3 A4 A5)
            (A1 A2 A3 A4 A5 A6)
            (A1 A2 A3 A4 A5 A6 A7)
            (A1 A2 A3 A4 A5 A6 A7 A8)
            (A1 A2 A3 A4 A5 A6 A7 A8 A9)
            (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10)
            (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11)
            (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12)
            (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13)
            (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14)
            (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15)
            (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16)
            (A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16 A17)
        }
    };
}

mod async_;
mod caller;
mod host;
mod into;
mod references;
mod typed;

pub use async_::WasmTyList;
pub use caller::Caller;
pub use into::{IntoFunc, WasmRet};
pub use typed::{TypedFunc, WasmParams, WasmResults, WasmTy};

pub(crate) use async_::{dynamic, typed};
pub(crate) use host::HostFunc;
pub(crate) use into::{Signature, signature_of};

use super::store::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::types::{FuncType, assert_same};
use super::values::Val;
use super::{Error, Result};
use crate::runtime::entry::enter;
use crate::runtime::finalize::safe_point;
use crate::types::{self as t, CompositeType, TypeDef, TypeId};
use std::sync::Arc;

/// A function of a guest or of the host.
///
/// ```
/// use wasmtime_gc::{Func, Instance, Module, Store, Val};
///
/// # fn main() -> wasmtime_gc::Result<()> {
/// let mut store = Store::<()>::default();
/// let half = Func::wrap(&mut store, |n: i32| n / 2);
/// let mut results = [Val::I32(0)];
/// half.call(&mut store, &[Val::I32(84)], &mut results)?;
/// assert_eq!(results[0].unwrap_i32(), 42);
/// // Guests take it as any other function.
/// let module = r#"(module (import "" "" (func $half (param i32) (result i32))) (export "half" (func $half)))"#;
/// let module = Module::new(store.engine(), module)?;
/// let instance = Instance::new(&mut store, &module, &[half.into()])?;
/// let half = instance.get_typed_func::<i32, i32>(&mut store, "half")?;
/// assert_eq!(half.call(&mut store, 10)?, 5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Func {
    kind: FuncKind,
}

#[derive(Clone, Copy, Debug)]
enum FuncKind {
    Native(wasmtime::Func),
    /// One that never returns to the engine with an exception pending, unless its caller asks.
    Silent(wasmtime::Func),
    /// A host function whose signature holds lowered references: how they are lowered depends on the
    /// module that imports it.
    Host {
        store: u64,
        index: usize,
    },
}

impl Func {
    /// A host function over values of any type.
    ///
    /// Results are preset to zero or null. An error traps the caller and is what the outermost call
    /// from the host returns.
    pub fn new<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let mut cx = store.as_context_mut();
        Func::of_host(&mut cx, Arc::new(HostFunc::new(ty, func)))
    }

    /// A host function from a closure, whose parameters and result give its type.
    ///
    /// ```
    /// use wasmtime_gc::{AnyRef, Caller, Func, Result, Rooted, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// struct Seen(u32);
    ///
    /// let mut store = Store::new(&Default::default(), Seen(0));
    /// // Any number of numbers and references; the caller first, if it is wanted; results that may fail.
    /// let is_null = Func::wrap(&mut store, |any: Option<Rooted<AnyRef>>| i32::from(any.is_none()));
    /// let count = Func::wrap(&mut store, |mut caller: Caller<'_, Seen>| caller.data_mut().0 += 1);
    /// let divide = Func::wrap(&mut store, |a: u32, b: u32| -> Result<u32> {
    ///     a.checked_div(b).ok_or_else(|| wasmtime_gc::format_err!("division by zero"))
    /// });
    /// count.typed::<(), ()>(&store)?.call(&mut store, ())?;
    /// assert_eq!(store.data().0, 1);
    /// assert_eq!(is_null.typed::<Option<Rooted<AnyRef>>, i32>(&store)?.call(&mut store, None)?, 1);
    /// assert!(divide.typed::<(u32, u32), u32>(&store)?.call(&mut store, (1, 0)).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn wrap<T: 'static, Params, Results>(
        mut store: impl AsContextMut<Data = T>,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Func {
        let mut cx = store.as_context_mut();
        if func.is_plain() {
            return Func::of_silent(func.into_native(cx.inner));
        }
        let host = func.into_host(cx.engine());
        Func::of_host(&mut cx, Arc::new(host))
    }

    /// The same as [`Func::new`].
    ///
    /// # Errors
    ///
    /// Never; Wasmtime's fails when the host is out of memory.
    pub fn try_new<T: 'static>(
        store: impl AsContextMut<Data = T>,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Self> {
        Ok(Func::new(store, ty, func))
    }

    /// The same as [`Func::wrap`].
    ///
    /// # Errors
    ///
    /// Never; Wasmtime's fails when the host is out of memory.
    pub fn try_wrap<T: 'static, Params, Results>(
        store: impl AsContextMut<Data = T>,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Result<Func> {
        Ok(Func::wrap(store, func))
    }

    /// Whether it is of a type.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn matches_ty(&self, store: impl AsContext, ty: &FuncType) -> bool {
        self.ty(store).matches(ty)
    }

    pub(crate) fn of_native(func: wasmtime::Func) -> Func {
        Func { kind: FuncKind::Native(func) }
    }

    /// A function of the host, or of a module that was left alone.
    pub(crate) fn of_silent(func: wasmtime::Func) -> Func {
        Func { kind: FuncKind::Silent(func) }
    }

    /// Whether a call returns with an exception pending only to callers that ask.
    pub(crate) fn is_silent(&self) -> bool {
        !matches!(self.kind, FuncKind::Native(_))
    }

    pub(crate) fn of_host<T: 'static>(cx: &mut StoreContextMut<'_, T>, host: Arc<HostFunc<T>>) -> Func {
        assert_same(host.engine(), cx.engine());
        if let Some(native) = host.plain_type() {
            return Func::of_silent(host.materialize(cx, native));
        }
        let store = cx.inner.data().gc.id;
        let hosts = &mut cx.inner.data_mut().host_funcs;
        hosts.push(host);
        Func { kind: FuncKind::Host { store, index: hosts.len() - 1 } }
    }

    /// An error when the function is of another store. Of its own functions the engine says so, without a panic, only
    /// where one is set to a global.
    pub(crate) fn check_store<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>, what: &str) -> Result<()> {
        let func = match self.kind {
            FuncKind::Native(func) | FuncKind::Silent(func) => func,
            FuncKind::Host { store, index } => return Func::host(&cx.as_context(), store, index).map(|_| ()),
        };
        let global = match cx.inner.data().func_global {
            Some(global) => global,
            None => {
                let ty = wasmtime::GlobalType::new(wasmtime::ValType::FUNCREF, wasmtime::Mutability::Var);
                let global = wasmtime::Global::new(&mut cx.inner, ty, wasmtime::Val::FuncRef(None))?;
                *cx.inner.data_mut().func_global.insert(global)
            }
        };
        let set = global.set(&mut cx.inner, wasmtime::Val::FuncRef(Some(func)));
        set.map_err(|_| Error::msg(format!("{what} used with wrong store")))
    }

    fn host<T: 'static>(cx: &StoreContext<'_, T>, store: u64, index: usize) -> Result<Arc<HostFunc<T>>> {
        let data = cx.inner.data();
        if data.gc.id != store {
            return Err(Error::msg("function used with wrong store"));
        }
        let host = data.host_funcs.get(index).cloned().and_then(|host| host.downcast().ok());
        host.ok_or_else(|| Error::new(crate::fault::Error::bug("unknown host function")))
    }

    /// The engine's function, for an import that has this type there.
    pub(crate) fn native_for<T: 'static>(
        &self,
        cx: &mut StoreContextMut<'_, T>,
        ty: wasmtime::FuncType,
    ) -> Result<wasmtime::Func> {
        match self.kind {
            FuncKind::Native(func) | FuncKind::Silent(func) => Ok(func),
            FuncKind::Host { store, index } => {
                let host = Func::host(&cx.as_context(), store, index)?;
                Ok(host.materialize(cx, ty))
            }
        }
    }

    /// The engine's function.
    pub(crate) fn native<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>) -> Result<wasmtime::Func> {
        match self.kind {
            FuncKind::Native(func) | FuncKind::Silent(func) => Ok(func),
            FuncKind::Host { store, index } => {
                let host = Func::host(&cx.as_context(), store, index)?;
                let ty = host.lowered_type()?;
                // The store never lets go of a function, so it is made once; but a module may have shown another
                // type since.
                let known = cx.inner.data().host_natives.get(&index).copied();
                if let Some(known) = known.filter(|known| wasmtime::FuncType::eq(&known.ty(&cx.inner), &ty)) {
                    return Ok(known);
                }
                let native = host.materialize(cx, ty);
                cx.inner.data_mut().host_natives.insert(index, native);
                Ok(native)
            }
        }
    }

    /// Whether an import of this type takes the function; the engine checks functions of its own.
    pub(crate) fn fits<T: 'static>(&self, cx: &StoreContext<'_, T>, id: TypeId) -> Result<bool> {
        match self.kind {
            FuncKind::Native(_) | FuncKind::Silent(_) => Ok(true),
            FuncKind::Host { store, index } => {
                let host = Func::host(cx, store, index)?;
                Ok(cx.inner.data().gc.engine.is_sub_id(host.type_id(), id))
            }
        }
    }

    pub(crate) fn as_native(&self) -> Option<wasmtime::Func> {
        match self.kind {
            FuncKind::Native(func) | FuncKind::Silent(func) => Some(func),
            FuncKind::Host { .. } => None,
        }
    }

    pub(crate) fn type_id<T: 'static>(&self, cx: &StoreContext<'_, T>) -> Result<TypeId> {
        match self.kind {
            FuncKind::Native(func) | FuncKind::Silent(func) => {
                let ty = func.ty(&cx.inner);
                let id = cx.inner.data().gc.engine.canon_func(&ty);
                id.ok_or_else(|| Error::msg(format!("a function of type {ty} has no type outside of the engine")))
            }
            FuncKind::Host { store, index } => Ok(Func::host(cx, store, index)?.type_id()),
        }
    }

    fn def<T: 'static>(&self, cx: &StoreContext<'_, T>) -> Result<Arc<TypeDef>> {
        let id = self.type_id(cx)?;
        let def = cx.inner.data().gc.engine.registry.get(id);
        def.ok_or_else(|| Error::new(crate::fault::Error::bug("unknown function type")))
    }

    /// Its type, as it was before lowering.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn ty(&self, store: impl AsContext) -> FuncType {
        let cx = store.as_context();
        match self.type_id(&cx) {
            Ok(id) => FuncType::of(cx.engine(), id),
            Err(err) => panic!("{err}"),
        }
    }

    /// Calls the function.
    ///
    /// # Errors
    ///
    /// When the arguments do not match its type, when it traps, or when a host function that it calls
    /// fails: then the error is that function's, with a [`WasmBacktrace`](super::WasmBacktrace).
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn call(&self, mut store: impl AsContextMut, params: &[Val], results: &mut [Val]) -> Result<()> {
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
        let mut values = vec![wasmtime::Val::I32(0); results.len()];
        let called = enter(&mut cx.inner, |cx| func.call(cx, &args, &mut values));
        let lifted = called.and_then(|()| lift_all(&mut cx, &values, &ty.results, results));
        safe_point(&mut cx.inner);
        lifted
    }

    /// The function as one whose types are known when the host is compiled.
    ///
    /// ```
    /// use wasmtime_gc::{Func, Store};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let add = Func::wrap(&mut store, |a: i32, b: i32| a + b);
    /// let typed = add.typed::<(i32, i32), i32>(&store)?;
    /// assert_eq!(typed.call(&mut store, (1, 2))?, 3);
    /// assert!(add.typed::<(i32, i64), i32>(&store).is_err(), "its type is another");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When its type is another.
    pub fn typed<Params, Results>(&self, store: impl AsContext) -> Result<TypedFunc<Params, Results>>
    where
        Params: WasmParams,
        Results: WasmResults,
    {
        TypedFunc::new(&store.as_context(), *self)
    }
}

/// Makes values of what the engine returned.
fn lift_all<T: 'static>(
    cx: &mut StoreContextMut<'_, T>,
    values: &[wasmtime::Val],
    types: &[t::ValType],
    results: &mut [Val],
) -> Result<()> {
    for ((result, value), &ty) in results.iter_mut().zip(values).zip(types) {
        *result = Val::lift(cx, value, ty)?;
    }
    Ok(())
}

fn check_len(what: &str, expected: usize, actual: usize) -> Result<()> {
    if expected == actual {
        return Ok(());
    }
    Err(Error::msg(format!("expected {expected} {what}, got {actual}")))
}

/// Whether values of a type pass the border as they are, and the type is one to lowered code.
fn is_plain(ty: &t::ValType) -> bool {
    !ty.is_gc_ref() && ty.as_ref().is_none_or(|ty| ty.heap != t::HeapType::NoFunc)
}
