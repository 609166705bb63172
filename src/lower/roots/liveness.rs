//! Exact liveness of roots on structured SSA, in one backward pass.
//!
//! In a region a construct is a single instruction, and control only leaves a region for places
//! around it. So the stretch of a region in which a root is live is one interval: from its definition
//! or the region's start to its last use, where a construct uses what is live at its start, and a
//! branch uses what is live where it goes. The result is such intervals, not sets for each point.
//!
//! A branch back to a loop uses what is live at the loop's start, which is not known yet when the
//! branch is visited. It is taken to be every outside root that is used in the loop or live at one of
//! the loop's exits (a superset), so that no fixpoint is needed.
//!
//! Then, from the inside out: which construct is crossed by which roots, and which roots are heavy.

use super::candidates::{Candidates, is_alias};
use super::{Budget, Root, Safepoint, Safepoints};
use crate::fault::Error;
use crate::ir::{Func, Inst, Op, Region};
use cranelift_entity::{EntitySet, SecondaryMap};
use foldhash::{HashMap, HashMapExt};

/// More refresh lists than this for each use make a root heavy.
const HEAVY: u64 = 16;

/// The list of a call counts for so many: only an allocation's is certainly of a path that is seldom taken.
const CALL: u64 = 8;

/// In a region: the interval in which a root is live, in indices of instructions. It is live across
/// the instructions at `start..last`, and used at `last`.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    pub root: Root,
    /// One more than the index of the definition; 0 for a parameter or a root from outside.
    pub start: u32,
    pub last: u32,
}

#[derive(Clone, Default)]
pub struct RegionLive {
    /// Roots from outside.
    pub entering: Vec<Live>,
    /// Roots that the region defines.
    pub local: Vec<Live>,
    /// Indices of the calls that may collect.
    calls: Vec<u32>,
    /// Indices of cold safepoints.
    cold: Vec<u32>,
    /// Those of them that are calls.
    cold_calls: Vec<u32>,
}

#[derive(Default)]
pub struct Liveness {
    pub regions: SecondaryMap<Region, RegionLive>,
    /// Roots that cross a construct.
    pub crossed: HashMap<Inst, Vec<Root>>,
    /// Roots that are treated at cold safepoints as at calls.
    pub heavy: EntitySet<Root>,
    /// For each safepoint: what it is.
    pub safepoints: SecondaryMap<Inst, Option<Safepoint>>,
}

/// Computes liveness.
pub fn compute(
    func: &Func<'_>,
    candidates: &Candidates,
    safepoints: &Safepoints<'_>,
    budget: &mut Budget,
) -> Result<Liveness, Error> {
    let mut pass = Backward {
        func,
        candidates,
        safepoints,
        budget,
        stack: Vec::new(),
        index: SecondaryMap::new(),
        serial: 0,
        branches: 0,
        seen: func.per_inst(),
        after: HashMap::new(),
        repeat: HashMap::new(),
        order: Vec::new(),
        out: Liveness::default(),
    };
    pass.run()?;
    let Backward { order, mut out, .. } = pass;
    out.find_heavy(candidates);
    out.find_crossed(func, &order, budget)?;
    Ok(out)
}

/// A region under way, from its end to its start.
struct Frame {
    region: Region,
    owner: Option<Inst>,
    /// Instructions that are still to come.
    left: usize,
    serial: u32,
    /// What is live behind instruction `left`, with its last use.
    active: Vec<(Root, u32)>,
    local: Vec<Live>,
    /// Regions of the instruction at `left` that are still to come.
    pending: Vec<Region>,
    /// What is live at the start of those that are done.
    inner: Vec<Root>,
    open: Option<Inst>,
}

struct Backward<'s, 'a, 'b> {
    func: &'s Func<'a>,
    candidates: &'s Candidates,
    safepoints: &'s Safepoints<'s>,
    budget: &'b mut Budget,
    stack: Vec<Frame>,
    /// Where each root stands in the `active` of the frame with this serial.
    index: SecondaryMap<Root, (u32, u32)>,
    serial: u32,
    /// Branches so far, and the last of them that went to each construct.
    branches: u32,
    seen: SecondaryMap<Inst, u32>,
    /// What is live behind each construct under way.
    after: HashMap<Inst, Vec<Root>>,
    /// What is taken to be live at the start of each loop under way.
    repeat: HashMap<Inst, Vec<Root>>,
    /// Regions, inner ones first.
    order: Vec<Region>,
    out: Liveness,
}

