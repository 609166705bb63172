//! A list that grows while it is read: entries never move, so references to them stay good.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The first part has so many entries, each other one twice as many as the one before.
const FIRST: u32 = 64;

/// Entries by number.
pub struct Arena<T> {
    parts: [OnceLock<Box<[OnceLock<T>]>>; 24],
    len: AtomicU32,
}

impl<T> Default for Arena<T> {
    fn default() -> Arena<T> {
        Arena { parts: std::array::from_fn(|_| OnceLock::new()), len: AtomicU32::new(0) }
    }
}

impl<T> Arena<T> {
    /// Adds an entry: its number.
    pub fn push(&self, value: T) -> u32 {
        let index = self.len.fetch_add(1, Ordering::Relaxed);
        let (part, at) = place(index);
        if let Some(part) = self.parts.get(part) {
            let size = FIRST << part_number(index);
            let entries = part.get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
            if let Some(entry) = entries.get(at) {
                // Nobody else has this number.
                let _ = entry.set(value);
            }
        }
        index
    }

    /// The entry with a number.
    pub fn get(&self, index: u32) -> Option<&T> {
        let (part, at) = place(index);
        self.parts.get(part)?.get()?.get(at)?.get()
    }
}

fn part_number(index: u32) -> u32 {
    (index / FIRST + 1).ilog2()
}

fn place(index: u32) -> (usize, usize) {
    let part = part_number(index);
    let before = FIRST * ((1 << part) - 1);
    (part as usize, (index - before) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_where_they_are() {
        let arena = Arena::default();
        let first = arena.push(0u32);
        let kept = arena.get(first).unwrap();
        for n in 1..10_000 {
            assert_eq!(arena.push(n), n);
        }
        assert_eq!(*kept, 0);
        assert!((0..10_000).all(|n| arena.get(n) == Some(&n)));
        assert!(arena.get(10_000).is_none());
    }
}
