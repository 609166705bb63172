//! Accesses to arrays behind a comparison of the index with the length, which makes the check of the access needless, or
//! nearly does: it is the wrong comparison, the arm that should leave does not always, the index counts by something
//! else than 1 or begins somewhere else.

use super::func::{ENDED, Func};
use super::hash;
use super::types::{Heap, Val, non_null};

impl Func<'_, '_, '_> {
    /// An `if` that is to keep an access from being out of bounds.
    pub fn guarded(&mut self, depth: usize) -> Option<String> {
        let (begin, index, array, access) = self.compared(depth)?;
        let value = self.expr(Val::I32, depth.min(1));
        let value = if self.s.chance(70) { format!("(i32.and {value} (i32.const 7))") } else { value };
        let condition = self.below(index, &array);
        let (label, (then, els)) = self.labelled(&[], |f| (f.arm(depth), f.arm(depth)));
        Some(format!(
            "{begin} (local.set {index} {value}) (if {label} {condition} (then {then}) (else {els})) {access}"
        ))
    }

    /// A loop over an array.
    pub fn counting(&mut self, depth: usize) -> Option<String> {
        let (begin, index, array, access) = self.compared(depth)?;
        let start = self.s.weighted(&[(6, 0), (2, 1), (1, -1), (1, 0x7fff_fffe)]);
        let step = self.s.weighted(&[(8, 1), (1, 2), (1, -1)]);
        let (out, (name, (stops, before, behind))) = self.labelled(&[], |f| {
            f.labelled(&[], |f| {
                let out = f.labels.len() - 2;
                let out = f.labels[out].name.clone();
                let condition = f.below(index, &array);
                let stops = match f.s.below(3) {
                    0 => format!("(br_if {out} (i32.eqz {condition}))"),
                    1 => format!("(br_if {out} {condition})"),
                    _ => {
                        let (label, stay) = f.labelled(&[], |f| f.stay());
                        format!("(if {label} (i32.eqz {condition}) (then {stay} (br {out})))")
                    }
                };
                (stops, f.stmts(depth, 1), f.stmts(depth, 1))
            })
        });
        let next = format!("(local.set {index} (i32.add (local.get {index}) (i32.const {step})))");
        Some(format!(
            "{begin} (local.set {index} (i32.const {start})) (block {out} (loop {name} (br_if {out} {ENDED}) {stops} \
             {before} {access} {next} {behind} (br {name})))"
        ))
    }

    /// What sets a local to an array; a local for an index; the local of the array; an access with these.
    fn compared(&mut self, depth: usize) -> Option<(String, usize, String, String)> {
        let index = self.local(|_, ty| ty == Val::I32)?;
        let all: Vec<_> = self.env.types.arrays().collect();
        let (t, element) = self.s.pick(&all)?;
        let array = self.expr(Val::Ref(non_null(Heap::Type(t))), depth.min(2));
        let local = self.scratch(t);
        let access = match element.mutable && self.s.chance(50) {
            true => {
                let value = self.leaf(element.storage.unpacked(), 1);
                format!("(array.set $t{t} (local.get {local}) (local.get {index}) {value})")
            }
            false => {
                let sign = hash::sign(&element, self.s.below(2));
                format!("(drop (array.get{sign} $t{t} (local.get {local}) (local.get {index})))")
            }
        };
        Some((format!("(local.set {local} {array})"), index, local, access))
    }

    /// A comparison of an index with the length of an array, seldom the wrong one.
    fn below(&mut self, index: usize, array: &str) -> String {
        let (index, len) = (format!("(local.get {index})"), format!("(array.len (local.get {array}))"));
        match self.s.below(12) {
            0..=2 => format!("(i32.lt_s {index} {len})"),
            3..=4 => format!("(i32.gt_s {len} {index})"),
            5..=6 => format!("(i32.lt_u {index} {len})"),
            7 => format!("(i32.gt_u {len} {index})"),
            8 => format!("(i32.eqz (i32.ge_s {index} {len}))"),
            9 => format!("(i32.and (i32.lt_s {index} {len}) (i32.ge_s {index} (i32.const 0)))"),
            10 => format!("(i32.ge_u {index} {len})"),
            _ => format!("(i32.le_s {index} {len})"),
        }
    }

    /// An arm of a guard: it ends, leaves, or sometimes leaves.
    fn arm(&mut self, depth: usize) -> String {
        if self.s.chance(50) {
            return self.stmts(depth, 1);
        }
        let stay = self.stay();
        let results = self.results.clone();
        format!("{stay} (return {})", self.values(&results, depth.min(1)))
    }

    /// A branch behind the innermost construct, under a condition, or nothing.
    fn stay(&mut self) -> String {
        match (self.s.below(3), self.labels.last().map(|label| label.name.clone())) {
            (1, Some(name)) => format!("(br_if {name} {})", self.expr(Val::I32, 1)),
            (2, Some(name)) => {
                format!("(if {} (then (br {name})))", self.expr(Val::I32, 1))
            }
            _ => String::new(),
        }
    }
}
