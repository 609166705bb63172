//! Tests of the optimiser: each pass on small functions, as text before and after; and random
//! functions, executed before and after.

mod generate;
mod inline;
mod loops;
mod machine;
mod passes;
mod rotate;

use super::{Calls, Candidates, GlobalKind, Passes, Scope, Summary, Written};
use crate::ir::{Frequencies, Func, print::print, verify::verify};
use crate::types::{
    CompositeKind, CompositeType, FieldType, HeapType, RecGroup, RefType, StorageType, SubType, TypeId, TypeRegistry,
    TypeTable, ValType,
};
use crate::workers::Workers;
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

/// Who writes the globals of random functions.
const GLOBALS: [GlobalKind; 4] = [GlobalKind::Own, GlobalKind::Own, GlobalKind::Imported, GlobalKind::Imported];

/// A module of whose functions nothing is known.
fn scope(types: &TypeTable) -> Scope<'_> {
    static UNKNOWN: std::sync::LazyLock<Calls> = std::sync::LazyLock::new(Calls::default);
    static WRITTEN: std::sync::LazyLock<Written> = std::sync::LazyLock::new(Written::default);
    Scope { types, funcs: &[], globals: &GLOBALS, calls: &UNKNOWN, written: &WRITTEN }
}

/// What the functions of a test write, when some of them are known and all others are the host's.
fn calls(types: &TypeTable, known: &[Func<'static>]) -> Calls {
    let mut all: Vec<Summary> = (0..generate::FIRST).map(|_| Summary::unknown()).collect();
    all.extend(known.iter().map(|func| Summary::of(func, scope(types))));
    Calls::solve(all)
}

/// Whether all passes together, at each level, and each alone leave what a function does.
fn same(world: &World, before: &Func<'static>, others: &[Func<'static>], most: u32) -> Result<(), TestCaseError> {
    prop_assert_eq!(verify(before), Ok(()), "{}", print(before));
    let candidates = Candidates::within(others.iter(), most, Frequencies::default(), Workers::Many);
    let calls = calls(&world.types, others);
    let alone = Passes::names().iter().filter_map(|name| Passes::named(name));
    for passes in [Passes::ALL, Passes::ALL.at_level(1)].into_iter().chain(alone) {
        let mut after = before.clone();
        let scope = Scope { calls: &calls, ..scope(&world.types) };
        super::optimize(&mut after, scope, &candidates, passes);
        prop_assert_eq!(verify(&after), Ok(()), "{}\n{}", print(before), print(&after));
        for seed in 0..6 {
            let run = |func| machine::run(world, func, others, seed);
            let (expected, found) = (run(before), run(&after));
            prop_assert!(expected == found, "{:?}\n{:?}\n{}\n{}", expected, found, print(before), print(&after));
        }
    }
    Ok(())
}

/// `eq` that is exact has no i31, which only the optimiser says. The machine took it for a type without objects, so one in
/// some thousand runs of the test below failed.
#[test]
fn what_is_no_i31_may_be_an_object() {
    let world = world();
    let choices = [
        44, 216, 7, 33, 28, 0, 1, 58, 0, 0, 70, 64, 0, 57, 0, 211, 10, 152, 125, 0, 5, 79, 13, 117, 0, 0, 0, 0, 3, 0,
        0, 0, 0, 0, 0, 0, 0,
    ];
    same(&world, &generate::function(&world, generate::FIRST, &choices), &[], 0).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn random_functions_do_the_same_when_optimised(
        choices in prop::collection::vec(any::<u8>(), 0..500),
        others in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..3),
        most in 0u32..200,
    ) {
        let world = world();
        let others: Vec<_> = (generate::FIRST..).zip(&others).map(|(n, c)| generate::function(&world, n, c)).collect();
        let before = generate::function(&world, generate::FIRST + others.len() as u32, &choices);
        same(&world, &before, &others, most)?;
    }

    /// One turn less counts as a turn, so where a function runs out of fuel it is somewhere else.
    #[test]
    fn random_functions_do_the_same_with_tests_at_the_ends_of_loops(
        choices in prop::collection::vec(any::<u8>(), 0..500),
    ) {
        let world = world();
        let before = generate::function(&world, generate::FIRST, &choices);
        let mut after = before.clone();
        super::rotate(&mut after);
        prop_assert_eq!(verify(&after), Ok(()), "{}\n{}", print(&before), print(&after));
        for seed in 0..6 {
            let run = |func| machine::run(&world, func, &[], seed);
            let (mut expected, mut found) = (run(&before), run(&after));
            if [&expected, &found].iter().any(|trace| trace.last() == Some(&machine::Event::Fuel)) {
                let least = expected.len().min(found.len()) - 1;
                expected.truncate(least);
                found.truncate(least);
            }
            prop_assert!(expected == found, "{:?}\n{:?}\n{}\n{}", expected, found, print(&before), print(&after));
        }
    }
}
