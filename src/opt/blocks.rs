//! What is in a block, or goes through it, and need not.
//!
//! ```text
//! before                                  after
//!   v3 = block -> ref eq  @1                v1 = ref.test (ref $t) v0
//!     v1 = ref.test (ref $t) v0             block @1
//!     v2 = i32.eqz v1                         v2 = i32.eqz v1
//!     br_if @1 v2, v0                         br_if @1 v2
//!     ...                                     ...
//!     br @2                                   br @2
//!   v4 = ref.test (ref $u) v3               v4 = ref.test (ref $u) v0
//! ```
//!
//! Compilers write each case of a choice as a block that is left when the next is to be tried. What the first finds out, as the
//! header of an object, is visible behind it if it is not in it, and the next asks the same value if that does not get another
//! name on the way.
//!
//! Obligations:
//!
//! - What stands at the start of a block, before anything that has control, runs whenever the block does, and before all else
//!   there. So it may stand in front of it. Only so much does as ends with something that others may want to know.
//! - A result is a value if all ways behind the block hand that value over, and it was there before the block: then it is
//!   visible wherever the result is.
//!
//! What this is not: a motion of anything past anything else. Loops and arms of `if`s are as they were.

use crate::ir::{ArrayOp, Func, GlobalOp, Inst, Op, RefOp, Region, StructOp, Value, ValueDef};
use crate::types::{TypeTable, ValType};
use cranelift_entity::packed_option::PackedOption;
use cranelift_entity::{EntitySet, SecondaryMap};
use foldhash::{HashMap, HashMapExt};

/// Runs the pass.
pub fn run(func: &mut Func<'_>, types: &TypeTable) {
    let regions = outside_in(func);
    let mut opened = EntitySet::new();
    for &region in &regions {
        open_blocks(func, region, &mut opened);
    }
    let replaced = same_results(func, types);
    if replaced.values().all(|value| value.is_none()) {
        return;
    }
    for region in regions {
        for inst in func.regions[region].insts.clone() {
            func.args_mut(inst).iter_mut().for_each(|arg| *arg = replaced[*arg].expand().unwrap_or(*arg));
        }
    }
}

/// All regions, each before those that are in it.
fn outside_in(func: &Func<'_>) -> Vec<Region> {
    let mut all = vec![func.body];
    let mut next = 0;
    while let Some(&region) = all.get(next) {
        next += 1;
        all.extend(func.regions[region].insts.iter().flat_map(|&inst| func.insts[inst].op.regions()));
    }
    all
}

/// Takes the starts of a region's blocks out of them. `opened` are blocks that this was done with, from further out.
fn open_blocks(func: &mut Func<'_>, region: Region, opened: &mut EntitySet<Inst>) {
    let mut starts = Vec::new();
    for (at, &inst) in func.regions[region].insts.iter().enumerate() {
        starts.extend(starts_of(func, inst, opened).into_iter().map(|start| (at, start)));
    }
    if starts.is_empty() {
        return;
    }
    let mut starts = starts.into_iter().peekable();
    let insts = std::mem::take(&mut func.regions[region].insts);
    let mut out = Vec::with_capacity(insts.len());
    for (at, inst) in insts.into_iter().enumerate() {
        while let Some((_, (body, len))) = starts.next_if(|&(of, _)| of == at) {
            out.extend(func.regions[body].insts.drain(..len));
        }
        out.push(inst);
    }
    func.regions[region].insts = out;
}

/// How many instructions at the start of a block may leave it, and of the blocks that come first in it.
fn starts_of(func: &Func<'_>, block: Inst, opened: &mut EntitySet<Inst>) -> Vec<(Region, usize)> {
    let (mut starts, mut told, mut end) = (Vec::new(), 0, 0);
    let mut next = Some(block);
    while let Some(inst) = next
        && let Op::Block { body } = func.insts[inst].op
        && opened.insert(inst)
    {
        let insts = &func.regions[body].insts;
        let len = insts.iter().take_while(|&&inst| is_straight(&func.insts[inst].op)).count();
        starts.push((body, len));
        if let Some(last) = insts[..len].iter().rposition(|&inst| tells(&func.insts[inst].op)) {
            (told, end) = (starts.len(), last + 1);
        }
        next = insts.get(len).copied();
    }
    // Up to what tells something, and no further.
    starts.truncate(told);
    if let Some((_, len)) = starts.last_mut() {
        *len = end;
    }
    starts
}

fn is_straight(op: &Op<'_>) -> bool {
    !op.is_terminator() && !matches!(op, Op::BrIf { .. }) && op.regions().next().is_none()
}

