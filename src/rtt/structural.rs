//! Types as the dialect compares them: by structure, however deep, and cycles included (equirecursion).
//!
//! 1. The definitions of a module are split into classes until no class can be split: then two are in one class
//!    exactly when their infinite unfoldings are equal (partition refinement, as for finite automata).
//! 2. Each class gets a digest that depends on nothing but its unfolding, so that equal types of two modules have
//!    equal digests. It is made component by component of the graph of references, those that are referred to first:
//!    within a component the classes are told apart by hashing in rounds, put in order by that, and then the whole
//!    component is written down.
//! 3. Subtyping is coinductive: what is assumed while it is asked holds unless it is refuted.
//!
//! Everything is bounded by a budget of steps; a module beyond it is refused.
//!
//! Source: the GC proposal of May 2021; R. Amadio, L. Cardelli, "Subtyping recursive types" (1993).

use super::ast::{Def, Field, Heap, Sig, Storage, Val};
use crate::fault::{Error, Result};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

/// Steps that a module's types may take.
const BUDGET: u64 = 6_000_000;

/// Steps that all questions about subtypes of a module may take together.
const SUBTYPE_BUDGET: u64 = 10_000_000;

/// The types of a module by class. Definitions refer to classes, not to indices.
#[derive(Debug)]
pub struct Structural {
    /// By type index.
    pub class_of: Vec<u32>,
    /// By class.
    pub defs: Vec<Def>,
    /// By class.
    pub digests: Vec<[u8; 32]>,
    known: Mutex<Known>,
}

/// Answers so far.
#[derive(Debug, Default)]
struct Known {
    below: HashSet<(u32, u32)>,
    apart: HashSet<(u32, u32)>,
    spent: u64,
}

impl Structural {
    /// Finds the classes of a module's types, which are the first `own`; what was added behind them refers to these as well.
    ///
    /// # Errors
    ///
    /// `Invalid` for a type that does not exist, `TooComplex` beyond the budget.
    pub fn new(types: &[(Def, usize)], own: usize) -> Result<Structural> {
        let count = own as u32;
        for (def, at) in types {
            let mut unknown = None;
            references(def, |index| unknown = unknown.or((index >= count).then_some(index)));
            if let Some(index) = unknown {
                return Err(Error::Invalid { offset: *at, message: format!("unknown type {index}") });
            }
        }
        let mut budget = Budget(BUDGET);
        let class_of = partition(types, &mut budget)?;
        let classes = class_of.iter().max().map_or(0, |&max| max + 1);
        let mut defs: Vec<Option<Def>> = vec![None; classes as usize];
        for ((def, _), &class) in types.iter().zip(&class_of) {
            defs[class as usize].get_or_insert_with(|| map(def, &|index| class_of[index as usize]));
        }
        let defs: Vec<Def> = defs.into_iter().flatten().collect();
        let digests = digests(&defs, &mut budget)?;
        Ok(Structural { class_of, defs, digests, known: Mutex::default() })
    }

    /// `sub <: sup` for heap types over classes.
    pub fn is_sub(&self, sub: Heap, sup: Heap) -> bool {
        let mut known = match self.known.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        let mut asked = HashSet::new();
        let mut work = Vec::new();
        if !self.step(sub, sup, &mut work) {
            return false;
        }
        while let Some(pair) = work.pop() {
            if known.below.contains(&pair) || !asked.insert(pair) {
                continue;
            }
            known.spent += 1;
            let before = work.len();
            let (Some(a), Some(b)) = (self.defs.get(pair.0 as usize), self.defs.get(pair.1 as usize)) else {
                return false;
            };
            if known.spent > SUBTYPE_BUDGET || known.apart.contains(&pair) || !self.below(a, b, &mut work) {
                known.apart.insert(pair);
                if let (Heap::Type(sub), Heap::Type(sup)) = (sub, sup) {
                    known.apart.insert((sub, sup));
                }
                return false;
            }
            known.spent += (work.len() - before) as u64;
        }
        known.below.extend(asked);
        true
    }

    /// The same for value types.
    pub fn is_sub_val(&self, sub: Val, sup: Val) -> bool {
        match (sub, sup) {
            (Val::Ref(a_null, a), Val::Ref(b_null, b)) => (!a_null || b_null) && self.is_sub(a, b),
            _ => sub == sup,
        }
    }

