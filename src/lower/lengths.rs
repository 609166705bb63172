//! Lengths of arrays that are known already.
//!
//! ```wat
//! (array.get $a (local.get $a) (i32.const 0)) (array.get $a (local.get $a) (i32.const 1))
//! ;; one load of the length, two compares
//! ```
//!
//! The length of an array never changes, so a length that was loaded where the current place is
//! dominated from is as good as a new load. The engine can not know that: to it every store to the heap
//! may change a length. Obligation: a length is used again only in the region where it was loaded, or in
//! regions that are nested in it; the driver says which regions are open.

use crate::ir::{Region, Value};
use cranelift_entity::SecondaryMap;
use std::collections::HashMap;

/// Known lengths, by array.
#[derive(Debug, Default)]
pub struct Lengths {
    known: HashMap<Value, (Value, Region)>,
    open: SecondaryMap<Region, bool>,
}

impl Lengths {
    /// The driver fills a region, or is done with it.
    pub fn set_open(&mut self, region: Region, open: bool) {
        self.open[region] = open;
    }

    /// The length of an array, if it was loaded where that is visible now.
    pub fn get(&self, array: Value) -> Option<Value> {
        let &(len, region) = self.known.get(&array)?;
        self.open[region].then_some(len)
    }

    /// The length of an array was loaded at the end of a region.
    pub fn set(&mut self, array: Value, len: Value, region: Region) {
        self.known.insert(array, (len, region));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cranelift_entity::EntityRef;

    #[test]
    fn a_length_is_forgotten_with_its_region() {
        let (array, len) = (Value::new(0), Value::new(1));
        let (outer, inner) = (Region::new(0), Region::new(1));
        let mut lengths = Lengths::default();
        lengths.set_open(outer, true);
        lengths.set_open(inner, true);
        lengths.set(array, len, inner);
        assert_eq!(lengths.get(array), Some(len));
        lengths.set_open(inner, false);
        assert_eq!(lengths.get(array), None);
    }
}
