//! Marks by which a module counts which functions its calls through references and tables reach.
//!
//! ```text
//! before                               after
//!   v2 = call_ref $t v0, v1              call profile_call <offset of the call>
//!                                        v2 = call_ref $t v0, v1
//!                                        call profile_call 0
//! func $f                              func $f
//!   …                                    call profile_entry <index of $f>
//!                                        …
//! ```
//!
//! The runtime pairs an entry with the call that was marked before it, so that nobody has to find out what a function
//! reference is to. The first entry takes the mark away, and so does the return of a call that began no function of the
//! module. A tail call does not return; one that reaches a function of the host may count for the function that begins
//! next. A function that would be too complex as IR has no marks.
//!
//! What this is not: the counting (`runtime/call_profile.rs`), or what is made of it (`opt/devirtualize.rs`).

use super::env::RuntimeFunc;
use crate::fault::Error;
use crate::ir::{Callee, Func, Inst, Op, Region, SrcLoc};
use crate::parse::{Module, Translated};
use crate::types::ValType;
use wasmparser::Operator;

/// Puts marks into all functions of a module, for which all of them become IR.
pub fn mark<'a>(module: &Module<'a>, bodies: &mut [Translated<'a>]) -> Result<(), Error> {
    let mut allocations = Default::default();
    for (index, (body, original)) in bodies.iter_mut().zip(&module.bodies).enumerate() {
        if let Translated::Plain = body {
            *body = match original.to_ir(module, index, &mut allocations) {
                Ok(func) => Translated::Ir(func),
                Err(Error::TooComplex { .. }) => Translated::Plain,
                Err(err) => return Err(err),
            };
        }
        if let Translated::Ir(func) = body {
            mark_func(module, func);
        }
    }
    Ok(())
}

fn mark_func(module: &Module<'_>, func: &mut Func<'_>) {
    let regions: Vec<Region> = func.regions.keys().collect();
    for region in regions {
        let insts = std::mem::take(&mut func.regions[region].insts);
        let mut out = Vec::with_capacity(insts.len());
        if region == func.body {
            out.extend(call(module, func, RuntimeFunc::ProfileEntry, func.index, SrcLoc::NONE));
        }
        for inst in insts {
            let loc = func.insts[inst].loc;
            let (through, returns) = match func.insts[inst].op {
                _ if loc == SrcLoc::NONE => (false, false),
                Op::Call(Callee::Ref { .. } | Callee::Indirect { .. }) => (true, true),
                Op::ReturnCall(Callee::Ref { .. } | Callee::Indirect { .. }) => (true, false),
                _ => (false, false),
            };
            if through {
                out.extend(call(module, func, RuntimeFunc::ProfileCall, loc.0, loc));
            }
            out.push(inst);
            if returns {
                out.extend(call(module, func, RuntimeFunc::ProfileCall, 0, loc));
            }
        }
        func.regions[region].insts = out;
    }
}

/// A call of the runtime with a number.
fn call(module: &Module<'_>, func: &mut Func<'_>, callee: RuntimeFunc, number: u32, loc: SrcLoc) -> [Inst; 2] {
    let number = Op::Core(Operator::I32Const { value: number as i32 });
    let number = func.make_inst(number, &[], &[ValType::I32], loc);
    let operand = func.results(number)[0];
    let callee = Callee::Func(callee.index(module));
    [number, func.make_inst(Op::Call(callee), &[operand], &[], loc)]
}