    /// Whether heap types match as far as can be seen; pairs of classes that must match go to `work`.
    fn step(&self, sub: Heap, sup: Heap, work: &mut Vec<(u32, u32)>) -> bool {
        use Heap as H;
        if sub == sup || sup == H::Any {
            return true;
        }
        let composite = |class: u32| self.defs.get(class as usize);
        match (sub, sup) {
            (H::Type(a), H::Type(b)) => {
                work.push((a, b));
                true
            }
            (H::Type(class), _) => match composite(class) {
                Some(Def::Struct(_) | Def::Array(_)) => matches!(sup, H::Eq | H::Data),
                Some(Def::Func(_)) => sup == H::Func,
                Some(&Def::Import { bound, .. }) => self.bound_below(bound, sup),
                None => false,
            },
            (H::I31 | H::Data | H::Rtt(..), H::Eq) => true,
            (H::Rtt(_, a), H::Rtt(None, b)) => a == b,
            _ => false,
        }
    }

    /// Whether the bound of an imported type is below an abstract type. Bounds may be imported types again.
    fn bound_below(&self, mut bound: Heap, sup: Heap) -> bool {
        for _ in 0..=self.defs.len() {
            match bound {
                Heap::Type(class) => match self.defs.get(class as usize) {
                    Some(&Def::Import { bound: next, .. }) => bound = next,
                    Some(_) => return self.step(bound, sup, &mut Vec::new()),
                    None => return false,
                },
                _ => return self.step(bound, sup, &mut Vec::new()),
            }
        }
        false
    }

    /// Whether a definition is below another, given what goes to `work`.
    fn below(&self, a: &Def, b: &Def, work: &mut Vec<(u32, u32)>) -> bool {
        if a == b {
            return true;
        }
        match (a, b) {
            (Def::Struct(a), Def::Struct(b)) => {
                a.len() >= b.len() && a.iter().zip(b).all(|(a, b)| self.field_below(*a, *b, work))
            }
            (Def::Array(a), Def::Array(b)) => self.field_below(*a, *b, work),
            // What is imported is below its bound and all above that.
            (Def::Import { bound: Heap::Type(bound), .. }, _) => match self.defs.get(*bound as usize) {
                Some(bound) => bound == b || self.below_again(bound, b, work),
                None => false,
            },
            // Functions only match when they are equal: so the interpreter of the time has it.
            _ => false,
        }
    }

    fn below_again<'t>(&'t self, mut a: &'t Def, b: &Def, work: &mut Vec<(u32, u32)>) -> bool {
        for _ in 0..=self.defs.len() {
            match a {
                _ if a == b => return true,
                Def::Import { bound: Heap::Type(next), .. } => match self.defs.get(*next as usize) {
                    Some(next) => a = next,
                    None => return false,
                },
                Def::Import { .. } => return false,
                _ => return self.below(a, b, work),
            }
        }
        false
    }

    fn field_below(&self, a: Field, b: Field, work: &mut Vec<(u32, u32)>) -> bool {
        if a.mutable || b.mutable {
            return a == b;
        }
        match (a.storage, b.storage) {
            (Storage::Val(Val::Ref(a_null, a)), Storage::Val(Val::Ref(b_null, b))) => {
                (!a_null || b_null) && self.step(a, b, work)
            }
            (a, b) => a == b,
        }
    }
}

struct Budget(u64);

impl Budget {
    fn spend(&mut self, steps: u64) -> Result<()> {
        match self.0.checked_sub(steps) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(Error::TooComplex {
                func: 0,
                what: "its recursive types take too long to compare; use fewer or smaller cycles".to_string(),
            }),
        }
    }
}

/// Calls `each` with every type index in a definition.
pub fn references(def: &Def, mut each: impl FnMut(u32)) {
    map_ref(def, &mut |index| {
        each(index);
        index
    });
}

/// The definition with other indices.
pub fn map(def: &Def, to: &impl Fn(u32) -> u32) -> Def {
    map_ref(def, &mut |index| to(index))
}

/// A heap type with another index.
pub fn map_heap(heap: Heap, to: &mut impl FnMut(u32) -> u32) -> Heap {
    match heap {
        Heap::Type(index) => Heap::Type(to(index)),
        Heap::Rtt(depth, Some(index)) => Heap::Rtt(depth, Some(to(index))),
        heap => heap,
    }
}

/// A value type with another index.
pub fn map_val(val: Val, to: &mut impl FnMut(u32) -> u32) -> Val {
    match val {
        Val::Ref(null, heap) => Val::Ref(null, map_heap(heap, to)),
        val => val,
    }
}

fn map_ref(def: &Def, to: &mut impl FnMut(u32) -> u32) -> Def {
    let field = |field: &Field, to: &mut dyn FnMut(u32) -> u32| Field {
        storage: match field.storage {
            Storage::Val(val) => Storage::Val(map_val(val, &mut |index| to(index))),
            packed => packed,
        },
        ..*field
    };
    match def {
        Def::Struct(fields) => Def::Struct(fields.iter().map(|f| field(f, to)).collect()),
        Def::Array(elem) => Def::Array(field(elem, to)),
        Def::Func(Sig { params, results }) => Def::Func(Sig {
            params: params.iter().map(|&val| map_val(val, to)).collect(),
            results: results.iter().map(|&val| map_val(val, to)).collect(),
        }),
        Def::Import { module, name, exact, bound } => {
            Def::Import { module: module.clone(), name: name.clone(), exact: *exact, bound: map_heap(*bound, to) }
        }
    }
}

