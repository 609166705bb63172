//! Words that are known already: lengths and headers of objects, cells of tables, addresses of root areas.
//!
//! ```wat
//! (array.get $a (local.get $a) (i32.const 0)) (array.get $a (local.get $a) (i32.const 1))
//! ;; one load of the length, two compares
//! ```
//!
//! The length of an array never changes, so a length that was loaded where the current place is
//! dominated from is as good as a new load. The engine can not know that: to it every store to the heap
//! may change a length. Obligation: a word is used again only in the region where it was loaded, or in
//! regions that are nested in it; the driver says which regions are open.
//!
//! The header of an object never changes either, but it may be the address of a descriptor, which the collector moves.
//! So it is forgotten where the collector may run.
//!
//! The two cells of a table change when it grows and nowhere else; the driver says where that may be.
//!
//! An index that was compared with a length is below it wherever the comparison dominates, whether the check of an
//! access compared them or a branch of the module itself: SSA values do not change. Such a check is not made again. A
//! branch may have compared them as signed numbers, if the index is never negative (`counters.rs`).

use super::compared::{self, Kind};
use crate::ir::{DebugOp, Func, Op, Region, TableOp, Value, effects};
use cranelift_entity::{EntitySet, SecondaryMap};
use foldhash::HashMap;

/// Known words.
#[derive(Debug, Default)]
pub struct Known {
    lengths: HashMap<Value, (Value, Region)>,
    /// Headers, and how often the collector may have run when they were loaded.
    headers: HashMap<Value, (Value, Region, u32)>,
    /// Of tables, by base and offset.
    cells: HashMap<(u32, u32), (Value, Region, u32)>,
    bases: HashMap<u32, (Value, Region)>,
    /// Pairs of which the first is below the second, unsigned.
    below: HashMap<(Value, Value), Region>,
    /// Constants that are below a value. A later one is larger, and its region nested in those before, but for those
    /// at the end that are not open any more.
    constants: HashMap<Value, Vec<(u32, Region)>>,
    /// Values that are never negative, as signed numbers.
    never_negative: EntitySet<Value>,
    open: SecondaryMap<Region, bool>,
    /// How often tables may have grown.
    grown: u32,
    /// How often the collector may have run.
    collected: u32,
    /// Whether nothing in the function makes one grow.
    quiet: bool,
    /// Whether the function has a loop.
    loops: bool,
    /// Handles that were compared in line.
    compared: u32,
}

/// So many casts of handles are compared in line in a function: each makes some branches more, and the engine's time grows
/// faster than their number.
const MAX_COMPARED: u32 = 100;

impl Known {
    /// Before a function is lowered.
    pub fn start(&mut self, func: &Func<'_>) {
        self.quiet = !func.insts.values().any(|inst| may_grow(&inst.op));
        self.loops = func.insts.values().any(|inst| matches!(inst.op, Op::Loop { .. }));
    }

    /// Whether one more cast of a handle is to be compared in line.
    pub fn compare(&mut self) -> bool {
        self.compared += 1;
        self.compared <= MAX_COMPARED
    }

    /// The driver fills a region, or is done with it.
    pub fn set_open(&mut self, region: Region, open: bool) {
        self.open[region] = open;
    }

    /// The driver is about to lower an operation.
    pub fn pass(&mut self, op: &Op<'_>) {
        // What a loop calls further down is called before its start is reached again.
        let repeats = matches!(op, Op::Loop { .. }) && !self.quiet;
        self.grown += u32::from(repeats || may_grow(op));
        self.collected += u32::from(effects(op).collects || matches!(op, Op::Loop { .. }));
    }

    /// The length of an array, if it was loaded where that is visible now.
    pub fn get(&self, array: Value) -> Option<Value> {
        let &(len, region) = self.lengths.get(&array)?;
        self.open[region].then_some(len)
    }

    /// The length of an array was loaded at the end of a region.
    pub fn set(&mut self, array: Value, len: Value, region: Region) {
        self.lengths.insert(array, (len, region));
    }

