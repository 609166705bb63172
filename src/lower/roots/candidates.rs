//! Which values are roots, by a cheap linear scan; and what each loop uses of the outside.
//!
//! Instructions are visited in order of text. A value is a candidate when a safepoint stands between
//! its definition and its last use, or when it is used in a loop that has a safepoint and does not
//! hold its definition. Exact liveness (`liveness.rs`) then only deals with those.

use super::{Budget, Root, Safepoints};
use crate::fault::Error;
use crate::ir::{Func, Inst, Op, RefOp, Region, Value};
use crate::types::{HeapType, ValType};
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{PrimaryMap, SecondaryMap};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use wasmparser::Operator;

/// A root.
pub struct RootData {
    /// The value that it is, under its first name.
    pub value: Value,
    /// How many operands name it.
    pub uses: u32,
}

/// What a loop has to do with the outside.
#[derive(Default)]
pub struct LoopFacts {
    /// Roots from outside that are used anywhere in the loop.
    pub uses: Vec<Root>,
    /// Constructs around the loop that branches in it go to.
    pub exits: Vec<Inst>,
    /// Some branch goes back to the loop's start.
    pub repeats: bool,
}

pub struct Candidates {
    pub roots: PrimaryMap<Root, RootData>,
    /// The root of each value, `Refine`s included.
    pub root_of: SecondaryMap<Value, PackedOption<Root>>,
    pub loops: HashMap<Inst, LoopFacts>,
}

/// Finds the roots.
pub fn find(func: &Func<'_>, safepoints: &Safepoints<'_>, budget: &mut Budget) -> Result<Candidates, Error> {
    let mut scan =
        Scan { func, safepoints, seen: 0, loops: Vec::new(), ranges: func.per_value(), loop_ends: SecondaryMap::new() };
    walk(func, &mut scan)?;
    if scan.seen == 0 {
        return Ok(Candidates { roots: PrimaryMap::new(), root_of: SecondaryMap::new(), loops: HashMap::new() });
    }
    let (candidates, depths) = scan.finish();
    if candidates.roots.is_empty() {
        return Ok(candidates);
    }
    let mut facts = Facts {
        func,
        budget,
        candidates,
        depths,
        construct_depths: SecondaryMap::new(),
        loops: Vec::new(),
        known: HashSet::new(),
        exits: HashSet::new(),
    };
    walk(func, &mut facts)?;
    Ok(facts.candidates)
}

/// What a walk in order of text does.
trait Visit {
    /// An instruction begins: its operands are used.
    fn begin(&mut self, inst: Inst) -> Result<(), Error>;
    /// A region of an instruction begins: its parameters are defined.
    fn enter(&mut self, region: Region);
    /// An instruction and its regions are done: its results are defined.
    fn end(&mut self, inst: Inst);
}

fn walk(func: &Func<'_>, visit: &mut impl Visit) -> Result<(), Error> {
    enum Step {
        Enter(Region),
        From(Region, usize),
        End(Inst),
    }
    let mut stack = vec![Step::Enter(func.body)];
    while let Some(step) = stack.pop() {
        match step {
            Step::Enter(region) => {
                visit.enter(region);
                stack.push(Step::From(region, 0));
            }
            Step::From(region, from) => {
                for (at, &inst) in func.regions[region].insts.iter().enumerate().skip(from) {
                    visit.begin(inst)?;
                    let op = &func.insts[inst].op;
                    if op.regions().next().is_none() {
                        visit.end(inst);
                        continue;
                    }
                    stack.push(Step::From(region, at + 1));
                    stack.push(Step::End(inst));
                    let mut regions: smallvec::SmallVec<[Region; 2]> = op.regions().collect();
                    while let Some(region) = regions.pop() {
                        stack.push(Step::Enter(region));
                    }
                    break;
                }
            }
            Step::End(inst) => visit.end(inst),
        }
    }
    Ok(())
}

/// Whether an instruction merely gives a reference another name.
pub fn is_alias(func: &Func<'_>, inst: Inst) -> bool {
    let gc = |values: &[Value]| matches!(values, &[v] if func.ty(v).is_gc_ref());
    matches!(func.insts[inst].op, Op::Ref(RefOp::Refine)) && gc(func.args(inst)) && gc(func.results(inst))
}

/// Whether a value of this type can be an object that moves.
fn can_move(ty: ValType) -> bool {
    match ty {
        ValType::Ref(r) => ty.is_gc_ref() && r.heap != HeapType::I31 && !r.heap.is_bottom(),
        _ => false,
    }
}

/// A value's linear range, in counts of safepoints.
#[derive(Clone, Default)]
struct Range {
    /// The value that this one is an alias of, often itself. `None`: can not move.
    leader: PackedOption<Value>,
    /// Safepoints up to the definition.
    def: u32,
    /// Loops around the definition.
    depth: u32,
    /// Safepoints before the last use.
    last: u32,
    /// The outermost loop that holds the last use and not the definition.
    in_loop: PackedOption<Inst>,
    uses: u32,
}

struct Scan<'s, 'a> {
    func: &'s Func<'a>,
    safepoints: &'s Safepoints<'s>,
    /// Safepoints so far.
    seen: u32,
    loops: Vec<Inst>,
    ranges: SecondaryMap<Value, Range>,
    loop_ends: SecondaryMap<Inst, u32>,
}