/// The class of each type: the coarsest split that agrees with the definitions.
fn partition(types: &[(Def, usize)], budget: &mut Budget) -> Result<Vec<u32>> {
    let size: u64 = types.iter().map(|(def, _)| tokens(def)).sum();
    let mut class = vec![0u32; types.len()];
    let mut count = 0;
    loop {
        budget.spend(size + 1)?;
        let mut classes: HashMap<(u32, Def), u32> = HashMap::new();
        let mut next = Vec::with_capacity(types.len());
        for (n, (def, _)) in types.iter().enumerate() {
            let fresh = classes.len() as u32;
            let key = (class[n], map(def, &|index| class[index as usize]));
            next.push(*classes.entry(key).or_insert(fresh));
        }
        class = next;
        if classes.len() == count {
            return Ok(class);
        }
        count = classes.len();
    }
}

/// How long a definition is.
fn tokens(def: &Def) -> u64 {
    1 + match def {
        Def::Struct(fields) => fields.len() as u64,
        Def::Func(sig) => (sig.params.len() + sig.results.len()) as u64,
        _ => 1,
    }
}

fn digests(defs: &[Def], budget: &mut Budget) -> Result<Vec<[u8; 32]>> {
    let edges = |class: u32| {
        let mut out = Vec::new();
        references(&defs[class as usize], |to| out.push(to));
        out
    };
    let mut digests = vec![[0; 32]; defs.len()];
    for component in components(defs.len() as u32, edges) {
        component_digests(defs, &component, &mut digests, budget)?;
    }
    Ok(digests)
}

/// What a definition says where references within the component are `inner`, and others digests.
fn write(def: &Def, hash: &mut Sha256, inner: &HashMap<u32, Vec<u8>>, digests: &[[u8; 32]]) {
    let mut said = Vec::new();
    references(def, |class| match inner.get(&class) {
        Some(bytes) => {
            said.push(b'i');
            said.extend_from_slice(bytes);
        }
        None => {
            said.push(b'o');
            said.extend_from_slice(&digests[class as usize]);
        }
    });
    // The rendering spells everything but the classes, which follow in the same order.
    let shape = format!("{:?}", map(def, &|_| 0));
    hash.update((shape.len() as u64).to_le_bytes());
    hash.update(shape);
    hash.update((said.len() as u64).to_le_bytes());
    hash.update(said);
}

fn component_digests(defs: &[Def], component: &[u32], digests: &mut [[u8; 32]], budget: &mut Budget) -> Result<()> {
    let size: u64 = component.iter().map(|&class| tokens(&defs[class as usize])).sum();
    let mut marks: HashMap<u32, Vec<u8>> = component.iter().map(|&class| (class, Vec::new())).collect();
    let mut told_apart = 0;
    loop {
        // A digest costs as much as some hundred comparisons.
        budget.spend(20 * size + 1)?;
        let round = |&class: &u32| {
            let mut hash = Sha256::new();
            write(&defs[class as usize], &mut hash, &marks, digests);
            (class, hash.finalize().to_vec())
        };
        let next: HashMap<u32, Vec<u8>> = component.iter().map(round).collect();
        let different = next.values().collect::<HashSet<_>>().len();
        marks = next;
        if different == component.len() || different == told_apart {
            break;
        }
        told_apart = different;
    }
    let mut order = component.to_vec();
    order.sort_by(|a, b| marks[a].cmp(&marks[b]));
    let ranks: HashMap<u32, Vec<u8>> =
        (0u32..).zip(&order).map(|(rank, &class)| (class, rank.to_le_bytes().to_vec())).collect();
    let mut whole = Sha256::new();
    whole.update(b"wasmtime-gc rtt component");
    for &class in &order {
        write(&defs[class as usize], &mut whole, &ranks, digests);
    }
    let whole = whole.finalize();
    for (class, rank) in &ranks {
        digests[*class as usize] = Sha256::new().chain_update(whole).chain_update(rank).finalize().into();
    }
    Ok(())
}