    /// The header of an object, if it was loaded where that is visible now, and is still what it was.
    pub fn header(&self, object: Value) -> Option<Value> {
        let &(header, region, collected) = self.headers.get(&object)?;
        (self.open[region] && collected == self.collected).then_some(header)
    }

    /// The header of an object was loaded in a region.
    pub fn set_header(&mut self, object: Value, header: Value, region: Region) {
        self.headers.insert(object, (header, region, self.collected));
    }

    /// A reference has another name.
    pub fn rename(&mut self, old: Value, new: Value) {
        if let Some(&known) = self.headers.get(&old) {
            self.headers.insert(new, known);
        }
    }

    /// Whether an index is known to be below a limit here, unsigned. `index` with its value if it is a constant.
    pub fn is_below(&mut self, (index, constant): (Value, Option<u32>), limit: Value) -> bool {
        match constant {
            Some(constant) => {
                let Some(known) = self.constants.get_mut(&limit) else { return false };
                while known.pop_if(|&mut (_, region)| !self.open[region]).is_some() {}
                known.last().is_some_and(|&(known, _)| known >= constant)
            }
            None => self.below.get(&(index, limit)).is_some_and(|&region| self.open[region]),
        }
    }

    /// An index is below a limit from the end of a region on.
    pub fn set_below(&mut self, (index, constant): (Value, Option<u32>), limit: Value, region: Region) {
        if self.is_below((index, constant), limit) {
            return;
        }
        match constant {
            Some(constant) => self.constants.entry(limit).or_default().push((constant, region)),
            None => drop(self.below.insert((index, limit), region)),
        }
    }

    /// A value of the lowered function is never negative, as a signed number.
    pub fn set_never_negative(&mut self, value: Value) {
        self.never_negative.insert(value);
    }

    /// A condition of a lowered function is not zero, or is, from the end of a region on.
    pub fn learn(&mut self, func: &Func<'_>, cond: Value, holds: bool, region: Region) {
        compared::below(func, cond, holds, |kind, index, limit| {
            let constant = func.constant(index);
            // What is below a number, signed, and not negative, is below it unsigned.
            let signed = |constant: u32| constant as i32 >= 0;
            if kind == Kind::Unsigned || constant.map_or(self.never_negative.contains(index), signed) {
                self.set_below((index, constant), limit, region);
            }
        });
    }

    /// What a cell of a table holds, if it was loaded where that is visible now, and holds still.
    pub fn cell(&self, cell: (u32, u32)) -> Option<Value> {
        let &(value, region, grown) = self.cells.get(&cell)?;
        (self.open[region] && grown == self.grown).then_some(value)
    }

    /// A cell of a table was loaded at the end of a region.
    pub fn set_cell(&mut self, cell: (u32, u32), value: Value, region: Region) {
        self.cells.insert(cell, (value, region, self.grown));
    }

    /// Whether what never changes is better read where the function begins.
    pub fn early(&self) -> bool {
        self.loops
    }

    /// The value of a global that holds an address.
    pub fn base(&self, global: u32) -> Option<Value> {
        let &(base, region) = self.bases.get(&global)?;
        self.open[region].then_some(base)
    }

    /// A global that holds an address was read at the end of a region.
    pub fn set_base(&mut self, global: u32, base: Value, region: Region) {
        self.bases.insert(global, (base, region));
    }
}

