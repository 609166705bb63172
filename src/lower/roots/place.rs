//! Spills, reloads and refresh lists, in one forward pass that rewrites each region.
//!
//! For each root three things are known at each point: its fresh name if it has one, its slot if it is
//! spilled, and the index of its last use in the region under way. A nested region starts with what
//! its parent knows and gives everything back when it ends: names that it made are not visible behind
//! it, and by invariant 2 a spill in it is of no use there.
//!
//! - At a call: spill what is live across and not yet spilled, longest-lived first, so that the top
//!   shrinks as roots die; clear what is garbage below the top; then everything is stale.
//! - At a cold safepoint: give slots to what is fresh, and fill the garbage below the top with copies.
//! - Before a construct: spill what crosses it and is live behind it, or crosses a loop.
//! - Before a use: reload what is stale; before a loop, if nothing in it makes it stale again.

use super::candidates::{Candidates, is_alias};
use super::liveness::Liveness;
use super::slots::{Clock, Slots};
use super::{Budget, Root, Safepoint};
use crate::fault::Error;
use crate::ir::{Func, HeapOp, Inst, Op, RefOp, Region, SrcLoc, Value};
use crate::types::ValType;
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// More garbage below the top of a cold safepoint than this is cleared at once on the fast path, and
/// then stays null, instead of being filled each time on the cold one.
const MAX_FILL: usize = 8;

/// Places everything but `SetTop`. The result: the top of each call safepoint.
pub fn place(
    func: &mut Func<'_>,
    candidates: &Candidates,
    liveness: &Liveness,
    budget: &mut Budget,
) -> Result<SecondaryMap<Inst, Option<u32>>, Error> {
    let tops = func.per_inst();
    let mut pass = Forward {
        func,
        candidates,
        liveness,
        budget,
        state: SecondaryMap::new(),
        clock: Clock::default(),
        tops,
        stack: Vec::new(),
        safepoints: 0,
        seen: SecondaryMap::new(),
    };
    pass.run()?;
    pass.func.frame.slots = pass.clock.size;
    Ok(pass.tops)
}

/// What is known of a root at one point.
#[derive(Clone, Copy, Default)]
struct State {
    /// A name that holds the object's address.
    name: PackedOption<Value>,
    /// Where it is spilled.
    slot: Option<u32>,
    /// Index of its last use in this region.
    last: u32,
}

/// A region under way.
struct Frame {
    region: Region,
    /// The region as it was, and how many of its instructions are done.
    insts: Vec<Inst>,
    done: usize,
    /// The region as it will be.
    out: Vec<Inst>,
    /// Roots that may be fresh. It may hold others, and some twice, up to the next safepoint.
    fresh: Vec<Root>,
    /// When roots die: the earliest first.
    deaths: BinaryHeap<Reverse<(u32, Root)>>,
    slots: Slots,
    /// What the parent knew.
    saved: Vec<(Root, State)>,
    pending: Vec<Region>,
    open: Option<Inst>,
    /// When `open` began.
    began: u64,
}

struct Forward<'s, 'a, 'b> {
    func: &'s mut Func<'a>,
    candidates: &'s Candidates,
    liveness: &'s Liveness,
    budget: &'b mut Budget,
    state: SecondaryMap<Root, State>,
    clock: Clock,
    tops: SecondaryMap<Inst, Option<u32>>,
    stack: Vec<Frame>,
    /// Safepoints so far, and the last of them at which each root was seen.
    safepoints: u32,
    seen: SecondaryMap<Root, u32>,
}

impl<'a> Forward<'_, 'a, '_> {
    fn run(&mut self) -> Result<(), Error> {
        let body = self.enter(self.func.body, None, &Slots::default())?;
        self.stack.push(body);
        while let Some(mut frame) = self.stack.pop() {
            // A frame is moved for each construct, not for each instruction.
            while frame.open.is_none() && frame.done < frame.insts.len() {
                self.inst(&mut frame)?;
            }
            if let Some(region) = frame.pending.pop() {
                let nested = self.enter(region, frame.open, &frame.slots)?;
                self.stack.push(frame);
                self.stack.push(nested);
            } else if let Some(inst) = frame.open.take() {
                self.close(&mut frame, inst);
                self.stack.push(frame);
            } else {
                self.leave(frame);
            }
        }
        Ok(())
    }

