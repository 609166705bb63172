//! Who owns which slot, and which slots are null, at one point of the function.
//!
//! A [`Slots`] belongs to a region under way: a nested region starts with a copy in which slots of
//! roots that are dead there are free. What a nested region does to a slot is seen behind it by
//! [`Clock`]: a slot is null behind a construct only if it was before, and nothing in the construct
//! wrote to it.

use super::Root;
use cranelift_entity::packed_option::PackedOption;

/// When each slot last came to hold, or may hold, something else than null.
#[derive(Default)]
pub struct Clock {
    now: u64,
    dirtied: Vec<u64>,
    /// Slots that the frame has.
    pub size: u32,
}

impl Clock {
    /// A moment between two writes.
    pub fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }
}

#[derive(Clone, Copy, Default)]
struct Slot {
    owner: PackedOption<Root>,
    /// Null on all paths to here.
    null: bool,
}

/// The state of all slots.
#[derive(Clone, Default)]
pub struct Slots {
    slots: Vec<Slot>,
}

impl Slots {
    /// How many slots have a state; the others are free and not null.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    fn grow(&mut self, slot: u32, clock: &mut Clock) -> &mut Slot {
        let len = slot as usize + 1;
        if self.slots.len() < len {
            self.slots.resize(len, Slot::default());
        }
        if clock.dirtied.len() < len {
            clock.dirtied.resize(len, 0);
        }
        clock.size = clock.size.max(len as u32);
        &mut self.slots[slot as usize]
    }

    /// The state that a nested region starts with, where only these slots have owners. `nulls`: what
    /// is null here is null there.
    pub fn nested(&self, owned: impl Iterator<Item = (u32, Root)>, nulls: bool) -> Slots {
        let null = |slot: &Slot| Slot { owner: None.into(), null: slot.null && nulls };
        let mut slots: Vec<Slot> = self.slots.iter().map(null).collect();
        for (at, root) in owned {
            if let Some(slot) = slots.get_mut(at as usize) {
                slot.owner = root.into();
            }
        }
        Slots { slots }
    }

    /// Frees the slots of roots that are dead.
    pub fn free(&mut self, dead: impl Fn(Root) -> bool) {
        for slot in &mut self.slots {
            if slot.owner.expand().is_some_and(&dead) {
                slot.owner = None.into();
            }
        }
    }

    /// The lowest free slot from `from` on.
    pub fn lowest_free(&self, from: u32) -> u32 {
        let rest = self.slots.get(from as usize..).unwrap_or_default();
        match rest.iter().position(|slot| slot.owner.is_none()) {
            Some(at) => from + at as u32,
            None => (self.slots.len() as u32).max(from),
        }
    }

    /// Gives a free slot to a root that is now spilled to it.
    pub fn own(&mut self, slot: u32, root: Root, clock: &mut Clock) {
        *self.grow(slot, clock) = Slot { owner: root.into(), null: false };
        clock.dirtied[slot as usize] = clock.now;
    }

    /// A slot may hold anything from now on, unless it is a root's.
    pub fn dirty(&mut self, slot: u32, clock: &mut Clock) {
        let state = self.grow(slot, clock);
        if state.owner.is_none() {
            state.null = false;
            clock.dirtied[slot as usize] = clock.now;
        }
    }

    /// The same for all slots from `from` on.
    pub fn dirty_from(&mut self, from: u32, clock: &mut Clock) {
        for slot in from..clock.size {
            self.dirty(slot, clock);
        }
    }

    /// A slot that is no root's is null from now on.
    pub fn clear(&mut self, slot: u32, clock: &mut Clock) {
        self.grow(slot, clock).null = true;
    }

    /// Slots below `top` that are no root's and perhaps not null.
    pub fn garbage(&self, top: u32) -> impl Iterator<Item = u32> + '_ {
        (0..top).filter(|&at| self.slots.get(at as usize).is_none_or(|s| s.owner.is_none() && !s.null))
    }

    /// Behind a construct that began at a moment: forgets the nulls that it overwrote.
    pub fn rejoin(&mut self, began: u64, clock: &Clock) {
        for (slot, &dirtied) in self.slots.iter_mut().zip(&clock.dirtied) {
            slot.null &= dirtied < began;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_survives_a_construct_that_leaves_it_alone() {
        let (mut slots, mut clock) = (Slots::default(), Clock::default());
        slots.own(1, Root(0), &mut clock);
        slots.clear(0, &mut clock);
        slots.clear(2, &mut clock);
        let began = clock.tick();
        let mut inner = slots.nested([(1, Root(0))].into_iter(), true);
        assert_eq!(inner.garbage(4).collect::<Vec<_>>(), [3]);
        assert_eq!(inner.lowest_free(1), 2);
        inner.own(2, Root(1), &mut clock);
        slots.rejoin(began, &clock);
        assert_eq!(slots.garbage(3).collect::<Vec<_>>(), [2]);
    }
}