impl Backward<'_, '_, '_> {
    fn run(&mut self) -> Result<(), Error> {
        self.enter(self.func.body, None);
        while let Some(mut frame) = self.stack.pop() {
            // A frame is moved for each construct, not for each instruction.
            while frame.open.is_none() && frame.left > 0 {
                frame.left -= 1;
                self.inst(&mut frame)?;
            }
            if let Some(region) = frame.pending.pop() {
                let owner = frame.open;
                self.stack.push(frame);
                self.enter(region, owner);
            } else if let Some(inst) = frame.open.take() {
                self.close(&mut frame, inst)?;
                self.stack.push(frame);
            } else {
                self.leave(frame);
            }
        }
        Ok(())
    }

    fn enter(&mut self, region: Region, owner: Option<Inst>) {
        self.serial += 1;
        self.stack.push(Frame {
            region,
            owner,
            left: self.func.regions[region].insts.len(),
            serial: self.serial,
            active: Vec::new(),
            local: Vec::new(),
            pending: Vec::new(),
            inner: Vec::new(),
            open: None,
        });
    }

    fn inst(&mut self, frame: &mut Frame) -> Result<(), Error> {
        let func = self.func;
        let inst = func.regions[frame.region].insts[frame.left];
        let op = &func.insts[inst].op;
        if is_alias(func, inst) {
            return Ok(());
        }
        for &result in func.results(inst) {
            self.define(frame, result, frame.left as u32 + 1);
        }
        let safepoint = self.safepoints.of(func, inst);
        if let Some(kind) = safepoint {
            self.out.safepoints[inst] = safepoint;
            let out = &mut self.out.regions[frame.region];
            match kind {
                Safepoint::Call => out.calls.push(frame.left as u32),
                Safepoint::Cold => {
                    out.cold.push(frame.left as u32);
                    if matches!(op, Op::Call(_)) {
                        out.cold_calls.push(frame.left as u32);
                    }
                }
            }
        }
        if op.regions().next().is_some() {
            return self.open(frame, inst);
        }
        self.branches += 1;
        for target in op.targets() {
            if std::mem::replace(&mut self.seen[target], self.branches) != self.branches {
                self.flows(frame, target, self.repeat.contains_key(&target))?;
            }
        }
        if let (Op::Yield, Some(owner)) = (op, frame.owner) {
            // A loop's end does not repeat it.
            self.flows(frame, owner, false)?;
        }
        self.operands(frame, inst);
        Ok(())
    }

    /// The construct at `left` begins, seen from its end.
    fn open(&mut self, frame: &mut Frame, inst: Inst) -> Result<(), Error> {
        self.budget.spend(frame.active.len())?;
        self.after.insert(inst, frame.active.iter().map(|&(root, _)| root).collect());
        if let Op::Loop { body } = self.func.insts[inst].op {
            let live = self.at_start_of_loop(inst, body)?;
            self.repeat.insert(inst, live);
        }
        frame.pending = self.func.insts[inst].op.regions().collect();
        frame.open = Some(inst);
        Ok(())
    }

    /// All regions of the construct at `left` are done.
    fn close(&mut self, frame: &mut Frame, inst: Inst) -> Result<(), Error> {
        self.after.remove(&inst);
        self.repeat.remove(&inst);
        self.budget.spend(frame.active.len() + frame.inner.len())?;
        // The regions have used the index for themselves.
        for (at, &(root, _)) in (0..).zip(&frame.active) {
            self.index[root] = (frame.serial, at);
        }
        for root in std::mem::take(&mut frame.inner) {
            self.used(frame, root);
        }
        self.operands(frame, inst);
        Ok(())
    }

    fn leave(&mut self, mut frame: Frame) {
        for &param in &self.func.regions[frame.region].params {
            self.define(&mut frame, param, 0);
        }
        let out = &mut self.out.regions[frame.region];
        out.calls.reverse();
        out.cold.reverse();
        out.cold_calls.reverse();
        out.local = frame.local;
        out.entering = frame.active.iter().map(|&(root, last)| Live { root, start: 0, last }).collect();
        self.order.push(frame.region);
        if let Some(parent) = self.stack.last_mut() {
            parent.inner.extend(frame.active.iter().map(|&(root, _)| root));
        }
    }

    fn at_start_of_loop(&mut self, inst: Inst, body: Region) -> Result<Vec<Root>, Error> {
        let Some(facts) = self.candidates.loops.get(&inst).filter(|facts| facts.repeats) else {
            return Ok(Vec::new());
        };
        let mut live = facts.uses.clone();
        for exit in &facts.exits {
            // An exit to a loop around repeats that loop.
            let from = if self.repeat.contains_key(exit) { &self.repeat } else { &self.after };
            live.extend(from.get(exit).into_iter().flatten());
        }
        let last = self.func.regions[body].insts.last();
        if last.is_some_and(|&last| matches!(self.func.insts[last].op, Op::Yield)) {
            live.extend(self.after.get(&inst).into_iter().flatten());
        }
        self.budget.spend(live.len() * 4)?;
        live.sort_unstable();
        live.dedup();
        Ok(live)
    }

    /// Control goes from here to a construct: to its start (of a loop), or behind it.
    fn flows(&mut self, frame: &mut Frame, target: Inst, repeats: bool) -> Result<(), Error> {
        let from = if repeats { &mut self.repeat } else { &mut self.after };
        let Some(live) = from.get_mut(&target).map(std::mem::take) else { return Ok(()) };
        self.budget.spend(live.len())?;
        live.iter().for_each(|&root| self.used(frame, root));
        let from = if repeats { &mut self.repeat } else { &mut self.after };
        from.insert(target, live);
        Ok(())
    }

    fn operands(&mut self, frame: &mut Frame, inst: Inst) {
        let func = self.func;
        for &arg in func.args(inst) {
            if let Some(root) = self.candidates.root_of[arg].expand() {
                self.used(frame, root);
            }
        }
    }

    fn used(&mut self, frame: &mut Frame, root: Root) {
        if self.index[root].0 != frame.serial {
            self.index[root] = (frame.serial, frame.active.len() as u32);
            frame.active.push((root, frame.left as u32));
        }
    }

    fn define(&mut self, frame: &mut Frame, value: crate::ir::Value, start: u32) {
        let Some(root) = self.candidates.root_of[value].expand() else { return };
        let (serial, at) = self.index[root];
        if serial != frame.serial {
            return;
        }
        self.index[root] = (0, 0);
        let (_, last) = frame.active.swap_remove(at as usize);
        if let Some(&(moved, _)) = frame.active.get(at as usize) {
            self.index[moved].1 = at;
        }
        frame.local.push(Live { root, start, last });
    }
}