    fn enter(&mut self, region: Region, owner: Option<Inst>, around: &Slots) -> Result<Frame, Error> {
        let live = &self.liveness.regions[region];
        self.budget.spend(live.entering.len() * 2 + live.local.len() + around.len())?;
        let saved: Vec<_> = live.entering.iter().map(|l| (l.root, self.state[l.root])).collect();
        live.entering.iter().for_each(|l| self.state[l.root].last = l.last);
        for l in &live.local {
            self.state[l.root] = State { name: None.into(), slot: None, last: l.last };
        }
        let crossed = owner.and_then(|owner| self.liveness.crossed.get(&owner));
        let repeats = owner.is_some_and(|owner| matches!(self.func.insts[owner].op, Op::Loop { .. }));
        if repeats {
            crossed.into_iter().flatten().for_each(|&root| self.state[root].name = None.into());
        }
        let owned = saved.iter().filter_map(|&(root, state)| Some((state.slot?, root)));
        // A loop may come back with garbage in any slot that is no root's.
        let slots = around.nested(owned, !repeats);
        let mut frame = Frame {
            region,
            insts: std::mem::take(&mut self.func.regions[region].insts),
            done: 0,
            out: Vec::new(),
            fresh: live.entering.iter().map(|l| l.root).collect(),
            deaths: live.entering.iter().map(|l| Reverse((l.last, l.root))).collect(),
            slots,
            saved,
            pending: Vec::new(),
            open: None,
            began: 0,
        };
        frame.out.reserve(frame.insts.len());
        for param in 0..self.func.regions[region].params.len() {
            let param = self.func.regions[region].params[param];
            self.define(&mut frame, param);
        }
        Ok(frame)
    }

    fn leave(&mut self, frame: Frame) {
        self.func.regions[frame.region].insts = frame.out;
        frame.saved.iter().for_each(|&(root, state)| self.state[root] = state);
    }

    fn inst(&mut self, frame: &mut Frame) -> Result<(), Error> {
        let (at, inst) = (frame.done as u32, frame.insts[frame.done]);
        frame.done += 1;
        if is_alias(self.func, inst) && self.root_of_first_result(inst).is_some() {
            return Ok(());
        }
        self.operands(frame, inst);
        match self.liveness.safepoints[inst] {
            Some(Safepoint::Call) => self.call(frame, at, inst)?,
            Some(Safepoint::Cold) => self.cold(frame, at, inst)?,
            None => {}
        }
        if self.func.insts[inst].op.regions().next().is_some() {
            return self.open(frame, at, inst);
        }
        frame.out.push(inst);
        self.results(frame, inst);
        Ok(())
    }

    fn open(&mut self, frame: &mut Frame, at: u32, inst: Inst) -> Result<(), Error> {
        let repeats = matches!(self.func.insts[inst].op, Op::Loop { .. });
        let crossed = self.liveness.crossed.get(&inst).map(Vec::as_slice).unwrap_or_default();
        if !crossed.is_empty() {
            self.budget.spend(crossed.len())?;
            // What is used in the construct is not dead in it.
            self.bury(frame, at);
            let mut spills: Vec<Root> = crossed.to_vec();
            spills.retain(|&root| self.state[root].slot.is_none() && (repeats || self.state[root].last > at));
            self.spill(frame, spills)?;
        }
        if repeats {
            self.reload_before(frame, inst)?;
        }
        frame.began = self.clock.tick();
        frame.pending = self.func.insts[inst].op.regions().collect();
        frame.pending.reverse();
        frame.open = Some(inst);
        Ok(())
    }

    /// Before a loop: reloads what is stale, is used in the loop, and does not get stale in it. Else each turn would.
    fn reload_before(&mut self, frame: &mut Frame, inst: Inst) -> Result<(), Error> {
        let mut stale: Vec<Root> = Vec::new();
        for body in self.func.insts[inst].op.regions() {
            let entering = &self.liveness.regions[body].entering;
            self.budget.spend(entering.len())?;
            let known = |root: Root| self.state[root].name.is_some() || self.state[root].slot.is_none();
            stale.extend(entering.iter().map(|live| live.root).filter(|&root| !known(root)));
        }
        if stale.is_empty() {
            return Ok(());
        }
        let crossed: BTreeSet<Root> = self.liveness.crossed.get(&inst).into_iter().flatten().copied().collect();
        for root in stale.into_iter().filter(|root| !crossed.contains(root)) {
            self.fresh(frame, root);
        }
        Ok(())
    }

