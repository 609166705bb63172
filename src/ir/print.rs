//! Functions as text, for tests and debugging. Not a format that anything reads back.

use super::func::{Func, Region};
use std::fmt::Write;

/// A function as indented text, one instruction a line.
pub fn print(func: &Func<'_>) -> String {
    let mut out = format!("func {}", func.index);
    // Regions are visited with an explicit stack: nesting is as deep as a module wants it.
    enum Step {
        Enter(Region, usize),
        Rest(Region, usize, usize),
    }
    let mut stack = vec![Step::Enter(func.body, 0)];
    while let Some(step) = stack.pop() {
        let (region, from, depth) = match step {
            Step::Enter(region, depth) => {
                let params: Vec<_> =
                    func.regions[region].params.iter().map(|&p| format!("{p}: {}", func.ty(p))).collect();
                let _ = writeln!(out, "{:1$}{region}({2}):", "", depth * 2, params.join(", "));
                (region, 0, depth)
            }
            Step::Rest(region, from, depth) => (region, from, depth),
        };
        for (at, &inst) in func.regions[region].insts.iter().enumerate().skip(from) {
            let data = &func.insts[inst];
            let results: Vec<_> = func.results(inst).iter().map(|&v| format!("{v}: {}", func.ty(v))).collect();
            let _ = write!(out, "{:1$}", "", depth * 2 + 2);
            if !results.is_empty() {
                let _ = write!(out, "{} = ", results.join(", "));
            }
            let _ = write!(out, "{:?}", data.op);
            for arg in func.args(inst) {
                let _ = write!(out, " {arg}");
            }
            if data.op.regions().next().is_some() {
                let _ = write!(out, " ; {inst}");
            }
            out.push('\n');
            let regions: Vec<_> = data.op.regions().collect();
            if !regions.is_empty() {
                stack.push(Step::Rest(region, at + 1, depth));
                stack.extend(regions.into_iter().rev().map(|r| Step::Enter(r, depth + 2)));
                break;
            }
        }
    }
    out
}
