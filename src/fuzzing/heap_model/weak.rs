//! Weak references, ephemerons and finalizers of the model.
//!
//! The model knows by its own graph what is reachable. What is must still be there, whatever was collected;
//! right after a major collection, what is not must be gone.

use super::model::{Ref, same};
use crate::heap::{Heap, MapId, QueueId, WeakId};
use crate::layout::reference::NULL;
use std::collections::{HashMap, HashSet};

/// Where objects of the model are in the heap, as far as they were found.
type Found = HashMap<usize, u32>;

/// A finalizer of the model.
struct Watched {
    target: usize,
    queue: QueueId,
    held: Ref,
    dead: bool,
}

pub(super) struct Model {
    weak: Vec<(WeakId, Ref)>,
    map: MapId,
    /// Keys that are no objects never die, and are left out.
    values: HashMap<usize, Ref>,
    visited: HashSet<usize>,
    watched: Vec<Watched>,
    /// What was held for targets that are dead.
    freed: Vec<(u32, Ref)>,
}

impl Model {
    pub fn new(heap: &mut Heap) -> Model {
        let map = heap.new_ephemerons();
        let (values, visited) = Default::default();
        Model { weak: vec![], map, values, visited, watched: vec![], freed: vec![] }
    }

    pub fn new_weak(&mut self, heap: &mut Heap, word: u32, model: Ref) {
        self.weak.push((heap.new_weak(word), model));
    }

    pub fn load(&self, heap: &Heap, n: usize) -> Option<(u32, Ref)> {
        let (id, model) = self.weak.get(n.checked_rem(self.weak.len())?)?;
        Some((heap.weak(id), *model)).filter(|&(word, model)| word != NULL || model == Ref::Null)
    }

    pub fn drop_weak(&mut self, n: usize) {
        if let Some(n) = n.checked_rem(self.weak.len()) {
            self.weak.swap_remove(n);
        }
    }

    pub fn set(&mut self, heap: &mut Heap, (key, model): (u32, Ref), (value, value_model): (u32, Ref)) {
        if let Ref::Object(id) = model {
            heap.set_ephemeron(&self.map, key, value);
            self.values.insert(id, value_model);
        }
    }

    pub fn get(&self, heap: &Heap, key: u32, model: Ref) -> Option<(u32, Ref)> {
        let Ref::Object(id) = model else { return None };
        Some((heap.ephemeron(&self.map, key)?, *self.values.get(&id)?))
    }

    pub fn remove(&mut self, heap: &mut Heap, key: u32, model: Ref) {
        if let Ref::Object(id) = model {
            heap.remove_ephemeron(&self.map, key);
            self.values.remove(&id);
        }
    }

    pub fn watch(&mut self, heap: &mut Heap, (target, model): (u32, Ref), (held, held_model): (u32, Ref)) {
        if let Ref::Object(id) = model {
            let queue = heap.new_queue(true);
            heap.register_finalizer(&queue, target, held);
            self.watched.push(Watched { target: id, queue, held: held_model, dead: false });
        }
    }

    /// Takes what has died: the words that were held for it, with what they must be.
    pub fn held(&mut self, heap: &mut Heap) -> Vec<(u32, Ref)> {
        self.visited.clear();
        self.freed.clear();
        while let Some(number) = heap.told_finalization() {
            let held = heap.take_finalization(number);
            let mut all = self.watched.iter_mut();
            if let (Some(held), Some(watched)) = (held, all.find(|watched| watched.queue.number() == number)) {
                assert!(!watched.dead, "finalized twice");
                watched.dead = true;
                self.freed.push((held, watched.held));
            }
        }
        self.freed.clone()
    }

    /// The values of the keys that were found since this was last asked.
    pub fn values_of(&mut self, heap: &Heap, there: &Found) -> Result<Vec<(u32, Ref)>, String> {
        let mut found = vec![];
        for (key, &value) in &self.values {
            let Some(&at) = there.get(key) else { continue };
            if self.visited.insert(*key) {
                let word = heap.ephemeron(&self.map, at).ok_or("an ephemeron with a reachable key is gone")?;
                found.push((word, value));
            }
        }
        Ok(found)
    }

    /// Compares with what was found. `refs` gives the references of an object.
    pub fn compare<'o>(
        &mut self,
        heap: &Heap,
        there: &Found,
        exact: bool,
        refs: impl Fn(usize) -> &'o [Ref],
    ) -> Result<(), String> {
        let alive = self.alive(there, refs);
        for (id, model) in &self.weak {
            let Ref::Object(model) = model else { continue };
            match there.get(model) {
                Some(&at) => same("weak reference", heap.weak(id), at)?,
                None if alive.contains(model) => same("weak reference is dead", heap.weak(id) == NULL, false)?,
                None if exact => same("weak reference to what is dead", heap.weak(id), NULL)?,
                None => {}
            }
        }
        if exact {
            self.values.retain(|key, _| alive.contains(key));
            same("live ephemerons", heap.ephemerons(&self.map), self.values.len())?;
        }
        for watched in &self.watched {
            let reachable = alive.contains(&watched.target);
            if watched.dead && reachable || exact && !watched.dead && !reachable {
                return Err(format!("finalizer of {}: dead {}, reachable {reachable}", watched.target, watched.dead));
            }
        }
        Ok(())
    }

    /// What is alive: what was found, and what is reachable from what finalizers hold.
    fn alive<'o>(&self, there: &Found, refs: impl Fn(usize) -> &'o [Ref]) -> HashSet<usize> {
        let mut alive: HashSet<usize> = there.keys().copied().collect();
        let mut todo: Vec<Ref> = self.watched.iter().filter(|w| !w.dead).map(|w| w.held).collect();
        loop {
            while let Some(next) = todo.pop() {
                if let Ref::Object(id) = next
                    && alive.insert(id)
                {
                    todo.extend(refs(id));
                }
            }
            let values = self.values.iter().filter(|(key, _)| alive.contains(key)).map(|(_, &value)| value);
            todo = values.filter(|value| matches!(value, Ref::Object(id) if !alive.contains(id))).collect();
            if todo.is_empty() {
                return alive;
            }
        }
    }
}
