//! A forward walk in order of text, which rewrites each region as it goes.
//!
//! When an instruction comes up, everything that dominates it has been visited. What a pass learns in
//! a region holds in the rest of it and in everything nested there; [`Pass::leave`] is where it has to
//! forget. Iterative: nesting is as deep as a module wants it.

use crate::ir::{Func, Inst, Region};

/// What a pass does on a walk.
pub trait Pass<'a> {
    /// An instruction comes up. It may be changed; others may be put in front of it by appending them
    /// to `out`. `owner` is what owns its region. The result: whether it stays.
    fn inst(&mut self, func: &mut Func<'a>, inst: Inst, owner: Option<Inst>, out: &mut Vec<Inst>) -> bool;

    /// The `arm`th region of a construct begins. [`Pass::inst`] has seen the construct.
    fn enter(&mut self, func: &mut Func<'a>, owner: Inst, arm: usize);

    /// A region of a construct is done.
    fn leave(&mut self, func: &mut Func<'a>, owner: Inst);

    /// All regions of a construct are done.
    fn close(&mut self, func: &mut Func<'a>, inst: Inst);
}

struct Frame {
    region: Region,
    owner: Option<Inst>,
    insts: std::vec::IntoIter<Inst>,
    out: Vec<Inst>,
    open: Option<Inst>,
    /// Which region of `open` is next.
    arm: usize,
}

impl Frame {
    fn new(func: &mut Func<'_>, region: Region, owner: Option<Inst>) -> Frame {
        let insts = std::mem::take(&mut func.regions[region].insts);
        Frame { region, owner, out: Vec::with_capacity(insts.len()), insts: insts.into_iter(), open: None, arm: 0 }
    }
}

/// Walks a function.
pub fn walk<'a>(func: &mut Func<'a>, pass: &mut impl Pass<'a>) {
    let mut stack = vec![Frame::new(func, func.body, None)];
    while let Some(frame) = stack.last_mut() {
        if let Some(inst) = frame.open {
            let next = func.insts[inst].op.regions().nth(frame.arm);
            match next {
                Some(region) => {
                    pass.enter(func, inst, frame.arm);
                    frame.arm += 1;
                    stack.push(Frame::new(func, region, Some(inst)));
                }
                None => {
                    pass.close(func, inst);
                    frame.open = None;
                }
            }
        } else if let Some(inst) = frame.insts.next() {
            if pass.inst(func, inst, frame.owner, &mut frame.out) {
                frame.out.push(inst);
                if func.insts[inst].op.regions().next().is_some() {
                    frame.open = Some(inst);
                    frame.arm = 0;
                }
            }
        } else if let Some(frame) = stack.pop() {
            func.regions[frame.region].insts = frame.out;
            if let Some(owner) = frame.owner {
                pass.leave(func, owner);
            }
        }
    }
}
