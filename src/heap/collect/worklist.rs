//! The worklist of marking: a stack, and a few objects ahead of tracing whose headers are on their way to the caches.
//!
//! Marking goes depth first, so that what was allocated together is marked together; what comes from the stack waits in
//! a short queue until its header, which nearly always misses the caches, has arrived. The queue between stack and
//! tracing is that of C.-Y. Cher, A. L. Hosking and T. N. Vijaykumar, "Software prefetching for mark-sweep garbage
//! collection" (ASPLOS 2004).
//!
//! What this is not: a list of edges. An object is marked before it comes here, so it comes once.

use crate::heap::memory::View;

/// So many are on their way at once: at some 10 ns each, they cover an access to memory.
const AHEAD: u32 = 16;

/// No object.
const NONE: u32 = 0;

/// A short queue of addresses. One that enters takes the place of the one that has been there longest, if it is full.
#[derive(Debug, Default)]
struct Ring {
    items: [u32; AHEAD as usize],
    /// Which places are taken.
    taken: u16,
    /// The place that is next.
    next: u32,
}

impl Ring {
    /// Adds an address, which is not 0: the one whose place it takes, or 0.
    #[inline(always)]
    fn replace(&mut self, at: u32) -> u32 {
        let place = self.next % AHEAD;
        self.next = place + 1;
        let leaves = std::mem::replace(&mut self.items[place as usize], at);
        if leaves == NONE {
            self.taken |= 1 << place;
        }
        leaves
    }

    /// Takes out the one that has been there longest.
    fn pop(&mut self) -> Option<u32> {
        let place = self.next % AHEAD;
        let ahead = self.taken.rotate_right(place).trailing_zeros();
        if ahead == AHEAD {
            return None;
        }
        self.next = (place + ahead) % AHEAD + 1;
        let place = (place + ahead) % AHEAD;
        self.taken &= !(1 << place);
        Some(std::mem::replace(&mut self.items[place as usize], NONE))
    }

    fn is_empty(&self) -> bool {
        self.taken == 0
    }

    fn iter(&self) -> impl Iterator<Item = u32> {
        self.items.into_iter().filter(|&at| at != NONE)
    }
}

/// Marked objects that are still to be traced, by address.
#[derive(Debug, Default)]
pub(in crate::heap) struct Worklist {
    stack: Vec<u32>,
    ahead: Ring,
}

impl Worklist {
    #[inline(always)]
    pub fn push(&mut self, at: u32) {
        self.stack.push(at);
    }

    /// The object to be traced next.
    #[inline(always)]
    pub fn pop(&mut self, words: View<'_>) -> Option<u32> {
        while let Some(at) = self.stack.pop() {
            words.prefetch(at);
            let oldest = self.ahead.replace(at);
            if oldest != NONE {
                return Some(oldest);
            }
        }
        self.ahead.pop()
    }

    pub fn is_empty(&self) -> bool {
        self.ahead.is_empty() && self.stack.is_empty()
    }

    /// All objects, in no order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.ahead.iter().chain(self.stack.iter().copied())
    }

    /// Adds objects.
    pub fn append(&mut self, more: &mut Vec<u32>) {
        self.stack.append(more);
    }

    /// Takes all objects out.
    pub fn take(&mut self) -> Vec<u32> {
        let mut all = std::mem::take(&mut self.stack);
        all.extend(std::mem::take(&mut self.ahead).iter());
        all
    }

    /// Takes the older half of the stack out, if there are two objects.
    pub fn take_older_half(&mut self) -> Option<Vec<u32>> {
        let newer = (self.stack.len() > 1).then(|| self.stack.split_off(self.stack.len() / 2))?;
        Some(std::mem::replace(&mut self.stack, newer))
    }

    /// Forgets all objects, and gives memory back if there is much.
    pub fn clear(&mut self) {
        self.ahead = Ring::default();
        self.stack.clear();
        self.stack.shrink_to(1 << 20);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heap::memory::Words;
    use std::collections::BTreeSet;

    #[test]
    fn what_enters_a_full_ring_pushes_the_oldest_out() {
        let mut ring = Ring::default();
        assert!((1..=AHEAD).all(|at| ring.replace(at) == NONE));
        let out: Vec<_> = (1..=40).map(|n| ring.replace(AHEAD + n)).collect();
        assert_eq!(out, (1..=40).collect::<Vec<_>>());
        let rest: Vec<_> = std::iter::from_fn(|| ring.pop()).collect();
        assert_eq!(rest, (41..=40 + AHEAD).collect::<Vec<_>>());
        assert!(ring.is_empty() && ring.replace(7) == NONE && ring.replace(8) == NONE);
        assert_eq!([ring.pop(), ring.pop(), ring.pop()], [Some(7), Some(8), None]);
    }

    #[test]
    fn everything_that_is_pushed_comes_out_once() {
        let mut bytes = [0; 64];
        let words = Words::new(&mut bytes);
        let mut list = Worklist::default();
        let mut out = vec![];
        (1..=100).for_each(|at| list.push(at));
        for _ in 0..30 {
            out.extend(list.pop(words.view()));
        }
        // A queue that is partly filled, across the end of the ring.
        assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), 70);
        let half = list.take_older_half().unwrap();
        assert_eq!(half, (1..=27).collect::<Vec<_>>());
        out.extend(half);
        let mut rest = list.take();
        assert!(list.is_empty() && list.pop(words.view()).is_none());
        assert_eq!(rest.len(), 43);
        list.append(&mut rest);
        while let Some(at) = list.pop(words.view()) {
            out.push(at);
        }
        assert!(list.take_older_half().is_none());
        out.sort_unstable();
        assert_eq!(out, (1..=100).collect::<Vec<_>>());
    }
}
