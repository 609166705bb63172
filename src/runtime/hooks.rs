//! Who is told when calls enter and leave WebAssembly and the host.
//!
//! The engine's own hook would also be told of the calls by which lowered code asks the runtime for memory, which no
//! original module makes. So a hook is told here: around calls of the host into WebAssembly, and around the embedder's
//! host functions. Without the feature `call-hook` there is none, and nothing to ask.

use super::Result;
#[cfg(feature = "call-hook")]
use super::held::Held;
use super::store::StoreData;
use wasmtime::{CallHook, StoreContextMut};

/// What is told.
#[cfg(feature = "call-hook")]
pub type Hook<T> = Box<dyn FnMut(StoreContextMut<'_, StoreData<T>>, CallHook) -> Result<()> + Send + Sync>;

/// Tells the store's hook. While it runs there is none.
///
/// # Errors
///
/// The hook's.
#[cfg(feature = "call-hook")]
#[inline(always)]
pub fn tell<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, of: CallHook) -> Result<()> {
    if cx.data().callbacks().hook.is_none() { Ok(()) } else { tell_hook(cx, of) }
}

#[cfg(feature = "call-hook")]
#[inline(never)]
fn tell_hook<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>, of: CallHook) -> Result<()> {
    let Some(mut hook) = cx.data_mut().callbacks_mut().hook.take() else { return Ok(()) };
    // What is handed over is nobody's root yet, or no longer.
    let mut held = Held::at_call(wasmtime::AsContextMut::as_context_mut(cx));
    let result = hook(wasmtime::AsContextMut::as_context_mut(&mut held.cx), of);
    drop(held);
    cx.data_mut().callbacks_mut().hook.get_or_insert(hook);
    result
}

/// There is no hook.
///
/// # Errors
///
/// None.
#[cfg(not(feature = "call-hook"))]
#[inline]
pub fn tell<T: 'static>(_: &mut StoreContextMut<'_, StoreData<T>>, _: CallHook) -> Result<()> {
    Ok(())
}

/// Tells the hook before and after a host function.
///
/// # Errors
///
/// The hook's, else the function's.
#[inline]
pub fn around_host<T: 'static, R>(
    caller: &mut wasmtime::Caller<'_, StoreData<T>>,
    run: impl FnOnce(&mut wasmtime::Caller<'_, StoreData<T>>) -> Result<R>,
) -> Result<R> {
    tell(&mut wasmtime::AsContextMut::as_context_mut(caller), CallHook::CallingHost)?;
    let result = run(caller);
    tell(&mut wasmtime::AsContextMut::as_context_mut(caller), CallHook::ReturningFromHost)?;
    result
}