/// The strongly connected components of a graph, those that are led to first (Tarjan 1972, without recursion).
pub fn components(count: u32, edges: impl Fn(u32) -> Vec<u32>) -> Vec<Vec<u32>> {
    const NONE: u32 = u32::MAX;
    let (mut index, mut low) = (vec![NONE; count as usize], vec![0; count as usize]);
    let mut on_stack = vec![false; count as usize];
    let (mut stack, mut out, mut next) = (Vec::new(), Vec::new(), 0);
    for root in 0..count {
        if index[root as usize] != NONE {
            continue;
        }
        let mut work: Vec<(u32, Vec<u32>)> = vec![(root, edges(root))];
        (index[root as usize], low[root as usize]) = (next, next);
        next += 1;
        stack.push(root);
        on_stack[root as usize] = true;
        while let Some((node, rest)) = work.last_mut() {
            let node = *node as usize;
            if let Some(to) = rest.pop() {
                let at = to as usize;
                if index[at] == NONE {
                    (index[at], low[at]) = (next, next);
                    next += 1;
                    stack.push(to);
                    on_stack[at] = true;
                    work.push((to, edges(to)));
                } else if on_stack[at] {
                    low[node] = low[node].min(index[at]);
                }
                continue;
            }
            work.pop();
            if let Some((parent, _)) = work.last() {
                let parent = *parent as usize;
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == index[node] {
                let mut component = Vec::new();
                while let Some(top) = stack.pop() {
                    on_stack[top as usize] = false;
                    component.push(top);
                    if top as usize == node {
                        break;
                    }
                }
                out.push(component);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn immutable(heap: Heap) -> Field {
        Field { storage: Storage::Val(Val::Ref(false, heap)), mutable: false }
    }

    fn number() -> Field {
        Field { storage: Storage::Val(Val::I32), mutable: true }
    }

    fn types(defs: &[Def]) -> Structural {
        let all: Vec<_> = defs.iter().map(|def| (def.clone(), 0)).collect();
        Structural::new(&all, all.len()).unwrap()
    }

    #[test]
    fn cycles_of_different_length_are_one_type() {
        let list = |to| Def::Struct(vec![number(), immutable(Heap::Type(to))]);
        let types = types(&[list(0), list(2), list(1), Def::Struct(vec![number()])]);
        assert_eq!(types.class_of[..3], [types.class_of[0]; 3]);
        assert_ne!(types.class_of[0], types.class_of[3]);
    }

    #[test]
    fn digests_are_those_of_the_unfolding() {
        let list = |to| Def::Struct(vec![number(), immutable(Heap::Type(to))]);
        let one = types(&[list(0)]);
        let other = types(&[Def::Array(number()), list(2), list(1)]);
        assert_eq!(one.digests[0], other.digests[other.class_of[1] as usize]);
        // Two types that refer to each other, in either order.
        let pair = |a: u32, b: u32| [Def::Struct(vec![immutable(Heap::Type(b))]), Def::Array(immutable(Heap::Type(a)))];
        let [s, a] = pair(0, 1);
        let there = types(&[s, a]);
        let [s, a] = pair(1, 0);
        let back = types(&[a, s]);
        assert_eq!(there.digests[0], back.digests[back.class_of[1] as usize]);
        assert_ne!(there.digests[0], there.digests[1]);
    }

    #[test]
    fn subtyping_has_width_and_depth() {
        let types = types(&[
            Def::Struct(vec![]),
            Def::Struct(vec![immutable(Heap::Any)]),
            Def::Struct(vec![immutable(Heap::Type(1)), number()]),
            Def::Struct(vec![Field { mutable: true, ..immutable(Heap::Type(1)) }]),
        ]);
        let sub = |a: usize, b: usize| types.is_sub(Heap::Type(types.class_of[a]), Heap::Type(types.class_of[b]));
        assert!(sub(1, 0) && sub(2, 1) && sub(2, 0) && sub(3, 0));
        assert!(!sub(3, 1) && !sub(0, 1) && !sub(1, 2));
        assert!(types.is_sub(Heap::Rtt(Some(3), Some(0)), Heap::Rtt(None, Some(0))));
        assert!(!types.is_sub(Heap::Rtt(Some(3), Some(0)), Heap::Rtt(Some(2), Some(0))));
        assert!(types.is_sub(Heap::Func, Heap::Any) && !types.is_sub(Heap::Func, Heap::Eq));
    }

    #[test]
    fn a_hostile_cycle_is_refused_and_not_waited_for() {
        let count = if cfg!(debug_assertions) { 20_000 } else { 100_000 };
        let link = |n: u32| Def::Struct(vec![immutable(Heap::Type((n + 1) % count))]);
        let mut defs: Vec<_> = (0..count).map(|n| (link(n), 0)).collect();
        defs[0].0 = Def::Struct(vec![immutable(Heap::Type(1)), number()]);
        assert!(matches!(Structural::new(&defs, defs.len()), Err(Error::TooComplex { .. })));
    }
}
