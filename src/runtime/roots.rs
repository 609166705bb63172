//! References that the host holds.
//!
//! A handle is an index into the store's root set, never the reference itself, because objects move.
//! There are two kinds, as in Wasmtime: *scoped* roots, last in first out, which end with the host
//! call or `RootScope` that they were made in, and *owned* roots, which end when their last handle is
//! dropped. A scoped handle carries the generation it was made in, so that a stale one is found out.

use super::hosts::HostTable;
use crate::heap::Roots;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// A scoped root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootIndex {
    index: u32,
    generation: u32,
}

/// An owned root. Ends when the last clone of `alive` is dropped.
#[derive(Clone, Debug)]
pub struct OwnedIndex {
    index: u32,
    alive: Arc<()>,
}

#[derive(Debug)]
struct Scoped {
    word: u32,
    generation: u32,
}

#[derive(Debug)]
struct Owned {
    word: u32,
    alive: Weak<()>,
}

/// Fewer owned roots than this are not searched for dead ones.
const MIN_TRIM: usize = 64;

/// All references that the host holds into a heap, and the host values behind references.
#[derive(Debug, Default)]
pub struct StoreRoots {
    /// Host values.
    pub hosts: HostTable,
    /// The exception that left WebAssembly, or that the host is about to throw.
    pub pending: Option<u32>,
    /// Environments of functions that were bound, by number. They end with the store, as the functions do.
    pub environments: Vec<u32>,
    /// RTTs that were made below others.
    pub rtts: Rtts,
    scoped: Vec<Scoped>,
    generation: u32,
    owned: Vec<Owned>,
    /// Indices of dead owned roots.
    free: Vec<u32>,
    /// Dead owned roots are looked for when there are this many.
    trim_at: usize,
}

/// The RTTs of a store that were made below others: who asks again gets the same one, so they never end.
#[derive(Debug, Default)]
pub struct Rtts {
    /// By the addresses of the record above and of the type's record.
    pub by_parent: HashMap<(u32, u32), u32>,
}

impl StoreRoots {
    /// A new scoped root.
    pub fn push(&mut self, word: u32) -> RootIndex {
        let root = RootIndex { index: self.scoped.len() as u32, generation: self.generation };
        self.scoped.push(Scoped { word, generation: self.generation });
        root
    }

    /// The reference, if the root's scope has not ended.
    pub fn get(&self, root: RootIndex) -> Option<u32> {
        let scoped = self.scoped.get(root.index as usize)?;
        (scoped.generation == root.generation).then_some(scoped.word)
    }

    /// Begins a scope.
    pub fn enter_scope(&self) -> usize {
        self.scoped.len()
    }

    /// Ends a scope, and all that were begun since.
    pub fn exit_scope(&mut self, scope: usize) {
        if self.scoped.len() > scope {
            self.scoped.truncate(scope);
            self.generation = self.generation.wrapping_add(1);
        }
    }

    /// A new owned root.
    pub fn own(&mut self, word: u32) -> OwnedIndex {
        if self.free.is_empty() && self.owned.len() >= self.trim_at.max(MIN_TRIM) {
            let dead = |owned: &Owned| owned.alive.strong_count() == 0;
            self.free.extend((0u32..).zip(&self.owned).filter(|(_, owned)| dead(owned)).map(|(i, _)| i));
            self.trim_at = 2 * (self.owned.len() - self.free.len());
        }
        let alive = Arc::new(());
        let entry = Owned { word, alive: Arc::downgrade(&alive) };
        let index = match self.free.pop() {
            Some(index) => {
                self.owned[index as usize] = entry;
                index
            }
            None => {
                self.owned.push(entry);
                (self.owned.len() - 1) as u32
            }
        };
        OwnedIndex { index, alive }
    }

    /// The reference of an owned root.
    pub fn get_owned(&self, root: &OwnedIndex) -> Option<u32> {
        let owned = self.owned.get(root.index as usize)?;
        std::ptr::eq(owned.alive.as_ptr(), Arc::as_ptr(&root.alive)).then_some(owned.word)
    }
}

impl Roots for StoreRoots {
    fn each(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        self.pending.iter_mut().for_each(&mut *visit);
        self.environments.iter_mut().for_each(&mut *visit);
        // These never move.
        self.rtts.by_parent.values_mut().for_each(&mut *visit);
        self.scoped.iter_mut().for_each(|root| visit(&mut root.word));
        for root in &mut self.owned {
            if root.alive.strong_count() == 0 {
                root.word = crate::layout::reference::NULL;
            }
            visit(&mut root.word);
        }
    }

    fn mark_host_slot(&mut self, slot: u32) {
        self.hosts.mark(slot);
    }

    fn sweep_host_slots(&mut self) {
        self.hosts.sweep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_handle_is_found_out_even_if_its_place_is_taken_again() {
        let mut roots = StoreRoots::default();
        let outer = roots.push(1);
        let scope = roots.enter_scope();
        let inner = roots.push(2);
        roots.exit_scope(scope);
        let other = roots.push(3);
        assert_eq!((roots.get(outer), roots.get(inner), roots.get(other)), (Some(1), None, Some(3)));
    }

    #[test]
    fn dropped_owned_roots_are_used_again_and_no_longer_keep_anything() {
        let mut roots = StoreRoots::default();
        let kept = roots.own(7);
        for word in 0..10_000 {
            drop(roots.own(word));
        }
        assert!(roots.owned.len() < 200, "{}", roots.owned.len());
        assert_eq!(roots.get_owned(&kept), Some(7));
        let mut live = Vec::new();
        roots.each(&mut |word| live.push(*word));
        live.retain(|&word| word != crate::layout::reference::NULL);
        assert_eq!(live, [7]);
    }
}
