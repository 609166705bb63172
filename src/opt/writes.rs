//! What instructions, loops and calls write: which fields, elements, globals and tables may hold something else behind them.
//!
//! The *class* of a field is the topmost supertype that has it, and its index: objects whose types are not
//! related have no field in common. All elements of arrays of a type, its supertypes and subtypes are one class, and so are
//! globals that are imported and can be written, which may be one and the same, and the elements of all tables.
//!
//! What a call writes is known from its callee and what that calls in turn ([`Calls`]). An import, or a call
//! through a reference, writes everything: the host may call back. Allocation writes nothing.

use super::scope::{GlobalKind, Scope};
use crate::ir::{ArrayOp, Callee, Func, GlobalOp, Inst, Op, StructOp, TableOp, effects, loops};
use crate::types::{CompositeType, FieldType, TypeId, TypeTable};
use foldhash::{HashMap, HashMapExt, HashSet};

/// What writes more classes than this is taken to write all.
const MAX_CLASSES: usize = 24;

/// What may be the same place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// The topmost type that has a field, and its index.
    Field(TypeId, u32),
    /// A global of this module.
    Global(u32),
    /// Globals that are imported.
    Imported,
    /// Elements of arrays, by the topmost type.
    Elements(TypeId),
    /// Elements of tables.
    Tables,
}

/// A field of a struct type.
pub fn field(types: &TypeTable, ty: TypeId, field: u32) -> Option<FieldType> {
    match &types.def(ty).sub.composite {
        CompositeType::Struct(fields) => fields.get(field as usize).copied(),
        _ => None,
    }
}

/// The class of a field.
pub fn field_class(types: &TypeTable, ty: TypeId, index: u32) -> Class {
    let display = &types.def(ty).display;
    let top = display.iter().copied().find(|&ancestor| field(types, ancestor, index).is_some());
    Class::Field(top.unwrap_or(ty), index)
}

/// The class of an array's elements.
pub fn elements_class(types: &TypeTable, ty: TypeId) -> Class {
    Class::Elements(types.def(ty).display.first().copied().unwrap_or(ty))
}

/// The class of a global, if what it holds is tracked.
pub fn global_class(scope: Scope<'_>, index: u32) -> Option<Class> {
    match scope.global(index) {
        GlobalKind::Native => None,
        GlobalKind::Constant | GlobalKind::Own => Some(Class::Global(index)),
        GlobalKind::Imported => Some(Class::Imported),
    }
}

/// Which fields are written at all, anywhere in a module. Compilers declare fields mutable that they never write, as those of
/// closures.
#[derive(Debug, Default)]
pub struct Written(Option<HashSet<Class>>);

impl Written {
    /// In a module that no reference enters or leaves, of functions with these sets.
    pub fn only(sets: impl IntoIterator<Item = HashSet<Class>>) -> Written {
        Written(Some(sets.into_iter().flatten().collect()))
    }

    /// Whether fields of a class may be written.
    pub fn has(&self, class: Class) -> bool {
        self.0.as_ref().is_none_or(|classes| classes.contains(&class))
    }

    /// The fields that a function writes.
    pub fn by(func: &Func<'_>, types: &TypeTable) -> HashSet<Class> {
        let class = |op: &Op<'_>| match op {
            Op::Struct(StructOp::Set { ty, field }) => Some(field_class(types, *ty, *field)),
            _ => None,
        };
        func.insts.values().filter_map(|inst| class(&inst.op)).collect()
    }
}

/// A set of classes.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Writes {
    /// Whether it is all of them.
    pub everything: bool,
    /// Else, which.
    pub classes: Vec<Class>,
}

impl Writes {
    /// All classes.
    pub fn everything() -> Writes {
        Writes { everything: true, classes: Vec::new() }
    }

    /// One class.
    pub fn one(class: Class) -> Writes {
        Writes { everything: false, classes: vec![class] }
    }

    /// Whether a class is in the set.
    pub fn has(&self, class: Class) -> bool {
        self.everything || self.classes.contains(&class)
    }

    /// Adds a class.
    pub fn add(&mut self, class: Class) {
        if !self.has(class) {
            self.classes.push(class);
            self.everything = self.classes.len() > MAX_CLASSES;
        }
    }

    /// Adds a set. Whether there is more than before.
    pub fn add_all(&mut self, other: &Writes) -> bool {
        let before = (self.everything, self.classes.len());
        self.everything |= other.everything;
        other.classes.iter().for_each(|&class| self.add(class));
        before != (self.everything, self.classes.len())
    }
}

