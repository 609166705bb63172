//! Root slots: what is saved where, so that the collector sees and moves every live reference.
//!
//! Runs on a lowered function. Lowered references are `i32` bits that the collector can neither see
//! nor change in Wasm locals, so a reference that is live across a *safepoint* must be in a slot of
//! the frame on the shadow stack during it, and be loaded from there afterwards, for the object may
//! have moved. Slots `0..top` are roots when `top` is published (`HeapOp::SetTop`).
//!
//! ```text
//! before                         after
//!   v1 = call $f                   v1 = call $f
//!   call $may_collect              spill 0 v1
//!   call $g v1                     set_top 1
//!                                  call $may_collect
//!                                  v2 = reload 0
//!                                  call $g v2
//! ```
//!
//! There are two kinds of safepoints. A *call* costs stores before it and loads after it. One that is *cold* is on one of
//! several ways: the cold path of an allocation, or a call in an arm (`cold.rs`). There, and only there, the references
//! that are live across are saved, and loaded again into the very same names (`Func::refresh`), so the other ways neither
//! store nor load.
//!
//! # Terms
//!
//! - *Root*: a reference that may be live across a safepoint. A `Refine` is its operand under another
//!   name: both are one root, and the `Refine` disappears. Constants and i31 do not move: no roots.
//! - A root is *fresh* where a name of it (its value, or a reload) holds the object's address; else
//!   it is *stale*.
//! - A construct is *crossed* by a root that is defined outside it and live across a call in it.
//!
//! # Invariants
//!
//! 1. A stale root is spilled: its slot is its own and holds the object's address.
//! 2. A slot, once a root is spilled to it, stays the root's as long as the root is live. The collector
//!    updates it; SSA values never change; so no root is spilled twice.
//! 3. When a crossed construct ends and the root is live, or when a crossed loop begins, the root was
//!    spilled before the construct. So on all paths that meet it is spilled, and stale thereafter.
//! 4. At a call safepoint `top` is one more than the largest slot of a root that is live across. Every
//!    other slot below is null on all paths; a slot that is not gets a `Clear`.
//! 5. A callee's frame starts at the published top: slots from there on are lost in a call, and no
//!    live root has one.
//! 6. A cold safepoint publishes one more than the largest slot in its refresh list. The list holds every
//!    fresh root that is live across; stale ones lie below the top. A slot below that is nobody's is
//!    null on all paths, or is in the list with a reference that is there already: the same one twice.
//!    A cold call without a list is a call that wants the top 0.
//! 7. At entry the top is 0: the caller has published its own frame, and this one begins behind it. A
//!    callee leaves the published top as it found it. A cold safepoint does not.
//!
//! The machine in `tests/` and the checker in `check/` know nothing of the code here.
//!
//! A root that would be in many refresh lists but is used seldom is *heavy*: it is treated at
//! cold safepoints as at calls. So the sum of all refresh lists is linear in the size of the function.
//!
//! | file | idea |
//! |---|---|
//! | `cold.rs` | which calls are cold |
//! | `candidates.rs` | which values are roots, by a linear scan; what loops use |
//! | `liveness.rs` | exact liveness on structured SSA, backward; which construct is crossed by what |
//! | `slots.rs` | who owns which slot, which slots are null |
//! | `place.rs` | forward: spills, reloads, refresh lists |
//! | `tops.rs` | forward: where the top must be published |
//! | `check/` | an independent check of the result |

#![forbid(unsafe_code)]

mod candidates;
mod check;
mod cold;
mod liveness;
mod place;
mod slots;
#[cfg(test)]
mod tests;
mod tops;

pub use check::check_roots;

use crate::fault::Error;
use crate::ir::{Callee, DebugOp, Func, HeapOp, Inst, Op};
use crate::layout::map::MAX_FRAME_BYTES;
use cranelift_entity::{EntitySet, entity_impl};

/// A reference that may be live across a safepoint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Root(u32);
entity_impl!(Root, "root");

/// Assigns root slots in a lowered function: inserts spills, reloads and the publication of the top,
/// and fills in [`Func::frame`] and [`Func::refresh`]. `collects` tells whether a callee may run a
/// collection; a tail call is no safepoint, as the frame is gone.
///
/// # Errors
///
/// [`Error::TooComplex`] when liveness takes more than `Budget::STEPS` steps or the frame is larger
/// than the shadow stack allows.
pub fn assign_roots(func: &mut Func<'_>, collects: &dyn Fn(&Callee) -> bool) -> Result<(), Error> {
    let mut budget = Budget { left: Budget::STEPS, func: func.index };
    let safepoints = Safepoints { collects, cold: cold::find(func, collects) };
    let candidates = candidates::find(func, &safepoints, &mut budget)?;
    if candidates.roots.is_empty() {
        return Ok(());
    }
    let liveness = liveness::compute(func, &candidates, &safepoints, &mut budget)?;
    let calls = place::place(func, &candidates, &liveness, &mut budget)?;
    if func.frame.slots > MAX_FRAME_BYTES / 4 {
        return Err(budget.exceeded("its frame has too many root slots"));
    }
    tops::publish(func, &calls);
    Ok(())
}

/// How an instruction may run a collection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Safepoint {
    Call,
    Cold,
}

struct Safepoints<'c> {
    collects: &'c dyn Fn(&Callee) -> bool,
    /// Calls on one of several ways.
    cold: EntitySet<Inst>,
}

impl Safepoints<'_> {
    fn of(&self, func: &Func<'_>, inst: Inst) -> Option<Safepoint> {
        match &func.insts[inst].op {
            Op::Call(callee) if (self.collects)(callee) => {
                Some(if self.cold.contains(inst) { Safepoint::Cold } else { Safepoint::Call })
            }
            Op::Debug(DebugOp::Mark(_)) => Some(Safepoint::Call),
            Op::Heap(HeapOp::Alloc { .. } | HeapOp::AllocDynamic) => Some(Safepoint::Cold),
            _ => None,
        }
    }
}

/// How much work a function may take: live sets are quadratic in the worst case.
struct Budget {
    left: u64,
    func: u32,
}

impl Budget {
    /// Elements of live sets that are touched.
    const STEPS: u64 = 200_000_000;

    fn spend(&mut self, steps: usize) -> Result<(), Error> {
        match self.left.checked_sub(steps as u64 + 1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.exceeded("too many references are live across safepoints")),
        }
    }

    #[cold]
    fn exceeded(&self, what: &str) -> Error {
        Error::TooComplex { func: self.func, what: what.to_string() }
    }
}
