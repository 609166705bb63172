//! What is known at one point of a function, on every path that leads there.

use crate::ir::{Inst, Value};
use std::collections::BTreeSet;

/// What is in a slot of the frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// Nobody knows: a collector must not look.
    Garbage,
    Null,
    /// The object that this value is, where it is now.
    Holds(Value),
}

/// What is known.
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    /// How many slots are published as roots; `None` where paths differ.
    pub top: Option<u32>,
    pub slots: Vec<Slot>,
    /// Names that hold the address at which their object is.
    pub fresh: BTreeSet<Value>,
}

impl State {
    /// Nothing is published; the frame is garbage.
    pub fn at_entry(slots: u32) -> State {
        State { top: Some(0), slots: vec![Slot::Garbage; slots as usize], fresh: BTreeSet::new() }
    }

    /// A slot of the frame.
    pub fn slot(&mut self, slot: u32, by: Inst) -> Result<&mut Slot, String> {
        self.slots.get_mut(slot as usize).ok_or_else(|| format!("{by} names slot {slot}, which is not in the frame"))
    }

    /// A value gets its object. A slot that held the object that it was before (in a loop) holds no value
    /// of the function any more.
    pub fn define(&mut self, value: Value, identity: Value) {
        if value == identity {
            self.slots.iter_mut().filter(|slot| **slot == Slot::Holds(identity)).for_each(|slot| *slot = Slot::Garbage);
        }
        self.fresh.insert(value);
    }

    /// Everything has moved, but for `again`, which was loaded again; slots behind the top may have been
    /// overwritten.
    pub fn collect(&mut self, top: u32, again: &[Value]) {
        self.fresh = again.iter().copied().collect();
        self.slots.iter_mut().skip(top as usize).for_each(|slot| *slot = Slot::Garbage);
    }

    /// What is known where this path and another meet; whether that is less than on this one.
    pub fn meet(&mut self, other: &State) -> bool {
        let mut changed = false;
        if self.top.is_some() && self.top != other.top {
            self.top = None;
            changed = true;
        }
        for (mine, theirs) in self.slots.iter_mut().zip(&other.slots) {
            if *mine != *theirs && *mine != Slot::Garbage {
                *mine = Slot::Garbage;
                changed = true;
            }
        }
        let was = self.fresh.len();
        self.fresh.retain(|value| other.fresh.contains(value));
        changed || self.fresh.len() != was
    }

    /// How much there is to copy or compare.
    pub fn size(&self) -> usize {
        self.slots.len() + self.fresh.len()
    }
}
