//! Tests of the optimiser: each pass on small functions, as text before and after; and random
//! functions, executed before and after.

mod generate;
mod machine;
mod passes;

use crate::ir::{print::print, verify::verify};
use crate::types::{
    CompositeKind, CompositeType, FieldType, HeapType, RecGroup, RefType, StorageType, SubType, TypeId, TypeRegistry,
    TypeTable, ValType,
};
use proptest::prelude::*;

/// The types of all tests.
pub struct World {
    pub types: TypeTable,
    /// `(struct i32 (mut i32) (mut (ref null any)) (mut i8))`
    pub base: HeapType,
    /// The same with `(ref null base) (mut i32)` added.
    pub sub: HeapType,
    /// `(struct (mut i32))`
    pub other: HeapType,
    /// `(array i32)`
    pub ints: HeapType,
}

impl World {
    pub fn fields(&self, id: TypeId) -> Vec<FieldType> {
        match &self.types.def(id).sub.composite {
            CompositeType::Struct(fields) => fields.to_vec(),
            _ => Vec::new(),
        }
    }

    pub fn id(heap: HeapType) -> TypeId {
        heap.concrete().unwrap()
    }
}

pub fn world() -> World {
    let reg = TypeRegistry::new();
    let field = |storage, mutable| FieldType { storage, mutable };
    let i32_field = |mutable| field(StorageType::Val(ValType::I32), mutable);
    let reference = |heap| StorageType::Val(ValType::Ref(RefType::new(true, heap)));
    let define =
        |supertype, composite| reg.intern(RecGroup { types: vec![SubType::new(false, supertype, composite)] }).unwrap();
    let mut fields =
        vec![i32_field(false), i32_field(true), field(reference(HeapType::Any), true), field(StorageType::I8, true)];
    let base = define(None, CompositeType::Struct(fields.clone().into()));
    fields.push(field(reference(HeapType::Concrete(CompositeKind::Struct, base)), false));
    fields.push(i32_field(true));
    let sub = define(Some(base), CompositeType::Struct(fields.into()));
    let other = define(None, CompositeType::Struct([i32_field(true)].into()));
    let ints = define(None, CompositeType::Array(i32_field(false)));
    let types = TypeTable::new(&reg, vec![base, sub, other, ints]);
    let strukt = |id| HeapType::Concrete(CompositeKind::Struct, id);
    World {
        types,
        base: strukt(base),
        sub: strukt(sub),
        other: strukt(other),
        ints: HeapType::Concrete(CompositeKind::Array, ints),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn random_functions_do_the_same_when_optimised(choices in prop::collection::vec(any::<u8>(), 0..500)) {
        let world = world();
        let before = generate::function(&world, &choices);
        prop_assert_eq!(verify(&before), Ok(()), "{}", print(&before));
        for level in 1..=2 {
            let mut after = before.clone();
            super::optimize(&mut after, &world.types, level);
            prop_assert_eq!(verify(&after), Ok(()), "{}\n{}", print(&before), print(&after));
            for seed in 0..6 {
                let (expected, found) = (machine::run(&world, &before, seed), machine::run(&world, &after, seed));
                prop_assert!(expected == found, "{:?}\n{:?}\n{}\n{}", expected, found, print(&before), print(&after));
            }
        }
    }
}