/// What an instruction writes.
pub fn writes(op: &Op<'_>, scope: Scope<'_>) -> Writes {
    match op {
        Op::Struct(StructOp::Set { ty, field }) => Writes::one(field_class(scope.types, *ty, *field)),
        Op::Global(GlobalOp::Set(global)) => {
            Writes { everything: false, classes: global_class(scope, *global).into_iter().collect() }
        }
        Op::Call(Callee::Func(callee)) => scope.calls.of(*callee).cloned().unwrap_or_else(Writes::everything),
        Op::Array(
            ArrayOp::Set(ty)
            | ArrayOp::Fill(ty)
            | ArrayOp::Copy { dst: ty, .. }
            | ArrayOp::InitData { ty, .. }
            | ArrayOp::InitElem { ty, .. },
        ) => Writes::one(elements_class(scope.types, *ty)),
        Op::Array(_) => Writes::default(),
        Op::Table(TableOp::Get(_) | TableOp::Size(_) | TableOp::ElemDrop(_)) => Writes::default(),
        Op::Table(_) => Writes::one(Class::Tables),
        op => Writes { everything: effects(op).writes_heap, classes: Vec::new() },
    }
}

/// What each loop of a function writes, anywhere in it.
pub fn loop_writes(func: &Func<'_>, scope: Scope<'_>) -> HashMap<Inst, Writes> {
    let mut found = HashMap::new();
    let visit = |around: &mut Writes, inst| {
        around.add_all(&writes(&func.insts[inst].op, scope));
    };
    loops::gather(func, visit, |inst, inner, outer| {
        outer.add_all(&inner);
        found.insert(inst, inner);
    });
    found
}

/// What one function writes by itself, and whom it calls.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What it writes.
    pub writes: Writes,
    /// Functions that it calls.
    pub callees: Vec<u32>,
}

impl Summary {
    /// Of a function that may do anything: an import.
    pub fn unknown() -> Summary {
        Summary { writes: Writes::everything(), callees: Vec::new() }
    }

    /// Of a function that writes nothing by itself.
    pub fn of_callees(callees: Vec<u32>) -> Summary {
        Summary { writes: Writes::default(), callees }
    }

    /// Of a function that is IR.
    pub fn of(func: &Func<'_>, scope: Scope<'_>) -> Summary {
        let mut out = Summary { writes: Writes::default(), callees: Vec::new() };
        for inst in func.insts.values() {
            match &inst.op {
                Op::Call(Callee::Func(callee)) | Op::ReturnCall(Callee::Func(callee)) => out.callees.push(*callee),
                op => {
                    out.writes.add_all(&writes(op, scope));
                }
            }
        }
        out.callees.sort_unstable();
        out.callees.dedup();
        out
    }
}

/// What the functions of a module write, by index, with all that they call.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    funcs: Vec<Writes>,
}

impl Calls {
    /// Solves for all functions of a module, imported ones included. A callee that is not given writes everything.
    pub fn solve(summaries: Vec<Summary>) -> Calls {
        let mut callers: Vec<Vec<u32>> = vec![Vec::new(); summaries.len()];
        let mut funcs = Vec::with_capacity(summaries.len());
        for (caller, summary) in (0u32..).zip(summaries) {
            let mut writes = summary.writes;
            for callee in summary.callees {
                match callers.get_mut(callee as usize) {
                    Some(of) => of.push(caller),
                    None => writes = Writes::everything(),
                }
            }
            funcs.push(writes);
        }
        // Sets only grow, and each at most `MAX_CLASSES` times.
        let mut work: Vec<u32> = (0..funcs.len() as u32).collect();
        while let Some(callee) = work.pop() {
            let writes = funcs[callee as usize].clone();
            for &caller in &callers[callee as usize] {
                if funcs[caller as usize].add_all(&writes) {
                    work.push(caller);
                }
            }
        }
        Calls { funcs }
    }

    /// What a function writes, if that is not everything.
    pub fn of(&self, func: u32) -> Option<&Writes> {
        self.funcs.get(func as usize).filter(|writes| !writes.everything)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(classes: &[u32], callees: &[u32]) -> Summary {
        let classes = classes.iter().map(|&global| Class::Global(global)).collect();
        Summary { writes: Writes { everything: false, classes }, callees: callees.to_vec() }
    }

    #[test]
    fn writes_spread_to_callers_through_cycles() {
        // 0 is imported; 1 and 2 call each other; 3 calls 1; 4 calls 0; 5 calls what nobody described.
        let all = vec![
            Summary::unknown(),
            summary(&[1], &[2]),
            summary(&[2], &[1]),
            summary(&[], &[1]),
            summary(&[], &[0]),
            summary(&[], &[9]),
        ];
        let calls = Calls::solve(all);
        for func in 1..4 {
            let writes = calls.of(func).unwrap();
            assert!(writes.has(Class::Global(1)) && writes.has(Class::Global(2)) && !writes.has(Class::Imported));
        }
        assert!([0, 4, 5, 6].iter().all(|&func| calls.of(func).is_none()));
    }

    #[test]
    fn many_classes_are_all() {
        let all: Vec<u32> = (0..40).collect();
        let half = summary(&all[..20], &[1]);
        let calls = Calls::solve(vec![half, summary(&all[20..], &[])]);
        assert!(calls.of(0).is_none() && calls.of(1).is_some());
    }
}