/// Whether a table may have other cells behind an operation. A dropped segment has.
fn may_grow(op: &Op<'_>) -> bool {
    matches!(
        op,
        Op::Call(_)
            | Op::ReturnCall(_)
            | Op::Table(TableOp::Grow(_) | TableOp::ElemDrop(_))
            | Op::Debug(DebugOp::Mark(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Callee, Cursor, SrcLoc};
    use cranelift_entity::EntityRef;
    use wasmparser::Operator;

    #[test]
    fn a_length_is_forgotten_with_its_region() {
        let (array, len) = (Value::new(0), Value::new(1));
        let (outer, inner) = (Region::new(0), Region::new(1));
        let mut lengths = Known::default();
        lengths.set_open(outer, true);
        lengths.set_open(inner, true);
        lengths.set(array, len, inner);
        assert_eq!(lengths.get(array), Some(len));
        lengths.set_open(inner, false);
        assert_eq!(lengths.get(array), None);
    }

    #[test]
    fn a_header_is_forgotten_where_something_may_collect() {
        let (object, header, other) = (Value::new(0), Value::new(1), Value::new(2));
        let (outer, inner) = (Region::new(0), Region::new(1));
        let mut known = Known::default();
        known.set_open(outer, true);
        known.set_header(object, header, outer);
        known.rename(object, other);
        known.pass(&Op::Block { body: inner });
        assert_eq!((known.header(object), known.header(other)), (Some(header), Some(header)));
        known.pass(&Op::Loop { body: inner });
        assert_eq!((known.header(object), known.header(other)), (None, None));
        known.set_header(object, header, outer);
        known.pass(&Op::Call(Callee::Func(3)));
        assert_eq!(known.header(object), None);
        known.set_open(inner, true);
        known.set_header(object, header, inner);
        known.set_open(inner, false);
        assert_eq!(known.header(object), None);
    }

    #[test]
    fn a_branch_tells_what_is_below() {
        let mut func = Func::new(0, &[crate::types::ValType::I32; 2], &[]);
        let (body, index, limit) = (func.body, func.params()[0], func.params()[1]);
        let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
        let below = c.i32_op(Operator::I32LtU, index, limit);
        let not = c.core(Operator::I32Eqz, &[below], crate::types::ValType::I32);
        let five = c.i32(5);
        let more = c.i32_op(Operator::I32GtU, limit, five);
        let both = c.i32_op(Operator::I32And, below, more);
        let signed = c.i32_op(Operator::I32LtS, index, limit);
        let counter = std::cell::Cell::new(false);
        let learnt = |cond, holds| {
            let mut known = Known::default();
            known.set_open(body, true);
            if counter.get() {
                known.set_never_negative(index);
            }
            known.learn(&func, cond, holds, body);
            let index = known.is_below((index, None), limit);
            (index, known.is_below((five, Some(5)), limit), known.is_below((five, Some(6)), limit))
        };
        assert_eq!(learnt(below, true), (true, false, false));
        assert_eq!(learnt(below, false), (false, false, false));
        assert_eq!(learnt(not, false), (true, false, false));
        assert_eq!(learnt(not, true), (false, false, false));
        assert_eq!(learnt(both, true), (true, true, false));
        assert_eq!(learnt(both, false), (false, false, false));
        assert_eq!(learnt(signed, true), (false, false, false));
        counter.set(true);
        assert_eq!(learnt(signed, true), (true, false, false));
        assert_eq!(learnt(signed, false), (false, false, false));
    }

    #[test]
    fn what_is_below_is_forgotten_with_its_region() {
        let (index, limit) = (Value::new(0), Value::new(1));
        let inner = Region::new(1);
        let mut known = Known::default();
        known.set_open(inner, true);
        known.set_below((index, None), limit, inner);
        known.set_below((index, Some(7)), limit, inner);
        assert!(known.is_below((index, None), limit) && known.is_below((index, Some(3)), limit));
        assert!(!known.is_below((limit, None), index) && !known.is_below((index, Some(8)), limit));
        known.set_open(inner, false);
        assert!(!known.is_below((index, None), limit) && !known.is_below((index, Some(3)), limit));
    }

    #[test]
    fn a_cell_is_forgotten_where_the_table_may_have_grown() {
        let (value, region) = (Value::new(0), Region::new(0));
        let known_behind = |quiet, op: Op<'_>| {
            let mut lengths = Known { quiet, ..Known::default() };
            lengths.set_open(region, true);
            lengths.set_cell((0, 4), value, region);
            assert_eq!((lengths.cell((0, 4)), lengths.cell((0, 8))), (Some(value), None));
            lengths.pass(&op);
            lengths.cell((0, 4)).is_some()
        };
        assert!(!known_behind(false, Op::Call(Callee::Func(3))));
        assert!(!known_behind(false, Op::Table(TableOp::Grow(0))));
        assert!(!known_behind(false, Op::Loop { body: region }));
        assert!(known_behind(true, Op::Loop { body: region }));
        assert!(known_behind(false, Op::Table(TableOp::Set(0))));
    }
}
