//! Globals, of the engine or in the heap.

use super::foreign;
use crate::api::store::{AsContext, AsContextMut, StoreContextMut};
use crate::api::types::{ExternType, GlobalType, Mutability, ValType};
use crate::api::values::Val;
use crate::api::{Error, Result};
use crate::runtime::cells;
use crate::types as t;
use wasmtime::error::Context;

const INITIAL: &str = "type mismatch: initial value provided does not match the type of this global";
const WRONG: &str = "type mismatch: attempt to set global to value of wrong type";
const IMMUTABLE: &str = "immutable global cannot be set";

/// A global.
#[derive(Clone, Copy, Debug)]
pub struct Global {
    pub(super) place: GlobalPlace,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum GlobalPlace {
    Native(wasmtime::Global),
    Cell { store: u64, cell: u32, ty: t::RefType, mutable: bool },
}

impl Global {
    /// A global of numbers or functions.
    pub(in crate::api) fn of_native(global: wasmtime::Global) -> Global {
        Global { place: GlobalPlace::Native(global) }
    }

    /// A new global.
    ///
    /// ```
    /// use wasmtime_gc::{AnyRef, Global, GlobalType, I31, Mutability, Store, Val, ValType};
    ///
    /// # fn main() -> wasmtime_gc::Result<()> {
    /// let mut store = Store::<()>::default();
    /// let ty = GlobalType::new(ValType::ANYREF, Mutability::Var);
    /// let global = Global::new(&mut store, ty, Val::null_any_ref())?;
    /// let one = AnyRef::from_i31(&mut store, I31::wrapping_u32(1));
    /// global.set(&mut store, one.into())?;
    /// assert!(global.get(&mut store).unwrap_anyref().is_some());
    /// assert!(global.set(&mut store, Val::I32(1)).is_err(), "it holds references");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the value is not of the type, or of another store, or the GC heap is full; when the type is of another
    /// engine.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, val: Val) -> Result<Global> {
        let mut cx = store.as_context_mut();
        ty.content().check_engine(cx.engine()).context(INITIAL)?;
        let mutable = ty.mutability().is_var();
        let canon = ty.content().to_canon();
        let place = match canon {
            t::ValType::Ref(ty) if !ty.is_func() => {
                let word = val.word(&mut cx, ty).map_err(|err| val.unfit(err, t::ValType::Ref(ty), INITIAL))?;
                let cell = cells::new_global(&mut cx.inner, word)?;
                GlobalPlace::Cell { store: cx.inner.data().gc.id, cell, ty, mutable }
            }
            canon => {
                let val = val.lower(&mut cx, canon).context(INITIAL)?;
                let content = cx.inner.data().gc.engine.lowered_val(canon);
                let content = content.ok_or_else(|| Error::msg("no module has shown this type"))?;
                let mutability = if mutable { wasmtime::Mutability::Var } else { wasmtime::Mutability::Const };
                let ty = wasmtime::GlobalType::new(content, mutability);
                GlobalPlace::Native(wasmtime::Global::new(&mut cx.inner, ty, val)?)
            }
        };
        Ok(Global { place })
    }

    /// What tells it from others of its store. The engine numbers its own from below.
    pub(in crate::api) fn number(&self) -> u64 {
        match self.place {
            GlobalPlace::Native(global) => global.debug_index_in_store(),
            GlobalPlace::Cell { cell, .. } => super::IN_HEAP | u64::from(cell),
        }
    }

    /// Its type.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn ty(&self, store: impl AsContext) -> GlobalType {
        let cx = store.as_context();
        let engine = cx.engine();
        match self.place {
            GlobalPlace::Native(global) => {
                let ty = global.ty(&cx.inner);
                match ExternType::from_native(engine, ty.into()) {
                    Some(ExternType::Global(ty)) => ty,
                    _ => panic!("the global's type is unknown"),
                }
            }
            GlobalPlace::Cell { ty, mutable, .. } => {
                GlobalType::new(ValType::from_canon(engine, t::ValType::Ref(ty)), Mutability::of(mutable))
            }
        }
    }

    /// Its value.
    ///
    /// # Panics
    ///
    /// When the store is another.
    pub fn get(&self, mut store: impl AsContextMut) -> Val {
        let mut cx = store.as_context_mut();
        match self.try_get(&mut cx) {
            Ok(val) => val,
            Err(err) => panic!("{err}"),
        }
    }

    fn try_get<T: 'static>(&self, cx: &mut StoreContextMut<'_, T>) -> Result<Val> {
        match self.place {
            GlobalPlace::Native(global) => {
                let ty = self.ty(&*cx).content().to_canon();
                let val = global.get(&mut cx.inner);
                Val::lift(cx, &val, ty)
            }
            GlobalPlace::Cell { store, cell, ty, .. } => {
                if store != cx.inner.data().gc.id {
                    return Err(foreign());
                }
                let word = cells::get(&cx.inner, cell)?;
                Val::of_word(cx, word, ty)
            }
        }
    }

    /// Sets its value.
    ///
    /// # Errors
    ///
    /// When it is immutable, or the value is not of its type.
    pub fn set(&self, mut store: impl AsContextMut, val: Val) -> Result<()> {
        let mut cx = store.as_context_mut();
        match self.place {
            GlobalPlace::Native(global) => {
                let ty = self.ty(&cx);
                if ty.mutability().is_const() {
                    return Err(Error::msg(IMMUTABLE));
                }
                let val = val.lower(&mut cx, ty.content().to_canon()).context(WRONG)?;
                global.set(&mut cx.inner, val)
            }
            GlobalPlace::Cell { store, cell, ty, mutable } => {
                if store != cx.inner.data().gc.id {
                    return Err(foreign());
                }
                if !mutable {
                    return Err(Error::msg(IMMUTABLE));
                }
                let word = val.word(&mut cx, ty).map_err(|err| val.unfit(err, t::ValType::Ref(ty), WRONG))?;
                cells::set(&mut cx.inner, cell, word)
            }
        }
    }
}
