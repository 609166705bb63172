//! What is used: which instructions are emitted, and their operands in the order of evaluation.
//!
//! An instruction is live when it has an effect or a live instruction uses a result. A branch's
//! operand is live when the value that it sets is: the rest is never copied.

use super::flat::{Event, Flat};
use super::tables::{Tables, is_loop};
use crate::ir::{Func, HeapOp, Inst, Op, RefOp, Value, ValueDef, effects, handed};
use crate::types::ValType;
use cranelift_entity::SecondaryMap;
use std::ops::Range;
use wasmparser::Operator;

/// An operand of a live instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    /// The value; never an alias.
    pub value: Value,
    /// The instruction.
    pub owner: Inst,
    /// What a branch sets with it.
    pub phi: Option<Value>,
    /// The operand is on the stack from its definition on.
    pub claimed: bool,
    /// The consumer takes no nullable reference, and the value's type is not nullable.
    pub non_null: bool,
    /// Not the value, but the frame's address, which the value is stored to.
    pub frame: bool,
}

/// The operands of one instruction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct List {
    start: u32,
    end: u32,
    inline: u32,
}

impl List {
    /// All operands.
    pub fn all(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Those that are pushed in front of the instruction.
    pub fn inline(self) -> Range<usize> {
        self.start as usize..self.inline as usize
    }

    /// Those that are pushed somewhere within the code of the instruction.
    pub fn deferred(self) -> Range<usize> {
        self.inline as usize..self.end as usize
    }
}

/// A branch's operand that is still to be looked at: it becomes live with what it sets.
struct Edge {
    arg: Value,
    next: Option<u32>,
}

/// Uses and operands of a function.
pub(super) struct Operands {
    /// All operands of all live instructions.
    pub list: Vec<Operand>,
    /// Which of them are an instruction's.
    pub of: SecondaryMap<Inst, List>,
    /// How often a value is used.
    pub uses: SecondaryMap<Value, u32>,
    /// Values that some allocation or call refreshes in place.
    pub pinned: SecondaryMap<Value, bool>,
    live: SecondaryMap<Inst, bool>,
}

impl Operands {
    /// Finds what is live and lists its operands.
    pub fn new(func: &Func<'_>, flat: &Flat, tables: &Tables) -> Operands {
        let mut marker = Marker::new(func, flat);
        for &event in &flat.events {
            if let Event::Inst(inst) | Event::Open(inst) = event {
                marker.edges_of(inst, tables);
            }
        }
        for &event in &flat.events {
            if let Event::Inst(inst) | Event::Open(inst) = event
                && marker.has_effect(inst)
            {
                marker.mark(inst);
            }
        }
        let Marker { uses, live, pinned, .. } = marker;
        let mut ops = Operands { list: Vec::new(), of: func.per_inst(), uses, pinned, live };
        for &event in &flat.events {
            if let Event::Inst(inst) | Event::Open(inst) = event
                && ops.live[inst]
            {
                ops.list_of(func, flat, tables, inst);
            }
        }
        ops
    }

    /// Whether an instruction is emitted.
    pub fn is_live(&self, inst: Inst) -> bool {
        self.live[inst]
    }

    /// Whether a value is never used.
    pub fn is_unused(&self, value: Value) -> bool {
        self.uses[value] == 0
    }

    fn list_of(&mut self, func: &Func<'_>, flat: &Flat, tables: &Tables, inst: Inst) {
        let start = self.list.len() as u32;
        let mut inline = None;
        let args = func.args(inst);
        match &func.insts[inst].op {
            Op::Loop { .. } => self.copies(func, flat, inst, args, inst),
            Op::Br { target } => self.copies(func, flat, inst, args, *target),
            Op::BrIf { target } => {
                if let Some((&cond, args)) = args.split_first() {
                    self.plain(func, flat, inst, cond);
                    inline = is_loop(func, *target).then_some(self.list.len() as u32);
                    self.copies(func, flat, inst, args, *target);
                }
            }
            Op::Yield => {
                if let Some(owner) = flat.owner[inst] {
                    self.copies_to(flat, inst, args, func.results(owner));
                }
            }
            Op::BrTable { .. } => {
                if let (Some(&index), Some(table)) = (args.first(), tables.get(inst)) {
                    inline = table.has_trampolines().then_some(start);
                    self.plain(func, flat, inst, index);
                    for route in &table.routes {
                        match route.target {
                            Some(target) => self.copies(func, flat, inst, &route.args, target),
                            None => route.args.iter().for_each(|&arg| self.plain(func, flat, inst, arg)),
                        }
                    }
                }
            }
            op => {
                if let (Op::Heap(HeapOp::Spill { .. }), Some(&arg)) = (op, args.first()) {
                    let value = flat.root(arg);
                    let operand =
                        Operand { value, owner: inst, phi: None, claimed: false, non_null: false, frame: true };
                    self.list.push(operand);
                }
                args.iter().for_each(|&arg| self.plain(func, flat, inst, arg));
                inline = matches!(op, Op::Heap(HeapOp::AllocDynamic)).then_some(start);
            }
        }
        let end = self.list.len() as u32;
        self.of[inst] = List { start, end, inline: inline.unwrap_or(end) };
        self.nullable_callee(func, inst);
    }

    /// `call_ref` and the operations on references check for null themselves.
    fn nullable_callee(&mut self, func: &Func<'_>, inst: Inst) {
        use crate::ir::Callee;
        let tolerant = matches!(
            func.insts[inst].op,
            Op::Call(Callee::Ref { .. })
                | Op::ReturnCall(Callee::Ref { .. })
                | Op::Ref(RefOp::IsNull | RefOp::AsNonNull)
        );
        if let (true, Some(last)) = (tolerant, self.list[self.of[inst].all()].last_mut()) {
            last.non_null = false;
        }
    }

