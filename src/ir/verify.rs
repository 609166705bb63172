//! An independent check of the IR's invariants (numbered in `mod.rs`), written from them.
//!
//! Used by tests and fuzzing after every pass. Iterative: nesting is as deep as a module wants it.

use super::func::{Func, Inst, Region, Value};
use super::op::Op;
use crate::types::ValType;
use cranelift_entity::SecondaryMap;

/// Checks a function; the error says what is wrong and where.
///
/// # Errors
///
/// The first violated invariant.
pub fn verify(func: &Func<'_>) -> Result<(), String> {
    let mut verifier = Verifier { func, visible: SecondaryMap::new(), enclosing: Vec::new() };
    let mut stack = vec![Step::Enter(func.body, None)];
    while let Some(step) = stack.pop() {
        verifier.step(step, &mut stack)?;
    }
    Ok(())
}

enum Step {
    /// A region, and the instruction that owns it.
    Enter(Region, Option<Inst>),
    /// The instructions of a region from an index on.
    From(Region, usize, Option<Inst>),
    /// All regions of an instruction are done.
    After(Inst),
    Leave(Region),
}

struct Verifier<'f, 'a> {
    func: &'f Func<'a>,
    visible: SecondaryMap<Value, bool>,
    enclosing: Vec<Inst>,
}

impl Verifier<'_, '_> {
    fn step(&mut self, step: Step, stack: &mut Vec<Step>) -> Result<(), String> {
        match step {
            Step::Enter(region, owner) => {
                self.terminators(region)?;
                self.func.regions[region].params.iter().for_each(|&p| self.visible[p] = true);
                stack.push(Step::Leave(region));
                stack.push(Step::From(region, 0, owner));
            }
            Step::From(region, at, owner) => {
                let Some(&inst) = self.func.regions[region].insts.get(at) else { return Ok(()) };
                self.inst(inst, owner)?;
                stack.push(Step::From(region, at + 1, owner));
                stack.push(Step::After(inst));
                let mut nested: Vec<_> = self.func.insts[inst].op.regions().collect();
                if !nested.is_empty() {
                    self.enclosing.push(inst);
                }
                while let Some(region) = nested.pop() {
                    stack.push(Step::Enter(region, Some(inst)));
                }
            }
            Step::After(inst) => {
                if self.func.insts[inst].op.regions().next().is_some() {
                    self.enclosing.pop();
                }
                self.func.results(inst).iter().for_each(|&v| self.visible[v] = true);
            }
            Step::Leave(region) => {
                let data = &self.func.regions[region];
                data.params.iter().for_each(|&v| self.visible[v] = false);
                for &inst in &data.insts {
                    self.func.results(inst).iter().for_each(|&v| self.visible[v] = false);
                }
            }
        }
        Ok(())
    }

    fn terminators(&self, region: Region) -> Result<(), String> {
        let insts = &self.func.regions[region].insts;
        let Some((last, rest)) = insts.split_last() else { return Err(format!("{region} is empty")) };
        if !self.func.insts[*last].op.is_terminator() {
            return Err(format!("{region} ends in {last}, which is no terminator"));
        }
        match rest.iter().find(|&&inst| self.func.insts[inst].op.is_terminator()) {
            Some(inst) => Err(format!("terminator {inst} in the middle of {region}")),
            None => Ok(()),
        }
    }

    fn inst(&self, inst: Inst, owner: Option<Inst>) -> Result<(), String> {
        let args = self.func.args(inst);
        if let Some(arg) = args.iter().find(|&&arg| !self.visible[arg]) {
            return Err(format!("{inst} uses {arg} where it is not visible: {:?}", self.func.insts[inst].op));
        }
        match &self.func.insts[inst].op {
            Op::Br { target } => self.branch(inst, *target, args),
            Op::BrIf { target } => self.branch(inst, *target, args.get(1..).unwrap_or_default()),
            Op::BrTable { targets } => {
                let mut rest = args.get(1..).unwrap_or_default();
                for target in targets {
                    let Some((mine, others)) = rest.split_at_checked(target.args as usize) else {
                        return Err(format!("{inst} has too few operands"));
                    };
                    match target.target {
                        Some(to) => self.branch(inst, to, mine)?,
                        None => self.same(inst, mine, self.func.results.iter().copied())?,
                    }
                    rest = others;
                }
                if rest.is_empty() { Ok(()) } else { Err(format!("{inst} has too many operands")) }
            }
            Op::Return => self.same(inst, args, self.func.results.iter().copied()),
            Op::Yield => match owner {
                Some(owner) => self.same(inst, args, self.types(self.func.results(owner))),
                None => Err(format!("{inst} yields from the function's body")),
            },
            Op::Loop { body } => self.same(inst, args, self.types(&self.func.regions[*body].params)),
            _ => Ok(()),
        }
    }

    fn types<'s>(&'s self, values: &'s [Value]) -> impl ExactSizeIterator<Item = ValType> + use<'s> {
        values.iter().map(|&v| self.func.ty(v))
    }

    fn branch(&self, inst: Inst, target: Inst, args: &[Value]) -> Result<(), String> {
        if !self.enclosing.contains(&target) {
            return Err(format!("{inst} branches to {target}, which does not enclose it"));
        }
        match self.func.insts[target].op {
            Op::Loop { body } => self.same(inst, args, self.types(&self.func.regions[body].params)),
            _ => self.same(inst, args, self.types(self.func.results(target))),
        }
    }

    /// References may differ in precision, everything else must agree.
    fn same(&self, inst: Inst, args: &[Value], expected: impl ExactSizeIterator<Item = ValType>) -> Result<(), String> {
        if args.len() != expected.len() {
            return Err(format!("{inst} carries {} values where {} are expected", args.len(), expected.len()));
        }
        for (&arg, want) in args.iter().zip(expected) {
            let have = self.func.ty(arg);
            let agree = match (have, want) {
                (ValType::Ref(a), ValType::Ref(b)) => a.heap.top() == b.heap.top(),
                _ => have == want,
            };
            if !agree {
                return Err(format!("{inst} carries {arg} of type {have} where {want} is expected"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cursor, SrcLoc};
    use super::*;

    #[test]
    fn a_value_of_an_arm_is_not_visible_behind_the_if() {
        let mut func = Func::new(0, &[ValType::I32], &[ValType::I32]);
        let (body, cond) = (func.body, func.params()[0]);
        let mut leaked = None;
        let mut c = Cursor::at(&mut func, body, SrcLoc::NONE);
        let one = c.i32(1);
        let inst = c.if_else(
            cond,
            &[ValType::I32],
            |c| {
                let two = c.i32(2);
                leaked = Some(two);
                c.yield_(&[two]);
            },
            |c| c.yield_(&[one]),
        );
        let result = c.func.results(inst)[0];
        let ret = c.push(Op::Return, &[result], &[]);
        assert_eq!(verify(&func), Ok(()));
        func.set_args(ret, &[leaked.unwrap()]);
        assert!(verify(&func).unwrap_err().contains("not visible"));
    }

    #[test]
    fn a_region_needs_its_terminator() {
        let mut func = Func::new(0, &[], &[]);
        let body = func.body;
        assert!(verify(&func).is_err());
        Cursor::at(&mut func, body, SrcLoc::NONE).push(Op::Return, &[], &[]);
        assert_eq!(verify(&func), Ok(()));
    }
}
