//! Hooks that may have to wait.

use super::{Store, StoreContextMut};
use crate::api::{CallHook, Result};
use crate::runtime::held::Held;
use crate::runtime::store::StoreData;
use wasmtime::AsContextMut;

/// Who is told when calls enter and leave WebAssembly and the host, and may have to wait.
#[async_trait::async_trait]
pub trait CallHookHandler<T>: Send {
    /// Told of one.
    async fn handle_call_event(&self, t: StoreContextMut<'_, T>, ch: CallHook) -> Result<()>;
}

/// The engine's handler that asks the embedder's.
struct Told<H>(H);

#[async_trait::async_trait]
impl<T: Send + 'static, H: CallHookHandler<T> + Send + Sync + 'static> wasmtime::CallHookHandler<StoreData<T>>
    for Told<H>
{
    async fn handle_call_event(&self, inner: wasmtime::StoreContextMut<'_, StoreData<T>>, ch: CallHook) -> Result<()> {
        // What is handed over is nobody's root yet, or no longer.
        let mut held = Held::at_call(inner);
        self.0.handle_call_event(StoreContextMut { inner: held.cx.as_context_mut() }, ch).await
    }
}

impl<T: Send + 'static> Store<T> {
    /// Sets who is told when calls enter and leave WebAssembly and the host, and may have to wait. From then on only
    /// asynchronous functions can be called. Unlike [`Store::call_hook`] it is also told of calls by which lowered code
    /// asks the runtime, such as for memory.
    pub fn call_hook_async(&mut self, hook: impl CallHookHandler<T> + Send + Sync + 'static) {
        self.inner.call_hook_async(Told(hook));
    }
}
