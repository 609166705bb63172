//! References that live as long as a host object: the edges of traced host values.
//!
//! A [`Member`] is a word of its own, which the embedder keeps inside the host value. It is a root until an
//! owner adopts it; then it is alive when a major collection reaches the owner, whose trace visits it. One
//! that was not visited by the last major collection is dead, and its word is never used again: so a trace
//! that forgets members, or an owner that gives them away, makes no dangling reference.
//!
//! A minor collection must know of young references in old owners. The members that were set since are
//! therefore listed, as a remembered set is; a member that nobody holds any more is no root even if listed.

use crate::layout::reference::NULL;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// In place of a collection's number: no owner has been seen.
const UNOWNED: u64 = u64::MAX;

/// So many listed members are too few to trim.
const MIN_TRIM: usize = 64;

/// A reference that an owner may hold. Only its store's collections and API change it, so that atomics are
/// for the type system alone.
#[derive(Debug)]
pub struct Member(Arc<Cell>);

#[derive(Debug)]
struct Cell {
    word: AtomicU32,
    /// The last major collection in which an owner was seen.
    seen: AtomicU64,
}

/// All members of a store that a collection must know of without being led to them.
#[derive(Debug, Default)]
pub struct Members {
    /// The number of the store.
    store: u64,
    /// Major collections so far.
    collections: u64,
    unowned: Vec<Arc<Cell>>,
    /// Members that nobody holds are looked for when this many are listed.
    trim_at: usize,
    /// Those with an owner that may refer to young objects.
    recent: Vec<Arc<Cell>>,
    /// The members that the present mark phase has visited.
    visited: Vec<Arc<Cell>>,
}

/// What a host value's trace is given: visits its members.
pub struct Tracer<'a> {
    members: &'a mut Members,
    /// Absent when the value is new and its members are only to be adopted.
    visit: Option<&'a mut dyn FnMut(&mut u32)>,
}

impl Members {
    /// Those of a store with a number.
    pub fn of_store(store: u64) -> Members {
        Members { store, ..Members::default() }
    }

    /// A new member, which is a root until it is adopted or dropped.
    pub fn new_member(&mut self, word: u32) -> Member {
        self.trim();
        let cell = Arc::new(Cell { word: AtomicU32::new(word), seen: AtomicU64::new(UNOWNED) });
        self.unowned.push(cell.clone());
        Member(cell)
    }

    /// What a member refers to; `None` if it is dead.
    pub fn get(&self, member: &Member) -> Option<u32> {
        let seen = member.0.seen.load(Relaxed);
        (seen == UNOWNED || seen == self.collections).then(|| member.0.word.load(Relaxed))
    }

    /// Forgets what is listed of members that nobody holds, if much is listed. The host may make and drop any
    /// number between two collections.
    fn trim(&mut self) {
        if self.unowned.len() + self.recent.len() < self.trim_at.max(MIN_TRIM) {
            return;
        }
        self.unowned.retain(|cell| cell.seen.load(Relaxed) == UNOWNED && Arc::strong_count(cell) > 1);
        self.recent.sort_unstable_by_key(Arc::as_ptr);
        self.recent.dedup_by(|a, b| Arc::ptr_eq(a, b));
        self.recent.retain(|cell| Arc::strong_count(cell) > 1);
        self.trim_at = 2 * (self.unowned.len() + self.recent.len());
    }

    /// Sets what a member refers to. A dead one is as good as new.
    pub fn set(&mut self, member: &Member, word: u32) {
        self.trim();
        let seen = member.0.seen.load(Relaxed);
        member.0.word.store(word, Relaxed);
        if seen == self.collections {
            self.recent.push(member.0.clone());
        } else if seen != UNOWNED {
            member.0.seen.store(UNOWNED, Relaxed);
            self.unowned.push(member.0.clone());
        }
    }