    fn plain(&mut self, func: &Func<'_>, flat: &Flat, owner: Inst, arg: Value) {
        let non_null = matches!(func.ty(arg), ValType::Ref(r) if r.is_func() && !r.nullable);
        let value = flat.root(arg);
        self.list.push(Operand { value, owner, phi: None, claimed: false, non_null, frame: false });
    }

    fn copies(&mut self, func: &Func<'_>, flat: &Flat, owner: Inst, args: &[Value], target: Inst) {
        self.copies_to(flat, owner, args, handed(func, target));
    }

    fn copies_to(&mut self, flat: &Flat, owner: Inst, args: &[Value], phis: &[Value]) {
        for (&arg, &phi) in args.iter().zip(phis) {
            if self.uses[phi] > 0 {
                let value = flat.root(arg);
                let phi = Some(phi);
                self.list.push(Operand { value, owner, phi, claimed: false, non_null: false, frame: false });
            }
        }
    }
}

/// Whether a value is a constant that is written again at each use instead of kept.
pub(super) fn is_const(func: &Func<'_>, value: Value, uses: u32) -> bool {
    let Some(inst) = func.def_inst(value) else { return false };
    match func.insts[inst].op {
        Op::Core(Operator::V128Const { .. }) => uses == 1,
        Op::Ref(RefOp::Null(_)) => true,
        ref op => op.is_number(),
    }
}

/// Marks what is live, from the effects backwards.
struct Marker<'f, 'a> {
    func: &'f Func<'a>,
    flat: &'f Flat,
    edges: Vec<Edge>,
    /// For each phi: the last edge to it.
    edges_to: SecondaryMap<Value, Option<u32>>,
    uses: SecondaryMap<Value, u32>,
    pinned: SecondaryMap<Value, bool>,
    live: SecondaryMap<Inst, bool>,
    work: Vec<Value>,
}

impl<'f, 'a> Marker<'f, 'a> {
    fn new(func: &'f Func<'a>, flat: &'f Flat) -> Marker<'f, 'a> {
        Marker {
            func,
            flat,
            edges: Vec::new(),
            edges_to: func.per_value(),
            uses: func.per_value(),
            pinned: func.per_value(),
            live: func.per_inst(),
            work: Vec::new(),
        }
    }

    fn has_effect(&self, inst: Inst) -> bool {
        match &self.func.insts[inst].op {
            Op::Heap(HeapOp::Reload { .. }) => false,
            op => !self.flat.is_alias(self.func, inst) && !effects(op).removable(),
        }
    }

    fn edges_of(&mut self, inst: Inst, tables: &Tables) {
        let func = self.func;
        let args = func.args(inst);
        match &func.insts[inst].op {
            Op::Loop { .. } => self.add_edges(args, handed(func, inst)),
            Op::Br { target } => self.add_edges(args, handed(func, *target)),
            Op::BrIf { target } => self.add_edges(args.get(1..).unwrap_or_default(), handed(func, *target)),
            Op::Yield => {
                if let Some(owner) = self.flat.owner[inst] {
                    self.add_edges(args, func.results(owner));
                }
            }
            Op::BrTable { .. } => {
                for route in tables.get(inst).iter().flat_map(|table| &table.routes) {
                    if let Some(target) = route.target {
                        self.add_edges(&route.args, handed(func, target));
                    }
                }
            }
            _ => {}
        }
    }

    fn add_edges(&mut self, args: &[Value], phis: &[Value]) {
        for (&arg, &phi) in args.iter().zip(phis) {
            let next = self.edges_to[phi].replace(self.edges.len() as u32);
            self.edges.push(Edge { arg, next });
        }
    }

    fn mark(&mut self, inst: Inst) {
        self.enter(inst);
        while let Some(value) = self.work.pop() {
            self.first_use(value);
        }
    }

    fn enter(&mut self, inst: Inst) {
        if std::mem::replace(&mut self.live[inst], true) {
            return;
        }
        let func = self.func;
        match &func.insts[inst].op {
            Op::Loop { .. } | Op::Br { .. } | Op::Yield => {}
            Op::BrIf { .. } => func.args(inst).iter().take(1).for_each(|&arg| self.use_(arg)),
            Op::BrTable { targets } => {
                func.args(inst).iter().take(1).for_each(|&arg| self.use_(arg));
                self.returned_by_table(inst, targets);
            }
            _ => func.args(inst).iter().for_each(|&arg| self.use_(arg)),
        }
        for &(_, value) in &func.refresh[inst] {
            self.use_(value);
            self.pinned[self.flat.root(value)] = true;
        }
    }

    fn returned_by_table(&mut self, inst: Inst, targets: &[crate::ir::BrTarget]) {
        let mut rest = self.func.args(inst).get(1..).unwrap_or_default();
        for target in targets {
            let Some((mine, others)) = rest.split_at_checked(target.args as usize) else { return };
            rest = others;
            if target.target.is_none() {
                mine.iter().for_each(|&arg| self.use_(arg));
            }
        }
    }

    fn use_(&mut self, value: Value) {
        let value = self.flat.root(value);
        self.uses[value] += 1;
        if self.uses[value] == 1 {
            self.work.push(value);
        }
    }

    fn first_use(&mut self, value: Value) {
        match self.func.values[value].def {
            ValueDef::Result(inst, _) if self.func.insts[inst].op.regions().next().is_none() => self.enter(inst),
            // A parameter of the body has no edges.
            ValueDef::Result(..) | ValueDef::Param(..) => {
                let mut edge = self.edges_to[value];
                while let Some(at) = edge {
                    let Edge { arg, next } = self.edges[at as usize];
                    edge = next;
                    self.use_(arg);
                }
            }
        }
    }
}
