//! A function as basic blocks and edges, for analyses that go round until nothing changes.
//!
//! Structured control is easier to transform; blocks are easier to check, and being another form than
//! the one that root assignment works on they do not repeat its mistakes.

use crate::ir::{Func, Inst, Op, Region, Value};
use cranelift_entity::{PrimaryMap, entity_impl};
use std::collections::HashMap;

/// A basic block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block(u32);
entity_impl!(Block, "block");

/// What is in a block, and where control goes from its end.
#[derive(Default)]
pub struct BlockData {
    /// Defined when it begins: parameters of a loop, results of a construct.
    pub params: Vec<Value>,
    /// In order. Constructs do not appear, but for `If`, which reads its condition, and `Loop`, which
    /// reads its operands.
    pub insts: Vec<Inst>,
    pub successors: Vec<Block>,
}

/// The blocks of a function.
pub struct Graph {
    pub blocks: PrimaryMap<Block, BlockData>,
    /// Where the function begins.
    pub entry: Block,
    /// From each construct to what is behind it, whether or not its end can be reached.
    over: Vec<(Block, Block)>,
}

impl Graph {
    /// The graph of a function.
    pub fn of(func: &Func<'_>) -> Graph {
        let mut blocks = PrimaryMap::new();
        let entry = blocks.push(BlockData { params: func.params().to_vec(), ..BlockData::default() });
        let mut builder = Builder { func, blocks, current: entry, targets: HashMap::new(), over: Vec::new() };
        builder.run();
        Graph { blocks: builder.blocks, entry, over: builder.over }
    }

    /// For each block, which blocks lead to it, by text: a construct may always end. So what is used only
    /// behind a loop that never does counts as used; root assignment may save that, for nothing.
    pub fn predecessors(&self) -> HashMap<Block, Vec<Block>> {
        let mut predecessors: HashMap<Block, Vec<Block>> = HashMap::new();
        for &(from, to) in &self.over {
            predecessors.entry(to).or_default().push(from);
        }
        for (block, data) in self.blocks.iter() {
            for &to in &data.successors {
                predecessors.entry(to).or_default().push(block);
            }
        }
        predecessors
    }
}

enum Step {
    /// The instructions of a region from an index on; the construct that owns the region.
    From(Region, usize, Option<Inst>),
    /// Continue in this block.
    Continue(Block),
}

struct Builder<'f, 'a> {
    func: &'f Func<'a>,
    blocks: PrimaryMap<Block, BlockData>,
    current: Block,
    /// Where a branch to a construct goes, and where its regions' ends go.
    targets: HashMap<Inst, (Block, Block)>,
    over: Vec<(Block, Block)>,
}

impl Builder<'_, '_> {
    fn run(&mut self) {
        let mut stack = vec![Step::From(self.func.body, 0, None)];
        while let Some(step) = stack.pop() {
            match step {
                Step::Continue(block) => self.current = block,
                Step::From(region, from, owner) => {
                    let insts = &self.func.regions[region].insts;
                    for (at, &inst) in insts.iter().enumerate().skip(from) {
                        if self.func.insts[inst].op.regions().next().is_some() {
                            stack.push(Step::From(region, at + 1, owner));
                            self.construct(inst, &mut stack);
                            break;
                        }
                        self.simple(inst, owner);
                    }
                }
            }
        }
    }

    fn block(&mut self, params: &[Value]) -> Block {
        self.blocks.push(BlockData { params: params.to_vec(), ..BlockData::default() })
    }

    fn edge(&mut self, to: Block) {
        self.blocks[self.current].successors.push(to);
    }

    fn construct(&mut self, inst: Inst, stack: &mut Vec<Step>) {
        self.blocks[self.current].insts.push(inst);
        let after = self.block(self.func.results(inst));
        self.over.push((self.current, after));
        stack.push(Step::Continue(after));
        match self.func.insts[inst].op {
            Op::Loop { body } => {
                let head = self.block(&self.func.regions[body].params);
                self.targets.insert(inst, (head, after));
                self.edge(head);
                self.current = head;
                stack.push(Step::From(body, 0, Some(inst)));
            }
            Op::If { then, els } => {
                self.targets.insert(inst, (after, after));
                for region in [els, then] {
                    let arm = self.block(&[]);
                    self.edge(arm);
                    stack.push(Step::From(region, 0, Some(inst)));
                    stack.push(Step::Continue(arm));
                }
            }
            Op::Block { body } => {
                self.targets.insert(inst, (after, after));
                stack.push(Step::From(body, 0, Some(inst)));
            }
            _ => {}
        }
    }

    fn simple(&mut self, inst: Inst, owner: Option<Inst>) {
        self.blocks[self.current].insts.push(inst);
        let branch = |to: &Inst| self.targets.get(to).map(|&(start, _)| start);
        let to: Vec<Block> = match &self.func.insts[inst].op {
            Op::Br { target } | Op::BrIf { target } => branch(target).into_iter().collect(),
            Op::BrTable { targets } => targets.iter().filter_map(|t| branch(t.target.as_ref()?)).collect(),
            Op::Yield => owner.and_then(|owner| Some(self.targets.get(&owner)?.1)).into_iter().collect(),
            _ => return,
        };
        to.into_iter().for_each(|to| self.edge(to));
        if matches!(self.func.insts[inst].op, Op::BrIf { .. }) {
            let next = self.block(&[]);
            self.edge(next);
            self.current = next;
        }
    }
}
