//! How the functions of a module are worked on: one after the other on the calling thread, or by many threads.
//!
//! The threads are those of the pool that the engine compiles with (rayon's). Results stand in the order of what they
//! were made of, and where several fail, the first is told: what is done does not depend on the threads.
//!
//! What this is not: the threads that mark (`heap/collect/parallel.rs`).

use rayon::prelude::*;

/// Who works.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Workers {
    /// The calling thread. No other is started.
    One,
    /// As many as the pool has.
    #[default]
    Many,
}

/// Less code than this, in bytes, is one thread's: to wake others takes longer than they save. (Measured on modules of two
/// to nineteen kilobytes, with two processors.)
const LEAST: usize = 8 << 10;

impl Workers {
    /// Who works on so many bytes of code.
    pub fn on(self, code: usize) -> Workers {
        if code < LEAST { Workers::One } else { self }
    }

    /// What becomes of each item.
    pub fn map<I, T, R>(self, items: I, each: impl Fn(T) -> R + Send + Sync) -> Vec<R>
    where
        I: IntoIterator<Item = T> + IntoParallelIterator<Item = T, Iter: IndexedParallelIterator>,
        T: Send,
        R: Send,
    {
        self.map_with(items, || (), |(), item| each(item))
    }

    /// The same with something that each worker makes for itself, and uses for one item after the other.
    pub fn map_with<I, T, W, R>(
        self,
        items: I,
        own: impl Fn() -> W + Send + Sync,
        each: impl Fn(&mut W, T) -> R + Send + Sync,
    ) -> Vec<R>
    where
        I: IntoIterator<Item = T> + IntoParallelIterator<Item = T, Iter: IndexedParallelIterator>,
        T: Send,
        R: Send,
    {
        match self {
            Workers::One => {
                let mut own = own();
                items.into_iter().map(|item| each(&mut own, item)).collect()
            }
            Workers::Many => items.into_par_iter().map_init(own, each).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::current;

    #[test]
    fn one_worker_is_the_calling_thread() {
        let here = current().id();
        let squares = |workers: Workers| workers.map(0..1000, |n: u32| (n * n, current().id()));
        let (alone, many) = (squares(Workers::One), squares(Workers::Many));
        assert!(alone.iter().all(|&(_, thread)| thread == here));
        assert!(many.iter().all(|&(_, thread)| thread != here));
        assert!(alone.iter().zip(&many).all(|(a, b)| a.0 == b.0));
    }

    #[test]
    fn little_is_done_by_the_calling_thread() {
        assert_eq!(
            [100, LEAST - 1, LEAST].map(|code| Workers::Many.on(code)),
            [Workers::One, Workers::One, Workers::Many]
        );
        assert_eq!(Workers::One.on(1 << 20), Workers::One);
    }

    #[test]
    fn what_a_worker_owns_lasts() {
        let counted = Workers::One.map_with(0..5, || 0, |count, _| std::mem::replace(count, *count + 1));
        assert_eq!(counted, [0, 1, 2, 3, 4]);
    }
}
