//! What Wasmtime's interface has not: weak references, ephemerons, finalizers, host values that hold
//! references, and the same for modules.
//!
//! | file | idea |
//! |---|---|
//! | `weak.rs` | weak references and ephemeron maps |
//! | `finalize.rs` | finalizers of guests' objects |
//! | `traced.rs` | host values that hold references without rooting them |
//! | `step.rs` | collecting a little |
//! | `imports.rs` | all of it as imports of modules |
//! | `call_profile.rs` | whom calls through references and tables reach |
//! | `component.rs` | the heap for components |
//!
//! Everything here works by the reachability that `docs/heap.md` defines, in the order that its section on weak
//! processing numbers: what a collection finds dead, it finds dead for weak references, ephemerons and
//! finalizers at once.
//!
//! A value of the host needs no finalizer: its `Drop` runs after the major collection that finds no reference
//! to it, on the thread that runs the store.
//!
//! # A cycle through the host
//!
//! ```
//! use wasmtime_gc::ext::{Member, Trace, Tracer, WeakRef};
//! use wasmtime_gc::{AnyRef, Engine, ExternRef, Rooted, RootScope, Store};
//!
//! /// A listener of the host that holds an object of a guest.
//! struct Listener(Member<AnyRef>);
//!
//! impl Trace for Listener {
//!     fn trace(&self, tracer: &mut Tracer<'_>) {
//!         tracer.visit(&self.0);
//!     }
//! }
//!
//! # fn main() -> wasmtime_gc::Result<()> {
//! let mut store = Store::new(&Engine::default(), ());
//! let weak = {
//!     let mut scope = RootScope::new(&mut store);
//!     let value = ExternRef::new(&mut scope, "the object of a guest")?;
//!     let object = AnyRef::convert_extern(&mut scope, value)?;
//!     let member = Member::new(&mut scope, object)?;
//!     let listener = ExternRef::new_traced(&mut scope, Listener(member))?;
//!     WeakRef::new(&mut scope, &listener)?
//! };
//! assert!(weak.upgrade(&mut store)?.is_some());
//! # Ok(())
//! # }
//! ```

mod call_profile;
pub mod component;
mod finalize;
mod imports;
mod step;
mod traced;
mod weak;

pub use crate::heap::{HeapStats, PAUSE_BUCKETS};
pub use call_profile::CallProfile;
pub use finalize::{FinalizationRegistry, Registration, finalize, run_finalizers};
pub use imports::{MODULE, add_to_linker};
pub use step::{gc_step, gc_young};
pub use traced::{Member, Trace, Tracer};
pub use weak::{EphemeronMap, WeakRef};

use super::gc::rooting::{foreign, no_heap};
use super::store::StoreContextMut;
use super::{Error, Result};
use crate::layout::reference;
use crate::runtime::store::{GcState, ensure_heap};

/// The heap of a store, which is made if there is none.
fn heap<'a, T: 'static>(cx: &'a mut StoreContextMut<'_, T>) -> Result<&'a mut GcState> {
    ensure_heap(&mut cx.inner)?;
    cx.inner.data_mut().gc.state_mut().ok_or_else(no_heap)
}

/// The same where something is used that is of a store.
fn heap_of<'a, T: 'static>(cx: &'a mut StoreContextMut<'_, T>, store: u64) -> Result<&'a mut GcState> {
    if cx.inner.data().gc.id != store {
        return Err(foreign());
    }
    heap(cx)
}

/// A key or target must be something that can die.
fn check_mortal(word: u32, what: &str) -> Result<()> {
    if reference::is_object(word) {
        return Ok(());
    }
    Err(Error::msg(format!("{what} must be an object: an i31 has no identity and never dies")))
}
