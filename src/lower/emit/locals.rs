//! Linear scan: values that need a local get one that is free.
//!
//! Bundles and lone values are taken in the order in which they begin; one that ends gives its local
//! back to the pool of its type. Parameters of the function have the first locals, and these join the
//! pool when the parameter is dead.

use super::coalesce::Bundles;
use super::frame::FramePlan;
use super::ranges::Ranges;
use super::{EmitContext, MAX_LOCALS, debug};
use crate::fault::Error;
use crate::ir::{Func, Inst, Value, ValueDef};
use crate::types::ValType;
use cranelift_entity::SecondaryMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use wasm_encoder as enc;

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Place {
    /// Nowhere: it is not used.
    #[default]
    None,
    /// It is a constant, and this instruction is written again at each use.
    Const(Inst),
    /// On the operand stack, from its definition to its only use.
    Stack,
    /// In a local; `u32::MAX` until locals are assigned.
    Local(u32),
}

/// Where all values are.
pub(super) struct Places {
    of: SecondaryMap<Value, Place>,
    /// For each instruction whose result is claimed: the operand, plus one.
    claims: SecondaryMap<Inst, u32>,
}

impl Places {
    /// All values are nowhere.
    pub fn new(func: &Func<'_>) -> Places {
        Places {
            of: SecondaryMap::with_capacity(func.values.len()),
            claims: SecondaryMap::with_capacity(func.insts.len()),
        }
    }

    /// Where a value is.
    pub fn get(&self, value: Value) -> Place {
        self.of[value]
    }

    /// Says where a value is.
    pub fn set(&mut self, value: Value, place: Place) {
        self.of[value] = place;
    }

    /// The operand that takes an instruction's result from the stack.
    pub fn claimed_by(&self, inst: Inst) -> Option<usize> {
        self.claims[inst].checked_sub(1).map(|operand| operand as usize)
    }

    /// Says which operand takes an instruction's result from the stack.
    pub fn claim(&mut self, inst: Inst, operand: usize) {
        self.claims[inst] = operand as u32 + 1;
    }
}

/// Types of locals. Locals for references are nullable, so that they have a default; only parameters
/// may be otherwise, and keep their local for themselves.
pub(super) struct Classes {
    types: Vec<enc::ValType>,
    /// An index into `types`, for each value in a local.
    pub of: SecondaryMap<Value, u32>,
}

impl Classes {
    /// Finds the types of all values in locals.
    pub fn new(func: &Func<'_>, cx: &EmitContext<'_>, places: &Places) -> Classes {
        let mut classes = Classes { types: vec![enc::ValType::I32], of: func.per_value() };
        for (value, data) in func.values.iter() {
            let is_param = matches!(data.def, ValueDef::Param(region, _) if region == func.body);
            if is_param || matches!(places.get(value), Place::Local(_)) {
                let ty = if is_param { cx.val_type(data.ty) } else { cx.val_type(nullable(data.ty)) };
                classes.of[value] = classes.number(ty);
            }
        }
        classes
    }

    fn number(&mut self, ty: enc::ValType) -> u32 {
        let known = self.types.iter().position(|&known| known == ty);
        known.unwrap_or_else(|| {
            self.types.push(ty);
            self.types.len() - 1
        }) as u32
    }

    fn is_nullable(&self, class: u32) -> bool {
        !matches!(self.types[class as usize], enc::ValType::Ref(enc::RefType { nullable: false, .. }))
    }
}

fn nullable(ty: ValType) -> ValType {
    match ty {
        ValType::Ref(r) => ValType::Ref(r.as_nullable()),
        ty => ty,
    }
}

/// The locals of a function.
pub(super) struct Locals {
    /// Declarations behind the parameters.
    pub declared: Vec<(u32, enc::ValType)>,
    /// For each parameter: its local can not hold null.
    pub non_null: Vec<bool>,
    /// The address of the frame of root slots.
    pub frame: u32,
    /// For an inline allocation: the object, unless its value has a local.
    pub object: u32,
    /// For an inline allocation: the end of the object.
    pub end: u32,
    /// The local or root slot of each variable of a debugger.
    pub vars: Vec<u32>,
}

/// What gets a local: a lone value or a bundle.
struct Item {
    start: u32,
    end: u32,
    class: u32,
    /// The parameter among the values.
    param: Option<u32>,
    local: u32,
}

