//! Functions that stand in for a result that nobody reads.
//!
//! A host function that throws returns to WebAssembly all the same, with any values of its result types.
//! For a function reference that can not be null that is a function that is never called. A store keeps
//! one for each type, since it never lets go of a function.

use super::Error;
use super::store::StoreData;
use wasmtime::{AsContextMut, Func, FuncType};

/// A store's functions, by type.
#[derive(Default)]
pub struct StandIns(Vec<(FuncType, Func)>);

/// A function of a type.
#[cold]
pub fn stand_in<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>, ty: &FuncType) -> Func {
    let mut cx = cx.as_context_mut();
    let known = cx.data().gc.stand_ins.0.iter().find(|(known, _)| FuncType::eq(known, ty));
    if let Some((_, func)) = known {
        return *func;
    }
    let func = Func::new(&mut cx, ty.clone(), |_, _, _| {
        Err(Error::new(crate::fault::Error::bug("a value that nobody reads was called")))
    });
    cx.data_mut().gc.stand_ins.0.push((ty.clone(), func));
    func
}

/// A function without parameters and results: of type `(ref func)`.
#[cold]
pub fn any<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>) -> Func {
    let ty = FuncType::new(&cx.as_context().data().gc.engine.wasmtime, [], []);
    stand_in(&mut cx, &ty)
}
