//! Ephemeron maps: a value is alive if its key is, and the map.
//!
//! A value may be what keeps another key alive, so values are reached until nothing changes. Each entry is
//! looked at twice at most: those whose key is not reached at first wait under it, and the collection tells
//! which objects it reaches meanwhile. That is linear, where going over the waiting entries again and again
//! would be quadratic for a chain of them.

use super::{Entries, Reach, is_young};
use crate::layout::HeapMap;
use crate::layout::reference::{self, NULL};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Weak};

/// Fewer maps than this are not searched for those that nobody holds.
const MIN_TRIM: usize = 64;

/// Words by words. The hash has no random part: a heap's course must not depend on chance.
type Words<V> = HashMap<u32, V, BuildHasherDefault<DefaultHasher>>;

/// An ephemeron map of a heap. Ends with the last clone.
#[derive(Clone, Debug)]
pub struct MapId {
    index: u32,
    alive: Arc<()>,
}

#[derive(Debug)]
struct Map {
    values: Words<u32>,
    /// Keys of entries that may have a young key or value.
    recent: Vec<u32>,
    holder: Weak<()>,
}

/// All ephemeron maps of a heap.
#[derive(Debug, Default)]
pub(super) struct Ephemerons {
    maps: Vec<Map>,
    free: Vec<u32>,
    /// Maps without a holder are looked for when there are this many.
    trim_at: usize,
    /// Entries in all maps, and perhaps in some that nobody holds.
    entries: usize,
}

impl Ephemerons {
    pub fn new_map(&mut self) -> MapId {
        let alive = Arc::new(());
        let map = Map { values: Words::default(), recent: Vec::new(), holder: Arc::downgrade(&alive) };
        self.trim();
        let index = match self.free.pop() {
            Some(index) => {
                self.maps[index as usize] = map;
                index
            }
            None => {
                self.maps.push(map);
                (self.maps.len() - 1) as u32
            }
        };
        MapId { index, alive }
    }

    /// Finds places to use again, when the last search is long enough ago.
    fn trim(&mut self) {
        if self.free.is_empty() && self.maps.len() >= self.trim_at.max(MIN_TRIM) {
            self.free_unheld();
            self.trim_at = 2 * (self.maps.len() - self.free.len());
        }
    }

    fn free_unheld(&mut self) {
        self.free.clear();
        for (index, map) in (0u32..).zip(&mut self.maps) {
            if map.holder.strong_count() == 0 {
                self.entries -= map.values.len();
                map.values = Words::default();
                map.recent = Vec::new();
                self.free.push(index);
            }
        }
    }

    fn map(&self, id: &MapId) -> Option<&Map> {
        self.maps.get(id.index as usize).filter(|map| map.holder.as_ptr() == Arc::as_ptr(&id.alive))
    }

    fn map_mut(&mut self, id: &MapId) -> Option<&mut Map> {
        self.maps.get_mut(id.index as usize).filter(|map| map.holder.as_ptr() == Arc::as_ptr(&id.alive))
    }

    pub fn insert(&mut self, id: &MapId, key: u32, value: u32, layout: HeapMap) -> Option<u32> {
        let map = self.map_mut(id)?;
        if is_young(layout, key) || is_young(layout, value) {
            // The same key may be set again and again, and keys may be set and removed.
            if map.recent.len() > 2 * map.values.len() + MIN_TRIM {
                map.recent.retain(|key| map.values.contains_key(key));
                map.recent.sort_unstable();
                map.recent.dedup();
            }
            map.recent.push(key);
        }
        let former = map.values.insert(key, value);
        self.entries += usize::from(former.is_none());
        former
    }

    pub fn get(&self, id: &MapId, key: u32) -> Option<u32> {
        self.map(id)?.values.get(&key).copied()
    }

    pub fn remove(&mut self, id: &MapId, key: u32) -> Option<u32> {
        let former = self.map_mut(id)?.values.remove(&key);
        self.entries -= usize::from(former.is_some());
        former
    }

