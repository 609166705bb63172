//! Nepotism: young objects that survive because dead old ones refer to them, and when that makes major collections cheaper.
//!
//! A minor collection takes every old object for alive. The cells of a list that is consumed while it is made, each written to
//! by the one before, hang from a cell that was promoted and has died since; so all of them are promoted. ("Nepotism" is
//! Ungar's and Jackson's word, "Tenuring policies for generation-based storage reclamation", OOPSLA 1988.) A major
//! collection marks before it promotes, and so promotes what is alive only. Where little is, it is cheaper than copying what
//! is dead. What is compared:
//!
//! - what a minor collection would copy in vain: the bytes in the nursery, times the share that survived the last minor
//!   collections, times the share of what was promoted that the last major collection found dead;
//! - what a major one has to look at: what is alive, by the same share, the bitmap, and the host's slots.
//!
//! With each major collection the first share is taken to be a little less, until a minor one measures it again.
//!
//! What this is not: a reason to collect earlier. It chooses what is done when the nursery is full.

/// For so many bytes of the heap, marks and lines are as much work as a byte of objects.
const HEAP_BYTES: u64 = 256;
/// A host slot is as much work as so many bytes of objects.
const SLOT_BYTES: u64 = 16;
/// What is copied in vain must be so many times what would be marked.
const MARGIN: f64 = 2.0;
/// That nearly all is dead is a guess: a program that drops what it has and builds something that lives proves it wrong. With
/// more than so many bytes to mark then, the pause would be long.
const MOST: u64 = 8 << 20;
/// Collections of less say nothing.
const LEAST: u64 = 16 << 10;
/// By this a survival that nobody has measured gets less with each major collection.
const DECAY: f64 = 15.0 / 16.0;

/// What the collections so far let expect.
#[derive(Debug, Default)]
pub(crate) struct Nepotism {
    /// Of a nursery, by minor collections.
    survival: f64,
    /// Of what was promoted, or made in the old space: as many bytes as the next major collection found dead, of whatever age.
    dead: f64,
}

/// What a major collection would have to look at.
pub(crate) struct Work {
    /// Bytes that were alive after the last.
    pub live: u64,
    /// Bytes that were promoted since.
    pub added: u64,
    /// Bytes of the heap.
    pub heap: u64,
    pub host_slots: u64,
}

impl Nepotism {
    /// A minor collection promoted so many of the bytes in the nursery.
    pub fn minor_done(&mut self, used: u32, promoted: u64) {
        if u64::from(used) >= LEAST {
            self.survival = (self.survival + promoted as f64 / f64::from(used)) / 2.0;
        }
    }

    /// A major collection found so many bytes of the old space dead, to which so many were added since the last.
    pub fn major_done(&mut self, added: u64, dead: u64) {
        self.survival *= DECAY;
        if added >= LEAST {
            self.dead = dead.min(added) as f64 / added as f64;
        }
    }

    /// Whether a major collection is the cheaper one, when so many bytes are in the nursery.
    pub fn prefers_major(&self, used: u32, work: Work) -> bool {
        let in_vain = f64::from(used) * self.survival * self.dead;
        let live = work.live as f64 + work.added as f64 * (1.0 - self.dead);
        let apart = work.heap / HEAP_BYTES + work.host_slots * SLOT_BYTES;
        in_vain > MARGIN * (live + apart as f64) && work.live + work.added <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NURSERY: u32 = 1 << 20;

    fn work(live: u64) -> Work {
        Work { live, added: 0, heap: 1 << 20, host_slots: 0 }
    }

    #[test]
    fn it_takes_survivors_that_are_dead_and_little_that_is_alive() {
        let mut nepotism = Nepotism::default();
        assert!(!nepotism.prefers_major(NURSERY, work(0)));
        (0..10).for_each(|_| nepotism.minor_done(NURSERY, 1 << 20));
        // Nothing says that they are dead.
        assert!(!nepotism.prefers_major(NURSERY, work(0)));
        nepotism.major_done(10 << 20, 0);
        assert!(!nepotism.prefers_major(NURSERY, work(0)));
        nepotism.major_done(10 << 20, 9 << 20);
        assert!(nepotism.prefers_major(NURSERY, work(300 << 10)));
        assert!(!nepotism.prefers_major(NURSERY, work(500 << 10)));
        assert!(!nepotism.prefers_major(NURSERY, Work { host_slots: 1 << 15, ..work(0) }));
        assert!(!nepotism.prefers_major(NURSERY, Work { heap: 256 << 20, ..work(0) }));
        assert!(!nepotism.prefers_major(NURSERY, Work { added: 10 << 20, ..work(0) }));
        // As the nursery is now.
        assert!(!nepotism.prefers_major(NURSERY / 8, work(100 << 10)));
    }

    /// The longest pause of `moonbit/binary_trees` was this: its first tree had died, and 17 MB of the one that lives were
    /// marked at once, as nothing of it was taken to be alive.
    #[test]
    fn a_guess_is_not_worth_a_long_pause() {
        let mut nepotism = Nepotism::default();
        (0..10).for_each(|_| nepotism.minor_done(NURSERY, 1 << 20));
        nepotism.major_done(32 << 20, 32 << 20);
        assert!(nepotism.prefers_major(NURSERY, Work { added: 4 << 20, ..work(0) }));
        assert!(!nepotism.prefers_major(NURSERY, Work { added: 17 << 20, ..work(0) }));
    }

    #[test]
    fn survival_is_measured_again_and_again() {
        let mut nepotism = Nepotism::default();
        (0..10).for_each(|_| nepotism.minor_done(NURSERY, 1 << 20));
        nepotism.major_done(10 << 20, 10 << 20);
        let mut majors = 0;
        while nepotism.prefers_major(NURSERY, work(0)) {
            // What little there is to promote says nothing.
            nepotism.major_done(100, 0);
            majors += 1;
        }
        assert!((20..100).contains(&majors), "{majors}");
        nepotism.minor_done(NURSERY, 1 << 20);
        assert!(nepotism.prefers_major(NURSERY, work(0)));
        (0..10).for_each(|_| nepotism.minor_done(NURSERY, 1000));
        assert!(!nepotism.prefers_major(NURSERY, work(0)));
    }
}