impl Scan<'_, '_> {
    fn define(&mut self, value: Value) {
        let range = &mut self.ranges[value];
        range.leader = value.into();
        range.def = self.seen;
        range.depth = self.loops.len() as u32;
    }

    fn finish(self) -> (Candidates, SecondaryMap<Root, u32>) {
        let mut roots = PrimaryMap::new();
        let mut root_of = self.func.per_value();
        let mut depths = SecondaryMap::new();
        for value in self.func.values.keys() {
            let range = &self.ranges[value];
            let in_loop = range.in_loop.expand().map_or(0, |l| self.loop_ends[l]);
            if range.leader.expand() == Some(value) && range.last.max(in_loop) > range.def {
                let root = roots.push(RootData { value, uses: range.uses });
                root_of[value] = PackedOption::from(root);
                depths[root] = range.depth;
            }
        }
        for value in self.func.values.keys() {
            if let Some(leader) = self.ranges[value].leader.expand() {
                root_of[value] = root_of[leader];
            }
        }
        (Candidates { roots, root_of, loops: HashMap::new() }, depths)
    }
}

impl Visit for Scan<'_, '_> {
    fn begin(&mut self, inst: Inst) -> Result<(), Error> {
        let op = &self.func.insts[inst].op;
        if !is_alias(self.func, inst) {
            for &arg in self.func.args(inst) {
                let Some(leader) = self.ranges[arg].leader.expand() else { continue };
                let range = &mut self.ranges[leader];
                range.last = self.seen;
                range.uses += 1;
                if let Some(&outermost) = self.loops.get(range.depth as usize) {
                    range.in_loop = outermost.into();
                }
            }
        }
        if self.safepoints.of(self.func, inst).is_some() {
            self.seen += 1;
        }
        if matches!(op, Op::Loop { .. }) {
            self.loops.push(inst);
        }
        Ok(())
    }

    fn enter(&mut self, region: Region) {
        for &param in &self.func.regions[region].params {
            if can_move(self.func.ty(param)) {
                self.define(param);
            }
        }
    }

    fn end(&mut self, inst: Inst) {
        let op = &self.func.insts[inst].op;
        if matches!(op, Op::Loop { .. }) {
            self.loops.pop();
            self.loop_ends[inst] = self.seen;
        }
        let alias_of = if is_alias(self.func, inst) { self.func.args(inst).first() } else { None };
        for &result in self.func.results(inst) {
            match (op, alias_of) {
                (Op::Core(Operator::I32Const { .. }), _) => {}
                (_, Some(&of)) => self.ranges[result].leader = self.ranges[of].leader,
                _ if can_move(self.func.ty(result)) => self.define(result),
                _ => {}
            }
        }
    }
}

struct Facts<'s, 'a, 'b> {
    func: &'s Func<'a>,
    budget: &'b mut Budget,
    candidates: Candidates,
    /// Loops around each root's definition.
    depths: SecondaryMap<Root, u32>,
    /// Loops around each construct.
    construct_depths: SecondaryMap<Inst, u32>,
    loops: Vec<Inst>,
    known: HashSet<(Inst, Root)>,
    exits: HashSet<(Inst, Inst)>,
}

impl Facts<'_, '_, '_> {
    fn used(&mut self, root: Root) -> Result<(), Error> {
        // Once an inner loop has it, the loops around have it too.
        for &l in self.loops.iter().skip(self.depths[root] as usize).rev() {
            if !self.known.insert((l, root)) {
                break;
            }
            self.budget.spend(1)?;
            self.candidates.loops.entry(l).or_default().uses.push(root);
        }
        Ok(())
    }

    fn branched(&mut self, target: Inst) -> Result<(), Error> {
        let mut outside = self.construct_depths[target] as usize;
        if matches!(self.func.insts[target].op, Op::Loop { .. }) {
            self.candidates.loops.entry(target).or_default().repeats = true;
            outside += 1;
        }
        for &l in self.loops.iter().skip(outside).rev() {
            if !self.exits.insert((l, target)) {
                break;
            }
            self.budget.spend(1)?;
            self.candidates.loops.entry(l).or_default().exits.push(target);
        }
        Ok(())
    }
}

impl Visit for Facts<'_, '_, '_> {
    fn begin(&mut self, inst: Inst) -> Result<(), Error> {
        let op = &self.func.insts[inst].op;
        if !self.loops.is_empty() && !is_alias(self.func, inst) {
            for &arg in self.func.args(inst) {
                if let Some(root) = self.candidates.root_of[arg].expand() {
                    self.used(root)?;
                }
            }
        }
        for target in op.targets() {
            self.branched(target)?;
        }
        if op.regions().next().is_some() {
            self.construct_depths[inst] = self.loops.len() as u32;
        }
        if matches!(op, Op::Loop { .. }) {
            self.loops.push(inst);
            self.candidates.loops.entry(inst).or_default();
        }
        Ok(())
    }

    fn enter(&mut self, _: Region) {}

    fn end(&mut self, inst: Inst) {
        if matches!(self.func.insts[inst].op, Op::Loop { .. }) {
            self.loops.pop();
        }
    }
}
