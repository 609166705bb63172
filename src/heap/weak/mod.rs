//! What refers to objects without keeping them alive: weak references, ephemerons, finalizers.
//!
//! | file | idea |
//! |---|---|
//! | `refs.rs` | weak references: a word that becomes null when its object dies |
//! | `ephemerons.rs` | maps whose values live as long as their keys (B. Hayes, "Ephemerons", OOPSLA 1997) |
//! | `finalizers.rs` | targets, and what is to be told when one dies |
//!
//! All words are the host's, not in the heap memory. After a collection has traced everything from the
//! strong roots, [`WeakTables::finish`] works in a fixed order; `docs/heap.md` numbers its invariants.
//! Entries whose words were set since the nursery was last empty are listed apart, so that a minor
//! collection looks at no others.

mod ephemerons;
mod finalizers;
mod refs;

pub use ephemerons::MapId;
pub use finalizers::QueueId;
pub use refs::WeakId;

use super::Heap;
use crate::layout::{HeapMap, reference};
use ephemerons::Ephemerons;
use finalizers::Finalizers;
use refs::WeakRefs;

/// What a collection knows of objects once it has traced them.
pub(crate) trait Reach {
    /// What a word has become, if what it refers to is reached by now, or is no object that this
    /// collection could free.
    fn reached(&self, word: u32) -> Option<u32>;
    /// Reaches what a word refers to: what the word must become.
    fn reach(&mut self, word: u32) -> u32;
    /// Traces from all that was reached and not traced yet.
    fn trace(&mut self);
    /// Where the former headers of objects go as they are reached, while it is there.
    fn log(&mut self) -> &mut Option<Vec<u32>>;
}

/// Which entries a collection must look at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entries {
    /// Those that may refer to young objects.
    Recent,
    /// All.
    All,
}

/// All tables of a heap.
#[derive(Debug, Default)]
pub(crate) struct WeakTables {
    refs: WeakRefs,
    maps: Ephemerons,
    finalizers: Finalizers,
}

impl WeakTables {
    /// Visits the words that are strong: what finalizers hold.
    pub fn each_strong(&mut self, entries: Entries, visit: &mut dyn FnMut(&mut u32)) {
        self.finalizers.each_held(entries, visit);
    }

    /// Everything is traced from the strong roots. First values of ephemerons are reached, then it is
    /// settled what is dead: weak references to it become null, ephemerons with such keys vanish, and
    /// finalizations are queued.
    pub fn finish<R: Reach>(&mut self, reach: &mut R, entries: Entries, map: HeapMap) {
        self.maps.converge(reach, entries);
        self.refs.settle(reach, entries, map);
        self.maps.settle(reach, entries, map);
        self.finalizers.settle(reach, entries, map);
    }

    /// Every word of every table, for the verifier.
    pub fn each_word(&self, visit: &mut dyn FnMut(u32)) {
        self.refs.words().for_each(&mut *visit);
        self.maps.words().for_each(&mut *visit);
        self.finalizers.words().for_each(&mut *visit);
    }
}

/// Whether a word refers to a young object.
fn is_young(map: HeapMap, word: u32) -> bool {
    reference::is_object(word) && map.is_young(reference::header(word))
}

impl Heap {
    /// A new weak reference to what a word refers to. What is no object never dies. It ends when the
    /// last clone of the result is dropped.
    pub fn new_weak(&mut self, word: u32) -> WeakId {
        self.weak.refs.insert(word, self.map)
    }

    /// How many weak references there are. It takes long only if there seem to be `most`.
    pub fn weak_refs(&mut self, most: usize) -> usize {
        self.weak.refs.count(most)
    }

    /// How many ephemeron maps there are, and entries in them. It takes long only if there seem to be `most`.
    pub fn ephemeron_entries(&mut self, most: usize) -> usize {
        self.weak.maps.count(most)
    }

    /// How many entries are listed as recent: weak references, and keys.
    #[cfg(test)]
    pub(crate) fn listed(&self) -> (usize, usize) {
        (self.weak.refs.listed(), self.weak.maps.listed())
    }

    /// What a weak reference refers to; null if that is dead.
    pub fn weak(&self, id: &WeakId) -> u32 {
        self.weak.refs.get(id)
    }

    /// A new empty ephemeron map. It ends when the last clone of the result is dropped.
    pub fn new_ephemerons(&mut self) -> MapId {
        self.weak.maps.new_map()
    }

    /// Sets the value of a key: the former value.
    pub fn set_ephemeron(&mut self, map: &MapId, key: u32, value: u32) -> Option<u32> {
        self.weak.maps.insert(map, key, value, self.map)
    }

    /// The value of a key.
    pub fn ephemeron(&self, map: &MapId, key: u32) -> Option<u32> {
        self.weak.maps.get(map, key)
    }

    /// Removes a key: its value.
    pub fn remove_ephemeron(&mut self, map: &MapId, key: u32) -> Option<u32> {
        self.weak.maps.remove(map, key)
    }

    /// How many keys a map has whose death no collection has noticed.
    pub fn ephemerons(&self, map: &MapId) -> usize {
        self.weak.maps.len(map)
    }

    /// A new queue of finalizations. One that `tells` is found by [`Heap::told_finalization`].
    pub fn new_queue(&mut self, tells: bool) -> QueueId {
        self.weak.finalizers.new_queue(tells)
    }

    /// Puts `held` into the queue once `target` has died. Until it is taken from there, what it refers to is
    /// alive. The number of the registration.
    pub fn register_finalizer(&mut self, queue: &QueueId, target: u32, held: u32) -> u64 {
        self.weak.finalizers.register(queue, target, held, self.map)
    }

    /// How many targets are watched, and how many reports wait to be taken.
    pub fn finalizers(&self) -> usize {
        self.weak.finalizers.len()
    }

    /// Takes a registration back; whether its target had not died before.
    pub fn unregister_finalizer(&mut self, queue: &QueueId, registration: u64) -> bool {
        self.weak.finalizers.unregister(queue, registration)
    }

    /// The number of the first queue that tells and is not empty.
    pub fn told_finalization(&self) -> Option<u64> {
        self.weak.finalizers.told()
    }

    /// Takes what is first in the queue with a number.
    pub fn take_finalization(&mut self, queue: u64) -> Option<u32> {
        self.weak.finalizers.take(queue)
    }
}
