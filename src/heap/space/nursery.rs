//! The nursery: a bump pointer that lowered code moves, in two cells of the heap memory.
//!
//! How much of it is used adapts. A small nursery stays in the cache; a large one gives objects more
//! time to die before they are copied. So it doubles when many survive, up to what the map gives, and
//! halves when next to nothing does. It stays as it is when nearly everything survives.
//!
//! The cells belong to lowered code as much as to the collector, so they are read anew each time and
//! believed only within the nursery's bounds.

use crate::heap::memory::{Words, read};
use crate::heap::verify::{Fault, VerifyError};
use crate::layout::object::{LARGE_OBJECT_BYTES, OBJECT_ALIGN};
use crate::layout::{HeapMap, PAGE};

/// The nursery grows when more than one in `MANY` bytes survives ...
const MANY: u64 = 12;
/// ... unless nearly all do, `MOST.0` of `MOST.1` bytes: more time would hardly let more of them die, and
/// room to promote to is reserved for all of it.
const MOST: (u64, u64) = (7, 8);
/// It shrinks when fewer than one in `FEW` bytes survives.
const FEW: u64 = 100;

/// Less of the nursery is never used for want of room for remembered slots.
const LEAST_BOUND: u32 = PAGE;
/// When even the least of the nursery is too much for the buffer of remembered slots, all of it is used for so many collections.
const PATIENCE: u32 = 64;

/// The nursery of a heap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nursery {
    map: HeapMap,
    /// Bytes that are used before a collection, at least and now.
    least: u32,
    size: u32,
    /// At most so many bytes are used, whatever the size.
    cap: u32,
    /// And so many, as the buffer of remembered slots was too small for what is stored meanwhile.
    bound: u32,
    /// For so many collections the bound would not help.
    patience: u32,
    /// Lowered code allocates in it without asking.
    inline: bool,
}

impl Nursery {
    /// The nursery of a map, of which `least` bytes are used at first. With `inline` unset every
    /// allocation takes the slow path.
    pub fn new(map: HeapMap, least: u32, inline: bool) -> Nursery {
        let most = map.nursery_end - map.nursery_start;
        let least = least.clamp(PAGE.min(most), most) / OBJECT_ALIGN * OBJECT_ALIGN;
        Nursery { map, least, size: least, cap: u32::MAX, bound: u32::MAX, patience: 0, inline }
    }

    /// Adapts the size: a collection found `promoted` of `used` bytes alive.
    pub fn adapt(&mut self, used: u32, promoted: u64) {
        if used < self.size / 2 {
            return;
        }
        let most = self.map.nursery_end - self.map.nursery_start;
        if promoted * MOST.1 > used as u64 * MOST.0 {
            return;
        }
        if promoted * MANY > used as u64 {
            self.size = self.size.saturating_mul(2).min(most);
        } else if promoted * FEW < used as u64 {
            self.size = (self.size / 2 / OBJECT_ALIGN * OBJECT_ALIGN).max(self.least);
        }
    }

    /// Bytes that are used before a collection.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// First address above what is used.
    fn end(&self) -> u32 {
        self.map.nursery_start + self.size.min(self.cap).min(self.bound)
    }

    /// Uses at most so many bytes from now on, at least one object's worth. The size is as it was afterwards.
    pub fn set_cap(&mut self, words: &mut Words, bytes: u32) {
        self.cap = (bytes / OBJECT_ALIGN * OBJECT_ALIGN).max(LARGE_OBJECT_BYTES);
        self.set_limit(words);
    }

    /// More slots were remembered than the buffer has room for: uses half from now on. If that is next to nothing, stores do
    /// not depend on what is allocated, and all is used, so that collections are few.
    pub fn stores_too_many(&mut self, words: &mut Words) {
        let half = self.size.min(self.bound) / 2 / OBJECT_ALIGN * OBJECT_ALIGN;
        if self.patience > 0 {
            self.patience -= 1;
        } else if half >= LEAST_BOUND {
            self.bound = half;
        } else {
            (self.bound, self.patience) = (u32::MAX, PATIENCE);
        }
        self.set_limit(words);
    }

    /// They took little of the buffer: uses twice as much.
    pub fn stores_fit(&mut self, words: &mut Words) {
        if self.bound < u32::MAX {
            self.bound = self.bound.saturating_mul(2) / OBJECT_ALIGN * OBJECT_ALIGN;
            self.bound = if self.bound >= self.size { u32::MAX } else { self.bound };
            self.set_limit(words);
        }
    }

    /// Whether less is used for want of room for remembered slots.
    #[cfg(test)]
    pub fn is_bound(&self) -> bool {
        self.bound < u32::MAX
    }

    /// Whether less is used than the size says.
    pub fn is_capped(&self) -> bool {
        self.cap < u32::MAX / OBJECT_ALIGN * OBJECT_ALIGN
    }

    fn set_limit(&self, words: &mut Words) {
        words.set(self.map.limit_cell(), if self.inline { self.end() } else { 0 });
    }

    /// First address.
    pub fn start(&self) -> u32 {
        self.map.nursery_start
    }

    /// Empties it.
    pub fn reset(&self, words: &mut Words) {
        words.set(self.map.bump_cell(), self.map.nursery_start);
        self.set_limit(words);
    }

    /// Where the next object goes.
    pub fn bump(&self, bytes: &[u8]) -> Result<u32, VerifyError> {
        let cell = self.map.bump_cell();
        let bump = read(bytes, cell);
        if bump < self.map.nursery_start || bump > self.map.nursery_end || !bump.is_multiple_of(4) {
            return Err(VerifyError::cell(Fault::Bump, cell, bump));
        }
        Ok(bump)
    }

    /// Bytes that are in use.
    pub fn used(&self, bytes: &[u8]) -> Result<u32, VerifyError> {
        Ok(self.bump(bytes)? - self.map.nursery_start)
    }

    /// Allocates `size` bytes (a multiple of 4) if they fit: the address.
    pub fn alloc(&self, bytes: &mut [u8], size: u32) -> Result<Option<u32>, VerifyError> {
        let at = self.bump(bytes)?;
        if size > self.end().saturating_sub(at) {
            return Ok(None);
        }
        Words::new(bytes).set(self.map.bump_cell(), at + size);
        Ok(Some(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::MapParams;

    #[test]
    fn the_size_follows_the_survival_rate() {
        let map = HeapMap::new(MapParams { stack_bytes: 0, nursery_bytes: 5 << 20 });
        let mut nursery = Nursery::new(map, 1 << 20, true);
        let mut sizes = vec![];
        for permille in [1000, 900, 500, 50, 500, 500, 20, 500, 5, 5, 5, 5] {
            let used = nursery.size;
            nursery.adapt(used, used as u64 * permille / 1000);
            nursery.adapt(used / 10, 0);
            sizes.push(nursery.size >> 18);
        }
        assert_eq!(sizes, [4, 4, 8, 8, 16, 20, 20, 20, 10, 5, 4, 4]);
        assert_eq!(Nursery::new(map, u32::MAX, true).size, 5 << 20);
        assert_eq!(Nursery::new(map, 0, true).size, PAGE);
    }
}
