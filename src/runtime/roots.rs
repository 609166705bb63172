//! References that the host holds.
//!
//! A handle is an index into the store's root set, never the reference itself, because objects move.
//! There are two kinds, as in Wasmtime: *scoped* roots, last in first out, which end with the host
//! call or `RootScope` that they were made in, and *owned* roots, which end when their last handle is
//! dropped. A scoped handle carries the generation it was made in, so that a stale one is found out.

use super::hosts::HostTable;
use super::members::Members;
use crate::heap::Roots;
use crate::layout::reference::NULL;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// A root of either kind. The top bit of the index tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RootIndex {
    index: u32,
    generation: u32,
}

/// The generation of what is no index but an i31.
const ITSELF: u32 = u32::MAX;

/// Set in the indices of owned roots.
const OWNED: u32 = 1 << 31;

/// An owned root. Ends when the last clone of `alive` is dropped.
#[derive(Clone, Debug)]
pub struct OwnedIndex {
    /// The root, as long as this or a clone of it lives.
    pub root: RootIndex,
    /// What keeps it alive.
    pub alive: Arc<()>,
}

#[derive(Debug)]
struct Scoped {
    word: u32,
    generation: u32,
}

#[derive(Debug)]
struct Owned {
    /// Null once the root is dead and a collection has found that out.
    word: u32,
    /// How many roots had this place before.
    generation: u32,
    alive: Weak<()>,
}

/// Fewer owned roots than this are not searched for dead ones.
const MIN_TRIM: usize = 64;

/// All references that the host holds into a heap, and the host values behind references.
#[derive(Debug, Default)]
pub struct StoreRoots {
    /// Host values.
    pub hosts: HostTable,
    /// What host values hold.
    pub members: Members,
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

impl RootIndex {
    /// What stands for an i31 where there is no heap, and so no root: the i31 itself, which ends with no scope.
    pub fn of_i31(word: u32) -> RootIndex {
        RootIndex { index: word, generation: ITSELF }
    }

    /// The i31 that it is itself.
    #[inline]
    pub fn itself(self) -> Option<u32> {
        (self.generation == ITSELF).then_some(self.index)
    }
}

/// The next generation, which is not [`ITSELF`].
fn after(generation: u32) -> u32 {
    (generation + 1) % ITSELF
}

impl StoreRoots {
    /// Those of a store with a number.
    pub fn of_store(store: u64) -> StoreRoots {
        StoreRoots { members: Members::of_store(store), ..StoreRoots::default() }
    }

    /// A new scoped root.
    pub fn push(&mut self, word: u32) -> RootIndex {
        let root = RootIndex { index: self.scoped.len() as u32, generation: self.generation };
        self.scoped.push(Scoped { word, generation: self.generation });
        root
    }

    /// The reference, if the root's scope has not ended, or its owners live.
    #[inline]
    pub fn get(&self, root: RootIndex) -> Option<u32> {
        if let Some(i31) = root.itself() {
            return Some(i31);
        }
        if root.index & OWNED != 0 {
            let owned = self.owned.get((root.index & !OWNED) as usize)?;
            return (owned.generation == root.generation && owned.word != NULL).then_some(owned.word);
        }
        let scoped = self.scoped.get(root.index as usize)?;
        (scoped.generation == root.generation).then_some(scoped.word)
    }

    /// Makes room for scoped roots.
    pub fn reserve(&mut self, additional: usize) {
        self.scoped.reserve(additional);
    }

    /// Begins a scope.
    pub fn enter_scope(&self) -> usize {
        self.scoped.len()
    }

    /// Ends a scope, and all that were begun since.
    pub fn exit_scope(&mut self, scope: usize) {
        if self.scoped.len() > scope {
            self.scoped.truncate(scope);
            self.generation = after(self.generation);
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
        let mut entry = Owned { word, generation: 0, alive: Arc::downgrade(&alive) };
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.owned.push(Owned { word: NULL, generation: 0, alive: Weak::new() });
                (self.owned.len() - 1) as u32
            }
        };
        let place = &mut self.owned[index as usize];
        entry.generation = after(place.generation);
        let generation = entry.generation;
        *place = entry;
        OwnedIndex { root: RootIndex { index: index | OWNED, generation }, alive }
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
                root.word = NULL;
            }
            visit(&mut root.word);
        }
        self.members.each_root(visit);
    }

    fn each_recent(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        self.members.each_recent(visit);
    }

    fn nursery_emptied(&mut self) {
        self.members.nursery_emptied();
    }

    fn mark_host_slot(&mut self, slot: u32, visit: &mut dyn FnMut(&mut u32)) {
        if let Some((value, trace)) = self.hosts.mark(slot) {
            self.members.mark(visit, |tracer| trace(&**value, tracer));
        }
    }

    fn sweep_host_slots(&mut self) {
        self.members.marked();
        self.hosts.sweep();
    }

    fn host_slots(&self) -> u64 {
        self.hosts.used()
    }

    fn host_slots_due(&self, heap_bytes: u64) -> bool {
        self.hosts.is_due(heap_bytes)
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
        assert_eq!(roots.get(kept.root), Some(7));
        let mut live = Vec::new();
        roots.each(&mut |word| live.push(*word));
        live.retain(|&word| word != crate::layout::reference::NULL);
        assert_eq!(live, [7]);
    }
}
