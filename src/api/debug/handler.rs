//! Who is told when a guest stops.
//!
//! The engine has a handler of ours, which asks what its event is in terms of the original modules
//! (`runtime/debug.rs`), and tells the embedder's.

use crate::api::gc::GcRefImpl;
use crate::api::store::{AsContext, AsContextMut, Store, StoreContextMut};
use crate::api::{Error, ExnRef, Module, OwnedRooted, Result, ThrownException, Trap, component};
use crate::runtime::debug::{self, Stop};
use crate::runtime::entry;
use crate::runtime::store::StoreData;
use wasmtime as w;

/// Why a guest has stopped.
#[derive(Debug)]
pub enum DebugEvent<'a> {
    /// A host function has failed.
    HostcallError(&'a Error),
    /// An exception was thrown. Nobody has caught it yet; it is pending in the store, and another may be put in its
    /// place by [`Store::throw`]. One that is only taken is thrown all the same.
    Exception(OwnedRooted<ExnRef>),
    /// A trap.
    Trap(Trap),
    /// A breakpoint, or a single step.
    Breakpoint,
    /// An epoch has come. In a module that was lowered this is told before the next operator.
    EpochYield,
}

/// Who is told when a guest stops. The guest is on the stack meanwhile and goes on when the future is ready. It is
/// cloned each time.
///
/// ```
/// use std::pin::pin;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::task::{Context, Poll, Waker};
/// use wasmtime_gc::api::{
///     Config, DebugEvent, DebugHandler, Engine, Instance, Module, Result, Store, StoreContextMut,
/// };
///
/// /// Counts steps.
/// #[derive(Clone, Default)]
/// struct Steps(Arc<AtomicU32>);
///
/// impl DebugHandler for Steps {
///     type Data = ();
///
///     async fn handle(&self, mut store: StoreContextMut<'_, ()>, event: DebugEvent<'_>) {
///         if let DebugEvent::Breakpoint = event {
///             assert!(store.debug_exit_frames().next().is_some());
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// async fn run(steps: Steps) -> Result<()> {
///     let mut config = Config::new();
///     config.guest_debug(true);
///     let engine = Engine::new(&config)?;
///     let module = Module::new(&engine, r#"(module (func (export "f") (drop (ref.i31 (i32.const 1)))))"#)?;
///     let mut store = Store::new(&engine, ());
///     store.set_debug_handler(steps);
///     let instance = Instance::new_async(&mut store, &module, &[]).await?;
///     store.edit_breakpoints().unwrap().single_step(true)?;
///     instance.get_typed_func::<(), ()>(&mut store, "f")?.call_async(&mut store, ()).await
/// }
///
/// let steps = Steps::default();
/// let mut run = pin!(run(steps.clone()));
/// let ended = loop {
///     if let Poll::Ready(ended) = run.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
///         break ended;
///     }
/// };
/// ended.unwrap();
/// assert_eq!(steps.0.load(Ordering::Relaxed), 4, "three operators and the end");
/// ```
pub trait DebugHandler: Clone + Send + Sync + 'static {
    /// The data of the stores that it is for.
    type Data;

    /// A guest has stopped.
    fn handle(&self, store: StoreContextMut<'_, Self::Data>, event: DebugEvent<'_>) -> impl Future<Output = ()> + Send;
}

/// The embedder's handler, as the engine knows it.
#[derive(Clone)]
struct Bridge<H>(H);

impl<H> w::DebugHandler for Bridge<H>
where
    H: DebugHandler,
    H::Data: Send,
{
    type Data = StoreData<H::Data>;

    fn handle(
        &self,
        store: w::StoreContextMut<'_, StoreData<H::Data>>,
        event: w::DebugEvent<'_>,
    ) -> impl Future<Output = ()> + Send {
        let cx = StoreContextMut { inner: store };
        let handler = self.0.clone();
        async move {
            match event {
                w::DebugEvent::HostcallError(err) => host_error(handler, cx, err).await,
                w::DebugEvent::Trap(trap) => trapped(handler, cx, trap).await,
                w::DebugEvent::Breakpoint => stopped(handler, cx).await,
                w::DebugEvent::EpochYield => epoch(handler, cx).await,
                // No module has exceptions of the engine.
                w::DebugEvent::Exception(_) => {}
            }
        }
    }
}

