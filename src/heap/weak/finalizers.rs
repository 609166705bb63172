//! Finalizers: targets that are watched, and the queue of those that have died.
//!
//! The queue is all that a collection makes of a death; nothing is called. A target is never brought back:
//! what a finalization has is not the target but what was held for it.

use super::{Entries, Reach, is_young};
use crate::layout::HeapMap;
use std::collections::{BTreeMap, VecDeque};

/// A target has died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finalization {
    /// What the target was registered with.
    pub token: u64,
    /// The reference that was held for it.
    pub held: u32,
}

#[derive(Debug)]
struct Watched {
    target: u32,
    held: u32,
    token: u64,
}

/// All finalizers of a heap.
#[derive(Debug, Default)]
pub(super) struct Finalizers {
    watched: BTreeMap<u64, Watched>,
    next: u64,
    /// Those with words that may refer to young objects, in ascending order.
    recent: Vec<u64>,
    dead: VecDeque<Finalization>,
    /// So many at the queue's front hold no young object.
    dead_old: usize,
}

impl Finalizers {
    pub fn register(&mut self, target: u32, held: u32, token: u64, map: HeapMap) -> u64 {
        let registration = self.next;
        self.next += 1;
        self.watched.insert(registration, Watched { target, held, token });
        if is_young(map, target) || is_young(map, held) {
            self.recent.push(registration);
        }
        registration
    }

    pub fn unregister(&mut self, registration: u64) -> bool {
        self.watched.remove(&registration).is_some()
    }

    pub fn has_dead(&self) -> bool {
        !self.dead.is_empty()
    }

    pub fn take(&mut self, of: impl Fn(u64) -> bool) -> Option<Finalization> {
        let index = self.dead.iter().position(|dead| of(dead.token))?;
        if index < self.dead_old {
            self.dead_old -= 1;
        }
        self.dead.remove(index)
    }

    pub fn each_held(&mut self, entries: Entries, visit: &mut dyn FnMut(&mut u32)) {
        match entries {
            Entries::All => {
                self.watched.values_mut().for_each(|watched| visit(&mut watched.held));
                self.dead.iter_mut().for_each(|dead| visit(&mut dead.held));
            }
            Entries::Recent => {
                for registration in &self.recent {
                    self.watched.get_mut(registration).into_iter().for_each(|watched| visit(&mut watched.held));
                }
                self.dead.iter_mut().skip(self.dead_old).for_each(|dead| visit(&mut dead.held));
            }
        }
    }

    pub fn settle<R: Reach>(&mut self, reach: &R, entries: Entries, map: HeapMap) {
        let Finalizers { watched, dead, recent, .. } = self;
        let mut settle = |watched: &mut Watched| match reach.reached(watched.target) {
            Some(target) => {
                watched.target = target;
                true
            }
            None => {
                dead.push_back(Finalization { token: watched.token, held: watched.held });
                false
            }
        };
        match entries {
            Entries::Recent => {
                for registration in recent.drain(..) {
                    if !watched.get_mut(&registration).is_none_or(&mut settle) {
                        watched.remove(&registration);
                    }
                }
                self.dead_old = dead.len();
            }
            Entries::All => {
                watched.retain(|_, watched| settle(watched));
                let young = |watched: &Watched| is_young(map, watched.target) || is_young(map, watched.held);
                *recent = watched.iter().filter(|(_, watched)| young(watched)).map(|(&id, _)| id).collect();
                self.dead_old = 0;
            }
        }
    }

    pub fn words(&self) -> impl Iterator<Item = u32> {
        let watched = self.watched.values().flat_map(|watched| [watched.target, watched.held]);
        watched.chain(self.dead.iter().map(|dead| dead.held))
    }
}