fn between(indices: &[u32], live: &Live) -> usize {
    let below = |bound: u32| indices.partition_point(|&at| at < bound);
    below(live.last).saturating_sub(below(live.start))
}

impl Liveness {
    fn find_heavy(&mut self, candidates: &Candidates) {
        let mut refreshes: SecondaryMap<Root, u64> = SecondaryMap::new();
        for region in self.regions.values() {
            for live in region.entering.iter().chain(&region.local) {
                refreshes[live.root] += between(&region.cold, live) as u64;
                refreshes[live.root] += (CALL - 1) * between(&region.cold_calls, live) as u64;
            }
        }
        for (root, data) in candidates.roots.iter() {
            if refreshes[root] > HEAVY * u64::from(data.uses.max(1)) {
                self.heavy.insert(root);
            }
        }
    }

    fn find_crossed(&mut self, func: &Func<'_>, order: &[Region], budget: &mut Budget) -> Result<(), Error> {
        // What crosses something in each region, of what enters it.
        let mut through: SecondaryMap<Region, Vec<Root>> = SecondaryMap::new();
        let mut local: SecondaryMap<Root, Option<Region>> = SecondaryMap::new();
        for &region in order {
            let data = &self.regions[region];
            data.local.iter().for_each(|live| local[live.root] = Some(region));
            let mut mine: Vec<Root> = Vec::new();
            for live in &data.entering {
                let cold = self.heavy.contains(live.root) && between(&data.cold, live) > 0;
                if cold || between(&data.calls, live) > 0 {
                    mine.push(live.root);
                }
            }
            budget.spend(data.entering.len())?;
            for &inst in &func.regions[region].insts {
                let mut all: Vec<Root> = Vec::new();
                for nested in func.insts[inst].op.regions() {
                    all.append(&mut through[nested]);
                }
                if all.is_empty() {
                    continue;
                }
                budget.spend(all.len() * 4)?;
                all.sort_unstable();
                all.dedup();
                mine.extend(all.iter().filter(|&&root| local[root] != Some(region)));
                self.crossed.insert(inst, all);
            }
            mine.sort_unstable();
            mine.dedup();
            through[region] = mine;
        }
        Ok(())
    }
}
