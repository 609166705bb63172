//! Calls of the embedder amid lowered code: where that asks whether an epoch has come, and where hooks are told of calls.
//!
//! | what lowered code may have there | what is done about it |
//! |---|---|
//! | references in its locals, that no root slot holds | collections wait (`heap/hold.rs`) |
//! | root slots below the stack's pointer, which it publishes before calls only | a guest that the embedder calls uses them; they are kept, and put back |
//!
//! What this is not: what surrounds calls into WebAssembly (`entry.rs`), which only asks for the slots to be kept.

use super::memory::read_word;
use super::store::StoreData;
use crate::layout::map::MAX_FRAME_BYTES;
use wasmtime::StoreContextMut;

/// What is below the pointer of the shadow stack while the embedder is called amid lowered code.
#[derive(Debug, Default)]
pub enum Below {
    /// Nothing: no such call is under way.
    #[default]
    Free,
    /// Perhaps slots of the function that waits.
    InUse,
    /// They have been copied, from this address on.
    Kept(u32, Vec<u8>),
}

/// Holds the heap, if there is one, until it is dropped. Without a heap WebAssembly has no references.
pub struct Held<'a, T: 'static> {
    /// The store.
    pub cx: StoreContextMut<'a, StoreData<T>>,
    heap: bool,
    keeps: bool,
}

impl<'a, T: 'static> Held<'a, T> {
    /// At a call, before which every function publishes its slots.
    pub fn at_call(mut cx: StoreContextMut<'a, StoreData<T>>) -> Held<'a, T> {
        let heap = cx.data_mut().gc.state_mut().map(|state| state.heap.hold()).is_some();
        Held { cx, heap, keeps: false }
    }

    /// Anywhere.
    pub fn anywhere(cx: StoreContextMut<'a, StoreData<T>>) -> Held<'a, T> {
        let mut held = Held::at_call(cx);
        if held.heap {
            held.cx.data_mut().gc.below = Below::InUse;
            held.keeps = true;
        }
        held
    }
}

impl<T: 'static> Drop for Held<'_, T> {
    fn drop(&mut self) {
        let gc = &mut self.cx.data_mut().gc;
        if let (true, Some(state)) = (self.heap, gc.state_mut()) {
            state.heap.release();
        }
        if !self.keeps {
            return;
        }
        let kept = std::mem::take(&mut gc.below);
        if let (Below::Kept(from, bytes), Some(place)) = (kept, gc.place) {
            let memory = place.memory.data_mut(&mut self.cx);
            if let Some(slots) = memory.get_mut(from as usize..from as usize + bytes.len()) {
                slots.copy_from_slice(&bytes);
            }
        }
    }
}

/// A guest is about to be called: keeps what is below the pointer, if that is in use.
#[inline]
pub fn keep_below<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) {
    if matches!(cx.data().gc.below, Below::InUse) {
        keep(cx);
    }
}

#[cold]
fn keep<T: 'static>(cx: &mut StoreContextMut<'_, StoreData<T>>) {
    let gc = &cx.data().gc;
    let (Some(place), cell) = (gc.place, gc.engine.map.sp_cell()) else { return };
    let memory = place.memory.data(&*cx);
    let Some(top) = read_word(memory, cell) else { return };
    let from = top.saturating_sub(MAX_FRAME_BYTES);
    let bytes = memory.get(from as usize..top as usize).unwrap_or_default().to_vec();
    cx.data_mut().gc.below = Below::Kept(from, bytes);
}
