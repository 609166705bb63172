//! What the dialect of explicit RTTs asks of the host: RTTs below others, and functions with bound arguments.
//!
//! An RTT that `rtt.sub` makes is a record in the heap, made once for each pair of the RTT above and the type, and
//! kept as long as the store: equality of RTTs is equality of references. A program can make as many as its heap
//! holds.
//!
//! A bound function is a host function that calls a function of the module that did the binding, with an environment
//! before the arguments. The environment is a struct of the heap, and holds what is bound. The engine keeps host
//! functions as long as the store, and so are environments.

use super::store::{StoreData, alloc_error, with_heap};
use super::{Error, Result};
use crate::layout::{RttAddr, reference};
use wasmtime::{AsContextMut, Caller, Func, FuncType, Trap, Val};

/// A chain of RTTs is no longer than this.
pub const MAX_DEPTH: u32 = 1000;

/// A store has no more bound functions than this, because none of them is ever freed.
pub const MAX_BOUND: usize = 1 << 20;

/// The RTT of a type below another: the import `rtt_sub`.
pub fn sub<T: 'static>(mut cx: Caller<'_, StoreData<T>>, parent: i32, ty: i32) -> Result<i32> {
    sub_of(&mut cx, parent as u32, RttAddr(ty as u32)).map(|rtt| rtt as i32)
}

/// The same, for the host. `parent` is a reference to an RTT, `ty` the record of the type.
pub fn sub_of<T: 'static>(cx: impl AsContextMut<Data = StoreData<T>>, parent: u32, ty: RttAddr) -> Result<u32> {
    let above = reference::header(parent);
    with_heap(cx, |state, mem| {
        if let Some(&known) = state.roots.rtts.by_parent.get(&(above, ty.0)) {
            return Ok(known);
        }
        let depth = state.heap.read_u32(mem, parent, crate::layout::rtt::RTT_DEPTH);
        if depth >= MAX_DEPTH {
            return Err(Error::from(Trap::AllocationTooLarge).context("a chain of RTTs is too long"));
        }
        let made = state.heap.alloc_rtt(mem, &mut state.roots, ty, above).map_err(alloc_error)?;
        state.roots.rtts.by_parent.insert((above, ty.0), made);
        Ok(made)
    })?
}

/// The function of an import `func_bind:…`, whose own type says what type the bound functions have.
pub fn binder<T: 'static>(mut cx: impl AsContextMut<Data = StoreData<T>>, ty: FuncType) -> Result<Func> {
    let to = ty.result(0).and_then(|ty| ty.as_ref()?.heap_type().as_concrete_func().cloned());
    let to = to.ok_or_else(|| bug("`func_bind` is not to a function type"))?;
    Ok(Func::new(&mut cx, ty, move |mut cx, params, results| {
        let (&[Val::I32(environment), Val::FuncRef(Some(callee))], [result]) = (params, results) else {
            return Err(bug("`func_bind` has other operands"));
        };
        let number = with_heap(&mut cx, |state, _| {
            let number = state.roots.environments.len();
            if number >= MAX_BOUND {
                let why = format!("the store has {MAX_BOUND} bound functions, which it keeps to its end");
                return Err(Error::from(Trap::AllocationTooLarge).context(why));
            }
            state.roots.environments.push(environment as u32);
            Ok(number)
        })??;
        *result = Val::FuncRef(Some(bound(&mut cx, to.clone(), callee, number)));
        Ok(())
    }))
}

fn bound<T: 'static>(cx: impl AsContextMut<Data = StoreData<T>>, ty: FuncType, callee: Func, number: usize) -> Func {
    Func::new(cx, ty, move |mut cx: Caller<'_, StoreData<T>>, params, results| {
        let environment = with_heap(&mut cx, |state, _| state.roots.environments.get(number).copied())?;
        let environment = environment.ok_or_else(|| bug("a bound function without its environment"))?;
        let args: Vec<Val> = [Val::I32(environment as i32)].into_iter().chain(params.iter().cloned()).collect();
        callee.call(&mut cx, &args, results)
    })
}

#[cold]
fn bug(what: &str) -> Error {
    Error::new(crate::fault::Error::bug(what))
}