    fn close(&mut self, frame: &mut Frame, inst: Inst) {
        for &root in self.liveness.crossed.get(&inst).into_iter().flatten() {
            self.state[root].name = None.into();
        }
        frame.slots.rejoin(frame.began, &self.clock);
        frame.out.push(inst);
        self.results(frame, inst);
    }

    fn results(&mut self, frame: &mut Frame, inst: Inst) {
        for n in 0..self.func.results(inst).len() {
            let result = self.func.results(inst)[n];
            self.define(frame, result);
        }
    }

    fn define(&mut self, frame: &mut Frame, value: Value) {
        if let Some(root) = self.candidates.root_of[value].expand() {
            self.state[root].name = value.into();
            frame.fresh.push(root);
            frame.deaths.push(Reverse((self.state[root].last, root)));
        }
    }

    fn root_of_first_result(&self, inst: Inst) -> Option<Root> {
        self.func.results(inst).first().and_then(|&v| self.candidates.root_of[v].expand())
    }

    /// Renames the operands to fresh names.
    fn operands(&mut self, frame: &mut Frame, inst: Inst) {
        for n in 0..self.func.args(inst).len() {
            let arg = self.func.args(inst)[n];
            let Some(root) = self.candidates.root_of[arg].expand() else { continue };
            let Some(name) = self.fresh(frame, root) else { continue };
            let name = self.retype(frame, name, arg);
            self.func.args_mut(inst)[n] = name;
        }
    }

    /// A fresh name for a root that is live.
    fn fresh(&mut self, frame: &mut Frame, root: Root) -> Option<Value> {
        if let Some(name) = self.state[root].name.expand() {
            return Some(name);
        }
        debug_assert!(self.state[root].slot.is_some(), "a stale root is spilled");
        let op = Op::Heap(HeapOp::Reload { slot: self.state[root].slot? });
        let ty = self.func.ty(self.candidates.roots[root].value);
        let inst = self.emit(frame, op, &[], &[ty]);
        let name = self.func.results(inst).first().copied();
        self.state[root].name = name.into();
        frame.fresh.push(root);
        name
    }

    /// Aliases may be of different hierarchies (`extern` and `any`); operands keep theirs.
    fn retype(&mut self, frame: &mut Frame, name: Value, like: Value) -> Value {
        let (have, want) = (self.func.ty(name), self.func.ty(like));
        let top = |ty: ValType| ty.as_ref().map(|r| r.heap.top());
        if top(have) == top(want) {
            return name;
        }
        let inst = self.emit(frame, Op::Ref(RefOp::Refine), &[name], &[want]);
        self.func.results(inst).first().copied().unwrap_or(name)
    }

    fn emit(&mut self, frame: &mut Frame, op: Op<'a>, args: &[Value], results: &[ValType]) -> Inst {
        let inst = self.func.make_inst(op, args, results, SrcLoc::NONE);
        frame.out.push(inst);
        inst
    }

    /// Spills roots, the longest-lived to the lowest slots.
    fn spill(&mut self, frame: &mut Frame, mut roots: Vec<Root>) -> Result<(), Error> {
        roots.sort_by_key(|&root| Reverse(self.state[root].last));
        let mut slot = 0;
        for root in roots {
            let name = self.state[root].name.expand().ok_or_else(|| Error::bug("a root is lost before its spill"))?;
            slot = frame.slots.lowest_free(slot);
            self.emit(frame, Op::Heap(HeapOp::Spill { slot }), &[name], &[]);
            frame.slots.own(slot, root, &mut self.clock);
            self.state[root].slot = Some(slot);
        }
        Ok(())
    }

    /// Frees the slots of roots whose last use is before an index.
    fn bury(&mut self, frame: &mut Frame, before: u32) {
        while let Some(&Reverse((last, root))) = frame.deaths.peek() {
            if last >= before {
                return;
            }
            frame.deaths.pop();
            self.state[root].slot.into_iter().for_each(|slot| frame.slots.free(slot));
        }
    }

