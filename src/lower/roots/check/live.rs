//! Which references a function still uses behind a safepoint, from the definition: backward over the
//! graph until nothing changes.

use super::graph::{Block, Graph};
use super::names::Names;
use crate::ir::{Func, Inst, Value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What was claimed to be live behind each instruction.
pub type Claims = BTreeMap<Inst, BTreeSet<Value>>;

/// Holds claims against what is live; the first that is wrong is the error. `None` when the function
/// is too large to tell in `steps` steps.
pub fn check(func: &Func<'_>, names: &Names, claims: &Claims, steps: &mut u64) -> Option<Result<(), String>> {
    let graph = Graph::of(func);
    let ends = live_at_ends(func, &graph, names, steps)?;
    for (block, data) in graph.blocks.iter() {
        let mut live = ends.get(&block).cloned().unwrap_or_default();
        for &inst in data.insts.iter().rev() {
            if let Some(claimed) = claims.get(&inst)
                && let Some(dead) = claimed.iter().find(|&value| !live.contains(value) || defines(func, inst, *value))
            {
                return Some(Err(format!("{inst} scans the slot of {dead}, which is dead")));
            }
            before(func, names, inst, &mut live);
        }
    }
    Some(Ok(()))
}

fn defines(func: &Func<'_>, inst: Inst, value: Value) -> bool {
    func.results(inst).contains(&value)
}

/// What is live in front of an instruction, from what is live behind it.
fn before(func: &Func<'_>, names: &Names, inst: Inst, live: &mut BTreeSet<Value>) {
    for value in func.results(inst) {
        live.remove(value);
    }
    if !names.is_alias(func, inst) {
        live.extend(func.args(inst).iter().filter_map(|&arg| names.reference(arg)));
    }
}

fn live_at_ends(
    func: &Func<'_>,
    graph: &Graph,
    names: &Names,
    steps: &mut u64,
) -> Option<BTreeMap<Block, BTreeSet<Value>>> {
    let predecessors = graph.predecessors();
    let mut ends: BTreeMap<Block, BTreeSet<Value>> = BTreeMap::new();
    let mut queue: VecDeque<Block> = graph.blocks.keys().rev().collect();
    while let Some(block) = queue.pop_front() {
        let data = &graph.blocks[block];
        let mut live = ends.get(&block).cloned().unwrap_or_default();
        *steps = steps.checked_sub((data.insts.len() + live.len() + 1) as u64)?;
        for &inst in data.insts.iter().rev() {
            before(func, names, inst, &mut live);
        }
        for param in &data.params {
            live.remove(param);
        }
        for &from in predecessors.get(&block).into_iter().flatten() {
            *steps = steps.checked_sub(live.len() as u64 + 1)?;
            let end = ends.entry(from).or_default();
            let was = end.len();
            end.extend(&live);
            if end.len() != was {
                queue.push_back(from);
            }
        }
    }
    Some(ends)
}
