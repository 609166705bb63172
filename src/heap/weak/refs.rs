//! Weak references: words that do not keep what they refer to.

use super::{Entries, Reach, is_young};
use crate::layout::HeapMap;
use crate::layout::reference::NULL;
use std::sync::{Arc, Weak};

/// Fewer entries than this are not searched for those that nobody holds.
const MIN_TRIM: usize = 64;

/// A weak reference of a heap. Ends with the last clone.
#[derive(Clone, Debug)]
pub struct WeakId {
    index: u32,
    alive: Arc<()>,
}

#[derive(Debug)]
struct Entry {
    word: u32,
    holder: Weak<()>,
}

/// All weak references of a heap.
#[derive(Debug, Default)]
pub(super) struct WeakRefs {
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// Those that may refer to young objects.
    recent: Vec<u32>,
    /// Entries without a holder are looked for when there are this many.
    trim_at: usize,
}

impl WeakRefs {
    pub fn insert(&mut self, word: u32, map: HeapMap) -> WeakId {
        self.trim();
        let alive = Arc::new(());
        let entry = Entry { word, holder: Arc::downgrade(&alive) };
        let index = match self.free.pop() {
            Some(index) => {
                self.entries[index as usize] = entry;
                index
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        };
        if is_young(map, word) {
            self.recent(index);
        }
        WeakId { index, alive }
    }

    /// Lists an entry that may refer to a young object. A place that is used again and again is listed again and
    /// again until the next collection, which the host alone does not bring about; so repetitions are dropped before
    /// most of the list is that.
    fn recent(&mut self, index: u32) {
        if self.recent.len() > 2 * self.entries.len() + MIN_TRIM {
            self.recent.sort_unstable();
            self.recent.dedup();
        }
        self.recent.push(index);
    }

    /// How many there are. If there seem to be `most`, those that nobody holds are no longer counted.
    pub fn count(&mut self, most: usize) -> usize {
        if self.entries.len() - self.free.len() >= most {
            self.free_unheld();
        }
        self.entries.len() - self.free.len()
    }

    /// Null too for an id of another heap.
    pub fn get(&self, id: &WeakId) -> u32 {
        let entry = self.entries.get(id.index as usize);
        entry.filter(|entry| entry.holder.as_ptr() == Arc::as_ptr(&id.alive)).map_or(NULL, |entry| entry.word)
    }

    /// Finds places to use again, when the last search is long enough ago.
    fn trim(&mut self) {
        if self.free.is_empty() && self.entries.len() >= self.trim_at.max(MIN_TRIM) {
            self.free_unheld();
            self.trim_at = 2 * (self.entries.len() - self.free.len());
        }
    }

    fn free_unheld(&mut self) {
        self.free.clear();
        for (index, entry) in (0u32..).zip(&mut self.entries) {
            if entry.holder.strong_count() == 0 {
                entry.word = NULL;
                self.free.push(index);
            }
        }
    }

    pub fn settle<R: Reach>(&mut self, reach: &R, entries: Entries, map: HeapMap) {
        let settle = |entry: &mut Entry| entry.word = reach.reached(entry.word).unwrap_or(NULL);
        match entries {
            Entries::Recent => {
                for index in self.recent.drain(..) {
                    self.entries.get_mut(index as usize).into_iter().for_each(settle);
                }
            }
            Entries::All => {
                self.free_unheld();
                self.entries.iter_mut().for_each(settle);
                let young = (0u32..).zip(&self.entries).filter(|(_, entry)| is_young(map, entry.word));
                self.recent = young.map(|(index, _)| index).collect();
            }
        }
    }

    #[cfg(test)]
    pub fn listed(&self) -> usize {
        self.recent.len()
    }

    pub fn words(&self) -> impl Iterator<Item = u32> {
        let held = self.entries.iter().filter(|entry| entry.holder.strong_count() > 0);
        held.map(|entry| entry.word)
    }
}
