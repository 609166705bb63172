//! Subtyping between heap, reference and value types (Wasm 3.0, section 3.3).

use super::rec_group::{CompositeType, FuncType};
use super::registry::{TypeDef, TypeRegistry};
use super::val_type::{CompositeKind, HeapTop, HeapType, RefType, TypeId, ValType};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The canonical definitions that one module can name, for look-ups without a lock.
#[derive(Clone, Debug, Default)]
pub struct TypeTable {
    by_index: Vec<TypeId>,
    defs: HashMap<TypeId, Arc<TypeDef>>,
    /// What a reference to the type at an index is taken for, where that is not the type itself.
    views: HashMap<u32, HeapType>,
    /// Definitions that were replaced.
    shown: HashMap<TypeId, Arc<TypeDef>>,
}

impl TypeTable {
    /// A table over a module's type section, given the canonical id of each index.
    pub fn new(registry: &TypeRegistry, by_index: Vec<TypeId>) -> TypeTable {
        let defs = by_index.iter().filter_map(|&id| Some((id, registry.get(id)?))).collect();
        TypeTable { by_index, defs, views: HashMap::new(), shown: HashMap::new() }
    }

    /// A table over a function type and the function types that it refers to, with their whole groups; none is in front of what it
    /// refers to.
    pub fn of_func(registry: &TypeRegistry, id: TypeId) -> TypeTable {
        let mut found = BTreeSet::new();
        let mut todo = vec![id];
        while let Some(def) = todo.pop().and_then(|id| registry.get(id)) {
            let start = def.group_start();
            if !found.insert(start) {
                continue;
            }
            for member in (0..def.group_len).filter_map(|n| registry.get(TypeId(start.0 + n))) {
                let CompositeType::Func(sig) = &member.sub.composite else { continue };
                let heaps = sig.params.iter().chain(&sig.results).filter_map(|ty| Some(ty.as_ref()?.heap));
                let funcs = heaps.filter_map(|heap| match heap {
                    HeapType::Concrete(CompositeKind::Func, id) => Some(id),
                    _ => None,
                });
                todo.extend(funcs.chain(member.sub.supertype));
            }
        }
        let group =
            |start: TypeId| (0..registry.get(start).map_or(0, |def| def.group_len)).map(move |n| TypeId(start.0 + n));
        TypeTable::new(registry, found.into_iter().flat_map(group).collect())
    }

    /// Says what references to types are taken for, by type index: how a dialect with another subtyping than
    /// the declared one looks from here. There may be more indices than types.
    pub fn set_views(&mut self, views: HashMap<u32, HeapType>) {
        self.views = views;
    }

    /// Takes a function type for another one here, with the same identity: the same dialect.
    pub fn set_signature(&mut self, id: TypeId, sig: FuncType) {
        if let Some(def) = self.defs.get_mut(&id) {
            self.shown.insert(id, def.clone());
            let mut sub = def.sub.clone();
            sub.composite = CompositeType::Func(sig);
            let TypeDef { ref display, digest, group_len, group_pos, .. } = **def;
            *def = Arc::new(TypeDef { id, sub, display: display.clone(), digest, group_len, group_pos });
        }
    }

    /// The signature of a function type as others see it.
    pub fn shown_signature(&self, id: TypeId) -> Option<&FuncType> {
        match &self.shown.get(&id).or_else(|| self.defs.get(&id))?.sub.composite {
            CompositeType::Func(sig) => Some(sig),
            _ => None,
        }
    }

    /// The heap type that a reference to a type index has.
    pub fn view(&self, index: u32) -> Option<HeapType> {
        if let Some(&view) = self.views.get(&index) {
            return Some(view);
        }
        let id = *self.by_index.get(index as usize)?;
        Some(HeapType::Concrete(self.defs.get(&id)?.sub.composite.kind(), id))
    }

    /// Makes a canonical type known that no type index stands for.
    pub fn add(&mut self, registry: &TypeRegistry, id: TypeId) {
        if let Some(def) = registry.get(id) {
            self.defs.insert(id, def);
        }
    }

    /// The canonical id of a type index.
    ///
    /// # Panics
    ///
    /// When the index is out of range; a validated module has no such index.
    pub fn id(&self, index: u32) -> TypeId {
        self.by_index[index as usize]
    }

    /// The definition of a canonical type of this module.
    ///
    /// # Panics
    ///
    /// When the module does not name this type.
    pub fn def(&self, id: TypeId) -> &Arc<TypeDef> {
        &self.defs[&id]
    }

    /// The definition at a type index.
    pub fn at(&self, index: u32) -> &Arc<TypeDef> {
        self.def(self.id(index))
    }

