//! Where the top of the frame must be published: before each call safepoint at which it is not known
//! to be published on all paths.
//!
//! A loop in which every safepoint wants the same top gets it published once, in front of it. In any
//! other loop the top is unknown at the start.

use crate::ir::{Func, HeapOp, Inst, Op, Region, SrcLoc, loops};
use cranelift_entity::SecondaryMap;
use foldhash::{HashMap, HashMapExt};

/// Inserts `SetTop`. `calls`: the top that each call safepoint wants.
pub fn publish(func: &mut Func<'_>, calls: &SecondaryMap<Inst, Option<u32>>) {
    if func.frame.slots == 0 {
        return;
    }
    let loops = loops(func, calls);
    let mut pass = Publish { func, calls, loops, top: Top::Known(0), ends: HashMap::new() };
    pass.run();
}

/// The published top at one point.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Top {
    /// No path leads here.
    #[default]
    Unreached,
    /// The same on all paths.
    Known(u32),
    Unknown,
}

impl Top {
    fn meet(self, other: Top) -> Top {
        match (self, other) {
            (Top::Unreached, top) | (top, Top::Unreached) => top,
            (a, b) if a == b => a,
            _ => Top::Unknown,
        }
    }
}

/// Whether a safepoint publishes for itself what it has to, if anything.
fn is_cold(func: &Func<'_>, inst: Inst) -> bool {
    let is_alloc = matches!(func.insts[inst].op, Op::Heap(HeapOp::Alloc { .. } | HeapOp::AllocDynamic));
    is_alloc || !func.refresh[inst].is_empty()
}

/// What a cold safepoint leaves published. With nothing to save an allocation's cold path publishes an empty frame.
fn after_cold(func: &Func<'_>, inst: Inst, before: Top) -> Top {
    match (func.refresh[inst].is_empty(), before) {
        (true, Top::Known(0)) => before,
        _ => Top::Unknown,
    }
}

/// Control goes from a place with this top to behind a construct.
fn meet_end(ends: &mut HashMap<Inst, Top>, target: Inst, top: Top) {
    if let Some(end) = ends.get_mut(&target) {
        *end = end.meet(top);
    }
}

/// For each loop: what all its safepoints want (`Unreached` when it has none).
fn loops(func: &Func<'_>, calls: &SecondaryMap<Inst, Option<u32>>) -> HashMap<Inst, Top> {
    let mut wants = HashMap::new();
    let visit = |around: &mut Top, inst: Inst| {
        let want = match is_cold(func, inst) {
            true => Top::Unknown,
            false => calls[inst].map_or(Top::Unreached, Top::Known),
        };
        *around = around.meet(want);
    };
    loops::gather(func, visit, |inst, want: Top, around| {
        wants.insert(inst, want);
        *around = around.meet(want);
    });
    wants
}

/// A region under way.
struct Frame {
    region: Region,
    insts: Vec<Inst>,
    done: usize,
    out: Vec<Inst>,
    pending: Vec<Region>,
    open: Option<Inst>,
    owner: Option<Inst>,
    /// The top at the start of the regions of `open`.
    start: Top,
}

struct Publish<'s, 'a> {
    func: &'s mut Func<'a>,
    calls: &'s SecondaryMap<Inst, Option<u32>>,
    loops: HashMap<Inst, Top>,
    /// What is published here.
    top: Top,
    /// What is published behind each construct under way.
    ends: HashMap<Inst, Top>,
}

impl Publish<'_, '_> {
    fn run(&mut self) {
        let mut stack = vec![self.enter(self.func.body, None)];
        while let Some(mut frame) = stack.pop() {
            // A frame is moved for each construct, not for each instruction.
            while frame.open.is_none() && frame.done < frame.insts.len() {
                self.inst(&mut frame);
            }
            if let Some(region) = frame.pending.pop() {
                self.top = frame.start;
                let nested = self.enter(region, frame.open);
                stack.push(frame);
                stack.push(nested);
            } else if let Some(inst) = frame.open.take() {
                self.top = self.ends.remove(&inst).unwrap_or_default();
                stack.push(frame);
            } else {
                self.func.regions[frame.region].insts = frame.out;
            }
        }
    }

    fn enter(&mut self, region: Region, owner: Option<Inst>) -> Frame {
        let insts = std::mem::take(&mut self.func.regions[region].insts);
        let out = Vec::with_capacity(insts.len());
        Frame { region, insts, done: 0, out, pending: Vec::new(), open: None, owner, start: Top::Unreached }
    }

    fn inst(&mut self, frame: &mut Frame) {
        let inst = frame.insts[frame.done];
        frame.done += 1;
        if let Some(top) = self.calls[inst] {
            self.want(frame, top);
        }
        let op = &self.func.insts[inst].op;
        let mut regions = op.regions().peekable();
        match op {
            _ if is_cold(self.func, inst) => self.top = after_cold(self.func, inst, self.top),
            Op::Loop { .. } => match self.loops.get(&inst).copied() {
                Some(Top::Known(top)) => self.want(frame, top),
                Some(Top::Unknown) => self.top = Top::Unknown,
                Some(Top::Unreached) | None => {}
            },
            Op::Yield => frame.owner.into_iter().for_each(|owner| meet_end(&mut self.ends, owner, self.top)),
            _ => {
                // What goes back to a loop's start is accounted for by `loops`.
                let onward = op.targets().filter(|&to| !matches!(self.func.insts[to].op, Op::Loop { .. }));
                onward.for_each(|target| meet_end(&mut self.ends, target, self.top));
            }
        }
        if regions.peek().is_some() {
            self.ends.insert(inst, Top::Unreached);
            frame.pending = regions.collect();
            frame.open = Some(inst);
            frame.start = self.top;
        }
        frame.out.push(inst);
    }

    fn want(&mut self, frame: &mut Frame, top: u32) {
        if self.top != Top::Known(top) {
            let op = Op::Heap(HeapOp::SetTop { slots: top });
            let set = self.func.make_inst(op, &[], &[], SrcLoc::NONE);
            frame.out.push(set);
            self.top = Top::Known(top);
        }
    }
}
