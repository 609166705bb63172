//! One walk over a function that gathers something about each loop, what is nested in it included.
//!
//! What it is not: an analysis. What is gathered, and how it adds up, is the caller's.

use super::func::{Func, Inst, Region};
use super::op::Op;

/// Calls `visit` with every instruction and what is gathered for the innermost loop around it, the loop
/// instruction itself counting for what is around it; then, behind each loop, `leave` with that loop, what
/// was gathered for it, and what is gathered for the loop around (or for the function). Loops end from the
/// inside out. Iterative: nesting is as deep as a module wants it.
pub fn gather<T: Default>(
    func: &Func<'_>,
    mut visit: impl FnMut(&mut T, Inst),
    mut leave: impl FnMut(Inst, T, &mut T),
) {
    // Most functions have none.
    if !func.insts.values().any(|inst| matches!(inst.op, Op::Loop { .. })) {
        return;
    }
    enum Step {
        From(Region, usize),
        Leave(Inst),
    }
    let mut current = T::default();
    let mut around = Vec::new();
    let mut stack = vec![Step::From(func.body, 0)];
    while let Some(step) = stack.pop() {
        match step {
            Step::From(region, from) => {
                for (at, &inst) in func.regions[region].insts.iter().enumerate().skip(from) {
                    visit(&mut current, inst);
                    let op = &func.insts[inst].op;
                    if op.regions().next().is_none() {
                        continue;
                    }
                    stack.push(Step::From(region, at + 1));
                    if matches!(op, Op::Loop { .. }) {
                        around.push(std::mem::take(&mut current));
                        stack.push(Step::Leave(inst));
                    }
                    stack.extend(op.regions().map(|region| Step::From(region, 0)));
                    break;
                }
            }
            Step::Leave(inst) => {
                let outer = around.pop().unwrap_or_default();
                let inner = std::mem::replace(&mut current, outer);
                leave(inst, inner, &mut current);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cursor, SrcLoc};
    use super::*;

    #[test]
    fn loops_end_from_the_inside_out_and_count_for_what_is_around() {
        let mut func = Func::new(0, &[], &[]);
        let regions = [func.body, func.add_region(), func.add_region()];
        let mut loops = Vec::new();
        for (n, &region) in regions.iter().enumerate() {
            let mut c = Cursor::at(&mut func, region, SrcLoc::NONE);
            c.i32(n as u32);
            match regions.get(n + 1) {
                Some(&body) => loops.push(c.push(Op::Loop { body }, &[], &[])),
                None => c.yield_(&[]),
            }
        }
        Cursor::at(&mut func, regions[1], SrcLoc::NONE).yield_(&[]);
        let mut found = Vec::new();
        gather(
            &func,
            |count: &mut usize, _| *count += 1,
            |inst, inner, outer| {
                found.push((inst, inner));
                *outer += inner;
            },
        );
        assert_eq!(found, [(loops[1], 2), (loops[0], 5)]);
    }
}