/// A host function has failed. Its error is wrapped on its way through the engine.
async fn host_error<H: DebugHandler>(handler: H, mut cx: StoreContextMut<'_, H::Data>, err: &Error) {
    let err = entry::host_error(err).unwrap_or(err);
    let event = match err.downcast_ref::<Trap>() {
        Some(&trap) => DebugEvent::Trap(trap),
        None if err.is::<ThrownException>() => match pending(&mut cx) {
            Some(exn) => DebugEvent::Exception(exn),
            None => DebugEvent::HostcallError(err),
        },
        None => DebugEvent::HostcallError(err),
    };
    handler.handle(cx, event).await;
}

/// Something has trapped: what runs does not go on, so an epoch that has come is told here too.
async fn trapped<H: DebugHandler>(handler: H, mut cx: StoreContextMut<'_, H::Data>, trap: Trap) {
    let trap = debug::trap(&mut cx.inner, trap);
    if debug::take_epoch(&mut cx.inner).unwrap_or(false) {
        handler.handle(cx.as_context_mut(), DebugEvent::EpochYield).await;
    }
    handler.handle(cx, DebugEvent::Trap(trap)).await;
}

/// The exception that is pending in the store.
fn pending<T: 'static>(cx: &mut StoreContextMut<'_, T>) -> Option<OwnedRooted<ExnRef>> {
    let word = cx.inner.data_mut().gc.roots()?.pending?;
    OwnedRooted::new(cx, word).ok()
}

/// The engine has stopped. What can not be found out is a defect of this crate, and no reason to stop for good.
async fn stopped<H: DebugHandler>(handler: H, mut cx: StoreContextMut<'_, H::Data>) {
    match debug::stop(&mut cx.inner) {
        Ok(Stop::Exception) => exception(handler, cx).await,
        Ok(Stop::Operator(wanted)) => {
            if debug::take_epoch(&mut cx.inner).unwrap_or(false) {
                handler.handle(cx.as_context_mut(), DebugEvent::EpochYield).await;
            }
            if wanted {
                handler.handle(cx, DebugEvent::Breakpoint).await;
            }
        }
        Ok(Stop::Nothing) | Err(_) => {}
    }
}

/// An exception is pending in the heap. Where the host has its turn it must be pending in the store.
async fn exception<H: DebugHandler>(handler: H, mut cx: StoreContextMut<'_, H::Data>) {
    entry::move_out(&mut cx.inner);
    let thrown = pending(&mut cx);
    if let Some(exn) = &thrown {
        handler.handle(cx.as_context_mut(), DebugEvent::Exception(exn.clone())).await;
    }
    let own = thrown.and_then(|exn| exn.word(&cx.as_context()).ok());
    entry::move_in(&mut cx.inner, own);
}

async fn epoch<H: DebugHandler>(handler: H, mut cx: StoreContextMut<'_, H::Data>) {
    if debug::epoch(&mut cx.inner).unwrap_or(true) {
        handler.handle(cx, DebugEvent::EpochYield).await;
    }
}

impl<T: 'static> Store<T> {
    /// Sets who is told when a guest stops. From then on only asynchronous functions can be called.
    ///
    /// # Panics
    ///
    /// When the engine is not for debugging of guests ([`Config::guest_debug`](crate::api::Config::guest_debug)).
    pub fn set_debug_handler(&mut self, handler: impl DebugHandler<Data = T>)
    where
        T: Send,
    {
        self.inner.set_debug_handler(Bridge(handler));
        self.inner.data_mut().callbacks_mut().start_async = Some(debug::call_start);
    }

    /// Nobody is told any more when a guest stops.
    pub fn clear_debug_handler(&mut self) {
        self.inner.clear_debug_handler();
    }

    /// Makes a module known to debuggers before it has an instance.
    ///
    /// # Errors
    ///
    /// When the module is of another engine.
    pub fn debug_register_module(&mut self, module: &Module) -> Result<()> {
        self.inner.debug_register_module(&module.code().wasmtime)?;
        debug::register(&mut w::AsContextMut::as_context_mut(&mut self.inner), module.clone());
        Ok(())
    }

    /// Makes the modules of a component known to debuggers of the inner engine: components are Wasmtime's own.
    ///
    /// # Errors
    ///
    /// When the component is of another engine.
    pub fn debug_register_component(&mut self, component: &component::Component) -> Result<()> {
        self.inner.debug_register_component(component)
    }
}
