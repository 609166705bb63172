//! What instantiation does that no original module does is not charged, nor interrupted.
//!
//! A lowered module has a start function that fills its globals and tables; that of an original module without one
//! runs nothing, whatever fuel is left and whatever epoch it is. So such an instantiation has all the fuel there is,
//! which is taken back, and epochs that come meanwhile are for the next call to see. Where there is a start function
//! everything is metered, as the engine can not tell where that begins.

use super::Result;
use super::code::Code;
use super::held::Held;
use super::store::StoreData;
use wasmtime::{AsContextMut, StoreContextMut, Trap, UpdateDeadline};

/// What happens when an epoch's deadline has come.
pub type OnEpoch<T> = Box<dyn FnMut(StoreContextMut<'_, StoreData<T>>) -> Result<UpdateDeadline> + Send + Sync>;

/// Asks what the embedder wants, unless nothing of the original module is running.
///
/// # Errors
///
/// That the code is interrupted.
pub fn at_deadline<T: 'static>(mut cx: StoreContextMut<'_, StoreData<T>>) -> Result<UpdateDeadline> {
    if cx.data().unmetered {
        return Ok(UpdateDeadline::Continue(0));
    }
    let Some(mut ask) = cx.data_mut().callbacks_mut().on_epoch.take() else { return Err(Trap::Interrupt.into()) };
    let update = ask(Held::anywhere(cx.as_context_mut()).cx.as_context_mut());
    cx.data_mut().callbacks_mut().on_epoch.get_or_insert(ask);
    update
}

/// Charges lowered code for what the host does in the place of an instruction, in units of fuel. In a store that yields whenever
/// so much is used, it is free.
///
/// # Errors
///
/// [`Trap::OutOfFuel`], when there is not so much.
pub fn charge<T: 'static>(cx: &mut impl AsContextMut<Data = StoreData<T>>, fuel: u64) -> Result<()> {
    let mut cx = cx.as_context_mut();
    // To set the fuel anew would put off the turn of others again and again.
    if fuel == 0 || cx.data().unmetered || cx.data().yields_fuel || !cx.engine().get_consume_fuel() {
        return Ok(());
    }
    let left = cx.get_fuel()?.checked_sub(fuel);
    cx.set_fuel(left.unwrap_or(0))?;
    left.map(drop).ok_or_else(|| Trap::OutOfFuel.into())
}

/// An instantiation that is not metered, until it is dropped.
pub struct Unmetered<'a, T: 'static> {
    /// The store.
    pub cx: StoreContextMut<'a, StoreData<T>>,
    /// The fuel there was, if code counts any.
    fuel: Option<u64>,
    outer: bool,
}

impl<T: 'static> Unmetered<'_, T> {
    /// The engine's part is done: what may follow is a start function.
    pub fn made(&mut self) {
        self.cx.data_mut().gc.debug.making = false;
    }
}

impl<'a, T: 'static> Unmetered<'a, T> {
    /// Before the instantiation of a module.
    pub fn new(cx: &'a mut StoreContextMut<'_, StoreData<T>>, code: &Code) -> Unmetered<'a, T> {
        let runs = code.lowered.is_none() || code.starts();
        let outer = std::mem::replace(&mut cx.data_mut().unmetered, !runs);
        // To ask a store that counts none for its fuel would make an error, with a backtrace.
        let fuel = if runs || !cx.engine().get_consume_fuel() { None } else { cx.get_fuel().ok() };
        if fuel.is_some() {
            // It counts fuel, so this does not fail.
            cx.set_fuel(u64::MAX).ok();
        }
        cx.data_mut().gc.debug.making = true;
        Unmetered { cx: cx.as_context_mut(), fuel, outer }
    }
}

impl<T: 'static> Drop for Unmetered<'_, T> {
    fn drop(&mut self) {
        self.made();
        self.cx.data_mut().unmetered = self.outer;
        if let Some(fuel) = self.fuel {
            self.cx.set_fuel(fuel).ok();
        }
    }
}