/// Whether others may want to know what an operation finds out.
fn tells(op: &Op<'_>) -> bool {
    matches!(
        op,
        Op::Ref(RefOp::Test(_) | RefOp::Cast(_))
            | Op::Struct(StructOp::Get { .. })
            | Op::Array(ArrayOp::Get { .. } | ArrayOp::Len)
            | Op::Global(GlobalOp::Get(_))
    )
}

/// What is handed over for a result of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handed {
    Same(Value),
    Several,
}

/// Results of blocks that are a value which was there before.
fn same_results(func: &Func<'_>, types: &TypeTable) -> SecondaryMap<Value, PackedOption<Value>> {
    let mut walk = Walk {
        types,
        handed: HashMap::new(),
        place: func.per_inst(),
        begins: func.per_region(),
        next: 0,
        replaced: func.per_value(),
    };
    walk.run(func);
    walk.replaced
}

struct Walk<'t> {
    types: &'t TypeTable,
    /// By block and number of its result.
    handed: HashMap<(Inst, usize), Handed>,
    /// Where an instruction stands in the text, from 1.
    place: SecondaryMap<Inst, u32>,
    /// Where the instruction stands that owns a region.
    begins: SecondaryMap<Region, u32>,
    next: u32,
    replaced: SecondaryMap<Value, PackedOption<Value>>,
}

impl Walk<'_> {
    fn run(&mut self, func: &Func<'_>) {
        let mut stack = vec![(None, func.regions[func.body].insts.iter())];
        let mut open = Vec::new();
        while let Some((owner, insts)) = stack.last_mut() {
            let owner = *owner;
            if let Some(&inst) = insts.next() {
                self.next += 1;
                self.place[inst] = self.next;
                self.branches(func, inst, owner);
                let mut inner = func.insts[inst].op.regions();
                if let Some(first) = inner.next() {
                    func.insts[inst].op.regions().for_each(|region| self.begins[region] = self.next);
                    open.push((inst, inner));
                    stack.push((Some(inst), func.regions[first].insts.iter()));
                }
                continue;
            }
            stack.pop();
            let Some((inst, rest)) = open.last_mut() else { continue };
            let inst = *inst;
            match rest.next() {
                Some(region) => stack.push((Some(inst), func.regions[region].insts.iter())),
                None => {
                    open.pop();
                    self.close(func, inst);
                }
            }
        }
    }

    /// What an instruction hands over, and to whom.
    fn branches(&mut self, func: &Func<'_>, inst: Inst, owner: Option<Inst>) {
        let args = func.args(inst);
        match &func.insts[inst].op {
            Op::Yield => owner.into_iter().for_each(|owner| self.hand(func, owner, args)),
            Op::Br { target } => self.hand(func, *target, args),
            Op::BrIf { target } => self.hand(func, *target, args.get(1..).unwrap_or_default()),
            Op::BrTable { targets } => {
                let mut rest = args.get(1..).unwrap_or_default();
                for to in targets {
                    let (values, others) = rest.split_at_checked(to.args as usize).unwrap_or_default();
                    to.target.into_iter().for_each(|target| self.hand(func, target, values));
                    rest = others;
                }
            }
            _ => {}
        }
    }

    fn hand(&mut self, func: &Func<'_>, to: Inst, values: &[Value]) {
        if !matches!(func.insts[to].op, Op::Block { .. }) {
            return;
        }
        for (n, &value) in values.iter().enumerate() {
            let value = self.name(value);
            let handed = self.handed.entry((to, n)).or_insert(Handed::Same(value));
            if *handed != Handed::Same(value) {
                *handed = Handed::Several;
            }
        }
    }

    /// What a value is called that is another's result.
    fn name(&self, value: Value) -> Value {
        self.replaced[value].expand().unwrap_or(value)
    }

    /// A construct is done: all that leads behind it was seen.
    fn close(&mut self, func: &Func<'_>, inst: Inst) {
        for (n, &result) in func.results(inst).iter().enumerate() {
            if let Some(&Handed::Same(value)) = self.handed.get(&(inst, n))
                && self.is_before(func, value, inst)
                && fits(self.types, func.ty(value), func.ty(result))
            {
                self.replaced[result] = value.into();
            }
        }
    }

    /// Whether a value that is visible in a block was there before it. A loop that began before it is around it.
    fn is_before(&self, func: &Func<'_>, value: Value, block: Inst) -> bool {
        let place = match func.values[value].def {
            ValueDef::Result(inst, _) => self.place[inst],
            ValueDef::Param(region, _) => self.begins[region],
        };
        place < self.place[block]
    }
}

/// Whether a value may stand where another of this type did.
fn fits(types: &TypeTable, value: ValType, ty: ValType) -> bool {
    match (value, ty) {
        (ValType::Ref(value), ValType::Ref(ty)) => types.is_sub_ref(value, ty),
        (value, ty) => value == ty,
    }
}
