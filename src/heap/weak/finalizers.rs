//! Finalizers: targets that are watched, and queues of what was held for those that have died.
//!
//! A queue is all that a collection makes of a death; nothing is called. A target is never brought back:
//! what its queue gets is not the target but what was held for it.

use super::{Entries, Reach, is_young};
use crate::layout::HeapMap;
use crate::layout::reference::NULL;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Weak};

/// A queue of finalizations of a heap. Ends with the last clone, and its registrations with it.
#[derive(Clone, Debug)]
pub struct QueueId {
    number: u64,
    alive: Arc<()>,
}

impl QueueId {
    /// Numbers are given in ascending order and never twice.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What tells whether any clone is left.
    pub fn holder(&self) -> Weak<()> {
        Arc::downgrade(&self.alive)
    }
}

#[derive(Debug)]
struct Watched {
    target: u32,
    held: u32,
    queue: u64,
}

#[derive(Debug)]
struct Queue {
    held: VecDeque<u32>,
    /// So many at the front refer to no young object.
    old: usize,
    /// Whether [`Finalizers::told`] tells of it.
    tells: bool,
    holder: Weak<()>,
}

/// All finalizers of a heap.
#[derive(Debug, Default)]
pub(super) struct Finalizers {
    watched: BTreeMap<u64, Watched>,
    queues: BTreeMap<u64, Queue>,
    /// Queues that tell, and are not empty.
    told: BTreeSet<u64>,
    next: u64,
    /// Registrations with words that may refer to young objects, in ascending order. Some may be taken back.
    recent: Vec<u64>,
    /// What is in all queues.
    waiting: usize,
}

impl Finalizers {
    pub fn new_queue(&mut self, tells: bool) -> QueueId {
        let alive = Arc::new(());
        let number = self.number();
        let queue = Queue { held: VecDeque::new(), old: 0, tells, holder: Arc::downgrade(&alive) };
        self.queues.insert(number, queue);
        QueueId { number, alive }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub fn register(&mut self, queue: &QueueId, target: u32, held: u32, map: HeapMap) -> u64 {
        let registration = self.number();
        self.watched.insert(registration, Watched { target, held, queue: queue.number });
        if is_young(map, target) || is_young(map, held) {
            // What was taken back is forgotten before most of the list is that.
            if self.recent.len() > 2 * self.watched.len() + 64 {
                self.recent.retain(|registration| self.watched.contains_key(registration));
            }
            self.recent.push(registration);
        }
        registration
    }

    /// How many targets are watched, and how many reports wait.
    pub fn len(&self) -> usize {
        self.watched.len() + self.waiting
    }

    pub fn unregister(&mut self, queue: &QueueId, registration: u64) -> bool {
        let own = self.watched.get(&registration).is_some_and(|watched| watched.queue == queue.number);
        own && self.watched.remove(&registration).is_some()
    }

    /// The first queue that tells and is not empty.
    pub fn told(&self) -> Option<u64> {
        self.told.first().copied()
    }

    pub fn take(&mut self, number: u64) -> Option<u32> {
        let queue = self.queues.get_mut(&number)?;
        let held = queue.held.pop_front();
        self.waiting -= usize::from(held.is_some());
        queue.old = queue.old.saturating_sub(1);
        if queue.held.is_empty() {
            self.told.remove(&number);
        }
        held
    }

    pub fn each_held(&mut self, entries: Entries, visit: &mut dyn FnMut(&mut u32)) {
        if entries == Entries::All {
            self.free_unheld();
        }
        for queue in self.queues.values_mut() {
            let old = if entries == Entries::All { 0 } else { queue.old };
            queue.held.iter_mut().skip(old).for_each(&mut *visit);
        }
        match entries {
            Entries::All => self.watched.values_mut().for_each(|watched| visit(&mut watched.held)),
            Entries::Recent => {
                for registration in &self.recent {
                    self.watched.get_mut(registration).into_iter().for_each(|watched| visit(&mut watched.held));
                }
            }
        }
    }

    fn free_unheld(&mut self) {
        let Finalizers { watched, queues, told, waiting, .. } = self;
        let before = queues.len();
        queues.retain(|_, queue| queue.holder.strong_count() > 0);
        if queues.len() < before {
            watched.retain(|_, watched| queues.contains_key(&watched.queue));
            told.retain(|number| queues.contains_key(number));
            *waiting = queues.values().map(|queue| queue.held.len()).sum();
        }
    }

    pub fn settle<R: Reach>(&mut self, reach: &R, entries: Entries, map: HeapMap) {
        let Finalizers { watched, queues, told, recent, waiting, .. } = self;
        let mut settle = |watched: &mut Watched| {
            if let Some(target) = reach.reached(watched.target) {
                watched.target = target;
                return true;
            }
            if let Some(queue) = queues.get_mut(&watched.queue) {
                queue.held.push_back(watched.held);
                *waiting += 1;
                if queue.tells {
                    told.insert(watched.queue);
                }
            }
            false
        };
        match entries {
            Entries::Recent => {
                for registration in recent.drain(..) {
                    if !watched.get_mut(&registration).is_none_or(&mut settle) {
                        watched.remove(&registration);
                    }
                }
            }
            Entries::All => {
                watched.retain(|_, watched| settle(watched));
                let young = |watched: &Watched| is_young(map, watched.target) || is_young(map, watched.held);
                *recent = watched.iter().filter(|(_, watched)| young(watched)).map(|(&id, _)| id).collect();
            }
        }
        for queue in queues.values_mut() {
            queue.old = if entries == Entries::Recent { queue.held.len() } else { 0 };
        }
    }

    pub fn words(&self) -> impl Iterator<Item = u32> {
        let held = self.queues.values().flat_map(|queue| queue.held.iter().copied());
        let of = |watched: &Watched| match self.queues.get(&watched.queue) {
            Some(queue) if queue.holder.strong_count() > 0 => [watched.target, watched.held],
            _ => [NULL; 2],
        };
        self.watched.values().flat_map(of).chain(held)
    }
}
