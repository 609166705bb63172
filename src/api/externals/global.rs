//! Globals, of the engine or in the heap.

use super::foreign;
use crate::api::store::{AsContext, AsContextMut, StoreContextMut};
use crate::api::types::{ExternType, GlobalType, Mutability, ValType};
use crate::api::values::Val;
use crate::api::{Error, Result};
use crate::runtime::cells;
use crate::types as t;

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
    /// A new global.
    ///
    /// # Errors
    ///
    /// When the value is not of the type, or the GC heap is full.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, val: Val) -> Result<Global> {
        let mut cx = store.as_context_mut();
        let mutable = ty.mutability().is_var();
        let canon = ty.content().to_canon();
        let place = match canon {
            t::ValType::Ref(ty) if !ty.is_func() => {
                let word = val.word(&mut cx, ty)?;
                let cell = cells::new_global(&mut cx.inner, word)?;
                GlobalPlace::Cell { store: cx.inner.data().gc.id, cell, ty, mutable }
            }
            canon => {
                let val = val.lower(&mut cx, canon)?;
                let content = cx.inner.data().gc.engine.lowered_val(canon);
                let content = content.ok_or_else(|| Error::msg("no module has shown this type"))?;
                let mutability = if mutable { wasmtime::Mutability::Var } else { wasmtime::Mutability::Const };
                let ty = wasmtime::GlobalType::new(content, mutability);
                GlobalPlace::Native(wasmtime::Global::new(&mut cx.inner, ty, val)?)
            }
        };
        Ok(Global { place })
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
                let ty = self.ty(&cx).content().to_canon();
                let val = val.lower(&mut cx, ty)?;
                global.set(&mut cx.inner, val)
            }
            GlobalPlace::Cell { store, cell, ty, mutable } => {
                if store != cx.inner.data().gc.id {
                    return Err(foreign());
                }
                if !mutable {
                    return Err(Error::msg("immutable global cannot be set"));
                }
                let word = val.word(&mut cx, ty)?;
                cells::set(&mut cx.inner, cell, word)
            }
        }
    }
}
