//! The lattice of reference types, as far as the optimiser needs it.
//!
//! A type stands for the set of references that have it. `meet` is what is left when two types are
//! both known; the meet of types that exclude each other is a bottom type. `join` covers both of two
//! types. Both may be less precise than the sets themselves, never more.

use crate::types::{HeapType, RefType, TypeTable};

/// A type of everything that has both types.
pub fn meet(types: &TypeTable, a: RefType, b: RefType) -> RefType {
    let nullable = a.nullable && b.nullable;
    let (heap, exact) = if a.heap.top() != b.heap.top() {
        // Never asked of one object; keep what is there.
        (a.heap, a.exact)
    } else if a.heap == b.heap {
        (a.heap, a.exact || b.exact)
    } else if types.is_sub_heap(a.heap, b.heap) {
        below(a, b)
    } else if types.is_sub_heap(b.heap, a.heap) {
        below(b, a)
    } else {
        (a.heap.bottom(), false)
    };
    RefType { nullable, exact: exact && !heap.is_bottom(), heap }
}

/// The meet of two types when the first's heap type is a proper subtype of the second's.
fn below(sub: RefType, sup: RefType) -> (HeapType, bool) {
    match (sup.exact, sup.heap, sub.heap) {
        (false, ..) => (sub.heap, sub.exact),
        // Whatever is no i31.
        (true, HeapType::Eq, heap) if heap != HeapType::I31 => (heap, sub.exact),
        _ => (sub.heap.bottom(), false),
    }
}

/// A type of everything that has one of the types, if there is one among them.
pub fn join(types: &TypeTable, a: RefType, b: RefType) -> Option<RefType> {
    let nullable = a.nullable || b.nullable;
    let (heap, exact) = if a.heap == b.heap {
        (a.heap, a.exact && b.exact)
    } else if a.heap == b.heap.bottom() {
        (b.heap, b.exact)
    } else if b.heap == a.heap.bottom() {
        (a.heap, a.exact)
    } else if types.is_sub_heap(a.heap, b.heap) {
        (b.heap, false)
    } else if types.is_sub_heap(b.heap, a.heap) {
        (a.heap, false)
    } else {
        return None;
    };
    Some(RefType { nullable, exact, heap })
}

/// Whether every reference of this type is null.
pub fn is_null(ty: RefType) -> bool {
    ty.heap.is_bottom()
}

/// The type of null in the hierarchy of a type.
pub fn null(ty: RefType) -> RefType {
    RefType::new(true, ty.heap.bottom())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opt::tests::world;

    #[test]
    fn exact_types_exclude_subtypes() {
        let world = world();
        let (base, sub) = (RefType::new(true, world.base), RefType::new(false, world.sub));
        let exact = RefType { exact: true, ..base };
        assert_eq!(meet(&world.types, base, sub), sub);
        assert!(is_null(meet(&world.types, exact, sub)));
        assert_eq!(meet(&world.types, exact, base), exact);
        assert_eq!(join(&world.types, exact, sub), Some(base));
        assert_eq!(join(&world.types, exact, null(base)), Some(exact));
        let i31 = RefType::new(true, HeapType::I31);
        assert_eq!(join(&world.types, i31, base), None);
        assert_eq!(meet(&world.types, i31, base), null(base));
        // Exact, `eq` has no i31.
        let eq = RefType { exact: true, ..RefType::new(true, HeapType::Eq) };
        assert_eq!(meet(&world.types, eq, i31), null(base));
        assert_eq!([meet(&world.types, eq, sub), meet(&world.types, eq, exact)], [sub, exact]);
        assert_eq!(meet(&world.types, eq, RefType::new(true, HeapType::Any)), eq);
        assert_eq!(join(&world.types, eq, i31), Some(RefType::new(true, HeapType::Eq)));
    }
}
