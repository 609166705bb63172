//! The worklist of marking: a stack, and a few objects ahead of tracing whose headers are on their way to the caches.
//!
//! Marking goes depth first, so that what was allocated together is marked together; what comes from the stack waits in
//! a short queue until its header, which nearly always misses the caches, has arrived. The queue between stack and
//! tracing is that of C.-Y. Cher, A. L. Hosking and T. N. Vijaykumar, "Software prefetching for mark-sweep garbage
//! collection" (ASPLOS 2004).
//!
//! What this is not: a list of edges. An object is marked before it comes here, so it comes once.

use crate::heap::memory::View;

/// Objects that are ahead of tracing: at some 10 ns each, they cover an access to memory.
const AHEAD: usize = 16;

/// Marked objects that are still to be traced, by address.
#[derive(Debug, Default)]
pub(in crate::heap) struct Worklist {
    stack: Vec<u32>,
    /// A ring: `waiting` objects from `first` on.
    ahead: [u32; AHEAD],
    first: usize,
    waiting: usize,
}

impl Worklist {
    #[inline(always)]
    pub fn push(&mut self, at: u32) {
        self.stack.push(at);
    }

    /// The object to be traced next.
    #[inline(always)]
    pub fn pop(&mut self, words: View<'_>) -> Option<u32> {
        while self.waiting < AHEAD
            && let Some(at) = self.stack.pop()
        {
            words.prefetch(at);
            self.ahead[(self.first + self.waiting) % AHEAD] = at;
            self.waiting += 1;
        }
        if self.waiting == 0 {
            return None;
        }
        let at = self.ahead[self.first % AHEAD];
        self.first = (self.first + 1) % AHEAD;
        self.waiting -= 1;
        Some(at)
    }

    pub fn is_empty(&self) -> bool {
        self.waiting == 0 && self.stack.is_empty()
    }

    /// All objects, in no order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.ahead().chain(self.stack.iter().copied())
    }

    fn ahead(&self) -> impl Iterator<Item = u32> {
        (self.first..self.first + self.waiting).map(|n| self.ahead[n % AHEAD])
    }

    /// Adds objects.
    pub fn append(&mut self, more: &mut Vec<u32>) {
        self.stack.append(more);
    }

    /// Takes all objects out.
    pub fn take(&mut self) -> Vec<u32> {
        let mut all = std::mem::take(&mut self.stack);
        all.extend(self.ahead());
        self.waiting = 0;
        all
    }

    /// Takes the older half of the stack out, if there are two objects.
    pub fn take_older_half(&mut self) -> Option<Vec<u32>> {
        let newer = (self.stack.len() > 1).then(|| self.stack.split_off(self.stack.len() / 2))?;
        Some(std::mem::replace(&mut self.stack, newer))
    }

    /// Forgets all objects, and gives memory back if there is much.
    pub fn clear(&mut self) {
        self.waiting = 0;
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
