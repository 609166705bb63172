//! The region tree as one list of events. An event's index is its *position*.

use crate::ir::{Func, Inst, Op, RefOp, Region, Value};
use crate::types::{HeapType, ValType};
use cranelift_entity::SecondaryMap;

/// What happens at a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// An instruction without regions.
    Inst(Inst),
    /// A block, loop or `if` starts.
    Open(Inst),
    /// The second arm of an `if` starts.
    Else(Inst),
    /// A block, loop or `if` ends, and its results come to be.
    Close(Inst),
}

/// The flattened function.
pub(super) struct Flat {
    /// All events, in the order of text.
    pub events: Vec<Event>,
    /// Position of an instruction; for a construct, of its [`Event::Open`].
    pub at: SecondaryMap<Inst, u32>,
    /// Position of a construct's [`Event::Close`].
    pub close: SecondaryMap<Inst, u32>,
    /// The construct that an instruction is directly in, `None` in the body.
    pub owner: SecondaryMap<Inst, Option<Inst>>,
    /// Whether any branch names the construct.
    pub targeted: SecondaryMap<Inst, bool>,
    /// Whether a construct contains an allocation that changes locals.
    pub refreshes: SecondaryMap<Inst, bool>,
    /// The loop whose region it is.
    pub loop_of: SecondaryMap<Region, Option<Inst>>,
    alias: SecondaryMap<Value, Option<Value>>,
}

impl Flat {
    /// Flattens a function.
    pub fn new(func: &Func<'_>) -> Flat {
        let mut flat = Flat {
            events: Vec::with_capacity(func.insts.len()),
            at: func.per_inst(),
            close: func.per_inst(),
            owner: func.per_inst(),
            targeted: func.per_inst(),
            refreshes: func.per_inst(),
            loop_of: func.per_region(),
            alias: func.per_value(),
        };
        flat.walk(func);
        flat
    }

    /// What a value is a copy of.
    pub fn root(&self, value: Value) -> Value {
        self.alias[value].unwrap_or(value)
    }

    /// Whether an instruction is a mere other name for its operand.
    pub fn is_alias(&self, func: &Func<'_>, inst: Inst) -> bool {
        func.results(inst).first().is_some_and(|&v| self.alias[v].is_some())
    }

    fn walk(&mut self, func: &Func<'_>) {
        let mut stack = vec![Step::Region(func.body, 0, None)];
        while let Some(step) = stack.pop() {
            match step {
                Step::Event(event) => self.event(event),
                Step::Region(region, at, owner) => {
                    let Some(&inst) = func.regions[region].insts.get(at) else { continue };
                    stack.push(Step::Region(region, at + 1, owner));
                    self.owner[inst] = owner;
                    self.at[inst] = self.events.len() as u32;
                    self.inst(func, inst, &mut stack);
                }
            }
        }
    }

    fn event(&mut self, event: Event) {
        if let Event::Close(inst) = event {
            self.close[inst] = self.events.len() as u32;
            if let (true, Some(outer)) = (self.refreshes[inst], self.owner[inst]) {
                self.refreshes[outer] = true;
            }
        }
        self.events.push(event);
    }

    fn inst(&mut self, func: &Func<'_>, inst: Inst, stack: &mut Vec<Step>) {
        match &func.insts[inst].op {
            Op::Block { body } => self.construct(inst, &[*body], stack),
            Op::Loop { body } => {
                self.loop_of[*body] = Some(inst);
                self.construct(inst, &[*body], stack);
            }
            Op::If { then, els } => self.construct(inst, &[*then, *els], stack),
            op => {
                self.note(func, inst, op);
                self.events.push(Event::Inst(inst));
            }
        }
    }

    fn construct(&mut self, inst: Inst, regions: &[Region], stack: &mut Vec<Step>) {
        self.events.push(Event::Open(inst));
        stack.push(Step::Event(Event::Close(inst)));
        for (n, &region) in regions.iter().enumerate().rev() {
            stack.push(Step::Region(region, 0, Some(inst)));
            if n > 0 {
                stack.push(Step::Event(Event::Else(inst)));
            }
        }
    }

    fn note(&mut self, func: &Func<'_>, inst: Inst, op: &Op<'_>) {
        match op {
            Op::Br { target } | Op::BrIf { target } => self.targeted[*target] = true,
            Op::BrTable { targets } => {
                for target in targets.iter().filter_map(|t| t.target) {
                    self.targeted[target] = true;
                }
            }
            Op::Ref(RefOp::Refine) => {
                if let (Some(&arg), Some(&result)) = (func.args(inst).first(), func.results(inst).first())
                    && is_copy(func.ty(arg), func.ty(result))
                {
                    self.alias[result] = Some(self.root(arg));
                }
            }
            _ => {}
        }
        if let (false, Some(owner)) = (func.refresh[inst].is_empty(), self.owner[inst]) {
            self.refreshes[owner] = true;
        }
    }
}

/// Whether a refinement from one type to another changes nothing once emitted.
fn is_copy(from: ValType, to: ValType) -> bool {
    match (from, to) {
        (ValType::Ref(from), ValType::Ref(to)) if from.is_func() => {
            let same = from.heap == to.heap || to.heap == HeapType::Func;
            same && (to.nullable || !from.nullable)
        }
        _ => true,
    }
}

enum Step {
    Event(Event),
    /// The instructions of a region from an index on, and the region's owner.
    Region(Region, usize, Option<Inst>),
}
