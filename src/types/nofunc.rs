//! Results of functions where there is no `nofunc`, as in lowered code.
//!
//! The only value of `nofunc` is null, so that any function type may stand for it. A function type must still match its
//! supertype; so what stands for it is what the supertype has in its place, and `func` where that has it too, or where
//! there is no supertype. (Optimisers write such results: a method that gives no function but null overrides one that
//! may.)

use super::{CompositeType, HeapType, RefType, TypeId, TypeTable, ValType};

impl TypeTable {
    /// The results of a function type, without `nofunc`. None for other types.
    pub fn results_without_nofunc(&self, id: TypeId) -> Vec<ValType> {
        // From the type up to the first that does not have it, as types are 64 deep at most.
        let mut chain = vec![];
        let mut at = Some(id);
        while let Some(id) = at {
            let def = self.def(id);
            let CompositeType::Func(func) = &def.sub.composite else { break };
            chain.push(&func.results);
            at = def.sub.supertype.filter(|_| func.results.iter().any(is_nofunc));
        }
        let mut above: Vec<ValType> = vec![];
        for results in chain.into_iter().rev() {
            above = results.iter().enumerate().map(|(n, &ty)| below(ty, above.get(n).copied())).collect();
        }
        above
    }
}

fn is_nofunc(ty: &ValType) -> bool {
    ty.as_ref().is_some_and(|r| r.heap == HeapType::NoFunc)
}

/// A result, where the supertype has another, if there is one.
fn below(ty: ValType, above: Option<ValType>) -> ValType {
    let ValType::Ref(own) = ty else { return ty };
    if own.heap != HeapType::NoFunc {
        return ty;
    }
    let above = above.and_then(|ty| ty.as_ref()).unwrap_or(RefType::new(true, HeapType::Func));
    ValType::Ref(RefType { nullable: own.nullable, ..above })
}