    /// How many types the type section has.
    pub fn len(&self) -> usize {
        self.by_index.len()
    }

    /// Whether the type section is empty.
    pub fn is_empty(&self) -> bool {
        self.by_index.is_empty()
    }

    /// All canonical ids by type index.
    pub fn ids(&self) -> &[TypeId] {
        &self.by_index
    }

    /// The first type index that stands for a canonical type.
    pub fn index_of(&self, id: TypeId) -> Option<u32> {
        self.by_index.iter().position(|&i| i == id).map(|i| i as u32)
    }

    /// Whether one defined type is the other, or a declared descendant of it.
    pub fn is_sub_id(&self, sub: TypeId, sup: TypeId) -> bool {
        sub == sup || self.defs.get(&sub).is_some_and(|def| def.display.contains(&sup))
    }

    /// `sub <: sup` for heap types.
    pub fn is_sub_heap(&self, sub: HeapType, sup: HeapType) -> bool {
        use HeapType as H;
        if sub == sup {
            return true;
        }
        match (sub, sup) {
            (H::Concrete(_, a), H::Concrete(_, b)) => self.is_sub_id(a, b),
            (H::Concrete(CompositeKind::Struct, _), H::Struct | H::Eq | H::Any) => true,
            (H::Concrete(CompositeKind::Array, _), H::Array | H::Eq | H::Any) => true,
            (H::Concrete(CompositeKind::Func, _), H::Func) => true,
            (H::Struct | H::Array | H::I31, H::Eq | H::Any) | (H::Eq, H::Any) => true,
            (H::None, _) => sup.top() == HeapTop::Any,
            (H::NoFunc, _) => sup.top() == HeapTop::Func,
            (H::NoExtern, _) => sup.top() == HeapTop::Extern,
            (H::NoExn, _) => sup.top() == HeapTop::Exn,
            (H::NoCont, _) => sup.top() == HeapTop::Cont,
            _ => false,
        }
    }

    /// `sub <: sup` for reference types, exactness included.
    pub fn is_sub_ref(&self, sub: RefType, sup: RefType) -> bool {
        if sub.nullable && !sup.nullable {
            return false;
        }
        match (sub.exact, sup.exact) {
            (_, false) => self.is_sub_heap(sub.heap, sup.heap),
            (true, true) => sub.heap == sup.heap,
            (false, true) => sub.heap.is_bottom() && sub.heap.top() == sup.heap.top(),
        }
    }

    /// `sub <: sup` for value types.
    pub fn is_sub_val(&self, sub: ValType, sup: ValType) -> bool {
        match (sub, sup) {
            (ValType::Ref(a), ValType::Ref(b)) => self.is_sub_ref(a, b),
            _ => sub == sup,
        }
    }

    /// Whether no value but (possibly) null can have both heap types. Conservative: `false` when in
    /// doubt.
    pub fn is_disjoint_heap(&self, a: HeapType, b: HeapType) -> bool {
        // Single inheritance: two types share values only when one is below the other.
        !self.is_sub_heap(a, b) && !self.is_sub_heap(b, a)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RecGroup, SubType};
    use super::*;

    #[test]
    fn abstract_hierarchy() {
        let t = TypeTable::default();
        assert!(t.is_sub_heap(HeapType::I31, HeapType::Any));
        assert!(t.is_sub_heap(HeapType::None, HeapType::Struct));
        assert!(!t.is_sub_heap(HeapType::None, HeapType::Func));
        assert!(!t.is_sub_heap(HeapType::Extern, HeapType::Any));
        assert!(!t.is_sub_heap(HeapType::Any, HeapType::Eq));
        assert!(t.is_disjoint_heap(HeapType::Struct, HeapType::Array));
        assert!(!t.is_disjoint_heap(HeapType::Struct, HeapType::Eq));
    }

    #[test]
    fn nullability_and_declared_supertypes() {
        let reg = TypeRegistry::new();
        let ty = |sup| SubType::new(false, sup, CompositeType::Struct([].into()));
        let base = reg.intern(RecGroup { types: vec![ty(None)] }).unwrap();
        let sub = reg.intern(RecGroup { types: vec![ty(Some(base))] }).unwrap();
        let t = TypeTable::new(&reg, vec![base, sub]);
        let heap = |id| HeapType::Concrete(CompositeKind::Struct, id);
        assert!(t.is_sub_ref(RefType::new(false, heap(sub)), RefType::new(true, heap(base))));
        assert!(!t.is_sub_ref(RefType::new(true, heap(sub)), RefType::new(false, heap(base))));
        assert!(!t.is_sub_ref(RefType::new(false, heap(base)), RefType::new(false, heap(sub))));
    }
}