    /// Drops what is not live across the instruction at `at`; `fresh` is exact then.
    fn expire(&mut self, frame: &mut Frame, at: u32) -> Result<(), Error> {
        self.budget.spend(frame.fresh.len())?;
        self.bury(frame, at + 1);
        self.safepoints += 1;
        frame.fresh.retain(|&root| {
            let state = &self.state[root];
            state.last > at
                && state.name.is_some()
                && std::mem::replace(&mut self.seen[root], self.safepoints) != self.safepoints
        });
        Ok(())
    }

    fn call(&mut self, frame: &mut Frame, at: u32, inst: Inst) -> Result<(), Error> {
        self.expire(frame, at)?;
        let new = frame.fresh.iter().copied().filter(|&root| self.state[root].slot.is_none()).collect();
        self.spill(frame, new)?;
        let top = frame.slots.highest().map_or(0, |(slot, _)| slot + 1);
        self.clear(frame, top);
        self.tops[inst] = Some(top);
        frame.slots.dirty_from(top, &mut self.clock);
        for root in frame.fresh.drain(..) {
            self.state[root].name = None.into();
        }
        Ok(())
    }

    /// Clears the garbage below the top.
    fn clear(&mut self, frame: &mut Frame, top: u32) {
        for slot in frame.slots.garbage(top).collect::<Vec<_>>() {
            self.emit(frame, Op::Heap(HeapOp::Clear { slot }), &[], &[]);
            frame.slots.clear(slot);
        }
    }

    fn cold(&mut self, frame: &mut Frame, at: u32, inst: Inst) -> Result<(), Error> {
        self.expire(frame, at)?;
        let heavy = |root: Root| self.liveness.heavy.contains(root);
        let new = frame.fresh.iter().copied().filter(|&r| heavy(r) && self.state[r].slot.is_none()).collect();
        self.spill(frame, new)?;
        let highest = frame.slots.highest();
        if let (Some((_, root)), true) = (highest, frame.fresh.is_empty()) {
            self.fresh(frame, root);
        }
        let list = self.refresh_list(frame, highest.map(|(slot, _)| slot));
        let top = list.iter().map(|&(slot, _)| slot + 1).max().unwrap_or(0);
        list.iter().for_each(|&(slot, _)| frame.slots.dirty(slot, &mut self.clock));
        frame.slots.dirty_from(top, &mut self.clock);
        if list.is_empty() && matches!(self.func.insts[inst].op, Op::Call(_)) {
            self.tops[inst] = Some(0);
        }
        self.func.refresh[inst] = list;
        for &root in &frame.fresh {
            if heavy(root) {
                self.state[root].name = None.into();
            }
        }
        Ok(())
    }

    /// What a cold safepoint saves where. `highest`: the highest slot of what is live.
    fn refresh_list(&mut self, frame: &mut Frame, highest: Option<u32>) -> Vec<(u32, Value)> {
        let mut list = Vec::new();
        let mut temporary = Vec::new();
        for &root in &frame.fresh {
            let state = self.state[root];
            match (state.name.expand(), state.slot) {
                (Some(name), Some(slot)) => list.push((slot, name)),
                (Some(name), None) => temporary.push(name),
                (None, _) => {}
            }
        }
        let Some(filler) = list.first().map(|&(_, name)| name).or(temporary.first().copied()) else { return list };
        // Something in the list must lie above every stale root.
        let covered = list.iter().map(|&(slot, _)| slot).max();
        let mut above = None;
        if highest > covered {
            let slot = frame.slots.lowest_free(highest.map_or(0, |slot| slot + 1));
            list.push((slot, temporary.pop().unwrap_or(filler)));
            above = Some(slot);
        }
        let mut slot = 0;
        for name in temporary {
            slot = frame.slots.lowest_free(slot);
            if above == Some(slot) {
                slot = frame.slots.lowest_free(slot + 1);
            }
            list.push((slot, name));
            slot += 1;
        }
        let top = list.iter().map(|&(slot, _)| slot + 1).max().unwrap_or(0);
        let taken: BTreeSet<u32> = list.iter().map(|&(slot, _)| slot).collect();
        let garbage: Vec<u32> = frame.slots.garbage(top).filter(|slot| !taken.contains(slot)).collect();
        if garbage.len() > MAX_FILL {
            for slot in garbage {
                self.emit(frame, Op::Heap(HeapOp::Clear { slot }), &[], &[]);
                frame.slots.clear(slot);
            }
        } else {
            list.extend(garbage.into_iter().map(|slot| (slot, filler)));
        }
        list
    }
}