    /// Adopts the members of a new host value.
    pub fn adopt(&mut self, trace: impl FnOnce(&mut Tracer<'_>)) {
        trace(&mut Tracer { members: self, visit: None });
    }

    /// Visits the members of a host value that was reached by marking.
    pub fn mark(&mut self, visit: &mut dyn FnMut(&mut u32), trace: impl FnOnce(&mut Tracer<'_>)) {
        trace(&mut Tracer { members: self, visit: Some(visit) });
    }

    /// Visits the members that are roots.
    pub fn each_root(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        self.unowned.retain(|cell| cell.seen.load(Relaxed) == UNOWNED && Arc::strong_count(cell) > 1);
        self.unowned.iter().for_each(|cell| cell.visit(visit));
    }

    /// Visits those with an owner that were set since the nursery was last empty.
    pub fn each_recent(&mut self, visit: &mut dyn FnMut(&mut u32)) {
        let now = self.collections;
        let live = |cell: &&Arc<Cell>| cell.seen.load(Relaxed) == now && Arc::strong_count(cell) > 1;
        self.recent.iter().filter(live).for_each(|cell| cell.visit(visit));
    }

    /// No member refers to a young object any more.
    pub fn nursery_emptied(&mut self) {
        self.recent.clear();
    }

    /// A major collection has visited the members of all live owners.
    pub fn marked(&mut self) {
        self.collections += 1;
        self.recent = std::mem::take(&mut self.visited);
    }
}

impl Cell {
    fn visit(&self, visit: &mut dyn FnMut(&mut u32)) {
        let mut word = self.word.load(Relaxed);
        visit(&mut word);
        self.word.store(word, Relaxed);
    }
}

impl Tracer<'_> {
    /// The number of the store whose members are visited.
    pub fn store(&self) -> u64 {
        self.members.store
    }

    /// Visits a member, which is of that store. Visiting one more than once makes no difference.
    pub fn visit(&mut self, member: &Member) {
        let Member(cell) = member;
        let Some(visit) = &mut self.visit else {
            if cell.seen.load(Relaxed) == UNOWNED {
                cell.seen.store(self.members.collections, Relaxed);
                self.members.recent.push(cell.clone());
            }
            return;
        };
        let next = self.members.collections + 1;
        let seen = cell.seen.load(Relaxed);
        if seen == next {
            return;
        }
        if seen != UNOWNED && seen != self.members.collections {
            // Dead since an earlier collection: the word means nothing.
            cell.word.store(NULL, Relaxed);
        }
        cell.visit(visit);
        cell.seen.store(next, Relaxed);
        self.members.visited.push(cell.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(members: &mut Members) -> Vec<u32> {
        let mut words = vec![];
        members.each_root(&mut |word| words.push(*word));
        words
    }

    fn collect(members: &mut Members, owned: &[&Member]) {
        members.mark(&mut |word| *word += 1, |tracer| owned.iter().for_each(|member| tracer.visit(member)));
        members.marked();
    }

    #[test]
    fn a_member_is_a_root_until_it_is_adopted_and_dies_when_no_owner_shows_it() {
        let mut members = Members::default();
        let (a, b) = (members.new_member(10), members.new_member(20));
        assert_eq!(roots(&mut members), [10, 20]);
        members.adopt(|tracer| tracer.visit(&a));
        assert_eq!(roots(&mut members), [20]);
        collect(&mut members, &[&a]);
        assert_eq!((members.get(&a), members.get(&b)), (Some(11), Some(20)));
        collect(&mut members, &[]);
        assert_eq!((members.get(&a), members.get(&b)), (None, Some(20)));
        members.set(&a, 30);
        assert_eq!(roots(&mut members), [20, 30]);
        drop(b);
        assert_eq!(roots(&mut members), [30]);
    }

    #[test]
    fn members_that_were_set_are_recent_until_the_nursery_is_empty() {
        let mut members = Members::default();
        let member = members.new_member(10);
        members.adopt(|tracer| tracer.visit(&member));
        let count = |members: &mut Members| {
            let mut n = 0;
            members.each_recent(&mut |_| n += 1);
            n
        };
        assert_eq!(count(&mut members), 1);
        members.nursery_emptied();
        members.set(&member, 11);
        assert_eq!(count(&mut members), 1);
        members.nursery_emptied();
        assert_eq!(count(&mut members), 0);
        // Marking does not tell whether what it visits is young.
        collect(&mut members, &[&member, &member]);
        assert_eq!((count(&mut members), members.get(&member)), (1, Some(12)));
    }

    /// Members that were made and dropped, or set again and again, used to be listed until the next collection,
    /// which the host alone does not bring about.
    #[test]
    fn members_come_and_go_in_any_number() {
        let mut members = Members::default();
        let held: Vec<_> = (0..100).map(|word| members.new_member(word)).collect();
        members.adopt(|tracer| held.iter().for_each(|member| tracer.visit(member)));
        for word in 0..10_000 {
            drop(members.new_member(word));
            members.set(&held[word as usize % 100], word);
        }
        assert!(members.unowned.len() + members.recent.len() <= 300);
        let mut words = vec![];
        members.each_recent(&mut |word| words.push(*word));
        words.sort_unstable();
        words.dedup();
        assert_eq!(words, (9_900..10_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_dead_member_that_an_owner_shows_again_refers_to_nothing() {
        let mut members = Members::default();
        let member = members.new_member(10);
        collect(&mut members, &[&member]);
        collect(&mut members, &[]);
        members.mark(&mut |_| {}, |tracer| tracer.visit(&member));
        members.marked();
        assert_eq!(members.get(&member), Some(NULL));
    }
}
