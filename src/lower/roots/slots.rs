//! Who owns which slot, and which slots are null, at one point of the function.
//!
//! A [`Slots`] belongs to a region under way; a nested region starts with its own, in which slots of
//! roots that are dead there are free. What a nested region does to a slot is seen behind it by the
//! [`Clock`]: a slot is null behind a construct only if it was before, and nothing in the construct
//! wrote to it.
//!
//! Every slot below `len` is in one of three sets: owned, null, or garbage. All questions are answered
//! by a look into one of them, so straight code with many roots costs no more than few.

use super::Root;
use std::collections::{BTreeMap, BTreeSet};

/// When slots came to hold, or may have come to hold, something else than null.
#[derive(Default)]
pub struct Clock {
    now: u64,
    /// For each slot: when it was written alone.
    written: Vec<u64>,
    /// When all slots from one on were lost: moments and slots, both increasing. A loss makes earlier
    /// ones of the same and higher slots irrelevant.
    lost: Vec<(u64, u32)>,
    /// Slots that the frame has.
    pub size: u32,
}

impl Clock {
    /// A moment between two writes.
    pub fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    fn write(&mut self, slot: u32) {
        let len = slot as usize + 1;
        if self.written.len() < len {
            self.written.resize(len, 0);
        }
        self.written[slot as usize] = self.now;
        self.size = self.size.max(len as u32);
    }

    fn lose(&mut self, from: u32) {
        while self.lost.last().is_some_and(|&(_, slot)| slot >= from) {
            self.lost.pop();
        }
        self.lost.push((self.now, from));
    }

    fn changed_since(&self, slot: u32, moment: u64) -> bool {
        let written = self.written.get(slot as usize).is_some_and(|&time| time >= moment);
        let at = self.lost.partition_point(|&(time, _)| time < moment);
        written || self.lost.get(at).is_some_and(|&(_, from)| from <= slot)
    }
}

/// The state of all slots.
#[derive(Default)]
pub struct Slots {
    len: u32,
    owned: BTreeMap<u32, Root>,
    /// Null on all paths to here.
    null: BTreeSet<u32>,
    /// Anything.
    garbage: BTreeSet<u32>,
}

impl Slots {
    /// How many slots have a state.
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// The state that a nested region starts with, where only these slots have owners. `nulls`: what
    /// is null here is null there.
    pub fn nested(&self, owned: impl Iterator<Item = (u32, Root)>, nulls: bool) -> Slots {
        let owned: BTreeMap<u32, Root> = owned.collect();
        let null = if nulls { self.null.clone() } else { BTreeSet::new() };
        let garbage = (0..self.len).filter(|slot| !owned.contains_key(slot) && !null.contains(slot)).collect();
        Slots { len: self.len, owned, null, garbage }
    }

    /// Frees the slot of a root that is dead.
    pub fn free(&mut self, slot: u32) {
        if self.owned.remove(&slot).is_some() {
            self.garbage.insert(slot);
        }
    }

    /// The highest slot that has an owner.
    pub fn highest(&self) -> Option<(u32, Root)> {
        self.owned.last_key_value().map(|(&slot, &root)| (slot, root))
    }

    /// The lowest free slot from `from` on.
    pub fn lowest_free(&self, from: u32) -> u32 {
        let first = |set: &BTreeSet<u32>| set.range(from..).next().copied();
        let known = first(&self.null).into_iter().chain(first(&self.garbage)).min();
        known.unwrap_or(self.len.max(from))
    }

    /// Slots up to one have a state.
    fn reach(&mut self, slot: u32) {
        self.garbage.extend(self.len..=slot);
        self.len = self.len.max(slot + 1);
    }

    /// Gives a free slot to a root that is now spilled to it.
    pub fn own(&mut self, slot: u32, root: Root, clock: &mut Clock) {
        self.reach(slot);
        self.null.remove(&slot);
        self.garbage.remove(&slot);
        self.owned.insert(slot, root);
        clock.write(slot);
    }

    /// A slot may hold anything from now on, unless it is a root's.
    pub fn dirty(&mut self, slot: u32, clock: &mut Clock) {
        self.reach(slot);
        clock.write(slot);
        if self.null.remove(&slot) {
            self.garbage.insert(slot);
        }
    }

    /// The same for all slots from `from` on.
    pub fn dirty_from(&mut self, from: u32, clock: &mut Clock) {
        self.garbage.append(&mut self.null.split_off(&from));
        clock.lose(from);
    }

    /// A slot that is no root's is null from now on.
    pub fn clear(&mut self, slot: u32) {
        self.garbage.remove(&slot);
        self.null.insert(slot);
    }

    /// Slots below `top` that are no root's and perhaps not null.
    pub fn garbage(&self, top: u32) -> impl Iterator<Item = u32> + '_ {
        self.garbage.range(..top).copied()
    }

    /// Behind a construct that began at a moment: forgets the nulls that it overwrote.
    pub fn rejoin(&mut self, began: u64, clock: &Clock) {
        let changed: Vec<u32> = self.null.iter().copied().filter(|&s| clock.changed_since(s, began)).collect();
        for slot in changed {
            self.null.remove(&slot);
            self.garbage.insert(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_survives_a_construct_that_leaves_it_alone() {
        let (mut slots, mut clock) = (Slots::default(), Clock::default());
        slots.own(3, Root(0), &mut clock);
        [0, 1, 2].into_iter().for_each(|slot| slots.clear(slot));
        let began = clock.tick();
        let mut inner = slots.nested([(3, Root(0))].into_iter(), true);
        assert_eq!(inner.garbage(4).count(), 0);
        assert_eq!((inner.lowest_free(1), inner.lowest_free(3)), (1, 4));
        inner.own(1, Root(1), &mut clock);
        slots.rejoin(began, &clock);
        assert_eq!(slots.garbage(4).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn the_lowest_loss_since_a_moment_counts() {
        let mut clock = Clock::default();
        clock.lose(1);
        let first = clock.tick();
        clock.lose(7);
        clock.lose(5);
        let second = clock.tick();
        clock.lose(6);
        assert!(clock.changed_since(1, 0) && !clock.changed_since(4, first) && clock.changed_since(5, first));
        assert!(!clock.changed_since(5, second) && clock.changed_since(6, second));
    }
}
