//! Control flow between statements: conditions, loops, branches to the labels around, and `br_table`.
//!
//! Loops count a tick at their start, so that any branch back to it is harmless.

use super::func::{ENDED, Func, Label};
use super::types::Val;

impl Func<'_, '_, '_> {
    /// A choice between statements, which may branch behind it.
    pub fn branching(&mut self, depth: usize) -> String {
        let condition = self.expr(Val::I32, depth);
        let (label, (a, b)) = self.labelled(&[], |f| (f.stmts(depth, 3), f.stmts(depth, 2)));
        format!("(if {label} {condition} (then {a}) (else {b}))")
    }

    /// Statements again and again.
    pub fn looping(&mut self, depth: usize) -> String {
        let (out, (name, inside)) = self.labelled(&[], |f| {
            f.labelled(&[], |f| {
                let statements = f.stmts(depth, 4);
                let again = f.turn(depth);
                (statements, again)
            })
        });
        let (statements, again) = inside;
        format!("(block {out} (loop {name} (br_if {out} {ENDED}) {statements} (br_if {name} {again})))")
    }

    /// A `br_table` over three blocks and the labels around them.
    pub fn switching(&mut self, depth: usize) -> String {
        let index = self.expr(Val::I32, depth);
        let (a, (b, (c, targets))) = self.labelled(&[], |f| {
            f.labelled(&[], |f| {
                f.labelled(&[], |f| {
                    let near = f.labels.len() - 3;
                    let near: Vec<usize> = (near..f.labels.len()).collect();
                    let far = f.labels_with(&[]);
                    f.targets(&near, &far)
                })
            })
        });
        let (first, second) = (self.stmts(depth, 2), self.stmts(depth, 2));
        format!(
            "(block {a} (block {b} (block {c} (br_table {targets} (i32.and {index} (i32.const 3)))) {first} (br {a})) \
             {second})"
        )
    }

    /// A `br_table` that hands a value to one of two blocks, the results of which are set to locals.
    pub fn typed_switching(&mut self, depth: usize) -> Option<String> {
        let first = self.local(|_, _| true)?;
        let ty = self.locals[first];
        let second = self.local(|f, other| f.env.types.matches(ty, other))?;
        let index = self.expr(Val::I32, depth.min(2));
        let value = self.expr(ty, depth);
        let (outer, (inner, targets)) = self.labelled(&[ty], |f| {
            f.labelled(&[ty], |f| {
                let near = [f.labels.len() - 2, f.labels.len() - 1];
                let far = f.labels_with(&[ty]);
                f.targets(&near, &far)
            })
        });
        let (statements, last) = (self.stmts(depth, 2), self.expr(ty, depth));
        let table = format!("(br_table {targets} {value} (i32.and {index} (i32.const 3)))");
        Some(format!(
            "(local.set {first} (block {outer} (result {ty}) \
             (local.set {second} (block {inner} (result {ty}) {table})) {statements} {last}))"
        ))
    }

    /// A `br_table` to labels around, under a condition.
    pub fn table_branch(&mut self, depth: usize) -> Option<String> {
        let n = self.s.below(self.labels.len());
        let types = self.labels.get(n)?.types.clone();
        let condition = self.expr(Val::I32, depth.min(2));
        let all = self.labels_with(&types);
        let targets = self.targets(&[n], &all);
        let values = self.values(&types, depth.min(2));
        let index = self.expr(Val::I32, depth.min(1));
        Some(format!("(if {condition} (then (br_table {targets} {values} (i32.and {index} (i32.const 3)))))"))
    }

    /// Leaves a block, or the function, under a condition.
    pub fn branch(&mut self, depth: usize) -> Option<String> {
        let condition = self.expr(Val::I32, depth.min(2));
        let n = self.s.below(self.labels.len() + 1);
        let Some(label) = self.labels.get(n) else {
            let results = self.results.clone();
            return Some(format!("(if {condition} (then (return {})))", self.values(&results, depth.min(2))));
        };
        let (name, types) = (label.name.clone(), label.types.clone());
        let values = self.values(&types, depth.min(2));
        if self.s.chance(50) {
            return Some(format!("(if {condition} (then (br {name} {values})))"));
        }
        let drops = "(drop)".repeat(types.len());
        Some(format!("(br_if {name} {values} {condition}) {drops}"))
    }

    /// The labels that take values of just these types.
    fn labels_with(&self, types: &[Val]) -> Vec<usize> {
        let fits = |label: &Label| label.types == types;
        (0..self.labels.len()).filter(|&n| fits(&self.labels[n])).collect()
    }

    /// The targets of a `br_table`, of both kinds.
    fn targets(&mut self, near: &[usize], far: &[usize]) -> String {
        let count = self.s.between(1, 4);
        let mut names = vec![];
        for _ in 0..count {
            let from = if self.s.chance(70) { near } else { far };
            if let Some(n) = self.s.pick(from) {
                names.push(self.labels[n].name.clone());
            }
        }
        names.join(" ")
    }

    /// A condition for another turn of a loop that counts its turns itself.
    pub fn turn(&mut self, depth: usize) -> String {
        match self.s.below(3) {
            0 => "(i32.const 1)".into(),
            1 => "(i32.rem_s (global.get $ticks) (i32.const 3))".into(),
            _ => self.expr(Val::I32, depth.min(2)),
        }
    }
}