/// Assigns locals.
///
/// # Errors
///
/// [`Error::TooComplex`] when there are too many.
pub(super) fn assign(
    func: &Func<'_>,
    ranges: &Ranges,
    bundles: &Bundles,
    classes: Classes,
    frame: &FramePlan,
    places: &mut Places,
) -> Result<Locals, Error> {
    let (mut items, item_of) = items(func, ranges, bundles, &classes, places);
    let mut scan = Scan::new(func, &classes, &item_of);
    let mut order: Vec<u32> = (0..items.len() as u32).collect();
    order.sort_unstable_by_key(|&item| (items[item as usize].start, item));
    for item in order {
        scan.place(item, &mut items);
    }
    let scratch = frame.scratch_locals();
    let vars = func.debug.as_ref().map_or(&[][..], |debug| &debug.vars);
    let noted = vars.iter().filter(|kind| !kind.is_moved()).count();
    let total = scan.classes_of.len() + scratch as usize + noted;
    if total > MAX_LOCALS {
        let what = format!("it needs {total} locals, and the most are {MAX_LOCALS}");
        return Err(Error::TooComplex { func: func.index, what });
    }
    let params = func.params().len();
    let (number, mut declared, first_scratch) = declare(&scan.classes_of, params, &classes, scratch);
    for value in func.values.keys() {
        if let (Place::Local(_), Some(item)) = (places.get(value), item_of[value].checked_sub(1)) {
            places.set(value, Place::Local(number[items[item as usize].local as usize]));
        }
    }
    let non_null = func.params().iter().map(|&param| !classes.is_nullable(classes.of[param])).collect();
    let object = first_scratch + u32::from(frame.exists());
    let vars = debug::declare(vars, params as u32, &mut declared);
    Ok(Locals { declared, non_null, frame: first_scratch, object, end: object + 1, vars })
}

/// What needs a local, and for each value the number of its item, plus one.
fn items(
    func: &Func<'_>,
    ranges: &Ranges,
    bundles: &Bundles,
    classes: &Classes,
    places: &Places,
) -> (Vec<Item>, SecondaryMap<Value, u32>) {
    let mut items: Vec<Item> = Vec::new();
    let mut item_of = SecondaryMap::with_capacity(func.values.len());
    let mut of_bundle = vec![0; bundles.len()];
    for (value, data) in func.values.iter() {
        if !matches!(places.get(value), Place::Local(_)) {
            continue;
        }
        let bundle = bundles.find(value);
        let known = bundle.map_or(0, |bundle| of_bundle[bundle as usize]);
        let item = if known > 0 {
            known
        } else {
            let range = ranges.of[value];
            let (start, end) = bundle.map_or((range.start, range.end), |bundle| bundles.hull(bundle));
            items.push(Item { start, end, class: classes.of[value], param: None, local: 0 });
            items.len() as u32
        };
        if let Some(bundle) = bundle {
            of_bundle[bundle as usize] = item;
        }
        if let ValueDef::Param(region, n) = data.def
            && region == func.body
        {
            items[item as usize - 1].param = Some(n);
        }
        item_of[value] = item;
    }
    (items, item_of)
}

struct Scan {
    /// The class of each local so far.
    classes_of: Vec<u32>,
    /// For each class: locals that are free, lowest first.
    free: Vec<BinaryHeap<Reverse<u32>>>,
    /// Where a local becomes free, by item.
    active: BinaryHeap<Reverse<(u32, u32)>>,
}

impl Scan {
    fn new(func: &Func<'_>, classes: &Classes, item_of: &SecondaryMap<Value, u32>) -> Scan {
        let mut free = vec![BinaryHeap::new(); classes.types.len()];
        let classes_of: Vec<u32> = func.params().iter().map(|&param| classes.of[param]).collect();
        for (n, &param) in func.params().iter().enumerate() {
            if item_of[param] == 0 {
                free[classes.of[param] as usize].push(Reverse(n as u32));
            }
        }
        Scan { classes_of, free, active: BinaryHeap::new() }
    }

    fn place(&mut self, at: u32, items: &mut [Item]) {
        let Item { start, end, class, param, .. } = items[at as usize];
        while let Some(&Reverse((ended, item))) = self.active.peek()
            && ended <= start
        {
            self.active.pop();
            let Item { class, local, .. } = items[item as usize];
            self.free[class as usize].push(Reverse(local));
        }
        let local = match param {
            Some(n) => n,
            None => self.take(class),
        };
        items[at as usize].local = local;
        self.active.push(Reverse((end, at)));
    }

    fn take(&mut self, class: u32) -> u32 {
        if let Some(Reverse(local)) = self.free[class as usize].pop() {
            return local;
        }
        self.classes_of.push(class);
        self.classes_of.len() as u32 - 1
    }
}

/// Numbers the locals so that those of one type follow one another, `scratch` more of type `i32` at
/// the end of the `i32`s. Returns the new numbers, the declarations, and the first of the `scratch`.
fn declare(
    classes_of: &[u32],
    params: usize,
    classes: &Classes,
    scratch: u32,
) -> (Vec<u32>, Vec<(u32, enc::ValType)>, u32) {
    let mut counts = vec![0; classes.types.len()];
    classes_of.iter().skip(params).for_each(|&class| counts[class as usize] += 1);
    let i32s: u32 = counts[0];
    counts[0] += scratch;
    let mut next = Vec::with_capacity(counts.len());
    let mut sum = params as u32;
    for count in &counts {
        next.push(sum);
        sum += count;
    }
    let number = classes_of.iter().enumerate().map(|(local, &class)| {
        if local < params {
            return local as u32;
        }
        let number = next[class as usize];
        next[class as usize] += 1;
        number
    });
    let number = number.collect();
    let declared = counts.into_iter().zip(&classes.types).filter(|&(count, _)| count > 0).map(|(c, &ty)| (c, ty));
    (number, declared.collect(), params as u32 + i32s)
}