    /// How many maps there are, and entries in all of them. If there seem to be `most`, the maps that nobody holds are
    /// no longer counted.
    pub fn count(&mut self, most: usize) -> usize {
        if self.entries + self.maps.len() - self.free.len() >= most {
            self.free_unheld();
        }
        self.entries + self.maps.len() - self.free.len()
    }

    #[cfg(test)]
    pub fn listed(&self) -> usize {
        self.maps.iter().map(|map| map.recent.len()).sum()
    }

    pub fn len(&self, id: &MapId) -> usize {
        self.map(id).map_or(0, |map| map.values.len())
    }

    /// Reaches the values of all keys that are reached, and what that leads to.
    pub fn converge<R: Reach>(&mut self, reach: &mut R, entries: Entries) {
        self.free_unheld();
        if self.maps.iter().all(|map| map.values.is_empty()) {
            return;
        }
        *reach.log() = Some(Vec::new());
        let mut waiting: Vec<(u32, u32)> = Vec::new();
        for map in &self.maps {
            map.each(entries, |key, value| match reach.reached(key) {
                Some(_) => drop(reach.reach(value)),
                None => waiting.push((key, value)),
            });
        }
        let mut by_key: Words<Vec<u32>> = Words::default();
        for (key, value) in waiting {
            // It may have been reached since, as the value of another.
            match reach.reached(key) {
                Some(_) => drop(reach.reach(value)),
                None => by_key.entry(key).or_default().push(value),
            }
        }
        loop {
            reach.trace();
            let reached = reach.log().replace(Vec::new()).unwrap_or_default();
            if reached.is_empty() {
                break;
            }
            for at in reached {
                for value in by_key.remove(&reference::from_header(at)).unwrap_or_default() {
                    reach.reach(value);
                }
            }
        }
        *reach.log() = None;
    }

    /// Removes what is dead, and follows what has moved.
    pub fn settle<R: Reach>(&mut self, reach: &R, entries: Entries, layout: HeapMap) {
        for map in &mut self.maps {
            match entries {
                Entries::Recent => map.settle_recent(reach),
                Entries::All => map.settle_all(reach, layout),
            }
        }
        self.entries = self.maps.iter().map(|map| map.values.len()).sum();
    }

    pub fn words(&self) -> impl Iterator<Item = u32> {
        let held = self.maps.iter().filter(|map| map.holder.strong_count() > 0);
        held.flat_map(|map| &map.values).flat_map(|(&key, &value)| [key, value])
    }
}

impl Map {
    fn each(&self, entries: Entries, mut each: impl FnMut(u32, u32)) {
        match entries {
            Entries::All => self.values.iter().for_each(|(&key, &value)| each(key, value)),
            Entries::Recent => {
                let recent = self.recent.iter().filter_map(|key| self.values.get_key_value(key));
                recent.for_each(|(&key, &value)| each(key, value));
            }
        }
    }

    fn settle_recent<R: Reach>(&mut self, reach: &R) {
        // A key that is listed twice has become another word, or its value is settled already.
        for key in self.recent.drain(..) {
            let Some(value) = self.values.remove(&key) else { continue };
            if let Some(key) = reach.reached(key) {
                self.values.insert(key, reach.reached(value).unwrap_or(NULL));
            }
        }
    }

    fn settle_all<R: Reach>(&mut self, reach: &R, layout: HeapMap) {
        let settle = |(key, value)| Some((reach.reached(key)?, reach.reached(value).unwrap_or(NULL)));
        self.values = std::mem::take(&mut self.values).into_iter().filter_map(settle).collect();
        let young = |(&key, &value): (&u32, &u32)| (is_young(layout, key) || is_young(layout, value)).then_some(key);
        self.recent = self.values.iter().filter_map(young).collect();
    }
}
